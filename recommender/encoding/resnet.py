"""A ResNet50 in plain PyTorch, with timm's names: what is served and trained.

timm's own is the same network, but whoever imports timm imports torchvision and, with it, the
compiler of PyTorch: 1.5 s and 160 MB before the first picture. timm is asked for what it alone has.

Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, with the stride in the
3×3 convolution ("v1.5"), as timm and torchvision have it.
"""

from torch import Tensor, nn

_STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))  # width, blocks
_EXPANSION = 4


class Bottleneck(nn.Module):
    """Three convolutions and the way around them."""

    def __init__(self, channels: int, width: int, stride: int, around: nn.Module | None) -> None:
        super().__init__()
        out = _EXPANSION * width
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.act = nn.ReLU(inplace=True)
        self.downsample = around

    def forward(self, maps: Tensor) -> Tensor:
        """(b, channels, h, w) -> (b, 4 width, h/stride, w/stride)."""
        seen = self.act(self.bn1(self.conv1(maps)))
        seen = self.act(self.bn2(self.conv2(seen)))
        seen = self.bn3(self.conv3(seen))
        seen += maps if self.downsample is None else self.downsample(maps)
        whole: Tensor = self.act(seen)
        return whole


class ResNet50(nn.Module):
    """Four stages of bottlenecks, to be loaded; `at_random` is to be trained."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.act1 = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = 64
        for i, (width, blocks) in enumerate(_STAGES):
            stage = nn.Sequential(_first(channels, width, stride=1 if i == 0 else 2))
            channels = _EXPANSION * width
            for _ in range(blocks - 1):
                stage.append(Bottleneck(channels, width, 1, None))
            self.add_module(f"layer{i + 1}", stage)

    @classmethod
    def at_random(cls) -> "ResNet50":
        """Random weights to be trained: a seed gives those that it gives timm's."""
        net = cls()
        for part in net.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        for part in net.modules():
            if isinstance(part, Bottleneck):
                nn.init.zeros_(part.bn3.weight)  # at first a block changes nothing
        return net

    def maps(self, pixels: Tensor) -> list[Tensor]:
        """What the four stages see.

        Args:
            pixels: float (b, 3, h, w).

        Returns:
            Maps of strides 4, 8, 16 and 32: (b, 256, h/4, w/4) to (b, 2048, h/32, w/32).
        """
        seen = self.maxpool(self.act1(self.bn1(self.conv1(pixels))))
        maps = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            seen = stage(seen)
            maps.append(seen)
        return maps

    def forward(self, pixels: Tensor) -> Tensor:
        """(b, 3, h, w) -> (b, 2048), averaged maps."""
        return self.maps(pixels)[-1].mean((2, 3))


def _first(channels: int, width: int, stride: int) -> Bottleneck:
    """A stage's first bottleneck, around which maps change their shape."""
    out = _EXPANSION * width
    around = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
    return Bottleneck(channels, width, stride, around)
