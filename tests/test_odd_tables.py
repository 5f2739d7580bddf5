"""Habits of tables and folders that people really have, each read as a careful person would."""

import csv
import io
import json
import re
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from conftest import ROWS, draw_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tables import NAMES, PICTURES, RECORDS, built, shop, written, zipped

from recommender.catalog.cleaning import CatalogReport, clean_rows
from recommender.catalog.columns import NAME, read_told, with_usual_names
from recommender.catalog.items import build_catalog
from recommender.catalog.own import own_columns
from recommender.catalog.sources import read_source
from recommender.catalog.tables import read_table
from recommender.catalog.updates import update_catalog
from recommender.catalog.values import cleaned, whole_number
from recommender.errors import CatalogError

PICTURE = [draw_picture(row) for row in ROWS]


def read(text: str, name: str = "t.csv") -> pd.DataFrame:
    return read_table(text.encode(), name).rows


def own(*values: str | None, name: str = "x") -> tuple[list[Any], list[str]]:
    typed, notes = own_columns(pd.DataFrame({name: values}, dtype=object))
    return typed[name].tolist(), notes


@pytest.mark.parametrize(
    "first", ["sep=;\r\n", '"sep=;"\n', "SEP=;\r", "sep=;;;;\n", "\n sep=; \n", "\ufeffsep=;\n"]
)
def test_a_line_that_says_the_delimiter(first: str) -> None:
    rows = read(f"{first}id;title\n1;a, b\n2;c\n")
    assert rows.to_numpy().tolist() == [["1", "a, b"], ["2", "c"]]


def test_a_column_may_begin_as_such_a_line() -> None:
    assert list(read("sep=size,id\n1,2\n")) == ["sep=size", "id"]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("id,title,colour\n2,b,Blue", ["2", "b", "Blue"]),
        ("ID,Title,COLOUR\n2,b,Blue", ["2", "b", "Blue"]),
        ("colour,id,title\nBlue,2,b", ["2", "b", "Blue"]),
        ("id,title\n2,b", ["2", "b", None]),
        ("id,colour,price\n2,Blue,9", ["2", None, "Blue"]),
    ],
)
@pytest.mark.parametrize("between", ["", "\n", ",,,\n"])
def test_two_tables_on_end(second: str, expected: list[str | None], between: str) -> None:
    rows = read(f"id,title,colour\n1,a,Red\n{between}{second}\n")
    both = rows[["id", "title", "colour"]].astype(object)
    found = both.where(both.notna(), None).to_numpy().tolist()
    assert found == [["1", "a", "Red"], expected]
    if "price" in second:
        assert rows["price"].tolist()[1] == "9"


def test_a_row_that_only_looks_like_a_header_is_none() -> None:
    assert read("id,title,colour\n1,colour,red\n2,b,title\n")["title"].tolist() == ["colour", "b"]


QUOTED = st.text(st.sampled_from('ab ,;"\\é'), min_size=1).map(lambda t: f"x{t}y")


@settings(max_examples=150, deadline=None)
@given(names=st.lists(QUOTED, min_size=1, max_size=4), delimiter=st.sampled_from(",;\t|"))
def test_spaces_before_quotes(names: list[str], delimiter: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows(
        [["id", "title", "colour"], *([str(i), n, "Red"] for i, n in enumerate(names))]
    )
    plain = [name for name in names if '\\"' not in name]
    text = file.getvalue()
    if len(plain) == len(names):  # else it is not known how quotes are written
        assert read(text)["title"].tolist() == names
    if not any('"' in name or delimiter in name for name in names):
        spaced = text.replace(f'"{delimiter}"', f'"{delimiter} "')
        assert read(spaced)["title"].tolist() == names
        assert read(spaced)["colour"].tolist() == ["Red"] * len(names)


def test_quotes_within_quotes_by_a_backslash() -> None:
    rows = read(
        'id,title,colour\n1,"The \\"big\\" tee, new",Red\n2,"C:\\dir\\",Blue\n3,15\\" x,Blue\n'
    )
    assert rows["title"].tolist() == ['The "big" tee, new', "C:\\dir\\", '15\\" x']
    assert rows["colour"].tolist() == ["Red", "Blue", "Blue"]


def test_an_unquoted_comma_of_a_name_keeps_its_space() -> None:
    table = read_table(b"id,title,colour\n1,Tee, red and big,Red\n", "t.csv")
    assert table.rows["title"].tolist() == ["Tee, red and big"]
    assert table.repaired == ["1"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("15970.00", 15970),
        ("15.970", 15970),
        ("15 970", 15970),
        ("1'159'700", 1159700),
        ("'0015970", 15970),
        ("1,159.700", None),
        ("15.97", None),
        ("1 59 700", None),
    ],
)
def test_more_forms_of_a_number_that_is_an_id(text: str, number: int | None) -> None:
    assert whole_number(text) == number


