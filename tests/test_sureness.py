"""How sure to be of photographs: fitted to hand-made clouds, and what the weights say then."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROWS, draw_picture, write_photographs
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from weights import random_net

from recommender.catalog.photographs import Photographs, load_photographs
from recommender.encoding.agreement import Floats
from recommender.encoding.config import EncoderConfig
from recommender.encoding.encoder import load_encoder
from recommender.encoding.weights import Weights, read_weights, write_weights
from recommender.errors import WeightsError
from recommender.pictures.decode import decode_image
from recommender.training import sureness
from recommender.training.sureness import (
    ODDS,
    REFUSED,
    calibrate_on_photographs,
    fit_match,
    lenient,
    see,
)
from scripts import calibrate

LABELS = {
    "articleType": ["Casual Shoes", "Dresses", "Shirts", "Tshirts"],
    "gender": ["Men", "Women"],
}
CONFIG = EncoderConfig(
    width_px=32,
    height_px=32,
    dtype="float32",
    second_scale=1.5,
    agreement={"looks": 0.4, "articleType": 0.6},
)
PACKSHOTS = [decode_image(draw_picture(row)) for row in ROWS[:3]]


def cloud(garment: float, doubt: float, count: int = 200, seed: int = 0) -> Floats:
    """The garment head's logit and the doubt of pictures that are much alike."""
    random = np.random.default_rng(seed)
    drawn = random.normal((garment, doubt), (1.0, 0.05), (count, 2))
    return drawn.astype(np.float32)


def sure(match: Sequence[float], rows: Floats) -> np.ndarray:
    constant, by_garment, by_doubt = match
    return 1 / (1 + np.exp(-(constant + by_garment * rows[:, 0] + by_doubt * rows[:, 1])))


# --- a match


@pytest.mark.parametrize("shift", [-4.0, 0.0, 4.0])
def test_two_clouds_are_told_apart(shift: float) -> None:
    garments, others = cloud(shift + 4, 0.2), cloud(shift - 4, 0.6, seed=1)
    match = fit_match(garments, others)
    assert match[1] > 0 > match[2]
    assert (sure(match, garments) > 0.5).all()
    assert (sure(match, others) < 0.5).all()
    if shift:
        assert np.sign(match[0] + match[2] * 0.4) == -np.sign(shift)


def test_where_nothing_tells_them_apart_it_is_an_even_chance() -> None:
    """However many there are of the one: both sides count alike."""
    same = cloud(1, 0.3)
    np.testing.assert_allclose(sure(fit_match(same, same), same), 0.5, atol=1e-2)
    many = np.concatenate([same] * 5)
    np.testing.assert_allclose(sure(fit_match(same, many), same), 0.5, atol=1e-2)
    np.testing.assert_allclose(sure(fit_match(many, same), same), 0.5, atol=1e-2)


def test_clouds_that_overlap_are_told_how_far_they_do() -> None:
    """Logits of normals with one variance are linear: ±1 apart, twice the distance."""
    garments, others = cloud(1, 0.3, 4000), cloud(-1, 0.3, 4000, seed=1)
    match = fit_match(garments, others)
    assert match[1] == pytest.approx(2, abs=0.15)


def test_hardly_a_photograph_is_taken_to_show_nothing() -> None:
    random = np.random.default_rng(0)
    photographs = random.normal(0, 2, (2000, 2)).astype(np.float32)
    strict = (-3.0, 1.0, -0.5)
    constant, *counts = lenient(strict, photographs)
    assert counts == [1.0, -0.5]
    refused = (constant + photographs @ counts < 0).mean()
    assert refused == pytest.approx(REFUSED, abs=0.002)
    # What refuses fewer already stays as it is.
    assert lenient((9.0, 1.0, -0.5), photographs) == (9.0, 1.0, -0.5)


@settings(max_examples=15, deadline=None)
@given(st.floats(-12, 12), st.floats(-12, 12), st.floats(0, 1), st.integers(1, 20))
def test_a_match_is_finite_whatever_is_seen(
    garment: float, other: float, doubt: float, count: int
) -> None:
    """Logits are kept within ±12; what is told apart without a mistake has no bound of its own."""
    match = fit_match(cloud(garment, doubt, count), cloud(other, 1 - doubt, 5))
    assert len(match) == 3
    assert np.isfinite(match).all()


