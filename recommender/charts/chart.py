"""`Chart`: a figure, its table and what both count; and what all charts share."""

import html
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from recommender.charts.palette import GRID, INK, OUTLINE
from recommender.schema import LABELS, NOUNS, noun_of, own_names

if TYPE_CHECKING:
    import plotly.graph_objects as go

PLACE = ("\0x", "\0y")
"""Columns of an item's place on the style map, where there is one; none of its own is called so."""

_PHONE_LETTERS = 52
"""How many of a line are seen on a phone."""

OUTLINED = {"color": OUTLINE, "width": 1}

Spec = dict[str, Any]
Drawing = tuple[list[Spec], Spec]
"""Traces, and what of the layout they change."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What a question about a catalog is answered with.

    Attributes:
        title: what it shows.
        counts: a sentence on what is counted, of how many, and how many lack the attribute.
        table: the figure's numbers and more, one row a mark; the same columns when it is empty.
        spec: the figure of the same numbers as Plotly's JSON, which says why where there is
            nothing to show. Plain, since checking a figure costs ten times what making it does.
        missing: how many items lack an attribute that the chart needs.
        note: what the data cannot say, or empty.
        nothing: why there is nothing to show, or empty.
        only: the filters that the items passed, in words, or empty.
    """

    title: str
    counts: str
    table: pd.DataFrame
    spec: Spec
    missing: int = 0
    note: str = ""
    nothing: str = ""
    only: str = ""

    @property
    def figure(self) -> "go.Figure":
        """The spec as Plotly's own object, every property checked."""
        import plotly.graph_objects as go  # the page draws the spec itself

        return go.Figure(self.spec)


def prepared(frame: pd.DataFrame) -> pd.DataFrame:
    """A catalog's columns as the charts count them fastest: words as categories.

    Args:
        frame: one row an item, the columns of `NOUNS` and `id`, perhaps a catalog's own and those
            of `PLACE`; missing values None or NA. Charts take it as it is, too.
    """
    columns = ["id", *NOUNS, *own_names(frame.columns)]
    return frame[columns].astype(dict.fromkeys(LABELS, "category"))


