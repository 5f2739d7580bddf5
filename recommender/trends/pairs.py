"""Two attributes together: heat maps, and a clock of the seasons' colours."""

import pandas as pd

from recommender.charts.chart import (
    OUTLINED,
    Chart,
    Drawing,
    axis_of,
    chart_of,
    escaped,
    shares_of,
    sums_of,
)
from recommender.charts.palette import HEAT, OTHERS, SEASONS, colours_of
from recommender.schema import noun_of

_ROWS, _COLUMNS = 20, 10
_CLOCK_COLOURS = 14
_CLOCK_SEASONS = 12


def heat(frame: pd.DataFrame, down: str, across: str, title: str, *, within: str) -> Chart:
    """What share of each value's items has each value of another column: a heat map.

    Args:
        frame: a catalog's columns, one row an item. The same holds for every chart here.
        down: the column whose values are the map's rows.
        across: the column whose values are its columns.
        title: of the chart.
        within: the one of the two whose values' shares add up to 1.
    """
    columns = [down, across]
    table = shares_of(frame, *columns, within=within)

    def draw() -> Drawing:
        rows, places = _in_order(table, down)[:_ROWS], _in_order(table, across)[:_COLUMNS]
        grid = table.pivot(index=down, columns=across, values="share").reindex(rows)[places]
        items = table.pivot(index=down, columns=across, values="items").reindex(rows)[places]
        cells = {
            "type": "heatmap",
            "z": grid.fillna(0.0).to_numpy().tolist(),
            "x": escaped(places),
            "y": escaped(rows),
            "customdata": items.fillna(0).to_numpy().tolist(),
            "colorscale": HEAT,
            "zmin": 0,
            "xgap": 1,
            "ygap": 1,
            "texttemplate": "%{z:.0%}",
            "textfont": {"size": 11},
            "showscale": False,
            "hovertemplate": "%{y}, %{x}: %{z:.1%}, %{customdata:,} items<extra></extra>",
        }
        return [cells], {
            "xaxis": axis_of(noun_of(across), tickangle=-40, showgrid=False),
            "yaxis": axis_of(noun_of(down), autorange="reversed", showgrid=False),
        }

    note = f"Shares of each {noun_of(within)}'s items."
    return chart_of(frame, columns, title, table, draw, note=note, height=560)


def colour_clock(frame: pd.DataFrame) -> Chart:
    """The colours of each season as a clock: equal arcs for seasons, each divided by its colours.

    The table has every pair with its items and their share of the season's.
    """
    columns = ["season", "baseColour"]
    table = shares_of(frame, *columns, within="season")

    def draw() -> Drawing:
        seasons = _in_order(table, "season")[:_CLOCK_SEASONS]
        colours = _in_order(table, "baseColour")[:_CLOCK_COLOURS]
        arc = 360 / len(seasons)
        middles, widths, fills, labels = [], [], [], []
        for place, season in enumerate(seasons):
            of_season = table[table["season"] == season].set_index("baseColour")["share"]
            parts = [(colour, float(of_season.get(colour, 0.0))) for colour in colours]
            parts.append(("other colours", 1 - sum(share for _, share in parts)))
            drawn_in = [*colours_of("baseColour", colours), OTHERS]
            at = place * arc
            for (colour, share), fill in zip(parts, drawn_in, strict=True):
                if share <= 1e-9:
                    continue
                middles.append(at + share * arc / 2)
                widths.append(share * arc)
                fills.append(fill)
                labels.append(f"{' of '.join(escaped([colour, season]))}: {share:.1%}")
                at += share * arc
        ring = {
            "type": "barpolar",
            "theta": middles,
            "width": widths,
            "r": [1] * len(middles),
            "base": [0.9] * len(middles),
            "marker": {"color": fills, "line": OUTLINED},
            "text": labels,
            "hovertemplate": "%{text}<extra></extra>",
        }
        around = {
            "direction": "clockwise",
            "rotation": 90,
            "tickvals": [(place + 0.5) * arc for place in range(len(seasons))],
            "ticktext": escaped(seasons),
            "showgrid": False,
            "showline": False,
            "ticks": "",
        }
        polar = {
            "bgcolor": "rgba(0, 0, 0, 0)",
            "radialaxis": {"visible": False, "range": [0, 1.9]},
            "angularaxis": around,
        }
        return [ring], {"polar": polar, "margin": {"l": 48, "r": 48, "t": 88, "b": 32}}

    note = "Each season's arc is whole: its parts are shares of that season's items."
    return chart_of(frame, columns, "Colour clock of the seasons", table, draw, note=note)


def _in_order(table: pd.DataFrame, column: str) -> list[str]:
    """A column's values: seasons by the year, others most frequent first."""
    values = [str(value) for value in sums_of(table, column).index]
    if column == "season":
        values.sort(key=lambda v: SEASONS.index(v) if v in SEASONS else len(SEASONS))
    return values
