"""An update adds, changes and removes items, embeds only what is new, and is never seen half."""

import gc
import shutil
import time
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any
from weakref import ref

import pytest
from conftest import ROWS, TinyEncoder, open_store, styles_csv, write_archive
from serving import call, closing_loops, serve

from recommender.catalog.sources import read_source
from recommender.catalog.updates import Update, update_catalog
from recommender.errors import CatalogError, RecommenderError, StoreError
from recommender.index.faiss import IndexConfig
from recommender.service.answers import Service
from recommender.service.live import Live
from recommender.service.trends import Question
from recommender.store.build import build_store
from recommender.store.manifest import load_manifest, store_version
from recommender.store.store import Store, writing
from recommender.ui.app import build_app


@pytest.fixture
def copy(store: Path, tmp_path: Path) -> Path:
    return shutil.copytree(store, tmp_path / "store")


def change(directory: Path, rows: list[tuple], **options: Any) -> Update:
    archive = write_archive(directory.parent / "update.zip", rows)
    raw = read_source(str(archive))
    return update_catalog(raw, directory / "catalog", source="update", **options)


def index(directory: Path) -> TinyEncoder:
    """What the script does once the catalog has changed; returns the encoder, which counts."""
    encoder = TinyEncoder()
    build_store(directory, lambda _: encoder, IndexConfig(), former=Store.open(directory))
    return encoder


NEW = (21, *ROWS[3][1:-1], "Jan Shirt")
RENAMED = (*ROWS[4][:-1], "Dor Run 2")
REPAINTED = (6, *ROWS[6][1:])


def test_items_are_added_changed_and_removed(copy: Path) -> None:
    before = open_store(copy)
    update = change(copy, [NEW, RENAMED, REPAINTED, ROWS[8]], remove=[1, 13])
    assert update.added == (21,)
    assert update.changed == (5, 6)
    assert update.removed == (1, 13)
    assert open_store(copy).frame.equals(before.frame), "the old one is served until the new is"
    encoder = index(copy)
    assert encoder.encoded == 2, "a new item and a new picture, not a new name"
    after = open_store(copy)
    assert sorted(after.index.ids.tolist()) == [*range(2, 13), 21]
    assert after.item(5)["productDisplayName"] == "Dor Run 2"
    assert after.picture_bytes(6) != before.picture_bytes(6)
    for item_id in (2, 3, 9):
        old, new = (r.index.vectors[r.items.row(item_id)] for r in (before, after))
        assert old.tobytes() == new.tobytes()
    assert len(list((copy / "catalog").glob("*.arrow"))) == 1
    assert load_manifest(copy).count == 12


def test_running_it_again_changes_nothing(copy: Path) -> None:
    change(copy, [NEW])
    index(copy)
    version = store_version(copy)
    assert change(copy, [NEW]) == Update()
    assert store_version(copy) == version
    assert index(copy).encoded == 0


def test_a_whole_source_removes_what_it_lacks(copy: Path) -> None:
    update = change(copy, [*ROWS[2:], NEW], whole=True)
    assert (update.added, update.changed, update.removed) == ((21,), (), (1, 2))


def test_labels_alone_are_corrected(copy: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("id;color\n1;Green\n0002;Blue\n99;Red\n")
    with pytest.raises(CatalogError, match="no picture"):
        read_source(str(table))
    raw = read_source(str(table), with_pictures=False)
    before = open_store(copy)
    update = update_catalog(raw, copy / "catalog", source="labels", labels_only=True)
    assert (update.added, update.changed, update.removed) == ((), (1, 2), ())
    assert update.skipped == ({"id": "99", "reason": "it has no picture"},)
    index(copy)
    after = open_store(copy)
    for item_id, colour in ((1, "Green"), (2, "Blue")):
        assert after.item(item_id) == {**before.item(item_id), "baseColour": colour}
        assert after.picture_bytes(item_id) == before.picture_bytes(item_id)


def test_what_cannot_be_read_is_no_wish_to_remove(copy: Path) -> None:
    before = sorted(path.name for path in (copy / "catalog").iterdir())
    raw = read_source(str(write_archive(copy.parent / "update.zip")))
    raw.rows.loc[0, "id"] = "SKU-1"
    with pytest.raises(CatalogError, match=r"Nothing is removed while .*SKU-1 \(the id is not"):
        update_catalog(raw, copy / "catalog", source="update", whole=True)
    with pytest.raises(CatalogError, match=r"lacks 3 of 13 items: say --allow-removing 3"):
        change(copy, ROWS[3:], whole=True)
    assert sorted(path.name for path in (copy / "catalog").iterdir()) == before
    assert change(copy, ROWS[3:], whole=True, allow_removing=3).removed == (1, 2, 3)


def test_columns_that_a_table_lacks_stay_and_empty_cells_are_said(
    copy: Path, tmp_path: Path
) -> None:
    before = open_store(copy)
    folder = tmp_path / "some"
    (folder / "images").mkdir(parents=True)
    for item_id in (1, 2):
        (folder / f"images/{item_id}.jpg").write_bytes(before.picture_bytes(item_id))
    table = folder / "t.csv"
    table.write_text("id,color,season\n1,Green,Winter\n2,Blue,\n")
    update = update_catalog(read_source(str(folder)), copy / "catalog", source="some")
    assert update.changed == (1, 2)
    assert "emptied, as the table says nothing there: season of 1" in update.notes
    assert "read the column 'color' as the baseColour" in update.summary()
    index(copy)
    after = open_store(copy)
    assert after.item(1) == {**before.item(1), "baseColour": "Green", "season": "Winter"}
    assert after.item(2) == {**before.item(2), "baseColour": "Blue", "season": None}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        # One item under another id, and a row whose picture is called as it should be.
        ([(99, *ROWS[0][1:]), *ROWS[1:]], "may be misspelt: 99 for 1. Say --allow-removing 1"),
        ([(98, *ROWS[0][1:]), *ROWS[1:]], r"rows cannot be read: 98 \(it has no picture\)"),
    ],
)
def test_a_misspelt_id_is_no_wish_to_remove(copy: Path, rows: list[tuple], said: str) -> None:
    folder = copy.parent / "update"
    shutil.unpack_archive(write_archive(copy.parent / "update.zip", ROWS), folder)
    images = folder / "images"
    (folder / "styles.csv").write_text(styles_csv(rows))
    if rows[0][0] == 99:
        (images / "1.jpg").rename(images / "99.jpg")
    raw = read_source(str(folder))
    before = sorted(path.name for path in (copy / "catalog").iterdir())
    with pytest.raises(CatalogError, match=said):
        update_catalog(raw, copy / "catalog", source="update", whole=True)
    assert sorted(path.name for path in (copy / "catalog").iterdir()) == before
    told = update_catalog(raw, copy / "catalog", source="u", whole=True, allow_removing=1)
    assert told.removed == (1,)


