"""What things are made of: colours, materials and prints."""

import colorsys
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import skia
from PIL import Image

from recommender.demo.drawing.motifs import leaf_spray, motif
from recommender.demo.drawing.shapes import Field

RGB = tuple[int, int, int]

COLOURS: dict[str, RGB] = {
    "Black": (38, 38, 41),
    "White": (240, 240, 238),
    "Navy Blue": (34, 44, 84),
    "Blue": (46, 98, 178),
    "Grey": (142, 145, 150),
    "Red": (196, 34, 44),
    "Green": (44, 132, 76),
    "Pink": (232, 120, 158),
    "Purple": (112, 64, 140),
    "Yellow": (246, 204, 60),
    "Orange": (236, 116, 42),
    "Brown": (110, 70, 46),
    "Beige": (214, 192, 158),
    "Maroon": (112, 26, 44),
    "Olive": (104, 106, 62),
    "Cream": (242, 230, 204),
    "Silver": (198, 200, 204),
    "Gold": (212, 172, 88),
    "Teal": (22, 118, 122),
    "Turquoise Blue": (56, 182, 190),
    "Lavender": (184, 166, 216),
    "Peach": (248, 182, 148),
    "Mustard": (212, 158, 40),
    "Charcoal": (72, 75, 80),
    "Tan": (184, 134, 84),
    "Rust": (172, 82, 44),
    "Magenta": (196, 36, 122),
    "Khaki": (172, 156, 112),
}
WHITE, BLACK, STEEL, BRASS = (246, 246, 244), (34, 34, 36), (200, 202, 206), (214, 178, 98)


@dataclass(frozen=True, kw_only=True)
class Material:
    """How a material takes the light: each figure is a plain multiple of the stage's own."""

    fold: float = 0.0  # restlessness of the drape
    contrast: float = 0.75  # of the shading
    grain: float = 0.0  # of the weave in colour
    relief: float = 0.0  # of the weave in height
    gloss: float = 0.0
    sharpness: float = 20.0  # of the gloss
    metal: bool = False


MATERIALS: dict[str, Material] = {
    "jersey": Material(fold=0.9, grain=0.022),
    "cotton": Material(fold=1.0, grain=0.02),
    "fleece": Material(fold=1.0, grain=0.045, contrast=0.7),
    "wool": Material(fold=0.75, grain=0.06, contrast=0.7),
    "knit": Material(fold=0.6, grain=0.045, relief=0.45),
    "cable": Material(fold=0.5, grain=0.03, relief=2.1),
    "rib": Material(fold=0.2, grain=0.05, relief=0.9),
    "denim": Material(fold=1.1, grain=0.09),
    "canvas": Material(fold=0.35, grain=0.06),
    "satin": Material(fold=1.5, contrast=1.0, gloss=0.16, sharpness=9),
    "nylon": Material(fold=1.2, contrast=0.95, gloss=0.11, sharpness=12),
    "quilt": Material(fold=0.3, contrast=0.95, gloss=0.1, sharpness=14),
    "leather": Material(
        fold=0.14, contrast=0.95, grain=0.02, relief=0.05, gloss=0.22, sharpness=16
    ),
    "patent": Material(fold=0.15, contrast=1.0, gloss=0.55, sharpness=36),
    "suede": Material(fold=0.12, contrast=0.7, grain=0.05),
    "mesh": Material(fold=0.15, grain=0.13, relief=0.35),
    "rubber": Material(contrast=0.8, grain=0.02),
    "plastic": Material(contrast=0.85, gloss=0.35, sharpness=28),
    "metal": Material(metal=True, gloss=0.12, sharpness=30),
    "steel": Material(contrast=1.0, gloss=0.3, sharpness=14),  # brushed
    "stone": Material(contrast=1.1, gloss=0.6, sharpness=24),
}


def darker(colour: RGB, share: float) -> RGB:
    """The colour at a share of its light; a share over 1 goes towards white."""
    red, green, blue = (
        round(c * share if share <= 1 else c + (255 - c) * (share - 1)) for c in colour
    )
    return red, green, blue


def shade_of(colour: RGB, rng: random.Random) -> RGB:
    """The same colour from another dyer."""
    hue, light, depth = colorsys.rgb_to_hls(*(c / 255 for c in colour))
    hue = (hue + rng.uniform(-0.012, 0.012)) % 1
    light = min(0.95, max(0.12, light * rng.uniform(0.9, 1.1)))
    depth = min(1.0, depth * rng.uniform(0.85, 1.1))
    red, green, blue = (round(255 * c) for c in colorsys.hls_to_rgb(hue, light, depth))
    return red, green, blue


