"""The collars of what is worn on the upper body."""

from collections.abc import Callable
from dataclasses import replace

from recommender.demo.drawing.cloth import STEEL, darker
from recommender.demo.drawing.garment import Garment
from recommender.demo.drawing.shapes import (
    MIDDLE,
    Points,
    curve,
    mirrored,
    ribbon,
    symmetric,
)
from recommender.demo.drawing.stage import folds

# Outlines read as rows of points, so the formatter leaves them alone.
# fmt: off


def rib(worn: Garment) -> None:
    """A knitted neckband."""
    right = worn.neckline()
    band = [*mirrored(right)[::-1], *right[1:]]
    cloth = worn.look.plain("rib")
    if worn.look.print_name == "Ringer":
        cloth = replace(cloth, colour=worn.look.cloth.accent)
    worn.stage.piece(ribbon(band, 5.2), cloth, puff=0.35, shadow=0.3, drop=0.8)


def bare(worn: Garment) -> None:
    """A clean edge."""
    right = worn.neckline()
    worn.stage.line([*mirrored(right)[::-1], *right[1:]], darker(worn.look.cloth.colour, 0.6),
        0.7, 0.6)


def turtle(worn: Garment) -> None:
    """A high rolled neck."""
    x, y = worn.nape
    neck = [(MIDDLE, y - 20), (x - 3, y - 19, 0), (x + 2, y - 2), (x, y + 8), (MIDDLE, y + 15)]
    worn.stage.piece(curve(symmetric(neck)), worn.look.plain("rib"), puff=0.7)
    worn.stage.seam([(2 * MIDDLE - x + 1, y - 6), (MIDDLE, y + 1), (x - 1, y - 6)],
        worn.look.cloth)


def straps(worn: Garment) -> None:
    """Two thin straps over the bust line."""
    c = worn.cut
    for side in (1, -1):
        line = [(MIDDLE + side * c.chest * 0.58, worn.y + 44),
            (MIDDLE + side * (c.neck + 3), worn.y - 4)]
        worn.stage.piece(ribbon(line, 4.2), worn.look.plain(), puff=0.3, shadow=0.1)
    edge = [(MIDDLE - c.chest * 0.58, worn.y + 42), (MIDDLE, worn.y + c.depth + 36),
        (MIDDLE + c.chest * 0.58, worn.y + 42)]
    worn.stage.line(edge, darker(worn.look.cloth.colour, 0.6), 0.7, 0.6)


def shirt(worn: Garment) -> None:
    """A turned-down collar on its stand."""
    x, y = worn.nape
    tx, ty = worn.throat
    ty -= 3
    spread = worn.rng.uniform(10, 17)
    leaf = [(x - 3, y - 9), (x + 4, y + 3), (tx + spread + 8, ty + 17, 0), (tx + 1, ty + 1, 0),
        (x - 8, y + 2)]
    worn.stage.piece(ribbon([(2 * MIDDLE - x + 2, y - 4), (MIDDLE, y - 9), (x - 2, y - 4)], 8),
        worn.look.cloth, puff=0.3, tint=0.9)
    worn.stage.pair(leaf, worn.look.cloth, puff=0.45, turn=34, drop=2.0)
    edge = [(tx + spread + 7, ty + 14.5), (tx + 2.5, ty + 1)]
    for side in (edge, mirrored(edge)):
        worn.stage.line(side, darker(worn.look.cloth.colour, 0.65), 0.5, 0.7, dash=(1.6, 1))


def band(worn: Garment) -> None:
    """A short standing collar, open in front."""
    x, y = worn.nape
    tx, ty = worn.throat
    half = [(x, y - 5), (x - 1, y + 4), (tx + 7, ty - 2), (tx + 1.5, ty + 6)]
    for side in (half, mirrored(half)):
        worn.stage.piece(ribbon(side, 8.5, 9, 8), worn.look.cloth, puff=0.4)


def hood_back(worn: Garment) -> None:
    """A hood lying behind the neck; drawn first."""
    x, y = worn.nape
    back = [(MIDDLE, y - 27), (x + 7, y - 20), (x + 15, y + 2), (x + 4, y + 18), (MIDDLE, y + 26)]
    worn.stage.piece(curve(symmetric(back)), worn.look.plain(),
        folds([(x + 4, y - 12), (x + 8, y + 4), (x, y + 16)], height=1.5))
    inner = [(MIDDLE, y - 17), (x - 2, y - 11), (x + 3, y + 4), (MIDDLE, y + 24)]
    worn.stage.piece(curve(symmetric(inner)), worn.look.plain(), tint=0.5, puff=0.4, shadow=0.3)


def hood(worn: Garment) -> None:
    """A hood's front edge and its cords."""
    right = worn.neckline()
    for edge in (right, mirrored(right)):
        worn.stage.piece(ribbon(_shift_in(edge), 8, 9, 8), worn.look.plain(), puff=0.7)
    for side in (-1, 1):
        cord = [(MIDDLE + side * 6, worn.throat[1] + 1), (MIDDLE + side * 8,
            worn.throat[1] + 24), (MIDDLE + side * 7.5, worn.throat[1] + 44 + 4 * side)]
        worn.stage.line(cord, darker(worn.look.contrast, 0.9), 1.7)
        worn.stage.line([cord[-1], (cord[-1][0], cord[-1][1] + 4)], STEEL, 2.0)


def lapel(worn: Garment) -> None:
    """Notched lapels and a shirtless opening down to the top button."""
    x, y = worn.nape
    stop = worn.y + worn.cut.depth
    wide = worn.rng.uniform(19, 25)
    lower = [(x - 2, y + 2, 0), (x + wide * 0.62, y + 33, 0), (x + wide * 0.95, y + 38, 0),
        (MIDDLE + 16, stop - 32), (MIDDLE, stop, 0), (MIDDLE + 5, stop - 38)]
    upper = [(x - 3, y - 6), (x + 7, y + 4), (x + wide * 0.78, y + 27, 0),
        (x + wide * 0.62, y + 34, 0), (x - 1, y + 16)]
    worn.stage.pair(lower, worn.look.cloth, puff=0.4, drop=2.2)
    worn.stage.pair(upper, worn.look.cloth, puff=0.4, drop=1.2)
    worn.stage.piece(ribbon([(2 * MIDDLE - x + 2, y - 3), (MIDDLE, y - 7), (x - 2, y - 3)], 8),
        worn.look.cloth, puff=0.3, tint=0.85)


def _shift_in(line: Points) -> list[tuple[float, ...]]:
    """The neckline drawn a little towards the throat, for a hood's thick edge."""
    return [(MIDDLE + (p[0] - MIDDLE) * 0.92, p[1] + 2, *p[2:]) for p in line]


COLLARS: dict[str, Callable[[Garment], None]] = {"rib": rib, "bare": bare, "turtle": turtle,
    "straps": straps, "shirt": shirt, "band": band, "hood": hood, "lapel": lapel}
