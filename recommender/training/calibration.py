"""What the dev split decides once a network is trained: temperatures, and what counts how much.

Pure NumPy over beliefs and embeddings of a whole catalog.
"""

from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
import numpy.typing as npt

from recommender.attributes import LOOKS, Beliefs

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]

_SHARPEST, _FLATTEST = 0.25, 4.0


def fit_temperature(beliefs: Floats, targets: Codes) -> float:
    """The temperature whose beliefs make the true classes likeliest.

    Source: Guo et al., On Calibration of Modern Neural Networks, arXiv:1706.04599.

    Args:
        beliefs: float32 of shape (n, classes), rows that sum to one.
        targets: int64 of shape (n,), -1 where unknown, which is left out.

    Returns:
        The temperature, between a quarter and four; 1 where nothing is known.
    """
    known = targets >= 0
    if not known.any():
        return 1.0
    logits = np.log(np.maximum(beliefs[known], 1e-12)).astype(np.float64)
    rows = np.arange(len(logits))

    def loss(sharpness: float) -> float:
        scaled = logits * sharpness
        best = scaled.max(axis=1)
        total = np.log(np.exp(scaled - best[:, None]).sum(axis=1)) + best
        return float((total - scaled[rows, targets[known]]).mean())

    low, high = 1 / _FLATTEST, 1 / _SHARPEST
    while high - low > 1e-4:  # the loss is convex in the sharpness, hence thirds
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return 2 / (low + high)


def tempered(beliefs: Floats, temperature: float) -> Floats:
    """Beliefs of the same logits divided by a temperature; float32 (n, classes)."""
    powered = np.maximum(beliefs, 1e-12) ** np.float32(1 / temperature)
    scaled: Floats = powered / powered.sum(axis=1, keepdims=True)
    return scaled


def agreements(labels: tuple[str, ...], steps: tuple[float, ...]) -> Iterator[dict[str, float]]:
    """Every weighing of looks and labels on a grid: looks 1, each label one of `steps`; sum one."""
    for weights in product(steps, repeat=len(labels)):
        total = 1 + sum(weights)
        yield {LOOKS: 1 / total} | {
            name: weight / total for name, weight in zip(labels, weights, strict=True)
        }


class Weighing:
    """Precision of a split's queries under any weights of looks and labels, by brute force."""

    def __init__(
        self,
        looks: Floats,
        beliefs: Beliefs,
        targets: Mapping[str, Codes],
        groups: Codes,
        queries: Codes,
    ) -> None:
        """Multiply once what every weighing adds up.

        Args:
            looks: float32 of shape (n, d), unit rows.
            beliefs: label -> float32 of shape (n, classes).
            targets: label -> int64 of shape (n,), -1 where unknown.
            groups: int64 of shape (n,): items of a query's group are not in its gallery.
            queries: int64 of shape (q,), rows.
        """
        self._targets, self._queries = targets, queries
        self._same = groups[queries][:, None] == groups[None]  # (q, n)
        self._products = {LOOKS: looks[queries] @ looks.T}
        self._known = dict(self._products)
        for name, believed in beliefs.items():
            self._products[name] = believed[queries] @ believed.T
            # What a known label agrees in is the query's belief in it: (q, n).
            known = targets[name] >= 0
            agreed = self._products[name].copy()
            agreed[:, known] = believed[queries][:, targets[name][known]]
            self._known[name] = agreed

    def precision(
        self,
        weights: Mapping[str, float],
        relevance: Mapping[str, tuple[str, ...]],
        *,
        hybrid: bool,
        k: int = 5,
    ) -> dict[str, float]:
        """Mean precision at k for each relevance: its name -> share of the k that share its labels.

        Args:
            weights: of looks and labels.
            relevance: name -> labels that a relevant item shares.
            hybrid: whether the gallery's labels are known.
            k: the divisor.
        """
        parts = self._known if hybrid else self._products
        scores = np.zeros_like(self._products[LOOKS])
        for name, weight in weights.items():
            scores += np.float32(weight) * parts[name]
        scores[self._same] = -np.inf
        found = np.argpartition(-scores, k, axis=1)[:, :k]
        precision = {}
        for name, labels in relevance.items():
            shared = np.ones(found.shape, dtype=bool)
            for label in labels:
                own = self._targets[label][self._queries][:, None]
                shared &= (self._targets[label][found] == own) & (own >= 0)
            precision[name] = float(shared.mean())
        return precision
