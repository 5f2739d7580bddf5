"""The trained network at work: prepared pictures in, looks, beliefs and masks out."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from threading import Event, Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from recommender.encoding.agreement import Beliefs, Floats
from recommender.encoding.backbone import (
    BACKBONE_DIM,
    POOLINGS,
    Device,
    backbone_at_work,
    choose_device,
    choose_dtype,
    feature_maps,
    fuse_batch_norms,
    load_linear,
)
from recommender.encoding.config import EncoderConfig
from recommender.encoding.details import PREFIX, Detail
from recommender.encoding.packed import SEVERAL, PackedNet, Stages, can_pack
from recommender.encoding.region_head import RegionHead, load_region_head
from recommender.errors import WeightsError

TAKEN = "taken."
"""What the tensors of heads for photographs alone are called before their labels."""
OF_REGIONS = ("regions.", "garment.")
"""What those are called that tell where a garment is, and whether there is one."""


class Sight(NamedTuple):
    """What a network makes of b pictures of one size.

    Attributes:
        looks: float32 of shape (b, looks_dim), unit rows.
        beliefs: label or detail -> float32 of shape (b, classes), rows that sum to one.
        masks: float32 of shape (b, h/4, w/4), where the garment is; empty unless asked for.
        garment: float32 of shape (b,), the probability that there is one; empty with the masks.
        places: float32 of shape (b, h/32, w/32, looks_dim), what each place gives to the looks;
            empty where they are no sums of places, or nobody looks closely.
        taken: what is believed of them if they are photographs, of the labels that have a head for
            those; as `beliefs`, empty where nobody looks closely.
    """

    looks: Floats
    beliefs: Beliefs
    masks: Floats
    garment: Floats
    places: Floats
    taken: Beliefs

    def as_photographs(self) -> "Sight":
        """The same, believed of as photographs are."""
        return self._replace(beliefs={**self.beliefs, **self.taken})


class Heads:
    """Linear maps to logits of classes, multiplied at once."""

    def __init__(self, heads: Sequence[nn.Linear], device: torch.device) -> None:
        self._weight = torch.cat([head.weight for head in heads]).to(device)
        self._bias = torch.cat([head.bias for head in heads]).to(device)
        self._starts = np.cumsum([0, *(head.out_features for head in heads)])

    def __call__(self, averaged: Tensor) -> list[Floats]:
        """What each believes of averaged maps, (b, 2048): float32 (b, classes), rows of sum 1."""
        logits: Floats = F.linear(averaged, self._weight, self._bias).cpu().numpy()
        starts, counts = self._starts[:-1], np.diff(self._starts)
        believed = np.exp(logits - np.maximum.reduceat(logits, starts, 1).repeat(counts, 1))
        believed /= np.add.reduceat(believed, starts, 1).repeat(counts, 1)
        return np.split(believed, starts[1:], 1)


class Network:
    """A backbone, its pooling and whatever heads its weights have. Thread-safe.

    Attributes:
        finds_regions: whether the weights know where a garment is.
    """

    def __init__(
        self,
        config: EncoderConfig,
        state: Mapping[str, Tensor],
        labels: Mapping[str, Sequence[str]],
        device: Device,
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        """See `Encoder`.

        Raises:
            WeightsError: a key or a shape is wrong.
        """
        self.device = choose_device(device)
        self._lock, self._passes = Lock(), 0
        self.dtype = choose_dtype(config.dtype, self.device)
        self._backbone = backbone_at_work(state, self.device, self.dtype)
        projects = config.projection and "projection.weight" in state
        self._projection = load_linear(state, "projection").to(self.device) if projects else None
        classes = {**labels, **{name: told.classes for name, told in (details or {}).items()}}
        if len(classes) < len(labels) + len(details or {}):
            raise WeightsError("The weights' details have the name of a label.")
        places = {name: f"heads.{name}" if name in labels else PREFIX + name for name in classes}
        taken = [name for name in labels if f"{TAKEN}{name}.weight" in state]
        heads = [(name, load_linear(state, place)) for name, place in places.items()]
        heads += [(name, load_linear(state, TAKEN + name)) for name in taken]
        if any(len(classes[name]) != head.out_features for name, head in heads):
            raise WeightsError("The weights' heads have other classes than their header says.")
        self._heads = Heads([head for _, head in heads], self.device) if heads else None
        self._told, self._taken = tuple(places), tuple(taken)
        self.looks_dim = self._projection.out_features if self._projection else BACKBONE_DIM
        self._regions: RegionHead | None = None
        if "garment.weight" in state:
            self._garment = load_linear(state, "garment").to(self.device)
            if self._garment.out_features != 1:
                raise WeightsError("The weights' garment head says more than one number.")
            regions = load_region_head(state)
            fuse_batch_norms(regions, self.dtype)
            self._regions = regions.to(self.device, self.dtype)
        self.finds_regions = self._regions is not None
        self._maps = feature_maps
        self._sizes = config.query_sizes
        self._packed = self._pack()
        self._pool = POOLINGS[config.pooling]
        self._averages = config.pooling == "avg"
        self._mean = torch.tensor(config.mean, device=self.device).view(3, 1, 1) * 255
        self._std = torch.tensor(config.std, device=self.device).view(3, 1, 1) * 255

    def _pack(self) -> PackedNet | None:
        """The same laid out for the sizes that pictures are seen at, in its place if it can be."""
        if self.device.type != "cpu" or not can_pack(self.dtype):
            return None
        pixels = [torch.zeros(1, 3, high, wide, dtype=self.dtype) for wide, high in self._sizes]
        packed = PackedNet(self._backbone, self._regions, pixels)
        self._backbone = self._regions = None
        return packed

    def _stages(self, pixels: Tensor, *, regions: bool) -> Stages:
        """What the backbone's stages see, and the mask's logits where they are asked for."""
        if self._packed is not None:
            return self._packed(pixels, regions=regions)
        halved = self.dtype == torch.bfloat16
        with torch.autocast(self.device.type, torch.bfloat16, enabled=halved):
            stages = self._maps(self._backbone, pixels)
            head = self._regions if regions else None
            return stages, None if head is None else head(stages)

    def make_ready(self, stop: Event | None = None) -> None:
        """See all that there may be to see at once, which makes ready how: of that, a pass takes
        half as long again as the next ones. Set, `stop` ends it after the pass."""
        if self._packed is not None:
            for (wide, high), count in product(self._sizes, range(1, SEVERAL + 1)):
                if stop is not None and stop.is_set():
                    break
                self(np.zeros((count, high, wide, 3), np.uint8), closely=True)

    def compile(self) -> None:
        """Compile the network: worth its minutes where a GPU embeds a large catalog.

        What is laid out for a processor stays as it is.
        """
        self._maps = torch.compile(feature_maps)

    def __call__(self, prepared: npt.NDArray[np.uint8], *, closely: bool = False) -> Sight:
        """See a batch of prepared pictures, each once.

        Args:
            prepared: uint8 of shape (b, h, w, 3).
            closely: whether to look where the garment is, where the weights know, and what each
                place gives.
        """
        with torch.inference_mode(), self._share_of_cores(len(prepared)):
            maps, mask = self._last(prepared, regions=closely)
            looks = F.normalize(self._pool(maps))  # (b, 2048)
            if self._projection is not None:
                looks = F.normalize(self._projection(looks))  # (b, looks_dim)
            averaged = POOLINGS["avg"](maps)
            beliefs, taken = self._believed(averaged, closely=closely)
            masks, garment = np.empty((0, 0, 0), np.float32), np.empty(0, np.float32)
            if mask is not None:
                masks = mask.float().sigmoid().cpu().numpy()
                garment = self._garment(averaged)[:, 0].sigmoid().cpu().numpy()
            summed = closely and self._averages
            places = self._places(maps).cpu().numpy() if summed else np.empty((0,) * 4, np.float32)
        return Sight(looks.cpu().numpy(), beliefs, masks, garment, places, taken)

    @contextmanager
    def _share_of_cores(self, pictures: int) -> Iterator[None]:
        """Passes at the same time share the cores out: threads beyond those wait for each other.

        To wake a thread at each of a pass's hundred steps takes longer than it saves of few
        pictures: of one, two threads made 18 ms of 13. And how so many threads do it is made ready
        and kept beside how one does.
        """
        threads = torch.get_num_threads()
        with self._lock:
            self._passes += 1
            share = max(1, min(threads // self._passes, pictures // SEVERAL))
        try:
            if share < threads:
                torch.set_num_threads(share)  # of the calling thread's work alone
            yield
        finally:
            if share < threads:
                torch.set_num_threads(threads)
            with self._lock:
                self._passes -= 1

    def pooled(self, prepared: npt.NDArray[np.uint8]) -> Floats:
        """What heads see of prepared pictures: float32 of shape (b, 2048)."""
        with torch.inference_mode():
            averaged: Floats = POOLINGS["avg"](self._last(prepared)[0]).cpu().numpy()
        return averaged

    def _last(
        self, prepared: npt.NDArray[np.uint8], *, regions: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """The last stage's maps, float (b, 2048, h/32, w/32), and the mask's logits; see above."""
        # NHWC memory seen as NCHW is what channels_last means: no copy is made.
        pixels = torch.from_numpy(prepared).to(self.device).permute(0, 3, 1, 2)
        pixels = ((pixels.float() - self._mean) / self._std).to(self.dtype)
        stages, mask = self._stages(pixels, regions=regions)
        return stages[-1].float(), mask

    def _believed(self, averaged: Tensor, *, closely: bool) -> tuple[Beliefs, Beliefs]:
        """What is believed of averaged maps, (b, 2048), and what if they are photographs."""
        if self._heads is None:
            return {}, {}
        rows = iter(self._heads(averaged))
        beliefs = {name: next(rows) for name in self._told}
        return beliefs, dict(zip(self._taken, rows, strict=True)) if closely else {}

    def _places(self, maps: Tensor) -> Tensor:
        """Of maps, (b, 2048, h, w), what each place gives to the looks: (b, h, w, looks_dim)."""
        count = maps[0, 0].numel()
        given = _of_length_one(maps.permute(0, 2, 3, 1) / count)
        if self._projection is not None:
            # Of what it adds whatever is seen, each place gives the same.
            bias = self._projection.bias / count
            given = _of_length_one(F.linear(given, self._projection.weight) + bias)
        return given


def _of_length_one(places: Tensor) -> Tensor:
    """Places whose sum is of length one: (b, h, w, d)."""
    whole = places.sum((1, 2), keepdim=True)  # (b, 1, 1, d)
    unit: Tensor = places / torch.linalg.vector_norm(whole, dim=3, keepdim=True)
    return unit