def test_ids_as_spreadsheets_are_told_to_keep_them(tmp_path: Path) -> None:
    lines = ["sku,title", '="0001",a', "'2,b", "3.00,c", "4,d"]
    files = {"t.csv": "\n".join(lines).encode(), **PICTURES}
    frame, _ = built(shop(tmp_path / "shop", files), tmp_path)
    assert frame["id"].tolist() == [1, 2, 3, 4]


def test_ids_that_have_lost_digits_are_left_out_and_said(tmp_path: Path) -> None:
    lines = ["id,title", "1.23457E+11,a", "2,b"]
    files = {"t.csv": "\n".join(lines).encode(), **PICTURES}
    frame, report = built(shop(tmp_path / "shop", files), tmp_path)
    assert frame["id"].tolist() == [2]
    assert report.skipped == [
        {
            "id": "1.23457E+11",
            "reason": "a spreadsheet wrote the id as 1.23457E+11, which may have lost digits",
        }
    ]


@pytest.mark.parametrize(
    ("ids", "stems"),
    [
        (["sku-1", "SKU-2"], ["SKU-1", "sku-2"]),
        (["A/1", "B:2"], ["A_1", "B-2"]),
        (["{6F96-A1}", "#102"], ["6f96-a1", "102"]),
        (["A/1", "A/2"], ["A/1", "A/2"]),
    ],
)
def test_pictures_that_cannot_be_called_as_the_ids(
    ids: list[str], stems: list[str], tmp_path: Path
) -> None:
    pictures = {f"images/{s}.jpg": PICTURE[at] for at, s in enumerate(stems)}
    table = "\n".join(["id,title", *(f"{one},x" for one in ids)]).encode()
    raw = read_source(str(shop(tmp_path / "shop", {"t.csv": table, **pictures})))
    assert [raw.read_picture(at) for at in range(2)] == PICTURE[:2]
    assert any(note.startswith("read 2 pictures by the letters: ") for note in raw.notes)


def test_letters_that_fit_two_ids_or_two_pictures_fit_none(tmp_path: Path) -> None:
    pictures = {f"images/{s}.jpg": PICTURE[at] for at, s in enumerate(["A_1", "B-1", "b_1", "C"])}
    table = b"id,title\nA/1,x\nA:1,x\nB/1,x\nC,x\n"
    raw = read_source(str(shop(tmp_path / "shop", {"t.csv": table, **pictures})))
    assert [raw.read_picture(at) for at in range(4)] == [None, None, None, PICTURE[3]]


def test_names_of_pictures(tmp_path: Path) -> None:
    pictures = {f"images/{s}": PICTURE[at] for at, s in enumerate(["1.jpg.jpg", "2.JFIF", "3.jpg"])}
    pictures |= {"images/3.tif": b"II*\0", "images/4.heic": b"\0\0\0\x18ftypheic"}
    frame, report = built(shop(tmp_path / "s", {"t.csv": written(RECORDS), **pictures}), tmp_path)
    assert frame["id"].tolist() == [1, 2, 3]
    [skip] = report.skipped
    assert skip["id"] == "4"
    assert skip["reason"].startswith("unreadable picture: ")


def test_years_of_dates_and_of_none(tmp_path: Path) -> None:
    told = ["2012-03-04 10:00:00", "4.3.2013", "", "s/s 12", "2014"]
    rows, _ = with_usual_names(pd.DataFrame({"id": list("12345"), "year": told}))
    report = CatalogReport(source="t")
    years = clean_rows(rows, report)["year"]
    assert years.fillna(0).tolist() == [2012, 2013, 0, 0, 2014]
    assert report.notes == ["left out the year of 1 rows, which is none: 's/s 12'"]


