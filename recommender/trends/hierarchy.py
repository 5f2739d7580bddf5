"""What is inside what: a treemap and a sunburst, a click going deeper."""

import math

import pandas as pd

from recommender.charts.chart import OUTLINED, Chart, Drawing, chart_of, escaped, several, tally
from recommender.charts.palette import colours_of
from recommender.schema import NOUNS

TREE = ("gender", "masterCategory", "baseColour", "usage", "subCategory")
RINGS = ("gender", "masterCategory", "subCategory", "articleType")
_LEAST_SHARE = 1 / 1000  # smaller parts could not be seen, and would make a browser slow
_ROOT_FILL = "rgba(128, 128, 128, 0.12)"


def nested(frame: pd.DataFrame, levels: tuple[str, ...], title: str, kind: str) -> Chart:
    """Attributes in each other, all but the innermost drawn at a time; sizes are items.

    Args:
        frame: a catalog's columns, one row an item.
        levels: outermost first.
        title: of the chart.
        kind: `treemap`, whose areas are items, or `sunburst`, whose angles are.
    """
    table = tally(frame, *levels)
    least = table["items"].sum() * _LEAST_SHARE

    def draw() -> Drawing:
        # Node by its path, outer levels first; the root's path is empty.
        sizes: dict[tuple[str, ...], int] = {}
        paths = list(zip(*(table[level] for level in levels), strict=True))
        for end in range(len(levels) + 1):
            for path, count in zip(paths, table["items"].tolist(), strict=True):
                sizes[path[:end]] = sizes.get(path[:end], 0) + count
        # A part is never larger than what it is part of, so that no drawn one loses its parent.
        sizes = {path: count for path, count in sizes.items() if count >= least}
        number = {path: str(at) for at, path in enumerate(sizes)}
        trace = {
            "type": kind,
            "ids": list(number.values()),
            "labels": escaped(path[-1] if path else "All" for path in sizes),
            "parents": [number[path[:-1]] if path else "" for path in sizes],
            "values": list(sizes.values()),
            "branchvalues": "total",
            "maxdepth": len(levels) - 1,
            "marker": {"colors": _fills(levels, list(sizes)), "line": OUTLINED},
            "hovertemplate": "%{label}: %{value:,} items, "
            "%{percentParent:.1%} of %{parent}<extra></extra>",
        }
        return [trace], {"margin": {"t": 72, "l": 12, "r": 12, "b": 12}}

    names = " → ".join(NOUNS[level] for level in levels)
    note = f"{names[0].upper()}{names[1:]}; a click goes deeper."
    if len(table) and table["items"].min() < least:
        note += f" Parts of fewer than {several(math.ceil(least))} are left blank."
    return chart_of(frame, levels, title, table, draw, height=520, note=note)


def _fills(levels: tuple[str, ...], paths: list[tuple[str, ...]]) -> list[str]:
    """A node's fill: from a colour on downwards that colour, else its category's or gender's."""
    at_colour = levels.index("baseColour") if "baseColour" in levels else len(levels)

    def deciding(path: tuple[str, ...]) -> int:
        return at_colour if len(path) > at_colour else min(len(path), 2) - 1

    drawn: dict[tuple[int, str], str] = {}
    for place, level in enumerate(levels):
        values = list(dict.fromkeys(path[place] for path in paths if len(path) > place))
        fills = colours_of(level, values)
        drawn |= {(place, value): fill for value, fill in zip(values, fills, strict=True)}
    return [drawn[deciding(path), path[deciding(path)]] if path else _ROOT_FILL for path in paths]
