"""What a text was understood to say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from recommender.search.tokens import WORD, Token

IN_TEXTS = ""
"""In place of a column: words that no column has, and items' own texts hold."""
NEAR = 0.2
"""What "about" leaves to either side of an amount."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What some words state of one column.

    Attributes:
        column: its name; `IN_TEXTS` for words that are ruled out and of no column.
        values: any of them will do; empty where bounds are stated.
        bounds: of a number, as a filter takes them.
        words: those that state it, as they were written.
        places: of those words among the text's.
        either: whether they name several values, or ends of a range, that no item can have at once.
        ruled_out: whether the values are what is not wanted.
    """

    column: str
    values: tuple[Any, ...] = ()
    bounds: Mapping[str, float] = field(default_factory=dict, hash=False)
    words: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    either: bool = False
    ruled_out: bool = False


@dataclass(frozen=True)
class Degree:
    """Bounds of a price beside another.

    Attributes:
        less: whether it is to be lower; else higher.
        times: how many times the other its end is.
        amount: what is then taken from that, or added.
        slight: whether it is to be near all the same.
    """

    less: bool
    times: float = 1.0
    amount: float = 0.0
    slight: bool = False

    def bounds(self, own: float, least: Mapping[str, float]) -> dict[str, float]:
        """The bounds beside a price.

        Args:
            own: it.
            least: those of what is lower, or higher, by however little.

        >>> Degree(True, 0.5).bounds(1000, {"max": 990})
        {'max': 500.0}
        >>> Degree(True, slight=True).bounds(1000, {"max": 990})
        {'min': 800.0, 'max': 990}
        """
        sign = -1 if self.less else 1
        if self.slight:  # the next one, at least, however far that is
            [(end, other)] = least.items()
            far = min if self.less else max
            return {"min" if self.less else "max": far(own * (1 + sign * NEAR), other), end: other}
        limit = max(own * self.times + sign * self.amount, 0.0)
        return {"max" if self.less else "min": round(limit, 2)}


Sense = Literal["less", "more", "same", "other"]


@dataclass(frozen=True, kw_only=True)
class Relation:
    """What some words ask in comparison with what asks.

    Attributes:
        column: of which the values are compared.
        sense: which of them are asked for.
        instead: what says so without anything to compare with.
        places: of those words among the text's.
        degree: by how much, where that is said.
    """

    column: str
    sense: Sense
    instead: str
    places: tuple[int, ...] = ()
    degree: Degree | None = None


@dataclass(frozen=True, kw_only=True)
class Extreme:
    """That the least or the most of a number is asked for, among what else is.

    Attributes:
        column: of the numbers.
        most: which end of them.
        places: of the words that say so among the text's.
    """

    column: str
    most: bool
    places: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Said:
    """A text as it was understood.

    Attributes:
        text: as far as it was read.
        words: of the text, in their order, as they were written.
        statements: of a column at most one that asks for it and one that rules out.
        literal: all words that may stand in an item's own text, as they are compared.
        unstated: those of them that are of no statement.
        mended: words that were misspelt, and as what they were read.
        unknown: words of which nothing is known.
        cut: whether the text was longer than what was read.
        negated: places of the words that are of what is not wanted.
        loose: places of the words that say something of no column.
        extremes: of which numbers an end is asked for.
        relations: what compares with what asks.
        lacking: what nothing of the catalog says, and words that ask for it.
        beside: whether it is said of what a picture or an item shows.
        scattered: whether it states nothing, and no item's texts hold all of its words.
        contradicted: values that are both asked for and ruled out, which counts.
    """

    text: str
    words: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    literal: tuple[str, ...] = ()
    unstated: tuple[str, ...] = ()
    mended: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    cut: bool = False
    beside: bool = False
    scattered: bool = False
    negated: tuple[int, ...] = ()
    relations: tuple[Relation, ...] = ()
    lacking: tuple[tuple[str, str], ...] = ()
    contradicted: tuple[str, ...] = ()
    loose: tuple[int, ...] = ()
    extremes: tuple[Extreme, ...] = ()

    def __bool__(self) -> bool:
        """Whether it says anything of the catalog."""
        return bool(self.statements or self.literal)

    @property
    def as_read(self) -> str:
        """What is asked for: as it was written, or with its misspelt words as they are meant."""
        if not self.negated and not self.mended and not self.cut:
            # A text tower has learnt from hyphens and the like, too.
            return " ".join(part for part in self.text.split() if WORD.search(part))
        return self._meant(self._less(self.negated))

    @property
    def looks(self) -> str:
        """What is said besides of how it looks, with its misspelt words as they are meant."""
        return self._meant([self.words[at] for at in self.loose])

    @property
    def unrelated(self) -> tuple[Relation, ...]:
        """What compares with nothing that is known."""
        related = {place for statement in self.statements for place in statement.places}
        return tuple(one for one in self.relations if related.isdisjoint(one.places))

    def without(self, statement: Statement) -> str:
        """The text without the words that state something."""
        return " ".join(self._less(statement.places))

    def _meant(self, words: Sequence[str]) -> str:
        meant = dict(self.mended)
        return " ".join(meant.get(word, word) for word in words)

    def _less(self, places: Sequence[int]) -> list[str]:
        return [word for at, word in enumerate(self.words) if at not in places]


def join(statements: dict[tuple[str, bool], Statement], statement: Statement) -> None:
    """Add what is stated; of a column that was spoken of before, either will do.

    Unless one of the two says it more narrowly, as who speaks of kids and then of a girl.
    """
    key = statement.column, statement.ruled_out
    if (before := statements.get(key)) is not None:
        values = tuple(dict.fromkeys((*before.values, *statement.values)))
        narrower = min(before.values, statement.values, key=len)
        within = set(before.values) & set(statement.values) == set(narrower)
        if narrower and within and not before.either and not statement.ruled_out:
            values = narrower
        bounds = {**before.bounds, **statement.bounds}
        crossed = len(bounds) == 2 and bounds["min"] > bounds["max"]
        if len(bounds) == 2:
            bounds = dict(zip(("min", "max"), sorted(bounds.values()), strict=True))
        statement = replace(
            statement,
            values=values,
            bounds=bounds,
            words=(*before.words, *statement.words),
            places=(*before.places, *statement.places),
            either=before.either
            or crossed
            or len(values) > max(len(before.values), len(statement.values)),
        )
    statements[key] = statement


def is_a_part(
    tokens: Sequence[Token],
    at: int,
    statement: Statement,
    before: Mapping[tuple[str, bool], Statement],
) -> bool:
    """Whether what is stated comes with what is asked for, as the belt does with a dress.

    Args:
        tokens: of the text.
        at: where of it that is stated.
        statement: it.
        before: what was stated before, as `join` has it.
    """
    asked = before.get((statement.column, False))
    if asked is None or not asked.values or statement.ruled_out:
        return False
    return any(token.word == "with" for token in tokens[max(asked.places) : at])
