"""Every chart's numbers, counted once more from styles.csv by plain pandas; and what cannot be."""

import base64
import csv
import io
import json
import re
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROWS, styles_csv
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.charts.chart import PLACE, Chart, prepared
from recommender.charts.palette import COLOUR_HEX
from recommender.charts.statistics import share_ratio, verdicts, wilson_interval
from recommender.schema import COLUMNS, NOUNS
from recommender.trends.hierarchy import RINGS, TREE
from recommender.trends.lifts import Period, period_changes, results_against, usual_periods
from recommender.trends.sections import NAMES, Periods, draw
from recommender.trends.style_map import style_map
from recommender.trends.words import _place

DEMO = Path(__file__).parents[1] / "recommender" / "demo" / "fashion-demo.zip"


def rows_of_archive(path: Path) -> pd.DataFrame:
    """`styles.csv` as text, a name with commas put together again."""
    with zipfile.ZipFile(path) as archive:
        (name,) = [n for n in archive.namelist() if n.endswith("styles.csv")]
        pictures = {Path(n).stem for n in archive.namelist() if n.endswith(".jpg")}
        lines = list(csv.reader(io.TextIOWrapper(archive.open(name), "utf-8")))
    last = len(lines[0]) - 1
    rows = [[*line[:last], ",".join(line[last:])] for line in lines[1:]]
    frame = pd.DataFrame(rows, columns=lines[0])
    return frame[frame["id"].isin(pictures)]


def cleaned(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.map(lambda text: None if text.strip() in ("", "NA") else text.strip())
    frame = frame.astype(object).where(frame.notna(), None)
    frame["id"] = frame["id"].astype("int64")
    frame["year"] = pd.array([None if y is None else int(y) for y in frame["year"]], dtype="Int32")
    return frame[list(COLUMNS)].reset_index(drop=True)


def frame_of(rows: list[tuple]) -> pd.DataFrame:
    return cleaned(pd.read_csv(io.StringIO(styles_csv(rows)), keep_default_na=False, dtype=str))


@pytest.fixture(
    scope="module",
    params=["dozen", "demo", pytest.param("real", marks=pytest.mark.real_data)],
)
def source(request: pytest.FixtureRequest) -> pd.DataFrame:
    if request.param == "dozen":
        return frame_of(ROWS)
    path = DEMO if request.param == "demo" else request.getfixturevalue("real_archive")
    return cleaned(rows_of_archive(path))


@pytest.fixture(scope="module")
def charts(source: pd.DataFrame) -> dict[str, Chart]:
    return dict(draw(prepared(source), NAMES, Periods()))


def sizes(frame: pd.DataFrame, *columns: str) -> dict[object, int]:
    """Items of each combination, by plain Python."""
    rows = frame[list(columns)].dropna().itertuples(index=False, name=None)
    return dict(Counter(row[0] if len(row) == 1 else row for row in rows))


def table_sizes(table: pd.DataFrame, *columns: str) -> dict[object, int]:
    keys = table[list(columns)].itertuples(index=False, name=None)
    pairs = zip(keys, table["items"], strict=True)
    return {(key[0] if len(key) == 1 else key): int(n) for key, n in pairs}


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("categories", "masterCategory"),
        ("category_shares", "masterCategory"),
        ("colours", "baseColour"),
        ("sub_categories", "subCategory"),
        ("season_shares", "season"),
        ("usages", "usage"),
        ("items_by_year", "year"),
    ],
)
def test_one_attribute(
    source: pd.DataFrame, charts: dict[str, Chart], name: str, column: str
) -> None:
    chart, expected = charts[name], sizes(source, column)
    assert table_sizes(chart.table, column) == expected
    total = sum(expected.values())
    assert chart.missing == len(source) - total
    assert np.allclose(chart.table["share"], chart.table["items"] / total)
    assert chart.counts.startswith(f"{total:,} items of the catalog")
    assert (f"; {chart.missing:,} without {NOUNS[column]}" in chart.counts) == (chart.missing > 0)
    trace = chart.figure.data[0]
    drawn = {"pie": "values", "bar": "y" if name == "sub_categories" else "x", "funnel": "x"}
    values = list(getattr(trace, drawn.get(trace.type, "y")))
    if name == "items_by_year":
        assert dict(zip(trace.x, values, strict=True)) == expected
    elif trace.type == "pie":
        assert sum(values) == total
    else:
        top = sorted(expected.values(), reverse=True)
        assert values == top[: 10 if name == "colours" else 16]


