"""Stores that strangers made, whose manifests fit what they hold: a sentence, and nothing else."""

import io
import os
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ROWS, open_store
from safetensors.numpy import save_file
from starlette.applications import Starlette
from starlette.testclient import TestClient
from test_index import copy, edit_manifest, refused, rewrite

from recommender.catalog.arrow import check_parquet
from recommender.catalog.features import FEATURES
from recommender.errors import StoreError
from recommender.service.answers import Service
from recommender.service.live import Live
from recommender.store.manifest import MANIFEST_FILE, load_manifest
from recommender.store.parts import load_parts
from recommender.store.store import Store
from recommender.ui.server.server import picture_route

__all__ = ["copy"]


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(dim=float(m["dim"])),
        lambda m: m.update(dim=10**30),
        lambda m: m.update(count=float(m["count"])),
        lambda m: m.update(parts=m["parts"] * 50_000),
        lambda m: m.update(index_file=m["ids_file"]),
        lambda m: m["files"].update({f"./{m['ids_file']}": m["files"][m["ids_file"]]}),
        lambda m: m["files"].update({f"map/../{m['ids_file']}": m["files"][m["ids_file"]]}),
        lambda m: m.update(skipped={"1": "[]," * 2**24}),
    ],
)
def test_a_manifest_that_would_cost_much(
    copy: Path, change: Callable[[dict[str, Any]], Any]
) -> None:
    edit_manifest(copy, change)
    assert "manifest" in refused(copy)


@pytest.mark.parametrize("of", ["ids", "a further file"])
def test_a_pipe_is_not_waited_for(copy: Path, of: str) -> None:
    name = load_manifest(copy).ids_file if of == "ids" else "map/pipe"
    (copy / name).unlink(missing_ok=True)
    os.mkfifo(copy / name)
    edit_manifest(copy, lambda m: m["files"].setdefault(name, "0" * 64))
    refused(copy)


def test_holes_are_not_gone_through(copy: Path) -> None:
    with (copy / load_manifest(copy).index_file).open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(StoreError, match="lacks a file"):
        open_store(copy)


def test_links_that_lead_round(copy: Path) -> None:
    (copy / "map" / "loop").symlink_to("loop")
    edit_manifest(copy, lambda m: m["files"].update({"map/loop": "0" * 64}))
    refused(copy)


def head(text: str) -> bytes:
    """The head of an `.npy` file that says something else than numpy does."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04nothing",
        b"PK\x05\x06" + bytes(18),
        head("(" * 4000),
        head("-" * 9000 + "1"),
        head("{'descr': '''"),
        head("  {\n'a':1}\n   b\n c"),
    ],
)
def test_ids_of_which_numpy_makes_other_errors(copy: Path, data: bytes) -> None:
    rewrite(copy, load_manifest(copy).ids_file, data)
    refused(copy)


def test_ids_in_another_order_of_bytes(copy: Path) -> None:
    name = load_manifest(copy).ids_file
    rewrite(copy, name, (copy / name).read_bytes().replace(b"<i8", b">i8"))
    refused(copy)


@pytest.mark.parametrize("dtype", ["BF16", "F8_E4M3", "I64"])
def test_parts_of_numbers_that_numpy_has_not(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "part.safetensors"
    save_file({"ids": np.arange(4), "vectors": np.eye(4, dtype=np.int64)}, path)
    data = path.read_bytes()
    text = data[8 : 8 + int.from_bytes(data[:8], "little")].replace(b"[4,4]", b"[%d]" % (16 * 8))
    text = text.replace(b'"I64","shape":[128]', f'"{dtype}","shape":[64]'.encode())
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + len(text) :])
    with pytest.raises(StoreError, match="embeddings are damaged"):
        load_parts([path])


# --- what Arrow would follow


def items_of(directory: Path) -> tuple[str, pa.Table]:
    """A store's shard and what it holds."""
    [name] = load_manifest(directory).shards
    return name, datasets.Dataset.from_file(str(directory / name)).data.table.combine_chunks()


def with_items(directory: Path, table: pa.Table, **how: Any) -> None:
    """Other items of a store, whose manifest fits as far as they can be read."""
    file = io.BytesIO()
    with pa.ipc.new_stream(file, table.schema, options=pa.ipc.IpcWriteOptions(**how)) as writer:
        writer.write_table(table)
    [name] = load_manifest(directory).shards
    rewrite(directory, name, file.getvalue())


def with_cell(table: pa.Table, name: str, value: object) -> pa.Table:
    """The same, with another value in the first row."""
    at = table.schema.get_field_index(name)
    values = [value, *table[name].to_pylist()[1:]]
    return table.set_column(at, table.schema.field(at), pa.array(values, table[name].type))