# --- weights


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Photographs:
    rows = [
        ("a-1", "T-Shirt", "1", "dev"),
        ("b-5", "Shoes", "1", "dev"),
        ("c-4", "Shirt", "2", "dev"),
        ("d-9", "Not sure", "2", "dev"),
        ("e-11", "Dress", "3", "dev"),
    ]
    return load_photographs(write_photographs(tmp_path_factory.mktemp("a") / "photos.zip", rows))


def weights_in(directory: Path, *, regions: bool) -> Path:
    net = random_net({name: len(classes) for name, classes in LABELS.items()}, regions=regions)
    write_weights(directory / "w.safetensors", Weights(net.weights(), CONFIG, LABELS))
    return directory / "w.safetensors"


def test_weights_learn_how_sure_to_be(
    photographs: Photographs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sureness, "_EACH", 2)
    path = weights_in(tmp_path, regions=True)
    before, fingerprint = read_weights(path), load_encoder(str(path), device="cpu").fingerprint
    told = calibrate_on_photographs(path, path, photographs, PACKSHOTS, device="cpu")
    after = read_weights(path)
    assert after.config.photograph_odds == pytest.approx(told["odds"], abs=1e-4)
    assert min(ODDS) <= after.config.photograph_odds <= max(ODDS)
    assert list(after.config.match) == pytest.approx(told["match"], abs=1e-4)
    assert 0 <= told["after"] <= 1
    assert after.labels == before.labels
    assert all(after.state[name].equal(tensor) for name, tensor in before.state.items())
    encoder = load_encoder(str(path), device="cpu")
    assert encoder.fingerprint == fingerprint  # a gallery stays as it is
    matches = encoder.encode_queries(PACKSHOTS).matches
    assert matches is not None
    assert ((matches >= 0) & (matches <= 1)).all()
    # Once more, of what is calibrated already: the same.
    again = calibrate_on_photographs(path, tmp_path / "b", photographs, PACKSHOTS, device="cpu")
    assert again == told


def test_weights_without_regions_have_nothing_to_be_sure_by(
    photographs: Photographs, tmp_path: Path
) -> None:
    path = weights_in(tmp_path, regions=False)
    out = tmp_path / "out.safetensors"
    with pytest.raises(WeightsError, match="they saw no photographs"):
        calibrate_on_photographs(path, out, photographs, PACKSHOTS, device="cpu")
    assert not out.exists()


def test_many_are_seen_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sureness, "_AT_ONCE", 2)
    encoder = load_encoder(str(weights_in(tmp_path, regions=True)), device="cpu")
    pictures = [*PACKSHOTS, Image.new("RGB", (40, 30), "navy")]
    batched, whole = see(encoder, pictures), encoder.encode_queries(pictures)
    np.testing.assert_allclose(batched.vectors, whole.vectors, atol=1e-4)
    assert len(batched.regions) == len(pictures)
    for name, beliefs in whole.beliefs.items():
        np.testing.assert_allclose(batched.beliefs[name], beliefs, atol=1e-4)


def test_the_script_asks_photographs_of_dev(
    photographs: Photographs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packshots first; what they decided is what photographs go on from."""
    rows = [("a-1", "T-Shirt", "1", "train"), ("b-5", "Shoes", "2", "dev")]
    archive = write_photographs(tmp_path / "photos.zip", rows)
    weights, out = tmp_path / "trained", tmp_path / "calibrated"
    asked: list[tuple] = []

    def packshots(items: object, weights: Path, out: Path, **_: Any) -> dict[str, Any]:
        asked.append((weights, out))
        return {"temperatures": {}, "agreement": {}, "dev": {}}

    def taken(weights: Path, out: Path, shown: Photographs, packshots: list, **_: Any) -> dict:
        asked.append((weights, out, shown.frame["image"].tolist(), packshots))
        return {"temperature": 1.5}

    monkeypatch.setattr(calibrate, "load_catalog", lambda path: None)
    monkeypatch.setattr(calibrate, "calibrate", packshots)
    monkeypatch.setattr(calibrate, "dev_pictures", lambda items: PACKSHOTS)
    monkeypatch.setattr(calibrate, "calibrate_on_photographs", taken)
    options = ["--data", str(tmp_path), "--weights", str(weights), "--out", str(out)]
    report = tmp_path / "report.json"
    assert calibrate.main([*options, "--json", str(report)]) == 0
    assert "photographs" not in json.loads(report.read_text())
    given = ["--photographs", str(archive), "--json", str(report)]
    assert calibrate.main([*options, *given]) == 0
    assert asked == [(weights, out)] * 2 + [(out, out, ["b-5"], PACKSHOTS)]
    assert json.loads(report.read_text())["photographs"] == {"temperature": 1.5}
