"""Pictures as visitors take them: photographs seen again, packshots laid on what others lie on.

Whole batches; every draw comes from the caller's generator, so that a run can be repeated, and is
made where that is. All geometry is in pixels, so that nothing is stretched more than is asked for.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from recommender.training.augmentation import background, draw_clutter, evenly, rectangles

CANVAS_PX = 256


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """Reaches, and for what happens to some pictures only its probability.

    A photograph is seen from `closest` (its shorter side, in shares of what is seen) to `farthest`
    (less than one view of it); a garment's longer side fills `smallest` to `largest` of the view.
    The light has a colour of `photo_cast`, and less where the garment's colour is asked for.
    """

    photo_closest: float = 1.5
    photo_farthest: float = 0.85
    photo_turn_degrees: float = 20.0
    photo_quarter_turns: float = 0.12
    photo_cast: float = 0.15
    garment_smallest: float = 0.45
    garment_largest: float = 1.1
    garment_turn_degrees: float = 25.0
    garment_any_turn: float = 0.15
    garment_cast: float = 0.05
    elastic: float = 0.05
    shear: float = 0.12
    shadow: float = 0.5
    dark: float = 0.5
    soften: float = 0.2
    cover: float = 0.15


def to_canvas(picture: Image.Image) -> tuple[np.ndarray, tuple[int, int]]:
    """A picture in the upper left corner of a square of `CANVAS_PX`, and its (width, height)."""
    canvas = np.full((CANVAS_PX, CANVAS_PX, 3), 255, np.uint8)
    width, height = fitted_size(picture.size, CANVAS_PX)
    fitted = picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
    canvas[:height, :width] = np.asarray(fitted)
    return canvas, (width, height)


def fitted_size(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Width and height of what is as long as a side, in the shape of a size."""
    scale = side / max(size)
    width, height = (max(1, min(side, round(scale * end))) for end in size)
    return width, height


class _Draw:
    """Draws of one batch, brought to a device."""

    def __init__(self, count: int, random: torch.Generator, device: torch.device) -> None:
        self.count, self.random, self.device = count, random, device

    def share(self, *shape: int) -> Tensor:
        """Evenly from [0, 1): (count, *shape)."""
        return evenly(self.random, self.count, *shape).to(self.device)

    def reach(self, reach: float, *shape: int) -> Tensor:
        """Evenly from [-reach, reach)."""
        return (2 * self.share(*shape) - 1) * reach

    def flag(self, probability: float) -> Tensor:
        return self.share() < probability

    def between(self, low: float, high: float) -> Tensor:
        """Evenly in the logarithm."""
        return (math.log(low) + self.share() * (math.log(high) - math.log(low))).exp()


def _mesh(size: tuple[int, int], device: torch.device) -> Tensor:
    """Pixel centres around the middle of a view: (h, w, 2), x before y."""
    height, width = size
    y = torch.arange(height, device=device) - (height - 1) / 2
    x = torch.arange(width, device=device) - (width - 1) / 2
    return torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1).float()


def _linear(scale: Tensor, angle: Tensor, across: Tensor, down: Tensor, shear: Tensor) -> Tensor:
    """(b, 2, 2) from a view's pixels to a picture's: scaled, turned, flipped, sheared."""
    cos, sin = angle.cos() * scale, angle.sin() * scale
    turn = torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)
    one = torch.ones_like(shear)
    skew = torch.stack([torch.stack([across, shear], -1), torch.stack([0 * one, down], -1)], -2)
    return turn @ skew


def _sample(pictures: Tensor, at: Tensor) -> Tensor:
    """Read float (b, c, h, w) at pixel positions (b, h', w', 2); its edge goes on outside."""
    side = torch.tensor([pictures.shape[3], pictures.shape[2]], device=at.device)
    return F.grid_sample(
        pictures, (2 * at + 1) / side - 1, padding_mode="border", align_corners=False
    )


def _flips(draw: _Draw, probability: float) -> Tensor:
    return torch.where(draw.flag(probability), -1.0, 1.0)


