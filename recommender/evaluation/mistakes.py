"""Examples of what goes wrong, found in the catalog on show by what is served."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.catalog import split_names
from recommender.engine import Recommender

_SHOWN = 5
_AT_MOST_RIGHT = 1
_DRAWN = 150


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
    examples: dict[int, npt.NDArray[np.int64]]


def find_mistakes(recommender: Recommender, count: int, random: np.random.Generator) -> Mistakes:
    """Ask with random items as if they were pictures, and keep the worst answers.

    Items that no training has seen ask, where the catalog has such. As under the strict protocol,
    what has the same name as the item does not count as found.

    Args:
        recommender: what is asked.
        count: how many examples, at most.
        random: draws the items.
    """
    frame = recommender.frame
    known = frame["articleType"].notna().to_numpy()
    rows = np.flatnonzero((split_names(frame) == "test") & known)
    rows = random.permutation(rows if len(rows) else np.flatnonzero(known))[:_DRAWN]
    types, names = frame["articleType"].to_numpy(), frame["productDisplayName"].to_numpy()
    row_of = dict(zip(frame["id"].tolist(), range(len(frame)), strict=True))
    shares: list[float] = []
    examples: dict[int, npt.NDArray[np.int64]] = {}
    for row in rows.tolist():
        item_id = int(frame["id"].iloc[row])
        hits = recommender.by_id(item_id, k=4 * _SHOWN, as_picture=True)
        found = [i for i in hits.ids.tolist() if names[row_of[i]] != names[row]][:_SHOWN]
        right = sum(types[row_of[i]] == types[row] for i in found)
        shares.append(right / _SHOWN)
        if found and right <= _AT_MOST_RIGHT and len(examples) < count:
            examples[item_id] = np.array(found, dtype=np.int64)
    return Mistakes(
        asked=len(rows), right=float(np.mean(shares)) if shares else 0.0, examples=examples
    )
