"""The item schema; cleaning rows into a `datasets.Dataset`; a catalog on disk and back.

A catalog holds one row an item: the columns of Kaggle's `styles.csv`, the picture's bytes exactly
as the source had them, and a hash of the decoded pixels, which tells identical pictures from
different ones even where one of two equal files carries extra metadata.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.errors import CatalogError, ImageError, StoreError
from recommender.images import ImageLimits, decode_image

LABELS = (
    "gender",
    "masterCategory",
    "subCategory",
    "articleType",
    "baseColour",
    "season",
    "usage",
)
"""Columns that hold one of a few words, or None where the source has none."""

COLUMNS = (
    "id",
    *LABELS[:6],
    "year",
    "usage",
    "productDisplayName",
)
"""The columns of `styles.csv`, in its order."""

FEATURES = datasets.Features(
    {
        "id": datasets.Value("int64"),
        "image": datasets.Image(),
        **{name: datasets.Value("string") for name in LABELS[:6]},
        "year": datasets.Value("int32"),
        "usage": datasets.Value("string"),
        "productDisplayName": datasets.Value("string"),
        "image_hash": datasets.Value("string"),
    }
)

REPORT_FILE = "report.json"
STATE_FILE = "state.json"  # of datasets: names the Arrow files
_MISSING = {"", "NA"}
_PICTURES_A_BATCH = 256

PICTURE_LIMITS = ImageLimits(max_bytes=64 * 2**20)
"""What a catalog's own picture may cost: files larger than what a visitor may send."""


@dataclass(frozen=True)
class RawCatalog:
    """What a source found, before cleaning.

    `rows` has the columns of `COLUMNS` as strings (None or NaN where missing), one row an item;
    `read_picture(position)` gives the encoded bytes of the picture of that row, or None where the
    source has none, and may be called from several threads.
    """

    rows: pd.DataFrame
    read_picture: Callable[[int], bytes | None]
    repaired_ids: Sequence[str] = ()


@dataclass(kw_only=True)
class CatalogReport:
    """What was read, repaired and left out, and why. Stored beside the catalog."""

    source: str
    rows: int = 0
    items: int = 0
    repaired: list[str] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    fingerprint: str = ""

    def skip(self, item_id: object, reason: str) -> None:
        self.skipped.append({"id": str(item_id), "reason": reason})

    def summary(self, max_listed: int = 20) -> str:
        """A few lines for a person: the counts, then the rows left out with their reasons."""
        lines = [f"{self.items:,} items from {self.rows:,} rows of {self.source}"]
        if self.repaired:
            lines.append(f"repaired {len(self.repaired)} rows with an unquoted comma in the name")
        if missing := {name: count for name, count in self.missing.items() if count}:
            lines.append("missing: " + ", ".join(f"{n} {c:,}" for n, c in missing.items()))
        lines.append(f"left out {len(self.skipped)} rows")
        lines += [f"  {s['id']}: {s['reason']}" for s in self.skipped[:max_listed]]
        if len(self.skipped) > max_listed:
            lines.append(f"  … and {len(self.skipped) - max_listed} more, in {REPORT_FILE}")
        return "\n".join(lines)


def clean_rows(rows: pd.DataFrame, report: CatalogReport) -> pd.DataFrame:
    """Trim every value and turn blanks and `NA` into missing; nothing else is changed.

    Args:
        rows: the columns of `COLUMNS` (others are ignored), any dtype.
        report: takes the rows left out, which are those whose id is not a whole number from 0 to
            2^63 - 1, or was there already.

    Returns:
        The rows kept, in their order and with their old row labels: id int64, year nullable int32,
        the rest str or None.

    Raises:
        CatalogError: a column is missing; the message names what was found.
    """
    if absent := [name for name in COLUMNS if name not in rows.columns]:
        found = ", ".join(map(str, rows.columns)) or "no column at all"
        raise CatalogError(f"The catalog lacks the column {', '.join(absent)}; it has: {found}.")

    def clean(value: Any) -> str | None:
        text = "" if pd.isna(value) else " ".join(str(value).split())
        return None if text in _MISSING else text

    cleaned = pd.DataFrame(
        {name: pd.Series([clean(v) for v in rows[name]], dtype=object) for name in COLUMNS}
    ).set_index(rows.index)

    ids = [_whole_number(value, upper=2**63 - 1) for value in cleaned["id"]]
    seen: set[int] = set()
    keep = np.zeros(len(ids), dtype=bool)
    for position, (item_id, text) in enumerate(zip(ids, cleaned["id"], strict=True)):
        if item_id is None:
            report.skip(text, "the id is not a whole number")
        elif item_id in seen:
            report.skip(text, "an earlier row has the same id")
        else:
            seen.add(item_id)
            keep[position] = True
    years = [_whole_number(value, upper=9999) for value in cleaned["year"]]
    cleaned["id"] = pd.array(ids, dtype="Int64")
    cleaned["year"] = pd.array(years, dtype="Int32")
    return cleaned[keep].astype({"id": "int64"})


