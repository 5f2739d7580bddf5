"""Bounds of what a column says in numbers with a unit: "heels under 3 inches", "at least 50 m"."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from recommender.search.bounds import AT_LEAST, AT_MOST
from recommender.search.said import Statement
from recommender.search.tokens import Token, compared

_MEASURED = re.compile(r"(\d+(?:\.\d+)?) ([a-z]+)", re.IGNORECASE)


class Measures:
    """The columns of a catalog of which at least two values are numbers with one unit."""

    def __init__(self, choices: Mapping[str, Sequence[Any]]) -> None:
        """Args:
        choices: column -> its values.
        """
        self._of: dict[str, tuple[str, list[tuple[float, Any]]]] = {}
        for name, values in choices.items():
            by_unit: dict[str, list[tuple[float, Any]]] = {}
            for value in values:
                if found := _MEASURED.fullmatch(str(value)):
                    by_unit.setdefault(compared(found[2]), []).append((float(found[1]), value))
            for unit, told in by_unit.items():
                if len(told) > 1:
                    self._of.setdefault(unit, (name, sorted(told)))

    def at(self, tokens: Sequence[Token], at: int) -> tuple[int, Statement] | None:
        """How many words bound such a number from a place on, and which values keep to it.

        >>> from recommender.search.tokens import tokens_of
        >>> heels = Measures({"heelHeight": ["1 inch", "2.5 inches", "4 inches"]})
        >>> heels.at(tokens_of("under 3 inches"), 0)[1].values
        ('1 inch', '2.5 inches')
        """
        if (word := tokens[at].word) not in AT_MOST | AT_LEAST:
            return None
        start = at + 1 + (tokens[at + 1 : at + 2] != [] and tokens[at + 1].word == "than")
        number = tokens[start].number if start + 1 < len(tokens) else None
        if number is None or (known := self._of.get(tokens[start + 1].word)) is None:
            return None
        name, told = known
        less = word in AT_MOST
        values = tuple(v for n, v in told if (n <= number if less else n >= number))
        return (start + 2 - at, Statement(column=name, values=values)) if values else None
