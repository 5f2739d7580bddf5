"""What costs less than it did: "on sale", "20% off", "at least 30% discount", "half price"."""

import re
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from recommender.schema import PRICE, Column, is_price
from recommender.search.bounds import AT_LEAST, AT_MOST
from recommender.search.tokens import Token

DISCOUNT = "discountPercent"
"""What stands in place of a column where percents of a reduction are stated."""
LACKING = "what is reduced"

REDUCED = frozenset(("sale", "discount", "discounted", "clearance", "reduced", "offer", "deal"))
REDUCED |= {"markdown", "bargain"}
"""Words that ask for what costs less than it did."""
_OFF = frozenset(("off", "discount", "reduction", "rebate", "sale"))
_LEADS = frozenset(("flat", "get", "extra", "discount", "of", "at", "than", "a"))
"""Words that may stand before a number of percents that are taken off, and say nothing of it."""
_BEGINS = {*AT_MOST, *AT_LEAST, *_LEADS, *REDUCED, "half"}
_LOWER = re.compile("discount|sale|offer|special|reduced|deal|promo")
_ANY = {"min": 1.0}


def percent_off(frame: pd.DataFrame, columns: Iterable[Column]) -> "pd.Series[float] | None":
    """By how many whole percents each item is reduced; None where nothing is said of that.

    >>> from recommender.schema import own_column
    >>> shop = pd.DataFrame({"price": [200.0, 100.0, None], "salePrice": [150.0, 100.0, 5.0]})
    >>> percent_off(shop, [own_column(name, "number") for name in shop]).tolist()
    [25.0, 0.0, nan]
    """
    lower = (
        column.name
        for column in columns
        if column.kind == "number" and is_price(column.name) and _LOWER.search(column.noun)
    )
    if PRICE not in frame or (name := next(lower, None)) is None:
        return None
    price, reduced = frame[PRICE].astype(float), frame[name].astype(float)
    off = (100 * (1 - reduced / price.where(price > 0))).round()
    return off.clip(lower=0) if (off > 0).any() else None


def discount_at(tokens: Sequence[Token], at: int) -> tuple[int, Mapping[str, float]] | None:
    """How many words are of what is reduced from a place on, and its percents; None for none.

    >>> from recommender.search.tokens import tokens_of
    >>> discount_at(tokens_of("over 20 percent off shirts"), 0)
    (4, {'min': 20.0})
    >>> discount_at(tokens_of("clearance sale"), 0)
    (2, {'min': 1.0})
    """
    if tokens[at].word not in _BEGINS and tokens[at].number is None:
        return None
    found = [token.word for token in tokens[at : at + 9]]
    if found[:2] in (["half", "price"], ["half", "priced"], ["half", "off"]):
        return 2, {"min": 50.0}
    end = 0
    while found[end : end + 1] and found[end] in AT_MOST | AT_LEAST | _LEADS:
        end += 1
    lead = found[:end]
    numbers: list[float] = []
    while end < len(found) and len(numbers) < 2:
        if (number := tokens[at + end].number) is not None:
            numbers.append(number)
        elif found[end] not in (("percent", "to") if numbers else ()):
            break
        end += 1
    end += found[end : end + 1] == ["percent"]
    if numbers and "percent" in found[:end]:
        off = found[end : end + 1] != [] and found[end] in _OFF
        if not off and "discount" not in lead:
            return None
        if len(numbers) == 2:
            return end + off, {"min": min(numbers), "max": max(numbers)}
        most = {"min": min(_ANY["min"], numbers[0]), "max": numbers[0]}
        return end + off, most if AT_MOST & {*lead} else {"min": numbers[0]}
    taken = next((n for n, word in enumerate(found) if word not in REDUCED), len(found))
    return (taken, _ANY) if taken else None
