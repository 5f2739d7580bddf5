"""The one public split of this data, by the years' parity, so that a figure of others has a peer.

Source: uditarora/fashion-product-classification publishes for ResNet50, on these small pictures, a
top-1 of 87.46% on the 20 types most frequent in all years and of 46.23% on the others, each with a
classifier of those types alone, from ImageNet's weights. Here one head tells all types apart, which
is harder; `top-1 within` is what theirs is. Types that no even year has count, there as here.
"""

from typing import Any

import datasets
import numpy as np
import pandas as pd

from recommender.catalog.items import catalog_frame
from recommender.catalog.splits import split_years
from recommender.encoding.agreement import Floats
from recommender.encoding.encoder import Encoder
from recommender.evaluation.classification import accuracy, top_k_accuracy
from recommender.evaluation.encoded import believe
from recommender.evaluation.metrics import Bools, Ints, bootstrap_interval

FREQUENT = 20
PUBLISHED = {"frequent": 0.8746, "others": 0.4623}


def score_years(items: datasets.Dataset, encoder: Encoder) -> dict[str, Any]:
    """Accuracy of the head of article types on the odd years.

    Args:
        items: the catalog.
        encoder: of weights that were trained on the even years.

    Returns:
        For the types that are the most `frequent` and for the `others`: how many `queries`, those
        `of types never learnt`, as no even year has them, `top-1` and `top-5` among all types,
        `top-1 within` the types of the part alone, and the 95% intervals of both top-1.
    """
    frame = catalog_frame(items)
    split = split_years(frame)
    types = frame["articleType"]
    frequent = types.value_counts().index[:FREQUENT]
    rows = np.flatnonzero((split == "dev") & types.notna().to_numpy())
    asking = items.select(rows)
    beliefs = believe(encoder, lambda row: asking[row]["image"]["bytes"], len(asking))
    believed = beliefs["articleType"]
    classes = encoder.labels["articleType"]
    targets = pd.Index(classes).get_indexer(pd.Index(types.iloc[rows])).astype(np.int64)
    # A type that no even year has is always a mistake, never left out.
    targets = np.where(types.iloc[rows].isin(types[split == "train"]), targets, len(classes))
    is_frequent = types.iloc[rows].isin(frequent).to_numpy()
    class_is_frequent = np.array([name in frequent for name in classes])
    return {
        "frequent": _score(targets[is_frequent], believed[is_frequent], class_is_frequent),
        "others": _score(targets[~is_frequent], believed[~is_frequent], ~class_is_frequent),
    }


def _score(targets: Ints, believed: Floats, within: Bools) -> dict[str, Any]:
    scores: dict[str, Any] = {
        "queries": len(targets),
        "of types never learnt": int((targets == believed.shape[1]).sum()),
        "top-5": round(top_k_accuracy(targets, believed, 5), 4),
    }
    for name, beliefs in (("top-1", believed), ("top-1 within", np.where(within, believed, -1))):
        best = beliefs.argmax(axis=1)
        interval = bootstrap_interval((best == targets).astype(np.float64))
        scores[name] = [round(number, 4) for number in (accuracy(targets, best), *interval)]
    return scores
