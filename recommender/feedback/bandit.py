"""Which ranking answers next, learnt from what answers were worth: Thompson sampling.

Of each context and ranking, a Beta distribution says what its answers may be worth. A ranking is
drawn as often as it is probable to be the best one. That probability is computed, and the ranking
drawn by it, so that what the log calls a propensity is exactly what the chance was.

Source: Thompson, Biometrika 25, 1933; Chapelle & Li, NIPS 2011. That each ranking keeps a least
chance bounds the weights of whoever replays the log.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from recommender.feedback.judged import LEAST, Judged, Ranked

_BORROWED = 10.0
"""As how many answers of a context's own those of all others count at most."""
_POINTS = 2_000
"""At which the distributions are compared: some for each standard deviation, up to 10^6 answers."""

Floats = npt.NDArray[np.float64]


class Bandit:
    """What is known of rankings by context; not thread-safe."""

    def __init__(self, judged: Iterable[Judged] = ()) -> None:
        """Learn from answers of which chance chose the ranking; who chose one wants that one."""
        self._own: defaultdict[tuple[str, str], Floats] = defaultdict(lambda: np.zeros(2))
        self._all: defaultdict[str, Floats] = defaultdict(lambda: np.zeros(2))
        for each in judged:
            self.learn(each.ranked, each.worth)

    def learn(self, ranked: Ranked, worth: float, times: int = 1) -> None:
        """Count an answer.

        Args:
            ranked: how it came to be ranked.
            worth: from 0 to 1.
            times: -1 to forget it.
        """
        if ranked.by_chance:
            counts = times * np.array([worth, 1 - worth])
            self._own[ranked.context, ranked.ranking] += counts
            self._all[ranked.ranking] += counts

    def propensities(self, context: str, rankings: Sequence[str]) -> dict[str, float]:
        """How probable each ranking shall be; at least `LEAST`, and together one."""
        best = chances_of_best(self._counts(context, rankings) + 1)
        shares = LEAST + (1 - LEAST * len(rankings)) * best
        return dict(zip(rankings, shares.tolist(), strict=True))

    def expected(self, context: str, rankings: Sequence[str]) -> dict[str, float]:
        """What an answer by each ranking is expected to be worth."""
        good, bad = (self._counts(context, rankings) + 1).T
        return dict(zip(rankings, (good / (good + bad)).tolist(), strict=True))

    def _counts(self, context: str, rankings: Sequence[str]) -> Floats:
        """Good and bad answers of each ranking, others' contexts among them: (rankings, 2)."""
        own = np.array([self._own.get((context, name), np.zeros(2)) for name in rankings])
        others = np.array([self._all.get(name, np.zeros(2)) for name in rankings]) - own
        sizes = others.sum(axis=1, keepdims=True)
        counts: Floats = own + others * np.minimum(1, _BORROWED / np.maximum(sizes, 1))
        return counts


def chances_of_best(betas: Floats) -> Floats:
    """How probable each of several Beta distributions is to have the greatest draw.

    That is the integral of its density times the others' distribution functions, summed up at
    points over where they are, which half of ties makes exact for equal ones.

    Args:
        betas: float64 of shape (n, 2), both parameters of each, at least 1.

    Returns:
        float64 of shape (n,), sum one.

    >>> chances_of_best(np.array([[1.0, 1.0], [2.0, 1.0]])).round(3).tolist()
    [0.333, 0.667]
    """
    sizes = betas.sum(axis=1)
    means = betas[:, 0] / sizes
    reach = 8 * np.sqrt(means * (1 - means) / (sizes + 1))
    low, high = max(0.0, (means - reach).min()), min(1.0, (means + reach).max())
    points = low + (high - low) * (np.arange(_POINTS) + 0.5) / _POINTS
    logs = (betas - 1) @ np.log([points, 1 - points])  # (n, 2) @ (2, points) -> (n, points)
    density = np.exp(logs - logs.max(axis=1, keepdims=True))
    density /= density.sum(axis=1, keepdims=True)
    below = density.cumsum(axis=1) - density / 2
    others = [np.delete(below, at, axis=0).prod(axis=0) for at in range(len(betas))]
    chances = (density * others).sum(axis=1)
    shares: Floats = chances / chances.sum()
    return shares
