"""What answers are worth: relevance, means with intervals, slices, exposure, leakage, heads."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from recommender.encoding.agreement import Beliefs
from recommender.evaluation import classification, metrics
from recommender.evaluation.committed import (
    SLICES,
    Exposure,
    Head,
    Interval,
    Mean,
    Report,
    Rounded,
    Shares,
    Slices,
    Spread,
    Summary,
)
from recommender.evaluation.metrics import Floats, Ints
from recommender.evaluation.protocol import Found
from recommender.evaluation.queries import Queries
from recommender.evaluation.relevance import HEADLINE, RELEVANCE, Values, _joint_codes, judge

RARE_ITEMS = 50
NEUTRAL_GENDER = "Unisex"


def summarise(values: Values, groups: Ints) -> dict[str, Summary]:
    """Means over queries with their 95% intervals, and over groups.

    Args:
        values: of all queries.
        groups: int64 of shape (q,), the article type of each, -1 if missing.
    """
    names = [(relevance, metric) for relevance in values for metric in values[relevance]]
    columns = np.stack([values[relevance][metric] for relevance, metric in names], axis=1)
    summaries: dict[str, dict[str, Any]] = {}
    intervals = metrics.bootstrap_intervals(columns)
    for (relevance, metric), column, interval in zip(names, columns.T, intervals, strict=True):
        summary = summaries.setdefault(relevance, {"queries": int((~np.isnan(column)).sum())})
        micro, low, high = rounded(metrics.mean(column), *interval)
        macro = number(metrics.macro_mean(column, groups))
        mean: Mean = {"micro": micro, "low": low, "high": high, "macro": macro}
        if metric == HEADLINE:
            ends = metrics.bootstrap_macro_interval(column, groups)
            mean |= {"macro low": number(ends[0]), "macro high": number(ends[1])}
        summary[metric] = mean
    return cast(dict[str, Summary], summaries)


def slices(gallery: pd.DataFrame, queries: pd.DataFrame, values: Values) -> Slices:
    """Column -> value -> P@5 of each relevance for its queries; also of rare types."""
    columns = np.stack([values[name][HEADLINE] for name in RELEVANCE], axis=1)
    sizes = gallery["articleType"].value_counts()
    rare = queries["articleType"].map(sizes).fillna(0) < RARE_ITEMS
    sizes_in_words = {True: f"fewer than {RARE_ITEMS} items", False: f"{RARE_ITEMS} items or more"}
    sliced: Slices = {}
    for name, column in {
        **{n: queries[n] for n in SLICES},
        "type's size": rare.map(sizes_in_words),
    }.items():
        sliced[name] = {}
        for value in sorted(column.dropna().unique().tolist()):
            part = columns[(column == value).fillna(False).to_numpy(dtype=bool)]
            intervals = metrics.bootstrap_intervals(part)
            means = [metrics.mean(column) for column in part.T]
            sliced[name][str(value)] = {"queries": len(part)} | {
                relevance: rounded(mean, low, high)
                for relevance, mean, (low, high) in zip(RELEVANCE, means, intervals, strict=True)
            }
    return sliced


def exposure(gallery: pd.DataFrame, hits: Ints, seed: int = 0) -> Exposure:
    """How unevenly items are recommended, beside what pure chance would give as many places."""
    count, places = len(gallery), int((hits >= 0).sum())
    chance = np.random.default_rng(seed).integers(count, size=(1, places))
    shown = gallery["gender"].iloc[hits[hits >= 0]]

    def spread(rows: Ints) -> Spread:
        occurred = metrics.occurrences(rows, count)
        return {
            "hubness": number(metrics.hubness(occurred)),
            "gini": number(metrics.gini(occurred)),
            "never shown": number(float((occurred == 0).mean())),
        }

    return {
        "places": places,
        "hits": spread(hits),
        "chance": spread(chance),
        "gender": {
            str(value): {"catalog": number(share), "hits": number(float((shown == value).mean()))}
            for value, share in gallery["gender"].value_counts(normalize=True).items()
        },
    }


def leakage(gallery: pd.DataFrame, queries: pd.DataFrame, hits: Ints) -> Shares:
    """How often hits are of another gender than the query's, Unisex counted apart."""
    gallery_codes, query_codes = _joint_codes(gallery["gender"], queries["gender"])
    neutral = max(gallery_codes[gallery["gender"] == NEUTRAL_GENDER], default=-1)
    hit_codes = np.append(gallery_codes, -1)[hits]
    leaks = {"all": metrics.group_leakage(query_codes, hit_codes, neutral)}
    for gender in sorted(set(queries["gender"].dropna()) - {NEUTRAL_GENDER}):
        rows = (queries["gender"] == gender).to_numpy(dtype=bool)
        leaks[gender] = metrics.group_leakage(query_codes[rows], hit_codes[rows], neutral)
    return {
        name: {key: value if key == "hits" else number(value) for key, value in shares.items()}
        for name, shares in leaks.items()
    }


