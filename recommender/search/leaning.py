"""Words that no column states move what a picture asks for, where an encoder only has looks.

An encoder with heads holds what is believed in blocks, in which words have the say of what they
state (`Words.stating`). A CLIP or a SigLIP has none: it puts a picture and words into one space,
where a mixture of the two is near pictures that are like both.
"""

import numpy as np

from recommender.index.embeddings import Floats

WEIGHT = 0.6
"""What words count beside a picture.

Chosen on dev, items asking with another colour, pattern, sleeve length, fabric or type in a gallery
of which nothing but pictures is known, for which our own text tower and embeddings stood in.
"""
DRAWN = 2048
"""So many items tell how far apart a query's scores lie."""


def leaning(pictures: Floats, words: Floats, drawn: Floats) -> Floats:
    """Pictures that ask, moved towards words: float32 of shape (q, dim), unit rows.

    Cosines of words with pictures differ far less from item to item than those between pictures,
    how much less is up to the model. So either is divided by the spread of its own scores first.

    Args:
        pictures: float32 of shape (q, dim), unit rows.
        words: float32 of shape (1, dim), a unit row.
        drawn: float32 of shape (m, dim), some of the gallery's items.
    """
    moved = pictures / _spread(pictures, drawn) + WEIGHT * words / _spread(words, drawn)
    unit: Floats = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return unit.astype(np.float32, copy=False)


def _spread(vectors: Floats, drawn: Floats) -> Floats:
    """The standard deviation of each one's scores, (q, 1); one where all items are the same to it.

    >>> _spread(np.float32([[1, 0]]), np.float32([[1, 0], [1, 0]])).tolist()
    [[1.0]]
    """
    spread: Floats = (vectors @ drawn.T).std(axis=1, keepdims=True)  # (q, d) @ (d, m) -> (q, m)
    return np.where(spread > 1e-6, spread, np.float32(1))
