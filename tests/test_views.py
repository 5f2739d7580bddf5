"""Further pictures of an item: kept, embedded, found by, shown; and nothing of it without them."""

import io
import json
import logging
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import httpx
import numpy as np
import pyarrow as pa
import pytest
from browsing import open_page
from conftest import (
    ROWS,
    BelievingEncoder,
    build_store,
    draw_picture,
    open_store,
    styles_csv,
)
from hub_server import Hub, reached_hub
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from playwright.sync_api import BrowserContext, expect
from serving import call, serve
from test_hub import pull, push, refused
from test_updates import index

from recommender.catalog.features import FEATURES
from recommender.catalog.items import load_catalog
from recommender.catalog.sources import read_source
from recommender.catalog.updates import Update, update_catalog
from recommender.catalog.views import MOST_VIEWS, View, read_views
from recommender.errors import StoreError, UnknownItemError
from recommender.files import hash_files
from recommender.index.embeddings import Embeddings
from recommender.index.faiss import Index, IndexConfig, build_index
from recommender.index.milvus import MilvusConfig
from recommender.index.protocol import Metric
from recommender.index.views import ViewedIndex, Views
from recommender.pictures.decode import decode_image
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.service.reasons import why
from recommender.store import build
from recommender.store.collection import collected_gallery
from recommender.store.manifest import load_manifest
from recommender.store.store import Store

# huggingface_hub uploads plain files in a way that its HTTP client is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def drawn(seed: int) -> bytes:
    """A picture of patches that no item of `ROWS` is like."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 3, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(patches).resize((60, 80), Image.Resampling.NEAREST).save(file, "PNG")
    return file.getvalue()


# 4 and 9 share one; 7 has no picture but views; of 5's, one is its own again and one is none.
VIEWS = {
    "4_1": drawn(1),
    "4_2": drawn(2),
    "5_1": drawn(3),
    "5_2": draw_picture(ROWS[4]),
    "5_3": b"none",
    "5_10": drawn(4),
    "7_1": draw_picture(ROWS[6]),
    "7_2": drawn(5),
    "9_1": drawn(2),
}


def write(path: Path, views: dict[str, bytes], rows: list[tuple] = ROWS) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("styles.csv", styles_csv(rows))
        for row in rows:
            if row[0] != 7:
                archive.writestr(f"images/{row[0]}.jpg", draw_picture(row))
        for name, data in views.items():
            archive.writestr(f"images/{name}.jpg", data)
    return path


@pytest.fixture(scope="module")
def viewed_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed: copy it first."""
    folder = tmp_path_factory.mktemp("viewed")
    source = write(folder / "shop.zip", VIEWS)
    build_store(folder / "store", source, encoder=BelievingEncoder(), with_map=True)
    return folder / "store"


@pytest.fixture(scope="module")
def viewed(viewed_store: Path) -> Recommender:
    return open_store(viewed_store, BelievingEncoder())


@pytest.fixture
def copy(viewed_store: Path, tmp_path: Path) -> Path:
    return shutil.copytree(viewed_store, tmp_path / "store")


def seen(data: bytes) -> Image.Image:
    return decode_image(data)


# --- the catalog


def test_views_are_kept_once_in_order_and_what_is_none_is_said(
    viewed: Recommender, viewed_store: Path
) -> None:
    kept = {item_id: viewed.items.views(item_id) for item_id in range(1, 14)}
    assert {item_id: count for item_id, count in kept.items() if count} == {4: 2, 5: 2, 7: 1, 9: 1}
    for item_id, number, name in [(4, 2, "4_1"), (4, 3, "4_2"), (5, 3, "5_10"), (7, 1, "7_1")]:
        assert viewed.picture_bytes(item_id, number) == VIEWS[name]
    for number in (0, 4, -1):
        with pytest.raises(UnknownItemError, match="no such picture"):
            viewed.picture_bytes(4, number)
    notes = json.loads((viewed_store / "catalog" / "report.json").read_text())["notes"]
    assert "kept 6 further views of 4 items" in notes
    assert any(n.startswith("left out 1 further views: images/5_3.jpg: ") for n in notes)


def test_a_catalog_without_views_is_as_it_was(store: Path, recommender: Recommender) -> None:
    assert load_catalog(store / "catalog").column_names == list(FEATURES)
    manifest = (store / "manifest.json").read_text()
    assert "view" not in manifest
    assert not (store / "views").exists()
    assert type(recommender.index) is Index
    assert recommender.gallery.views is None


