"""A leaderboard -> Plotly figures, as HTML for a person and JSON for a page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

_COLOURS = ("#c2415d", "#2f6fc1", "#d6a419", "#6f3fa0")
_INK = "#77716c"  # reads on white and on a dark page
_PARTS = ("gender", "masterCategory", "type's size")


def precision_figure(board: Mapping[str, Any]) -> go.Figure:
    """Strict P@5 of each system for each relevance, with 95% intervals."""
    systems = board["systems"]
    figure = go.Figure()
    for colour, relevance in zip(_COLOURS, _relevances(board), strict=False):
        entries = [scores["strict"][relevance]["P@5"] for scores in systems.values()]
        figure.add_bar(
            name=relevance,
            x=[scores["title"] for scores in systems.values()],
            y=[entry["micro"] for entry in entries],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [_gap(entry["high"], entry["micro"]) for entry in entries],
                "arrayminus": [_gap(entry["micro"], entry["low"]) for entry in entries],
            },
            marker_color=colour,
        )
    return _dress(figure, "Of the five nearest, how many are relevant", "P@5, strict")


def difference_figure(board: Mapping[str, Any], baseline: str) -> go.Figure:
    """How much better each system is than a baseline on the same queries, with 95% intervals."""
    figure = go.Figure()
    against = board["differences"].get(baseline, {})
    for colour, relevance in zip(_COLOURS, _relevances(board), strict=False):
        ends = [differences[relevance] for differences in against.values()]
        figure.add_scatter(
            name=relevance,
            mode="markers",
            x=[board["systems"][name]["title"] for name in against],
            y=[end[0] for end in ends],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [_gap(end[2], end[0]) for end in ends],
                "arrayminus": [_gap(end[0], end[1]) for end in ends],
            },
            marker={"color": colour, "size": 9},
        )
    title = board["systems"].get(baseline, {}).get("title", baseline)
    return _dress(figure, f"Beside: {title}", "difference of P@5")


def slice_figure(board: Mapping[str, Any], relevance: str = "type") -> go.Figure:
    """P@5 of each system for the queries of each gender, category and size of type."""
    systems = board["systems"]
    parts = [
        (column, value)
        for column in _PARTS
        for value in dict.fromkeys(v for s in systems.values() for v in s["slices"][column])
    ]
    empty = [None]
    figure = go.Figure(
        go.Heatmap(
            x=[value for _, value in parts],
            y=[scores["title"] for scores in systems.values()],
            z=[
                [scores["slices"][column].get(value, {}).get(relevance, empty)[0]
                 for column, value in parts]
                for scores in systems.values()
            ],
            zmin=0,
            zmax=1,
            colorscale="Viridis",
            texttemplate="%{z:.2f}",
        )
    )  # fmt: skip
    return _dress(figure, f"P@5 on {relevance}, by what was asked", "")


def fairness_figure(board: Mapping[str, Any]) -> go.Figure:
    """Shares that should be small: of the catalog never shown, of hits of another gender."""
    systems = board["systems"].values()
    titles = [scores["title"] for scores in systems]
    never = [scores["exposure"]["hits"]["never shown"] for scores in systems]
    leaks = [scores["leakage"]["all"]["other"] for scores in systems]
    figure = go.Figure()
    figure.add_bar(name="items never shown", x=titles, y=never, marker_color=_COLOURS[1])
    figure.add_bar(name="hits of another gender", x=titles, y=leaks, marker_color=_COLOURS[0])
    return _dress(figure, "What is not shown, and what leaks", "share")


def write_figures(board: Mapping[str, Any], directory: Path, baseline: str) -> list[Path]:
    """Write each figure as `NAME.json` and `NAME.html`, and beside them Plotly's script once.

    Returns:
        The HTML files.
    """
    figures = {
        "precision": precision_figure(board),
        "difference": difference_figure(board, baseline),
        "slices": slice_figure(board),
        "fairness": fairness_figure(board),
    }
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, figure in figures.items():
        (directory / f"{name}.json").write_text(figure.to_json() + "\n", encoding="utf-8")
        written.append(directory / f"{name}.html")
        # A given id, as Plotly's own is another one each time.
        figure.write_html(written[-1], include_plotlyjs="directory", div_id=name)
    return written


def _relevances(board: Mapping[str, Any]) -> list[str]:
    """Those that have a P@5, in their order."""
    some: Mapping[str, Any] = next(iter(board["systems"].values()), {"strict": {}})
    return [name for name, entry in some["strict"].items() if "P@5" in entry]


def _gap(high: float | None, low: float | None) -> float:
    return 0.0 if high is None or low is None else high - low


def _dress(figure: go.Figure, title: str, axis: str) -> go.Figure:
    figure.update_layout(
        title=title,
        barmode="group",
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font_color=_INK,
        legend={"orientation": "h", "y": 1.08},
        margin={"l": 70, "r": 20, "t": 90, "b": 160},
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(title=axis, automargin=True)
    return figure
