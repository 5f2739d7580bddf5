"""A shop's archive or folder, Kaggle's, a Hub dataset or the embedded demo -> a raw catalog.

Every source ends in the same `RawCatalog`, so that what follows never asks where it came from. An
archive is read in place and never unpacked.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd

from recommender.catalog.addresses import addresses_of
from recommender.catalog.archives import Files, open_files
from recommender.catalog.cleaning import RawCatalog
from recommender.catalog.columns import MORE_PICTURES, NAME, PICTURE, with_usual_names
from recommender.catalog.continued import with_further_rows
from recommender.catalog.hub_dataset import read_hub_dataset, read_parquet_pictures
from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.layout import (
    Pictures,
    find_pictures,
    find_table,
    is_usual_place,
    key_of,
    number_in,
)
from recommender.catalog.styles import find_styles, join_styles
from recommender.catalog.tables import READERS, read_table
from recommender.catalog.values import cleaned
from recommender.catalog.views import View
from recommender.errors import CatalogError, ImageError

DEMO_ARCHIVE = Path(__file__).parents[1] / "demo" / "fashion-demo.zip"
KAGGLE_DATASET = "paramaggarwal/fashion-product-images-small"
_MAX_TABLE_BYTES = 2**30
_OTHER_TABLES = (".xls", ".xlsb", ".ods", ".numbers")
_NO_TYPES = {"", "images", "image", "img", "imgs", "photos", "pictures", "bilder"}
"""Folders of pictures that say nothing of what they show."""


class _Reading(NamedTuple):
    """How a source is read; see `read_source`."""

    columns: Mapping[str, str] | None = None
    encoding: str = ""
    with_pictures: bool = True
    with_styles: bool = True


def read_source(
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    encoding: str = "",
    styles: str = "",
    split: str = "train",
    config: str = "",
    with_pictures: bool = True,
) -> RawCatalog:
    """Open what `source` names.

    Args:
        source: a `.zip` or a folder with a table and pictures, a table with pictures beside it,
            `kaggle`, `hub:OWNER/NAME` or `demo`.
        columns: a column of the schema -> the source's own, where names do not tell.
        encoding: of its table; told by the bytes if empty.
        styles: an archive or folder with `styles/ID.json`, as Kaggle's full-size data has them;
            those beside the table are read if it is empty.
        split, config: of a Hub dataset.
        with_pictures: whether there have to be pictures.

    Raises:
        CatalogError: it is not there, not laid out so, or not safe to read; says what was found.
    """
    how = _Reading(columns, encoding, with_pictures, with_styles=not styles)
    if source.startswith("hub:"):
        name = source.removeprefix("hub:")
        raw = read_hub_dataset(name, columns, split=split, config=config)
    else:
        raw = _read(source, how)
    return join_styles(raw, open_files(Path(styles))) if styles else raw


def _read(source: str, how: _Reading) -> RawCatalog:
    if source == "demo":
        return _read_files(open_files(DEMO_ARCHIVE), _Reading())
    if source == "kaggle":
        folder = _download_from_kaggle(KAGGLE_DATASET)
        return _read_files(open_files(folder), _Reading(with_styles=how.with_styles))
    path = Path(source)
    if path.is_file() and path.suffix.lower().lstrip(".") in (*READERS, "txt"):
        return _read_files(open_files(path.parent), how, path.name)
    if path.exists():
        return _read_files(open_files(path), how)
    raise CatalogError(
        f"There is no source {source!r}: name a .zip or a folder with a table and pictures, "
        "kaggle, hub:OWNER/NAME or demo."
    )


def _download_from_kaggle(dataset: str) -> Path:
    import kagglehub  # only this source needs it, and it takes a while to import

    try:
        return Path(kagglehub.dataset_download(dataset))
    except Exception as error:  # kagglehub lets every kind of network error through
        raise CatalogError(
            f"Kaggle's download of {dataset} failed ({type(error).__name__}): "
            "see that Kaggle can be reached, or download the archive by hand and name its path."
        ) from error


def _read_files(files: Files, how: _Reading, table_name: str | None = None) -> RawCatalog:
    """Find the table and the pictures among files, and read the former."""
    names, read, found_in = files.names, files.read, files.found_in
    table_name = table_name or find_table(names, found_in)
    if table_name is None:
        return _read_without_table(files)
    folder = table_name[: table_name.rfind("/") + 1]
    data = read(table_name, _MAX_TABLE_BYTES)
    if table_name.lower().endswith(".parquet"):
        whole = read_parquet_pictures(data, table_name, how.columns)
        if whole is not None:
            return whole
    table = read_table(data, table_name, encoding=how.encoding)
    rows, notes = with_usual_names(table.rows, how.columns)
    rows, continued = with_further_rows(rows)
    notes += continued
    pictures = find_pictures(names, folder)
    ids = [cleaned(item_id) for item_id in rows["id"]]
    empty = [None] * len(rows)
    cells, more = (
        [cleaned(cell) for cell in rows.get(name, empty)] for name in (PICTURE, MORE_PICTURES)
    )
    if not pictures and how.with_pictures and not any(map(addresses_of, cells)):
        beside = ", ".join(sorted({*names} - {table_name})[:5]) or "no other file"
        raise CatalogError(
            f"{found_in} has {table_name} but no picture in {folder}images/ or elsewhere: "
            f"beside it there is {beside}."
        )
    found = [
        list(dict.fromkeys([*names, *pictures.called(cell)]))
        for names, cell in zip(pictures.of(ids, cells), more, strict=True)
    ]
    notes += [*pictures.notes_on(found), *_note_on_letters(pictures, ids, found)]
    notes += _find_elsewhere(names, folder, (ids, cells), found)
    read_picture, views = _reading(files, found)
    raw = RawCatalog(
        rows,
        read_picture,
        views,
        repaired_ids=table.repaired,
        left_out=table.left_out,
        notes=[*table.notes, *notes],
    )
    if how.with_styles and find_styles(names, folder):
        return join_styles(raw, files, folder)
    return raw


def _find_elsewhere(
    names: Collection[str],
    folder: str,
    told: tuple[Sequence[str | None], Sequence[str | None]],
    found: list[list[str]],
) -> list[str]:
    """Look outside `images/` for pictures of rows that have none there; what there is to say."""
    lacking = [at for at, its in enumerate(found) if not its]
    elsewhere = [name for name in names if not is_usual_place(name, folder)]
    if not lacking or len(elsewhere) == len(names):
        return []
    ids, cells = ([of[at] for at in lacking] for of in told)
    there = find_pictures(elsewhere, folder).of(ids, cells)
    taken = {at: its for at, its in zip(lacking, there, strict=True) if its}
    for at, its in taken.items():
        found[at] = its
    shown = ", ".join(its[0] for its in list(taken.values())[:3])
    return [f"read {len(taken):,} pictures from outside images/: {shown}"] * bool(taken)


def _note_on_letters(
    pictures: Pictures, ids: Sequence[str | None], found: Sequence[Sequence[str]]
) -> list[str]:
    """Says which pictures are called otherwise than their items' ids, if any are."""
    keys = {key_of(item_id) for item_id in ids if item_id}
    lacking = sorted(keys - pictures.by_stem.keys() - pictures.views.keys())
    told = pictures.by_letters(lacking, keys)
    further = pictures.by_beginnings([key for key in lacking if key not in told], keys)
    told |= {key: names[0] for key, names in further.items()}
    taken = {names[0] for names in found if names}
    said = [f"{name} as that of {key}" for key, name in told.items() if name in taken]
    more = ", …" if len(said) > 3 else ""
    return [f"read {len(said):,} pictures by the letters: {', '.join(said[:3])}{more}"] * bool(said)


