"""An index whose rows Milvus finds.

A row of the collection is named by what is in it, so that versions of a store lie beside each
other: whoever reads one finds its rows and no others, while the next is written. A marker, written
last, says that a version is whole. What Milvus finds is scored by the store's own vectors, which
stay on disk; they are searched themselves where Milvus is away.
"""

import logging
import time
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from typing import Any

import numpy as np

from recommender.errors import ClusterError
from recommender.index.bounds import Alike
from recommender.index.embeddings import Floats, Mask, Rows, Vectors
from recommender.index.exact import products, scan
from recommender.index.milvus import MOST, Collection
from recommender.index.protocol import Change, Condition, Found, Metric, OneVectorEach

log = logging.getLogger(__name__)

_SPARE = 16
_ROUNDING = 1e-5
_PAUSE_SECONDS = 15.0
"""How long a server that failed is not asked."""
_SURE_SECONDS = 60.0
"""How long a version that was there is taken to be, which another's update may take away."""


class Held:
    """A version of a store, as far as a collection has it and can be reached. Thread-safe."""

    def __init__(self, collection: Collection, keys: Rows, marker: int) -> None:
        """Args:
        collection: is asked.
        keys: int64 of shape (n,), of each row of the version.
        marker: the key of the row that says that it is whole.
        """
        self.collection, self._marker = collection, marker
        self._order = np.argsort(keys)
        self._sorted = keys[self._order]
        self._checked, self._checking = False, Lock()
        self._asked_again = 0.0
        self._said = ""

    def rows(self, keys: Rows) -> Rows:
        """The rows of keys, -1 for those of other versions."""
        at = np.minimum(np.searchsorted(self._sorted, keys), len(self._sorted) - 1)
        return np.where(self._sorted[at] == keys, self._order[at], -1)

    def check(self) -> None:
        """See whether Milvus has the version as of now; what changes of that is logged."""
        try:
            if not self.collection.holds(self._marker):
                raise ClusterError(
                    f"Milvus at {self.collection.config.place} does not hold this store as it is "
                    "now: run `python -m scripts.load_milvus`."
                )
        except ClusterError as error:
            self._left(error)
            return
        self._checked, self._asked_again = True, time.monotonic() + _SURE_SECONDS
        if self._said:
            log.info("Milvus answers again.")
            self._said = ""

    @property
    def answers(self) -> bool:
        """Whether it did when it was last asked."""
        return self._checked

    def nearest(self, *question: Any) -> list[list[tuple[int, float]]] | None:
        """As `Collection.nearest`; None while that cannot be told, for which nobody waits."""
        due = time.monotonic() >= self._asked_again
        if due and self._checking.acquire(blocking=False):
            Thread(target=self._check_beside, name="milvus-check", daemon=True).start()
        if not self._checked:
            return None
        try:
            return self.collection.nearest(*question)
        except ClusterError as error:
            self._left(error)
            return None

    def _check_beside(self) -> None:
        try:
            self.check()
        finally:
            self._checking.release()

    def _left(self, error: ClusterError) -> None:
        self._checked, self._asked_again = False, time.monotonic() + _PAUSE_SECONDS
        if str(error) != self._said:
            log.warning("%s Meanwhile the store's own file is searched: slower.", error)
        self._said = str(error)


class MilvusIndex(OneVectorEach):
    """A `VectorIndex` over a collection."""

    in_memory = False

    def __init__(self, held: Held, name: str, ids: Rows, vectors: Vectors, metric: Metric) -> None:
        """Args:
        held: the version that is searched.
        name: which of a row's vectors.
        ids: int64 of shape (n,), of its rows.
        vectors: the same, in this order, on disk.
        metric: what a score is.
        """
        self.ids, self.vectors, self.metric = ids, vectors, metric
        self._held, self._name = held, name

    @property
    def found_by(self) -> Found:
        """See `VectorIndex`."""
        return "milvus" if self._held.answers else "disk"

    def grouped(self, alike: Callable[[Vectors], Alike | None]) -> "MilvusIndex":
        """See `VectorIndex`; Milvus sees that itself."""
        return self

    def again(self, name: str, change: Change, alike: Alike | None = None) -> "MilvusIndex":
        """See `VectorIndex`."""
        vectors = change(self.vectors[:], slice(None))
        return MilvusIndex(self._held, name, self.ids, vectors, self.metric)

    def search(
        self,
        queries: Floats,
        k: int,
        allowed: Mask | None = None,
        where: Sequence[Condition] | None = None,
    ) -> tuple[Floats, Rows]:
        """See `VectorIndex`; a mask without conditions is answered from disk, exactly."""
        k = min(k, len(self) if allowed is None else int(np.count_nonzero(allowed)))
        best = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        known = allowed is None or bool(allowed.all()) or where is not None
        left = np.arange(len(queries))
        limit = k + _SPARE
        while k and known and len(left) and limit <= MOST:
            conditions = self._held.collection.expression(where or ())
            found = self._held.nearest(self._name, queries[left], limit, conditions)
            if found is None:
                break
            done = np.zeros(len(left), dtype=bool)
            for place, (at, hits) in enumerate(zip(left, found, strict=True)):
                scores, rows = self._scored(queries[at], hits, allowed)
                # Nothing beyond the last that was found is as good as the k-th.
                if len(rows) >= k and (
                    len(hits) < limit or hits[-1][1] < scores[k - 1] - _ROUNDING
                ):
                    best[0][at], best[1][at] = scores[:k], rows[:k]
                    done[place] = True
            if all(len(hits) < limit for hits in found):
                left = left[~done]
                break  # that was all there is: what an index did not find is on disk
            left, limit = left[~done], 4 * limit
        if k and len(left):
            best[0][left], best[1][left] = scan(queries[left], self.vectors, k, allowed)
        return self.score_of(best[0]), best[1]

    def _scored(
        self, query: Floats, hits: Sequence[tuple[int, float]], allowed: Mask | None
    ) -> tuple[Floats, Rows]:
        """What was found of this version and may be, best first: float32 and int64, (m,)."""
        rows = self._held.rows(np.array([key for key, _ in hits], dtype=np.int64))
        rows = rows[rows >= 0]
        if allowed is not None:
            rows = rows[allowed[rows]]
        scores = products(query, self.vectors, rows)
        order = np.lexsort((rows, -scores))
        return scores[order], rows[order]
