"""Words that ask for the least or the most of a number: "cheapest", "newest", "highest rated"."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from recommender.index.embeddings import Mask
from recommender.schema import noun_of
from recommender.search.said import Extreme
from recommender.search.tokens import Token, key_of, words_of

_FEW = 0.25
"""The share of what is asked for that has the least of a number, and that has the most."""
_CROWD, _ENOUGH = 0.5, 10
"""Where more than so many have the least of all, those with less, if there are enough of them."""
_ENDS = {
    **dict.fromkeys(("most", "highest", "top", "best", "biggest", "largest", "greatest"), True),
    **dict.fromkeys(("maximum", "max", "high", "highly"), True),
    **dict.fromkeys(("least", "lowest", "smallest", "worst", "minimum", "min", "low"), False),
}
"""What comes before a noun, or what is said of it, and whether it asks for the most."""
_COSTS = {
    **dict.fromkeys(("cheap", "cheapest", "affordable", "inexpensive", "budget"), False),
    **dict.fromkeys(("economical", "reasonable"), False),
    **dict.fromkeys(("expensive", "costly", "luxury", "luxurious", "pricey"), True),
    **dict.fromkeys(("costliest", "priciest", "dearest"), True),
}
_DATES = {**dict.fromkeys(("newest", "latest", "recent"), True), "oldest": False}
_RATED, _SOLD, _PRICE = "rating", "popularity", "price"
_SELLING = dict.fromkeys(("popular", "bestseller", "bestselling", "trending"), True)
_SAME = {
    **dict.fromkeys(("rated", "star", "score", "review", "reviewed"), _RATED),
    **dict.fromkeys(("sold", "sale", "order", "selling", "seller", "loved"), _SOLD),
    **dict.fromkeys(("priced", "cost"), _PRICE),
}
"""Nouns, as they are compared, that are of one kind of number, and what is said of it."""
_KNOWN = {*_SELLING, *_ENDS, *_SAME, _RATED, _SOLD}
_LACKING = {_RATED: "how things are rated", _SOLD: "what sells well"}


class Extremes:
    """The numbers of a catalog, and words for their ends."""

    def __init__(
        self,
        names: Iterable[str],
        *,
        price: str | None,
        years: Iterable[str],
        others: Mapping[str, str],
    ) -> None:
        """Args:
        names: of the columns of numbers.
        price: the one that amounts are of; None where there is none.
        years: the columns of years.
        others: what further numbers are called -> their columns.
        """
        self._of = dict(others)
        for name in (*([price] if price else []), *names, *years):
            *_, last = words_of(noun_of(name)) or [""]
            for key in (key_of(noun_of(name)), _SAME.get(last, last)):
                self._of.setdefault(key, name)
        self._alone = {
            word: (column, most)
            for column, words in (
                (price, _COSTS),
                (next(iter(years), None), _DATES),
                (self._of.get(_SOLD), _SELLING),
            )
            for word, most in words.items()
            if column is not None
        }

    @property
    def words(self) -> set[str]:
        """Those that may be misspelt."""
        return {*self._alone, *_SELLING}

    def knows(self, token: Token) -> bool:
        """Whether a word asks for an end of a number by itself."""
        return token.word in self._alone or token.word in _KNOWN

    def at(self, tokens: Sequence[Token], at: int) -> tuple[int, Extreme | str] | None:
        """How many words ask for an end of a number from a place on, and of which column.

        Returns:
            None where none do; in place of the column, what nothing here says.
        """
        word, after = tokens[at].word, tokens[at + 1].word if at + 1 < len(tokens) else ""
        if word in ("most", "least") and after in {**self._alone, **_SELLING}:
            found = self.at(tokens, at + 1)
            if found is None or isinstance(found[1], str):
                return found and (found[0] + 1, found[1])
            column, most = found[1].column, found[1].most == (word == "most")
            return found[0] + 1, Extreme(column=column, most=most)
        if word in self._alone:
            return 1, Extreme(column=self._alone[word][0], most=self._alone[word][1])
        if word in _SELLING:
            return 1, _LACKING[_SOLD]
        if word not in _ENDS:
            return None
        noun = _SAME.get(after, after)
        if (known := self._of.get(noun)) is not None:
            # The best price is the lowest.
            return 2, Extreme(column=known, most=_ENDS[word] != (noun == _PRICE and word == "best"))
        return (2, _LACKING[noun]) if noun in _LACKING else None


def contradicted(extremes: Iterable[Extreme]) -> list[str]:
    """Columns of which both ends are asked for."""
    ends: dict[str, set[bool]] = {}
    for one in extremes:
        ends.setdefault(one.column, set()).add(one.most)
    return [column for column, both in ends.items() if len(both) > 1]


def bounds_of(
    most: bool, codes: npt.NDArray[np.integer], values: Sequence[float]
) -> Mapping[str, float]:
    """The bound that a few of some items keep to: what one of them has.

    Where more than half of them do, as many have the very same, those beyond it, if not too few.

    Args:
        most: whether they have the most of it.
        codes: of shape (m,), at least one: what each has, a place in `values`.
        values: rising.
    """
    share, end = (1 - _FEW, "min") if most else (_FEW, "max")
    code = np.quantile(codes, share, method="nearest")
    kept, beyond = (codes >= code, codes > code) if most else (codes <= code, codes < code)
    if kept.mean() > _CROWD and beyond.sum() >= _ENOUGH:
        code = codes[beyond].min() if most else codes[beyond].max()
    return {end: float(values[int(code)])}


def those(rows: Mask, kept: Mask) -> Mask:
    """Rows that are kept, unless none are: then all."""
    both = rows & kept
    return both if both.any() else rows
