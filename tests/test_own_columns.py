"""A shop's own ids and columns, from its table to what a visitor and a program are told."""

import csv
import io
import json
import shutil
from pathlib import Path
from typing import Any

import datasets
import gradio as gr
import httpx
import numpy as np
import pandas as pd
import pytest
from conftest import ROWS, BelievingEncoder, build_store, draw_picture, open_store
from hypothesis import given
from hypothesis import strategies as st
from serving import call, closing_loops, serve

from recommender.catalog.features import FEATURES
from recommender.catalog.items import build_catalog, catalog_frame, load_catalog
from recommender.catalog.own import DTYPES, columns_of, own_columns, read_numbers
from recommender.catalog.sources import read_source
from recommender.catalog.updates import update_catalog
from recommender.errors import CatalogError, QueryError, StoreError, UnknownItemError
from recommender.feedback.events import EventLog, count_events
from recommender.index.faiss import IndexConfig
from recommender.schema import Column, folded, keys_of
from recommender.search.filters import FilterTable
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.service.answers import Service
from recommender.store.build import build_store as build
from recommender.store.store import Store
from recommender.ui.find.view import item_html
from recommender.ui.parts.filters import FilterBoxes

WORDS = {"Tshirts": "Hemden", "Shirts": "Oberhemden"}


def shop_rows(count: int = len(ROWS)) -> list[dict[str, str]]:
    """What a German shop's table has of each item."""
    return [
        {
            "SKU": f"A/{n:03d} ü",
            "Bild": f"{n}.jpg",
            "Bezeichnung": row[9],
            "Produkttyp": row[4].upper() if n % 2 else row[4],
            "Farbe": row[5],
            "Geschlecht": row[1],
            "Preis": f"{1 + n % 2}.{n:03d},50 €" if n % 3 else f"{n + 5} €",
            "Marke": ["Ako", "AKO", "Bel"][n % 3],
            "Lager": str(n * n),
            "vegan": ["ja", "nein"][n % 2],
            "Link": f"https://shop.example/{n}",
            "Beschreibung": f"Ein schönes Stück, das man {n} mal tragen kann. " * 2,
            "leer": "",
        }
        for n, row in enumerate(ROWS[:count])
    ]


def shop(folder: Path, rows: list[dict[str, str]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    (folder / "artikel.csv").write_bytes(text.getvalue().encode("cp1252"))
    for n, row in enumerate(ROWS):
        (folder / f"{n}.jpg").write_bytes(draw_picture(row))
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("own") / "store"
    build_store(directory, shop(directory.parent / "shop", shop_rows()), encoder=BelievingEncoder())
    return directory


@pytest.fixture(scope="module")
def own(store: Path) -> Recommender:
    return open_store(store, BelievingEncoder())


@pytest.fixture
def copy(store: Path, tmp_path: Path) -> Path:
    return shutil.copytree(store, tmp_path / "store")


def test_every_column_is_kept_as_what_it_is(own: Recommender) -> None:
    kinds = {column.name: column.kind for column in own.columns if column.name not in FEATURES}
    assert kinds == {
        "price": "number",
        "currency": "choice",
        "brand": "choice",
        "link": "link",
        "description": "text",
        "Lager": "number",
        "vegan": "yes_no",
    }
    item = own.item("A/004 ü")
    assert (item["price"], item["currency"], item["Lager"], item["vegan"]) == (
        1004.5,
        "EUR",
        16,
        True,
    )
    assert item["link"] == "https://shop.example/4"
    assert set(own.frame["brand"]) == {"Ako", "Bel"}, "two spellings are one"
    assert set(own.frame["articleType"].map(folded)) == {folded(row[4]) for row in ROWS}


def test_what_was_read_as_what_is_said(tmp_path: Path) -> None:
    source = read_source(str(shop(tmp_path / "shop", shop_rows())))
    said = build_catalog(source, tmp_path / "catalog", source="shop").summary()
    for line in (
        "read the column 'Preis' as the price",
        "kept as columns of its own: Lager, vegan, leer",
        "the column 'leer' is empty",
        "spelling of brand: 'AKO' as 'Ako'",
    ):
        assert line in said


def test_ids_are_taken_as_they_are(own: Recommender) -> None:
    hits = own.by_id("A/004 ü", Options(k=3))
    assert len(hits) == 3
    assert set(hits.ids) < {row["SKU"] for row in shop_rows()}
    assert own.picture_bytes("A/004 ü") == draw_picture(ROWS[4])
    for wrong in (4, None, ["A/004 ü"], 4.0, True):
        with pytest.raises(UnknownItemError, match="id is a text"):
            own.item(wrong)
    for wrong in ("A/004", "", "\ud800", "A/004 ü" * 100):
        with pytest.raises(UnknownItemError, match="no item with this id"):
            own.item(wrong)


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({"price": {"max": 9}}, lambda f: f["price"] <= 9),
        ({"Lager": {"min": 4, "max": 49}}, lambda f: f["Lager"].between(4, 49)),
        ({"vegan": [True]}, lambda f: f["vegan"]),
        ({"brand": ["Bel"]}, lambda f: f["brand"] == "Bel"),
        ({"description": {"contains": "SCHÖNES 7"}}, lambda f: f["Lager"] == 49),
        ({"vegan": [False], "brand": ["Ako"]}, lambda f: ~f["vegan"] & (f["brand"] == "Ako")),
    ],
)
def test_own_columns_filter_exactly(own: Recommender, filters: dict, passes: Any) -> None:
    mask = own.filters.mask(filters)
    np.testing.assert_array_equal(mask, passes(own.frame).to_numpy(dtype=bool))
    hits = own.by_id("A/001 ü", Options(k=100, filters=filters, repeats=True))
    assert set(hits.ids) == set(own.frame["id"][mask]) - {"A/001 ü"}