@pytest.mark.parametrize("name", ["productDisplayName", "image_hash", "image"])
@pytest.mark.parametrize("end", [2**31 - 1, 2**28, -5])
def test_texts_and_pictures_that_end_beyond_the_file(copy: Path, name: str, end: int) -> None:
    """What reads them would read other memory, or die."""
    _, table = items_of(copy)
    column = table[name].chunk(0)
    texts = column.field("bytes") if name == "image" else column
    there, offsets, data = texts.buffers()
    told = bytearray(offsets.to_pybytes())
    struct.pack_into("<i", told, 4 * (len(texts) // 2), end)
    made = pa.Array.from_buffers(texts.type, len(texts), [there, pa.py_buffer(bytes(told)), data])
    if name == "image":
        parts = [made, column.field("path")]
        made = pa.StructArray.from_arrays(parts, fields=list(column.type))
    at = table.schema.get_field_index(name)
    with_items(copy, table.set_column(at, table.schema.field(at), made))
    refused(copy)


def test_texts_that_are_none(copy: Path) -> None:
    name, table = items_of(copy)
    with_items(copy, table)
    data = (copy / name).read_bytes()
    assert data.count(b"Ako Red Tee") == 2
    rewrite(copy, name, data.replace(b"Ako Red Tee", b"Ako \xff\xfe\xfd Tee"))
    refused(copy)


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_what_is_compressed_is_not_unpacked(copy: Path, codec: str) -> None:
    """A gigabyte fits into some kilobytes."""
    _, table = items_of(copy)
    with_items(copy, with_cell(table, "productDisplayName", "a" * 2**26), compression=codec)
    before = pa.total_allocated_bytes()
    refused(copy)
    assert pa.total_allocated_bytes() - before < 2**20


@pytest.mark.parametrize("seen", [True, False])
def test_parquet_that_unpacks_to_gigabytes(tmp_path: Path, seen: bool) -> None:
    """One picture, named two thousand times; and a text that goes on and on."""
    path = tmp_path / "shard.parquet"
    if seen:
        picture = pa.array([np.random.default_rng(0).bytes(2**20)])
        column = pa.DictionaryArray.from_arrays(np.zeros(2_000, np.int32), picture)
    else:
        column = pa.array(["a" * 2**27])
    table = pa.table({"image": column})
    packed = {"compression": "zstd", "use_dictionary": seen, "dictionary_pagesize_limit": 2**24}
    pq.write_table(table, path, store_schema=False, **packed)
    assert path.stat().st_size < 2**21
    before = pa.total_allocated_bytes()
    with pytest.raises(ValueError, match="unpacks"):
        check_parquet(path)
    assert pa.total_allocated_bytes() - before < 2**28


@pytest.mark.parametrize("seed", range(12))
def test_a_shard_of_other_bytes(copy: Path, seed: int) -> None:
    """Whatever they are, and though the manifest fits: it is refused, or opened as it says."""
    [name] = load_manifest(copy).shards
    data, random = bytearray((copy / name).read_bytes()), np.random.default_rng(seed)
    batch = data.find(b"\xff\xff\xff\xff", 8)
    [length] = struct.unpack_from("<i", data, batch + 4)
    at = batch + 8 + int(random.integers(length - 8))
    struct.pack_into("<q", data, at, int(random.choice([2**62, -1, 2**31, 2**40, 0, 7])))
    rewrite(copy, name, bytes(data))
    with suppress(StoreError):
        Store.open(copy).gallery.picture(0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("id", -1), ("year", -(2**31)), ("year", 2**31 - 1), ("image_hash", None)],
)
def test_values_that_no_catalog_has(copy: Path, name: str, value: object) -> None:
    with_items(copy, with_cell(items_of(copy)[1], name, value))
    refused(copy)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e300])
def test_numbers_of_its_own_that_no_catalog_has(copy: Path, value: float) -> None:
    features = FEATURES | {"price": datasets.Value("float64")}
    table = items_of(copy)[1].append_column("price", pa.array([value, *[1.0] * (len(ROWS) - 1)]))
    names = [*FEATURES]
    order = [*names[:-1], "price", names[-1]]
    made = table.select(order).cast(datasets.Features({n: features[n] for n in order}).arrow_schema)
    with_items(copy, made)
    assert "numbers" in refused(copy)


# --- what is changed while it is served


def test_files_that_are_cut_short_while_they_are_served(copy: Path) -> None:
    """They are read as they lie: behind the end of one the system would end the process."""
    live = Live(open_store(copy))
    service = Service(live)
    client = TestClient(Starlette(routes=[picture_route(live)]))
    [shard] = load_manifest(copy).shards
    asks: list[Callable[[], object]] = [
        lambda: service.recommend_by_id(1, ""),
        lambda: live.now.picture_bytes(1),
    ]
    for name in (load_manifest(copy).index_file, shard):
        whole = (copy / name).read_bytes()
        os.truncate(copy / name, 100)
        for ask in asks:
            with pytest.raises(StoreError, match="changed where they lie"):
                ask()
        assert client.get("/pictures/1").status_code == 503
        with (copy / name).open("r+b") as file:  # as `cp` would go on
            file.write(whole)
        with pytest.raises(StoreError, match="read anew"):
            asks[0]()
        live.now = open_store(copy)
        assert len(service.recommend_by_id(1, "")["results"]) == 5


def test_files_that_were_changed_are_read_anew_once_they_are_whole(copy: Path) -> None:
    live = Live(open_store(copy))
    served, name = live.now, load_manifest(copy).index_file
    watching = live.watch(copy, partial(open_store, copy), every_seconds=0.01)
    whole = (copy / name).read_bytes()
    (copy / name).write_bytes(whole)
    deadline = time.monotonic() + 30
    while live.now is served and time.monotonic() < deadline:
        time.sleep(0.01)
    again = live.now
    time.sleep(0.2)
    live.stop()
    watching.join()
    assert again is not served
    assert live.now is again  # it is read once
    live.now.gallery.check()


def test_files_that_are_replaced_stay_for_who_reads_them(copy: Path, tmp_path: Path) -> None:
    live = Live(open_store(copy))
    service = Service(live)
    before = service.recommend_by_id(1, "")["results"]
    for name in (load_manifest(copy).index_file, *load_manifest(copy).shards):
        (tmp_path / "other").write_bytes(b"other")
        (tmp_path / "other").replace(copy / name)
    (copy / MANIFEST_FILE).unlink()
    assert service.recommend_by_id(1, "")["results"] == before
    assert live.now.picture_bytes(1)
