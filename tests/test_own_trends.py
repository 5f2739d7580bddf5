"""Trends of a catalog's own columns, counted once more by plain pandas; and what cannot be."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROWS, build_store, draw_picture, open_store, styles_csv
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.catalog.cleaning import CatalogReport, clean_rows
from recommender.catalog.sources import read_source
from recommender.charts.chart import prepared
from recommender.charts.statistics import bootstrap_medians, median_interval
from recommender.errors import QueryError
from recommender.search.recommender import Recommender
from recommender.service.trends import Question, Trends
from recommender.trends.lifts import Period
from recommender.trends.own import OWN, draw_own
from scripts import export_trends

EARLIER, LATER = Period(2011, 2012), Period(2013, 2018)


@pytest.fixture(scope="module")
def demo() -> pd.DataFrame:
    return prepared(clean_rows(read_source("demo").rows, CatalogReport(source="demo")))


def trend_of(frame: pd.DataFrame, name: str, column: str) -> pd.DataFrame:
    chart = draw_own(frame, name, column, EARLIER, LATER)
    chart.figure.to_plotly_json()  # Plotly checks it
    assert chart.title
    assert len(chart.title) <= 36
    return chart.table


@pytest.mark.parametrize("column", ["brand", "pattern", "fabric", "sleeveLength"])
def test_words_are_counted_by_value_type_and_year(demo: pd.DataFrame, column: str) -> None:
    counts = demo[column].value_counts()
    table = trend_of(demo, "own_values", column).set_index(column)
    assert table["items"].to_dict() == counts.to_dict()
    for name, other in (("own_by_type", "articleType"), ("own_by_year", "year")):
        pairs = demo[[other, column]].dropna().astype(object).value_counts().to_dict()
        table = trend_of(demo, name, column)
        found = dict(
            zip(zip(table[other], table[column], strict=True), table["items"], strict=True)
        )
        assert {pair: count for pair, count in found.items() if count} == pairs


def test_prices_are_spread_over_steps_that_hold_all_items(demo: pd.DataFrame) -> None:
    prices = demo["price"].dropna().to_numpy(dtype=float)
    table = trend_of(demo, "own_values", "price")
    assert table["items"].sum() == len(prices)
    assert table["share"].sum() == pytest.approx(1)
    for row in table.itertuples():
        low, high = row[1], row[2]
        last = row.Index == len(table) - 1
        inside = (prices >= low) & ((prices <= high) if last else (prices < high))
        assert row.items == inside.sum()


@pytest.mark.parametrize("by", ["articleType", "year"])
def test_medians_and_their_intervals(demo: pd.DataFrame, by: str) -> None:
    table = trend_of(demo, "own_by_type" if by == "articleType" else "own_by_year", "price")
    of = demo[[by, "price"]].dropna().groupby(by, observed=True)["price"]
    assert table.set_index(by)["items"].to_dict() == of.size().to_dict()
    assert table.set_index(by)["median"].to_dict() == pytest.approx(of.median().to_dict())
    assert (table["low"] <= table["median"]).all()
    assert (table["median"] <= table["high"]).all()


def test_what_rises_has_an_interval_above_1() -> None:
    rng = np.random.default_rng(1)
    count = 200
    early, late = rng.uniform(10, 20, count), rng.uniform(20, 40, count)
    still = rng.uniform(10, 20, count)
    rows = {
        "id": np.arange(4 * count),
        "articleType": ["Shirts"] * 2 * count + ["Socks"] * 2 * count,
        "year": pd.array(([2011] * count + [2015] * count) * 2, dtype="Int32"),
        "price": [*early, *late, *still, *rng.permutation(still)],
    }
    table = trend_of(pd.DataFrame(rows), "own_changes", "price").set_index("articleType")
    assert table["trend"].to_dict() == {"Shirts": "rises", "Socks": "cannot say"}
    assert table.loc["Shirts", "lift"] == pytest.approx(np.median(late) / np.median(early))
    assert table.loc["Shirts", "low"] > 1.5
    assert table.loc["Socks", "low"] < 1 < table.loc["Socks", "high"]


def test_of_few_items_nothing_is_said(demo: pd.DataFrame) -> None:
    few = demo.groupby("articleType", observed=True).head(3)
    for name in ("own_by_type", "own_changes"):
        chart = draw_own(few, name, "price", EARLIER, LATER)
        assert chart.nothing
    assert set(draw_own(few, "own_changes", "price", EARLIER, LATER).table["trend"]) <= {
        "cannot say"
    }


def test_currencies_are_not_mixed(demo: pd.DataFrame) -> None:
    mixed = demo.assign(currency=["INR" if n % 3 == 0 else "EUR" for n in range(len(demo))])
    mixed.loc[mixed["currency"] == "INR", "price"] *= 90
    chart = draw_own(mixed, "own_by_year", "price")
    euros = mixed[mixed["currency"] == "EUR"]
    expected = euros[["year", "price"]].dropna().groupby("year")["price"].median()
    assert chart.table.set_index("year")["median"].to_dict() == pytest.approx(expected.to_dict())
    assert "EUR" in chart.spec["layout"]["yaxis"]["title"]["text"]
    assert f"{euros['price'].notna().sum() - euros['year'].isna().sum():,} items" in chart.counts


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize(
    "values",
    [
        pd.array([True, False, None] * 4 + [True], dtype="boolean"),
        pd.array([1, 1, 1] * 4 + [1], dtype="Int64"),
        pd.array([0.0, 1e9, None] * 4 + [-3.5], dtype="Float64"),
        pd.Series(["<b>one</b>", None, "two"] * 4 + ["one"], dtype=object),
        pd.array([None] * 13, dtype="Float64"),
        pd.Series([None] * 13, dtype=object),
    ],
)
@pytest.mark.parametrize("rows", [13, 1, 0])
def test_any_column_has_its_charts_or_says_why_not(name: str, values: object, rows: int) -> None:
    header, *lines = csv.reader(styles_csv(ROWS).splitlines())
    raw = pd.DataFrame(lines, columns=header, dtype=object)
    frame = clean_rows(raw, CatalogReport(source="x")).assign(own=values).head(rows)
    chart = draw_own(prepared(frame), name, "own")
    chart.figure.to_plotly_json()
    assert chart.nothing or len(chart.table)
    assert "<b>" not in str(chart.spec).replace("<br>", "")


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_a_median_lies_within_its_interval(values: list[float]) -> None:
    middle, low, high = median_interval(values)
    assert min(values) <= low <= high <= max(values)
    assert low <= middle <= high or np.isclose([low, high], middle).any()


def test_drawn_medians_are_those_of_drawn_items() -> None:
    for n in (2, 9, 10):
        values = np.random.default_rng(n).normal(size=n)
        drawn = np.random.default_rng(1).choice(values, (40_000, n)).T
        slow = np.median(drawn, axis=0)
        fast = bootstrap_medians(values, draws=40_000)
        for value in np.append(values, values + np.ptp(values) / 1000):
            assert abs((slow <= value).mean() - (fast <= value).mean()) < 0.015
        assert abs(slow.std() - fast.std()) < 0.02 * np.ptp(values)


# --- asked of a catalog


@pytest.fixture(scope="module")
def priced_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("priced")
    header, *lines = styles_csv(ROWS).splitlines()
    more = [f"{n + 0.5},{'Ako' if n % 2 else 'Bel'},nothing" for n in range(len(lines))]
    rows = [f"{line},{of}" for line, of in zip(lines, more, strict=True)]
    (folder / "shop").mkdir()
    (folder / "shop" / "shop.csv").write_text("\n".join([f"{header},price,brand,note", *rows]))
    for row in ROWS:
        (folder / "shop" / f"{row[0]}.jpg").write_bytes(draw_picture(row))
    build_store(folder / "store", folder / "shop")
    return folder / "store"


@pytest.fixture(scope="module")
def priced(priced_store: Path) -> Recommender:
    return open_store(priced_store)


def test_tables_tell_of_the_prices_first_and_of_what_is_asked(priced: Recommender) -> None:
    trends = Trends(priced)
    assert trends.own_columns == ["price", "brand", "note"]
    answer = trends.tables([], Question())
    assert set(OWN) <= set(answer["tables"])
    assert sum(row["items"] for row in answer["tables"]["own_values"]) == len(ROWS)
    brands = trends.tables(["own_values"], Question(own="brand"))["tables"]["own_values"]
    assert {row["brand"]: row["items"] for row in brands} == {"Ako": 6, "Bel": 7}
    women = Question(own="brand", filters={"gender": ["Women"]})
    counted = trends.tables(["own_values"], women)["tables"]["own_values"]
    assert sum(row["items"] for row in counted) == sum(row[1] == "Women" for row in ROWS)


@pytest.mark.parametrize("own", ["gender", "link", "nothing", "id"])
def test_another_column_is_told_what_would_be_right(priced: Recommender, own: str) -> None:
    with pytest.raises(QueryError, match="own is one of price, brand, note"):
        Trends(priced).tables(["own_values"], Question.of(own=own))
    with pytest.raises(QueryError, match="own is the name"):
        Question.of(own=["price"])


def test_a_catalog_without_columns_of_its_own_has_none(recommender: Recommender) -> None:
    trends = Trends(recommender)
    assert trends.own_columns == []
    assert not set(OWN) & set(trends.tables([], Question())["tables"])
    with pytest.raises(QueryError, match="tables is a list of"):
        trends.tables(["own_values"], Question())
    assert trends.charts(["own_values"], Question())["own_values"].nothing
    with pytest.raises(QueryError, match="the catalog has none"):
        trends.charts(["own_values"], Question(own="price"))


@pytest.mark.parametrize(
    ("told", "columns"), [([], ["price", "brand"]), (["--own", "note"], ["note"]), (["--own"], [])]
)
def test_they_are_exported(
    priced_store: Path, tmp_path: Path, told: list[str], columns: list[str]
) -> None:
    options = ["--data", str(priced_store), "--out", str(tmp_path / "out"), "--no-pictures", *told]
    assert export_trends.main(options) == 0
    there = {path.stem for path in (tmp_path / "out").glob("own_*.csv")}
    assert there == {f"{name}_{column}" for name in OWN for column in columns}
    if "price" in columns:
        table = pd.read_csv(tmp_path / "out" / "own_by_year_price.csv")
        assert list(table.columns) == ["year", "items", "median", "low", "high"]


def test_an_unknown_column_is_not_exported(priced_store: Path, tmp_path: Path) -> None:
    options = ["--data", str(priced_store), "--out", str(tmp_path), "--own", "gender"]
    with pytest.raises(SystemExit):
        export_trends.main(options)