@pytest.mark.parametrize(
    ("texts", "amounts", "currency"),
    [
        (["CHF 1'299.00", "CHF 5.-"], [1299, 5], "CHF"),
        (["19,99 €", "5,- €", "1.299,– €"], [19.99, 5, 1299], "EUR"),
        (["12 Euro", "13,50 EURO"], [12, 13.5], "EUR"),
        (["US$ 5", "$6.50"], [5, 6.5], "USD"),
        (["199 zł", "98,50 zł"], [199, 98.5], "PLN"),
    ],
)
def test_more_prices(texts: list[str], amounts: list[float], currency: str) -> None:
    typed, notes = own_columns(pd.DataFrame({"price": texts}, dtype=object))
    assert typed["price"].tolist() == amounts
    assert set(typed["currency"]) == {currency}
    assert not notes


def test_more_numbers_and_what_is_none() -> None:
    assert own("1 000", "12 000", "300")[0] == [1000, 12000, 300]
    assert own("1'000,5", "2,5")[0] == [1000.5, 2.5]
    assert own("12 34", "5")[0] == ["12 34", "5"]
    assert own("x", "y", "x")[0] == ["x", "y", "x"], "sizes, of which none means yes"
    assert own("Yes", "N", "y")[0] == [True, False, True]


def test_days_have_no_hour(tmp_path: Path) -> None:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in (["id", "since"], [1, date(2020, 1, 2)], [2, datetime(2021, 1, 2, 3, 4)]):
        book.active.append(row)
    book.save(file)
    rows = read_table(file.getvalue(), "t.xlsx").rows
    assert rows["since"].tolist() == ["2020-01-02", "2021-01-02 03:04:00"]
    file = io.BytesIO()
    pd.DataFrame({"since": pd.to_datetime(["2020-01-02", None])}, index=[7, 8]).rename_axis(
        "id"
    ).to_parquet(file)
    rows = read_table(file.getvalue(), "t.parquet").rows
    assert rows["since"].tolist() == ["2020-01-02", None]
    assert rows["id"].tolist() == ["7", "8"], "pandas keeps it as an index"


@pytest.mark.parametrize("name", ["t.json", "t.jsonl"])
def test_a_list_of_objects(name: str, tmp_path: Path) -> None:
    records = [{**RECORDS[0], "productDisplayName": "Line\u2028break"}, *RECORDS[1:]]
    data = json.dumps(records, indent=1, ensure_ascii=False).encode()
    sidecars = {"1.json": b"{}", "images/2.json": b"[1]"}
    files = {name: data, "1.jpg": PICTURE[0], **sidecars, **PICTURES}
    frame, report = built(shop(tmp_path / "shop", files), tmp_path)
    assert frame["productDisplayName"].tolist() == ["Line break", *NAMES[1:]]
    assert not report.skipped


def test_folders_lose_no_item(tmp_path: Path) -> None:
    files = {"Tops/1.jpg": PICTURE[0], "Bags/1.jpg": PICTURE[1], "Bags/1.png": PICTURE[2]}
    frame, report = built(shop(tmp_path / "shop", files), tmp_path)
    assert sorted(frame["articleType"]) == ["Bags", "Tops"]
    assert any(n.startswith("passed over 1 pictures") and "Bags/1.png" in n for n in report.notes)


def test_views_in_folders_that_are_named_by_numbers(tmp_path: Path) -> None:
    files = {f"images/{n}.jpg": PICTURE[at] for at, n in enumerate(["7_2", "7_1", "0008", "9"])}
    raw = read_source(str(shop(tmp_path / "shop", files)))
    assert raw.rows["id"].tolist() == ["8", "7", "9"]
    assert raw.rows["articleType"].tolist() == [None] * 3, "images is no type"
    assert raw.read_picture(1) == PICTURE[1]
    assert [view.name for view in raw.views(1)] == ["images/7_2.jpg"]


