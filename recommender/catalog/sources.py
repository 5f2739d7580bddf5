"""Kaggle's archive or folder, its download, a Hub dataset or the embedded demo -> a raw catalog.

Every source ends in the same `RawCatalog`, so that what follows never asks where it came from. An
archive is read in place and never unpacked.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path, PurePosixPath

import datasets
import pandas as pd

from recommender.catalog.cleaning import RawCatalog
from recommender.catalog.items import PICTURE_LIMITS
from recommender.errors import CatalogError, ImageError
from recommender.schema import COLUMNS

DEMO_ARCHIVE = Path(__file__).parents[1] / "demo" / "fashion-demo.zip"
KAGGLE_DATASET = "paramaggarwal/fashion-product-images-small"
_KAGGLES_COPY = "myntradataset"  # the same tree again, inside Kaggle's own archive
_MAX_CSV_BYTES = 2**30
# JPEGs do not shrink and a CSV shrinks tenfold; deflate at its limit reaches 1,032.
_MAX_RATIO = 100


class _DamagedError(CatalogError):
    """One file of a source cannot be read; fatal for a table, a reason to skip for a picture."""


def read_source(source: str) -> RawCatalog:
    """Open what `source` names.

    Args:
        source: a `.zip` or a folder in Kaggle's layout, `kaggle`, `hub:OWNER/NAME` or `demo`.

    Raises:
        CatalogError: it is not there, not laid out so, or not safe to read; says what was found.
    """
    if source == "demo":
        return _read_archive(DEMO_ARCHIVE)
    if source == "kaggle":
        return _read_folder(_download_from_kaggle(KAGGLE_DATASET))
    if source.startswith("hub:"):
        return _read_hub(source.removeprefix("hub:"))
    path = Path(source)
    if path.is_dir():
        return _read_folder(path)
    if path.is_file():
        return _read_archive(path)
    raise CatalogError(
        f"There is no source {source!r}: name a .zip or a folder in Kaggle's layout, "
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


def _read_folder(folder: Path) -> RawCatalog:
    files = {
        path.relative_to(folder).as_posix(): path
        for pattern in ("*", "*/*", "*/images/*", "images/*")
        for path in folder.glob(pattern)
        if path.is_file()
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
            raise _DamagedError(f"{name} cannot be read: {error.strerror or error}.") from error

    return _read_kaggle_layout(files, read, found_in=str(folder))


def _read_archive(path: Path) -> RawCatalog:
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # of a damaged directory, whatever its parser happens to raise
        raise CatalogError(f"{path.name} is not a zip archive that can be read.") from error
    # Not `is_dir`, which asks a name for its last letter, if it has one.
    infos = {i.filename: i for i in archive.infolist() if not i.filename.endswith("/")}
    for name in infos:
        if name[:1] in ("", "/") or ".." in name.split("/") or "\\" in name or ":" in name:
            raise CatalogError(
                f"{path.name} holds a path that climbs out of it, or is not of a zip: {name!r}."
            )

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
            raise _DamagedError(
                f"{name} in {path.name} is damaged, encrypted or packed in an unusual way."
            ) from error

    return _read_kaggle_layout(infos, read, found_in=path.name)


def _read_kaggle_layout(
    names: Collection[str], read: Callable[[str, int], bytes], *, found_in: str
) -> RawCatalog:
    """Find `styles.csv` and `images/`, at the top or one level down, and read the former."""
    tables = [n for n in names if PurePosixPath(n).name == "styles.csv" and n.count("/") <= 1]
    if not tables:
        shown = ", ".join(sorted(names)[:5]) or "nothing"
        raise CatalogError(f"{found_in} has no styles.csv; it holds {shown}.")
    table = min(tables, key=lambda n: (n.count("/"), _KAGGLES_COPY in n, n))
    folder = str(PurePosixPath(table).parent / "images") + "/"
    pictures = {
        PurePosixPath(name).stem: name
        for name in names
        if name.startswith(folder) and name.count("/") == folder.count("/")
    }
    rows, repaired = parse_styles(read(table, _MAX_CSV_BYTES))
    if not pictures:
        raise CatalogError(f"{found_in} has {table} but no picture in {folder}.")
    stems = rows["id"].tolist()

    def read_picture(position: int) -> bytes | None:
        if (name := pictures.get((stems[position] or "").strip())) is None:
            return None
        try:
            return read(name, PICTURE_LIMITS.max_bytes)
        except _DamagedError as error:
            raise ImageError(str(error)) from error

    return RawCatalog(rows, read_picture, repaired)


def parse_styles(data: bytes) -> tuple[pd.DataFrame, list[str]]:
    """Read `styles.csv`, putting names with an unquoted comma together again.

    The name is the one free text of the table, so any fields too many belong to it.

    Args:
        data: the file; UTF-8 with or without a byte-order mark, else Latin-1.

    Returns:
        The rows, all strings, short rows filled with None; the ids of the rows repaired.

    Raises:
        CatalogError: a column is missing or there is no row; names what was found.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = _split_rows(text.replace("\0", ""))
    try:
        header = [name.strip() for name in next(lines, [])]
        fields = [line for line in lines if line]
    except csv.Error as error:
        raise CatalogError(f"styles.csv cannot be read: {error}.") from error
    if absent := [name for name in COLUMNS if name not in header]:
        found = ", ".join(header) or "nothing"
        raise CatalogError(f"styles.csv lacks the column {', '.join(absent)}; it has: {found}.")
    if len(set(header)) < len(header):
        raise CatalogError(f"styles.csv has a column twice: {', '.join(header)}.")
    if not fields:
        raise CatalogError("styles.csv has a header but no row.")
    repaired, rows = [], []
    name_at, id_at = header.index("productDisplayName"), header.index("id")
    for line in fields:
        extra = len(line) - len(header)
        if extra > 0:
            end = name_at + extra + 1
            line = [*line[:name_at], ",".join(line[name_at:end]), *line[end:]]
            repaired.append(line[id_at])
        rows.append(line + [None] * (len(header) - len(line)))
    return pd.DataFrame(rows, columns=header, dtype=object)[list(COLUMNS)], repaired


def _split_rows(text: str) -> Iterator[list[str]]:
    """The fields of each row, the header first.

    A quote that opens and never closes would make one field of all the rows up to the next quote:
    where a line within the quotes is a row by itself, the quote is taken as a plain character.
    """
    lines = io.StringIO(text, newline="").readlines()
    at, width = 0, 2
    while at < len(lines):
        end = at + 1
        opened = lines[at].count('"') % 2 == 1
        while opened and end < len(lines) and lines[end].count(",") < width - 1:
            opened = lines[end].count('"') % 2 == 0
            end += 1
        end = at + 1 if opened else end
        block = lines[at:end]
        rows = list(csv.reader(block, quoting=csv.QUOTE_NONE) if opened else csv.reader(block))
        yield from rows
        width = max(width, len(rows[0])) if at == 0 else width
        at = end


def _read_hub(name: str) -> RawCatalog:
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

    return RawCatalog(items.remove_columns("image").to_pandas(), read_picture)


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
