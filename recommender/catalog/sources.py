"""A shop's archive or folder, Kaggle's, a Hub dataset or the embedded demo -> a raw catalog.

Every source ends in the same `RawCatalog`, so that what follows never asks where it came from. An
archive is read in place and never unpacked.
"""

import os
import re
import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import datasets
import pandas as pd

from recommender.catalog.cleaning import RawCatalog
from recommender.catalog.columns import NAME, PICTURE, with_usual_names
from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.layout import find_pictures, find_table
from recommender.catalog.tables import READERS, as_text, read_table
from recommender.catalog.values import cleaned, whole_number
from recommender.errors import CatalogError, ImageError

DEMO_ARCHIVE = Path(__file__).parents[1] / "demo" / "fashion-demo.zip"
KAGGLE_DATASET = "paramaggarwal/fashion-product-images-small"
_MAX_TABLE_BYTES = 2**30
# JPEGs do not shrink and a CSV shrinks tenfold; deflate at its limit reaches 1,032.
_MAX_RATIO = 100


class _Reading(NamedTuple):
    """How a source is read; see `read_source`."""

    columns: Mapping[str, str] | None = None
    encoding: str = ""
    with_pictures: bool = True


_AS_IT_COMES = _Reading()


def read_source(
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    encoding: str = "",
    with_pictures: bool = True,
) -> RawCatalog:
    """Open what `source` names.

    Args:
        source: a `.zip` or a folder with a table and pictures, a table with pictures beside it,
            `kaggle`, `hub:OWNER/NAME` or `demo`.
        columns: a column of the schema -> the source's own, where names do not tell.
        encoding: of its table; told by the bytes if empty.
        with_pictures: whether there have to be pictures.

    Raises:
        CatalogError: it is not there, not laid out so, or not safe to read; says what was found.
    """
    if source == "demo":
        return _read_archive(DEMO_ARCHIVE)
    if source == "kaggle":
        return _read_folder(_download_from_kaggle(KAGGLE_DATASET))
    if source.startswith("hub:"):
        return _read_hub(source.removeprefix("hub:"), columns)
    path = Path(source)
    how = _Reading(columns, encoding, with_pictures)
    if path.is_dir():
        return _read_folder(path, how)
    if path.is_file() and path.suffix.lower().lstrip(".") in READERS:
        return _read_folder(path.parent, how, path.name)
    if path.is_file():
        return _read_archive(path, how)
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


def _read_folder(
    folder: Path, how: _Reading = _AS_IT_COMES, table_name: str | None = None
) -> RawCatalog:
    files = {
        path.relative_to(folder).as_posix(): path
        for at, _, names in os.walk(folder)
        for path in (Path(at, name) for name in names)
    }

    def read(name: str, max_bytes: int) -> bytes:
        # A link may lead out of the folder; what it leads to is no part of the source.
        if not files[name].resolve().is_relative_to(folder.resolve()):
            raise CatalogError(f"The folder holds a link that leads out of it: {name}.")
        try:
            if files[name].stat().st_size > max_bytes:
                raise CatalogError(f"{name} has more than {max_bytes:,} bytes.")
            return files[name].read_bytes()
        except OSError as error:
            raise CatalogError(f"{name} cannot be read: {error.strerror or error}.") from error

    return _read_files(files, read, str(folder), how, table_name)


def _read_archive(path: Path, how: _Reading = _AS_IT_COMES) -> RawCatalog:
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # of a damaged directory, whatever its parser happens to raise
        raise CatalogError(f"{path.name} is not a zip archive that can be read.") from error
    infos = {}
    for info in archive.infolist():
        # Old archivers of Windows write backslashes.
        name = info.filename.replace("\\", "/").removeprefix("./")
        if name[:1] in ("", "/") or ".." in name.split("/") or ":" in name:
            raise CatalogError(
                f"{path.name} holds a path that climbs out of it, or is not of a zip: {name!r}."
            )
        if not name.endswith("/"):
            infos[name] = info

    def read(name: str, max_bytes: int) -> bytes:
        info = infos[name]
        too_dense = info.file_size > _MAX_RATIO * max(info.compress_size, 1)
        if info.file_size > max_bytes or (too_dense and info.file_size > 2**20):
            raise CatalogError(
                f"{path.name} is refused as a bomb: {name} would unpack from "
                f"{info.compress_size:,} to {info.file_size:,} bytes."
            )
        try:
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise NotImplementedError("zipfile cannot bound what the others unpack to")
            # With a size, no more is unpacked than the header declares; then the CRC is checked.
            with archive.open(info) as member:
                return member.read(info.file_size + 1)
        except Exception as error:  # zlib.error, BadZipFile, RuntimeError if encrypted, …
            raise CatalogError(
                f"{name} in {path.name} is damaged, encrypted or packed in an unusual way."
            ) from error

    return _read_files(infos, read, path.name, how)


