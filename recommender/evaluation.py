"""Retrieval metrics: pure functions of arrays.

Relevance is a bool array of shape (q, k): whether each query's hit at each rank shares the labels
that count. Where a query has fewer than k hits, the rest are False: an empty place is a miss.
"""

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def shares_labels(queries: npt.NDArray[np.int64], hits: npt.NDArray[np.int64]) -> Bools:
    """Whether hits have all of their query's labels; a missing label (-1) is shared by none.

    Args:
        queries: int64 of shape (q, labels), codes.
        hits: int64 of shape (q, k, labels), codes in the same order.

    Returns:
        bool of shape (q, k).

    >>> shares_labels(np.array([[1, 5]]), np.array([[[1, 5], [1, 6], [1, -1]]])).tolist()
    [[True, False, False]]
    """
    equal: Bools = ((hits == queries[:, None]) & (hits >= 0)).all(axis=2)
    return equal


def precision_at_k(relevant: Bools, k: int) -> Floats:
    """Share of the first k places that are relevant; divides by k, however many were found.

    Args:
        relevant: bool of shape (q, m), m ≥ k.

    Returns:
        float64 of shape (q,).

    >>> precision_at_k(np.array([[True, False, True, True], [False] * 4]), 2).tolist()
    [0.5, 0.0]
    """
    if relevant.shape[1] < k:
        raise ValueError(f"relevance has {relevant.shape[1]} places, fewer than k = {k}")
    precision: Floats = relevant[:, :k].mean(axis=1)
    return precision


def macro_mean(values: Floats, groups: npt.NDArray[np.int64]) -> float:
    """Mean over groups of the mean within each, so that a rare one counts like a frequent one.

    >>> macro_mean(np.array([1.0, 1.0, 1.0, 0.0]), np.array([0, 0, 0, 1]))
    0.5
    """
    _, inverse = np.unique(groups, return_inverse=True)
    return float(np.mean(np.bincount(inverse, weights=values) / np.bincount(inverse)))


def bootstrap_interval(
    values: Floats, *, resamples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """95% interval of the mean, by resampling queries with replacement.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap, percentile method.

    >>> bootstrap_interval(np.array([0.5] * 8))
    (0.5, 0.5)
    """
    random = np.random.default_rng(seed)
    # A multinomial draw of counts is the same as drawing indices, without holding them.
    counts = random.multinomial(len(values), np.full(len(values), 1 / len(values)), resamples)
    low, high = np.percentile(counts @ values / len(values), [2.5, 97.5])
    return float(low), float(high)
