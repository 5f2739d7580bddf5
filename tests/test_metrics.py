"""Metrics against tables worked out by hand, and what must hold for any."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import ndcg_score, roc_auc_score

from recommender.evaluation import metrics
from recommender.evaluation.metrics import (
    auroc,
    average_precision_at_k,
    bootstrap_interval,
    bootstrap_intervals,
    bootstrap_macro_interval,
    cluster_intervals,
    gini,
    group_leakage,
    hubness,
    macro_mean,
    mean,
    ndcg_at_k,
    occurrences,
    paired_difference,
    precision_at_k,
    recall_at_k,
    shares_labels,
)

NAN = float("nan")


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(metrics).failed == 0


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


@pytest.mark.parametrize(
    ("relevant", "available", "k", "expected"),
    [
        ([1, 0, 1, 0], 2, 4, (1 + 2 / 3) / 2),  # both found: divided by R
        ([1, 0, 1, 0], 9, 4, (1 + 2 / 3) / 4),  # more than k to be had: divided by k
        ([1, 1, 1, 1], 9, 4, 1.0),
        ([0, 0, 0, 1], 1, 4, 1 / 4),
        ([0, 0, 0, 1], 1, 3, 0.0),
        ([0, 0, 0, 0], 0, 4, NAN),
    ],
)
def test_average_precision_divides_by_what_can_be_found(
    relevant: list[int], available: int, k: int, expected: float
) -> None:
    found = average_precision_at_k(np.array([relevant], dtype=bool), np.array([available]), k)
    assert found[0] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("relevant", "available", "expected"),
    [([1, 0, 1], 4, 0.5), ([1, 1, 1], 3, 1.0), ([0, 0, 0], 7, 0.0), ([0, 0, 0], 0, NAN)],
)
def test_recall_divides_by_all_that_is_relevant(
    relevant: list[int], available: int, expected: float
) -> None:
    found = recall_at_k(np.array([relevant], dtype=bool), np.array([available]), 3)
    assert found[0] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("gains", "ideal", "k", "expected"),
    [
        ([3, 2, 0], [3, 2, 0], 3, 1.0),
        ([0, 0, 3], [3, 0, 0], 3, 1 / 2),  # rank 3 counts 1 / log2(4)
        ([0, 0, 3], [3, 0, 0], 2, 0.0),
        ([0, 0, 0], [0, 0, 0], 3, NAN),
    ],
)
def test_ndcg_divides_by_the_best_order(
    gains: list[float], ideal: list[float], k: int, expected: float
) -> None:
    found = ndcg_at_k(np.array([gains], float), np.array([ideal], float), k)
    assert found[0] == pytest.approx(expected, nan_ok=True)


@given(hnp.arrays(float, (1, 12), elements=st.integers(0, 3).map(float)), st.integers(1, 12))
def test_ndcg_is_scikit_learns(gains: np.ndarray, k: int) -> None:
    ideal = -np.sort(-gains, axis=1)
    expected = ndcg_score(gains, -np.arange(12.0)[None], k=k) if gains.any() else NAN
    assert ndcg_at_k(gains, ideal, k)[0] == pytest.approx(expected, nan_ok=True)


@given(hnp.arrays(bool, (3, 10)), st.integers(0, 20), st.integers(1, 10))
def test_what_holds_of_any_ranking(relevant: np.ndarray, more: int, k: int) -> None:
    available = relevant.sum(1) + more
    precision = precision_at_k(relevant, k)
    average = average_precision_at_k(relevant, available, k)
    recall = recall_at_k(relevant, available, k)
    for q in np.flatnonzero(available > 0):
        assert 0 <= average[q] <= 1
        assert 0 <= recall[q] <= 1
        assert precision[q] * k == pytest.approx(recall[q] * available[q])
        # No place before a relevant one is better than all places being relevant.
        assert average[q] <= precision[q] * k / min(available[q], k) + 1e-12
    assert np.isnan(average[available == 0]).all()


def test_means_are_over_what_is_defined() -> None:
    values, groups = np.array([1.0, NAN, 0.0, NAN, 0.5]), np.array([0, 0, 0, 1, -1])
    assert mean(values) == 0.5
    assert macro_mean(values, groups) == 0.5
    assert np.isnan(mean(values[[1, 3]]))
    assert np.isnan(macro_mean(values[[1, 3]], groups[[1, 3]]))


def test_intervals_of_columns_are_those_of_each() -> None:
    values = np.random.default_rng(3).random((50, 3))
    together = bootstrap_intervals(values, resamples=500)
    for column in range(3):
        alone = bootstrap_interval(values[:, column], resamples=500)
        assert together[column] == pytest.approx(alone)


def test_an_interval_over_queries_some_of_which_are_undefined() -> None:
    values = np.array([0.0, 1.0] * 200 + [NAN] * 5)
    low, high = bootstrap_interval(values)
    assert 0.44 < low < 0.5 < high < 0.56
    assert np.isnan(bootstrap_interval(np.full(3, NAN))).all()
    assert np.isnan(bootstrap_interval(np.empty(0))).all()


def test_the_interval_of_the_macro_mean_holds_it() -> None:
    random = np.random.default_rng(0)
    values, groups = random.random(300), random.integers(0, 8, 300)
    low, high = bootstrap_macro_interval(values, groups, resamples=2000)
    assert low < macro_mean(values, groups) < high
    assert high - low < 0.2
    assert np.isnan(bootstrap_macro_interval(np.full(2, NAN), np.zeros(2, int))).all()


def test_pairing_finds_a_small_difference_in_a_large_spread() -> None:
    random = np.random.default_rng(0)
    hard = random.random(400)
    better = hard + 0.02 + random.normal(0, 0.01, 400)
    difference, low, high = paired_difference(better, hard, resamples=2000)
    assert low < difference < high
    assert 0.018 < low < high < 0.022
    assert np.diff(bootstrap_interval(better, resamples=2000)) > 0.05
    assert paired_difference(hard, hard, resamples=100) == (0, 0, 0)
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_difference(hard, hard[1:])


def test_occurrences_leave_empty_places_out() -> None:
    assert occurrences(np.array([[3, -1], [3, 1]]), 5).tolist() == [0, 1, 0, 2, 0]
    assert occurrences(np.full((2, 3), -1), 2).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("occurred", "skewness", "unevenness"),
    [
        ([2, 2, 2], 0.0, 0.0),
        ([0, 0, 0, 0], 0.0, 0.0),
        ([0, 2], 0.0, 0.5),
        ([0, 0, 3], 1 / 2**0.5, 2 / 3),
        ([], 0.0, 0.0),
    ],
)
def test_exposure_by_hand(occurred: list[int], skewness: float, unevenness: float) -> None:
    assert hubness(np.array(occurred, int)) == pytest.approx(skewness)
    assert gini(np.array(occurred, int)) == pytest.approx(unevenness)


@given(hnp.arrays(np.int64, st.integers(2, 30), elements=st.integers(0, 50)))
def test_gini_is_the_mean_difference_of_all_pairs(occurred: np.ndarray) -> None:
    pairs = np.abs(occurred[:, None] - occurred).mean()
    expected = pairs / (2 * occurred.mean()) if occurred.any() else 0
    assert gini(occurred) == pytest.approx(expected)


def test_leakage_judges_neither_neutral_queries_nor_unknown_hits() -> None:
    queries = np.array([0, 1, 2, -1])
    hits = np.array([[0, 1, 2], [1, -1, -1], [0, 1, 2], [0, 0, 0]])
    found = group_leakage(queries, hits, neutral=2)
    assert found == {"same": 0.5, "neutral": 0.25, "other": 0.25, "hits": 4}
    nothing = group_leakage(queries[2:], hits[2:], neutral=2)
    assert nothing["hits"] == 0
    assert np.isnan(nothing["other"])
    assert group_leakage(queries[:1], hits[:1], neutral=-1)["neutral"] == 0


def test_intervals_of_clusters_by_hand() -> None:
    values = np.array([1.0, 1.0, 0.5, 0.0, NAN])
    groups, clusters = np.array([0, 0, 0, 1, 1]), np.array([7, 7, 9, 9, 9])
    # Two clusters are drawn: 7 twice (1), both (5/8), or 9 twice (1/4). Over groups the same three:
    # 1, as there is no group 1 then; (5/6 + 0) / 2; 1/4. Of group 0: 1, 5/6 and 1/2. Of group 1 one
    # cluster speaks, so that nothing is known of others.
    intervals = cluster_intervals(values, groups, clusters)
    expected = np.array([[1 / 4, 1], [1 / 4, 1], [1 / 2, 1], [NAN, NAN]])
    assert intervals == pytest.approx(expected, nan_ok=True)
    undefined = cluster_intervals(np.full(2, NAN), np.zeros(2, int), np.arange(2))
    assert np.isnan(undefined).all()
    assert np.isnan(cluster_intervals(np.empty(0), *[np.empty(0, int)] * 2)).all()


@given(hnp.arrays(float, st.integers(1, 30), elements=st.sampled_from([0, 0.5, 1.0, NAN])))
def test_clusters_of_one_are_queries(values: np.ndarray) -> None:
    alone = cluster_intervals(values, np.zeros(len(values), int), np.arange(len(values)))
    expected = bootstrap_interval(values) if (~np.isnan(values)).sum() > 1 else (NAN, NAN)
    for interval in alone:  # with a single group, its mean and that over groups are the mean
        assert interval == pytest.approx(expected, nan_ok=True)


def test_more_of_the_same_cluster_says_no_more() -> None:
    random = np.random.default_rng(0)
    clusters = np.arange(40)
    said = random.random(40)
    groups = clusters % 4
    once = cluster_intervals(said, groups, clusters, resamples=2000)
    often = cluster_intervals(*(np.repeat(a, 25) for a in (said, groups, clusters)), resamples=2000)
    assert often == pytest.approx(once)
    assert np.diff(bootstrap_interval(np.repeat(said, 25)))[0] < np.diff(often[0])[0] / 4


def test_auroc_is_what_others_compute_ties_included() -> None:
    random = np.random.default_rng(0)
    values, positive = random.integers(0, 9, 200).astype(float), random.random(200) < 0.3
    expected = roc_auc_score(positive, values)
    assert auroc(values[positive], values[~positive]) == pytest.approx(expected)
    assert np.isnan(auroc(values, np.empty(0)))
