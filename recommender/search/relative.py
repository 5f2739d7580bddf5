"""Words that compare with what asks: "cheaper", "newer", "same brand", "in another colour".

Of which column they are is read with all other words; which value that is, is known once an item
asks, or a picture of which pictures are known to show it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from recommender.schema import COLOUR, TYPE, Column, noun_of
from recommender.search.degrees import degree_at, words_of_how_much
from recommender.search.extremes import contradicted
from recommender.search.negation import ruled_out_from
from recommender.search.orders import LENGTH, USAGE, Orders
from recommender.search.said import NEAR, Relation, Said, Sense, Statement
from recommender.search.shades import Shades
from recommender.search.tokens import Token, key_of, words_of

_COSTS: dict[str, Sense] = {
    "cheaper": "less",
    **dict.fromkeys(("pricier", "costlier", "dearer"), "more"),
}
_DATES: dict[str, Sense] = {"newer": "more", "older": "less"}
_BY_ORDER: dict[str, Sense] = {"longer": "more", "shorter": "less", "higher": "more"}
_BY_ORDER |= {"lower": "less"}
_OF: dict[str, tuple[str, Sense]] = {
    **dict.fromkeys(("darker", "deeper"), (COLOUR, "less")),
    **dict.fromkeys(("lighter", "paler", "brighter"), (COLOUR, "more")),
    **dict.fromkeys(("dressier", "smarter"), (USAGE, "more")),
}
_HOW: dict[str, tuple[str, Sense]] = {
    "dark": (COLOUR, "less"),
    **dict.fromkeys(("light", "pale", "bright"), (COLOUR, "more")),
    **dict.fromkeys(("formal", "dressy", "smart"), (USAGE, "more")),
    **dict.fromkeys(("casual", "informal"), (USAGE, "less")),
}
"""After "more" or "less"."""
_MORE_OR_LESS: dict[str, Sense] = {"more": "more", "less": "less"}
_TURNED: dict[Sense, Sense] = {"more": "less", "less": "more"}
_PLAIN: dict[tuple[str, Sense], str] = {
    (COLOUR, "less"): "dark",
    (COLOUR, "more"): "light",
    (USAGE, "less"): "casual",
    (USAGE, "more"): "formal",
}
"""What says the same with nothing to compare with."""
_EACH = frozenset(("any", "every", "all", "each", "whatever"))
_BUT = frozenset(("but", "save"))
"""Words that rule out after "any colour"."""
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
    "heel": "heelHeight",
    "rise": "waistRise",
    "hem, hemline": LENGTH,
    "collar, neckline": "neck",
}
"""What people call a column, unless one is called so."""
_COUNTED = ("number", "year")
_SHORT = 4


def not_said(said: Said) -> list[str]:
    """Sentences of words that compare with nothing, and of what nothing here says.

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
    for noun in map(noun_of, contradicted(said.extremes)):
        told.append(f"The lowest and the highest {noun} are both asked for: any {noun} will do.")
    for what in dict.fromkeys(what for what, _ in said.lacking):
        words = "”, “".join(words for of, words in said.lacking if of == what)
        told.append(f"Nothing here says {what}: “{words}” is left out.")
    return told


def is_named(relation: Relation, statements: Container[tuple[str, bool]]) -> bool:
    """Whether a colour that compares is named as well: "a lighter blue" is a blue.

    Args:
        relation: what compares.
        statements: what is stated, as `join` has it.
    """
    shade = relation.column == COLOUR and relation.sense in ("less", "more")
    return shade and (COLOUR, False) in statements


