"""The ResNet50 against plain timm, and weights that do not fit."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from safetensors.torch import save, save_file
from torch import Tensor
from weights import CONFIG, random_state, random_weights, write_weights

from recommender.encoding.backbone import (
    BACKBONE_DIM,
    choose_dtype,
    fuse_batch_norms,
    hash_state,
    load_backbone,
)
from recommender.encoding.config import EncoderConfig, fit_picture
from recommender.encoding.encoder import Encoder, load_encoder
from recommender.encoding.named import load_worker_encoder
from recommender.encoding.weights import read_weights
from recommender.errors import WeightsError

CPU = torch.device("cpu")
CONFIG32 = EncoderConfig(**CONFIG)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_weights(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def state(path: Path) -> dict[str, Tensor]:
    return read_weights(path)[0]


@pytest.fixture(scope="module")
def encoder(path: Path) -> Encoder:
    return load_encoder(str(path), device="cpu")


@pytest.fixture(scope="module")
def plain(state: dict[str, Tensor]) -> torch.nn.Module:
    """timm's own, batch norms unfused."""
    model = timm.create_model("resnet50", pretrained=False, num_classes=0)
    load_backbone(model, state)
    return model.eval()


def noise(size: tuple[int, int], seed: int = 0, mode: str = "RGB") -> Image.Image:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode).convert("RGB")


PICTURES = [noise((40, 48), 0), noise((40, 48), 1), Image.new("RGB", (40, 48), "red")]


def by_timm(model: torch.nn.Module, pictures: list[Image.Image]) -> Tensor:
    """The maps of pictures of the input's size, (b, 2048, h, w)."""
    pixels = torch.stack([torch.from_numpy(np.array(p)) for p in pictures]).permute(0, 3, 1, 2)
    mean = torch.tensor(CONFIG32.mean).view(3, 1, 1)
    std = torch.tensor(CONFIG32.std).view(3, 1, 1)
    with torch.inference_mode():
        return model.forward_features((pixels.float() / 255 - mean) / std)


# --- preprocessing


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
@pytest.mark.parametrize("size", [(1, 1), (40, 48), (900, 1200), (3, 500), (500, 3), (41, 47)])
def test_any_size_becomes_the_inputs(fit: str, size: tuple[int, int]) -> None:
    prepared = fit_picture(noise(size), EncoderConfig(**{**CONFIG, "fit": fit}))
    assert prepared.shape == (48, 40, 3)
    assert prepared.dtype == np.uint8


def test_what_each_fit_shows() -> None:
    wide = Image.new("RGB", (80, 48), "blue")
    wide.paste("red", (0, 0, 20, 48))
    pad, crop, stretch = (
        fit_picture(wide, EncoderConfig(**{**CONFIG, "fit": fit}))
        for fit in ("pad", "crop", "stretch")
    )
    red, blue, white = (255, 0, 0), (0, 0, 255), (255, 255, 255)
    assert [tuple(pad[y, 2]) for y in (0, 24, 47)] == [white, red, white]
    assert tuple(crop[24, 0]) == blue
    assert [tuple(stretch[y, 2]) for y in (0, 24, 47)] == [red, red, red]


@pytest.mark.parametrize("size", [(900, 1200), (41, 47), (47, 41), (300, 7), (5, 6)])
def test_padding_scales_as_pillow_does(size: tuple[int, int]) -> None:
    picture = noise(size)
    inside = ImageOps.contain(picture, (40, 48), Image.Resampling.BICUBIC)
    left, top = (40 - inside.width) // 2, (48 - inside.height) // 2
    prepared = fit_picture(picture, CONFIG32)
    np.testing.assert_array_equal(
        prepared[top : top + inside.height, left : left + inside.width], np.asarray(inside)
    )


def test_a_picture_of_the_inputs_size_is_not_touched() -> None:
    np.testing.assert_array_equal(fit_picture(PICTURES[0], CONFIG32), np.asarray(PICTURES[0]))


