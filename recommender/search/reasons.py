"""Why an item was found: what its score is made of, and where in the two pictures that is seen.

A score is a product of two embeddings, which lie in blocks: looks, and each label that counts. So
it is a sum of shares, one a block. The share of looks is a sum once more: of what each place of
either picture gives to it, the other picture seen as a whole.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from recommender.encoding.agreement import LOOKS, Agreement
from recommender.encoding.places import Places
from recommender.encoding.regions import Box
from recommender.index.embeddings import Floats


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
        score: the product of their embeddings.
        shares: `looks`, as far as they count, and each label that does -> its part of the score.
    """

    score: float
    shares: dict[str, float]


def reason_of(agreement: Agreement, asks: Floats, found: Floats) -> Reason:
    """What a score is made of.

    Args:
        agreement: how the embeddings are laid out.
        asks: float32 of shape (dim,), as the gallery's are multiplied with.
        found: float32 of shape (dim,), an item's.
    """
    products = asks * found
    blocks = {LOOKS: slice(agreement.looks_dim)} if agreement.weights[LOOKS] else {}
    blocks |= {label: agreement.block(label) or slice(0) for label in agreement.labels}
    shares = {name: float(products[block].sum()) for name, block in blocks.items()}
    return Reason(score=sum(shares.values()), shares=shares)


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
