"""Metrics of heads: how often they are right, and whether they know when they are.

Targets and predictions are class codes; a missing target is -1 and counts nowhere. A target that
the head has no class for is any code beyond its classes: it counts, always as a mistake.
"""

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]


def accuracy(targets: Ints, predicted: Ints) -> float:
    """Share of the known targets that are predicted; divides by their number.

    >>> accuracy(np.array([0, 1, 2, -1]), np.array([0, 1, 1, 1])).__round__(4)
    0.6667
    """
    known = targets >= 0
    return float((predicted == targets)[known].mean()) if known.any() else float("nan")


def macro_f1(targets: Ints, predicted: Ints) -> float:
    """Mean of the classes' F1; divides by the number of classes that occur, as either.

    The F1 of a class is 2 · right / (occurrences as target + as prediction).

    >>> macro_f1(np.array([0, 0, 1, -1]), np.array([0, 1, 1, 2])).__round__(4)
    0.6667
    """
    known = targets >= 0
    if not known.any():
        return float("nan")
    targets, predicted = targets[known], predicted[known]
    classes = int(max(targets.max(), predicted.max())) + 1
    right = np.bincount(targets[targets == predicted], minlength=classes)
    occurs = np.bincount(targets, minlength=classes) + np.bincount(predicted, minlength=classes)
    return float((2 * right[occurs > 0] / occurs[occurs > 0]).mean())


def top_k_accuracy(targets: Ints, probabilities: Floats, k: int) -> float:
    """Share of the known targets among the k most probable classes; divides by their number.

    Args:
        targets: int64 of shape (q,).
        probabilities: float of shape (q, classes); with fewer than k classes all are taken.

    >>> top_k_accuracy(np.array([2, 0]), np.array([[0.5, 0.2, 0.3], [0.2, 0.5, 0.3]]), 2)
    0.5
    """
    known = targets >= 0
    if not known.any():
        return float("nan")
    best = np.argsort(-probabilities[known], axis=1, kind="stable")[:, :k]
    return float((best == targets[known][:, None]).any(axis=1).mean())


def expected_calibration_error(targets: Ints, probabilities: Floats, bins: int = 15) -> float:
    """How far confidence and accuracy part, the confidence being the most probable class's.

    Args:
        targets: int64 of shape (q,).
        probabilities: float of shape (q, classes), rows sum to 1.
        bins: see `calibration_error`.

    Half of those believed with 0.9 are right: |0.5 - 0.9|.

    >>> beliefs = np.array([[0.9, 0.1], [0.9, 0.1]])
    >>> expected_calibration_error(np.array([0, 1]), beliefs).__round__(4)
    0.4
    """
    return calibration_error(*_surest(targets, probabilities), bins)


def calibration_error(confidence: Floats, right: Bools, bins: int = 15) -> float:
    """How far confidence and accuracy part: the mean over bins of |accuracy - confidence|.

    The bins are of equal width over (0, 1], and each weighs as many as fall into it; divides by
    their number.

    Args:
        confidence: float of shape (q,), within [0, 1].
        right: bool of shape (q,).
        bins: how many.

    Source: Guo et al., On Calibration of Modern Neural Networks, arXiv:1706.04599, 15 bins.

    >>> calibration_error(np.array([0.9, 0.9]), np.array([True, False])).__round__(4)
    0.4
    """
    gaps = reliability(confidence, right, bins)
    total = gaps[:, 0].sum()
    return float((gaps[:, 0] * np.abs(gaps[:, 1] - gaps[:, 2])).sum() / total) if total else np.nan


def _surest(targets: Ints, probabilities: Floats) -> tuple[Floats, Bools]:
    """The most probable class's probability for each known target, and whether it is the one."""
    known = targets >= 0
    right: Bools = probabilities[known].argmax(axis=1) == targets[known]
    return probabilities[known].max(axis=1), right


def reliability(confidence: Floats, right: Bools, bins: int = 15) -> npt.NDArray[np.float64]:
    """What a reliability diagram draws.

    Returns:
        float64 of shape (bins, 3): how many fall into the bin, their mean confidence and their
        accuracy, both 0 where none does.

    >>> reliability(np.array([0.9, 0.8]), np.array([True, False]), bins=2).round(2).tolist()
    [[0.0, 0.0, 0.0], [2.0, 0.85, 0.5]]
    """
    confidence = confidence.astype(np.float64)
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, weights=values, minlength=bins) for values in (confidence, right)]
    return np.stack([counts, *(values / np.maximum(counts, 1) for values in sums)], axis=1)
