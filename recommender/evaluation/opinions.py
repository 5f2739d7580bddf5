"""Whether the best ranking is found: simulated visitors, of whose preferences all is known.

Each visitor seeks one type of thing, is answered by the ranking that is chosen, and judges some of
the answers by a thumb, up as often as the type and the ranking are worth. All of it goes through
`Answers` and a log on disk, as a page's visitors do; nothing is searched, since what is found does
not matter here.
"""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from recommender.evaluation import metrics
from recommender.evaluation.policies import ESTIMATES, LEARNT, evaluate
from recommender.evaluation.report import number
from recommender.feedback.answers import Answers
from recommender.feedback.bandit import Bandit
from recommender.feedback.events import EventLog
from recommender.feedback.judged import Judged, read_feedback

Worths = Mapping[str, Mapping[str, float]]
"""A type -> each ranking -> how often its answers are liked."""

PREFERENCES: Worths = {
    "Shirts": {"hybrid": 0.60, "image": 0.45, "diverse": 0.50, "colour": 0.40},
    "Heels": {"hybrid": 0.45, "image": 0.65, "diverse": 0.40, "colour": 0.55},
    "Watches": {"hybrid": 0.40, "image": 0.40, "diverse": 0.60, "colour": 0.45},
    "Tops": {"hybrid": 0.55, "image": 0.50, "diverse": 0.55, "colour": 0.50},
    "Sarees": {"hybrid": 0.45, "image": 0.40, "diverse": 0.40, "colour": 0.60},
}
"""Each of the rankings that are chosen from is the best somewhere, and in one place two are."""
_JUDGES = 0.5
"""How often a visitor judges at all."""
_PARTS = 10


def simulate(
    folder: Path,
    *,
    visitors: int,
    worths: Worths = PREFERENCES,
    seed: int = 0,
    resamples: int = metrics.RESAMPLES,
) -> dict[str, Any]:
    """Let visitors come one after the other, and then read the log that they leave.

    Args:
        folder: of the log, which is empty.
        visitors: how many.
        worths: what they like; each type is as frequent.

    Returns:
        `regret`, what an answer was worth less than one by the best ranking of its type, for each
        tenth of the visitors, and as much had chance alone chosen; `truth` beside `evaluation`,
        which is what `evaluate` says of the log; the share of types whose best ranking the bandit
        makes likeliest.
    """
    random, log = Random(seed), EventLog(folder, max_files=1000)
    answers = Answers(log, Bandit(), random=random)
    regret = np.empty(visitors)
    for at in range(visitors):
        kind = random.choice(list(worths))
        ranked = answers.choose(kind, list(worths[kind]))
        name, worth = answers.give(ranked, ()), worths[kind][ranked.ranking]
        regret[at] = max(worths[kind].values()) - worth
        if random.random() < _JUDGES:
            answers.judge(name, "up" if random.random() < worth else "down")
    feedback = read_feedback(log.files())
    policies = _policies(feedback.judged, worths)
    found = [worths[kind][max(p, key=p.__getitem__)] for kind, p in policies.items()]
    best = [max(by_ranking.values()) for by_ranking in worths.values()]
    table = np.array([list(by_ranking.values()) for by_ranking in worths.values()])
    return {
        "visitors": visitors,
        "preferences": worths,
        "regret by tenths": [number(part.mean()) for part in np.array_split(regret, _PARTS)],
        "regret of chance": number(float(np.mean(best) - table.mean())),
        "best ranking found": number(float(np.mean(np.isclose(found, best)))),
        "truth": _values(policies, worths),
        "evaluation": evaluate(feedback, resamples=resamples),
    }


def coverage(folder: Path, *, logs: int, visitors: int, resamples: int = 1000) -> dict[str, Any]:
    """How many of the 95% intervals hold the truth, by estimate.

    Args:
        folder: an empty one.
        logs: how many, each of other visitors.
        visitors: of each log.
    """
    held: dict[str, list[bool]] = {}
    for seed in range(1, logs + 1):
        told = simulate(folder / str(seed), visitors=visitors, seed=seed, resamples=resamples)
        for name, estimates in told["evaluation"]["policies"].items():
            for estimate in ESTIMATES:
                _, low, high = estimates[estimate]
                held.setdefault(estimate, []).append(low <= told["truth"][name] <= high)
    shares = {estimate: number(float(np.mean(inside))) for estimate, inside in held.items()}
    return {"logs": logs, "visitors of each": visitors, "intervals that hold the truth": shares}


def _policies(judged: list[Judged], worths: Worths) -> dict[str, dict[str, float]]:
    """Type -> how probable each ranking is by what was learnt."""
    bandit = Bandit(judged)
    return {kind: bandit.propensities(kind, list(by)) for kind, by in worths.items()}


def _values(policies: Mapping[str, Mapping[str, float]], worths: Worths) -> dict[str, Any]:
    """What answers by each ranking, and by what was learnt, are truly worth."""
    rankings = list(next(iter(worths.values())))
    values = {name: np.mean([by[name] for by in worths.values()]) for name in rankings}
    values[LEARNT] = np.mean(
        [sum(p * worths[kind][name] for name, p in by.items()) for kind, by in policies.items()]
    )
    return {name: number(float(value)) for name, value in values.items()}
