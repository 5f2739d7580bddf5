"""A store -> the recommender that serves it, with the encoder that it was built with."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from recommender.catalog.items import build_catalog
from recommender.catalog.sources import read_source
from recommender.encoding.backbone import Device
from recommender.encoding.encoder import OF_QUERIES, load_encoder
from recommender.encoding.named import fingerprint_of_named, load_named
from recommender.encoding.protocol import PictureEncoder, TextTower, Wrap
from recommender.encoding.text import TEXT_WEIGHTS, load_text_encoder
from recommender.errors import IndexMismatchError, RecommenderError, StoreError, WeightsError
from recommender.hub.hub import Address, pull_store
from recommender.index.faiss import IndexConfig
from recommender.index.milvus import MilvusConfig
from recommender.search.recommender import Recommender
from recommender.service.live import Live
from recommender.service.memory import give_back, let_go
from recommender.store.build import build_store, former_store
from recommender.store.collection import collected_gallery
from recommender.store.manifest import (
    Manifest,
    carried_weights,
    check_encoder,
    store_version,
    with_weights,
)
from recommender.store.store import Store, writing

log = logging.getLogger(__name__)

T = TypeVar("T")


def load_recommender(
    directory: Path,
    *,
    device: Device = "auto",
    reuse: PictureEncoder | None = None,
    wrap: Wrap | None = None,
    milvus: MilvusConfig | None = None,
) -> Recommender:
    """Read a store, checking its manifest first, and the encoder that it was built with.

    Args:
        directory: the store; where it changes meanwhile, the new version is read.
        device: where the encoder runs.
        reuse: an encoder that runs already, taken if it is the one.
        wrap: what pictures that ask go through on their way to the encoder.
        milvus: finds items, whose vectors then stay on disk; None for an index in memory.

    Raises:
        StoreError: there is no whole store here, or a file of it was changed.
        IndexMismatchError: it was built by other weights than those that run.
        WeightsError: the weights that it was built with cannot be had.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="encoder") as beside:
        while True:
            version = store_version(directory)
            try:
                store = Store.open(directory)
                loading: Future[PictureEncoder] = Future()
                if reuse and reuse.fingerprint == store.manifest.encoder["fingerprint"]:
                    loading.set_result(reuse)
                else:
                    loading = beside.submit(encoder_of, store, device=device)
                gallery = store.gallery if milvus is None else collected_gallery(store, milvus)
                break
            except StoreError:
                if store_version(directory) == version:
                    raise
        encoder = loading.result()
    texts = _own_tower(directory, encoder) or load_text_encoder(encoder.fingerprint)
    recommender = Recommender(gallery, encoder, wrap=wrap, texts=texts)
    give_back()
    vectors = recommender.index.vectors
    let_go(gallery.items.data.table, *([vectors] if isinstance(vectors, np.ndarray) else []))
    return recommender


def _own_tower(directory: Path, encoder: PictureEncoder) -> TextTower | None:
    """The text tower that an owner put into a store; None where it cannot be used, which is said.

    It is in no manifest: a store is whole without it.
    """
    if not (path := directory / TEXT_WEIGHTS.name).is_file():
        return None
    try:
        if (tower := load_text_encoder(encoder.fingerprint, path)) is None:
            raise WeightsError("The text tower is of another encoder than the store's.")
        tower.check(encoder.dim)
    except WeightsError as error:
        log.warning("%s: %s Words are served without it.", path, error)
        return None
    return tower


def encoder_of(store: Store, *, device: Device = "auto") -> PictureEncoder:
    """The encoder that a store was built with.

    Raises:
        IndexMismatchError: what runs here is another one.
        WeightsError: its weights cannot be had.
    """
    manifest = store.manifest
    if carried := carried_weights(manifest):
        manifest = with_weights(manifest, str(store.directory / carried))
    encoder = _with_settings(manifest, partial(load_named, device=device))
    check_encoder(manifest, encoder.fingerprint)
    return encoder


def check_servable(manifest: Manifest) -> None:
    """See that the encoder of a store is the one that runs here, without building its network.

    Raises:
        IndexMismatchError: it is not.
        WeightsError: its weights cannot be had.
    """
    check_encoder(manifest, _with_settings(manifest, fingerprint_of_named))


def _with_settings(manifest: Manifest, load: Callable[..., T]) -> T:
    try:
        config = manifest.encoder["config"]
        settings = {name: value for name, value in config.items() if name not in OF_QUERIES}
        weights = settings.pop("weights")
        if not isinstance(weights, str) or "device" in settings:
            raise TypeError("an encoder has a name, and runs where its owner says")
        return load(weights, **settings)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        # Settings that this version does not know, or that are none.
        raise IndexMismatchError(
            "The index was built by another version of the encoder: run "
            "`python -m scripts.build_index` again."
        ) from error


def open_live(
    directory: Path,
    *,
    build: Callable[[Path], None] | None = None,
    wrap: Wrap | None = None,
    milvus: MilvusConfig | None = None,
) -> Live:
    """The recommender of a store, and its successors as the store changes.

    Args:
        directory: the store.
        build: makes the store where it is not whole, or not of this version; None for a store that
            is not ours to make.
        wrap, milvus: as in `load_recommender`.

    Raises:
        RecommenderError: the store cannot be read, or not be built.
    """
    load = partial(load_recommender, wrap=wrap, milvus=milvus)
    try:
        seen, recommender = store_version(directory), load(directory)
    except StoreError:
        if build is None:
            raise
        build(directory)
        seen, recommender = store_version(directory), load(directory)
    live = Live(recommender)
    live.watch(directory, partial(load, directory, reuse=recommender.encoder), seen=seen)
    return live


def pull_or_last_copy(repo: str, directory: Path, *, otherwise: Path) -> Path:
    """The store of a repo on the Hub, else its last good copy here, else another store.

    Raises:
        RecommenderError: the repo is written in another way than `OWNER/NAME@REVISION`.
    """
    address = Address.parse(repo)
    try:
        pull_store(address, directory, accept=check_servable)
    except RecommenderError as error:
        try:
            Store.open(directory)
        except StoreError:
            log.warning("%s There is no copy here yet: serving the demo.", error)
            return otherwise
        log.warning("%s Serving the last good copy.", error)
    return directory


def build_demo(directory: Path) -> None:
    """Build the store of the embedded demo, by the road that every other takes.

    Raises:
        RecommenderError: it cannot be built.
    """
    with writing(directory, make=True):
        report = build_catalog(read_source("demo"), directory / "catalog", source="demo")
        log.info(report.summary())
        former = former_store(directory)
        build_store(directory, lambda rank: load_encoder(), IndexConfig(), former=former)
