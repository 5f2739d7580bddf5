"""Whether likes and dislikes lead where a visitor wants to go: simulated ones with a hidden taste.

A visitor wants items of one type, colour and gender, and starts from an item of that type of which
nothing else is chosen. Each round shows five that were not seen before. Those that are all that is
wanted get a heart, and so do those that come nearest to it where the five differ; the others get a
cross. Beside each visitor goes one who judges nothing and looks at the next five of the same search
instead. Every search goes through `Recommender.search`.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recommender.catalog.splits import split_names
from recommender.evaluation.metrics import Floats, Ints
from recommender.evaluation.report import estimate
from recommender.search.options import Options
from recommender.search.recommender import Recommender

TASTE = ("articleType", "baseColour", "gender")
ROUNDS, SHOWN = 3, 5
LEAST = 20
"""Items that a taste has at least in the catalog: as many as four rounds show."""
_CARRIED = 10


@dataclass(frozen=True)
class Visitors:
    """Who comes.

    Attributes:
        codes: int64 of shape (n, 3), of each item of the gallery its value of each of `TASTE`, -1
            where it is missing.
        wanted: int64 of shape (v, 3), the codes that each wants.
        starts: int64 of shape (v,), the row that each starts from.
    """

    codes: Ints
    wanted: Ints
    starts: Ints


def draw_visitors(recommender: Recommender, *, split: str, count: int, seed: int = 0) -> Visitors:
    """Draw what they want as often as the catalog has it, of items of a split.

    Args:
        split: `dev` or `test`; both what is wanted and where it starts are items of it.
    """
    random = np.random.default_rng(seed)
    values = recommender.filters
    codes = np.stack([values.codes(name) for name in TASTE], axis=1).astype(np.int64)
    _, group, sizes = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    there = (split_names(recommender.frame) == split) & (codes >= 0).all(axis=1)
    frequent = np.flatnonzero(there & (sizes[group.reshape(-1)] >= LEAST))
    models = random.choice(frequent, count)
    starts = [
        int(random.choice(np.flatnonzero(there & (codes[:, 0] == kind))))
        for kind in codes[models, 0]
    ]
    return Visitors(codes, codes[models], np.array(starts, dtype=np.int64))


def measure_taste(recommender: Recommender, visitors: Visitors) -> dict[str, Any]:
    """P@5 on what is wanted before any judgement and after each round, and that of the type.

    Returns:
        `judging` and `paging`, each with a mean and its 95% interval for each round; `gain`, the
        last round of the first against what the search began with; `type` of the judging; and
        `carried`, the P@5 of the type of searches for other things with the same likes and
        dislikes, and without.
    """
    count = len(visitors.starts)
    hits = {"judging": np.empty((count, ROUNDS + 1)), "paging": np.empty((count, ROUNDS + 1))}
    kinds, carried = np.empty((count, ROUNDS + 1)), np.empty((count, 2))
    for at in range(count):
        taste: Options = Options()
        for name, share in hits.items():
            share[at], kind, judged = _visit(recommender, visitors, at, judges=name == "judging")
            if name == "judging":
                kinds[at], taste = kind, judged
        # Who comes back with this taste, and is after the next visitor's kind of thing.
        start = visitors.starts[(at + 1) % count]
        for place, options in enumerate((taste, Options())):
            options = replace(options, k=_CARRIED)
            rows = _ask(recommender, int(start), options, np.empty(0, np.int64))
            carried[at, place] = _same(visitors.codes[rows, 0], visitors.codes[start, 0], _CARRIED)
    gain = hits["judging"][:, -1] - hits["judging"][:, 0]
    return {
        "visitors": count,
        **{f"P@5, {name}": _by_round(share) for name, share in hits.items()},
        "gain": estimate(gain),
        "P@5 of the type, judging": _by_round(kinds),
        "carried to another search, P@10 of its type": {
            "with the taste": estimate(carried[:, 0]),
            "without": estimate(carried[:, 1]),
        },
    }


def _visit(
    recommender: Recommender, visitors: Visitors, at: int, *, judges: bool
) -> tuple[Floats, Floats, Options]:
    """One visit: P@5 by round, of what is wanted and of the type, and what was judged."""
    wanted, start = visitors.wanted[at], int(visitors.starts[at])
    options, seen = Options(k=SHOWN), np.empty(0, dtype=np.int64)
    found, kinds = np.empty(ROUNDS + 1), np.empty(ROUNDS + 1)
    for turn in range(ROUNDS + 1):
        rows = _ask(recommender, start, options, seen)
        agree = (visitors.codes[rows] == wanted).sum(axis=1)
        found[turn] = _same(agree, len(TASTE), SHOWN)
        kinds[turn] = _same(visitors.codes[rows, 0], wanted[0], SHOWN)
        seen = np.concatenate([seen, rows])
        if judges and len(rows):
            nearest = (agree == agree.max()) & (agree > agree.min())
            good = nearest | (agree == len(TASTE))
            ids = recommender.frame["id"].iloc[rows]
            options = replace(
                options,
                liked=[*options.liked, *ids[good].tolist()],
                disliked=[*options.disliked, *ids[~good].tolist()],
            )
    return found, kinds, options


def _ask(recommender: Recommender, start: int, options: Options, seen: Ints) -> Ints:
    """The rows of a search that starts from a row and shows nothing twice."""
    query = recommender.like(start, options)
    excluded = np.union1d(query.excluded[0], seen)
    [hits] = recommender.search(replace(query, excluded=[excluded]), options)
    return hits.rows


def _same(codes: Ints, wanted: Any, k: int) -> float:
    return float((codes == wanted).sum()) / k


def _by_round(shares: Floats) -> list[Any]:
    return [estimate(share) for share in shares.T]
