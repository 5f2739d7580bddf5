"""Models of others that `transformers` runs: CLIP, SigLIP and DINOv2, from the Hub or a folder.

Weights are read from safetensors only, and no code that comes with them is run.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from recommender.encoding.backbone import Device, choose_device, choose_dtype, hash_state
from recommender.encoding.protocol import Encoded, PictureEncoder
from recommender.errors import WeightsError

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """A published model's own preprocessing; sizes are (width, height) in pixels.

    `resize_px` is the size that a picture is brought to, or the length of its shorter side;
    `crop_px` is then cut from its middle.
    """

    resize_px: tuple[int, int] | int
    crop_px: tuple[int, int] | None
    resample: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def apply(self, picture: Image.Image) -> Pixels:
        """RGB -> uint8 of shape (h, w, 3)."""
        size = self.resize_px
        if isinstance(size, int):
            scale = size / min(picture.size)
            width, height = (max(size, round(side * scale)) for side in picture.size)
            size = (width, height)
        picture = picture.resize(size, Image.Resampling(self.resample))
        if self.crop_px:
            left, top = ((a - b) // 2 for a, b in zip(picture.size, self.crop_px, strict=True))
            picture = picture.crop((left, top, left + self.crop_px[0], top + self.crop_px[1]))
        return np.asarray(picture)


class TransformersEncoder(PictureEncoder):
    """The picture side of a model that `transformers` runs, with its own preprocessing."""

    def __init__(self, name: str, model: nn.Module, preparation: Preparation, device: Device):
        self.name = name
        self.preparation = preparation
        size = preparation.resize_px
        self.input_px = (size, size) if isinstance(size, int) else size
        self._device = choose_device(device)
        self._dtype = choose_dtype("auto", self._device)
        self._hash = hash_state(model.state_dict())
        settings = json.dumps([self._hash, asdict(preparation)], sort_keys=True)
        self.fingerprint = hashlib.sha256(settings.encode()).hexdigest()[:16]
        # CLIP and SigLIP have two towers; DINOv2 and a lone tower are called as they are.
        self._run: Callable[..., Any] = getattr(model, "get_image_features", model)
        self._model = model.eval().requires_grad_(False).to(self._device)
        self._mean = torch.tensor(preparation.mean, device=self._device).view(3, 1, 1) * 255
        self._std = torch.tensor(preparation.std, device=self._device).view(3, 1, 1) * 255
        self.dim = self.encode_items([Image.new("RGB", self.input_px, "white")]).vectors.shape[1]

    def prepare(self, picture: Image.Image) -> Pixels:
        """RGB -> uint8 of shape (h, w, 3)."""
        return self.preparation.apply(picture)

    def encode_prepared(self, prepared: Pixels) -> Encoded:
        """uint8 of shape (b, h, w, 3) -> embeddings; nothing is believed."""
        with torch.inference_mode():
            pixels = torch.from_numpy(prepared).to(self._device).permute(0, 3, 1, 2).float()
            pixels = (pixels - self._mean) / self._std
            in_bfloat16 = self._dtype == torch.bfloat16
            with torch.autocast(self._device.type, torch.bfloat16, enabled=in_bfloat16):
                answer = self._run(pixel_values=pixels)
            vectors = answer if isinstance(answer, Tensor) else answer.pooler_output
            return Encoded(F.normalize(vectors.float()).cpu().numpy(), {})

    def record(self) -> dict[str, Any]:
        """What a report says of it."""
        config = {"weights": self.name, **asdict(self.preparation)}
        return {"config": config, "fingerprint": self.fingerprint, "weights_hash": self._hash}


def load_transformers(name: str, *, device: Device = "auto") -> TransformersEncoder:
    """A CLIP, SigLIP or DINOv2 checkpoint of `transformers`, from the Hub or a folder.

    Raises:
        WeightsError: it cannot be had, or is of another kind.
    """
    import transformers  # heavy, and only this road needs it

    try:
        model = transformers.AutoModel.from_pretrained(name, use_safetensors=True)
        processor = transformers.AutoImageProcessor.from_pretrained(name)
        settings = processor.to_dict()
        size = dict(settings["size"])
        crop = dict(settings["crop_size"]) if settings.get("do_center_crop") else None
        preparation = Preparation(
            resize_px=size.get("shortest_edge") or (size["width"], size["height"]),
            crop_px=(crop["width"], crop["height"]) if crop else None,
            resample=int(processor.resample),
            mean=tuple(processor.image_mean),
            std=tuple(processor.image_std),
        )
        return TransformersEncoder(f"transformers:{name}", model, preparation, device)
    except Exception as error:  # transformers and the Hub let every kind of error through
        raise _cannot_be_had(name, error) from error


def load_open_clip(name: str, *, device: Device = "auto") -> TransformersEncoder:
    """The picture side of a SigLIP that OpenCLIP wrote, such as Marqo's, run by `transformers`.

    Its tensors have timm's names; the model's own code on the Hub is not run.

    Raises:
        WeightsError: it cannot be had, or is of another kind.
    """
    import transformers
    from transformers.utils import cached_file

    try:
        find = partial(cached_file, name, _raise_exceptions_for_missing_entries=False)
        found = [find("open_clip_model.safetensors"), find("model.safetensors")]
        path = next(path for path in found if path)
        settings, state = siglip_from_timm(load_file(path))
        model = transformers.SiglipVisionModel(transformers.SiglipVisionConfig(**settings))
        # Some versions of transformers have a level more in their names.
        level = "vision_model." if hasattr(model, "vision_model") else ""
        model.load_state_dict({level + name: t for name, t in state.items()}, strict=True)
        size, half, bicubic = (settings["image_size"],) * 2, (0.5,) * 3, Image.Resampling.BICUBIC
        preparation = Preparation(
            resize_px=size, crop_px=None, resample=int(bicubic), mean=half, std=half
        )
        return TransformersEncoder(f"open_clip:{name}", model, preparation, device)
    except Exception as error:  # as above; StopIteration where it has no safetensors
        raise _cannot_be_had(name, error) from error


def _cannot_be_had(name: str, error: Exception) -> WeightsError:
    return WeightsError(
        f"The model {name} cannot be had ({type(error).__name__}): see that it is a CLIP, SigLIP "
        "or DINOv2 checkpoint in safetensors and that the Hub can be reached, or name a folder."
    )


def siglip_from_timm(state: Mapping[str, Tensor]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Rename a SigLIP's picture tower from timm's names to those of `transformers`.

    Args:
        state: tensors in OpenCLIP's names, `visual.trunk.*` among them, under any prefix.

    Returns:
        Arguments of `SiglipVisionConfig`, and tensors in the names of `SiglipVisionModel`.

    Raises:
        KeyError: it is not a SigLIP's.
    """
    mark = "visual.trunk."
    trunk = {name.split(mark)[1]: tensor.float() for name, tensor in state.items() if mark in name}
    width, _, _, patch = trunk["patch_embed.proj.weight"].shape
    blocks = 1 + max(int(name.split(".")[1]) for name in trunk if name.startswith("blocks."))
    settings = {
        "hidden_size": width,
        "intermediate_size": trunk["blocks.0.mlp.fc1.weight"].shape[0],
        "num_hidden_layers": blocks,
        "num_attention_heads": width // 64,
        "patch_size": patch,
        "image_size": round(trunk["pos_embed"].shape[1] ** 0.5) * patch,
        "hidden_act": "gelu",
    }
    renamed = {"embeddings.position_embedding.weight": trunk["pos_embed"][0]}
    renamed["head.probe"] = trunk["attn_pool.latent"]
    moves = {
        "patch_embed.proj": "embeddings.patch_embedding",
        "norm": "post_layernorm",
        "attn_pool.proj": "head.attention.out_proj",
        "attn_pool.norm": "head.layernorm",
        "attn_pool.mlp.fc1": "head.mlp.fc1",
        "attn_pool.mlp.fc2": "head.mlp.fc2",
    }
    inner = {"norm1": "layer_norm1", "norm2": "layer_norm2", "attn.proj": "self_attn.out_proj"}
    inner |= {"mlp.fc1": "mlp.fc1", "mlp.fc2": "mlp.fc2"}
    for i in range(blocks):
        moves |= {f"blocks.{i}.{old}": f"encoder.layers.{i}.{new}" for old, new in inner.items()}
    for end in ("weight", "bias"):
        renamed |= {f"{new}.{end}": trunk[f"{old}.{end}"] for old, new in moves.items()}
        pool = torch.cat([trunk[f"attn_pool.q.{end}"], trunk[f"attn_pool.kv.{end}"]])
        renamed[f"head.attention.in_proj_{end}"] = pool
        for i in range(blocks):
            parts = trunk[f"blocks.{i}.attn.qkv.{end}"].chunk(3)
            for letter, part in zip("qkv", parts, strict=True):
                renamed[f"encoder.layers.{i}.self_attn.{letter}_proj.{end}"] = part
    return settings, renamed
