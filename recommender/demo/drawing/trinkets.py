"""Watches and sunglasses: metal and glass."""

import math
from dataclasses import dataclass

import skia

from recommender.demo.drawing.cloth import BLACK, BRASS, RGB, STEEL, WHITE, Cloth, darker, luminance
from recommender.demo.drawing.look import Look
from recommender.demo.drawing.shapes import (
    MIDDLE,
    Points,
    arc,
    box,
    curve,
    cut,
    ellipse,
    meet,
    mirrored,
    polygon,
    ribbon,
    sample,
)
from recommender.demo.drawing.stage import Stage, ink

# Outlines read as rows of points, so the formatter leaves them alone.
# fmt: off

GEMS: tuple[RGB, ...] = ((196, 34, 62), (36, 92, 190), (30, 140, 96), (232, 236, 244),
    (140, 80, 180), (30, 30, 36), (70, 190, 200), (240, 150, 170))


@dataclass(frozen=True, kw_only=True)
class Watch:
    """A wrist watch; the item's colour is its dial's."""

    kind: str = "analogue"  # analogue | chronograph | digital
    strap: str = "leather"  # leather | links | rubber


@dataclass(frozen=True, kw_only=True)
class Glasses:
    """Sunglasses."""

    kind: str = "wayfarer"  # wayfarer | aviator | round | cat eye | wrap


def watch(stage: Stage, look: Look, cut_: Watch) -> None:
    """Draw a watch from the front."""
    rng = look.rng
    small = 0.82 if look.feminine else 0.94 if look.kid else 1.0
    radius = rng.uniform(56, 62) * small
    width = radius * rng.uniform(0.92, 1.08)
    y = 160
    case = Cloth(rng.choice((STEEL, STEEL, BRASS, (70, 70, 76))), material="metal")
    dial = look.cloth.colour
    strap_tone = {"leather": rng.choice(((70, 44, 30), (36, 34, 34), (128, 82, 48))),
        "rubber": dial, "links": case.colour}[cut_.strap]
    strap = Cloth(strap_tone, material={"links": "steel"}.get(cut_.strap, cut_.strap))
    for up in (-1, 1):
        far = y + up * (radius + 92)
        band = curve([(MIDDLE - width * 0.72, y + up * radius * 0.6, 0),
            (MIDDLE + width * 0.72, y + up * radius * 0.6, 0), (MIDDLE + width * 0.56, far - up * 8,
            0), (MIDDLE + width * 0.4, far), (MIDDLE - width * 0.4, far),
            (MIDDLE - width * 0.56, far - up * 8, 0)])
        if cut_.strap == "links":
            _links(stage, band, strap, y + up * radius * 0.8, far, up)
            continue
        stage.piece(band, strap, puff=0.9)
        inset = 0.9
        for side in (-1, 1):
            line = [(MIDDLE + side * width * 0.66 * inset, y + up * radius),
                (MIDDLE + side * width * 0.5 * inset, far - up * 8)]
            stage.line(line, darker(strap_tone, 1.5), 0.8, 0.7, dash=(3, 2))
        if up > 0:
            for i in range(4):
                stage.fill(ellipse(MIDDLE, y + radius + 30 + 15 * i, 2.6, 2), (0, 0, 0), 0.75)
    if cut_.kind == "digital":
        _digital(stage, look, radius, y)
        return
    square = look.feminine and rng.random() < 0.25

    def shape(r: float) -> skia.Path:
        if not square:
            return ellipse(MIDDLE, y, r, r)
        return box(MIDDLE - r * 0.9, y - r * 0.95, MIDDLE + r * 0.9, y + r * 0.95, r * 0.25)

    for dy in (-0.36, 0, 0.36) if cut_.kind == "chronograph" else (0,):
        stage.piece(box(MIDDLE + radius * 0.9, y + dy * radius - 6, MIDDLE + radius * 1.14,
            y + dy * radius + 6, 3), case, puff=0.6)
    stage.piece(shape(radius), case, puff=1.4)
    bezel = rng.choice((case.colour, case.colour, darker(dial, 0.6)))
    ring = cut(shape(radius * 0.96), shape(radius * 0.82))
    stage.piece(ring, Cloth(bezel, material="metal" if bezel == case.colour else "plastic"),
        puff=0.8)
    face = shape(radius * 0.82)
    stage.piece(face, Cloth(dial, material="satin"), puff=-0.25, drape=0, shadow=0)
    mark = WHITE if luminance(dial) < 0.5 else BLACK
    _dial(stage, cut_, rng.choice((12, 12, 4)), radius * 0.82, y, mark)
    stage.line(face, (0, 0, 0), 2.2, 0.35, blur=1)
    _glare(stage, face, MIDDLE, y, radius)


