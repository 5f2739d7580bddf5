"""What tells a catalog from every other one: a hash of all its values, read as they lie in Arrow.

It goes by what the values are, not by how files, batches and buffers hold them.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recommender.catalog.views import VIEW_HASHES, table_of
from recommender.files import Seen, look
from recommender.schema import COLUMNS, PICTURE_COLUMNS, own_names

_MISSING = np.int32(-1)
"""The length of a text that is not there."""
_SMALL_BYTES = 16 * 2**20


def catalog_fingerprint(items: datasets.Dataset) -> str:
    """sha256 of every item's columns and pixels, in order: equal exactly when catalogs are."""
    return _fingerprint(table_of(items, items.column_names))


def fingerprint_of_files(shards: Sequence[Path]) -> str:
    """The same, of a catalog that lies in files that were checked.

    As long as they are the same ones, wherever they are moved, they are not read again.
    """
    return _of_files(_Files(tuple(map(look, shards)), tuple(shards)))


def is_fingerprint(told: str, items: datasets.Dataset) -> bool:
    """Whether a manifest tells the fingerprint of items, as this or an earlier version did.

    Earlier ones hashed the values as JSON, which takes twenty times as long.
    """
    return told == catalog_fingerprint(items) or told == _of_json(
        table_of(items, items.column_names)
    )


def open_shard(path: Path) -> pa.Table:
    """The items of a file that was checked, where they lie."""
    with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as reader:
        return reader.read_all()


@dataclass(frozen=True)
class _Files:
    """Files, which are the same ones under other names."""

    seen: tuple[Seen | None, ...]
    paths: tuple[Path, ...] = field(compare=False)


@lru_cache(maxsize=2)
def _of_files(files: _Files) -> str:
    return _fingerprint(pa.concat_tables(map(open_shard, files.paths)))


def _fingerprint(table: pa.Table) -> str:
    names = _names(table)
    # Neither hashing nor Arrow keeps another from it; whoever takes longest begins first.
    by_size = sorted(names, key=lambda name: -table[name].nbytes)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        told = dict(zip(by_size, pool.map(lambda name: _hash(table[name]), by_size), strict=True))
    whole = [[name, str(table[name].type), *told[name]] for name in names]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def _names(table: pa.Table) -> list[str]:
    views = [VIEW_HASHES] if VIEW_HASHES in table.column_names else []
    return [*COLUMNS, *own_names(table.column_names), PICTURE_COLUMNS[1], *views]


def _hash(column: pa.ChunkedArray) -> list[str]:
    """sha256 of what a column's values are, and of where there are any, or of their lengths."""
    hashes = [hashlib.sha256() for _ in range(3)]
    if column.nbytes < _SMALL_BYTES:  # a step of Python for each chunk takes longer than a copy
        column = pa.chunked_array([column.combine_chunks()], column.type)
    for chunk in column.chunks:
        for one, data in zip(hashes, _streams(chunk), strict=False):
            one.update(data)
    return [one.hexdigest() for one in hashes]


def _streams(values: pa.Array) -> Iterator[Any]:
    """Bytes that, one after the other for all chunks, tell a column's values and nothing else."""
    if pa.types.is_list(values.type):  # of texts; an empty one is none
        yield pc.fill_null(pc.list_value_length(values), 0).to_numpy()
        yield from _streams(values.flatten())
    elif pa.types.is_string(values.type):
        lengths, data = _text(values)
        if values.null_count:
            missing = pc.is_null(values).to_numpy(zero_copy_only=False)
            if lengths[missing].any():  # bytes that nobody reads
                _, data = _text(values.drop_null())
            lengths[missing] = _MISSING
        yield lengths
        yield data
    else:
        yield pc.is_valid(values).cast(pa.uint8()).to_numpy()
        plain = values.cast(pa.uint8()) if pa.types.is_boolean(values.type) else values
        yield pc.fill_null(plain, 0).to_numpy()


def _text(values: pa.Array) -> tuple[npt.NDArray[np.int32], memoryview]:
    """How many bytes each text takes, int32 of shape (n,), and all of their bytes."""
    _, offsets, data = values.buffers()
    if not len(values):
        return np.empty(0, np.int32), memoryview(b"")
    ends = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1]
    return np.diff(ends), memoryview(data or b"")[ends[0] : ends[-1]]


def _of_json(table: pa.Table) -> str:
    digest = hashlib.sha256()
    for name in _names(table):
        values = table[name].to_pylist()
        if name == VIEW_HASHES:
            values = [told or [] for told in values]
        digest.update(json.dumps([name, values], ensure_ascii=False).encode())
    return digest.hexdigest()
