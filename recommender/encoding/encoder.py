"""The ResNet50 (timm): pooling, heads, dtype, batches. RGB in, embeddings out.

The weights file is its own manual: the safetensors header of ours holds the `EncoderConfig` they
were trained for and the heads' classes, so a file and a path to it are all that a caller needs.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from threading import Event
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor

from recommender.encoding.agreement import LOOKS, Agreement
from recommender.encoding.backbone import Device, hash_state
from recommender.encoding.config import EncoderConfig, fit_picture
from recommender.encoding.details import PREFIX, Detail
from recommender.encoding.network import OF_REGIONS, TAKEN, Network
from recommender.encoding.places import places_of
from recommender.encoding.protocol import Encoded
from recommender.encoding.regions import Asked, parts_of
from recommender.encoding.second_look import look
from recommender.encoding.weights import Weights, find_weights

OF_QUERIES = ("second_scale", "photograph_odds", "match")
"""Settings of pictures that ask, not of a gallery's: what the weights say today, not a store."""
_CLOSER = 2
"""Times the input of a second look: a garment that fills half of a picture is seen as well."""


class Encoder:
    """A ResNet50 with its preprocessing: pictures in, unit embeddings out. Thread-safe.

    Attributes:
        config: what it was made with.
        labels: each head's label -> its classes; empty where the weights have no heads.
        details: what else it tells of some pictures, which counts in no embedding.
        classes: label or detail -> its classes.
        agreement: how looks and beliefs make an embedding.
        dim: length of an embedding.
        input_px: (width, height) of what the backbone eats.
        query_px: the same at a second look; a picture that asks should have them.
        weights_hash: sha256 of the weights as loaded, whatever file or hub they came from, but of
            the heads for details, for photographs and for regions, which make nothing of a gallery.
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
        details: Mapping[str, Detail] | None = None,
        device: Device = "auto",
    ) -> None:
        """Build the network from tensors; `load_encoder` finds them.

        Args:
            config: preprocessing, pooling, projection, dtype.
            state: the backbone's tensors in timm's names, strictly all of them, and optionally
                `projection.weight` of shape (dim, 2048) and `projection.bias` of shape (dim,), and
                the heads, linear maps of the average-pooled maps, as `heads.LABEL.*` and
                `details.NAME.*`.
            labels: the classes of each head.
            details: those that have heads.
            device: `auto` is CUDA where it is.

        Raises:
            WeightsError: a key or a shape is wrong.
        """
        self.config = config
        self.input_px = config.input_px
        self.labels = {name: tuple(classes) for name, classes in (labels or {}).items()}
        self.details = dict(details or {})
        told = {name: detail.classes for name, detail in self.details.items()}
        self.classes: dict[str, Sequence[str]] = {**self.labels, **told}
        self.weights_hash = _hash_of(state)
        self._network = Network(config, state, self.labels, device, self.details)
        self.device, self.dtype = self._network.device, self._network.dtype
        self.agreement = Agreement(
            looks_dim=self._network.looks_dim,
            weights=config.agreement or {LOOKS: 1.0},
            classes=self.labels,
        )
        self.dim = self.agreement.dim
        self._is_ready = False
        self.fingerprint = _fingerprint_of(config, self.weights_hash, self.labels)

    @property
    def query_px(self) -> tuple[int, int]:
        """(width, height) that shows a part of a picture as well as a second look needs it."""
        width, height = self.config.second().input_px
        closer = _CLOSER if self._network.finds_regions else 1
        return closer * width, closer * height

    @property
    def texts(self) -> None:
        """Its text tower is a file of its own (`encoding.text`)."""
        return None

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
        self._network.compile()

    def make_ready(self, stop: Event | None = None) -> None:
        """Make ready, once, what the first pictures, and crowds of them, would wait for; set,
        `stop` ends it early."""
        if not self._is_ready:
            self._is_ready = True
            self._network.make_ready(stop)

    def prepare(self, picture: Image.Image) -> npt.NDArray[np.uint8]:
        """One RGB picture -> uint8 of shape (height_px, width_px, 3)."""
        return fit_picture(picture, self.config)

    def encode_prepared(self, prepared: npt.NDArray[np.uint8]) -> Encoded:
        """Encode a batch of prepared pictures, each seen once, and say what their heads believe.

        Args:
            prepared: uint8 of shape (b, height_px, width_px, 3).
        """
        sight = self._network(prepared)
        return Encoded(self.agreement.embed(sight.looks, sight.beliefs), sight.beliefs)

    def encode_items(self, pictures: Sequence[Image.Image]) -> Encoded:
        """Encode pictures of a gallery, RGB of any size, each seen once."""
        return self.encode_prepared(np.stack([self.prepare(picture) for picture in pictures]))

    def encode_queries(
        self, pictures: Sequence[Image.Image], asked: Sequence[Asked] | None = None
    ) -> Encoded:
        """Encode pictures that ask, say what their heads believe, and where the garment is.

        The same as of items where they leave no doubt; else what is believed is gathered from
        several views (`second_look`).

        Args:
            pictures: RGB of any size.
            asked: which part of each is looked at; the network's own choice where None.
        """
        if not self.agreement.labels:
            shown = parts_of(pictures, asked)
            prepared = np.stack([self.prepare(picture) for picture in shown])
            sight = self._network(prepared, closely=True)
            places = places_of(sight.places, shown, asked or [None] * len(shown), self.config)
            vectors = self.agreement.embed(sight.looks, sight.beliefs)
            return Encoded(vectors, sight.beliefs, places=places)
        return look(self._network, self.config, self.agreement, pictures, asked)


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
    state, config, labels, details = _configured(name, settings)
    return Encoder(config, state, labels=labels, details=details, device=device)


def fingerprint_of(name: str, **settings: Any) -> str:
    """The fingerprint of what `load_encoder` would give, without building a network.

    Raises:
        WeightsError, ValueError: as of `load_encoder`.
    """
    state, config, labels, _ = _configured(name, settings)
    return _fingerprint_of(config, _hash_of(state), labels)


def _configured(name: str, settings: Mapping[str, Any]) -> Weights:
    """Weights by name, their config changed by the settings."""
    found = find_weights(name)
    if unknown := settings.keys() - {field.name for field in fields(EncoderConfig)}:
        raise ValueError(f"unknown setting {', '.join(sorted(unknown))}")
    return found._replace(config=replace(found.config, weights=name, **settings))


def _hash_of(state: Mapping[str, Tensor]) -> str:
    """See `Encoder.weights_hash`."""
    others = (PREFIX, TAKEN, *OF_REGIONS)
    return hash_state({name: t for name, t in state.items() if not name.startswith(others)})


def _fingerprint_of(
    config: EncoderConfig, weights_hash: str, labels: Mapping[str, Sequence[str]]
) -> str:
    left_out = ("weights", *OF_QUERIES)  # the weights have a hash
    settings = {k: v for k, v in asdict(config).items() if k not in left_out}
    classes = {name: labels[name] for name in config.agreement if name != LOOKS}
    text = json.dumps([settings, weights_hash, classes], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
