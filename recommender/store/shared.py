"""A catalog's pictures as Parquet, at a place that every machine of a cluster reads.

The place is a folder of a file system that they share, or of an object store. What is put there is
named by its content; files that lie there already, such as those of a dataset on the Hub, are read
as they are, whatever their names and their row groups.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

from recommender.errors import StoreError

_NAMES = ["id", "image_hash"]
"""What an item is known by: two of one id are the same where their pixels are."""
_AT_ONCE = 8


class Lies(NamedTuple):
    """Where an item lies: its file, the file's row group, and its row therein."""

    file: str
    group: int
    row: int


class SharedPictures:
    """Such a place. Pickled, it goes with what a worker has to do; it connects where it is used."""

    def __init__(self, uri: str) -> None:
        """Args:
        uri: a folder's path, or the address of one as pyarrow or fsspec have it: `s3://`, `gs://`,
            `abfs://`, `hdfs://`, `hf://` …
        """
        self._uri = uri if "://" in uri else str(Path(uri).resolve())

    @property
    def name(self) -> str:
        """What it is called: without whatever of the address is secret."""
        parts = urlsplit(self._uri)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else self._uri

    def find(self, ids: Sequence[Any], pixels: Sequence[str]) -> list[Lies | None]:
        """Where each of some items lies; None of one that is not there.

        Args:
            ids, pixels: of the items, the latter their `image_hash`.

        Raises:
            StoreError: nothing can be read there.
        """
        with self._reached("read") as (system, folder):
            selector = pyarrow.fs.FileSelector(folder, allow_not_found=True, recursive=True)
            listed = [one.path for one in system.get_file_info(selector)]
            files = sorted(path for path in listed if path.endswith(".parquet"))
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                found = list(pool.map(partial(_rows_of, system), files))
        frames = [pd.DataFrame(columns=[*_NAMES, *Lies._fields]), *found]
        held = pd.concat([frame for frame in frames if len(frame)] or frames[:1])
        held = held.drop_duplicates(_NAMES)
        asked = pd.MultiIndex.from_arrays([list(ids), list(pixels)])
        places = pd.MultiIndex.from_frame(held[_NAMES]).get_indexer(asked)
        lying = [Lies(*row) for row in held[list(Lies._fields)].itertuples(index=False, name=None)]
        return [lying[place] if place >= 0 else None for place in places]

    def put(self, batches: Sequence[datasets.Dataset]) -> Iterator[list[Lies]]:
        """Put items there, a file a batch.

        Args:
            batches: items, each with its picture.

        Yields:
            Where those of a batch lie.

        Raises:
            StoreError: they cannot be written.
        """

        def put(batch: datasets.Dataset) -> list[Lies]:
            table = batch.with_format("arrow")[:]
            made_of = json.dumps([table[name].to_pylist() for name in _NAMES])
            path = f"{folder}/{hashlib.sha256(made_of.encode()).hexdigest()[:24]}.parquet"
            # Pictures are compressed already.
            pq.write_table(table, path, compression="none", filesystem=system)
            return [Lies(path, 0, row) for row in range(len(table))]

        with self._reached("written") as (system, folder):
            if isinstance(system, pyarrow.fs.LocalFileSystem):  # an object store has no folders
                system.create_dir(folder)
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                yield from pool.map(put, batches)

    def read(self, lying: Sequence[Lies], pixels: Sequence[str]) -> list[bytes]:
        """Pictures, in the order in which they are named.

        Args:
            lying: where each lies.
            pixels: what it has to be: its `image_hash`.

        Raises:
            StoreError: they cannot be read, or are others by now.
        """
        pictures, seen = list[bytes](), list[str]()
        with self._reached("read") as (system, _):
            for (file, group), run in groupby(lying, lambda one: (one.file, one.group)):
                table = _read_group(system, file, group)
                table = table.take([one.row for one in run]).combine_chunks()
                pictures += table["image"].combine_chunks().field("bytes").to_pylist()
                seen += table["image_hash"].to_pylist()
        if seen != list(pixels):
            raise StoreError(f"The pictures in {self.name} changed meanwhile.")
        return pictures

    @contextmanager
    def _reached(self, done: str) -> Iterator[tuple[pyarrow.fs.FileSystem, str]]:
        """The file system and the folder in it."""
        try:
            yield _open(self._uri)
        except FileNotFoundError as error:
            raise StoreError(
                f"The pictures in {self.name} are not there where they are asked for: name a "
                "folder or an address that every machine reaches."
            ) from error
        except (OSError, pa.ArrowException, ImportError) as error:
            said = str(error).strip().partition("\n")[0].rstrip(".: ")
            raise StoreError(f"The pictures in {self.name} cannot be {done}: {said}.") from error


def _open(uri: str) -> tuple[pyarrow.fs.FileSystem, str]:
    try:
        system, folder = pyarrow.fs.FileSystem.from_uri(uri)
    except pa.ArrowInvalid:
        try:
            system, folder = pyarrow.fs.FileSystem.from_uri(f"fsspec+{uri}")
        except ValueError as error:  # nor does fsspec know one
            raise OSError(f"there is no file system {urlsplit(uri).scheme!r}") from error
    return system, folder


def _rows_of(system: pyarrow.fs.FileSystem, path: str) -> pd.DataFrame:
    """What a file holds of a catalog, and where."""
    groups = [pd.DataFrame()]
    # What was killed while it was written is no Parquet yet.
    with suppress(pa.ArrowInvalid), pq.ParquetFile(path, filesystem=system) as file:
        if {*_NAMES, "image"} <= set(file.schema_arrow.names):
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group, columns=_NAMES).to_pandas()
                groups.append(rows.assign(file=path, group=group, row=range(len(rows))))
    return pd.concat(groups)


def _read_group(system: pyarrow.fs.FileSystem, path: str, group: int) -> pa.Table:
    with pq.ParquetFile(path, filesystem=system) as file:
        return file.read_row_group(group, columns=["image", "image_hash"])
