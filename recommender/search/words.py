"""Words as a query: what they state, and which items' texts hold them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from recommender.encoding.agreement import Agreement
from recommender.encoding.protocol import TextTower
from recommender.index.embeddings import Floats, Mask, Vectors
from recommender.index.exact import products_in
from recommender.schema import KINDS, TYPE, Column
from recommender.search.discounts import DISCOUNT, percent_off
from recommender.search.extremes import bounds_of, contradicted, those
from recommender.search.filters import FilterTable
from recommender.search.fusion import Told
from recommender.search.lexical import Lexical
from recommender.search.phrases import seldom_meant
from recommender.search.said import IN_TEXTS, Said, Statement, join
from recommender.search.shades import Shades
from recommender.search.stated import Vocabulary
from recommender.search.synonyms import meaning_the_same
from recommender.search.tokens import compared, key_of, words_of

Place = tuple[slice, list[int]]
"""Where an embedding holds a column's beliefs, and where those in some of its classes."""

_SHOWN = 0.5
"""From which belief on a picture is taken to show what is stated."""
_LEANS = 2.25
"""How far looks that are asked for lean to what shows a value, beside the beliefs in what else is
stated. Chosen on dev."""
_NONE = 0.01
"""Of a kind, the share of items below which it has nothing of a column, nor do texts say it."""