def test_lines_of_another_encoding_among_utf8() -> None:
    data = "id,title\n1,Crème brûlée €\n2,é\n".encode()
    table = read_table(data.replace("2,é".encode(), "2,\x80é".encode("latin-1")), "t.csv")
    assert table.rows["title"].tolist() == ["Crème brûlée €", "€é"]
    assert table.notes == ["read 1 lines of t.csv as Windows-1252, since they alone are not UTF-8"]


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf-8-sig"])
def test_a_mark_of_an_encoding_that_was_named(encoding: str) -> None:
    assert list(read_table("\ufeffid,x\n1,2\n".encode(), "t.csv", encoding=encoding).rows) == [
        "id",
        "x",
    ]


def test_what_is_no_table_or_lies_deep(tmp_path: Path) -> None:
    table = written(RECORDS)
    deep = {f"download/shop/{name}": data for name, data in {"t.csv": table, **PICTURES}.items()}
    assert len(read_source(str(shop(tmp_path / "deep", deep))).rows) == 4
    named = shop(tmp_path / "named", {"t.txt": table, **PICTURES}) / "t.txt"
    assert len(read_source(str(named)).rows) == 4
    for name in ("t.xls", "list.ods"):
        with pytest.raises(CatalogError, match=rf"{name} is no table that is read: save it as CSV"):
            read_source(str(shop(tmp_path / name[0], {name: b"x", **PICTURES})))
        (tmp_path / name[0] / name).unlink()


def test_columns_that_are_told_twice_and_those_without_a_name() -> None:
    with pytest.raises(CatalogError, match="says id twice"):
        read_told(["id=a,id=b"])
    rows = read_table(b",id,title,\n0,1,a,\n1,2,b,x\n", "t.csv")
    named, notes = with_usual_names(rows.rows)
    assert "" not in named
    assert "left out 1 columns without a name" in notes


def test_names_and_descriptions_come_without_markup() -> None:
    rows = pd.DataFrame(
        {
            "id": ["1", "2", "3"],
            "title": ["Tee &amp; &quot;Co&quot;", "R&B; <M> AT&TIMES", None],
            "Body (HTML)": ["<p>Soft&nbsp;tee</p><ul><li>new</li></ul>", "a < b > c", None],
        },
        dtype=object,
    )
    named, notes = with_usual_names(rows)
    assert named["productDisplayName"].tolist() == ['Tee & "Co"', "R&B; <M> AT&TIMES", None]
    assert named["description"].tolist() == ["Soft tee. new", "a < b > c", None]
    assert "read 1 of description without markup" in notes


def test_columns_that_count_pictures_hold_none() -> None:
    rows = pd.DataFrame({"id": ["1"], "images": ["3"], "photos": ["a.jpg"]}, dtype=object)
    named, _ = with_usual_names(rows)
    assert named["images"].tolist() == ["3"]
    assert named["image"].tolist() == ["a.jpg"]


def test_numbers_of_india_and_with_a_minus_of_print() -> None:
    typed, _ = own_columns(pd.DataFrame({"price": ["₹1,29,900", "₹999"]}, dtype=object))
    assert typed["price"].tolist() == [129900, 999]
    assert own("1,29,900", "12,34,56,789.5")[0] == [129900, 123456789.5]
    assert own("−3", "4")[0] == [-3, 4]


def left_out(text: str) -> list[str]:
    table = read_table(text.encode(), "t.csv")
    assert not table.repaired
    return [item_id for item_id, _ in table.left_out]


@pytest.mark.parametrize(
    ("header", "rows", "odd"),
    [
        # Beside the name, on either side of it, with a space or with words of the column.
        ("id,usage,title", ["1,Casual,Tee", "2,Party,Bag"], "3,Casual, Party,Tee"),
        ("id,usage,title", ["1,Casual,Tee", "2,Party,Bag"], "3,Casual,Party,Tee"),
        ("id,usage,title", ["1,Casual,Tee", "2,Party,Bag"], "3,Casual, Formal,Tee"),
        ("id,title,gender", ["1,Tee,Men", "2,Bag,Women"], "3,Tee,Men, kids"),
        ("id,title,gender", ["1,Tee,Men", "2,Bag,Women"], "3,Tee,Men,Women"),
        ("id,title,stock,colour", ["1,Tee,5,Red", "2,Bag,6,Blue"], "3,Tee,7,Red, Blue"),
        # A comma of thousands or of cents is no name's.
        ("id,title,price", ["1,Tee,999", "2,Bag,20"], "3,Tee,1,299"),
        ("id;title;price", ["1;Tee;9", "2;Bag;20"], "3;Tee; red;Blue; 9"),
        # A field too few in the middle.
        ("id,title,colour,stock", ["1,Tee,Red,5", "2,Bag,Blue,6"], "3,Tee,7"),
        ("id,gender,colour,title", ["1,Men,Red,Tee", "2,Women,Blue,Bag"], "3,Red,Tee"),
    ],
)
def test_fields_that_cannot_be_told_apart(header: str, rows: list[str], odd: str) -> None:
    assert left_out("\n".join([header, *rows, odd, ""])) == ["3"]