def luminance(colour: RGB) -> float:
    """Perceived light, 0..1."""
    return (0.30 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]) / 255


@cache
def _weave(material: str) -> Field:
    """A tile of the material's texture, float32 of shape (720, 560), about -1..1."""
    rng = np.random.default_rng(7)
    shape = (720, 560)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    speck = rng.standard_normal(shape).astype(np.float32)
    coarse = rng.standard_normal((shape[0] // 5, shape[1] // 5)).astype(np.float32)
    soft = np.asarray(Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.BICUBIC))
    tile: Field
    if material == "denim":
        slub = rng.standard_normal((1, shape[1])).astype(np.float32)
        tile = 0.55 * np.sin((x + y * 0.8) * 1.5) + 0.35 * speck + 0.25 * slub
    elif material == "knit":
        tile = np.sin(x * 1.05 + 0.9 * np.sin(y * 1.4)) * 0.8 + 0.25 * speck
    elif material == "rib":
        tile = np.sin(x * 0.95)
    elif material == "cable":
        column = np.mod(x, 56) - 28
        twist = np.sin(y * 0.16) * 8
        rope = np.exp(-(((column - twist) / 6) ** 2)) + np.exp(-(((column + twist) / 6) ** 2))
        tile = 1.5 * rope + 0.1 * np.sin(x * 1.05 + 0.9 * np.sin(y * 1.4))
    elif material == "mesh":
        tile = np.sin(x * 1.05) * np.sin(y * 1.05) + 0.1 * speck
    elif material == "canvas":
        tile = 0.6 * np.sin(x * 1.6) * np.sin(y * 1.6) + 0.4 * speck
    elif material == "leather":
        tile = soft + 0.4 * speck
    else:
        tile = 0.85 * speck + 0.15 * soft
    return tile


def grain(material: str, shape: tuple[int, int], rng: np.random.Generator) -> Field:
    """The material's texture cut to (h, w)."""
    tile = _weave(material)
    top, left = (
        int(rng.integers(max(1, n - m + 1))) for n, m in zip(tile.shape, shape, strict=True)
    )
    # Vertical structure stays in phase, so that left and right sleeves match.
    return tile[top : top + shape[0], left : left + shape[1]]


@dataclass(frozen=True)
class Cloth:
    """A material in a colour, perhaps printed.

    `scale` is the size of the print; `seed` makes two pieces of one item match.
    """

    colour: RGB
    accent: RGB = WHITE
    third: RGB = BLACK
    pattern: str = "solid"
    material: str = "cotton"
    scale: float = 1.0
    seed: int = 0

    def paint(self, canvas: skia.Canvas, bounds: skia.Rect, turn: float = 0.0) -> None:
        """Fill the clipped canvas."""
        canvas.drawColor(skia.Color(*self.colour))
        if self.pattern == "solid":
            return
        canvas.save()
        canvas.rotate(turn, bounds.centerX(), bounds.centerY())
        PRINTS[self.pattern](canvas, self, random.Random(self.seed))
        canvas.restore()


def _paint(colour: RGB, alpha: float = 1.0) -> skia.Paint:
    return skia.Paint(AntiAlias=True, Color=skia.Color(*colour, round(255 * alpha)))


def _bands(
    canvas: skia.Canvas,
    colour: RGB,
    alpha: float,
    start: float,
    step: float,
    width: float,
    *,
    upright: bool = False,
) -> None:
    """Parallel bands across the page and well beyond it, as prints may be turned."""
    at = start % step - 200
    while at < 520:
        rect = (at, -200, at + width, 520) if upright else (-200, at, 520, at + width)
        canvas.drawRect(skia.Rect(*rect), _paint(colour, alpha))
        at += step


def _stripes(canvas: skia.Canvas, cloth: Cloth, rng: random.Random) -> None:
    step = rng.choice((12, 17, 24, 34)) * cloth.scale
    share = rng.choice((0.28, 0.5, 0.5, 0.36))
    _bands(canvas, cloth.accent, 1, rng.uniform(0, step), step, step * share)
    if step > 20 and rng.random() < 0.6:
        _bands(canvas, cloth.third, 1, rng.uniform(0, 3), step, step * 0.12)


def _pinstripes(canvas: skia.Canvas, cloth: Cloth, rng: random.Random) -> None:
    step = rng.choice((5.5, 7.5, 10)) * cloth.scale
    _bands(
        canvas,
        cloth.accent,
        0.85,
        rng.uniform(0, step),
        step,
        rng.choice((0.9, 1.4, 2.2)),
        upright=True,
    )


def _plaid(canvas: skia.Canvas, cloth: Cloth, rng: random.Random) -> None:
    step = rng.choice((24, 32, 42)) * cloth.scale
    start = rng.uniform(0, step)
    for upright in (False, True):
        _bands(canvas, cloth.accent, 0.5, start, step, step * 0.38, upright=upright)
        _bands(canvas, cloth.third, 0.5, start + step * 0.62, step, step * 0.16, upright=upright)
        _bands(canvas, WHITE, 0.6, start + step * 0.18, step, 0.9, upright=upright)


def _gingham(canvas: skia.Canvas, cloth: Cloth, rng: random.Random) -> None:
    step = rng.choice((8, 11, 15)) * cloth.scale
    for upright in (False, True):
        _bands(canvas, cloth.accent, 0.55, 0, step, step / 2, upright=upright)


def _grid(step: float, rng: random.Random, jitter: float = 0.0) -> list[tuple[float, float]]:
    """Places in staggered rows over the page."""
    places = []
    for row in range(int(-60 / step), int(380 / step) + 1):
        for column in range(int(-60 / step), int(300 / step) + 1):
            x = (column + 0.5 * (row % 2)) * step + rng.uniform(-jitter, jitter) * step
            places.append((x, row * step * 0.86 + rng.uniform(-jitter, jitter) * step))
    return places


def _dots(canvas: skia.Canvas, cloth: Cloth, rng: random.Random) -> None:
    step = rng.choice((9, 13, 19)) * cloth.scale
    for x, y in _grid(step, rng):
        canvas.drawCircle(x, y, step * 0.23, _paint(cloth.accent))


def _scatter(
    step: float, jitter: float, draw: Callable[[skia.Canvas, Cloth, random.Random, float], None]
) -> Callable[[skia.Canvas, Cloth, random.Random], None]:
    """A print that repeats one drawing at jittered places, turned at random."""

    def paint(canvas: skia.Canvas, cloth: Cloth, rng: random.Random) -> None:
        size = step * cloth.scale * rng.uniform(0.8, 1.35)
        for x, y in _grid(size, rng, jitter):
            canvas.save()
            canvas.translate(x, y)
            canvas.rotate(rng.uniform(0, 360))
            draw(canvas, cloth, rng, size)
            canvas.restore()

    return paint


def _flower(canvas: skia.Canvas, cloth: Cloth, rng: random.Random, size: float) -> None:
    leaf_spray(canvas, (70, 118, 78), size * 0.55)
    petals = cloth.accent if rng.random() < 0.65 else cloth.third
    motif(canvas, "flower", petals, (246, 206, 92), size * rng.uniform(0.3, 0.46))


def _blob(canvas: skia.Canvas, cloth: Cloth, rng: random.Random, size: float) -> None:
    colour = rng.choice((cloth.accent, cloth.third, darker(cloth.colour, 0.7)))
    motif(canvas, "blob", colour, colour, size * rng.uniform(0.35, 0.7))


def _confetti(canvas: skia.Canvas, cloth: Cloth, rng: random.Random, size: float) -> None:
    shape = rng.choice(("star", "heart", "drop", "bolt"))
    motif(canvas, shape, rng.choice((cloth.accent, cloth.third)), cloth.colour, size * 0.28)


def _diagonals(canvas: skia.Canvas, cloth: Cloth, rng: random.Random) -> None:
    canvas.rotate(-38, 120, 160)
    step = rng.choice((14, 22, 30)) * cloth.scale
    _bands(canvas, cloth.accent, 1, 0, step, step * rng.choice((0.16, 0.3, 0.42)))
    _bands(canvas, cloth.third, 1, step * 0.62, step, step * 0.08)


def _zigzag(canvas: skia.Canvas, cloth: Cloth, rng: random.Random) -> None:
    step = rng.choice((18, 26)) * cloth.scale
    for row in range(-4, int(340 / step) + 4):
        builder = skia.PathBuilder()
        builder.moveTo(-60, row * step)
        for i in range(1, int(380 / step * 2)):
            builder.lineTo(-60 + i * step / 2, row * step + (i % 2) * step * 0.5)
        paint = _paint(cloth.accent if row % 2 else cloth.third)
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(step * 0.26)
        canvas.drawPath(builder.detach(), paint)


PRINTS: dict[str, Callable[[skia.Canvas, Cloth, random.Random], None]] = {
    "stripes": _stripes,
    "pinstripes": _pinstripes,
    "plaid": _plaid,
    "gingham": _gingham,
    "dots": _dots,
    "floral": _scatter(24, 0.22, _flower),
    "abstract": _scatter(22, 0.3, _blob),
    "confetti": _scatter(17, 0.2, _confetti),
    "diagonals": _diagonals,
    "zigzag": _zigzag,
}
