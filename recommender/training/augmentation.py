"""Packshots as a visitor's camera would have taken them: what training sees. Whole batches.

Every draw comes from the caller's generator, so that a run can be repeated, and is made where that
is: on the pictures' device it waits for no transfer. Colour is hardly touched, since it is one of
the labels.
"""

import io
import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

_WHITE = 0.92
_WILDEST = 2.5


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Reaches, and for what happens to some pictures only its probability.

    `zoom` is a share of the size, `shift` of the picture's half beyond what the zoom leaves, so
    that a part comes from anywhere and a smaller garment goes anywhere; `stretch` is one of the
    aspect. Views of a `wild` share zoom and turn up to `_WILDEST` times as far. `card` is the share
    of the cluttered that keep their white, like a photograph on a table.
    """

    mirror: float = 0.5
    upside_down: float = 0.06
    wild: float = 0.4
    zoom: float = 0.25
    stretch: float = 0.1
    shift: float = 0.08
    turn_degrees: float = 12.0
    clutter: float = 0.45
    card: float = 0.2
    light: float = 0.3
    blur: float = 0.15
    jpeg: float = 0.15
    erase: float = 0.2


def augment(
    pictures: Tensor, size: tuple[int, int], config: Augmentation, random: torch.Generator
) -> Tensor:
    """Another view of each picture, at `size`.

    Args:
        pictures: uint8 of shape (b, 3, h, w).
        size: (height, width) in pixels.
        config: how much of what.
        random: a generator, on the pictures' device or the CPU.

    Returns:
        float32 of shape (b, 3, *size), in [0, 1].
    """
    pixels = pictures.float() / 255
    grid = _views(pixels.shape, size, config, random).to(pixels.device)
    views = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    if len(some := _some(len(views), config.clutter, random)):
        card = evenly(random, len(some), 1, 1).to(pixels.device) < config.card
        covered = (~background(pixels[some]) | card).float()
        covered = F.grid_sample(covered[:, None], grid[some], align_corners=False)
        clutter = draw_clutter(pixels, len(some), size, random)
        views[some] = covered * views[some] + (1 - covered) * clutter
    changes = {_erase: config.erase, _relight: config.light}
    changes |= {_blur: config.blur, _compress: config.jpeg}
    for change, probability in changes.items():
        if len(some := _some(len(views), probability, random)):
            views[some] = change(views[some], random)
    return views


def background(pixels: Tensor) -> Tensor:
    """Where a packshot's ground is: near white, and nothing but white from there to an edge.

    Args:
        pixels: float of shape (b, 3, h, w), in [0, 1].

    Returns:
        bool of shape (b, h, w). Hollows that no straight line from an edge reaches are missed.
    """
    white = (pixels.amin(1) > _WHITE).to(torch.uint8)
    seen = torch.zeros_like(white)
    for axis in (1, 2):
        seen |= white.cumprod(axis, dtype=torch.uint8)
        seen |= white.flip(axis).cumprod(axis, dtype=torch.uint8).flip(axis)
    return seen.bool()


def draw_clutter(
    pixels: Tensor, count: int, size: tuple[int, int], random: torch.Generator
) -> Tensor:
    """Grounds to lay behind garments: soft blotches of colour, close-ups of others, or both.

    A third each; where both, they meet in a straight edge, as a floor and a wall do.

    Returns:
        float of shape (count, 3, *size), in [0, 1].
    """
    coarse = evenly(random, count, 3, 5, 4).to(pixels.device)
    # Rooms are duller than random colours: mixed with their own grey.
    grey = evenly(random, count, 3, 1, 1).to(pixels.device)
    blotches = 0.5 * coarse + 0.5 * grey
    blotches = F.interpolate(blotches, size, mode="bilinear", align_corners=False)
    others = pixels[torch.randint(len(pixels), (count,), generator=random, device=random.device)]
    height, width = (side // 3 for side in others.shape[2:])
    close = others[:, :, height : 2 * height, width : 2 * width]
    close = F.interpolate(close, size, mode="bilinear", align_corners=False)
    part = (3 * evenly(random, count, 1, 1, 1) - 1).to(pixels.device)
    ramp = torch.linspace(0, 1, size[0], device=pixels.device).view(1, 1, -1, 1)
    return torch.where(ramp < part, blotches, close)


def evenly(random: torch.Generator, *shape: int) -> Tensor:
    """float32 of a shape, evenly from [0, 1), on the generator's device."""
    return torch.rand(shape, generator=random, device=random.device)


def _some(count: int, probability: float, random: torch.Generator) -> Tensor:
    return torch.nonzero(evenly(random, count) < probability).flatten()


