"""Rows that are found by further vectors, too: a row's score is the best that one of them has.

Only a gallery with further views of an item has them; others are searched as they were.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from recommender.index.bounds import Alike
from recommender.index.embeddings import Floats, Mask, Rows, Vectors
from recommender.index.exact import ExactSearch, products
from recommender.index.protocol import Change, Condition, Found, VectorIndex

_SPARE = 16


@dataclass(frozen=True, kw_only=True)
class Views:
    """Further pictures of a gallery's items, v of them.

    Attributes:
        rows: int64 of shape (v,), the row that each is of, rising.
        numbers: int64 of shape (v,), which of its item's pictures it is: 2 for the first of these.
        pictures: v hashes of their pixels.
        vectors: float32 of shape (v, d), unit rows.
    """

    rows: Rows
    numbers: Rows
    pictures: Sequence[str]
    vectors: Floats


class ViewedIndex:
    """A `VectorIndex` whose rows have views."""

    def __init__(self, own: VectorIndex, views: Views, vectors: Vectors | None = None) -> None:
        """Args:
        own: finds rows by their own vectors.
        views: of them.
        vectors: the views' where others are meant than theirs: float32 of shape (v, d).
        """
        self.ids, self.vectors, self.metric = own.ids, own.vectors, own.metric
        self.in_memory = own.in_memory
        self._own, self._views = own, views
        self._vectors: Vectors = views.vectors if vectors is None else vectors
        self._further = ExactSearch(self._vectors)

    def __len__(self) -> int:
        return len(self._own)

    @property
    def found_by(self) -> Found:
        """See `VectorIndex`."""
        return self._own.found_by

    def search(
        self,
        queries: Floats,
        k: int,
        allowed: Mask | None = None,
        where: Sequence[Condition] | None = None,
    ) -> tuple[Floats, Rows]:
        """See `VectorIndex`.

        Whoever is among the best k has a place among the k best own vectors or the k best items of
        the views: k others that come before it in one of these come before it in all.
        """
        scores, rows = self._own.search(queries, k, allowed, where)
        k = scores.shape[1]
        mask = None if allowed is None else allowed[self._views.rows]
        there = len(self._views.rows) if mask is None else int(np.count_nonzero(mask))
        if not (k and there):
            return scores, rows
        best = np.full_like(scores, -np.inf), np.full_like(rows, -1)
        left, limit = np.arange(len(queries)), min(k + _SPARE, there)
        while len(left):
            asked = np.ascontiguousarray(queries[left])
            cosines, found = self._further.search(asked, limit, mask)
            further = self._views.rows[found]
            done = np.array([len(np.unique(items)) >= k for items in further]) | (limit == there)
            for at, part in zip(left[done], np.flatnonzero(done), strict=True):
                both = np.concatenate([rows[at], further[part]])
                graded = np.concatenate([scores[at], self.score_of(cosines[part])])
                order = np.lexsort((both, -graded))
                order = order[both[order] >= 0]  # an approximate index leaves places empty
                order = order[np.sort(np.unique(both[order], return_index=True)[1])][:k]
                best[0][at, : len(order)], best[1][at, : len(order)] = graded[order], both[order]
            left, limit = left[~done], min(4 * limit, there)
        return best

    def score_of(self, cosines: Floats) -> Floats:
        """What the index's metric makes of cosines."""
        return self._own.score_of(cosines)

    def scores(self, query: Floats, rows: Rows | None = None) -> Floats:
        """See `VectorIndex`."""
        rows = np.arange(len(self)) if rows is None else rows
        best = np.full(len(self), -np.inf, np.float32)
        best[rows] = self._own.scores(query, rows)
        further = self.score_of(products(query, self._vectors))
        np.maximum.at(best, self._views.rows, further)
        return best[rows]

    def nearest_picture(self, row: int, query: Floats) -> tuple[int, Floats]:
        """See `VectorIndex`."""
        its = np.flatnonzero(self._views.rows == row)
        vectors = np.concatenate([self.vectors[row : row + 1], self._vectors[its]])
        nearest = int((vectors @ query).argmax())
        number = 1 if nearest == 0 else int(self._views.numbers[its[nearest - 1]])
        return number, vectors[nearest]

    def grouped(self, alike: Callable[[Vectors], Alike | None]) -> "ViewedIndex":
        """See `VectorIndex`; the views are ready, as they are."""
        same = copy(self)
        same._own = self._own.grouped(alike)
        return same

    def again(self, name: str, change: Change, alike: Alike | None = None) -> "ViewedIndex":
        """See `VectorIndex`; so are the views'."""
        vectors = change(self._vectors[:], self._views.rows)
        return ViewedIndex(self._own.again(name, change, alike), self._views, vectors)
