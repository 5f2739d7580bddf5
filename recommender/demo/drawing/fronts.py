"""The fronts and pockets of what is worn on the upper body."""

from collections.abc import Callable

from recommender.demo.drawing.cloth import STEEL, WHITE, Cloth, darker
from recommender.demo.drawing.garment import Garment
from recommender.demo.drawing.shapes import MIDDLE, box, curve, meet, ribbon, symmetric

# Outlines read as rows of points, so the formatter leaves them alone.
# fmt: off


def _placket(worn: Garment, start: float, end: float, count: int, width: float = 9) -> None:
    strip = box(MIDDLE - width / 2, start, MIDDLE + width / 2, end)
    worn.stage.piece(meet(strip, worn.body), worn.look.cloth, puff=0.12, drape=0.3, shadow=0.3,
        drop=0.7)
    for x in (MIDDLE - width / 2 + 1, MIDDLE + width / 2 - 1):
        worn.stage.line([(x, start), (x, end)], darker(worn.look.cloth.colour, 0.6), 0.4, 0.6)
    pearl = worn.rng.choice((WHITE, darker(worn.look.cloth.colour, 0.5), (206, 196, 178)))
    for i in range(count):
        worn.stage.button(MIDDLE, start + 6 + i * (end - start - 14) / max(1, count - 1), 2.1,
            pearl)


def buttons(worn: Garment) -> None:
    """A button band down the whole front, or a jacket's few buttons and its edge."""
    start = worn.throat[1]
    if worn.cut.collar == "lapel":
        edge = [(MIDDLE, start, 0), (MIDDLE + 1, start + 50), (MIDDLE - 7, worn.hem_y + 1)]
        worn.stage.line(edge, (0, 0, 0), 2.4, 0.4, blur=1.2)
        worn.stage.line(edge, darker(worn.look.cloth.colour, 0.45), 0.8, 0.9)
        for i in range(worn.rng.choice((1, 2, 2))):
            worn.stage.button(MIDDLE - 3.5, start + 4 + 26 * i, 3.2,
                darker(worn.look.cloth.colour, 0.55))
        return
    _placket(worn, start - 2, worn.hem_y + worn.cut.tail, 7 if worn.cut.length < 260 else 9)


def placket(worn: Garment) -> None:
    """A short button opening below the collar."""
    long = 74 if worn.cut.length > 260 else 44
    _placket(worn, worn.throat[1] - 1, worn.throat[1] + long, 4 if long > 50 else 3, 8.5)


def zipped(worn: Garment) -> None:
    """A zip down the whole front."""
    worn.stage.zip([(MIDDLE, worn.throat[1] - 2), (MIDDLE, worn.hem_y + worn.cut.tail - 2)],
        darker(worn.look.cloth.colour, 0.5), 4.4)
    worn.stage.piece(box(MIDDLE - 1.3, worn.throat[1] + 2, MIDDLE + 1.3, worn.throat[1] + 12,
        1), Cloth(STEEL, material="metal"), puff=0.3)


def half_zip(worn: Garment) -> None:
    """A zip to the chest."""
    worn.stage.zip([(MIDDLE, worn.throat[1] - 14), (MIDDLE, worn.throat[1] + 42)],
        darker(worn.look.cloth.colour, 0.5), 4.4)


def chest(worn: Garment) -> None:
    """One patch on the wearer's left."""
    x, y = MIDDLE + worn.cut.chest * 0.27, worn.y + 62
    _patch(worn, x, y, 23, 26)


def _patch(worn: Garment, x: float, y: float, width: float, height: float) -> None:
    patch = curve([(x, y, 0), (x + width, y, 0), (x + width, y + height * 0.82, 0),
        (x + width / 2, y + height, 0), (x, y + height * 0.82, 0)])
    worn.stage.piece(patch, worn.look.cloth, puff=0.12, drape=0.4, shadow=0.3, drop=0.7)
    worn.stage.line([(x, y + 3.4), (x + width, y + 3.4)], darker(worn.look.cloth.colour, 0.6),
        0.5, 0.7)


def flap(worn: Garment) -> None:
    """Two flapped chest pockets."""
    thread = (214, 160, 84) if worn.look.cloth.material == "denim" else None
    for side in (-1, 1):
        x, y = MIDDLE + side * worn.cut.chest * 0.5, worn.y + 70
        _patch(worn, x - 14, y, 28, 32)
        lid = curve([(x - 15, y - 5, 0), (x + 15, y - 5, 0), (x + 15, y + 5, 0), (x, y + 10, 0),
            (x - 15, y + 5, 0)])
        worn.stage.piece(lid, worn.look.cloth, puff=0.25, shadow=0.45)
        worn.stage.button(x, y + 5, 2.0, STEEL)
        if thread:
            worn.stage.seam([(x, y + 32), (x + side * 4, worn.hem_y - 16)], worn.look.cloth,
                stitch=thread)


def pouch(worn: Garment) -> None:
    """A kangaroo pocket."""
    y, w = worn.hem_y - 78, worn.cut.waist * 0.62
    shape = [(MIDDLE, y), (MIDDLE + w * 0.62, y, 0), (MIDDLE + w, y + 34, 0),
        (MIDDLE + w, y + 60, 0), (MIDDLE, y + 61)]
    worn.stage.piece(curve(symmetric(shape)), worn.look.plain(), puff=0.35, shadow=0.45)


def welt(worn: Garment) -> None:
    """Slanted pockets near the hem."""
    w, y = worn.cut.waist, worn.hem_y - 70
    slant = 12 if worn.cut.collar != "lapel" else 2
    for side in (-1, 1):
        line = [(MIDDLE + side * w * 0.46, y + (0 if slant > 5 else 14)),
            (MIDDLE + side * (w * 0.46 + (slant if slant > 5 else 22)),
            y + (34 if slant > 5 else 12))]
        worn.stage.piece(ribbon(line, 5), worn.look.cloth, puff=0.3, shadow=0.5)
        worn.stage.line(line, (0, 0, 0), 0.8, 0.45)


FRONTS: dict[str, Callable[[Garment], None]] = {"buttons": buttons, "placket": placket,
    "zip": zipped, "half zip": half_zip}
POCKETS: dict[str, Callable[[Garment], None]] = {"chest": chest, "flap": flap, "pouch": pouch,
    "welt": welt}
