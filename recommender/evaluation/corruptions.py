"""What visitors' pictures are like: each change mild and severe, the same one for a seed.

Nothing here is shared with what training sees, so that a network is not measured on its own
exercises. Lengths are shares of the picture's sides; a picture keeps its size, except where it is
taken from afar.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Literal

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.photographs import Photographs
from recommender.pictures.colour import packshot_mask
from recommender.pictures.decode import decode_image

Severity = Literal["mild", "severe"]
Severities: tuple[Severity, ...] = ("mild", "severe")
Change = Callable[[Image.Image, float, np.random.Generator], Image.Image]

_MOST = 0.9
"""How large a garment is at most where its size is drawn, a share of the picture's."""
_CORNER = (0.16, 0.36)
"""How much of each side of a photograph a corner takes; its own garment mostly begins beyond."""
_ENLARGED = 2.0
"""How many times a corner is enlarged at most, so that it stays as sharp as the garment."""


@dataclass(frozen=True)
class Corruption:
    """A change and how strong it is, `mild` and `severe`; `unit` says what the numbers mean."""

    change: Change
    mild: float
    severe: float
    unit: str


def corrupt(
    picture: Image.Image,
    kind: str,
    severity: Severity,
    seed: int,
    among: Mapping[str, Corruption] | None = None,
) -> Image.Image:
    """Change an RGB picture.

    Args:
        picture: RGB of any size.
        kind: a key of `among`.
        severity: `mild` or `severe`.
        seed: not below 0; what is drawn at random depends on it and the kind's place alone.
        among: kind -> what it does; `CORRUPTIONS` where None.

    Returns:
        RGB of the same size, or larger where it is taken from afar.
    """
    among = CORRUPTIONS if among is None else among
    corruption = among[kind]
    random = np.random.default_rng([seed, list(among).index(kind)])
    return corruption.change(picture, getattr(corruption, severity), random)


def corruptions(photographs: Photographs) -> dict[str, Corruption]:
    """`CORRUPTIONS`, and garments laid on what is in the corners of real photographs.

    Photographers are drawn evenly, or the bed of the busiest one would be most of what is seen.

    Args:
        photographs: none by a photographer that training has seen.
    """
    groups = photographs.frame.groupby("photographer").indices.values()
    files = [[photographs.files[i] for i in group] for group in groups]
    changes = (_photograph, _photograph_any_size, _photograph_from_afar)
    of_a_size, of_any, from_afar = (partial(change, files) for change in changes)
    unit = "of the size, on a photograph's ground"
    return CORRUPTIONS | {
        "photograph": Corruption(of_a_size, 0.9, 0.65, unit),
        "photograph, any size": Corruption(of_any, 0.6, 0.35, f"to {_MOST:g} {unit}"),
        "photograph, from afar": Corruption(from_afar, 0.6, 0.35, f"to {_MOST:g} of the sides"),
    }


def _background(picture: Image.Image, scale: float, random: np.random.Generator) -> Image.Image:
    """The garment, somewhere before a cluttered room."""
    return _laid(picture, _room(picture.size, random), scale, random)


def _photograph(
    files: Sequence[Sequence[bytes]],
    picture: Image.Image,
    scale: float,
    random: np.random.Generator,
) -> Image.Image:
    """The garment, somewhere on a ground of one of the files, which are by photographer."""
    return _laid(picture, _ground_of(files, picture.size, random), scale, random)


def _photograph_any_size(
    files: Sequence[Sequence[bytes]],
    picture: Image.Image,
    least: float,
    random: np.random.Generator,
) -> Image.Image:
    """The same, with a garment anything from small to `_MOST`."""
    return _photograph(files, picture, random.uniform(least, _MOST), random)


def _photograph_from_afar(
    files: Sequence[Sequence[bytes]],
    picture: Image.Image,
    least: float,
    random: np.random.Generator,
) -> Image.Image:
    """The same in a larger picture: as in a camera's, of the garment's pixels none is lost."""
    scale = random.uniform(least, _MOST)
    width, height = (max(1, round(side / scale)) for side in picture.size)
    return _laid(picture, _ground_of(files, (width, height), random), 1.0, random)


def _ground_of(
    files: Sequence[Sequence[bytes]], size: tuple[int, int], random: np.random.Generator
) -> Image.Image:
    """A ground of one of the files, which are by photographer."""
    own = files[int(random.integers(len(files)))]
    photograph = decode_image(own[int(random.integers(len(own)))], limits=PICTURE_LIMITS)
    return ground(photograph, size, random)