@pytest.mark.parametrize(
    "filters",
    [
        {"vegan": [1]},
        {"vegan": ["ja"]},
        {"price": [True]},
        {"price": {"contains": "5"}},
        {"description": {"contains": ""}},
        {"description": {"contains": 5}},
        {"description": {"contains": "x" * 201}},
        {"description": {"contains": "x", "min": 1}},
        {"leer": ["x"]},
    ],
)
def test_filters_that_cannot_be(own: Recommender, filters: dict) -> None:
    with pytest.raises(QueryError):
        own.filters.mask(filters)


def test_results_in_the_order_of_a_column(own: Recommender) -> None:
    alike = own.by_id("A/001 ü", Options(k=6))
    for sort, falling in (("price", False), ("-price", True)):
        found = own.by_id("A/001 ü", Options(k=6, sort=sort))
        assert set(found.ids) == set(alike.ids), "the most similar ones, in another order"
        prices = [own.item(item_id)["price"] for item_id in found.ids]
        assert prices == sorted(prices, reverse=falling)
        assert dict(zip(found.ids, found.scores, strict=True)) == dict(
            zip(alike.ids, alike.scores, strict=True)
        )
    for wrong in ("brand", "--price", "-", "nothing"):
        with pytest.raises(QueryError, match="sort is one of"):
            own.by_id("A/001 ü", Options(sort=wrong))
    with pytest.raises(QueryError, match="sort is the name"):
        Options(sort=["price"])


def test_the_page_and_programs_are_told(own: Recommender, tmp_path: Path) -> None:
    with serve(own, tmp_path) as address:
        answer = call(address, "recommend_by_id", "A/004 ü", 2, {"vegan": [True]})
        pictures = [httpx.get(result["image"]) for result in answer["results"]]
        caption = httpx.get(f"{address}/captions/A%2F004%20%C3%BC").text
        missing = [
            httpx.get(f"{address}/{path}").status_code
            for path in ("pictures/A%2F999", "captions/4", "pictures/%00", "pictures/A%2F004")
        ]
    assert [p.status_code for p in pictures] == [200, 200]
    ids = [result["id"] for result in answer["results"]]
    assert [p.content for p in pictures] == [draw_picture(ROWS[int(i[2:5])]) for i in ids]
    assert all(
        result["vegan"] is True and result["currency"] == "EUR" for result in answer["results"]
    )
    assert caption.startswith(ROWS[4][9])
    assert missing == [404] * 4