def test_an_items_own_picture_may_look_like_anothers_view(tmp_path: Path) -> None:
    rows = [(f"A-{row[0]}", *row[1:]) for row in ROWS[:3]] + [("A", *ROWS[3][1:])]
    views = {name: drawn(at) for at, name in enumerate(["A", "A-1", "A-2", "A-3", "A-4", "A-1_2"])}
    with zipfile.ZipFile(tmp_path / "shop.zip", "w") as archive:
        archive.writestr("styles.csv", styles_csv(rows))
        for name, data in views.items():
            archive.writestr(f"{name}.png", data)
    raw = read_source(str(tmp_path / "shop.zip"))
    assert [[view.name for view in raw.views(at)] for at in range(4)] == [
        ["A-1_2.png"],
        [],
        [],
        ["A-4.png"],
    ]
    assert [raw.read_picture(at) for at in range(4)] == [
        views[name] for name in ("A-1", "A-2", "A-3", "A")
    ]


def test_columns_name_several_pictures(tmp_path: Path) -> None:
    header = "sku;title;images;Bild 2;additional_image_link;photo 3"
    lines = [
        "A-1;Hemd;a.jpg, b.jpg;;c.jpg;yes",
        "A-2;Hose;d.jpg;b.jpg;;no",
        "A-3;Rock;;c.jpg;d.jpg | a.jpg;no",
    ]
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "t.csv").write_text("\n".join([header, *lines]))
    for at, name in enumerate("abcd"):
        (tmp_path / "shop" / f"{name}.jpg").write_bytes(drawn(at))
    raw = read_source(str(tmp_path / "shop"))
    named = [[view.name for view in raw.views(at)] for at in range(3)]
    assert named == [["b.jpg", "c.jpg"], ["b.jpg"], ["d.jpg", "a.jpg"]]
    assert raw.read_picture(2) == drawn(2), "an item whose own is not named has the first"
    assert "read as further pictures: 'Bild 2'" in raw.notes
    assert raw.rows["photo 3"].tolist() == ["yes", "no", "no"], "no pictures: a column of its own"


def test_an_item_has_at_most_so_many() -> None:
    views = [View(str(at), bytes) for at in range(MOST_VIEWS + 2)]
    kept = read_views(views, "", lambda data: "one")
    assert kept.data == [b""]
    assert [line.split(":")[0] for line in kept.lost] == ["99", "100"]


@pytest.mark.parametrize("wrong", ["no bytes", "no picture", "no hash", "too few hashes"])
def test_views_that_are_none_are_refused(tmp_path: Path, wrong: str) -> None:
    pictures = [{"bytes": None if wrong == "no bytes" else drawn(0), "path": "/etc/passwd"}]
    columns: dict[str, Any] = {name: ["x"] for name in FEATURES}
    columns |= {
        "id": [1],
        "year": [2012],
        "image": [{"bytes": drawn(1), "path": None}],
        "more_images": [[None] if wrong == "no picture" else pictures],
        "more_image_hashes": [{"no hash": [None], "too few hashes": []}.get(wrong, ["x"])],
    }
    more = {
        "more_images": datasets.List(datasets.Image()),
        "more_image_hashes": datasets.List(datasets.Value("string")),
    }
    features = datasets.Features({**FEATURES, **more})
    struct = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    arrays = {
        name: pa.array(columns[name], pa.list_(struct) if name == "more_images" else None)
        for name in columns
    }
    arrays["year"] = pa.array([2012], pa.int32())
    arrays["image"] = pa.array(columns["image"], struct)
    arrays["more_image_hashes"] = pa.array(columns["more_image_hashes"], pa.list_(pa.string()))
    table = pa.table(arrays).replace_schema_metadata(features.arrow_schema.metadata)
    with (
        pa.OSFile(str(tmp_path / "made.arrow"), "wb") as file,
        pa.ipc.new_stream(file, table.schema) as writer,
    ):
        writer.write_table(table)
    with pytest.raises(StoreError, match="views without a picture"):
        load_catalog(tmp_path, [tmp_path / "made.arrow"])


# --- the index


