"""What an invented shop says of an item beside its labels, by what is drawn."""

import random

from recommender.demo.drawing.garment import Cut
from recommender.demo.drawing.kinds import Kind
from recommender.demo.drawing.look import Look

CURRENCY = "EUR"
PRICES = {
    "Tshirts": 19, "Shirts": 39, "Tops": 25, "Tunics": 35, "Sweaters": 49, "Sweatshirts": 45,
    "Jackets": 89, "Blazers": 119, "Waistcoat": 59, "Kurtas": 45, "Dresses": 59, "Camisoles": 15,
    "Innerwear Vests": 12, "Nightdress": 29, "Jeans": 59, "Trousers": 49, "Shorts": 29,
    "Track Pants": 35, "Leggings": 19, "Capris": 29, "Skirts": 35, "Socks": 8, "Casual Shoes": 59,
    "Sports Shoes": 79, "Formal Shoes": 99, "Heels": 69, "Flats": 39, "Sandals": 35,
    "Flip Flops": 15, "Handbags": 79, "Backpacks": 49, "Duffel Bag": 65, "Clutches": 39,
    "Wallets": 29, "Watches": 99, "Sunglasses": 59, "Belts": 29, "Caps": 19, "Ties": 25,
    "Scarves": 29, "Earrings": 19, "Necklace and Chains": 35, "Ring": 29, "Bracelet": 25,
    "Bangle": 22,
}  # fmt: skip
"""What an item of an article type costs about, in `CURRENCY`."""

_DEARER = {"leather": 1.6, "suede": 1.4, "patent": 1.3, "wool": 1.3, "cable": 1.3, "satin": 1.2}
_YEARLY = 1.03
_FIRST_YEAR = 2011

# In the words of Kaggle's full-size data, which the network knows.
PATTERNS = {"": "Solid", "Striped": "Striped", "Checked": "Checked", "Gingham": "Checked"}
"""What a name says of a print -> its pattern; all others are printed."""

FABRICS = {
    "jersey": "Cotton", "cotton": "Cotton", "fleece": "Fleece", "wool": "Wool", "knit": "Wool",
    "cable": "Wool", "rib": "Cotton", "denim": "Denim", "canvas": "Canvas", "satin": "Satin",
    "nylon": "Nylon", "quilt": "Nylon", "leather": "Leather", "patent": "Patent Leather",
    "suede": "Suede", "mesh": "Mesh", "rubber": "Rubber",
}  # fmt: skip
"""Of what is a cloth or a skin; metal and stones are none."""
_NO_CLOTH = ("Watches", "Eyewear", "Jewellery")

_WEARERS = {"Men": "men", "Women": "women", "Boys": "boys", "Girls": "girls", "Unisex": "everyone"}


def pattern_of(look: Look) -> str:
    """The pattern that a name's word for a print means."""
    return PATTERNS.get(look.print_name, "Printed")


def fabric_of(kind: Kind, look: Look) -> str:
    """What an item is made of, empty where that is no cloth."""
    return "" if kind.group in _NO_CLOTH else FABRICS.get(look.cloth.material, "")


def sleeves_of(cut: object) -> str:
    """How long the sleeves are drawn, empty for what has none to have."""
    if not isinstance(cut, Cut):
        return ""
    if not cut.sleeve or cut.collar == "straps":
        return "Sleeveless"
    if cut.sleeve < 0.5:
        return "Short Sleeves"
    return "Three-Quarter Sleeves" if cut.sleeve < 0.85 else "Long Sleeves"


def price_of(kind: Kind, look: Look, brand_rank: float, year: int) -> str:
    """What an item costs, in `CURRENCY`: by its type, material, maker, wearer and year.

    Args:
        brand_rank: from 0 for the cheapest maker to 1 for the dearest.
    """
    about = PRICES[kind.article] * _DEARER.get(look.cloth.material, 1.0) * (0.75 + brand_rank)
    about *= _YEARLY ** (year - _FIRST_YEAR) * (0.7 if look.kid else 1.0)
    # Not of the stream of choices that pictures are drawn from.
    about *= random.Random(look.seed + 2).uniform(0.85, 1.2)
    return f"{max(4, round(about)) - 0.05:.2f}"


def description_of(kind: Kind, look: Look, style: str, colour: str, sleeves: str) -> str:
    """A sentence without a comma, as the table has no quotes."""
    fabric = fabric_of(kind, look)
    words = [look.print_name, "" if fabric == style else fabric, style, kind.noun]
    thing = " ".join(_plain(word) for word in words if word)
    made = f"{thing} in {colour.lower()} for {_WEARERS[look.gender]}"
    sleeved = {"": "", "Sleeveless": " without sleeves"}.get(sleeves, f" with {sleeves.lower()}")
    return f"{made[:1].upper()}{made[1:]}{sleeved}."


def _plain(words: str) -> str:
    """In small letters, but for those that stand for a shape."""
    return " ".join(w if len(w.split("-")[0]) == 1 else w.lower() for w in words.split())
