"""Several words that mean one: "up to", "other than", "5 year old"; signs of money as words."""

import re
from collections.abc import Sequence

from recommender.search.tokens import Token, compared

_MEANS = {
    "upto": "up to; as much as",
    # What follows is not wanted.
    "not": "other than; apart from; aside from; rather than; instead of; anything but; "
    "everything but; all but; any but",
    "cheap": "not expensive; not too expensive; not very expensive; not so expensive; low price; "
    "lowest price; lowest priced; low cost; low budget; on a budget; value for money",
    "expensive": "not cheap; high end; top end",
    "from": "starting at; starting from; beginning at; beginning from",
    # In comparison with what asks.
    "cheaper": "less expensive; less pricey; less costly; more affordable; lower price; "
    "lower priced; costs less; for less; under this; under this price; below this; "
    "below this price; less than this; less than this price; not as expensive; "
    "not so pricey; not more expensive; cheaper than this",
    "pricier": "more expensive; more costly; more pricey; higher price; higher priced; costs more; "
    "over this price; above this; above this price; more than this; more than this price",
    "newer": "more recent; newer than this",
    "older": "less recent; older than this",
    "after": "newer than",
    "before": "older than",
    "other": "not the same; not of the same; other than the same",
}
_IDIOMS = {
    tuple(map(compared, idiom.split())): word
    for word, idioms in _MEANS.items()
    for idiom in idioms.split("; ")
}
_LONGEST = max(map(len, _IDIOMS))

_SIGNS = {"₹": "rs", "$": "usd", "€": "eur", "£": "gbp"}
_SIGN = re.compile(r"[₹$€£](?=\s*\d)|(?<=\d)\s?[₹€£]")

_ADDED = re.compile(r"(?<=\d)\s?\+")

_COUNTS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
)
_COUNTED = {word: count for count, word in enumerate(_COUNTS.split(), 1)}
_COUNTED |= {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "eighty": 80, "ninety": 90}
_TIMES = {"hundred": 100, "thousand": 1_000, "k": 1_000, "lakh": 100_000, "lac": 100_000}
_TIMES |= {"million": 1_000_000, "crore": 10_000_000}

_AGED = re.compile(r"(\d{1,2})(?:yr|year|y|month|mo)?")
_UNITS = frozenset(("year", "yr", "yrs", "y", "month", "mo"))
_MONTHS = frozenset(("month", "mo"))
_CHILD_YEARS = 14
"""Up to this age clothes are sold as children's."""
_OF_NOBODY = "a"
"""A word that says nothing: of which age grown people are, clothes do not tell."""


def with_money_said(text: str) -> str:
    """A text in which signs of money beside numbers, and that more will do, are words.

    >>> with_money_said("under ₹800, A$AP")
    'under  rs 800, A$AP'
    """
    return _ADDED.sub(" plus", _SIGN.sub(lambda sign: f" {_SIGNS[sign[0].strip()]} ", text))


def with_idioms(tokens: Sequence[Token]) -> list[Token]:
    """Tokens of which those that mean one are one, written as they were.

    >>> from recommender.search.tokens import tokens_of
    >>> [token.word for token in with_idioms(tokens_of("up to 500 for a 5-year-old"))]
    ['upto', '500', 'for', 'a', 'kid']
    """
    read: list[Token] = []
    at = 0
    while at < len(tokens):
        found = _idiom_at(tokens, at) or _age_at(tokens, at) or _amount_at(tokens, at)
        taken, word = found or (1, "")
        if word:
            written = " ".join(token.written for token in tokens[at : at + taken])
            read.append(Token(written, word, word == "not"))
        else:
            read.append(tokens[at])
        at += taken
    return read


def _idiom_at(tokens: Sequence[Token], at: int) -> tuple[int, str] | None:
    for length in range(_LONGEST, 1, -1):
        word = _IDIOMS.get(tuple(token.word for token in tokens[at : at + length]))
        if word and at + length <= len(tokens):
            return length, word
    return None


def _amount_at(tokens: Sequence[Token], at: int) -> tuple[int, str] | None:
    """A number that takes several words: "two thousand five hundred", "1.5 lakh"."""
    total, end = 0.0, at
    while end + 1 < len(tokens) and (times := _TIMES.get(tokens[end + 1].word)):
        count = tokens[end].number or _COUNTED.get(tokens[end].word)
        if count is None:
            break
        total += count * times
        end += 2
    return (end - at, f"{total:.0f}") if end > at else None


def _age_at(tokens: Sequence[Token], at: int) -> tuple[int, str] | None:
    """Who is so old, where an age is said: "age 8", "5 year old", "6 months", "2 to 3 years"."""
    words = [token.word for token in tokens[at : at + 6]]
    end = 1 if words[0] in ("age", "aged") else 0
    told = end > 0
    if words[end : end + 1] == ["of"]:
        end += 1
    ages: list[int] = []
    joined = False  # a number and its unit, in one word
    while end < len(words) and (found := _AGED.fullmatch(words[end])) and len(ages) < 2:
        ages.append(int(found[1]))
        joined = not words[end].isdigit()
        end += 1
        if words[end : end + 1] == ["to"] and len(ages) == 1:
            end += 1
    if not ages:
        return None
    unit = words[end] if end < len(words) and words[end] in _UNITS else ""
    end += bool(unit)
    old = bool(unit or joined) and words[end : end + 1] == ["old"]
    end += old
    if not (told or old or unit in _MONTHS or (unit and len(ages) == 2)):
        return None
    young = unit in _MONTHS or max(ages) <= _CHILD_YEARS
    return end, "kid" if young else _OF_NOBODY
