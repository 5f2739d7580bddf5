"""The two figures' numbers, counted once more from styles.csv."""

import csv
import io
from collections import Counter

import pandas as pd
import plotly.graph_objects as go
import pytest
from conftest import ROWS, styles_csv

from recommender.engine import Recommender
from recommender.trends import COLOUR_HEX, category_figure, colour_figure

# Many rows, so that there are more than ten colours, some without one.
COLOURS = [*COLOUR_HEX][:14]
MANY = [
    (100 + i, *ROWS[i % 13][1:5], colour if i % 5 else "NA", *ROWS[i % 13][6:])
    for i, colour in enumerate(COLOURS * 3 + COLOURS[:5] * 4)
]


def counted(column: str, rows: list[tuple]) -> Counter[str]:
    table = csv.DictReader(io.StringIO(styles_csv(rows)))
    return Counter(row[column] for row in table if row[column] not in ("", "NA"))


def frame_of(rows: list[tuple]) -> pd.DataFrame:
    frame = pd.read_csv(io.StringIO(styles_csv(rows)), keep_default_na=False, dtype=str)
    return frame.astype(object).where(~frame.isin(["", "NA"]), None)


def bars(figure: go.Figure) -> dict[str, int]:
    (bar,) = figure.data
    assert bar.orientation == "h"
    return dict(zip(bar.y, bar.x, strict=True))


def check_bars(figure: go.Figure, counts: Counter[str], rows: int, shown: int | None) -> None:
    drawn = bars(figure)
    assert sorted(drawn.values(), reverse=True) == [n for _, n in counts.most_common(shown)]
    assert list(drawn.values()) == sorted(drawn.values(), reverse=True)
    assert all(counts[name] == count for name, count in drawn.items())
    texts = [f"{count:,} · {count / rows:.1%}" for count in drawn.values()]
    assert list(figure.data[0].text) == texts
    missing = rows - counts.total()
    title = figure.layout.xaxis.title.text
    assert f"of {rows:,}" in title
    assert (f"{missing:,} have no value" in title) == (missing > 0)
    assert figure.layout.xaxis.range[1] > max(drawn.values())


@pytest.mark.parametrize("rows", [ROWS, MANY], ids=["dozen", "many"])
def test_categories(rows: list[tuple]) -> None:
    figure = category_figure(frame_of(rows))
    check_bars(figure, counted("masterCategory", rows), len(rows), None)
    assert figure.layout.title.text == "Items by category"


@pytest.mark.parametrize("rows", [ROWS, MANY], ids=["dozen", "many"])
def test_colours_are_drawn_in_their_own(rows: list[tuple]) -> None:
    figure = colour_figure(frame_of(rows))
    check_bars(figure, counted("baseColour", rows), len(rows), 10)
    names, drawn = figure.data[0].y, figure.data[0].marker.color
    assert list(drawn) == [COLOUR_HEX[name] for name in names]
    assert len(bars(figure)) <= 10


def test_a_colour_of_another_name_is_drawn_all_the_same() -> None:
    figure = colour_figure(frame_of([(1, *ROWS[0][1:5], "Ultraviolet", *ROWS[0][6:])]))
    assert bars(figure) == {"Ultraviolet": 1}
    assert figure.data[0].marker.color[0] not in COLOUR_HEX.values()


@pytest.mark.parametrize("make", [category_figure, colour_figure])
def test_a_column_without_values_says_so(make: object) -> None:
    rows = [(1, "Men", "", "Topwear", "Tshirts", "NA", "", "", "", "x")]
    for frame in (frame_of(rows), frame_of(rows).iloc[:0]):
        figure = make(frame)
        assert not figure.data
        assert figure.layout.annotations[0].text == "Nothing to show: no item has this attribute."


def test_an_engines_frame_is_what_they_take(recommender: Recommender) -> None:
    assert bars(category_figure(recommender.frame)) == counted("masterCategory", ROWS)
    assert bars(colour_figure(recommender.frame)) == counted("baseColour", ROWS)
