"""What is more or less frequent here than there: ratios of shares, with intervals."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from recommender.charts.chart import (
    Chart,
    axis_of,
    empty_chart,
    escaped,
    missing_of,
    plural,
    several,
    share_text,
    spec_of,
    tally,
    why_nothing,
)
from recommender.charts.palette import ACCENT, COOL, PALE
from recommender.charts.statistics import share_ratio, verdicts, wilson_interval
from recommender.schema import LABELS, noun_of, title_of
from recommender.trends.years import year_note

_MOST_EACH_WAY = 8
_PERIOD_COLUMNS = ("before", "after", "before_share", "after_share", "lift", "low", "high", "trend")
_NEW = "new"
TRENDS, _REPRESENTED = ("rises", "falls"), ("over-represented", "under-represented")
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_FAR_TICKS = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4)
_MOST_TICKS = 5


class Period(NamedTuple):
    """The years from the first to the last, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}–{self.last}"


def usual_periods(frame: pd.DataFrame) -> tuple[Period, Period] | None:
    """The years cut in two where the halves are most equal in items; None with less than two."""
    counts = frame["year"].value_counts().sort_index()
    if len(counts) < 2:
        return None
    years = [int(year) for year in counts.index]
    before = counts.cumsum().iloc[:-1].to_numpy(dtype=float)
    cut = int(np.argmax(np.minimum(before, counts.sum() - before)))
    return Period(years[0], years[cut]), Period(years[cut + 1], years[-1])


def periods_of(
    frame: pd.DataFrame,
    columns: Sequence[str],
    missing: int,
    before: Period | None,
    after: Period | None,
) -> tuple[Period, Period] | str:
    """The periods to compare, or why there is nothing to.

    Args:
        frame: a catalog's columns, one row an item.
        columns: those that are needed.
        missing: how many items lack one of them.
        before: the earlier period; both or none are given, see `usual_periods`.
        after: the later one.
    """
    periods = (before, after) if before and after else usual_periods(frame)
    if why := why_nothing(frame, columns, missing):
        return why
    if periods is None:
        return "all items are of one year"
    earlier, later = periods
    if earlier.first <= later.last and later.first <= earlier.last:
        return "the two periods share a year"
    return periods


def against(periods: Sequence[Period], totals: Sequence[int]) -> str:
    """How many items of which periods are compared."""
    earlier, later = periods
    return f"{several(totals[0])} of {earlier} against {totals[1]:,} of {later}"


def by_chance(count: int) -> str:
    """How many of those that are compared seem to change though nothing does.

    >>> by_chance(100)
    'Of 100 compared, some 5 would seem to change by chance alone.'
    """
    some = max(1, round(count * 0.05))
    return f"Of {count:,} compared, some {some:,} would seem to change by chance alone."


def period_changes(
    frame: pd.DataFrame, column: str, before: Period | None = None, after: Period | None = None
) -> Chart:
    """Which values' shares rise and fall most from one period to another.

    The table has every value with its items and share in both periods, `lift`, which is the
    quotient of the shares, its 95% interval, and `trend`: rises, falls, or cannot say where the
    interval holds 1. What had no item before is new and not so many times as frequent: it has no
    lift, and of its interval the lower end alone.

    Args:
        frame: a catalog's columns, one row an item.
        column: words: of `NOUNS`, or of a catalog's own.
        before: the earlier period; both or none are given, see `usual_periods`.
        after: the later one.
    """
    title = f"{plural(title_of(column))}: rising and falling"
    columns = [column, "year"]
    missing = missing_of(frame, columns)

    def nothing(why: str) -> Chart:
        table = pd.DataFrame(columns=[column, *_PERIOD_COLUMNS])
        return empty_chart(title, table, why, missing=missing)

    periods = periods_of(frame, columns, missing, before, after)
    if isinstance(periods, str):
        return nothing(periods)
    present = frame[columns].dropna()
    tallies = [tally(present[present["year"].between(*period)], column) for period in periods]
    totals = [int(table["items"].sum()) for table in tallies]
    for period, total in zip(periods, totals, strict=True):
        if not total:
            return nothing(f"no item of {period} has a {noun_of(column)}")
    first, second = (table.set_index(column)["items"] for table in tallies)
    values = first.index.union(second.index, sort=True)
    old, new = (items.reindex(values, fill_value=0).to_numpy() for items in (first, second))
    lift, low, high = share_ratio(new, totals[1], old, totals[0])
    shares, trend = (old / totals[0], new / totals[1]), verdicts(low, high, *TRENDS)
    fresh = old == 0
    lift, high = (np.where(fresh, np.nan, numbers) for numbers in (lift, high))
    trend = [_NEW if f and t == TRENDS[0] else t for f, t in zip(fresh, trend, strict=True)]
    numbers = zip(_PERIOD_COLUMNS, (old, new, *shares, lift, low, high, trend), strict=True)
    table = pd.DataFrame({column: values.astype(object), **dict(numbers)})
    note = f"{by_chance(len(table))} {year_note(frame)}"
    texts = [f"{share_text(a)} → {share_text(b)}" for a, b in zip(*shares, strict=True)]
    return lift_chart(
        table.assign(shares=texts, name=table[column]),
        {"title": title, "counts": against(periods, totals), "note": note, "missing": missing},
        f"share in {periods[1]} ÷ share in {periods[0]}",
        TRENDS,
    )