def _read_without_table(files: Files) -> RawCatalog:
    """Pictures alone: the folder that one lies in is its type, its own name the item's.

    Where all are named by numbers, perhaps with views of them, these are the ids.
    """
    if others := [name for name in files.names if name.lower().endswith(_OTHER_TABLES)]:
        raise CatalogError(f"{others[0]} is no table that is read: save it as CSV or XLSX.")
    there = find_pictures(files.names, "")
    names = sorted([*there.by_stem.values(), *there.twice])
    if not names:
        shown = ", ".join(sorted(files.names)[:5]) or "nothing"
        raise CatalogError(f"{files.found_in} has no table and no picture; it holds {shown}.")
    places = {name: PurePosixPath(name) for name in names}
    folders: dict[str | None, set[PurePosixPath]] = {}
    for path in places.values():
        folders.setdefault(number_in(path.stem), set()).add(path.parent)
    if None not in folders and all(len(parents) == 1 for parents in folders.values()):
        ids = list(dict.fromkeys(number_in(path.stem) or "" for path in places.values()))
        found = there.of(ids, [None] * len(ids))
        called: list[str | None] = [None] * len(ids)
        said = there.notes_on(found)
    else:
        # Of one stem in two folders are two items; in one folder, the picture that goes before.
        before: dict[tuple[PurePosixPath, str], str] = {}
        for name in (*there.by_stem.values(), *there.twice):
            before.setdefault((places[name].parent, places[name].stem), name)
        kept = {*before.values()}
        found = [[name] for name in names if name in kept]
        ids = [str(at) for at in range(1, len(found) + 1)]
        called = [places[name].stem for [name] in found]
        said = replace(there, by_stem={}, twice=sorted({*names} - kept)).notes_on([])
    types = [places[its[0]].parent.name for its in found]
    rows = pd.DataFrame(
        {
            "id": ids,
            "articleType": [None if name.lower() in _NO_TYPES else name for name in types],
            NAME: called,
        },
        dtype=object,
    )
    note = "there is no table: the folders of the pictures were read as article types"
    named, notes = with_usual_names(rows)
    read_picture, views = _reading(files, found)
    return RawCatalog(named, read_picture, views, notes=[note, *said, *notes])


def _reading(
    files: Files, found: Sequence[Sequence[str]]
) -> tuple[Callable[[int], bytes | None], Callable[[int], list[View]]]:
    """What reads the pictures of rows, given their names: each row's own, and its further ones."""

    def read(name: str) -> bytes:
        try:
            return files.read(name, PICTURE_LIMITS.max_bytes)
        except CatalogError as error:  # it costs its own item, not the others
            raise ImageError(str(error)) from error

    def read_picture(position: int) -> bytes | None:
        return read(found[position][0]) if found[position] else None

    def views(position: int) -> list[View]:
        return [View(name, partial(read, name)) for name in found[position][1:]]

    return read_picture, views
