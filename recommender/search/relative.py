"""Words that compare with what asks: "cheaper", "newer", "same brand", "in another colour".

Of which column they are is read with all other words; which value that is, is known once an item
asks, or a picture of which pictures are known to show it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from recommender.schema import COLOUR, TYPE, Column, noun_of
from recommender.search.bounds import NEAR
from recommender.search.negation import ruled_out_from
from recommender.search.said import Relation, Said, Sense, Statement
from recommender.search.tokens import Token, key_of, words_of

_COSTS: dict[str, Sense] = {
    "cheaper": "less",
    **dict.fromkeys(("pricier", "costlier", "dearer"), "more"),
}
_DATES: dict[str, Sense] = {"newer": "more", "older": "less"}
_POINTS = frozenset(("thi", "that"))
"""Words that point at what asks, as they are compared: "under this price", "of that brand"."""
_OTHER = "other"
_SENSES: dict[str, Sense] = {
    **dict.fromkeys(("same", "similar", "identical", "matching", "its", *_POINTS), "same"),
    **dict.fromkeys((_OTHER, "another", "different"), "other"),
}
_ALSO = {
    "kind, sort, category, type": TYPE,
    "shade": COLOUR,
    "maker, make, label": "brand",
    "design, print": "pattern",
    "material": "fabric",
    "sleeve": "sleeveLength",
    "collar, neckline": "neck",
}
"""What people call a column, unless one is called so."""
_COUNTED = ("number", "year")
_SHORT = 4


def not_said(said: Said) -> list[str]:
    """Sentences of words that compare with nothing, and of sizes where none are known.

    >>> compared = Relation(column="price", sense="less", instead="say “under 999”", places=(0,))
    >>> not_said(Said(text="cheaper", words=("cheaper",), relations=(compared,)))
    ['“cheaper” compares with a product: open one and say it there, or say “under 999”.']
    """
    told = []
    for one in said.unrelated[:1]:
        words = " ".join(said.words[at] for at in one.places)
        compares = "a product: open one and say it there, or"
        if said.beside:
            compares = f"the {noun_of(one.column)} of what you show, which is not known:"
        told.append(f"“{words}” compares with {compares} {one.instead}.")
    if said.unsized:
        told.append(f"Nothing here says in which sizes it comes: “{said.unsized[0]}” is left out.")
    return told


class Relations:
    """What a catalog's items can be compared by, and the words that do so."""

    def __init__(
        self,
        columns: Iterable[Column],
        values: Mapping[str, Sequence[Any]],
        price: str | None,
        years: Iterable[str],
    ) -> None:
        """Args:
        columns: of the catalog, of which items have one value.
        values: column -> its values in order.
        price: the column that amounts are of, if any.
        years: the columns of years.
        """
        kinds = ("choice", *_COUNTED)
        named = {c.noun: c for c in columns if c.kind in kinds and values[c.name]}
        known = {column.name: column for column in named.values()}
        also = {word: name for words, name in _ALSO.items() for word in words.split(", ")}
        named |= {w: known[n] for w, n in also.items() if n in known and w not in named}
        self._nouns = {key_of(noun): column.name for noun, column in named.items()}
        self._words = {word for noun in named for word in words_of(noun)}
        self._counted = {c.name: values[c.name] for c in known.values() if c.kind in _COUNTED}
        self._years = set(years)
        self._comparing = {
            word: (column, sense)
            for column, words in ((price, _COSTS), (next(iter(self._years), None), _DATES))
            for word, sense in words.items()
            if column is not None
        }

    @property
    def words(self) -> set[str]:
        """Those that compare and may be misspelt: none that is short."""
        return {word for word in {*self._comparing, *_SENSES} if len(word) > _SHORT}

    def knows(self, token: Token) -> bool:
        """Whether a word compares, or says what is compared."""
        return token.word in {*self._words, *self._comparing, *_SENSES}

    def at(self, tokens: Sequence[Token], at: int) -> tuple[int, Relation] | None:
        """How many words compare from a place on, and what they ask; None where none do."""
        word = tokens[at].word
        if word in self._comparing:
            return 1, self._relation(*self._comparing[word])
        if (sense := _SENSES.get(word)) is None:
            return None
        for length in (2, 1):
            noun = "".join(token.word for token in tokens[at + 1 : at + 1 + length])
            column = self._nouns.get(noun)
            # "That kind of shirt" compares with nothing.
            if column and not (column == TYPE and word in _POINTS):
                return 1 + min(length, len(tokens) - at - 1), self._relation(column, sense)
        return None

    def with_others(self, tokens: Sequence[Token]) -> list[Token]:
        """Tokens of which what is not the same is another: "not in this colour"."""
        read: list[Token] = []
        at = 0
        while at < len(tokens):
            start = ruled_out_from(tokens, at)[0] if tokens[at].negates else len(tokens)
            same = start < len(tokens) and _SENSES.get(tokens[start].word) == "same"
            if same and self.at(tokens, start):
                written = " ".join(token.written for token in tokens[at : start + 1])
                read.append(Token(written, _OTHER))
                at = start
            else:
                read.append(tokens[at])
            at += 1
        return read

    def stated(self, relation: Relation, own: Any) -> Statement:
        """What a relation states beside what has a value of its column.

        Args:
            relation: it.
            own: that value.
        """
        name, sense = relation.column, relation.sense
        values = self._counted.get(name, ())
        told = Statement(column=name)
        if sense == "less":  # at most the next lower one; where none is, nothing is so
            lower = values[: bisect_left(values, own)]
            return replace(told, bounds={"max": float(lower[-1] if lower else own - 1)})
        if sense == "more":
            higher = values[bisect_right(values, own) :]
            return replace(told, bounds={"min": float(higher[0] if higher else own + 1)})
        if sense == "same" and name in self._counted and name not in self._years:
            return replace(told, bounds={"min": own * (1 - NEAR), "max": own * (1 + NEAR)})
        return replace(told, values=(own,), ruled_out=sense == "other")

    def _relation(self, column: str, sense: Sense) -> Relation:
        values = self._counted.get(column)
        instead = f"name the {noun_of(column)}"
        if values:
            word = {"less": "under", "more": "over"}.get(sense, "around")
            if column in self._years:
                word = {"less": "before", "more": "since"}.get(sense, "of")
            instead = f"say “{word} {values[len(values) // 2]:.15g}”"
        return Relation(column=column, sense=sense, instead=instead)
