"""The protocol: what is taken out of each query's gallery, and what is then found.

Two galleries are asked. Out of both are a query's own items: its id and pictures identical to its
own. Out of the strict one are also the items of its name; the relaxed one keeps them. Everything
goes through `Recommender.search`, so what is measured is what is served.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from recommender.encoding.agreement import Beliefs
from recommender.encoding.protocol import concatenate
from recommender.encoding.regions import Asked
from recommender.evaluation.encoded import AT_ONCE, Change, encode_files
from recommender.evaluation.queries import Queries
from recommender.index.embeddings import Rows
from recommender.search.options import Options, Ranking
from recommender.search.query import Query
from recommender.search.recommender import Recommender

DEPTH = 10
"""How many hits of a query are judged."""


@dataclass(frozen=True)
class Found:
    """What queries found.

    Attributes:
        strict: the rows that each found, int64 of shape (q, DEPTH), -1 where there were fewer.
        relaxed: the same, of the gallery that keeps items of the query's name.
        beliefs: what the heads believe of the pictures that asked: label -> float32 (q, classes).
    """

    strict: Rows
    relaxed: Rows
    beliefs: Beliefs = field(default_factory=dict)


def answer(
    recommender: Recommender, queries: Queries, *, ranking: Ranking = "image", spread: bool = False
) -> Found:
    """Ask every query of both its galleries.

    Raises:
        QueryError: there is no such ranking, or the store cannot do it.
    """
    found = np.full((2, len(queries), DEPTH), -1, dtype=np.int64)
    beliefs = []
    for positions, query in asking(recommender, queries, title="Queries"):
        for gallery, out in zip(found, (queries.named, queries.own), strict=True):
            excluded = [out[position] for position in positions]
            gallery[positions] = find(recommender, query, excluded, DEPTH, ranking, spread=spread)
        beliefs.append(query.beliefs)
    strict, relaxed = found
    return Found(strict, relaxed, concatenate(beliefs))


def asking(
    recommender: Recommender,
    queries: Queries,
    change: Change | None = None,
    region: Asked = "auto",
    *,
    title: str,
) -> Iterator[tuple[range, Query]]:
    """Batches of queries, positions and what asks: their pictures, as visitors' do.

    Items of the gallery ask with what it holds of them where that is all that the encoder sees.
    """
    with tqdm(desc=title, total=len(queries)) as bar:
        if queries.by_id and change is None and not recommender.encoder.labels:
            rows = pd.Index(recommender.frame["id"]).get_indexer(queries.frame["id"])
            for start in range(0, len(queries), AT_ONCE):
                positions = range(start, min(start + AT_ONCE, len(queries)))
                yield positions, Query(vectors=recommender.index.vectors[rows[positions]])
                bar.update(len(positions))
            return
        files = queries.picture_bytes, len(queries)
        for positions, encoded in encode_files(recommender.encoder, *files, change, region):
            yield positions, Query(**encoded._asdict(), recognises=True)
            bar.update(len(positions))


def find(
    recommender: Recommender,
    query: Query,
    excluded: Sequence[Rows],
    k: int,
    ranking: Ranking,
    *,
    spread: bool = False,
) -> Rows:
    """The best rows for each query in the gallery without some rows; `spread` as in `Options`.

    Returns:
        int64 of shape (q, k), -1 where there are fewer.
    """
    found = np.full((len(query), k), -1, dtype=np.int64)
    options = Options(k=k, ranking=ranking, spread=spread)
    for i, hits in enumerate(recommender.search(replace(query, excluded=excluded), options)):
        found[i, : len(hits)] = hits.rows
    return found