def _links(stage: Stage, band: skia.Path, strap: Cloth, near: float, far: float, up: int) -> None:
    step = 12.5
    row = near
    while (far - row) * up > 0:
        lo, hi = sorted((row, row + up * (step - 0.8)))
        for left, right in ((0, MIDDLE - 17), (MIDDLE - 16, MIDDLE + 16), (MIDDLE + 17, 240)):
            stage.piece(meet(box(left, lo, right, hi, 2), band), strap, puff=0.7, shadow=0.3,
                drop=0.6)
        row += up * step


def _dial(stage: Stage, cut_: Watch, count: int, radius: float, y: float, mark: RGB) -> None:
    def spot(turn: float, share: float, x0: float = MIDDLE, y0: float = y) -> tuple[float, float]:
        angle = 2 * math.pi * turn
        return x0 + math.sin(angle) * radius * share, y0 - math.cos(angle) * radius * share

    for i in range(60):
        stage.line([spot(i / 60, 0.93), spot(i / 60, 0.97)], mark, 0.6, 0.6)
    for i in range(count):
        stage.line([spot(i / count, 0.76), spot(i / count, 0.9)], mark, 2.6)
    if cut_.kind == "chronograph":
        for turn in (0.25, 0.5, 0.75):
            x, sub_y = spot(turn, 0.46)
            sub = ellipse(x, sub_y, radius * 0.22, radius * 0.22)
            stage.fill(sub, mark, 0.16)
            stage.line(sub, mark, 0.8, 0.7)
            stage.line([(x, sub_y), spot(turn * 1.7, 0.16, x, sub_y)], mark, 1.0)
    # Ten past ten: the catalog's own hour.
    for turn, share, width in ((10.15 / 12, 0.5, 3.4), (10 / 60, 0.72, 2.4)):
        stage.line([(MIDDLE + 1, y + 2), (spot(turn, share)[0] + 1, spot(turn, share)[1] + 2)],
            (0, 0, 0), width, 0.3, blur=0.8)
        stage.line([(MIDDLE, y), spot(turn, share)], mark, width)
    stage.line([spot(0.09, 0.2), spot(0.59, 0.78)], (200, 60, 50), 0.9)
    stage.fill(ellipse(MIDDLE, y, 2.8, 2.8), mark)


def _digital(stage: Stage, look: Look, radius: float, y: float) -> None:
    body = box(MIDDLE - radius, y - radius * 0.98, MIDDLE + radius, y + radius * 0.98, radius * 0.4)
    stage.piece(body, look.plain("rubber"), puff=1.2)
    for side in (-1, 1):
        for dy in (-0.5, 0.5):
            stage.piece(ellipse(MIDDLE + side * radius * 1.0, y + dy * radius, 5, 7),
                Cloth(STEEL, material="metal"), puff=0.5)
    stage.piece(box(MIDDLE - radius * 0.76, y - radius * 0.66, MIDDLE + radius * 0.76,
        y + radius * 0.66, 9), Cloth((36, 38, 42), material="plastic"), puff=0.4)
    glass = box(MIDDLE - radius * 0.62, y - radius * 0.42, MIDDLE + radius * 0.62,
        y + radius * 0.42, 4)
    stage.piece(glass, Cloth((176, 190, 168), material="plastic"), puff=-0.2, shadow=0)
    segments = {"1": "cf", "0": "abcdef", "8": "abcdefg", "2": "abged", "4": "fgbc", "5": "afgcd",
        "9": "abcdfg"}
    w, h = radius * 0.19, radius * 0.24
    for i, digit in enumerate(look.rng.choice(("1008", "1025", "0948"))):
        x = MIDDLE - radius * 0.53 + i * radius * 0.275 + (i > 1) * radius * 0.08
        corner = {"a": (0, -h, w, -h), "b": (w, -h, w, 0), "c": (w, 0, w, h), "d": (0, h, w, h),
            "e": (0, 0, 0, h), "f": (0, -h, 0, 0), "g": (0, 0, w, 0)}
        for name in "bc" if digit == "1" else segments[digit]:
            ax, ay, bx, by = corner[name]
            stage.line([(x + ax, y + ay), (x + bx, y + by)], (30, 36, 32), 3)
    for dy in (-5, 5):
        stage.fill(ellipse(MIDDLE + 0.5, y + dy, 1.6, 1.6), (30, 36, 32))
    _glare(stage, glass, MIDDLE, y, radius)


