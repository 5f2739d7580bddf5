"""A catalog -> a store: embedded, indexed, mapped, coloured and, last, named by the manifest."""

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from safetensors import SafetensorError

from recommender.catalog.fingerprint import fingerprint_of_files
from recommender.catalog.items import load_catalog
from recommender.catalog.shards import catalog_shards
from recommender.catalog.views import VIEWS, as_items
from recommender.encoding.agreement import Agreement
from recommender.encoding.protocol import PictureEncoder
from recommender.errors import StoreError
from recommender.files import hash_files, write_blocks, write_by_content
from recommender.index.embeddings import Embeddings, Rows
from recommender.index.faiss import (
    FLAT,
    IndexConfig,
    build_index,
    flat_blocks,
    map_flat,
    write_index,
)
from recommender.store.colours import write_colours
from recommender.store.embed import (
    EmbeddedCatalog,
    Engine,
    LoadEncoder,
    embed_catalog,
    embed_here,
)
from recommender.store.known import ByPicture
from recommender.store.manifest import WEIGHTS, Manifest, check_within, write_manifest
from recommender.store.parts import DAMAGED, InParts, read_parts
from recommender.store.store import Store
from recommender.store.style_map import MapConfig, MapQuality, grow_map, write_map
from recommender.store.views import VIEWS_FOLDER

log = logging.getLogger(__name__)

_SHOWN = 5
_UNWRITTEN = "The store cannot be written: see its folder's permissions."


def build_store(
    directory: Path,
    load_encoder: LoadEncoder,
    config: IndexConfig,
    *,
    former: Store | None = None,
    former_map: Path | None = None,
    style_map: MapConfig | None = MapConfig(),  # noqa: B008 - frozen
    batch_size: int = 64,
    workers: int = 1,
    engine: Engine = embed_here,
) -> tuple[Manifest, MapQuality | None]:
    """Make the latest catalog of a folder a store; killed, it goes on where it was.

    Args:
        directory: holds `catalog/`.
        load_encoder, batch_size, workers, engine: as `embed_catalog` takes them.
        config: of the index.
        former: the version before, as it was opened here: its embeddings are taken over where
            they fit, and its files, which were checked then, are not read again.
        former_map: the map whose places items keep, where the catalog changed a little.
        style_map: how the map is made; None for a store without one.

    Returns:
        The manifest, which makes it the version that is read, and how good its map is.

    Raises:
        StoreError: there is no catalog, or the store cannot be written.
        RecommenderError: what else an engine says.
        ValueError: a size is not positive.
    """
    items = load_catalog(directory / "catalog")
    shards = catalog_shards(directory / "catalog")
    check_within(directory, shards)
    checked = former.manifest.files if former else {}
    embed = partial(
        embed_catalog,
        load_encoder=load_encoder,
        batch_size=batch_size,
        workers=workers,
        load_known=former.known if former else lambda fingerprint: ByPicture(),
        done=frozenset(directory / name for name in checked),
        engine=engine,
    )
    embedded = embed(items, directory / "embeddings")
    views = embed(as_items(items), directory / VIEWS_FOLDER) if VIEWS in items.features else None
    _tell_unheard(embedded.encoder.agreement, items)
    vectors = InParts(embedded.parts, embedded.encoder.dim)
    ids = vectors.ids

    def write_its_colours() -> Path:
        known = former.known_colours if former else ByPicture()
        return write_colours(items, ids, directory, known)

    # What takes half a minute of a new catalog goes beside the rest. Of an update nothing takes
    # long, and more than this beside each other would wait for Python's lock.
    with ThreadPoolExecutor(1) as pool:
        colouring = pool.submit(write_its_colours)
        index_file, index_hash, embeddings, recall = _write_index(embedded, ids, config, directory)
        maps, quality = [], None
        if style_map is not None:
            grown = grow_map(vectors, former_map) if former_map else None
            path, quality = write_map(embeddings, directory, style_map, grown=grown)
            maps = [path]
        colours = colouring.result()
    try:
        ids_file, ids_hash = write_by_content(directory / "ids.npy", partial(_write_ids, ids))
        record, weights = _record_of(embedded.encoder, directory)
        files = [index_file, ids_file, *shards, *embedded.parts, *maps, colours, *weights]
        files += views.parts if views else ()
        skipped = embedded.skipped | (views.skipped if views else {})
        names = [path.relative_to(directory).as_posix() for path in files]
        known = {**checked, index_file.name: index_hash, ids_file.name: ids_hash}
        new = [name for name in names if name not in known]
        known |= zip(new, hash_files([directory / name for name in new]), strict=True)
        fingerprint = fingerprint_of_files(shards)
        manifest = Manifest(
            encoder=record,
            index=asdict(config),
            dim=embeddings.vectors.shape[1],
            count=len(ids),
            ids_sha256=hashlib.sha256(ids.tobytes()).hexdigest(),
            catalog_fingerprint=fingerprint,
            recall_at_10=recall,
            skipped={str(item_id): reason for item_id, reason in skipped.items()},
            parts=[path.relative_to(directory).as_posix() for path in embedded.parts],
            files={name: known[name] for name in names},
            index_file=index_file.name,
            ids_file=ids_file.name,
            lineage=former.manifest.lineage if former else fingerprint[:12],
        )
        write_manifest(directory, manifest)
    except (OSError, RuntimeError) as error:
        raise StoreError(_UNWRITTEN) from error
    return manifest, quality


