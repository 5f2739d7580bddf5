"""Everything worn on the upper body, dresses included: one pattern with many cuts."""

from dataclasses import dataclass, replace
from itertools import pairwise

from scripts.drawing.cloth import STEEL, WHITE, Cloth, darker
from scripts.drawing.look import Look
from scripts.drawing.motifs import GRAPHICS, KIDS_GRAPHICS, graphic, motif
from scripts.drawing.shapes import MIDDLE, Points, box, curve, meet, mirrored, ribbon, symmetric
from scripts.drawing.stage import Fold, Stage, folds

# Outlines read as rows of points, so the formatter leaves them alone.
# fmt: off


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A pattern; widths are measured from the middle, heights from the neck."""

    shoulder: float = 61
    chest: float = 58
    waist: float = 56
    hem: float = 58
    length: float = 226
    neck: float = 19
    depth: float = 20
    vee: bool = False
    sleeve: float = 0.32  # share of an arm; 0 for none
    loose: float = 1.0  # width of the sleeve
    collar: str = "rib"  # rib | turtle | shirt | band | hood | lapel | bare | straps
    front: str = ""  # buttons | placket | zip | half zip
    pocket: str = ""  # chest | flap | pouch | welt
    ribbed: bool = False  # cuffs and hem
    tail: float = 3.0  # how far the hem hangs in the middle
    belly: float = 150.0  # height of the waist
    tiers: int = 0
    belt: bool = False
    ornate: bool = False  # embroidered yoke
    quilted: bool = False


def fitted(cut: Cut, look: Look) -> Cut:
    """The cut for this wearer, each item a little different."""
    rng = look.rng
    slim = 0.86 if look.feminine else 1.0
    return replace(
        cut,
        shoulder=cut.shoulder * slim * rng.uniform(0.97, 1.03),
        chest=cut.chest * slim * rng.uniform(0.96, 1.03),
        waist=cut.waist * slim * (0.93 if look.feminine else 1.0) * rng.uniform(0.96, 1.02),
        hem=cut.hem * (slim + 0.04) * rng.uniform(0.97, 1.05),
        length=cut.length * rng.uniform(0.96, 1.03) * (0.93 if look.kid else 1.0),
        depth=cut.depth * rng.uniform(0.88, 1.15),
        neck=cut.neck * (1.08 if look.feminine else 1.0) * rng.uniform(0.94, 1.06),
        sleeve=cut.sleeve * rng.uniform(0.94, 1.05) * (0.93 if look.kid else 1.0),
    )


class Top:
    """One garment of the upper body on the stage."""

    def __init__(self, stage: Stage, look: Look, cut: Cut):
        self.stage, self.look, self.cut = stage, look, fitted(cut, look)
        self.rng = look.rng
        c = self.cut
        self.y = 160 - c.length / 2 - 6
        if c.collar in ("hood", "turtle"):
            self.y += 14
        self.nape = (MIDDLE + c.neck, self.y)
        self.tip = (MIDDLE + c.shoulder, self.y + 15)
        self.pit = (MIDDLE + c.chest, self.y + (78 if c.sleeve else 70))
        self.waist_y, self.hem_y = self.y + c.belly, self.y + c.length
        self.throat = (MIDDLE, self.y + c.depth)

    def neckline(self) -> list[tuple[float, ...]]:
        """From the middle of the throat to the right nape."""
        x, y = self.nape
        depth = self.cut.depth
        if self.cut.vee:
            return [(*self.throat, 0), (x, y, 0)]
        return [self.throat, (MIDDLE + (x - MIDDLE) * 0.72, y + depth * 0.72), (x, y, 0)]

    def outline(self) -> list[tuple[float, ...]]:
        """The right half of the body."""
        c, (px, py) = self.cut, self.pit
        if c.collar == "straps":
            half = [(MIDDLE, self.y + c.depth + 34), (MIDDLE + c.chest * 0.58, self.y + 40, 0)]
        elif c.sleeve:
            tx, ty = self.tip
            half = [*self.neckline(), (tx, ty, 0), (tx - 2.5, ty + 24)]
        else:
            width = (c.shoulder - c.neck) * 0.62
            edge = MIDDLE + c.neck + width
            half = [*self.neckline(), (edge, self.y + 8, 0), (edge + 1, self.y + 40)]
        half += [(px, py, 0), (MIDDLE + c.waist, self.waist_y)]
        if c.length - c.belly > 70:
            half.append((MIDDLE + (c.waist + c.hem * 1.25) / 2.2,
                self.waist_y + (c.length - c.belly) * 0.42))
        half += [(MIDDLE + c.hem, self.hem_y - c.tail * 0.8, 0),
            (MIDDLE + c.hem * 0.5, self.hem_y + c.tail * 0.3)]
        return [*half, (MIDDLE, self.hem_y + c.tail)]

    def creases(self) -> list[Fold]:
        """Folds where a hanging garment pulls: under the arms, at the waist, along a skirt."""
        c, (px, py), rng = self.cut, self.pit, self.rng
        far = c.waist
        out = folds([(px - 3, py + 2), (px - 18, py + 16 + rng.uniform(-4, 6)),
            (MIDDLE + far * 0.3, py + 46)], [(px - 4, py - 22), (px - 15, py - 4),
            (MIDDLE + far * 0.55, py + 22)], width=8, height=rng.uniform(0.5, 1.2))
        for side in (-1, 1):
            x, y = (MIDDLE + side * far * rng.uniform(0.75, 0.95),
                self.waist_y + rng.uniform(-18, 14))
            sweep = [(x, y), (x - side * 16, y + rng.uniform(10, 22)), (x - side * 30, y + 44)]
            out.append(Fold(sweep, 9, rng.uniform(-0.9, 1.0)))
        skirt = c.length - c.belly
        if skirt > 80:
            count = round(c.hem / 8)
            for i in range(count):
                at = -0.85 + 1.7 * (i + rng.uniform(0.2, 0.8)) / count
                top, end = MIDDLE + at * c.waist * 0.9, MIDDLE + at * c.hem
                line = [(top, self.waist_y + rng.uniform(2, 30)),
                    ((top + end) / 2 + rng.uniform(-3, 3), self.waist_y + skirt * 0.5),
                    (end, self.hem_y - 1)]
                out.append(Fold(line, 11, rng.uniform(0.9, 2.2) * (1 if i % 2 else -1)))
        else:
            for _ in range(3):
                x = MIDDLE + rng.uniform(-0.7, 0.7) * c.hem
                out.append(Fold([(x, self.hem_y - 4), (x + rng.uniform(-7, 7),
                    self.hem_y - rng.uniform(45, 80))], 10, rng.uniform(-1, 1.1)))
        return out

    def draw(self) -> None:
        """Put the garment together, back to front."""
        c, stage, look = self.cut, self.stage, self.look
        if c.collar == "hood":
            self.hood()
        self.inside()
        if c.sleeve:
            self.sleeves()
        body = curve(symmetric(self.outline()))
        stage.piece(body, look.cloth, self.creases(), turn=0)
        self.body = body
        if c.ribbed:
            lower = meet(body, box(0, self.hem_y - 15, 240, 330))
            stage.piece(lower, look.plain("rib"), puff=0.5, shadow=0.2, drop=0.6)
        elif not c.tiers:
            hem = [(MIDDLE - c.hem + 1, self.hem_y - c.tail * 0.8 - 5),
                (MIDDLE, self.hem_y + c.tail - 5), (MIDDLE + c.hem - 1,
                self.hem_y - c.tail * 0.8 - 5)]
            stage.line(hem, darker(look.cloth.colour, 0.6), 0.6, 0.55)
        self.chest_print()
        for name in (c.front, c.pocket):
            if name:
                getattr(self, name.replace(" ", "_"))()
        if c.quilted:
            self.quilting()
        if c.tiers or c.belt:
            self.waistline()
        if c.ornate:
            self.yoke()
        getattr(self, c.collar)()

    def inside(self) -> None:
        """The back of the garment, seen through the neck."""
        c, stage = self.cut, self.stage
        if c.collar == "straps":
            return
        x, y = self.nape
        rise = 1 if c.collar in ("rib", "bare") else 7
        back = curve([(x, y, 0), (MIDDLE, y - rise), (2 * MIDDLE - x, y, 0),
            (2 * MIDDLE - x + 4, y + c.depth * 0.7), (MIDDLE, y + c.depth + 8),
            (x - 4, y + c.depth * 0.7)])
        stage.piece(back, self.look.cloth, tint=0.55, puff=0.4, shadow=0)
        if c.collar != "hood":
            stage.fill(box(MIDDLE - 6, y + 3.5, MIDDLE + 6, y + 9, 0.8), (228, 226, 220), 0.95)
            stage.fill(box(MIDDLE - 3.5, y + 5.6, MIDDLE + 3.5, y + 6.6), (90, 88, 90), 0.8)

    def sleeves(self) -> None:
        """Both sleeves, hanging away from the body a little."""
        c, (tx, ty), (px, py), rng = self.cut, self.tip, self.pit, self.rng
        away = 0.66 - 0.46 * min(1.0, c.sleeve)
        long = 188 * c.sleeve
        dx, dy = away * long / (1 + away**2) ** 0.5, long / (1 + away**2) ** 0.5
        cuff = (21 + 15 * (1 - min(1, c.sleeve))) * c.loose * (0.86 if self.look.feminine else 1)
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
        self.stage.pair(points, self.look.cloth, wrinkles, turn=-16 * (1 - min(1, c.sleeve)) - 6,
            puff=0.8)
        if c.ribbed or c.collar in ("shirt", "lapel", "band", "rib"):
            band = 11 if c.ribbed else 9 if c.collar == "shirt" and c.sleeve > 0.8 else 3.4
            mx, my = -dx / long * band / 2, -dy / long * band / 2
            grow = 1.0 if not c.ribbed else 0.3
            ends = [(outer[0] + mx + nx * grow, outer[1] + my + ny * grow),
                (inner[0] + mx - nx * grow, inner[1] + my - ny * grow)]
            material = "rib" if c.ribbed or (c.collar == "rib"
                and self.look.cloth.material != "cotton") else None
            cloth = self.look.plain(material) if c.ribbed else replace(self.look.cloth,
                material=material or self.look.cloth.material)
            for side in (ends, mirrored(ends)):
                self.stage.piece(ribbon(side, band), cloth, puff=0.5, shadow=0.2, drop=0.5)

    def chest_print(self) -> None:
        """A graphic or an emblem, pressed into the cloth so that its folds still show."""
        look, canvas = self.look, self.stage.canvas
        if look.print_name not in ("Graphic", "Logo"):
            return
        small = look.print_name == "Logo"
        canvas.save()
        canvas.clipPath(self.body, True)
        if small:
            canvas.translate(MIDDLE + self.cut.chest * 0.48, self.y + 58)
            motif(canvas, self.rng.choice(GRAPHICS), look.contrast, look.cloth.colour, 6.5)
        else:
            canvas.translate(MIDDLE, self.y + self.cut.depth + 62)
            name = self.rng.choice(KIDS_GRAPHICS if look.kid else GRAPHICS)
            graphic(canvas, name, look.cloth.accent, look.cloth.colour,
                self.rng.uniform(22, 29) * (0.86 if look.feminine else 1))
        canvas.restore()

    # Collars

    def rib(self) -> None:
        """A knitted neckband."""
        right = self.neckline()
        band = [*mirrored(right)[::-1], *right[1:]]
        cloth = self.look.plain("rib")
        if self.look.print_name == "Ringer":
            cloth = replace(cloth, colour=self.look.cloth.accent)
        self.stage.piece(ribbon(band, 5.2), cloth, puff=0.35, shadow=0.3, drop=0.8)

    def bare(self) -> None:
        """A clean edge."""
        right = self.neckline()
        self.stage.line([*mirrored(right)[::-1], *right[1:]], darker(self.look.cloth.colour, 0.6),
            0.7, 0.6)

    def turtle(self) -> None:
        """A high rolled neck."""
        x, y = self.nape
        neck = [(MIDDLE, y - 20), (x - 3, y - 19, 0), (x + 2, y - 2), (x, y + 8), (MIDDLE, y + 15)]
        self.stage.piece(curve(symmetric(neck)), self.look.plain("rib"), puff=0.7)
        self.stage.seam([(2 * MIDDLE - x + 1, y - 6), (MIDDLE, y + 1), (x - 1, y - 6)],
            self.look.cloth)

    def straps(self) -> None:
        """Two thin straps over the bust line."""
        c = self.cut
        for side in (1, -1):
            line = [(MIDDLE + side * c.chest * 0.58, self.y + 44),
                (MIDDLE + side * (c.neck + 3), self.y - 4)]
            self.stage.piece(ribbon(line, 4.2), self.look.plain(), puff=0.3, shadow=0.1)
        edge = [(MIDDLE - c.chest * 0.58, self.y + 42), (MIDDLE, self.y + c.depth + 36),
            (MIDDLE + c.chest * 0.58, self.y + 42)]
        self.stage.line(edge, darker(self.look.cloth.colour, 0.6), 0.7, 0.6)

    def shirt(self) -> None:
        """A turned-down collar on its stand."""
        x, y = self.nape
        tx, ty = self.throat
        ty -= 3
        spread = self.rng.uniform(10, 17)
        leaf = [(x - 3, y - 9), (x + 4, y + 3), (tx + spread + 8, ty + 17, 0), (tx + 1, ty + 1, 0),
            (x - 8, y + 2)]
        self.stage.piece(ribbon([(2 * MIDDLE - x + 2, y - 4), (MIDDLE, y - 9), (x - 2, y - 4)], 8),
            self.look.cloth, puff=0.3, tint=0.9)
        self.stage.pair(leaf, self.look.cloth, puff=0.45, turn=34, drop=2.0)
        edge = [(tx + spread + 7, ty + 14.5), (tx + 2.5, ty + 1)]
        for side in (edge, mirrored(edge)):
            self.stage.line(side, darker(self.look.cloth.colour, 0.65), 0.5, 0.7, dash=(1.6, 1))

    def band(self) -> None:
        """A short standing collar, open in front."""
        x, y = self.nape
        tx, ty = self.throat
        half = [(x, y - 5), (x - 1, y + 4), (tx + 7, ty - 2), (tx + 1.5, ty + 6)]
        for side in (half, mirrored(half)):
            self.stage.piece(ribbon(side, 8.5, 9, 8), self.look.cloth, puff=0.4)

    def hood(self) -> None:
        """A hood lying behind the neck; drawn first, and its front edge last."""
        x, y = self.nape
        if not hasattr(self, "body"):
            back = [(MIDDLE, y - 27), (x + 7, y - 20), (x + 15, y + 2), (x + 4, y + 18),
                (MIDDLE, y + 26)]
            self.stage.piece(curve(symmetric(back)), self.look.plain(),
                folds([(x + 4, y - 12), (x + 8, y + 4), (x, y + 16)], height=1.5))
            inner = [(MIDDLE, y - 17), (x - 2, y - 11), (x + 3, y + 4), (MIDDLE, y + 24)]
            self.stage.piece(curve(symmetric(inner)), self.look.plain(), tint=0.5, puff=0.4,
                shadow=0.3)
            return
        right = self.neckline()
        for side in (right, mirrored(right)):
            self.stage.piece(ribbon(shift_in(side), 8, 9, 8), self.look.plain(), puff=0.7)
        for side in (-1, 1):
            cord = [(MIDDLE + side * 6, self.throat[1] + 1), (MIDDLE + side * 8,
                self.throat[1] + 24), (MIDDLE + side * 7.5, self.throat[1] + 44 + 4 * side)]
            self.stage.line(cord, darker(self.look.contrast, 0.9), 1.7)
            self.stage.line([cord[-1], (cord[-1][0], cord[-1][1] + 4)], STEEL, 2.0)

    def lapel(self) -> None:
        """Notched lapels and a shirtless opening down to the top button."""
        x, y = self.nape
        stop = self.y + self.cut.depth
        wide = self.rng.uniform(19, 25)
        lower = [(x - 2, y + 2, 0), (x + wide * 0.62, y + 33, 0), (x + wide * 0.95, y + 38, 0),
            (MIDDLE + 16, stop - 32), (MIDDLE, stop, 0), (MIDDLE + 5, stop - 38)]
        upper = [(x - 3, y - 6), (x + 7, y + 4), (x + wide * 0.78, y + 27, 0),
            (x + wide * 0.62, y + 34, 0), (x - 1, y + 16)]
        self.stage.pair(lower, self.look.cloth, puff=0.4, drop=2.2)
        self.stage.pair(upper, self.look.cloth, puff=0.4, drop=1.2)
        self.stage.piece(ribbon([(2 * MIDDLE - x + 2, y - 3), (MIDDLE, y - 7), (x - 2, y - 3)], 8),
            self.look.cloth, puff=0.3, tint=0.85)

    # Fronts

    def _placket(self, start: float, end: float, count: int, width: float = 9) -> None:
        strip = box(MIDDLE - width / 2, start, MIDDLE + width / 2, end)
        self.stage.piece(meet(strip, self.body), self.look.cloth, puff=0.12, drape=0.3, shadow=0.3,
            drop=0.7)
        for x in (MIDDLE - width / 2 + 1, MIDDLE + width / 2 - 1):
            self.stage.line([(x, start), (x, end)], darker(self.look.cloth.colour, 0.6), 0.4, 0.6)
        pearl = self.rng.choice((WHITE, darker(self.look.cloth.colour, 0.5), (206, 196, 178)))
        for i in range(count):
            self.stage.button(MIDDLE, start + 6 + i * (end - start - 14) / max(1, count - 1), 2.1,
                pearl)

    def buttons(self) -> None:
        """A button band down the whole front, or a jacket's few buttons and its edge."""
        start = self.throat[1]
        if self.cut.collar == "lapel":
            edge = [(MIDDLE, start, 0), (MIDDLE + 1, start + 50), (MIDDLE - 7, self.hem_y + 1)]
            self.stage.line(edge, (0, 0, 0), 2.4, 0.4, blur=1.2)
            self.stage.line(edge, darker(self.look.cloth.colour, 0.45), 0.8, 0.9)
            for i in range(self.rng.choice((1, 2, 2))):
                self.stage.button(MIDDLE - 3.5, start + 4 + 26 * i, 3.2,
                    darker(self.look.cloth.colour, 0.55))
            return
        self._placket(start - 2, self.hem_y + self.cut.tail, 7 if self.cut.length < 260 else 9)

    def placket(self) -> None:
        """A short button opening below the collar."""
        long = 74 if self.cut.length > 260 else 44
        self._placket(self.throat[1] - 1, self.throat[1] + long, 4 if long > 50 else 3, 8.5)

    def zip(self) -> None:
        """A zip down the whole front."""
        self.stage.zip([(MIDDLE, self.throat[1] - 2), (MIDDLE, self.hem_y + self.cut.tail - 2)],
            darker(self.look.cloth.colour, 0.5), 4.4)
        self.stage.piece(box(MIDDLE - 1.3, self.throat[1] + 2, MIDDLE + 1.3, self.throat[1] + 12,
            1), Cloth(STEEL, material="metal"), puff=0.3)

    def half_zip(self) -> None:
        """A zip to the chest."""
        self.stage.zip([(MIDDLE, self.throat[1] - 14), (MIDDLE, self.throat[1] + 42)],
            darker(self.look.cloth.colour, 0.5), 4.4)

    # Pockets

    def chest(self) -> None:
        """One patch on the wearer's left."""
        x, y = MIDDLE + self.cut.chest * 0.27, self.y + 62
        self._patch(x, y, 23, 26)

    def _patch(self, x: float, y: float, width: float, height: float) -> None:
        patch = curve([(x, y, 0), (x + width, y, 0), (x + width, y + height * 0.82, 0),
            (x + width / 2, y + height, 0), (x, y + height * 0.82, 0)])
        self.stage.piece(patch, self.look.cloth, puff=0.12, drape=0.4, shadow=0.3, drop=0.7)
        self.stage.line([(x, y + 3.4), (x + width, y + 3.4)], darker(self.look.cloth.colour, 0.6),
            0.5, 0.7)

    def flap(self) -> None:
        """Two flapped chest pockets."""
        thread = (214, 160, 84) if self.look.cloth.material == "denim" else None
        for side in (-1, 1):
            x, y = MIDDLE + side * self.cut.chest * 0.5, self.y + 70
            self._patch(x - 14, y, 28, 32)
            lid = curve([(x - 15, y - 5, 0), (x + 15, y - 5, 0), (x + 15, y + 5, 0), (x, y + 10, 0),
                (x - 15, y + 5, 0)])
            self.stage.piece(lid, self.look.cloth, puff=0.25, shadow=0.45)
            self.stage.button(x, y + 5, 2.0, STEEL)
            if thread:
                self.stage.seam([(x, y + 32), (x + side * 4, self.hem_y - 16)], self.look.cloth,
                    stitch=thread)

    def pouch(self) -> None:
        """A kangaroo pocket."""
        y, w = self.hem_y - 78, self.cut.waist * 0.62
        shape = [(MIDDLE, y), (MIDDLE + w * 0.62, y, 0), (MIDDLE + w, y + 34, 0),
            (MIDDLE + w, y + 60, 0), (MIDDLE, y + 61)]
        self.stage.piece(curve(symmetric(shape)), self.look.plain(), puff=0.35, shadow=0.45)

    def welt(self) -> None:
        """Slanted pockets near the hem."""
        w, y = self.cut.waist, self.hem_y - 70
        slant = 12 if self.cut.collar != "lapel" else 2
        for side in (-1, 1):
            line = [(MIDDLE + side * w * 0.46, y + (0 if slant > 5 else 14)),
                (MIDDLE + side * (w * 0.46 + (slant if slant > 5 else 22)),
                y + (34 if slant > 5 else 12))]
            self.stage.piece(ribbon(line, 5), self.look.cloth, puff=0.3, shadow=0.5)
            self.stage.line(line, (0, 0, 0), 0.8, 0.45)

    # Trims

    def quilting(self) -> None:
        """Stitched channels of a padded jacket."""
        y = self.y + 34
        while y < self.hem_y - 6:
            path = meet(ribbon([(60, y + 1), (MIDDLE, y + 3), (180, y + 1)], 1.4), self.body)
            self.stage.fill(path, (0, 0, 0), 0.4, blur=0.9)
            self.stage.fill(path, darker(self.look.cloth.colour, 0.5), 0.8)
            self.stage.line([(MIDDLE - self.cut.waist + 6, y + 5), (MIDDLE, y + 7),
                (MIDDLE + self.cut.waist - 6, y + 5)], (255, 255, 255), 3.5, 0.16, blur=2)
            y += 19

    def waistline(self) -> None:
        """A waist seam with a belt, and the seams of a tiered skirt."""
        c = self.cut
        line = [(MIDDLE - c.waist, self.waist_y), (MIDDLE, self.waist_y + 2.5),
            (MIDDLE + c.waist, self.waist_y)]
        if c.belt:
            belt = meet(ribbon(line, 9), self.body)
            colour = self.rng.choice((darker(self.look.cloth.colour, 0.5), self.look.cloth.accent))
            self.stage.piece(belt, self.look.plain("leather", colour), puff=0.4, shadow=0.45)
            self.stage.piece(box(MIDDLE - 6, self.waist_y - 4, MIDDLE + 6, self.waist_y + 8, 2),
                Cloth((214, 178, 98), material="metal"), puff=0.3)
        else:
            self.stage.seam(line, self.look.cloth)
        for i in range(1, c.tiers):
            y = self.waist_y + (c.length - c.belly) * i / c.tiers
            tier = meet(box(0, y, 240, 340), self.body)
            grow = [Fold([(x, y - 1), (x + self.rng.uniform(-2, 2), y + 26)], 5,
                self.rng.uniform(1, 2.2)) for x in range(60, 182, 9)]
            self.stage.piece(tier, self.look.cloth, grow, puff=0.6, shadow=0.45)

    def yoke(self) -> None:
        """Embroidery around the opening and along the hem."""
        canvas, colour = self.stage.canvas, self.look.cloth.accent
        spots = [(MIDDLE + side * 12,
            self.throat[1] + 8 + 9.5 * i) for i in range(7) for side in (-1, 1)]
        spots += [(MIDDLE - self.cut.hem + 6 + i * (2 * self.cut.hem - 12) / 11,
            self.hem_y - 8) for i in range(12)]
        for x, y in spots:
            canvas.save()
            canvas.translate(x, y)
            motif(canvas, "flower", colour, darker(colour, 0.6), 4.0)
            canvas.restore()
        for (ax, ay), (bx, by) in pairwise([(MIDDLE + 18, self.throat[1]),
            (MIDDLE + 18, self.throat[1] + 72), (MIDDLE, self.throat[1] + 82)]):
            for side in ([(ax, ay), (bx, by)], mirrored([(ax, ay), (bx, by)])):
                self.stage.line(side, colour, 1.0, 0.95)
        hem = ribbon([(MIDDLE - self.cut.hem, self.hem_y - 15),
            (MIDDLE + self.cut.hem, self.hem_y - 15)], 1.2)
        self.stage.fill(meet(hem, self.body), colour)


def shift_in(line: Points) -> list[tuple[float, ...]]:
    """The neckline drawn a little towards the throat, for a hood's thick edge."""
    return [(MIDDLE + (p[0] - MIDDLE) * 0.92, p[1] + 2, *p[2:]) for p in line]


def top(stage: Stage, look: Look, cut: Cut) -> None:
    """Draw a garment of the upper body."""
    Top(stage, look, cut).draw()
