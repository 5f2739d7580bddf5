"""Everything worn on the upper body, dresses included: one pattern with many cuts."""

from dataclasses import replace
from itertools import pairwise

from recommender.demo.drawing.cloth import Cloth, darker
from recommender.demo.drawing.collars import COLLARS, hood_back
from recommender.demo.drawing.fronts import FRONTS, POCKETS
from recommender.demo.drawing.garment import Cut, Garment
from recommender.demo.drawing.look import Look
from recommender.demo.drawing.motifs import GRAPHICS, KIDS_GRAPHICS, graphic, motif
from recommender.demo.drawing.shapes import MIDDLE, box, curve, meet, mirrored, ribbon
from recommender.demo.drawing.stage import Fold, Stage

# Outlines read as rows of points, so the formatter leaves them alone.
# fmt: off


def top(stage: Stage, look: Look, cut: Cut) -> None:
    """Draw a garment of the upper body, back to front."""
    worn = Garment(stage, look, cut)
    c = worn.cut
    if c.collar == "hood":
        hood_back(worn)
    inside(worn)
    if c.sleeve:
        sleeves(worn)
    stage.piece(worn.body, look.cloth, worn.creases(), turn=0)
    if c.ribbed:
        lower = meet(worn.body, box(0, worn.hem_y - 15, 240, 330))
        stage.piece(lower, look.plain("rib"), puff=0.5, shadow=0.2, drop=0.6)
    elif not c.tiers:
        hem = [(MIDDLE - c.hem + 1, worn.hem_y - c.tail * 0.8 - 5),
            (MIDDLE, worn.hem_y + c.tail - 5), (MIDDLE + c.hem - 1,
            worn.hem_y - c.tail * 0.8 - 5)]
        stage.line(hem, darker(look.cloth.colour, 0.6), 0.6, 0.55)
    chest_print(worn)
    if c.front:
        FRONTS[c.front](worn)
    if c.pocket:
        POCKETS[c.pocket](worn)
    if c.quilted:
        quilting(worn)
    if c.tiers or c.belt:
        waistline(worn)
    if c.ornate:
        yoke(worn)
    COLLARS[c.collar](worn)


def inside(worn: Garment) -> None:
    """The back of the garment, seen through the neck."""
    c, stage = worn.cut, worn.stage
    if c.collar == "straps":
        return
    x, y = worn.nape
    rise = 1 if c.collar in ("rib", "bare") else 7
    back = curve([(x, y, 0), (MIDDLE, y - rise), (2 * MIDDLE - x, y, 0),
        (2 * MIDDLE - x + 4, y + c.depth * 0.7), (MIDDLE, y + c.depth + 8),
        (x - 4, y + c.depth * 0.7)])
    stage.piece(back, worn.look.cloth, tint=0.55, puff=0.4, shadow=0)
    if c.collar != "hood":
        stage.fill(box(MIDDLE - 6, y + 3.5, MIDDLE + 6, y + 9, 0.8), (228, 226, 220), 0.95)
        stage.fill(box(MIDDLE - 3.5, y + 5.6, MIDDLE + 3.5, y + 6.6), (90, 88, 90), 0.8)


def sleeves(worn: Garment) -> None:
    """Both sleeves, hanging away from the body a little."""
    c, (tx, ty), (px, py), rng = worn.cut, worn.tip, worn.pit, worn.rng
    away = 0.66 - 0.46 * min(1.0, c.sleeve)
    long = 188 * c.sleeve
    dx, dy = away * long / (1 + away**2) ** 0.5, long / (1 + away**2) ** 0.5
    cuff = (21 + 15 * (1 - min(1, c.sleeve))) * c.loose * (0.86 if worn.look.feminine else 1)
    outer, nx, ny = (tx + dx, ty + dy), dy / long, -dx / long
    inner = (outer[0] - nx * cuff, outer[1] - ny * cuff)
    swell = 4.5 * c.loose
    points = [(tx - 12, ty - 4.6, 0), (tx + 1.5, ty + 0.6), (tx + dx * 0.42 + nx * swell,
        ty + dy * 0.42 + ny * swell), (*outer, 0), (*inner, 0),
        ((inner[0] + px) / 2 - 1, (inner[1] + py) / 2 - 2), (px - 4, py - 4),
        (px - 14, py - 24)]
    wrinkles = []
    if c.sleeve > 0.5:
        for at in (0.3, 0.46, 0.55, 0.66, 0.8, 0.9):
            at += rng.uniform(-0.05, 0.05)
            x, y = tx + dx * at, ty + dy * at
            reach = cuff * 1.25
            wrinkles.append(Fold([(x + 2, y), (x - reach * 0.5, y + 7),
                (x - reach, y + rng.uniform(-3, 8))], 6, rng.uniform(-1.6, 1.7)))
    wrinkles.append(Fold([(px - 3, py - 8), (px + dx * 0.12, py + dy * 0.05),
        (tx + dx * 0.45, ty + dy * 0.3)], 7, 1.3))
    worn.stage.pair(points, worn.look.cloth, wrinkles, turn=-16 * (1 - min(1, c.sleeve)) - 6,
        puff=0.8)
    if c.ribbed or c.collar in ("shirt", "lapel", "band", "rib"):
        band = 11 if c.ribbed else 9 if c.collar == "shirt" and c.sleeve > 0.8 else 3.4
        mx, my = -dx / long * band / 2, -dy / long * band / 2
        grow = 1.0 if not c.ribbed else 0.3
        ends = [(outer[0] + mx + nx * grow, outer[1] + my + ny * grow),
            (inner[0] + mx - nx * grow, inner[1] + my - ny * grow)]
        material = "rib" if c.ribbed or (c.collar == "rib"
            and worn.look.cloth.material != "cotton") else None
        cloth = worn.look.plain(material) if c.ribbed else replace(worn.look.cloth,
            material=material or worn.look.cloth.material)
        for side in (ends, mirrored(ends)):
            worn.stage.piece(ribbon(side, band), cloth, puff=0.5, shadow=0.2, drop=0.5)


