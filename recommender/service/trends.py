"""A question of the catalog -> its charts, for the trends tab, its downloads and `/trends`."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import pandas as pd

from recommender.charts.chart import PLACE, Chart, narrowed, prepared
from recommender.errors import QueryError
from recommender.feedback.events import KINDS, NO_EVENTS, WINDOWS, EventLog, count_events
from recommender.schema import ATTRIBUTES, NOUNS, Id, sent_id, whole
from recommender.search.recommender import Recommender
from recommender.service.kept import Kept
from recommender.service.metrics import counted
from recommender.service.sentences import filters_said
from recommender.trends.demand import looked_for
from recommender.trends.lifts import Period, results_against, usual_periods
from recommender.trends.own import OWN, countable, draw_own
from recommender.trends.sections import COMPARISONS, MAP, NAMES, Periods, draw

_DAY_SECONDS = 86_400

RESULTS = "results"
DEMAND = {f"{kind}_counts": kind for kind in KINDS}
"""A chart of the event log -> the kind of event that it counts."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of the catalog: which items, which periods, beside which results."""

    filters: Mapping[str, Any] = field(default_factory=dict)
    periods: Periods = field(default_factory=Periods)
    results: tuple[Id, ...] = ()
    attribute: str = "baseColour"
    own: str = ""

    @classmethod
    def of(
        cls,
        filters: Any = None,
        before: Any = None,
        after: Any = None,
        results: Any = (),
        attribute: Any = "baseColour",
        own: Any = "",
    ) -> "Question":
        """Check what came from outside.

        Args:
            filters: column -> allowed values; checked when it is asked.
            before: `{"min": year, "max": year}`, the earlier period; both periods or none.
            after: the later one.
            results: ids of items that a search found.
            attribute: the column by which events are counted, and that colours the map.
            own: the column of the catalog's own that is counted; checked when it is asked.

        Raises:
            QueryError: one of them has another form.
        """
        if bool(before) != bool(after):
            raise QueryError("Give both periods, before and after, or neither.")
        sent = results if isinstance(results, list | tuple) else (None,)
        ids = tuple(item_id for item_id in map(sent_id, sent) if item_id is not None)
        if len(ids) < len(sent):
            raise QueryError("results is a list of items' ids.")
        if attribute not in ATTRIBUTES:
            raise QueryError(f"attribute is one of {', '.join(ATTRIBUTES)}.")
        if not isinstance(own, str):
            raise QueryError("own is the name of a column.")
        periods = Periods(before=_period(before), after=_period(after))
        return cls(
            filters=filters or {}, periods=periods, results=ids, attribute=attribute, own=own
        )


