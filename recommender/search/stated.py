"""What words state: values of columns, and bounds of numbers.

The vocabulary is the catalog's own: each value of each column is a phrase, and the longest phrase
that a text holds counts. A word that no item and no phrase knows is read as the nearest that one
does.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from copy import copy
from dataclasses import replace
from typing import Any

from recommender.errors import QueryError
from recommender.schema import Column, is_size
from recommender.search.bounds import FILLING, Bounds
from recommender.search.discounts import DISCOUNT, LACKING, REDUCED, discount_at
from recommender.search.extremes import Extremes
from recommender.search.idioms import with_idioms, with_money_said
from recommender.search.measures import Measures
from recommender.search.mending import Mending
from recommender.search.negation import (
    NOT,
    goes_on,
    ruled_out_from,
    settle,
    tokens_with_negations,
    turned,
)
from recommender.search.phrases import Phrases
from recommender.search.relative import Relations, is_named
from recommender.search.said import (
    IN_TEXTS,
    Extreme,
    Relation,
    Said,
    Statement,
    is_a_part,
    join,
)
from recommender.search.shades import Shades
from recommender.search.sizes import LACKING as NO_SIZES
from recommender.search.sizes import Sizes
from recommender.search.spelling import Spelling
from recommender.search.synonyms import ALSO, SILENT, SYNONYMS
from recommender.search.tokens import Token, key_of, words_of

MAX_CHARACTERS, MAX_WORDS = 2_000, 48
_SHORT = 5
"""Letters of a word that a text's own may easily be one slip away from."""

_KINDS = ("choice", "number", "year", "yes_no")

NO_WORDS = "Type a few words of what you look for, such as: black shirt for men."
AN_ADDRESS = "These words are a web address: name a picture by it, not what you look for."
NOTHING_SAID = (
    "No product here is described by these words: try a kind, a colour or a brand, such as: black "
    "shirt for men."
)


