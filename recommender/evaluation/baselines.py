"""Encoders to compare with, by name: pixels, colours, untrained, and models of others.

Each is an `embeddings.PictureEncoder` that also encodes one picture, so it takes the same road as
ours: the same catalog, index and corridor.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torchvision
from PIL import Image
from torch import Tensor

from recommender.catalog.items import catalog_frame
from recommender.encoding.agreement import Floats
from recommender.encoding.backbone import Device
from recommender.encoding.config import EncoderConfig
from recommender.encoding.encoder import Encoder
from recommender.encoding.named import load_named
from recommender.encoding.protocol import Encoded, PictureEncoder
from recommender.index.embeddings import Rows
from recommender.index.faiss import IndexConfig, build_index
from recommender.search.recommender import Recommender
from recommender.store.embed import embed_catalog
from recommender.store.store import Gallery, open_items

Pixels = npt.NDArray[np.uint8]


def load_any_encoder(name: str, *, device: Device = "auto", **settings: Any) -> PictureEncoder:
    """An encoder by name.

    Args:
        name: `pixels`, `histogram`, `random`, or what `load_named` takes.
        device: where it runs.
        settings: fields of `EncoderConfig`, where it is a ResNet50.

    Raises:
        WeightsError: there are no such weights, or they do not fit.
        ValueError: a setting is unknown, or given to what has none.
    """
    small = {"pixels": PixelEncoder, "histogram": HistogramEncoder}
    if name in small:
        if settings:
            raise ValueError(f"{name} takes no setting such as {min(settings)}")
        return small[name]()
    if name == "random":
        return Encoder(EncoderConfig(weights=name, **settings), random_state(), device=device)
    return load_named(name, device=device, **settings)


def open_with(
    directory: Path,
    encoder: PictureEncoder,
    cache: Path,
    *,
    config: IndexConfig | None = None,
    ids: Rows | None = None,
) -> Recommender:
    """The recommender that a store would be with another encoder; the store is not changed.

    Args:
        directory: the store, of which the catalog is read.
        encoder: what its pictures are embedded with.
        cache: takes the embeddings, in a folder named by the encoder's fingerprint; a run that was
            killed, or is repeated, finds there what is done.
        config: the index, exact by default.
        ids: int64 of shape (n,), the items to be found; all of them where None.

    Raises:
        StoreError: there is no catalog, or the cache cannot be written.
    """
    items = open_items(directory)
    if ids is not None:
        items = items.select(np.flatnonzero(np.isin(items["id"][:], ids)))
    embedded = embed_catalog(items, cache / encoder.fingerprint, lambda _: encoder)
    index, _ = build_index(embedded.embeddings, config or IndexConfig())
    gallery = Gallery(items=items, frame=catalog_frame(items), index=index)
    return Recommender(gallery, encoder)


class _SmallPicture(PictureEncoder):
    """What makes a picture small, and looks at its values."""

    def prepare(self, picture: Image.Image) -> Pixels:
        """RGB -> uint8 of shape (h, w, 3) of `input_px`, proportions changed."""
        return np.asarray(picture.resize(self.input_px, Image.Resampling.BICUBIC))

    def record(self) -> dict[str, Any]:
        """What a report says of it."""
        weights = self.fingerprint.partition("-")[0]
        return {"config": {"weights": weights}, "fingerprint": self.fingerprint}


class PixelEncoder(_SmallPicture):
    """The picture itself, made small: 24×32 pixels, white at 1 and black at -1."""

    fingerprint = "pixels-24x32"
    input_px = (24, 32)
    dim = 24 * 32 * 3

    def encode_prepared(self, prepared: Pixels) -> Encoded:
        """uint8 of shape (b, 32, 24, 3) -> its values, float32 (b, dim)."""
        return _encoded(prepared.reshape(len(prepared), -1).astype(np.float32) / 127.5 - 1)


class HistogramEncoder(_SmallPicture):
    """Which colours there are, wherever: the roots of the shares of 8×8×8 cells of RGB.

    Source: the Bhattacharyya coefficient of two histograms is the cosine of their roots.
    """

    fingerprint = "histogram-8x8x8"
    input_px = (60, 80)
    dim = 8**3

    def encode_prepared(self, prepared: Pixels) -> Encoded:
        """uint8 of shape (b, 80, 60, 3) -> roots of shares, float32 (b, 512)."""
        cells = (prepared >> 5).astype(np.int64) @ np.array([64, 8, 1])  # (b, h, w)
        cells = cells.reshape(len(cells), -1) + self.dim * np.arange(len(cells))[:, None]
        counts = np.bincount(cells.ravel(), minlength=self.dim * len(cells))
        return _encoded(np.sqrt(counts.reshape(len(cells), self.dim)).astype(np.float32))


def _encoded(vectors: Floats) -> Encoded:
    return Encoded(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), {})


def random_state(seed: int = 0) -> dict[str, Tensor]:
    """Tensors of a ResNet50 that has seen nothing, the same ones for a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state = torchvision.models.resnet50(weights=None).state_dict()  # timm has the same names
    return {name: tensor for name, tensor in state.items() if not name.startswith("fc.")}
