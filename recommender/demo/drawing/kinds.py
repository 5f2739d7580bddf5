"""What the demo catalog sells: one line a kind of item."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recommender.demo.drawing.bags import Bag, bag
from recommender.demo.drawing.bottoms import Legs, Skirt, legs, skirt
from recommender.demo.drawing.extras import Extra, extra
from recommender.demo.drawing.flats import Flat, flat
from recommender.demo.drawing.footwear import Pump, Shoe, pump, shoe
from recommender.demo.drawing.garment import Cut
from recommender.demo.drawing.jewels import Jewel, jewel
from recommender.demo.drawing.tops import top
from recommender.demo.drawing.trinkets import Glasses, Watch, glasses, watch

# A row reads as one line of a range plan, so the formatter leaves it alone.
# fmt: off

DARK = ("Black", "Navy Blue", "Grey", "Charcoal", "Brown", "Maroon")
LEATHER = ("Black", "Brown", "Tan", "Maroon", "Beige", "Navy Blue")
BRIGHT = ("Red", "Blue", "Green", "Yellow", "Orange", "Pink", "Purple", "Turquoise Blue", "White")
SOFT = ("White", "Pink", "Peach", "Lavender", "Cream", "Turquoise Blue", "Beige", "Yellow")
RICH = ("Maroon", "Teal", "Mustard", "Purple", "Magenta", "Rust", "Green", "Navy Blue")
DAILY = ("Black", "White", "Navy Blue", "Blue", "Grey", "Red", "Green", "Olive", "Maroon")
DENIM = ("Blue", "Navy Blue", "Black", "Grey", "Blue")
CHINO = ("Khaki", "Beige", "Olive", "Navy Blue", "Grey", "Brown", "Black", "Cream")
METALS = ("Gold", "Silver", "Gold", "Silver")
MEN, WOMEN, ALL = ("Men",), ("Women",), ("Men", "Women", "Boys", "Girls")
ADULTS, GIRLISH = ("Men", "Women"), ("Women", "Women", "Girls")
CASUAL, FORMAL = ("Casual",), ("Formal",)
SPORTY = ("Casual", "Sports")
DRESSY = ("Casual", "Party", "Casual")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A line of the range.

    `cuts` maps what an item's name says of its cut to the pattern that draws it.
    """

    article: str
    noun: str
    group: str  # subCategory
    master: str
    draw: Callable[..., None]
    cuts: dict[str, Any]
    genders: tuple[str, ...]
    colours: tuple[str, ...]
    materials: tuple[str, ...]
    prints: tuple[str, ...] = ("solid",)
    usages: tuple[str, ...] = CASUAL
    seasons: tuple[str, ...] = ()  # empty for all of them
    count: int = 20
    zoom: float = 1.0  # how much more of the page it fills
    ground: float | None = None


WARM, COLD = ("Summer", "Spring", "Summer"), ("Winter", "Fall", "Winter")
PLAIN_PRINTS = ("solid", "solid", "stripes", "graphic", "graphic", "logo")
SHIRTING = ("solid", "plaid", "pinstripes", "gingham", "solid")
PRETTY = ("solid", "floral", "dots", "stripes", "abstract", "floral")
NIGHT = ("dots", "floral", "confetti", "stripes")
_LONG: dict[str, Any] = {"sleeve": 1.0}
_DRESS: dict[str, Any] = {"shoulder": 52, "chest": 50, "waist": 43, "belly": 108,
    "collar": "bare", "length": 276}
_SLEEVELESS: dict[str, Any] = {**_DRESS, "sleeve": 0.0}
_SLIM: dict[str, Any] = {"band": "elastic", "waist": 34, "hip": 44, "knee": 40, "hem": 32}


def _kinds(master: str, *rows: tuple[Any, ...]) -> list[Kind]:
    names = (
        "article", "noun", "group", "draw", "cuts", "genders", "colours", "materials", "prints",
        "usages", "seasons", "count",
    )
    kinds = []
    for row in rows:
        more = row[-1] if isinstance(row[-1], dict) else {}
        kinds.append(Kind(master=master, **dict(zip(names, row, strict=False)), **more))
    return kinds


