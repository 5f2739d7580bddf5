"""Every road into a catalog, and what is refused on it."""

import io
import struct
import sys
import types
import zipfile
import zlib
from pathlib import Path

import datasets
import pandas as pd
import pytest
from conftest import ROWS, draw_picture, styles_csv, write_archive
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from recommender.catalog.items import build_catalog, load_catalog
from recommender.catalog.sources import read_source
from recommender.catalog.tables import read_table
from recommender.errors import CatalogError, ImageError
from recommender.schema import COLUMNS

HEADER = ",".join(COLUMNS)


def pictures_of(source: str | Path) -> dict[str, bytes | None]:
    raw = read_source(str(source))
    return {item_id: raw.read_picture(i) for i, item_id in enumerate(raw.rows["id"])}


def unpack(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder


def refused(source: str | Path) -> str:
    with pytest.raises(CatalogError) as caught:
        read_source(str(source))
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message


def zip_of(path: Path, members: dict[str, bytes], **options: int) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, options.get("compression"))
    return path


def members(rows: list[tuple] = ROWS[:3]) -> dict[str, bytes]:
    pictures = {f"images/{row[0]}.jpg": draw_picture(row) for row in rows}
    return {"styles.csv": styles_csv(rows).encode(), **pictures}


# --- archives and folders


@pytest.mark.parametrize("under", ["", "fashion-dataset/"])
@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_archive_and_folder_give_the_same_rows_and_bytes(
    tmp_path: Path, under: str, kind: str
) -> None:
    source = write_archive(tmp_path / "a.zip", under=under)
    if kind == "folder":
        source = unpack(source, tmp_path / "folder")
    raw = read_source(str(source))
    assert raw.rows["id"].tolist() == [str(row[0]) for row in ROWS]
    assert raw.rows["productDisplayName"].tolist() == [row[-1] for row in ROWS]
    assert pictures_of(source) == {str(row[0]): draw_picture(row) for row in ROWS}


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_kaggles_copy_of_itself_is_read_once(tmp_path: Path, kind: str) -> None:
    copy = {f"myntradataset/{name}": data for name, data in members(ROWS[3:5]).items()}
    source = zip_of(tmp_path / "a.zip", {**copy, **members()})
    if kind == "folder":
        source = unpack(source, tmp_path / "folder")
    assert list(pictures_of(source)) == ["1", "2", "3"]


def test_a_copy_alone_is_read(tmp_path: Path) -> None:
    only = {f"myntradataset/{name}": data for name, data in members().items()}
    assert list(pictures_of(zip_of(tmp_path / "a.zip", only))) == ["1", "2", "3"]


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_full_size_pictures_keep_their_bytes(tmp_path: Path, kind: str) -> None:
    picture = draw_picture(ROWS[0], size=(900, 1200))
    source = zip_of(tmp_path / "a.zip", {**members(ROWS[:1]), "images/1.jpg": picture})
    if kind == "folder":
        source = unpack(source, tmp_path / "folder")
    build_catalog(read_source(str(source)), tmp_path / "catalog", source="full")
    item = load_catalog(tmp_path / "catalog")[0]
    assert item["image"]["bytes"] == picture
    assert Image.open(io.BytesIO(picture)).size == (900, 1200)


def test_the_demo_is_a_catalog_in_the_package() -> None:
    raw = read_source("demo")
    assert len(raw.rows) >= 800
    picture = raw.read_picture(0)
    assert picture is not None
    assert picture.startswith(b"\xff\xd8\xff")


