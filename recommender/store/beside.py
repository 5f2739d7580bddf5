"""A file of a store that has something of each item beside its embedding: a place, a colour.

Its name is a hash of what it was made of, so that one that exists is one that is done, as with the
embeddings' parts. It lies in a folder of its own, which tells it from the store's other files.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from recommender.errors import StoreError
from recommender.files import whole_file
from recommender.index.embeddings import Rows

Values = npt.NDArray[Any]
UNREADABLE = (OSError, SafetensorError, ValueError, TypeError, AttributeError)
"""What reading one raises where it is not there or damaged, or of numbers that numpy has not."""


@dataclass(frozen=True, kw_only=True)
class Beside:
    """One kind of such files.

    Attributes:
        folder: of the store, that they lie in.
        tensor: what the values are called in them, beside the `ids`.
        width: how many values an item has.
        dtype: of the values.
        called: what people call it, with its verb.
    """

    folder: str
    tensor: str
    width: int
    dtype: type[np.generic]
    called: str

    def path(self, store: Path, made_of: str) -> Path:
        """The file that is made of what has such a hash."""
        return store / self.folder / f"{made_of[:24]}.safetensors"

    def find(self, store: Path, files: Iterable[str]) -> Path | None:
        """The one among the names of a manifest's files, None where there is none."""
        return next((store / name for name in files if name.startswith(f"{self.folder}/")), None)

    def read(self, path: Path) -> tuple[Rows, Values]:
        """Ids, int64 of shape (n,), and their values, of shape (n, width).

        Raises:
            UNREADABLE: it is not there, damaged, or another one.
        """
        with safe_open(path, framework="np") as file:
            ids, values = file.get_tensor("ids"), file.get_tensor(self.tensor)
        if values.shape != (len(ids), self.width) or values.dtype != self.dtype:
            raise ValueError(f"no {self.tensor}")
        return ids, values

    def write(
        self, path: Path, ids: Rows, values: Values, about: dict[str, str] | None = None
    ) -> None:
        """Write one whole.

        Raises:
            StoreError: it cannot be written.
        """
        try:
            with whole_file(path, by_many=True) as building:
                save_file({"ids": ids, self.tensor: values}, building, about)
        except (OSError, SafetensorError) as error:
            name = self.called.partition(" ")[0]
            raise StoreError(
                f"The {name} cannot be written: see the folder and its disk."
            ) from error

    def load(self, store: Path, files: Iterable[str], ids: Rows) -> Values | None:
        """Read that of a store whose files were checked.

        Args:
            store: its folder.
            files: names of the manifest's files.
            ids: int64 of shape (n,), the gallery's.

        Returns:
            Of shape (n, width), row by row with the ids; None where the store has none.

        Raises:
            StoreError: it is of other items.
        """
        if (path := self.find(store, files)) is None:
            return None
        try:
            found, values = self.read(path)
            if not np.array_equal(found, ids):
                raise ValueError("it is of other items")
            if values.dtype.kind == "f" and np.isinf(values).any():
                raise ValueError("it holds what is no value")
        except UNREADABLE as error:
            raise StoreError(
                f"The store's {self.called} damaged: build the index again."
            ) from error
        return values
