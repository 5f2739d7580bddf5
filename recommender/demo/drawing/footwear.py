"""Shoes from the side, toe to the left."""

from dataclasses import dataclass, replace

from recommender.demo.drawing.cloth import BLACK, BRASS, RGB, WHITE, Cloth, darker
from recommender.demo.drawing.look import Look
from recommender.demo.drawing.shapes import (
    Points,
    arc,
    curve,
    ellipse,
    meet,
    ribbon,
)
from recommender.demo.drawing.stage import Fold, Stage

# Outlines read as rows of points, so the formatter leaves them alone.
# fmt: off

GROUND = 218.0
WOOD: RGB = (150, 104, 66)
GUM: RGB = (176, 128, 78)

@dataclass(frozen=True, kw_only=True)
class Shoe:
    """A shoe seen from the side."""

    kind: str = "sneaker"  # sneaker | runner | derby | oxford | loafer | boot
    high: float = 0.0  # how far the collar rises above the ankle line
    laces: int = 5
    toe_cap: bool = False


@dataclass(frozen=True, kw_only=True)
class Pump:
    """A heel seen from the side."""

    heel: float = 66
    block: float = 7.0
    strap: str = ""  # ankle | t | slingback
    open_toe: bool = False
    platform: float = 0.0


def shoe(stage: Stage, look: Look, cut_: Shoe) -> None:
    """Draw one shoe from the side."""
    rng, cloth = look.rng, look.cloth
    dress = cut_.kind in ("derby", "oxford", "loafer")
    runner = cut_.kind == "runner"
    sole_high = 7 if dress else rng.uniform(16, 21) if runner else rng.uniform(12, 16)
    base = GROUND - sole_high
    rise = 116 - cut_.high - (6 if runner else 0) + (16 if dress else 0)
    toe = 17 if not dress else 12
    collar: Points = [(222, rise + 8), (206, rise + 21), (184, rise + 25), (163, rise + 8)]
    tongue: Points = [(156, rise - 7 + (14 if dress else 0)), (146,
        rise - 4 + (14 if dress else 0))]
    vamp = 168 if not dress else 180
    upper = [
        (225, rise + 1),
        (228, rise + 30),
        (224, base - 26),
        (228, base + 2, 0),
        (120, base + 5),
        (toe + 4, base + 2, 0),
        (toe, base - 15),
        (toe + 16, base - (33 if not dress else 24)),
        (toe + 46, base - (40 if not dress else 31)),
        (106, vamp - 22),
        (140, rise + 12),
        *tongue[::-1],
        (163, rise + 8, 0),
        *collar[2:0:-1],
        (219, rise),
    ]
    far = [(216, rise + 4), (190, rise + 2), (160, rise + 2), (166, rise + 26), (200, rise + 34)]
    stage.piece(curve(far), look.plain("canvas", darker(cloth.colour, 0.8)), tint=0.5, shadow=0,
        puff=0.4)
    creases = [Fold([(92, base - 44), (97, base - 28), (94, base - 14)], 7, -1.3),
        Fold([(106, base - 48), (112, base - 32), (110, base - 16)], 7, -1.0),
        Fold([(208, rise + 34), (200, base - 30), (206, base - 8)], 10, 0.8)]
    if dress:
        _heel_block(stage)
    stage.piece(curve(upper), cloth, creases, puff=1.15, drape=0.4)
    body = curve(upper)
    accent = cloth.accent if cloth.accent != cloth.colour else look.contrast
    if dress:
        _dress_parts(stage, look, cut_, body, base, rise)
    else:
        _sport_parts(stage, look, cut_, body, base, rise, accent)
    _sole(stage, look, cut_, base, toe, accent)


def _heel_block(stage: Stage) -> None:
    heel = [(178, GROUND - 9, 0), (230, GROUND - 9, 0), (228, GROUND + 4, 0), (181, GROUND + 4, 0)]
    stage.piece(curve(heel), Cloth((44, 34, 30), material="rubber"), puff=0.5)


