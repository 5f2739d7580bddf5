"""Filters: column -> allowed values, checked against a catalog, as a mask over its rows."""

import difflib
from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.errors import QueryError
from recommender.index.embeddings import Mask
from recommender.index.protocol import Condition

_MAX_LISTED = 12
_MAX_LETTERS = 200
_MAX_TOLD = 1_000
"""Of so many values a condition tells at most."""


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


class FilterTable:
    """A catalog's columns as small integers, so that a filter is a few look-ups.

    Attributes:
        values: column -> its values in order, without the missing one.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        """Args:
        frame: a catalog's columns; missing values are None or NA.
        """
        self.values: dict[str, list[Any]] = {}
        self._codes: dict[str, npt.NDArray[np.int32]] = {}
        for name in frame.columns:
            codes, values = pd.factorize(frame[name], sort=True)  # a missing value's code is -1
            self._codes[name], self.values[name] = codes.astype(np.int32), values.tolist()

    def codes(self, name: str) -> npt.NDArray[np.int32]:
        """Of each row the place of its value in `values`, -1 where it is missing: (n,)."""
        return self._codes[name]

    def row(self, row: int) -> dict[str, Any]:
        """A row's values by column, missing ones None."""
        return {
            name: None if (code := codes[row]) < 0 else self.values[name][code]
            for name, codes in self._codes.items()
        }

    def counts(self, name: str) -> list[int]:
        """How many items have each of a column's values."""
        codes = self._codes[name]
        counts = np.bincount(codes[codes >= 0], minlength=len(self.values[name]))
        return [int(count) for count in counts]

    def usual(self, name: str, other: str) -> list[Any]:
        """For each of a column's values what most of its items have in another column, or None."""
        codes, others = self._codes[name], self._codes[other]
        both = (codes >= 0) & (others >= 0)
        counts = np.zeros((len(self.values[name]), len(self.values[other]) + 1), dtype=np.int64)
        np.add.at(counts, (codes[both], others[both]), 1)
        counts[counts.max(axis=1) == 0, -1] = 1
        return [[*self.values[other], None][at] for at in counts.argmax(axis=1)]

    def mask(self, filters: Mapping[str, Any] | None) -> Mask | None:
        """The rows that pass every column's filter.

        Args:
            filters: column -> list of allowed values, None among them for items that lack one;
                a column of numbers also takes `{"min": …, "max": …}`, either alone, inclusive, one
                of words `{"contains": "…"}`, each word of which is within, whatever its case.

        Returns:
            bool of shape (n,), or None where nothing is filtered.

        Raises:
            QueryError: a column or value that the catalog does not have, or another form.
        """
        if not filters:
            return None
        if not isinstance(filters, Mapping):
            raise QueryError('filters are an object such as {"gender": ["Men"]}.')
        masks = [self._column_mask(name, allowed) for name, allowed in filters.items()]
        passes: Mask = np.logical_and.reduce(masks)
        return passes

    def conditions(self, filters: Mapping[str, Any] | None) -> list[Condition] | None:
        """What a filter of which `mask` was made asks of each column.

        Returns:
            None where nothing is filtered, or too many values of a column will do to tell them.
        """
        told = []
        for name, allowed in (filters or {}).items():
            if not isinstance(allowed, Mapping):
                told.append(Condition(column=name, values=tuple(allowed)))
            elif "contains" in allowed:
                found = np.flatnonzero(self._within(name, allowed["contains"]))
                values = self.values[name]
                told.append(Condition(column=name, values=tuple(values[at] for at in found)))
            else:
                bounds = allowed.get("min", -np.inf), allowed.get("max", np.inf)
                told.append(Condition(column=name, bounds=bounds))
        return told if told and max(len(one.values) for one in told) <= _MAX_TOLD else None

    def _column_mask(self, name: str, allowed: Any) -> Mask:
        if name not in self._codes:
            raise QueryError(f"There is no such column to filter: {', '.join(self._codes)} are.")
        values = self.values[name]
        numbers = bool(values) and _is_number(values[0])
        words = bool(values) and isinstance(values[0], str)
        yes_no = bool(values) and isinstance(values[0], bool)
        # One entry a code, and last, where code -1 points, the one for missing.
        passes = np.zeros(len(values) + 1, dtype=bool)
        if isinstance(allowed, Mapping) and numbers:
            passes[:-1] = self._in_range(name, allowed)
        elif isinstance(allowed, Mapping) and words and set(allowed) == {"contains"}:
            passes[:-1] = self._within(name, allowed["contains"])
        elif isinstance(allowed, list | tuple | set):
            known = {value: code for code, value in enumerate(values)} | {None: -1}
            for value in allowed:
                plain = isinstance(value, str | int | float | None)
                # True is 1 to Python alone.
                alike = value is None or isinstance(value, bool) == yes_no
                if not plain or not alike or value not in known:
                    raise QueryError(self._unknown(name, value))
                passes[known[value]] = True
        else:
            form = (
                ' or {"min": …, "max": …}' if numbers else ' or {"contains": "…"}' if words else ""
            )
            raise QueryError(f"The filter of {name} is a list of allowed values{form}.")
        return passes[self._codes[name]]

    def _within(self, name: str, text: Any) -> Mask:
        if not isinstance(text, str) or not text.strip() or len(text) > _MAX_LETTERS:
            raise QueryError(f"What {name} contains is a text of 1 to {_MAX_LETTERS} letters.")
        words = text.casefold().split()
        lower = (value.casefold() for value in self.values[name])
        return np.array([all(word in value for word in words) for value in lower], dtype=bool)

    def _in_range(self, name: str, bounds: Mapping[str, Any]) -> Mask:
        limits = {"min": -np.inf, "max": np.inf} | dict(bounds)
        ends = limits.values()
        finite = all(isinstance(v, Real) and not isinstance(v, bool) and v == v for v in ends)
        if len(limits) != 2 or not finite or limits["min"] > limits["max"]:
            raise QueryError(f"The range of {name} is given by numbers min and max, min first.")
        values = np.array(self.values[name])
        passes: Mask = (values >= limits["min"]) & (values <= limits["max"])
        return passes

    def _unknown(self, name: str, value: object) -> str:
        """A sentence that names what would be right, and repeats nothing that was sent."""
        values = [str(v) for v in self.values[name]]
        near = []
        if self.values[name] and isinstance(self.values[name][0], bool):
            return f"{name} is true or false, without quotes."
        if isinstance(value, str) and self.values[name] and _is_number(self.values[name][0]):
            return f"{name} is a number, without quotes: such as {values[0]}."
        if isinstance(value, str) and len(values) < 1e4:
            near = difflib.get_close_matches(value[:80], values, n=3)
        if len(values) <= _MAX_LISTED:
            return f"{name} has no such value; it has {', '.join(values) or 'none'}."
        return f"{name} has no such value; nearest are {', '.join(near or values[:3])}."
