"""Bags and wallets."""

from dataclasses import dataclass

from recommender.demo.drawing.cloth import BRASS, STEEL, Cloth
from recommender.demo.drawing.look import Look
from recommender.demo.drawing.motifs import GRAPHICS, motif
from recommender.demo.drawing.shapes import (
    MIDDLE,
    arc,
    box,
    curve,
    cut,
    ellipse,
    meet,
    mirrored,
    ribbon,
    symmetric,
)
from recommender.demo.drawing.stage import Fold, Stage, folds

# Outlines read as rows of points, so the formatter leaves them alone.
# fmt: off

GOLD, CHROME = Cloth(BRASS, material="metal"), Cloth(STEEL, material="metal")


@dataclass(frozen=True, kw_only=True)
class Bag:
    """A carried bag."""

    kind: str = "tote"  # a key of BAGS


def bag(stage: Stage, look: Look, cut_: Bag) -> None:
    """Draw a bag or a wallet."""
    metal = GOLD if look.rng.random() < 0.6 else CHROME
    BAGS[cut_.kind](stage, look, metal)


def _handles(stage: Stage, look: Look, metal: Cloth, x: float, foot: float, top: float) -> None:
    """A pair of arched handles, the far one first."""
    cloth = look.plain("leather", look.trim(0.75))
    for lift, tint in ((-9, 0.72), (0, 1.0)):
        line = [(MIDDLE - x, foot), (MIDDLE - x * 0.86, (foot + top) / 2 + lift),
            (MIDDLE, top + lift), (MIDDLE + x * 0.86, (foot + top) / 2 + lift), (MIDDLE + x, foot)]
        stage.piece(ribbon(line, 6.5), cloth, tint=tint, puff=0.7, shadow=0.4)
    for side in (-1, 1):
        ring = cut(ellipse(MIDDLE + side * x, foot + 1, 6, 7), ellipse(MIDDLE + side * x, foot + 1,
            3.4, 4.4))
        stage.piece(ring, metal, puff=0.5)


def _stitched(stage: Stage, look: Look, points: list[tuple[float, ...]]) -> None:
    stage.line(curve(points), look.trim(0.6), 0.7, 0.8, dash=(2.4, 1.6))


def _tote(stage: Stage, look: Look, metal: Cloth) -> None:
    rng = look.rng
    flare, top = rng.uniform(-8, 14), rng.uniform(128, 140)
    half = [(MIDDLE, top + 3), (MIDDLE + 80 + flare, top, 0), (MIDDLE + 86, 210),
        (MIDDLE + 84 - flare, 282, 0), (MIDDLE, 286)]
    back = [(MIDDLE, top - 9), (MIDDLE + 78 + flare, top, 0), (MIDDLE, top + 16)]
    stage.piece(curve(symmetric(back)), look.plain(), tint=0.5, shadow=0)
    body = curve(symmetric(half))
    _handles(stage, look, metal, 42, top + 22, rng.uniform(34, 52))
    stage.piece(body, look.cloth, folds([(200, 140), (196, 200), (202, 270)],
        [(140, 282), (165, 270), (196, 276)], width=10, height=0.9))
    for x in (MIDDLE - 42, MIDDLE + 42):
        stage.piece(box(x - 8, top + 8, x + 8, top + 44, 3), look.plain("leather", look.trim(0.75)),
            puff=0.35)
        stage.piece(ellipse(x, top + 18, 3, 3), metal, puff=0.5)
    stage.seam([(MIDDLE - 80 - flare, top + 10), (MIDDLE, top + 13),
        (MIDDLE + 80 + flare, top + 10)], look.cloth, stitch=look.trim(0.6))
    _handles_front(stage, look, metal, top, rng.uniform(40, 54))
    _charm(stage, look, metal, MIDDLE - 42, top + 44)


def _handles_front(stage: Stage, look: Look, metal: Cloth, top: float, peak: float) -> None:
    line = [(MIDDLE - 42, top + 14), (MIDDLE - 38, (top + peak) / 2), (MIDDLE, peak),
        (MIDDLE + 38, (top + peak) / 2), (MIDDLE + 42, top + 14)]
    stage.piece(ribbon(line, 7), look.plain("leather", look.trim(0.75)), puff=0.8, shadow=0.4)
    for side in (-1, 1):
        stage.piece(cut(ellipse(MIDDLE + side * 42, top + 14, 7, 7),
            ellipse(MIDDLE + side * 42, top + 14, 4, 4)), metal, puff=0.5)