def results_against(results: pd.DataFrame, frame: pd.DataFrame) -> Chart:
    """Which attributes are more or less frequent among results than in the whole catalog.

    The catalog's share is known; the results' share has a 95% interval, and so has their quotient,
    the lift. The table has every value of the results and of the catalog.

    Args:
        results: the results' rows, with a catalog's columns.
        frame: the catalog's.
    """
    title = "Your results against the catalog"
    parts = [_against(results, frame, column) for column in LABELS]
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    if results.empty:
        why = "there are no results yet: search for something in Find similar first"
        return empty_chart(title, table, why)
    if table.empty:
        return empty_chart(title, table, "none of the results has an attribute")
    names = [f"{v} ({noun_of(c)})" for v, c in zip(table["value"], table["attribute"], strict=True)]
    shares = [
        f"{share_text(a)} of the results, {share_text(b)} of the catalog"
        for a, b in zip(table["results_share"], table["catalog_share"], strict=True)
    ]
    missing = missing_of(results, LABELS)
    counts = f"{several(len(results), 'result')} against {several(len(frame))}"
    few = len(results) < 30
    note = "Few results give wide intervals: ask for more to see more." if few else ""
    return lift_chart(
        table.assign(shares=shares, name=names),
        {"title": title, "counts": counts, "note": note, "missing": missing},
        "share of the results ÷ share of the catalog",
        _REPRESENTED,
    )


