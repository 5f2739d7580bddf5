"""Simple printed figures, drawn about the origin with a given radius."""

import math

import numpy as np
import skia

from recommender.demo.drawing.shapes import curve, ellipse, polygon

RGB = tuple[int, int, int]


def _star(points: int, inner: float, turn: float = -90.0) -> skia.Path:
    angles = np.radians(turn + np.arange(points * 2) * 180.0 / points)
    reach = np.where(np.arange(points * 2) % 2, inner, 1.0)
    return polygon(np.stack([np.cos(angles) * reach, np.sin(angles) * reach], axis=1))


def _petals(count: int) -> skia.Path:
    rounds = [
        (math.cos(a) * r, math.sin(a) * r)
        for i in range(count)
        for a, r in (
            (2 * math.pi * (i - 0.28) / count, 0.9),
            (2 * math.pi * i / count, 1.0),
            (2 * math.pi * (i + 0.28) / count, 0.9),
            (2 * math.pi * (i + 0.5) / count, 0.42),
        )
    ]
    return curve(rounds)


SHAPES: dict[str, skia.Path] = {
    "star": _star(5, 0.42),
    "burst": _star(12, 0.62),
    "sun": ellipse(0, 0, 0.8, 0.8),
    "flower": _petals(5),
    "heart": curve(
        [(0, -0.45, 0), (0.5, -0.85), (0.98, -0.3), (0.55, 0.35), (0, 0.95, 0), (-0.55, 0.35),
         (-0.98, -0.3), (-0.5, -0.85)]
    ),
    "drop": curve([(0, -1, 0), (0.55, 0.2), (0, 0.8), (-0.55, 0.2)]),
    "bolt": polygon(
        np.array([(0.2, -1), (-0.6, 0.15), (-0.08, 0.15), (-0.25, 1), (0.6, -0.25), (0.06, -0.25)])
    ),
    "blob": curve(
        [(0.9, 0), (0.5, 0.55), (-0.1, 0.4), (-0.7, 0.7), (-0.8, -0.1), (-0.2, -0.6), (0.5, -0.5)]
    ),
    "peaks": polygon(np.array([(-1.1, 0.7), (-0.4, -0.45), (-0.1, 0), (0.3, -0.75), (1.1, 0.7)])),
    "wave": curve(
        [(-1.1, 0.5, 0), (-0.9, -0.2), (-0.2, -0.7), (0.5, -0.4), (0.55, 0.1), (0.25, 0.1),
         (0.15, -0.15), (-0.1, 0.25), (0.4, 0.5), (1.1, 0.5, 0)]
    ),
    "cat": curve(
        [(-0.8, -0.9, 0), (-0.35, -0.55, 0), (0.35, -0.55, 0), (0.8, -0.9, 0), (0.9, 0.1),
         (0.5, 0.7), (0, 0.8), (-0.5, 0.7), (-0.9, 0.1)]
    ),
    "rocket": curve(
        [(0, -1.1, 0), (0.38, -0.4), (0.38, 0.3, 0), (0.75, 0.8, 0), (0.3, 0.65, 0), (0, 1.0, 0),
         (-0.3, 0.65, 0), (-0.75, 0.8, 0), (-0.38, 0.3, 0), (-0.38, -0.4)]
    ),
    "car": curve(
        [(-1.1, 0.4, 0), (-1.05, -0.05), (-0.6, -0.1, 0), (-0.35, -0.55), (0.35, -0.55),
         (0.65, -0.1, 0), (1.1, 0.05), (1.1, 0.4, 0)]
    ),
    "anchor": curve(
        [(-0.12, -0.9, 0), (0.12, -0.9, 0), (0.12, 0.55, 0), (0.6, 0.2), (0.85, 0.1, 0), (0.7, 0.6),
         (0, 1), (-0.7, 0.6), (-0.85, 0.1, 0), (-0.6, 0.2), (-0.12, 0.55, 0)]
    ),
}  # fmt: skip
GRAPHICS = ("star", "burst", "sun", "bolt", "peaks", "wave", "anchor", "flower")
KIDS_GRAPHICS = ("cat", "rocket", "car", "heart", "star", "sun", "flower")


def motif(canvas: skia.Canvas, name: str, colour: RGB, detail: RGB, radius: float) -> None:
    """Print one figure at the origin.

    Args:
        canvas: where to print, its origin at the middle of the figure.
        name: a key of SHAPES.
        colour: of the figure.
        detail: of what is drawn in it (the heart of a flower, the eyes of a cat).
        radius: half of its size.
    """
    main = skia.Paint(AntiAlias=True, Color=skia.Color(*colour))
    small = skia.Paint(AntiAlias=True, Color=skia.Color(*detail))
    canvas.save()
    canvas.scale(radius, radius)
    canvas.drawPath(SHAPES[name], main)
    if name == "flower":
        canvas.drawCircle(0, 0, 0.28, small)
    elif name == "sun":
        for i in range(4):
            canvas.drawRect(
                skia.Rect(-1, 0.1 + 0.2 * i, 1, 0.14 + (0.2 + 0.02 * i) * i + 0.04), small
            )
    elif name == "cat":
        for x in (-0.35, 0.35):
            canvas.drawOval(skia.Rect(x - 0.1, -0.1, x + 0.1, 0.18), small)
        canvas.drawPath(curve([(-0.12, 0.3, 0), (0.12, 0.3, 0), (0, 0.44, 0)]), small)
    elif name == "rocket":
        canvas.drawCircle(0, -0.3, 0.2, small)
    elif name == "car":
        for x in (-0.6, 0.6):
            canvas.drawCircle(x, 0.42, 0.27, main)
            canvas.drawCircle(x, 0.42, 0.13, small)
        canvas.drawPath(
            curve([(-0.3, -0.42, 0), (0.3, -0.42, 0), (0.45, -0.1, 0), (-0.42, -0.1, 0)]), small
        )
    elif name == "peaks":
        canvas.drawPath(
            polygon(
                np.array([(0.3, -0.75), (0.12, -0.4), (0.28, -0.5), (0.36, -0.36), (0.49, -0.42)])
            ),
            small,
        )
    elif name == "anchor":
        canvas.drawRect(skia.Rect(-0.4, -0.6, 0.4, -0.42), main)
    canvas.restore()


def leaf_spray(canvas: skia.Canvas, colour: RGB, radius: float) -> None:
    """Two leaves on either side of the origin."""
    paint = skia.Paint(AntiAlias=True, Color=skia.Color(*colour))
    for side in (-1, 1):
        tip = (side * radius, -0.25 * radius)
        leaf = [(0, 0, 0), (0.5 * tip[0], -0.42 * radius), (*tip, 0), (0.5 * tip[0], 0.12 * radius)]
        canvas.drawPath(curve(leaf), paint)


def graphic(canvas: skia.Canvas, name: str, colour: RGB, detail: RGB, radius: float) -> None:
    """A chest print: a figure with lines of lettering too small to read below it."""
    motif(canvas, name, colour, detail, radius)
    paint = skia.Paint(AntiAlias=True, Color=skia.Color(*colour))
    for row, half in ((1.25, 0.9), (1.5, 0.55)):
        x = -half
        # Bars of uneven length read as words at this size.
        for width in (0.3, 0.16, 0.4, 0.22, 0.34, 0.2):
            if x + width > half:
                break
            canvas.drawRect(
                skia.Rect(x * radius, row * radius, (x + width) * radius, (row + 0.13) * radius),
                paint,
            )
            x += width + 0.07