def _charm(stage: Stage, look: Look, metal: Cloth, x: float, y: float) -> None:
    if look.rng.random() < 0.4:
        stage.line([(x, y - 24), (x - 2, y)], metal.colour, 1.4)
        tassel = [Fold([(x - 6 + 2.6 * i, y + 6), (x - 7 + 3 * i, y + 34)], 2.4,
            2.4) for i in range(5)]
        stage.piece(curve([(x - 3, y - 2, 0), (x + 2, y - 2, 0), (x + 7, y + 32, 0),
            (x - 9, y + 32, 0)]), look.plain("suede", look.cloth.accent), tassel, shadow=0.5)


def _satchel(stage: Stage, look: Look, metal: Cloth) -> None:
    rng = look.rng
    _handles(stage, look, metal, 34, 128, rng.uniform(52, 70))
    half = [(MIDDLE, 122), (MIDDLE + 70, 124), (MIDDLE + 88, 138), (MIDDLE + 98, 252),
        (MIDDLE + 90, 270), (MIDDLE, 273)]
    body = curve(symmetric(half))
    stage.piece(body, look.cloth, folds([(210, 160), (203, 210), (208, 262)], width=12))
    low = rng.uniform(190, 218)
    lid = [(MIDDLE, 119), (MIDDLE + 70, 121), (MIDDLE + 88, 134), (MIDDLE + 92, low - 22),
        (MIDDLE + 72, low), (MIDDLE, low + rng.uniform(2, 12))]
    stage.piece(curve(symmetric(lid)), look.cloth, puff=0.6, shadow=0.5, drop=2.6)
    _stitched(stage, look, symmetric([(MIDDLE + (p[0] - MIDDLE) * 0.95,
        123 + (p[1] - 119) * 0.94) for p in lid]))
    for x in (MIDDLE - 48, MIDDLE + 48) if rng.random() < 0.5 else (MIDDLE,):
        stage.piece(box(x - 8, low - 30, x + 8, low + 22, 4), look.plain("leather",
            look.trim(0.75)), puff=0.4, shadow=0.45)
        stage.piece(cut(box(x - 10, low - 6, x + 10, low + 9, 2),
            box(x - 6, low - 2, x + 6, low + 5, 1)), metal, puff=0.5)


def _hobo(stage: Stage, look: Look, metal: Cloth) -> None:
    rng = look.rng
    strap = [(MIDDLE - 84, 172), (MIDDLE - 62, 96), (MIDDLE, rng.uniform(38, 54)),
        (MIDDLE + 62, 96), (MIDDLE + 84, 172)]
    stage.piece(ribbon(strap, 13, 10, 13), look.plain(), puff=0.8)
    half = [(MIDDLE, 182), (MIDDLE + 46, 174), (MIDDLE + 88, 160, 0), (MIDDLE + 100, 210),
        (MIDDLE + 82, 262), (MIDDLE, 280)]
    creases = folds([(MIDDLE + 82, 172), (MIDDLE + 60, 216), (MIDDLE + 20, 240)],
        [(MIDDLE + 84, 168), (MIDDLE + 82, 214), (MIDDLE + 62, 252)],
        [(MIDDLE + 74, 172), (MIDDLE + 40, 200), (MIDDLE, 206)], width=12, height=1.9)
    stage.piece(curve(symmetric(half)), look.cloth, creases, drape=2)
    stage.zip([(MIDDLE - 78, 166), (MIDDLE - 40, 178), (MIDDLE, 184), (MIDDLE + 40, 178),
        (MIDDLE + 78, 166)], look.trim(0.6), 5)
    for side in (-1, 1):
        stage.piece(cut(ellipse(MIDDLE + side * 85, 166, 9, 9),
            ellipse(MIDDLE + side * 85, 166, 5.5, 5.5)), metal, puff=0.5)
    _charm(stage, look, metal, MIDDLE + 70, 196)


