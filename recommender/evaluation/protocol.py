"""The protocol: what is taken out of each query's gallery, and what is then found."""

import copy
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image
from tqdm.auto import tqdm

from recommender.evaluation.foreseen import Foreseen
from recommender.evaluation.queries import PICTURES_AT_ONCE, Queries, read_pictures
from recommender.search.hits import Hits
from recommender.search.options import MAX_K, Ranking
from recommender.search.recommender import Recommender

logger = logging.getLogger(__name__)


DEPTH = 10
"""How many hits of a query are judged."""


Ints = npt.NDArray[np.int64]


Ask = Callable[[int, Mapping[str, Any] | None], Hits]
"""One query: k and filters -> hits."""


@dataclass(frozen=True)
class Answers:
    """The rows found for each query, int64 of shape (q, DEPTH), -1 where there were fewer."""

    strict: Ints
    relaxed: Ints


def answer(recommender: Recommender, queries: Queries, *, ranking: Ranking = "image") -> Answers:
    """Ask every query of both its galleries.

    Raises:
        QueryError: there is no such ranking, or the store cannot do it.
    """
    answers = np.full((2, len(queries), DEPTH), -1, dtype=np.int64)
    gallery = Gallery(recommender)

    def ask_both(position: int, ask: Ask) -> None:
        first = ask(MAX_K, None)
        for found, out in zip(answers, (queries.named, queries.own), strict=True):
            rows = gallery.without(out[position], first, ask)
            found[position, : len(rows)] = rows

    for _, asks in tqdm(asking(recommender, queries, ranking), "Queries"):
        with ThreadPoolExecutor() as pool:
            list(pool.map(ask_both, *zip(*asks, strict=True)))
    return Answers(*answers)


def asking(
    recommender: Recommender,
    queries: Queries,
    ranking: Ranking,
    change: Callable[[int, Image.Image], Image.Image] | None = None,
) -> Iterator[tuple[Sequence[Image.Image], list[tuple[int, Ask]]]]:
    """Batches of queries as functions that ask: by their picture, as a visitor does.

    Items of the gallery ask by id where the encoder sees in a picture just what the gallery holds.

    Args:
        recommender: who is asked.
        queries: who asks.
        ranking: `image` or `hybrid`.
        change: position and picture -> the picture that asks.

    Yields:
        The batch's pictures, none where they ask by id, and a position and `Ask` for each query.
    """
    for start in range(0, len(queries), PICTURES_AT_ONCE):
        positions = range(start, min(start + PICTURES_AT_ONCE, len(queries)))
        if queries.by_id and change is None and recommender.encoder.agreement is None:
            ids = queries.frame["id"].iloc[list(positions)].tolist()
            yield (
                (),
                [(p, _by_id(recommender, i, ranking)) for p, i in zip(positions, ids, strict=True)],
            )
        else:
            pictures = read_pictures(recommender, queries, positions, change)
            seen = copy.copy(recommender)
            seen.encoder = Foreseen(recommender.encoder, pictures)  # type: ignore[assignment]
            yield (
                pictures,
                [
                    (i, _by_image(seen, p, ranking))
                    for i, p in zip(positions, pictures, strict=True)
                ],
            )


def _by_id(recommender: Recommender, item_id: int, ranking: Ranking) -> Ask:
    return lambda k, filters: recommender.by_id(item_id, k=k, filters=filters, ranking=ranking)


def _by_image(recommender: Recommender, picture: Image.Image, ranking: Ranking) -> Ask:
    return lambda k, filters: recommender.by_image(picture, k=k, filters=filters, ranking=ranking)


class Gallery:
    """Rows of a recommender's catalog, and which of them stand for others."""

    def __init__(self, recommender: Recommender) -> None:
        self.ids: Ints = recommender.frame["id"].to_numpy()
        self.pictures = pd.factorize(recommender.frame["image_hash"])[0]
        self._row_of = pd.Index(self.ids)
        self._copies = np.bincount(self.pictures, minlength=1)

    def rows(self, hits: Hits) -> Ints:
        """Where hits are in the gallery: int64 of shape (m,)."""
        rows: Ints = self._row_of.get_indexer(hits.ids).astype(np.int64)
        return rows

    def without(self, out: Ints, first: Hits, ask: Ask) -> Ints:
        """The best DEPTH rows of the gallery without some rows.

        The rows are dropped from the first answer. That is exact, unless so many were dropped that
        too few are left, or one that was dropped stood for an identical picture that stays: then
        the gallery without them is asked, by an exact filter.

        Args:
            out: int64, sorted, the rows to be left out.
            first: what the whole gallery answered for the largest k.
            ask: asks again.

        Returns:
            int64 of shape (m,), m ≤ DEPTH.
        """
        rows = self.rows(first)
        dropped = np.isin(rows, out)
        left_out = np.bincount(self.pictures[out], minlength=len(self._copies))
        shown_for = self.pictures[rows[dropped]]
        hides = (self._copies[shown_for] > left_out[shown_for]).any()
        short = len(rows) == MAX_K and len(rows) - dropped.sum() < DEPTH
        if hides or short:
            rest = np.delete(self.ids, out).tolist()
            return self.rows(ask(DEPTH, {"id": rest})) if rest else out[:0]
        return rows[~dropped][:DEPTH]
