"""What a catalog is made of: one attribute at a time, and colours by gender."""

import pandas as pd

from recommender.charts.chart import Chart, Drawing, chart_of, escaped, share_text, tally
from recommender.charts.palette import ACCENT, COOL, OTHERS, OUTLINE, colours_of
from recommender.schema import NOUNS

_TOP_COLOURS = 10
_TOP = 16
_STACKED_COLOURS = 12
_SLICES = 8
_OUTLINED = {"color": OUTLINE, "width": 1}


def category_shares(frame: pd.DataFrame) -> Chart:
    """The share of each master category: a ring.

    Args:
        frame: a catalog's columns, one row an item. The same holds for every chart here.
    """
    return _ring(frame, "masterCategory", "Categories, share of the items")


def season_shares(frame: pd.DataFrame) -> Chart:
    """The share of each season: a ring."""
    return _ring(frame, "season", "Seasons, share of the items")


def category_counts(frame: pd.DataFrame) -> Chart:
    """Items of each master category: a bar each, most first."""
    return _bars(frame, "masterCategory", "Items by category", _TOP)


def colour_counts(frame: pd.DataFrame) -> Chart:
    """Items of each of the ten most frequent base colours, drawn in their own colour."""
    return _bars(frame, "baseColour", "The ten most frequent colours", _TOP_COLOURS)


def sub_category_counts(frame: pd.DataFrame) -> Chart:
    """Items of the most frequent sub-categories, and the share of the catalog they add up to.

    The table has every sub-category, with `cumulative_share`.
    """
    table = _shares(frame, "subCategory")
    table["cumulative_share"] = table["share"].cumsum()
    top = table.head(_TOP)

    def draw() -> Drawing:
        names = escaped(top["subCategory"])
        bars = {
            "type": "bar",
            "x": names,
            "y": top["items"].tolist(),
            "name": "items",
            "marker": {"color": COOL, "line": _OUTLINED},
            "hovertemplate": "%{x}: %{y:,} items<extra></extra>",
        }
        line = {
            "type": "scatter",
            "x": names,
            "y": top["cumulative_share"].tolist(),
            "name": "share, added up",
            "yaxis": "y2",
            "mode": "lines+markers",
            "line": {"color": ACCENT, "width": 2},
            "hovertemplate": "%{x} and all before it: %{y:.1%}<extra></extra>",
        }
        added_up = {
            "title": {"text": "share, added up"},
            "overlaying": "y",
            "side": "right",
            "range": [0, 1.04],
            "tickformat": ".0%",
            "showgrid": False,
            "automargin": True,
            "fixedrange": True,
        }
        return [bars, line], {
            "xaxis": {"title": {"text": NOUNS["subCategory"]}, "tickangle": -50, "showgrid": False},
            "yaxis": {"title": {"text": "items"}, "rangemode": "tozero"},
            "yaxis2": added_up,
        }

    title = f"The {len(top)} largest sub-categories" if len(top) < len(table) else "Sub-categories"
    return chart_of(frame, ["subCategory"], title, table, draw)


def usage_funnel(frame: pd.DataFrame) -> Chart:
    """Items of each usage as a funnel, most at the top. No usage leads to the next."""
    table = _shares(frame, "usage")
    top = table.head(_TOP)

    def draw() -> Drawing:
        funnel = {
            "type": "funnel",
            "x": top["items"].tolist(),
            "y": escaped(top["usage"]),
            "text": _counts_and_shares(top),
            "textinfo": "text",
            "textposition": "auto",
            "cliponaxis": False,
            "marker": {"color": colours_of("usage", list(top["usage"])), "line": _OUTLINED},
            "connector": {"fillcolor": "rgba(128, 128, 128, 0.15)"},
            "hovertemplate": "%{y}: %{text}<extra></extra>",
        }
        return [funnel], {
            "xaxis": {"title": {"text": "items"}, "showticklabels": False, "showgrid": False},
            "yaxis": {"title": {"text": NOUNS["usage"]}},
        }

    return chart_of(frame, ["usage"], "Items by usage", table, draw)