def _sole(stage: Stage, look: Look, cut_: Shoe, base: float, toe: float, accent: RGB) -> None:
    rng = look.rng
    if cut_.kind in ("derby", "oxford", "loafer"):
        sole = [(toe - 3, base - 1, 0), (120, base + 2.5), (231, base - 1, 0), (230, base + 5, 0),
            (176, base + 6), (140, base + 8), (70, base + 11), (toe - 2, base + 5)]
        stage.piece(curve(sole), Cloth((58, 42, 34), material="rubber"), puff=0.4, shadow=0.4)
        welt = [(toe, base), (120, base + 3.6), (228, base)]
        stage.line(welt, (196, 170, 130), 0.6, 0.7, dash=(1.6, 1.4))
        return
    runner = cut_.kind == "runner"
    spring = 9 if runner else 3
    colour = rng.choice((WHITE, WHITE, accent if runner else GUM))
    sole = [(toe - 4, base - 8 - spring * 0.4, 0), (toe + 26, base + 1), (120, base + 3),
        (190, base - (4 if runner else 0)), (231, base - (7 if runner else 3), 0), (233, base + 7),
        (228, GROUND - 1), (150, GROUND), (70, GROUND), (toe + 12, GROUND - spring * 0.5),
        (toe - 6, base + 2 - spring * 0.3)]
    stage.piece(curve(sole), Cloth(colour, material="rubber"), puff=0.7, shadow=0.45)
    path = curve(sole)
    lower = meet(path, curve([(0, GROUND - 4.5, 0), (150, GROUND - 4, 0), (240, GROUND - 4.5, 0),
        (240, 240, 0), (0, 240, 0)]))
    stage.piece(lower, Cloth(accent if runner else darker(colour, 0.85), material="rubber"),
        puff=0.3, shadow=0.2)
    if runner:
        stage.line([(150, base + 5), (190, base + 8), (232, base + 2)], accent, 3, 0.9)
        for i in range(13):
            x = 22 + i * 16
            stage.line([(x, GROUND - 4), (x + 2, GROUND)], BLACK, 1, 0.45)
    else:
        stage.line([(toe, base + 5), (120, base + 9), (230, base + 5)], accent, 1.1, 0.75)


def _sport_parts(stage: Stage, look: Look, cut_: Shoe, body: object, base: float, rise: float,
    accent: RGB) -> None:
    rng, runner = look.rng, cut_.kind == "runner"
    second = look.plain(colour=accent)
    if cut_.toe_cap or runner:
        cap = meet(curve([(0, 140, 0), (52, base - 48), (60, base - 20), (74, base + 10, 0),
            (0, 240, 0)]), body)
        tone = Cloth(WHITE, material="rubber") if cut_.toe_cap else replace(second,
            material="suede")
        stage.piece(cap, tone, puff=0.6, shadow=0.35, drop=0.8)
    counter = meet(curve([(240, rise + 26, 0), (206, rise + 44), (196, base - 18),
        (184, base + 8, 0), (240, base + 20, 0)]), body)
    stage.piece(counter, replace(second if runner or rng.random() < 0.5 else look.plain(),
        material="leather"), puff=0.5, shadow=0.35, drop=0.8)
    stays = meet(curve([(160, rise + 10, 0), (168, rise + 28), (128, base - 34), (98, base - 28),
        (88, base - 38), (112, base - 56), (140, rise + 14)]), body)
    stage.piece(stays, look.plain("leather" if not runner else "suede"), puff=0.4, shadow=0.4,
        drop=0.8)
    side = rng.choice(("wave", "bars", "band")) if runner else rng.choice(("none", "bars", "band",
        "none"))
    marks: list[Points] = []
    if side == "wave":
        marks = [[(112, base - 12), (142, base - 20), (176, base - 42), (208, base - 44)],
            [(120, base - 4), (152, base - 12), (184, base - 32)]]
    elif side == "bars":
        marks = [[(128 + 15 * i, base - 2),
            (146 + 13 * i, base - 40)] for i in range(3 if runner else 2)]
    elif side == "band":
        marks = [[(136, base), (158, base - 26), (178, rise + 36)]]
    for mark in marks:
        stage.piece(meet(ribbon(mark, 3, 6, 6.5, 5), body), replace(second, material="leather"),
            puff=0.4, shadow=0.35, drop=0.7)
    lace = look.contrast if rng.random() < 0.4 else WHITE
    for i in range(cut_.laces):
        t = i / max(1, cut_.laces - 1)
        x, y = 101 + 50 * t, (base - 44) + (rise + 12 - base + 44) * t
        stage.piece(ribbon([(x - 9, y - 4), (x, y + 1), (x + 11, y + 10)], 4.2),
            Cloth(lace, material="knit"), puff=0.5, shadow=0.5, drop=1.0)
        stage.fill(ellipse(x + 12, y + 11, 1.6, 1.6), BLACK, 0.6)
    lip = [(163, rise + 9), (184, rise + 25), (206, rise + 21), (222, rise + 6)]
    stage.piece(ribbon(lip, 6), look.plain("fleece"), puff=0.6, shadow=0.3, drop=0.7)
    stage.seam([(224, rise + 10), (221, base - 8)], look.cloth)


