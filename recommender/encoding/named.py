"""An encoder by its name: ours, timm's, a file's, or a model of others."""

import os
from collections.abc import Callable
from typing import Any

import torch

from recommender.encoding.backbone import Device, choose_device
from recommender.encoding.encoder import fingerprint_of, load_encoder
from recommender.encoding.open_clip import load_open_clip
from recommender.encoding.pretrained import TransformersEncoder, load_transformers
from recommender.encoding.protocol import PictureEncoder

OF_OTHERS: dict[str, Callable[..., TransformersEncoder]] = {
    "transformers": load_transformers,
    "open_clip": load_open_clip,
}
"""What stands before the colon of a model of others -> what loads it."""


def load_named(
    name: str = "fashion", *, device: Device = "auto", **settings: Any
) -> PictureEncoder:
    """An encoder by name.

    Args:
        name: `transformers:NAME` (a CLIP, SigLIP or DINOv2: of the Hub, `OWNER/NAME@REVISION` say,
            or a folder), `open_clip:NAME` (a SigLIP in OpenCLIP's files), or what `load_encoder`
            takes.
        device: where it runs.
        settings: fields of `EncoderConfig` that are to differ; of a model of others, `dtype` alone.

    Raises:
        WeightsError: there are no such weights, or they do not fit.
        ValueError: a setting is unknown, out of range or of another kind of encoder.
    """
    kind, _, place = name.partition(":")
    if kind not in OF_OTHERS:
        return load_encoder(name, device=device, **settings)
    if unknown := settings.keys() - {"dtype"}:
        raise ValueError(f"{name} takes no setting such as {min(unknown)}")
    return OF_OTHERS[kind](place, device=device, **settings)


def fingerprint_of_named(name: str, **settings: Any) -> str:
    """The fingerprint of what `load_named` would give; of ours, without building a network.

    Raises:
        WeightsError, ValueError: as of `load_named`.
    """
    if name.partition(":")[0] in OF_OTHERS:
        return load_named(name, device="cpu", **settings).fingerprint
    return fingerprint_of(name, **settings)


def load_worker_encoder(
    rank: int | None, *, name: str, device: Device, workers: int, settings: dict[str, Any]
) -> PictureEncoder:
    """The encoder of one of several workers: each its own GPU, or its share of the cores."""
    if rank is not None:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))
        if (place := choose_device(device)).type == "cuda" and place.index is None:
            device = f"cuda:{rank % torch.cuda.device_count()}"
    return load_named(name, device=device, **settings)
