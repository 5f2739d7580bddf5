"""Jewellery: metal and stones."""

import math
from dataclasses import dataclass

from recommender.demo.drawing.cloth import BRASS, RGB, STEEL, Cloth
from recommender.demo.drawing.look import Look
from recommender.demo.drawing.shapes import MIDDLE, arc, curve, cut, ellipse, ribbon, sample
from recommender.demo.drawing.stage import Stage

# Outlines read as rows of points, so the formatter leaves them alone.
# fmt: off

GEMS: tuple[RGB, ...] = ((196, 34, 62), (36, 92, 190), (30, 140, 96), (232, 236, 244),
    (140, 80, 180), (30, 30, 36), (70, 190, 200), (240, 150, 170))



@dataclass(frozen=True, kw_only=True)
class Jewel:
    """A piece of jewellery."""

    kind: str = "studs"


def _metal_of(look: Look) -> Cloth:
    """The item's own colour where that is a metal's, else gold or silver."""
    r, g, b = look.cloth.colour
    if min(r, g, b) > 70 and (abs(r - b) < 20 or (r - b > 60 and g - b > 40)):
        return Cloth(look.cloth.colour, material="metal")
    return Cloth(BRASS if look.rng.random() < 0.5 else STEEL, material="metal")


def _bead(stage: Stage, x: float, y: float, r: float, cloth: Cloth) -> None:
    stage.piece(ellipse(x, y, r, r), cloth, puff=1.0, shadow=0.35, drop=0.9)


def _stone(stage: Stage, x: float, y: float, r: float, colour: RGB, metal: Cloth) -> None:
    """A faceted stone in its setting."""
    stage.piece(ellipse(x, y, r * 1.22, r * 1.22), metal, puff=0.7)
    stage.piece(ellipse(x, y, r, r), Cloth(colour, material="stone"), puff=0.8, shadow=0.2)
    rim = [(x + r * 0.95 * math.cos(a),
        y + r * 0.95 * math.sin(a)) for a in (k * math.pi / 4 for k in range(8))]
    table = [(x + r * 0.5 * math.cos(a),
        y + r * 0.5 * math.sin(a)) for a in (k * math.pi / 4 + 0.39 for k in range(8))]
    for k in range(8):
        facet = curve([(*rim[k], 0), (*rim[(k + 1) % 8], 0), (*table[k], 0)])
        stage.fill(facet, (255, 255, 255) if k in (4, 5, 2) else (0, 0, 0),
            0.32 if k in (4, 5) else 0.14)
    stage.fill(ellipse(x - r * 0.25, y - r * 0.28, r * 0.2, r * 0.14), (255, 255, 255), 0.9)


def jewel(stage: Stage, look: Look, cut_: Jewel) -> None:
    """Draw jewellery."""
    gem = look.cloth.colour
    metal = _metal_of(look)
    if metal.colour == gem:
        gem = look.rng.choice(GEMS)
    JEWELS[cut_.kind](stage, look, metal, gem)


def _studs(stage: Stage, look: Look, metal: Cloth, gem: RGB) -> None:
    petals = look.rng.choice((0, 6, 8))
    for x in (68, 172):
        for k in range(petals):
            a = 2 * math.pi * k / petals
            _stone(stage, x + 24 * math.cos(a), 160 + 24 * math.sin(a), 9,
                gem if k % 2 else (236, 240, 246), metal)
        _stone(stage, x, 160, 17 if petals else 34, gem, metal)


def _hoops(stage: Stage, look: Look, metal: Cloth, gem: RGB) -> None:
    rx = look.rng.uniform(36, 44)
    thick = look.rng.uniform(5, 10)
    for x in (64, 176):
        stage.piece(ribbon(arc(x, 168, rx, rx * 1.3, -84, 264, 25), thick * 0.6, thick,
            thick * 0.6), metal, puff=0.9)
        stage.line([(x, 168 - rx * 1.3), (x + 4, 168 - rx * 1.3 - 12),
            (x + 11, 168 - rx * 1.3 - 3)], metal.colour, 1.8)
        if look.rng.random() < 0.5:
            for k in (60, 75, 90, 105, 120):
                _stone(stage, *arc(x, 168, rx, rx * 1.3, k, k, 1)[0], 4.5, gem, metal)


def _drops(stage: Stage, look: Look, metal: Cloth, gem: RGB) -> None:
    rng = look.rng
    dome = rng.random() < 0.45
    for x in (70, 170):
        stage.line([(x + 10, 62), (x + 3, 40), (x - 7, 50), (x, 78)], metal.colour, 2.2)
        _stone(stage, x, 84, 10, gem, metal)
        if dome:
            bell = [(x, 106), (x + 20, 122), (x + 31, 164, 0), (x, 172), (x - 31, 164, 0),
                (x - 20, 122)]
            stage.piece(curve(bell), metal, puff=1.2)
            for k in range(7):
                _bead(stage, x - 27 + 9 * k, 176 - abs(k - 3), 4.6, Cloth(gem, material="stone"))
            for k in range(5):
                _stone(stage, x - 18 + 9 * k, 148, 3.4, gem, metal)
        else:
            tear = [(x, 102, 0), (x + 24, 172), (x, 202), (x - 24, 172)]
            stage.piece(curve(tear), metal, puff=1.0)
            inner = [(x, 122, 0), (x + 16, 172), (x, 191), (x - 16, 172)]
            stage.piece(curve(inner), Cloth(gem, material="stone"), puff=0.8, shadow=0.3)
            stage.fill(ellipse(x - 5, 158, 3, 9), (255, 255, 255), 0.5, blur=1)


