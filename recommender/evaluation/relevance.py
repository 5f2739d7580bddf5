"""What counts as right: the labels that a hit shares with its query, as metrics of every query."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from recommender.evaluation import metrics
from recommender.evaluation.metrics import Floats, Ints
from recommender.evaluation.protocol import DEPTH

Relevance = Mapping[str, tuple[str, ...]]

RELEVANCE: Relevance = {
    "type": ("articleType",),
    "type+gender": ("articleType", "gender"),
    "type+colour": ("articleType", "baseColour"),
    "type+gender+colour": ("articleType", "gender", "baseColour"),
}
"""What is called relevant -> the labels that a hit must share with its query."""

GRADED = "graded"
"""The relevance whose gain is how many of type, gender and colour agree, 0 to 3."""

CUTOFFS = (1, 5, DEPTH)
HEADLINE: Final = "P@5"
_LABELS = RELEVANCE["type+gender+colour"]

Values = dict[str, dict[str, Floats]]
"""Relevance -> metric -> float64 of shape (q,), NaN where it is not defined for a query."""


def judge(
    gallery: pd.DataFrame, queries: pd.DataFrame, hits: Ints, excluded: Sequence[Ints]
) -> Values:
    """Every metric of every query.

    What a gallery holds is counted in pictures, as identical ones are shown once: a picture is
    relevant where one of its items is. A query without the label in question is not judged by it.

    Args:
        gallery: the catalog's columns and `image_hash`, n rows.
        queries: the same of those who ask, q rows.
        hits: int64 of shape (q, DEPTH), rows of the gallery, -1 for an empty place.
        excluded: for each query the rows that are out of its gallery.
    """
    codes = [_joint_codes(gallery[name], queries[name]) for name in _LABELS]
    # (n, 3), (q, 3)
    gallery_codes, query_codes = (np.stack(part, axis=1) for part in zip(*codes, strict=True))
    empty = np.full((1, len(_LABELS)), -1)
    hit_codes = np.concatenate([gallery_codes, empty])[hits]  # (q, DEPTH, 3); -1 is the row of none
    pictures = pd.factorize(gallery["image_hash"])[0]
    available, ideal = _achievable(query_codes, gallery_codes, pictures, excluded)
    values: Values = {}
    for i, (name, labels) in enumerate(RELEVANCE.items()):
        at = [_LABELS.index(label) for label in labels]
        relevant = metrics.shares_labels(query_codes[:, at], hit_codes[..., at])
        best = (np.arange(DEPTH) < available[:, [i]]).astype(np.float64)
        values[name] = {
            **{f"P@{k}": metrics.precision_at_k(relevant, k) for k in CUTOFFS},
            f"mAP@{DEPTH}": metrics.average_precision_at_k(relevant, available[:, i], DEPTH),
            f"nDCG@{DEPTH}": metrics.ndcg_at_k(relevant.astype(np.float64), best, DEPTH),
            f"recall@{DEPTH}": metrics.recall_at_k(relevant, available[:, i], DEPTH),
        }
        for metric in values[name].values():
            metric[(query_codes[:, at] < 0).any(axis=1)] = np.nan
    gains = ((hit_codes == query_codes[:, None]) & (hit_codes >= 0)).sum(axis=2).astype(np.float64)
    values[GRADED] = {f"nDCG@{DEPTH}": metrics.ndcg_at_k(gains, ideal, DEPTH)}
    return values


def _joint_codes(gallery: pd.Series, queries: pd.Series) -> tuple[Ints, Ints]:
    """The same value has the same code in both; missing is -1."""
    codes = pd.factorize(pd.concat([gallery, queries], ignore_index=True))[0].astype(np.int64)
    return codes[: len(gallery)], codes[len(gallery) :]


def _achievable(
    query_codes: Ints, gallery_codes: Ints, pictures: Ints, excluded: Sequence[Ints]
) -> tuple[Ints, Floats]:
    """Relevant pictures that each gallery holds, (q, relevances); its best gains, (q, DEPTH)."""
    order = np.argsort(pictures, kind="stable")
    starts = np.unique(pictures[order], return_index=True)[1]
    place = np.argsort(order)
    # (3, n), copies side by side
    columns = np.ascontiguousarray(gallery_codes[order].T).astype(np.int32)
    parts = [[_LABELS.index(label) for label in labels] for labels in RELEVANCE.values()]
    available = np.zeros((len(query_codes), len(parts)), dtype=np.int64)
    ideal = np.zeros((len(query_codes), DEPTH))
    for query, labels in enumerate(query_codes):
        agrees = (columns == labels[:, None]) & (labels[:, None] >= 0)  # (3, n)
        agrees[:, place[excluded[query]]] = False
        bits = np.zeros(columns.shape[1], dtype=np.uint8)
        for i, part in enumerate(parts):
            bits |= agrees[part].all(axis=0).astype(np.uint8) << i
        shown = np.bitwise_or.reduceat(bits, starts)
        available[query] = [np.count_nonzero(shown >> i & 1) for i in range(len(parts))]
        gains = np.maximum.reduceat(agrees.sum(axis=0, dtype=np.uint8), starts)
        counts = np.bincount(gains, minlength=4)[:0:-1]  # of gain 3, 2, 1
        best = np.repeat([3.0, 2.0, 1.0], np.minimum(counts, DEPTH))[:DEPTH]
        ideal[query, : len(best)] = best
    return available, ideal