def tally(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Items of each combination of values that occurs, most first, equal ones by value.

    Returns:
        The columns as object, and `items`, int64. Items that lack one of the columns count nowhere.
    """
    coded = {name: pd.factorize(frame[name], sort=True) for name in columns}
    rows = np.flatnonzero(np.all([codes >= 0 for codes, _ in coded.values()], axis=0))
    group = np.zeros(len(rows), dtype=np.int64)
    for codes, values in coded.values():
        group = pd.factorize(group * max(len(values), 1) + codes[rows], sort=True)[0]
    counts = np.bincount(group)
    any_row = np.zeros(len(counts), dtype=np.int64)
    any_row[group] = rows
    order = np.argsort(-counts, kind="stable")
    columns_of = {
        name: np.asarray(values, dtype=object)[codes[any_row]]
        for name, (codes, values) in coded.items()
    }
    return pd.DataFrame({**columns_of, "items": counts}).iloc[order].reset_index(drop=True)


def shares_of(frame: pd.DataFrame, *columns: str, within: str | None = None) -> pd.DataFrame:
    """What `tally` returns, and `share`: of what is counted, or of the items of each `within`."""
    table = tally(frame, *columns)
    of = table.groupby(within)["items"].transform("sum") if within else table["items"].sum()
    return table.assign(share=table["items"] / of)


def sums_of(table: pd.DataFrame, column: str) -> "pd.Series[int]":
    """A tally's items of each value of a column, most first, equal ones in the tally's order."""
    items = table.groupby(column, sort=False)["items"].sum()
    return items.sort_values(ascending=False, kind="stable")


def several(count: int, noun: str = "item") -> str:
    """A number with its noun.

    >>> several(1), several(40_041), several(2, "category")
    ('1 item', '40,041 items', '2 categories')
    """
    return f"{count:,} {noun if count == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """Several of what the noun names."""
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


def missing_of(frame: pd.DataFrame, columns: Sequence[str]) -> int:
    """How many items lack one of the columns."""
    lacking = [frame[name].isna().to_numpy(dtype=bool) for name in columns]
    return int(np.logical_or.reduce(lacking).sum())


def counting(frame: pd.DataFrame, columns: Sequence[str], missing: int) -> str:
    """What a chart of these columns counts, and what it leaves out."""
    counts = f"{several(len(frame) - missing)} of the catalog"
    if missing:
        nouns = [noun_of(name) for name in columns]
        lacking = " or ".join(nouns) if len(nouns) < 3 else "one of these"
        counts += f"; {missing:,} without {lacking}"
    return counts


def why_nothing(frame: pd.DataFrame, columns: Sequence[str], missing: int) -> str:
    """Why no item can be counted, or empty where one can."""
    if frame.empty:
        return "no item passes the filters"
    if missing < len(frame):
        return ""
    for name in columns:
        if frame[name].isna().all():
            return f"no item has a {noun_of(name)}"
    return "no item has " + " and ".join(noun_of(name) for name in columns)


def escaped(values: Iterable[object]) -> list[str]:
    """Values as texts of a figure, which reads tags in them; the table keeps them as they are."""
    return [html.escape(str(value), quote=False) for value in values]


def wrapped(text: str, letters: int) -> str:
    """A figure's text in lines of at most so many letters, as far as words allow.

    >>> wrapped("type, gender and colour", 14)
    'type, gender<br>and colour'
    """
    lines = textwrap.wrap(text, letters, break_long_words=False, break_on_hyphens=False)
    return "<br>".join(lines)


def empty_chart(title: str, table: pd.DataFrame, why: str, *, missing: int = 0) -> Chart:
    """A chart that says why there is nothing to show.

    Args:
        title: of the chart that would be here.
        table: gives the columns.
        why: goes on from "because".
        missing: how many items lack what it needs.
    """
    nothing = f"Nothing to show here, because {why}."
    hidden = {"visible": False, "fixedrange": True}
    # Of this size, a phone has room for some forty letters.
    texts = [{"text": wrapped(escaped([nothing])[0], 41), "showarrow": False}]
    layout = {"xaxis": hidden, "yaxis": hidden, "annotations": texts}
    spec = spec_of(([], layout), title, height=200)
    return Chart(
        title=title, counts="", table=table.iloc[:0], spec=spec, missing=missing, nothing=nothing
    )


def chart_of(
    frame: pd.DataFrame,
    columns: Sequence[str],
    title: str,
    table: pd.DataFrame,
    draw: Callable[[], Drawing],
    *,
    height: int = 420,
    note: str = "",
) -> Chart:
    """The chart of a table, drawn where there is something to draw.

    Args:
        frame: the items that are counted.
        columns: what an item needs to be counted.
        title: what it shows, in some thirty-five letters: more do not fit on a phone.
        table: its numbers.
        draw: makes the figure's traces of them; called where there are any.
        height: in pixels.
        note: what the data cannot say.
    """
    missing = missing_of(frame, columns)
    if why := why_nothing(frame, columns, missing):
        return empty_chart(title, table, why, missing=missing)
    counts = counting(frame, columns, missing)
    spec = spec_of(draw(), title, counts, height=height)
    return Chart(title=title, counts=counts, table=table, spec=spec, missing=missing, note=note)


def narrowed(chart: Chart, only: str) -> Chart:
    """A chart that says of which items alone it is, in its figure too.

    Args:
        chart: of items that passed filters.
        only: the filters, in words.
    """
    if not chart.counts:
        return replace(chart, only=only)
    counts = f"{chart.counts}; only {only}"
    layout = _subtitled(chart.spec["layout"], escaped([counts])[0])
    return replace(chart, counts=counts, only=only, spec={**chart.spec, "layout": layout})


def _subtitled(layout: Spec, counts: str) -> Spec:
    """A layout with another line below its title, and as much room as that needs."""
    title, before = layout["title"], layout["title"]["subtitle"]
    subtitle = {**before, "text": wrapped(counts, _PHONE_LETTERS)}
    lines = subtitle["text"].count("<br>") - before["text"].count("<br>")
    margin = {**layout["margin"], "t": layout["margin"]["t"] + 15 * lines}
    return {**layout, "title": {**title, "subtitle": subtitle}, "margin": margin}


def spec_of(drawing: Drawing, title: str, counts: str = "", *, height: int = 420) -> Spec:
    """A figure in the look of all: clear of background, to lie on a light or a dark page."""
    traces, overrides = drawing
    at_top = {"x": 0, "xref": "container", "y": 1, "yref": "container", "yanchor": "top"}
    heading = {
        "text": title,
        "font": {"size": 16, "weight": 600},
        "subtitle": {"text": "", "font": {"size": 12}},
        "pad": {"l": 12, "t": 14},
        **at_top,
    }
    below = {"x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
    axis = {"gridcolor": GRID, "zeroline": False, "automargin": True, "fixedrange": True}
    layout: Spec = {
        "template": {},
        "title": heading,
        "font": {"color": INK, "size": 12},
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "margin": {"l": 12, "r": 16, "t": 72, "b": 12},
        "xaxis": axis,
        "yaxis": axis,
        "legend": {"orientation": "h", "traceorder": "normal", **below},
        "hoverlabel": {"align": "left"},
        "height": height,
        "dragmode": False,
    }
    for name, value in overrides.items():
        both = isinstance(value, dict) and isinstance(layout.get(name), dict)
        layout[name] = layout[name] | value if both else value
        if "axis" in name and "title" in value:  # clear of the names beside it
            layout[name]["title"] = {**value["title"], "standoff": 8, "font": {"size": 12}}
    return {"data": traces, "layout": _subtitled(layout, counts)}


def axis_of(title: str, **look: Any) -> Spec:
    """An axis with its title."""
    return {"title": {"text": title}, **look}


def bars_of(
    x: Iterable[Any], y: Iterable[Any], fill: str | list[str], hover: str, **look: Any
) -> Spec:
    """Outlined bars in one colour, or each in its own."""
    marker = {"color": fill, "line": OUTLINED}
    return {"type": "bar", "x": [*x], "y": [*y], "marker": marker, "hovertemplate": hover, **look}


def line_of(x: Iterable[Any], y: Iterable[Any], colour: str, hover: str, **look: Any) -> Spec:
    """A line with a point at each place."""
    drawn = {"type": "scatter", "mode": "lines+markers", "line": {"color": colour, "width": 2}}
    return {**drawn, "x": [*x], "y": [*y], "hovertemplate": hover, **look}


def share_text(share: float) -> str:
    """A share as a person reads it.

    >>> share_text(0.0004), share_text(0.25), share_text(0.004)
    ('<0.1%', '25%', '0.4%')
    """
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{share:.1%}" if share < 0.0995 else f"{share:.0%}"