def _whole_number(text: str | None, *, upper: int) -> int | None:
    """`2012`, and `2012.0` as a float column writes it; None for anything else."""
    digits = (text or "").removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        return None
    return number if (number := int(digits)) <= upper else None


def build_catalog(raw: RawCatalog, directory: Path, *, source: str) -> CatalogReport:
    """Clean `raw`, check each of its pictures and write the catalog, whole or not at all.

    Pictures are decoded to know that they can be, and hashed; their bytes are kept as they were.

    Args:
        raw: what a source found.
        directory: where the catalog goes; replaced only once the new one is complete.
        source: how the report names the source.

    Returns:
        The report, which is also stored as `report.json` beside the items.

    Raises:
        CatalogError: a column is missing, no item is left, or the directory cannot be written.
    """
    report = CatalogReport(source=source, rows=len(raw.rows), repaired=list(raw.repaired_ids))
    rows = raw.rows.reset_index(drop=True)
    cleaned = clean_rows(rows, report)
    if not len(cleaned):
        raise CatalogError(f"{source} has no item: {len(rows)} rows were read.")
    building = directory.with_name(directory.name + ".building")
    try:
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        items = add_pictures(cleaned, raw, report, building / "map.arrow")
        if not len(items):
            reason = report.skipped[0]["reason"]
            raise CatalogError(f"{source} has no item with a readable picture; first: {reason}")
        report.items = len(items)
        table = catalog_frame(items)
        report.missing = {name: int(table[name].isna().sum()) for name in COLUMNS}
        report.fingerprint = catalog_fingerprint(items)
        items.save_to_disk(building / "whole", max_shard_size="500MB")
        (building / "whole" / REPORT_FILE).write_text(
            json.dumps(asdict(report), ensure_ascii=False, indent=1), encoding="utf-8"
        )
        shutil.rmtree(directory, ignore_errors=True)
        (building / "whole").rename(directory)
    except OSError as error:
        raise CatalogError(f"The catalog cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return report


def add_pictures(
    cleaned: pd.DataFrame, raw: RawCatalog, report: CatalogReport, cache_file: Path
) -> datasets.Dataset:
    """Map rows to items: read, check and hash pictures in threads, drop rows without one."""
    rows = datasets.Dataset.from_pandas(
        cleaned.assign(position=cleaned.index), preserve_index=False
    )

    def inspect(position: int) -> tuple[bytes | None, str]:
        try:
            if (data := raw.read_picture(position)) is None:
                return None, "it has no picture"
            return data, pixel_hash(data)
        except ImageError as error:
            return None, f"unreadable picture: {error}"

    def add(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        inspected = list(pool.map(inspect, batch["position"]))
        kept = [i for i, (data, _) in enumerate(inspected) if data is not None]
        for item_id, (data, reason) in zip(batch["id"], inspected, strict=True):
            if data is None:
                report.skip(item_id, reason)
        items = {name: [batch[name][i] for i in kept] for name in COLUMNS}
        items["image"] = [{"bytes": inspected[i][0], "path": f"{batch['id'][i]}.jpg"} for i in kept]
        items["image_hash"] = [inspected[i][1] for i in kept]
        return items

    with ThreadPoolExecutor() as pool:
        return rows.map(
            add,
            batched=True,
            batch_size=_PICTURES_A_BATCH,
            writer_batch_size=_PICTURES_A_BATCH,
            remove_columns=rows.column_names,
            features=FEATURES,
            cache_file_name=str(cache_file),
            load_from_cache_file=False,
            new_fingerprint="items",
            desc="Reading pictures",
        )


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
        if shards:
            opened = [datasets.Dataset.from_file(str(path)) for path in shards]
            items = datasets.concatenate_datasets(opened)
        else:
            items = datasets.load_from_disk(str(directory))
    except Exception as error:  # of damaged files, whatever datasets and pyarrow happen to raise
        raise StoreError("The catalog is damaged: build it again.") from error
    if isinstance(items, datasets.Dataset) and set(items.column_names) == set(FEATURES):
        items = items.cast_column("image", FEATURES["image"])
    if not isinstance(items, datasets.Dataset) or items.features != FEATURES:
        raise StoreError("The catalog has other columns than this version: build it again.")
    return items.cast_column("image", datasets.Image(decode=False))


def catalog_shards(directory: Path) -> list[Path]:
    """The Arrow files of the latest catalog, in order.

    Raises:
        OSError: there is none.
    """
    state = json.loads((directory / STATE_FILE).read_text(encoding="utf-8"))
    return [directory / Path(file["filename"]).name for file in state["_data_files"]]


def catalog_frame(items: datasets.Dataset) -> pd.DataFrame:
    """Everything but the pictures, one row an item in the catalog's order.

    Returns:
        Columns of `COLUMNS` and `image_hash`; id int64, year nullable Int32, the rest str or None.
    """
    table = items.remove_columns("image").data.table.combine_chunks()
    columns = {name: table[name].to_pandas() for name in table.column_names if name != "year"}
    columns = {name: c if name == "id" else c.astype(object) for name, c in columns.items()}
    frame = pd.DataFrame(columns).where(lambda f: f.notna(), None)
    frame["year"] = pd.array(table["year"].to_pylist(), dtype="Int32")
    return frame[[*COLUMNS, "image_hash"]]


def catalog_fingerprint(items: datasets.Dataset) -> str:
    """sha256 of every item's columns and pixels, in order: equal exactly when catalogs are."""
    digest = hashlib.sha256()
    frame = catalog_frame(items)
    for name in frame.columns:
        values = [None if value is pd.NA else value for value in frame[name].tolist()]
        digest.update(json.dumps([name, values], ensure_ascii=False).encode())
    return digest.hexdigest()


def name_groups(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Which items share a `productDisplayName` (case and spaces aside).

    Returns:
        int64 of shape (n,): the row of each group's first item; an item without a name is alone.
    """
    first: dict[object, int] = {}
    keys = (
        ("row", row) if name is None else name.casefold()
        for row, name in enumerate(frame["productDisplayName"])
    )
    return np.array([first.setdefault(key, row) for row, key in enumerate(keys)], dtype=np.int64)


def split_names(frame: pd.DataFrame) -> npt.NDArray[np.str_]:
    """Assign each item to `train` (85%), `dev` (5%) or `test` (10%) by its name group.

    The name's own hash decides, so a name stays in its split when the catalog grows or shrinks.

    Returns:
        str array of shape (n,).
    """

    def split(item_id: int, name: str | None) -> str:
        key = f"id {item_id}" if name is None else name.casefold()
        bucket = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest()) % 100
        return "test" if bucket < 10 else "dev" if bucket < 15 else "train"

    names = zip(frame["id"], frame["productDisplayName"], strict=True)
    return np.array([split(item_id, name) for item_id, name in names])


def split_years(frame: pd.DataFrame) -> npt.NDArray[np.str_]:
    """Assign each item to `train` (even years), `dev` (odd years) or `none` (no year).

    The only public split of this data, and a leaky one: names and pictures repeat across years.

    Returns:
        str array of shape (n,).
    """
    years = frame["year"].fillna(-1).to_numpy(np.int64)
    return np.where(years < 0, "none", np.where(years % 2 == 0, "train", "dev"))


SPLITS = {"names": split_names, "years": split_years}