def view_photographs(
    canvases: Tensor,
    sizes: Tensor,
    size: tuple[int, int],
    config: Scenes,
    random: torch.Generator,
) -> Tensor:
    """Another view of each photograph.

    Args:
        canvases: uint8 (b, 3, CANVAS_PX, CANVAS_PX), as `to_canvas` makes them.
        sizes: float (b, 2), width and height of what is theirs.
        size: (height, width) of a view.

    Returns:
        float32 (b, 3, *size) in [0, 1]; white outside the photograph.
    """
    at, inside = _another_view(canvases, sizes, size, config, random)
    return _as_taken(_sample(canvases.float() / 255, at), inside, config, random)


def view_outlined(
    canvases: Tensor,
    sizes: Tensor,
    masks: Tensor,
    size: tuple[int, int],
    config: Scenes,
    random: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """The same, and where in the view the garment is.

    Args:
        masks: bool (b, CANVAS_PX, CANVAS_PX), where it is in the photograph.

    Returns:
        Views as of `view_photographs`, and float32 (b, *size) in [0, 1].
    """
    at, inside = _another_view(canvases, sizes, size, config, random)
    pixels = torch.cat([canvases.float() / 255, masks[:, None].float()], 1)
    views = _sample(pixels, at)
    alphas = (views[:, 3:] * inside)[:, 0]
    return _as_taken(views[:, :3], inside, config, random), alphas


def _another_view(
    canvases: Tensor,
    sizes: Tensor,
    size: tuple[int, int],
    config: Scenes,
    random: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Which pixel each of a view shows, (b, *size, 2), and whether there is one, (b, 1, *size)."""
    draw = _Draw(len(canvases), random, canvases.device)
    view = torch.tensor([size[1], size[0]], device=canvases.device, dtype=torch.float32)
    # At scale 1 all of the photograph is seen, as by `fit_picture`.
    whole = (sizes / view).amax(1)
    scale = whole / draw.between(config.photo_farthest, config.photo_closest)
    quarter = draw.flag(config.photo_quarter_turns).float() * (1 + (3 * draw.share()).floor())
    angle = draw.reach(math.radians(config.photo_turn_degrees)) + quarter * math.pi / 2
    stretch = 1 + draw.reach(0.1)
    matrix = _linear(scale, angle, _flips(draw, 0.5) * stretch, 1 / stretch, draw.reach(0.05))
    # What is cut comes from anywhere, and what is small goes anywhere, the middle more often.
    slack = (sizes - scale[:, None] * view).abs() / 2
    offset = slack * draw.reach(1.0, 2) * draw.share(2).sqrt()
    mesh = _mesh(size, canvases.device)
    at = torch.einsum("bij,hwj->bhwi", matrix, mesh) + ((sizes - 1) / 2 + offset)[:, None, None]
    return at, ((at > -0.5) & (at < sizes[:, None, None] - 0.5)).all(-1)[:, None]


def _as_taken(views: Tensor, inside: Tensor, config: Scenes, random: torch.Generator) -> Tensor:
    """Views of photographs in other light, white where the photograph ends."""
    return finish(torch.where(inside, views, 1.0), config.photo_cast, config, random)


def grounds(
    canvases: Tensor, sizes: Tensor, size: tuple[int, int], count: int, random: torch.Generator
) -> Tensor:
    """Beds, floors and walls: patches from the corners of photographs, mirrored to fill a view.

    Returns:
        float32 (count, 3, *size) in [0, 1].
    """
    draw = _Draw(count, random, canvases.device)
    chosen = torch.randint(len(canvases), (count,), generator=random, device=random.device).to(
        canvases.device
    )
    whole = sizes[chosen]
    patch = whole * (0.16 + 0.2 * draw.share(2))
    corner = torch.where(draw.share(2) < 0.5, torch.zeros_like(whole), whole - patch)
    # A third of the patches come from the middle of an edge.
    slides = (draw.share() < 0.33).float()[:, None]
    along = slides * F.one_hot((draw.share() < 0.5).long(), 2).float()
    corner = corner + along * (draw.share(2) * (whole - patch) - corner)
    scale = draw.between(0.5, 2.0) * (whole.amax(1) / max(size)) * 0.6
    matrix = _linear(
        scale, draw.reach(math.pi), _flips(draw, 0.5), torch.ones_like(scale), draw.reach(0.1)
    )
    at = torch.einsum("bij,hwj->bhwi", matrix, _mesh(size, canvases.device))
    at = at + (patch * draw.share(2))[:, None, None]
    period = 2 * patch[:, None, None]
    at = at.remainder(period)
    at = torch.minimum(at, period - at) + corner[:, None, None]
    # Between pixels of the photograph alone: beside them its canvas is white.
    at = torch.minimum(at, whole[:, None, None] - 1)
    return _sample(canvases[chosen].float() / 255, at)


def paste(
    pictures: Tensor,
    behind: Tensor,
    size: tuple[int, int],
    config: Scenes,
    random: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Cut packshots out by their white ground and lay them on other grounds.

    Args:
        pictures: uint8 (b, 3, h, w), packshots.
        behind: float (b, 3, *size), what they are laid on.

    Returns:
        Views, float32 (b, 3, *size) in [0, 1], and where the garment is, float32 (b, *size).
    """
    draw = _Draw(len(pictures), random, pictures.device)
    pixels = pictures.float() / 255
    covered = (~background(pixels)).float()
    low, high = _boxes(covered)
    extent = (high - low + 1).clamp(min=8)
    view = torch.tensor([size[1], size[0]], device=pictures.device, dtype=torch.float32)
    fills = draw.between(config.garment_smallest, config.garment_largest)
    scale = (extent / view).amax(1) / fills
    any_turn = draw.flag(config.garment_any_turn).float()
    angle = draw.reach(math.radians(config.garment_turn_degrees)) + any_turn * draw.reach(math.pi)
    stretch = 1 + draw.reach(0.1)
    matrix = _linear(
        scale, angle, _flips(draw, 0.5) * stretch, 1 / stretch, draw.reach(config.shear)
    )
    slack = (view - extent / scale[:, None]).abs() / 2 + 0.05 * view
    shift = slack * draw.reach(1.0, 2)
    mesh = _mesh(size, pictures.device)[None] - shift[:, None, None]
    # Cloth lies in folds: a slow displacement.
    waves = (draw.share(2, 4, 3) * 2 - 1) * (config.elastic * draw.share(1, 1, 1) * 2)
    waves = F.interpolate(waves, size, mode="bicubic", align_corners=False).permute(0, 2, 3, 1)
    mesh = mesh + waves * min(size)
    at = torch.einsum("bij,bhwj->bhwi", matrix, mesh) + ((low + high) / 2)[:, None, None]
    # The ground's last pixels are mixed with the garment's edge: half of the cuts are closer.
    closer = -F.max_pool2d(-covered[:, None], 3, 1, 1)[:, 0]
    covered = torch.where(draw.flag(0.6)[:, None, None], 0.5 * (covered + closer), covered)
    inside = torch.tensor([pictures.shape[3], pictures.shape[2]], device=at.device)
    within = ((at > -0.5) & (at < inside - 0.5)).all(-1)
    alpha = _sample(covered[:, None], at)[:, 0] * within
    garment = _sample(pixels, at)
    garment = (garment.clamp(1e-4, 1) ** (0.8 + 0.5 * draw.share(1, 1, 1))) * (
        0.7 + 0.4 * draw.share(1, 1, 1)
    )
    # A shadow: where the garment is, moved a little, blurred.
    far = max(1, round(0.06 * max(size)))
    cast = F.avg_pool2d(alpha[:, None], 2 * far + 1, 1, far, count_include_pad=False)
    move = (draw.reach(1.0, 2) * 0.08)[:, None, None]
    cells = F.affine_grid(
        torch.eye(2, 3, device=at.device).expand(len(pictures), 2, 3),
        [len(pictures), 1, *size],
        align_corners=False,
    )
    cast = F.grid_sample(cast, cells + move, padding_mode="border", align_corners=False)
    depth = (draw.flag(0.7).float() * draw.share() * config.shadow)[:, None, None, None]
    ground = behind * (1 - depth * cast)
    views = alpha[:, None] * garment + (1 - alpha[:, None]) * ground
    return finish(views, config.garment_cast, config, random), alpha


def empty(
    canvases: Tensor,
    sizes: Tensor,
    pictures: Tensor,
    size: tuple[int, int],
    count: int,
    random: torch.Generator,
) -> Tensor:
    """Pictures that show no garment: five in eight grounds, the others drawn clutter, lines of
    letters, noise.

    Args:
        canvases: of photographs, as of `view_photographs`; so `sizes`.
        pictures: uint8 (b, 3, h, w), packshots, of which clutter is made.

    Returns:
        float32 (count, 3, *size) in [0, 1].
    """
    real = count * 5 // 8
    behind = grounds(canvases, sizes, size, real, random)
    rest, (height, width), place = count - real, size, canvases.device
    some = (evenly(random, max(rest, 1)) * len(pictures)).long().to(place)
    clutter = draw_clutter(pictures[some].float() / 255, rest, size, random)
    draw = _Draw(rest, random, place)
    kind = (3 * draw.share(1, 1, 1)).long()
    lines = F.interpolate((draw.share(1, 16, 1) < 0.6).float(), size, mode="nearest")
    letters = (draw.share(1, height // 3, width // 2) < 0.5).float()
    text = 1 - lines * F.interpolate(letters, size, mode="nearest") * draw.share(3, 1, 1)
    noise = draw.share(3, height, width)
    drawn = torch.where(kind == 0, clutter, torch.where(kind == 1, text, noise))
    return torch.cat([behind, drawn])


def finish(views: Tensor, colour: float, config: Scenes, random: torch.Generator) -> Tensor:
    """Light of a colour, dim or hard, a soft lens, a sensor's noise, something in front."""
    draw = _Draw(len(views), random, views.device)
    cast = 1 + draw.reach(colour, 3, 1, 1)
    gain = 1.1 - config.dark * draw.share(1, 1, 1) ** 2
    gamma = 0.75 + 0.55 * draw.share(1, 1, 1)
    lit = views.clamp(1e-4, 1) ** gamma * cast * gain
    # Light that falls from one side.
    slope = F.interpolate(draw.share(1, 2, 2), views.shape[2:], mode="bilinear", align_corners=True)
    lit = lit * (1 - 0.35 * draw.share(1, 1, 1) * slope)
    height, width = views.shape[2:]
    scale = 0.35 + 0.5 * evenly(random).item()
    small = F.interpolate(lit, (round(scale * height), round(scale * width)), mode="area")
    soft = F.interpolate(small, (height, width), mode="bilinear", align_corners=False)
    lit = torch.where(draw.flag(config.soften)[:, None, None, None], soft, lit)
    grain = torch.randn(views.shape, generator=random, device=random.device).to(views.device)
    lit = lit + 0.04 * draw.share(1, 1, 1) ** 2 * grain
    box = rectangles(draw.share(4, 1, 1).transpose(0, 1), (height, width))
    box = box & draw.flag(config.cover)[:, None, None]
    return torch.where(box[:, None], draw.share(3, 1, 1), lit).clamp(0, 1)


def _boxes(covered: Tensor) -> tuple[Tensor, Tensor]:
    """First and last (x, y) that is covered: float (b, 2) each; all of it where nothing is."""
    covered = torch.where(covered.amax((1, 2), keepdim=True) > 0, covered, 1.0)
    ends = []
    for line in (covered.amax(1), covered.amax(2)):  # over y: columns, over x: rows
        length = line.shape[1]
        first = line.argmax(1)
        last = length - 1 - line.flip(1).argmax(1)
        ends.append((first, last))
    low = torch.stack([first for first, _ in ends], 1).float()
    high = torch.stack([last for _, last in ends], 1).float()
    return low, high