def test_rows_that_end_early_are_said() -> None:
    table = read_table(b"id,title,colour\n1,Tee,Red\n2,Bag\n3,Cap,Blue\n", "t.csv")
    assert table.rows["colour"].tolist() == ["Red", None, "Blue"]
    assert table.notes == ["1 rows end early and lack their last columns: 2"]


def test_a_backslash_says_that_a_field_goes_on() -> None:
    table = read_table(b"id,colour,title\n1,Red\\, dark,Tee\n2,Blue,\\N\n", "t.csv")
    assert table.rows.to_numpy().tolist() == [["1", "Red, dark", "Tee"], ["2", "Blue", "\\N"]]
    assert not table.repaired


@pytest.mark.parametrize(
    "above", ["\n\n", ",,,\n", "Export of 3.4.2024\n\n", "Our shop,,\nprices incl. VAT,,\n"]
)
@pytest.mark.parametrize("header", ["id,title,colour", '"id","title","colour"'])
def test_what_stands_above_the_header(above: str, header: str) -> None:
    rows = read(f"{above}{header}\n1,Tee,Red\n2,Bag,Blue\n")
    assert list(rows) == ["id", "title", "colour"] or '"' in header
    if '"' not in header or not above.strip("\n,"):
        assert rows["title"].tolist() == ["Tee", "Bag"]


def test_a_header_of_which_the_id_alone_is_known() -> None:
    assert read("Our stock\nof today\nSKU;Loft\nA-1;3\n")["SKU"].tolist() == ["A-1"]


def test_links_that_lead_to_pictures() -> None:
    rows = pd.DataFrame({"sku": ["a", "b"], "url": ["https://x/1.jpg", None]}, dtype=object)
    assert "image" in with_usual_names(rows)[0]
    rows["image"] = "1.jpg"
    assert with_usual_names(rows)[0]["url"].tolist() == ["https://x/1.jpg", None]
    pages = pd.DataFrame({"sku": ["a"], "url": ["https://x/1"]}, dtype=object)
    assert "link" in with_usual_names(pages)[0]


def test_lines_that_a_spreadsheet_put_in_quotes() -> None:
    rows = read('"id,title,colour"\n"1,""Tee, red"",Red"\n"2,Bag,Blue"\n')
    assert rows.to_numpy().tolist() == [["1", "Tee, red", "Red"], ["2", "Bag", "Blue"]]


def test_single_quotes() -> None:
    rows = read("'id';'title'\n'1';'Men''s \"big\"; tee'\n'2';'Bag'\n")
    assert rows.to_numpy().tolist() == [["1", 'Men\'s "big"; tee'], ["2", "Bag"]]


def test_lines_within_quotes_in_a_narrow_table() -> None:
    rows = read('id,title,note\n1,"Tee\nnew, x",Red\n2,Bag,"a, b,\nc, d, e\n\nf"\n3,Cap,x\n')
    assert rows.to_numpy().tolist() == [
        ["1", "Tee\nnew, x", "Red"],
        ["2", "Bag", "a, b,\nc, d, e\n\nf"],
        ["3", "Cap", "x"],
    ]


def test_a_second_table_under_other_names() -> None:
    rows = read("id,title,colour\n1,Tee,Red\nColor,SKU,Name\nBlue,2,Bag\n")
    assert rows.to_numpy().tolist() == [["1", "Tee", "Red"], ["2", "Bag", "Blue"]]


