"""A catalog's files: `datasets`' layout, its items in Arrow files of a few megabytes each.

A catalog that changed leaves the files of which nothing changed as they are: so what an update
writes goes by what it changes, and not by how large the catalog is.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import datasets
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recommender.catalog.cleaning import REPORT_FILE, CatalogReport
from recommender.catalog.fingerprint import fingerprint_of_files, open_shard
from recommender.files import hash_files
from recommender.schema import COLUMNS, own_names

SHARD_BYTES = 8 * 2**20
"""About what a file holds, in one batch of rows: at most twice that."""
_STATE_FILE = "state.json"  # of datasets: names the Arrow files
LATEST = ("dataset_info.json", REPORT_FILE, _STATE_FILE)
"""What says which catalog is the latest, the file that decides it last."""
_STATE: dict[str, Any] = {"_format_columns": None, "_format_kwargs": {}, "_format_type": None}
_STATE |= {"_output_all_columns": False, "_split": None}

Piece: TypeAlias = Path | pa.Table
"""Items of a catalog: a file of it, which stays, or such as are to be written."""


def catalog_shards(directory: Path) -> list[Path]:
    """The Arrow files of the latest catalog, in order.

    Raises:
        OSError: there is none.
    """
    state = json.loads((directory / _STATE_FILE).read_text(encoding="utf-8"))
    return [directory / Path(file["filename"]).name for file in state["_data_files"]]


def write_catalog(
    pieces: Iterable[Piece], features: datasets.Features, directory: Path, report: CatalogReport
) -> list[Path]:
    """Write a catalog beside the one that is there and, last, make it the latest.

    Args:
        pieces: its items, in order; the files among them are the directory's.
        features: of the catalog, and of what is to be written.
        directory: the catalog; its Arrow files stay.
        report: is completed and stored.

    Returns:
        Its Arrow files, in order. None has taken the name of another content.

    Raises:
        OSError: it cannot be written.
    """
    building = place_of_new(directory)
    try:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        shards = list(_shards(pieces, features.arrow_schema, building))
        table = pa.concat_tables(map(open_shard, shards))
        report.items = len(table)
        report.rows = report.rows or report.items
        columns = [*COLUMNS, *own_names(table.column_names)]
        report.missing = {name: table[name].null_count for name in columns}
        report.fingerprint = fingerprint_of_files(shards)
        text = json.dumps(asdict(report), ensure_ascii=False, indent=1)
        (building / REPORT_FILE).write_text(text, encoding="utf-8")
        datasets.DatasetInfo(features=features).write_to_directory(str(building))
        if directory.exists():
            shards = _put_over(directory, shards, building)
        names = [{"filename": path.name} for path in shards]
        state = {"_data_files": names, "_fingerprint": report.fingerprint[:16], **_STATE}
        (building / _STATE_FILE).write_text(json.dumps(state), encoding="utf-8")
        if directory.exists():
            for name in LATEST:
                (building / name).replace(directory / name)
        else:
            building.rename(directory)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return catalog_shards(directory)


def pieces_of_changed(
    directory: Path, kept: npt.NDArray[np.bool_], fresh: pa.Table, schema: pa.Schema
) -> Iterator[Piece]:
    """A catalog that changed: files of which all is kept, what is left of others, then new items.

    The last file stays only where it is large: else each update would leave a small one.

    Args:
        directory: of the catalog.
        kept: bool of shape (n,), which of its items are.
        fresh: the new ones.
        schema: what they are to have; a file of another one is written anew.
    """
    start, shards = 0, catalog_shards(directory)
    for path in shards:
        table = open_shard(path)
        here = kept[start : (start := start + len(table))]
        small = path == shards[-1] and len(fresh) and table.nbytes < SHARD_BYTES // 2
        if here.all() and table.schema.equals(schema) and not small:
            yield path
        else:
            yield _fitted(table.filter(here), schema)
    yield _fitted(fresh, schema)


def _fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Items with the columns of a schema; what they lack is missing."""
    columns = [
        table[one.name].cast(one.type)
        if one.name in table.column_names
        else pa.nulls(len(table), one.type)
        for one in schema
    ]
    return pa.table(columns, schema=schema)


def place_of_new(directory: Path) -> Path:
    """Where the files of a catalog are written before they are put into its directory."""
    return directory.with_name(f"{directory.name}.new.building")


def _shards(pieces: Iterable[Piece], schema: pa.Schema, building: Path) -> Iterator[Path]:
    """The files of a catalog: those that stay and, in a folder, new ones of the others' items."""
    count = 0
    for piece in _gathered(pieces):
        if isinstance(piece, Path):
            yield piece
            continue
        parts = max(1, min(piece.nbytes // SHARD_BYTES, len(piece)))
        ends = [len(piece) * at // parts for at in range(parts + 1)]
        for start, stop in pairwise(ends):
            path, count = building / f"data-{count:05}.arrow", count + 1
            shard = piece.slice(start, stop - start).combine_chunks()
            with path.open("wb") as file, pa.ipc.new_stream(file, schema) as writer:
                writer.write_table(shard)
            yield path


def _gathered(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """The same, where neighbours that are to be written are one as long as they are small."""
    waiting = list[pa.Table]()
    for piece in pieces:
        if isinstance(piece, Path):
            yield from _as_one(waiting)
            yield piece
            waiting = []
        elif len(piece):
            waiting.append(piece)
            if sum(table.nbytes for table in waiting) >= SHARD_BYTES:
                yield from _as_one(waiting)
                waiting = []
    yield from _as_one(waiting)


def _as_one(tables: list[pa.Table]) -> list[pa.Table]:
    return [pa.concat_tables(tables)] if tables else []


def _put_over(directory: Path, shards: Sequence[Path], building: Path) -> list[Path]:
    """Move the new ones of some Arrow files among those of a catalog, and give where all are.

    They are named by their content, unless that is there by another name already.
    """
    new = [path for path in shards if path.parent == building]
    sizes = {path.stat().st_size for path in new}
    there = [other for other in directory.glob("*.arrow") if other.stat().st_size in sizes]
    told = hash_files([*new, *there])
    held = dict(zip(told[len(new) :], there, strict=True))
    places = {
        path: held.get(sha256) or path.replace(directory / f"data-{sha256[:16]}.arrow")
        for path, sha256 in zip(new, told, strict=False)
    }
    return [places.get(path, path) for path in shards]
