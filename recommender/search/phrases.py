"""The phrases of a catalog: each value of each column is one, and what each of them states."""

import re
from collections.abc import Iterable, KeysView, Mapping, Sequence, Set
from copy import copy
from typing import Any

from recommender.schema import COLOUR, GENDER, TYPE, Column
from recommender.search.filters import FilterTable
from recommender.search.said import Statement
from recommender.search.synonyms import SILENT, SYNONYMS, WRITTEN, without_wearer
from recommender.search.tokens import Token, are_shouted, key_of, words_of

_LONGEST = 5
"""Words of a phrase."""
_SELDOM = 0.06
"""A word means a value seldom if fewer of the items have it whose texts hold the word."""
_PARTED = re.compile(r" and |\s*[&/,]\s*")

Meant = dict[str, tuple[Any, ...]]
"""Column -> the values that a phrase is a name of."""


class Phrases:
    """What a catalog's values are called.

    Attributes:
        heads: the last word of values -> column -> those values: navy blue is a blue.
    """

    def __init__(self, seldom: Set[tuple[str, Any, str]] = frozenset()) -> None:
        """Args:
        seldom: a column, its value, and a word, as it is compared, that seldom means it: who asks
            with that word states nothing.
        """
        self._seldom, self._unsaid = seldom, frozenset[str]()
        self._phrases: dict[str, Meant] = {}
        self.heads: dict[str, Meant] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._phrases

    def keys(self) -> KeysView[str]:
        """Of all phrases, as they are compared."""
        return self._phrases.keys()

    def without(self, columns: Set[str]) -> "Phrases":
        """The same ones, which ask for nothing of some columns."""
        fewer = copy(self)
        fewer._unsaid = frozenset(columns)
        return fewer

    def add(self, key: str, name: str, value: Any) -> None:
        """What is called so; the columns that are added first are meant first."""
        meant = self._phrases.setdefault(key, {})
        meant[name] = (*meant.get(name, ()), value)

    def add_all(self, name: str, values: Sequence[str]) -> None:
        """A column's values; "Perfume and Body Mist" is also called by either part."""
        whole = {key_of(value) for value in values}
        for value in values:
            self.add(key_of(value), name, value)
            for part in {key_of(part) for part in _PARTED.split(value)} - whole:
                self.add(part, name, value)
            if (of_all := without_wearer(value)) in whole:  # a maker's own line for women
                self.add(of_all, name, value)
            for head in words_of(value)[-1:]:
                heads = self.heads.setdefault(head, {})
                heads[name] = (*heads.get(name, ()), value)
        self._phrases.pop("", None)  # of a value without a letter

    def written(self, key: str) -> str:
        """A phrase as it is written; empty of what is none."""
        if meant := self._phrases.get(key):
            return str(next(iter(meant.values()))[0])
        return WRITTEN.get(key, "")

    def stated_by(self, key: str, asks: bool) -> Statement | None:
        """What a phrase states: of one column, the first that has it.

        Args:
            key: of the phrase.
            asks: whether what it states is asked for; else it is ruled out.
        """
        if meant := self._meant_by(key, asks):
            column, values = next(iter(meant.items()))
            return Statement(column=column, values=values)
        for other in SYNONYMS.get(key, ()):
            if other in self._phrases:
                column = next(iter(self._phrases[other]))
                values = tuple(
                    value
                    for same in SYNONYMS[key]
                    for value in self._phrases.get(same, {}).get(column, ())
                )
                return Statement(column=column, values=values)
        return None

    def longest_at(
        self, tokens: Sequence[Token], at: int, asks: bool
    ) -> tuple[int, Statement] | None:
        """How many words the longest phrase at a place has, and what it states; as `stated_by`."""
        for length in range(min(_LONGEST, len(tokens) - at), 0, -1):
            words = [token.word for token in tokens[at : at + length]]
            if SILENT.issuperset(words) and not are_shouted(tokens, at, length):
                continue
            if (statement := self.stated_by("".join(words), asks)) is not None:
                return length, statement
        return None

    def _meant_by(self, key: str, asks: bool) -> Mapping[str, tuple[Any, ...]]:
        meant = self._phrases.get(key, {})
        if not asks:
            return meant
        often = {
            name: tuple(value for value in values if (name, value, key) not in self._seldom)
            for name, values in meant.items()
            if name not in self._unsaid
        }
        return {name: values for name, values in often.items() if values}


def seldom_meant(
    filters: FilterTable, columns: Iterable[Column], held: Mapping[str, int]
) -> set[tuple[str, Any, str]]:
    """Columns, values and words that seldom mean these: they are in many items' texts.

    An item that is "slim" is hardly ever of slim heels, nor is what is of denim of Denim's.

    Args:
        filters: the columns' values.
        columns: of the catalog.
        held: word, as it is compared -> how many items' texts hold it.
    """
    names = {column.name for column in columns if column.kind == "choice"}
    return {
        (name, value, word)
        for name in names - {TYPE, COLOUR, GENDER}
        for value, count in zip(filters.values[name], filters.counts(name), strict=True)
        for word in words_of(value)
        if count < _SELDOM * held.get(word, 0)
    }
