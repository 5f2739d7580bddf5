"""Tables as shops have them: whatever wrote them, the same rows are read, or it is said why not."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from conftest import ROWS, draw_picture
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.catalog.columns import read_told, with_usual_names
from recommender.catalog.items import build_catalog, catalog_frame, load_catalog
from recommender.catalog.sources import read_source
from recommender.catalog.tables import decode, read_table
from recommender.errors import CatalogError
from recommender.schema import COLUMNS

RECORDS = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS[:4]]
PICTURES = {f"images/{row[0]}.jpg": draw_picture(row) for row in ROWS[:4]}
NAMES = [row[-1] for row in ROWS[:4]]
Files = dict[str, bytes]
Records = list[dict[str, Any]]


def written(records: Records, *, encoding: str = "utf-8", **how: Any) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(records[0]), **how)
    writer.writeheader()
    writer.writerows(records)
    return file.getvalue().encode(encoding)


def shop(folder: Path, files: Files) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def zipped(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, data)
    return path


def either(kind: str, tmp_path: Path, files: Files) -> Path:
    """The same files as a folder or as an archive."""
    return shop(tmp_path / "shop", files) if kind == "folder" else zipped(tmp_path / "s.zip", files)


def built(source: Path, tmp_path: Path, **how: Any) -> tuple[pd.DataFrame, Any]:
    into = tmp_path / "catalog"
    report = build_catalog(read_source(str(source), **how), into, source="shop")
    return catalog_frame(load_catalog(into)), report


FREE = st.text(st.characters(codec="cp1252", categories=["L", "N", "P"]), min_size=1)


@settings(max_examples=150, deadline=None)
@given(
    names=st.lists(FREE, min_size=4, max_size=4),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    ends=st.sampled_from(["\n", "\r\n"]),
    form=st.sampled_from(["{}", "{}.0", "00{}", " {} "]),
)
def test_whatever_wrote_it_the_same_is_read(
    names: list[str], delimiter: str, encoding: str, quoting: int, ends: str, form: str
) -> None:
    records = [
        {**record, "id": form.format(record["id"]), "productDisplayName": name}
        for record, name in zip(RECORDS, names, strict=True)
    ]
    how = {"delimiter": delimiter, "quoting": quoting, "lineterminator": ends}
    table = read_table(written(records, encoding=encoding, **how), "table.csv")
    assert table.rows["productDisplayName"].tolist() == names
    assert [float(text) for text in table.rows["id"]] == [1, 2, 3, 4]
    assert table.rows["year"].tolist() == [record["year"] for record in RECORDS]
    assert not table.left_out
    assert not table.repaired


def test_windows_letters_are_meant() -> None:
    name = "Men’s “Slim” Jeans – €20"
    data = written([{**RECORDS[0], "productDisplayName": name}], encoding="cp1252")
    table = read_table(data, "a.csv")
    assert table.rows["productDisplayName"][0] == name
    assert table.notes == ["read a.csv as Windows-1252, since it is not UTF-8"]
    table = read_table("id,title\n1,Robe d´été à 2½ €\n2,Crème\n".encode("cp1252"), "a.csv")
    assert table.rows["title"].tolist() == ["Robe d´été à 2½ €", "Crème"]
    assert table.notes[1].startswith("a.csv has été, à, Crème: if these are not as they were")


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp1251", "Платье красное"),
        ("gb18030", "红色连衣裙"),
        ("cp1250", "Sukienka żółta"),
        ("cp850", "Mädchen, grün"),
        ("mac_roman", "Mädchen, café"),
        ("shift_jis", "赤いドレス"),
    ],
)
def test_other_code_pages_are_for_people_to_name(encoding: str, name: str) -> None:
    data = written([{**RECORDS[0], "productDisplayName": name}], encoding=encoding)
    with pytest.raises(CatalogError, match=r"by --encoding, such as cp1251"):
        read_table(data, "table.csv")
    told = read_table(data, "table.csv", encoding=encoding)
    assert told.rows["productDisplayName"][0] == name
    with pytest.raises(CatalogError, match="not utf-8 throughout"):
        decode(data, "table.csv", "utf-8")
    with pytest.raises(CatalogError, match="no encoding 'klingon'"):
        decode(data, "table.csv", "klingon")


def test_what_spreadsheets_leave_behind() -> None:
    lines = written(RECORDS, delimiter=";").decode().splitlines()
    ended = [f"{line};;" for line in lines]
    text = "\n".join(["sep=;", *ended, "", ";;;;", lines[0], lines[1], ""])
    table = read_table(text.encode(), "table.csv")
    assert table.rows["productDisplayName"].tolist() == [*NAMES, NAMES[0]]
    assert list(table.rows.columns) == list(COLUMNS)


@pytest.mark.parametrize("column", ["gender", "articleType", "baseColour", "season"])
def test_a_comma_elsewhere_than_in_the_name_is_no_repair(column: str, tmp_path: Path) -> None:
    records = [dict(record) for record in RECORDS]
    lines = written(records).decode().splitlines()
    values = [*records[1].values()]
    values[list(COLUMNS).index(column)] += ", other"
    lines[2] = ",".join(map(str, values))
    files = {"styles.csv": "\n".join([*lines, ""]).encode(), **PICTURES}
    frame, report = built(shop(tmp_path / "shop", files), tmp_path)
    assert frame["id"].tolist() == [1, 3, 4]
    [skip] = report.skipped
    assert skip["id"] == "2"
    assert "11 fields where the table has 10 columns: put quotes around" in skip["reason"]


def test_a_table_that_ends_within_a_row(tmp_path: Path) -> None:
    data = written(RECORDS)
    files = {"styles.csv": data[: data.rindex(b"Fall") + 2], **PICTURES}
    frame, report = built(shop(tmp_path / "shop", files), tmp_path)
    assert frame["id"].tolist() == [1, 2, 3]
    [skip] = report.skipped
    assert skip["id"] == "4"
    assert "ends within this row: it has 7 of 10 fields" in skip["reason"]


@pytest.mark.parametrize("word", ["nan", "NaN", "None", "null", "N/A", "#N/A", "<NA>", "-", " "])
def test_words_for_nothing(word: str, tmp_path: Path) -> None:
    data = written([{**record, "baseColour": word} for record in RECORDS])
    files = {"styles.csv": data, **PICTURES}
    frame, report = built(shop(tmp_path / "shop", files), tmp_path)
    assert set(frame["baseColour"]) == {None}
    assert report.missing["baseColour"] == 4


# Other files.


def _workbook(records: Records) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    sheet = book.active
    sheet.append([*records[0], None])
    for record in records:
        sheet.append([int(record["id"]), *list(record.values())[1:]])
        sheet.append([])
    book.save(file)
    return file.getvalue()


def _json_lines(records: Records) -> bytes:
    return "\n\n".join(json.dumps(record) for record in records).encode()


def _parquet(records: Records) -> bytes:
    file = io.BytesIO()
    pd.DataFrame(records).to_parquet(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("suffix", "make"),
    [
        ("xlsx", _workbook),
        ("jsonl", _json_lines),
        ("ndjson", _json_lines),
        ("parquet", _parquet),
        ("tsv", lambda records: written(records, delimiter="\t")),
    ],
)
def test_tables_of_other_kinds(
    suffix: str, make: Callable[[Records], bytes], tmp_path: Path
) -> None:
    records = [{**RECORDS[0], "season": None}, *RECORDS[1:]]
    files = {f"products.{suffix}": make(records), **PICTURES}
    frame, report = built(shop(tmp_path / "shop", files), tmp_path)
    assert frame["productDisplayName"].tolist() == NAMES
    assert frame["id"].tolist() == [1, 2, 3, 4]
    assert frame["season"].tolist()[:2] == [None, "Summer"]
    assert not report.skipped


@pytest.mark.parametrize("suffix", ["xlsx", "jsonl", "parquet"])
@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"{", b'{"a": 1}\n[1]', b"PAR1" * 9])
def test_tables_that_are_none(suffix: str, data: bytes) -> None:
    with pytest.raises(CatalogError, match=r"products.*\.$"):
        read_table(data, f"products.{suffix}")


# Columns.


def test_usual_names_are_known_and_said(tmp_path: Path) -> None:
    other = {"productDisplayName": "Title", "baseColour": "Color", "gender": "SEX", "id": "Item ID"}
    records = [
        {other.get(name, name): value for name, value in record.items() if name != "usage"}
        for record in RECORDS
    ]
    source = shop(tmp_path / "shop", {"products.csv": written(records), **PICTURES})
    frame, report = built(source, tmp_path)
    assert frame["productDisplayName"].tolist() == NAMES
    assert frame["baseColour"].tolist() == [row[5] for row in ROWS[:4]]
    assert set(frame["usage"]) == {None}
    said = report.summary()
    assert "read the column 'Title' as the name" in said
    assert "read the column 'Item ID' as the id" in said
    assert "there is no column for usage" in said


def test_what_the_owner_says_goes_first(tmp_path: Path) -> None:
    records = [
        {**record, "title": f"New {record['id']}", "ref": record["id"]} for record in RECORDS
    ]
    for record in records:
        del record["id"]
    source = shop(tmp_path / "shop", {"products.csv": written(records), **PICTURES})
    with pytest.raises(CatalogError, match=r"no column for the id.*--columns id="):
        read_source(str(source))
    frame, _ = built(source, tmp_path, columns=read_told(["name=title,id=ref"]))
    assert frame["productDisplayName"].tolist() == [f"New {i}" for i in range(1, 5)]
    for pairs in (["name"], ["name="], ["=title"], [""]):
        with pytest.raises(CatalogError, match="takes pairs such as"):
            read_told(pairs)
    for wrong in ({"id": "nowhere"}, {"stock": "ref"}):
        with pytest.raises(CatalogError, match=r"--columns says .*right one of"):
            with_usual_names(pd.DataFrame(records), wrong)


# Pictures.


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize(
    "place",
    ["Images/{}", "images/tops/more/{}", "photos/{}", "{}", "images/00{}", "IMAGES/{}.JPG"],
)
def test_where_pictures_lie(kind: str, place: str, tmp_path: Path) -> None:
    pictures = {
        place.format(name.removeprefix("images/").removesuffix(".jpg" if "JPG" in place else "")): d
        for name, d in PICTURES.items()
    }
    files = {"styles.csv": written(RECORDS), **pictures}
    frame, report = built(either(kind, tmp_path, files), tmp_path)
    assert frame["id"].tolist() == [1, 2, 3, 4]
    assert not report.skipped


@pytest.mark.parametrize("form", ["./{}", "{}"])
@pytest.mark.parametrize("slash", ["/", "\\"])
def test_how_archivers_write_paths(form: str, slash: str, tmp_path: Path) -> None:
    files = {"styles.csv": written(RECORDS), **PICTURES}
    named = {form.format(name).replace("/", slash): data for name, data in files.items()}
    frame, _ = built(zipped(tmp_path / "shop.zip", named), tmp_path)
    assert len(frame) == 4


def test_the_first_view_is_the_items(tmp_path: Path) -> None:
    views = {f"images/{row[0]}_{v}.jpg": draw_picture(row) for row in ROWS[:4] for v in (2, 10, 1)}
    views["images/1_1.jpg"] = draw_picture(ROWS[7])
    raw = read_source(str(shop(tmp_path / "shop", {"styles.csv": written(RECORDS), **views})))
    assert raw.read_picture(0) == draw_picture(ROWS[7])
    assert raw.read_picture(1) == draw_picture(ROWS[1])


def test_a_column_says_which_picture(tmp_path: Path) -> None:
    records = [{**record, "Image": f"images\\of {i}.jpg"} for i, record in enumerate(RECORDS)]
    pictures = {f"images/of {i}.jpg": data for i, data in enumerate(PICTURES.values())}
    raw = read_source(str(shop(tmp_path / "shop", {"styles.csv": written(records), **pictures})))
    assert [raw.read_picture(i) for i in range(4)] == list(PICTURES.values())
    records[0]["Image"] = "../../../etc/passwd"
    raw = read_source(str(shop(tmp_path / "other", {"styles.csv": written(records), **pictures})))
    assert raw.read_picture(0) is None


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("suffix", ["json", "txt", "xmp", "csv.bak"])
def test_what_lies_beside_a_picture_is_none(kind: str, suffix: str, tmp_path: Path) -> None:
    beside = {f"images/{record['id']}.{suffix}": b"{}" for record in RECORDS}
    files = {"styles.csv": written(RECORDS), **beside, **PICTURES}
    frame, report = built(either(kind, tmp_path, files), tmp_path)
    assert len(frame) == 4
    assert not report.notes


def test_two_pictures_of_one_name_are_said(tmp_path: Path) -> None:
    files = {"styles.csv": written(RECORDS), **PICTURES, "images/2.png": b"another"}
    raw = read_source(str(shop(tmp_path / "shop", files)))
    assert raw.read_picture(1) == draw_picture(ROWS[1])
    assert "passed over 1 pictures, as others have their names: images/2.png" in raw.notes


def test_several_tables_are_for_people_to_choose(tmp_path: Path) -> None:
    files = {"a.csv": written(RECORDS), "b.xlsx": b"x", **PICTURES}
    with pytest.raises(CatalogError, match=r"several tables, a\.csv, b\.xlsx"):
        read_source(str(shop(tmp_path / "shop", files)))


def test_a_table_is_a_source_by_itself(tmp_path: Path) -> None:
    files = {"a.csv": written(RECORDS), "b.xlsx": b"x", **PICTURES}
    frame, _ = built(shop(tmp_path / "shop", files) / "a.csv", tmp_path)
    assert len(frame) == 4


def test_a_folder_of_pictures_alone(tmp_path: Path) -> None:
    files = {
        "Tops/Tee.jpg": draw_picture(ROWS[0]),
        "Bags/Tote.jpg": draw_picture(ROWS[8]),
    }
    frame, report = built(shop(tmp_path / "shop", files), tmp_path)
    assert frame[["id", "articleType", "productDisplayName"]].to_numpy().tolist() == [
        [1, "Bags", "Tote"],
        [2, "Tops", "Tee"],
    ]
    assert "there is no table: the folders" in report.summary()


def test_ids_that_are_texts(tmp_path: Path) -> None:
    records = [{**record, "id": f"SKU-{record['id']}"} for record in RECORDS]
    pictures = {f"images/SKU-{r['id']}.jpg": draw_picture(ROWS[n]) for n, r in enumerate(RECORDS)}
    frame, _ = built(
        shop(tmp_path / "shop", {"styles.csv": written(records), **pictures}), tmp_path
    )
    assert frame["id"].tolist() == [record["id"] for record in records]
