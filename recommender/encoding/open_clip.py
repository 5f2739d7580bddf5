"""SigLIPs that OpenCLIP wrote, such as Marqo's, run by `transformers`; no code of theirs is run."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from recommender.encoding.backbone import Device
from recommender.encoding.pretrained import (
    Preparation,
    TransformersEncoder,
    cannot_be_had,
    origin_of,
    text_side,
)

_FILES = ("open_clip_model.safetensors", "model.safetensors")
_HEAD_DIM = 64
"""How much of a SigLIP's width each of its heads has."""
_OF_TEXT = "text."


def load_open_clip(
    name: str, *, device: Device = "auto", dtype: str = "auto"
) -> TransformersEncoder:
    """A SigLIP that OpenCLIP wrote; both of its sides, where it has a tokenizer.

    Args:
        name: as `origin_of` takes it.
        device: where it runs.
        dtype: what it multiplies in.

    Raises:
        WeightsError: it cannot be had, or is of another kind.
    """
    import transformers
    from transformers.utils.hub import cached_file

    try:
        origin = origin_of(name, _FILES)
        find = partial(cached_file, origin.place, revision=origin.revision)
        found = (find(file, _raise_exceptions_for_missing_entries=False) for file in _FILES)
        state = load_file(Path(next(path for path in found if path)))
        settings, pictures = siglip_from_timm(state)
        config = transformers.SiglipVisionConfig(**settings)
        model = _loaded(transformers.SiglipVisionModel(config), "vision_model", pictures)
        size, half, bicubic = (settings["image_size"],) * 2, (0.5,) * 3, Image.Resampling.BICUBIC
        preparation = Preparation(
            resize_px=size, crop_px=None, resample=int(bicubic), mean=half, std=half
        )
        texts = None
        if any(_text_name(name) for name in state):
            settings, words = siglip_text_from_open_clip(state)
            read = transformers.SiglipTextConfig(**settings)
            reader = _loaded(transformers.SiglipTextModel(read), "text_model", words)
            texts = text_side(reader, origin, read, device, dtype)
        return TransformersEncoder(f"open_clip:{origin}", model, preparation, device, dtype, texts)
    except Exception as error:  # of the Hub's; StopIteration where it has no safetensors
        raise cannot_be_had(name, error) from error


def _loaded(model: nn.Module, level: str, state: Mapping[str, Tensor]) -> nn.Module:
    """A model with its tensors, in whose names some versions of transformers have a level more."""
    level = f"{level}." if hasattr(model, level) else ""
    model.load_state_dict({level + name: t for name, t in state.items()}, strict=True)
    return model


def siglip_text_from_open_clip(
    state: Mapping[str, Tensor],
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Rename a SigLIP's side for texts from OpenCLIP's names to those of `transformers`.

    Args:
        state: tensors in OpenCLIP's names, `text.*` among them, perhaps under `model.`.

    Returns:
        Arguments of `SiglipTextConfig`, and tensors in the names of `SiglipTextModel`.

    Raises:
        KeyError: it is not a SigLIP's.
    """
    named = {_text_name(name): tensor.float() for name, tensor in state.items()}
    vocabulary, width = named["token_embedding.weight"].shape
    in_block = "transformer.resblocks."
    blocks = 1 + max(int(name.split(".")[2]) for name in named if name.startswith(in_block))
    settings = {
        "hidden_size": width,
        "intermediate_size": named[f"{in_block}0.mlp.c_fc.weight"].shape[0],
        "num_hidden_layers": blocks,
        "num_attention_heads": width // _HEAD_DIM,
        "vocab_size": vocabulary,
        "max_position_embeddings": len(named["positional_embedding"]),
        "projection_size": named["text_projection.weight"].shape[0],
        "hidden_act": "gelu",
        "bos_token_id": None,
        "eos_token_id": 1,
    }
    renamed = {
        "embeddings.token_embedding.weight": named["token_embedding.weight"],
        "embeddings.position_embedding.weight": named["positional_embedding"],
    }
    moves = {"ln_final": "final_layer_norm", "text_projection": "head"}
    inner = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj"}
    inner |= {"mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}
    for i in range(blocks):
        moves |= {f"{in_block}{i}.{old}": f"encoder.layers.{i}.{new}" for old, new in inner.items()}
    for end in ("weight", "bias"):
        renamed |= {f"{new}.{end}": named[f"{old}.{end}"] for old, new in moves.items()}
        for i in range(blocks):
            joined = named[f"{in_block}{i}.attn.in_proj_{end}"]
            renamed |= _parted(joined, f"encoder.layers.{i}.self_attn", end)
    return settings, renamed


def _text_name(name: str) -> str:
    """What a tensor of the side for texts is called there; empty for others."""
    own = name.removeprefix("model.")  # of a wrapper's
    return own.removeprefix(_OF_TEXT) if own.startswith(_OF_TEXT) else ""


def _parted(joined: Tensor, attention: str, end: str) -> dict[str, Tensor]:
    """What asks, what answers and what is told, which lie in one tensor there."""
    parts = zip("qkv", joined.chunk(3), strict=True)
    return {f"{attention}.{letter}_proj.{end}": part for letter, part in parts}


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
        "num_attention_heads": width // _HEAD_DIM,
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
            joined = trunk[f"blocks.{i}.attn.qkv.{end}"]
            renamed |= _parted(joined, f"encoder.layers.{i}.self_attn", end)
    return settings, renamed
