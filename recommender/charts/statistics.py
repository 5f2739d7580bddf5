"""Intervals for shares, for their ratios and for medians: pure NumPy."""

import numpy as np
import numpy.typing as npt

Z95 = 1.959963984540054
"""A normal variable is within so many standard deviations of its mean 95% of the time."""

Numbers = npt.NDArray[np.float64]


def wilson_interval(
    counts: npt.ArrayLike, totals: npt.ArrayLike, z: float = Z95
) -> tuple[Numbers, Numbers]:
    """The interval of a share: honest for few items and for shares near 0 and 1.

    Args:
        counts: shape (m,), how many have it.
        totals: shape (m,) or a number, of how many, at least 1.
        z: half the interval's width in standard deviations.

    Returns:
        Lower and upper ends, float64 of shape (m,) within [0, 1].

    Source:
        Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    >>> low, high = wilson_interval([0, 10, 20], 20)
    >>> [(round(float(a), 3), round(float(b), 3)) for a, b in zip(low, high)]
    [(0.0, 0.161), (0.299, 0.701), (0.839, 1.0)]
    """
    k, n = np.asarray(counts, dtype=float), np.asarray(totals, dtype=float)
    share = k / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # Rounding may put an end a hair beyond the share itself.
    return np.clip(middle - half, 0, share), np.clip(middle + half, share, 1)


def share_ratio(
    counts: npt.ArrayLike,
    total: int,
    base_counts: npt.ArrayLike,
    base_total: int,
    z: float = Z95,
) -> tuple[Numbers, Numbers, Numbers]:
    """How many times larger a share is than a base share of other items, with its interval.

    The logarithm of the ratio is nearly normal. Where one of the two counts is zero, half an item
    is added to both, as is usual, so that the interval is wide and not infinite.

    Args:
        counts: shape (m,), of `total` items.
        total: at least 1.
        base_counts: shape (m,), of `base_total` items.
        base_total: at least 1.
        z: half the interval's width in standard deviations of the logarithm.

    Returns:
        Ratio, lower and upper end, float64 of shape (m,). All are NaN where both counts are zero.

    Source:
        Katz et al. (1978), "Obtaining confidence intervals for the risk ratio in cohort studies".

    >>> ratio, low, high = share_ratio([30], 100, [10], 100)
    >>> [round(float(v[0]), 2) for v in (ratio, low, high)]
    [3.0, 1.55, 5.8]
    """
    a, b = np.asarray(counts, dtype=float), np.asarray(base_counts, dtype=float)
    half = np.where((a == 0) != (b == 0), 0.5, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        a, n, b, m = a + half, total + 2 * half, b + half, base_total + 2 * half
        log_ratio = np.log(a / n) - np.log(b / m)
        error = z * np.sqrt(np.maximum(1 / a - 1 / n + 1 / b - 1 / m, 0))
        return np.exp(log_ratio), np.exp(log_ratio - error), np.exp(log_ratio + error)


def bootstrap_medians(values: npt.ArrayLike, draws: int = 2000, seed: int = 0) -> Numbers:
    """Medians of as many items drawn with replacement, as often as asked.

    The items are not drawn one by one: which place of the ordered values a drawn median has follows
    from a Beta variable, so that a draw costs the same however many items there are.

    Args:
        values: shape (n,), at least one.
        draws: how many medians.
        seed: of the draws.

    Returns:
        float64 of shape (draws,).

    Source:
        Efron (1979), "Bootstrap methods: another look at the jackknife"; order statistics of
        uniform variables are Beta variables.

    >>> draws = bootstrap_medians(np.arange(1001))
    >>> bool(abs(np.median(draws) - 500) < 5), bool(25 < np.std(draws) * 2 < 40)
    (True, True)
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    n, rng = len(ordered), np.random.default_rng(seed)
    lower = (n + 1) // 2  # the place of the middle one, or of the lower of the two, from 1
    first = rng.beta(lower, n + 1 - lower, draws)
    second = first
    if n % 2 == 0:  # the next of the n - lower above it is the least of as many
        second = first + (1 - first) * (1 - rng.random(draws) ** (1 / (n - lower)))
    places = np.minimum((np.stack([first, second]) * n).astype(np.int64), n - 1)
    return np.asarray(ordered[places].mean(axis=0))


def median_interval(values: npt.ArrayLike) -> tuple[float, float, float]:
    """A median and the ends of its 95% bootstrap interval.

    >>> median_interval([7.0])
    (7.0, 7.0, 7.0)
    """
    low, high = np.quantile(bootstrap_medians(values), [0.025, 0.975])
    return float(np.median(np.asarray(values, dtype=float))), float(low), float(high)


def verdicts(low: Numbers, high: Numbers, above: str, below: str) -> list[str]:
    """What may be said of each ratio: nothing, where its interval holds 1 or is not there.

    >>> verdicts(np.array([1.2, 0.5, 0.9]), np.array([2.0, 0.8, 1.5]), "rises", "falls")
    ['rises', 'falls', 'cannot say']
    """
    return [
        above if one > 1 else below if other < 1 else "cannot say"
        for one, other in zip(low, high, strict=True)
    ]
