"""A catalog on disk and back: a `datasets.Dataset`.

A catalog holds one row an item: the usual columns, those of its own, the picture's bytes exactly as
the source had them, and a hash of the decoded pixels, which tells identical pictures from different
ones even where one of two equal files carries extra metadata.
"""

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import datasets
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from datasets.table import MemoryMappedTable, concat_tables

from recommender.catalog.arrow import check_arrow
from recommender.catalog.cleaning import (
    REPORT_FILE,
    CatalogReport,
    RawCatalog,
    are_numbered,
    clean_rows,
    spell_labels,
)
from recommender.catalog.features import check_features, check_values, features_of
from recommender.catalog.labels import Vocabulary
from recommender.catalog.own import DTYPES
from recommender.catalog.shards import LATEST, catalog_shards, place_of_new, write_catalog
from recommender.catalog.views import (
    VIEW_HASHES,
    VIEWS,
    Kept,
    check_views,
    decoding,
    read_views,
    without_unused,
)
from recommender.errors import CatalogError, ImageError, StoreError
from recommender.files import MANIFEST_FILE, refused_by_disk
from recommender.pictures.decode import ImageLimits, decode_image
from recommender.schema import COLUMNS, PICTURE_COLUMNS, Id, own_names

_IMAGE, _HASH = PICTURE_COLUMNS
_POSITION = "\tposition"  # of a row in its source; no column is called so

_PICTURES_A_BATCH = 256
_SHOWN = 3
PICTURE_LIMITS = ImageLimits(max_bytes=64 * 2**20, max_memory=2**30, patient=True)
"""What a catalog's own picture may cost: files larger than what a visitor may send."""


def build_catalog(
    raw: RawCatalog, directory: Path, *, source: str, vocabulary: Vocabulary | None = None
) -> CatalogReport:
    """Clean `raw`, check each of its pictures and write the catalog, whole or not at all.

    Pictures are decoded to know that they can be, and hashed; their bytes are kept as they were.

    Args:
        raw: what a source found.
        directory: where the catalog goes; one that is there stays whole until the new one takes
            its place, and of a store until its next version does; then it is removed.
        source: how the report names the source.
        vocabulary: the owner's words for labels.

    Returns:
        The report, which is also stored as `report.json` beside the items.

    Raises:
        CatalogError: a column is missing, no item is left, or the directory cannot be written.
    """
    report = CatalogReport.of(raw, source)
    rows = raw.rows.reset_index(drop=True)
    numbered = are_numbered(rows.get("id", ()))
    cleaned = clean_rows(rows, report, numbered=numbered)
    cleaned = spell_labels(cleaned, report, vocabulary)
    if not len(cleaned):
        first = next((f"; {s['id']}: {s['reason']}" for s in report.skipped), "")
        raise CatalogError(f"{source} has no item: {report.rows} rows were read{first}.")
    with changing(directory) as building:
        items = add_pictures(cleaned, raw, report, building / "map.arrow")
        if not len(items):
            reason = report.skipped[0]["reason"]
            raise CatalogError(f"{source} has no item with a readable picture; first: {reason}")
        written = write_catalog([items.data.table], items.features, directory, report)
        latest = {*written, *(directory / name for name in LATEST)}
        if directory.with_name(MANIFEST_FILE).exists():  # names files that are served until then
            latest.update(directory.glob("*.arrow"))
        for stale in set(directory.iterdir()) - latest:
            shutil.rmtree(stale, ignore_errors=True)
            with suppress(OSError):  # Windows keeps a file that is still read
                stale.unlink()
    return report


