"""More like this, less like that: likes and dislikes move what is sought.

Rocchio's relevance feedback over the embeddings, with two changes. Of few opinions each counts
less than of many, so that one cross does not turn a search round. And what kind of thing is sought
the query alone says, as whoever crosses a shoe among shoes still wants shoes: the article type's
part of an embedding stays, and a taste goes along from one kind of thing to the next.

Source: Rocchio, Relevance Feedback in Information Retrieval, in The SMART System, 1971.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from recommender.encoding.agreement import LOOKS, Agreement
from recommender.errors import UnknownItemError
from recommender.index.embeddings import Floats, Vectors
from recommender.schema import COLOUR, TYPE, Id
from recommender.search.items import Items

LIKED = {TYPE: 0.0}
DISLIKED = {TYPE: 0.0, "gender": 1.2, "baseColour": 3.0, LOOKS: 0.5}
"""What all likes, or dislikes, together count at most in each part of an embedding, beside what was
asked for; in the others one. Chosen on dev: a cross among items of one colour is most often about
that colour, and seldom about whom they are for; unless as many of that colour are liked."""


def rows_of(items: Items, ids: Sequence[Id]) -> list[int]:
    """The rows of items that somebody judged.

    Raises:
        UnknownItemError: there is no such item.
    """
    try:
        return [items.row(item_id) for item_id in ids]
    except UnknownItemError as error:
        raise UnknownItemError(
            "The catalog has no item of one of these ids, liked or disliked: leave it out."
        ) from error


class Pull(NamedTuple):
    """What a taste does to whatever is sought.

    Attributes:
        towards: float32 of shape (dim,), what is liked, as far as it counts.
        away: float32 of shape (dim,), what is disliked, the same.
    """

    towards: Floats
    away: Floats


def pull_of(
    agreement: Agreement, vectors: Vectors, liked: Sequence[int], disliked: Sequence[int]
) -> Pull:
    """Towards the middle of what is liked, away from that of what is not.

    Args:
        agreement: how the embeddings are laid out.
        vectors: float32 of shape (n, dim), the gallery's.
        liked: rows of it.
        disliked: the same.
    """
    judged = (agreement.as_queries(vectors[np.array(rows, np.int64)]) for rows in (liked, disliked))
    good, bad = map(_middle, judged)
    away = agreement.spread(DISLIKED, others=1.0) * bad
    if (colours := agreement.block(COLOUR)) is not None:
        away[colours] *= bad[colours] > good[colours]
    return Pull(agreement.spread(LIKED, others=1.0) * good, away)


def moved(queries: Floats, pull: Pull) -> tuple[Floats, Floats]:
    """Move queries by a taste.

    Args:
        queries: float32 of shape (q, dim), unit rows without slack.
        pull: of the taste.

    Returns:
        float32 of shape (q, dim), unit rows; a query that would vanish stays as it is. And float32
        of shape (q, 1), what of query and pull is in them: 0 of what stays.
    """
    aims = queries + (pull.towards - pull.away)
    lengths = np.linalg.norm(aims, axis=1, keepdims=True)
    there = lengths > 1e-6
    shares: Floats = np.where(there, 1 / np.where(there, lengths, 1), 0)
    units: Floats = np.where(there, aims * shares, queries)
    return units, shares


def _middle(vectors: Floats) -> Floats:
    """The mean with two more that say nothing: (m, dim) -> (dim,)."""
    middle: Floats = vectors.sum(axis=0) / np.float32(len(vectors) + 2)
    return middle
