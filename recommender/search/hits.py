"""What a query found: facts, no sentences."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recommender.encoding.agreement import Beliefs


@dataclass(frozen=True, kw_only=True)
class Hits:
    """What one query found, best first.

    Attributes:
        rows: int64 of shape (m,), of the gallery, m ≤ k.
        ids: int64 of shape (m,), their items'.
        scores: float32 of shape (m,), falling.
        timings_ms: milliseconds by step, of all queries that were asked together.
        beliefs: of a picture that was shown: label -> float32 of shape (1, classes).
    """

    rows: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
    timings_ms: dict[str, float] = field(default_factory=dict)
    beliefs: Beliefs = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)
