"""A store -> the recommender that serves it, with the encoder that it was built with."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from recommender.encoding.backbone import Device
from recommender.encoding.encoder import Encoder, fingerprint_of, load_encoder
from recommender.encoding.protocol import PictureEncoder, Wrap
from recommender.errors import IndexMismatchError, StoreError
from recommender.search.recommender import Recommender
from recommender.store.manifest import Manifest, check_encoder, store_version
from recommender.store.store import Store

T = TypeVar("T")


def load_recommender(
    directory: Path,
    *,
    device: Device = "auto",
    reuse: PictureEncoder | None = None,
    wrap: Wrap | None = None,
) -> Recommender:
    """Read a store, checking its manifest first, and the encoder that it was built with.

    Args:
        directory: the store; where it changes meanwhile, the new version is read.
        device: where the encoder runs.
        reuse: an encoder that runs already, taken if it is the one.
        wrap: what pictures that ask go through on their way to the encoder.

    Raises:
        StoreError: there is no whole store here, or a file of it was changed.
        IndexMismatchError: it was built by other weights than those that run.
        WeightsError: the weights that it was built with cannot be had.
    """
    while True:
        version = store_version(directory)
        try:
            store = Store.open(directory)
            gallery = store.gallery
            break
        except StoreError:
            if store_version(directory) == version:
                raise
    if reuse is None or reuse.fingerprint != store.manifest.encoder["fingerprint"]:
        reuse = encoder_of(store.manifest, device=device)
    return Recommender(gallery, reuse, wrap=wrap)


def encoder_of(manifest: Manifest, *, device: Device = "auto") -> Encoder:
    """The encoder that a store was built with.

    Raises:
        IndexMismatchError: what runs here is another one.
        WeightsError: its weights cannot be had.
    """
    encoder = _with_settings(manifest, partial(load_encoder, device=device))
    check_encoder(manifest, encoder.fingerprint)
    return encoder


def check_servable(manifest: Manifest) -> None:
    """See that the encoder of a store is the one that runs here, without building its network.

    Raises:
        IndexMismatchError: it is not.
        WeightsError: its weights cannot be had.
    """
    check_encoder(manifest, _with_settings(manifest, fingerprint_of))


def _with_settings(manifest: Manifest, load: Callable[..., T]) -> T:
    try:
        settings = dict(manifest.encoder["config"])
        return load(settings.pop("weights"), **settings)
    except (KeyError, TypeError, ValueError) as error:  # settings that this version does not know
        raise IndexMismatchError(
            "The index was built by another version of the encoder: run "
            "`python -m scripts.build_index` again."
        ) from error
