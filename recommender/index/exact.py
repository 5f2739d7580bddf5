"""The rows of largest product with a query, exactly, read in a third of the dimensions.

Nearly all of a product of two embeddings lies in few directions. For an orthonormal basis of them,
with y what it keeps of a row x and r the length of what it loses, the Cauchy-Schwarz inequality
gives

    q · x  ≤  y_q · y_x + r_q r_x,

which is a product too, of the vectors (y, r). FAISS scans those, and what may be among the best is
scored in full: the same answer for a third of the memory's traffic, which is what a scan costs.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import faiss
import numpy as np

from recommender.index.embeddings import Floats, Mask, Rows

_BOUND_DIM = 96
_BASIS_ROWS, _BASIS_ROUNDS = 4_096, 4
_FIRST = 128  # bounds that are looked behind, before it is known how far one must look
_BLOCK = 8_192
_ROUNDING = 1e-5  # what sums of a few thousand products may differ by


class ExactSearch:
    """The k best rows of a gallery for each query, with or without a filter. Thread-safe."""

    def __init__(self, vectors: Floats) -> None:
        """Make the bounds of a gallery, which is kept as it is and not copied.

        Args:
            vectors: float32 of shape (n, d), C-contiguous, rows of length one at most.
        """
        self._vectors = vectors
        self._basis = _main_directions(vectors, max(1, min(_BOUND_DIM, vectors.shape[1] // 2) - 1))
        self._bounds = faiss.IndexFlatIP(self._basis.shape[1] + 1)
        for start in range(0, len(vectors), _BLOCK):
            self._bounds.add(self._fold(vectors[start : start + _BLOCK]))

    def search(self, queries: Floats, k: int, allowed: Mask | None = None) -> tuple[Floats, Rows]:
        """Find the k best rows.

        Args:
            queries: float32 of shape (q, d), C-contiguous, rows of about length one at most.
            k: how many, at least 1, at most as many as are allowed.
            allowed: bool of shape (n,), the rows that may be found; all where None.

        Returns:
            Their products, float32 of shape (q, k), falling, and the rows, int64 of shape (q, k).
            Of equal products the earlier rows are taken, and stand first.
        """
        best = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        with _one_thread():
            for i, (scores, rows) in enumerate(self._candidates(queries, k, allowed)):
                order = np.lexsort((rows, -scores))[:k]
                best[0][i], best[1][i] = scores[order], rows[order]
        return best

    def _candidates(
        self, queries: Floats, k: int, allowed: Mask | None
    ) -> Iterator[tuple[Floats, Rows]]:
        """For each query products and their rows, the k best among them."""
        count = len(self._vectors) if allowed is None else int(np.count_nonzero(allowed))
        first = max(_FIRST, 4 * k)
        if first >= count:
            rows = np.arange(count) if allowed is None else np.flatnonzero(allowed)
            products = self._products(queries, np.tile(rows, (len(queries), 1)))
            yield from ((scores, rows) for scores in products)
            return
        params = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bits))
            params = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        folded = self._fold(queries)
        bounds, found = self._bounds.search(folded, first, params=params)
        products = self._products(queries, found)
        for i, scores in enumerate(products):
            # No row is better than its bound: one whose bound is below k products is not wanted.
            least = float(np.partition(scores, -k)[-k]) - _ROUNDING
            if bounds[i, -1] < least:
                yield scores, found[i]
            else:
                _, _, rows = self._bounds.range_search(folded[i : i + 1], least, params=params)
                yield self._products(queries[i : i + 1], rows[None])[0], rows

    def _fold(self, vectors: Floats) -> Floats:
        """What the basis keeps of vectors, and the length of what it loses: (m, bound_dim)."""
        kept = vectors @ self._basis
        lost = np.linalg.norm(vectors - kept @ self._basis.T, axis=1)
        return np.column_stack([kept, lost])

    def _products(self, queries: Floats, rows: Rows) -> Floats:
        return products(queries, self._vectors, rows)


def products(queries: Floats, vectors: Floats, rows: Rows) -> Floats:
    """Of each query with its own rows of a gallery, each by itself, whichever are beside it.

    Args:
        queries: float32 of shape (q, d), C-contiguous.
        vectors: float32 of shape (n, d), C-contiguous.
        rows: int64 of shape (q, m), C-contiguous.

    Returns:
        float32 of shape (q, m).
    """
    found = np.full(rows.shape, -np.inf, dtype=np.float32)
    faiss.fvec_inner_products_by_idx(  # type: ignore[attr-defined]
        *(faiss.swig_ptr(a) for a in (found, queries, vectors, rows)),
        vectors.shape[1],
        *rows.shape,
    )
    return found


def scan(queries: Floats, vectors: Floats, k: int, allowed: Mask | None) -> tuple[Floats, Rows]:
    """The k best rows of a gallery that may lie on disk, exactly: all that are allowed are read.

    Takes and returns what `ExactSearch.search` does, without bounds, which take memory.
    """
    rows = np.arange(len(vectors)) if allowed is None else np.flatnonzero(allowed)
    scores: Floats = np.empty((len(queries), 0), np.float32)
    best: Rows = np.empty((len(queries), 0), np.int64)
    with _one_thread():
        for start in range(0, len(rows), _BLOCK):
            part = np.tile(rows[start : start + _BLOCK], (len(queries), 1))
            scores = np.concatenate([scores, products(queries, vectors, part)], axis=1)
            best = np.concatenate([best, part], axis=1)
            order = np.lexsort((best, -scores))[:, :k]
            scores = np.take_along_axis(scores, order, 1)
            best = np.take_along_axis(best, order, 1)
    return scores, best


@contextmanager
def _one_thread() -> Iterator[None]:
    """FAISS shares out queries among threads: one query's time is lost waiting for the others."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)  # of the calling thread alone
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _main_directions(vectors: Floats, count: int) -> Floats:
    """An orthonormal basis of where vectors mostly lie: float32 of shape (d, count).

    Any basis gives bounds; the better it is, the fewer rows are looked at.
    Source: orthogonal iteration, Golub & Van Loan, Matrix Computations, 8.2.4.
    """
    random = np.random.default_rng(0)
    sample = vectors[np.sort(random.permutation(len(vectors))[:_BASIS_ROWS])]
    basis = random.standard_normal((vectors.shape[1], count), dtype=np.float32)
    for _ in range(_BASIS_ROUNDS):
        basis = np.linalg.qr(sample.T @ (sample @ basis))[0]
    return basis
