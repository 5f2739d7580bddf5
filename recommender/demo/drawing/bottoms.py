"""Everything worn on the legs."""

from dataclasses import dataclass

from recommender.demo.drawing.cloth import STEEL, Cloth, darker
from recommender.demo.drawing.look import Look
from recommender.demo.drawing.shapes import (
    MIDDLE,
    Points,
    box,
    curve,
    ellipse,
    meet,
    mirrored,
    ribbon,
    symmetric,
)
from recommender.demo.drawing.stage import Fold, Stage, folds

# Outlines read as rows of points, so the formatter leaves them alone.
# fmt: off

COPPER = (206, 146, 72)


@dataclass(frozen=True, kw_only=True)
class Legs:
    """A pattern for two legs; widths at waist, hip, knee and hem are from the middle."""

    waist: float = 38
    hip: float = 50
    knee: float = 51
    hem: float = 47
    inner: float = 13  # from the middle to the inside of the hem
    length: float = 268
    rise: float = 74
    band: str = "button"  # button | elastic
    cargo: bool = False
    side_stripe: bool = False
    cuff: str = ""  # turned | ribbed
    crease: bool = False
    torn: bool = False


@dataclass(frozen=True, kw_only=True)
class Skirt:
    """A pattern for a skirt."""

    waist: float = 37
    hem: float = 72
    length: float = 190
    pleats: int = 0
    flow: float = 1.6
    denim: bool = False
    tiers: int = 0


def _waistband(stage: Stage, look: Look, half: float, y: float, elastic: bool) -> None:
    band = ribbon([(MIDDLE - half, y), (MIDDLE, y + 3), (MIDDLE + half, y)], 12)
    tight = [Fold([(x, y - 7), (x, y + 9)], 3, 1.6) for x in range(int(MIDDLE - half) + 3,
        int(MIDDLE + half), 5)]
    stage.piece(band, look.plain(), tight if elastic else (), puff=0.4, shadow=0.4, drop=1.0)


