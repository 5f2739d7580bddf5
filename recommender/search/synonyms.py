"""What people write for what catalogs call otherwise, and words that say nothing of a garment.

A short list by hand, of three kinds that no spelling tells: British and American words for one
thing, what shops of one country call it and another's do not, and the ways to name a wearer. The
words on the right are looked for among the values of the catalog that is searched; those that it
does not have say nothing there.
"""

from recommender.search.tokens import key_of, words_of

_SAID = {
    # who wears it
    "man, male, gents, gentleman, guy, him, his": "Men",
    "husband, boyfriend, dad, father, brother, uncle, grandpa, grandfather, groom": "Men",
    "woman, female, lady, ladies, her, hers": "Women",
    "wife, girlfriend, mom, mum, mother, sister, aunt, grandma, grandmother, bride": "Women",
    "kid, child, children, baby, toddler, infant, newborn": "Boys, Girls",
    "boy, son, nephew": "Boys",
    "girl, daughter, niece": "Girls",
    # what it is
    "tee, tee shirt, polo shirt": "Tshirts",
    "shirt dress": "Dresses",
    "trainers, running shoes, gym shoes, tennis shoes": "Sports Shoes",
    "football shoes, football boots, basketball shoes, hiking shoes": "Sports Shoes",
    "sneakers": "Casual Shoes, Sports Shoes",
    "purse, pocketbook": "Handbags",
    "pants, slacks, chinos": "Trousers",
    "joggers, sweatpants": "Track Pants",
    "3/4 pants, 3/4th pants, three fourth pants": "Capris",
    "jumper, pullover, cardigan": "Sweaters",
    "hoodie, hoody": "Sweatshirts",
    "coat, windcheater, windbreaker": "Jackets",
    "raincoat": "Rain Jacket",
    "frock, gown": "Dresses",
    "blouse": "Tops",
    "sari": "Sarees",
    "caftan": "Kaftan",
    "salwar kameez, salwar suit": "Kurta Sets, Salwar and Dupatta",
    "lehenga, lehnga, ghagra": "Lehenga Choli",
    "kurta pyjama": "Kurta Sets",
    "kameez": "Kurtas",
    "sherwani, bandhgala": "Nehru Jackets, Blazers",
    "palazzo": "Trousers",
    "chunni, odhni": "Dupatta",
    "kada": "Bangle, Bracelet",
    "mangalsutra": "Necklace and Chains",
    "potli, batua": "Clutches",
    "jhumka, jhumki": "Earrings",
    "scarf": "Scarves",
    "shawl": "Stoles",
    "slippers, thongs, chappal": "Flip Flops",
    "jutti, mojari": "Flats",
    "stilettos, pumps": "Heels",
    "shades, sunnies, goggles": "Sunglasses",
    "specs, spectacles, eyeglasses, chashma": "Eyewear",
    "wristwatch": "Watches",
    "rucksack, school bag, bagpack": "Backpacks",
    "fanny pack, bum bag": "Waist Pouch",
    "suitcase": "Trolley Bag",
    "luggage": "Trolley Bag, Duffel Bag",
    "football jersey, cricket jersey, sports jersey": "Tshirts",
    "rainwear, rain wear": "Rain Jacket, Rain Trousers, Umbrellas",
    "beachwear, beach wear": "Swimwear",
    "clothes, clothing, outfit, garment": "Apparel",
    "beanie": "Caps",
    "vest, singlet, baniyan": "Innerwear Vests",
    "underwear, lingerie": "Innerwear",
    "panties, knickers": "Briefs",
    "pyjamas": "Night suits",
    "nightie, nighty, nightgown": "Nightdress",
    "swimsuit, swimming costume, bathing suit, swim shorts, swim trunks": "Swimwear",
    "bangles": "Bangle",
    "nail paint, nail varnish, nail colour, nail lacquer": "Nail Polish",
    "deo": "Deodorant",
    "phone cover, phone case, mobile cover": "Mobile Pouch",
    "us polo": "U.S. Polo Assn.",
    # how it looks
    "navy": "Navy Blue",
    "baby pink": "Pink",
    "baby blue": "Blue",
    "neon green": "Fluorescent Green",
    "golden, rose gold": "Gold",
    "violet": "Purple",
    "turquoise": "Turquoise Blue",
    "crimson, scarlet": "Red",
    "wine": "Burgundy",
    "ivory": "Off White, Cream",
    "lilac": "Lavender",
    "fuchsia": "Magenta",
    "multicolour, multicoloured, colourful": "Multi",
    "check, checks, checkered, chequered, plaid": "Checked",
    "stripe, stripes, stripy": "Striped",
    "print": "Printed",
    "plain": "Solid",
    "colour block, colour blocked": "Colourblocked",
    "dotted, dots, spotted, polka": "Polka Dots",
    "flowery, flower print, flowers": "Floral",
    "tie dye, tie dyed": "Tie and Dye",
    "animal print, leopard print, zebra print, tiger print": "Animal",
    "full sleeves, full sleeve, full sleeved, long sleeved": "Long Sleeves",
    "half sleeves, half sleeve, half sleeved, short sleeved": "Short Sleeves",
    "3/4 sleeves, 3/4th sleeves": "Three-Quarter Sleeves",
    "crew neck": "Round Neck",
    "turtle neck, roll neck": "High Neck",
    "high waist, high waisted": "High-Rise",
    "low waist, low waisted": "Low-Rise",
    "mid waist": "Mid-Rise",
    "woollen": "Wool",
    "faux leather, vegan leather, artificial leather, pu leather": "Synthetic Leather",
    "lace up": "Lace-Ups",
    # what it is for
    "autumn": "Fall",
    "office, interview, business, for work, workwear": "Formal",
    "gym, workout, sportswear, activewear, gymwear": "Sports",
    "traditional, diwali, eid, holi, navratri, puja, pooja, rakhi": "Ethnic",
    "raksha bandhan, onam, pongal, sangeet, mehndi, haldi": "Ethnic",
    "for wedding, for a wedding, for the wedding, for my wedding": "Ethnic, Party",
    "wedding guest, wedding wear, wedding party, marriage, shaadi": "Ethnic, Party",
    "date night, cocktail, prom, clubbing": "Party",
}

