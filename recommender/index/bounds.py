"""What no product with a row exceeds, from a byte of each of a few dimensions.

Rows lie in groups, each with a centre c. Nearly all of what a row x has beyond its centre lies in
few directions. For an orthonormal basis of them, of which a row's share y is held in bytes as ŷ,
with e what the basis loses of the row, the Cauchy-Schwarz inequality gives

    q · x  ≤  q · c + y_q · ŷ + |y_q| |y - ŷ| + Σ over parts of the dimensions  |e_q| |e|,

which is a product too, of the vectors (ŷ, |y - ŷ|, |e| …). FAISS scans those, of groups that may
hold what is sought: of any other, the farthest row is not far enough.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import faiss
import numpy as np
import numpy.typing as npt

from recommender.index.embeddings import Floats, Mask, Rows, Vectors
from recommender.index.mapped import blocks_of

_WIDTH, _STEP = 96, 32
"""Bytes of a row, at most, and a multiple of what FAISS scans fastest; more rule out more."""
_BASIS_ROWS, _BASIS_ROUNDS = 4_096, 4
_SPARSE = 0.1
"""Of so few values that are not zero those alone are held."""
_LOWEST, _HIGHEST = -128, 127


class Alike(NamedTuple):
    """What somebody knows of how a gallery's rows lie.

    Attributes:
        groups: int64 of shape (n,), equal for rows that are alike.
        parts: of the dimensions, in which rows of a group differ each by itself.
    """

    groups: Rows
    parts: Sequence[slice]


class Asked(NamedTuple):
    """What a query asks of bounds.

    Attributes:
        folded: float32 of shape (width,), what is multiplied with the bytes.
        near: float32 of shape (groups,), what is added to that of each group's rows.
        reach: float32 of shape (groups,), which no product with a row of a group exceeds.
    """

    folded: Floats
    near: Floats
    reach: Floats

    def farthest(self, count: int) -> Rows:
        """The groups of farthest reach, the farthest first: int64 of shape (count,)."""
        if count < len(self.reach):
            groups = np.argpartition(-self.reach, count)[:count]
            return groups[np.argsort(-self.reach[groups])]
        return np.argsort(-self.reach)


class Centres:
    """Those of groups, in a part of the dimensions: of labels that are known, mostly zeros."""

    def __init__(self, vectors: Floats) -> None:
        """Args:
        vectors: float32 of shape (groups, d).
        """
        there = vectors != 0
        self._all = None
        if np.count_nonzero(there) > _SPARSE * vectors.size:
            self._all = np.ascontiguousarray(vectors)
            return
        there[:, :1] = True  # so that each has something to add up
        rows, self._columns = np.nonzero(there)
        self._values = vectors[there]
        self._starts = np.searchsorted(rows, np.arange(len(vectors)))

    def products(self, query: Floats) -> Floats:
        """Of a query, float32 of shape (d,): float32 of shape (groups,)."""
        if self._all is not None:
            return self._all @ query
        found: Floats = np.add.reduceat(query[self._columns] * self._values, self._starts)
        return found


class Bounds:
    """Of the rows of a gallery. Thread-safe.

    Attributes:
        group_of: int32 of shape (n,), the group of each row.
        sizes: int64 of shape (groups,), the number of rows of each group.
    """

    def __init__(self, vectors: Vectors, alike: Alike | None = None) -> None:
        """Make them of a gallery, which is read a block at a time.

        Args:
            vectors: float32 of shape (n, d).
            alike: how they lie; a single group where None.
        """
        self._vectors, self._parts = vectors, (slice(None),) if alike is None else alike.parts
        parts, (count, dim) = self._parts, vectors.shape
        numbers = np.zeros(count, np.int64)
        if alike is not None:
            numbers = np.unique(alike.groups, return_inverse=True)[1]
        self.group_of, self.sizes = numbers.astype(np.int32), np.bincount(numbers)
        centres = self._middles(numbers)
        self._centres = [Centres(centres[:, part]) for part in parts]
        self._width = max(_STEP, min(_WIDTH, dim // 2 // _STEP * _STEP))
        self._kept = min(self._width - 1 - len(parts), dim - dim // 2)
        self._basis, self._steps = self._directions(numbers, centres)
        self._reaches = np.zeros((len(self.sizes), 1 + len(parts)), np.float32)
        self._lists = self._filled(numbers, centres)

    def sizes_within(self, allowed: Mask) -> Rows:
        """How many rows of each group may be found: int64 of shape (groups,)."""
        return np.bincount(self.group_of[allowed], minlength=len(self.sizes))

    def ask(self, query: Floats, sizes: Rows) -> Asked:
        """Fold a query as rows are.

        Args:
            query: float32 of shape (d,).
            sizes: int64 of shape (groups,), how many rows may be found; of 0, a group reaches none.
        """
        kept = query @ self._basis
        lost = query - self._basis @ kept
        lengths = np.array([_length(kept), *(_length(lost[part]) for part in self._parts)])
        folded = np.zeros(len(self._steps), np.float32)
        folded[: self._kept] = kept
        folded[self._of_lost] = lengths
        folded *= self._steps
        near = np.zeros(len(self.sizes), np.float32)
        for part, centres in zip(self._parts, self._centres, strict=True):
            near += centres.products(query[part])
        reach: Floats = near + self._reaches @ lengths.astype(np.float32)
        reach[sizes == 0] = -np.inf
        near -= np.float32(_LOWEST) * folded[self._of_lost].sum()
        return Asked(folded, near, reach)

    def highest(
        self, asked: Asked, groups: Rows, count: int, selector: Any = None
    ) -> tuple[Floats, Rows]:
        """The highest bounds of some groups.

        Args:
            asked: of a query.
            groups: int64 of shape (g,).
            count: how many, at most.
            selector: of FAISS, says which rows may be found; None for all.

        Returns:
            Bounds, float32 of shape (m,), falling, and their rows, int64 of shape (m,).
        """
        bounds, rows = np.empty(count, np.float32), np.empty(count, np.int64)
        near = asked.near[groups]
        self._lists.search_preassigned_c(
            *(1, faiss.swig_ptr(asked.folded), count),
            *(faiss.swig_ptr(a) for a in (groups, near, bounds, rows)),
            False,
            _of(groups, selector),
        )
        found = np.count_nonzero(rows >= 0)
        return bounds[:found], rows[:found]

    def above(self, asked: Asked, groups: Rows, least: float, selector: Any = None) -> Rows:
        """The rows of some groups whose bounds exceed one: int64 of shape (m,), in any order."""
        if not len(groups):  # FAISS wants one
            return np.empty(0, np.int64)
        near, result = asked.near[groups], faiss.RangeSearchResult(1)
        self._lists.range_search_preassigned_c(
            *(1, faiss.swig_ptr(asked.folded), least),
            *(faiss.swig_ptr(groups), faiss.swig_ptr(near)),
            result,
            False,
            _of(groups, selector),
        )
        found = int(faiss.rev_swig_ptr(result.lims, 2)[1])
        rows: Rows = faiss.rev_swig_ptr(result.labels, found).copy()
        return rows

    @property
    def _of_lost(self) -> slice:
        """Where a row's bytes tell what the others lose of it."""
        return slice(self._kept, self._kept + 1 + len(self._parts))

    def _blocks(self, numbers: Rows) -> Iterator[tuple[Rows, Rows, Rows, Floats]]:
        """Of a block its groups, where each begins, its rows group by group, and their vectors."""
        for part in blocks_of(len(numbers)):
            order = np.argsort(numbers[part], kind="stable")
            groups, starts = np.unique(numbers[part][order], return_index=True)
            yield groups, starts, order + part.start, self._vectors[part][order]

    def _middles(self, numbers: Rows) -> Floats:
        """The mean of each group: float32 of shape (groups, d)."""
        sums = np.zeros((len(self.sizes), self._vectors.shape[1]), np.float32)
        for groups, starts, _, vectors in self._blocks(numbers):
            sums[groups] += np.add.reduceat(vectors, starts)
        sums /= self.sizes[:, None]
        return sums

    def _directions(self, numbers: Rows, centres: Floats) -> tuple[Floats, Floats]:
        """A basis of how rows lie about their centres, (d, kept), and the steps of the bytes."""
        random = np.random.default_rng(0)
        rows = np.sort(random.permutation(len(numbers))[:_BASIS_ROWS])
        sample = self._vectors[rows] - centres[numbers[rows]]
        basis = _main_directions(sample, self._kept)
        steps = np.zeros(self._width, np.float32)
        steps[: self._kept] = np.abs(sample @ basis).max(axis=0, initial=1e-6) / _HIGHEST
        return basis, steps

    def _filled(self, numbers: Rows, centres: Floats) -> Any:
        """What FAISS scans: a list a group, of each row's bytes."""
        width, steps = len(self._steps), self._steps[: self._kept]
        quantizer = faiss.IndexFlatIP(width)
        lists = faiss.IndexIVFScalarQuantizer(
            *(quantizer, width, len(self.sizes), faiss.ScalarQuantizer.QT_8bit_uniform),
            *(faiss.METRIC_INNER_PRODUCT, True),
        )
        # A byte of FAISS, from 0 to 255, is a number from the lowest on.
        faiss.copy_array_to_vector(np.array([_LOWEST - 0.5, 255], np.float32), lists.sq.trained)
        lists.is_trained, lists.ntotal = True, len(numbers)
        held = []
        inside: Any = lists.invlists
        for group, size in enumerate(self.sizes.tolist()):
            inside.resize(group, size)
            codes = faiss.rev_swig_ptr(inside.get_codes(group), size * width)
            ids = faiss.rev_swig_ptr(inside.get_ids(group), size)
            held.append((codes.reshape(size, width), ids))
        filled = np.zeros(len(self.sizes), np.int64)
        lost = np.empty((len(numbers), 1 + len(self._parts)), np.float32)
        for groups, starts, rows, vectors in self._blocks(numbers):
            beyond = vectors - centres[numbers[rows]]
            kept = beyond @ self._basis
            beyond -= kept @ self._basis.T
            told: Floats = np.rint(kept / steps).clip(_LOWEST, _HIGHEST)
            parts = [_lengths(beyond[:, part]) for part in self._parts]
            apart = kept - told * steps
            lost[rows] = np.stack([_lengths(apart), *parts], axis=1)
            farthest = np.maximum.reduceat(np.stack([_lengths(kept), *parts], axis=1), starts)
            self._reaches[groups] = np.maximum(self._reaches[groups], farthest)
            as_bytes = (told - _LOWEST).astype(np.uint8)
            for group, start, stop in zip(groups, starts, [*starts[1:], len(rows)], strict=True):
                codes, ids = held[group]
                free = slice(filled[group], filled[group] + stop - start)
                codes[free, : self._kept], ids[free] = as_bytes[start:stop], rows[start:stop]
                filled[group] = free.stop
        # Rounded up: what is lost is never told too small.
        of_lost = lost.max(axis=0, initial=1e-12) / (_HIGHEST - _LOWEST)
        self._steps[self._of_lost] = of_lost
        for codes, ids in held:
            codes[:, self._of_lost] = np.ceil(lost[ids] / of_lost).clip(0, 255)
        return lists


def _of(groups: Rows, selector: Any) -> Any:
    return faiss.SearchParametersIVF(nprobe=len(groups), sel=selector)  # type: ignore[call-arg]


def _length(vector: Floats) -> float:
    return float(np.sqrt(vector @ vector))


def _lengths(vectors: npt.NDArray[np.floating]) -> Floats:
    lengths: Floats = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    return lengths


def _main_directions(vectors: Floats, count: int) -> Floats:
    """An orthonormal basis of where vectors mostly lie: float32 of shape (d, count).

    Any basis gives bounds; the better it is, the fewer rows are looked at.
    Source: orthogonal iteration, Golub & Van Loan, Matrix Computations, 8.2.4.
    """
    random = np.random.default_rng(0)
    basis = random.standard_normal((vectors.shape[1], count), dtype=np.float32)
    for _ in range(_BASIS_ROUNDS):
        basis = np.linalg.qr(vectors.T @ (vectors @ basis))[0]
    return basis
