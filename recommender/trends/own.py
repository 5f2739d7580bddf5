"""A catalog's own columns: what makers, prices, patterns and the like it has, by type and year.

Words are counted as the usual columns' are; numbers have a distribution, and medians with their
95% bootstrap intervals. Prices of several currencies are never mixed.
"""

from collections.abc import Iterable
from functools import partial

import numpy as np
import pandas as pd

from recommender.charts.chart import (
    Chart,
    Drawing,
    Spec,
    axis_of,
    bars_of,
    chart_of,
    empty_chart,
    escaped,
    missing_of,
    plural,
    several,
    share_text,
)
from recommender.charts.palette import ACCENT, COOL
from recommender.charts.statistics import (
    Numbers,
    bootstrap_medians,
    median_interval,
    verdicts,
)
from recommender.schema import COLUMNS, CURRENCY, PRICE, Column, is_price, noun_of, title_of
from recommender.trends.composition import bars
from recommender.trends.lifts import (
    TRENDS,
    Period,
    against,
    by_chance,
    lift_chart,
    period_changes,
    periods_of,
)
from recommender.trends.pairs import heat
from recommender.trends.years import FEW_ITEMS, share_by_year, year_note

OWN = ("own_values", "own_by_type", "own_by_year", "own_changes")
"""Charts of one of a catalog's own columns."""

_COUNTED = ("choice", "yes_no", "number")

_LEAST_ITEMS = 10
"""Of fewer, a bootstrap interval of a median is narrower than it should be."""
_TYPES, _BARS = 20, 24
_MEDIANS = ("items", "median", "low", "high")
_CHANGES = ("before", "after", "before_median", "after_median", "lift", "low", "high", "trend")


def countable(columns: Iterable[Column]) -> list[str]:
    """The columns of a catalog's own that have charts: its prices first, then its makers.

    Args:
        columns: of the catalog.
    """
    there = [
        column.name
        for column in columns
        if column.name not in (*COLUMNS, CURRENCY) and column.kind in _COUNTED
    ]
    return sorted(there, key=lambda name: (name != PRICE, name != "brand"))


def draw_own(
    frame: pd.DataFrame,
    name: str,
    column: str,
    before: Period | None = None,
    after: Period | None = None,
) -> Chart:
    """A chart of one of a catalog's own columns.

    Args:
        frame: the items to count, best as `prepared` gives them.
        name: of `OWN`.
        column: choices, yes and no, or numbers; empty where the catalog has none.
        before: what `own_changes` compares; both or none are given, see `usual_periods`.
        after: the later one.
    """
    if not column:
        return empty_chart("Columns of its own", frame[[]], "the catalog has none to be counted")
    if pd.api.types.is_bool_dtype(frame[column].dtype):
        words = frame[column].map({True: "yes", False: "no"}, na_action="ignore")
        frame = frame.assign(**{column: words.astype(object).where(words.notna(), None)})
    title = title_of(column)
    if not pd.api.types.is_numeric_dtype(frame[column].dtype):
        draw = {
            "own_values": partial(bars, column=column, title=f"Items by {noun_of(column)}"),
            "own_by_type": partial(
                heat,
                down="articleType",
                across=column,
                within="articleType",
                title=f"{plural(title)} of article types",
            ),
            "own_by_year": partial(share_by_year, column=column, title=f"{title}, shares by year"),
            "own_changes": partial(period_changes, column=column, before=before, after=after),
        }
    else:
        frame, currency = _in_one_currency(frame, column)
        draw = {
            "own_values": partial(spread, column=column, unit=currency),
            "own_by_type": partial(medians, column=column, by="articleType", unit=currency),
            "own_by_year": partial(medians, column=column, by="year", unit=currency),
            "own_changes": partial(
                median_changes, column=column, unit=currency, before=before, after=after
            ),
        }
    return draw[name](frame)


def _in_one_currency(frame: pd.DataFrame, column: str) -> tuple[pd.DataFrame, str]:
    """The items whose price is in the most frequent currency, and which that is.

    Of a column that is no price, all items, and no currency.
    """
    if CURRENCY not in frame or not is_price(column):
        return frame, ""
    counts = frame.loc[frame[column].notna(), CURRENCY].value_counts()
    if counts.empty:
        return frame, ""
    usual = str(counts.index[0])
    return (frame if len(counts) == 1 else frame[frame[CURRENCY] == usual]), usual