def test_an_unknown_source_is_told_what_would_be_right(tmp_path: Path) -> None:
    assert "kaggle, hub:OWNER/NAME or demo" in refused(tmp_path / "nowhere.zip")


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x03\x04" + bytes(60)])
def test_not_a_zip(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    assert refused(path) == "a.zip is not a zip archive that can be read."


def test_nothing_that_is_needed_inside(tmp_path: Path) -> None:
    assert "holds nothing" in refused(zip_of(tmp_path / "empty.zip", {}))
    (tmp_path / "folder").mkdir()
    assert "has no table and no picture" in refused(tmp_path / "folder")
    assert "holds other.doc" in refused(zip_of(tmp_path / "b.zip", {"other.doc": b"x"}))
    assert "a header but no row" in refused(zip_of(tmp_path / "c.zip", {"other.csv": b"x"}))
    alone = {"styles.csv": members()["styles.csv"], "readme.md": b"x"}
    assert "no picture in images/" in refused(zip_of(tmp_path / "d.zip", alone))


@pytest.mark.parametrize(
    "name",
    [
        *("../x.jpg", "images/../../x.jpg", "/abs.jpg", "C:\\x.jpg", "C:x", "..\\x", "\\x", ""),
    ],
)
def test_names_that_would_leave_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = zip_of(folder / "a.zip", {**members(), name: b"x"})
    before = sorted(tmp_path.rglob("*"))
    assert "climbs out of it" in refused(path)
    assert sorted(tmp_path.rglob("*")) == before


def test_two_dots_in_a_name_are_only_dots(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {**members(), "images/a..b.jpg": b"x"})
    assert len(read_source(str(path)).rows) == 3


def test_reading_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_archive(tmp_path / "a.zip")
    build_catalog(read_source(str(path)), tmp_path / "store" / "catalog", source="a")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "store"]
    assert [p.name for p in (tmp_path / "store").iterdir()] == ["catalog"]


# --- bombs and damage