@pytest.mark.parametrize(
    "setting",
    [
        {"fit": "squash"},
        {"pooling": "AVG"},
        {"dtype": "float16"},
        {"width_px": 15},
        {"second_scale": 0.9},
        {"second_scale": float("nan")},
        {"width_px": 600, "second_scale": 2.0},
        {"height_px": 1025},
        {"mean": (0.5, 0.5)},
        {"std": (1.0, 0.0, 1.0)},
    ],
)
def test_settings_that_cannot_be(setting: dict) -> None:
    with pytest.raises(ValueError, match=r"not one of|between|channels"):
        EncoderConfig(**setting)


# --- encoding


@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_embeddings_are_unit_rows_of_float32(encoder: Encoder, mode: str) -> None:
    pictures = [noise(size, mode=mode) for size in [(1, 1), (40, 48), (300, 200)]]
    embeddings = encoder.encode_items(pictures).vectors
    assert embeddings.shape == (3, encoder.dim) == (3, BACKBONE_DIM)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("pooling", ["avg", "max", "gem"])
def test_poolings_against_plain_timm(
    state: dict[str, Tensor], plain: torch.nn.Module, pooling: str
) -> None:
    config = EncoderConfig(**{**CONFIG, "pooling": pooling})
    maps = by_timm(plain, PICTURES)
    pooled = {
        "avg": F.adaptive_avg_pool2d(maps, 1).flatten(1),
        "max": F.adaptive_max_pool2d(maps, 1).flatten(1),
        "gem": F.avg_pool2d(maps.clamp(min=1e-6) ** 3, maps.shape[2:]).flatten(1) ** (1 / 3),
    }
    encoded = Encoder(config, state, device="cpu").encode_items(PICTURES).vectors
    want = F.normalize(pooled[pooling]).numpy()
    np.testing.assert_allclose(encoded, want, atol=1e-4)
    assert np.abs(want[0] - want[1]).max() > 1e-3


def test_fusing_batch_norms_changes_nothing(state: dict[str, Tensor]) -> None:
    model = timm.create_model("resnet50", pretrained=False, num_classes=0)
    load_backbone(model, state)
    before = by_timm(model.eval(), PICTURES)
    fuse_batch_norms(model)
    assert not [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    after = by_timm(model, PICTURES)
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-3 * before.abs().max().item())


def test_a_batch_gives_what_each_gives(encoder: Encoder) -> None:
    together = encoder.encode_items(PICTURES).vectors
    alone = np.concatenate([encoder.encode_items([picture]).vectors for picture in PICTURES])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_array_equal(encoder.encode_items(PICTURES).vectors, together)


@pytest.mark.skipif(
    choose_dtype("auto", CPU) != torch.bfloat16, reason="this processor has no bfloat16"
)
def test_bfloat16_is_close_to_float32(encoder: Encoder, state: dict[str, Tensor]) -> None:
    config = EncoderConfig(**{**CONFIG, "dtype": "bfloat16"})
    fast = Encoder(config, state, device="cpu")
    assert fast.dtype == torch.bfloat16
    cosines = np.sum(
        fast.encode_items(PICTURES).vectors * encoder.encode_items(PICTURES).vectors, axis=1
    )
    assert cosines.min() > 0.99


def projected(state: dict[str, Tensor], dim: int = 8) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(1)
    weight = torch.randn(dim, BACKBONE_DIM, generator=random)
    return state | {"projection.weight": weight, "projection.bias": torch.linspace(-1, 1, dim)}


def test_a_projection_is_the_linear_map_of_the_file(
    encoder: Encoder, state: dict[str, Tensor]
) -> None:
    tensors = projected(state)
    small = Encoder(CONFIG32, tensors, device="cpu")
    assert small.dim == 8
    full = torch.from_numpy(encoder.encode_items(PICTURES).vectors)
    want = F.normalize(full @ tensors["projection.weight"].T + tensors["projection.bias"])
    np.testing.assert_allclose(small.encode_items(PICTURES).vectors, want.numpy(), atol=1e-4)
    kept = Encoder(EncoderConfig(**CONFIG, projection=False), tensors, device="cpu")
    assert kept.dim == BACKBONE_DIM
    np.testing.assert_array_equal(
        kept.encode_items(PICTURES).vectors, encoder.encode_items(PICTURES).vectors
    )


