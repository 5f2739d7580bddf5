"""Where a picture's type is in doubt, results of the likeliest types, in turn.

Items of one type crowd out all others as soon as it is a little likelier, and where it is the wrong
one, all that is shown is wrong. Some of each of the likeliest are what somebody would show who says
"this may be a shirt or a jacket". On photographs of the dev split one of the first five is right
for 89% instead of 86%, for which P@5 falls from .850 to .848 (`benchmarks/spread.json`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from recommender.index.embeddings import Floats
from recommender.search.hits import Hits
from recommender.search.items import Items
from recommender.search.options import Options
from recommender.search.ranking import Candidates, first_of_each
from recommender.search.twins import Twins

SURE = 0.8
"""From this probability on a type is taken for the one. Chosen on dev, as the next one."""
MOST = 3
"""So many types, at most."""


def types_in_doubt(
    believed: Floats, types: Sequence[str], known: Sequence[str]
) -> dict[str, float]:
    """The likeliest types of a picture with their shares, likeliest first; empty without doubt.

    Args:
        believed: float32 of shape (classes,), probabilities.
        types: the classes.
        known: those that can be found.

    >>> types = ["Jackets", "Shirts", "Tops"]
    >>> types_in_doubt(np.float32([0.2, 0.5, 0.3]), types, ["Shirts", "Tops"])
    {'Shirts': 0.625, 'Tops': 0.375}
    """
    if believed.max() >= SURE:
        return {}
    order = [at for at in np.argsort(-believed) if types[at] in known][:MOST]
    total = float(believed[order].sum())
    if len(order) < 2 or not total:
        return {}
    return {types[at]: round(float(believed[at]) / total, 4) for at in order}


def spread_over(
    hits: Hits,
    each: Mapping[str, Hits],
    doubt: Mapping[str, float],
    options: Options,
    items: Items,
    twins: Twins,
) -> Hits:
    """What one query found, with some of each type that is in doubt.

    Args:
        hits: of all types.
        each: type -> what was found of it.
        doubt: type -> its share.
        options: how was searched.
        items, twins: of the gallery.
    """
    shares = {kind: doubt[kind] for kind, found in each.items() if len(found)}
    if len(shares) < 2:
        return hits
    pools = [Candidates(each[kind].rows, each[kind].scores) for kind in shares]
    mixed = in_turn(pools, [*shares.values()], Candidates(hits.rows, hits.scores))
    mixed = first_of_each(mixed, twins.groups(options)).cut(options.k)
    rows, scores = items.in_order(mixed, options.sort)
    timings_ms = {
        step: ms + sum(found.timings_ms[step] for found in each.values())
        for step, ms in hits.timings_ms.items()
    }
    variants = twins.mixed(rows, (*each.values(), hits))
    found = replace(hits, rows=rows, scores=scores, types=shares, variants=variants)
    return replace(found, ids=items.ids[rows], timings_ms=timings_ms)


def in_turn(pools: Sequence[Candidates], shares: Sequence[float], others: Candidates) -> Candidates:
    """The types' candidates so that each has its share of the first few, however few; then others.

    Args:
        pools: of each type, best first.
        shares: of the places, one a type.
        others: what comes after all of them.

    Source: Webster's (Sainte-Laguë's) method of giving seats to parties.

    >>> scores = np.ones(4, np.float32)
    >>> pools = [Candidates(np.arange(at, at + 4), scores) for at in (10, 20, 30)]
    >>> in_turn(pools, [0.5, 0.3, 0.2], Candidates(np.array([5]), scores[:1])).rows[:6].tolist()
    [10, 20, 30, 11, 12, 21]
    """
    # The place of a type's item number i is told by its share over 2 i + 1, the greatest first.
    turns = [
        share / (2 * np.arange(len(pool.rows)) + 1)
        for pool, share in zip(pools, shares, strict=True)
    ]
    order = np.argsort(-np.concatenate(turns), kind="stable")
    rows, scores = (
        np.concatenate([np.concatenate([pool[part] for pool in pools])[order], others[part]])
        for part in (0, 1)
    )
    return Candidates(rows, scores)