class Vocabulary:
    """The phrases of a catalog, and what each of them states."""

    def __init__(
        self,
        columns: Sequence[Column],
        values: Mapping[str, Sequence[Any]],
        labels: Mapping[str, Sequence[str]],
        *,
        first: Sequence[str] = (),
        words: Mapping[str, str],
        usual: Set[str],
        seldom: Set[tuple[str, Any, str]] = frozenset(),
        held: Mapping[str, int] | None = None,
        count: int = 0,
        reduces: bool = False,
        shades: Shades | None = None,
    ) -> None:
        """Args:
        columns: of the catalog.
        values: column -> its values in order, as `FilterTable` has them.
        labels: label -> the classes that an encoder tells apart, which pictures may show though
            no item is said to be of them.
        first: the columns that are meant first where several have a value of the same name.
        words: of the items' own texts, as they are compared -> as they are written.
        usual: those of them that are not misspelt.
        seldom: a column, its value, and a word, as it is compared, that seldom means it: who asks
            with that word states nothing.
        held: words of the items' own texts -> how many items hold them.
        count: of items.
        reduces: whether it is known what costs less than it did.
        shades: what knows how the colours look, if anything does.
        """
        self._reduces, self._phrases = reduces, Phrases(seldom)
        self.sizes = Sizes(columns, values)
        columns = [column for column in columns if not is_size(column.name)]
        of_kind = {kind: [c for c in columns if c.kind == kind] for kind in _KINDS}
        numbers, years = (
            {c.name: values[c.name] for c in of_kind[kind] if values[c.name]}
            for kind in ("number", "year")
        )
        self._bounds = Bounds(numbers, years)
        self.relations = Relations(columns, values, self._bounds.price, years, shades)
        more = dict.fromkeys(("discount", "deal", "offer"), DISCOUNT) if reduces else {}
        self._extremes = Extremes(numbers, price=self.price, years=years, others=more)
        choices = [column.name for column in of_kind["choice"]]
        self._measures = Measures({name: values[name] for name in choices})
        for name in sorted(choices, key=lambda name: name not in first):
            known = {key_of(value) for value in values[name]}
            seen = [value for value in labels.get(name, ()) if key_of(value) not in known]
            self._phrases.add_all(name, [*values[name], *seen])
        for column in of_kind["yes_no"]:
            self._phrases.add(key_of(column.noun), column.name, True)
        self._words, self._usual = words, usual
        self._parts = {word for label in labels.values() for v in label for word in words_of(v)}
        self._parts |= {word for column in of_kind["yes_no"] for word in words_of(column.noun)}
        said = self._phrases.keys() | SYNONYMS.keys() | self.relations.words
        said |= {word for word in self._extremes.words | REDUCED if len(word) > _SHORT}
        spelling = Spelling(said, usual, held or {}, count)
        self._mending = Mending(spelling, self._phrases, words, self._knows)

    @property
    def price(self) -> str | None:
        """The column that amounts are of; None where there is none of numbers."""
        return self._bounds.price

    def without(self, columns: Set[str]) -> "Vocabulary":
        """The same, of which no words ask for values of some columns."""
        fewer = copy(self)
        fewer._phrases = self._phrases.without(columns)
        return fewer

    def read(self, text: str, *, beside: bool = False) -> Said:
        """Understand a text.

        Args:
            text: it.
            beside: whether it is said of what asks.

        Raises:
            QueryError: it is none, or has no word.
        """
        if not isinstance(text, str):
            raise QueryError("The words that you look for are a text.")
        if text.lstrip().lower().startswith(("http://", "https://")):
            raise QueryError(AN_ADDRESS)
        read = text[:MAX_CHARACTERS]
        tokens = with_idioms(tokens_with_negations(with_money_said(read)))
        if not tokens:
            raise QueryError(NO_WORDS)
        cut = len(text) > MAX_CHARACTERS or len(tokens) > MAX_WORDS
        tokens, mended, unknown = self._mending.mend(tokens[:MAX_WORDS])
        tokens = self.relations.with_others(tokens if beside else self.relations.alone(tokens))
        statements: dict[tuple[str, bool], Statement] = {}
        unstated: list[int] = []
        negated: list[int] = []
        relations: list[Relation] = []
        lacking: list[tuple[str, str]] = []
        extremes: list[Extreme] = []
        silent: list[int] = []
        left_over: list[int] = []
        at = 0
        while at < len(tokens):
            taken, statement = self._stated_at(tokens, at)
            written = tuple(token.written for token in tokens[at : at + taken])
            if statement is not None and is_a_part(tokens, at, statement, statements):
                statement = None
            ruled_out = tokens[at].negates and (statement is None or statement.ruled_out)
            if ruled_out:
                negated += range(at, at + taken)
            if statement is not None:
                places = tuple(range(at, at + taken))
                join(statements, replace(statement, words=written, places=places))
            elif ruled_out:  # of which no column tells
                rest = [token for token in tokens[at : at + taken] if not token.negates]
                unknown += [token.written for token in rest if token.word not in SILENT][-1:]
            elif asks_for := self._asked_at(tokens, at, beside):
                taken, one = asks_for
                silent += (places := tuple(range(at, at + taken)))
                if isinstance(one, str):
                    lacking.append((one, " ".join(tokens[place].written for place in places)))
                elif isinstance(one, Extreme):
                    extremes.append(replace(one, places=places))
                else:
                    relations.append(replace(one, places=places))
            elif self._counts(tokens[at]) or self._is_left_over(tokens[at]):
                left_over.append(at)  # of something that this catalog does not
            else:
                unstated.append(at)
            at += taken
        gone, contradicted = settle(statements, self._phrases.heads)
        negated += gone
        relations = [one for one in relations if not is_named(one, statements)]
        titles = self.relations.titles(tokens, statements.values())
        unknown += [tokens[place].written for place in left_over if place not in titles]
        unstated = [place for place in unstated if place not in titles]
        said_by = {word for statement in statements.values() for word in statement.words}
        said_by |= {tokens[place].written for place in silent}
        # No item's own text is asked for these: what is 20% off is not off-white.
        silent += negated
        silent += [place for one in statements.values() if one.bounds for place in one.places]
        asked = [token for place, token in enumerate(tokens) if place not in silent]
        asks = [statement for statement in statements.values() if not statement.ruled_out]
        stated = [w for s in asks for v in s.values for w in words_of(str(v))]
        words = tuple(token.written for token in tokens)
        return Said(
            text=read.strip(),
            words=words,
            statements=tuple(statements.values()),
            literal=self._literal([*(token.word for token in asked), *stated]),
            unstated=self._literal(tokens[place].word for place in unstated),
            mended=tuple(mended),
            unknown=tuple(dict.fromkeys(word for word in unknown if word not in said_by)),
            cut=cut,
            negated=tuple(negated),
            contradicted=tuple(map(str, contradicted)),
            relations=tuple(relations),
            lacking=tuple(lacking),
            loose=tuple(place for place in unstated if self._says(tokens[place])),
            extremes=tuple(extremes),
        )

    def _asked_at(
        self, tokens: Sequence[Token], at: int, beside: bool
    ) -> tuple[int, Relation | Extreme | str] | None:
        """How many words ask for an end of a number, compare, or ask for what nothing here says."""
        if not self._reduces and (found := discount_at(tokens, at)):
            return found[0], LACKING
        if self.sizes.column is None and (sized := self.sizes.at(tokens, at)):
            return sized[0], NO_SIZES
        return self._extremes.at(tokens, at) or self.relations.at(tokens, at, beside=beside)

    def _says(self, token: Token) -> bool:
        """Whether a word says something, and it is known what."""
        return token.word not in SILENT and token.word in self._words

    def _stated_at(self, tokens: list[Token], at: int) -> tuple[int, Statement | None]:
        """How many words are of one thing here, at least one, and what they state."""
        taken, statement = self._measured_at(tokens, at) or self._phrase_at(tokens, at)
        if not tokens[at].negates or (statement is not None and taken > 1):
            return taken, statement  # perhaps a name that begins with such a word
        start, twice = ruled_out_from(tokens, at)
        # "In stock" is a phrase, "in" alone nothing.
        begins = (place for place in range(at + 1, start) if self._phrase_at(tokens, place)[1])
        if (start := next(begins, start)) == len(tokens):
            return start - at, None
        bounded = self._reduced_at(tokens, start) or self._bounds.at(tokens, start)
        taken, statement = self._value_at(tokens, start)
        if bounded is not None:
            left = turned(bounded[1].bounds, tokens[start].word)
            taken, told = bounded
            return start + taken - at, None if left is None else replace(told, bounds=left)
        if statement is None and (word := tokens[start].word) in self._words and word not in SILENT:
            statement = Statement(column=IN_TEXTS, values=(word,))
        if statement is None:
            # Of a question's own words nothing is ruled out: of "no, show me …".
            return start + (tokens[start].word not in SILENT) - at, None
        if not twice:
            statement = replace(statement, ruled_out=True)
            self._carry_on(tokens, start + taken, statement.column)
        return start + taken - at, statement

    def _measured_at(self, tokens: Sequence[Token], at: int) -> tuple[int, Statement | None] | None:
        """How many words are of a size, a discount or bounds; what compares states nothing yet."""
        ways = (self._sized_at, self._reduced_at, self._measures.at)
        if found := next((found for way in ways if (found := way(tokens, at))), None):
            return found
        related, ended = self.relations.at(tokens, at), self._extremes.at(tokens, at)
        bounded = self._bounds.at(tokens, at)
        # "10% cheaper", "under half the price"; "top rated" is no top.
        degree = related is not None and related[1].degree is not None
        return (1, None) if degree or (ended and ended[0] > 1 and not bounded) else bounded

    def _reduced_at(self, tokens: Sequence[Token], at: int) -> tuple[int, Statement] | None:
        """As `discount_at`, of a catalog that says what is reduced."""
        found = discount_at(tokens, at) if self._reduces else None
        return found and (found[0], Statement(column=DISCOUNT, bounds=found[1]))

    def _sized_at(self, tokens: Sequence[Token], at: int) -> tuple[int, Statement] | None:
        """As `Sizes.at`, of a catalog that says sizes."""
        return self.sizes.at(tokens, at) if self.sizes.column else None

    def _value_at(self, tokens: Sequence[Token], at: int) -> tuple[int, Statement | None]:
        """As `_phrase_at`; a word that values end with, such as a collar, is any of them."""
        found = self._sized_at(tokens, at) or self._phrase_at(tokens, at, asks=False)
        taken, statement = found
        if statement is None and (heads := self._phrases.heads.get(tokens[at].word)):
            column, values = max(heads.items(), key=lambda named: len(named[1]))
            statement = Statement(column=column, values=values)
        return taken, statement

    def _carry_on(self, tokens: list[Token], at: int, column: str) -> None:
        """Mark that what follows an "or" is ruled out too."""
        if at + 1 < len(tokens):
            _, other = self._value_at(tokens, at + 1)
            if other is not None and goes_on(tokens[at], other.column == column):
                tokens[at] = NOT

    def _literal(self, words: Iterable[str]) -> tuple[str, ...]:
        """Those that items' own texts may hold, and others that mean the same; each once."""
        said = [word for word in words if word not in SILENT]
        also = [other for word in said for other in (word, *ALSO.get(word, ()))]
        return tuple(dict.fromkeys(word for word in also if word in self._words))

    def _knows(self, token: Token) -> bool:
        word = token.word
        return (
            word in SILENT
            or self.relations.knows(token)
            or self.sizes.knows(token)
            or word in self._usual
            or word in self._parts
            or word in self._phrases
            or word in SYNONYMS
            or word in FILLING
            or token.negates
            or self._counts(token)
            or self._extremes.knows(token)
            or word in REDUCED
            or len(word) == 1  # as the T of a T-shirt
        )

    def _counts(self, token: Token) -> bool:
        """Whether it is of a number or its bounds, and of no item's own text."""
        return self._bounds.are_of(token) and token.word not in self._words

    def _is_left_over(self, token: Token) -> bool:
        """Whether it is of a comparison or a size, and of none here."""
        known = self.relations.knows(token) or self.sizes.knows(token)
        return known and not self._says(token) and token.word not in SILENT

    def _phrase_at(
        self, tokens: Sequence[Token], at: int, *, asks: bool = True
    ) -> tuple[int, Statement | None]:
        """How many words the longest phrase here has, at least one, and what it states.

        Args:
            tokens: of a text.
            at: where.
            asks: whether what it states is asked for; else it is ruled out.
        """
        if found := self._phrases.longest_at(tokens, at, asks):
            return found
        number = tokens[at].number
        for name, years in self._bounds.years.items():
            if number in years:  # a number by itself is a year; a price never is by itself
                return 1, Statement(column=name, values=(int(number or 0),))
        return 1, None
