"""The items that can be found, row by row with an index: their columns, ids and pictures."""

from typing import Any

import numpy as np
import pandas as pd

from recommender.errors import IndexMismatchError, QueryError, UnknownItemError
from recommender.schema import VIEW_COLUMNS, Id, keys_of, read_id, whole
from recommender.search.filters import FilterTable
from recommender.search.ranking import Candidates
from recommender.search.shades import Shades
from recommender.store.store import Gallery


class Items:
    """The items of a gallery's index.

    Attributes:
        columns: of the catalog: the usual ones, then its own.
        frame: those columns and `image_hash`, row by row with the index.
        filters: their values.
        ids: of shape (n,), int64, or object where they are texts.
        numbered: whether they are numbers.
        sortable: names of the columns that results can be ordered by.
    """

    def __init__(self, gallery: Gallery) -> None:
        """Raises:
        IndexMismatchError: the index holds an item that the catalog does not.
        """
        # The index may lack items whose picture could not be embedded; rows are the index's.
        keys = pd.Index(keys_of(gallery.frame["id"]))
        catalog_rows = keys.get_indexer(pd.Index(gallery.index.ids))
        if len(catalog_rows) and catalog_rows.min() < 0:
            raise IndexMismatchError("The index is of another catalog: build the index again.")
        self.columns = gallery.columns
        whole = np.array_equal(catalog_rows, np.arange(len(gallery.frame)))
        frame = gallery.frame if whole else gallery.frame.iloc[catalog_rows]  # which would copy it
        self.frame = frame.reset_index(drop=True)
        self.filters = FilterTable(self.frame[[column.name for column in self.columns]])
        self.ids = self.frame["id"].to_numpy()
        self.numbered = bool(self.ids.dtype == np.int64)
        numbers = ("number", "year")
        self.sortable = [column.name for column in self.columns if column.kind in numbers]
        self._gallery, self._catalog_rows = gallery, catalog_rows
        self._row_of = {item_id: row for row, item_id in enumerate(self.ids.tolist())}

    @property
    def shades(self) -> Shades | None:
        """Which of their colours are darker than others; None where nobody knows."""
        return Shades.of(self.filters, self._gallery.colours)

    def row(self, item_id: object) -> int:
        """Where an item is.

        Raises:
            UnknownItemError: there is none of this id, or it is of no kind that ids have.
        """
        known = whole(item_id) if self.numbered else item_id
        if not isinstance(known, int if self.numbered else str):
            kind = "whole number" if self.numbered else "text"
            raise UnknownItemError(f"An item's id is a {kind}.")
        if (row := self._row_of.get(known)) is None:
            raise UnknownItemError("The catalog has no item with this id.")
        return row

    def id_in(self, text: str) -> Id:
        """The id that an address names, perhaps of no item."""
        return read_id(text, numbers=self.numbered)

    def item(self, item_id: object) -> dict[str, Any]:
        """One item's columns, missing ones None; raises as `row` does."""
        return self.filters.row(self.row(item_id))

    def picture_bytes(self, item_id: object, number: int = 1) -> bytes:
        """An encoded picture of an item, as its source had it.

        Args:
            item_id: of the item.
            number: which of its pictures, 1 for its own.

        Raises:
            UnknownItemError: there is none.
        """
        picture = self._gallery.picture(int(self._catalog_rows[self.row(item_id)]), number)
        if picture is None:
            raise UnknownItemError("The item has no such picture.")
        return picture

    def views(self, item_id: object) -> int:
        """How many further pictures an item has; raises as `row` does."""
        row = self.row(item_id)
        return len(self.frame[VIEW_COLUMNS[1]].iloc[row]) if VIEW_COLUMNS[1] in self.frame else 0

    def in_order(self, found: Candidates, sort: str) -> Candidates:
        """Candidates by a column; what lacks a value comes last.

        Args:
            found: as they are alike.
            sort: as `Options` has it.

        Raises:
            QueryError: there is no such column.
        """
        if not sort:
            return found
        name = sort.removeprefix("-")
        if name not in self.sortable:
            there = ", ".join(self.sortable)
            raise QueryError(f"sort is one of {there}, perhaps with a minus before.")
        values = self.frame[name].iloc[found.rows].to_numpy(np.float64, na_value=np.nan)
        order = np.argsort(-values if sort != name else values, kind="stable")  # NaN last
        return Candidates(found.rows[order], found.scores[order])
