"""What kind of similar: what the knobs of a search do to its first ten, and what they take."""

import time
from dataclasses import replace
from typing import Any

import numpy as np

from recommender.catalog.splits import split_names
from recommender.encoding.agreement import LOOKS
from recommender.evaluation.metrics import Ints
from recommender.evaluation.report import estimate, number
from recommender.pictures.colour import ciede2000
from recommender.schema import COLOUR, GENDER, TYPE
from recommender.search.nudges import CONTEXTS
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
        `near twins`, how many of the ten look nearly like one before them; P@10 of `type`, `gender`
        and `colour`, by the catalog's names; the mean `colour distance`, CIEDE2000 of the garments,
        if the catalog knows their colours; each a mean with its 95% interval; and the median `ms`
        of a processor.
    """
    agreement, vectors = recommender.encoder.agreement, recommender.index.vectors[:]
    frame, ids = recommender.frame, recommender.frame["id"].tolist()
    named = {"type": TYPE, "gender": GENDER, "colour": COLOUR}
    values: dict[str, list[float]] = {name: [] for name in ("near twins", *named)}
    took = []
    for row in rows.tolist():
        started = time.process_time()
        found = recommender.by_id(ids[row], options).rows
        took.append(time.process_time() - started)
        looks = agreement.looks(vectors[found]) if agreement.weights[LOOKS] else vectors[found]
        before = np.triu(looks @ looks.T, 1)  # (m, m), each column the ones before it
        values["near twins"].append(float((before.max(axis=0, initial=0) >= TWIN).sum()))
        for name, column in named.items():
            asked, shown = frame[column].iloc[row], frame[column].iloc[found]
            values[name].append(float((shown == asked).sum()) / SHOWN)
        if (colours := recommender.gallery.colours) is not None and len(found):
            apart = ciede2000(colours[row], colours[found])
            if not np.isnan(apart).all():
                values.setdefault("colour distance", []).append(float(np.nanmean(apart)))
    means = {name: estimate(np.array(column)) for name, column in values.items()}
    return {**means, "ms": number(float(np.median(took)) * 1000)}


def measure_contexts(
    recommender: Recommender, rows: Ints, options: Options, *, seed: int = 0
) -> dict[str, Any]:
    """What a season or an occasion does to the first ten, drawn for each who asks among the others.

    Returns:
        Of each context that the catalog knows, `off` and `on`: which share of the ten is for it
        (`suited`), and P@10 of `type`; each a mean with its 95% interval.
    """
    random, ids = np.random.default_rng(seed), recommender.frame["id"].tolist()
    report: dict[str, Any] = {}
    for option, column in CONTEXTS.items():
        values = recommender.nudges.contexts[option]
        own, kinds = recommender.frame[column], recommender.frame["articleType"]
        shares: dict[str, list[list[float]]] = {"off": [], "on": []}
        for row in rows.tolist():
            if not (others := [value for value in values if value != own.iloc[row]]):
                continue
            wanted = str(random.choice(others))
            for name, said in (("off", ""), ("on", wanted)):
                knob: dict[str, Any] = {option: said}
                found = recommender.by_id(ids[row], replace(options, **knob)).rows
                suited = (own.iloc[found] == wanted).sum() / SHOWN
                alike = (kinds.iloc[found] == kinds.iloc[row]).sum() / SHOWN
                shares[name].append([float(suited), float(alike)])
        if shares["on"]:
            report[option] = {
                name: dict(zip(("suited", "type"), map(estimate, np.array(each).T), strict=True))
                for name, each in shares.items()
            }
    return report
