"""A BERT in plain PyTorch, with the names of `transformers`: what the text tower stands on.

`transformers` has the same network, but whoever imports it waits for seconds and holds 250 MB more.

Source: Devlin et al., BERT, arXiv:1810.04805.
"""

import torch.nn.functional as F
from torch import Tensor, nn

_DROPPED = 0.1
_EPS = 1e-12
_SPREAD = 0.02  # of random weights


class _Layer(nn.Module):
    """The pieces of a text look at each other, then each at itself."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        asked = {name: nn.Linear(width, width) for name in ("query", "key", "value")}
        self.attention = nn.ModuleDict(
            {"self": nn.ModuleDict(asked), "output": _back(width, width)}
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, 2 * width)})
        self.output = _back(2 * width, width)

    def forward(self, seen: Tensor, there: Tensor) -> Tensor:
        """(b, length, width), bool (b, 1, 1, length) -> (b, length, width)."""
        asked = (
            part(seen).unflatten(2, (self._heads, -1)).transpose(1, 2)  # (b, heads, length, …)
            for part in self.attention["self"].values()
        )
        dropped = _DROPPED if self.training else 0.0
        heard = F.scaled_dot_product_attention(*asked, attn_mask=there, dropout_p=dropped)
        seen = self._added(self.attention["output"], heard.transpose(1, 2).flatten(2), seen)
        return self._added(self.output, F.gelu(self.intermediate["dense"](seen)), seen)

    def _added(self, back: nn.ModuleDict, heard: Tensor, seen: Tensor) -> Tensor:
        heard = F.dropout(back["dense"](heard), _DROPPED, self.training)
        added: Tensor = back["LayerNorm"](seen + heard)
        return added


class Bert(nn.Module):
    """Pieces of words -> what each of them means in its text."""

    def __init__(self, vocabulary: int, width: int, layers: int, heads: int, longest: int) -> None:
        super().__init__()
        self.embeddings = nn.ModuleDict(
            {
                "word_embeddings": nn.Embedding(vocabulary, width, padding_idx=0),
                "position_embeddings": nn.Embedding(longest, width),
                "token_type_embeddings": nn.Embedding(2, width),  # of which texts have the first
                "LayerNorm": nn.LayerNorm(width, _EPS),
            }
        )
        self.encoder = nn.ModuleDict(
            {"layer": nn.ModuleList(_Layer(width, heads) for _ in range(layers))}
        )
        for part in self.modules():
            if isinstance(part, nn.Linear | nn.Embedding):
                nn.init.normal_(part.weight, std=_SPREAD)
            if isinstance(part, nn.Linear):
                nn.init.zeros_(part.bias)
        nn.init.zeros_(self.embeddings["word_embeddings"].weight[0])

    def forward(self, pieces: Tensor, there: Tensor) -> Tensor:
        """Args:
        pieces: int64 of shape (b, length), at most as many as the longest.
        there: int64 of shape (b, length), 1 where there is one and 0 behind the end.

        Returns:
            float32 of shape (b, length, width).
        """
        parts = self.embeddings
        places = parts["position_embeddings"].weight[: pieces.shape[1]]
        seen = parts["word_embeddings"](pieces) + places + parts["token_type_embeddings"].weight[0]
        seen = F.dropout(parts["LayerNorm"](seen), _DROPPED, self.training)
        for layer in self.encoder["layer"]:
            seen = layer(seen, there.bool()[:, None, None])
        return seen


def _back(wide: int, width: int) -> nn.ModuleDict:
    """What brings something heard back beside what was seen."""
    return nn.ModuleDict({"dense": nn.Linear(wide, width), "LayerNorm": nn.LayerNorm(width, _EPS)})