def _sheets(**sheets: list[list[Any]]) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(file)
    return file.getvalue()


def test_sheets_of_a_workbook() -> None:
    items = [["Stock of today"], [], ["SKU", None, "Title"], ["A-1", "x", "Tee"], ["A-2", "y"]]
    table = read_table(_sheets(About=[["By us"], ["2024"]], Items=items, Old=items), "t.xlsx")
    assert table.rows["Title"].tolist() == ["Tee", ""]
    assert table.notes == [
        "read the sheet 'Items' of t.xlsx alone; it has others: About, Old",
        "left out 1 lines before the header, the first is 'Stock of today'",
    ]
    _, notes = with_usual_names(table.rows)
    assert "left out 1 columns without a name" in notes


def test_a_sheet_whose_size_is_written_wrongly() -> None:
    whole, file = _sheets(Items=[["id", "title"], [1, "Tee"], [2, "Bag"]]), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            data = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', old.read(name))
            new.writestr(name, data)
    assert read_table(file.getvalue(), "t.xlsx").rows["title"].tolist() == ["Tee", "Bag"]


def test_json_that_wraps_or_ends_early() -> None:
    records = [{"id": 1, "title": "Tee"}, {"id": 2, "title": "Bag"}]
    wrapped = json.dumps({"count": 2, "products": records}, indent=1).encode()
    assert read_table(wrapped, "t.json").rows["title"].tolist() == ["Tee", "Bag"]
    by_id = json.dumps({"A-1": {"title": "Tee"}, "A-2": {"title": "Bag"}}).encode()
    assert read_table(by_id, "t.json").rows["id"].tolist() == ["A-1", "A-2"]
    pretty = "\n\n".join(json.dumps(record, indent=1) for record in records).encode()
    assert read_table(pretty, "t.jsonl").rows["title"].tolist() == ["Tee", "Bag"]
    one = json.dumps({"id": 1, "views": [{"url": "a.jpg"}]}).encode()
    assert read_table(one, "t.jsonl").rows["id"].tolist() == ["1"]
    lines = "\n".join(map(json.dumps, [*records, {"title": "Cap", "sku": "A-3", "x": 1}]))
    table = read_table(lines[:-4].encode(), "t.jsonl")
    assert table.rows["id"].tolist() == ["1", "2"]
    assert table.left_out == [("A-3", "t.jsonl ends within its line 3")]


@pytest.mark.parametrize(
    "word", ["\\N", "(null)", "#REF!", "#NV", "n.a.", "--", "–", "undefined", "NaT", "\u200b"]
)
def test_more_words_for_nothing(word: str) -> None:
    assert cleaned(word) is None


def test_names_in_more_languages_and_the_more_usual_of_two() -> None:
    columns = ["Barcode", "Référence", "Désignation", "Catégorie", "Type", "Price (EUR)", "Größe"]
    rows = [["401", "K-1", "Robe", "Robes", "simple", "9,50", "M"]]
    named, notes = with_usual_names(pd.DataFrame(rows, columns=columns, dtype=object))
    assert named[["id", NAME, "articleType", "price", "currency"]].iloc[0].tolist() == [
        "K-1",
        "Robe",
        "Robes",
        "9,50",
        "EUR",
    ]
    assert "kept as columns of its own: Barcode, Type, Größe" in notes


def test_ids_of_which_some_are_numbers(tmp_path: Path) -> None:
    ids = ["1", "2", "A-3", "B-4"]
    records = [{**record, "id": one} for record, one in zip(RECORDS, ids, strict=True)]
    pictures = {f"images/{one}.jpg": PICTURE[at] for at, one in enumerate(ids)}
    frame, report = built(shop(tmp_path / "s", {"t.csv": written(records), **pictures}), tmp_path)
    assert frame["id"].tolist() == ids
    assert not report.skipped


