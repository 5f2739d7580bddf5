"""What layouts of an index take as a catalog grows, drawn of the study's figures."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from recommender.charts.chart import Chart, empty_chart, spec_of

_AXIS = {"type": "log", "dtick": 1}


def scale_charts(sizes: Mapping[str, Mapping[str, Any]]) -> dict[str, Chart]:
    """What a query takes, by itself and under a filter of one in a hundred, and an item.

    Args:
        sizes: number of items -> layout -> its figures, as `scripts.scale_study` writes them.

    >>> sorted(scale_charts({}))
    ['filtered', 'memory', 'time']
    """
    rows = [
        {"items": int(count), "layout": name, "memory": told["bytes_an_item"]}
        | {"time": told["all"]["p50_ms"], "found": told["all"]["recall_at_10"]}
        | {"filtered": told["1%"]["p50_ms"], "found of 1%": told["1%"]["recall_at_10"]}
        for count, layouts in sizes.items()
        for name, told in layouts.items()
        if isinstance(told, Mapping)
    ]
    table = pd.DataFrame(rows)
    return {
        "time": _drawn(table, "time", "found", "A search among all items", "p50 in milliseconds"),
        "filtered": _drawn(
            *(table, "filtered", "found of 1%", "A search where one item in a hundred passes"),
            "p50 in milliseconds",
        ),
        "memory": _drawn(table, "memory", "found", "Memory", "bytes an item"),
    }


def _drawn(table: pd.DataFrame, column: str, found: str, title: str, unit: str) -> Chart:
    """A line for each layout over the number of items."""
    if table.empty:
        return empty_chart(title, table, "nothing was measured")
    lines = [
        {"type": "scatter", "mode": "lines+markers", "x": part["items"].tolist()}
        | {"y": part[column].tolist(), "text": [f"{share:.3f}" for share in part[found]]}
        | {"name": f"{name}, recall {part[found].iloc[-1]:.2f}"}
        | {"hovertemplate": "%{x:,} items: %{y}<br>recall@10 %{text}<extra></extra>"}
        for name, part in table.groupby("layout", sort=False)
    ]
    layout = {
        "xaxis": _AXIS | {"title": {"text": "Items"}},
        "yaxis": _AXIS | {"title": {"text": unit}},
    }
    counts = "one processor, one query at a time; recall@10 of the largest catalog measured"
    spec = spec_of((lines, layout), title, counts, height=460)
    return Chart(title=title, counts=counts, table=table, spec=spec)
