"""Convolutions as the processor multiplies them: laid out once, and done when they are added up.

oneDNN wants weights in blocks, and PyTorch lays plain ones out anew whenever a picture comes: of
one small picture, that is more than half of a pass. And what follows a convolution, a ReLU or a
shortcut that is added, oneDNN does while the sums are at hand; PyTorch goes through the maps again.
"""

import os
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from recommender.encoding.timm_alone import Bottleneck

# Read when the first convolution is done. How one is done for so many pictures of a size is made
# ready once and kept, by oneDNN and by each thread: of up to sixteen pictures of three sizes there
# are more ways than the thousand that are kept by default, and to make them ready again made a lone
# picture take twice as long after a crowd.
for _kept in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(_kept, "8192")

_DNN = torch.ops.mkldnn
_NEEDED = (
    "_convolution_pointwise",
    "_convolution_pointwise_",
    "_reorder_convolution_weight",
    "_get_mkldnn_serialized_md",
)


class PackedConv(nn.Module):
    """A convolution at work, for inference only; gives what `nn.Conv2d` gives, and goes on."""

    def __init__(
        self, conv: nn.Conv2d, weight: Tensor, then: Literal["none", "relu"] = "none"
    ) -> None:
        """Args:
        conv: whose bias and geometry it has.
        weight: its weights, plain or as `_laid_out` gives them.
        then: what is done to what it gives.
        """
        super().__init__()
        self._weight, self._bias, self._geometry = weight, conv.bias, _geometry(conv)
        self._then = then

    def forward(self, maps: Tensor) -> Tensor:
        convolved: Tensor = _DNN._convolution_pointwise(
            maps, self._weight, self._bias, *self._geometry, self._then, [], ""
        )
        return convolved

    def onto(self, maps: Tensor, shortcut: Tensor) -> Tensor:
        """What it gives, added to a shortcut in its place."""
        added: Tensor = _DNN._convolution_pointwise_.binary(
            shortcut,
            maps,
            self._weight,
            self._bias,
            *self._geometry,
            "add",
            1.0,
            self._then,
            [],
            "",
        )
        return added


class PackedBlock(nn.Module):
    """A ResNet's bottleneck at work: three convolutions, and nothing between them.

    It writes over what it is shown, unless it brings that to another size: a stage's first block
    does, so what a stage gives stays.
    """

    def __init__(self, convolutions: Sequence[PackedConv], downsample: nn.Module | None) -> None:
        super().__init__()
        self._narrow, self._spatial, self._wide = convolutions
        self._downsample = downsample

    def forward(self, maps: Tensor) -> Tensor:
        shortcut = maps if self._downsample is None else self._downsample(maps)
        return self._wide.onto(self._spatial(self._narrow(maps)), shortcut)


def pack_convolutions(
    module: nn.Module, see: Callable[[Tensor], object], pixels: Sequence[Tensor]
) -> int:
    """Make the convolutions of ResNets work as above, in place, where this machine gains by it.

    Which blocks are wanted depends on the maps' sizes. Weights of which the sizes to come want
    different ones stay as they are, since bringing one into another costs more than it saves.

    Args:
        module: on the CPU, whose convolutions are followed by no batch norm that could be fused.
        see: sends pixels through all of it.
        pixels: of each size to come, (1, 3, h, w) in the dtype of its weights.

    Returns:
        How many convolutions were laid out.
    """
    if not _can_pack(pixels[0].dtype):
        return 0
    convolutions = [part for part in module.modules() if isinstance(part, nn.Conv2d)]
    sizes: dict[nn.Module, list[list[int]]] = {conv: [] for conv in convolutions}

    def note(conv: nn.Module, maps: tuple[Tensor, ...]) -> None:
        sizes[conv].append(list(maps[0].shape))

    hooks = [conv.register_forward_pre_hook(note) for conv in convolutions]
    with torch.inference_mode():
        for picture in pixels:
            see(picture)
    for hook in hooks:
        hook.remove()
    laid_out: dict[nn.Conv2d, Tensor] = {}
    for conv in convolutions:
        weights = [_laid_out(conv, size) for size in sizes[conv]]
        if len({bytes(_DNN._get_mkldnn_serialized_md(weight).numpy()) for weight in weights}) == 1:
            laid_out[conv] = weights[0]
    _swap(module, laid_out)
    return len(laid_out)


def _can_pack(dtype: torch.dtype) -> bool:
    """Whether this PyTorch, on this processor, has what is needed: it is not of its public face."""
    names = {schema.name for schema in torch._C._jit_get_all_schemas()}
    return (
        torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and names >= {f"mkldnn::{name}" for name in _NEEDED}
        and (dtype != torch.bfloat16 or bool(_DNN._is_mkldnn_bf16_supported()))
    )


def _laid_out(conv: nn.Conv2d, size: Sequence[int]) -> Tensor:
    """A convolution's weights in the blocks that maps of a size, (b, c, h, w), want."""
    plain = conv.weight.detach()
    weight: Tensor = _DNN._reorder_convolution_weight(plain, *_geometry(conv), size)
    return weight


def _geometry(conv: nn.Conv2d) -> tuple[list[int], list[int], list[int], int]:
    """Padding, stride, dilation and groups, as oneDNN takes them."""
    # PyTorch's `same` and `valid` are words of its own: no ResNet has them.
    return list(map(int, conv.padding)), list(conv.stride), list(conv.dilation), conv.groups


def _swap(module: nn.Module, laid_out: dict[nn.Conv2d, Tensor]) -> None:
    """Put what is packed in the place of a module's blocks and convolutions."""

    def packed(conv: nn.Conv2d, then: Literal["none", "relu"] = "none") -> PackedConv:
        return PackedConv(conv, laid_out.get(conv, conv.weight), then)

    for name, child in list(module.named_children()):
        if isinstance(child, nn.Conv2d):
            setattr(module, name, packed(child))
            continue
        if isinstance(child, Bottleneck):
            own = [packed(conv, "relu") for conv in (child.conv1, child.conv2, child.conv3)]
            child = PackedBlock(own, child.downsample)
            setattr(module, name, child)
        _swap(child, laid_out)
