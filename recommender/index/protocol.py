"""What finds rows: an index in this process (`faiss`), or a database beside it (`milvus`)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from recommender.index.bounds import Alike
from recommender.index.embeddings import Floats, Mask, Rows, Vectors
from recommender.index.exact import products

Metric = Literal["cosine", "euclidean"]
"""What a score is: the cosine, or minus the Euclidean distance."""

Found = Literal["memory", "milvus", "disk"]
"""Where rows are found: in this process' memory, by Milvus, or in the store's file."""

Change = Callable[[Floats, slice | Rows], Vectors]
"""Vectors, float32 of shape (m, d), and the rows that they are of -> others, unit rows too."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What is asked of one column.

    Attributes:
        column: its name.
        values: any of them will do, None for a missing one.
        bounds: least and most of a number, instead of values.
    """

    column: str
    values: tuple[Any, ...] = ()
    bounds: tuple[float, float] | None = None


class VectorIndex(Protocol):
    """Rows nearest to a query, with or without a filter. Thread-safe.

    Attributes:
        ids: int64 of shape (n,), the id of each row.
        vectors: float32 of shape (n, d), unit rows, what a score is exact against; perhaps on disk,
            from where what is asked of them is read.
        metric: what a score is.
        in_memory: whether rows are found in this process' memory.
    """

    ids: Rows
    vectors: Vectors
    metric: Metric
    in_memory: bool

    def __len__(self) -> int: ...

    @property
    def found_by(self) -> Found:
        """Where what is asked now is searched."""

    def search(
        self,
        queries: Floats,
        k: int,
        allowed: Mask | None = None,
        where: Sequence[Condition] | None = None,
    ) -> tuple[Floats, Rows]:
        """Find the k best rows for each query.

        Args:
            queries: float32 of shape (q, d), rows of about length one.
            k: how many, at most.
            allowed: bool of shape (n,), the rows that may be found; all where None.
            where: what `allowed` comes of, all of it, for who tests columns where they are; None
                where the mask alone tells.

        Returns:
            Scores, float32 of shape (q, m), falling, and their rows, int64 of shape (q, m), where
            m is k or, where there are fewer, the number of rows allowed. Of equal scores the
            earlier rows are taken, and stand first. Without a filter an approximate index may find
            fewer: those columns hold -inf, -1.
        """

    def score_of(self, cosines: Floats) -> Floats:
        """What the metric makes of cosines."""

    def scores(self, query: Floats, rows: Rows | None = None) -> Floats:
        """The score of each row, or of some.

        Args:
            query: float32 of shape (d,), of about length one.
            rows: int64 of shape (m,); all where None.

        Returns:
            float32 of shape (m,), perhaps rounded otherwise than those of `search`.
        """

    def nearest_picture(self, row: int, query: Floats) -> tuple[int, Floats]:
        """By which of its pictures a row is found.

        Args:
            row: of the index.
            query: float32 of shape (d,).

        Returns:
            Its number, 1 for the item's own, and its vector, float32 of shape (d,).
        """

    def grouped(self, alike: Callable[[Vectors], Alike | None]) -> "VectorIndex":
        """The same, made ready to be searched.

        Args:
            alike: which vectors are, where somebody knows; asked if that makes a search faster.
        """

    def again(self, name: str, change: Change, alike: Alike | None = None) -> "VectorIndex":
        """The same rows by other vectors.

        Args:
            name: what those are called where several are held.
            change: makes them.
            alike: which of those are, where somebody knows.
        """


class OneVectorEach:
    """What an index does whose rows have one vector each: `ids`, `vectors`, `metric` as above."""

    ids: Rows
    vectors: Vectors
    metric: Metric

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def found_by(self) -> Found:
        """See `VectorIndex`."""
        return "memory"

    def score_of(self, cosines: Floats) -> Floats:
        """See `VectorIndex`."""
        return score_of(cosines, self.metric)

    def scores(self, query: Floats, rows: Rows | None = None) -> Floats:
        """See `VectorIndex`."""
        return self.score_of(products(query, self.vectors, rows))

    def nearest_picture(self, row: int, query: Floats) -> tuple[int, Floats]:
        """See `VectorIndex`; each row has one here."""
        return 1, self.vectors[row : row + 1][0]


def score_of(cosines: Floats, metric: Metric) -> Floats:
    """What a metric makes of cosines: themselves, or minus the distances."""
    if metric == "cosine":
        return cosines
    scores: Floats = -np.sqrt(np.maximum(2 - 2 * cosines, 0))  # |a - b|² = 2 - 2ab for unit a, b
    return scores