def test_a_card_says_what_an_owner_says(own: Recommender) -> None:
    card = item_html({**own.item("A/004 ü"), "image": "pictures/A"})
    assert "<dt>Price</dt><dd>EUR 1,004.50</dd>" in card
    assert "<dt>Lager</dt><dd>16</dd>" in card
    assert "<dt>Vegan</dt><dd>yes</dd>" in card
    assert '<a href="https://shop.example/4"' in card
    assert "Currency" not in card
    reduced = {"discountedPrice": 899.0, "old_price": "on request", "sale_price": True}
    card = item_html({**own.item("A/004 ü"), "image": "pictures/A", **reduced})
    assert "<dt>Discounted price</dt><dd>EUR 899</dd>" in card
    assert "<dd>on request</dd>" in card
    assert "<dt>Sale price</dt><dd>yes</dd>" in card
    hostile = {"link": "javascript:alert(1)", "Lager": "<b>", "<i>": "x"}
    card = item_html({**own.item("A/004 ü"), "image": "pictures/A", **hostile})
    assert not {"javascript", "<b>", "<i>"} & set(card.replace(":", " ").split())
    assert "<b>" not in card
    assert "<i>" not in card
    card = item_html({**own.item("A/004 ü"), "image": "pictures/A", "Lager": "<b>" * 41})
    assert f"<details><summary>Lager</summary><p>{'&lt;b&gt;' * 41}</p></details>" in card
    assert "<dt>Lager</dt>" not in card


def test_what_an_item_is_like_is_counted_by_its_id(own: Recommender, tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    service = Service(own, events=log)
    service.recommend_by_id("A/004 ü", "")
    service.note("open", "A/004 ü")
    counts = count_events(log.read(), own.frame, "brand", now=2e9)
    assert (
        counts["brand"].tolist() == ["AKO" if own.item("A/004 ü")["brand"] == "AKO" else "Ako"] * 0
    )
    counts = count_events(log.read(), own.frame, "brand", now=log.read()["at"].max())
    assert counts[["kind", "day"]].to_numpy().tolist() == [["open", 1], ["search", 1]]


def test_a_store_of_text_ids_is_updated(copy: Path, tmp_path: Path) -> None:
    rows = [
        {"SKU": "A/001 ü", "Bild": "1.jpg", "Preis": "7,99 €", "Farbe": "RED"},
        {"SKU": "neu", "Bild": "2.jpg", "Preis": "5 €", "Farbe": "blue", "Rabatt": "12,5"},
    ]
    raw = read_source(str(shop(tmp_path / "update", [{"Rabatt": "", **row} for row in rows])))
    before = catalog_frame(load_catalog(copy / "catalog")).set_index("id")
    update = update_catalog(raw, copy / "catalog", source="update", remove=["A/002 ü", "nothing"])
    assert (update.added, update.changed, update.removed) == (("neu",), ("A/001 ü",), ("A/002 ü",))
    assert [skip["id"] for skip in update.skipped] == ["nothing"]
    after = catalog_frame(load_catalog(copy / "catalog")).set_index("id")
    kept = before.columns.drop("image_hash")
    others = before.index.drop(["A/001 ü", "A/002 ü"])
    pd.testing.assert_frame_equal(after.loc[others, kept], before.loc[others, kept])
    assert after.loc["A/001 ü", "price"] == 7.99
    assert after.loc["A/001 ü", "Lager"] == 1, "what an update does not have stays"
    assert after.loc["neu", "Rabatt"] == 12.5
    assert after["Rabatt"].count() == 1
    assert after.loc["A/001 ü", "baseColour"] == "Red", "as the catalog spells it"
    encoder = BelievingEncoder()
    build(copy, lambda _: encoder, IndexConfig(), former=Store.open(copy))
    assert encoder.encoded == 0, "every picture was known"
    assert open_store(copy, encoder).item("neu")["price"] == 5


def test_whole_numbers_come_to_a_column_of_others(copy: Path, tmp_path: Path) -> None:
    table = tmp_path / "prices.csv"
    table.write_text("SKU;Preis;Lager\nA/001 ü;4 €;2\nA/002 ü;5 €;0,5\n", encoding="utf-8")
    raw = read_source(str(table), with_pictures=False)
    update_catalog(raw, copy / "catalog", source="prices", labels_only=True)
    after = catalog_frame(load_catalog(copy / "catalog")).set_index("id")
    assert after.loc[["A/001 ü", "A/002 ü"], "price"].tolist() == [4, 5]
    assert after.loc[["A/001 ü", "A/002 ü", "A/003 ü"], "Lager"].tolist() == [2, 0.5, 9]
    assert after["price"].dtype == after["Lager"].dtype == "Float64"


def test_spellings_of_an_id_are_no_wish_to_remove(copy: Path, tmp_path: Path) -> None:
    rows = shop_rows()
    rows[1]["SKU"] = "a-OO1 ü"
    raw = read_source(str(shop(tmp_path / "all", rows)))
    with pytest.raises(CatalogError, match="misspelt: a-OO1 ü for A/001 ü"):
        update_catalog(raw, copy / "catalog", source="all", whole=True)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (
            "Lager",
            "many",
            "'Lager' holds numbers, what comes to it does not: it begins with 'many'",
        ),
        ("vegan", "7", "'vegan' holds yes or no"),
    ],
)
def test_an_update_of_another_kind_is_refused(
    copy: Path, tmp_path: Path, column: str, value: str, message: str
) -> None:
    raw = read_source(
        str(shop(tmp_path / "u", [{"SKU": "A/001 ü", "Bild": "1.jpg", column: value}]))
    )
    with pytest.raises(CatalogError, match=message):
        update_catalog(raw, copy / "catalog", source="update")


