"""Embeddings of looks and beliefs: their product is the expected agreement."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.encoding.agreement import LOOKS, Agreement, likeliest

CLASSES = {"gender": ("Boys", "Men", "Women"), "season": ("Fall", "Summer")}
WEIGHTS = {LOOKS: 0.5, "gender": 0.3, "season": 0.2}
AGREEMENT = Agreement(looks_dim=4, weights=WEIGHTS, classes=CLASSES)


def some(count: int, seed: int = 0) -> tuple[npt.NDArray[np.float32], dict]:
    random = np.random.default_rng(seed)
    looks = random.normal(size=(count, 4)).astype(np.float32)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    beliefs = {
        name: random.dirichlet(np.full(len(values), 0.3), count).astype(np.float32)
        for name, values in CLASSES.items()
    }
    return looks, beliefs


@given(seed=st.integers(0, 1000))
def test_a_product_is_the_expected_agreement(seed: int) -> None:
    looks, beliefs = some(6, seed)
    gallery = AGREEMENT.embed(looks, beliefs)
    assert gallery.shape == (6, AGREEMENT.dim) == (6, 4 + 3 + 2 + 1)
    assert gallery.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(gallery, axis=1), 1, atol=1e-5)
    queries = AGREEMENT.as_queries(gallery)
    np.testing.assert_allclose(np.linalg.norm(queries, axis=1), 1, atol=1e-5)
    expected = 0.5 * looks @ looks.T
    for name in CLASSES:
        expected = expected + WEIGHTS[name] * beliefs[name] @ beliefs[name].T
    # A query is scaled to a unit row: its products with the gallery keep their ratios.
    scale = np.linalg.norm(gallery[:, :-1], axis=1, keepdims=True)
    np.testing.assert_allclose(queries @ gallery.T * scale, expected, atol=1e-5)


def test_beliefs_are_read_back() -> None:
    looks, beliefs = some(5)
    read = AGREEMENT.beliefs(AGREEMENT.embed(looks, beliefs))
    assert read.keys() == beliefs.keys()
    for name, believed in beliefs.items():
        np.testing.assert_allclose(read[name], believed, atol=1e-6)


def test_a_known_label_takes_the_place_of_a_belief() -> None:
    looks, beliefs = some(4)
    vectors = AGREEMENT.embed(looks, beliefs)
    labels = {"gender": ["Men", None, "Unisex", "Women"], "season": ["Fall"] * 4}
    known = AGREEMENT.with_labels(vectors, labels)
    np.testing.assert_allclose(np.linalg.norm(known, axis=1), 1, atol=1e-5)
    read = AGREEMENT.beliefs(known)
    np.testing.assert_allclose(read["gender"][[0, 3]], [[0, 1, 0], [0, 0, 1]], atol=1e-6)
    np.testing.assert_allclose(read["gender"][[1, 2]], beliefs["gender"][[1, 2]], atol=1e-6)
    np.testing.assert_allclose(read["season"], [[1, 0]] * 4, atol=1e-6)
    np.testing.assert_array_equal(known[:, :4], vectors[:, :4])
    assert known[0, -1] == pytest.approx(0, abs=1e-3)  # all is known: nothing is lacking


@given(seed=st.integers(0, 1000), times=st.floats(1, 5))
def test_what_counts_more_leaves_a_weighted_mean(seed: int, times: float) -> None:
    looks, beliefs = some(6, seed)
    vectors = AGREEMENT.embed(looks, beliefs)
    known = AGREEMENT.with_labels(
        vectors, {"gender": ["Men"] * 6, "season": ["Fall", "Summer"] * 3}
    )
    assert AGREEMENT.certain(known, "gender").all()
    assert not AGREEMENT.certain(vectors, "usage").any()
    asks = AGREEMENT.stressed(AGREEMENT.as_queries(known), {"gender": times})
    weights = {**WEIGHTS, "gender": times * WEIGHTS["gender"]}
    expected = weights[LOOKS] * looks @ looks.T
    for name in CLASSES:
        read = AGREEMENT.beliefs(known)[name]
        expected = expected + weights[name] * read @ AGREEMENT.beliefs(vectors)[name].T
    np.testing.assert_allclose(asks @ vectors.T, expected / sum(weights.values()), atol=1e-5)
    np.testing.assert_allclose((asks * known).sum(axis=1), 1, atol=1e-5)
    assert (asks @ np.concatenate([vectors, known]).T <= 1 + 1e-5).all()


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ({LOOKS: 0.5, "gender": 0.3}, "sum to one"),
        ({"gender": 1.0}, "sum to one"),
        ({LOOKS: 1.5, "gender": -0.5}, "sum to one"),
        ({LOOKS: 0.5, "colour": 0.5}, "no head for colour"),
    ],
)
def test_weights_that_cannot_be(weights: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Agreement(looks_dim=4, weights=weights, classes=CLASSES)


def test_the_likeliest_come_first() -> None:
    beliefs = {"season": np.array([[0.2, 0.8]], dtype=np.float32)}
    ranked = likeliest(beliefs, CLASSES, 5)
    assert [name for name, _ in ranked["season"]] == ["Summer", "Fall"]
    assert [p for _, p in ranked["season"]] == pytest.approx([0.8, 0.2])