def _views(
    shape: torch.Size, size: tuple[int, int], config: Augmentation, random: torch.Generator
) -> Tensor:
    """Mirrored, zoomed, stretched, shifted and turned in one resampling: (b, *size, 2)."""
    count, _, height, width = shape

    def uniform(reach: float) -> Tensor:
        return (evenly(random, count) * 2 - 1) * reach

    def flipped(probability: float) -> Tensor:
        return torch.where(evenly(random, count) < probability, -1.0, 1.0)

    wild = evenly(random, count) < config.wild
    reach = torch.where(wild, 1 + (_WILDEST - 1) * evenly(random, count), 1.0)
    # By a factor either way, so that as many are cut as are made small, however far it reaches.
    zoom = (reach * uniform(math.log1p(config.zoom))).exp()
    across = flipped(config.mirror) * (1 + uniform(config.stretch))
    down = flipped(config.upside_down)
    angle = reach * uniform(math.radians(config.turn_degrees))
    cos, sin, aspect = angle.cos() * zoom, angle.sin() * zoom, height / width
    x, y = (((zoom - 1).abs() + zoom * config.shift) * uniform(1) for _ in range(2))
    # Output to input, in coordinates from -1 to 1 a side, hence the aspect in the off-diagonals.
    numbers = [cos * across, -sin * aspect * down, x, sin / aspect * across, cos * down, y]
    matrices = torch.stack(numbers, 1).view(count, 2, 3)
    return F.affine_grid(matrices, [count, 3, *size], align_corners=False)


def _erase(pixels: Tensor, random: torch.Generator) -> Tensor:
    """A rectangle of one colour a picture."""
    count, _, height, width = pixels.shape
    ends = evenly(random, 4, count, 1, 1).to(pixels.device)
    inside = rectangles(ends, (height, width))
    colour = evenly(random, count, 3, 1, 1).to(pixels.device)
    return torch.where(inside[:, None], colour, pixels)


def rectangles(draws: Tensor, size: tuple[int, int]) -> Tensor:
    """Rectangles a tenth to four tenths of each side long, anywhere: bool (b, *size).

    Args:
        draws: float (4, b, 1, 1) in [0, 1): top, left, and how tall and wide.
        size: (height, width) in pixels.
    """
    top, left, tall, wide = draws
    y = torch.linspace(0, 1, size[0], device=draws.device).view(1, -1, 1)
    x = torch.linspace(0, 1, size[1], device=draws.device).view(1, 1, -1)
    rows: Tensor = (y > top) & (y < top + 0.1 + 0.3 * tall)
    columns: Tensor = (x > left) & (x < left + 0.1 + 0.3 * wide)
    return rows & columns


def _relight(pixels: Tensor, random: torch.Generator) -> Tensor:
    """Mostly darker, another gamma, a slight cast, and the noise of a small sensor."""
    count = len(pixels)
    gain, gamma, noise = evenly(random, 3, count, 1, 1, 1).to(pixels.device)
    cast = 1 + 0.06 * (evenly(random, count, 3, 1, 1) * 2 - 1).to(pixels.device)
    lit = pixels.clamp(1e-4, 1).pow(0.7 + 0.7 * gamma) * cast * (1.1 - 0.8 * gain)
    grain = torch.randn(pixels.shape, generator=random, device=random.device).to(pixels.device)
    noisy: Tensor = lit + 0.04 * noise * grain
    return noisy.clamp(0, 1)


def _blur(pixels: Tensor, random: torch.Generator) -> Tensor:
    """A Gaussian of 0.4 to 3 pixels, the same for all of them."""
    sigma = 0.4 + 2.6 * evenly(random).item()
    radius = math.ceil(2 * sigma)
    offsets = torch.arange(-radius, radius + 1, device=pixels.device)
    kernel = torch.exp(-(offsets**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(3, 1, 1, -1)
    padded = F.pad(pixels, (radius,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel, groups=3), kernel.transpose(2, 3), groups=3)


def _compress(pixels: Tensor, random: torch.Generator) -> Tensor:
    """To JPEG of quality 15 to 70 and back."""
    qualities = torch.randint(
        15, 71, (len(pixels),), generator=random, device=random.device
    ).tolist()
    pictures = (pixels * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu()
    decoded = []
    for picture, quality in zip(pictures.numpy(), qualities, strict=True):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        decoded.append(np.asarray(Image.open(file)))
    again = torch.from_numpy(np.stack(decoded)).permute(0, 3, 1, 2)
    return again.to(pixels.device, torch.float32) / 255