def test_colours_are_drawn_in_their_own(charts: dict[str, Chart]) -> None:
    bars = charts["colours"].figure.data[0]
    assert list(bars.marker.color) == [COLOUR_HEX[name] for name in bars.y]
    assert bars.marker.line.width > 0  # black on a dark page, white on a light one
    for stack in charts["gender_colours"].figure.data:
        assert stack.marker.color == COLOUR_HEX.get(stack.name, "#cbc4be")
    lines = [t for t in charts["colours_by_year"].figure.data if t.showlegend is None]
    assert all(line.line.color == COLOUR_HEX[line.name] for line in lines)


def test_sub_categories_add_up(charts: dict[str, Chart]) -> None:
    table = charts["sub_categories"].table
    assert np.allclose(table["cumulative_share"], np.cumsum(table["items"]) / table["items"].sum())
    line = charts["sub_categories"].figure.data[1]
    assert np.allclose(line.y, table["cumulative_share"].head(16))


@pytest.mark.parametrize(
    ("name", "columns", "within"),
    [
        ("gender_colours", ("gender", "baseColour"), "gender"),
        ("season_colours", ("baseColour", "season"), "season"),
        ("article_usages", ("articleType", "usage"), "articleType"),
        ("colour_clock", ("season", "baseColour"), "season"),
    ],
)
def test_two_attributes(
    source: pd.DataFrame,
    charts: dict[str, Chart],
    name: str,
    columns: tuple[str, str],
    within: str,
) -> None:
    table = charts[name].table
    expected = sizes(source, *columns)
    assert table_sizes(table, *columns) == expected
    of: Counter[str] = Counter()
    for pair, count in expected.items():
        of[pair[columns.index(within)]] += count
    shares = table["items"] / [of[value] for value in table[within]]
    assert np.allclose(table["share"], shares)
    figure = charts[name].figure
    if figure.data[0].type == "heatmap":
        (cells,) = figure.data
        drawn = dict(
            zip(table[list(columns)].itertuples(index=False, name=None), shares, strict=True)
        )
        for row, down in enumerate(cells.y):
            for column, across in enumerate(cells.x):
                assert cells.z[row][column] == pytest.approx(drawn.get((down, across), 0))
    elif figure.data[0].type == "bar":
        by_name = Counter()
        for stack in figure.data:
            by_name.update(dict(zip(stack.y, stack.x, strict=True)))
        assert np.allclose(list(by_name.values()), 1)
    else:
        (ring,) = figure.data
        assert sum(ring.width) == pytest.approx(360)


@pytest.mark.parametrize(("name", "levels"), [("tree", TREE), ("rings", RINGS)])
def test_nested(
    source: pd.DataFrame, charts: dict[str, Chart], name: str, levels: tuple[str, ...]
) -> None:
    chart = charts[name]
    expected = sizes(source, *levels)
    assert table_sizes(chart.table, *levels) == expected
    (trace,) = chart.figure.data
    label = dict(zip(trace.ids, trace.labels, strict=True))
    parent = dict(zip(trace.ids, trace.parents, strict=True))
    total = sum(expected.values())
    for node, value in zip(trace.ids, trace.values, strict=True):
        path: list[str] = []
        while parent[node]:
            path, node = [label[node], *path], parent[node]
        inside = [n for key, n in expected.items() if key[: len(path)] == tuple(path)]
        assert value == sum(inside) >= total / 1000


def test_growth(source: pd.DataFrame, charts: dict[str, Chart]) -> None:
    table = charts["category_growth"].table
    expected = sizes(source, "masterCategory", "year")
    assert table_sizes(table, "masterCategory", "year") == expected
    for row in table.itertuples():
        before = expected.get((row.masterCategory, row.year - 1))
        if before is None:
            assert np.isnan(row.growth)
        else:
            assert row.growth == pytest.approx(row.items / before - 1)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("colours_by_year", "baseColour"),
        ("article_types_by_year", "articleType"),
        ("usages_by_year", "usage"),
    ],
)
def test_shares_by_year(
    source: pd.DataFrame, charts: dict[str, Chart], name: str, column: str
) -> None:
    table = charts[name].table
    expected = sizes(source, column, "year")
    of: Counter[int] = Counter()
    for (_, year), count in expected.items():
        of[year] += count
    assert len(table) == len({value for value, _ in expected}) * len(of)
    for row in table.itertuples():
        n, k = of[row.year], expected.get((getattr(row, column), row.year), 0)
        assert (row.items, row.of) == (k, n)
        assert row.low <= row.share == k / n <= row.high
        # The ends of Wilson's interval are the shares whose own spread just reaches this one.
        for end in (row.low, row.high):
            assert abs(row.share - end) <= 1.96 * np.sqrt(end * (1 - end) / n) + 1e-6
    assert "year is that of listing" in charts[name].note


