"""What people write for what catalogs call otherwise, and words that say nothing of a garment.

A short list by hand, of three kinds that no spelling tells: British and American words for one
thing, what shops of one country call it and another's do not, and the ways to name a wearer. The
words on the right are looked for among the values of the catalog that is searched; those that it
does not have say nothing there.
"""

from recommender.search.tokens import key_of

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
    "trainers, running shoes, gym shoes, tennis shoes": "Sports Shoes",
    "sneakers": "Casual Shoes, Sports Shoes",
    "purse, pocketbook": "Handbags",
    "pants, slacks, chinos": "Trousers",
    "joggers, sweatpants": "Track Pants",
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
    "chunni": "Dupatta",
    "jhumka, jhumki": "Earrings",
    "scarf": "Scarves",
    "slippers, thongs, chappal": "Flip Flops",
    "jutti, mojari": "Flats",
    "stilettos, pumps": "Heels",
    "shades, sunnies, goggles": "Sunglasses",
    "specs, spectacles, eyeglasses": "Eyewear",
    "wristwatch": "Watches",
    "rucksack, school bag, bagpack": "Backpacks",
    "fanny pack, bum bag": "Waist Pouch",
    "suitcase": "Trolley Bag",
    "beanie": "Caps",
    "vest, singlet, baniyan": "Innerwear Vests",
    "underwear, lingerie": "Innerwear",
    "panties, knickers": "Briefs",
    "pyjamas": "Night suits",
    "nightie, nighty, nightgown": "Nightdress",
    "swimsuit, swimming costume, bathing suit": "Swimwear",
    "bangles": "Bangle",
    # how it looks
    "navy": "Navy Blue",
    "golden": "Gold",
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
    "dotted, spotted, polka": "Polka Dots",
    "flowery, flower print": "Floral",
    "tie dye, tie dyed": "Tie and Dye",
    "animal print, leopard print, zebra print, tiger print": "Animal",
    "full sleeves, full sleeve, full sleeved, long sleeved": "Long Sleeves",
    "half sleeves, half sleeve, half sleeved, short sleeved": "Short Sleeves",
    "3/4 sleeves, 3/4th sleeves": "Three-Quarter Sleeves",
    "crew neck": "Round Neck",
    # what it is for
    "autumn": "Fall",
    "office": "Formal",
    "gym, workout": "Sports",
    "traditional": "Ethnic",
}

WRITTEN = {key_of(word): word.strip() for words in _SAID for word in words.split(",")}
"""A phrase's key -> the phrase."""

SYNONYMS: dict[str, tuple[str, ...]] = {
    key_of(word): tuple(map(key_of, meant.split(",")))
    for words, meant in _SAID.items()
    for word in words.split(",")
}
"""A phrase's key -> those of what it means."""

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


_SILENT = """
a an and any are as at but by can do for from gift give have i in into is it item just like look
looking make me my need of on one only or pair piece please product show some something that the thi
this to want wear with you find similar same colour coloured size price
r rs inr usd eur gbp rupee dollar euro
"""
SILENT = frozenset(_SILENT.split())
"""Words, as they are compared, that a question is made of and that say nothing themselves."""
