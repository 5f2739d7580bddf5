"""Ids and their vectors, which never part."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_NORM_TOLERANCE = 1e-3


class Made(Protocol):
    """A gallery's vectors that are made when somebody asks for them.

    Attributes:
        shape: (n, d).
    """

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Rows | slice, /) -> Floats:
        """Those of some rows: float32 of shape (m, d)."""

    def products(self, query: Floats, rows: Rows | None = None) -> Floats:
        """Of a query, float32 of shape (d,), with some rows, or all: float32 of shape (m,)."""


Vectors = Floats | Made
"""Of shape (n, d): an array, perhaps one on disk, or such."""


@dataclass(frozen=True)
class Embeddings:
    """Ids and their vectors, row by row; checked once, here.

    Attributes:
        ids: int64 of shape (n,), unique; the items' keys, as `keys_of` has them.
        vectors: float32 of shape (n, d), unit rows.
    """

    ids: Rows
    vectors: Floats

    def __post_init__(self) -> None:
        if self.ids.dtype != np.int64 or self.ids.ndim != 1:
            raise ValueError(f"ids are {self.ids.dtype} of {self.ids.ndim} axes, not int64 of one")
        if self.vectors.dtype != np.float32 or self.vectors.ndim != 2:
            raise ValueError("vectors are not float32 of shape (n, d)")
        if len(self.ids) != len(self.vectors):
            raise ValueError(f"{len(self.ids)} ids do not go with {len(self.vectors)} vectors")
        if not np.diff(np.sort(self.ids)).all():
            raise ValueError("ids repeat")
        norms = np.sqrt(np.einsum("nd,nd->n", self.vectors, self.vectors))
        if not np.all(np.abs(norms - 1) < _NORM_TOLERANCE):  # also false for NaN
            raise ValueError("vectors are not unit rows")
