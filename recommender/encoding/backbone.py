"""timm's ResNet50 and what is done to its tensors: made, loaded strictly, pooled, fused, hashed."""

import hashlib
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from recommender.encoding.timm_alone import timm
from recommender.errors import WeightsError

BACKBONE_DIM = 2048

# A weights file may carry these beside the backbone; any other key must be one of the backbone's.
_EXTRAS = ("fc.", "heads.", "details.", "taken.", "projection.", "regions.", "garment.")

Device = str
"""`auto`, `cpu`, `cuda` or `cuda:N`."""


def create_backbone(model: str = "resnet50", *, pretrained: bool = False) -> Any:
    """A ResNet50 without classifier, of random weights or, by its timm name, of the Hub's."""
    return timm.create_model(model, pretrained=pretrained, num_classes=0)


def save_for_timm(state: Mapping[str, Tensor], folder: Path, settings: Mapping[str, Any]) -> None:
    """Write a backbone as timm's `hf-hub:` and `local-dir:` load it: tensors and config.

    Args:
        state: a weights file's tensors; what stands beside the backbone is left out.
        folder: is made.
        settings: of timm's `pretrained_cfg`: `input_size`, `mean`, `std` and the like.

    Raises:
        WeightsError: the tensors are not a ResNet50's.
    """
    model = create_backbone()
    load_backbone(model, state)
    timm.models.save_for_hf(model, folder, data_config=dict(settings), safe_serialization=True)


POOLINGS: dict[str, Callable[[Tensor], Tensor]] = {  # (b, c, h, w) -> (b, c)
    "avg": lambda maps: maps.mean((2, 3)),
    "max": lambda maps: maps.amax((2, 3)),
    # The generalised mean over space. Source: Radenović et al., arXiv:1711.02512, p = 3.
    "gem": lambda maps: maps.clamp(min=1e-6).pow(3.0).mean((2, 3)).pow(1 / 3.0),
}


def backbone_of(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A weights file's tensors without those that stand beside the backbone."""
    return {name: tensor for name, tensor in state.items() if not name.startswith(_EXTRAS)}


def load_backbone(
    backbone: nn.Module, state: Mapping[str, Tensor], *, assign: bool = False
) -> None:
    """Load a backbone strictly; classifier, heads and projection beside it are left alone.

    Args:
        backbone: a ResNet50.
        state: its tensors, in timm's names.
        assign: whether it takes the tensors themselves, in the dtype that they have, as a backbone
            without any must; else their values.

    Raises:
        WeightsError: a key is missing, unknown or of another shape.
    """
    own = backbone_of(state)
    # Files of the time before batch norms counted their batches lack a number that nobody reads.
    counters = {k: v for k, v in backbone.state_dict().items() if k.endswith("_tracked")}
    try:
        backbone.load_state_dict({**counters, **own}, strict=True, assign=assign)
    except RuntimeError as error:
        wrong = sorted(set(backbone.state_dict()) ^ set(counters | own)) or ["a shape"]
        raise WeightsError(
            f"The weights are not a ResNet50's: {len(wrong)} keys do not fit, first {wrong[0]}."
        ) from error


class _Undrawn(TorchFunctionMode):
    """Draws no weights: of tensors without values, PyTorch would ask its compiler how."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return args[0] if func is Tensor.normal_ else func(*args, **(kwargs or {}))


def backbone_at_work(state: Mapping[str, Tensor], device: torch.device, dtype: torch.dtype) -> Any:
    """A ResNet50 that is not trained: its batch norms folded in, laid out for the device.

    Raises:
        WeightsError: the tensors are not a ResNet50's.
    """
    with torch.device("meta"), _Undrawn():  # nothing is made that the weights would replace
        backbone = create_backbone()
    load_backbone(backbone, state, assign=True)
    fuse_batch_norms(backbone.eval(), dtype)
    backbone.to(device, dtype, memory_format=torch.channels_last)
    return backbone.requires_grad_(False)


def feature_maps(backbone: Any, pixels: Tensor) -> list[Tensor]:
    """What a ResNet50's four stages see.

    Args:
        backbone: timm's, of ResNet's make.
        pixels: float (b, 3, h, w).

    Returns:
        Maps of strides 4, 8, 16 and 32: (b, 256, h/4, w/4) to (b, 2048, h/32, w/32).
    """
    seen = backbone.maxpool(backbone.act1(backbone.bn1(backbone.conv1(pixels))))
    maps = []
    for stage in (backbone.layer1, backbone.layer2, backbone.layer3, backbone.layer4):
        seen = stage(seen)
        maps.append(seen)
    return maps


def load_linear(state: Mapping[str, Tensor], name: str) -> nn.Linear:
    """A linear map of the backbone's 2048 values that is not trained.

    Raises:
        WeightsError: it is missing, or of another shape.
    """
    weight, bias = (state.get(f"{name}.{part}") for part in ("weight", "bias"))
    if weight is None or weight.ndim != 2 or weight.shape[1] != BACKBONE_DIM or bias is None:
        raise WeightsError(f"The weights' {name} is not a linear map of {BACKBONE_DIM} values.")
    if bias.shape != weight.shape[:1]:
        raise WeightsError(f"The weights' {name} has a bias of another length.")
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight.float(), "bias": bias.float()})
    return layer.requires_grad_(False)


def hash_state(state: Mapping[str, Tensor]) -> str:
    """sha256 of tensors with their names, shapes and dtypes, whatever file they lay in."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def fuse_batch_norms(module: nn.Module, dtype: torch.dtype = torch.float32) -> None:
    """Fold each batch norm into the convolution before it, in place; for inference only.

    Args:
        module: in evaluation mode, of any floating dtype.
        dtype: that the folded convolutions get; they are multiplied in float32.
    """
    children = list(module.named_children())
    for (conv_name, conv), (norm_name, norm) in pairwise(children):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            fused = nn.utils.fuse_conv_bn_eval(conv.float(), norm.float())
            setattr(module, conv_name, fused.to(dtype))
            setattr(module, norm_name, nn.Identity())
    for _, child in children:
        fuse_batch_norms(child, dtype)


def choose_device(device: Device) -> torch.device:
    """`auto` is CUDA where it is, else the CPU."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """`auto` is bfloat16 where the processor multiplies in it, else float32."""
    if dtype == "auto":
        fast = (
            torch.cuda.is_bf16_supported(including_emulation=False)
            if device.type == "cuda"
            else torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        )
        dtype = "bfloat16" if fast else "float32"
    return torch.bfloat16 if dtype == "bfloat16" else torch.float32
