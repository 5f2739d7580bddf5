"""Parts of embeddings: files that hold the ids and vectors of some items each, together."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open

from recommender.errors import StoreError
from recommender.index.embeddings import Embeddings, Floats, Rows
from recommender.store.beside import UNREADABLE

NOT_WHOLE = (*UNREADABLE, StoreError, KeyError)
"""What reading a part raises that is not whole."""
DAMAGED = "The store's embeddings are damaged: build the index again."


def read_parts(parts: Sequence[Path], tensor: str) -> Iterator[npt.NDArray[Any]]:
    """The `ids` of parts or their `vectors`, one after the other."""
    for part in parts:
        with safe_open(part, framework="np") as file:
            yield file.get_tensor(tensor)


def load_parts(parts: Sequence[Path]) -> Embeddings:
    """Put parts together.

    Raises:
        StoreError: a part is missing or damaged, or they do not belong together.
    """
    try:
        ids, vectors = (np.concatenate([*read_parts(parts, one)]) for one in ("ids", "vectors"))
        return Embeddings(ids, vectors)
    except NOT_WHOLE as error:
        raise StoreError(DAMAGED) from error


class InParts:
    """The vectors of parts, one part after the other, read when somebody asks for them.

    Attributes:
        ids: int64 of shape (n,), those of the parts; they may repeat.
        shape: (n, dim).
    """

    def __init__(self, parts: Sequence[Path], dim: int) -> None:
        """The ids are read here.

        Raises:
            StoreError: a part is missing, or holds others.
        """
        self._parts, self._read, self._held = parts, -1, np.empty((0, dim), np.float32)
        try:
            told = [_ids_of(part, dim) for part in parts]
        except NOT_WHOLE as error:
            raise StoreError(DAMAGED) from error
        self.ids: Rows = np.concatenate([np.empty(0, np.int64), *told])
        self.shape = len(self.ids), dim
        self._starts = [0, *accumulate(map(len, told))]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | Rows) -> Floats:
        """Those of a row, float32 of shape (dim,), or of m rows, (m, dim).

        Raises:
            StoreError: they cannot be read.
        """
        if isinstance(rows, int):
            part = bisect_right(self._starts, rows) - 1
            vector: Floats = self._part(part)[rows - self._starts[part]]
            return vector
        found = np.empty((len(rows), self.shape[1]), np.float32)
        for place, row in enumerate(rows.tolist()):
            found[place] = self[row]
        return found

    def blocks(self) -> Iterator[Floats]:
        """All of them, a part at a time: float32 of shapes (m, dim).

        Raises:
            StoreError: as above.
        """
        yield from map(self._part, range(len(self._parts)))

    def _part(self, number: int) -> Floats:
        """Neighbours are asked for one after the other: the last part stays."""
        if number != self._read:
            try:
                [self._held] = read_parts([self._parts[number]], "vectors")
            except NOT_WHOLE as error:
                raise StoreError(DAMAGED) from error
            self._read = number
        return self._held


def _ids_of(part: Path, dim: int) -> Rows:
    with safe_open(part, framework="np") as file:
        ids: Rows = file.get_tensor("ids")
        vectors = file.get_slice("vectors")
        shape = [*ids.shape, dim]
        if ids.dtype != np.int64 or vectors.get_dtype() != "F32" or vectors.get_shape() != shape:
            raise ValueError("ids do not go with vectors")
        return ids
