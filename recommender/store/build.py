"""A catalog -> a store: embedded, indexed, mapped and, last, named by the manifest."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.catalog.items import catalog_fingerprint, catalog_shards, load_catalog
from recommender.errors import StoreError
from recommender.files import hash_files, write_by_content
from recommender.index.faiss import Index, IndexConfig, build_index, write_index
from recommender.store.embed import LoadEncoder, embed_catalog
from recommender.store.manifest import Manifest, write_manifest
from recommender.store.store import Store
from recommender.store.style_map import MapQuality, write_map


def build_store(
    directory: Path,
    load_encoder: LoadEncoder,
    config: IndexConfig,
    *,
    former: Store | None = None,
    former_map: Path | None = None,
    batch_size: int = 64,
    workers: int = 1,
) -> tuple[Manifest, MapQuality]:
    """Make the latest catalog of a folder a store; killed, it goes on where it was.

    Args:
        directory: holds `catalog/`.
        load_encoder: gives each worker its encoder.
        config: of the index.
        former: the version before, whose embeddings are taken over where they fit.
        former_map: the map whose places items keep, where the catalog changed a little.
        batch_size: pictures that the network sees at once.
        workers: processes; with several, each loads an encoder of its own, by its rank.

    Raises:
        StoreError: there is no catalog, or the store cannot be written.
        ValueError: a size is not positive.
    """
    items = load_catalog(directory / "catalog")
    embedded = embed_catalog(
        items,
        directory / "embeddings",
        load_encoder,
        batch_size=batch_size,
        workers=workers,
        load_known=former.known if former else lambda fingerprint: {},
    )
    index, recall = build_index(embedded.embeddings, config)
    style_map, quality = write_map(embedded.embeddings, directory, former=former_map)
    manifest = save_store(
        directory,
        index,
        config=config,
        encoder=embedded.encoder.record(),
        catalog_fingerprint=catalog_fingerprint(items),
        parts=embedded.parts,
        recall_at_10=recall,
        skipped=embedded.skipped,
        style_map=style_map,
    )
    return manifest, quality


def former_store(directory: Path) -> Store | None:
    """The version that is there, where it is whole."""
    try:
        return Store.open(directory)
    except StoreError:
        return None


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