def test_a_bad_picture_leaves_the_item_as_it_was(copy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    shutil.unpack_archive(write_archive(tmp_path / "a.zip", [RENAMED, NEW]), folder)
    (folder / "images" / "5.jpg").write_bytes(b"no picture")
    raw = read_source(str(folder))
    update = update_catalog(raw, copy / "catalog", source="folder", whole=False)
    assert (update.added, update.changed) == ((21,), ())
    assert update.skipped[0]["id"] == "5"
    index(copy)
    assert open_store(copy).item(5)["productDisplayName"] == "Dor Run"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ([NEW, NEW], {}, "21 twice"),
        ([NEW], {"remove": [21]}, "removes it too"),
        ([], {"remove": range(1, 14)}, "no item"),
    ],
)
def test_what_cannot_be_leaves_all_as_it_was(
    copy: Path, rows: list[tuple], options: dict, said: str
) -> None:
    catalog = {p.name: p.read_bytes() for p in (copy / "catalog").iterdir()}
    raw = read_source(str(write_archive(copy.parent / "update.zip", rows))) if rows else None
    with pytest.raises(CatalogError, match=said):
        update_catalog(raw, copy / "catalog", source="update", **options)
    assert {p.name: p.read_bytes() for p in (copy / "catalog").iterdir()} == catalog
    assert sorted(p.name for p in copy.iterdir() if "building" in p.name) == []


def test_an_unknown_id_to_remove_is_listed(copy: Path) -> None:
    update = update_catalog(None, copy / "catalog", source="", remove=[99])
    assert update.skipped == ({"id": "99", "reason": "there is no such item to remove"},)


def test_who_changes_a_store_second_waits(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    order = []

    def second() -> None:
        with writing(copy):
            order.append("second")

    with writing(copy):
        thread = Thread(target=second)
        thread.start()
        while "waiting for another command" not in caplog.text:
            thread.join(0.01)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_the_running_app_serves_the_new_version_without_a_pause(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Event()
    monkeypatch.setattr("recommender.service.live.give_back", given.set)
    live = Live(open_store(copy))
    watching = live.watch(copy, partial(open_store, copy), every_seconds=0.05)
    try:
        with serve(live, tmp_path / "uploads") as address:
            assert "no item" in call(address, "item", 21)["error"]
            change(copy, [NEW], remove=[1])
            assert call(address, "item", 1)["item"]["id"] == 1
            index(copy)
            deadline = time.monotonic() + 60
            while len(live.now) != len(ROWS) or live.now.index.ids[-1] != 21:
                assert call(address, "recommend_by_id", 5)["results"]
                assert time.monotonic() < deadline
            assert call(address, "item", 21)["item"]["productDisplayName"] == "Jan Shirt"
            assert "no item" in call(address, "item", 1)["error"]
            assert given.wait(10), "what the former version took is given back"
    finally:
        live.stop()
        watching.join()


def test_a_version_that_cannot_be_loaded_is_not_served(
    copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> Any:
        raise RecommenderError("It cannot.")

    live = Live(open_store(copy))
    served = live.now
    watching = live.watch(copy, refuse, every_seconds=0.01)
    change(copy, [NEW])
    index(copy)
    deadline = time.monotonic() + 30
    while "It cannot." not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.01)
    live.stop()
    watching.join()
    assert "It cannot." in caplog.text
    assert live.now is served


def test_a_successor_is_made_ready_before_it_is_asked(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first words would wait for seconds, each time that the catalog changes."""
    live = Live(open_store(copy))
    live.prepare().join()
    served = live.now
    assert "words" in vars(served)
    watching = live.watch(copy, partial(open_store, copy), every_seconds=0.01)
    change(copy, [NEW])
    index(copy)
    deadline = time.monotonic() + 30
    while live.now is served and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "words" in vars(live.now)
    assert live.now is not served
    live.stop()
    watching.join()


def test_an_index_that_is_damaged_is_made_again(copy: Path) -> None:
    file = copy / load_manifest(copy).index_file
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(StoreError, match="was changed after the index was built"):
        Store.open(copy)
    change(copy, [NEW])
    build_store(
        copy, lambda _: TinyEncoder(), IndexConfig(), former=Store.open(copy, searched=False)
    )
    assert 21 in open_store(copy).index.ids


def test_what_was_served_before_is_let_go(store: Path) -> None:
    live = Live(open_store(store))
    service, before = Service(live), ref(live.now)
    with closing_loops():
        page = build_app(service)
        service.trends.tables(["colours"], Question())
        live.now = open_store(store)
        assert service.item(1, "")["item"]["id"] == 1
        gc.collect()
        assert before() is None
        page.close()