def gender_colours(frame: pd.DataFrame) -> Chart:
    """What share of each gender's items has each colour: a stack a gender.

    The table has every pair with its items, and their share of the gender's.
    """
    columns = ["gender", "baseColour"]
    table = tally(frame, *columns)
    table["share"] = table["items"] / table.groupby("gender")["items"].transform("sum")

    def draw() -> Drawing:
        totals = table.groupby("gender", sort=False)["items"].sum()
        totals = totals.sort_values(ascending=False, kind="stable").head(_TOP)
        names = [f"{n} · {c:,}" for n, c in zip(escaped(totals.index), totals, strict=True)]
        sums = table.groupby("baseColour", sort=False)["items"].sum()
        colours = list(sums.sort_values(ascending=False, kind="stable").index[:_STACKED_COLOURS])
        grid = table.pivot(index="gender", columns="baseColour", values="share")
        grid = grid.reindex(totals.index).fillna(0.0)
        stacks = {str(colour): grid[colour] for colour in colours}
        if len(colours) < grid.shape[1]:
            stacks["others"] = 1 - grid[colours].sum(axis=1)
        fills = [*colours_of("baseColour", colours), OTHERS]
        bars = [
            {
                "type": "bar",
                "x": shares.tolist(),
                "y": names,
                "name": escaped([name])[0],
                "orientation": "h",
                "marker": {"color": fill, "line": _OUTLINED},
                "hovertemplate": "%{y}<br>%{fullData.name}: %{x:.1%}<extra></extra>",
            }
            for (name, shares), fill in zip(stacks.items(), fills, strict=False)
        ]
        of_each = {"title": {"text": "share of the gender's items"}, "tickformat": ".0%"}
        return bars, {
            "barmode": "stack",
            "legend": {"font": {"size": 11}},
            "xaxis": {**of_each, "range": [0, 1]},
            "yaxis": {"autorange": "reversed", "showgrid": False},
        }

    return chart_of(frame, columns, "Colours by gender", table, draw, height=460)


def _shares(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Items of each value, most first, and their share of those that have one."""
    table = tally(frame, column)
    return table.assign(share=table["items"] / max(int(table["items"].sum()), 1))


def _bars(frame: pd.DataFrame, column: str, title: str, most: int) -> Chart:
    """Horizontal bars, which leave room for names on a phone."""
    table = _shares(frame, column)
    top = table.head(most)

    def draw() -> Drawing:
        own = column == "baseColour"
        fills = colours_of(column, list(top[column])) if own else [ACCENT] * len(top)
        bars = {
            "type": "bar",
            "x": top["items"].tolist(),
            "y": escaped(top[column]),
            "orientation": "h",
            "text": _counts_and_shares(top),
            "textposition": "outside",
            "cliponaxis": False,
            "marker": {"color": fills, "line": _OUTLINED},
            "hovertemplate": "%{y}: %{text}<extra></extra>",
        }
        return [bars], {
            "xaxis": {"title": {"text": "items"}, "range": [0, int(top["items"].max()) * 1.45]},
            "yaxis": {
                "title": {"text": NOUNS[column]},
                "autorange": "reversed",
                "showgrid": False,
            },
        }

    return chart_of(frame, [column], title, table, draw)


def _ring(frame: pd.DataFrame, column: str, title: str) -> Chart:
    """A ring of the most frequent values, the rest as one slice; the table has each."""
    table = _shares(frame, column)

    def draw() -> Drawing:
        top = table.head(_SLICES)
        names, items = escaped(top[column]), top["items"].tolist()
        fills = colours_of(column, list(top[column]))
        if rest := int(table["items"][_SLICES:].sum()):
            names, items, fills = [*names, "others"], [*items, rest], [*fills, OTHERS]
        ring = {
            "type": "pie",
            "labels": names,
            "values": items,
            "hole": 0.5,
            "sort": False,
            "direction": "clockwise",
            "texttemplate": "%{percent:.0%}",
            "textposition": "inside",
            "marker": {"colors": fills, "line": _OUTLINED},
            "hovertemplate": "%{label}: %{value:,} items, %{percent}<extra></extra>",
        }
        middle = f"<b>{sum(items):,}</b><br>items"
        return [ring], {
            "annotations": [{"text": middle, "showarrow": False, "font": {"size": 14}}],
        }

    return chart_of(frame, [column], title, table, draw)


def _counts_and_shares(table: pd.DataFrame) -> list[str]:
    pairs = zip(table["items"], table["share"], strict=True)
    return [f"{count:,} · {share_text(share)}" for count, share in pairs]
