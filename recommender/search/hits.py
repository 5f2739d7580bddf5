"""What a query found: facts, no sentences."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from recommender.encoding.agreement import Beliefs


@dataclass(frozen=True)
class Hits:
    """What a query found, best first.

    Attributes:
        ids: int64 of shape (m,), m ≤ k.
        scores: float32 of shape (m,), falling.
        message: what a person should know, or empty.
        timings_ms: milliseconds by step.
        beliefs: of a picture that was shown: label -> float32 of shape (1, classes).
    """

    ids: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
    message: str = ""
    timings_ms: dict[str, float] = field(default_factory=dict)
    beliefs: Beliefs = field(default_factory=dict)
