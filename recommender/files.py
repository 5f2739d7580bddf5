"""Files of a store and of reports: hashed, and written whole or not at all."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, ENOSPC, ENXIO, EROFS
from hashlib import file_digest, sha256
from itertools import islice
from pathlib import Path
from typing import Any

MANIFEST_FILE = "manifest.json"
"""Of a store: names the files of the version that is read."""
_LARGE_BYTES, _LEAST_PART = 64 * 2**20, 16
_BLOCKS_AT_ONCE = 16


@contextmanager
def whole_file(path: Path, *, by_many: bool = False) -> Iterator[Path]:
    """A place beside a file to write to, renamed to it at the end: until then it is as it was.

    What a killed process leaves is named `*.building`; an error leaves nothing.

    Args:
        path: the file; its folder is made.
        by_many: whether several processes may write it at once: each has a place of its own.
    """
    with _place_beside(path, f".{os.getpid()}" if by_many else "") as (building, finish):
        yield building
        finish(path)


def write_by_content(path: Path, write: Callable[[Path], object]) -> tuple[Path, str]:
    """Write a file whole, and name it so that no other content has ever had its name.

    Args:
        path: `STEM.SUFFIX`; its folder is made.
        write: gets the place to write to.

    Returns:
        `STEM-HASH.SUFFIX`, and the whole hash, a sha256 in hex.
    """
    with _place_beside(path, f".{os.getpid()}") as (building, finish):
        write(building)
        return _named_by(path, hash_files([building])[0], finish)


def write_blocks(path: Path, blocks: Iterable[bytes | memoryview]) -> tuple[Path, str]:
    """The same of blocks of bytes, one after the other, each hashed while it is written."""
    digest = sha256()

    def hash_all(several: Sequence[bytes | memoryview]) -> None:
        for block in several:
            digest.update(block)

    coming = iter(blocks)
    with _place_beside(path, f".{os.getpid()}") as (building, finish):
        with building.open("wb") as file, ThreadPoolExecutor(2) as pool:
            doing = list[Future[Any]]()
            while several := list(islice(coming, _BLOCKS_AT_ONCE)):
                for done in doing:  # meanwhile, the next ones were made
                    done.result()
                doing = [pool.submit(hash_all, several), pool.submit(file.writelines, several)]
            for done in doing:
                done.result()
        return _named_by(path, digest.hexdigest(), finish)


def _named_by(path: Path, sha256: str, finish: Callable[[Path], Path]) -> tuple[Path, str]:
    return finish(path.with_stem(f"{path.stem}-{sha256[:16]}")), sha256


@contextmanager
def _place_beside(path: Path, mark: str) -> Iterator[tuple[Path, Callable[[Path], Path]]]:
    """The place, and what renames it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.parent / f"{path.name}{mark}.building"

    def finish(path: Path) -> Path:
        building.chmod(mode)
        return building.replace(path)

    try:
        # Who may read a new file says the umask; safetensors would let its owner alone.
        building.touch()
        mode = building.stat().st_mode
        building.unlink()
        yield building, finish
    except BaseException:
        with suppress(OSError):
            building.unlink()
        raise


def write_json(path: Path, value: object) -> None:
    """Write what people read: indented, whole. A device or a link, such as /dev/stdout, stays."""
    text = json.dumps(value, indent=1) + "\n"
    if path.is_symlink() or (path.exists() and not path.is_file()):
        path.write_text(text, encoding="utf-8")
        return
    with whole_file(path) as building:
        building.write_text(text, encoding="utf-8")


def is_hollow(path: Path) -> bool:
    """Whether a large file is nearly all holes, which take no room and any time to read."""
    size = path.stat().st_size
    if size <= _LARGE_BYTES or not hasattr(os, "SEEK_DATA"):
        return False
    there = at = 0
    with path.open("rb", buffering=0) as file:
        while at < size and there < size // _LEAST_PART:
            try:
                start = os.lseek(file.fileno(), at, os.SEEK_DATA)
                at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            except OSError as error:
                return error.errno == ENXIO  # else the file system does not tell
            there += at - start
    return there < size // _LEAST_PART


def hash_files(paths: Sequence[Path]) -> list[str]:
    """sha256 of each file, in hex."""

    def hashed(path: Path) -> str:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()

    with ThreadPoolExecutor() as pool:
        return list(pool.map(hashed, paths))


Seen = tuple[int, int, int]
"""Of a file: which one it is, how long, and when it was written."""


class InPlace:
    """Files that are read as they lie on disk, for as long as somebody asks.

    Whoever gives them other bytes where they lie pulls what is read from under its reader: of a
    file that was cut short, the system ends the process that looks behind its end. One that was
    renamed over or removed stays as it was for who has it open.
    """

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        """Args:
        paths: the files, as they are now.
        """
        self._seen = {path: look(path) for path in paths}

    def changes(self) -> tuple[object, ...]:
        """What has become of those that were changed, empty where none was: a look at each."""
        looked = ((path, seen, look(path)) for path, seen in self._seen.items())
        return tuple(
            (path, now)
            for path, seen, now in looked
            if seen and now and now != seen and now[0] == seen[0]
        )


def look(path: Path) -> Seen | None:
    """What tells whether a file was changed; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def refused_by_disk(error: BaseException | None) -> OSError | None:
    """The error of the system that another came of; None where it came of none.

    datasets closes a file that took no more, and then complains that it is closed.
    """
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error


FULL = frozenset({ENOSPC, EDQUOT, EFBIG, EROFS})
"""Codes of the system's errors where a disk takes no more."""


def is_disk_full(error: BaseException) -> bool:
    """Whether an error came of a disk that takes no more."""
    cause = refused_by_disk(error)
    return cause is not None and cause.errno in FULL
