"""More that look unlike each other: which of the best are shown."""

import numpy as np

from recommender.encoding.agreement import LOOKS, Agreement
from recommender.index.embeddings import Vectors
from recommender.schema import TYPE
from recommender.search.options import Options
from recommender.search.ranking import Candidates, diverse

_POOL = 10
"""Of how many times k the k are chosen."""
_UNLIKE = 0.4
"""What looking alike counts at most beside the score. Chosen on dev, as the pool."""


def pool_of(options: Options) -> int:
    """How many have to be found for k to be chosen of them."""
    return _POOL * options.k if options.diversity else options.k


def choose(
    pool: Candidates, options: Options, agreement: Agreement, vectors: Vectors
) -> Candidates:
    """The k of a pool: the best, or such as look unlike each other too, of as many types each.

    Args:
        pool: what was found, best first.
        options: k, and how unlike.
        agreement: how the embeddings are laid out.
        vectors: float32 of shape (n, dim), the gallery's.
    """
    if not options.diversity:
        return pool.cut(options.k)
    found, kinds = vectors[pool.rows], np.zeros(len(pool.rows), np.int64)
    looks = agreement.looks(found) if agreement.weights[LOOKS] else found
    if (block := agreement.block(TYPE)) is not None:
        kinds = found[:, block].argmax(axis=1)
    return diverse(pool, looks, kinds, options.k, _UNLIKE * options.diversity)
