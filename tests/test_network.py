"""The network at work against the one that was trained, and what its encoder makes of regions."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from weights import random_net

from recommender.encoding.config import EncoderConfig
from recommender.encoding.encoder import Encoder, fingerprint_of, load_encoder
from recommender.encoding.network import Network
from recommender.encoding.region_head import load_region_head
from recommender.encoding.regions import Asked, cut
from recommender.encoding.weights import Weights, write_weights
from recommender.errors import WeightsError
from recommender.training.fashion import normalise
from recommender.training.net import FashionNet

LABELS = {
    "articleType": ["Heels", "Shirts", "Tops", "Tshirts"],
    "gender": ["Men", "Unisex", "Women"],
}
CONFIG = EncoderConfig(
    width_px=40,
    height_px=48,
    dtype="float32",
    second_scale=1.5,
    agreement={"looks": 0.4, "articleType": 0.6},
)


@pytest.fixture(scope="module")
def net() -> FashionNet:
    return random_net({name: len(classes) for name, classes in LABELS.items()})


@pytest.fixture(scope="module")
def state(net: FashionNet) -> dict[str, Tensor]:
    return net.weights()


@pytest.fixture(scope="module")
def path(state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "regions.safetensors"
    write_weights(path, Weights(state, CONFIG, LABELS))
    return path


@pytest.fixture(scope="module")
def encoder(path: Path) -> Encoder:
    return load_encoder(str(path), device="cpu")


def noise(size: tuple[int, int], seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


PICTURES = [noise((40, 48)), noise((100, 60), 1), Image.new("RGB", (30, 70), "red")]


# --- the network


@pytest.mark.parametrize("size", [(40, 48), (33, 50)])
def test_it_sees_what_the_trained_one_sees(
    net: FashionNet, state: dict[str, Tensor], size: tuple[int, int]
) -> None:
    network = Network(CONFIG, state, LABELS, "cpu")
    prepared = np.stack([np.asarray(noise(size, seed)) for seed in range(3)])
    sight = network(prepared, closely=True)
    with torch.inference_mode():
        pixels = torch.from_numpy(prepared).permute(0, 3, 1, 2).float() / 255
        want = net(normalise(pixels, CONFIG))
    assert want.garment is not None
    assert want.mask is not None
    assert sight.masks.shape == (3, -(-size[1] // 4), -(-size[0] // 4))
    assert ((sight.masks >= 0) & (sight.masks <= 1)).all()
    assert sight.masks.std() > 0.01
    np.testing.assert_allclose(sight.masks, want.mask.sigmoid(), atol=1e-4)
    np.testing.assert_allclose(sight.garment, want.garment.sigmoid(), atol=1e-4)
    np.testing.assert_allclose(sight.looks, want.embeddings, atol=1e-4)
    for name, logits in want.logits.items():
        np.testing.assert_allclose(sight.beliefs[name], logits.softmax(1), atol=1e-4)


def test_masks_are_made_where_they_are_asked_for(state: dict[str, Tensor]) -> None:
    network = Network(CONFIG, state, LABELS, "cpu")
    assert network.finds_regions
    once = network(np.stack(PICTURES[:1]))
    assert (once.masks.size, once.garment.size) == (0, 0)


def test_weights_without_regions_know_of_none(state: dict[str, Tensor]) -> None:
    without = {n: t for n, t in state.items() if not n.startswith(("regions.", "garment."))}
    encoder = Encoder(CONFIG, without, labels=LABELS, device="cpu")
    assert encoder.query_px == (60, 72)
    encoded = encoder.encode_queries(PICTURES, ["auto", None, (0.25, 0.0, 0.75, 0.5)])
    assert encoded.regions == ()
    assert encoded.matches is None


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.pop("regions.mask.bias"),
        lambda s: s.update({"regions.mask.weight": torch.ones(2, 32, 1, 1)}),
        lambda s: s.update({"regions.other": torch.ones(1)}),
        lambda s: s.pop("garment.bias"),
        lambda s: s.update({"garment.weight": torch.ones(1, 9)}),
        lambda s: s.update({"garment.weight": torch.ones(2, 2048), "garment.bias": torch.ones(2)}),
    ],
    ids=["missing", "shape", "unknown", "no bias", "width", "two numbers"],
)
def test_tensors_of_another_head_are_refused(state: dict[str, Tensor], change: object) -> None:
    changed = dict(state)
    change(changed)
    with pytest.raises(WeightsError, match=r"region head|garment"):
        Network(CONFIG, changed, LABELS, "cpu")


def test_a_region_head_that_is_loaded_does_not_learn(state: dict[str, Tensor]) -> None:
    head = load_region_head(state)
    assert not head.training
    assert not any(parameter.requires_grad for parameter in head.parameters())
    with pytest.raises(WeightsError, match="region head"):
        load_region_head({})


# --- its encoder


def test_a_picture_that_asks_has_regions(encoder: Encoder) -> None:
    assert encoder.query_px == (120, 144)  # twice a second look's: a garment fills half of it
    encoded = encoder.encode_queries(PICTURES)
    assert encoded.matches is None
    for found, picture in zip(encoded.regions, PICTURES, strict=True):
        assert 0 <= found.garment <= 1
        height, width = found.mask.shape
        assert (width > height) == (picture.width > picture.height)
        assert ((found.mask >= 0) & (found.mask <= 1)).all()
    assert not encoder.encode_items(PICTURES).regions
    np.testing.assert_allclose(np.linalg.norm(encoded.vectors, axis=1), 1, atol=1e-5)


def test_a_box_is_encoded_as_the_cut_picture_is(encoder: Encoder) -> None:
    box = (0.25, 0.1, 0.8, 0.7)
    asked = encoder.encode_queries(PICTURES, [box] * 3)
    parts = encoder.encode_queries([cut(picture, box) for picture in PICTURES], [None] * 3)
    np.testing.assert_allclose(asked.vectors, parts.vectors, atol=1e-5)
    for name, beliefs in parts.beliefs.items():
        np.testing.assert_allclose(asked.beliefs[name], beliefs, atol=1e-5)
    assert [found.used for found in asked.regions] == [box] * 3


def test_pictures_are_seen_alone_as_together(encoder: Encoder) -> None:
    asked: list[Asked] = ["auto", None, (0.0, 0.0, 0.5, 1.0)]
    together = encoder.encode_queries(PICTURES, asked)
    for row, (picture, part) in enumerate(zip(PICTURES, asked, strict=True)):
        alone = encoder.encode_queries([picture], [part])
        np.testing.assert_allclose(alone.vectors[0], together.vectors[row], atol=1e-4)
        assert alone.regions[0].used == together.regions[row].used


def test_where_looks_are_all_a_box_counts_as_well(state: dict[str, Tensor]) -> None:
    encoder = Encoder(replace(CONFIG, agreement={}), state, labels=LABELS, device="cpu")
    box = (0.25, 0.1, 0.8, 0.7)
    asked = encoder.encode_queries(PICTURES, [box, None, "auto"])
    parts = encoder.encode_items([cut(PICTURES[0], box), *PICTURES[1:]])
    np.testing.assert_array_equal(asked.vectors, parts.vectors)


def test_a_match_is_a_probability(encoder: Encoder, path: Path) -> None:
    knows = load_encoder(str(path), device="cpu", match=(0.5, 2.0, -1.0))
    matches = knows.encode_queries(PICTURES).matches
    assert matches is not None
    assert matches.shape == (3,)
    assert ((matches > 0) & (matches < 1)).all()


def test_what_is_of_pictures_that_ask_leaves_a_gallery_as_it_is(
    encoder: Encoder, path: Path
) -> None:
    other = fingerprint_of(str(path), photograph_odds=1.7, match=(0.5, 2.0, -1.0))
    assert other == encoder.fingerprint
    assert fingerprint_of(str(path), pooling="max") != encoder.fingerprint


@pytest.mark.parametrize(
    "setting",
    [
        {"photograph_odds": 0.9},
        {"photograph_odds": float("nan")},
        {"photograph_odds": float("inf")},
        {"match": (1.0, 2.0)},
        {"match": (1.0, 2.0, float("nan"))},
    ],
    ids=str,
)
def test_settings_that_cannot_be(setting: dict) -> None:
    with pytest.raises(ValueError, match=r"odds are|match has"):
        EncoderConfig(**setting)


def test_passes_at_once_share_the_cores_and_see_the_same(encoder: Encoder) -> None:
    network = encoder._network
    pictures = [noise((60, 80), seed) for seed in range(6)]
    alone = encoder.encode_queries(pictures)
    threads = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        taken: list[int] = []
        with network._share_of_cores(64):
            taken.append(torch.get_num_threads())
            with network._share_of_cores(64):
                taken.append(torch.get_num_threads())
            taken.append(torch.get_num_threads())
        for pictures_together in (1, 32, 64):
            with network._share_of_cores(pictures_together):
                taken.append(torch.get_num_threads())
        assert taken == [4, 2, 4, 1, 2, 4]
        with ThreadPoolExecutor(3) as pool:
            several = list(pool.map(lambda _: encoder.encode_queries(pictures), range(6)))
        assert torch.get_num_threads() == 4
        assert network._passes == 0
    finally:
        torch.set_num_threads(threads)
    for seen in several:
        np.testing.assert_allclose(seen.vectors, alone.vectors, atol=1e-5)