@pytest.mark.parametrize("column", ["baseColour", "articleType", "usage"])
def test_changes(source: pd.DataFrame, column: str) -> None:
    before, after = usual_periods(source)
    chart = period_changes(prepared(source), column)
    years = sizes(source, column, "year")
    was, now = (
        {
            value: sum(n for (v, y), n in years.items() if v == value and first <= y <= last)
            for value, _ in years
        }
        for first, last in (before, after)
    )
    assert sum(was.values()) + sum(now.values()) == sum(years.values())
    old, new = sum(was.values()), sum(now.values())
    for row in chart.table.itertuples():
        a, b = was[getattr(row, column)], now[getattr(row, column)]
        assert (row.before, row.after) == (a, b)
        half = 0.5 if a == 0 or b == 0 else 0
        ratio = (b + half) / (new + 2 * half) / ((a + half) / (old + 2 * half))
        error = 1 / (b + half) - 1 / (new + 2 * half) + 1 / (a + half) - 1 / (old + 2 * half)
        spread = 1.95996 * np.sqrt(error)
        assert np.log(ratio / row.low) == pytest.approx(spread, abs=1e-4)
        if a == 0:
            assert np.isnan(row.lift)
            assert np.isnan(row.high)
            assert row.trend == ("new" if row.low > 1 else "cannot say")
            continue
        assert row.lift == pytest.approx(ratio)
        assert np.log(row.high / row.lift) == pytest.approx(spread, abs=1e-4)
        holds_one = row.low <= 1 <= row.high
        assert (row.trend == "cannot say") == holds_one
        assert holds_one or (row.trend == "rises") == (ratio > 1)
    drawn = {name.removesuffix(" (new)") for trace in chart.figure.data for name in trace.y or ()}
    told = chart.table[chart.table["trend"] != "cannot say"][column]
    assert drawn <= set(told)
    assert bool(drawn) == bool(len(told))


def test_words(source: pd.DataFrame, charts: dict[str, Chart]) -> None:
    table = charts["words"].table
    names = [name.lower() for name in source["productDisplayName"].dropna()]
    for row in table.head(30).itertuples():
        alone = re.compile(
            rf"(?<![^\W\d_])(?<![^\W\d_]-){re.escape(row.word.lower())}(?![^\W\d_]|['’-][^\W\d_])"
        )
        apart = re.compile(rf"[^\W\d_]['’]{re.escape(row.word.lower())}(?![^\W\d_])")
        count = sum(1 for name in names if alone.search(apart.sub("", name)))
        assert row.items == count, row.word
    assert list(table["items"]) == sorted(table["items"], reverse=True)
    (cloud,) = charts["words"].figure.data
    assert len(cloud.text) >= min(len(table), 15)


def test_every_chart_says_what_it_counts(charts: dict[str, Chart]) -> None:
    assert tuple(charts) == NAMES
    for name, chart in charts.items():
        assert 0 < len(chart.title) <= 34, f"{name}: a phone shows no more of a title"
        assert chart.counts or chart.nothing, name
        figure = chart.figure  # which Plotly checks
        assert figure.layout.title.text == chart.title
        json.dumps(chart.spec, allow_nan=False, default=float)
        for trace in figure.data:
            if trace.type in ("bar", "scatter", "heatmap") and name not in (
                "words",
                "gender_colours",
            ):
                assert figure.layout.xaxis.title.text, name


