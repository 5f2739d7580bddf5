"""Cleaning loses nothing, a catalog is whole or not there, and splits are stable."""

import io
import json
import re
import shutil
import unicodedata
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pytest
from conftest import ROWS, draw_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from recommender.catalog.cleaning import REPORT_FILE, CatalogReport, RawCatalog, clean_rows
from recommender.catalog.fingerprint import catalog_fingerprint
from recommender.catalog.items import (
    build_catalog,
    catalog_frame,
    load_catalog,
    pixel_hash,
)
from recommender.catalog.splits import name_groups, split_names, split_types
from recommender.catalog.values import is_missing
from recommender.errors import CatalogError, ImageError, StoreError
from recommender.schema import COLUMNS


def table(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def row_with(**values: object) -> tuple:
    row = dict(zip(COLUMNS, ROWS[0], strict=True)) | values
    return tuple(row[name] for name in COLUMNS)


def raw_of(rows: list[tuple], pictures: dict[int, bytes | None] | None = None) -> RawCatalog:
    """`pictures` by position; those of `conftest` where it says nothing."""
    given_pictures = pictures or {}

    def read(position: int) -> bytes | None:
        if position in given_pictures:
            return given_pictures[position]
        return draw_picture(ROWS[position % len(ROWS)])

    return RawCatalog(table(rows), read)


def png(picture: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", **options)
    return file.getvalue()


def built(directory: Path, rows: list[tuple], pictures: dict[int, bytes | None] | None = None):
    report = build_catalog(raw_of(rows, pictures), directory, source="a source")
    return load_catalog(directory), report


# --- cleaning

words = st.one_of(
    st.none(),
    st.sampled_from(["", "NA", " NA ", "Men", " Red  Tee\t", "2012", "2012.0", "-1", "1e3", "²"]),
    st.text(max_size=6),
)
ids = st.one_of(words, st.integers(-1, 12).map(str), st.sampled_from(["007", "7.0", "9" * 19]))


def trimmed(value: str | None) -> str | None:
    seen = re.sub("[\u200b\u200e\u200f\u2060\ufeff]", "", unicodedata.normalize("NFC", value or ""))
    text = " ".join(seen.split())
    return None if is_missing(text) else text


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(ids, *[words] * 9), max_size=12))
def test_every_row_is_kept_or_reported(rows: list[tuple]) -> None:
    report = CatalogReport(source="any")
    cleaned = clean_rows(table(rows), report)
    assert len(cleaned) + len(report.skipped) == len(rows)
    assert all(skip["reason"] for skip in report.skipped)
    assert cleaned["id"].is_unique
    assert cleaned["id"].between(0, 2**63 - 1).all()
    skipped = [skip["id"] for skip in report.skipped]
    left = [str(trimmed(row[0])) for i, row in enumerate(rows) if i not in cleaned.index]
    assert skipped == left
    for position, kept in cleaned.iterrows():
        row = dict(zip(COLUMNS, rows[position], strict=True))
        assert kept["id"] == int(trimmed(row["id"]).removesuffix(".0"))
        for name in COLUMNS:
            if name == "year":
                text = (trimmed(row[name]) or "").removesuffix(".0")
                known = text.isascii() and text.isdigit() and int(text) <= 9999
                assert (int(text) == kept[name]) if known else kept[name] is pd.NA
            elif name != "id":
                assert kept[name] == trimmed(row[name])


@pytest.mark.parametrize(
    ("text", "item_id"),
    [("7", 7), ("007", 7), ("7.0", 7), (7, 7), (7.0, 7), (" 7 ", 7), (str(2**63 - 1), 2**63 - 1)],
)
def test_ids_that_are_whole_numbers(text: object, item_id: int) -> None:
    assert clean_rows(table([row_with(id=text)]), CatalogReport(source=""))["id"][0] == item_id


@pytest.mark.parametrize(
    "text", [str(2**63), "9" * 30, "-1", "+1", "1.5", "x", None, "NA", "１", ""]
)
def test_ids_that_are_not(text: object) -> None:
    report = CatalogReport(source="")
    assert clean_rows(table([row_with(id=text)]), report).empty
    assert report.skipped[0]["reason"] == "the id is not a whole number"


