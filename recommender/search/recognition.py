"""Which picture of the gallery a query shows, if it shows one: saved again, cut, taken darker.

The expected agreement does not tell: it puts the surest items first, not the most alike.
"""

from typing import NamedTuple

import numpy as np

from recommender.encoding.agreement import Agreement
from recommender.index.embeddings import Embeddings, Floats, Mask, Rows
from recommender.index.exact import products
from recommender.index.faiss import IndexConfig, build_index
from recommender.index.protocol import VectorIndex

RATIO = 0.8
"""Of the distances to the nearest picture and to the next one. Source: Lowe, IJCV 2004, 7.1."""
ALIKE = 0.95
"""The least cosine between one picture's looks. Chosen on dev: of photographs of people's own
clothes, which no catalog has, one in eight has a nearest that stands out, at .90 to .945."""


def stands_out(nearest: Floats, next_one: Floats, ratio: float = RATIO) -> Mask:
    """Whether the nearest is alike, and nearer than the next one by the ratio.

    Args:
        nearest: float32 of any shape, cosines of looks with the nearest picture.
        next_one: float32 of the same shape, with the next one.
        ratio: of their distances, at most.
    """
    distances = np.sqrt(np.maximum(2 - 2 * np.stack([nearest, next_one]), 0))
    clear: Mask = (distances[0] <= ratio * distances[1]) & (nearest >= ALIKE)
    return clear


_FIRST = 8
"""Items that are looked at for two pictures, at first."""


class Recognised(NamedTuple):
    """A picture of the gallery.

    Attributes:
        rows: int64 of shape (m,), those that have it and may be found.
        cosine: float32 of shape (), between its looks and the query's.
    """

    rows: Rows
    cosine: Floats


class Further(NamedTuple):
    """Further pictures of a gallery's items, v of them.

    Attributes:
        rows: int64 of shape (v,), that they are of.
        pictures: int64 of shape (v,), equal where the picture is, that of an item too.
        vectors: float32 of shape (v, dim), their embeddings.
    """

    rows: Rows
    pictures: Rows
    vectors: Floats


class Recognition:
    """The looks of a gallery's pictures. Thread-safe."""

    def __init__(
        self,
        agreement: Agreement,
        index: VectorIndex,
        pictures: Rows,
        further: Further | None = None,
    ) -> None:
        """Args:
        agreement: how an embedding holds looks.
        index: of the gallery; where its vectors are in memory, looks are laid beside them.
        pictures: int64 of shape (n,), equal where the picture is.
        further: other pictures of the items, of a gallery in memory that has some.
        """
        self._agreement, self._index, self._pictures = agreement, index, pictures
        self._rows, self._viewed = np.arange(len(pictures)), further is not None
        self._looks = None
        if index.in_memory:
            vectors = [index.vectors]
            if further is not None:
                self._rows = np.concatenate([self._rows, further.rows])
                self._pictures = np.concatenate([pictures, further.pictures])
                vectors.append(further.vectors)
            numbers, first = np.unique(self._pictures, return_index=True)
            own = first < len(pictures)
            chosen = [first[own], first[~own] - len(pictures)]
            looks = [agreement.looks(v[at]) for v, at in zip(vectors, chosen, strict=False)]
            embeddings = Embeddings(numbers, np.concatenate(looks))
            self._looks = build_index(embeddings, IndexConfig())[0]

    def recognise(self, queries: Floats, allowed: Mask | None = None) -> list[Recognised | None]:
        """For each query the nearest picture, where it is much nearer than the next one.

        Args:
            queries: float32 of shape (q, d), embeddings.
            allowed: bool of shape (n,), the rows that may be found; all where None.
        """
        found: list[Recognised | None] = [None] * len(queries)
        if not len(self._pictures):
            return found
        cosines, nearest = self._two_pictures(self._agreement.looks(queries))
        if cosines.shape[1] == 2:
            for i in np.flatnonzero(stands_out(*cosines.T)):
                rows = self._rows[self._pictures == nearest[i]]
                rows = rows if allowed is None else rows[allowed[rows]]
                found[i] = Recognised(np.unique(rows), cosines[i, 0])
        return found

    def _two_pictures(self, looks: Floats) -> tuple[Floats, Rows]:
        """Cosines with the two nearest pictures, (q, 2) where there are two, and which is nearest.

        Args:
            looks: float32 of shape (q, looks_dim), unit rows.
        """
        if self._looks is not None and self._viewed:
            return self._two_items(self._looks, looks)
        if self._looks is not None:
            cosines, columns = self._looks.search(looks, 2)
            return cosines, self._looks.ids[columns[:, 0]]
        # Of a query that believes nothing an item's looks alone count, each item by itself.
        queries = np.zeros((len(looks), self._agreement.dim), np.float32)
        queries[:, : looks.shape[1]] = looks
        k, count = _FIRST, len(self._pictures)
        while True:
            _, rows = self._index.search(queries, k)
            pictures = self._pictures[rows]
            others = pictures != pictures[:, :1]
            if others.any(axis=1).all() or k >= count:
                break
            k *= 4  # a crowd of identical pictures: look further
        nearest = pictures[:, 0]
        if not others.any(axis=1).all():
            return np.empty((len(looks), 0), np.float32), nearest
        second = others.argmax(axis=1)
        two = np.stack([rows[:, 0], rows[np.arange(len(rows)), second]], axis=1)  # (q, 2)
        seen = self._agreement.looks(self._index.vectors[two.ravel()])
        return products(looks, seen, np.arange(two.size).reshape(two.shape)), nearest

    def _two_items(self, seen: VectorIndex, looks: Floats) -> tuple[Floats, Rows]:
        """The same where items have several pictures: the next one is of no item of the nearest."""
        cosines, columns = seen.search(looks, 1)
        nearest, both = seen.ids[columns[:, 0]], np.full((len(looks), 2), np.nan, np.float32)
        both[:, 0] = cosines[:, 0]
        for at, picture in enumerate(nearest):
            theirs = np.isin(self._rows, self._rows[self._pictures == picture])
            others = ~np.isin(seen.ids, self._pictures[theirs])
            next_one = seen.search(looks[at : at + 1], 1, others)[0]
            if next_one.size:  # else all that there is is of the same items: nothing to compare
                both[at, 1] = next_one[0, 0]
        return both, nearest
