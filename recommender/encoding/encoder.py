"""The ResNet50 (timm): pooling, heads, dtype, batches. RGB in, embeddings out.

The weights file is its own manual: the safetensors header of ours holds the `EncoderConfig` they
were trained for and the heads' classes, so a file and a path to it are all that a caller needs.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from recommender.encoding.agreement import LOOKS, Agreement
from recommender.encoding.backbone import (
    BACKBONE_DIM,
    POOLINGS,
    Device,
    choose_device,
    choose_dtype,
    create_backbone,
    fuse_batch_norms,
    hash_state,
    load_backbone,
    load_linear,
)
from recommender.encoding.config import EncoderConfig, fit_picture
from recommender.encoding.protocol import Encoded
from recommender.encoding.second_look import DOUBT, view_shares
from recommender.encoding.weights import Weights, find_weights
from recommender.errors import WeightsError


class Encoder:
    """A ResNet50 with its preprocessing: pictures in, unit embeddings out. Thread-safe.

    Attributes:
        config: what it was made with.
        labels: each head's label -> its classes; empty where the weights have no heads.
        agreement: how looks and beliefs make an embedding.
        dim: length of an embedding.
        input_px: (width, height) of what the backbone eats.
        query_px: the same at a second look; a picture that asks should have them.
        weights_hash: sha256 of the weights as loaded, whatever file or hub they came from.
        fingerprint: equal exactly when two encoders make the same of a gallery.
        device: where it runs.
        dtype: what it multiplies in.
    """

    def __init__(
        self,
        config: EncoderConfig,
        state: Mapping[str, Tensor],
        *,
        labels: Mapping[str, Sequence[str]] | None = None,
        device: Device = "auto",
    ) -> None:
        """Build the network from tensors; `load_encoder` finds them.

        Args:
            config: preprocessing, pooling, projection, dtype.
            state: the backbone's tensors in timm's names, strictly all of them, and optionally
                `projection.weight` of shape (dim, 2048) and `projection.bias` of shape (dim,), and
                the heads, linear maps of the average-pooled maps, as `heads.LABEL.*`.
            labels: the classes of each head.
            device: `auto` is CUDA where it is.

        Raises:
            WeightsError: a key or a shape is wrong.
        """
        self.config, self._second = config, config.second()
        self.input_px, self.query_px = config.input_px, self._second.input_px
        self.device = choose_device(device)
        self.dtype = choose_dtype(config.dtype, self.device)
        backbone = create_backbone()
        load_backbone(backbone, state)
        self.weights_hash = hash_state(state)
        projects = config.projection and "projection.weight" in state
        self._projection = load_linear(state, "projection").to(self.device) if projects else None
        self.labels = {name: tuple(classes) for name, classes in (labels or {}).items()}
        self._heads = {n: load_linear(state, f"heads.{n}").to(self.device) for n in self.labels}
        if any(len(self.labels[n]) != head.out_features for n, head in self._heads.items()):
            raise WeightsError("The weights' heads have other classes than their header says.")
        self.agreement = Agreement(
            looks_dim=self._projection.out_features if self._projection else BACKBONE_DIM,
            weights=config.agreement or {LOOKS: 1.0},
            classes=self.labels,
        )
        self.dim = self.agreement.dim
        fuse_batch_norms(backbone.eval())
        backbone.to(self.device, self.dtype, memory_format=torch.channels_last)
        self._backbone = backbone.requires_grad_(False)
        self._pool = POOLINGS[config.pooling]
        self._mean = torch.tensor(config.mean, device=self.device).view(3, 1, 1) * 255
        self._std = torch.tensor(config.std, device=self.device).view(3, 1, 1) * 255
        self.fingerprint = _fingerprint_of(config, self.weights_hash, self.labels)

    def record(self) -> dict[str, Any]:
        """What a manifest says of the encoder: enough to load it again and to tell another."""
        return {
            "config": asdict(self.config),
            "fingerprint": self.fingerprint,
            "weights_hash": self.weights_hash,
            "dtype": str(self.dtype).removeprefix("torch."),
        }

    def compile(self) -> None:
        """Compile the network: worth its minutes where a GPU embeds a large catalog."""
        self._backbone.forward_features = torch.compile(self._backbone.forward_features)

    def prepare(self, picture: Image.Image) -> npt.NDArray[np.uint8]:
        """One RGB picture -> uint8 of shape (height_px, width_px, 3)."""
        return fit_picture(picture, self.config)

    def encode_prepared(self, prepared: npt.NDArray[np.uint8]) -> Encoded:
        """Encode a batch of prepared pictures, each seen once, and say what their heads believe.

        Args:
            prepared: uint8 of shape (b, height_px, width_px, 3).
        """
        with torch.inference_mode():
            # NHWC memory seen as NCHW is what channels_last means: no copy is made.
            pixels = torch.from_numpy(prepared).to(self.device).permute(0, 3, 1, 2)
            pixels = ((pixels.float() - self._mean) / self._std).to(self.dtype)
            halved = self.dtype == torch.bfloat16
            with torch.autocast(self.device.type, torch.bfloat16, enabled=halved):
                maps = self._backbone.forward_features(pixels)  # (b, 2048, h/32, w/32)
            maps = maps.float()
            looks = F.normalize(self._pool(maps))  # (b, 2048)
            if self._projection is not None:
                looks = F.normalize(self._projection(looks))  # (b, looks_dim)
            averaged = POOLINGS["avg"](maps) if self._heads else maps
            believed = {n: head(averaged).softmax(1) for n, head in self._heads.items()}
            beliefs = {n: probabilities.cpu().numpy() for n, probabilities in believed.items()}
        return Encoded(self.agreement.embed(looks.cpu().numpy(), beliefs), beliefs)

    def encode_items(self, pictures: Sequence[Image.Image]) -> Encoded:
        """Encode pictures of a gallery, RGB of any size, each seen once."""
        return self.encode_prepared(np.stack([self.prepare(picture) for picture in pictures]))

    def encode_queries(self, pictures: Sequence[Image.Image]) -> Encoded:
        """Encode pictures that ask, and say what their heads believe.

        The same as of items where they leave no doubt; else what is believed is gathered from
        several views (`second_look`), while the looks remain those of the first.

        Args:
            pictures: RGB of any size.
        """
        if not self.agreement.labels:
            return self.encode_items(pictures)
        prepared = np.stack([self.prepare(picture) for picture in pictures])
        # A pass over two pictures takes hardly longer than over one, and every other picture
        # leaves doubt: the mirror image is seen before it is known to be needed.
        embeddings, beliefs = self._see_both_ways(prepared)
        first, believed = embeddings[0], {name: rows[0] for name, rows in beliefs.items()}
        doubtful = np.flatnonzero(self.agreement.doubt(first) >= DOUBT)
        if not len(doubtful):
            return Encoded(first, believed)
        doubted = {name: rows[:, doubtful] for name, rows in beliefs.items()}
        views = [Encoded(embeddings[:, doubtful], doubted)]
        if self.query_px != self.input_px:
            larger = [fit_picture(pictures[row], self._second) for row in doubtful.tolist()]
            views.append(self._see_both_ways(np.stack(larger)))
        shares = view_shares(self.agreement.doubt(np.concatenate([seen for seen, _ in views])))
        for name, rows in believed.items():
            every = np.concatenate([seen[name] for _, seen in views])
            rows[doubtful] = np.einsum("vb,vbc->bc", shares, every)
        first[doubtful] = self.agreement.embed(
            self.agreement.looks(first[doubtful]), {n: b[doubtful] for n, b in believed.items()}
        )
        return Encoded(first, believed)

    def _see_both_ways(self, prepared: npt.NDArray[np.uint8]) -> Encoded:
        """Each as it is and mirrored: of shapes (2, b, dim) and (2, b, classes)."""
        vectors, beliefs = self.encode_prepared(np.concatenate([prepared, prepared[:, :, ::-1]]))
        return Encoded(
            vectors.reshape(2, -1, self.dim),
            {name: rows.reshape(2, -1, rows.shape[1]) for name, rows in beliefs.items()},
        )


def load_encoder(name: str = "fashion", *, device: Device = "auto", **settings: Any) -> Encoder:
    """Find weights by name and build their encoder.

    Args:
        name: `fashion` (shipped), `imagenet` (the Hub's, revision pinned), `timm:TAG` for the
            Hub's `resnet50.TAG`, or a path to a safetensors file.
        device: where it runs.
        settings: fields of `EncoderConfig` that are to differ from the weights' own.

    Raises:
        WeightsError: there are no such weights, or they do not fit.
        ValueError: a setting is unknown or out of range.
    """
    state, config, labels = _configured(name, settings)
    return Encoder(config, state, labels=labels, device=device)


def fingerprint_of(name: str, **settings: Any) -> str:
    """The fingerprint of what `load_encoder` would give, without building a network.

    Raises:
        WeightsError, ValueError: as of `load_encoder`.
    """
    state, config, labels = _configured(name, settings)
    return _fingerprint_of(config, hash_state(state), labels)


def _configured(name: str, settings: Mapping[str, Any]) -> Weights:
    """Weights by name, their config changed by the settings."""
    state, config, labels = find_weights(name)
    if unknown := settings.keys() - {field.name for field in fields(EncoderConfig)}:
        raise ValueError(f"unknown setting {', '.join(sorted(unknown))}")
    return Weights(state, replace(config, weights=name, **settings), labels)


def _fingerprint_of(
    config: EncoderConfig, weights_hash: str, labels: Mapping[str, Sequence[str]]
) -> str:
    # The weights have a hash, and a gallery's pictures get no second look.
    left_out = ("weights", "second_scale")
    settings = {k: v for k, v in asdict(config).items() if k not in left_out}
    classes = {name: labels[name] for name in config.agreement if name != LOOKS}
    text = json.dumps([settings, weights_hash, classes], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_worker_encoder(
    rank: int | None, *, name: str, device: Device, workers: int, settings: Mapping[str, Any]
) -> Encoder:
    """The encoder of one of several workers: each its own GPU, or its share of the cores."""
    if rank is not None:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))
        if (place := choose_device(device)).type == "cuda" and place.index is None:
            device = f"cuda:{rank % torch.cuda.device_count()}"
    return load_encoder(name, device=device, **settings)