def test_words_lie_apart() -> None:
    words = [(word, 400 // (at + 1)) for at, word in enumerate(["Shirt", "Kurta", "手袋"] * 12)]
    boxes = []
    for word, x, y, size in _place(words):
        wide = len(word) * size * (0.5 if word.isascii() else 0.9)
        boxes.append((x - wide / 2, x + wide / 2, y - size / 2, y + size / 2))
    assert len(boxes) > 20
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]


def test_results_against_the_catalog(source: pd.DataFrame) -> None:
    frame = prepared(source)
    wanted = frame["articleType"].value_counts().index[0]
    results = frame[frame["articleType"] == wanted].head(12)
    chart = results_against(results, frame)
    for row in chart.table.itertuples():
        found = int((results[row.attribute] == row.value).sum())
        of = int(results[row.attribute].notna().sum())
        in_all = int((source[row.attribute] == row.value).sum())
        share = in_all / int(source[row.attribute].notna().sum())
        assert (row.results, row.catalog) == (found, in_all)
        assert row.lift == pytest.approx(found / max(of, 1) / share)
        assert row.low <= row.lift + 1e-9
        assert row.lift <= row.high + 1e-9
        assert (row.represented == "cannot say") == (row.low <= 1 <= row.high)
    over = chart.table[chart.table["represented"] == "over-represented"]
    assert wanted in set(over["value"]) or len(source) < 20


def test_no_results_yet() -> None:
    frame = frame_of(ROWS)
    assert "search for something" in results_against(frame.iloc[:0], frame).nothing


def test_colour_of_another_name_is_drawn_all_the_same() -> None:
    frame = frame_of([(1, *ROWS[0][1:5], "Ultraviolet", *ROWS[0][6:])])
    bars = draw(frame, ["colours"], Periods())["colours"].figure.data[0]
    assert list(bars.y) == ["Ultraviolet"]
    assert bars.marker.color[0] not in COLOUR_HEX.values()


def test_texts_of_a_catalog_are_no_tags() -> None:
    row = (1, "<b>", "</script>", "a&b", "<i>", "<u>", "<s>", "2012", "<a>", "<em>word</em>")
    for name, chart in draw(frame_of([row, (2, *row[1:])]), NAMES, Periods()).items():
        text = json.dumps(chart.spec)
        assert not re.search(r"<(?!/?b>|br>|extra>|/extra>)", text), name
        assert "<b>" not in set(chart.table.iloc[:, 0]) or "&lt;b&gt;" in text


DEGENERATE = {
    "no items": [],
    "one item": ROWS[:1],
    "one colour": [(*row[:5], "Red", *row[6:]) for row in ROWS],
    "no years": [(*row[:7], "", *row[8:]) for row in ROWS],
    "no values": [(row[0], *[""] * 9) for row in ROWS],
    "another script": [
        (i, "服装", "衬衫", "棉", "红", "夏", "", "2012", "休闲", "红色 棉 衬衫") for i in range(9)
    ],
    "a type an item": [(i, *[f"v{i}"] * 6, str(1900 + i), f"v{i}", f"n{i}") for i in range(40)],
}  # fmt: skip


@pytest.mark.parametrize("case", DEGENERATE)
def test_degenerate_catalogs(case: str) -> None:
    rows = DEGENERATE[case]
    frame = frame_of(rows) if rows else frame_of(ROWS).iloc[:0]
    for make in (prepared(frame), frame):
        charts = draw(make, NAMES, Periods())
        for chart in (*charts.values(), results_against(make.head(1), make)):
            chart.figure  # noqa: B018 - Plotly checks it
            json.dumps(chart.spec, allow_nan=False, default=float)
            if chart.nothing:
                assert re.fullmatch(r"Nothing to show here, because .+\.", chart.nothing)
                said = chart.figure.layout.annotations[0].text.replace("<br>", " ")
                assert said == chart.nothing.replace("<", "&lt;")
    assert bool(charts["items_by_year"].nothing) == (case in ("no items", "no years", "no values"))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (Period(2011, 2013), Period(2013, 2016), "the two periods share a year"),
        (Period(1990, 1991), Period(2013, 2016), "no item of 1990–1991 has a colour"),
        (Period(2012, 2012), Period(1990, 1990), "no item of 1990 has a colour"),
    ],
)
def test_periods_that_cannot_be_compared(before: Period, after: Period, said: str) -> None:
    chart = period_changes(frame_of(ROWS), "baseColour", before, after)
    assert chart.nothing == f"Nothing to show here, because {said}."
    assert list(chart.table.columns)[-1] == "trend"
    assert chart.table.empty


def test_a_change_within_chance_is_no_trend() -> None:
    row = list(ROWS[0])
    rows = [
        (i, *row[1:5], "Red" if i % 3 else "Blue", "Summer", "2011" if i < 20 else "2012", *row[8:])
        for i in range(40)
    ]
    chart = period_changes(frame_of(rows), "baseColour")
    assert chart.nothing.endswith("every interval holds 1.")
    assert set(chart.table["trend"]) == {"cannot say"}


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 500)), min_size=1))
def test_wilson_holds_the_share(pairs: list[tuple[int, int]]) -> None:
    counts, totals = (np.array(v) for v in zip(*((min(k, n), n) for k, n in pairs), strict=True))
    low, high = wilson_interval(counts, totals)
    share = counts / totals
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert ((low <= share) & (share <= high)).all()


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(1, 200), st.integers(0, 200), st.integers(1, 200))
def test_a_ratio_turned_round_is_its_inverse(a: int, n: int, b: int, m: int) -> None:
    a, b = min(a, n), min(b, m)
    there, back = share_ratio([a], n, [b], m), share_ratio([b], m, [a], n)
    if a == b == 0:
        assert np.isnan(there[0][0])
        assert verdicts(there[1], there[2], "up", "down") == ["cannot say"]
        return
    ratio, low, high = (float(v[0]) for v in there)
    assert low <= ratio <= high
    assert back[0][0] == pytest.approx(1 / ratio)
    assert (back[1][0], back[2][0]) == pytest.approx((1 / high, 1 / low))


