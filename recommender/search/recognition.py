"""Which picture of the gallery a query shows, if it shows one: saved again, cut, taken darker.

The expected agreement does not tell: it puts the surest items first, not the most alike.
"""

from typing import NamedTuple

import numpy as np

from recommender.encoding.agreement import Agreement
from recommender.index.embeddings import Embeddings, Floats, Mask, Rows
from recommender.index.faiss import IndexConfig, build_index

RATIO = 0.8
"""Of the distances to the nearest picture and to the next one. Source: Lowe, IJCV 2004, 7.1."""


def stands_out(nearest: Floats, next_one: Floats, ratio: float = RATIO) -> Mask:
    """Whether the nearest is nearer than the next one by the ratio.

    Args:
        nearest: float32 of any shape, cosines of looks with the nearest picture.
        next_one: float32 of the same shape, with the next one.
        ratio: of their distances, at most.
    """
    distances = np.sqrt(np.maximum(2 - 2 * np.stack([nearest, next_one]), 0))
    clear: Mask = distances[0] <= ratio * distances[1]
    return clear


class Recognised(NamedTuple):
    """A picture of the gallery.

    Attributes:
        rows: int64 of shape (m,), those that have it and may be found.
        cosine: float32 of shape (), between its looks and the query's.
    """

    rows: Rows
    cosine: Floats


class Recognition:
    """The looks of a gallery's pictures, each picture once. Thread-safe."""

    def __init__(self, agreement: Agreement, vectors: Floats, pictures: Rows) -> None:
        """Index them.

        Args:
            agreement: how an embedding holds looks.
            vectors: float32 of shape (n, d), the gallery's embeddings.
            pictures: int64 of shape (n,), equal where the picture is.
        """
        numbers, first = np.unique(pictures, return_index=True)
        looks = agreement.looks(vectors[first])
        self._agreement, self._pictures = agreement, pictures
        self._index = build_index(Embeddings(numbers, looks), IndexConfig())[0]

    def recognise(self, queries: Floats, allowed: Mask | None = None) -> list[Recognised | None]:
        """For each query the nearest picture, where it is much nearer than the next one.

        Args:
            queries: float32 of shape (q, d), embeddings.
            allowed: bool of shape (n,), the rows that may be found; all where None.
        """
        found: list[Recognised | None] = [None] * len(queries)
        cosines, columns = self._index.search(self._agreement.looks(queries), 2)
        if cosines.shape[1] == 2:
            for i in np.flatnonzero(stands_out(*cosines.T)):
                shown = self._pictures == self._index.ids[columns[i, 0]]
                rows = np.flatnonzero(shown if allowed is None else shown & allowed)
                found[i] = Recognised(rows, cosines[i, 0])
        return found
