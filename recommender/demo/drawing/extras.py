"""Belts, caps, ties, scarves and socks."""

from dataclasses import dataclass, replace

from recommender.demo.drawing.cloth import BRASS, STEEL, Cloth, darker
from recommender.demo.drawing.look import Look
from recommender.demo.drawing.motifs import GRAPHICS, KIDS_GRAPHICS, motif
from recommender.demo.drawing.shapes import (
    MIDDLE,
    arc,
    box,
    curve,
    cut,
    ellipse,
    meet,
    ribbon,
    shifted,
)
from recommender.demo.drawing.stage import Fold, Stage

# Outlines read as rows of points, so the formatter leaves them alone.
# fmt: off


@dataclass(frozen=True, kw_only=True)
class Extra:
    """Which of the small things."""

    kind: str  # belt | cap | beanie | tie | scarf | socks


def extra(stage: Stage, look: Look, cut_: Extra) -> None:
    """Draw one of the small things."""
    EXTRAS[cut_.kind](stage, look)


def _belt(stage: Stage, look: Look) -> None:
    rng = look.rng
    wide = rng.uniform(24, 32) * (0.78 if look.feminine else 1)
    metal = Cloth(rng.choice((STEEL, BRASS, (120, 120, 126))), material="metal")
    for k, shrink in ((0, 0.82), (1, 1.0)):
        far = arc(MIDDLE, 150, 96 * shrink, 42 * shrink, 192 - 12 * k, 348 + 12 * k, 15)
        band = ribbon(far, wide * 0.96, wide * 0.66, wide * 0.96)
        stage.piece(band, look.plain(), tint=0.5 + 0.15 * k, puff=0.25,
            shadow=0.3)
    near = arc(MIDDLE, 150, 96, 66, 182, -2, 17)
    stage.piece(ribbon(near, wide), look.cloth, puff=0.3, shadow=0.5)
    for inset in (-0.36, 0.36):
        stage.line(arc(MIDDLE, 150 + wide * inset, 97, 66, 172, 8, 17), look.trim(0.6), 0.8, 0.85,
            dash=(3, 1.8))
    for a in (46, 55, 64):
        stage.fill(ellipse(*arc(MIDDLE, 150, 97, 66, a, a, 1)[0], 2, 2.4), (0, 0, 0), 0.8)
    y, half = 216, wide * 0.78
    stage.piece(box(MIDDLE + half + 8, y - wide * 0.62, MIDDLE + half + 17, y + wide * 0.54, 2),
        look.plain(), puff=0.6, shadow=0.5)
    shape = rng.choice(("frame", "plate", "round"))
    if shape == "plate":
        stage.piece(box(MIDDLE - half - 4, y - half, MIDDLE + half + 4, y + half, 4), metal,
            puff=1.0, shadow=0.5)
        stage.canvas.save()
        stage.canvas.translate(MIDDLE, y)
        motif(stage.canvas, rng.choice(GRAPHICS), darker(metal.colour, 0.5), metal.colour,
            half * 0.5)
        stage.canvas.restore()
        return
    outer = box(MIDDLE - half, y - half, MIDDLE + half, y + half,
        5) if shape == "frame" else ellipse(MIDDLE, y, half * 1.1, half * 1.05)
    hole = box(MIDDLE - half + 6, y - half + 6, MIDDLE + half - 6, y + half - 6,
        2) if shape == "frame" else ellipse(MIDDLE, y, half * 0.8, half * 0.76)
    stage.piece(cut(outer, hole), metal, puff=0.7, shadow=0.5)
    stage.piece(ribbon([(MIDDLE - half + 3, y), (MIDDLE + half - 1, y)], 4), metal, puff=0.6,
        shadow=0.5)


