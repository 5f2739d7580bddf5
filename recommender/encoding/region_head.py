"""Where the garment is, learnt: a light decoder on the backbone's maps."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recommender.errors import WeightsError

_STAGES = (256, 512, 1024, 2048)
_WIDTH = 32


class RegionHead(nn.Module):
    """Maps of all stages, brought to the finest one's size and added, to one logit a place.

    Source: Kirillov et al., Panoptic Feature Pyramid Networks, arXiv:1901.02446, section 3, at its
    lightest.
    """

    def __init__(self) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, _WIDTH, 1, bias=False), nn.BatchNorm2d(_WIDTH))
            for channels in _STAGES
        )
        self.smooth = nn.Sequential(
            nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1, bias=False), nn.BatchNorm2d(_WIDTH)
        )
        self.mask = nn.Conv2d(_WIDTH, 1, 1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Maps of strides 4 to 32 -> logits of the garment's mask, (b, h/4, w/4)."""
        size = maps[0].shape[2:]
        added: Any = 0
        for lateral, seen in zip(self.laterals, maps, strict=True):
            narrow = lateral(seen)
            if narrow.shape[2:] != size:
                narrow = F.interpolate(narrow, size, mode="bilinear", align_corners=False)
            added = added + narrow
        logits: Tensor = self.mask(torch.relu(self.smooth(torch.relu(added))))[:, 0]
        return logits


def load_region_head(state: Mapping[str, Tensor]) -> RegionHead:
    """The head that a weights file carries as `regions.*`, not to be trained.

    Raises:
        WeightsError: a key is missing, unknown or of another shape.
    """
    head = RegionHead()
    own = {k.removeprefix("regions."): v.float() for k, v in state.items() if k[:8] == "regions."}
    counters = {k: v for k, v in head.state_dict().items() if k.endswith("_tracked")}
    try:
        head.load_state_dict({**counters, **own})
    except RuntimeError as error:
        raise WeightsError("The weights' region head has other tensors than it should.") from error
    return head.eval().requires_grad_(False)
