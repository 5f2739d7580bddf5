"""Tiny local checkpoints of the architectures that the leaderboard compares with."""

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import transformers
from conftest import ROWS, draw_picture
from PIL import Image
from safetensors.torch import save_file

from recommender.errors import WeightsError
from recommender.evaluation.baselines import load_any_encoder, open_with
from recommender.evaluation.pretrained import Preparation, load_open_clip, load_transformers
from recommender.pictures.decode import decode_image
from recommender.search.options import Options

PICTURES = [decode_image(draw_picture(row)) for row in ROWS[:4]]
TOWER = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
WORDS = {k: TOWER[k] for k in list(TOWER)[:4]} | {"vocab_size": 99}


def clip(folder: Path) -> None:
    config = transformers.CLIPConfig(
        text_config=WORDS | {"bos_token_id": 0, "eos_token_id": 1},
        vision_config=TOWER,
        projection_dim=24,
    )
    transformers.CLIPModel(config).save_pretrained(folder)
    size = {"shortest_edge": 32}, {"height": 32, "width": 32}
    processor = transformers.CLIPImageProcessor(size=size[0], crop_size=size[1])
    processor.save_pretrained(folder)


def siglip(folder: Path) -> None:
    config = transformers.SiglipConfig(
        text_config=WORDS | {"bos_token_id": 0, "eos_token_id": 1}, vision_config=TOWER
    )
    transformers.SiglipModel(config).save_pretrained(folder)
    size = {"height": 32, "width": 32}
    transformers.SiglipImageProcessor(size=size).save_pretrained(folder)


def dinov2(folder: Path) -> None:
    transformers.Dinov2Model(transformers.Dinov2Config(**TOWER)).save_pretrained(folder)
    size = {"shortest_edge": 40}, {"height": 32, "width": 32}
    processor = transformers.BitImageProcessor(size=size[0], crop_size=size[1])
    processor.save_pretrained(folder)


def reference(folder: Path) -> np.ndarray:
    """The same by the library's own processor."""
    processor = transformers.AutoImageProcessor.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    pixels = processor(images=PICTURES, return_tensors="pt")
    with torch.inference_mode():
        run = getattr(model, "get_image_features", model)
        vectors = run(**pixels).pooler_output.numpy()
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize(("make", "dim"), [(clip, 24), (siglip, 32), (dinov2, 32)])
def test_a_checkpoint_means_what_its_library_says(make, dim, tmp_path: Path, store: Path) -> None:
    torch.manual_seed(0)
    folder = tmp_path / "model"
    make(folder)
    encoder = load_transformers(str(folder), device="cpu")
    vectors = encoder.encode_items(PICTURES).vectors
    assert vectors.shape == (4, encoder.dim) == (4, dim)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    # bfloat16 here, and another library's resampling there
    assert (vectors * reference(folder)).sum(1) == pytest.approx(1, abs=0.02)
    again = load_any_encoder(f"transformers:{folder}", device="cpu")
    assert again.fingerprint == encoder.fingerprint
    assert encoder.record()["config"]["weights"] == f"transformers:{folder}"
    assert len(open_with(store, again, tmp_path / "cache").by_id(1, Options(k=3)).ids) == 3


def test_open_clip_s_siglip_is_timm_s(tmp_path: Path) -> None:
    torch.manual_seed(0)
    size = {"img_size": 32, "patch_size": 8, "embed_dim": 64, "depth": 2, "num_heads": 1}
    model = timm.create_model("vit_base_patch16_siglip_224", num_classes=0, **size).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    state = {f"model.visual.trunk.{n}": t for n, t in model.state_dict().items()}
    folder = tmp_path / "model"
    folder.mkdir()
    save_file(state | {"model.logit_scale": torch.ones(1)}, folder / "model.safetensors")
    encoder = load_open_clip(str(folder), device="cpu")
    prepared = np.stack([encoder.prepare(picture) for picture in PICTURES])
    with torch.inference_mode():
        pixels = torch.from_numpy(prepared).permute(0, 3, 1, 2).float() / 127.5 - 1
        expected = torch.nn.functional.normalize(model(pixels)).numpy()
        encoder._dtype = torch.float32
        assert encoder.encode_prepared(prepared).vectors == pytest.approx(expected, abs=1e-4)
    assert np.ptp(expected, axis=0).max() > 0.01


@pytest.mark.parametrize("name", ["transformers:nobody/nothing", "open_clip:nobody/nothing"])
def test_a_model_that_cannot_be_had(name: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="nobody/nothing cannot be had"):
        load_any_encoder(name)
    kind = name.split(":")[0]
    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(WeightsError, match="or name a folder"):
        load_any_encoder(f"{kind}:{tmp_path}")


def test_a_preparation_scales_then_cuts() -> None:
    settings = {"resample": 3, "mean": (0.5,) * 3, "std": (0.5,) * 3}
    cut = Preparation(resize_px=40, crop_px=(32, 32), **settings)
    picture = Image.new("RGB", (80, 200), "white")
    picture.paste("red", (0, 80, 80, 120))  # the middle fifth
    prepared = cut.apply(picture)  # 80×200 -> 40×100 -> its middle 32×32
    assert prepared.shape == (32, 32, 3)
    assert (prepared[16, 16] == [255, 0, 0]).all()
    assert (prepared[0, 0] == 255).all()
    stretched = Preparation(resize_px=(24, 48), crop_px=None, **settings)
    assert stretched.apply(picture).shape == (48, 24, 3)
