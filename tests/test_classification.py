"""Metrics of heads against tables worked out by hand, and against scikit-learn's."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from recommender.evaluation import classification
from recommender.evaluation.classification import (
    accuracy,
    expected_calibration_error,
    macro_f1,
    reliability,
    top_k_accuracy,
)

UNKNOWN = np.array([-1, -1])


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(classification).failed == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_macro_f1_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    targets, predicted = np.array(pairs).T
    expected = f1_score(targets, predicted, average="macro")
    assert macro_f1(targets, predicted) == pytest.approx(expected)
    with_missing = np.append(targets, -1), np.append(predicted, 3)
    assert macro_f1(*with_missing) == pytest.approx(expected)


def test_a_class_that_the_head_lacks_is_always_missed() -> None:
    targets = np.array([0, 1, 7])
    beliefs = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert accuracy(targets, beliefs.argmax(1)) == pytest.approx(2 / 3)
    assert top_k_accuracy(targets, beliefs, 5) == pytest.approx(2 / 3)
    assert macro_f1(targets, beliefs.argmax(1)) == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_calibration_by_hand() -> None:
    # In the bin (0.4, 0.6] one of two is right with 0.55; in (0.8, 1] the one is right with 0.95.
    beliefs = np.array([[0.55, 0.45], [0.45, 0.55], [0.95, 0.05]])
    targets = np.array([0, 0, 0])
    error = expected_calibration_error(targets, beliefs, bins=5)
    assert error == pytest.approx((2 * 0.05 + 1 * 0.05) / 3)
    right = beliefs.argmax(axis=1) == targets
    assert reliability(beliefs.max(axis=1), right, 5)[4].tolist() == pytest.approx([1, 0.95, 1])


@given(st.integers(0, 1000))
def test_one_that_knows_what_it_knows_is_calibrated(seed: int) -> None:
    random = np.random.default_rng(seed)
    beliefs = random.dirichlet(np.ones(4), 4000)
    targets = (beliefs.cumsum(1) < random.random((4000, 1))).sum(1)
    assert expected_calibration_error(targets, beliefs) < 0.05
    sure = np.eye(4)[beliefs.argmax(1)]
    expected = 1 - accuracy(targets, beliefs.argmax(1))
    assert expected_calibration_error(targets, sure) == pytest.approx(expected)


def test_nothing_known_is_not_a_number() -> None:
    beliefs = np.array([[0.5, 0.5]] * 2)
    values = [
        accuracy(UNKNOWN, beliefs.argmax(1)),
        macro_f1(UNKNOWN, beliefs.argmax(1)),
        top_k_accuracy(UNKNOWN, beliefs, 5),
        expected_calibration_error(UNKNOWN, beliefs),
    ]
    assert np.isnan(values).all()
