"""Fuse, mask, diversify: pure NumPy over rows and scores."""

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