def _cap(stage: Stage, look: Look) -> None:
    rng = look.rng
    brim_cloth = look.cloth if rng.random() < 0.6 else look.plain(colour=look.cloth.accent)
    dome = [(58, 200), (60, 150), (92, 100), (142, 86), (194, 108), (222, 160), (226, 206, 0),
        (150, 214)]
    body = curve(dome)
    stage.piece(body, look.cloth, [Fold([(150, 88), (196, 130), (214, 204)], 9, -0.9),
        Fold([(140, 88), (92, 130), (74, 196)], 9, 0.8)], puff=1.4, drape=0.4)
    for seam in ([(143, 87), (150, 150), (146, 212)], [(143, 87), (200, 130), (216, 206)],
        [(143, 87), (86, 128), (66, 198)]):
        stage.seam(seam, look.cloth, stitch=look.trim(0.7))
    for x, y in ((112, 118), (182, 122)):
        stage.line(ellipse(x, y, 2.4, 2.8), look.trim(0.6), 1.6)
    brim = [(64, 190, 0), (104, 196), (148, 214, 0), (120, 232), (66, 240), (22, 232), (14, 216),
        (34, 200)]
    stage.piece(curve(brim), brim_cloth, [Fold([(30, 222), (80, 212), (138, 220)], 16, 1.4)],
        puff=0.8, shadow=0.55, drop=2.4)
    for k in range(4):
        row = [(24 + 6 * k, 228 - 5 * k), (70, 234 - 6.5 * k), (118 + 5 * k, 226 - 4 * k)]
        stage.line(row, look.trim(0.7), 0.6, 0.7, dash=(2.2, 1.4))
    stage.piece(ellipse(143, 87, 7, 4.5), brim_cloth, puff=0.7)
    stage.canvas.save()
    stage.canvas.translate(112, 158)
    stage.canvas.scale(0.9, 1)
    motif(stage.canvas, rng.choice(KIDS_GRAPHICS if look.kid else GRAPHICS), look.contrast,
        look.cloth.colour, 17)
    stage.canvas.restore()


def _beanie(stage: Stage, look: Look) -> None:
    rng = look.rng
    body = curve([(50, 214), (46, 160), (74, 96), (MIDDLE, 72), (166, 96), (194, 160), (190, 214)])
    ribs = [Fold([(MIDDLE + 3 * k, 74), (MIDDLE + 9.5 * k, 130), (MIDDLE + 10.5 * k, 216)], 5,
        2.0) for k in range(-6, 7)]
    stage.piece(body, replace(look.cloth, material="knit"), ribs, puff=1.3)
    cuff = curve([(40, 208), (44, 200), (MIDDLE, 208), (196, 200), (200, 208), (200, 246),
        (MIDDLE, 258), (40, 246)])
    folds_ = [Fold([(MIDDLE + 11 * k, 202), (MIDDLE + 11.4 * k, 256)], 5, 2.4) for k in range(-7,
        8)]
    stage.piece(cuff, look.plain("knit"), folds_, puff=1.0, shadow=0.5, drop=2.4)
    if rng.random() < 0.6:
        pom = ellipse(MIDDLE, 64, 26, 25)
        fluff = [Fold([(MIDDLE, 64), (MIDDLE + 13 * x, 64 + 13 * y),
            (MIDDLE + 27 * x, 64 + 27 * y)], 5, 3) for x, y in arc(0, 0, 1, 1, 0, 340, 18)]
        stage.piece(pom, look.plain("wool", look.cloth.accent), fluff, puff=1.2)


def _tie(stage: Stage, look: Look) -> None:
    rng = look.rng
    wide = rng.uniform(27, 36)
    tail = [(MIDDLE - 6, 70, 0), (MIDDLE + 12, 70, 0), (MIDDLE + 22, 236, 0), (MIDDLE + 10, 252, 0),
        (MIDDLE - 4, 240, 0)]
    stage.piece(curve(shifted(tail, 7, 0)), look.cloth, tint=0.8, puff=0.5)
    loop = [(MIDDLE - 12, 30), (MIDDLE - 30, 22), (MIDDLE - 14, 12), (MIDDLE + 14, 12),
        (MIDDLE + 30, 22), (MIDDLE + 12, 30)]
    stage.piece(ribbon(loop, 9), look.cloth, tint=0.75, puff=0.6, turn=60)
    blade = [(MIDDLE - 10, 58, 0), (MIDDLE + 10, 58, 0), (MIDDLE + wide * 0.7, 170),
        (MIDDLE + wide, 268, 0), (MIDDLE, 304, 0), (MIDDLE - wide, 268, 0),
        (MIDDLE - wide * 0.7, 170)]
    creases = [Fold([(MIDDLE + 1, 58), (MIDDLE + 2, 96), (MIDDLE - 3, 150)], 7, -2.0),
        Fold([(MIDDLE - 6, 60), (MIDDLE - 9, 110), (MIDDLE - 14, 160)], 7, 1.2)]
    stage.piece(curve(blade), look.cloth, creases, puff=0.8, drape=0.4, shadow=0.5)
    knot = [(MIDDLE - 20, 24, 0), (MIDDLE, 20), (MIDDLE + 20, 24, 0), (MIDDLE + 11, 62, 0),
        (MIDDLE, 65), (MIDDLE - 11, 62, 0)]
    stage.piece(curve(knot), look.cloth, [Fold([(MIDDLE - 14, 30), (MIDDLE - 2, 42),
        (MIDDLE + 6, 60)], 6, 1.2)], puff=0.9, turn=70, shadow=0.55, drape=0.3)