def _necklace(stage: Stage, look: Look, metal: Cloth, gem: RGB) -> None:
    rng = look.rng
    deep = rng.uniform(126, 152)
    line = [(44, 30), (50, 108), (MIDDLE, 60 + deep), (190, 108), (196, 30)]
    xy = sample(line, steps=60)[:: rng.choice((5, 7))]
    beads = rng.random() < 0.4
    for x, y in xy.tolist():
        if beads:
            _bead(stage, x, y, 5.2, Cloth(gem, material="stone"))
        else:
            stage.piece(cut(ellipse(x, y, 4.6, 4.6), ellipse(x, y, 2.1, 2.1)), metal, puff=0.5,
                shadow=0.2, drop=0.6)
    y = 60 + deep
    style = rng.choice(("drop", "fan", "disc"))
    if style == "drop":
        stage.piece(curve([(MIDDLE, y, 0), (MIDDLE + 22, y + 42), (MIDDLE, y + 62),
            (MIDDLE - 22, y + 42)]), metal, puff=1)
        _stone(stage, MIDDLE, y + 40, 13, gem, metal)
    elif style == "fan":
        for k in range(7):
            px, py = sample(line, steps=30)[60 + (k - 3) * 6 + 0].tolist()
            long = 34 - 6 * abs(k - 3)
            _stone(stage, px, py + long * 0.45, 6.5, gem, metal)
            _bead(stage, px, py + long * 0.45 + 13, 4, metal)
    else:
        _bead(stage, MIDDLE, y + 30, 26, metal)
        _stone(stage, MIDDLE, y + 30, 12, gem, metal)


def _ring(stage: Stage, look: Look, metal: Cloth, gem: RGB) -> None:
    rng = look.rng
    band = rng.uniform(8, 13)
    hoop = cut(ellipse(MIDDLE, 196, 76, 82), ellipse(MIDDLE, 194, 76 - band, 82 - band * 1.1))
    stage.piece(hoop, metal, puff=0.9)
    style = rng.choice(("one", "three", "flower"))
    if style == "three":
        for x, r in ((MIDDLE - 36, 13), (MIDDLE + 36, 13)):
            _stone(stage, x, 126, r, (236, 240, 246), metal)
    if style == "flower":
        for k in range(8):
            a = 2 * math.pi * k / 8
            _stone(stage, MIDDLE + 29 * math.cos(a), 112 + 29 * math.sin(a), 9, (236, 240, 246),
                metal)
    _stone(stage, MIDDLE, 112, 21 if style != "one" else 27, gem, metal)


def _bracelet(stage: Stage, look: Look, metal: Cloth, gem: RGB) -> None:
    rng = look.rng
    style = rng.choice(("beads", "cuff", "links"))
    if style == "cuff":
        cuff = cut(ellipse(MIDDLE, 162, 102, 82), ellipse(MIDDLE, 144, 74, 46))
        stage.piece(cuff, metal, puff=1.2)
        for k in range(5):
            _stone(stage, *arc(MIDDLE, 152, 88, 66, 50 + 20 * k, 50 + 20 * k, 1)[0], 9, gem, metal)
        return
    loop = arc(MIDDLE, 160, 88, 62, -90, 270, 21 if style == "beads" else 25)
    for i, (x, y) in enumerate(loop[:-1]):
        if style == "beads":
            _bead(stage, x, y, 13 if i % 4 else 11,
                Cloth(gem, material="stone") if i % 4 else metal)
        else:
            stage.piece(cut(ellipse(x, y, 12, 9), ellipse(x, y, 6.5, 4)), metal, puff=0.7)
    if style == "links":
        stage.line([(MIDDLE, 222), (MIDDLE, 240)], metal.colour, 2)
        _stone(stage, MIDDLE, 252, 14, gem, metal)


def _bangles(stage: Stage, look: Look, metal: Cloth, gem: RGB) -> None:
    count = look.rng.choice((3, 4, 5))
    for k in range(count):
        y = 186 - k * 16 + count * 4
        cloth = metal if k % 2 == 0 else Cloth(gem, material="plastic")
        stage.piece(ribbon(arc(MIDDLE, y, 90, 54, 0, 360, 25), 10), cloth, puff=0.9, shadow=0.45)
        if k % 2:
            for a in range(20, 170, 15):
                _bead(stage, *arc(MIDDLE, y, 90, 54, a, a, 1)[0], 3, metal)


JEWELS = {"studs": _studs, "hoops": _hoops, "drops": _drops, "necklace": _necklace, "ring": _ring,
    "bracelet": _bracelet, "bangles": _bangles}
