"""The text tower: words in, embeddings out, in the space of the picture encoder it learnt from.

A small BERT of `transformers` and its tokenizer. The weights file is its own manual, as the picture
encoder's is: its header holds the config, the tokenizer and which encoder's space it is of.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from recommender.encoding.agreement import Floats
from recommender.encoding.protocol import Shown
from recommender.errors import WeightsError
from recommender.files import whole_file

TEXT_WEIGHTS = Path(__file__).parents[1] / "weights" / "words.safetensors"
_LARGEST_BATCH = 256
_SHOWN = "shown."
"""Of the tensors that say where looks lean, before their columns."""
_OTHER = "The text tower's tensors or its tokenizer are not what its header says: train it again."


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """The tower's shape.

    Attributes:
        dim: length of an embedding.
        vocabulary: how many pieces of words it knows.
        width: length of what it knows of each.
        layers: how many times the words of a text look at each other.
        heads: in how many ways.
        longest: pieces of a text that are read.
    """

    dim: int
    vocabulary: int = 4000
    width: int = 128
    layers: int = 1
    heads: int = 4
    longest: int = 16


class TextNet(nn.Module):
    """Pieces of words -> embeddings of length one."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        import transformers  # heavy, and only who asks in words needs it

        shape = transformers.BertConfig(
            vocab_size=config.vocabulary,
            hidden_size=config.width,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            intermediate_size=2 * config.width,
            max_position_embeddings=config.longest,
            pad_token_id=0,
        )
        self.bert = transformers.BertModel(shape, add_pooling_layer=False)
        self.head = nn.Linear(config.width, config.dim)

    def forward(self, pieces: Tensor, there: Tensor) -> Tensor:
        """Args:
        pieces: int64 of shape (b, length).
        there: int64 of shape (b, length), 1 where there is one and 0 behind the end.

        Returns:
            float32 of shape (b, dim), unit rows.
        """
        words = self.bert(input_ids=pieces, attention_mask=there).last_hidden_state
        kept = there.unsqueeze(2).to(words.dtype)  # (b, length, 1)
        mean = (words * kept).sum(1) / kept.sum(1).clamp(min=1)
        return F.normalize(self.head(mean), dim=1)


class TextEncoder:
    """Texts in, unit embeddings out. Thread-safe; the network is built when it is first asked.

    Attributes:
        config: the tower's shape.
        encoder: fingerprint of the picture encoder whose space it is of.
        words: whole words that it has learnt, in lower case.
        shown: where looks lean that show a value; see `Shown`.
    """

    def __init__(
        self,
        config: TextConfig,
        state: Mapping[str, Tensor],
        tokenizer: str,
        encoder: str,
        values: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Args:
        config: the tower's shape.
        state: its tensors, strictly all of them; and of each column of `values` those of its
            values, `shown.COLUMN` of shape (values, looks_dim).
        tokenizer: as JSON.
        encoder: fingerprint of the picture encoder.
        values: of columns whose values looks are known to show.

        Raises:
            ValueError: there is not one unit row for each of the values.
        """
        self.config, self.encoder = config, encoder
        self._state = {name: t for name, t in state.items() if not name.startswith(_SHOWN)}
        self._tokenizer = tokenizer
        self.shown: Shown = {
            name: dict(zip(known, F.normalize(state[_SHOWN + name].float()).numpy(), strict=True))
            for name, known in (values or {}).items()
        }
        pieces = json.loads(tokenizer)["model"]["vocab"]
        self.words = frozenset(piece for piece in pieces if len(piece) > 2 and piece.isalpha())
        self._net: tuple[TextNet, Tokenizer] | None = None
        self._lock = threading.Lock()

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Encode texts: float32 of shape (b, dim), unit rows."""
        net, tokenizer = self._built()
        parts = []
        for start in range(0, len(texts), _LARGEST_BATCH):
            with torch.inference_mode():
                parts.append(net(*pieces_of(tokenizer, texts[start : start + _LARGEST_BATCH])))
        vectors: Floats = torch.cat(parts).numpy()
        return vectors

    def check(self, dim: int) -> None:
        """See that it can read, before anybody asks.

        Args:
            dim: length of the embeddings that it is to give.

        Raises:
            WeightsError: its tensors or its tokenizer are others than it says.
        """
        long = " ".join(sorted(self.words)[: 4 * self.config.longest]) or "a"
        try:
            vectors = self([long])
        except Exception as error:  # as many kinds as there are ways not to fit
            raise WeightsError(_OTHER) from error
        if vectors.shape != (1, dim) or not np.isfinite(vectors).all():
            raise WeightsError(_OTHER)

    def _built(self) -> tuple[TextNet, Tokenizer]:
        with self._lock:
            if self._net is None:
                net = TextNet(self.config)
                net.load_state_dict({name: t.float() for name, t in self._state.items()})
                self._net = net.eval(), Tokenizer.from_str(self._tokenizer)
            return self._net


def pieces_of(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Texts as `TextNet` takes them."""
    encoded = tokenizer.encode_batch(list(texts))
    pieces = torch.tensor([e.ids for e in encoded])
    return pieces, torch.tensor([e.attention_mask for e in encoded])


def load_text_encoder(fingerprint: str, path: Path = TEXT_WEIGHTS) -> TextEncoder | None:
    """The text tower of a picture encoder; None where there is none of that one.

    Args:
        fingerprint: of the picture encoder.
        path: the weights.

    Raises:
        WeightsError: the file is not a text tower's.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            header: dict[str, Any] = file.metadata() or {}
            if json.loads(header["encoder"]) != fingerprint:
                return None
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        config = TextConfig(**json.loads(header["config"]))
        values = json.loads(header.get("shown", "{}"))
        return TextEncoder(config, state, header["tokenizer"], fingerprint, values)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise WeightsError(f"{path.name} is not a safetensors file of a text tower.") from error


def with_shown(path: Path, out: Path, values: Mapping[str, tuple[Sequence[str], Tensor]]) -> None:
    """Write a tower as it is, but for what looks are known to show.

    Args:
        path: the tower's weights.
        out: takes them, whole or not at all; it may be the same.
        values: column -> its values, and float32 of shape (values, looks_dim), unit rows.
    """
    with safe_open(path, framework="pt") as file:
        header = file.metadata() or {}
        names = [name for name in file.keys() if not name.startswith(_SHOWN)]  # noqa: SIM118
        state = {name: file.get_tensor(name) for name in names}
    header["shown"] = json.dumps({name: list(known) for name, (known, _) in values.items()})
    state |= {_SHOWN + name: leaning.half() for name, (_, leaning) in values.items()}
    with whole_file(out) as building:
        save_file(state, building, header)


def write_text_encoder(
    path: Path,
    config: TextConfig,
    state: Mapping[str, Tensor],
    tokenizer: str,
    encoder: str,
    **more: object,
) -> None:
    """Write what `load_text_encoder` reads, whole or not at all; in half precision.

    Args:
        path: the safetensors file.
        config: the tower's shape.
        state: its tensors.
        tokenizer: as JSON.
        encoder: fingerprint of the picture encoder.
        more: what the header says besides, for people; JSON.
    """
    told = {"config": asdict(config), "encoder": encoder, **more}
    header = {**{name: json.dumps(value) for name, value in told.items()}, "tokenizer": tokenizer}
    halved = {n: t.half().contiguous() if t.is_floating_point() else t for n, t in state.items()}
    with whole_file(path) as building:
        save_file(halved, building, header)