# --- weights


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.pop("conv1.weight"),
        lambda s: s.update({"conv9.weight": torch.ones(1)}),
        lambda s: s.update({"conv1.weight": torch.ones(64, 3, 5, 5)}),
        lambda s: s.clear(),
        lambda s: s.update({"projection.weight": torch.ones(8, 2048)}),
        lambda s: s.update(
            {"projection.weight": torch.ones(8, 9), "projection.bias": torch.ones(8)}
        ),
        lambda s: s.update(projected(s) | {"projection.bias": torch.ones(9)}),
        lambda s: s.update(projected(s) | {"projection.weight": torch.ones(8)}),
    ],
    ids=["missing", "unknown", "shape", "empty", "no bias", "width", "bias length", "one axis"],
)
def test_tensors_that_do_not_fit(state: dict[str, Tensor], change: object) -> None:
    changed = dict(state)
    change(changed)
    with pytest.raises(WeightsError, match=r"ResNet50|projection"):
        Encoder(CONFIG32, changed, device="cpu")


def test_a_classifier_and_heads_beside_the_backbone_are_fine(
    encoder: Encoder, state: dict[str, Tensor]
) -> None:
    more = {"fc.weight": torch.ones(3, 2048), "heads.gender.bias": torch.ones(5)}
    other = Encoder(CONFIG32, state | more, device="cpu")
    np.testing.assert_array_equal(
        other.encode_items(PICTURES).vectors, encoder.encode_items(PICTURES).vectors
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no safetensors",
        b"\xff" * 100,
        save({"x": torch.ones(1)}, {"config": "{"}),
        save({"x": torch.ones(1)}, {"config": "[1]"}),
        save({"x": torch.ones(1)}, {"config": json.dumps({"width_pixels": 40})}),
        save({"x": torch.ones(1)}, {"config": json.dumps({"width_px": "40"})}),
        save({"x": torch.ones(1)}, {"config": json.dumps({"mean": [1.0]})}),
    ],
    ids=["empty", "text", "bytes", "bad json", "list", "unknown key", "text size", "short mean"],
)
def test_a_file_that_is_not_an_encoders(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match="is not a safetensors file of an encoder"):
        load_encoder(str(path), device="cpu")


@pytest.mark.parametrize("name", ["missing.safetensors", "", "imagenett", "/"])
def test_no_such_file(name: str) -> None:
    with pytest.raises(WeightsError, match="name fashion, imagenet, timm:TAG"):
        load_encoder(name, device="cpu")


@pytest.mark.parametrize("name", ["imagenet", "timm:a1_in1k", "timm:no_such_tag"])
def test_hub_weights_out_of_reach(name: str) -> None:
    with pytest.raises(WeightsError, match=r"cannot be had from the Hub .*or name a file\."):
        load_encoder(name, device="cpu")


def test_the_header_is_used_and_settings_override_it(path: Path) -> None:
    own = load_encoder(str(path), device="cpu")
    assert own.input_px == (40, 48)
    assert own.config.weights == str(path)
    other = load_encoder(str(path), device="cpu", width_px=32, pooling="max")
    assert other.input_px == (32, 48)
    assert other.config.pooling == "max"
    with pytest.raises(ValueError, match="unknown setting colour, size"):
        load_encoder(str(path), device="cpu", size=3, colour=1)
    with pytest.raises(ValueError, match="pooling"):
        load_encoder(str(path), device="cpu", pooling="mean")


def test_without_a_header_imagenets_usual_config_holds(
    state: dict[str, Tensor], tmp_path: Path
) -> None:
    save_file(state, tmp_path / "w.safetensors")
    found = read_weights(tmp_path / "w.safetensors")
    assert (found.config.width_px, found.config.height_px) == (224, 224)
    assert not found.labels