def test_the_first_of_a_repeated_id_stays() -> None:
    report = CatalogReport(source="")
    rows = [row_with(id="7", gender="Men"), row_with(id="007", gender="Women")]
    assert clean_rows(table(rows), report)["gender"].tolist() == ["Men"]
    assert report.skipped == [{"id": "007", "reason": "an earlier row has the same id"}]


@pytest.mark.parametrize(
    ("text", "year"), [("2012", 2012), ("2012.0", 2012), (2012.0, 2012), ("12x", None), ("", None)]
)
def test_years(text: object, year: int | None) -> None:
    kept = clean_rows(table([row_with(year=text)]), CatalogReport(source=""))["year"]
    assert kept.dtype == "Int32"
    assert (None if kept.isna()[0] else kept[0]) == year


def test_a_table_without_an_id_names_what_was_found() -> None:
    rows = table([row_with()])[["id", "gender"]]
    assert clean_rows(rows, CatalogReport(source=""))["season"].tolist() == [None]
    with pytest.raises(CatalogError, match=r"lacks the column id; it has: gender\."):
        clean_rows(rows[["gender"]], CatalogReport(source=""))
    with pytest.raises(CatalogError, match="no column at all"):
        clean_rows(pd.DataFrame(), CatalogReport(source=""))


# --- pictures


def test_bytes_and_columns_are_kept(tmp_path: Path) -> None:
    items, report = built(tmp_path / "catalog", ROWS)
    assert [image["bytes"] for image in items["image"]] == [draw_picture(row) for row in ROWS]
    frame = catalog_frame(items)
    for i, name in enumerate(COLUMNS):
        want = [None if row[i] in ("", "NA") else row[i] for row in ROWS]
        if name == "year":
            want = [None if year is None else int(year) for year in want]
        assert [None if pd.isna(value) else value for value in frame[name]] == want
    assert report.missing == {name: int(name in ("season", "year", "usage")) for name in COLUMNS}


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("L", (60, 80), 90),
        Image.new("RGB", (1, 1), "red"),
        Image.new("RGB", (501, 3), "red"),
        Image.new("RGBA", (7, 9), (1, 2, 3, 4)),
    ],
    ids=["grey", "one pixel", "wide", "alpha"],
)
def test_odd_pictures_are_kept_as_they_are(tmp_path: Path, picture: Image.Image) -> None:
    data = png(picture)
    items, _ = built(tmp_path / "catalog", ROWS[:2], {0: data})
    assert items[0]["image"]["bytes"] == data