def _backpack(stage: Stage, look: Look, metal: Cloth) -> None:
    rng, trim = (look.rng,
        look.plain("canvas", look.cloth.accent if look.rng.random() < 0.5 else look.trim(0.7)))
    strap = [(176, 58), (206, 110), (208, 200), (190, 268)]
    for line in (strap, mirrored(strap)):
        stage.piece(ribbon(line, 15), trim, tint=0.75, puff=0.7)
    stage.piece(ribbon([(102, 44), (104, 22), (136, 22), (138, 44)], 7), trim, puff=0.7)
    half = [(MIDDLE, 34), (MIDDLE + 44, 40), (MIDDLE + 70, 84), (MIDDLE + 77, 180),
        (MIDDLE + 76, 270), (MIDDLE + 54, 288), (MIDDLE, 290)]
    body = curve(symmetric(half))
    stage.piece(body, look.cloth, folds([(MIDDLE + 66, 90), (MIDDLE + 60, 140), (MIDDLE + 70, 190)],
        width=12), puff=1.2)
    zip_line = [(MIDDLE - 62, 170), (MIDDLE - 58, 92), (MIDDLE - 34, 58), (MIDDLE, 52),
        (MIDDLE + 34, 58), (MIDDLE + 58, 92), (MIDDLE + 62, 170)]
    stage.zip(zip_line, look.trim(0.5), 4)
    top = rng.uniform(158, 178)
    pocket = [(MIDDLE, top), (MIDDLE + 42, top + 3), (MIDDLE + 57, top + 22), (MIDDLE + 60, 262),
        (MIDDLE + 46, 276), (MIDDLE, 278)]
    pocket_cloth = trim if rng.random() < 0.3 else look.cloth
    stage.piece(curve(symmetric(pocket)), pocket_cloth, puff=1.0, shadow=0.5, drop=2.4)
    stage.zip([(MIDDLE - 52, top + 30), (MIDDLE - 40, top + 13), (MIDDLE, top + 9),
        (MIDDLE + 40, top + 13), (MIDDLE + 52, top + 30)], look.trim(0.5), 4)
    stage.piece(box(MIDDLE + 36, top + 14, MIDDLE + 40, top + 30, 1.5), metal, puff=0.4)
    for side in (-1, 1):
        net = meet(curve([(MIDDLE + side * 90, 205, 0), (MIDDLE + side * 64, 212),
            (MIDDLE + side * 64, 290, 0), (MIDDLE + side * 90, 290, 0)]), body)
        stage.piece(net, look.plain("mesh", look.trim(0.7)), puff=0.4)
    canvas = stage.canvas
    canvas.save()
    canvas.translate(MIDDLE, 112 if rng.random() < 0.6 else top + 62)
    motif(canvas, rng.choice(GRAPHICS), look.contrast, look.cloth.colour, 11)
    canvas.restore()


def _duffel(stage: Stage, look: Look, metal: Cloth) -> None:
    trim = look.plain("canvas", look.trim(0.65))
    half = [(MIDDLE, 124), (MIDDLE + 72, 128), (MIDDLE + 102, 158), (MIDDLE + 106, 210),
        (MIDDLE + 98, 246), (MIDDLE + 78, 256), (MIDDLE, 257)]
    body = curve(symmetric(half))
    stage.piece(body, look.cloth, folds([(MIDDLE + 60, 140), (MIDDLE + 52, 180),
        (MIDDLE + 62, 240)], [(MIDDLE + 10, 150), (MIDDLE + 20, 190), (MIDDLE + 10, 240)],
        width=13), puff=1.2, drape=2)
    for side in (-1, 1):
        end = meet(curve([(MIDDLE + side * 80, 110, 0), (MIDDLE + side * 84, 190),
            (MIDDLE + side * 78, 270, 0), (MIDDLE + side * 120, 270, 0),
            (MIDDLE + side * 120, 110, 0)]), body)
        stage.piece(end, trim, puff=0.6)
    stage.zip([(MIDDLE - 76, 136), (MIDDLE, 132), (MIDDLE + 76, 136)], look.trim(0.5), 5)
    for lift, tint in ((-10, 0.7), (0, 1)):
        line = [(MIDDLE - 48, 256), (MIDDLE - 46, 160), (MIDDLE - 36, 96 + lift),
            (MIDDLE, 82 + lift), (MIDDLE + 36, 96 + lift), (MIDDLE + 46, 160), (MIDDLE + 48, 256)]
        stage.piece(ribbon(line if tint == 1 else line[1:-1], 8.5), trim, tint=tint, puff=0.5,
            shadow=0.45)
    stage.piece(box(MIDDLE - 12, 80, MIDDLE + 12, 92, 5), look.plain("leather"), puff=0.8)
    for side in (-1, 1):
        stage.piece(ellipse(MIDDLE + side * 96, 164, 6, 7), metal, puff=0.5)


