"""What changed pictures cost: the same queries, clean and under each change."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from recommender.encoding.regions import Asked
from recommender.evaluation.committed import Interval, Robustness, losses
from recommender.evaluation.corruptions import (
    CORRUPTIONS,
    Corruption,
    Severities,
    Severity,
    corrupt,
)
from recommender.evaluation.encoded import Change
from recommender.evaluation.metrics import Floats, paired_difference
from recommender.evaluation.protocol import DEPTH, asking, find
from recommender.evaluation.queries import Queries
from recommender.evaluation.relevance import HEADLINE, judge
from recommender.evaluation.report import estimate, rounded
from recommender.search.options import Ranking
from recommender.search.recommender import Recommender


def measure_robustness(
    recommender: Recommender,
    queries: Queries,
    *,
    ranking: Ranking = "image",
    changes: Mapping[str, Corruption] = CORRUPTIONS,
    region: Asked = "auto",
) -> Robustness:
    """P@5 on type (strict) and self-retrieval R@1, clean and under each of some changes.

    R@1 leaves the gallery whole: does a query's own picture come first? It is not defined where
    the gallery holds no such picture. A query is changed the same way each time, by its id.
    `region` says which part of each picture is looked at.
    """
    measure = partial(_measure, recommender, queries, ranking, region)
    clean = measure(lambda _, picture: picture, "clean")
    report: Robustness = {
        "queries": {"count": len(queries), "from": queries.source},
        "ranking": ranking,
        "clean": _summary(clean),
    }
    for kind, corruption in changes.items():
        report[kind] = {"unit": corruption.unit}
        for severity in Severities:
            change = _change(queries, kind, severity, changes)
            values = measure(change, f"{kind}, {severity}")
            differences = {n: paired_difference(clean[n], values[n]) for n in values}
            lost = {f"{name} lost": rounded(*each) for name, each in differences.items()}
            strength = getattr(corruption, severity)
            report[kind][severity] = {"strength": strength, **_summary(values), **lost}
    return report


def _change(
    queries: Queries, kind: str, severity: Severity, among: Mapping[str, Corruption]
) -> Change:
    seeds = queries.frame["id"].tolist()
    return lambda position, picture: corrupt(picture, kind, severity, seeds[position], among)


def _measure(
    recommender: Recommender,
    queries: Queries,
    ranking: Ranking,
    region: Asked,
    change: Change,
    named: str,
) -> dict[str, Floats]:
    """Both figures of every query, float64 of shape (q,), NaN where not defined."""
    found = np.full((len(queries), DEPTH), -1, dtype=np.int64)
    itself = np.full(len(queries), np.nan)
    hashes = recommender.frame["image_hash"].to_numpy()
    own_hashes = queries.frame["image_hash"].to_numpy()
    held = np.isin(own_hashes.astype(str), hashes.astype(str))
    for positions, query in asking(recommender, queries, change, region, title=named):
        first = find(recommender, query, (), 1, ranking)[:, 0]
        itself[positions] = hashes[first] == own_hashes[positions]
        excluded = [queries.named[position] for position in positions]
        found[positions] = find(recommender, query, excluded, DEPTH, ranking)
    itself[~held] = np.nan
    values = judge(recommender.frame, queries.frame, found, queries.named)
    return {"P@5": values["type"][HEADLINE], "R@1": itself}


def _summary(values: dict[str, Floats]) -> dict[str, Interval]:
    return {name: estimate(v) for name, v in values.items()}


def robustness_table(report: Robustness) -> pd.DataFrame:
    """A change a row: P@5 on type, R@1 and what is lost of each."""
    clean = {name: report["clean"][name][0] for name in ("P@5", "R@1")}
    rows = {"clean": clean | {"P@5 lost": 0.0, "R@1 lost": 0.0}}
    for kind, severity, unit, loss in losses(report):
        means = {name: value[0] for name, value in loss.items() if isinstance(value, list)}
        rows[f"{kind}, {severity} ({loss['strength']:g} {unit})"] = means
    return pd.DataFrame(rows).T