def test_pictures_that_cannot_be_read_are_left_out_with_reasons(tmp_path: Path) -> None:
    whole = draw_picture(ROWS[0])
    pictures = {0: None, 1: b"no picture", 2: whole[: len(whole) // 2], 3: b""}
    items, report = built(tmp_path / "catalog", ROWS, pictures)
    assert items["id"][:] == [row[0] for row in ROWS[4:]]
    assert items[0]["image"]["bytes"] == draw_picture(ROWS[4])
    reasons = {skip["id"]: skip["reason"] for skip in report.skipped}
    assert list(reasons) == ["1", "2", "3", "4"]
    assert reasons["1"] == "it has no picture"
    assert all(reasons[i].startswith("unreadable picture: ") for i in "234")


def test_rows_left_out_do_not_shift_the_pictures(tmp_path: Path) -> None:
    rows = [row_with(id="x"), *ROWS[1:4], row_with(id="2"), *ROWS[5:]]
    items, _ = built(tmp_path / "catalog", rows)
    assert len(items) == len(ROWS) - 2
    for item in items:
        assert item["image"]["bytes"] == draw_picture(ROWS[item["id"] - 1])


def test_a_table_of_any_row_labels(tmp_path: Path) -> None:
    raw = raw_of(ROWS[:3])
    labelled = RawCatalog(raw.rows.set_axis([5, 5, 0]), raw.read_picture)
    build_catalog(labelled, tmp_path / "catalog", source="a source")
    items = load_catalog(tmp_path / "catalog")
    assert [image["bytes"] for image in items["image"]] == [draw_picture(row) for row in ROWS[:3]]


def test_no_item_left_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="has no item: 1 rows were read"):
        built(tmp_path / "catalog", [row_with(id="NA")])
    with pytest.raises(CatalogError, match="it has no picture"):
        built(tmp_path / "catalog", ROWS[:2], {0: None, 1: None})
    assert not list(tmp_path.iterdir())


def test_equal_pixels_share_a_hash() -> None:
    picture = Image.new("RGB", (8, 6), "red")
    plain, tagged = png(picture), png(picture, dpi=(72, 72), compress_level=0)
    assert plain != tagged
    assert pixel_hash(plain) == pixel_hash(tagged)
    assert pixel_hash(plain) != pixel_hash(png(Image.new("RGB", (6, 8), "red")))
    assert pixel_hash(plain) != pixel_hash(png(Image.new("RGB", (8, 6), (254, 0, 0))))
    with pytest.raises(ImageError):
        pixel_hash(b"x")


def test_the_report_lies_beside_the_items(tmp_path: Path) -> None:
    raw = raw_of([*ROWS[:3], row_with(id="x")])
    raw = RawCatalog(raw.rows, raw.read_picture, repaired_ids=["2"], notes=["a note"])
    report = build_catalog(raw, tmp_path / "catalog", source="a source")
    stored = json.loads((tmp_path / "catalog" / REPORT_FILE).read_text())
    assert stored == {
        "source": "a source",
        "rows": 4,
        "items": 3,
        "repaired": ["2"],
        "skipped": [{"id": "x", "reason": "the id is not a whole number"}],
        "notes": ["a note"],
        "missing": dict.fromkeys(COLUMNS, 0),
        "fingerprint": catalog_fingerprint(load_catalog(tmp_path / "catalog")),
    }
    assert report.summary().splitlines() == [
        "3 items from 4 rows of a source",
        "a note",
        "repaired 1 rows with an unquoted comma in the name",
        "left out 1 rows",
        "  x: the id is not a whole number",
    ]
    assert report.summary(max_listed=0).endswith("… and 1 more, in report.json")


# --- a catalog on disk


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_earlier_catalog_survives_a_failed_build(tmp_path: Path, error: BaseException) -> None:
    before, _ = built(tmp_path / "catalog", ROWS)

    def read(position: int) -> bytes:
        raise error

    with pytest.raises((CatalogError, KeyboardInterrupt)):
        build_catalog(RawCatalog(table(ROWS), read), tmp_path / "catalog", source="b")
    after = load_catalog(tmp_path / "catalog")
    assert catalog_fingerprint(after) == catalog_fingerprint(before)
    assert [path.name for path in tmp_path.iterdir()] == ["catalog"]


def test_what_a_killed_build_left_is_in_nobodys_way(tmp_path: Path) -> None:
    left = tmp_path / "catalog.building"
    left.mkdir()
    (left / "map.arrow").write_bytes(b"half")
    items, _ = built(tmp_path / "catalog", ROWS)
    assert len(items) == len(ROWS)
    assert not left.exists()


def test_a_new_catalog_replaces_the_old_one(tmp_path: Path) -> None:
    built(tmp_path / "catalog", ROWS)
    (tmp_path / "catalog" / "stray").write_text("x")
    items, _ = built(tmp_path / "catalog", ROWS[:4])
    assert len(items) == 4
    assert not (tmp_path / "catalog" / "stray").exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CatalogError, match="cannot be written"):
        built(tmp_path / "file" / "catalog", ROWS[:2])
    with pytest.raises(CatalogError, match="cannot be written"):
        built(tmp_path / "file", ROWS[:2])
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("whole") / "catalog"
    built(directory, ROWS)
    return directory


def test_no_catalog_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"scripts\.build_catalog"):
        load_catalog(tmp_path)


