"""What people look for now: counts of events by attribute, over three windows."""

import pandas as pd

from recommender.charts.chart import Chart, axis_of, bars_of, empty_chart, escaped, spec_of
from recommender.charts.palette import ACCENT, COOL, PALE
from recommender.schema import NOUNS

_MOST = 10


def looked_for(
    counts: pd.DataFrame, column: str, kind: str, events: str, windows: list[str]
) -> Chart:
    """How often items of each value were searched for or opened lately: bars for each window.

    Args:
        counts: `kind`, the column, and a column of counts for each window, shortest first.
        column: the attribute.
        kind: of events.
        events: what several of that kind are called.
        windows: names of the columns of counts.
    """
    title = f"{events.capitalize()} by {NOUNS[column]}"
    table = counts[counts["kind"] == kind].drop(columns="kind").reset_index(drop=True)
    if table.empty:
        return empty_chart(title, table, f"there were no {events} in the last {windows[-1]} yet")
    top = table.head(_MOST)
    subtitle = f"{events.capitalize()} of the last {windows[-1]}: {int(table[windows[-1]].sum()):,}"
    bars = []
    for window, fill in zip(windows, (ACCENT, COOL, PALE), strict=True):
        look = {"name": f"last {window}", "orientation": "h"}
        hover = f"%{{y}}, last {window}: %{{x:,}}<extra></extra>"
        bars.append(bars_of(top[window], escaped(top[column]), fill, hover, **look))
    layout = {
        "barmode": "group",
        "xaxis": axis_of(f"number of {events}", rangemode="tozero"),
        # Years are categories, too.
        "yaxis": axis_of(NOUNS[column], type="category", autorange="reversed", showgrid=False),
    }
    spec = spec_of((bars, layout), title, subtitle, height=190 + 42 * len(top))
    note = "A search by picture counts for the item that is most like it."
    return Chart(title=title, counts=subtitle, table=table, spec=spec, note=note)