WRITTEN = {key_of(word): word.strip() for words in _SAID for word in words.split(",")}
"""A phrase's key -> the phrase."""

SYNONYMS: dict[str, tuple[str, ...]] = {
    key_of(word): tuple(map(key_of, meant.split(",")))
    for words, meant in _SAID.items()
    for word in words.split(",")
}
"""A phrase's key -> those of what it means."""

_WEARERS = {key_of(word) for word in ("Men", "Women", "Boys", "Girls", "Unisex")}
_WEARERS |= {word for word, meant in SYNONYMS.items() if _WEARERS.issuperset(meant)}

ALSO: dict[str, tuple[str, ...]] = {}
"""What a phrase means -> the phrases that mean it: items' own texts may hold those."""
for _key, _meanings in SYNONYMS.items():
    for _meant in _meanings:
        ALSO[_meant] = (*ALSO.get(_meant, ()), _key)


def meaning_the_same(word: str) -> list[str]:
    """A word, as it is compared, and what people and catalogs say instead.

    >>> meaning_the_same("stripe")
    ['stripe', 'striped', 'stripy']
    """
    meant = (word, *SYNONYMS.get(word, ()))
    return list(dict.fromkeys(same for other in meant for same in (other, *ALSO.get(other, ()))))


def without_wearer(value: str) -> str:
    """The key of a name without those for whom it is; empty of one that has none of them.

    >>> without_wearer("Arrow Woman"), without_wearer("Scullers for Her"), without_wearer("Arrow")
    ('arrow', 'sculler', '')
    """
    *rest, last = words_of(value) or [""]
    if last not in _WEARERS:
        return ""
    return "".join(rest[:-1] if rest[-1:] == ["for"] else rest)


_SILENT = """
a an and any are as at but by can do for from gift give have i in into is it item just like look
looking make me my need of on one only or pair piece please product show some something that the thi
this to want wear with you find similar same colour coloured size price priced costing cost
what should would am doe has goe im ive lets where which who whose when how there here get got
getting be been being was were will shall could both every all each thing stuff nice good guest
percent go so season range sell buy buying suggest recommend preferably available
r rs inr usd eur gbp rupee dollar euro
"""
SILENT = frozenset(_SILENT.split())
"""Words, as they are compared, that a question is made of and that say nothing themselves."""