@pytest.mark.parametrize("name", ["data-00000.arrow", "state.json", "dataset_info.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "half", "garbage", "other json"])
def test_a_damaged_catalog(whole: Path, tmp_path: Path, name: str, damage: str) -> None:
    directory = shutil.copytree(whole, tmp_path / "catalog")
    path = directory / name
    data = path.read_bytes()
    new = {"empty": b"", "half": data[: len(data) // 2], "garbage": b"\x93" * 40}
    path.unlink()
    if damage != "missing":
        path.write_bytes(new.get(damage, b"[1]"))
    with pytest.raises(StoreError, match="build it again"):
        load_catalog(directory)


def test_a_catalog_of_other_columns(tmp_path: Path) -> None:
    datasets.Dataset.from_dict({"id": [1]}).save_to_disk(tmp_path)
    (tmp_path / REPORT_FILE).write_text("{}")
    with pytest.raises(StoreError, match="other columns"):
        load_catalog(tmp_path)


def test_the_fingerprint_tells_content(whole: Path, tmp_path: Path) -> None:
    fingerprint = catalog_fingerprint(load_catalog(whole))
    items, _ = built(tmp_path / "same", ROWS)
    assert catalog_fingerprint(items) == fingerprint
    other = [
        [*ROWS[:-1], row_with(id=13)],
        ROWS[::-1],
        ROWS[:-1],
        [(99, *ROWS[0][1:]), *ROWS[1:]],
    ]
    seen = {fingerprint}
    for i, rows in enumerate(other):
        pictures = {p: draw_picture(ROWS[row[0] % 13 - 1]) for p, row in enumerate(rows)}
        seen.add(catalog_fingerprint(built(tmp_path / str(i), rows, pictures)[0]))
    pictures = {0: draw_picture(ROWS[1])}
    seen.add(catalog_fingerprint(built(tmp_path / "picture", ROWS, pictures)[0]))
    assert len(seen) == len(other) + 2


# --- names


def named(names: list[str | None], ids_: list[int] | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {"id": ids_ or range(len(names)), "productDisplayName": pd.Series(names, dtype=object)}
    )


def test_name_groups() -> None:
    names = ["A", "b", "a", None, "B", None, "ß", "SS"]
    assert name_groups(named(names)).tolist() == [0, 1, 0, 3, 1, 5, 6, 6]


names_and_ids = st.dictionaries(
    st.integers(0, 10**6), st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=30
)


@settings(max_examples=60, deadline=None)
@given(names_and_ids, st.data())
def test_splits_are_stable_and_follow_the_name(
    items: dict[int, str | None], data: st.DataObject
) -> None:
    frame = named(list(items.values()), list(items))
    split = split_names(frame)
    assert set(split) <= {"train", "dev", "test"}
    rows = data.draw(st.lists(st.integers(0, len(frame) - 1), unique=True, min_size=1))
    part = frame.iloc[rows].reset_index(drop=True)
    np.testing.assert_array_equal(split_names(part), split[rows])
    groups = name_groups(frame)
    for group in set(groups):
        assert len(set(split[groups == group])) == 1
    folded = [name if name is None else name.casefold() for name in items.values()]
    np.testing.assert_array_equal(split_names(named(folded, list(items))), split)


def test_types_that_are_not_seen_are_whole_types() -> None:
    types = [f"type {at}" for at in range(300)] + [None]
    rows = [
        (at * 301 + i, f"name {at} {i}", kind) for at in range(3) for i, kind in enumerate(types)
    ]
    frame = pd.DataFrame(rows, columns=["id", "productDisplayName", "articleType"], dtype=object)
    split = split_types(frame)
    unseen = frame["articleType"][split == "unseen"]
    assert 10 < unseen.nunique() < 45, "about a twelfth of 300"
    assert (unseen.value_counts() == 3).all()
    seen = split != "unseen"
    assert (split[seen] == split_names(frame)[seen]).all()
    assert seen[frame["articleType"].isna()].all()


@pytest.mark.parametrize("named_items", [True, False])
def test_the_proportions_of_the_splits(named_items: bool) -> None:
    names = [f"name {i}" if named_items else None for i in range(10_000)]
    split = split_names(named(names))
    shares = {name: float(np.mean(split == name)) for name in ("train", "dev", "test")}
    assert shares == pytest.approx({"train": 0.85, "dev": 0.05, "test": 0.10}, abs=0.01)
