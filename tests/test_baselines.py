"""Encoders to compare with: unit rows, deterministic, and by the road that ours takes."""

from pathlib import Path

import numpy as np
import pytest
from conftest import ROWS, draw_picture
from PIL import Image

from recommender.encoding.encoder import Encoder
from recommender.evaluation.baselines import load_any_encoder, open_with, random_state
from recommender.index.faiss import IndexConfig
from recommender.pictures.decode import decode_image
from recommender.search.options import Options

PICTURES = [decode_image(draw_picture(row)) for row in ROWS]


@pytest.mark.parametrize("name", ["pixels", "histogram"])
def test_small_encoders(name: str) -> None:
    encoder = load_any_encoder(name)
    vectors = encoder.encode_items([*PICTURES, Image.new("RGB", (300, 9), "black")]).vectors
    assert vectors.shape == (14, encoder.dim)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(vectors[:13], load_any_encoder(name).encode_items(PICTURES).vectors)
    assert np.array_equal(vectors[10], vectors[11])
    assert encoder.record()["fingerprint"] == encoder.fingerprint


def test_a_histogram_knows_colours_and_not_places() -> None:
    left, right = (Image.new("RGB", (60, 80), "white") for _ in range(2))
    left.paste("red", (0, 0, 30, 80))
    right.paste("red", (30, 0, 60, 80))
    blue = Image.new("RGB", (60, 80), "white")
    blue.paste("blue", (0, 0, 30, 80))
    vectors = load_any_encoder("histogram").encode_items([left, right, blue]).vectors
    assert vectors[0] @ vectors[1] == pytest.approx(1, abs=1e-5)
    assert vectors[0] @ vectors[2] == pytest.approx(0.5, abs=1e-5)


def test_an_untrained_network_is_the_same_each_time() -> None:
    first, second = random_state(), random_state()
    assert all((first[name] == second[name]).all() for name in first)
    encoder = load_any_encoder("random", device="cpu", dtype="float32")
    assert isinstance(encoder, Encoder)
    assert encoder.encode_items(PICTURES[:2]).vectors.shape == (2, 2048)


def test_another_encoder_answers_over_the_same_catalog(store: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    encoder = load_any_encoder("pixels")
    found = open_with(store, encoder, tmp_path)
    assert found.by_image(PICTURES[0], Options(k=1)).ids.tolist() == [1]
    assert [path.name for path in tmp_path.iterdir()] == [encoder.fingerprint]
    rough = open_with(store, encoder, tmp_path, config=IndexConfig(factory="SQ8"))
    assert not rough.index.exact
    assert rough.by_id(1, Options(k=3)).ids.tolist() == found.by_id(1, Options(k=3)).ids.tolist()
    assert before == {path: path.stat().st_mtime_ns for path in store.rglob("*")}


@pytest.mark.parametrize("name", ["pixels", "histogram", "transformers:x", "open_clip:x"])
def test_settings_are_for_a_resnet50(name: str) -> None:
    with pytest.raises(ValueError, match="takes no setting such as pooling"):
        load_any_encoder(name, pooling="max")
