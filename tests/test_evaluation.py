"""Metrics against tables worked out by hand, and what must hold for any."""

import doctest
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import TinyEncoder
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from recommender import evaluation
from recommender.catalog import name_groups
from recommender.engine import Recommender
from recommender.evaluation import (
    bootstrap_interval,
    macro_mean,
    precision_at_k,
    shares_labels,
)
from scripts import evaluate


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(evaluation).failed == 0


@pytest.mark.parametrize(
    ("relevant", "k", "expected"),
    [
        ([1, 0, 1, 0, 0], 1, 1.0),
        ([1, 0, 1, 0, 0], 5, 0.4),
        ([0, 0, 0, 0, 1], 4, 0.0),
        ([1, 1, 1, 1, 1], 3, 1.0),
    ],
)
def test_precision_divides_by_k(relevant: list[int], k: int, expected: float) -> None:
    assert precision_at_k(np.array([relevant], dtype=bool), k)[0] == pytest.approx(expected)


def test_precision_of_more_places_than_there_are_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="fewer than k"):
        precision_at_k(np.ones((2, 3), dtype=bool), 4)


def test_a_missing_label_is_shared_by_none() -> None:
    hits = np.array([[[-1], [2]]])
    assert shares_labels(np.array([[-1]]), hits).tolist() == [[False, False]]


def test_macro_counts_a_rare_group_like_a_frequent_one() -> None:
    values = np.array([1.0, 1, 1, 1, 0, 0.5])
    groups = np.array([7, 7, 7, 7, 9, 9])
    assert macro_mean(values, groups) == pytest.approx((1.0 + 0.25) / 2)


@given(hnp.arrays(float, st.integers(1, 40), elements=st.sampled_from([0, 0.2, 0.4, 1.0])))
def test_the_interval_holds_the_mean_and_stays_within_the_values(values: np.ndarray) -> None:
    low, high = bootstrap_interval(values, resamples=2000)
    assert values.min() - 1e-9 <= low <= high <= values.max() + 1e-9
    assert low - 0.05 <= values.mean() <= high + 0.05


def test_the_interval_shrinks_with_more_queries() -> None:
    few, many = np.array([0.0, 1.0] * 10), np.array([0.0, 1.0] * 1000)
    widths = [np.subtract(*bootstrap_interval(v)[::-1]) for v in (few, many)]
    assert widths[1] < widths[0] / 5
    assert widths[1] == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(2000), rel=0.1)


def test_strict_hits_leave_out_the_query_and_its_name(recommender: Recommender) -> None:
    rows = np.arange(len(recommender))
    groups = name_groups(recommender.frame)
    for row, hits in zip(rows, evaluate.strict_hits(recommender, rows), strict=True):
        found = hits[hits >= 0]
        assert row not in found
        assert not (groups[found] == groups[row]).any()


def test_strict_hits_are_those_of_brute_force(recommender: Recommender) -> None:
    frame, vectors = recommender.frame, recommender.index.vectors
    rows = np.arange(len(frame))
    for row, hits in zip(rows, evaluate.strict_hits(recommender, rows), strict=True):
        others = frame[
            (frame["productDisplayName"] != frame["productDisplayName"][row])
            & (frame["image_hash"] != frame["image_hash"][row])
        ].drop_duplicates("image_hash")
        scores = pd.Series(vectors[others.index] @ vectors[row], index=others.index)
        best = scores.sort_values(ascending=False, kind="stable").index[: evaluate.DEPTH]
        assert hits[: len(best)].tolist() == best.tolist()


def test_the_script_writes_what_it_measured(
    recommender: Recommender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "load_recommender", lambda _: recommender)
    file = tmp_path / "new" / "scores.json"
    monkeypatch.setattr(evaluate, "split_names", lambda frame: np.full(len(frame), "dev"))
    assert evaluate.main(["--data", "x", "--split", "dev", "--json", str(file)]) == 0
    scores = json.loads(file.read_text())
    assert scores["queries"] == scores["gallery"] == len(recommender)
    assert scores["encoder"]["fingerprint"] == TinyEncoder.fingerprint
    assert 0 <= scores["type+gender+colour"]["P@5"] <= scores["type"]["P@5"] <= 1