def spread(frame: pd.DataFrame, column: str, unit: str = "") -> Chart:
    """How many items have which numbers, in steps of one width; the last takes all that is above.

    Args:
        frame: a catalog's columns, one row an item. The same holds for every chart here.
        column: of numbers.
        unit: in which they are, or empty.
    """
    values = frame[column].dropna().to_numpy(dtype=float)
    edges = _edges(values)
    items = np.histogram(np.minimum(values, edges[-1]), edges)[0] if len(values) else np.zeros(0)
    ends = edges[1:].tolist()
    if len(values) and values.max() > edges[-1]:
        ends[-1] = float(values.max())
    table = pd.DataFrame({"from": edges[:-1], "to": ends, "items": items.astype("int64")})
    table["share"] = table["items"] / max(len(values), 1)

    def draw() -> Drawing:
        names = [f"{low:,g} to {high:,g}" for low, high in zip(table["from"], ends, strict=True)]
        texts = [
            f"{name}: {several(count)}, {share_text(share)}"
            for name, count, share in zip(names, table["items"], table["share"], strict=True)
        ]
        middles, width = (edges[:-1] + edges[1:]) / 2, float(edges[1] - edges[0])
        look = {"customdata": texts, "width": width}
        fill = bars_of(middles, table["items"], ACCENT, "%{customdata}<extra></extra>", **look)
        return [fill], {"xaxis": axis_of(_axis(column, unit)), "yaxis": axis_of("items")}

    note = ""
    if len(values):
        middle, low, high = median_interval(values)
        note = f"Half of the items are at most {middle:,g} (95% interval {low:,g} to {high:,g})."
        if values.max() > edges[-1]:
            note += f" The last bar takes all from {edges[-2]:,g} on."
    return chart_of(frame, [column], f"Items by {noun_of(column)}", table, draw, note=note)


def medians(frame: pd.DataFrame, column: str, by: str, unit: str = "") -> Chart:
    """The median number of each type's, or year's, items, with its 95% bootstrap interval.

    The table has each type or year; the figure those of `_LEAST_ITEMS` items and more.

    Args:
        frame: see `spread`.
        column: of numbers.
        by: `articleType` or `year`.
        unit: see `spread`.
    """
    present = frame[[by, column]].dropna()
    groups = present.groupby(by, observed=True)[column]
    rows = [(key, len(of), *median_interval(of.to_numpy(dtype=float))) for key, of in groups]
    table = pd.DataFrame(rows, columns=[by, *_MEDIANS])
    if by != "year":
        order = ["items", by]
        table = table.sort_values(order, ascending=[False, True], ignore_index=True)
    shown = table[table["items"] >= _LEAST_ITEMS]
    title = f"Median {noun_of(column)} by {'year' if by == 'year' else 'type'}"
    if len(table) and shown.empty:
        why = f"no {noun_of(by)} has {_LEAST_ITEMS} items with a {noun_of(column)}"
        return empty_chart(title, table, why, missing=missing_of(frame, [by, column]))

    def draw() -> Drawing:
        if by == "year":
            return [_points(shown, by, upright=True)], {
                "xaxis": axis_of("year of listing", tickformat="d", showgrid=False),
                "yaxis": axis_of(_axis(column, unit), rangemode="tozero"),
            }
        top = shown.head(_TYPES).sort_values("median", kind="stable")
        return [_points(top, by, upright=False)], {
            "xaxis": axis_of(_axis(column, unit), rangemode="tozero"),
            "yaxis": axis_of(noun_of(by), showgrid=False),
        }

    note = (
        f"Whiskers are 95% bootstrap intervals; hollow points are of fewer than {FEW_ITEMS} items, "
        f"those of fewer than {_LEAST_ITEMS} are left out."
    )
    if by == "year":
        note += f" {year_note(frame)}"
    elif len(shown) > _TYPES:
        note += f" The {_TYPES} types of most items are drawn."
    return chart_of(frame, [by, column], title, table, draw, note=note, height=520)


