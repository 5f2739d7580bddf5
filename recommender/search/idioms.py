"""Several words that mean one: "up to", "other than", "5 year old"; signs of money as words."""

import re
from collections.abc import Sequence

from recommender.search.tokens import Token, compared

_MEANS = {
    "upto": "up to; as much as; less than or equal to; less than equal to",
    "over": "more than or equal to; greater than or equal to; greater than",
    # What follows is not wanted.
    "not": "other than; apart from; aside from; rather than; instead of; anything but; "
    "everything but; all but; any but",
    "cheap": "not expensive; not too expensive; not very expensive; not so expensive; low cost; "
    "low budget; on a budget; budget friendly; pocket friendly; value for money; cheap and best",
    "expensive": "not cheap; high end; top end",
    "newest": "new arrival; new in; new collection; new launch; newly launched; just in; "
    "just arrived; just launched; newly arrived",
    "bestseller": "best seller; best selling; top selling; top seller; most loved; most sold; "
    "in demand; most bought",
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
_PERCENT = re.compile(r"(?<=\d)\s?(?:%|per ?cent\b|percentage\b|pct\b)", re.IGNORECASE)
_SLASHED = re.compile(r"(?<=\d)\s?/-")

_COUNTS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
)
_COUNTED = {word: count for count, word in enumerate(_COUNTS.split(), 1)}
_COUNTED |= {
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_TENS = 20
_NUMBERED, _COUNTABLE = ("size", "packof", "setof"), ("inch", "pack", "pc")
"""After which, and before which, a number that is one word is one."""
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
    """A text in which signs of money or percents beside numbers, and that more will do, are words.

    >>> with_money_said("under ₹800, A$AP, 500/-, 20%")
    'under  rs 800, A$AP, 500 rs , 20 percent '
    """
    said = _SIGN.sub(lambda sign: f" {_SIGNS[sign[0].strip()]} ", text)
    return _ADDED.sub(" plus", _PERCENT.sub(" percent ", _SLASHED.sub(" rs ", said)))


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
    """A number that takes several words: "two thousand five hundred", "1.5 lakh", "forty two".

    One that takes a single word is one where it is said what of: "three inch", "size eight".
    """
    total, end = 0.0, at
    while end < len(tokens):
        taken, count = _count_at(tokens, end)
        times = _TIMES.get(tokens[end + taken].word) if end + taken < len(tokens) else None
        if taken and times:
            total, end = total + count * times, end + taken + 1
        elif taken and (end > at or taken > 1) and tokens[end].word in _COUNTED:
            total, end = total + count, end + taken
            break
        else:
            break
    if end == at and tokens[at].word in _COUNTED:
        before = "".join(token.word for token in tokens[max(at - 2, 0) : at])
        after = tokens[at + 1].word if at + 1 < len(tokens) else ""
        end += before.endswith(_NUMBERED) or after in _COUNTABLE
        total = _COUNTED[tokens[at].word]
    return (end - at, f"{total:.0f}") if end > at else None


def _count_at(tokens: Sequence[Token], at: int) -> tuple[int, float]:
    """How many words are one number below a hundred, or in digits, and it; 0 where none are."""
    word, after = tokens[at].word, tokens[at + 1].word if at + 1 < len(tokens) else ""
    if (count := tokens[at].number) is not None:
        return 1, count
    if word in ("a", "an") and after in _TIMES.keys() - {"k"}:
        return 1, 1
    if (count := _COUNTED.get(word)) is None:
        return 0, 0
    ones = _COUNTED.get(after, 10)
    return (2, count + ones) if count >= _TENS and count % 10 == 0 and ones < 10 else (1, count)


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