def _read_files(
    names: Collection[str],
    read: Callable[[str, int], bytes],
    found_in: str,
    how: _Reading,
    table_name: str | None = None,
) -> RawCatalog:
    """Find the table and the pictures among files, and read the former."""
    table_name = table_name or find_table(names, found_in)
    if table_name is None:
        return _read_without_table(names, read, found_in)
    folder = table_name[: table_name.rfind("/") + 1]
    table = read_table(read(table_name, _MAX_TABLE_BYTES), table_name, encoding=how.encoding)
    rows, notes = with_usual_names(table.rows, how.columns)
    pictures = find_pictures(names, folder)
    if not pictures and how.with_pictures:
        raise CatalogError(f"{found_in} has {table_name} but no picture in {folder}images/.")
    if pictures.twice:
        notes.append(
            f"passed over {len(pictures.twice):,} pictures, as others have their names: "
            f"{', '.join(pictures.twice[:3])}"
        )
    ids = rows["id"].tolist()
    named = rows[PICTURE] if PICTURE in rows else [None] * len(rows)
    paths = [cleaned(path) for path in named]

    def read_picture(position: int) -> bytes | None:
        if (name := pictures.of(ids[position], paths[position])) is None:
            return None
        try:
            return read(name, PICTURE_LIMITS.max_bytes)
        except CatalogError as error:  # it costs its own item, not the others
            raise ImageError(str(error)) from error

    return RawCatalog(
        rows,
        read_picture,
        repaired_ids=table.repaired,
        left_out=table.left_out,
        notes=[*table.notes, *notes],
    )


def _read_without_table(
    names: Collection[str], read: Callable[[str, int], bytes], found_in: str
) -> RawCatalog:
    """Pictures alone: the folder that one lies in is its type, its own name the item's."""
    pictures = sorted(find_pictures(names, "").by_stem.values())
    if not pictures:
        shown = ", ".join(sorted(names)[:5]) or "nothing"
        raise CatalogError(f"{found_in} has no table and no picture; it holds {shown}.")
    paths = [PurePosixPath(name) for name in pictures]
    numbered = all(whole_number(path.stem) is not None for path in paths)
    rows = pd.DataFrame(
        {
            "id": [path.stem if numbered else str(at) for at, path in enumerate(paths, 1)],
            "articleType": [path.parent.name or None for path in paths],
            NAME: [None if numbered else path.stem for path in paths],
        },
        dtype=object,
    )
    note = "there is no table: the folders of the pictures were read as article types"
    named, notes = with_usual_names(rows)

    def read_picture(position: int) -> bytes:
        try:
            return read(pictures[position], PICTURE_LIMITS.max_bytes)
        except CatalogError as error:
            raise ImageError(str(error)) from error

    return RawCatalog(named, read_picture, notes=[note, *notes])


def _read_hub(name: str, columns: Mapping[str, str] | None = None) -> RawCatalog:
    """A Hub dataset with the same columns and an `image`, such as ashraq/…-small."""
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name):
        raise CatalogError(f"A Hub dataset is named hub:OWNER/NAME, not hub:{name}.")
    try:
        items = datasets.load_dataset(name, split="train")
    except Exception as error:  # the Hub client lets every kind of network error through
        raise CatalogError(
            f"The Hub dataset {name} cannot be loaded ({type(error).__name__}): "
            "see that it exists, has a train split and that the Hub can be reached."
        ) from error
    if "image" not in items.column_names:
        raise CatalogError(f"{name} lacks the column image; it has: {items.column_names}.")
    try:
        pictures = items.select_columns("image").cast_column("image", datasets.Image(decode=False))
    except (TypeError, ValueError, NotImplementedError) as error:
        raise CatalogError(f"The column image of {name} does not hold pictures.") from error

    def read_picture(position: int) -> bytes | None:
        if (picture := pictures[position]["image"]) is None:
            return None
        try:
            return picture["bytes"] or _downloaded(Path(picture["path"])).read_bytes()
        except (OSError, TypeError, ValueError) as error:
            raise ImageError("its file is not there.") from error

    labels = items.remove_columns("image")
    rows = labels.to_pandas()
    for column, feature in labels.features.items():
        if isinstance(feature, datasets.ClassLabel):  # of which the rows hold numbers, or -1
            names = dict(enumerate(feature.names))
            rows[column] = rows[column].map(names.get)
    named, notes = with_usual_names(as_text(rows), columns)
    return RawCatalog(named, read_picture, notes=notes)


def _downloaded(path: Path) -> Path:
    """The path of a file that came with a dataset: a row may name any other of this machine.

    Raises:
        ValueError: it did not.
    """
    real, config = path.resolve(), datasets.config
    caches = (config.HF_DATASETS_CACHE, Path(config.HF_CACHE_HOME, "hub"))
    if not any(real.is_relative_to(Path(cache).resolve()) for cache in caches):
        raise ValueError("no file of the dataset")
    return real
