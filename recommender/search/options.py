"""Every knob of a search, in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from recommender.errors import QueryError
from recommender.schema import whole

MAX_K = 100
Ranking = Literal["auto", "image", "hybrid"]
"""By what the pictures show alone, or also by what is known of the items; `auto` is the better."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to search; checked here, as far as it does not take the catalog to tell.

    Attributes:
        k: how many, 1 to 100.
        filters: column -> allowed values; see `FilterTable.mask`.
        repeats: whether items with identical pictures are all shown.
        ranking: whether the items' labels count.
        sort: a column of numbers by which the k are ordered, the lowest first; the highest first
            with a minus before it; by how alike they are where empty.
        corrected: label -> the value that somebody says it has; see `check_corrections`.
        spread: whether results come from the likeliest types, in turn, where the type is in doubt;
            then scores fall within each type.

    Raises:
        QueryError: one of them cannot be; says what would be right.
    """

    k: int = 5
    filters: Mapping[str, Any] | None = None
    repeats: bool = False
    ranking: Ranking = "auto"
    sort: str = ""
    corrected: Mapping[str, str] | None = None
    spread: bool = False

    def __post_init__(self) -> None:
        k = whole(self.k)  # what a program sent may be of any type
        if k is None or not 1 <= k <= MAX_K:
            raise QueryError(f"k is a whole number from 1 to {MAX_K}.")
        if not isinstance(self.repeats, bool):
            raise QueryError("The parameter repeats is true or false.")
        if not isinstance(self.spread, bool):
            raise QueryError("The parameter spread is true or false.")
        if self.ranking not in get_args(Ranking):
            raise QueryError(f"The ranking is one of {', '.join(get_args(Ranking))}.")
        if not isinstance(self.sort, str):
            raise QueryError(
                "sort is the name of a column of numbers, perhaps with a minus before."
            )
        object.__setattr__(self, "k", k)


USUAL = Options()
