"""The one public split of this data, by the years' parity, so that a figure of others has a peer.

Source: uditarora/fashion-product-classification publishes for ResNet50, on these small pictures, a
top-1 of 87.46% on the 20 most frequent types and of 46.23% on the others, each with a classifier of
those types alone. Here one head tells all types apart, which is harder.
"""

from typing import Any

import datasets
import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from recommender.catalog import PICTURE_LIMITS, catalog_frame, split_years
from recommender.encoder import Encoder
from recommender.evaluation.classification import accuracy, top_k_accuracy
from recommender.evaluation.metrics import bootstrap_interval
from recommender.images import decode_image

FREQUENT = 20
PUBLISHED = {"frequent": 0.8746, "others": 0.4623}

_AT_ONCE = 256


def score_years(items: datasets.Dataset, encoder: Encoder) -> dict[str, Any]:
    """Accuracy of the head of article types on the odd years.

    Args:
        items: the catalog.
        encoder: of weights that were trained on the even years.

    Returns:
        For the types that are the most `frequent` in the even years and for the `others`: how many
        `queries`, those `of types never learnt`, as no even year has them, `top-1` and `top-5`
        among all types, `top-1 within` the types of the part alone, and the 95% interval of the
        top-1.
    """
    frame = catalog_frame(items)
    split = split_years(frame)
    types = frame["articleType"]
    learnt = types[split == "train"].value_counts().index
    frequent = learnt[:FREQUENT]
    rows = np.flatnonzero((split == "dev") & types.notna().to_numpy())
    believed = _believed(items, encoder, rows)
    classes = encoder.labels["articleType"]
    targets = pd.Index(classes).get_indexer(pd.Index(types.iloc[rows])).astype(np.int64)
    # A type that no even year has is always a mistake, never left out.
    targets = np.where(types.iloc[rows].isin(learnt), targets, len(classes))
    is_frequent = types.iloc[rows].isin(frequent).to_numpy()
    class_is_frequent = np.array([name in frequent for name in classes])
    return {
        "frequent": _score(targets[is_frequent], believed[is_frequent], class_is_frequent),
        "others": _score(targets[~is_frequent], believed[~is_frequent], ~class_is_frequent),
    }


def _believed(
    items: datasets.Dataset, encoder: Encoder, rows: np.ndarray[Any, np.dtype[np.int64]]
) -> np.ndarray[Any, np.dtype[np.float32]]:
    parts = []
    for start in tqdm(range(0, len(rows), _AT_ONCE), "Odd years"):
        files = items[rows[start : start + _AT_ONCE]]["image"]
        pictures = [
            decode_image(file["bytes"], limits=PICTURE_LIMITS, at_least_px=encoder.input_px)
            for file in files
        ]
        parts.append(encoder.see(pictures)[1]["articleType"])
    return np.concatenate(parts)


def _score(
    targets: np.ndarray[Any, np.dtype[np.int64]],
    believed: np.ndarray[Any, np.dtype[np.float32]],
    within: np.ndarray[Any, np.dtype[np.bool_]],
) -> dict[str, Any]:
    best = believed.argmax(axis=1)
    low, high = bootstrap_interval((best == targets).astype(np.float64))
    return {
        "queries": len(targets),
        "of types never learnt": int((targets == believed.shape[1]).sum()),
        "top-1": round(accuracy(targets, best), 4),
        "95%": [round(low, 4), round(high, 4)],
        "top-1 within": round(accuracy(targets, np.where(within, believed, -1).argmax(axis=1)), 4),
        "top-5": round(top_k_accuracy(targets, believed, 5), 4),
    }