def _clutch(stage: Stage, look: Look, metal: Cloth) -> None:
    rng = look.rng
    chain = arc(MIDDLE, 130, 82, rng.uniform(64, 84), 180, 360, 24)
    if rng.random() < 0.55:
        for x, y in chain:
            stage.piece(cut(ellipse(x, y, 5.4, 4.6), ellipse(x, y, 3, 2.3)), metal, puff=0.4,
                shadow=0.2)
    body = curve(symmetric([(MIDDLE, 132), (MIDDLE + 90, 134), (MIDDLE + 102, 148),
        (MIDDLE + 104, 222), (MIDDLE + 92, 238), (MIDDLE, 241)]))
    pleat = folds(*[[(MIDDLE + 4 + 13 * i, 140), (MIDDLE + 8 + 13 * i, 190),
        (MIDDLE + 6 + 12 * i, 236)] for i in range(8)], width=6, height=1.6)
    stage.piece(body, look.cloth, pleat if rng.random() < 0.5 else (), puff=1.1)
    frame = meet(body, box(0, 120, 240, 145))
    stage.piece(frame, metal, puff=0.8)
    for side in (-1, 1):
        stage.piece(ellipse(MIDDLE + side * 6, 128, 7, 7), metal, puff=1.0)


def _envelope(stage: Stage, look: Look, metal: Cloth) -> None:
    rng = look.rng
    stage.piece(box(14, 98, 226, 230, 5), look.cloth, puff=0.7)
    point = rng.uniform(176, 200)
    lid = [(14, 100, 0), (20, 96), (220, 96), (226, 100, 0), (222, 122), (MIDDLE + 8, point),
        (MIDDLE - 8, point), (18, 122)]
    cloth = look.cloth if rng.random() < 0.6 else look.plain(colour=look.trim(0.75))
    stage.piece(curve(lid), cloth, puff=0.5, shadow=0.55, drop=2.6)
    stage.line([(22, 122), (MIDDLE - 7, point - 5), (MIDDLE + 7, point - 5), (218, 122)],
        look.trim(0.6), 0.7, 0.8, dash=(2.4, 1.6))
    stage.piece(ellipse(MIDDLE, point - 12, 7, 7), metal, puff=0.8)
    if rng.random() < 0.5:
        loop = [(224, 150), (236, 176), (222, 214), (206, 196), (222, 152)]
        stage.piece(ribbon(loop, 5), cloth, puff=0.6, shadow=0.45)


def _bifold(stage: Stage, look: Look, metal: Cloth) -> None:
    del metal
    rng = look.rng
    stage.piece(box(32, 86, 214, 224, 7), look.plain(colour=look.trim(0.8)), puff=0.7)
    for i, tone in enumerate(((214, 206, 190), (120, 150, 190))[: rng.choice((0, 1, 2))]):
        stage.piece(box(48 + i * 6, 80 + i * 3, 196 - i * 4, 130, 4),
            Cloth(tone, material="plastic"), puff=0.2)
    lid = box(26, 90, 208, 230, 7)
    fold = [Fold([(31, 92), (32, 160), (31, 228)], 5, 2.4)]
    stage.piece(lid, look.cloth, fold, puff=0.9, shadow=0.5, drop=2.6)
    stage.line(box(33, 97, 201, 223, 4), look.trim(0.55), 0.8, 0.85, dash=(2.6, 1.7))
    if rng.random() < 0.5:
        band = meet(box(0, 146, 240, 174), lid)
        stage.piece(band, look.plain(colour=look.trim(0.72)), puff=0.3, shadow=0.3)
    canvas = stage.canvas
    canvas.save()
    canvas.translate(176, 202)
    motif(canvas, rng.choice(GRAPHICS), look.trim(0.6), look.cloth.colour, 9)
    canvas.restore()


def _long(stage: Stage, look: Look, metal: Cloth) -> None:
    rng = look.rng
    stage.piece(box(15, 104, 227, 222, 6), look.plain(colour=look.trim(0.8)), puff=0.7)
    stage.piece(box(12, 100, 224, 216, 6), look.cloth, puff=0.9, shadow=0.45)
    if rng.random() < 0.5:
        stage.zip([(18, 102), (120, 101), (219, 102), (223, 112), (223, 204)], look.trim(0.6), 4)
        stage.piece(ribbon([(223, 204), (225, 222), (222, 236)], 5), look.plain(), puff=0.5)
    else:
        tab = curve([(MIDDLE - 17, 96), (MIDDLE + 17, 96), (MIDDLE + 16, 150), (MIDDLE, 160),
            (MIDDLE - 16, 150)])
        stage.piece(tab, look.plain(colour=look.trim(0.75)), puff=0.5, shadow=0.5)
        stage.piece(ellipse(MIDDLE, 146, 5.5, 5.5), metal, puff=0.8)
    stage.line(box(19, 107, 217, 209, 4), look.trim(0.6), 0.7, 0.8, dash=(2.4, 1.6))


BAGS = {"tote": _tote, "satchel": _satchel, "hobo": _hobo, "backpack": _backpack, "duffel": _duffel,
    "clutch": _clutch, "envelope": _envelope, "bifold": _bifold, "long": _long}