class Relations:
    """What a catalog's items can be compared by, and the words that do so."""

    def __init__(
        self,
        columns: Iterable[Column],
        values: Mapping[str, Sequence[Any]],
        price: str | None,
        years: Iterable[str],
        shades: Shades | None = None,
    ) -> None:
        """Args:
        columns: of the catalog, of which items have one value.
        values: column -> its values in order.
        price: the column that amounts are of, if any.
        years: the columns of years.
        shades: what knows how the colours look, if anything does.
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
        self._price = price
        choices = (name for name, column in known.items() if column.kind == "choice")
        self._orders = Orders({name: values[name] for name in choices}, shades)
        self._comparing = {
            word: (column, sense)
            for column, words in ((price, _COSTS), (next(iter(self._years), None), _DATES))
            for word, sense in words.items()
            if column is not None
        }

        of = {w for words in (_OF, _HOW) for w, (c, _) in words.items() if c in self._orders}
        self._compare = {*self._comparing, *_SENSES, *_BY_ORDER, *(of & _OF.keys())}
        self._known = {*self._words, *self._compare, *of}

    @property
    def words(self) -> set[str]:
        """Those that compare and may be misspelt: none that is short."""
        return {word for word in self._compare if len(word) > _SHORT}

    def knows(self, token: Token) -> bool:
        """Whether a word compares, or says what is compared."""
        return token.word in self._known

    def titles(self, tokens: Sequence[Token], statements: Iterable[Statement]) -> set[int]:
        """Places of words that say of what column the words beside them are: "nike brand"."""
        return {
            place
            for one in statements
            for place in (min(one.places) - 1, max(one.places) + 1)
            if 0 <= place < len(tokens) and self._nouns.get(tokens[place].word) == one.column
        }

    def at(
        self, tokens: Sequence[Token], at: int, *, beside: bool = False
    ) -> tuple[int, Relation] | None:
        """How many words compare from a place on, and what they ask; None where none do.

        Args:
            tokens: of a text.
            at: the place.
            beside: whether there is something to compare with: else "darker" and "more formal" say
                how it shall look.
        """
        if beside and (told := self._how_at(tokens, at)):
            return told
        word = tokens[at].word
        if self._price and (found := degree_at(tokens, at)):
            taken, degree = found
            by_price = self._relation(self._price, "less" if degree.less else "more")
            return taken, replace(by_price, degree=degree)
        if word in self._comparing:
            return 1, self._relation(*self._comparing[word])
        taken, column = self._noun_at(tokens, at + 1)
        if sense := _BY_ORDER.get(word):
            # What is longer where nobody says which part of it.
            taken, column = (taken, column) if column in self._orders else (0, LENGTH)
            return (1 + taken, self._relation(column, sense)) if column in self._orders else None
        sense = _SENSES.get(word)
        # "That kind of shirt" compares with nothing.
        if sense is None or not column or (column == TYPE and word in _POINTS):
            return None
        return 1 + taken, self._relation(column, sense)

    def _how_at(self, tokens: Sequence[Token], at: int) -> tuple[int, Relation] | None:
        """The same of what is darker, lighter, dressier or less formal, perhaps in its colour."""
        words = [token.word for token in tokens[at:]]
        begins = int(words[0] == "a")
        start = begins + words_of_how_much(words[begins:])
        word, after = (*words[start : start + 2], "", "")[:2]
        taken, found = start + 1, _OF.get(word)
        if (sense := _MORE_OR_LESS.get(word)) and (how := _HOW.get(after)):
            column, more = how
            taken, found = start + 2, (column, more if sense == "more" else _TURNED[more])
        if found is None or found[0] not in self._orders:
            return None
        noun, named = self._noun_at(tokens, at + taken)
        return taken + (noun if named == found[0] else 0), self._relation(*found)

    def _noun_at(self, tokens: Sequence[Token], at: int) -> tuple[int, str]:
        """How many words are what a column is called, from a place on, and which; 0 for none."""
        for length in (2, 1):
            part = tokens[at : at + length]
            if len(part) == length and (column := self._nouns.get("".join(t.word for t in part))):
                return length, column
        return 0, ""

    def alone(self, tokens: Sequence[Token]) -> list[Token]:
        """Tokens of a text with nothing to compare with: "less formal shoes" are casual ones."""
        read: list[Token] = []
        for token in tokens:
            if read and read[-1].word == "less" and (how := _HOW.get(token.word)):
                column, sense = how
                read[-1] = _joined([read[-1], token], _PLAIN[column, _TURNED[sense]])
            else:
                read.append(token)
        return read

    def with_others(self, tokens: Sequence[Token]) -> list[Token]:
        """Tokens of which what is not the same is another: "not in this colour".

        What stands after "any colour but" is ruled out, and if that is "this", another one is
        asked for.
        """
        read: list[Token] = []
        at = 0
        while at < len(tokens):
            but = at
            if tokens[at].word in _EACH and (noun := self._noun_at(tokens, at + 1)[0]):
                but += 1 + noun
            rules_out = but < len(tokens) and (
                tokens[but].negates or (but > at and tokens[but].word in _BUT)
            )
            start = ruled_out_from(tokens, but)[0] if rules_out else len(tokens)
            same = start < len(tokens) and _SENSES.get(tokens[start].word) == "same"
            if same and self.at(tokens, start):
                read.append(_joined(tokens[at : start + 1], _OTHER))
                at = start + 1
            elif same and but > at:
                last = _joined(tokens[but - 1 : start + 1], tokens[but - 1].word)
                read += [Token(tokens[at].written, _OTHER), *tokens[at + 1 : but - 1], last]
                at = start + 1
            elif rules_out and but > at:
                read += [*tokens[at:but], Token(tokens[but].written, "not", True)]
                at = but + 1
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
        if sense in ("less", "more") and not values:
            return replace(told, values=self._orders.beyond(name, own, more=sense == "more"))
        if sense == "less":  # at most the next lower one; where none is, nothing is so
            lower = values[: bisect_left(values, own)]
            bounds = {"max": float(lower[-1] if lower else own - 1)}
        elif sense == "more":
            higher = values[bisect_right(values, own) :]
            bounds = {"min": float(higher[0] if higher else own + 1)}
        if sense in ("less", "more"):
            degree = relation.degree
            return replace(told, bounds=degree.bounds(own, bounds) if degree else bounds)
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


def _joined(tokens: Sequence[Token], word: str) -> Token:
    """Several words as one."""
    return Token(" ".join(token.written for token in tokens), word)
