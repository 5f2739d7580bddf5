"""What becomes of the rows that a search found: pure NumPy over rows and scores."""

import numpy as np
import numpy.typing as npt


def first_of_each(groups: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Mark the first of each group, so that the best of identical pictures is kept.

    Args:
        groups: int64 of shape (m,), the group of each candidate, best candidate first.

    Returns:
        bool of shape (m,).

    >>> first_of_each(np.array([7, 3, 7, 7, 3, 1])).tolist()
    [True, True, False, False, False, True]
    """
    first = np.zeros(len(groups), dtype=bool)
    first[np.unique(groups, return_index=True)[1]] = True
    return first


def put_first(
    firsts: npt.NDArray[np.int64],
    score: float | npt.NDArray[np.float32],
    scores: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Let some rows come before all others, whatever they scored.

    Args:
        firsts: int64 of shape (f,), in their order.
        score: theirs, unless the best of the others has more.
        scores: float32 of shape (m,), falling.
        rows: int64 of shape (m,), which may hold some of `firsts`.

    Returns:
        Scores, float32 of shape (n,), falling, and their rows, int64 of shape (n,).

    >>> scores = np.array([0.95, 0.5, 0.25], np.float32)
    >>> put_first(np.array([7]), 0.5, scores, np.array([3, 7, 1]))[1].tolist()
    [7, 3, 1]
    """
    others = ~np.isin(rows, firsts)
    best = max(float(score), *scores[others][:1].tolist()) if others.any() else score
    theirs = np.full(len(firsts), best, dtype=scores.dtype)
    return np.concatenate([theirs, scores[others]]), np.concatenate([firsts, rows[others]])