APPAREL = _kinds(
    "Apparel",
    ("Tshirts", "T-shirt", "Topwear", top, {
        "Round Neck": Cut(), "V Neck": Cut(vee=True, depth=34),
        "Polo": Cut(collar="shirt", front="placket", depth=15),
        "Henley": Cut(front="placket", depth=20, sleeve=0.95), "Full Sleeve": Cut(sleeve=1.0),
     }, ("Men", "Men", "Women", "Boys", "Girls", "Unisex"), (*DAILY, *BRIGHT), ("jersey",),
         PLAIN_PRINTS, ("Casual", "Casual", "Sports"), WARM, 62, {"zoom": 1.12}),
    ("Shirts", "Shirt", "Topwear", top, {
        "": Cut(collar="shirt", front="buttons", depth=14, tail=8, pocket="chest", **_LONG),
        "Slim Fit": Cut(collar="shirt", front="buttons", depth=14, tail=8, waist=50, hem=54,
            **_LONG),
        "Short Sleeve": Cut(collar="shirt", front="buttons", depth=16, tail=6, pocket="chest",
            sleeve=0.4),
        "Mandarin Collar": Cut(collar="band", front="buttons", depth=14, tail=8, **_LONG),
     }, ("Men", "Men", "Men", "Women", "Boys"), ("White", "Blue", "Navy Blue", "Grey", "Pink",
         "Lavender", "Black", "Green", "Maroon", "Red"), ("cotton",), SHIRTING,
         ("Casual", "Formal", "Smart Casual"), (), 52, {"zoom": 1.08}),
    ("Tops", "Top", "Topwear", top, {
        "": Cut(collar="bare", sleeve=0.22, depth=34, length=205, neck=26, hem=62),
        "Sleeveless": Cut(collar="bare", sleeve=0, depth=36, length=205, hem=66),
        "Peplum": Cut(collar="bare", sleeve=0.3, depth=28, length=206, belly=126, waist=48, hem=70,
            tiers=1),
        "V Neck": Cut(collar="bare", vee=True, sleeve=0.55, depth=46, length=210, loose=1.4),
     }, GIRLISH, (*SOFT, *RICH, "Black"), ("cotton", "satin", "jersey"), PRETTY, DRESSY, WARM, 34,
         {"zoom": 1.2}),
    ("Tunics", "Tunic", "Topwear", top, {
        "": Cut(collar="band", front="placket", sleeve=0.65, depth=20, length=252, hem=70, tail=9),
        "Belted": Cut(collar="bare", sleeve=0.45, depth=30, vee=True, length=250, belly=128,
            waist=46, hem=66, belt=True, tiers=1),
     }, WOMEN, RICH, ("cotton",), PRETTY, CASUAL, WARM, 14, {"zoom": 1.08}),
    ("Sweaters", "Sweater", "Topwear", top, {
        "Round Neck": Cut(ribbed=True, loose=1.1, depth=17, **_LONG),
            "V Neck": Cut(ribbed=True, vee=True, depth=42, loose=1.1, **_LONG),
        "Turtle Neck": Cut(collar="turtle", ribbed=True, depth=8, loose=1.1, **_LONG),
     }, ("Men", "Women", "Men", "Women", "Girls"), (*DARK, "Cream", "Red", "Mustard", "Beige",
         "Teal"), ("knit", "cable", "knit"), ("solid", "stripes", "solid", "zigzag"), CASUAL, COLD,
         28, {"zoom": 1.07}),
    ("Sweatshirts", "Sweatshirt", "Topwear", top, {
        "Hooded": Cut(collar="hood", pocket="pouch", ribbed=True, depth=17, loose=1.2, **_LONG),
        "Hooded Zip": Cut(collar="hood", front="zip", pocket="welt", ribbed=True, depth=17,
            loose=1.2, **_LONG),
        "Crew Neck": Cut(ribbed=True, loose=1.2, depth=16, **_LONG),
     }, ALL, (*DAILY, "Mustard", "Pink", "Lavender"), ("fleece",), ("solid", "graphic", "solid"),
         SPORTY, COLD, 28, {"zoom": 1.05}),
    ("Jackets", "Jacket", "Topwear", top, {
        "Biker": Cut(collar="band", front="zip", pocket="welt", depth=16, length=210, loose=1.15,
            **_LONG),
        "Puffer": Cut(collar="band", front="zip", quilted=True, depth=12, length=216, loose=1.35,
            **_LONG),
        "Denim": Cut(collar="shirt", front="buttons", pocket="flap", depth=16, length=206,
            loose=1.15, tail=0, **_LONG),
        "Hooded": Cut(collar="hood", front="zip", pocket="welt", depth=16, length=222, loose=1.2,
            **_LONG),
     }, ("Men", "Men", "Women", "Boys"), ("Black", "Brown", "Navy Blue", "Olive", "Blue", "Red",
         "Grey", "Tan", "Mustard"), ("nylon",), ("solid",), ("Casual", "Casual", "Sports"), COLD,
         30, {"zoom": 1.08}),
    ("Blazers", "Blazer", "Topwear", top, {
        "": Cut(collar="lapel", front="buttons", pocket="welt", vee=True, depth=100, neck=16,
            **_LONG),
        "Slim Fit": Cut(collar="lapel", front="buttons", pocket="welt", vee=True, depth=88, neck=16,
            waist=49, **_LONG),
     }, ADULTS, (*DARK, "Beige", "Olive", "Teal"), ("wool", "cotton"),
         ("solid", "solid", "pinstripes", "plaid"), ("Formal", "Party", "Formal"), COLD, 18,
         {"zoom": 1.08}),
    ("Waistcoat", "Waistcoat", "Topwear", top, {
        "": Cut(collar="bare", front="buttons", pocket="welt", vee=True, sleeve=0, depth=84,
            length=188, tail=10, neck=20, belly=130),
     }, MEN, (*DARK, "Beige"), ("wool",), ("solid", "pinstripes", "plaid"), FORMAL, COLD, 8,
         {"zoom": 1.28}),
    ("Kurtas", "Kurta", "Topwear", top, {
        "": Cut(collar="band", front="placket", sleeve=0.95, length=282, hem=62, depth=18,
            belly=120),
        "Embroidered": Cut(collar="band", front="placket", ornate=True, sleeve=0.7, length=284,
            hem=66, depth=18, belly=116),
        "Short": Cut(collar="band", front="placket", sleeve=0.95, length=244, hem=62, depth=18),
     }, ("Women", "Women", "Men", "Men", "Girls"), (*RICH, "White", "Cream", "Yellow", "Pink"),
         ("cotton",), ("solid", "solid", "floral", "pinstripes"), ("Ethnic",), WARM, 36),
    ("Dresses", "Dress", "Dress", top, {
        "A-Line": Cut(**_SLEEVELESS, hem=78, depth=30), "Shift": Cut(**{**_SLEEVELESS, "waist": 49},
            hem=56, depth=24),
        "Strappy": Cut(**{**_SLEEVELESS, "collar": "straps"}, hem=84, depth=20),
            "Belted": Cut(**_SLEEVELESS, hem=66, depth=30, vee=True, belt=True),
        "Tiered": Cut(**_DRESS, sleeve=0.24, hem=88, depth=34, vee=True, tiers=3),
            "Skater": Cut(**{**_DRESS, "length": 244}, sleeve=0.3, hem=92, depth=24, tiers=1),
        "Maxi": Cut(**{**_SLEEVELESS, "length": 300, "belly": 100}, hem=80, depth=36, vee=True),
     }, ("Women", "Women", "Women", "Girls"), (*RICH, *SOFT, "Black", "Red", "Blue"),
         ("cotton", "satin", "jersey"), PRETTY, DRESSY, WARM, 50),
    ("Camisoles", "Camisole", "Innerwear", top, {"": Cut(collar="straps", sleeve=0, length=200,
        depth=18, hem=56)},
     WOMEN, (*SOFT, "Black", "Red"), ("jersey", "satin"), ("solid",), CASUAL, WARM, 12,
         {"zoom": 1.25}),
    ("Innerwear Vests", "Innerwear Vest", "Innerwear", top, {"": Cut(collar="bare", sleeve=0,
        depth=40, neck=26, length=226), "Ribbed": Cut(collar="bare", sleeve=0, depth=44, neck=28,
        length=226)},
     ("Men", "Boys"), ("White", "Black", "Grey", "Navy Blue"), ("rib",), ("solid",), CASUAL, WARM,
         12, {"zoom": 1.18}),
    ("Nightdress", "Nightdress", "Loungewear and Nightwear", top,
        {"": Cut(**_DRESS, sleeve=0.26, hem=68, depth=30), "Strappy": Cut(**{**_SLEEVELESS,
        "collar": "straps"}, hem=66, depth=20)},
     WOMEN, (*SOFT, "Purple", "Navy Blue"), ("satin", "jersey"), NIGHT, CASUAL, WARM, 12),
    ("Jeans", "Jeans", "Bottomwear", legs, {
        "Straight Fit": Legs(), "Slim Fit": Legs(hem=40, knee=45, hip=48),
            "Skinny": Legs(hem=34, knee=41, hip=45, waist=36),
        "Bootcut": Legs(hem=55, knee=46, inner=12, hip=48), "Distressed": Legs(hem=43, knee=46,
            torn=True),
     }, ("Men", "Men", "Women", "Women", "Boys", "Girls"), DENIM, ("denim",), ("solid",), CASUAL,
         (), 42, {"zoom": 1.09}),
    ("Trousers", "Trousers", "Bottomwear", legs, {"Formal": Legs(crease=True),
        "Chino": Legs(hem=42, knee=47), "Flared": Legs(hem=58, knee=48, inner=10, crease=True)},
     ADULTS, CHINO, ("cotton", "wool"), ("solid", "solid", "solid", "pinstripes"),
         ("Formal", "Casual", "Smart Casual"), (), 28, {"zoom": 1.09}),
    ("Shorts", "Shorts", "Bottomwear", legs, {
        "Chino": Legs(length=158, hem=60, knee=58, inner=7, rise=72),
            "Cargo": Legs(length=166, hem=61, knee=59, inner=7, rise=72, cargo=True),
        "Sports": Legs(length=140, hem=66, knee=62, inner=5, rise=74, band="elastic",
            side_stripe=True),
     }, ALL, (*CHINO, "Red", "Blue", "Green"), ("cotton",), ("solid", "solid", "plaid"), SPORTY,
         WARM, 26, {"zoom": 1.32}),
    ("Track Pants", "Track Pants", "Bottomwear", legs, {"": Legs(band="elastic", side_stripe=True,
        hem=45), "Jogger": Legs(band="elastic", cuff="ribbed", hem=41, knee=50)},
     ALL, ("Black", "Navy Blue", "Grey", "Maroon", "Olive", "Blue"), ("fleece", "nylon"),
         ("solid",), ("Sports", "Casual"), (), 20, {"zoom": 1.08}),
    ("Leggings", "Leggings", "Bottomwear", legs, {"": Legs(**_SLIM)},
     GIRLISH, ("Black", "Navy Blue", "Maroon", "Purple", "Pink", "White", "Teal", "Grey"),
         ("jersey",), ("solid", "solid", "floral", "dots"), ("Casual", "Ethnic"), WARM, 16,
         {"zoom": 1.09}),
    ("Capris", "Capris", "Bottomwear", legs, {"": Legs(length=204, hem=44, knee=48, cuff="turned"),
        "Slim Fit": Legs(length=206, hem=38, knee=44, hip=46)},
     GIRLISH, (*CHINO, "White", "Pink"), ("cotton",), ("solid",), CASUAL, WARM, 12, {"zoom": 1.18}),
    ("Skirts", "Skirt", "Bottomwear", skirt, {
        "Flared": Skirt(), "Pleated": Skirt(pleats=14, length=160, hem=80),
            "Pencil": Skirt(hem=44, length=190, flow=0.4), "Denim": Skirt(denim=True, hem=54,
            length=150, flow=0.3),
        "Tiered": Skirt(tiers=3, length=236, hem=84), "Maxi": Skirt(length=242, hem=72, flow=2.2),
     }, GIRLISH, (*RICH, "Black", "Pink", "Red", "Grey"), ("cotton",),
         ("solid", "floral", "plaid", "dots"), DRESSY, WARM, 24, {"zoom": 1.15}),
    ("Socks", "Socks", "Socks", extra, {"": Extra(kind="socks")}, ALL, (*DAILY, "Pink", "Mustard"),
        ("knit",), ("solid", "stripes", "dots", "zigzag"), SPORTY, (), 16, {"zoom": 1.1}),
)
FOOTWEAR = _kinds(
    "Footwear",
    ("Casual Shoes", "Casual Shoes", "Shoes", shoe, {"Canvas": Shoe(toe_cap=True),
        "High Top": Shoe(high=27, laces=7, toe_cap=True), "": Shoe()},
     (*ALL, "Men"), (*DAILY, "Brown", "Tan", "Pink", "Mustard"), ("canvas", "leather", "suede"),
         ("solid", "solid", "solid", "plaid"), CASUAL, (), 42, {"ground": 220}),
    ("Sports Shoes", "Sports Shoes", "Shoes", shoe, {"Running": Shoe(kind="runner"),
        "Training": Shoe(kind="runner", high=7, laces=6)},
     ("Men", "Men", "Women", "Boys", "Girls"), ("White", "Black", "Grey", "Blue", "Navy Blue",
         "Red", "Pink", "Green", "Orange", "Purple"), ("mesh",), ("solid",), ("Sports",), (), 36,
         {"ground": 220}),
    ("Formal Shoes", "Formal Shoes", "Shoes", shoe, {"Derby": Shoe(kind="derby"),
        "Brogue": Shoe(kind="oxford", toe_cap=True), "Loafer": Shoe(kind="loafer")},
     MEN, ("Black", "Brown", "Tan", "Black", "Maroon"), ("leather", "leather", "patent"),
         ("solid",), FORMAL, (), 22, {"ground": 221}),
    ("Heels", "Heels", "Shoes", pump, {
        "": Pump(), "Block": Pump(block=17, heel=54), "Ankle Strap": Pump(strap="ankle",
            open_toe=True, block=15, heel=58),
        "T-Strap": Pump(strap="t", heel=50, block=10), "Platform": Pump(platform=10, heel=76,
            block=9), "Peep Toe": Pump(open_toe=True, heel=64),
     }, WOMEN, ("Black", "Red", "Beige", "Gold", "Silver", "Pink", "Brown", "Purple", "Teal",
         "White"), ("leather", "patent", "suede"), ("solid",), ("Casual", "Party", "Formal"), (),
         34, {"ground": 238}),
    ("Flats", "Flats", "Shoes", flat, {"Ballerina": Flat(), "": Flat(kind="strappy")}, GIRLISH,
        ("Black", "Pink", "Beige", "Gold", "Silver", "Red", "Brown", "Turquoise Blue", "Peach"),
        ("leather", "suede"), ("solid", "solid", "dots"), DRESSY, WARM, 24),
    ("Sandals", "Sandals", "Sandal", flat, {"": Flat(kind="cross"), "Slip-on": Flat(kind="slide")},
        ("Men", "Women", "Boys"), (*LEATHER, "Olive"), ("leather",), ("solid",), CASUAL, WARM, 20),
    ("Flip Flops", "Flip Flops", "Flip Flops", flat, {"": Flat(kind="thong")},
        ("Men", "Women", "Boys", "Girls", "Unisex"), (*BRIGHT, "Black", "Navy Blue", "Brown"),
        ("rubber",), ("solid",), CASUAL, WARM, 20),
)
ACCESSORIES = _kinds(
    "Accessories",
    ("Handbags", "Handbag", "Bags", bag, {"Tote": Bag(), "Satchel": Bag(kind="satchel"),
        "Hobo": Bag(kind="hobo")},
     WOMEN, (*LEATHER, "Red", "Pink", "Teal", "Mustard", "White", "Purple"),
         ("leather", "leather", "patent", "suede"), ("solid", "solid", "solid", "floral",
         "stripes"), ("Casual", "Party", "Casual"), (), 34),
    ("Backpacks", "Backpack", "Bags", bag, {"": Bag(kind="backpack")},
        ("Unisex", "Unisex", "Boys", "Girls"), (*DAILY, "Pink", "Orange", "Purple", "Teal"),
        ("canvas", "nylon"), ("solid", "solid", "plaid", "confetti"), CASUAL, (), 22),
    ("Duffel Bag", "Duffel Bag", "Bags", bag, {"": Bag(kind="duffel")}, ("Unisex", "Men"),
        ("Black", "Navy Blue", "Red", "Grey", "Olive", "Brown"), ("canvas", "nylon", "leather"),
        ("solid",), ("Sports", "Casual"), (), 10),
    ("Clutches", "Clutch", "Bags", bag, {"": Bag(kind="clutch"), "Envelope": Bag(kind="envelope")},
        WOMEN, ("Gold", "Silver", "Black", "Red", "Pink", "Purple", "Teal", "Beige"),
        ("leather", "satin", "patent"), ("solid", "solid", "floral"), ("Party",), (), 18),
    ("Wallets", "Wallet", "Wallets", bag, {"Bi-fold": Bag(kind="bifold"), "": Bag(kind="bifold")},
        MEN, LEATHER, ("leather",), ("solid",), ("Casual", "Formal"), (), 14),
    ("Wallets", "Wallet", "Wallets", bag, {"Long": Bag(kind="long")}, WOMEN,
        (*RICH, "Red", "Pink", "Black"), ("leather", "patent"), ("solid", "dots"), CASUAL, (), 10),
    ("Watches", "Watch", "Watches", watch, {
        "Dial": Watch(), "Dial Steel": Watch(strap="links"),
            "Dial Chronograph": Watch(kind="chronograph", strap="links"),
            "Dial Chronograph Leather": Watch(kind="chronograph"),
     }, ("Men", "Men", "Women", "Women", "Unisex"), ("Black", "White", "Blue", "Silver",
         "Navy Blue", "Brown", "Gold", "Green", "Maroon"), ("satin",), ("solid",),
         ("Casual", "Formal"), (), 32),
    ("Watches", "Digital Watch", "Watches", watch, {"": Watch(kind="digital", strap="rubber")},
        ("Boys", "Girls", "Men"), (*BRIGHT, "Black"), ("rubber",), ("solid",), SPORTY, (), 10),
    ("Sunglasses", "Sunglasses", "Eyewear", glasses, {
        "Wayfarer": Glasses(), "Aviator": Glasses(kind="aviator"), "Round": Glasses(kind="round"),
            "Cat Eye": Glasses(kind="cat eye"), "Wrap": Glasses(kind="wrap"),
     }, ("Men", "Women", "Unisex"), ("Black", "Brown", "Blue", "Grey", "Red", "Purple", "White",
         "Green"), ("plastic",), ("solid",), CASUAL, WARM, 30),
    ("Belts", "Belt", "Belts", extra, {"": Extra(kind="belt")}, ("Men", "Men", "Women"), LEATHER,
        ("leather", "leather", "suede"), ("solid",), ("Casual", "Formal"), (), 20),
    ("Caps", "Cap", "Headwear", extra, {"Baseball": Extra(kind="cap"),
        "Beanie": Extra(kind="beanie")}, ("Men", "Unisex", "Boys", "Women"),
        (*DAILY, "Yellow", "Orange", "Pink"), ("canvas",), ("solid", "solid", "plaid"), SPORTY, (),
        20),
    ("Ties", "Tie", "Ties", extra, {"": Extra(kind="tie")}, MEN,
        (*DARK, "Red", "Purple", "Blue", "Pink", "Green"), ("satin",),
        ("diagonals", "diagonals", "solid", "dots", "plaid"), FORMAL, (), 18),
    ("Scarves", "Scarf", "Scarves", extra, {"": Extra(kind="scarf")}, ("Women", "Women", "Men"),
        (*RICH, "Red", "Grey", "Beige", "Cream"), ("wool", "knit"),
        ("solid", "plaid", "stripes", "floral"), CASUAL, COLD, 18),
    ("Earrings", "Earrings", "Jewellery", jewel, {"Stud": Jewel(), "Hoop": Jewel(kind="hoops"),
        "Drop": Jewel(kind="drops")}, WOMEN, (*METALS, "Red", "Blue", "Green"), ("metal",),
        ("solid",), ("Party", "Casual", "Ethnic"), (), 24, {"zoom": 1.1}),
    ("Necklace and Chains", "Necklace", "Jewellery", jewel, {"": Jewel(kind="necklace")}, WOMEN,
        (*METALS, "Red", "Turquoise Blue", "Green", "Pink"), ("metal",), ("solid",), DRESSY, (),
        18),
    ("Ring", "Ring", "Jewellery", jewel, {"": Jewel(kind="ring")}, WOMEN, METALS, ("metal",),
        ("solid",), DRESSY, (), 14, {"zoom": 1.15}),
    ("Bracelet", "Bracelet", "Jewellery", jewel, {"": Jewel(kind="bracelet")}, WOMEN,
        (*METALS, "Purple", "Black", "Turquoise Blue"), ("metal",), ("solid",), DRESSY, (), 14),
    ("Bangle", "Bangles", "Jewellery", jewel, {"": Jewel(kind="bangles")}, ("Women", "Girls"),
        (*METALS, "Red", "Green", "Pink"), ("metal",), ("solid",), ("Ethnic", "Party"), (), 12),
)
KINDS = [*APPAREL, *FOOTWEAR, *ACCESSORIES]