def legs(stage: Stage, look: Look, cut: Legs) -> None:
    """Draw trousers, jeans, shorts or leggings."""
    rng = look.rng
    waist = cut.waist * rng.uniform(0.95, 1.05)
    hip, knee, hem = (w * rng.uniform(0.97, 1.04) for w in (cut.hip, cut.knee, cut.hem))
    long = cut.length * rng.uniform(0.96, 1.02)
    top = 160 - long / 2
    end, crotch = top + long, top + cut.rise
    half: Points = [
        (MIDDLE, top + 3),
        (MIDDLE + waist, top, 0),
        (MIDDLE + hip, top + cut.rise * 0.72),
        (MIDDLE + (hip * 0.35 + knee * 0.65), top + cut.rise + (long - cut.rise) * 0.4),
        (MIDDLE + hem, end - 2, 0),
        (MIDDLE + cut.inner, end, 0),
        (MIDDLE + 2 + cut.inner * 0.35, crotch + (end - crotch) * 0.35),
        (MIDDLE, crotch, 0),
    ]
    outline = [*half[:-1], half[-1], *mirrored(half[1:-1])[::-1]]
    body = curve(outline)
    knee_y = crotch + (end - crotch) * 0.42
    creases = folds([(MIDDLE + 2, crotch - 6), (MIDDLE + hip * 0.4,
        crotch - 14 + rng.uniform(-4, 4)), (MIDDLE + hip * 0.85, crotch - 30)],
        [(MIDDLE + 3, crotch + 1), (MIDDLE + hip * 0.4, crotch + 4),
        (MIDDLE + hip * 0.8, crotch - 4)], width=7, height=1.3)
    for side in (-1, 1):
        for _ in range(5 if long > 180 else 1):
            y = rng.choice((knee_y, knee_y, end - 16)) + rng.uniform(-16, 14)
            x = MIDDLE + side * knee * rng.uniform(0.35, 0.6)
            line = [(x - 13, y + rng.uniform(-5, 5)), (x, y + 2), (x + 14, y + rng.uniform(-6, 6))]
            creases.append(Fold(line, 5, rng.uniform(-1.3, 1.5)))
        if cut.crease:
            middle = MIDDLE + side * (hem + cut.inner) / 2
            creases.append(Fold([(MIDDLE + side * waist * 0.6, top + 30), (middle, knee_y),
                (middle, end + 30)], 3.2, 1.8))
    inside = curve(symmetric([(MIDDLE, top - 4), (MIDDLE + waist - 1, top, 0), (MIDDLE, top + 16)]))
    stage.piece(inside, look.cloth, tint=0.5, puff=0.3, shadow=0)
    stage.piece(body, look.cloth, creases)
    denim = look.cloth.material == "denim"
    if denim:
        _denim(stage, look, cut, body, half, knee_y)
    if cut.side_stripe:
        stripe = [(p[0] - 6, *p[1:]) for p in half[1:5]]
        for edge in (stripe, mirrored(stripe)):
            for offset in (0, 5) if rng.random() < 0.5 else (0,):
                at = [(x - offset * (1 if x > MIDDLE else -1), *rest) for x, *rest in edge]
                stage.piece(meet(ribbon(at, 3), body), look.plain(colour=look.cloth.accent), puff=0,
                    shadow=0)
    if cut.cuff:
        height = 13 if cut.cuff == "ribbed" else 9
        hems = meet(body, box(0, end - height, 240, 330))
        stage.piece(hems, look.plain("rib") if cut.cuff == "ribbed" else look.cloth, puff=0.6,
            shadow=0.4, drop=1)
    else:
        for side in (-1, 1):
            stage.line([(MIDDLE + side * cut.inner, end - 4.5), (MIDDLE + side * hem, end - 6.5)],
                darker(look.cloth.colour, 0.6), 0.6, 0.6)
    _waistband(stage, look, waist, top + 4, cut.band == "elastic")
    thread = COPPER if denim else None
    if cut.band == "elastic":
        for side in (-1, 1):
            if look.cloth.material in ("fleece", "jersey",
                "nylon") and cut.inner > 5 and cut.waist > 35:
                cord = [(MIDDLE + side * 2, top + 6), (MIDDLE + side * 5, top + 24),
                    (MIDDLE + side * 3, top + 38 + 3 * side)]
                stage.line(cord, look.contrast, 1.6)
    else:
        stage.seam([(MIDDLE, top + 12), (MIDDLE, crotch)], look.cloth)
        if denim:
            fly = [(MIDDLE + 8, top + 12), (MIDDLE + 8, crotch - 24), (MIDDLE + 1, crotch - 10)]
            stage.line(fly, COPPER, 0.7, 0.9, dash=(2.2, 1.3))
        stage.button(MIDDLE + 1, top + 6.5, 3.0, COPPER if denim else darker(look.cloth.colour,
            0.5))
        for side in (-1, 1):
            for share in (0.45, 0.9):
                x = MIDDLE + side * waist * share
                stage.piece(box(x - 2, top - 2, x + 2, top + 13, 0.6), look.cloth, puff=0.3,
                    shadow=0.4, drop=0.8)
    if cut.waist > 35 and look.cloth.material not in ("satin",) and cut.inner < 40 and cut.hip > 43:
        bend: Points = [(MIDDLE + waist * 0.5, top + 11), (MIDDLE + waist * 0.62, top + 27),
            (MIDDLE + hip * 0.9, top + 34)]
        slant: Points = [(MIDDLE + waist * 0.62, top + 11), (MIDDLE + hip * 0.86, top + 42)]
        for opening in (bend if denim else slant, mirrored(bend if denim else slant)):
            stage.seam(opening, look.cloth, stitch=thread)
    if cut.cargo:
        for side in (-1, 1):
            x, y = MIDDLE + side * (hip * 0.68), crotch + 20
            stage.piece(box(x - 14, y, x + 14, y + 38, 2), look.cloth, puff=0.35, shadow=0.45)
            stage.piece(box(x - 15, y - 4, x + 15, y + 8, 2), look.cloth, puff=0.3, shadow=0.45)
            stage.button(x, y + 4, 1.8, darker(look.cloth.colour, 0.5))


