"""The weights file: safetensors whose header is its own manual."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from recommender.encoding.backbone import create_by_timm
from recommender.encoding.config import EncoderConfig
from recommender.encoding.details import Detail
from recommender.errors import WeightsError
from recommender.files import whole_file

FASHION_WEIGHTS = Path(__file__).parents[1] / "weights" / "fashion.safetensors"
IMAGENET_MODEL = "hf-hub:timm/resnet50.a1_in1k@767268603ca0cb0bfe326fa87277f19c419566ef"
_READ = ("config", "labels", "details")
_IMAGENET_CONFIG = EncoderConfig(width_px=224, height_px=224, projection=False)


class Weights(NamedTuple):
    """Tensors in timm's names, the config that they were trained for, and what its heads tell.

    Attributes:
        labels: head -> its classes.
        details: those that have heads too.
    """

    state: Mapping[str, Tensor]
    config: EncoderConfig
    labels: Mapping[str, Sequence[str]]
    details: Mapping[str, Detail] = {}


def find_weights(name: str) -> Weights:
    """Weights by name, as `load_encoder` takes it.

    Raises:
        WeightsError: there are none of this name.
    """
    if name == "fashion":
        return read_weights(FASHION_WEIGHTS)
    if name == "imagenet" or name.startswith("timm:"):
        model = IMAGENET_MODEL if name == "imagenet" else "resnet50." + name.removeprefix("timm:")
        try:
            backbone = create_by_timm(model, pretrained=True)
        except Exception as error:  # timm and the Hub let every kind of error through
            raise WeightsError(
                f"The weights {name} cannot be had from the Hub ({type(error).__name__}): "
                "see that they exist and that the Hub can be reached, or name a file."
            ) from error
        return Weights(backbone.state_dict(), _IMAGENET_CONFIG, {})
    return read_weights(Path(name))


def read_weights(path: Path) -> Weights:
    """A safetensors file, its header's config (else ImageNet's usual one) and what its heads tell.

    Raises:
        WeightsError: there is no such file, or it is not one.
    """
    if not path.is_file():
        raise WeightsError(
            f"There are no weights {path.name!r}: name fashion, imagenet, timm:TAG "
            "or a safetensors file."
        )
    try:
        with safe_open(path, framework="pt") as file:
            own = {k: v for k, v in (file.metadata() or {}).items() if k in _READ}
            header = {key: json.loads(text) for key, text in own.items()}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        config = EncoderConfig(**header["config"]) if "config" in header else _IMAGENET_CONFIG
        details = {name: Detail(**told) for name, told in header.get("details", {}).items()}
    except (SafetensorError, ValueError, TypeError, AttributeError) as error:
        raise WeightsError(f"{path.name} is not a safetensors file of an encoder.") from error
    return Weights(state, config, header.get("labels", {}), details)


def write_weights(path: Path, weights: Weights, **more: object) -> None:
    """Write what `read_weights` reads, whole or not at all.

    Args:
        path: the safetensors file.
        weights: tensors are written in the dtype that they have.
        more: what the header says besides, for people; JSON.
    """
    header = {"config": asdict(weights.config), **more}
    if weights.labels:
        header["labels"] = weights.labels
    if weights.details:
        header["details"] = {name: asdict(detail) for name, detail in weights.details.items()}
    metadata = {name: json.dumps(value) for name, value in header.items()}
    with whole_file(path) as building:
        save_file({n: t.contiguous() for n, t in weights.state.items()}, building, metadata)