def chest_print(worn: Garment) -> None:
    """A graphic or an emblem, pressed into the cloth so that its folds still show."""
    look, canvas = worn.look, worn.stage.canvas
    if look.print_name not in ("Graphic", "Logo"):
        return
    small = look.print_name == "Logo"
    canvas.save()
    canvas.clipPath(worn.body, True)
    if small:
        canvas.translate(MIDDLE + worn.cut.chest * 0.48, worn.y + 58)
        motif(canvas, worn.rng.choice(GRAPHICS), look.contrast, look.cloth.colour, 6.5)
    else:
        canvas.translate(MIDDLE, worn.y + worn.cut.depth + 62)
        name = worn.rng.choice(KIDS_GRAPHICS if look.kid else GRAPHICS)
        graphic(canvas, name, look.cloth.accent, look.cloth.colour,
            worn.rng.uniform(22, 29) * (0.86 if look.feminine else 1))
    canvas.restore()


def quilting(worn: Garment) -> None:
    """Stitched channels of a padded jacket."""
    y = worn.y + 34
    while y < worn.hem_y - 6:
        path = meet(ribbon([(60, y + 1), (MIDDLE, y + 3), (180, y + 1)], 1.4), worn.body)
        worn.stage.fill(path, (0, 0, 0), 0.4, blur=0.9)
        worn.stage.fill(path, darker(worn.look.cloth.colour, 0.5), 0.8)
        worn.stage.line([(MIDDLE - worn.cut.waist + 6, y + 5), (MIDDLE, y + 7),
            (MIDDLE + worn.cut.waist - 6, y + 5)], (255, 255, 255), 3.5, 0.16, blur=2)
        y += 19


def waistline(worn: Garment) -> None:
    """A waist seam with a belt, and the seams of a tiered skirt."""
    c = worn.cut
    line = [(MIDDLE - c.waist, worn.waist_y), (MIDDLE, worn.waist_y + 2.5),
        (MIDDLE + c.waist, worn.waist_y)]
    if c.belt:
        belt = meet(ribbon(line, 9), worn.body)
        colour = worn.rng.choice((darker(worn.look.cloth.colour, 0.5), worn.look.cloth.accent))
        worn.stage.piece(belt, worn.look.plain("leather", colour), puff=0.4, shadow=0.45)
        worn.stage.piece(box(MIDDLE - 6, worn.waist_y - 4, MIDDLE + 6, worn.waist_y + 8, 2),
            Cloth((214, 178, 98), material="metal"), puff=0.3)
    else:
        worn.stage.seam(line, worn.look.cloth)
    for i in range(1, c.tiers):
        y = worn.waist_y + (c.length - c.belly) * i / c.tiers
        tier = meet(box(0, y, 240, 340), worn.body)
        grow = [Fold([(x, y - 1), (x + worn.rng.uniform(-2, 2), y + 26)], 5,
            worn.rng.uniform(1, 2.2)) for x in range(60, 182, 9)]
        worn.stage.piece(tier, worn.look.cloth, grow, puff=0.6, shadow=0.45)


def yoke(worn: Garment) -> None:
    """Embroidery around the opening and along the hem."""
    canvas, colour = worn.stage.canvas, worn.look.cloth.accent
    spots = [(MIDDLE + side * 12,
        worn.throat[1] + 8 + 9.5 * i) for i in range(7) for side in (-1, 1)]
    spots += [(MIDDLE - worn.cut.hem + 6 + i * (2 * worn.cut.hem - 12) / 11,
        worn.hem_y - 8) for i in range(12)]
    for x, y in spots:
        canvas.save()
        canvas.translate(x, y)
        motif(canvas, "flower", colour, darker(colour, 0.6), 4.0)
        canvas.restore()
    for (ax, ay), (bx, by) in pairwise([(MIDDLE + 18, worn.throat[1]),
        (MIDDLE + 18, worn.throat[1] + 72), (MIDDLE, worn.throat[1] + 82)]):
        for side in ([(ax, ay), (bx, by)], mirrored([(ax, ay), (bx, by)])):
            worn.stage.line(side, colour, 1.0, 0.95)
    hem = ribbon([(MIDDLE - worn.cut.hem, worn.hem_y - 15),
        (MIDDLE + worn.cut.hem, worn.hem_y - 15)], 1.2)
    worn.stage.fill(meet(hem, worn.body), colour)
