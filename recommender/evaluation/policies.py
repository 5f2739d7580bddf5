"""What rankings are worth, from a log of answers that others chose: off-policy evaluation.

An answer is worth what was said of it, from 0 to 1. Of each ranking, and of the policy that was
learnt, the value is what answers would be worth on average had it ranked them all. It counts the
answers that somebody judged: who says nothing says nothing of the ranking either, and where some
rankings are judged more readily than others, that is to be seen in `judged`.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from recommender.errors import FeedbackError
from recommender.evaluation import metrics
from recommender.evaluation.metrics import Floats, Ints
from recommender.evaluation.report import number, rounded
from recommender.feedback.bandit import Bandit
from recommender.feedback.judged import Feedback, Judged

LEARNT = "learnt"
"""The policy that chooses by what the log has taught it."""
ESTIMATES = ("IPS", "SNIPS", "DR")
_FOLDS = 5
_LEAST = 20
"""Answers from which on there is something to estimate."""

NOTHING_TO_LEARN = (
    "Of this log's answers whose ranking was chosen by chance {judged} were judged, and it takes "
    "{least} to tell anything: serve with FASHION_BANDIT=1, and wait."
)


def evaluate(feedback: Feedback, *, resamples: int = metrics.RESAMPLES) -> dict[str, Any]:
    """Estimate what each ranking, and the learnt policy, is worth.

    Args:
        feedback: what a log says.
        resamples: of the bootstrap.

    Returns:
        How many answers there are and of how many lines nothing could be made; what answers were
        worth `as served`; and of each policy three estimates with 95% bootstrap intervals:

        - `IPS`, inverse propensity scoring: the mean of weights times worths, where a weight is how
          probable the policy's ranking is to be the one that was served, over how probable it was;
        - `SNIPS`, self-normalised: the same over the mean weight;
        - `DR`, doubly robust: what a model of worths by context and ranking expects of the policy,
          and the weighted mean of what it errs by.

        Model and learnt policy are of the other four fifths of the log, for each fifth of it.

    Raises:
        FeedbackError: too few answers were judged to tell.

    Source: Horvitz & Thompson, 1952; Swaminathan & Joachims, NIPS 2015; Dudík et al., ICML 2011.
    """
    by_chance = [each for each in feedback.judged if each.ranked.by_chance]
    sets = Counter(tuple(sorted(each.ranked.propensities)) for each in by_chance)
    rankings = sets.most_common(1)[0][0] if sets else ()
    judged = [each for each in by_chance if each.ranked.propensities.keys() == set(rankings)]
    if len(judged) < _LEAST:
        raise FeedbackError(NOTHING_TO_LEARN.format(judged=len(judged), least=_LEAST))
    worth = np.array([each.worth for each in judged])
    rows, served = np.arange(len(judged)), _places(judged, rankings)
    chances = np.array([each.ranked.propensities[each.ranked.ranking] for each in judged])
    shares, model = _learnt_of_others(judged, rankings)  # both (n, a)
    policies = np.concatenate(  # (n, a + 1, a): how probable it makes each ranking
        [np.tile(np.eye(len(rankings)), (len(judged), 1, 1)), shares[:, None]], axis=1
    )
    weights = policies[rows, :, served] / chances[:, None]  # (n, a + 1)
    expected = (policies @ model[:, :, None])[:, :, 0]  # (n, a + 1, a) @ (n, a, 1) -> (n, a + 1)
    errors = worth - model[rows, served]
    means = {
        "IPS": weights * worth[:, None],
        "SNIPS": np.tile(worth[:, None], weights.shape[1]),
        "DR": expected + weights * errors[:, None],
    }
    of_weights = {"SNIPS": weights}
    told: dict[str, dict[str, Any]] = {name: {} for name in (*rankings, LEARNT)}
    for estimate, values in means.items():
        counts = of_weights.get(estimate)
        middle = np.average(values, axis=0, weights=counts)
        ends = metrics.bootstrap_intervals(values, weights=counts, resamples=resamples)
        for policy, mean, (low, high) in zip(told.values(), middle, ends, strict=True):
            policy[estimate] = rounded(mean, low, high)
    for policy, column in zip(told.values(), weights.T, strict=True):
        policy["as many answers as"] = number(column.sum() ** 2 / (column**2).sum())
    on_policy = metrics.bootstrap_interval(worth, resamples=resamples)
    return {
        "answers": len(judged),
        "of other choices": len(feedback.judged) - len(judged),
        "lines skipped": feedback.skipped,
        "judged": _shares_judged(feedback, rankings),
        "as served": rounded(worth.mean(), *on_policy),
        "policies": told,
        "learnt": learnt(judged, rankings),
    }


def learnt(judged: Sequence[Judged], rankings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """How probable each ranking is by now in each context; the most judged contexts first."""
    bandit = Bandit(judged)
    counts = Counter(each.ranked.context for each in judged)
    return {
        context: {"judged": count}
        | {name: number(p) for name, p in bandit.propensities(context, rankings).items()}
        for context, count in counts.most_common()
    }


def _places(judged: Sequence[Judged], rankings: Sequence[str]) -> Ints:
    """Of each answer the place of its ranking: (n,)."""
    return np.array([rankings.index(each.ranked.ranking) for each in judged], dtype=np.int64)


def _learnt_of_others(judged: Sequence[Judged], rankings: Sequence[str]) -> tuple[Floats, Floats]:
    """What four fifths of the log teach of the other fifth, so that nothing judges itself.

    Returns:
        Of each answer's context how probable each ranking would be, and what each is expected to
        be worth, both float64 of shape (n, rankings).
    """
    shares, model = np.empty((2, len(judged), len(rankings)))
    for fold in range(_FOLDS):
        bandit = Bandit(each for at, each in enumerate(judged) if at % _FOLDS != fold)
        there = range(fold, len(judged), _FOLDS)
        contexts = {judged[at].ranked.context for at in there}
        known = {
            context: [
                [*told(context, rankings).values()]
                for told in (bandit.propensities, bandit.expected)
            ]
            for context in contexts
        }
        for at in there:
            shares[at], model[at] = known[judged[at].ranked.context]
    return shares, model


def _shares_judged(feedback: Feedback, rankings: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Of each ranking's answers that chance chose, how many there are and the share judged."""
    judged = Counter(each.ranked.ranking for each in feedback.judged if each.ranked.by_chance)
    silent = Counter(each.ranking for each in feedback.unjudged if each.by_chance)
    counts = {name: judged[name] + silent[name] for name in rankings}
    return {
        name: {"answers": count, "judged": number(judged[name] / count if count else np.nan)}
        for name, count in counts.items()
    }
