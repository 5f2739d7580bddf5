"""What people write for what catalogs call otherwise, and words that say nothing of a garment.

A short list by hand, of three kinds that no spelling tells: British and American words for one
thing, what shops of one country call it and another's do not, and the ways to name a wearer. The
words on the right are looked for among the values of the catalog that is searched; those that it
does not have say nothing there.
"""

from recommender.search.tokens import key_of

_SAID = {
    # who wears it
    "man, male, gents, gentleman, guy": "Men",
    "woman, female, lady, ladies": "Women",
    "kid, child, children, baby, toddler": "Boys, Girls",
    "boy": "Boys",
    "girl": "Girls",
    # what it is
    "tee, tee shirt, polo shirt": "Tshirts",
    "trainers, running shoes": "Sports Shoes",
    "sneakers": "Casual Shoes, Sports Shoes",
    "purse": "Handbags",
    "pants, slacks, chinos": "Trousers",
    "joggers, sweatpants": "Track Pants",
    "jumper, pullover, cardigan": "Sweaters",
    "hoodie, hoody": "Sweatshirts",
    "coat": "Jackets",
    "frock, gown": "Dresses",
    "blouse": "Tops",
    "sari": "Sarees",
    "scarf": "Scarves",
    "boots": "Booties",
    "slippers, thongs": "Flip Flops",
    "stilettos, pumps": "Heels",
    "shades": "Sunglasses",
    "rucksack, school bag": "Backpacks",
    "vest, singlet": "Innerwear Vests",
    "underwear, lingerie": "Innerwear",
    "pyjamas, pajamas": "Night suits",
    "jewelry": "Jewellery",
    "bangles": "Bangle",
    # how it looks
    "gray": "Grey",
    "navy": "Navy Blue",
    "golden": "Gold",
    "violet": "Purple",
    "turquoise": "Turquoise Blue",
    "multicolour, multicolor, multicoloured, multicolored, colourful, colorful": "Multi",
    "check, checks, checkered, chequered, plaid": "Checked",
    "stripe, stripes, stripy": "Striped",
    "print": "Printed",
    "plain": "Solid",
    "full sleeves, full sleeve": "Long Sleeves",
    "half sleeves, half sleeve": "Short Sleeves",
    # what it is for
    "autumn": "Fall",
    "office": "Formal",
    "traditional": "Ethnic",
}

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
a an and any are as at but by can do for from give have i in into is it item just like look looking
make me my need of on one only or pair piece please product show some something that the thi this to
want wear with you find similar same colour color coloured colored size price
r rs inr usd eur rupee dollar euro
"""
SILENT = frozenset(_SILENT.split())
"""Words, as they are compared, that a question is made of and that say nothing themselves."""