def median_changes(
    frame: pd.DataFrame,
    column: str,
    unit: str = "",
    before: Period | None = None,
    after: Period | None = None,
) -> Chart:
    """Of which types the median rises or falls from one period to another.

    The table has every type that both have, with `lift`, the quotient of the medians, its 95%
    bootstrap interval, and `trend`: rises, falls, or cannot say where the interval holds 1 or a
    period has too few items.

    Args:
        frame: see `spread`.
        column: of numbers.
        unit: see `spread`.
        before: the earlier period; both or none are given, see `usual_periods`.
        after: the later one.
    """
    title = f"{plural(title_of(column))}: rising and falling"
    columns = ["articleType", "year", column]
    missing = missing_of(frame, columns)

    def nothing(why: str) -> Chart:
        empty = pd.DataFrame(columns=["articleType", *_CHANGES])
        return empty_chart(title, empty, why, missing=missing)

    periods = periods_of(frame, columns, missing, before, after)
    if isinstance(periods, str):
        return nothing(periods)
    present = frame[columns].dropna()
    parts = [
        {
            str(key): of.to_numpy(dtype=float)
            for key, of in present[present["year"].between(*period)].groupby(
                "articleType", observed=True
            )[column]
        }
        for period in periods
    ]
    types = sorted(parts[0].keys() & parts[1].keys())
    if not types:
        return nothing("no type has items of both periods")
    rows = [(key, *_change(parts[0][key], parts[1][key])) for key in types]
    table = pd.DataFrame(rows, columns=["articleType", *_CHANGES[:-1]])
    table["trend"] = verdicts(table["low"].to_numpy(), table["high"].to_numpy(), *TRENDS)
    told = int(table["low"].notna().sum())
    note = (
        f"{by_chance(told)} Types of fewer than {_LEAST_ITEMS} items in a period are not told of. "
        f"{year_note(frame)}"
    )
    pairs = zip(table["before_median"], table["after_median"], strict=True)
    texts = [f"{a:,g} → {b:,g}{unit and f' {unit}'}" for a, b in pairs]
    totals = [sum(map(len, part.values())) for part in parts]
    return lift_chart(
        table.assign(shares=texts, name=table["articleType"]),
        {"title": title, "counts": against(periods, totals), "note": note, "missing": missing},
        f"median in {periods[1]} ÷ median in {periods[0]}",
        TRENDS,
    )


def _change(old: Numbers, new: Numbers) -> tuple[int, int, float, float, float, float, float]:
    """Items and medians of both periods, the medians' quotient and its interval."""
    sizes, middles = (len(old), len(new)), (float(np.median(old)), float(np.median(new)))
    if min(sizes) < _LEAST_ITEMS or not middles[0] > 0:
        return (*sizes, *middles, np.nan, np.nan, np.nan)
    draws = bootstrap_medians(new, seed=1) / np.maximum(bootstrap_medians(old), 1e-12)
    low, high = np.quantile(draws, [0.025, 0.975])
    return (*sizes, *middles, middles[1] / middles[0], float(low), float(high))


def _points(rows: pd.DataFrame, by: str, *, upright: bool) -> Spec:
    """Medians with their intervals: up a year's axis, or along a list of names."""
    over, under = rows["high"] - rows["median"], rows["median"] - rows["low"]
    look = {"color": COOL, "thickness": 1.5, "width": 3}
    error = {"type": "data", "symmetric": False, "array": over.tolist()}
    error |= {"arrayminus": under.tolist(), **look}
    names = rows[by].tolist() if upright else escaped(rows[by])
    numbers = zip(rows["median"], rows["low"], rows["high"], rows["items"], strict=True)
    texts = [
        f"{middle:,g}, 95% interval {low:,g} to {high:,g}, {several(count)}"
        for middle, low, high, count in numbers
    ]
    hollow = np.where(rows["items"] < FEW_ITEMS, "-open", "")
    points = {
        "type": "scatter",
        "mode": "lines+markers" if upright else "markers",
        "marker": {"color": COOL, "size": 9, "symbol": [f"circle{kind}" for kind in hollow]},
        "line": {"color": COOL, "width": 2},
        "customdata": texts,
        "hovertemplate": f"%{{{'x' if upright else 'y'}}}: %{{customdata}}<extra></extra>",
    }
    if upright:
        return points | {"x": names, "y": rows["median"].tolist(), "error_y": error}
    return points | {"x": rows["median"].tolist(), "y": names, "error_x": error}


def _edges(values: Numbers) -> Numbers:
    """Ends of steps of a round width, from the least to nearly all of the values."""
    if not len(values):
        return np.zeros(1)
    low, high = float(values.min()), float(np.quantile(values, 0.99))
    rough = max((high - low) / _BARS, np.finfo(float).eps * max(abs(high), 1.0) * 16)
    scale = 10.0 ** np.floor(np.log10(rough))
    width = scale * next(step for step in (1, 2, 2.5, 5, 10) if step * scale >= rough)
    if np.array_equal(values, np.round(values)):
        width = max(width, 1.0)
    first = np.floor(low / width)
    return np.asarray(width * np.arange(first, max(np.ceil(high / width), first + 1) + 1))


def _axis(column: str, unit: str) -> str:
    return f"{noun_of(column)}, {unit}" if unit else noun_of(column)
