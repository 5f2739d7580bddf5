"""How a catalog changes over the years: items, growth, and shares with their intervals."""

import numpy as np
import pandas as pd

from recommender.charts.chart import (
    Chart,
    Drawing,
    Spec,
    axis_of,
    chart_of,
    escaped,
    line_of,
    share_text,
    shares_of,
    sums_of,
    tally,
)
from recommender.charts.palette import ACCENT, OUTLINE, colours_of
from recommender.charts.statistics import wilson_interval

FEW_ITEMS = 30
"""A year with fewer says little of shares: its points are drawn hollow."""
_LINES = 5
_LIGHT = 200
_GROWING = 8
_MOST_VALUES = 200  # of which the shares' table tells; a catalog of one type an item has as many


def items_by_year(frame: pd.DataFrame) -> Chart:
    """Items listed in each year, as an area.

    Args:
        frame: a catalog's columns, one row an item. The same holds for every chart here.
    """
    table = shares_of(frame, "year").sort_values("year", ignore_index=True)
    table = table.astype({"year": "int64"})

    def draw() -> Drawing:
        hover = "%{x}: %{y:,} items<extra></extra>"
        area = line_of(table["year"], table["items"], ACCENT, hover, fill="tozeroy")
        return [area], {"xaxis": _year_axis(table), "yaxis": axis_of("items", rangemode="tozero")}

    title = "Items listed in each year"
    return chart_of(frame, ["year"], title, table, draw, note=year_note(frame))


def category_growth(frame: pd.DataFrame) -> Chart:
    """Items of each master category listed in each year, where equal steps are equal growth.

    The table has `growth`, the change against the year before, missing where that year is not
    there or has none: 0.5 is half as many again.
    """
    columns = ["masterCategory", "year"]
    table = tally(frame, *columns).astype({"year": "int64"})
    order = sums_of(table, "masterCategory")
    rank = table["masterCategory"].map({name: i for i, name in enumerate(order.index)})
    table = table.assign(rank=rank).sort_values(["rank", "year"], ignore_index=True)
    before = table.groupby("masterCategory", sort=False)[["year", "items"]].shift()
    follows = before["year"] == table["year"] - 1
    table["growth"] = (table["items"] / before["items"] - 1).where(follows)
    table = table.drop(columns="rank")

    def draw() -> Drawing:
        names, lines = list(order.index[:_GROWING]), []
        for name, colour in zip(names, colours_of("masterCategory", names), strict=True):
            rows = table[table["masterCategory"] == name]
            hover = "%{x}: %{y:,} items%{customdata}"
            line = line_of(rows["year"], rows["items"], colour, hover, name=escaped([name])[0])
            lines.append(line | {"customdata": [_change(growth) for growth in rows["growth"]]})
        up = axis_of("items, on a log scale", type="log", dtick=1)
        return lines, {"xaxis": _year_axis(table), "yaxis": up}

    title, note = "Growth of the categories", "Equal steps upwards are equal growth."
    return chart_of(frame, columns, title, table, draw, note=note, height=460)


def share_by_year(frame: pd.DataFrame, column: str, title: str) -> Chart:
    """The shares of the most frequent values in each year's items, each with its 95% interval.

    The table has every value in every year, also where it has no items: items, of how many, share,
    low and high.
    """
    columns = [column, "year"]
    pairs = tally(frame, *columns).astype({"year": "int64"})
    order = sums_of(pairs, column).head(_MOST_VALUES)
    of = pairs.groupby("year")["items"].sum()
    grid = pd.MultiIndex.from_product([order.index, of.index], names=columns)
    table = pairs.set_index(columns).reindex(grid, fill_value=0).reset_index()
    table["of"] = table["year"].map(of).astype("int64")
    table["share"] = table["items"] / table["of"]
    table["low"], table["high"] = wilson_interval(table["items"], table["of"])

    def draw() -> Drawing:
        names, traces = list(order.index[:_LINES]), []
        for name, colour in zip(names, colours_of(column, names), strict=True):
            traces += _band(table[table[column] == name], escaped([name])[0], colour)
        drawn = table[table[column].isin(names)]
        sure = drawn[drawn["of"] >= FEW_ITEMS]
        top = float((sure if len(sure) else drawn)["high"].max())
        ends = [0, min(1.02, top * 1.1)]
        up = axis_of("share of the year's items", tickformat=".0%", range=ends)
        return traces, {"xaxis": _year_axis(_enough(table)), "yaxis": up}

    note = (
        f"Bands are 95% intervals; hollow points are years of fewer than {FEW_ITEMS} items, which "
        f"say little, and lie outside where they come first. {year_note(frame)}"
    )
    return chart_of(frame, columns, title, table, draw, note=note, height=460)


def year_note(frame: pd.DataFrame) -> str:
    """What years cannot say, with the share of the fullest one."""
    counts = frame["year"].value_counts()
    if counts.empty:
        return ""
    year, share = int(counts.index[0]), counts.iloc[0] / counts.sum()
    return (
        f"A year is that of listing, not of sale; {year} alone holds {share_text(share)} "
        "of the items."
    )


def _band(rows: pd.DataFrame, name: str, colour: str) -> list[Spec]:
    """A line with its interval and an outline behind it; the legend turns all on and off."""
    years = rows["year"].tolist()
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    silent = {"legendgroup": name, "showlegend": False, "hoverinfo": "skip"}
    band = {
        "type": "scatter",
        "x": years + years[::-1],
        "y": rows["high"].tolist() + rows["low"].tolist()[::-1],
        "fill": "toself",
        "fillcolor": f"rgba({red}, {green}, {blue}, 0.22)",
        "mode": "none",
        **silent,
    }
    behind = {"mode": "lines", "line": {"color": OUTLINE, "width": 4}, **silent}
    outline = {"type": "scatter", "x": years, "y": rows["share"].tolist(), **behind}
    numbers = zip(rows["low"], rows["high"], rows["items"], rows["of"], strict=True)
    intervals = [
        f"{share_text(low)} to {share_text(high)}, {count:,} of {of:,} items"
        for low, high, count, of in numbers
    ]
    few = rows["of"] < FEW_ITEMS
    fills = np.where(few, "rgba(0, 0, 0, 0)", colour).tolist()
    # A light point would seem hollow, too: a dot within says that it is not.
    full = "circle-dot" if min(red, green, blue) > _LIGHT else "circle"
    symbols = np.where(few, "circle", full).tolist()
    points = {
        "color": fills,
        "symbol": symbols,
        "size": 8,
        "line": {"color": OUTLINE, "width": 1.5},
    }
    names = {"name": name, "legendgroup": name, "customdata": intervals}
    hover = "%{x}: %{y:.1%}<br>%{customdata}"
    line = line_of(years, rows["share"], colour, hover, marker=points, **names)
    return [band, outline, line]


def _enough(table: pd.DataFrame) -> pd.DataFrame:
    """The years from the first one on that has enough items; all of them where none has."""
    enough = table.loc[table["of"] >= FEW_ITEMS, "year"]
    return table if enough.empty else table[table["year"] >= enough.min()]


def _change(growth: float) -> str:
    return "" if pd.isna(growth) else f", {growth:+.0%} on the year before"


def _year_axis(table: pd.DataFrame) -> Spec:
    first, last = int(table["year"].min()), int(table["year"].max())
    step, ends = max(1, round((last - first) / 6)), [first - 0.3, last + 0.3]
    return axis_of("year of listing", tickformat="d", dtick=step, range=ends, showgrid=False)
