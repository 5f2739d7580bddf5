"""What visitors' pictures are like: each change mild and severe, the same one for a seed.

Nothing here is shared with what training sees, so that a network is not measured on its own
exercises. Lengths are shares of the picture's sides; a picture keeps its size.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

Severity = Literal["mild", "severe"]
Severities: tuple[Severity, ...] = ("mild", "severe")
Change = Callable[[Image.Image, float, np.random.Generator], Image.Image]

_WHITE = 235
"""The least value of a channel that is still the white of a packshot's background."""


@dataclass(frozen=True)
class Corruption:
    """A change and how strong it is, `mild` and `severe`; `unit` says what the numbers mean."""

    change: Change
    mild: float
    severe: float
    unit: str


def corrupt(picture: Image.Image, kind: str, severity: Severity, seed: int) -> Image.Image:
    """Change an RGB picture.

    Args:
        picture: RGB of any size.
        kind: a key of `CORRUPTIONS`.
        severity: `mild` or `severe`.
        seed: not below 0; what is drawn at random depends on it and the kind alone.

    Returns:
        RGB of the same size.
    """
    corruption = CORRUPTIONS[kind]
    random = np.random.default_rng([seed, list(CORRUPTIONS).index(kind)])
    return corruption.change(picture, getattr(corruption, severity), random)


def _background(picture: Image.Image, scale: float, random: np.random.Generator) -> Image.Image:
    """The garment, cut out of its white and made smaller, somewhere before a cluttered room."""
    width, height = picture.size
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    room = _room(picture.size, random)
    left, top = (int(random.integers(a - b + 1)) for a, b in zip(picture.size, size, strict=True))
    mask = Image.fromarray(_garment(np.asarray(picture))).resize(size, Image.Resampling.BILINEAR)
    room.paste(picture.resize(size, Image.Resampling.BICUBIC), (left, top), mask)
    return room


def _garment(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """255 where the garment is: all but the white that reaches the edge straight, (h, w)."""
    white = pixels.min(axis=2) >= _WHITE
    outside = np.zeros_like(white)
    for axis in (0, 1):
        outside |= np.logical_and.accumulate(white, axis=axis)
        outside |= np.flip(np.logical_and.accumulate(np.flip(white, axis), axis=axis), axis)
    return np.where(outside, 0, 255).astype(np.uint8)


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
