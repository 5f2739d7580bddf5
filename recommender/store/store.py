"""A store on disk: catalog, parts, index and, written last, the manifest.

The manifest says what the store was made of and lists the sha256 of each of its files, which it
alone names. It is written by rename: where it exists, the store is whole; where it does not fit,
nothing of the store is read. A new version is written beside the old one under names of its own,
so that whoever reads sees the old one up to the rename, and the new one from then on.
"""

import contextlib
import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from recommender.catalog.items import (
    catalog_fingerprint,
    catalog_frame,
    catalog_shards,
    load_catalog,
)
from recommender.errors import IndexMismatchError, StoreError
from recommender.files import hash_files, write_by_content
from recommender.index.faiss import Index, IndexConfig, read_index, write_index
from recommender.store.embed import Known, load_parts
from recommender.store.manifest import Manifest, check_encoder, load_manifest, write_manifest

logger = logging.getLogger(__name__)


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
        index_file = write_by_content(directory / "index.faiss", partial(write_index, index))
        ids_file = write_by_content(directory / "ids.npy", partial(_write_ids, index.ids))
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


def _write_ids(ids: npt.NDArray[np.int64], path: Path) -> None:
    with path.open("wb") as file:  # of a path, NumPy would make another that ends in .npy
        np.save(file, ids, allow_pickle=False)


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
