"""What visitors said of answers: as events, and back from a log of them.

An answer that can be judged is one line of the log: its id, which is random and told to nobody but
who asked; what kind of thing was sought; the ranking, and how probable each ranking was. What is
said of it later are lines that name its id, and the item where one of its results is meant.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from recommender.feedback.events import KINDS, read_lines
from recommender.schema import Id, sent_id

Verdict = Literal["up", "down", "none"]
"""`none` takes back what was said."""

OF_ANSWER: dict[Verdict, str] = {"up": "up", "down": "down", "none": "neither"}
OF_ITEM: dict[Verdict, str] = {"up": "like", "down": "dislike", "none": "no opinion"}
"""A verdict -> the kind of its event."""

ANSWER = "answer"
"""The kind of the event that an answer itself is."""
LEAST = 0.02
"""The chance that a ranking always has where chance chooses: no answer weighs more than fifty."""
_ROUNDING = 1e-9
_VERDICTS = {kind: verdict for said in (OF_ANSWER, OF_ITEM) for verdict, kind in said.items()}


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """How an answer came to be ranked.

    Attributes:
        context: what kind of thing was sought: an article type; empty where nobody knows.
        ranking: the name of what ranked it.
        propensities: each ranking that could have -> how probable it was; they sum to one.
    """

    context: str
    ranking: str
    propensities: Mapping[str, float] = field(hash=False)

    @classmethod
    def read(cls, event: Mapping[str, Any]) -> "Ranked | None":
        """That of an answer's event, or None where it is none that was ever written here."""
        context, ranking = event.get("context"), event.get("ranking")
        told = event.get("propensities")
        if not (isinstance(context, str) and isinstance(ranking, str) and isinstance(told, dict)):
            return None
        least = LEAST - _ROUNDING
        shares = [share for share in told.values() if isinstance(share, float) and share >= least]
        sure = math.isclose(sum(shares), 1, abs_tol=1e-3)
        if ranking not in told or len(shares) < len(told) or not sure:
            return None
        return cls(context=context, ranking=ranking, propensities=told)

    @property
    def by_chance(self) -> bool:
        """Whether another ranking could have come instead."""
        return len(self.propensities) > 1


@dataclass(frozen=True)
class Opinion:
    """What was said of one answer: of all of it by a thumb, and of its items by hearts and crosses.

    Attributes:
        thumb: the latest.
        items: id -> the latest of that item.
    """

    thumb: Verdict = "none"
    items: Mapping[Id, Verdict] = field(default_factory=dict, hash=False)

    def saying(self, verdict: Verdict, item_id: Id | None = None) -> "Opinion":
        """The same after a verdict on an item or, without one, on the answer."""
        if item_id is None:
            return Opinion(verdict, self.items)
        return Opinion(self.thumb, {**self.items, item_id: verdict})

    def of(self, item_id: Id | None) -> Verdict:
        """The latest verdict on an item or, without one, on the answer."""
        return self.thumb if item_id is None else self.items.get(item_id, "none")

    @property
    def worth(self) -> float | None:
        """From 0 to 1: what the thumb says, else the hearts' share; None where nothing is said.

        >>> Opinion().saying("up", 3).saying("down", 5).worth, Opinion().saying("down").worth
        (0.5, 0.0)
        """
        if self.thumb != "none":
            return float(self.thumb == "up")
        said = [verdict for verdict in self.items.values() if verdict != "none"]
        return said.count("up") / len(said) if said else None


@dataclass(frozen=True)
class Judged:
    """An answer and what it was worth to who asked, from 0 to 1."""

    ranked: Ranked
    worth: float


class Feedback(NamedTuple):
    """What a log says of answers.

    Attributes:
        judged: those of which something was said.
        unjudged: those of which nothing was.
        skipped: how many lines say nothing: torn, or of an answer that nobody gave.
    """

    judged: list[Judged]
    unjudged: list[Ranked]
    skipped: int


def read_feedback(paths: Iterable[Path]) -> Feedback:
    """Read what a log's files say of answers, in the order in which they were written.

    A line that is there twice, as in a log that was pushed before it was put aside, counts once.
    """
    answers: dict[str, Ranked] = {}
    said: list[tuple[str, Verdict, Id | None]] = []
    skipped = 0
    for event in (event for path in paths for event in read_lines(path)):
        name, kind = (event.get("answer"), event.get("kind")) if event else (None, None)
        if isinstance(kind, str) and isinstance(name, str) and event:
            ranked = Ranked.read(event) if kind == ANSWER else None
            about = _about(event, kind) if kind in _VERDICTS else None
            if ranked and answers.setdefault(name, ranked) == ranked:
                continue
            if about:
                said.append((name, *about))
                continue
        elif isinstance(kind, str) and kind in KINDS:
            continue  # what counts in the trends alone
        skipped += 1
    opinions: dict[str, Opinion] = {}
    for name, verdict, item_id in said:
        if name in answers:
            opinions[name] = opinions.get(name, Opinion()).saying(verdict, item_id)
        else:
            skipped += 1
    worth = {name: opinion.worth for name, opinion in opinions.items()}
    judged = [Judged(answers[name], value) for name, value in worth.items() if value is not None]
    unjudged = [ranked for name, ranked in answers.items() if worth.get(name) is None]
    return Feedback(judged, unjudged, skipped)


def _about(event: Mapping[str, Any], kind: str) -> tuple[Verdict, Id | None] | None:
    """What a verdict's event says, and of which item; None where it names none and should."""
    item_id = sent_id(event.get("item"))
    is_of_item = kind in OF_ITEM.values()
    return None if is_of_item and item_id is None else (_VERDICTS[kind], item_id)
