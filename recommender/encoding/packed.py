"""Convolutions whose weights lie as the processor multiplies them: laid out once, not at each pass.

oneDNN wants weights in blocks, and PyTorch lays plain ones out anew whenever a picture comes: of
one small picture, that is more than half of a pass.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

_DNN = torch.ops.mkldnn
_NEEDED = ("_convolution_pointwise", "_reorder_convolution_weight", "_get_mkldnn_serialized_md")


class PackedConv(nn.Module):
    """A convolution at work, for inference only; gives what `nn.Conv2d` gives."""

    def __init__(self, conv: nn.Conv2d, weight: Tensor) -> None:
        """Args:
        conv: whose bias and geometry it has.
        weight: its weights as `_laid_out` gives them.
        """
        super().__init__()
        self._weight, self._bias, self._geometry = weight, conv.bias, _geometry(conv)

    def forward(self, maps: Tensor) -> Tensor:
        convolved: Tensor = _DNN._convolution_pointwise(
            maps, self._weight, self._bias, *self._geometry, "none", [], ""
        )
        return convolved


def pack_convolutions(
    module: nn.Module, see: Callable[[Tensor], object], pixels: Sequence[Tensor]
) -> int:
    """Lay the weights of convolutions out, in place, where this machine gains by it.

    Which blocks are wanted depends on the maps' sizes. A convolution of which the sizes to come
    want different ones stays as it is, since bringing one into another costs more than it saves.

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
    packed = {}
    for conv in convolutions:
        weights = [_laid_out(conv, size) for size in sizes[conv]]
        if len({bytes(_DNN._get_mkldnn_serialized_md(weight).numpy()) for weight in weights}) == 1:
            packed[conv] = PackedConv(conv, weights[0])
    _swap(module, packed)
    return len(packed)


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


def _swap(module: nn.Module, packed: dict[nn.Conv2d, PackedConv]) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Conv2d) and child in packed:
            setattr(module, name, packed[child])
        else:
            _swap(child, packed)