def placed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with places of its own, some below zero."""
    numbers = np.random.default_rng(0).integers(-32_767, 32_768, (len(frame), 2))
    return frame.assign(**dict(zip(PLACE, numbers.T.astype(np.int16), strict=True)))


def unpacked(array: dict[str, str]) -> list[int]:
    data = base64.b64decode(array["bdata"])
    return np.frombuffer(data, dtype=np.dtype(array["dtype"])).tolist()


@pytest.mark.parametrize("column", [name for name in NOUNS if name != "productDisplayName"])
def test_the_map_holds_every_item_where_it_is(source: pd.DataFrame, column: str) -> None:
    frame = placed(source)
    chart = style_map(prepared(frame), column)
    traces = chart.spec["data"]
    found = {
        item: (x, y, trace["name"])
        for trace in traces
        for item, x, y in zip(*(unpacked(trace[k]) for k in ("customdata", "x", "y")), strict=True)
    }
    assert sum(len(unpacked(trace["x"])) for trace in traces) == len(found) == len(frame)
    for item, x, y, value in frame[["id", *PLACE, column]].itertuples(index=False):
        named = f"without {NOUNS[column]}" if pd.isna(value) else str(value)
        assert found[item][:2] == (x, y)
        assert found[item][2] in (named, f"another {NOUNS[column]}")
    assert chart.table[["id", "x", "y"]].to_numpy().tolist() == (
        frame[["id", *PLACE]].to_numpy().tolist()
    )
    assert chart.missing == int(frame[column].isna().sum())
    assert chart.figure.data[0].type == "scattergl"


def test_colours_of_the_map_are_their_own() -> None:
    chart = style_map(placed(frame_of(ROWS)), "baseColour")
    fills = {trace["name"]: trace["marker"]["color"] for trace in chart.spec["data"]}
    assert fills == {name: COLOUR_HEX[name] for name in {row[5] for row in ROWS}}


def test_rare_values_of_the_map_share_a_colour() -> None:
    rows = [(i, "Men", "A", "B", f"Type {i // 2:02}", "Red", "", "", "", "") for i in range(30)]
    traces = style_map(placed(frame_of(rows)), "articleType").spec["data"]
    assert len(traces) == 9
    assert traces[0]["name"] == "another article type"
    assert len(unpacked(traces[0]["x"])) == 30 - 2 * 8
    years = [(i, "Men", "A", "B", "T", "Red", "", f"{2000 + i}", "", "") for i in range(12)]
    by_year = style_map(placed(frame_of(years)), "year").spec["data"]
    assert [trace["name"] for trace in by_year] == [str(2000 + i) for i in range(12)]


def test_maps_that_cannot_be_drawn() -> None:
    frame = frame_of(ROWS)
    assert (
        "no map yet: `python -m scripts.build_index` adds one" in style_map(frame, "year").nothing
    )
    nothing = style_map(placed(frame).iloc[:0], "gender").nothing
    assert nothing == "Nothing to show here, because no item passes the filters."
    assert "no item has a season" in style_map(placed(frame).assign(season=None), "season").nothing
    left_out = placed(frame).astype({PLACE[0]: "Float64"})
    left_out.loc[0, PLACE[0]] = pd.NA
    assert len(style_map(left_out, "gender").table) == len(ROWS) - 1
    point = placed(frame).assign(**dict.fromkeys(PLACE, 0))
    assert "lie on one point" in style_map(point, "gender").nothing
    one = style_map(placed(frame).iloc[:1], "gender")
    assert unpacked(one.spec["data"][0]["customdata"]) == [1]
    large = style_map(placed(frame).assign(id=2**40 + frame["id"]), "gender")
    ids = [item for trace in large.spec["data"] for item in unpacked(trace["customdata"])]
    assert sorted(ids) == sorted((2**40 + frame["id"]).tolist())


def test_a_column_called_x_is_the_catalog_s_own() -> None:
    frame = placed(frame_of(ROWS)).assign(x=[5.0] * len(ROWS), y=["soft"] * len(ROWS))
    counted = prepared(frame)
    assert counted["x"].tolist() == [5.0] * len(ROWS)
    table = style_map(counted, "gender").table
    assert list(table) == ["id", "x", "y", "gender"]
    assert table[["x", "y"]].to_numpy().tolist() == frame[[*PLACE]].to_numpy().tolist()