def heads(
    queries: pd.DataFrame, labels: Mapping[str, Sequence[str]], beliefs: Beliefs
) -> dict[str, Head]:
    """How right each head is, and whether it knows.

    Args:
        queries: their columns.
        labels: head -> its classes.
        beliefs: head -> float32 of shape (q, classes).

    A query without the label does not count, one whose label the head does not know counts as a
    mistake. What the queries have no column of is left out.
    """
    worth: dict[str, Head] = {}
    for name, classes in labels.items():
        if name not in queries:
            continue
        unknown = sorted(set(queries[name].dropna()) - set(classes))
        targets = pd.Index([*classes, *unknown]).get_indexer(pd.Index(queries[name]))
        predicted = beliefs[name].argmax(axis=1)
        worth[name] = {
            "queries": int((targets >= 0).sum()),
            "classes": len(classes),
            "unknown": len(unknown),
            "accuracy": number(classification.accuracy(targets, predicted)),
            "macro F1": number(classification.macro_f1(targets, predicted)),
            "top-5": number(classification.top_k_accuracy(targets, beliefs[name], 5)),
            "ECE": number(classification.expected_calibration_error(targets, beliefs[name])),
        }
    return worth


def report(
    gallery: pd.DataFrame, queries: Queries, answers: Found, strict: Values | None = None
) -> Report:
    """Everything that answers say; see `judge`, `summarise` and their neighbours.

    Args:
        gallery: the catalog's columns.
        queries: who asked.
        answers: what they found.
        strict: what `judge` says of the strict answers, where it was asked already.
    """
    values = strict or judge(gallery, queries.frame, answers.strict, queries.named)
    relaxed = judge(gallery, queries.frame, answers.relaxed, queries.own)
    types = pd.factorize(queries.frame["articleType"])[0].astype(np.int64)
    return {
        "queries": {"count": len(queries), "from": queries.source, "overlap": queries.overlap},
        "gallery": len(gallery),
        "strict": summarise(values, types),
        "relaxed": summarise(relaxed, types),
        "slices": slices(gallery, queries.frame, values),
        "exposure": exposure(gallery, answers.strict),
        "leakage": leakage(gallery, queries.frame, answers.strict),
    }


def table(measured: Report) -> pd.DataFrame:
    """The main rows of a report: a relevance a row, strict, with P@5's interval."""
    rows = {}
    for name in RELEVANCE:
        strict = measured["strict"][name]
        headline = strict[HEADLINE]
        rows[name] = {
            "P@1": strict["P@1"]["micro"],
            "P@5": headline["micro"],
            "95%": f"[{headline['low']}, {headline['high']}]",
            "P@5 macro": headline["macro"],
            "P@10": strict["P@10"]["micro"],
            "mAP@10": strict["mAP@10"]["micro"],
            "recall@10": strict["recall@10"]["micro"],
            "P@5 relaxed": measured["relaxed"][name][HEADLINE]["micro"],
        }
    return pd.DataFrame(rows).T


def estimate(values: Floats) -> Interval:
    """The mean of queries' values, of shape (q,), with its 95% interval; see `number`."""
    return rounded(metrics.mean(values), *metrics.bootstrap_interval(values))


def rounded(mean: float, low: float, high: float) -> Interval:
    """See `number`."""
    return [number(mean), number(low), number(high)]


def number(value: float) -> Rounded:
    """Four places, as finer ones are noise; None, which JSON has, for what is not defined.

    >>> number(0.123456), number(float("nan"))
    (0.1235, None)
    """
    return None if np.isnan(value) else round(float(value), 4)
