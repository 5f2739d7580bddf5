"""By how much one thing shall cost more or less than another: "half the price", "10% cheaper"."""

from collections.abc import Sequence

from recommender.search.bounds import AT_LEAST, AT_MOST, MONEY
from recommender.search.said import Degree
from recommender.search.tokens import Token

_PARTS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "twice": 2.0, "double": 2.0}
_PARTS |= {"thrice": 3.0, "triple": 3.0}
_COUNTED = {"two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "ten": 10.0}
_SLIGHT = frozenset(("bit", "little", "slightly", "somewhat", "tad"))
_MUCH = frozenset(("much", "lot", "far", "way", "considerably", "significantly"))
_CHEAPER, _DEARER = frozenset(("cheaper",)), frozenset(("pricier", "costlier", "dearer"))
_LESS, _MORE = _CHEAPER | {"less", "lower"}, _DEARER | {"more", "higher"}
_DEAR, _CHEAP = frozenset(("expensive", "costly", "pricey", "much")), frozenset(("cheap",))
_OF_IT = frozenset(("the", "of", "its", "thi", "that", "it"))
_BEGINS = {*AT_MOST, *AT_LEAST, *_PARTS, *_COUNTED, *_SLIGHT, *_MUCH, *MONEY, "a", "one"}
_FAR = 2.0
"""How many times what costs much more costs as much, or what costs much less as little."""


def degree_at(tokens: Sequence[Token], at: int) -> tuple[int, Degree] | None:
    """How many words say by how much, from a place on, and what; None where none do.

    >>> from recommender.search.tokens import tokens_of
    >>> degree_at(tokens_of("under half the price"), 0)
    (4, Degree(less=True, times=0.5, amount=0.0, slight=False))
    >>> degree_at(tokens_of("10 percent cheaper"), 0)
    (3, Degree(less=True, times=0.9, amount=0.0, slight=False))
    """
    if tokens[at].word not in _BEGINS and tokens[at].number is None:
        return None
    words = [token.word for token in tokens[at : at + 9]]
    start = int(words[0] in AT_MOST | AT_LEAST)
    start += bool(start) and words[1:2] == ["than"]
    limit = words[0] if start else ""
    if found := _multiple(tokens[at + start : at + 9]):
        return start + found[0], _limited(found[1], limit)
    return None if start else _step(tokens[at : at + 5])


def words_of_how_much(words: Sequence[str]) -> int:
    """How many of the first words say, without a number, how much: of "a lot cheaper" without "a".

    >>> words_of_how_much(["way", "much", "cheaper"]), words_of_how_much(["cheaper"])
    (2, 0)
    """
    how_much = _SLIGHT | _MUCH
    return next((n for n, word in enumerate(words) if word not in how_much), len(words))


def _limited(degree: Degree, word: str) -> Degree:
    """The same as an end that a word says: "over half the price"."""
    less = word in AT_MOST if word else degree.less
    return Degree(less, degree.times)


def _multiple(tokens: Sequence[Token]) -> tuple[int, Degree] | None:
    """Of "half the price", "twice as expensive", "three times cheaper"."""
    words = [token.word for token in tokens]
    end = int(words[:1] in (["a"], ["one"]))
    if not words[end:]:
        return None
    count = tokens[end].number or _COUNTED.get(words[end])
    if count is not None and words[end + 1 : end + 2] in (["time"], ["x"]):
        times, end = count, end + 2
    elif count is not None and words[end + 1 : end + 3] == ["percent", "of"]:
        times, end = count / 100, end + 3
    elif (part := _PARTS.get(words[end])) is not None:
        times, end = part, end + 1
    else:
        return None
    if not times:
        return None
    while words[end : end + 1] and words[end] in _OF_IT:
        end += 1
    word, after = (*words[end : end + 2], "", "")[:2]
    if word in ("price", "cost", "amount"):
        return end + 1, Degree(times < 1, times)
    if word == "as" and after in _DEAR | _CHEAP:
        times = 1 / times if after in _CHEAP else times
        return end + 2, Degree(times < 1, times)
    if word in _CHEAPER | _DEARER:
        return end + 1, Degree(word in _CHEAPER, 1 / times if word in _CHEAPER else times)
    return None


def _step(tokens: Sequence[Token]) -> tuple[int, Degree] | None:
    """Of "10% cheaper", "500 rupees less", "a bit cheaper", "much more expensive"."""
    words = [token.word for token in tokens]
    numbers = [token.number for token in tokens]
    if end := words_of_how_much(words):
        word = words[end] if end < len(words) else ""
        if word not in _CHEAPER | _DEARER:
            return None
        less, slight = word in _CHEAPER, words[0] in _SLIGHT
        times = 1.0 if slight else 1 / _FAR if less else _FAR
        return end + 1, Degree(less, times, slight=slight)
    start = int(words[0] in MONEY)
    if start >= len(words) or (number := numbers[start]) is None:
        return None
    unit, word = (*words[start + 1 : start + 3], "", "")[:2]
    if unit == "percent" and word in _LESS | _MORE:
        less = word in _LESS
        return start + 3, Degree(less, 1 - number / 100 if less else 1 + number / 100)
    if unit in MONEY and word in _LESS | _MORE:
        return start + 3, Degree(word in _LESS, amount=number)
    if unit in (_LESS | _MORE if start else _CHEAPER | _DEARER):
        return start + 2, Degree(unit in _LESS, amount=number)
    return None
