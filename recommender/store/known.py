"""What a version of a store knows of pictures, which the next one need not look at again."""

from collections.abc import Iterator, Mapping, Sequence

import datasets
import numpy as np
import pandas as pd

from recommender.catalog.views import table_of
from recommender.errors import StoreError
from recommender.index.embeddings import Floats, Rows
from recommender.schema import keys_of
from recommender.store.parts import InParts

Known = Mapping[str, Floats]
"""`image_hash` -> float32 of shape (d,)."""


class ByPicture(Known):
    """Such values as rows of an array, which may lie on disk until they are asked for."""

    def __init__(
        self, pictures: Sequence[str] = (), values: Floats | InParts | None = None
    ) -> None:
        """Args:
        pictures: n of them, by their `image_hash`; of equal ones the last counts.
        values: float32 of shape (n, d).
        """
        self._rows = dict(zip(pictures, range(len(pictures)), strict=True))
        self._values = np.empty((0, 0), np.float32) if values is None else values

    def __getitem__(self, picture: str) -> Floats:
        row: Floats = self._values[self._rows[picture]]
        return row

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, picture: object) -> bool:
        return picture in self._rows

    def fill(self, pictures: Sequence[str], values: Floats) -> Rows:
        """Put what is known of pictures into rows of values; which are not is returned, int64."""
        rows = np.array([self._rows.get(picture, -1) for picture in pictures], np.int64)
        if (known := rows >= 0).any():
            values[known] = self._values[rows[known]]
        return np.flatnonzero(rows < 0)


def pictures_of(items: datasets.Dataset, ids: Rows) -> tuple[Rows, list[str]]:
    """Which rows of a catalog some keys are, int64, and the `image_hash` of each.

    Raises:
        StoreError: the catalog has not all of them.
    """
    table = table_of(items, ["id", "image_hash"])
    rows = pd.Index(keys_of(table["id"].to_numpy())).get_indexer(pd.Index(ids)).astype(np.int64)
    if len(rows) and rows.min() < 0:
        raise StoreError("The index is of another catalog: build the index again.")
    return rows, table["image_hash"].take(rows).to_pylist()
