"""Examples of what goes wrong, found in the catalog on show by what is served."""

from dataclasses import dataclass

import numpy as np

from recommender.catalog.splits import split_names
from recommender.evaluation.metrics import Ints, mean
from recommender.evaluation.protocol import answer
from recommender.evaluation.queries import gallery_queries
from recommender.evaluation.relevance import judge
from recommender.search.recommender import Recommender

_SHOWN = 5
_AT_MOST_RIGHT = 1 / _SHOWN
_DRAWN = 100


@dataclass(frozen=True, kw_only=True)
class Mistakes:
    """Items whose pictures brought up hardly any item of their own article type.

    Attributes:
        asked: how many items were drawn at random and asked.
        right: the mean share of the five shown that was of the same type.
        examples: id of an item -> ids of the five shown, int64.
    """

    asked: int
    right: float
    examples: dict[int, Ints]


def find_mistakes(recommender: Recommender, count: int, seed: int) -> Mistakes:
    """Ask with the pictures of random items, by the strict protocol, and keep the worst answers.

    Items that no training has seen ask, where the catalog has such.

    Args:
        recommender: what is asked.
        count: how many examples, at most.
        seed: not below 0; draws the items.
    """
    frame = recommender.frame
    known = frame["articleType"].notna().to_numpy()
    held_out = known & (split_names(frame) == "test")
    rows = np.flatnonzero(held_out if held_out.any() else known)
    if not len(rows):
        return Mistakes(asked=0, right=0.0, examples={})
    queries = gallery_queries(recommender, rows, "the catalog").sample(_DRAWN, seed)
    hits = answer(recommender, queries, ranking="auto").strict
    precision = judge(frame, queries.frame, hits, queries.named)["type"][f"P@{_SHOWN}"]
    wrong = np.flatnonzero((precision <= _AT_MOST_RIGHT) & (hits[:, 0] >= 0))
    wrong = wrong[np.argsort(precision[wrong], kind="stable")][:count]
    query_ids, ids = queries.frame["id"].tolist(), frame["id"].to_numpy()
    shown = zip(wrong, hits[wrong, :_SHOWN], strict=True)
    examples = {query_ids[i]: ids[rows[rows >= 0]] for i, rows in shown}
    return Mistakes(asked=len(queries), right=mean(precision), examples=examples)