def _dress_parts(stage: Stage, look: Look, cut_: Shoe, body: object, base: float,
    rise: float) -> None:
    cloth, rng = look.cloth, look.rng
    dark = darker(cloth.colour, 0.5)
    if cut_.kind == "loafer":
        apron = [(28, base - 22), (60, base - 28), (110, base - 30), (128, base - 56)]
        stage.seam(apron, cloth, stitch=dark)
        saddle = curve([(92, base - 50, 0), (122, base - 62, 0), (146, base - 4, 0),
            (112, base - 2, 0)])
        stage.piece(meet(saddle, body), cloth, puff=0.4, shadow=0.45)
        stage.piece(ribbon([(100, base - 42), (122, base - 50)], 5),
            Cloth(BRASS if rng.random() < 0.5 else dark, material="metal"), puff=0.4)
    else:
        facing = [(158, rise + 14, 0), (172, rise + 30), (146, base - 26), (112, base - 22),
            (98, base - 40), (140, rise + 20)]
        stage.piece(meet(curve(facing), body), cloth, puff=0.4, shadow=0.4, drop=0.9)
        for i in range(4):
            x, y = 114 + 12 * i, base - 44 - 10.5 * i + (rise - 132) * 0.25 * i
            stage.piece(ribbon([(x - 7, y - 2), (x, y + 1), (x + 9, y + 8)], 2.6),
                Cloth(dark, material="knit"), puff=0.4, shadow=0.4)
    if cut_.toe_cap:
        cap = [(58, base - 44), (64, base - 22), (72, base + 2)]
        stage.seam(cap, cloth, stitch=dark)
        for i in range(8):
            stage.fill(ellipse(53 + i * 1.6, base - 34 + i * 4.4, 0.9, 0.9), dark, 0.9)
    stage.seam([(176, rise + 30), (184, base - 20), (176, base + 1)], cloth, stitch=dark)
    lip = [(160, rise + 10), (184, rise + 25), (206, rise + 21), (222, rise + 4)]
    stage.line(lip, dark, 1.2, 0.9)