def _denim(stage: Stage, look: Look, cut: Legs, body: object, half: Points, knee_y: float) -> None:
    rng = look.rng
    stage.canvas.save()
    stage.canvas.clipPath(body, True)
    fade = rng.choice((0.0, 0.16, 0.3, 0.42)) if sum(look.cloth.colour) > 190 else 0.12
    thigh = half[7][1] + 16
    for side in (-1, 1):
        x = MIDDLE + side * cut.knee * 0.56
        for y, tall in ((thigh, 46), (knee_y + 6, 30)):
            stage.fill(ellipse(x, y, 12, tall), (226, 234, 244), fade, blur=9)
        for _ in range(6):
            y = thigh - 22 + rng.uniform(-8, 14)
            line = [(x - side * 16, y), (x, y - 4), (x + side * 18, y - 11)]
            stage.line(line, (230, 238, 246), 1.4, fade * 0.7, blur=1.0)
        if cut.torn:
            for y in (knee_y, knee_y - 44 * (side > 0) + 3):
                stage.fill(ellipse(x, y, 12, 5.5), (238, 240, 244), 0.9, blur=0.8)
                for k in range(5):
                    stage.line([(x - 11, y - 3.6 + 1.8 * k), (x + 11, y - 3.4 + 1.8 * k)],
                        darker(look.cloth.colour, 1.3), 0.6, 0.7)
    stage.canvas.restore()
    inner, outer = half[4:8], half[1:5]
    for edge, dx in ((outer, -3.0), (inner[1:], 3.0)):
        moved = [(p[0] + dx, *p[1:]) for p in edge]
        for each in (moved, mirrored(moved)):
            stage.line(each, COPPER, 0.55, 0.65, dash=(2.0, 1.3))


def skirt(stage: Stage, look: Look, cut: Skirt) -> None:
    """Draw a skirt."""
    rng = look.rng
    waist, hem = cut.waist * rng.uniform(0.95, 1.05), cut.hem * rng.uniform(0.94, 1.06)
    long = cut.length * rng.uniform(0.94, 1.05)
    top = 160 - long / 2
    end = top + long
    wave = [(MIDDLE + hem * (1 - i / 3.5),
        end + (3 if i % 2 else -1) * cut.flow + 5 * i / 3.5) for i in range(1, 4)]
    hips = MIDDLE + max(waist * 1.2, waist + (hem - waist) * 0.5)
    half = [(MIDDLE, top + 3), (MIDDLE + waist, top, 0), (hips, top + long * 0.36),
        (MIDDLE + hem, end - 4, 0), *wave, (MIDDLE, end + 5)]
    body = curve(symmetric(half))
    creases = []
    count = cut.pleats or round(hem / 8)
    for i in range(count + 1):
        at = -1 + 2 * (i + (0 if cut.pleats else rng.uniform(-0.3, 0.3))) / count
        high = 2.6 if cut.pleats else cut.flow * rng.uniform(0.5, 1.4) * (-1) ** i
        line = [(MIDDLE + at * waist, top + rng.uniform(8, 14)),
            (MIDDLE + at * (hips - MIDDLE) * 0.98, top + long * 0.4), (MIDDLE + at * hem, end + 14)]
        creases.append(Fold(line, 5 if cut.pleats else 10, high))
    inside = curve(symmetric([(MIDDLE, top - 4), (MIDDLE + waist - 1, top, 0), (MIDDLE, top + 14)]))
    stage.piece(inside, look.cloth, tint=0.5, puff=0.3, shadow=0)
    stage.piece(body, look.cloth, creases, drape=0.6)
    for i in range(1, cut.tiers):
        tier = meet(box(0, top + long * i / cut.tiers, 240, 340), body)
        ruffle = [Fold([(x, top), (x + rng.uniform(-3, 3), end)], 5,
            rng.uniform(0.8, 2)) for x in range(40, 204, 9)]
        stage.piece(tier, look.cloth, ruffle, puff=0.6, shadow=0.5)
    if cut.denim:
        thread = COPPER
        stage.seam([(MIDDLE, top + 10), (MIDDLE, end + 3)], look.cloth, stitch=thread)
        pocket = [(MIDDLE + waist * 0.45, top + 10), (MIDDLE + waist * 0.6, top + 26),
            (MIDDLE + waist * 1.15, top + 32)]
        for side in (pocket, mirrored(pocket)):
            stage.seam(side, look.cloth, stitch=thread)
        stage.line([(p[0], p[1] - 5) for p in [(MIDDLE - hem, end - 4), (MIDDLE, end + 5),
            (MIDDLE + hem, end - 4)]], COPPER, 0.6, 0.8, dash=(2, 1.3))
    elif not cut.pleats:
        stage.line([(MIDDLE - hem + 2, end - 9), (MIDDLE, end), (MIDDLE + hem - 2, end - 9)],
            darker(look.cloth.colour, 0.6), 0.5, 0.4)
    _waistband(stage, look, waist, top + 4, cut.pleats == 0 and not cut.denim and cut.hem > 66)
    if cut.denim:
        stage.button(MIDDLE, top + 7, 3, COPPER)
    elif cut.hem < 60:
        stage.piece(box(MIDDLE + waist - 9, top + 2, MIDDLE + waist - 6, top + 12, 1),
            Cloth(STEEL, material="metal"), puff=0.3)