def test_a_fingerprint_is_of_what_an_embedding_depends_on(
    encoder: Encoder, path: Path, state: dict[str, Tensor], tmp_path: Path
) -> None:
    moved = load_encoder(str(shutil.copy(path, tmp_path / "moved.safetensors")), device="cpu")
    assert moved.fingerprint == encoder.fingerprint
    assert moved.weights_hash == encoder.weights_hash
    larger = EncoderConfig(**{**CONFIG, "second_scale": 2.0})
    assert Encoder(larger, state, device="cpu").fingerprint == encoder.fingerprint
    seen = {encoder.fingerprint}
    for setting in (
        {"pooling": "max"},
        {"fit": "crop"},
        {"width_px": 44},
        {"height_px": 44},
        {"mean": (0.5, 0.5, 0.5)},
        {"std": (0.5, 0.5, 0.5)},
    ):
        config = EncoderConfig(**{**CONFIG, **setting})
        seen.add(Encoder(config, state, device="cpu").fingerprint)
    bias = state["bn1.bias"].clone()
    bias[0] += 1e-3
    seen.add(Encoder(CONFIG32, state | {"bn1.bias": bias}, device="cpu").fingerprint)
    assert len(seen) == 8


def test_the_record_is_enough_to_load_it_again(encoder: Encoder) -> None:
    record = json.loads(json.dumps(encoder.record()))
    settings = record["config"]
    again = load_encoder(settings.pop("weights"), device="cpu", **settings)
    assert again.fingerprint == encoder.fingerprint == record["fingerprint"]
    assert record["dtype"] == "float32"


def test_hash_state_is_of_names_shapes_and_values() -> None:
    state = {"a": torch.arange(6.0), "b": torch.ones(2, dtype=torch.float16)}
    assert hash_state(state) == hash_state({"b": state["b"], "a": state["a"].clone()})
    assert hash_state(state) == hash_state({k: v.clone() for k, v in state.items()})
    strided = torch.arange(12.0).reshape(6, 2)[:, 0] / 2
    assert hash_state({**state, "a": strided}) == hash_state(state)
    others = [
        {"a": state["a"].view(2, 3), "b": state["b"]},
        {"a": state["a"].view(torch.int32), "b": state["b"]},
        {"a": state["b"], "b": state["a"]},
        {"a": state["a"] + 1, "b": state["b"]},
        {"a": state["a"]},
    ]
    assert len({hash_state(s) for s in [state, *others]}) == 6


def test_weights_of_half_precision(tmp_path: Path, encoder: Encoder) -> None:
    half = {name: tensor.half() for name, tensor in random_state().items()}
    path = write_weights(tmp_path / "half.safetensors", half)
    close = load_encoder(str(path), device="cpu")
    cosines = np.sum(
        close.encode_items(PICTURES).vectors * encoder.encode_items(PICTURES).vectors, axis=1
    )
    assert cosines.min() > 0.999
    assert close.fingerprint != encoder.fingerprint


def test_a_workers_encoder_takes_its_share_of_the_cores(path: Path, encoder: Encoder) -> None:
    threads = torch.get_num_threads()
    try:
        worker = load_worker_encoder(1, name=str(path), device="cpu", workers=1000, settings={})
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)
    assert worker.fingerprint == encoder.fingerprint


def test_to_load_weights_asks_no_compiler_and_leaves_it_to_others() -> None:
    code = """
import sys
from recommender.encoding.encoder import load_encoder
load_encoder("fashion", device="cpu")
assert "sympy" not in sys.modules and "torch._dynamo.utils" not in sys.modules
import torch
from torchvision.ops import roi_align
pooled = roi_align(torch.ones(1, 1, 8, 8), [torch.tensor([[0.0, 0.0, 4.0, 4.0]])], 2)
assert pooled.shape == (1, 1, 2, 2)
assert torch.compiler.disable(len)([1]) == 1
assert sys.modules["torch._dynamo.utils"].__file__
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_made_ready_it_sees_the_same() -> None:
    encoder, picture = load_encoder("fashion", device="cpu"), Image.new("RGB", (60, 80), "red")
    before = encoder.encode_queries([picture]).vectors
    encoder.make_ready()
    encoder.make_ready()
    np.testing.assert_array_equal(encoder.encode_queries([picture]).vectors, before)
