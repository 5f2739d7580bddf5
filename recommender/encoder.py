"""The ResNet50 (timm): preprocessing, pooling, projection, dtype, batches. RGB in, embeddings out.

The weights file is its own manual: the safetensors header of ours holds the `EncoderConfig` they
were trained for, so a file and a path to it are all that a caller needs.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import timm
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from recommender.errors import WeightsError

FASHION_WEIGHTS = Path(__file__).parent / "weights" / "fashion.safetensors"
IMAGENET_MODEL = "hf-hub:timm/resnet50.a1_in1k@767268603ca0cb0bfe326fa87277f19c419566ef"
BACKBONE_DIM = 2048

# A weights file may carry these beside the backbone; any other key must be one of the backbone's.
_EXTRAS = ("fc.", "heads.", "projection.")

Device = str
"""`auto`, `cpu`, `cuda` or `cuda:N`."""


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """Everything but the weights that an embedding depends on.

    `fit` is what happens to a picture of another aspect ratio than the input's: `pad` shows all of
    it on white, `crop` cuts its longer side, `stretch` changes its proportions. `dtype` `auto` is
    bfloat16 where the processor multiplies in it, else float32. `projection` applies the linear
    map that the weights file carries, if it does.
    """

    weights: str = "fashion"
    width_px: int = 60
    height_px: int = 80
    fit: Literal["pad", "crop", "stretch"] = "pad"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    pooling: Literal["avg", "max", "gem"] = "avg"
    projection: bool = True
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", tuple(self.mean))
        object.__setattr__(self, "std", tuple(self.std))
        for name in ("fit", "pooling", "dtype"):
            if (value := getattr(self, name)) not in choices(name):
                raise ValueError(f"{name} is {value!r}, not one of {', '.join(choices(name))}")
        if len(self.mean) != 3 or len(self.std) != 3 or not all(value > 0 for value in self.std):
            raise ValueError("mean and std have a value for each of three channels, std above 0")
        if not (16 <= self.width_px <= 1024 and 16 <= self.height_px <= 1024):
            raise ValueError("the input's sides are between 16 and 1024 pixels")


def choices(name: str) -> tuple[str, ...]:
    """What a setting of `EncoderConfig` may be."""
    return get_args(EncoderConfig.__annotations__[name])


def _gem(maps: Tensor, power: float = 3.0, eps: float = 1e-6) -> Tensor:
    """Generalised mean over space. Source: Radenović et al., arXiv:1711.02512, p = 3."""
    return maps.clamp(min=eps).pow(power).mean((2, 3)).pow(1 / power)


POOLINGS: dict[str, Callable[[Tensor], Tensor]] = {  # (b, c, h, w) -> (b, c)
    "avg": lambda maps: maps.mean((2, 3)),
    "max": lambda maps: maps.amax((2, 3)),
    "gem": _gem,
}


def fit_picture(picture: Image.Image, config: EncoderConfig) -> npt.NDArray[np.uint8]:
    """Bring an RGB picture to the input's size; one that has it already is not touched.

    Returns:
        uint8 of shape (height_px, width_px, 3).
    """
    size = (config.width_px, config.height_px)
    if picture.size != size:
        if config.fit == "pad":
            # Not ImageOps.contain, which makes nothing of a picture of more than 1:160.
            width = min(size[0], max(1, round(picture.width / picture.height * size[1])))
            height = min(size[1], max(1, round(picture.height / picture.width * size[0])))
            fitted = picture.resize((width, height), Image.Resampling.BICUBIC)
            picture = Image.new("RGB", size, "white")
            picture.paste(fitted, ((size[0] - fitted.width) // 2, (size[1] - fitted.height) // 2))
        elif config.fit == "crop":
            picture = ImageOps.fit(picture, size, Image.Resampling.BICUBIC)
        else:
            picture = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(picture)


class Encoder:
    """A ResNet50 with its preprocessing: pictures in, unit embeddings out. Thread-safe.

    Attributes:
        config: what it was made with.
        dim: length of an embedding.
        input_px: (width, height) of what the backbone eats.
        weights_hash: sha256 of the weights as loaded, whatever file or hub they came from.
        fingerprint: equal exactly when two encoders mean the same embedding for a picture.
        device: where it runs.
        dtype: what it multiplies in.
    """

    def __init__(
        self,
        config: EncoderConfig,
        state: Mapping[str, Tensor],
        *,
        device: Device = "auto",
        labels: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Build the network from tensors; `load_encoder` finds them.

        Args:
            config: preprocessing, pooling, projection, dtype.
            state: the backbone's tensors in timm's names, strictly all of them, and optionally
                `projection.weight` of shape (dim, 2048) and `projection.bias` of shape (dim,).
            device: `auto` is CUDA where it is.

        Raises:
            WeightsError: a key or a shape is wrong.
        """
        self.config = config
        self.input_px = (config.width_px, config.height_px)
        self.device = choose_device(device)
        self.dtype = choose_dtype(config.dtype, self.device)
        backbone = timm.create_model("resnet50", pretrained=False, num_classes=0)
        load_backbone(backbone, state)
        self.weights_hash = hash_state(state)
        self._projection: nn.Linear | None = None
        if config.projection and "projection.weight" in state:
            self._projection = _load_projection(state).to(self.device)
        self.labels = {name: tuple(values) for name, values in (labels or {}).items()}
        self._heads = {
            name: (state[f"heads.{name}.weight"].float(), state[f"heads.{name}.bias"].float())
            for name in self.labels
        }
        self.dim = self._projection.out_features if self._projection else BACKBONE_DIM
        fuse_batch_norms(backbone.eval())
        self._backbone = backbone.to(
            self.device, self.dtype, memory_format=torch.channels_last
        ).requires_grad_(False)
        self._pool = POOLINGS[config.pooling]
        self._mean = torch.tensor(config.mean, device=self.device).view(3, 1, 1) * 255
        self._std = torch.tensor(config.std, device=self.device).view(3, 1, 1) * 255

        settings = {k: v for k, v in asdict(config).items() if k != "weights"}
        text = json.dumps([settings, self.weights_hash], sort_keys=True)
        self.fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]

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

    def encode_prepared(self, prepared: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Encode a batch of prepared pictures.

        Args:
            prepared: uint8 of shape (b, height_px, width_px, 3).

        Returns:
            float32 of shape (b, dim), unit rows.
        """
        with torch.inference_mode():
            # NHWC memory seen as NCHW is what channels_last means: no copy is made.
            pixels = torch.from_numpy(prepared).to(self.device).permute(0, 3, 1, 2)
            pixels = ((pixels.float() - self._mean) / self._std).to(self.dtype)
            with torch.autocast(
                self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16
            ):
                maps = self._backbone.forward_features(pixels)  # (b, 2048, h/32, w/32)
            embeddings = F.normalize(self._pool(maps.float()))  # (b, 2048)
            if self._projection is not None:
                embeddings = F.normalize(self._projection(embeddings))  # (b, dim)
            return embeddings.cpu().numpy()

    def describe(self, pictures: Sequence[Image.Image]) -> dict[str, npt.NDArray[np.float32]]:
        """What the heads believe: label -> float32 of shape (b, classes), rows sum to 1."""
        prepared = np.stack([self.prepare(picture) for picture in pictures])
        with torch.inference_mode():
            pixels = torch.from_numpy(prepared).to(self.device).permute(0, 3, 1, 2)
            pixels = ((pixels.float() - self._mean) / self._std).to(self.dtype)
            pooled = self._backbone.forward_features(pixels).float().mean((2, 3)).cpu()
            return {
                name: torch.softmax(pooled @ weight.T + bias, 1).numpy()
                for name, (weight, bias) in self._heads.items()
            }

    def encode(self, pictures: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        """RGB pictures of any size -> float32 of shape (b, dim), unit rows."""
        return self.encode_prepared(np.stack([self.prepare(picture) for picture in pictures]))


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
    state, config = _find_weights(name)
    unknown = settings.keys() - {field.name for field in fields(EncoderConfig)}
    if unknown:
        raise ValueError(f"unknown setting {', '.join(sorted(unknown))}")
    labels = None
    path = FASHION_WEIGHTS if name == "fashion" else Path(name)
    if path.is_file():
        with safe_open(path, framework="pt") as file:
            labels = json.loads((file.metadata() or {}).get("labels", "null"))
    config = replace(config, weights=name, **settings)
    return Encoder(config, state, device=device, labels=labels)


def load_worker_encoder(
    rank: int | None, *, name: str, device: Device, workers: int, settings: Mapping[str, Any]
) -> Encoder:
    """The encoder of one of several workers: each its own GPU, or its share of the cores."""
    if rank is not None:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // workers))
        if (place := choose_device(device)).type == "cuda" and place.index is None:
            device = f"cuda:{rank % torch.cuda.device_count()}"
    return load_encoder(name, device=device, **settings)


def _find_weights(name: str) -> tuple[Mapping[str, Tensor], EncoderConfig]:
    if name == "fashion":
        return read_weights(FASHION_WEIGHTS)
    if name == "imagenet" or name.startswith("timm:"):
        model = IMAGENET_MODEL if name == "imagenet" else "resnet50." + name.removeprefix("timm:")
        try:
            backbone = timm.create_model(model, pretrained=True, num_classes=0)
        except Exception as error:  # timm and the Hub let every kind of error through
            raise WeightsError(
                f"The weights {name} cannot be had from the Hub ({type(error).__name__}): "
                "see that they exist and that the Hub can be reached, or name a file."
            ) from error
        return backbone.state_dict(), _IMAGENET_CONFIG
    return read_weights(Path(name))


_IMAGENET_CONFIG = EncoderConfig(width_px=224, height_px=224, projection=False)


def read_weights(path: Path) -> tuple[dict[str, Tensor], EncoderConfig]:
    """A safetensors file's tensors, and the config in its header (else ImageNet's usual one).

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
            header = json.loads((file.metadata() or {}).get("config", "null"))
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        config = EncoderConfig(**header) if header else _IMAGENET_CONFIG
    except (SafetensorError, ValueError, TypeError) as error:
        raise WeightsError(f"{path.name} is not a safetensors file of an encoder.") from error
    return state, config