def test_labels_in_other_words(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [
        {**row, "Produkttyp": WORDS.get(ROWS[n][4], "Sonst")} for n, row in enumerate(shop_rows())
    ]
    source = shop(tmp_path / "shop", rows)
    build_store(tmp_path / "store", source, encoder=BelievingEncoder())
    assert "The encoder does not know these values of articleType: " in caplog.text
    assert "Hemden 4" in caplog.text
    foreign = open_store(tmp_path / "store", BelievingEncoder())
    told = {"articleType": {"hemden": "tshirts", "Oberhemden": "Shirts"}}
    raw = read_source(str(source))
    report = build_catalog(raw, tmp_path / "told", source="shop", vocabulary=told)
    assert "read 2 spellings of articleType: " in report.summary()
    types = catalog_frame(load_catalog(tmp_path / "told"))["articleType"]
    assert set(types) == {"tshirts", "Shirts", "Sonst"}
    agreement = BelievingEncoder.agreement
    vectors = foreign.index.vectors
    known = agreement.beliefs(
        agreement.with_labels(vectors, {"gender": [None] * len(types), "articleType": types})
    )
    believed = agreement.beliefs(vectors)["articleType"]
    sure = known["articleType"].max(axis=1) > 0.999
    np.testing.assert_array_equal(sure, types != "Sonst")
    np.testing.assert_allclose(known["articleType"][~sure], believed[~sure])


def test_a_store_whose_columns_are_no_catalogs_is_refused(tmp_path: Path) -> None:
    items = {name: [1 if name in ("id", "year") else "x"] for name in FEATURES}
    items["image"] = [{"bytes": b"x", "path": None}]
    good = {**FEATURES}
    for own in (
        {"": datasets.Value("string")},
        {"GENDER": datasets.Value("string")},
        {"x" * 61: datasets.Value("string")},
        {"x\n": datasets.Value("string")},
        {"list": datasets.List(datasets.Value("string"))},
        {"when": datasets.Value("timestamp[s]")},
        {"other": datasets.Image()},
        {f"n{i}": datasets.Value("string") for i in range(101)},
    ):
        rows = {**items, **{name: [None] for name in own}}
        order = [*list(good)[:-1], *own, "image_hash"]
        features = datasets.Features({name: {**good, **own}[name] for name in order})
        made = datasets.Dataset.from_dict({name: rows[name] for name in order}, features=features)
        made.save_to_disk(tmp_path / "made")
        (tmp_path / "made" / "report.json").write_text(json.dumps({}))
        with pytest.raises(StoreError, match="other columns"):
            load_catalog(tmp_path / "made")
        shutil.rmtree(tmp_path / "made")


# Single columns.


def typed(values: list[Any], name: str = "own") -> pd.Series:
    return own_columns(pd.DataFrame({name: pd.Series(values, dtype=object)}))[0].iloc[:, 0]


@pytest.mark.parametrize(
    ("values", "dtype", "read"),
    [
        (["1", "2.5", None], "Float64", [1, 2.5, pd.NA]),
        (["1", "-20", None], "Int64", [1, -20, pd.NA]),
        (["007", "008"], "object", ["007", "008"]),
        (["1234567890123456789"], "object", ["1234567890123456789"]),
        (["1,299"], "object", ["1,299"]),
        (["1,299", "1,299.5"], "Float64", [1299, 1299.5]),
        (["1.299", "1.299,5"], "Float64", [1299, 1299.5]),
        (["1.299", "12,5"], "Float64", [1299, 12.5]),
        (["1,234,567"], "Int64", [1234567]),
        (["12", "M"], "object", ["12", "M"]),
        (["1e5", "inf"], "object", ["1e5", "inf"]),
        (["Yes", "no", None], "boolean", [True, False, pd.NA]),
        (["TRUE", "FALSE"], "boolean", [True, False]),
        (["x", None], "object", ["x", None]),
        (["x", "nein"], "boolean", [True, False]),
        (["1", "0"], "Int64", [1, 0]),
    ],
)
def test_values_are_what_each_of_them_is(values: list, dtype: str, read: list) -> None:
    column = typed(values)
    assert column.dtype == dtype
    assert column.tolist() == pd.Series(read, dtype=dtype).tolist() or column.isna().any()
    assert [v for v in column if not pd.isna(v)] == [v for v in read if not pd.isna(v)]


@pytest.mark.parametrize(
    ("values", "prices", "currencies"),
    [
        (["₹1,299", "Rs. 499", "Rs 5"], [1299, 499, 5], ["INR"] * 3),
        (["$20", "19.99 USD", None], [20, 19.99, None], ["USD", "USD", None]),
        (["1.299 €", "EUR 20"], [1299, 20], ["EUR", "EUR"]),
        (["1 299,00 kr"], [1299], ["KR"]),
        (["CHF 1'250.50"], [1250.5], ["CHF"]),
        (["20", "30"], [20, 30], None),
    ],
)
def test_prices_in_their_currencies(values: list, prices: list, currencies: Any) -> None:
    found, _ = own_columns(pd.DataFrame({"price": pd.Series(values, dtype=object)}))
    assert [None if pd.isna(p) else p for p in found["price"]] == prices
    assert ("currency" in found) == (currencies is not None)
    if currencies:
        assert found["currency"].tolist() == currencies


def test_prices_that_are_none() -> None:
    few = ["10"] * 30 + ["auf Anfrage"]
    found, notes = own_columns(pd.DataFrame({"price": pd.Series(few, dtype=object)}))
    assert found["price"].isna().sum() == 1
    assert "left out the price of 1 rows, which is no number: 'auf Anfrage'" in notes
    found, notes = own_columns(pd.DataFrame({"price": pd.Series(["10 - 20", "5"], dtype=object)}))
    assert found["price"].tolist() == ["10 - 20", "5"]
    assert "kept 'price' as text" in notes[0]


@given(
    st.lists(st.decimals(-99_999_999, 99_999_999, places=2), min_size=1),
    st.sampled_from([("", "."), (",", "."), (".", ",")]),
)
def test_numbers_are_read_as_they_were_meant(numbers: list, how: tuple[str, str]) -> None:
    group, point = how
    written = [
        f"{number:,}".replace(",", "_").replace(".", point).replace("_", group)
        for number in numbers
    ]
    assert read_numbers(written) == [float(number) for number in numbers]


@given(
    st.lists(st.one_of(st.none(), st.text(min_size=1)), min_size=1, max_size=30),
    st.text(max_size=70),
)
def test_any_column_is_kept_or_said(values: list, name: str) -> None:
    texts = [None if v is None or not v.strip() else v for v in values]
    found, notes = own_columns(pd.DataFrame({name: pd.Series(texts, dtype=object)}))
    if name in found and name != "price":
        assert str(found[name].dtype) in DTYPES.values()
        assert (found[name].isna() == pd.Series(texts, dtype=object).isna()).all()
        assert columns_of(found)[-1].name == name
    elif name.strip() and name not in FEATURES and name != "price":
        assert any(repr(name) in note for note in notes)


@given(st.lists(st.text(max_size=40), unique=True, max_size=50))
def test_keys_tell_texts_apart(ids: list[str]) -> None:
    ids = [text for text in ids if text.isprintable()]
    keys = keys_of(ids)
    assert keys.dtype == np.int64
    assert len(set(keys.tolist())) == len(ids)
    assert (keys >= 0).all()


def test_what_few_items_have_is_not_among_the_first_to_choose_by() -> None:
    frame = pd.DataFrame({"brand": ["Ako"] * 3, "heel": ["Block", None, None]})
    columns = [Column(name, "choice", name) for name in frame]
    with closing_loops(), gr.Blocks() as page:
        boxes = FilterBoxes(FilterTable(frame), prefix="f", columns=columns)
    [more] = [block for block in page.blocks.values() if isinstance(block, gr.Accordion)]
    behind = {
        child.label for row in more.children for form in row.children for child in form.children
    }
    assert behind == {"Heel"}
    labels = {box.label: box for box in boxes.boxes}
    values = dict.fromkeys(boxes.boxes, None) | {labels["Heel"]: ["Block"]}
    assert boxes.read(values) == {"heel": ["Block"]}
