"""What kind of similar: what the knobs of a search do to its first ten, and what they take."""

import time
from typing import Any

import numpy as np

from recommender.catalog.splits import split_names
from recommender.encoding.agreement import LOOKS
from recommender.evaluation.metrics import Ints
from recommender.evaluation.report import estimate, number
from recommender.search.options import Options
from recommender.search.recommender import Recommender

SHOWN = 10
TWIN = 0.95
"""Cosine of their looks from which two pictures show nearly the same."""


def draw_items(recommender: Recommender, *, split: str, count: int, seed: int = 0) -> Ints:
    """Rows of a split that ask, the same ones each time."""
    rows = np.flatnonzero(split_names(recommender.frame) == split)
    drawn: Ints = np.random.default_rng(seed).permutation(rows)[:count]
    return drawn


def measure_likeness(recommender: Recommender, rows: Ints, options: Options) -> dict[str, Any]:
    """The first ten of searches by item.

    Args:
        rows: of those who ask.
        options: of their searches; k is ten.

    Returns:
        `near twins`, how many of the ten look nearly like one before them; P@10 of `type` and of
        `colour`, by the catalog's names; each a mean with its 95% interval; and the median `ms`.
    """
    agreement, vectors = recommender.encoder.agreement, recommender.index.vectors
    frame, ids = recommender.frame, recommender.frame["id"].tolist()
    values: dict[str, list[float]] = {"near twins": [], "type": [], "colour": []}
    took = []
    for row in rows.tolist():
        started = time.perf_counter()
        found = recommender.by_id(ids[row], options).rows
        took.append(time.perf_counter() - started)
        looks = agreement.looks(vectors[found]) if agreement.weights[LOOKS] else vectors[found]
        before = np.triu(looks @ looks.T, 1)  # (m, m), each column the ones before it
        values["near twins"].append(float((before.max(axis=0, initial=0) >= TWIN).sum()))
        for name, column in (("type", "articleType"), ("colour", "baseColour")):
            asked, shown = frame[column].iloc[row], frame[column].iloc[found]
            values[name].append(float((shown == asked).sum()) / SHOWN)
    means = {name: estimate(np.array(column)) for name, column in values.items()}
    return {**means, "ms": number(float(np.median(took)) * 1000)}