def load_backbone(backbone: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load a backbone strictly; classifier, heads and projection beside it are left alone.

    Raises:
        WeightsError: a key is missing, unknown or of another shape.
    """
    own = {k: v.float() for k, v in state.items() if not k.startswith(_EXTRAS)}
    # Files of the time before batch norms counted their batches lack a number that nobody reads.
    counters = {k: v for k, v in backbone.state_dict().items() if k.endswith("_tracked")}
    try:
        backbone.load_state_dict({**counters, **own}, strict=True)
    except RuntimeError as error:
        wrong = sorted(set(backbone.state_dict()) ^ set(counters | own)) or ["a shape"]
        raise WeightsError(
            f"The weights are not a ResNet50's: {len(wrong)} keys do not fit, first {wrong[0]}."
        ) from error


def _load_projection(state: Mapping[str, Tensor]) -> nn.Linear:
    """`projection.*` as a layer that is not trained."""
    weight, bias = state["projection.weight"].float(), state.get("projection.bias")
    if weight.ndim != 2 or weight.shape[1] != BACKBONE_DIM or bias is None:
        raise WeightsError(f"The weights' projection is not a linear map of {BACKBONE_DIM} values.")
    if bias.shape != weight.shape[:1]:
        raise WeightsError("The weights' projection has a bias of another length.")
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.load_state_dict({"weight": weight, "bias": bias.float()})
    return layer.requires_grad_(False)


def hash_state(state: Mapping[str, Tensor]) -> str:
    """sha256 of tensors with their names, shapes and dtypes, whatever file they lay in."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def fuse_batch_norms(module: nn.Module) -> None:
    """Fold each batch norm into the convolution before it, in place; for inference only."""
    children = list(module.named_children())
    for (conv_name, conv), (norm_name, norm) in pairwise(children):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, conv_name, nn.utils.fuse_conv_bn_eval(conv, norm))
            setattr(module, norm_name, nn.Identity())
    for _, child in children:
        fuse_batch_norms(child)


def choose_device(device: Device) -> torch.device:
    """`auto` is CUDA where it is, else the CPU."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def choose_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """`auto` is bfloat16 where the processor multiplies in it, else float32."""
    if dtype == "auto":
        fast = (
            torch.cuda.is_bf16_supported(including_emulation=False)
            if device.type == "cuda"
            else torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        )
        dtype = "bfloat16" if fast else "float32"
    return torch.bfloat16 if dtype == "bfloat16" else torch.float32
