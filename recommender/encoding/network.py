"""The trained network at work: prepared pictures in, looks, beliefs and masks out."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
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
from recommender.encoding.packed import pack_convolutions
from recommender.encoding.region_head import load_region_head
from recommender.errors import WeightsError

TAKEN = "taken."
"""What the tensors of heads for photographs alone are called before their labels."""
OF_REGIONS = ("regions.", "garment.")
"""What those are called that tell where a garment is, and whether there is one."""

_PICTURES_A_THREAD = 4


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


class Network:
    """A backbone, its pooling and whatever heads its weights have. Thread-safe."""

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
        self._heads = {n: load_linear(state, at).to(self.device) for n, at in places.items()}
        own = [name for name in labels if f"{TAKEN}{name}.weight" in state]
        self._taken = {n: load_linear(state, TAKEN + n).to(self.device) for n in own}
        heads = [*self._heads.items(), *self._taken.items()]
        if any(len(classes[n]) != head.out_features for n, head in heads):
            raise WeightsError("The weights' heads have other classes than their header says.")
        self.looks_dim = self._projection.out_features if self._projection else BACKBONE_DIM
        self._regions: nn.Module | None = None
        if "garment.weight" in state:
            self._garment = load_linear(state, "garment").to(self.device)
            if self._garment.out_features != 1:
                raise WeightsError("The weights' garment head says more than one number.")
            regions = load_region_head(state)
            fuse_batch_norms(regions, self.dtype)
            self._regions = regions.to(self.device, self.dtype)
        self._maps = feature_maps
        if self.device.type == "cpu":
            self._pack(config)
        self._pool = POOLINGS[config.pooling]
        self._averages = config.pooling == "avg"
        self._mean = torch.tensor(config.mean, device=self.device).view(3, 1, 1) * 255
        self._std = torch.tensor(config.std, device=self.device).view(3, 1, 1) * 255

    @property
    def finds_regions(self) -> bool:
        """Whether the weights know where a garment is."""
        return self._regions is not None

    def _pack(self, config: EncoderConfig) -> None:
        """Lay the weights out for the sizes that pictures are seen at."""
        sizes = config.query_sizes
        pixels = [torch.zeros(1, 3, high, wide, dtype=self.dtype) for wide, high in sizes]
        parts = nn.ModuleList([self._backbone, *([self._regions] if self._regions else [])])
        pack_convolutions(parts, self._stages, pixels)

    def _stages(
        self, pixels: Tensor, *, regions: bool = True
    ) -> tuple[list[Tensor], Tensor | None]:
        """What the backbone's stages see, and the mask's logits where they are asked for."""
        stages = self._maps(self._backbone, pixels)
        return stages, self._regions(stages) if regions and self._regions is not None else None

    def compile(self) -> None:
        """Compile the network: worth its minutes where a GPU embeds a large catalog."""
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
            averaged = POOLINGS["avg"](maps) if self._heads or mask is not None else maps
            beliefs = _believed(self._heads, averaged)
            masks, garment = np.empty((0, 0, 0), np.float32), np.empty(0, np.float32)
            if mask is not None:
                masks = mask.float().sigmoid().cpu().numpy()
                garment = self._garment(averaged)[:, 0].sigmoid().cpu().numpy()
            taken = _believed(self._taken, averaged) if closely else {}
            summed = closely and self._averages
            places = self._places(maps).cpu().numpy() if summed else np.empty((0,) * 4, np.float32)
        return Sight(looks.cpu().numpy(), beliefs, masks, garment, places, taken)

    @contextmanager
    def _share_of_cores(self, pictures: int) -> Iterator[None]:
        """Passes at the same time share the cores out: threads beyond those wait for each other.

        To wake a thread at each of a pass's hundred steps takes longer than it saves of few
        pictures: of one, two threads made 18 ms of 13.
        """
        threads = torch.get_num_threads()
        with self._lock:
            self._passes += 1
            share = max(1, min(threads // self._passes, pictures // _PICTURES_A_THREAD))
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
        halved = self.dtype == torch.bfloat16
        with torch.autocast(self.device.type, torch.bfloat16, enabled=halved):
            stages, mask = self._stages(pixels, regions=regions)
        return stages[-1].float(), mask

    def _places(self, maps: Tensor) -> Tensor:
        """Of maps, (b, 2048, h, w), what each place gives to the looks: (b, h, w, looks_dim)."""
        count = maps[0, 0].numel()
        given = _of_length_one(maps.permute(0, 2, 3, 1) / count)
        if self._projection is not None:
            # Of what it adds whatever is seen, each place gives the same.
            bias = self._projection.bias / count
            given = _of_length_one(F.linear(given, self._projection.weight) + bias)
        return given


def _believed(heads: Mapping[str, nn.Linear], averaged: Tensor) -> Beliefs:
    """What heads believe of averaged maps, (b, 2048)."""
    return {name: head(averaged).softmax(1).cpu().numpy() for name, head in heads.items()}


def _of_length_one(places: Tensor) -> Tensor:
    """Places whose sum is of length one: (b, h, w, d)."""
    whole = places.sum((1, 2), keepdim=True)  # (b, 1, 1, d)
    unit: Tensor = places / torch.linalg.vector_norm(whole, dim=3, keepdim=True)
    return unit
