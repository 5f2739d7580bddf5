"""The search structure (FAISS): exact by default, any factory string for large catalogs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import faiss
import numpy as np
import numpy.typing as npt

from recommender.embeddings import Embeddings
from recommender.errors import StoreError

_TRAINING_ROWS = 262_144
_RECALL_QUERIES, _RECALL_K = 1_000, 10
_ROUNDING = 1e-5  # what sums of a few thousand products may differ by

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class IndexConfig:
    """`factory` is a string that `faiss.index_factory` understands; `Flat` is exact.

    On unit vectors cosine and Euclidean rank alike; `metric` says what a score is: the cosine, or
    minus the Euclidean distance.
    """

    factory: str = "Flat"
    metric: Literal["cosine", "euclidean"] = "cosine"

    def __post_init__(self) -> None:
        if self.metric not in ("cosine", "euclidean"):
            raise ValueError(f"metric is {self.metric!r}, not cosine or euclidean")


class Index:
    """Rows nearest to a query, with or without a filter. Thread-safe.

    Attributes:
        ids: int64 of shape (n,), the id of each row.
        vectors: float32 of shape (n, d), unit rows, what a score is exact against.
        metric: what a score is.
        exact: whether a search without a filter is exact; one with a filter always is.
    """

    def __init__(self, faiss_index: Any, embeddings: Embeddings, config: IndexConfig) -> None:
        self.ids = embeddings.ids
        self.vectors = embeddings.vectors
        self.metric = config.metric
        self.exact = _is_flat(faiss_index)
        self._faiss = faiss_index

    def __len__(self) -> int:
        return len(self.ids)

    def search(
        self, queries: Floats, k: int, allowed: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Floats, Rows]:
        """Find the k best rows for each query.

        Args:
            queries: float32 of shape (q, d), unit rows.
            k: how many, at most.
            allowed: bool of shape (n,), the rows that may be found; all where None.

        Returns:
            Scores, float32 of shape (q, m), falling, and their rows, int64 of shape (q, m), where
            m is k or, where there are fewer, the number of rows allowed. Of equal scores the
            earlier rows are taken, and stand first. Without a filter an approximate index may find
            fewer: those columns hold -inf, -1.
        """
        count = len(self) if allowed is None else int(np.count_nonzero(allowed))
        k = min(k, count)
        if k == 0:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        if self.exact:
            scores, rows = self._search_flat(queries, k, count, allowed)
        elif allowed is None:
            scores, rows = self._faiss.search(queries, k)
        else:
            # An approximate index would lose allowed rows; a product over them does not.
            members = np.flatnonzero(allowed)
            scores, rows = _best(queries @ self.vectors[members].T, k)
            rows = members[rows]
        order = np.lexsort((rows, -scores))
        scores, rows = np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
        scores[rows < 0] = -np.inf
        return self.score_of(scores), rows

    def _search_flat(
        self, queries: Floats, k: int, count: int, allowed: npt.NDArray[np.bool_] | None
    ) -> tuple[Floats, Rows]:
        """The k best of `count` rows, unordered, the earlier of equal ones: (q, k) and (q, k)."""
        params = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bits))
            params = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        # One more than asked shows where the last one has an equal; FAISS then takes any of them.
        scores, rows = self._faiss.search(queries, min(k + 1, count), params=params)
        last = np.sort(scores, axis=1)[:, ::-1]
        for i in np.flatnonzero(last[:, k - 1] == last[:, k]) if count > k else ():
            # A little less than the last score, as FAISS sums in another order for many queries.
            least = float(last[i, k - 1]) - _ROUNDING
            _, found_scores, found_rows = self._faiss.range_search(
                queries[i : i + 1], least, params=params
            )
            best = np.lexsort((found_rows, -found_scores))[:k]
            if len(best) == k:
                scores[i, :k], rows[i, :k] = found_scores[best], found_rows[best]
        return scores[:, :k], rows[:, :k]

    def score_of(self, cosines: Floats) -> Floats:
        """What the index's metric makes of cosines: themselves, or minus the distances."""
        if self.metric == "cosine":
            return cosines
        return -np.sqrt(np.maximum(2 - 2 * cosines, 0))  # |a - b|² = 2 - 2ab for unit a, b


def _best(products: Floats, k: int) -> tuple[Floats, Rows]:
    """The k largest of each row of (q, m), the first of equal ones: scores and columns, (q, k)."""
    least = -np.partition(-products, k - 1, axis=1)[:, k - 1]
    columns = np.empty((len(products), k), dtype=np.int64)
    for row, product in enumerate(products):
        pool = np.flatnonzero(product >= least[row])
        columns[row] = pool[np.argsort(-product[pool], kind="stable")[:k]]
    return np.take_along_axis(products, columns, 1), columns


