"""The pattern of what is worn on the upper body: its cut, its outline and its folds."""

from dataclasses import dataclass, replace

from recommender.demo.drawing.look import Look
from recommender.demo.drawing.shapes import MIDDLE, curve, symmetric
from recommender.demo.drawing.stage import Fold, Stage, folds

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


class Garment:
    """One garment of the upper body on the stage, and where its parts are."""

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
        self.body = curve(symmetric(self.outline()))

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