def _write_index(
    embedded: EmbeddedCatalog, ids: Rows, config: IndexConfig, directory: Path
) -> tuple[Path, str, Embeddings, float]:
    """The index's file, its sha256, the vectors in it or beside it, and the recall@10."""
    path = directory / "index.faiss"
    try:
        if config.factory != FLAT:
            index, recall = build_index(embedded.embeddings, config)
            return *write_by_content(path, partial(write_index, index)), embedded.embeddings, recall
        # From files to a file: a million vectors would take more than a gigabyte of memory.
        dim = embedded.encoder.dim
        blocks = flat_blocks(read_parts(embedded.parts, "vectors"), len(ids), dim)
        file, sha256 = write_blocks(path, blocks)
        return file, sha256, Embeddings(ids, map_flat(file, len(ids), dim)), 1.0
    except (SafetensorError, ValueError) as error:
        raise StoreError(DAMAGED) from error
    except (OSError, RuntimeError) as error:
        raise StoreError(_UNWRITTEN) from error


def _tell_unheard(agreement: Agreement, items: datasets.Dataset) -> None:
    """Warn of labels that the encoder has no class for, which hybrid ranking cannot use."""
    if not agreement.labels:
        log.warning("The encoder knows no types or colours: whoever asks, it ranks by image alone.")
    counts = {name: items.data.table[name].value_counts() for name in agreement.labels}
    labels = {
        name: dict(zip(*(told.field(at).to_pylist() for at in (0, 1)), strict=True))
        for name, told in counts.items()
    }
    for name, counted in agreement.unheard(labels).items():
        shown = ", ".join(f"{value} {count:,}" for value, count in counted.most_common(_SHOWN))
        log.warning(
            "The encoder does not know these values of %s: %s%s. Of these %s items counts "
            "what their pictures show; build_catalog --vocabulary tells what the words mean.",
            name,
            shown,
            ", …" if len(counted) > _SHOWN else "",
            f"{counted.total():,}",
        )


def former_store(directory: Path) -> Store | None:
    """The version that is there, where it is whole but for its index, which is not read."""
    try:
        return Store.open(directory, searched=False)
    except StoreError:
        return None


def _record_of(encoder: PictureEncoder, directory: Path) -> tuple[dict[str, Any], list[Path]]:
    """What the manifest says of an encoder, and its weights' file if that is the store's own."""
    record = encoder.record()
    weights = Path(record["config"]["weights"])
    if not weights.is_relative_to(directory / WEIGHTS):
        return record, []
    name = weights.relative_to(directory).as_posix()
    return {**record, "config": {**record["config"], "weights": name}}, [weights]


def _write_ids(ids: Rows, path: Path) -> None:
    with path.open("wb") as file:  # of a path, NumPy would make another that ends in .npy
        np.save(file, ids, allow_pickle=False)