def _fringe(stage: Stage, look: Look, left: float, right: float, y: float) -> None:
    x = left
    while x < right:
        end = x + look.rng.uniform(-2, 2)
        stage.line([(x, y - 2), (x + 0.5, y + 8), (end, y + 20)],
            darker(look.cloth.colour, look.rng.uniform(0.7, 1.1)), 1.6, 0.95)
        x += 3.2


def _scarf(stage: Stage, look: Look) -> None:
    rng = look.rng

    def tail(x: float, end: float, lean: float) -> None:
        shape = [(x - 24, 110, 0), (x + 24, 110, 0), (x + 30 + lean, 200), (x + 34 + lean, end, 0),
            (x - 30 + lean, end, 0), (x - 27 + lean * 0.5, 200)]
        creases = [Fold([(x + 11 * k, 112), (x + 12 * k + lean * 0.5, 190),
            (x + 14 * k + lean, end - 4)], 9, high) for k, high in ((-1.5, 2.0), (-0.6, -2.2),
            (0.3, 2.2), (1.3, -1.8))]
        _fringe(stage, look, x - 28 + lean, x + 33 + lean, end)
        stage.piece(curve(shape), look.cloth, creases, puff=0.8, shadow=0.5, drop=3)

    tail(142, rng.uniform(236, 256), 14)
    tail(100, rng.uniform(262, 278), -10)
    back = curve(arc(MIDDLE, 84, 64, 40, 0, 345, 16))
    stage.piece(back, look.cloth, tint=0.5, puff=0.5)
    front = [(48, 66), (42, 96), (66, 132), (MIDDLE, 146), (174, 132), (198, 96), (192, 66),
        (168, 96), (MIDDLE, 106), (72, 96)]
    creases = [Fold([(50, 78 + 9 * k), (MIDDLE, 112 + 10 * k), (190, 78 + 9 * k)], 8,
        2.2 * (-1) ** k) for k in range(4)]
    stage.piece(curve(front), look.cloth, creases, puff=1.0, shadow=0.55, drop=3, turn=30)
    knot = curve([(96, 104), (134, 104), (142, 150), (118, 160), (92, 148)])
    stage.piece(knot, look.cloth, [Fold([(104, 108), (112, 132), (108, 154)], 8, 2),
        Fold([(126, 108), (128, 132), (124, 154)], 8, 2)], puff=1.0, shadow=0.5, drop=3)


def _socks(stage: Stage, look: Look) -> None:
    rng = look.rng
    top = rng.choice((40, 40, 96, 150))
    accent = look.plain("rib", look.cloth.accent)
    sock = [(126, top, 0), (176, top, 0), (178, 170), (184, 222), (178, 256), (150, 268), (96, 282),
        (60, 284), (44, 266), (54, 246), (96, 232), (124, 206), (128, 160)]
    for dx, dy, tint in ((22, -16, 0.85), (-14, 6, 1.0)):
        points = shifted(sock, dx, dy)
        body = curve(points)
        creases = [Fold([(x + dx, y + dy), (x + 14 + dx, y - 5 + dy), (x + 32 + dx, y - 14 + dy)],
            6, 1.5) for x, y in ((126, 206), (128, 216), (126, 194))]
        cloth = replace(look.cloth, material="knit")
        stage.piece(body, cloth, creases, tint=tint, shadow=0.4, drop=2.2)
        cuff = meet(body, box(0, top + dy - 2, 240, top + dy + 24))
        stage.piece(cuff, accent if rng.random() < 0.4 else look.plain("rib"), tint=tint, puff=0.5,
            shadow=0.25)
        for patch in (ellipse(182 + dx, 250 + dy, 34, 34), ellipse(44 + dx, 268 + dy, 38, 32)):
            stage.piece(meet(patch, body), accent, tint=tint, puff=0.6, shadow=0.15, drop=0.5)


EXTRAS = {"belt": _belt, "cap": _cap, "beanie": _beanie, "tie": _tie, "scarf": _scarf,
    "socks": _socks}
