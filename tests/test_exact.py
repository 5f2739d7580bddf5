"""Bounds change how long a search takes, never what it finds."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.index.bounds import Alike
from recommender.index.exact import ExactSearch

Floats = npt.NDArray[np.float32]


def gallery(kind: str, n: int, dim: int, seed: int) -> Floats:
    """Unit rows: spread evenly, in few directions, in tight clusters, or many of them equal."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(n, dim))
    if kind == "few directions":
        vectors *= 0.8 ** np.arange(dim)
    elif kind == "clusters":
        vectors = random.normal(size=(5, dim))[random.integers(5, size=n)] + 0.01 * vectors
    elif kind == "equals":
        vectors = vectors[random.integers(max(1, n // 50), size=n)]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


@settings(max_examples=80, deadline=None)
@given(
    kind=st.sampled_from(["even", "few directions", "clusters", "equals"]),
    n=st.integers(1, 1500),
    dim=st.sampled_from([1, 2, 3, 17, 64, 250]),
    k=st.sampled_from([1, 5, 40, 300]),
    share=st.sampled_from([0.05, 0.5, 1.0, "far", None]),
    grouped=st.sampled_from([None, 1, 7, 2000]),
    seed=st.integers(0, 1000),
)
def test_it_is_brute_force(
    kind: str, n: int, dim: int, k: int, share: float | str | None, grouped: int | None, seed: int
) -> None:
    vectors = gallery(kind, n, dim, seed)
    random = np.random.default_rng(seed + 1)
    queries = np.concatenate([gallery(kind, 2, dim, seed), gallery("even", 2, dim, seed + 2)])
    allowed = None
    if share == "far":  # what a search comes by last
        allowed = vectors @ queries[0] < np.quantile(vectors @ queries[0], 0.3)
    elif share is not None:
        allowed = random.random(n) < share
    rows = np.arange(n) if allowed is None else np.flatnonzero(allowed)
    if not len(rows):
        return
    k = min(k, len(rows))
    alike = None
    if grouped is not None:
        parts = (slice(None),) if dim < 3 else (slice(2), slice(2, dim))
        alike = Alike(random.integers(grouped, size=n), parts)
    search = ExactSearch(vectors, alike)
    products, found = search.search(queries, k, allowed)
    assert found.shape == products.shape == (4, k)
    for query, best, scores in zip(queries, found, products, strict=True):
        exact = vectors.astype(np.float64) @ query
        assert np.isin(best, rows).all()
        assert len(np.unique(best)) == k
        np.testing.assert_allclose(scores, exact[best], atol=1e-6)
        np.testing.assert_allclose(scores, -np.sort(-exact[rows])[:k], atol=1e-6)
        equal = scores[1:] == scores[:-1]
        assert (scores[1:] <= scores[:-1]).all()
        assert (np.diff(best)[equal] > 0).all()
        high, rows_above = search.above(query, float(scores[-1]))
        assert (np.diff(rows_above) > 0).all()
        np.testing.assert_allclose(high, exact[rows_above], atol=1e-6)
        assert len(high) >= np.count_nonzero(exact > scores[-1] + 1e-6)
        assert (high >= scores[-1]).all()
        assert not len(search.above(query, 9.0)[1]), "which no row reaches"


@pytest.mark.parametrize("n", [1000, 5000])
def test_the_worst_case_looks_behind_every_bound(n: int) -> None:
    """All bounds are equal, and the best rows the last that a scan of bounds comes by."""
    vectors = np.zeros((n, 8), np.float32)
    vectors[:, 0], vectors[:, 1] = 0.6, 0.8
    vectors[-3:, 1], vectors[-3:, 2] = 0, 0.8
    query = np.float32([[0.6, 0, 0.8, 0, 0, 0, 0, 0]])
    products, found = ExactSearch(vectors).search(query, 4)
    assert found.tolist() == [[n - 3, n - 2, n - 1, 0]]
    np.testing.assert_allclose(products, [[1, 1, 1, 0.36]], atol=1e-6)


def test_none_of_the_groups_of_most_promise_may_be_found() -> None:
    near, far = np.float32([0.8, 0.6, 0, 0]), np.float32([0, 0, 0.6, 0.8])
    groups = np.repeat([0, 1], [3000, 1000])
    vectors = np.where(groups[:, None] == 0, near, far)
    vectors[3777] = [0, 0.6, 0, 0.8]
    search = ExactSearch(vectors, Alike(groups, (slice(2), slice(2, 4))))
    products, found = search.search(near[None], 3, groups == 1)
    assert found.tolist() == [[3777, 3000, 3001]]
    np.testing.assert_allclose(products, [[0.36, 0, 0]], atol=1e-6)
