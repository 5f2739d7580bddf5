"""A folder or a zip as files by their names, read in place and within limits, never unpacked."""

import os
import re
import zipfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from recommender.errors import CatalogError

# JPEGs do not shrink and a CSV shrinks tenfold; deflate at its limit reaches 1,032.
_MAX_RATIO = 100
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True)
class Files:
    """What a source holds.

    `names` have slashes and climb nowhere; `read(name, max_bytes)` gives one file's bytes or raises
    CatalogError, and may be called from several threads; `found_in` is what messages call it.
    """

    names: Collection[str]
    read: Callable[[str, int], bytes]
    found_in: str


def open_files(path: Path) -> Files:
    """The files of a folder or an archive.

    Raises:
        CatalogError: it is neither, or not safe to read.
    """
    return _open_folder(path) if path.is_dir() else _open_archive(path)


def _open_folder(folder: Path) -> Files:
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

    return Files(files, read, str(folder))


def _open_archive(path: Path) -> Files:
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # of a damaged directory, whatever its parser happens to raise
        raise CatalogError(f"{path.name} is not a zip archive that can be read.") from error
    infos = {}
    for info in archive.infolist():
        # Old archivers of Windows write backslashes.
        name = info.filename.replace("\\", "/").removeprefix("./")
        if name[:1] in ("", "/") or ".." in name.split("/") or _DRIVE.match(name):
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

    return Files(infos, read, path.name)