def test_a_picture_that_packs_too_well_costs_its_own_row(tmp_path: Path) -> None:
    bomb = {**members(), "images/2.jpg": bytes(20_000_000)}
    path = zip_of(tmp_path / "a.zip", bomb, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 100_000
    report = build_catalog(read_source(str(path)), tmp_path / "catalog", source="a")
    [skip] = report.skipped
    assert skip["id"] == "2"
    assert "a bomb: images/2.jpg would unpack" in skip["reason"]


def test_a_table_that_packs_too_well_is_refused(tmp_path: Path) -> None:
    bomb = {**members(), "styles.csv": HEADER.encode() + b"\n" * 20_000_000}
    path = zip_of(tmp_path / "a.zip", bomb, compression=zipfile.ZIP_DEFLATED)
    assert "styles.csv would unpack from" in refused(path)


def patch_size(path: Path, name: str, size: int) -> None:
    """Make the central directory say that a member has another size."""
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    while data[at + 46 : at + 46 + len(name)] != name.encode():
        at = data.index(b"PK\x01\x02", at + 1)
    data[at + 24 : at + 28] = struct.pack("<I", size)
    path.write_bytes(data)


def test_a_declared_size_beyond_all_tables_is_refused(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", members())
    patch_size(path, "styles.csv", 2**31)
    assert "2,147,483,648 bytes" in refused(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_header_that_lies_is_not_unpacked(
    tmp_path: Path, packing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 0

    class Watched:
        def __init__(self, wrapped: object) -> None:
            self.wrapped = wrapped

        def __getattr__(self, name: str) -> object:
            return getattr(self.wrapped, name)

        def decompress(self, *arguments: object) -> bytes:
            nonlocal most
            data = self.wrapped.decompress(*arguments)
            most = max(most, len(data))
            return data

    real = zipfile._get_decompressor
    bomb = {**members(), "images/2.jpg": bytes(30_000_000)}
    path = zip_of(tmp_path / "a.zip", bomb, compression=packing)
    patch_size(path, "images/2.jpg", 1000)
    if packing != zipfile.ZIP_DEFLATED:  # the other members are packed by the usual one
        usual = zip_of(tmp_path / "b.zip", members(), compression=zipfile.ZIP_DEFLATED)
        with zipfile.ZipFile(usual, "a", compression=packing) as archive:
            archive.writestr("images/9.jpg", bytes(30_000_000))
        path = usual
    monkeypatch.setattr(zipfile, "_get_decompressor", lambda kind: Watched(real(kind)))
    raw = read_source(str(path))
    if packing == zipfile.ZIP_DEFLATED:
        with pytest.raises(ImageError, match="damaged"):
            raw.read_picture(1)
    assert most < 100_000


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packings_whose_output_cannot_be_bounded_are_not_read(tmp_path: Path, packing: int) -> None:
    assert "packed in an unusual way" in refused(
        zip_of(tmp_path / "a.zip", members(), compression=packing)
    )


def damage(path: Path, name: str, by: int = 40) -> None:
    """Flip bits within a member's data."""
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo(name).header_offset + 30 + len(name)
    data = bytearray(path.read_bytes())
    data[start + by] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_picture_costs_only_its_item(tmp_path: Path, packing: int) -> None:
    path = zip_of(tmp_path / "a.zip", members(), compression=packing)
    damage(path, "images/2.jpg")
    report = build_catalog(read_source(str(path)), tmp_path / "catalog", source="a")
    assert load_catalog(tmp_path / "catalog")["id"][:] == [1, 3]
    assert [skip["id"] for skip in report.skipped] == ["2"]
    assert "images/2.jpg in a.zip is damaged" in report.skipped[0]["reason"]


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("by", [0, 40])
def test_a_damaged_table_is_an_error(tmp_path: Path, packing: int, by: int) -> None:
    path = zip_of(tmp_path / "a.zip", members(), compression=packing)
    damage(path, "styles.csv", by)
    assert "styles.csv in a.zip is damaged" in refused(path)


def test_an_encrypted_member(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", members())
    data = bytearray(path.read_bytes())
    local, central = data.index(b"images/2.jpg") - 30, data.rindex(b"images/2.jpg") - 46
    data[local + 6] |= 1
    data[central + 8] |= 1
    path.write_bytes(data)
    raw = read_source(str(path))
    with pytest.raises(ImageError, match="encrypted"):
        raw.read_picture(1)
    assert raw.read_picture(0) == draw_picture(ROWS[0])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_mutated_archive_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    whole = write_archive(tmp_path / "a.zip", ROWS[:2]).read_bytes()
    mutated = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        # the directory at the end is where a reader is led astray
        at = data.draw(st.integers(-400, -1)) % len(mutated)
        mutated[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "b.zip"
    path.write_bytes(mutated)
    try:
        raw = read_source(str(path))
        for position in range(len(raw.rows)):
            raw.read_picture(position)
    except (CatalogError, ImageError):
        pass


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = unpack(write_archive(tmp_path / "a.zip", ROWS[:3]), tmp_path / "folder")

    def lead_out(name: str) -> None:
        outside = tmp_path / Path(name).name
        (folder / name).rename(outside)
        (folder / name).symlink_to(outside)

    lead_out("images/2.jpg")
    report = build_catalog(read_source(str(folder)), tmp_path / "catalog", source="folder")
    assert [skip["id"] for skip in report.skipped] == ["2"]
    assert "a link that leads out of it" in report.skipped[0]["reason"]
    lead_out("styles.csv")
    assert "a link that leads out of it" in refused(folder)


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    folder = unpack(write_archive(tmp_path / "a.zip", ROWS[:3]), tmp_path / "folder")
    (folder / "images" / "2.jpg").unlink()
    (folder / "images" / "2.jpg").symlink_to("1.jpg")
    assert pictures_of(folder)["2"] == draw_picture(ROWS[0])


def test_a_file_that_went_away_costs_only_its_item(tmp_path: Path) -> None:
    folder = unpack(write_archive(tmp_path / "a.zip", ROWS[:3]), tmp_path / "folder")
    raw = read_source(str(folder))
    (folder / "images" / "2.jpg").unlink()
    report = build_catalog(raw, tmp_path / "catalog", source="folder")
    assert [skip["id"] for skip in report.skipped] == ["2"]
    assert "cannot be read" in report.skipped[0]["reason"]


# --- styles.csv


def line(item_id: int, name: str) -> str:
    return f"{item_id},Men,Apparel,Topwear,Tshirts,Red,Summer,2011,Casual,{name}"


def names_of(text: str | bytes) -> dict[str, str | None]:
    data = text.encode() if isinstance(text, str) else text
    rows = read_table(data, "styles.csv").rows
    return dict(zip(rows["id"], rows["productDisplayName"], strict=True))


def test_unquoted_commas_belong_to_the_name() -> None:
    text = "\n".join([HEADER, line(1, "Red, White, Blue"), line(2, "Plain"), line(3, '"A, B"')])
    table = read_table(text.encode(), "styles.csv")
    rows = table.rows
    assert rows["productDisplayName"].tolist() == ["Red, White, Blue", "Plain", "A, B"]
    assert table.repaired == ["1"]
    assert set(rows["usage"]) == {"Casual"}


def test_unquoted_commas_where_the_name_is_in_the_middle() -> None:
    order = ["productDisplayName", *(c for c in COLUMNS if c != "productDisplayName")]
    values = "Red, White,7,Men,Apparel,Topwear,Tshirts,Red,Summer,2011,Casual"
    table = read_table(f"{','.join(order)}\n{values}\n".encode(), "styles.csv")
    assert table.rows.iloc[0]["productDisplayName"] == "Red, White"
    assert table.rows.iloc[0]["id"] == "7"
    assert table.repaired == ["7"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('12" Bag', '12" Bag'),
        ('"A ""good"" shirt"', 'A "good" shirt'),
        ('"Two\nlines"', "Two\nlines"),
        ('"Two\nlines, and\nmore"', "Two\nlines, and\nmore"),
        ('"Never closed', '"Never closed'),
    ],
)
def test_quotes_never_swallow_the_rows_after_them(written: str, read: str) -> None:
    text = "\n".join([HEADER, line(1, written), line(2, "Next"), line(3, "Last")])
    assert names_of(text) == {"1": read, "2": "Next", "3": "Last"}
    assert names_of("\n".join([HEADER, line(1, "First"), line(2, written)]))["2"] == read


def test_two_stray_quotes_rows_apart_lose_no_row() -> None:
    text = "\n".join([HEADER, line(1, '"Open'), line(2, "Between"), line(3, '"Open too')])
    assert list(names_of(text)) == ["1", "2", "3"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)))
def test_what_a_csv_writer_wrote_is_read_back(names: list[str]) -> None:
    rows = [(i, *ROWS[0][1:-1], name) for i, name in enumerate(["first", *names])]
    text = styles_csv(rows)
    assert list(names_of(text).values()) == [row[-1] for row in rows]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbf" + f"{HEADER}\n{line(1, 'Café')}".encode(), id="bom"),
        pytest.param(f"{HEADER}\n{line(1, 'Café')}\n".encode("latin-1"), id="latin-1"),
        pytest.param(f"{HEADER}\r\n{line(1, 'Café')}\r\n".encode(), id="crlf"),
        pytest.param(f"{HEADER}\r{line(1, 'Café')}\r".encode(), id="cr"),
        pytest.param(f"{HEADER}\n\n{line(1, 'Café')}\n\n\n".encode(), id="blank lines"),
        pytest.param(f" {HEADER} \n{line(1, 'Café')}".encode(), id="spaced header"),
    ],
)
def test_encodings_and_line_ends(data: bytes) -> None:
    assert names_of(data) == {"1": "Café"}


def test_short_rows_are_filled() -> None:
    table = read_table(f"{HEADER}\n1,Men\n".encode(), "styles.csv")
    assert table.rows.iloc[0].tolist() == ["1", "Men", *[None] * 8]
    assert table.repaired == []
    assert table.left_out == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "a header but no row"),
        (HEADER.encode(), "a header but no row"),
        (f"{HEADER},gender\n{line(1, 'a')},Men".encode(), "a column twice"),
        (f"{HEADER}\n{line(1, 'x' * 200_000)}".encode(), "cannot be read"),
    ],
)
def test_a_table_that_cannot_be_used_says_what_was_found(data: bytes, said: str) -> None:
    with pytest.raises(CatalogError, match=said):
        read_table(data, "styles.csv")


