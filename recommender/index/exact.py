"""The rows of largest product with a query, exactly: what bounds leave is scored in full.

A row's bound takes a hundred bytes of memory. The vectors may lie on disk, from where those few
are read that may be among the best.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import faiss
import numpy as np

from recommender.index.bounds import Alike, Bounds
from recommender.index.embeddings import Floats, Mask, Rows, Vectors
from recommender.index.mapped import blocks_of

_FIRST = 64  # bounds that are looked behind, before it is known how far one must look
_BEYOND = 96  # and so many more, which are known where one must look farther
_GROUPS, _SCANNED = 64, 512  # those of most promise, and so many of their rows: of these
_FEW, _PART = 4096, 8  # so few rows, which are so small a part of all, are scored themselves
_ROUNDING = 1e-5  # what sums of a few thousand products may differ by


class ExactSearch:
    """The k best rows of a gallery for each query, with or without a filter. Thread-safe."""

    def __init__(self, vectors: Vectors, alike: Alike | None = None) -> None:
        """Make the bounds of a gallery, which is kept as it is and not copied.

        Args:
            vectors: float32 of shape (n, d), C-contiguous, rows of length one at most.
            alike: which of them are; None where nobody knows.
        """
        self._vectors = vectors
        self._bounds = Bounds(vectors, alike)

    def search(self, queries: Floats, k: int, allowed: Mask | None = None) -> tuple[Floats, Rows]:
        """Find the k best rows.

        Args:
            queries: float32 of shape (q, d), rows of about length one at most.
            k: how many, at least 1, at most as many as are allowed.
            allowed: bool of shape (n,), the rows that may be found; all where None.

        Returns:
            Their products, float32 of shape (q, k), falling, and the rows, int64 of shape (q, k).
            Of equal products the earlier rows are taken, and stand first.
        """
        best = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        with _one_thread():
            for i, (scores, rows) in enumerate(self._candidates(queries, k, allowed)):
                best[0][i], best[1][i] = _first(scores, rows, k)
        return best

    def above(self, query: Floats, least: float) -> tuple[Floats, Rows]:
        """All rows whose product with a query is at least so high.

        Args:
            query: float32 of shape (d,), of length one at most.
            least: the product.

        Returns:
            The products, float32 of shape (m,), and the rows, int64 of shape (m,), rising.
        """
        with _one_thread():
            asked = self._bounds.ask(query, self._bounds.sizes)
            reaching = np.flatnonzero(asked.reach >= least - _ROUNDING)
            rows = np.sort(self._bounds.above(asked, reaching, least - _ROUNDING))
            scores = products(query, self._vectors, rows)
        high = scores >= least
        return scores[high], rows[high]

    def _candidates(
        self, queries: Floats, k: int, allowed: Mask | None
    ) -> Iterator[tuple[Floats, Rows]]:
        """For each query products and their rows, the k best among them."""
        count = len(self._vectors) if allowed is None else int(np.count_nonzero(allowed))
        first = max(_FIRST, 2 * k)
        if count <= max(first, min(_FEW, len(self._vectors) // _PART)):
            rows = np.arange(count) if allowed is None else np.flatnonzero(allowed)
            yield from ((products(query, self._vectors, rows), rows) for query in queries)
            return
        selector, sizes = None, self._bounds.sizes
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bits))
            if count <= len(allowed) // _PART:  # else it is as good to take them for all
                sizes = self._bounds.sizes_within(allowed)
        for query in queries:
            yield self._nearest(query, k, first, sizes, selector)

    def _nearest(
        self, query: Floats, k: int, first: int, sizes: Rows, selector: Any
    ) -> tuple[Floats, Rows]:
        """Products and rows, the k best among them, where of each group so many are allowed."""
        asked, count = self._bounds.ask(query, sizes), _GROUPS
        most = first + _BEYOND
        scanned = max(_SCANNED, most)
        while True:
            groups = asked.farthest(count)
            enough = np.cumsum(sizes[groups]).searchsorted(scanned)
            groups = groups[: enough + 1]
            bounds, rows = self._bounds.highest(asked, groups, most, selector)
            if len(rows) >= k or len(groups) == len(asked.reach):
                break
            count, scanned = 8 * count, 8 * scanned  # of few rows each, or few that are allowed
        scores = products(query, self._vectors, rows[:first])
        # No row is better than its bound: one whose bound is below k products is not wanted.
        least = float(np.partition(scores, -k)[-k]) - _ROUNDING
        found = []
        if len(rows) < most or bounds[-1] < least:  # of these groups no other row is wanted
            asked.reach[groups] = -np.inf
            found = [rows[:first], rows[first:][bounds[first:] >= least]]
        else:
            scores = scores[:0]
        reaching = np.flatnonzero(asked.reach >= least)
        found.append(self._bounds.above(asked, reaching, least, selector))
        rows = np.concatenate(found)
        others = products(query, self._vectors, rows[len(scores) :])
        return np.concatenate([scores, others]), rows


def products(query: Floats, vectors: Vectors, rows: Rows | None = None) -> Floats:
    """Of a query with rows of a gallery, each by itself, whichever are beside it.

    Args:
        query: float32 of shape (d,).
        vectors: float32 of shape (n, d), C-contiguous, of any alignment.
        rows: int64 of shape (m,); all where None.

    Returns:
        float32 of shape (m,).
    """
    if not isinstance(vectors, np.ndarray):
        return vectors.products(query, rows)
    query, dim = np.ascontiguousarray(query), vectors.shape[1]
    found = np.empty(len(vectors) if rows is None else len(rows), np.float32)
    pointers = (faiss.swig_ptr(a) for a in (found, query, vectors))
    if rows is None:
        faiss.fvec_inner_products_ny(*pointers, dim, len(found))  # type: ignore[attr-defined]
    else:
        rows = np.ascontiguousarray(rows)
        faiss.fvec_inner_products_by_idx(  # type: ignore[attr-defined]
            *pointers, faiss.swig_ptr(rows), dim, 1, len(found)
        )
    return found


def products_in(vectors: Vectors, columns: slice | Sequence[int], values: Floats | float) -> Floats:
    """Of some values with some of the dimensions of all rows: float32 of shape (n,)."""
    asked = np.zeros(vectors.shape[1], np.float32)
    asked[columns] = values
    if isinstance(vectors, np.ndarray):
        found: Floats = vectors[:, columns] @ asked[columns]  # (n, m) @ (m,) -> (n,)
        return found
    return vectors.products(asked)


def scan(queries: Floats, vectors: Vectors, k: int, allowed: Mask | None) -> tuple[Floats, Rows]:
    """The k best rows of a gallery, exactly: all that are allowed are read.

    Takes and returns what `ExactSearch.search` does, without bounds, which take memory.
    """
    among = np.arange(len(vectors)) if allowed is None else np.flatnonzero(allowed)
    best = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
    with _one_thread():
        for at, query in enumerate(queries):
            scores, rows = np.empty(0, np.float32), np.empty(0, np.int64)
            for part in blocks_of(len(among)):
                found = products(query, vectors, among[part])
                scores, rows = np.concatenate([scores, found]), np.append(rows, among[part])
                scores, rows = _first(scores, rows, k)
            best[0][at], best[1][at] = scores, rows
    return best


def _first(scores: Floats, rows: Rows, k: int) -> tuple[Floats, Rows]:
    """The k highest of scores and their rows, the earlier of equals, in their order."""
    if len(scores) > 4 * k:
        high = scores >= np.partition(scores, -k)[-k]
        scores, rows = scores[high], rows[high]
    order = np.lexsort((rows, -scores))[:k]
    return scores[order], rows[order]


def work_alone() -> None:
    """Let the calling thread, for good, do without FAISS' threads, of which it would keep some."""
    faiss.omp_set_num_threads(1)


@contextmanager
def _one_thread() -> Iterator[None]:
    """FAISS shares out queries among threads: one query's time is lost waiting for the others."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # of the calling thread alone
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
