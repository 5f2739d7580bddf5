"""What a version of a store knows of pictures, which the next one need not look at again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recommender.catalog.views import table_of
from recommender.errors import StoreError
from recommender.index.embeddings import Floats, Rows
from recommender.schema import keys_of
from recommender.store.parts import InParts


class ByPicture(Mapping[str, Floats]):
    """`image_hash` -> float32 of shape (d,): rows of an array, which may lie on disk until then."""

    def __init__(
        self,
        pictures: pa.Array | Sequence[str] = (),
        values: Floats | InParts | None = None,
        rows: Rows | None = None,
    ) -> None:
        """Args:
        pictures: m of them, by their `image_hash`; of equal ones the first counts.
        values: float32 of shape (n, d).
        rows: int64 of shape (m,), which of the values are theirs; one after the other if None.
        """
        self._pictures = pictures if isinstance(pictures, pa.Array) else _texts(pictures)
        self._values = np.empty((0, 0), np.float32) if values is None else values
        self._rows = np.arange(len(self._pictures)) if rows is None else rows

    def __getitem__(self, picture: str) -> Floats:
        value: Floats = self._values[self._row[picture]]
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._row)

    def __len__(self) -> int:
        return len(self._row)

    def __contains__(self, picture: object) -> bool:
        return picture in self._row

    @cached_property
    def _row(self) -> dict[str, int]:
        pairs = zip(self._pictures.to_pylist(), self._rows.tolist(), strict=True)
        return dict(reversed([*pairs]))

    def among(self, pictures: Iterable[str]) -> "ByPicture":
        """What is known of these alone: looking them up one by one takes a table of all there are,
        which of a million pictures takes half a second.
        """
        chosen = pc.is_in(self._pictures, value_set=_texts(pictures))
        rows = self._rows[chosen.to_numpy(zero_copy_only=False)]
        return ByPicture(self._pictures.filter(chosen), self._values, rows)

    def fill(self, pictures: pa.Array, values: Floats) -> Rows:
        """Put what is known of pictures into rows of values; which are not is returned, int64."""
        found = pc.index_in(pictures, value_set=self._pictures).fill_null(-1).to_numpy()
        if (known := found >= 0).any():
            values[known] = self._values[self._rows[found[known]]]
        return np.flatnonzero(~known)


def pictures_of(items: datasets.Dataset, ids: Rows) -> tuple[Rows, pa.Array]:
    """Which rows of a catalog some keys are, int64, and the `image_hash` of each.

    Raises:
        StoreError: the catalog has not all of them.
    """
    table = table_of(items, ["id", "image_hash"])
    rows = pd.Index(keys_of(table["id"].to_numpy())).get_indexer(pd.Index(ids)).astype(np.int64)
    if len(rows) and rows.min() < 0:
        raise StoreError("The index is of another catalog: build the index again.")
    return rows, table["image_hash"].combine_chunks().take(pa.array(rows))


def _texts(texts: Iterable[str]) -> pa.Array:
    return pa.array(texts, pa.string())
