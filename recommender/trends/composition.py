"""What a catalog is made of: one attribute at a time, and colours by gender."""

import pandas as pd

from recommender.charts.chart import (
    OUTLINED,
    Chart,
    Drawing,
    axis_of,
    bars_of,
    chart_of,
    escaped,
    line_of,
    share_text,
    shares_of,
    sums_of,
)
from recommender.charts.palette import ACCENT, COOL, OTHERS, colours_of
from recommender.schema import NOUNS, noun_of

_TOP = 16
_STACKED_COLOURS = 12
_SLICES = 8


def bars(frame: pd.DataFrame, column: str, title: str, most: int = _TOP) -> Chart:
    """Items of the most frequent values as horizontal bars, which leave room for names on a phone.

    Args:
        frame: a catalog's columns, one row an item. The same holds for every chart here.
        column: the attribute; colours are drawn in their own.
        title: of the chart.
        most: how many values are drawn; the table has each.
    """
    table = shares_of(frame, column)
    top = table.head(most)

    def draw() -> Drawing:
        names, texts = escaped(top[column]), _counts_and_shares(top)
        own = column == "baseColour"
        fills = colours_of(column, list(top[column])) if own else [ACCENT] * len(top)
        look = {"orientation": "h", "textposition": "outside", "cliponaxis": False}
        hover = "%{y}: %{text}<extra></extra>"
        return [bars_of(top["items"], names, fills, hover, text=texts, **look)], {
            "xaxis": axis_of("items", range=[0, int(top["items"].max()) * 1.45]),
            "yaxis": axis_of(noun_of(column), autorange="reversed", showgrid=False),
        }

    return chart_of(frame, [column], title, table, draw)


def ring(frame: pd.DataFrame, column: str, title: str) -> Chart:
    """A ring of the most frequent values' shares, the rest as one slice; the table has each."""
    table = shares_of(frame, column)

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
            "marker": {"colors": fills, "line": OUTLINED},
            "hovertemplate": "%{label}: %{value:,} items, %{percent}<extra></extra>",
        }
        middle = f"<b>{sum(items):,}</b><br>items"
        return [ring], {"annotations": [{"text": middle, "showarrow": False, "font": {"size": 14}}]}

    return chart_of(frame, [column], title, table, draw)


def sub_category_counts(frame: pd.DataFrame) -> Chart:
    """Items of the most frequent sub-categories, and the share of the catalog they add up to.

    The table has every sub-category, with `cumulative_share`.
    """
    table = shares_of(frame, "subCategory")
    table["cumulative_share"] = table["share"].cumsum()
    top = table.head(_TOP)

    def draw() -> Drawing:
        names, so_far = escaped(top["subCategory"]), top["cumulative_share"]
        hover, hover_line = "%{x}: %{y:,} items", "%{x} and all before it: %{y:.1%}"
        columns = bars_of(names, top["items"], COOL, f"{hover}<extra></extra>", name="items")
        line = line_of(
            names, so_far, ACCENT, f"{hover_line}<extra></extra>", name="share, added up"
        )
        added_up = axis_of("share, added up", overlaying="y", side="right", range=[0, 1.04])
        look = {"tickformat": ".0%", "showgrid": False, "automargin": True, "fixedrange": True}
        return [columns, line | {"yaxis": "y2"}], {
            "xaxis": axis_of(NOUNS["subCategory"], tickangle=-50, showgrid=False),
            "yaxis": axis_of("items", rangemode="tozero"),
            "yaxis2": added_up | look,
        }

    title = f"The {len(top)} largest sub-categories" if len(top) < len(table) else "Sub-categories"
    return chart_of(frame, ["subCategory"], title, table, draw)


def usage_funnel(frame: pd.DataFrame) -> Chart:
    """Items of each usage as a funnel, most at the top. No usage leads to the next."""
    table = shares_of(frame, "usage")
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
            "marker": {"color": colours_of("usage", list(top["usage"])), "line": OUTLINED},
            "connector": {"fillcolor": "rgba(128, 128, 128, 0.15)"},
            "hovertemplate": "%{y}: %{text}<extra></extra>",
        }
        across = axis_of("items", showticklabels=False, showgrid=False)
        return [funnel], {"xaxis": across, "yaxis": axis_of(NOUNS["usage"])}

    return chart_of(frame, ["usage"], "Items by usage", table, draw)


def gender_colours(frame: pd.DataFrame) -> Chart:
    """What share of each gender's items has each colour: a stack a gender.

    The table has every pair with its items, and their share of the gender's.
    """
    columns = ["gender", "baseColour"]
    table = shares_of(frame, *columns, within="gender")

    def draw() -> Drawing:
        totals = sums_of(table, "gender").head(_TOP)
        names = [f"{n} · {c:,}" for n, c in zip(escaped(totals.index), totals, strict=True)]
        colours = list(sums_of(table, "baseColour").index[:_STACKED_COLOURS])
        grid = table.pivot(index="gender", columns="baseColour", values="share")
        grid = grid.reindex(totals.index).fillna(0.0)
        stacks = {str(colour): grid[colour] for colour in colours}
        if len(colours) < grid.shape[1]:
            stacks["others"] = 1 - grid[colours].sum(axis=1)
        fills = [*colours_of("baseColour", colours), OTHERS]
        hover = "%{y}<br>%{fullData.name}: %{x:.1%}<extra></extra>"
        traces = [
            bars_of(of, names, fill, hover, name=escaped([name])[0], orientation="h")
            for (name, of), fill in zip(stacks.items(), fills, strict=False)
        ]
        return traces, {
            "barmode": "stack",
            "legend": {"font": {"size": 11}},
            "xaxis": axis_of("share of the gender's items", tickformat=".0%", range=[0, 1]),
            "yaxis": {"autorange": "reversed", "showgrid": False},
        }

    return chart_of(frame, columns, "Colours by gender", table, draw, height=460)


def _counts_and_shares(table: pd.DataFrame) -> list[str]:
    pairs = zip(table["items"], table["share"], strict=True)
    return [f"{count:,} · {share_text(share)}" for count, share in pairs]
