"""An update writes what it changes, and what results is what the same rows would have been."""

import json
import shutil
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pytest
from conftest import ROWS, build_store, open_store, write_archive
from hypothesis import given, settings
from hypothesis import strategies as st
from test_kills import content
from test_updates import change, index

from recommender.catalog import shards as module
from recommender.catalog.features import FEATURES
from recommender.catalog.fingerprint import catalog_fingerprint
from recommender.catalog.items import catalog_frame, load_catalog
from recommender.catalog.updates import update_catalog
from recommender.catalog.views import table_of
from recommender.errors import StoreError
from recommender.store import embed
from recommender.store.manifest import MANIFEST_FILE, load_manifest
from recommender.store.store import Store

FEW_BYTES = 3_000
"""Of two or three drawn items."""


@pytest.fixture(autouse=True)
def _small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD_BYTES", FEW_BYTES)
    monkeypatch.setattr(embed, "PART_ITEMS", 2)


@pytest.fixture(scope="module")
def sharded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("sharded") / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SHARD_BYTES", FEW_BYTES)
        patch.setattr(embed, "PART_ITEMS", 2)
        build_store(directory, write_archive(directory.parent / "a.zip"))
    return directory


def files(directory: Path, folder: str = "catalog", suffix: str = "arrow") -> dict[str, int]:
    """Names, and which files they are."""
    found = (directory / folder).glob(f"*.{suffix}")
    return {path.name: path.stat().st_ino for path in found}


changes = st.lists(
    st.tuples(st.sampled_from(["change", "remove", "add"]), st.integers(1, 30)), max_size=6
)


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(changes, min_size=1, max_size=3))
def test_an_updated_store_is_one_that_was_built_of_its_rows(
    sharded: Path,
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[list[tuple[str, int]]],
) -> None:
    folder = tmp_path_factory.mktemp("updated")
    copy, rows = shutil.copytree(sharded, folder / "store"), {row[0]: row for row in ROWS}
    for number, step in enumerate(steps):
        named = {item_id: kind for kind, item_id in step}
        going = [i for i, kind in named.items() if kind == "remove" and i in rows]
        coming = [
            (i, *ROWS[(i + number) % len(ROWS)][1:-1], f"{kind} {number}")
            for i, kind in named.items()
            if kind == "add" or (kind == "change" and i in rows)
        ]
        if not coming and len(going) in (0, len(rows)):
            continue
        if coming:
            change(copy, coming, remove=going)
        else:
            update_catalog(None, copy / "catalog", source="removals", remove=going)
        rows = {i: row for i, row in rows.items() if i not in going}
        for row in coming:  # what changed is last
            rows.pop(row[0], None)
            rows[row[0]] = row
        index(copy)
    anew = folder / "anew"
    build_store(anew, write_archive(folder / "anew.zip", list(rows.values())))
    assert content(copy / "catalog") == content(anew / "catalog")
    stores = Store.open(copy), Store.open(anew)
    manifests = [store.manifest for store in stores]
    for name in ("catalog_fingerprint", "ids_sha256", "index_file", "ids_file", "parts", "count"):
        assert getattr(manifests[0], name) == getattr(manifests[1], name)
    assert stores[0].index.vectors.tobytes() == stores[1].index.vectors.tobytes()
    assert stores[0].colours.tobytes() == stores[1].colours.tobytes()
    first = next(iter(rows))
    hits = [open_store(store).by_id(first) for store in (copy, anew)]
    assert hits[0].ids.tolist() == hits[1].ids.tolist()
    assert hits[0].scores.tolist() == hits[1].scores.tolist()
    unused = {path.name for path in (copy / "catalog").glob("*.arrow")}
    assert {f"catalog/{name}" for name in unused} == set(manifests[0].shards)


