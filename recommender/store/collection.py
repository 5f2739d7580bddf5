"""A store's items in a collection of Milvus: put there, kept up to date, and searched."""

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from recommender.catalog.own import columns_of
from recommender.encoding.agreement import Agreement
from recommender.errors import ClusterError, IndexMismatchError, StoreError
from recommender.index.embeddings import Rows
from recommender.index.milvus import Collection, MilvusConfig
from recommender.index.milvus_index import Held, MilvusIndex
from recommender.index.milvus_schema import FIELDS, KEY, Field
from recommender.schema import key_of, keys_of
from recommender.store.store import Gallery, Store

log = logging.getLogger(__name__)

_AT_ONCE = 1_000
"""Rows of one request, a few megabytes."""
_LARGEST_KEY = np.uint64(2**63 - 1)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What became of a collection's rows.

    Attributes:
        name: of the collection.
        count: items of the store.
        added: rows that were put there.
        removed: rows that were taken away.
    """

    name: str
    count: int
    added: int
    removed: int

    def summary(self) -> str:
        """A line for a person."""
        return (
            f"{self.name} holds {self.count:,} items: {self.added:,} rows added, "
            f"{self.removed:,} removed"
        )


class Contents:
    """What a collection is to hold of a version of a store.

    Attributes:
        frame: the columns of its items, row by row with the index.
        embeddings: the same rows' vectors, on disk.
        keys: int64 of shape (n,), of each row: a hash of the picture and the columns.
        marker: the key of the row that is written last.
    """

    def __init__(self, store: Store) -> None:
        """Raises:
        StoreError: the store cannot be read.
        """
        manifest = store.manifest
        rows = pd.Index(keys_of(store.frame["id"])).get_indexer(pd.Index(store.ids))
        if len(rows) and rows.min() < 0:
            raise IndexMismatchError("The index is of another catalog: build the index again.")
        columns = columns_of(store.frame)
        self.frame = store.frame.iloc[rows].reset_index(drop=True)
        self.embeddings = store.on_disk
        self._encoder = str(manifest.encoder["fingerprint"])
        # Two stores are two collections, whichever items they have: what one removes the other has.
        self._named_by = f"{self._encoder} {manifest.lineage}".rstrip()
        self._fields = [
            Field.of(column.name, number=column.kind in ("number", "year")) for column in columns
        ]
        seen = self.frame[["image_hash", *(column.name for column in columns)]]
        seed = hashlib.sha256(self._encoder.encode()).hexdigest()[:16]
        hashed = pd.util.hash_pandas_object(seen, index=False, hash_key=seed).to_numpy()
        self.keys: Rows = (hashed & _LARGEST_KEY).astype(np.int64)
        made_of = json.dumps([self._encoder, manifest.catalog_fingerprint, manifest.ids_sha256])
        self.marker = key_of(made_of)

    def collection(self, config: MilvusConfig) -> Collection:
        """Where they are held."""
        dim = self.embeddings.vectors.shape[1]
        return Collection(config, self._named_by, dim, self._fields, key_of)

    @property
    def row_names(self) -> list[int]:
        """The keys of all rows that the collection holds of this version."""
        return [*self.keys.tolist(), self.marker]

    def rows(
        self, collection: Collection, agreement: Agreement, places: Rows
    ) -> list[dict[str, Any]]:
        """Some rows as Milvus takes them.

        Args:
            collection: of these contents.
            agreement: how an embedding holds labels.
            places: int64 of shape (m,), which of them.
        """
        frame, vectors = self.frame.iloc[places], self.embeddings.vectors[places]
        known = agreement.with_labels(vectors, {n: frame[n].tolist() for n in agreement.labels})
        held = {
            one.name: [collection.value(one, value) for value in _plain(frame[one.column])]
            for one in collection.fields.values()
        }
        both = dict(zip(FIELDS, (vectors, known), strict=True))
        columns = {KEY: self.keys[places].tolist(), **both, **held}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def load_collection(
    contents: Contents,
    agreement: Agreement,
    config: MilvusConfig,
    *,
    former: Iterable[int] = (),
    prune: bool = False,
) -> Loaded:
    """Put a version of a store into Milvus; killed, it goes on where it was.

    Rows that are there already are not sent again, so that a changed catalog costs what changed.
    Two that load at once do the same work twice, no more.

    Args:
        contents: of the version.
        agreement: of the encoder that it was built with.
        config: where Milvus is.
        former: keys of the version before, which is perhaps still read.
        prune: whether rows of all other versions are removed.

    Returns:
        What became of the rows.

    Raises:
        ClusterError: Milvus is away or refuses; what is there stays.
        StoreError: the store cannot be read.
    """
    collection = contents.collection(config)
    keep = np.fromiter(chain(former, contents.row_names), np.int64)
    places, done = np.arange(len(contents.keys)), 0
    try:
        collection.make()
        held = np.fromiter(chain.from_iterable(collection.keys()), np.int64)
        places = np.flatnonzero(~np.isin(contents.keys, held))
        parts = [places[at : at + _AT_ONCE] for at in range(0, len(places), _AT_ONCE)]
        with tqdm(total=len(places), desc="Loading", unit="item", disable=not parts) as bar:
            for part in parts:
                collection.upsert(contents.rows(collection, agreement, part))
                done += len(part)
                bar.update(len(part))
        collection.upsert([_marker_of(contents, collection)])
        removed = np.setdiff1d(held, keep).tolist() if prune else []
        for at in range(0, len(removed), _AT_ONCE):
            collection.delete(removed[at : at + _AT_ONCE])
        collection.flush()
    except ClusterError as error:
        raise ClusterError(
            f"{error} {done:,} of {len(places):,} items were sent: run "
            "`python -m scripts.load_milvus`, which goes on from there."
        ) from error
    finally:
        collection.close()
    return Loaded(name=collection.name, count=len(contents.keys), added=done, removed=len(removed))


def collected_gallery(store: Store, config: MilvusConfig) -> Gallery:
    """A store whose vectors stay on disk, and are found by Milvus wherever it answers.

    Raises:
        StoreError: the store cannot be read.
    """
    contents = Contents(store)
    if store.views is not None:
        log.warning("Milvus finds items by their own pictures: their further views it has not.")
    held = Held(contents.collection(config), contents.keys, contents.marker)
    held.check()  # at the start, not when a visitor asks
    metric = store.manifest.index.get("metric")
    if metric not in ("cosine", "euclidean"):
        raise StoreError("The store's manifest cannot be read: build the index again.")
    embeddings = contents.embeddings
    index = MilvusIndex(held, FIELDS[0], embeddings.ids, embeddings.vectors, metric)
    return store.searched_by(index)


def _marker_of(contents: Contents, collection: Collection) -> dict[str, Any]:
    """A row that no search finds: of no length, and of no item."""
    nothing = np.zeros(collection.dim, np.float32)
    columns = dict.fromkeys(one.name for one in collection.fields.values())
    return {KEY: contents.marker, **dict.fromkeys(FIELDS, nothing), **columns}


def _plain(column: "pd.Series[Any]") -> list[Any]:
    """A column's values as Python has them, missing ones None."""
    return column.astype(object).where(column.notna(), None).tolist()
