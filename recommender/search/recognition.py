"""Which picture of the gallery a query shows, if it shows one: saved again, cut, taken darker.

The expected agreement does not tell: it puts the surest items first, not the most alike.
"""

from typing import NamedTuple

import numpy as np

from recommender.encoding.agreement import LOOKS, Agreement
from recommender.index.embeddings import Floats, Mask, Rows, Vectors
from recommender.index.exact import ExactSearch, products
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


_TELLS = 1 - (1 - ALIKE) / RATIO**2
"""The cosine that the next picture has where the nearest is just alike and just stands out: one
that is farther away changes nothing."""
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


class Looks:
    """Those of some of a gallery's rows, as vectors by themselves: of shape (m, looks_dim)."""

    def __init__(self, agreement: Agreement, vectors: Floats, rows: Rows) -> None:
        """Args:
        agreement: how an embedding holds looks.
        vectors: float32 of shape (n, dim), the gallery's.
        rows: int64 of shape (m,), which of them.
        """
        self.shape = (len(rows), agreement.looks_dim)
        self._agreement, self._vectors, self._rows = agreement, vectors, rows

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Rows | slice, /) -> Floats:
        return self._agreement.looks(self._vectors[self._rows[rows]])

    def products(self, query: Floats, rows: Rows | None = None) -> Floats:
        """As `index.exact.products`."""
        asked = np.zeros(self._agreement.dim, np.float32)
        asked[: len(query)] = query / np.float32(np.sqrt(self._agreement.weights[LOOKS]))
        return products(asked, self._vectors, self._rows if rows is None else self._rows[rows])


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
        index: of the gallery; where rows are found in memory, looks are searched by themselves.
        pictures: int64 of shape (n,), equal where the picture is.
        further: other pictures of the items, of a gallery in memory that has some.
        """
        self._agreement, self._index, self._pictures = agreement, index, pictures
        self._rows, self._viewed = np.arange(len(pictures)), further is not None
        self._looks = None
        if index.in_memory:
            vectors = [index.vectors[:]]
            if further is not None:
                self._rows = np.concatenate([self._rows, further.rows])
                self._pictures = np.concatenate([pictures, further.pictures])
                vectors.append(further.vectors)
            numbers, first = np.unique(self._pictures, return_index=True)
            looks: Vectors = Looks(agreement, vectors[0], first)
            if further is not None:
                own = first < len(pictures)
                chosen = [first[own], first[~own] - len(pictures)]
                both = zip(vectors, chosen, strict=True)
                looks = np.concatenate([agreement.looks(v[at]) for v, at in both])
            self._numbers, self._looks = numbers, ExactSearch(looks)

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
        if self._looks is not None:
            return self._two_that_count(self._looks, looks)
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
        seen = (Looks(self._agreement, self._index.vectors[:], pair) for pair in two)
        both = [its.products(own) for own, its in zip(looks, seen, strict=True)]
        return np.array(both, np.float32), nearest

    def _two_that_count(self, seen: ExactSearch, looks: Floats) -> tuple[Floats, Rows]:
        """The same, as far as they can tell anything: a next one that is far is as good as none.

        Where items have several pictures, the next one is of no item of the nearest. NaN where no
        picture is alike, or there is nothing to compare with.
        """
        two, nearest = np.full((len(looks), 2), np.nan, np.float32), np.zeros(len(looks), np.int64)
        for at, own in enumerate(looks):
            cosines, columns = seen.above(own, _TELLS)
            if not len(cosines):
                continue
            first = int(cosines.argmax())
            nearest[at], others = self._numbers[columns[first]], np.ones(len(self._numbers), bool)
            others[columns[first]] = False
            if self._viewed:
                theirs = np.isin(self._rows, self._rows[self._pictures == nearest[at]])
                others = ~np.isin(self._numbers, self._pictures[theirs])
            if others.any():
                next_one = cosines[others[columns]].max(initial=np.float32(_TELLS))
                two[at] = cosines[first], next_one
        return two, nearest