@contextmanager
def changing(directory: Path) -> Iterator[Path]:
    """A folder beside a catalog for what is needed while it is changed.

    Raises:
        CatalogError: something cannot be written.
    """
    building = directory.with_name(directory.name + ".building")
    try:
        for left in (building, place_of_new(directory)):  # by a command that was killed
            shutil.rmtree(left, ignore_errors=True)
        building.mkdir(parents=True)
        yield building
    except (OSError, ValueError) as error:
        if (cause := refused_by_disk(error)) is None:
            raise
        raise CatalogError(f"The catalog cannot be written: {cause.strerror or cause}.") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def add_pictures(
    cleaned: pd.DataFrame, raw: RawCatalog, report: CatalogReport, cache_file: Path
) -> datasets.Dataset:
    """Map rows to items: read, check and hash pictures in threads, drop rows without one."""
    table = cleaned.assign(**{_POSITION: cleaned.index})
    viewed = any(map(raw.views, cleaned.index))
    features = features_of(cleaned, viewed=viewed)
    views, lost = dict[Id, int](), list[str]()
    rows = datasets.Dataset.from_pandas(table, preserve_index=False)

    def inspect(position: int) -> tuple[bytes | None, str, Kept]:
        none = Kept([], [], [])
        try:
            if (data := raw.read_picture(position)) is None:
                return None, "it has no picture", none
            own = pixel_hash(data)
        except ImageError as error:
            return None, f"unreadable picture: {error}", none
        return data, own, read_views(raw.views(position), own, pixel_hash) if viewed else none

    def add(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        inspected = list(pool.map(inspect, batch[_POSITION]))
        kept = [i for i, (data, *_) in enumerate(inspected) if data is not None]
        for item_id, (data, reason, more) in zip(batch["id"], inspected, strict=True):
            if data is None:
                report.skip(item_id, reason)
            views.update({item_id: len(more.data)} if more.data else {})
            lost.extend(more.lost)
        items = {name: [batch[name][i] for i in kept] for name in cleaned.columns}
        items["image"] = [
            {"bytes": inspected[i][0], "path": _file_of(batch["id"][i])} for i in kept
        ]
        items["image_hash"] = [inspected[i][1] for i in kept]
        if viewed:
            items[VIEWS] = [_named(batch["id"][i], inspected[i][2].data) for i in kept]
            items[VIEW_HASHES] = [inspected[i][2].hashes for i in kept]
        return items

    with ThreadPoolExecutor() as pool:
        items = rows.map(
            add,
            batched=True,
            batch_size=_PICTURES_A_BATCH,
            writer_batch_size=_PICTURES_A_BATCH,
            remove_columns=rows.column_names,
            features=features,
            cache_file_name=str(cache_file),
            load_from_cache_file=False,
            new_fingerprint="items",
            desc="Reading pictures",
        )
    if views:
        report.notes.append(f"kept {sum(views.values()):,} further views of {len(views):,} items")
    if lost:
        shown = "; ".join(lost[:_SHOWN])
        report.notes.append(f"left out {len(lost):,} further views: {shown}")
    return without_unused(items)


def _file_of(item_id: Id, number: int = 1) -> str:
    view = f"_{number}" if number > 1 else ""
    return f"{quote(str(item_id), safe='')}{view}.jpg"


def _named(item_id: Id, views: Sequence[bytes]) -> list[dict[str, Any]]:
    """Views as Arrow holds them."""
    return [
        {"bytes": data, "path": _file_of(item_id, number)} for number, data in enumerate(views, 2)
    ]


def pixel_hash(data: bytes) -> str:
    """Hash of the decoded pixels (and their size), 32 hex digits.

    Raises:
        ImageError: `data` is not a picture within the limits.
    """
    picture = decode_image(data, limits=PICTURE_LIMITS)
    digest = hashlib.blake2b(repr(picture.size).encode(), digest_size=16)
    digest.update(picture.tobytes())
    return digest.hexdigest()


def load_catalog(directory: Path, shards: Sequence[Path] = ()) -> datasets.Dataset:
    """The catalog's items, memory-mapped, pictures as `{"bytes", "path"}`.

    Args:
        directory: where the catalog is.
        shards: its Arrow files in order, as a manifest pins them; the latest ones if empty.

    Raises:
        StoreError: there is none, or it is not whole.
    """
    if not shards and not (directory / REPORT_FILE).is_file():
        raise StoreError(
            "There is no catalog here yet: build one with `python -m scripts.build_catalog`."
        )
    try:
        info = None if shards else datasets.DatasetInfo.from_directory(str(directory))
        shards = shards or catalog_shards(directory)
        with ThreadPoolExecutor() as pool:
            list(pool.map(check_arrow, shards))
        opened = [MemoryMappedTable.from_file(str(path)) for path in shards]
        items = datasets.Dataset(concat_tables(opened), info=info)
    except Exception as error:  # of damaged files, whatever datasets and pyarrow happen to raise
        raise StoreError("The catalog is damaged: build it again.") from error
    if "image" in items.column_names:
        with suppress(
            TypeError, ValueError, pa.ArrowException
        ):  # of what holds no pictures, which is refused next
            items = decoding(items, decode=True)
    check_features(items.features)
    check_items(items)
    return decoding(items, decode=False)


def check_items(items: datasets.Dataset) -> None:
    """See that each item has an id of its own, and its picture within.

    A picture may also be named by its path, which whoever reads it would open: a path that comes
    from elsewhere must never be.

    Raises:
        StoreError: an item has not.
    """
    table = items.data.table
    ids = table["id"]
    if ids.null_count or pc.count_distinct(ids).as_py() < len(ids):
        raise StoreError("The catalog has items without an id of their own: build it again.")
    pictures = [chunk.field("bytes") for chunk in table["image"].chunks]
    if any(one.null_count for one in (table["image"], table[_HASH], *pictures)):
        raise StoreError("The catalog has items without a picture within: build it again.")
    check_values(table)
    if VIEWS in items.features:
        check_views(table)


def catalog_frame(
    items: datasets.Dataset, rows: npt.NDArray[np.int64] | None = None
) -> pd.DataFrame:
    """Everything but the pictures, one row an item.

    Args:
        items: a catalog.
        rows: int64 of shape (m,), of which items, in their order; of all, in the catalog's, if
            None.

    Returns:
        Columns of `COLUMNS`, a catalog's own, `image_hash` and, of one with views, lists of theirs;
        id int64 or str, year nullable Int32, the other usual ones str or None, its own of
        `own.DTYPES`.
    """
    features, table = items.features, items.data.table  # the features are a copy, each time
    if rows is not None:
        # Of some rows of many chunks Arrow would first put all of these together.
        chosen = np.zeros(len(table), bool)
        chosen[rows] = True
        table = table.drop_columns([n for n in (_IMAGE, VIEWS) if n in features]).filter(chosen)
        table = table.take(np.searchsorted(np.flatnonzero(chosen), rows))
    own = own_names([name for name in features if name not in (_IMAGE, VIEWS)])
    dtypes = {**dict.fromkeys(COLUMNS, "object"), "year": "Int32"}
    dtypes |= {name: DTYPES[features[name].dtype] for name in own} | {_HASH: "object"}
    columns = {}
    for name, dtype in dtypes.items():
        if pa.types.is_integer(table[name].type) and dtype == "object":  # ids that are numbers
            columns[name] = table[name].to_pandas()
        elif dtype == "object":
            columns[name] = _texts(table[name])
        else:
            columns[name] = pd.Series(pd.array(table[name].to_pylist(), dtype=dtype))
    if VIEW_HASHES in features:
        columns[VIEW_HASHES] = pd.Series([told or [] for told in table[VIEW_HASHES].to_pylist()])
    return pd.DataFrame(columns)


def _texts(column: pa.ChunkedArray) -> "pd.Series[Any]":
    """A column's texts, None where missing; equal ones are one object, which a few bytes name."""
    coded = column.combine_chunks().dictionary_encode()
    texts = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    return pd.Series(texts[coded.indices.fill_null(len(texts) - 1).to_numpy()], dtype=object)
