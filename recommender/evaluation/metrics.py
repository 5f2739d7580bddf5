"""Metrics of retrieval and of heads: pure functions of arrays.

Relevance is a bool array of shape (q, k): whether each query's hit at each rank shares the labels
that count. Where a query has fewer than k hits, the rest are False: an empty place is a miss. What
is not defined for a query, such as the recall of something that its gallery does not hold, is NaN,
and means are over what is defined.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RESAMPLES = 10_000
_DRAWN_AT_ONCE = 2_000_000


def shares_labels(queries: Ints, hits: Ints) -> Bools:
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
    precision: Floats = _first(relevant, k).mean(axis=1)
    return precision


def average_precision_at_k(relevant: Bools, available: Ints, k: int) -> Floats:
    """Mean of the precision at each relevant one of the first k places; divides by min(R, k).

    Args:
        relevant: bool of shape (q, m), m ≥ k.
        available: int64 of shape (q,), R, how many relevant items each query's gallery holds.

    Returns:
        float64 of shape (q,), NaN where R is 0.

    Relevant at ranks 1 and 3, with three in the gallery: (1/1 + 2/3) / 3.

    >>> average_precision_at_k(np.array([[True, False, True]]), np.array([3]), 3).round(4).tolist()
    [0.5556]
    """
    places = _first(relevant, k)
    precisions = np.cumsum(places, axis=1) / np.arange(1, k + 1)  # (q, k)
    return _ratio((precisions * places).sum(axis=1), np.minimum(available, k))


def recall_at_k(relevant: Bools, available: Ints, k: int) -> Floats:
    """Share of the gallery's relevant items that are in the first k places; divides by R.

    Args:
        relevant: bool of shape (q, m), m ≥ k.
        available: int64 of shape (q,), R, how many relevant items each query's gallery holds.

    Returns:
        float64 of shape (q,), NaN where R is 0.

    >>> recall_at_k(np.array([[True, False, True]]), np.array([8]), 3).tolist()
    [0.25]
    """
    return _ratio(_first(relevant, k).sum(axis=1), available)


def ndcg_at_k(gains: Floats, ideal: Floats, k: int) -> Floats:
    """Discounted gain of the first k places; divides by that of the best order of the gallery.

    A place at rank r counts its gain / log2(r + 1).

    Args:
        gains: float64 of shape (q, m), m ≥ k, what each hit is worth, 0 for an empty place.
        ideal: float64 of shape (q, m), the k largest gains of each query's gallery, falling.

    Returns:
        float64 of shape (q,), NaN where the gallery holds nothing of worth.

    Source: Järvelin & Kekäläinen, ACM TOIS 20(4), 2002, with linear gains.

    Gains 3 and 1 where 3 and 3 could be had: (3 + 1 / log2(3)) / (3 + 3 / log2(3)).

    >>> ndcg_at_k(np.array([[3.0, 1.0]]), np.array([[3.0, 3.0]]), 2).round(4).tolist()
    [0.7421]
    """
    discounts = 1 / np.log2(np.arange(2, k + 2))
    return _ratio(_first(gains, k) @ discounts, _first(ideal, k) @ discounts)


def auroc(positives: Floats, negatives: Floats) -> float:
    """How often a positive has more than a negative, a tie counting half; divides by all pairs.

    The area under the receiver operating characteristic: .5 is chance.

    >>> auroc(np.array([3.0, 1.0]), np.array([0.0, 1.0]))
    0.875
    """
    if not len(positives) or not len(negatives):
        return float("nan")
    ordered = np.sort(negatives)
    below, upto = (np.searchsorted(ordered, positives, side) for side in ("left", "right"))
    return float((below + upto).mean() / (2 * len(negatives)))


def mean(values: Floats) -> float:
    """Mean of what is defined; NaN where nothing is.

    >>> mean(np.array([1.0, np.nan, 0.0]))
    0.5
    """
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def macro_mean(values: Floats, groups: Ints) -> float:
    """Mean over groups of the mean within each, so that a rare one counts like a frequent one.

    Undefined values are left out, and so is a group (or the code -1) that has no other.

    >>> macro_mean(np.array([1.0, 1.0, 1.0, 0.0]), np.array([0, 0, 0, 1]))
    0.5
    """
    keep = ~np.isnan(values) & (groups >= 0)
    if not keep.any():
        return float("nan")
    _, inverse = np.unique(groups[keep], return_inverse=True)
    return float(np.mean(np.bincount(inverse, weights=values[keep]) / np.bincount(inverse)))


def bootstrap_interval(
    values: Floats, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """95% interval of the mean, by resampling queries with replacement.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap, percentile method.

    >>> bootstrap_interval(np.array([0.5] * 8))
    (0.5, 0.5)
    """
    ((low, high),) = bootstrap_intervals(values[:, None], resamples=resamples, seed=seed)
    return float(low), float(high)


def bootstrap_intervals(
    values: Floats, *, weights: Floats | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> Floats:
    """95% intervals of the means of several columns, all from the same resamples.

    Args:
        values: float64 of shape (q, columns), NaN where undefined.
        weights: of the same shape, at least 0: what each counts; all the same if None.

    Returns:
        float64 of shape (columns, 2), NaN where nothing is defined.

    >>> bootstrap_intervals(np.array([[1.0, np.nan]] * 3)).tolist()
    [[1.0, 1.0], [nan, nan]]
    """
    defined = ~np.isnan(values)
    counted = defined * (np.ones_like(values) if weights is None else weights)
    filled = np.where(defined, values, 0.0) * counted
    means = [
        _ratio(counts @ filled, counts @ counted)  # (c, q) @ (q, columns) -> (c, columns)
        for counts in _resampled(len(values), resamples, seed)
    ]
    return _middle(np.concatenate(means))


def bootstrap_macro_interval(
    values: Floats, groups: Ints, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """95% interval of the macro mean, by resampling the queries within each group.

    Were they resampled across groups, small groups would be missing from many resamples, and the
    means that are left would no longer be of the same groups. See `macro_mean`.

    >>> bootstrap_macro_interval(np.array([0.5] * 8), np.arange(8) % 2)
    (0.5, 0.5)
    """
    keep = ~np.isnan(values) & (groups >= 0)
    if not keep.any():
        return float("nan"), float("nan")
    order = np.argsort(groups[keep], kind="stable")
    ordered = values[keep][order]
    _, starts, sizes = np.unique(groups[keep][order], return_index=True, return_counts=True)
    start, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)  # of each query's group
    random = np.random.default_rng(seed)
    means = []
    for count in _chunks(len(ordered), resamples):
        drawn = start + (random.random((count, len(ordered))) * size).astype(np.int64)
        sums = np.add.reduceat(ordered[drawn], starts, axis=1)  # (c, groups)
        means.append((sums / sizes).mean(axis=1))
    ((low, high),) = _middle(np.concatenate(means)[:, None])
    return float(low), float(high)


def cluster_intervals(
    values: Floats, groups: Ints, clusters: Ints, *, resamples: int = RESAMPLES, seed: int = 0
) -> Floats:
    """95% intervals where queries come in clusters, by resampling whole clusters with replacement.

    What one person photographs is alike, so that more of it says little more: the interval is as
    wide as there are few clusters. The mean over groups is over those that a resample holds.

    Args:
        values: float64 of shape (q,), NaN where undefined.
        groups: int64 of shape (q,), from 0 to g - 1.
        clusters: int64 of shape (q,), of any numbers.

    Returns:
        float64 of shape (2 + g, 2): of the mean, of the mean over groups, and of each group's mean;
        NaN where fewer than two clusters say anything, as one says nothing of others.

    Source: Davison & Hinkley, Bootstrap Methods and their Application, 3.8, strategy 1.

    Two clusters that say opposite things, however often, leave all open.

    >>> values, ones = np.array([1.0] * 50 + [0.0] * 50), np.zeros(100, dtype=np.int64)
    >>> cluster_intervals(values, ones, values.astype(np.int64)).tolist()
    [[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]
    """
    # Each group is a column that is undefined elsewhere; the first column is all of them.
    own = groups[:, None] == np.arange(groups.max(initial=-1) + 1)
    used = np.column_stack([np.ones(len(values), dtype=bool), own]) & ~np.isnan(values)[:, None]
    members = (np.unique(clusters)[:, None] == clusters).astype(np.float64)  # (m, q)
    sums, sizes = members @ np.where(used, values[:, None], 0.0), members @ used  # (m, 1 + g)
    means = np.concatenate(
        [_ratio(drawn @ sums, drawn @ sizes) for drawn in _resampled(len(members), resamples, seed)]
    )
    held = ~np.isnan(means[:, 1:])
    over_groups = _ratio(np.where(held, means[:, 1:], 0.0).sum(axis=1), held.sum(axis=1))
    ends = _middle(np.column_stack([means[:, 0], over_groups, means[:, 1:]]))
    heard = (sizes > 0).sum(axis=0)  # how many clusters, (1 + g,)
    ends[np.insert(heard, 1, heard[0]) < 2] = np.nan
    return ends


def paired_difference(
    values: Floats, baseline: Floats, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float, float]:
    """How much better one system is than another on the same queries, with its 95% interval.

    Both are resampled together, so that what makes a query hard for both does not widen the
    interval. A query that is undefined for either is left out.

    Args:
        values: float64 of shape (q,), the one system's.
        baseline: float64 of shape (q,), the other's, for the same queries in the same order.

    Returns:
        Mean of values - baseline, and the ends of its interval.

    >>> paired_difference(np.array([0.9, 0.4, 0.6]), np.array([0.8, 0.3, 0.5]))[0].__round__(4)
    0.1
    """
    if values.shape != baseline.shape:
        raise ValueError(f"{len(values)} values cannot be paired with {len(baseline)}")
    differences = values - baseline
    return (mean(differences), *bootstrap_interval(differences, resamples=resamples, seed=seed))


def occurrences(hits: Ints, count: int) -> Ints:
    """How often each row of the gallery is among the hits.

    Args:
        hits: int64 of shape (q, k), rows, -1 for an empty place.
        count: how many rows the gallery has.

    Returns:
        int64 of shape (count,).

    >>> occurrences(np.array([[0, 2], [2, -1]]), 4).tolist()
    [1, 0, 2, 0]
    """
    return np.bincount(hits[hits >= 0], minlength=count).astype(np.int64)


def hubness(occurred: Ints) -> float:
    """Skewness of the k-occurrences: far above 0 where a few hubs are near to everything.

    The third central moment divided by the cube of the standard deviation (both divide by n); 0
    where all rows occur equally often.

    Source: Radovanović et al., JMLR 11, 2010.

    >>> round(hubness(np.array([0, 0, 0, 4])), 4)
    1.1547
    """
    centred = occurred - occurred.mean() if len(occurred) else np.zeros(1)
    spread = float(np.sqrt((centred**2).mean()))
    return float((centred**3).mean() / spread**3) if spread else 0.0


def gini(occurred: Ints) -> float:
    """How unevenly rows occur: 0 where all do equally often, near 1 where one has everything.

    The mean absolute difference over all pairs, divided by twice the mean; 0 where none occurs.

    >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 4]))
    (0.0, 0.75)
    """
    total, count = int(occurred.sum()), len(occurred)
    if not total:
        return 0.0
    ranks = 2 * np.arange(1, count + 1) - count - 1
    return float((ranks * np.sort(occurred)).sum() / (count * total))


def group_leakage(queries: Ints, hits: Ints, neutral: int) -> dict[str, float]:
    """Where the hits of queries of one group come from; each share divides by the hits judged.

    Judged are hits with a known group, of queries whose group is known and not neutral. Of these,
    `same` share the query's group, `neutral` are of the one that suits all, `other` leak.

    Args:
        queries: int64 of shape (q,), codes, -1 if missing.
        hits: int64 of shape (q, k), codes, -1 if missing or an empty place.
        neutral: the code that suits all, such as Unisex; -1 if there is none.

    Returns:
        The three shares, which sum to 1, and `hits`, how many were judged; NaN where none was.

    >>> group_leakage(np.array([0, 1, 2]), np.array([[0, 1], [2, 1], [0, 0]]), neutral=2)
    {'same': 0.5, 'neutral': 0.25, 'other': 0.25, 'hits': 4}
    """
    judged = ((queries >= 0) & (queries != neutral))[:, None] & (hits >= 0)
    count = int(judged.sum())
    same = int((judged & (hits == queries[:, None])).sum())
    suits_all = int((judged & (hits == neutral)).sum())
    shares = np.array([same, suits_all, count - same - suits_all]) / (count or np.nan)
    return dict(zip(("same", "neutral", "other"), shares.tolist(), strict=True)) | {"hits": count}


def _first(values: npt.NDArray[Any], k: int) -> npt.NDArray[Any]:
    if values.shape[1] < k:
        raise ValueError(f"relevance has {values.shape[1]} places, fewer than k = {k}")
    return values[:, :k]


def _ratio(above: npt.NDArray[Any], below: npt.NDArray[Any]) -> Floats:
    """Element by element, NaN where `below` is 0."""
    out = np.full(above.shape, np.nan)
    np.divide(above, below, out=out, where=below != 0)
    return out


def _resampled(count: int, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each of `count` queries is drawn in each resample, in chunks of (c, count)."""
    random = np.random.default_rng(seed)
    for size in _chunks(count, resamples):
        drawn = random.integers(max(count, 1), size=(size, count))
        drawn += count * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * count)
        yield counts.reshape(size, count).astype(np.float64)


def _chunks(count: int, resamples: int) -> Iterator[int]:
    """Sizes that sum to `resamples`, each small enough to be held."""
    chunk = max(1, _DRAWN_AT_ONCE // max(count, 1))
    return (min(chunk, resamples - start) for start in range(0, resamples, chunk))


def _middle(means: Floats) -> Floats:
    """The ends of the middle 95% of each column of (resamples, columns): (columns, 2)."""
    ends = np.full((means.shape[1], 2), np.nan)
    for column, values in enumerate(means.T):
        if len(defined := values[~np.isnan(values)]):
            ends[column] = np.percentile(defined, [2.5, 97.5])
    return ends
