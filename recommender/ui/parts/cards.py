"""What several tabs show: a line that says it, a chart, and the chart's table."""

import html
import json
from typing import Any
from urllib.parse import quote

import gradio as gr
import numpy as np
import pandas as pd
from gradio.components.plot import PlotData

from recommender.charts.chart import Chart, several
from recommender.schema import noun_of
from recommender.ui.parts.inputs import Values

_ROWS_SHOWN = 25


def status_html(status: str) -> str:
    """A line that is read out when it changes."""
    return f'<p role="status" aria-live="polite">{html.escape(status)}</p>'


class ChartCard:
    """A chart's place on the page: its plot, and below it what `table_html` makes."""

    def __init__(self, name: str) -> None:
        self.name = name
        with gr.Column(elem_classes="chart", elem_id=f"chart-{name}", min_width=280) as self.column:
            self.plot = gr.Plot(show_label=False, container=False)
            self.table = gr.HTML(padding=False)
        self.parts = (self.plot, self.table)

    def show(self, chart: Chart, ask: str | None = None) -> Values:
        """The chart in it; `ask` as `table_html` takes it."""
        plot = PlotData(type="plotly", plot=plot_of(chart))
        return {self.plot: plot, self.table: table_html(chart, self.name, ask)}


def plot_of(chart: Chart) -> str:
    """The figure as the page's own Plotly reads it; only one that can be moved has tools."""
    moves = chart.spec["layout"]["dragmode"] == "pan"
    config = {
        "displayModeBar": moves,
        "displaylogo": False,
        "modeBarButtons": [["zoomIn2d", "zoomOut2d", "resetScale2d"]],
        "scrollZoom": moves,
        "doubleClick": "reset" if moves else False,
        "showAxisDragHandles": False,
    }
    return json.dumps({**chart.spec, "config": config}, allow_nan=False, default=_plain)


def table_html(chart: Chart, name: str, ask: str | None) -> str:
    """A figure's note, its table to be opened, and where to take both away.

    Args:
        chart: the figure.
        name: of the chart.
        ask: the question as an address's parameters; None where no address answers it.
    """
    note = f"<p>{html.escape(chart.note)}</p>" if chart.note else ""
    if chart.table.empty:
        return f'<div class="take">{note}</div>'
    headings = map(noun_of, chart.table.columns)
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in headings)
    rows = ""
    for row in chart.table.head(_ROWS_SHOWN).itertuples(index=False):
        cells = map(_cell, chart.table.columns, row)
        rows += f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    more = len(chart.table) - _ROWS_SHOWN
    rest = f"<p>{several(more, 'more row')} in the CSV.</p>" if more > 0 else ""
    files = "".join(
        f'<a href="trends/{name}.{kind}?{html.escape(ask)}" download>{kind.upper()}</a>'
        for kind in ("csv", "html")
        if ask is not None
    )
    pictures = "".join(
        f'<button type="button" data-picture="{kind}" data-name="{name}">{kind.upper()}</button>'
        for kind in ("png", "svg")
    )
    summary = f"<summary>Table of {several(len(chart.table), 'row')}</summary>"
    table = f'<div class="rows"><table><thead><tr>{head}</tr></thead>{rows}</table></div>'
    return (
        f'<div class="take">{note}<div class="files">{files}{pictures}</div>'
        f"<details>{summary}{table}{rest}</details></div>"
    )


def _cell(column: str, value: Any) -> str:
    """A value of a table as HTML; an item's id is a link to it."""
    if column == "id":
        return f'<a href="?item={quote(str(value))}">{html.escape(str(value))}</a>'
    if pd.isna(value):
        return "–"
    if isinstance(value, float):  # which NumPy's are, too
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return html.escape(str(value))


def _plain(value: object) -> object:
    """NumPy's numbers as JSON's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value)} is not JSON")
