"""Words as they are compared: lower case, no accents, no plural, whatever the script."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

WORD = re.compile(
    r"\d+(?:,\d{2,3})*,\d{3}(?:\.\d+)?(?!\d)|\d+\.\d+(?:[kK]\b)?|[^\W_]+(?:['’][^\W_]+)*|[<>≤≥]"
)
"""One word, or a sign that says more or less; thousands are parted as here or as in India."""
_AMOUNT = re.compile(r"(?:rs|inr|usd|eur)?(\d+(?:\.\d+)?)(k|rs|inr|usd|eur)?")

_BEYOND = 1e15
"""From here on nobody counts, and JSON has no such number."""

_SPELT = {
    "color": "colour",
    "colored": "coloured",
    "colorful": "colourful",
    "colorblocked": "colourblocked",
    "multicolor": "multicolour",
    "multicolored": "multicoloured",
    "gray": "grey",
    "jewelry": "jewellery",
    "pajama": "pyjama",
    "moisturizer": "moisturiser",
    "fiber": "fibre",
    "analog": "analogue",
    "woolen": "woollen",
}
"""What is spelt in two ways, in America and elsewhere: brands and catalogs are of either."""


class Token(NamedTuple):
    """One word of a text: as it was written, as it is compared, and whether it rules out others."""

    written: str
    word: str
    negates: bool = False

    @property
    def number(self) -> float | None:
        """What it counts, if it is a number that people say: `3,000`, `3k`, `rs500`."""
        if (found := _AMOUNT.fullmatch(self.word)) is None:
            return None
        number = float(found[1]) * (1000 if found[2] == "k" else 1)
        return number if number < _BEYOND else None


def tokens_of(text: str) -> list[Token]:
    """A text's words in their order; what is neither letter nor digit only parts them.

    >>> [token.word for token in tokens_of("Women's T-Shirts, ₹3,000 – café")]
    ['women', 't', 'shirt', '3000', 'cafe']
    """
    return [Token(word, compared(word)) for word in written_in(text)]


def written_in(text: str) -> list[str]:
    """The same as they are written, alone."""
    # Letters that are written wide, or in circles, are letters all the same.
    return WORD.findall(text if text.isascii() else unicodedata.normalize("NFKC", text))


def words_of(text: str) -> list[str]:
    """The same as they are compared, alone."""
    return [token.word for token in tokens_of(text)]


def are_shouted(tokens: Sequence[Token], at: int, length: int) -> bool:
    """Whether words stand out in capitals, as the names of the makers AND and ONLY do."""
    written = [token.written for token in tokens]
    some = written[at : at + length]
    return all(len(word) > 1 and word.isupper() for word in some) and not all(
        word.isupper() for word in written
    )


def key_of(text: str) -> str:
    """What equal phrases have in common, however they are parted into words.

    >>> key_of("Flip Flops") == key_of("flipflop"), key_of("T-shirt")
    (True, 'tshirt')
    """
    return "".join(words_of(text))


@lru_cache(maxsize=2**15)
def compared(word: str) -> str:
    """One word as it is compared, whichever way it is spelt.

    >>> compared("colors") == compared("Colour")
    True
    >>> [compared(word) for word in ("Dresses", "Accessories", "Men's", "Kurtas", "dress")]
    ['dress', 'accessory', 'men', 'kurta', 'dress']
    """
    parts = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(c for c in parts if not unicodedata.combining(c))
    plain = plain.replace("'", "").replace("’", "").replace(",", "")
    single = _singular(plain)
    return _SPELT.get(single, single)


def _singular(plain: str) -> str:
    if len(plain) > 4 and plain.endswith("ies"):
        return plain[:-3] + "y"
    if plain.endswith(("sses", "shes", "ches", "xes")):
        return plain[:-2]
    if len(plain) > 3 and plain.endswith("s") and not plain.endswith(("ss", "us")):
        return plain[:-1]
    return plain
