"""What visitors say of answers: which can be judged, and the rankings that are learnt from that."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from recommender.encoding.agreement import Beliefs
from recommender.errors import FeedbackError
from recommender.feedback.answers import MOST_OF_ONE, Answers
from recommender.feedback.bandit import Bandit
from recommender.feedback.events import EventLog
from recommender.feedback.judged import Ranked, Verdict, read_feedback
from recommender.schema import TYPE, Id
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.search.said import Said
from recommender.service.sentences import ENOUGH, NO_FEEDBACK, TAKEN_BACK, THANKS
from recommender.service.worded import SCHEMA_VERSION, Json

RANKINGS: dict[str, Mapping[str, Any]] = {
    "hybrid": {"ranking": "hybrid"},
    "image": {"ranking": "image"},
    "diverse": {"diversity": 0.5},
    "colour": {"colour": 0.5},
}
"""What can be chosen -> the options that make it; the first that a catalog has is the usual."""
OWN = "own"
"""What ranks in an order, or with a diversity or colour, that somebody asked for."""


class FeedbackDesk:
    """Gives answers their ids and takes what is said of them; does nothing where no log is kept."""

    def __init__(self, events: EventLog | None, *, learns: bool = False) -> None:
        """Args:
        events: where it is written down.
        learns: whether rankings are chosen by what was said of answers, that of the log first.
        """
        self._events = events
        self._answers: Answers | None = None
        if events is not None:
            bandit = Bandit(read_feedback(events.files()).judged) if learns else None
            self._answers = Answers(events, bandit)

    def choose(
        self, recommender: Recommender, options: Options, kind: str
    ) -> tuple[Options, Ranked]:
        """How to search, where who asks leaves that open.

        Args:
            recommender: that is asked.
            options: what was asked for.
            kind: which type of thing is sought; empty where nobody knows.
        """
        ranked = self.as_asked(recommender, options, kind)
        is_open = options.ranking == "auto" and ranked.ranking != OWN
        if self._answers is None or not is_open:
            return options, ranked
        ranked = self._answers.choose(ranked.context, _rankings(recommender))
        return (
            replace(options, **RANKINGS[ranked.ranking]) if ranked.by_chance else options
        ), ranked

    def as_asked(self, recommender: Recommender, options: Options, kind: str) -> Ranked:
        """How an answer is ranked where nobody chooses for who asks; see `choose`."""
        usual = _rankings(recommender)[0]
        ranking = usual if options.ranking == "auto" else options.ranking
        ranking = OWN if options.diversity or options.colour or options.sort else ranking
        # What corrects the type is checked by the search.
        said = options.corrected.get(TYPE) if isinstance(options.corrected, Mapping) else None
        kind = said if isinstance(said, str) else kind
        return Ranked(context=kind, ranking=ranking, propensities={ranking: 1.0})

    def give(self, answer: Json, ranked: Ranked) -> Json:
        """The answer with an id, by which it can be judged for an hour."""
        if self._answers is None:
            return answer
        results = answer["results"]
        items = [one for each in results for one in (each["id"], *each.get("variants", ()))]
        return answer | {"answer_id": self._answers.give(ranked, items)}

    def judge(
        self, answer_id: object, verdict: object, item_id: object = None, by: str = ""
    ) -> Json:
        """Take a verdict on an answer, or on one of its items; see `Answers.judge`.

        Raises:
            FeedbackError: nothing is recorded here, or there is no such answer, item or verdict.
        """
        if self._answers is None:
            raise FeedbackError(NO_FEEDBACK)
        counts = self._answers.judge(answer_id, verdict, item_id, by)
        said = TAKEN_BACK if verdict == "none" else THANKS
        message = said if counts else f"{said} {ENOUGH.format(most=MOST_OF_ONE)}"
        return {"schema_version": SCHEMA_VERSION, "message": message}

    def opinion(self, answer_id: str, verdict: Verdict, item_id: Id, by: str = "") -> None:
        """What hearts and crosses say; a heart counts in the trends without an answer, too."""
        try:
            self.judge(answer_id, verdict, item_id, by)
        except FeedbackError:
            if self._events is not None and verdict == "up":
                self._events.record("like", item_id)

    def thumb(self, answer_id: str) -> Verdict | None:
        """What was said of an answer; None where nothing can be."""
        opinion = self._answers.opinion(answer_id) if self._answers else None
        return opinion.thumb if opinion else None


def kind_shown(recommender: Recommender, beliefs: Beliefs) -> str:
    """Of which type a picture seems to show something; empty where nobody knows."""
    if TYPE not in beliefs:
        return ""
    return recommender.encoder.labels[TYPE][int(beliefs[TYPE][0].argmax())]


def kind_said(said: Said) -> str:
    """Which type words state; empty where that is none, or several."""
    stated = [one.values for one in said.statements if one.column == TYPE]
    return str(stated[0][0]) if stated and len(stated[0]) == 1 else ""


def _rankings(recommender: Recommender) -> list[str]:
    """Those that a catalog has, the usual one first."""
    there = {"diverse", *recommender.rankings}
    there |= {"colour"} if recommender.nudges.sees_colours else set()
    return [name for name in RANKINGS if name in there]
