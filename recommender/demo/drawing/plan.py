"""Plan the catalog: which items there are, what they are called, how they look."""

import random
from dataclasses import dataclass, replace

from PIL import Image

from recommender.demo.drawing.cloth import COLOURS, Cloth, luminance, shade_of
from recommender.demo.drawing.kinds import KINDS, Kind
from recommender.demo.drawing.look import Look
from recommender.demo.drawing.stage import Stage
from recommender.demo.drawing.words import (
    CURRENCY,
    description_of,
    fabric_of,
    pattern_of,
    price_of,
    sleeves_of,
)

FIELDS = (
    "id", "gender", "masterCategory", "subCategory", "articleType", "baseColour", "season", "year",
    "usage", "brand", "price", "currency", "pattern", "fabric", "sleeveLength", "description",
    "productDisplayName",
)  # fmt: skip
SEASONS = ("Spring", "Summer", "Fall", "Winter")
YEARS, YEAR_WEIGHTS = range(2011, 2019), (14, 26, 14, 10, 9, 12, 10, 5)
# Invented names; none is a maker's.
BRANDS = (
    "Velmora", "Norvik & Sons", "Tarnish Lane", "Quillfern", "Ostrava Row", "Penny Larkspur",
    "Brambleton", "Kestrelhaus", "Solvane", "Mirrowen", "Dunmarrow", "Ferrule", "Aldenby",
    "Zephyrine", "Copperwick", "Isla Marrow", "Tindergate", "Halvorine", "Pomelle", "Rookshade",
)  # fmt: skip
PRINT_NAMES = {
    "solid": "", "stripes": "Striped", "pinstripes": "Striped", "diagonals": "Striped",
    "plaid": "Checked", "gingham": "Gingham", "dots": "Polka Dot", "floral": "Floral",
    "abstract": "Printed", "confetti": "Printed", "zigzag": "Patterned", "graphic": "Graphic",
    "logo": "Logo",
}  # fmt: skip
# Cuts that are also a material.
CUT_MATERIALS = {"Biker": "leather", "Puffer": "quilt", "Denim": "denim", "Canvas": "canvas"}
CUT_COLOURS = {"Denim": ("Blue", "Navy Blue", "Black", "Grey")}
ACCENTS = (
    "White",
    "Navy Blue",
    "Black",
    "Mustard",
    "Red",
    "Teal",
    "Cream",
    "Pink",
    "Blue",
    "Orange",
)


@dataclass(frozen=True)
class Plan:
    """One item: its row of styles.csv and what its picture is drawn from."""

    row: dict[str, str]
    kind: Kind
    cut: object
    look: Look
    grey: bool = False

    def picture(self) -> Image.Image:
        """Draw the item, 240 x 320 RGB, or L for a grey one."""
        rng, look, kind = random.Random(self.look.seed + 1), self.look, self.kind
        standing = kind.ground is not None
        zoom = kind.zoom * rng.uniform(0.95, 1.03) * (0.9 if look.kid else 1.0)
        stage = Stage(
            look.seed,
            turn=0.0 if standing else rng.uniform(-1.8, 1.8),
            zoom=zoom,
            wide=1.13 if look.kid and kind.master == "Apparel" else 1.0,
        )
        kind.draw(stage, look, self.cut)
        ground = None if kind.ground is None else 160 + (kind.ground - 160) * zoom
        image = stage.finish(ground)
        return image.convert("L") if self.grey else image


def plan_item(rng: random.Random, item_id: int, kind: Kind) -> Plan:
    """Choose one item of a kind."""
    style = rng.choice(list(kind.cuts))
    gender = rng.choice(kind.genders)
    colour = rng.choice(CUT_COLOURS.get(style, kind.colours))
    pattern = rng.choice(kind.prints)
    material = CUT_MATERIALS.get(style, rng.choice(kind.materials))
    if pattern == "graphic" and getattr(kind.cuts[style], "front", None):
        pattern = "logo"  # a large print would run over the buttons
    if material in ("denim", "leather", "quilt"):
        pattern = "solid"
    if (
        gender in ("Boys", "Girls")
        and pattern == "solid"
        and len(kind.prints) > 2
        and rng.random() < 0.5
    ):
        pattern = rng.choice(kind.prints)
    base = shade_of(COLOURS[colour], rng)
    far = [c for c in ACCENTS if abs(luminance(COLOURS[c]) - luminance(base)) > 0.22]
    accent, third = rng.sample(far, 2)
    name = PRINT_NAMES[pattern]
    seed = rng.getrandbits(30)
    cloth = Cloth(
        base, COLOURS[accent], COLOURS[third], "solid" if name in ("Graphic", "Logo") else pattern,
        material, 0.85 if kind.master == "Accessories" else 1.0, seed,
    )  # fmt: skip
    brand = rng.choice(BRANDS)
    words = [brand, gender, colour, name, style, kind.noun]
    season = rng.choice(kind.seasons or SEASONS)
    year = rng.choices(YEARS, YEAR_WEIGHTS)[0]
    look, cut = Look(gender=gender, cloth=cloth, print_name=name, seed=seed), kind.cuts[style]
    sleeves, rank = sleeves_of(cut), BRANDS.index(brand) / (len(BRANDS) - 1)
    row = dict(zip(FIELDS, (
        str(item_id), gender, kind.master, kind.group, kind.article, colour, season, str(year),
        rng.choice(kind.usages), brand, price_of(kind, look, rank, year), CURRENCY,
        pattern_of(look), fabric_of(kind, look), sleeves,
        description_of(kind, look, style, colour, sleeves), " ".join(w for w in words if w),
    ), strict=True))  # fmt: skip
    return Plan(row, kind, cut, look)


def plan_catalog(items: int, seed: int) -> list[Plan]:
    """The whole catalog in the order of its ids, with the flaws that real ones have."""
    rng = random.Random(seed)
    ids = sorted(rng.sample(range(1163, 60000), items))
    rng.shuffle(ids)
    total = sum(kind.count for kind in KINDS)
    # Each kind gets its share; the rounding error is carried from one kind to the next.
    kinds = [KINDS[i] for i, k in enumerate(KINDS) for _ in range(k.count)]
    chosen = [kinds[int((i + 0.5) * total / items)] for i in range(items)]
    plans = [plan_item(rng, item_id, kind) for item_id, kind in zip(ids, chosen, strict=True)]
    _add_flaws(plans, rng)
    return sorted(plans, key=lambda plan: int(plan.row["id"]))


def _add_flaws(plans: list[Plan], rng: random.Random) -> None:
    """Repeat names and pictures, blank some fields, break two lines; in place."""

    def copy(source: Plan, target: int, seed: int) -> None:
        row = {**source.row, "id": plans[target].row["id"]}
        plans[target] = replace(source, row=row, look=replace(source.look, seed=seed))

    # Neighbours are of one kind, so that no kind loses items to another.
    places = rng.sample(range(0, len(plans) - 3, 4), max(1, min(27, len(plans) // 8)))
    for n, at in enumerate(places[:18]):
        for target in range(at + 1, at + (3 if n % 3 == 0 else 2)):
            copy(plans[at], target, rng.getrandbits(30))
    for at in places[18:23]:
        copy(plans[at], at + 1, plans[at].look.seed)
    for at, column, value in zip(
        places,
        ("season", "usage", "year", "season", "usage"),
        ("", "NA", "", "", "NA"),
        strict=False,
    ):
        plans[at].row[column] = value
    for at in places[23:25]:
        plans[at].row["productDisplayName"] += ", Pack of 1"
    plans[places[-1]] = replace(plans[places[-1]], grey=True)
