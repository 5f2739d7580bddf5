"""One order of items out of several: what words state comes first, then ranks are added up.

An item that is all that the words state comes before one that is less of it. Among equals, the
reciprocal ranks count that it has by its embedding and by its texts' words.
Source: Cormack, Clarke & Büttcher, Reciprocal Rank Fusion, SIGIR 2009.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recommender.index.embeddings import Floats, Mask, Rows
from recommender.search.ranking import Candidates
from recommender.search.said import Said

_DAMPING = 60
"""What is added to a rank; theirs."""
_SIGNALS = 2
_MOST = _SIGNALS / (_DAMPING + 1)
"""What ranks can add up to."""
_DEEP = 200
"""So many of each order have a rank, at least."""


class Searched(Protocol):
    """What has a score for each row of a gallery, and finds the highest."""

    def __len__(self) -> int: ...

    def search(self, queries: Floats, k: int, allowed: Mask | None = None) -> tuple[Floats, Rows]:
        """As `VectorIndex.search`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Told:
    """What words say of each item of a gallery.

    Attributes:
        said: the words.
        stated: float32 of shape (n,), the share of what is stated that it is, 0 to 1.
        lexical: float32 of shape (n,), how well its texts go with the words; 0 if not at all.
        states: whether anything is stated that counts there.
        beside: whether a picture or an item asks too: of what is like it, texts say which.
        allowed: bool of shape (n,), the items within stated bounds; None where none are stated.
        ruled_out: bool of shape (n,), the items that are what is not wanted; None as well.
    """

    said: Said
    stated: Floats
    lexical: Floats
    states: bool
    allowed: Mask | None = None
    ruled_out: Mask | None = None
    beside: bool = False

    def within(self, allowed: Mask | None) -> Mask | None:
        """The rows that are not ruled out and keep to the stated bounds, as far as there are any.

        Who asks for both and can have one alone gets nothing that is ruled out.
        """
        wanted = None if self.ruled_out is None else ~self.ruled_out
        for mask in (wanted, self.allowed):
            if mask is not None:
                both = mask if allowed is None else allowed & mask
                allowed = both if both.any() else allowed
        return allowed

    def all_of(self, rows: Rows) -> Mask:
        """Which rows are all that is stated: bool of shape (m,)."""
        met: Mask = (self.stated[rows] > 1 - 1e-4) | (not self.states)
        if self.ruled_out is not None:
            met &= ~self.ruled_out[rows]
        return met if self.allowed is None else met & self.allowed[rows]


def find(
    index: Searched, query: Floats, told: Sequence[Told], count: int, allowed: Mask | None
) -> Candidates:
    """The best of what an embedding asks for, and words where there are `told`; see `fuse`."""
    if told:
        return fuse(index, query, told[0], count, allowed)
    scores, rows = index.search(query, count, allowed)
    return Candidates(rows[0], scores[0])


def fuse(
    index: Searched, query: Floats, told: Told, count: int, allowed: Mask | None
) -> Candidates:
    """The best of what an embedding and words ask for together.

    Args:
        index: of the gallery, perhaps one in which more counts.
        query: float32 of shape (1, dim), the embedding, of length one; or zeros.
        told: what the words say.
        count: how many, at most.
        allowed: bool of shape (n,), the rows that may be found; all where None.
    """
    allowed = told.within(allowed)
    rows = np.arange(len(index)) if allowed is None else np.flatnonzero(allowed)
    if not len(rows):
        return Candidates(rows, np.empty(0, np.float32))
    # No rank makes up for more than this: whoever states less cannot be among the best.
    stated = told.stated[rows]
    least = _level(stated, min(count, len(rows))) - _MOST
    near = np.zeros(len(index), dtype=bool)
    near[rows[stated >= least]] = True
    depth = max(_DEEP, 2 * count)
    near_rows = np.flatnonzero(near)
    orders = [index.search(query, depth, near)[1][0]] if query.any() else []
    alike = np.sort(orders[0]) if told.beside and orders else near_rows
    orders.append(_most(told.lexical, alike, depth))
    # What is stated is true of some items whatever ranks they have; without it, those alone count.
    others = _first(told.stated, near_rows, count) if told.said.statements else rows[:0]
    pool = np.unique(np.concatenate([*orders, others]))
    scores = told.stated[pool]
    for order in orders:
        at = np.searchsorted(pool, order)
        scores[at] += (1 / (_DAMPING + 1 + np.arange(len(order)))).astype(np.float32)
    best = np.lexsort((pool, -scores))[:count]
    return Candidates(pool[best], scores[best])


def _level(scores: Floats, count: int) -> np.float32:
    """The highest score that `count` have or exceed, at most as many as there are."""
    level: np.float32 = scores.max()
    # Items agree with what is stated in few ways, which a partition is slow at.
    while np.count_nonzero(scores >= level) < count:
        level = scores[scores < level].max()
    return level


def _most(scores: Floats, rows: Rows, count: int) -> Rows:
    """The rows of the highest scores above 0, the highest first, the earlier of equals."""
    return _first(scores, rows[scores[rows] > 0], count)


def _first(scores: Floats, rows: Rows, count: int) -> Rows:
    """The rows of the highest scores, the highest first, the earlier of equals."""
    if len(rows) > count:
        rows = rows[np.argpartition(-scores[rows], count - 1)[:count]]
    ordered: Rows = rows[np.lexsort((rows, -scores[rows]))]
    return ordered