# --- Kaggle


def stand_in(monkeypatch: pytest.MonkeyPatch, download: object) -> None:
    module = types.ModuleType("kagglehub")
    module.dataset_download = download
    monkeypatch.setitem(sys.modules, "kagglehub", module)


def test_kaggles_download_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = unpack(write_archive(tmp_path / "a.zip"), tmp_path / "cache")
    asked = []
    stand_in(monkeypatch, lambda name: asked.append(name) or str(folder))
    assert len(read_source("kaggle").rows) == len(ROWS)
    assert asked == ["paramaggarwal/fashion-product-images-small"]


@pytest.mark.parametrize("error", [ConnectionError("down"), RuntimeError("403"), zlib.error("x")])
def test_kaggle_out_of_reach(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(name: str) -> str:
        raise error

    stand_in(monkeypatch, fail)
    assert "download the archive by hand" in refused("kaggle")


# --- the Hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that `load_dataset("owner/name")` takes for the Hub's repository."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "owner/name/data").mkdir(parents=True)
    return tmp_path / "owner/name/data/train-00000-of-00001.parquet"


def hub_dataset(rows: list[tuple] = ROWS) -> datasets.Dataset:
    """The shape of ashraq/fashion-product-images-small: int ids, float years, pictures."""
    columns = {name: [row[i] or None for row in rows] for i, name in enumerate(COLUMNS)}
    columns["year"] = [float(year) if year else None for year in columns["year"]]
    columns["image"] = [{"bytes": draw_picture(row), "path": None} for row in rows]
    items = datasets.Dataset.from_pandas(pd.DataFrame(columns), preserve_index=False)
    return items.cast_column("image", datasets.Image())


def test_a_hub_dataset_keeps_its_bytes(hub: Path, tmp_path: Path) -> None:
    hub_dataset().to_parquet(hub)
    report = build_catalog(read_source("hub:owner/name"), tmp_path / "catalog", source="hub")
    items = load_catalog(tmp_path / "catalog")
    assert [image["bytes"] for image in items["image"]] == [draw_picture(row) for row in ROWS]
    assert items["year"][:] == [int(row[7]) if row[7] else None for row in ROWS]
    assert items["id"][:] == [row[0] for row in ROWS]
    assert report.missing["year"] == 1
    assert not report.skipped


def test_a_hub_dataset_without_feature_types(hub: Path) -> None:
    hub_dataset(ROWS[:2]).cast_column("image", datasets.Image(decode=False)).to_pandas().to_parquet(
        hub
    )
    raw = read_source("hub:owner/name")
    assert raw.read_picture(1) == draw_picture(ROWS[1])


def test_a_hub_picture_that_is_not_there(hub: Path) -> None:
    images = [None, {"bytes": None, "path": "gone.jpg"}, {"bytes": None, "path": None}]
    items = hub_dataset(ROWS[:3]).remove_columns("image").add_column("image", images)
    items.cast_column("image", datasets.Image(decode=False)).to_pandas().to_parquet(hub)
    raw = read_source("hub:owner/name")
    assert raw.read_picture(0) is None
    for position in (1, 2):
        with pytest.raises(ImageError):
            raw.read_picture(position)


def test_a_hub_dataset_that_names_a_file_of_this_machine(hub: Path, tmp_path: Path) -> None:
    mine, downloaded = tmp_path / "mine.jpg", tmp_path / "cache/downloads/its.jpg"
    downloaded.parent.mkdir(parents=True)
    for path in (mine, downloaded):
        path.write_bytes(draw_picture(ROWS[0]))
    disguised = downloaded.parent / "link.jpg"
    disguised.symlink_to(mine)
    images = [{"bytes": None, "path": str(path)} for path in (mine, disguised, downloaded)]
    items = hub_dataset(ROWS[:3]).remove_columns("image").add_column("image", images)
    items.cast_column("image", datasets.Image(decode=False)).to_pandas().to_parquet(hub)
    raw = read_source("hub:owner/name")
    for position in (0, 1):
        with pytest.raises(ImageError):
            raw.read_picture(position)
    assert raw.read_picture(2) == downloaded.read_bytes()


def test_a_hub_dataset_that_lacks_a_column(hub: Path, tmp_path: Path) -> None:
    hub_dataset().remove_columns("image").to_parquet(hub)
    assert "lacks the column image" in refused("hub:owner/name")
    hub.unlink()
    hub_dataset().rename_column("baseColour", "color").to_parquet(hub)
    raw = read_source("hub:owner/name")
    assert "read the column 'color' as the baseColour" in raw.notes
    report = build_catalog(raw, tmp_path / "catalog", source="hub")
    assert report.missing["baseColour"] == 0
    hub.unlink()
    hub_dataset().rename_column("id", "number").to_parquet(hub)
    assert "no column for the id" in refused("hub:owner/name")


def test_a_hub_dataset_whose_labels_are_numbers_has_their_names(hub: Path) -> None:
    names = sorted({row[1] for row in ROWS})
    labels = [names.index(row[1]) for row in ROWS[:-1]] + [None]
    items = hub_dataset().remove_columns("gender").add_column("gender", labels)
    items = items.cast_column("gender", datasets.ClassLabel(names=names))
    items.to_parquet(hub)
    rows = read_source("hub:owner/name").rows
    assert rows["gender"].tolist() == [*(row[1] for row in ROWS[:-1]), None]


def test_a_hub_dataset_whose_image_is_a_number(hub: Path) -> None:
    items = hub_dataset(ROWS[:1]).remove_columns("image")
    items.add_column("image", [1]).to_parquet(hub)
    assert "does not hold pictures" in refused("hub:owner/name")


def test_a_hub_dataset_out_of_reach() -> None:
    assert "cannot be loaded" in refused("hub:nobody/nothing-of-this-name")


@pytest.mark.parametrize("name", ["", "name", "a/b/c", "../etc", "a b/c", "https://x/y", "/a"])
def test_a_hub_name_of_another_form(name: str) -> None:
    assert "hub:OWNER/NAME" in refused(f"hub:{name}")
