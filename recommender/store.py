"""A store on disk: catalog, parts, index and, written last, the manifest.

The manifest says what the store was made of and lists the sha256 of each of its files, which it
alone names. It is written by rename: where it exists, the store is whole; where it does not fit,
nothing of the store is read. A new version is written beside the old one under names of its own,
so that whoever reads sees the old one up to the rename, and the new one from then on.
"""

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from filelock import FileLock, Timeout

from recommender.catalog import (
    catalog_fingerprint,
    catalog_frame,
    catalog_shards,
    load_catalog,
)
from recommender.embeddings import Known, load_parts
from recommender.errors import IndexMismatchError, StoreError
from recommender.index import Index, IndexConfig, read_index, write_index

logger = logging.getLogger(__name__)

MANIFEST_FILE = "manifest.json"
SCHEMA_VERSION = 1

_OWN_FILES = (
    *("index.faiss", "index-*.faiss", "ids.npy", "ids-*.npy", "*.building"),
    *("embeddings/*", "map/*", "catalog/*.arrow"),
)
_LIBRARIES = ("datasets", "faiss-cpu", "numpy", "pillow", "timm", "torch")


@contextlib.contextmanager
def writing(directory: Path, *, make: bool = False) -> Iterator[None]:
    """Change a store one at a time: who comes second waits. Readers need not know.

    Args:
        directory: the store.
        make: whether a folder that is not there is made; else there is nothing to keep others from.

    Raises:
        StoreError: the folder cannot be written.
    """
    if not make and not directory.is_dir():
        yield
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory / "writing.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.warning("waiting for another command that changes %s", directory)
            lock.acquire()
    except OSError as error:
        said = error.strerror or error
        raise StoreError(f"{directory} cannot be written: {said}.") from error
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a store was made of. A mismatch with what runs is an error, never silent nonsense."""

    encoder: dict[str, Any]
    index: dict[str, Any]
    dim: int
    count: int
    ids_sha256: str
    catalog_fingerprint: str
    recall_at_10: float
    skipped: dict[str, str]
    parts: list[str]
    files: dict[str, str]
    index_file: str = "index.faiss"
    ids_file: str = "ids.npy"
    versions: dict[str, str] = field(
        default_factory=lambda: {name: version(name) for name in _LIBRARIES}
    )
    schema_version: int = SCHEMA_VERSION

    @property
    def shards(self) -> list[str]:
        """The catalog's Arrow files, in order."""
        return [name for name in self.files if is_shard(name)]


def is_shard(name: str) -> bool:
    """Whether a file of a store holds items of its catalog."""
    return name.startswith("catalog/") and name.endswith(".arrow")


