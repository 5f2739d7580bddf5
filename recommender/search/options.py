"""Every knob of a search, in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from recommender.errors import QueryError

MAX_K = 100
Ranking = Literal["auto", "image", "hybrid"]
"""By what the pictures show alone, or also by what is known of the items; `auto` is the better."""


def whole(value: object) -> int | None:
    """A whole number in whatever form it came, as JSON knows one kind of number; else None.

    >>> whole(5.0), whole(5.5), whole(True), whole("5")
    (5, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer):
        return None
    return int(value) if value % 1 == 0 else None  # which NaN and infinity fail


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to search; checked here, as far as it does not take the catalog to tell.

    Attributes:
        k: how many, 1 to 100.
        filters: column -> allowed values; see `FilterTable.mask`.
        repeats: whether items with identical pictures are all shown.
        ranking: whether the items' labels count.

    Raises:
        QueryError: one of them cannot be; says what would be right.
    """

    k: int = 5
    filters: Mapping[str, Any] | None = None
    repeats: bool = False
    ranking: Ranking = "auto"

    def __post_init__(self) -> None:
        k = whole(self.k)  # what a program sent may be of any type
        if k is None or not 1 <= k <= MAX_K:
            raise QueryError(f"k is a whole number from 1 to {MAX_K}.")
        if not isinstance(self.repeats, bool):
            raise QueryError("The parameter repeats is true or false.")
        if self.ranking not in get_args(Ranking):
            raise QueryError(f"The ranking is one of {', '.join(get_args(Ranking))}.")
        object.__setattr__(self, "k", k)


USUAL = Options()