def test_what_does_not_change_is_not_written(sharded: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(sharded, tmp_path / "store")
    catalogs, parts = files(copy), files(copy, "embeddings", "safetensors")
    assert len(catalogs) > 3
    assert len(parts) > 3
    update_catalog(None, copy / "catalog", source="r", remove=[7])
    assert index(copy).encoded == 0
    assert len(files(copy).items() - catalogs.items()) == 1
    assert len(files(copy).items() & catalogs.items()) == len(catalogs) - 1
    later = files(copy, "embeddings", "safetensors")
    assert len(later.items() - parts.items()) <= 2
    assert len(later.items() & parts.items()) >= len(parts) - 2


def test_many_small_updates_do_not_leave_many_small_files(sharded: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(sharded, tmp_path / "store")
    before = len(files(copy))
    for item_id in range(21, 33):
        change(copy, [(item_id, *ROWS[item_id % 13][1:])])
        index(copy)
    assert len(files(copy)) < before + 10
    assert len(load_catalog(copy / "catalog")) == len(ROWS) + 12


def test_datasets_reads_what_was_updated(sharded: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(sharded, tmp_path / "store")
    change(copy, [(21, *ROWS[3][1:])], remove=[2, 9])
    read = datasets.load_from_disk(str(copy / "catalog"))
    assert read["id"][:] == [row[0] for row in ROWS if row[0] not in (2, 9)] + [21]
    assert read[-1]["image"].size == (60, 80)
    assert read.features == FEATURES


def test_files_of_before_are_read_and_give_way(sharded: Path, tmp_path: Path) -> None:
    """One file as `datasets` writes it, and a fingerprint of the values as JSON."""
    copy = shutil.copytree(sharded, tmp_path / "store")
    frame, digest = catalog_frame(load_catalog(copy / "catalog")), sha256()
    for name in frame.columns:
        values = frame[name].astype(object).where(frame[name].notna(), None).tolist()
        digest.update(json.dumps([name, values], ensure_ascii=False).encode())
    kept = datasets.load_from_disk(str(copy / "catalog"))
    report = (copy / "catalog" / "report.json").read_bytes()
    kept.save_to_disk(tmp_path / "catalog")
    shutil.rmtree(copy / "catalog")
    shutil.move(tmp_path / "catalog", copy / "catalog")
    (copy / "catalog" / "report.json").write_bytes(report)
    manifest = json.loads((copy / MANIFEST_FILE).read_text())
    others = {n: v for n, v in manifest["files"].items() if not n.startswith("catalog/")}
    [path] = (copy / "catalog").glob("*.arrow")
    others[f"catalog/{path.name}"] = sha256(path.read_bytes()).hexdigest()
    manifest |= {"files": others, "catalog_fingerprint": digest.hexdigest()}
    (copy / MANIFEST_FILE).write_text(json.dumps(manifest))
    assert open_store(copy).frame.equals(frame)
    assert change(copy, [(21, *ROWS[3][1:])], remove=[5]).removed == (5,)
    assert index(copy).encoded == 1
    assert path.name not in files(copy)
    assert load_manifest(copy).catalog_fingerprint == catalog_fingerprint(
        load_catalog(copy / "catalog")
    )


def test_a_file_that_was_looked_through_and_then_changed_is_looked_through_again(
    sharded: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(sharded, tmp_path / "store")
    items = load_catalog(copy / "catalog")
    assert len(items) == len(ROWS)
    path = copy / "catalog" / min(files(copy))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StoreError, match="damaged"):
        load_catalog(copy / "catalog")


# --- what tells a catalog from others

TEXTS = st.none() | st.sampled_from(["", "a", "ab", "b", "é"])
YEARS = st.none() | st.integers(0, 2)
TABLES = st.lists(st.tuples(TEXTS, TEXTS, YEARS), max_size=4)


def cut(values: list, kind: pa.DataType, places: list[int], hidden: bool) -> pa.ChunkedArray:
    """A column in chunks, where missing texts may have bytes that nobody reads."""
    ends = [0, *sorted(place % (len(values) + 1) for place in places), len(values)]
    chunks = []
    for start, stop in pairwise(ends):
        chunk = pa.array(
            ["x", *values[start:stop]] if kind == pa.string() else [0, *values[start:stop]], kind
        )
        if hidden and kind == pa.string():
            filled = pa.array(["x", *(v if v is not None else "zz" for v in values[start:stop])])
            valid = np.packbits(
                [v is not None for v in ["x", *values[start:stop]]], bitorder="little"
            )
            chunk = pa.Array.from_buffers(
                kind, len(filled), [pa.py_buffer(valid.tobytes()), *filled.buffers()[1:]]
            )
        chunks.append(chunk[1:])
    return pa.chunked_array(chunks, kind)


def catalog_of(rows: list[tuple], places: list[int], *, hidden: bool) -> datasets.Dataset:
    told = dict(zip(("gender", "season", "year"), map(list, zip(*rows, strict=True)), strict=False))
    columns = {
        name: cut(
            told.get(name, [None] * len(rows)),
            FEATURES.arrow_schema.field(name).type,
            places,
            hidden,
        )
        for name in FEATURES
        if name not in ("image", "id")
    }
    columns["id"] = cut([*range(len(rows))], pa.int64(), places, hidden)
    return datasets.Dataset(pa.table(columns))


@settings(max_examples=200, deadline=None)
@given(
    one=TABLES,
    other=TABLES,
    places=st.lists(st.integers(0, 9), max_size=3),
    hidden=st.booleans(),
)
def test_a_fingerprint_goes_by_the_values_alone(
    one: list[tuple], other: list[tuple], places: list[int], hidden: bool
) -> None:
    plain = catalog_fingerprint(catalog_of(one, [], hidden=False))
    assert catalog_fingerprint(catalog_of(one, places, hidden=hidden)) == plain
    same = catalog_fingerprint(catalog_of(other, places, hidden=hidden)) == plain
    assert same == (one == other)


def test_a_selection_is_what_is_selected() -> None:
    rows = [("Men", "Summer", 2010 + number) for number in range(6)]
    chosen = catalog_of(rows, [2], hidden=False).select([4, 1])
    alone = datasets.Dataset(chosen.with_format("arrow")[:])
    assert catalog_fingerprint(chosen) == catalog_fingerprint(alone)
    assert table_of(chosen, ["year"])["year"].to_pylist() == [2014, 2011]
