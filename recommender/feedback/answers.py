"""The answers of the last hour, by ids that nobody can guess, so that visitors can judge them."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from threading import Lock

from recommender.errors import FeedbackError
from recommender.feedback.bandit import Bandit
from recommender.feedback.events import EventLog
from recommender.feedback.judged import ANSWER, OF_ANSWER, OF_ITEM, Opinion, Ranked, Verdict
from recommender.schema import Id, sent_id

REMEMBERED_SECONDS = 3600.0
MOST = 10_000
"""Answers that are remembered, a kilobyte each."""
MOST_OF_ONE = 30
"""Answers of which one visitor's opinion counts, in a day."""
_DAY_SECONDS = 86_400.0

UNKNOWN_ANSWER = (
    "No answer of the last hour has this id: ask again, and say it of the answer that comes."
)
NO_VERDICT = f"A verdict is one of {', '.join(OF_ANSWER)}; none takes it back."
NOT_AMONG = "This item is not among that answer's results."


@dataclass(slots=True)
class _Given:
    """An answer that was given."""

    ranked: Ranked
    items: tuple[Id, ...]
    until: float
    written: bool
    opinion: Opinion = Opinion()  # noqa: RUF009 - frozen
    counts: bool | None = None
    """Whether what is said of it does; None before anything is."""


class Answers:
    """Remembers answers, writes down what is said of them and, with a bandit, learns from it.

    Of one visitor few answers count, so that nobody decides by judging much. What tells visitors
    apart is a name that chance gave to the page: held for a day at most, and written nowhere.

    Thread-safe. Other processes' answers are unknown here, though a log may be theirs, too.
    """

    def __init__(
        self,
        events: EventLog,
        bandit: Bandit | None = None,
        *,
        random: Random | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args:
        events: where it is written.
        bandit: what chooses among rankings; None where nobody does.
        random: draws them.
        """
        self._events, self._bandit, self._clock = events, bandit, clock
        self._random = random or Random()
        self._given: OrderedDict[str, _Given] = OrderedDict()
        self._heard: OrderedDict[str, int] = OrderedDict()
        self._since = clock()
        self._lock = Lock()

    def choose(self, context: str, rankings: Sequence[str]) -> Ranked:
        """By which ranking to answer.

        Args:
            context: what kind of thing is sought; empty where nobody knows.
            rankings: those that can; the first is the usual one.
        """
        if self._bandit is None or len(rankings) < 2:
            return Ranked(context=context, ranking=rankings[0], propensities={rankings[0]: 1.0})
        with self._lock:
            shares = self._bandit.propensities(context, rankings)
            [drawn] = self._random.choices(list(shares), list(shares.values()))
        return Ranked(context=context, ranking=drawn, propensities=shares)

    def give(self, ranked: Ranked, items: Iterable[Id]) -> str:
        """Remember an answer; its id. One whose ranking chance has chosen is written down."""
        name, now = secrets.token_urlsafe(12), self._clock()
        written = ranked.by_chance and self._write(name, ranked)
        given = _Given(ranked, tuple(items), now + REMEMBERED_SECONDS, written)
        with self._lock:
            self._given[name] = given
            while len(self._given) > MOST or next(iter(self._given.values())).until < now:
                self._given.popitem(last=False)
        return name

    def opinion(self, name: str) -> Opinion | None:
        """What was said of an answer; None where it is not known (any more)."""
        given = self._given.get(name)
        return given.opinion if given and given.until >= self._clock() else None

    def judge(self, name: object, verdict: object, item_id: object = None, by: str = "") -> bool:
        """Write down a verdict on an answer, or on one of its items; the same again is nothing new.

        Args:
            name: of the answer.
            verdict: as `Verdict` has it.
            item_id: of the item that is meant; None for all of the answer.
            by: what tells who says it from others; empty for a program, each of whose counts.

        Returns:
            Whether it counts, which it does not of a visitor who judged enough answers today.

        Raises:
            FeedbackError: there is no such answer (any more), item or verdict.
        """
        said = next((known for known in OF_ANSWER if known == verdict), None)
        if said is None:
            raise FeedbackError(NO_VERDICT)
        with self._lock:
            given = self._given.get(name) if isinstance(name, str) else None
            if not isinstance(name, str) or given is None or given.until < self._clock():
                raise FeedbackError(UNKNOWN_ANSWER)
            meant = sent_id(item_id)
            if item_id is not None and (meant is None or meant not in given.items):
                raise FeedbackError(NOT_AMONG)
            if given.opinion.of(meant) == said:
                return given.counts is not False
            if given.counts is None:
                given.counts = self._hears(by)
            opinion = given.opinion.saying(said, meant)
            if not given.counts:
                given.opinion = opinion
                return False
            if not given.written:
                given.written = self._write(name, given.ranked)
            self._say(name, said, meant)
            self._learn(given, opinion)
            return True

    def _hears(self, by: str) -> bool:
        """Whether another answer that somebody judges counts; then it is one more."""
        if not by:
            return True
        if self._clock() - self._since > _DAY_SECONDS:
            self._heard.clear()
            self._since = self._clock()
        count = self._heard.pop(by, 0)
        self._heard[by] = min(count + 1, MOST_OF_ONE)
        if len(self._heard) > MOST:
            self._heard.popitem(last=False)
        return count < MOST_OF_ONE

    def _write(self, name: str, ranked: Ranked) -> bool:
        return self._events.write(ANSWER, answer=name, **vars(ranked))

    def _say(self, name: str, verdict: Verdict, item_id: Id | None) -> None:
        if item_id is None:
            self._events.write(OF_ANSWER[verdict], answer=name)
        else:
            self._events.write(OF_ITEM[verdict], item=item_id, answer=name)

    def _learn(self, given: _Given, opinion: Opinion) -> None:
        """What it is worth now, in place of what it was worth."""
        before, given.opinion = given.opinion.worth, opinion
        if self._bandit is not None:
            if before is not None:
                self._bandit.learn(given.ranked, before, -1)
            if opinion.worth is not None:
                self._bandit.learn(given.ranked, opinion.worth)
