"""What becomes of the rows that a search found: candidates -> candidates, pure NumPy."""

from typing import NamedTuple

import numpy as np

from recommender.index.embeddings import Floats, Mask, Rows


class Candidates(NamedTuple):
    """The pool before it is cut to k, best first.

    Attributes:
        rows: int64 of shape (m,).
        scores: float32 of shape (m,), falling.
    """

    rows: Rows
    scores: Floats

    def where(self, keep: Mask) -> "Candidates":
        """Those that a mask of shape (m,) keeps."""
        return Candidates(self.rows[keep], self.scores[keep])

    def cut(self, k: int) -> "Candidates":
        """The first k."""
        return Candidates(self.rows[:k], self.scores[:k])


def without(candidates: Candidates, excluded: Rows) -> Candidates:
    """Leave some rows out, and the empty places (-1) of an approximate search.

    >>> scores = np.array([0.9, 0.8, -np.inf], np.float32)
    >>> without(Candidates(np.array([4, 2, -1]), scores), np.array([4])).rows.tolist()
    [2]
    """
    keep = candidates.rows >= 0
    if len(excluded):
        keep &= ~np.isin(candidates.rows, excluded)
    return candidates.where(keep)


def first_of_each(candidates: Candidates, groups: Rows) -> Candidates:
    """Keep the first of each group, so that the best of identical pictures is shown.

    Args:
        candidates: m of them.
        groups: int64 of shape (n,), the group of each row.

    >>> candidates = Candidates(np.arange(6), np.linspace(1, 0, 6, dtype=np.float32))
    >>> first_of_each(candidates, np.array([7, 3, 7, 7, 3, 1])).rows.tolist()
    [0, 1, 5]
    """
    first = np.zeros(len(candidates.rows), dtype=bool)
    first[np.unique(groups[candidates.rows], return_index=True)[1]] = True
    return candidates.where(first)


def put_first(candidates: Candidates, firsts: Rows, score: float | Floats) -> Candidates:
    """Let some rows come before all others, whatever they scored.

    Args:
        candidates: m of them, which may hold some of `firsts`.
        firsts: int64 of shape (f,), in their order.
        score: theirs, unless the best of the others has more.

    >>> scores = np.array([0.95, 0.5, 0.25], np.float32)
    >>> put_first(Candidates(np.array([3, 7, 1]), scores), np.array([7]), 0.5).rows.tolist()
    [7, 3, 1]
    """
    others = candidates.where(~np.isin(candidates.rows, firsts))
    best = max(float(score), *others.scores[:1].tolist()) if len(others.rows) else score
    raised = np.full(len(firsts), best, dtype=candidates.scores.dtype)
    return Candidates(
        np.concatenate([firsts, others.rows]), np.concatenate([raised, others.scores])
    )


def diverse(candidates: Candidates, looks: Floats, kinds: Rows, k: int, share: float) -> Candidates:
    """Choose k that are good and look little like each other, one after the other.

    As many of each kind are chosen as are among the best k, so that what is unlike in looks is
    nothing else.

    Args:
        candidates: m of them.
        looks: float32 of shape (m, d), unit rows, how each looks.
        kinds: int64 of shape (m,), from 0, what kind of thing each is.
        k: how many, at most.
        share: from 0 to 1, what it counts against a candidate that it looks like one chosen before;
            the rest is what its score counts.

    Returns:
        Those chosen, by their scores again.

    Source: maximal marginal relevance, Carbonell & Goldstein, SIGIR 1998; proportions that are
    kept, Steck, Calibrated Recommendations, RecSys 2018.

    >>> found = Candidates(np.array([4, 5, 6, 7]), np.array([0.9, 0.9, 0.8, 0.7], np.float32))
    >>> looks = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    >>> diverse(found, looks, np.array([0, 0, 1, 0]), 2, 0.5).rows.tolist()
    [4, 7]
    """
    worth = (1 - share) * candidates.scores
    nearest = np.zeros_like(worth)  # how much it looks like the nearest that was chosen
    chosen = np.zeros(len(worth), dtype=bool)
    left = np.bincount(kinds[:k], minlength=kinds.max(initial=0) + 1)  # of each kind
    for _ in range(min(k, len(worth))):
        able = ~chosen & (left[kinds] > 0)
        best = int(np.where(able, worth - share * nearest, -np.inf).argmax())
        chosen[best] = True
        left[kinds[best]] -= 1
        nearest = np.maximum(nearest, looks @ looks[best])  # (m, d) @ (d,) -> (m,)
    return candidates.where(chosen)
