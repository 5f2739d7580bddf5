"""Sandals and flats: a pair from above, toes up."""

from collections.abc import Callable
from dataclasses import dataclass

from recommender.demo.drawing.cloth import BRASS, RGB, STEEL, Cloth, darker
from recommender.demo.drawing.look import Look
from recommender.demo.drawing.shapes import (
    Point,
    Points,
    curve,
    cut,
    ellipse,
    mirrored,
    ribbon,
    shifted,
)
from recommender.demo.drawing.stage import Stage

# Outlines read as rows of points, so the formatter leaves them alone.
# fmt: off

FOOTBEDS: tuple[RGB, ...] = ((66, 58, 54), (48, 50, 56), (146, 106, 72), (188, 152, 112),
    (128, 130, 134))



@dataclass(frozen=True, kw_only=True)
class Flat:
    """A pair seen from above."""

    kind: str = "ballerina"  # ballerina | thong | slide | cross | strappy


def flat(stage: Stage, look: Look, cut_: Flat) -> None:
    """Draw a pair from above, toes up."""
    rng = look.rng
    wide = 1.0 if look.feminine or look.kid else 1.14
    long = 122 * rng.uniform(0.95, 1.02)

    def at(*points: tuple[float, ...]) -> list[tuple[float, ...]]:
        """From a foot's own coordinates (across -1..1, along -1 toe..1 heel) to the right side."""
        return [(172 + p[0] * 38 * wide, 160 + p[1] * long, *p[2:]) for p in points]

    toe = -0.98 if cut_.kind != "ballerina" else -1.0
    sole = at((-0.25, toe), (0.42, -0.9), (0.98, -0.5), (0.76, 0.08), (0.7, 0.62), (0, 1.0),
        (-0.7, 0.62), (-0.74, 0.05), (-0.95, -0.5), (-0.78, -0.82))
    inner = (212, 184, 150) if cut_.kind in ("ballerina", "strappy") else rng.choice(FOOTBEDS)
    stage.pair(shifted(sole, 1.5, 3.5), Cloth(darker(look.trim(), 0.8), material="rubber"),
        puff=0.5)
    stage.pair(sole, Cloth(inner, material="leather" if cut_.kind != "thong" else "rubber"),
        puff=0.35, shadow=0.2)
    for k in (5, 9, 13):
        for side in (sole, mirrored(sole)):
            stage.line(curve(side), darker(inner, 0.6), 0.5, 0.05 * k)
    heel_mark = at((0, 0.66))[0]
    for x in (heel_mark[0], 240 - heel_mark[0]):
        stage.fill(ellipse(x, heel_mark[1], 13, 26), (0, 0, 0), 0.10, blur=5)
        stage.fill(ellipse(x, heel_mark[1] - 150, 20, 26), (0, 0, 0), 0.08, blur=6)
    getattr(_FlatParts(stage, look, at, sole), cut_.kind)()


class _FlatParts:
    """What sits on the soles."""

    def __init__(self, stage: Stage, look: Look, at: Callable[..., list[Point]], sole: Points):
        self.stage, self.look, self.at, self.sole = stage, look, at, sole

    def _straps(self, *lines: Points, width: float = 12, material: str | None = None) -> None:
        cloth = self.look.plain(material) if material else self.look.cloth
        for line in lines:
            for side in (self.at(*line), mirrored(self.at(*line))):
                self.stage.piece(ribbon(side, width * 0.9, width, width * 0.9), cloth, puff=0.9,
                    shadow=0.5, drop=2.4)

    def ballerina(self) -> None:
        """A closed toe, a low side all around, a bow."""
        opening = self.at((-0.02, -0.5), (0.55, -0.36), (0.56, 0.1), (0.5, 0.62), (0, 0.86),
            (-0.5, 0.62), (-0.55, 0.1), (-0.58, -0.36))
        for side in (1, -1):
            outer, hole = (curve(p if side > 0 else mirrored(p)) for p in (self.sole, opening))
            self.stage.piece(cut(outer, hole), self.look.cloth, puff=1.1, shadow=0.4)
            self.stage.line(hole, darker(self.look.cloth.colour, 0.55), 1.1, 0.8)
            x = self.at((-0.02, -0.53))[0]
            middle = x[0] if side > 0 else 240 - x[0]
            for flip in (-1, 1):
                bow = [(middle, x[1]), (middle + flip * 13, x[1] - 7),
                    (middle + flip * 13, x[1] + 7)]
                self.stage.piece(curve(bow), self.look.plain("satin"), puff=0.7, shadow=0.5)
            self.stage.piece(ellipse(middle, x[1], 3.4, 4), self.look.plain("satin"), puff=0.7)

    def thong(self) -> None:
        """The Y of a flip flop."""
        self._straps([(-0.12, -0.62), (0.3, -0.4), (0.86, -0.02)],
            [(-0.12, -0.62), (-0.45, -0.4), (-0.86, -0.02)], width=10, material="rubber")
        x, y = self.at((-0.12, -0.62))[0]
        for px in (x, 240 - x):
            self.stage.piece(ellipse(px, y, 5, 6), self.look.plain("rubber"), puff=0.7)

    def slide(self) -> None:
        """One broad band."""
        band = self.at((-0.98, -0.56), (-0.3, -0.66), (0.5, -0.62), (1.02, -0.48), (0.96, -0.02),
            (0.3, -0.12), (-0.4, -0.14), (-0.94, -0.08))
        self.stage.pair(band, self.look.cloth, puff=1.1, shadow=0.5, drop=2.6)

    def cross(self) -> None:
        """Two crossing straps and one around the heel."""
        self._straps([(-0.9, -0.55), (0, -0.42), (0.9, -0.12)],
            [(0.95, -0.6), (0.1, -0.42), (-0.85, -0.1)], width=17)
        self._straps([(-0.74, 0.2), (0, 0.08), (0.76, 0.2)], width=13)
        for line in ([(0.3, 0.1), (0.62, 0.16)],):
            for side in (self.at(*line), mirrored(self.at(*line))):
                self.stage.piece(ribbon(side, 9), Cloth(STEEL, material="metal"), puff=0.4)

    def strappy(self) -> None:
        """Thin straps and a small ornament."""
        self._straps([(-0.9, -0.5), (0, -0.62), (0.92, -0.5)], [(-0.85, -0.3), (0, -0.4),
            (0.9, -0.3)], [(0, -0.6), (0.02, -0.2), (0, 0.1)], width=6.5)
        self._straps([(-0.72, 0.2), (0, 0.06), (0.74, 0.2)], [(-0.7, 0.6), (0, 0.86), (0.7, 0.6)],
            width=6.5)
        x, y = self.at((0.01, -0.4))[0]
        for px in (x, 240 - x):
            self.stage.piece(ellipse(px, y, 5.5, 5.5), Cloth(BRASS, material="metal"), puff=0.7)