def _laid(
    picture: Image.Image, ground: Image.Image, scale: float, random: np.random.Generator
) -> Image.Image:
    """The garment, cut out of its white and made smaller, somewhere on a ground that holds it."""
    width, height = picture.size
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top = (int(random.integers(a - b + 1)) for a, b in zip(ground.size, size, strict=True))
    garment = Image.fromarray((255 * packshot_mask(picture)).astype(np.uint8))
    mask = garment.resize(size, Image.Resampling.BILINEAR)
    ground.paste(picture.resize(size, Image.Resampling.BICUBIC), (left, top), mask)
    return ground


def ground(
    photograph: Image.Image, size: tuple[int, int], random: np.random.Generator
) -> Image.Image:
    """A corner of a photograph, scaled to cover a size; what it is too small for is its mirror."""
    sides = [max(1, round(side * random.uniform(*_CORNER))) for side in photograph.size]
    left, top = (
        int(random.integers(2)) * (a - b) for a, b in zip(photograph.size, sides, strict=True)
    )
    corner = photograph.crop((left, top, left + sides[0], top + sides[1]))
    factor = min(_ENLARGED, max(a / b for a, b in zip(size, sides, strict=True)))
    scaled = [max(1, round(side * factor)) for side in sides]
    pixels = np.asarray(corner.resize(scaled, Image.Resampling.BICUBIC))
    right, below = (max(0, a - b) for a, b in zip(size, scaled, strict=True))
    mirrored = np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="symmetric")
    return Image.fromarray(mirrored[: size[1], : size[0]])


def _room(size: tuple[int, int], random: np.random.Generator) -> Image.Image:
    """A wall in one tone that darkens to one side, and eight boxes of other colours before it."""
    width, height = size
    tone = random.uniform(90, 220, 3) + random.normal(0, 8, (1, 1, 3))
    shade = np.linspace(1, random.uniform(0.5, 0.9), width)[None, :, None]
    pixels = np.broadcast_to(tone * shade, (height, width, 3)).copy()
    for _ in range(8):
        left, top = random.integers(width), random.integers(height)
        across, down = (max(1, round(side * random.uniform(0.1, 0.4))) for side in size)
        pixels[top : top + down, left : left + across] = random.uniform(20, 240, 3)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _crop(picture: Image.Image, kept: float, random: np.random.Generator) -> Image.Image:
    """A part of each side, from anywhere, enlarged to the whole."""
    size = [max(1, round(side * kept)) for side in picture.size]
    left, top = (int(random.integers(a - b + 1)) for a, b in zip(picture.size, size, strict=True))
    part = picture.crop((left, top, left + size[0], top + size[1]))
    return part.resize(picture.size, Image.Resampling.BICUBIC)


def _rotation(picture: Image.Image, degrees: float, random: np.random.Generator) -> Image.Image:
    """Turned to either side; the corners get the colour that the edge has in the middle."""
    pixels = np.asarray(picture)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = np.median(edge, axis=0).astype(int).tolist()
    angle = degrees if random.random() < 0.5 else -degrees
    return picture.rotate(angle, Image.Resampling.BICUBIC, fillcolor=(red, green, blue))


def _blur(picture: Image.Image, share: float, random: np.random.Generator) -> Image.Image:
    """Gaussian, its standard deviation a share of the longer side."""
    return picture.filter(ImageFilter.GaussianBlur(share * max(picture.size)))


def _jpeg(picture: Image.Image, quality: float, random: np.random.Generator) -> Image.Image:
    """Saved as JPEG and read again."""
    file = BytesIO()
    picture.save(file, "JPEG", quality=round(quality))
    with Image.open(file) as saved:
        return saved.convert("RGB")


def _low_light(picture: Image.Image, light: float, random: np.random.Generator) -> Image.Image:
    """That share of the light, a little of its blue gone, and the noise of a sensor (sd 6)."""
    pixels = np.asarray(picture).astype(np.float64) * light * np.array([1.0, 0.95, 0.85])
    pixels += random.normal(0, 6, pixels.shape)
    return Image.fromarray(np.clip(pixels.round(), 0, 255).astype(np.uint8))


def _mirror(picture: Image.Image, axes: float, random: np.random.Generator) -> Image.Image:
    """Left and right exchanged; with two axes also top and bottom."""
    mirrored = ImageOps.mirror(picture)
    return ImageOps.flip(mirrored) if axes == 2 else mirrored


CORRUPTIONS: dict[str, Corruption] = {
    "background": Corruption(_background, 0.9, 0.65, "of the size, cut out before clutter"),
    "crop": Corruption(_crop, 0.85, 0.6, "of each side kept"),
    "rotation": Corruption(_rotation, 10, 30, "degrees"),
    "blur": Corruption(_blur, 0.01, 0.03, "of the longer side"),
    "jpeg": Corruption(_jpeg, 30, 10, "quality"),
    "low light": Corruption(_low_light, 0.6, 0.3, "of the light"),
    "mirror": Corruption(_mirror, 1, 2, "axes"),
}
"""Kind -> what it does and how strongly."""
