"""Smooth outlines: points -> cubic Bezier paths.

A point is `(x, y)`, where the outline bends smoothly, or `(x, y, 0)`, where it has a corner.
Everything is drawn on a page of 240 x 320 units with its middle at x = 120.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import skia

Point = tuple[float, ...]
Points = Sequence[Point]
Field = npt.NDArray[Any]

MIDDLE = 120.0


def _cubics(points: Points, closed: bool) -> list[Field]:
    """The cubic segments through the points, each float64 of shape (4, 2)."""
    xy = np.array([p[:2] for p in points], dtype=float)
    n = len(xy)
    tangents = np.zeros_like(xy)
    for i, point in enumerate(points):
        if len(point) == 2 and (closed or 0 < i < n - 1):
            chord = xy[(i + 1) % n] - xy[i - 1]
            tangents[i] = chord / (np.hypot(*chord) or 1.0)
    segments = []
    for i in range(n if closed else n - 1):
        start, end = xy[i], xy[(i + 1) % n]
        reach = float(np.hypot(*(end - start))) / 3.0
        # A corner has no tangent of its own: its handle points at the neighbour.
        first = start + (tangents[i] * reach if tangents[i].any() else (end - start) / 3.0)
        last_tangent = tangents[(i + 1) % n]
        second = end - (last_tangent * reach if last_tangent.any() else (end - start) / 3.0)
        segments.append(np.array([start, first, second, end]))
    return segments


def curve(points: Points, closed: bool = True) -> skia.Path:
    """A smooth path through the points."""
    builder = skia.PathBuilder()
    segments = _cubics(points, closed)
    builder.moveTo(*segments[0][0].tolist())
    for _, first, second, end in segments:
        builder.cubicTo(*first.tolist(), *second.tolist(), *end.tolist())
    if closed:
        builder.close()
    return builder.detach()


def sample(points: Points, closed: bool = False, steps: int = 10) -> Field:
    """Points along the smooth curve, float64 of shape (n, 2)."""
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    rows = [
        (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
        for a, b, c, d in _cubics(points, closed)
    ]
    if not closed:
        rows.append(np.array([points[-1][:2]], dtype=float))
    return np.concatenate(rows)


def polygon(xy: Field) -> skia.Path:
    """A closed path with straight sides; `xy` has shape (n, 2)."""
    builder = skia.PathBuilder()
    builder.moveTo(*xy[0].tolist())
    for x, y in xy[1:].tolist():
        builder.lineTo(x, y)
    builder.close()
    return builder.detach()


def ribbon(points: Points, *widths: float, closed: bool = False) -> skia.Path:
    """A band along the curve; its widths are spread evenly from the first point to the last."""
    middle = sample(points, closed)
    step = np.gradient(middle, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1)
    normal /= np.maximum(np.hypot(normal[:, 0], normal[:, 1]), 1e-6)[:, None]
    at = np.linspace(0, 1, len(middle))
    half = np.interp(at, np.linspace(0, 1, len(widths)), widths)[:, None] / 2
    if closed:
        outer, inner = polygon(middle + normal * half), polygon(middle - normal * half)
        return skia.Op(outer, inner, skia.PathOp.kXOR_PathOp)
    return polygon(np.concatenate([middle + normal * half, (middle - normal * half)[::-1]]))


def mirrored(points: Points) -> list[Point]:
    """The points on the other side of the middle, in the same order."""
    return [(2 * MIDDLE - p[0], *p[1:]) for p in points]


def symmetric(half: Points) -> list[Point]:
    """The closed outline whose right half is given from top to bottom."""
    left = [p for p in mirrored(half)[::-1] if abs(p[0] - MIDDLE) > 0.01]
    return [*half, *left]


def shifted(points: Points, dx: float, dy: float) -> list[Point]:
    """The points moved by (dx, dy)."""
    return [(p[0] + dx, p[1] + dy, *p[2:]) for p in points]


def ellipse(x: float, y: float, rx: float, ry: float) -> skia.Path:
    """An ellipse about (x, y)."""
    return skia.PathBuilder().addOval(skia.Rect(x - rx, y - ry, x + rx, y + ry)).detach()


def box(left: float, top: float, right: float, bottom: float, radius: float = 0.0) -> skia.Path:
    """A rectangle with round corners."""
    rounded = skia.RRect.MakeRectXY(skia.Rect(left, top, right, bottom), radius, radius)
    return skia.PathBuilder().addRRect(rounded).detach()


def arc(
    x: float, y: float, rx: float, ry: float, start: float, end: float, count: int = 9
) -> list[tuple[float, float]]:
    """Points of an elliptic arc; degrees, clockwise from the right."""
    angles = [math.radians(a) for a in np.linspace(start, end, count)]
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


def cut(path: skia.Path, *holes: skia.Path) -> skia.Path:
    """The path without the holes."""
    for hole in holes:
        path = skia.Op(path, hole, skia.PathOp.kDifference_PathOp)
    return path


def meet(path: skia.Path, other: skia.Path) -> skia.Path:
    """What the two paths share."""
    return skia.Op(path, other, skia.PathOp.kIntersect_PathOp)
