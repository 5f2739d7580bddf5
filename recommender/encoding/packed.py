"""A network as a processor goes through it: its weights laid out once, and all of it in one piece.

oneDNN wants weights in blocks, and PyTorch lays plain ones out anew whenever a picture comes: of
one small picture, that is more than half of a pass. And what follows a convolution, a ReLU or a
shortcut that is added, oneDNN does while the sums are at hand; PyTorch goes through the maps again.

Step by step, each of a pass's hundred steps lets go of Python and then waits for it behind whoever
else answers, several times: PyTorch takes it, too, whenever it hands on a tensor that nobody but
Python holds. Beside one other thread a picture took 50 ms instead of 6. So the steps are written
down as a graph of TorchScript's, which its interpreter goes through without Python, and a list of
its own holds the weights.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recommender.encoding.backbone import feature_maps
from recommender.encoding.region_head import RegionHead

# Read when the first convolution is done. How one is done for so many pictures of a size is made
# ready once and kept by oneDNN, 3 MB for a pass: there are more ways than the thousand that are
# kept by default, and to make them ready again made a lone picture take twice as long after a
# crowd. What each thread keeps besides, another 40 MB of them, makes nothing faster.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "8192")
os.environ.setdefault("LRU_CACHE_CAPACITY", "64")

_DNN = torch.ops.mkldnn
_NEEDED = (
    "_convolution_pointwise",
    "_convolution_pointwise_",
    "_reorder_convolution_weight",
    "_get_mkldnn_serialized_md",
)
_WRITTEN = ("parse_ir", "_create_function_from_graph", "ScriptList")

SEVERAL = 16
"""Pictures that go through at once where visitors ask."""

Stages = tuple[list[Tensor], Tensor | None]
"""What a backbone's stages see, and the logits of a mask where they are asked for."""


class PackedNet:
    """A ResNet, and a region head on it, for inference only; gives what they give.

    Attributes:
        laid_out: of how many convolutions the weights are.
    """

    def __init__(self, backbone: Any, regions: RegionHead | None, pixels: Sequence[Tensor]) -> None:
        """Which blocks are wanted depends on the maps' sizes. Weights of which the sizes to come
        want different ones stay as they are, since bringing one into another costs more than it
        saves.

        Args:
            backbone: timm's, of ResNet's make, on the CPU; its batch norms folded in.
            regions: likewise, if there is one.
            pixels: of each size to come, (1, 3, h, w) in the dtype of the weights.
        """
        convolutions = _laid_out(backbone, regions, pixels)
        self.laid_out = sum(weight.is_mkldnn for weight in convolutions.values())
        graph = _Graph(convolutions)
        stages = _stages(graph, backbone)
        self._see = graph.function(stages)
        self._see_all = None
        if regions is not None:
            self._see_all = graph.function([*stages, _mask(graph, regions, stages)])

    def __call__(self, pixels: Tensor, *, regions: bool) -> Stages:
        """See pixels, (b, 3, h, w) in the dtype of the weights."""
        count = len(pixels)
        if more := _made_up(count) - count:
            pixels = F.pad(pixels, (0,) * 7 + (more,))
        if not regions or self._see_all is None:
            return [maps[:count] for maps in self._see(pixels)], None
        *stages, mask = (maps[:count] for maps in self._see_all(pixels))
        return stages, mask


def can_pack(dtype: torch.dtype) -> bool:
    """Whether this PyTorch, on this processor, has what is needed: it is not of its public face."""
    names = {schema.name for schema in torch._C._jit_get_all_schemas()}
    return (
        torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and names >= {f"mkldnn::{name}" for name in _NEEDED}
        and (dtype != torch.bfloat16 or bool(_DNN._is_mkldnn_bf16_supported()))
        and all(hasattr(torch._C, name) for name in _WRITTEN)
    )


