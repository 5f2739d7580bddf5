"""Every knob of a search, in one place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from recommender.errors import QueryError
from recommender.schema import Id, sent_id, whole

MAX_K = 100
MAX_TASTE = 200
"""How many items can be liked, and how many disliked."""
Ranking = Literal["auto", "image", "hybrid"]
"""By what the pictures show alone, or also by what is known of the items; `auto` is the better."""


@dataclass(frozen=True, kw_only=True, slots=True)
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
        liked: ids of items that the query moves towards; they are known, and not found again.
        disliked: ids of items that it moves away from; neither they nor their pictures are found.
        diversity: from 0, the best k, to 1, those of the best that look least like each other.
        fold: whether of items with one picture or one name only the best is found; the others are
            its variants.
        colour: from 0 to 1, what the very colour of the garment counts, as its pixels have it.
        season: for which season items shall rather be, without others being left out; any if empty.
        occasion: the same of the usage.

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
    liked: Sequence[Id] = ()
    disliked: Sequence[Id] = ()
    diversity: float = 0.0
    fold: bool = False
    colour: float = 0.0
    season: str = ""
    occasion: str = ""

    def __post_init__(self) -> None:
        k = whole(self.k)  # what a program sent may be of any type
        if k is None or not 1 <= k <= MAX_K:
            raise QueryError(f"k is a whole number from 1 to {MAX_K}.")
        for name in ("repeats", "spread", "fold"):
            if not isinstance(getattr(self, name), bool):
                raise QueryError(f"The parameter {name} is true or false.")
        for name in ("diversity", "colour"):
            if not _is_share(getattr(self, name)):
                raise QueryError(f"The parameter {name} is a number from 0 to 1.")
        for name in ("season", "occasion"):
            if not isinstance(getattr(self, name), str):
                raise QueryError(f"The {name} is a word, or empty for any.")
        if self.ranking not in get_args(Ranking):
            raise QueryError(f"The ranking is one of {', '.join(get_args(Ranking))}.")
        if not isinstance(self.sort, str):
            raise QueryError(
                "sort is the name of a column of numbers, perhaps with a minus before."
            )
        liked, disliked = read_ids("liked", self.liked), read_ids("disliked", self.disliked)
        if not set(liked).isdisjoint(disliked):
            raise QueryError("An item is both liked and disliked: choose one of them.")
        for name, value in {"k": k, "liked": liked, "disliked": disliked}.items():
            object.__setattr__(self, name, value)


def _is_share(value: object) -> bool:
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return number and bool(0 <= value <= 1)  # type: ignore[operator]


def read_ids(name: str, sent: object) -> tuple[Id, ...]:
    """Ids in whatever form they came, each once.

    >>> read_ids("liked", [3, "A-7", 3.0])
    (3, 'A-7')
    """
    listed = sent if isinstance(sent, list | tuple) else None
    ids = list(map(sent_id, listed or ()))
    if listed is None or None in ids:
        raise QueryError(f"The {name} items are a list of ids.")
    if len(ids) > MAX_TASTE:
        raise QueryError(f"At most {MAX_TASTE} items can be {name}.")
    return tuple(dict.fromkeys(one for one in ids if one is not None))


USUAL = Options()