def pump(stage: Stage, look: Look, cut_: Pump) -> None:
    """Draw one heeled shoe from the side."""
    rng, cloth = look.rng, look.cloth
    ground = 236.0
    lift = cut_.heel * rng.uniform(0.92, 1.08)
    p = cut_.platform
    seat = ground - lift - p * 0.6
    base = ground - 3 - p
    block = cut_.block
    heel = [(186, seat + 1, 0), (226, seat - 3, 0), (225, seat + 14),
        (214 + block * 0.55, ground - 22), (212 + block * 0.6, ground, 0),
        (211 - block * 0.6, ground, 0), (209 - block * 0.6, ground - 26),
        (200 - block * 0.2, seat + 20)]
    heel_cloth = look.plain() if rng.random() < 0.65 else Cloth(WOOD, material="leather")
    stage.piece(curve(heel), heel_cloth, puff=0.9)
    stage.fill(curve([(212 + block * 0.6, ground - 3, 0), (212 + block * 0.6, ground, 0),
        (211 - block * 0.6, ground, 0), (211 - block * 0.6, ground - 3, 0)]), BLACK, 0.9)
    topline = seat - 34
    sole = [(14, base - 4), (34, base - 1), (84, base - 2), (130, base - lift * 0.42),
        (180, seat - 2), (226, seat - 5)]
    if p:
        slab = [(14, base - 8, 0), (84, base - 4), (112, base - lift * 0.2, 0), (104, ground - 2),
            (80, ground), (30, ground), (15, ground - 5)]
        stage.piece(curve(slab), heel_cloth, puff=0.8)
    inside = [(224, topline + 6), (206, topline + 20), (150, seat + 4), (100, base - 26),
        (70, base - 34), (130, base - 22 - lift * 0.3), (190, seat - 4)]
    stage.piece(curve(inside), Cloth((206, 178, 146), material="leather"), tint=0.85, puff=0.3,
        shadow=0)
    if cut_.open_toe:
        foot = ribbon(sole, 4, 5, 5, 5)
        stage.piece(foot, Cloth((206, 178, 146), material="leather"), puff=0.5)
        for line, wide in (([(40, base - 2), (46, base - 30), (70, base - 38), (92, base - 6)], 13),
            ([(78, base - 4), (92, base - 36), (108, base - 40), (122, base - lift * 0.34)], 9)):
            stage.piece(ribbon(line, wide), cloth, puff=0.7, shadow=0.45)
        back = curve([(226, topline + 2), (229, topline + 22), (226, seat - 2, 0),
            (178, seat + 2, 0), (192, seat - 16), (208, topline + 12)])
        stage.piece(back, cloth, puff=0.8)
    else:
        upper = [(226, topline), (229, topline + 20), (226, seat - 1, 0), (180, seat + 2),
            (130, base - lift * 0.4), (84, base, 0), (34, base, 0), (12, base - 5), (22, base - 17),
            (50, base - 28), (80, base - 38, 0), (106, base - 25), (150, base - 20 - lift * 0.48),
            (196, seat - 14), (214, topline + 8)]
        stage.piece(curve(upper), cloth, puff=1.1, drape=0.5)
        stage.line(upper[10:], darker(cloth.colour, 0.55), 0.8, 0.7)
    stage.line(sole[:-1], darker(cloth.colour, 0.4), 1.8, 0.9)
    gold = Cloth(BRASS, material="metal")
    if cut_.strap:
        ankle = topline - 34
        loop = arc(188, ankle, 34, 9, 20, 380, 13)
        stage.piece(ribbon(loop[6:], 4.5), look.plain(), tint=0.6, shadow=0)
        if cut_.strap in ("ankle", "t"):
            stage.piece(ribbon([(222, topline + 10), (224, topline - 14), (220, ankle)], 6),
                look.plain(), puff=0.5)
        if cut_.strap == "t":
            stage.piece(ribbon([(88, base - 36), (130, base - 60 - lift * 0.3), (168, ankle + 8)],
                6), look.plain(), puff=0.5)
        stage.piece(ribbon(loop[:8], 5.5), look.plain(), puff=0.6, shadow=0.45)
        stage.piece(ellipse(178, ankle + 9, 4.4, 4.4), gold, puff=0.5)
    elif rng.random() < 0.35 and not cut_.open_toe:
        for side in (-1, 1):
            bow = [(58, base - 34), (58 + side * 16, base - 43), (58 + side * 17, base - 29)]
            stage.piece(curve(bow), look.plain(), puff=0.7, shadow=0.45)
