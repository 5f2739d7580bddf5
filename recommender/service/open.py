"""A store -> the recommender that serves it, with the encoder that it was built with."""

from pathlib import Path

from recommender.encoding.backbone import Device
from recommender.encoding.encoder import Encoder, load_encoder
from recommender.encoding.protocol import PictureEncoder, Wrap
from recommender.errors import IndexMismatchError, StoreError
from recommender.search.recommender import Recommender
from recommender.store.manifest import Manifest, check_encoder, load_manifest, store_version
from recommender.store.store import load_index, load_items
from recommender.store.style_map import load_map


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
            manifest = load_manifest(directory)
            items, index = load_items(directory, manifest), load_index(directory, manifest)
            places = load_map(directory, manifest.files, index.ids)
            break
        except StoreError:
            if store_version(directory) == version:
                raise
    if reuse is not None and reuse.fingerprint == manifest.encoder["fingerprint"]:
        return Recommender(items, index, reuse, places, wrap=wrap)
    return Recommender(items, index, encoder_of(manifest, device=device), places, wrap=wrap)


def encoder_of(manifest: Manifest, *, device: Device = "auto") -> Encoder:
    """The encoder that a store was built with.

    Raises:
        IndexMismatchError: what runs here is another one.
        WeightsError: its weights cannot be had.
    """
    try:
        settings = dict(manifest.encoder["config"])
        encoder = load_encoder(settings.pop("weights"), device=device, **settings)
    except (KeyError, TypeError, ValueError) as error:  # settings that this version does not know
        raise IndexMismatchError(
            "The index was built by another version of the encoder: run "
            "`python -m scripts.build_index` again."
        ) from error
    check_encoder(manifest, encoder.fingerprint)
    return encoder
