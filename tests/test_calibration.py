"""Temperatures and weights from a dev split, against what was built in."""

import numpy as np
import pytest

from recommender.encoding.agreement import LOOKS, surer, tempered
from recommender.training.calibration import Weighing, agreements, fit_temperature


def drawn(temperature: float, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Classes drawn from softmax(logits), and beliefs softmax(logits · temperature)."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(count, 4)) * 2
    true = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    targets = (random.random((count, 1)) > true.cumsum(1)).sum(1).clip(0, 3)
    said = np.exp(logits * temperature)
    return (said / said.sum(1, keepdims=True)).astype(np.float32), targets


@pytest.mark.parametrize("temperature", [0.6, 1.0, 1.8])
def test_the_temperature_that_was_built_in_is_found(temperature: float) -> None:
    beliefs, targets = drawn(temperature)
    assert fit_temperature(beliefs, targets) == pytest.approx(temperature, rel=0.05)


def test_unknown_classes_are_left_out() -> None:
    beliefs, targets = drawn(1.8, 4000)
    unknown = np.concatenate([targets, np.full(4000, -1)])
    twice = np.concatenate([beliefs, beliefs[::-1]])
    assert fit_temperature(twice, unknown) == fit_temperature(beliefs, targets)
    assert fit_temperature(beliefs, np.full(4000, -1)) == 1.0


def test_tempering_keeps_the_order_and_the_sum() -> None:
    beliefs, _ = drawn(1.0, 100)
    flat, sharp = tempered(beliefs, 2.0), tempered(beliefs, 0.5)
    for changed in (flat, sharp):
        np.testing.assert_allclose(changed.sum(1), 1, atol=1e-5)
        np.testing.assert_array_equal(changed.argmax(1), beliefs.argmax(1))
    assert (flat.max(1) <= beliefs.max(1) + 1e-6).all()
    assert (sharp.max(1) >= beliefs.max(1) - 1e-6).all()


@pytest.mark.parametrize("odds", [1.0, 1.5, 20.0])
def test_to_be_surer_multiplies_the_odds_of_the_likeliest(odds: float) -> None:
    beliefs, _ = drawn(1.0, 100)
    told = surer(beliefs, odds)
    np.testing.assert_allclose(told.sum(1), 1, atol=1e-5)
    best = np.arange(100), beliefs.argmax(1)
    np.testing.assert_array_equal(told.argmax(1), best[1])
    before, after = beliefs[best].astype(float), told[best].astype(float)
    np.testing.assert_allclose(after / (1 - after), odds * before / (1 - before), rtol=1e-2)
    second = np.sort(beliefs, axis=1)[:, -2] / (1 - before)
    np.testing.assert_allclose(np.sort(told, axis=1)[:, -2] / (1 - after), second, rtol=1e-2)


def test_the_grid_of_weights() -> None:
    grid = list(agreements(("a", "b"), (0.5, 1.0)))
    assert len(grid) == 4
    assert all(sum(weights.values()) == pytest.approx(1) for weights in grid)
    assert grid[0] == pytest.approx({LOOKS: 0.5, "a": 0.25, "b": 0.25})


def test_precision_by_hand() -> None:
    """Six items of two types and two colours; looks go by colour, beliefs by type."""
    types = np.array([0, 0, 0, 1, 1, 1])
    colours = np.array([0, 1, 0, 1, 0, 1])
    looks = np.eye(2, dtype=np.float32)[colours]
    beliefs = {"type": np.eye(2, dtype=np.float32)[types] * 0.9 + 0.05}
    groups = np.array([0, 1, 2, 3, 4, 5])
    targets = {"type": types, "colour": colours}
    weighing = Weighing(looks, beliefs, targets, groups, np.array([0, 3]))
    relevance = {"type": ("type",), "colour": ("colour",), "both": ("type", "colour")}
    only_looks = weighing.precision({LOOKS: 1.0}, relevance, hybrid=False, k=2)
    # Item 0 finds 2 and 4 of its colour, one of its type; item 3 finds 1 and 5, one of its type.
    assert only_looks == {"type": 0.5, "colour": 1.0, "both": 0.5}
    only_type = weighing.precision({LOOKS: 0.0, "type": 1.0}, relevance, hybrid=True, k=2)
    assert only_type == {"type": 1.0, "colour": 0.5, "both": 0.5}


@pytest.mark.parametrize(("degrees", "precision"), [(2, 0.0), (35, 1.0)])
def test_what_comes_first_by_a_ratio_is_counted(degrees: float, precision: float) -> None:
    """The nearest in looks, of another type, is taken for the query where it is near enough."""
    angles = np.radians([0, degrees, 40, 50])
    looks = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    types = np.array([0, 1, 0, 0])
    beliefs = {"type": np.eye(2, dtype=np.float32)[types]}
    weighing = Weighing(looks, beliefs, {"type": types}, np.arange(4), np.array([0]))
    asked = {"hybrid": False, "recognised_ratio": 0.8, "k": 1}
    found = weighing.precision({LOOKS: 0.0, "type": 1.0}, {"type": ("type",)}, **asked)
    assert found == {"type": precision}