@pytest.mark.parametrize("id_form", ["{}", "SKU-{}"])
@pytest.mark.parametrize(
    "views",
    [
        ["{}/front.jpg", "{}/back.jpg"],
        ["{}/1.jpg", "{}/2.jpg", "{}/10.jpg"],
        ["{}_front.jpg", "{}_back.jpg"],
        ["{}-001.jpg", "{}-002.jpg"],
        ["{}.jpg", "{} (1).jpg", "{} (2).jpg"],
    ],
)
def test_views_as_shops_have_them(id_form: str, views: list[str], tmp_path: Path) -> None:
    ids = [id_form.format(at) for at in (1, 2, 3)]
    records = [{**record, "id": one} for record, one in zip(RECORDS, ids, strict=False)]
    files = {
        f"images/{view.format(one)}": PICTURE[3 * at + n]
        for at, one in enumerate(ids)
        for n, view in enumerate(views)
    }
    raw = read_source(str(shop(tmp_path / "shop", {"t.csv": written(records), **files})))
    for at in range(3):
        assert raw.read_picture(at) == PICTURE[3 * at]
        further = [view.read() for view in raw.views(at)]
        assert further == PICTURE[3 * at + 1 : 3 * at + len(views)]
    assert not any("passed over" in note for note in raw.notes)


def test_paths_of_another_machine_and_with_escapes(tmp_path: Path) -> None:
    told = ["C:\\shop\\images\\a b.jpg", "/home/me/images/ü.jpg", "images/a%20b.jpg", "x.jpg"]
    records = [{**record, "image": path} for record, path in zip(RECORDS, told, strict=True)]
    pictures = {"images/a b.jpg": PICTURE[0], "images/u\u0308.jpg": PICTURE[1]}
    raw = read_source(str(shop(tmp_path / "shop", {"t.csv": written(records), **pictures})))
    assert [raw.read_picture(at) for at in range(4)] == [PICTURE[0], PICTURE[1], PICTURE[0], None]


def test_ids_of_a_mac_and_names_with_a_colon(tmp_path: Path) -> None:
    records = [{**RECORDS[0], "id": "Gr\u00fcn-1"}, {**RECORDS[1], "id": "B:2"}]
    pictures = {"images/Gru\u0308n-1.jpg": PICTURE[0], "images/B:2.jpg": PICTURE[1]}
    files = {"t.csv": written(records), **pictures}
    frame, _ = built(zipped(tmp_path / "s.zip", files), tmp_path)
    assert frame["id"].tolist() == ["Gr\u00fcn-1", "B:2"]


def test_pictures_beside_a_folder_that_has_others(tmp_path: Path) -> None:
    pictures = {name.replace("images/", "photos/"): data for name, data in PICTURES.items()}
    files = {"t.xlsx": _sheets(A=[["id"], [1], [2], [3], [4]]), "~$t.xlsx": b"\5me", **pictures}
    files |= {"images/logo.png": PICTURE[5], "images/2.jpg": PICTURE[1]}
    raw = read_source(str(shop(tmp_path / "shop", files)))
    assert [raw.read_picture(at) for at in range(4)] == [PICTURE[at] for at in range(4)]
    assert (
        "read 3 pictures from outside images/: photos/1.jpg, photos/3.jpg, photos/4.jpg"
        in raw.notes
    )


def test_rows_that_have_but_another_picture(tmp_path: Path) -> None:
    lines = ["Handle,Title,Vendor,Variant Price,Image Src,Image Position"]
    lines += ["tee,Tee,Own,9.50,1.jpg,1", "tee,,,,2.jpg,2", "bag,Bag,Own,20,3.jpg,1"]
    lines += ["tee,,,,,", "bag,Bag,Own,21,4.jpg,2"]
    files = {"t.csv": "\n".join([*lines, ""]).encode(), **PICTURES}
    frame, report = built(shop(tmp_path / "shop", files), tmp_path)
    assert frame["id"].tolist() == ["tee", "bag"]
    assert [len(told) for told in frame["more_image_hashes"]] == [1, 0]
    assert [skip["id"] for skip in report.skipped] == ["bag"], "another price"


def test_what_is_removed_is_named_as_in_tables(tmp_path: Path) -> None:
    source = shop(tmp_path / "shop", {"t.csv": written(RECORDS), **PICTURES})
    build_catalog(read_source(str(source)), tmp_path / "catalog", source="shop")
    update = update_catalog(None, tmp_path / "catalog", source="r", remove=["2.0", " 003", "x"])
    assert update.removed == (2, 3)
    assert [skip["id"] for skip in update.skipped] == ["x"]