def _made_up(count: int) -> int:
    """How many pictures go through in place of so many, the last of them blank: of large numbers
    few, since what is made ready for each takes room."""
    return count if count <= SEVERAL else -(-count // 8) * 8


def _laid_out(
    backbone: Any, regions: RegionHead | None, pixels: Sequence[Tensor]
) -> dict[nn.Conv2d, Tensor]:
    """The weights of each convolution, laid out where all sizes want the same."""
    parts = [*backbone.modules(), *(regions.modules() if regions is not None else ())]
    sizes: dict[nn.Conv2d, list[list[int]]] = {p: [] for p in parts if isinstance(p, nn.Conv2d)}

    def note(conv: Any, maps: tuple[Tensor, ...]) -> None:
        sizes[conv].append(list(maps[0].shape))

    hooks = [conv.register_forward_pre_hook(note) for conv in sizes]
    with torch.inference_mode():
        for picture in pixels:
            stages = feature_maps(backbone, picture)
            if regions is not None:
                regions(stages)
    for hook in hooks:
        hook.remove()
    weights = {}
    for conv, seen in sizes.items():
        plain = conv.weight.detach()
        blocks = [_DNN._reorder_convolution_weight(plain, *_geometry(conv), s) for s in seen]
        alike = len({bytes(_DNN._get_mkldnn_serialized_md(b).numpy()) for b in blocks}) == 1
        weights[conv] = blocks[0] if alike else plain
    return weights


def _geometry(conv: nn.Conv2d) -> tuple[list[int], list[int], list[int], int]:
    """Padding, stride, dilation and groups, as oneDNN takes them."""
    # PyTorch's `same` and `valid` are words of its own: no ResNet has them.
    return list(map(int, conv.padding)), list(conv.stride), list(conv.dilation), conv.groups


class _Value(NamedTuple):
    """What a step gives, by its name in a graph."""

    name: str


class _Graph:
    """Steps that are done to `pixels`, one after the other, in TorchScript's own writing."""

    def __init__(self, convolutions: dict[nn.Conv2d, Tensor]) -> None:
        self.pixels = _Value("%pixels")
        self._convolutions = convolutions
        self._steps: list[str] = []
        self._weights: list[Tensor] = []

    def do(self, operator: str, *inputs: object, gives: str = "Tensor") -> _Value:
        """Do one of PyTorch's operators to what steps gave, to weights and to constants."""
        names = ", ".join(self._named(each) for each in inputs)
        return self._step(f"{operator}({names})", gives)

    def convolve(
        self,
        conv: nn.Conv2d,
        maps: _Value,
        then: Literal["none", "relu"] = "none",
        *,
        onto: _Value | None = None,
    ) -> _Value:
        """What a convolution gives, added to `onto` in its place if that is given, and goes on."""
        how = (self._convolutions[conv], conv.bias, *_geometry(conv))
        nothing = self.do("prim::ListConstruct", gives="Scalar?[]"), ""
        if onto is None:
            return self.do("mkldnn::_convolution_pointwise", maps, *how, then, *nothing)
        added = "add", 1, then, *nothing
        return self.do("mkldnn::_convolution_pointwise_", onto, maps, *how, *added)

    def function(self, values: Sequence[_Value]) -> Callable[[Tensor], list[Tensor]]:
        """The steps so far as a function of pixels that gives some of what they give."""
        weights = ", ".join(f"%w{at} : Tensor" for at in range(len(self._weights)))
        lines = (
            "graph(%pixels : Tensor, %weights : Tensor[]):",
            f"  {weights} = prim::ListUnpack(%weights)",
            *self._steps,
            f"  %all : Tensor[] = prim::ListConstruct({', '.join(each.name for each in values)})",
            "  return (%all)",
        )
        graph = torch._C.parse_ir("\n".join(lines) + "\n")
        see = torch._C._create_function_from_graph("see", graph)
        # TorchScript's list holds them: then to hand one on asks nobody.
        held = torch._C.ScriptList(self._weights)
        return lambda pixels: see(pixels, held)

    def _step(self, done: str, gives: str) -> _Value:
        value = _Value(f"%v{len(self._steps)}")
        self._steps.append(f"  {value.name} : {gives} = {done}")
        return value

    def _named(self, value: object) -> str:
        if isinstance(value, _Value):
            return value.name
        if isinstance(value, Tensor):
            self._weights.append(value.detach())
            return f"%w{len(self._weights) - 1}"
        if value is None:
            return self._step("prim::Constant()", "NoneType").name
        written = f'"{value}"' if isinstance(value, str) else str(value)
        kind = "int[]" if isinstance(value, list) else type(value).__name__
        if isinstance(value, bool):
            written = str(int(value))
        return self._step(f"prim::Constant[value={written}]()", kind).name


def _stages(graph: _Graph, backbone: Any) -> list[_Value]:
    """As `backbone.feature_maps`. A block writes over what it is shown, unless it brings that to
    another size: a stage's first block does, so what a stage gives stays."""
    pool = backbone.maxpool
    maps = graph.convolve(backbone.conv1, graph.pixels, "relu")
    sides = ([side, side] for side in (pool.kernel_size, pool.stride, pool.padding, pool.dilation))
    maps = graph.do("aten::max_pool2d", maps, *sides, bool(pool.ceil_mode))
    given = []
    for stage in (backbone.layer1, backbone.layer2, backbone.layer3, backbone.layer4):
        for block in stage:
            shortcut = maps
            if block.downsample is not None:
                shortcut = graph.convolve(block.downsample[0], maps)
            narrow = graph.convolve(block.conv1, maps, "relu")
            spatial = graph.convolve(block.conv2, narrow, "relu")
            maps = graph.convolve(block.conv3, spatial, "relu", onto=shortcut)
        given.append(maps)
    return given


def _mask(graph: _Graph, head: Any, stages: Sequence[_Value]) -> _Value:
    """As `RegionHead.forward`."""
    sides = graph.do("aten::size", stages[0], gives="int[]")
    size = graph.do("aten::slice", sides, 2, 4, 1, gives="int[]")
    added, *others = (
        graph.convolve(lateral[0], maps)
        for lateral, maps in zip(head.laterals, stages, strict=True)
    )
    for narrow in others:
        wide = graph.do("aten::upsample_bilinear2d", narrow, size, False, None)
        added = graph.do("aten::add", added, wide, 1)
    smooth = graph.convolve(head.smooth[0], graph.do("aten::relu", added), "relu")
    logits = graph.convolve(head.mask, smooth)
    return graph.do("aten::select", logits, 1, 0)