class Trends:
    """A catalog's charts. Those of the whole catalog are drawn once, when first asked for; tables
    are kept for who asks for them again.
    """

    def __init__(self, recommender: Recommender, events: EventLog | None = None) -> None:
        """Nothing is drawn here.

        Args:
            recommender: whose catalog it is.
            events: what was looked for; None where that is not recorded.
        """
        self.recommender = recommender
        self.events = events
        self._kept = Kept()

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The catalog's columns and the items' places, ready to be counted."""
        frame, places = self.recommender.frame, self.recommender.places
        if places is not None:
            frame = frame.assign(**dict(zip(PLACE, places.T, strict=True)))
        return prepared(frame)

    @cached_property
    def own_columns(self) -> list[str]:
        """The columns of the catalog's own that can be counted: its prices first, then makers."""
        return countable(self.recommender.columns)

    @cached_property
    def usual_periods(self) -> tuple[Period, Period] | None:
        """What rises and falls is told of these where nothing else is asked."""
        return usual_periods(self.recommender.frame)

    @cached_property
    def _whole(self) -> Callable[[str, str], Chart]:
        """A chart of the whole catalog by its name and what colours the map."""
        items = self.frame

        @lru_cache(maxsize=len(NAMES) + len(ATTRIBUTES))
        def chart(name: str, attribute: str) -> Chart:
            return draw(items, [name], Periods(), attribute)[name]

        return chart

    def items(self, question: Question) -> pd.DataFrame:
        """The items that pass the question's filters.

        Raises:
            QueryError: a filter cannot be.
        """
        mask = self.recommender.filters.mask(question.filters)
        return self.frame if mask is None else self.frame[mask]

    def charts(self, names: Iterable[str], question: Question) -> dict[str, Chart]:
        """Charts of the items that pass the filters, by name.

        Args:
            names: of `NAMES`, `OWN`, `RESULTS` or `DEMAND`.
            question: see `Question`.

        Raises:
            QueryError: a filter cannot be.
        """
        items = self.items(question)
        of_all = items is self.frame
        periods = question.periods
        usual = (periods.before, periods.after) in ((None, None), self.usual_periods)
        charts: dict[str, Chart] = {}
        for name in names:
            if name == RESULTS:
                found = items[items["id"].isin(question.results)]
                charts[name] = results_against(found, items)
            elif name in OWN:
                charts[name] = self._of_own(items, name, question)
            elif name in DEMAND:
                charts[name] = self._demand(items, question, DEMAND[name])
            elif of_all and (usual or name not in COMPARISONS):
                charts[name] = self._whole(name, question.attribute if name == MAP else "")
            else:
                charts |= draw(items, [name], periods, question.attribute)
        if question.filters:
            only = filters_said(question.filters)
            charts = {name: narrowed(chart, only) for name, chart in charts.items()}
        return charts

    @counted
    def tables(self, names: Any, question: Question) -> dict[str, Any]:
        """`/trends`: the tables of charts as JSON.

        Args:
            names: of `NAMES` or `OWN`, or empty for all but the map, which has a row an item.
            question: see `Question`.

        Raises:
            QueryError: a name or a filter cannot be.
        """
        known = (*NAMES, *(OWN if self.own_columns else ()))
        # A table is looked up and drawn once, however often it is named.
        try:
            named = list(dict.fromkeys(names)) if isinstance(names, list | tuple) else [""]
        except TypeError:  # a list within
            named = [""]
        if not all(isinstance(name, str) and name in known for name in named):
            raise QueryError(f"tables is a list of {', '.join(known)}.")
        wanted = named or [name for name in known if name != MAP]
        passing = self.recommender.filters.mask(question.filters)
        asked = wanted, question.filters, question.attribute, question.own
        periods = question.periods.before, question.periods.after

        def answer() -> dict[str, Any]:
            charts = self.charts(wanted, question).items()
            items = self.frame[[*NOUNS]] if passing is None else self.frame.loc[passing, [*NOUNS]]
            return {
                "schema_version": 1,
                "items": len(items),
                "missing": {name: int(items[name].isna().sum()) for name in NOUNS},
                "tables": {name: records_of(chart.table) for name, chart in charts},
                "notes": {name: note for name, c in charts if (note := c.nothing or c.note)},
            }

        return self._kept.answer((*asked, *periods), answer)

    def _of_own(self, items: pd.DataFrame, name: str, question: Question) -> Chart:
        columns = self.own_columns
        if question.own and question.own not in columns:
            there = f"one of {', '.join(columns)}" if columns else "empty, as the catalog has none"
            raise QueryError(f"own is {there}.")
        column = question.own or next(iter(columns), "")
        return draw_own(items, name, column, question.periods.before, question.periods.after)

    def _demand(self, items: pd.DataFrame, question: Question, kind: str) -> Chart:
        now = time.time()
        since = now - max(WINDOWS.values()) * _DAY_SECONDS
        events = NO_EVENTS if self.events is None else self.events.read(since)
        counts = count_events(events, items, question.attribute, now)
        return looked_for(counts, question.attribute, kind, KINDS[kind], list(WINDOWS))


def records_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A table's rows as JSON holds them: missing numbers are null."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=15))
    return rows


def _period(value: Any) -> Period | None:
    if not value:
        return None
    ends = value if isinstance(value, Mapping) else {}
    first, last = whole(ends.get("min")), whole(ends.get("max"))
    if len(ends) != 2 or first is None or last is None:
        raise QueryError('A period is given by two years, such as {"min": 2010, "max": 2011}.')
    if first > last:
        raise QueryError("A period's first year is not after its last.")
    return Period(first, last)