class Words:
    """What a catalog understands. Thread-safe."""

    def __init__(
        self,
        frame: pd.DataFrame,
        columns: Sequence[Column],
        filters: FilterTable,
        labels: Mapping[str, Sequence[str]],
        agreement: Agreement,
        texts: TextTower | None = None,
        shades: Shades | None = None,
    ) -> None:
        """Read a catalog's texts.

        Args:
            frame: its columns, row by row with the gallery.
            columns: which those are.
            filters: their values.
            labels: label -> the classes that the encoder tells apart.
            agreement: how an embedding holds beliefs.
            texts: what knows how words look.
            shades: what knows how the colours look.
        """
        choices, free = (
            [frame[column.name].tolist() for column in columns if column.kind == kind]
            for kind in ("choice", "text")
        )
        self.lexical = Lexical(choices, free, len(frame))
        self._filters, self._agreement = filters, agreement
        off = percent_off(frame, columns)
        self._reduced = None if off is None else FilterTable(off.to_frame(DISCOUNT))
        self._known = (1 - frame.isna().mean()).to_dict()
        self._classes = {
            label: {key_of(name): i for i, name in enumerate(agreement.classes[label])}
            for label in agreement.labels
        }
        self._leaning = texts.shown if texts else {}
        first = agreement.labels
        seen = {compared(word): word for word in (texts.words if texts else ())}
        words, usual = {**seen, **self.lexical.words}, seen.keys() | self.lexical.usual
        self._vocabulary = Vocabulary(
            columns,
            filters.values,
            {**labels, **{name: list(values) for name, values in self._leaning.items()}},
            first=first,
            words=words,
            usual=usual,
            seldom=seldom_meant(filters, columns, self.lexical.held),
            held=self.lexical.held,
            count=len(frame),
            reduces=off is not None,
            shades=shades,
        )

    def read(self, text: str) -> Said:
        """Understand a text.

        Raises:
            QueryError: it is none, or has no word.
        """
        said = self._with_extremes(self._read(text))
        if said.statements or not (words := words_of(said.looks)):
            return said
        together = np.logical_and.reduce([self._holding([word]) for word in words])
        return replace(said, scattered=not together.any())

    def read_beside(
        self,
        text: str,
        vectors: Floats,
        row: int | None = None,
        seen: Mapping[str, str] = MappingProxyType({}),
    ) -> Said:
        """Understand a text that is said of what asks: what it compares with is known then.

        Args:
            text: it.
            vectors: float32 of shape (q, dim), what pictures or items ask.
            row: of the item that asks; None where none does.
            seen: what a picture likely shows, that no embedding holds too: column -> value.

        Raises:
            QueryError: it is none, or has no word.
        """
        said = self._read(text, beside=True)
        own: Mapping[str, Any] = seen if row is None else self._filters.row(row)
        statements = {(one.column, one.ruled_out): one for one in said.statements}
        for relation in said.relations:
            value = own.get(relation.column) or self._seen(relation.column, vectors)
            if value is not None:
                told = self._vocabulary.relations.stated(relation, value)
                words = tuple(said.words[at] for at in relation.places)
                join(statements, replace(told, words=words, places=relation.places))
        said = replace(said, statements=tuple(statements.values()), beside=True)
        return self._with_extremes(said, own.get(TYPE) or self._seen(TYPE, vectors))

    def _read(self, text: str, *, beside: bool = False) -> Said:
        """As the vocabulary reads it; of what the kinds asked for have nothing of, nothing is said.

        Sunglasses have no dial that is round: "round" is then a word like others.
        """
        said = self._vocabulary.read(text, beside=beside)
        asked = [one for one in said.statements if one.values and not one.ruled_out]
        kinds = [self._said_to_be(one) for one in asked if one.column in KINDS]
        if not kinds or not (of_kind := np.logical_and.reduce(kinds)).any():
            return said
        others = {
            name
            for one in asked
            if (name := one.column) not in (*KINDS, IN_TEXTS, self._vocabulary.sizes.column)
            if (self._filters.codes(name) >= 0)[of_kind].mean() < _NONE
            if self._told_by_texts(one)[of_kind].mean() < _NONE
        }
        return self._vocabulary.without(others).read(text, beside=beside) if others else said

    def _seen(self, column: str, vectors: Floats) -> str | None:
        """What is believed of a column; None where pictures are not known to show it."""
        if (block := self._agreement.block(column)) is None:
            return None
        return self._agreement.classes[column][int(vectors[:, block].sum(axis=0).argmax())]

    def tell(
        self, said: Said, vectors: Vectors, *, beside: bool = False, seen: bool = True
    ) -> Told:
        """What a text says of each item.

        Args:
            said: the text.
            vectors: float32 of shape (n, dim), the gallery's embeddings, with which ever labels
                the ranking knows.
            beside: whether they are beside a picture or an item, which says the rest: texts that
                hold the very words that state something are then none the better.
            seen: whether what pictures are believed to show counts.
        """
        allowed: Mask | None = None
        ruled_out: Mask | None = None
        stated = np.zeros(len(vectors), dtype=np.float32)
        total = 0.0
        for statement in said.statements:
            if statement.bounds:
                passes = self._said_to_be(statement)
                allowed = passes if allowed is None else allowed & passes
            place = self._shown(statement)
            if statement.ruled_out:
                out = self._ruled_out(statement, vectors)
                ruled_out = out if ruled_out is None else ruled_out | out
            elif statement.values and (seen or place is None):
                agrees = self._agrees(statement, place, vectors)
                # As much as the statement tells: one that few items meet is no accident, unless it
                # is of a column that few items have.
                known = 1.0 if place else self._known[statement.column]
                told = -known * np.log((agrees.sum() + 1) / (len(vectors) + 2))
                stated += np.float32(told) * agrees
                total += told
        return Told(
            said=said,
            stated=stated / np.float32(total) if total else stated,
            states=total > 0,
            lexical=self.lexical.scores(said.unstated if beside else said.literal),
            beside=beside,
            allowed=allowed,
            ruled_out=ruled_out,
        )

    def stating(self, said: Said, vectors: Floats) -> Floats:
        """Embeddings that ask in which the words have the say of what they state.

        Args:
            said: what is stated.
            vectors: float32 of shape (q, dim).
        """
        told = vectors.copy()
        for statement in said.statements:
            if statement.ruled_out:
                told[:, self._where(statement)] = 0
            elif (place := self._shown(statement)) is not None:
                block, classes = place
                told[:, block] = 0
                told[:, classes] = np.sqrt(self._agreement.weights[statement.column])
            elif not said.beside and (leaning := self._leanings(statement)):
                told[:, : self._agreement.looks_dim] += _LEANS * np.mean(leaning, axis=0)
        return told

    def all_shown(self, said: Said) -> bool:
        """Whether a text states something, and nothing but what pictures are known to show."""
        shown = (
            (self._shown(statement) is not None or bool(self._leanings(statement)))
            and not statement.ruled_out
            for statement in said.statements
        )
        return bool(said.statements) and not said.unstated and all(shown)

    def _with_extremes(self, said: Said, kind: str | None = None) -> Said:
        """What is cheapest, newest … as a bound: of what is asked for, the quarter that is so.

        Args:
            said: the text.
            kind: the type of what asks beside it, if any.
        """
        asked = {statement.column for statement in said.statements if not statement.ruled_out}
        of_kind = (Statement(column=TYPE, values=(kind,)),) if kind and TYPE not in asked else ()
        both = contradicted(said.extremes)
        for column in dict.fromkeys(one.column for one in said.extremes):
            if column in both or any(s.column == column for s in said.statements):
                continue  # who names an amount means no other
            table = self._table(column)
            codes = table.codes(column)
            # None where it is 0 is what has a discount of none.
            rows = codes >= (column == DISCOUNT and table.values[column][0] == 0)
            for statement in (*of_kind, *said.statements):
                if not statement.ruled_out and statement.column != IN_TEXTS:
                    rows = those(rows, self._said_to_be(statement))
            if rows.any():
                ends = [one for one in said.extremes if one.column == column]
                places = tuple(place for one in ends for place in one.places)
                bounds = bounds_of(ends[0].most, codes[rows], table.values[column])
                words = tuple(said.words[at] for at in places)
                told = Statement(column=column, bounds=bounds, words=words, places=places)
                said = replace(said, statements=(*said.statements, told))
        return said

    def _table(self, column: str) -> FilterTable:
        """What knows a column's values."""
        return self._reduced if self._reduced and column == DISCOUNT else self._filters

    def _agrees(self, statement: Statement, place: Place | None, vectors: Vectors) -> Mask:
        """Which items are what is stated: bool of shape (n,); `place` as `_shown` gives it."""
        if place is not None:
            return self._shows(statement.column, place[1], vectors)
        return self._said_to_be(statement) | self._told_by_texts(statement)

    def _told_by_texts(self, statement: Statement) -> Mask:
        """Of which items that nobody says it of a text does, in all words: bool of shape (n,)."""
        told: Mask = self._filters.codes(statement.column) < 0
        values = [value for value in statement.values if isinstance(value, str)]
        if not told.any() or not values:
            return np.zeros_like(told)
        holding = (
            np.logical_and.reduce([self._holding([word]) for word in words])
            for value in values
            if (words := words_of(value))
        )
        told &= np.logical_or.reduce([*holding, np.zeros_like(told)])
        return told

    def _said_to_be(self, statement: Statement) -> Mask:
        """Which items are within bounds or have one of the values by their column: (n,)."""
        if statement.column == self._vocabulary.sizes.column:
            return self._vocabulary.sizes.having(statement.values, self._filters)
        name, table = statement.column, self._table(statement.column)
        known = [value for value in statement.values if value in table.values[name]]
        passes = table.mask({name: statement.bounds or known})
        return np.zeros(len(table.codes(name)), dtype=bool) if passes is None else passes

    def _ruled_out(self, statement: Statement, vectors: Vectors) -> Mask:
        """Which items are what is not wanted: bool of shape (n,).

        Of those of which nobody says what they are, those whose pictures or texts show it.
        """
        if (name := statement.column) == IN_TEXTS:
            return self._holding(statement.values)
        out = self._said_to_be(statement)
        unsaid = self._filters.codes(name) < 0
        # What takes several words to say, texts hold the words of in other senses.
        words = [compared(value) for value in statement.values if str(value).isalpha()]
        out |= unsaid & self._holding(words)
        if classes := self._where(statement):
            out |= unsaid & self._shows(name, classes, vectors)
        return out

    def _shows(self, name: str, classes: Sequence[int], vectors: Vectors) -> Mask:
        """Which items are taken to be of one of some classes: bool of shape (n,).

        Args:
            name: the label.
            classes: where an embedding holds them.
            vectors: as `tell` takes them.
        """
        weight = float(np.sqrt(self._agreement.weights[name]))
        shown: Mask = products_in(vectors, classes, 1 / weight) >= _SHOWN
        return shown

    def _holding(self, words: Iterable[str]) -> Mask:
        """Which items' texts hold one of some words, or what means the same: bool of shape (n,)."""
        same = [other for word in words for other in meaning_the_same(word)]
        holding: Mask = self.lexical.scores(same) > 0
        return holding

    def _where(self, statement: Statement) -> list[int]:
        """Where an embedding holds the beliefs in any of some values."""
        if (block := self._agreement.block(statement.column)) is None:
            return []
        codes = [self._classes[statement.column].get(key_of(value)) for value in statement.values]
        return [block.start + code for code in codes if code is not None]

    def _leanings(self, statement: Statement) -> list[Floats]:
        """Where looks lean that show what is stated; empty where that is not known of all of it."""
        known = self._leaning.get(statement.column, {})
        found = [known[value] for value in statement.values if value in known]
        return found if len(found) == len(statement.values) else []

    def _shown(self, statement: Statement) -> Place | None:
        """Where an embedding holds a column's beliefs, and where those in what is stated.

        None where pictures are not known to show it.
        """
        if (block := self._agreement.block(statement.column)) is None:
            return None
        classes = self._classes[statement.column]
        found = [classes.get(key_of(value)) for value in statement.values]
        if not found or None in found:
            return None
        return block, [block.start + code for code in found if code is not None]