def save_store(
    directory: Path,
    index: Index,
    *,
    config: IndexConfig,
    encoder: Mapping[str, Any],
    catalog_fingerprint: str,
    parts: Sequence[Path],
    recall_at_10: float,
    skipped: Mapping[int, str],
    style_map: Path | None = None,
) -> Manifest:
    """Write the index and, last, the manifest; files of earlier versions are then removed.

    Args:
        directory: the store; holds `catalog/` and the parts already.
        index: what `build_index` made.
        config: what it was made with.
        encoder: the encoder's config, weights hash, fingerprint and dtype.
        catalog_fingerprint: of the catalog that was embedded.
        parts: the files that hold the embeddings.
        recall_at_10: as measured by `build_index`.
        skipped: items that were left out, and why.
        style_map: the file that holds the map, where one was made.

    Raises:
        StoreError: the store cannot be written.
    """
    try:
        written = directory / f"index.{os.getpid()}.building"
        write_index(index, written)
        index_file = _name_by_content(written, "index", ".faiss")
        written = directory / f"ids.{os.getpid()}.building"
        with written.open("wb") as file:
            np.save(file, index.ids, allow_pickle=False)
        ids_file = _name_by_content(written, "ids", ".npy")
        made = [*parts, style_map] if style_map else [*parts]
        listed = [index_file, ids_file, *catalog_shards(directory / "catalog"), *made]
        names = [path.relative_to(directory).as_posix() for path in listed]
        manifest = Manifest(
            encoder=dict(encoder),
            index=asdict(config),
            dim=index.vectors.shape[1],
            count=len(index),
            ids_sha256=hashlib.sha256(index.ids.tobytes()).hexdigest(),
            catalog_fingerprint=catalog_fingerprint,
            recall_at_10=recall_at_10,
            skipped={str(item_id): reason for item_id, reason in skipped.items()},
            parts=[path.relative_to(directory).as_posix() for path in parts],
            files=dict(zip(names, hash_files(listed), strict=True)),
            index_file=index_file.name,
            ids_file=ids_file.name,
        )
        write_manifest(directory, manifest)
    except (OSError, RuntimeError) as error:
        raise StoreError("The store cannot be written: see its folder's permissions.") from error
    return manifest


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Make a version the one that is read, by rename, and remove the files of earlier ones.

    Raises:
        OSError: it cannot be written.
    """
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
    building = directory / f"{MANIFEST_FILE}.building"
    building.write_text(text, encoding="utf-8")
    building.replace(directory / MANIFEST_FILE)
    latest = {directory / name for name in manifest.files}
    with contextlib.suppress(OSError):
        latest |= set(catalog_shards(directory / "catalog"))
    for pattern in _OWN_FILES:
        for stale in set(directory.glob(pattern)) - latest:
            # Windows keeps a file that is still read; it goes with the next version.
            with contextlib.suppress(OSError):
                stale.unlink()


def _name_by_content(path: Path, stem: str, suffix: str) -> Path:
    """Rename a file so that no other content has ever had its name."""
    return path.replace(path.with_name(f"{stem}-{hash_files([path])[0][:16]}{suffix}"))


def store_version(directory: Path) -> tuple[int, int] | None:
    """What changes when the manifest does, for the price of a look; None where there is none."""
    try:
        found = (directory / MANIFEST_FILE).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def load_manifest(directory: Path) -> Manifest:
    """Read a store's manifest and check every file that it lists.

    Raises:
        StoreError: there is none, or a file is missing or has other bytes.
    """
    path = directory / MANIFEST_FILE
    if not path.is_file():
        missing = "index" if (directory / "catalog").is_dir() else "catalog and no index"
        raise StoreError(
            f"The store has no {missing} yet: run `python -m scripts.build_catalog` and then "
            "`python -m scripts.build_index`."
        )
    try:
        manifest = Manifest(**json.loads(path.read_text(encoding="utf-8")))
        # Earlier manifests list the catalog's JSON too, which only says what the latest one is.
        files = {
            directory / name: expected
            for name, expected in manifest.files.items()
            if is_shard(name) or not name.startswith("catalog/")
        }
        inside = all(file.resolve().is_relative_to(directory.resolve()) for file in files)
        needed = {manifest.index_file, manifest.ids_file, *manifest.parts}
        damaged = not inside or not needed <= set(manifest.files)
        damaged = damaged or not isinstance(manifest.encoder.get("fingerprint"), str)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError("The store's manifest cannot be read: build the index again.") from error
    if manifest.schema_version != SCHEMA_VERSION or damaged:
        raise StoreError("The store's manifest is of another version: build the index again.")
    try:
        changed = [
            file.relative_to(directory)
            for (file, expected), found in zip(files.items(), hash_files(list(files)), strict=True)
            if found != expected
        ]
    except OSError as error:
        raise StoreError("The store lacks a file of its manifest: build it again.") from error
    if changed:
        raise StoreError(
            f"{changed[0]} was changed after the index was built: run "
            "`python -m scripts.build_index` again."
        )
    return manifest


def load_index(directory: Path, manifest: Manifest) -> Index:
    """Read the index of a store whose manifest was loaded, hence whose files were checked.

    Raises:
        StoreError: it does not hold what the manifest says.
    """
    try:
        ids = np.load(directory / manifest.ids_file, allow_pickle=False)
        if hashlib.sha256(ids.tobytes()).hexdigest() != manifest.ids_sha256:
            raise ValueError("the ids are not those of the manifest")
        if len(ids) != manifest.count:
            raise ValueError("the manifest counts other items")
        return read_index(
            directory / manifest.index_file,
            ids,
            manifest.dim,
            lambda: load_parts([directory / part for part in manifest.parts]),
            IndexConfig(**manifest.index),
        )
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise StoreError("The store's index is damaged: build it again.") from error


def load_items(directory: Path, manifest: Manifest) -> datasets.Dataset:
    """The items of the catalog that a store was built of, whatever the latest one is.

    Raises:
        StoreError: they cannot be read.
        IndexMismatchError: they are of another catalog.
    """
    if not manifest.shards:
        raise StoreError("The store's manifest names no catalog: build the index again.")
    shards = [directory / name for name in manifest.shards]
    items = load_catalog(directory / "catalog", shards)
    if catalog_fingerprint(items) != manifest.catalog_fingerprint:
        raise IndexMismatchError("The index is of another catalog: build the index again.")
    return items


def check_encoder(manifest: Manifest, fingerprint: str) -> None:
    """See that the encoder that runs is the one that the store was built with.

    Raises:
        IndexMismatchError: it is not.
    """
    if manifest.encoder["fingerprint"] != fingerprint:
        raise IndexMismatchError(
            "The index was built by another encoder than the one that runs: run "
            "`python -m scripts.build_index` again."
        )


def load_known(directory: Path, fingerprint: str) -> Known:
    """The pictures that a store holds the embeddings of, if this encoder made them.

    Returns:
        `image_hash` -> float32 of shape (dim,); empty where there is no whole store.
    """
    try:
        manifest = load_manifest(directory)
        check_encoder(manifest, fingerprint)
        frame = catalog_frame(load_items(directory, manifest))
        embeddings = load_parts([directory / part for part in manifest.parts])
    except StoreError:
        return {}
    pictures = frame.set_index("id")["image_hash"].reindex(embeddings.ids)
    return dict(zip(pictures, embeddings.vectors, strict=True))


def hash_files(paths: Sequence[Path]) -> list[str]:
    """sha256 of each file, in hex."""

    def sha256(path: Path) -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    with ThreadPoolExecutor() as pool:
        return list(pool.map(sha256, paths))
