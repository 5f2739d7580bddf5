"""What a query found: facts, no sentences."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from recommender.encoding.agreement import Beliefs
from recommender.encoding.regions import Regions
from recommender.index.embeddings import Floats, Rows
from recommender.search.said import Said

MATCH = 0.5
"""From which sureness on a picture that asks is taken for something that the catalog has."""


def is_match(match: float | None) -> bool:
    """Whether it is sure enough, which it is where nobody knows how sure.

    >>> is_match(0.9), is_match(0.1), is_match(None)
    (True, False, True)
    """
    return match is None or match >= MATCH


@dataclass(frozen=True, kw_only=True)
class Hits:
    """What one query found, best first.

    Attributes:
        rows: int64 of shape (m,), of the gallery, m ≤ k.
        ids: of shape (m,), their items': int64, or object where a catalog's ids are texts.
        scores: float32 of shape (m,), falling unless something else was to order them; of each type
            by itself where there are `types`.
        variants: of each, the rows that it stands for besides itself; empty where none are folded.
        repeated: how many more there are whose picture is that of one of these, where all that
            there are were found.
        same: how many more that pass the filters have the very picture of the item that asks.
        timings_ms: milliseconds by step, of all queries that were asked together.
        beliefs: of a picture that was shown: label -> float32 of shape (1, classes).
        regions: where the garment is in that picture; None where nobody knows.
        match: how sure it is that the picture shows fashion of a kind that the catalog has, 0 to 1,
            calibrated; None where nobody knows.
        matched: as `is_match` has it.
        said: the words that asked, as they were understood; None where none did.
        all_of: how many of the items, which come first, are all that those words state.
        types: those that were in doubt, likeliest first, with their shares of the results; empty
            where the results were not spread over types.
    """

    rows: Rows
    ids: npt.NDArray[Any]
    scores: Floats
    variants: Sequence[Rows] = ()
    repeated: int = 0
    same: int = 0
    timings_ms: dict[str, float] = field(default_factory=dict)
    beliefs: Beliefs = field(default_factory=dict)
    regions: Regions | None = None
    match: float | None = None
    matched: bool = True
    said: Said | None = None
    all_of: int = 0
    types: dict[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)
