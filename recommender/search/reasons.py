"""Why an item was found: what its score is made of, and where in the two pictures that is seen.

A score is a product of two embeddings, which lie in blocks: looks, and each label that counts. So
it is a sum of shares, one a block. What somebody likes and dislikes is added to the embedding that
asks, and what else counts to the score: shares as well. The share of looks is a sum once more: of
what each place of either picture gives to it, the other picture seen as a whole.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recommender.encoding.agreement import LOOKS, Agreement
from recommender.encoding.places import Places
from recommender.encoding.regions import Box
from recommender.index.embeddings import Floats
from recommender.search.options import Options
from recommender.search.query import Query
from recommender.search.recommender import Recommender
from recommender.search.taste import moved, pull_of, rows_of

TASTE = ("liked", "disliked")
"""Options that move what is sought, whose shares bear their names."""


class Heat(NamedTuple):
    """How much each place of a picture gives to a score.

    Attributes:
        cells: float32 of shape (h, w), which sum to the share of looks; below 0 where a place
            speaks against it.
        box: where they lie evenly; see `Places`.
    """

    cells: Floats
    box: Box


@dataclass(frozen=True, kw_only=True)
class Reason:
    """What a query and an item agree in.

    Attributes:
        shares: `looks`, as far as they count, and each label that does -> its part of the score;
            so each of `TASTE` that was told, and what counts beside an embedding (`Nudges`).
        terms: what counts beside an embedding -> how far it holds of the item, from 0 to 1.
        asks: float32 of shape (dim,), what of the query is in the score.
        found: float32 of shape (dim,), the embedding of the item's picture that it was found by.
        number: of that picture, 1 for the item's own.
    """

    shares: dict[str, float]
    terms: dict[str, float]
    asks: Floats
    found: Floats
    number: int

    @property
    def score(self) -> float:
        """The sum of all shares, which is the score that the item was found by."""
        return sum(self.shares.values())


def reason_of(recommender: Recommender, query: Query, row: int, options: Options) -> Reason:
    """What a score is made of.

    Args:
        recommender: of the catalog.
        query: a single one.
        row: of the gallery, the item that was found.
        options: how it was sought.

    Raises:
        QueryError: an option does not fit the catalog.
        UnknownItemError: there is no item of an id that is liked or disliked.
    """
    recommender.nudges.check(options)
    agreement, index = recommender.encoder.agreement, recommender.index_of(options)
    asks = recommender.asking(query, options)
    vector, sides = asks, dict[str, Floats]()
    if told := [name for name in TASTE if getattr(options, name)]:
        judged = (rows_of(recommender.items, getattr(options, name)) for name in TASTE)
        pull = pull_of(agreement, index.vectors, *judged)
        vector, [[share]] = moved(asks, pull)
        asks = asks * share if share else asks
        pulls = dict(zip(TASTE, (pull.towards * share, -pull.away * share), strict=True))
        sides = {name: pulls[name] for name in told}
    number, found = index.nearest_picture(row, vector[0])
    here = slice(row, row + 1)
    counted = recommender.nudges.counted(index, vector[0], query, 0, options, here)
    left = 1 - sum(share for share, _ in counted.values())
    asks = asks[0] * np.float32(left)
    shares = shares_of(agreement, asks, found)
    shares |= {name: left * float(side @ found) for name, side in sides.items()}
    terms = {name: float(term[0]) for name, (_, term) in counted.items()}
    shares |= {name: share * terms[name] for name, (share, _) in counted.items()}
    return Reason(shares=shares, terms=terms, asks=asks, found=found, number=number)


def shares_of(agreement: Agreement, asks: Floats, found: Floats) -> dict[str, float]:
    """What the product of two embeddings is made of.

    Args:
        agreement: how they are laid out.
        asks: float32 of shape (dim,), as the gallery's are multiplied with.
        found: float32 of shape (dim,), an item's.
    """
    products = asks * found
    blocks = {LOOKS: slice(agreement.looks_dim)} if agreement.weights[LOOKS] else {}
    blocks |= {label: agreement.block(label) or slice(0) for label in agreement.labels}
    return {name: float(products[block].sum()) for name, block in blocks.items()}


def heat_of(agreement: Agreement, places: Places, own: Floats, other: Floats) -> Heat:
    """Where in a picture its looks are like another's.

    Args:
        agreement: how the embeddings are laid out.
        places: of the picture.
        own: float32 of shape (dim,), what the score was made of for this picture.
        other: the same for the other one.
    """
    looks = slice(agreement.looks_dim)
    length = np.linalg.norm(own[looks])  # the places give to looks of length one
    return Heat((places.looks @ other[looks]) * length, places.box)
