"""Which items of a gallery are nearly the same: those of one picture, and variants of one name."""

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from recommender.index.embeddings import Mask, Rows
from recommender.index.views import Views
from recommender.search.hits import Hits
from recommender.search.options import Options
from recommender.search.recognition import Further


class Twins:
    """Groups of a gallery's rows. Thread-safe.

    Attributes:
        pictures: int64 of shape (n,), equal where the picture is.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        """Args:
        frame: columns of n items, `image_hash` and `productDisplayName` among them.
        """
        self._frame = frame
        self.pictures: Rows = pd.factorize(frame["image_hash"])[0].astype(np.int64)

    def further(self, views: Views) -> Further:
        """The pictures of views, numbered as those of the items are, and on from there."""
        told = pd.concat([self._frame["image_hash"], pd.Series(views.pictures, dtype=object)])
        numbers = pd.factorize(told)[0].astype(np.int64)
        return Further(views.rows, numbers[len(self.pictures) :], views.vectors)

    def with_picture_of(self, rows: Sequence[int]) -> Rows:
        """Some rows and all that have the picture of one of them."""
        return np.flatnonzero(np.isin(self.pictures, self.pictures[list(rows)]))

    def beside(self, row: int, excluded: Rows, allowed: Mask | None) -> int:
        """How many of the rows that a row keeps from being found may be found otherwise."""
        others = np.setdiff1d(excluded, [row])
        return len(others) if allowed is None else int(allowed[others].sum())

    def groups(self, options: Options) -> Rows:
        """Of rows with equal numbers only the best is found: int64 of shape (n,)."""
        if options.fold:
            return self.variants
        return np.arange(len(self.pictures)) if options.repeats else self.pictures

    def others(
        self, rows: Rows, options: Options, allowed: Mask | None, excluded: Rows
    ) -> Sequence[Rows]:
        """The variants that each of some rows stands for besides itself, as far as they may be
        found; empty where none are folded.
        """
        if not options.fold:
            return ()
        able = np.ones(len(self.variants), dtype=bool) if allowed is None else allowed.copy()
        able[excluded] = False
        able[rows] = False
        return [np.flatnonzero(able & (self.variants == group)) for group in self.variants[rows]]

    def mixed(self, rows: Rows, parts: Iterable[Hits]) -> Sequence[Rows]:
        """The variants of rows that come from several hits, without those that are shown."""
        pairs = [pair for hits in parts for pair in zip(hits.rows, hits.variants, strict=False)]
        variants = dict(pairs)  # none where none are folded
        return [np.setdiff1d(variants[row], rows) for row in rows if row in variants]

    @cached_property
    def variants(self) -> Rows:
        """int64 of shape (n,), equal where the picture is, or the name, case aside, or both are of
        one that is in between.
        """
        names = self._frame["productDisplayName"].astype("string").str.casefold()
        named: Rows = pd.factorize(names)[0].astype(np.int64)
        alone = named < 0
        named[alone] = named.max(initial=-1) + 1 + np.arange(np.count_nonzero(alone))
        groups, before = self.pictures, None
        while before is None or (groups != before).any():
            before = groups
            for parts in (named, self.pictures):
                lowest = np.full(parts.max(initial=-1) + 1, len(parts), dtype=np.int64)
                np.minimum.at(lowest, parts, groups)
                groups = lowest[parts]
        return groups