def _against(results: pd.DataFrame, frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The results' shares of one attribute beside the catalog's."""
    catalog = tally(frame, column).set_index(column)["items"]
    catalog_share = (catalog / max(int(catalog.sum()), 1)).to_numpy(dtype=float)
    items = tally(results, column).set_index(column)["items"].reindex(catalog.index, fill_value=0)
    counts, total = items.to_numpy(), max(int(items.sum()), 1)
    low, high = wilson_interval(counts, total)
    if not counts.any():  # no result has the attribute: nothing is known of its share
        low, high = np.zeros_like(low), np.ones_like(high)
    low, high = low / catalog_share, high / catalog_share
    return pd.DataFrame(
        {
            "attribute": column,
            "value": catalog.index.astype(object),
            "results": counts,
            "catalog": catalog.to_numpy(),
            "results_share": counts / total,
            "catalog_share": catalog_share,
            "lift": counts / total / catalog_share,
            "low": low,
            "high": high,
            "represented": verdicts(low, high, *_REPRESENTED),
        }
    )


def lift_chart(
    table: pd.DataFrame, texts: dict[str, Any], axis: str, verdict: Sequence[str]
) -> Chart:
    """Points with intervals on a log axis: only those of which something can be said.

    Args:
        table: `name` and `shares` for the figure; `lift`, `low`, `high`, and a column of verdicts.
        texts: the chart's title, counts, note and missing.
        axis: what the lift is.
        verdict: what is said of a lift above 1, and of one below.
    """
    shown = table.drop(columns=["name", "shares"])
    said = shown.iloc[:, -1]
    up, down = table[said.isin([verdict[0], _NEW])], table[said == verdict[1]]
    # By the end of the interval that is nearer to 1: what is at least so.
    up = up.sort_values("low", ascending=False, kind="stable").head(_MOST_EACH_WAY)
    down = down.sort_values("high", kind="stable").head(_MOST_EACH_WAY)
    if up.empty and down.empty:
        why = "no difference is larger than chance: every interval holds 1"
        empty = empty_chart(texts["title"], shown, why)
        return Chart(**texts, table=shown, spec=empty.spec, nothing=empty.nothing)
    traces, least = [], _least_drawn(up, down)
    looks = ((up, ACCENT, "triangle-right"), (down[::-1], COOL, "triangle-left"))
    for name, (rows, colour, symbol) in zip(verdict, looks, strict=True):
        if rows.empty:
            continue
        # What is new is at least so much more frequent; 0 has no place on a log axis.
        middles = rows["lift"].fillna(rows["low"]).clip(lower=least)
        lows = rows["low"].clip(lower=least).clip(upper=middles)
        highs = rows["high"].fillna(middles)
        ends = {"array": (highs - middles).tolist(), "arrayminus": (middles - lows).tolist()}
        look = {"color": colour, "thickness": 1.5, "width": 3}
        hover = [
            f"new, at least {low:.2f}×<br>{shares}"
            if pd.isna(lift)
            else f"{lift:.2f}×, 95% interval {low:.2f} to {high:.2f}<br>{shares}"
            for lift, low, high, shares in zip(
                rows["lift"], rows["low"], rows["high"], rows["shares"], strict=True
            )
        ]
        names = [
            f"{n} (new)" if pd.isna(x) else n
            for n, x in zip(rows["name"], rows["lift"], strict=True)
        ]
        traces.append(
            {
                "type": "scatter",
                "x": middles.tolist(),
                "y": escaped(names),
                "name": name,
                "mode": "markers",
                "marker": {"color": colour, "size": 10, "symbol": symbol},
                "error_x": {"type": "data", "symmetric": False, **ends, **look},
                "customdata": hover,
                "hovertemplate": "%{y}: %{customdata}",
            }
        )
    line = {"type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper"}
    line["line"] = {"color": PALE, "width": 1, "dash": "dot"}
    drawn = pd.concat([up, down])
    most = drawn["high"].fillna(drawn["low"]).max()
    limits = np.log10([least / 1.3, most * 1.3])
    # Three a decade as long as a phone has room for them.
    near = np.ptp(limits) < 2.2
    ticks = [t for t in (_TICKS if near else _FAR_TICKS) if limits[0] <= np.log10(t) <= limits[1]]
    if not near and len(ticks) > _MOST_TICKS:
        ticks = [t for t in ticks if round(np.log10(t)) % 2 == 0]
    named = {"tickvals": ticks, "ticktext": [f"{t:,g}×" for t in ticks], "tickangle": 0}
    words = axis.replace(" ÷", "<br>÷")  # one line is too long for a phone
    across = axis_of(words, type="log", range=limits.tolist(), **named)
    layout = {
        "xaxis": across,
        "yaxis": {"autorange": "reversed"},
        "legend": {"y": 1.0, "yref": "paper", "yanchor": "bottom"},
        "margin": {"t": 92},
        "shapes": [line],
    }
    height = 170 + 24 * max(len(up) + len(down), 5)
    spec = spec_of((traces, layout), texts["title"], texts["counts"], height=height)
    return Chart(**texts, table=shown, spec=spec)


def _least_drawn(up: pd.DataFrame, down: pd.DataFrame) -> float:
    """Where the axis begins: at an interval's end, but not far below the lifts themselves."""
    if down.empty:
        return 1.0
    lows = down["low"].where(down["low"] > 0, down["high"] / 30)
    return float(max(lows.min(), down["high"].min() / 100, 1e-4))