def _glare(stage: Stage, glass: skia.Path, x: float, y: float, radius: float) -> None:
    """A window's reflection across a glass."""
    band = curve([(x - radius * 1.2, y + radius * 0.1, 0), (x + radius * 0.2, y - radius * 1.2, 0),
        (x + radius * 0.55, y - radius * 1.0, 0), (x - radius * 0.9, y + radius * 0.5, 0)])
    stage.fill(meet(glass, band), (255, 255, 255), 0.16, blur=0.8)


LENSES: dict[str, Points] = {
    "wayfarer": [(24, 132, 0), (66, 127), (106, 133), (110, 150), (98, 184), (64, 193), (32, 182),
        (20, 150)],
    "aviator": [(24, 134), (62, 126), (102, 132), (109, 150), (94, 188), (58, 202), (28, 182),
        (19, 152)],
    "round": arc(63, 160, 43, 41, 0, 330, 12),
    "cat eye": [(10, 122, 0), (56, 130), (104, 138), (110, 156), (94, 184), (60, 191), (30, 176),
        (19, 150)],
    "wrap": [(8, 140), (50, 130), (108, 138), (114, 152), (102, 176), (60, 184), (24, 174),
        (8, 156)],
}


def glasses(stage: Stage, look: Look, cut_: Glasses) -> None:
    """Draw sunglasses from the front, temples folded behind."""
    rng = look.rng
    lens = LENSES[cut_.kind]
    thin = cut_.kind == "aviator" or (cut_.kind == "round" and rng.random() < 0.6)
    frame = Cloth(rng.choice((BRASS, STEEL)), material="metal") if thin else look.plain("plastic")
    tone = look.cloth.colour if thin else rng.choice(((40, 42, 46), (74, 56, 44), (52, 66, 84),
        darker(look.cloth.colour, 0.5)))
    for side in (-1, 1):
        arm = [(MIDDLE + side * 98, 142), (MIDDLE + side * 86, 116), (MIDDLE + side * 30, 104),
            (MIDDLE - side * 46, 112)]
        stage.piece(ribbon(arm, 7, 5, 5, 6), frame, tint=0.8, puff=0.5, shadow=0.2)
    top = min(p[1] for p in lens)
    bridge = [(102, top + 20), (MIDDLE, top + 12), (138, top + 20)]
    stage.piece(ribbon(bridge, 4 if thin else 9), frame, puff=0.6)
    if cut_.kind == "aviator":
        stage.piece(ribbon([(90, top + 3), (MIDDLE, top + 1), (150, top + 3)], 3.4), frame,
            puff=0.6)
    for points in (lens, mirrored(lens)):
        glass = curve(points)
        middle_x = sum(p[0] for p in points) / len(points)
        stage.piece(ribbon(points, 5 if thin else 15 if cut_.kind != "wrap" else 8, closed=True),
            frame, puff=0.8, shadow=0.3)
        canvas = stage.canvas
        canvas.save()
        canvas.clipPath(glass, True)
        shader = skia.GradientShader.MakeLinear([skia.Point(0, top), skia.Point(0, top + 72)],
            [skia.Color(*darker(tone, 0.62)), skia.Color(*darker(tone, 0.95)),
            skia.Color(*darker(tone, 1.42))])
        canvas.drawPaint(skia.Paint(Shader=shader, AntiAlias=True))
        canvas.drawPath(glass, ink((0, 0, 0), 0.55, width=5, blur=2.5))
        for dx, wide, alpha in ((-26, 15, 0.30), (0, 6, 0.20)):
            streak = polygon(sample([(middle_x + dx + 24, top - 6, 0),
                (middle_x + dx + 24 + wide, top - 6, 0), (middle_x + dx - 12 + wide, top + 84, 0),
                (middle_x + dx - 12, top + 84, 0)]))
            canvas.drawPath(streak, ink((255, 255, 255), alpha, blur=1.6))
        canvas.restore()
        stage.line(glass, darker(frame.colour, 0.45), 0.9, 0.8)
    if not thin:
        for side in (-1, 1):
            left, right = sorted((MIDDLE + side * 94, MIDDLE + side * 101))
            stage.piece(box(left, top + 12, right, top + 15, 1.2), Cloth(STEEL, material="metal"),
                puff=0.4)