def _stored(flat: Any, ids: npt.NDArray[np.int64]) -> Embeddings:
    """The exact vectors that FAISS holds: looked at instead of kept twice."""
    values = faiss.downcast_index(flat).get_xb()  # type: ignore[attr-defined]
    return Embeddings(ids, faiss.rev_swig_ptr(values, flat.ntotal * flat.d).reshape(-1, flat.d))


def _is_flat(faiss_index: Any) -> bool:
    return isinstance(faiss.downcast_index(faiss_index), faiss.IndexFlat)


def build_index(embeddings: Embeddings, config: IndexConfig) -> tuple[Index, float]:
    """Build the search structure and measure what it finds.

    Returns:
        The index, and its recall@10: the share of the 10 exact neighbours that it finds, over at
        most 1,000 of the gallery's own vectors.

    Raises:
        StoreError: FAISS does not know the factory string, or has too few rows to train it.
    """
    vectors = np.ascontiguousarray(embeddings.vectors)
    random = np.random.default_rng(0)
    try:
        built = faiss.index_factory(vectors.shape[1], config.factory, faiss.METRIC_INNER_PRODUCT)
        sample = random.permutation(len(vectors))[:_TRAINING_ROWS]
        if not built.is_trained:
            built.train(vectors[np.sort(sample)])
        built.add(vectors)
    except RuntimeError as error:
        raise StoreError(
            f"FAISS cannot build the index {config.factory!r} over {len(vectors):,} vectors of "
            f"{vectors.shape[1]} dimensions: use Flat, or see its factory strings."
        ) from error
    if _is_flat(built):
        return Index(built, _stored(built, embeddings.ids), config), 1.0
    index = Index(built, embeddings, config)
    queries = vectors[sample[:_RECALL_QUERIES]]
    k = min(_RECALL_K, len(vectors))
    _, exact = _best(queries @ vectors.T, k)
    _, found = index.search(queries, k)
    shared = sum(len(np.intersect1d(a, b)) for a, b in zip(exact, found, strict=True))
    return index, shared / exact.size


def nearest_rows(vectors: Floats, k: int) -> tuple[Rows, Floats]:
    """Each row's k nearest others, exactly.

    Args:
        vectors: float32 of shape (n, d), of any norm.
        k: how many, fewer than n.

    Returns:
        Rows, int64 of shape (n, k), and their Euclidean distances, float32 of shape (n, k), rising.
    """
    flat = faiss.IndexFlatL2(vectors.shape[1])
    flat.add(vectors)
    squares, rows = flat.search(vectors, k + 1)
    # Each leaves itself out; one that its equals have crowded out leaves out the farthest.
    own = rows == np.arange(len(vectors))[:, None]
    own[:, -1] |= ~own.any(axis=1)
    others = squares[~own].reshape(-1, k)
    return rows[~own].reshape(-1, k), np.sqrt(np.maximum(others, 0))


def write_index(index: Index, path: Path) -> None:
    """Write the search structure as a FAISS file.

    Raises:
        RuntimeError: FAISS cannot write it.
    """
    faiss.write_index(index._faiss, str(path))


def read_index(
    path: Path,
    ids: npt.NDArray[np.int64],
    dim: int,
    load_embeddings: Callable[[], Embeddings],
    config: IndexConfig,
) -> Index:
    """Read a FAISS file whose hash was checked.

    Args:
        path: the file.
        ids: int64 of shape (n,), the id of each row.
        dim: length of an embedding.
        load_embeddings: gives the exact vectors, where the file does not hold them.
        config: what it was built with.

    Raises:
        ValueError: it is of other rows, another length or another metric.
        RuntimeError: FAISS cannot read it.
    """
    # A file may claim any length; its own size is what may be allocated.
    faiss.set_deserialization_vector_byte_limit(path.stat().st_size)
    built = faiss.read_index(str(path))
    shape = (len(ids), dim)
    if (built.ntotal, built.d) != shape or built.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise ValueError("the index has another shape or metric than it should")
    if _is_flat(built):
        return Index(built, _stored(built, ids), config)
    embeddings = load_embeddings()
    if not np.array_equal(embeddings.ids, ids):
        raise ValueError("the embeddings are of other items than the index")
    return Index(built, embeddings, config)
