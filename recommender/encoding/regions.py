"""Where the garment is: boxes read of a mask, and the parts of a picture that they ask for."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from recommender.encoding.agreement import Floats
from recommender.errors import QueryError

STRIDE_PX = 4
"""A value of a mask stands for so many pixels of what a network was fed, each way."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom of a part of a picture, in shares of its sides."""
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
Asked = Box | Literal["auto"] | None
"""Which part of a picture is looked at: a box, the network's own choice, or the whole."""

_INSIDE, _EDGE = 0.5, 0.3
"""A garment is found by its surest places and goes on to less sure ones: sleeves, legs, laces."""
_MARGIN = 0.03
"""Of a box's sides, left around what is found, since a mask ends a little early."""
_SMALLEST = 0.02
"""Of a picture; what is smaller is no garment but a doubt about one."""
_BESIDE = 0.2
"""Of the largest garment; what is smaller than this is a part of it that was torn off."""
_WHITE, _MOSTLY = 235, 0.9
"""The least value of white, and how much of a packshot's ground is."""

_LEAST = 0.005
"""Of a side: the least that a region has of a picture."""
_GRID = 64
"""Sides of the mask of a picture of which a part was looked at."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Regions:
    """Where garments are in one picture, as far as a network can tell.

    Attributes:
        boxes: the whole of what was found first, then each garment, the largest first; none where
            nothing was found.
        sureness: of each box, how sure its places are in the mean, 0 to 1.
        used: the box that was looked at more closely; None for the whole picture alone.
        mask: float32 of shape (h, w), the probability that a place of the whole picture is a
            garment's.
        garment: the probability that there is any.
    """

    boxes: tuple[Box, ...]
    sureness: tuple[float, ...]
    used: Box | None
    mask: Floats
    garment: float


def read_boxes(mask: Floats) -> tuple[tuple[Box, ...], tuple[float, ...]]:
    """The boxes in a mask, and how sure each is; see `Regions`.

    >>> mask = np.zeros((8, 8), np.float32)
    >>> mask[2:6, 1:4] = 1
    >>> read_boxes(mask)[0]
    ((0.1138, 0.235, 0.5112, 0.765),)
    """
    inside = mask > _INSIDE
    pieces = [piece for piece in _pieces(mask > _EDGE) if (piece & inside).any()]
    pieces = [piece for piece in pieces if piece.sum() >= _SMALLEST * mask.size]
    pieces.sort(key=np.sum, reverse=True)
    pieces = [piece for piece in pieces if piece.sum() >= _BESIDE * pieces[0].sum()]
    if len(pieces) > 1:
        pieces.insert(0, np.logical_or.reduce(pieces))
    return tuple(map(_box_of, pieces)), tuple(
        float(mask[piece & inside].mean()) for piece in pieces
    )


def _pieces(inside: Mask) -> Iterator[Mask]:
    """Connected parts, four neighbours a place."""
    left = inside.copy()
    while left.any():
        piece = np.zeros_like(left)
        grown = piece.copy()
        grown.flat[left.argmax()] = True
        while (grown != piece).any():
            piece = grown.copy()
            grown[1:] |= piece[:-1]
            grown[:-1] |= piece[1:]
            grown[:, 1:] |= piece[:, :-1]
            grown[:, :-1] |= piece[:, 1:]
            grown &= left
        left &= ~piece
        yield piece


def _box_of(piece: Mask) -> Box:
    """What holds a piece, with a margin, within the picture."""
    ends = []
    for axis in (0, 1):  # left and right of the columns, then top and bottom of the rows
        covered = np.flatnonzero(piece.any(axis))
        ends.append((covered[0] / piece.shape[1 - axis], (covered[-1] + 1) / piece.shape[1 - axis]))
    (left, right), (top, bottom) = ends
    return widened((left, top, right, bottom), _MARGIN)


def widened(box: Box, margin: float) -> Box:
    """A box with a margin, in shares of its sides, as far as the picture goes.

    >>> widened((0.25, 0.0, 0.75, 0.5), 0.1)
    (0.2, 0.0, 0.8, 0.55)
    """
    left, top, right, bottom = box
    x, y = margin * (right - left), margin * (bottom - top)
    return rounded((max(left - x, 0), max(top - y, 0), min(right + x, 1), min(bottom + y, 1)))


def rounded(box: Box) -> Box:
    """A box as it is told: four places behind the point."""
    left, top, right, bottom = (round(float(end), 4) for end in box)
    return left, top, right, bottom


def cut(picture: Image.Image, box: Box) -> Image.Image:
    """The part of a picture in a box, at least a pixel of it."""
    left, top = (math.floor(side * end) for side, end in zip(picture.size, box[:2], strict=True))
    right, bottom = (math.ceil(side * end) for side, end in zip(picture.size, box[2:], strict=True))
    return picture.crop((left, top, max(right, left + 1), max(bottom, top + 1)))


def read_region(value: object) -> tuple[Asked, str]:
    """Which part of a picture a program asks for.

    Args:
        value: None for the whole, `auto`, or `[left, top, right, bottom]` in shares of its sides.

    Returns:
        What is looked at, and what a person should know of how it was read, or nothing.

    Raises:
        QueryError: it is neither, or has no area within the picture.

    >>> read_region([0.5, 0, 0.1, 2])
    ((0.1, 0.0, 0.5, 1.0), 'The region is read as [0.1, 0, 0.5, 1].')
    """
    if value is None or value == "auto":
        return ("auto" if value else None), ""
    numbers = value if isinstance(value, list | tuple) else ()
    kinds = [isinstance(end, int | float) and not isinstance(end, bool) for end in numbers]
    # Not math.isfinite, which refuses a whole number that no float holds; this refuses NaN too.
    if len(numbers) != 4 or not all(kinds) or not all(-math.inf < n < math.inf for n in numbers):
        raise QueryError(
            'A region is null for the whole picture, "auto", or [left, top, right, bottom] in '
            "shares of its sides, from 0 to 1."
        )
    x, y = sorted((numbers[0], numbers[2])), sorted((numbers[1], numbers[3]))
    left, top, right, bottom = (float(min(max(end, 0), 1)) for end in (x[0], y[0], x[1], y[1]))
    if right - left < _LEAST or bottom - top < _LEAST:
        raise QueryError("This region has no area within the picture: left is below right.")
    box = (left, top, right, bottom)
    if box == tuple(numbers):
        return box, ""
    return box, f"The region is read as [{', '.join(f'{end:g}' for end in box)}]."


def parts_of(pictures: Sequence[Image.Image], asked: Sequence[Asked] | None) -> list[Image.Image]:
    """The boxes that are asked for, else all of a picture."""
    asked = asked or [None] * len(pictures)
    return [
        cut(picture, part) if isinstance(part, tuple) else picture
        for picture, part in zip(pictures, asked, strict=True)
    ]


def within(regions: Regions, box: Box) -> Regions:
    """What was found in a box of a picture, as found in the picture."""
    left, top, right, bottom = box
    wide, tall = right - left, bottom - top
    boxes = tuple(
        rounded((left + a * wide, top + b * tall, left + c * wide, top + d * tall))
        for a, b, c, d in regions.boxes
    )
    mask = np.zeros((_GRID, _GRID), np.float32)
    x, y = round(left * _GRID), round(top * _GRID)
    size = (
        max(1, min(_GRID - x, round(wide * _GRID))),
        max(1, min(_GRID - y, round(tall * _GRID))),
    )
    inside = Image.fromarray(regions.mask).resize(size, Image.Resampling.BILINEAR)
    mask[y : y + size[1], x : x + size[0]] = np.asarray(inside)[: _GRID - y, : _GRID - x]
    return replace(regions, boxes=boxes, used=box, mask=mask)


def framed(box: Box, size: tuple[int, int], aspect: float) -> Box:
    """A box made longer one way, as far as the picture goes, to stand or lie in an aspect.

    Args:
        box: within a picture.
        size: the picture's (width, height).
        aspect: long side against short side.

    >>> framed((0.5, 0.5, 0.75, 0.75), (400, 400), 4 / 3)
    (0.5, 0.4583, 0.75, 0.7917)
    """
    ends = np.array(box).reshape(2, 2) * size  # (left, top), (right, bottom) in pixels
    width, height = ends[1] - ends[0]
    ratio = aspect if width > height else 1 / aspect
    wanted = np.array([max(width, height * ratio), max(height, width / ratio)])
    low = np.clip(ends.mean(axis=0) - wanted / 2, 0, np.maximum(np.array(size) - wanted, 0))
    left, top = low / size
    right, bottom = np.minimum(low + wanted, size) / size
    return rounded((left, top, right, bottom))


def lies_on_white(picture: Image.Image, mask: Floats) -> bool:
    """Whether what is not the garment is white already, as of a packshot.

    Args:
        picture: RGB.
        mask: float32 of shape (h, w), of the same picture.
    """
    height, width = mask.shape
    small = picture.resize((width, height), Image.Resampling.BOX)
    ground = mask < 0.2
    if not ground.any():
        return False
    return float((np.asarray(small).min(axis=2)[ground] >= _WHITE).mean()) >= _MOSTLY