def units(random: np.random.Generator, count: int) -> np.ndarray:
    rows = random.integers(-2, 3, (count, 6)).astype(np.float32)  # many scores are equal
    rows[:, 0] += 0.5
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 60),
    v=st.integers(0, 200),
    k=st.integers(1, 70),
    share=st.sampled_from([None, 0.0, 0.1, 0.6, 1.0]),
    metric=st.sampled_from(["cosine", "euclidean"]),
)
def test_the_best_of_views_is_that_of_brute_force(
    seed: int, n: int, v: int, k: int, share: float | None, metric: Metric
) -> None:
    random = np.random.default_rng(seed)
    own = build_index(Embeddings(np.arange(n), units(random, n)), IndexConfig(metric=metric))[0]
    rows = np.sort(random.integers(0, n, v) // random.integers(1, 4))
    views = Views(rows=rows, numbers=rows, pictures=[""] * v, vectors=units(random, v))
    both = ViewedIndex(own, views)
    queries = units(random, 3)
    allowed = None if share is None else random.random(n) < share
    scores, found = both.search(queries, k, allowed)
    for at, query in enumerate(queries):
        # One by one, as each product is to be the same to the last bit.
        each = np.array([np.float32(own.search(query[None], n)[0][0][i]) for i in range(n)])
        best = np.empty(n, np.float32)
        best[own.search(query[None], n)[1][0]] = each
        if v:
            alone = build_index(Embeddings(np.arange(v), views.vectors), IndexConfig(metric=metric))
            graded, order = alone[0].search(query[None], v)
            np.maximum.at(best, rows[order[0]], graded[0])
        able = np.arange(n) if allowed is None else np.flatnonzero(allowed)
        wanted = able[np.lexsort((able, -best[able]))][:k]
        if metric == "cosine":  # distances round so that others are equal, too
            assert found[at].tolist() == wanted.tolist()
        assert len(set(found[at].tolist()) & set(able.tolist())) == len(wanted)
        np.testing.assert_array_equal(best[found[at]], best[wanted])
        np.testing.assert_array_equal(scores[at], best[wanted])
        np.testing.assert_allclose(both.scores(query)[able], best[able], atol=1e-5)
        np.testing.assert_allclose(both.scores(query, able), best[able], atol=1e-5)


def test_an_approximate_index_may_lose_rows_and_views_find_them() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(300, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    own = build_index(Embeddings(np.arange(300), vectors), IndexConfig(factory="IVF64,Flat"))[0]
    views = Views(
        rows=np.array([299]), numbers=np.array([2]), pictures=["x"], vectors=vectors[:1].copy()
    )
    scores, rows = ViewedIndex(own, views).search(vectors[:1], 300)
    there = rows[0] >= 0
    assert 0 < there.sum() < 300
    assert rows[0][:2].tolist() == [0, 299]
    assert len(set(rows[0][there])) == there.sum()
    assert (scores[0][~there] == -np.inf).all()


# --- searches


@pytest.mark.parametrize("ranking", ["image", "hybrid"])
def test_an_item_is_found_by_any_of_its_views_and_once(viewed: Recommender, ranking: str) -> None:
    for item_id, name in [(5, "5_10"), (4, "4_1"), (7, "7_2"), (7, "7_1")]:
        hits = viewed.by_image(seen(VIEWS[name]), Options(k=13, ranking=ranking))
        ids = hits.ids.tolist()
        assert ids[0] == item_id
        assert len(set(ids)) == len(ids) == 12, "11 and 12 are of one picture"


def test_what_a_picture_is_recognised_as(viewed: Recommender) -> None:
    recognition = viewed._recognition
    assert recognition is not None

    def rows(data: bytes, allowed: np.ndarray | None = None) -> list[int] | None:
        [found] = recognition.recognise(viewed.see([seen(data)]).vectors, allowed)
        return None if found is None else viewed.items.ids[found.rows].tolist()

    assert rows(VIEWS["5_10"]) == [5]
    assert rows(VIEWS["4_2"]) == [4, 9], "a picture that two items share"
    assert rows(VIEWS["4_2"], viewed.items.ids != 4) == [9]
    assert rows(draw_picture(ROWS[2])) == [3]


def test_another_view_of_the_same_item_leaves_no_doubt(tmp_path: Path) -> None:
    """A view that is nearly as near is of the same item, which is recognised all the same."""
    file = io.BytesIO()
    seen(VIEWS["5_1"]).point(lambda value: min(255, value + 6)).save(file, "PNG")
    source = write(tmp_path / "a.zip", {"5_1": VIEWS["5_1"], "5_2": file.getvalue()})
    build_store(tmp_path / "store", source, encoder=BelievingEncoder())
    for data in (VIEWS["5_1"], file.getvalue()):
        hits = open_store(tmp_path / "store", BelievingEncoder()).by_image(seen(data))
        assert hits.ids[0] == 5
        assert hits.scores[0] > hits.scores[1]


def test_filters_exclusion_and_judged_items_hold_for_views(viewed: Recommender) -> None:
    shown = seen(VIEWS["4_2"])
    found = viewed.by_image(shown, Options(filters={"articleType": ["Handbags", "Heels"]}))
    assert found.ids.tolist() == [9, 7]
    assert 4 not in viewed.by_image(shown, Options(disliked=[4], k=13)).ids
    for item_id in (4, 5, 7):
        assert item_id not in viewed.by_id(item_id, Options(k=13, repeats=True)).ids
    coloured = viewed.by_image(shown, Options(k=13, ranking="image", colour=0.2))
    assert coloured.ids.tolist()[0] in (4, 9)


@pytest.mark.parametrize("ranking", ["image", "hybrid"])
@pytest.mark.parametrize(
    "more",
    [{}, {"liked": [4], "disliked": [9]}, {"disliked": [7], "colour": 0.4, "season": "Fall"}],
)
def test_why_an_item_was_found_is_said_of_the_view_that_was_found(
    viewed: Recommender, ranking: str, more: dict[str, Any]
) -> None:
    options = Options(k=13, ranking=ranking, **more)
    pictures = {3: VIEWS["5_10"], 1: draw_picture(ROWS[4])}
    for number, picture in pictures.items():
        query = replace(viewed.see([seen(picture)]), recognises=False)
        hits = viewed.search(query, options)[0]
        score = dict(zip(hits.ids.tolist(), hits.scores.tolist(), strict=True))[5]
        told = why(viewed, 5, "http://x", options, seen(picture))
        assert told["score"] == pytest.approx(score, abs=1e-4)
        assert sum(told["shares"].values()) == pytest.approx(told["score"])
        view = f"?view={number}" if number > 1 else ""
        assert told["item"]["image"] == f"http://x/pictures/5{view}"


def test_milvus_says_what_it_has_not(
    copy: Path, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    pytest.importorskip("pymilvus")
    with caplog.at_level(logging.WARNING):
        gallery = collected_gallery(Store.open(copy), MilvusConfig(uri=str(tmp_path / "m.db")))
    assert gallery.views is None
    assert sum("further views" in message for message in caplog.messages) == 1
    assert 9 in Recommender(gallery, BelievingEncoder()).by_id(4, Options(k=12)).ids


# --- updates


def changed(directory: Path, views: dict[str, bytes], rows: list[tuple], **how: Any) -> Update:
    source = write(directory.parent / "update.zip", views, rows)
    return update_catalog(read_source(str(source)), directory / "catalog", source="u", **how)


def reindexed(directory: Path) -> int:
    encoder = BelievingEncoder()
    build.build_store(directory, lambda _: encoder, IndexConfig(), former=Store.open(directory))
    return encoder.encoded


def test_views_change_as_items_do(copy: Path) -> None:
    rows = [row for row in ROWS if row[0] in (4, 5, 7)]
    theirs = {name: data for name, data in VIEWS.items() if name[0] in "457"}
    assert changed(copy, theirs, rows) == Update(), "a view that is none changes nothing"
    theirs |= {"4_2": drawn(8)}
    del theirs["5_10"]
    assert changed(copy, theirs, rows).changed == (4, 5)
    assert reindexed(copy) == 1, "one view is new"
    after = open_store(copy, BelievingEncoder())
    assert after.by_image(seen(drawn(8)), Options(k=1)).ids.tolist() == [4]
    assert after.by_image(seen(VIEWS["4_2"]), Options(k=1)).ids.tolist() == [9]
    assert after.items.views(5) == 1
    assert changed(copy, theirs, rows) == Update()
    assert reindexed(copy) == 0
    kept = set(load_manifest(copy).files)
    assert {f"views/{path.name}" for path in (copy / "views").iterdir()} < kept


def test_labels_alone_leave_views_and_removals_take_them(copy: Path) -> None:
    renamed = [(*ROWS[3][:-1], "Another")]
    assert changed(copy, {}, renamed, labels_only=True).changed == (4,)
    reindexed(copy)
    assert open_store(copy, BelievingEncoder()).items.views(4) == 2
    update_catalog(None, copy / "catalog", source="r", remove=[4, 5, 7])
    reindexed(copy)
    after = open_store(copy, BelievingEncoder())
    assert after.gallery.views is not None
    assert after.gallery.views.pictures == [after.frame["more_image_hashes"].iloc[5][0]]
    update_catalog(None, copy / "catalog", source="r", remove=[9])
    reindexed(copy)
    assert load_catalog(copy / "catalog").column_names == list(FEATURES)
    assert open_store(copy, BelievingEncoder()).gallery.views is None
    assert not list((copy / "views").iterdir())


def test_views_come_to_a_store_that_had_none(store: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(store, tmp_path / "store")
    assert changed(directory, {"3_1": drawn(1)}, [ROWS[2]]).changed == (3,)
    assert index(directory).encoded == 1
    hits = open_store(directory).by_image(seen(drawn(1)), Options(k=13))
    assert hits.ids.tolist()[0] == 3
    assert len(hits) == 12


def test_a_build_that_was_stopped_goes_on(copy: Path) -> None:
    (copy / "manifest.json").unlink()
    parts = {path: path.stat().st_mtime_ns for path in (copy / "views").iterdir()}
    encoder = BelievingEncoder()
    build.build_store(copy, lambda _: encoder, IndexConfig())
    assert encoder.encoded == 0
    assert {path: path.stat().st_mtime_ns for path in (copy / "views").iterdir()} == parts


# --- to the Hub and back


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with reached_hub(monkeypatch, tmp_path) as served:
        yield served


def test_views_go_to_the_hub_and_back(
    hub: Hub, viewed: Recommender, viewed_store: Path, tmp_path: Path
) -> None:
    push(hub, viewed_store)
    pull(hub, tmp_path / "here", accept=lambda manifest: None)
    there = open_store(tmp_path / "here", BelievingEncoder())
    assert there.frame.equals(viewed.frame)
    for item_id in (4, 5, 7, 9):
        for number in range(1, viewed.items.views(item_id) + 2):
            ours = viewed.picture_bytes(item_id, number)
            assert there.picture_bytes(item_id, number) == ours
    ours, theirs = viewed.gallery.views, there.gallery.views
    assert ours is not None
    assert theirs is not None
    assert ours.vectors.tobytes() == theirs.vectors.tobytes()
    assert ours.rows.tolist() == theirs.rows.tolist()


def test_views_of_others_are_not_pulled(
    hub: Hub, store: Path, viewed_store: Path, copy: Path, tmp_path: Path
) -> None:
    foreign = next((store / "embeddings").iterdir())
    manifest = json.loads((copy / "manifest.json").read_text())
    [name] = [name for name in manifest["files"] if name.startswith("views/")]
    shutil.copyfile(foreign, copy / name)
    manifest["files"][name] = hash_files([copy / name])[0]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match="views are of other pictures"):
        open_store(copy, BelievingEncoder())
    push(hub, copy)
    assert "not what the manifest says" in refused(
        pull, hub, tmp_path / "here", accept=lambda manifest: None
    )


# --- the page and its API


@pytest.fixture(scope="module")
def served(viewed: Recommender, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(viewed, tmp_path_factory.mktemp("uploads")) as address:
        yield address


def test_each_picture_has_an_address(served: str) -> None:
    item = call(served, "item", 4)["item"]
    assert item["more_images"] == [f"{served}/pictures/4?view={n}" for n in (2, 3)]
    assert "more_images" not in call(served, "item", 3)["item"]
    found = call(served, "recommend_by_id", 9, 3)["results"]
    told = {result["id"]: result.get("more_images") for result in found}
    assert told == {
        item_id: [f"{served}/pictures/{item_id}?view=2"] if item_id in (7, 9) else links
        for item_id, links in told.items()
    }
    for address, data in zip(
        [item["image"], *item["more_images"]],
        [draw_picture(ROWS[3]), VIEWS["4_1"], VIEWS["4_2"]],
        strict=True,
    ):
        answer = httpx.get(address)
        assert answer.content == data
        assert answer.headers["cache-control"] == "no-cache"
        tag = {"If-None-Match": answer.headers["etag"]}
        assert httpx.get(address, headers=tag).status_code == 304
    for view in ("0", "4", "-1", "x", "²", "9" * 30, "1.0"):
        answer = httpx.get(f"{served}/pictures/4", params={"view": view})
        assert (answer.status_code, answer.text) == (404, "The item has no such picture.")


@pytest.mark.browser
def test_the_card_shows_other_views(context: BrowserContext, served: str) -> None:
    page = context.new_page()
    open_page(page, f"{served}/?item=4")
    large = page.locator("article.item .pictures > img")
    said = large.get_attribute("alt")
    views = page.locator("article.item .views button")
    expect(views).to_have_count(3)
    expect(views.nth(0)).to_have_attribute("aria-pressed", "true")
    assert [image.get_attribute("alt") for image in views.locator("img").all()] == [
        f"Picture {at} of 3" for at in (1, 2, 3)
    ]
    views.nth(0).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(large).to_have_attribute("src", "./pictures/4?view=2")
    expect(large).to_have_attribute("alt", f"{said} Picture 2 of 3.")
    expect(views.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(views.nth(0)).to_have_attribute("aria-pressed", "false")
    loaded = "images => images.every(image => image.complete && image.naturalWidth)"
    page.wait_for_function(f"({loaded})([...document.querySelectorAll('article.item img')])")
    page.close()
