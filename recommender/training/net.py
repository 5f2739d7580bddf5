"""The network that is trained: a backbone, a head a label, a projection that proxies teach."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recommender.encoding.backbone import (
    BACKBONE_DIM,
    create_backbone,
    feature_maps,
    load_backbone,
)
from recommender.encoding.region_head import RegionHead

PROXIES = ("articleType", "gender", "baseColour")
"""Labels that pull embeddings together: those that decide whether a hit is relevant."""


class Seen(NamedTuple):
    """What a network makes of b pictures.

    Attributes:
        logits: head -> (b, classes).
        cosines: proxied label -> (b, classes).
        pooled: (b, 2048), the averaged maps.
        embeddings: (b, dim), unit rows.
        garment: logits of there being one, (b,); None where regions are not learnt.
        mask: logits of where it is, (b, h/4, w/4), or None.
    """

    logits: dict[str, Tensor]
    cosines: dict[str, Tensor]
    pooled: Tensor
    embeddings: Tensor
    garment: Tensor | None
    mask: Tensor | None


class FashionNet(nn.Module):
    """A timm ResNet50, one linear head a label on the pooled maps, and a projection of them.

    The projection learns from proxies, a unit vector a class that its embeddings turn to.
    Source: Zhai & Wu, Classification is a Strong Baseline for Deep Metric Learning, BMVC 2019.
    """

    def __init__(self, classes: Mapping[str, int], dim: int, *, regions: bool = False) -> None:
        super().__init__()
        self.backbone = create_backbone()
        self.heads = nn.ModuleDict({n: nn.Linear(BACKBONE_DIM, c) for n, c in classes.items()})
        self.projection = nn.Linear(BACKBONE_DIM, dim)
        self.regions = RegionHead() if regions else None
        self.garment = nn.Linear(BACKBONE_DIM, 1) if regions else None
        self.proxies = nn.ParameterDict(
            {name: torch.randn(classes[name], dim) for name in PROXIES if name in classes}
        )

    def forward(self, pixels: Tensor) -> Seen:
        """(b, 3, h, w) -> what is seen in them."""
        maps = feature_maps(self.backbone, pixels)
        pooled = maps[-1].mean((2, 3))
        embeddings = F.normalize(self.projection(F.normalize(pooled.float())).float())
        return Seen(
            {name: head(pooled) for name, head in self.heads.items()},
            {name: embeddings @ F.normalize(vectors).T for name, vectors in self.proxies.items()},
            pooled,
            embeddings,
            None if self.garment is None else self.garment(pooled)[:, 0],
            None if self.regions is None else self.regions(maps),
        )

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Start from weights: the backbone strictly, heads and projection where they fit."""
        load_backbone(self.backbone, state)
        own = self.state_dict()
        fits = {n: t.float() for n, t in state.items() if n in own and own[n].shape == t.shape}
        self.load_state_dict(own | fits)

    def weights(self) -> dict[str, Tensor]:
        """Everything that is shipped, in timm's names, heads as `heads.NAME.*`, in float16."""
        parts = {"": self.backbone, "heads.": self.heads, "projection.": self.projection}
        if self.regions is not None and self.garment is not None:
            parts |= {"regions.": self.regions, "garment.": self.garment}
        return shipped(parts)


def shipped(parts: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """What a weights file holds of modules, by what the names of each begin with: float16."""
    return {
        f"{begin}{name}": tensor.half().contiguous()
        for begin, module in parts.items()
        for name, tensor in module.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def compute(net: nn.Module, pixels: Tensor, dtype: torch.dtype) -> Any:
    """What a network makes of pixels, float (b, 3, h, w), in bfloat16 where that is the dtype."""
    with torch.autocast(pixels.device.type, dtype, enabled=dtype == torch.bfloat16):
        return net(pixels.contiguous(memory_format=torch.channels_last))
