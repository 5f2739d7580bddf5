"""`Recommender`: three doors, one corridor.

`by_image` and `by_id` only make the query. One private method searches, filters and drops repeated
pictures, for the page, the API and the evaluation alike, so that what is measured is what is
served.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import datasets
import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from recommender.catalog.items import catalog_frame
from recommender.encoding.agreement import LOOKS, Beliefs
from recommender.encoding.backbone import Device
from recommender.encoding.encoder import Encoder, load_encoder
from recommender.errors import IndexMismatchError, QueryError, StoreError, UnknownItemError
from recommender.index.embeddings import Embeddings
from recommender.index.faiss import Index, IndexConfig, build_index
from recommender.schema import COLUMNS, SCHEMA
from recommender.search.filters import FilterTable
from recommender.search.hits import Hits
from recommender.search.options import MAX_K, Ranking
from recommender.search.ranking import first_of_each, put_first
from recommender.search.recognition import Recognition
from recommender.store.manifest import Manifest, check_encoder, load_manifest, store_version
from recommender.store.store import load_index, load_items
from recommender.store.style_map import load_map

Item = dict[str, Any]


class Recommender:
    """A store that answers. Thread-safe; nothing changes after construction."""

    def __init__(
        self,
        items: datasets.Dataset,
        index: Index,
        encoder: Encoder,
        places: npt.NDArray[np.int16] | None = None,
    ) -> None:
        """Join the parts that `load_recommender` reads.

        Args:
            items: the catalog; pictures as `{"bytes", "path"}`.
            index: its gallery; ids that the catalog has.
            encoder: what the gallery was embedded with.
            places: int16 of shape (n, 2), of the gallery's items on the style map; None without.

        Raises:
            IndexMismatchError: the index holds an item that the catalog does not.
        """
        frame = catalog_frame(items)
        # The gallery may lack items whose picture could not be embedded; rows are the gallery's.
        catalog_rows = pd.Index(frame["id"]).get_indexer(index.ids)
        if len(catalog_rows) and catalog_rows.min() < 0:
            raise IndexMismatchError("The index is of another catalog: build the index again.")
        self.frame = frame.iloc[catalog_rows].reset_index(drop=True)
        self.filters = FilterTable(self.frame[list(COLUMNS)])
        self.encoder = encoder
        self.index = index
        self.places = places
        self._galleries = {"image": index}
        if encoder.agreement is not None:
            # What is known of an item in place of what its picture makes one believe.
            known = encoder.agreement.with_labels(index.vectors, self.frame)
            config = IndexConfig(metric=index.metric)
            self._galleries["hybrid"] = build_index(Embeddings(index.ids, known), config)[0]
        self._items = items
        self._catalog_rows = catalog_rows
        self._row_of = {int(item_id): row for row, item_id in enumerate(index.ids)}
        self._pictures = pd.factorize(self.frame["image_hash"])[0].astype(np.int64)
        self._recognition = None
        if encoder.agreement is not None and encoder.agreement.weights[LOOKS]:
            # Where an embedding is looks alone, the query's own picture is the nearest anyway.
            self._recognition = Recognition(encoder.agreement, index.vectors, self._pictures)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def rankings(self) -> tuple[str, ...]:
        """What items can be ranked by: `image`, and `hybrid` where the encoder has heads."""
        return tuple(self._galleries)

    def by_image(
        self,
        picture: Image.Image,
        *,
        k: int = 5,
        filters: Mapping[str, Any] | None = None,
        repeats: bool = False,
        ranking: Ranking = "auto",
    ) -> Hits:
        """Items that look like a picture, first the one that it is a picture of, if it is.

        Args:
            picture: RGB of any size.
            k: how many, 1 to 100.
            filters: column -> allowed values; see `FilterTable.mask`.
            repeats: whether items with identical pictures are all shown.
            ranking: whether the items' labels count.

        Raises:
            QueryError: `k`, a filter or the ranking cannot be.
        """
        gallery = self._gallery(ranking)
        started = time.perf_counter()
        query, beliefs = self.encoder.see([picture])
        timings_ms = {"encode": _milliseconds_since(started)}
        hits = self._recommend(gallery, query, k, filters, repeats, timings_ms)
        return replace(hits, beliefs=beliefs)

    def by_id(
        self,
        item_id: int,
        *,
        k: int = 5,
        filters: Mapping[str, Any] | None = None,
        repeats: bool = False,
        ranking: Ranking = "auto",
    ) -> Hits:
        """Items that look like an item, which is never among them.

        Args:
            item_id: of the catalog.
            k: how many, 1 to 100.
            filters: column -> allowed values; see `FilterTable.mask`.
            repeats: whether items with identical pictures, also to the item's own, are shown.
            ranking: whether the items' labels count.

        Raises:
            QueryError: `k`, a filter or the ranking cannot be.
            UnknownItemError: there is no such item.
        """
        row = self._row(item_id)
        gallery = self._gallery(ranking)
        query = gallery.vectors[row : row + 1]
        return self._recommend(gallery, query, k, filters, repeats, {}, row)

    def describe(self, picture: Image.Image) -> Beliefs:
        """What is believed of a picture: label -> float32 of shape (1, classes), sum one."""
        return self.encoder.see([picture])[1]

    def item(self, item_id: int) -> Item:
        """One item's columns, missing ones None.

        Raises:
            UnknownItemError: there is no such item.
        """
        values = self.frame.iloc[self._row(item_id)]
        return {
            name: None if pd.isna(value) else int(value) if kind in ("id", "year") else value
            for name, kind, value in ((c.name, c.kind, values[c.name]) for c in SCHEMA)
        }

    def picture_bytes(self, item_id: int) -> bytes:
        """The encoded picture of an item, as its source had it.

        Raises:
            UnknownItemError: there is no such item.
        """
        data: bytes = self._items[int(self._catalog_rows[self._row(item_id)])]["image"]["bytes"]
        return data

    def _row(self, item_id: object) -> int:
        if isinstance(item_id, float) and item_id.is_integer():
            item_id = int(item_id)  # JSON knows one kind of number
        if isinstance(item_id, bool) or not isinstance(item_id, int | np.integer):
            raise UnknownItemError("An item's id is a whole number.")
        if (row := self._row_of.get(int(item_id))) is None:
            raise UnknownItemError("The catalog has no item with this id.")
        return row

    def _gallery(self, ranking: str) -> Index:
        if ranking not in get_args(Ranking):
            raise QueryError(f"The ranking is one of {', '.join(get_args(Ranking))}.")
        if ranking == "auto":
            ranking = "hybrid" if "hybrid" in self._galleries else "image"
        if ranking not in self._galleries:
            raise QueryError("This catalog can be ranked by image only: its encoder has no heads.")
        return self._galleries[ranking]

    def _recommend(
        self,
        gallery: Index,
        query: npt.NDArray[np.float32],
        k: int,
        filters: Mapping[str, Any] | None,
        repeats: bool,
        timings_ms: dict[str, float],
        own_row: int | None = None,
    ) -> Hits:
        """The corridor: filter, search, drop the query itself and repeated pictures.

        Args:
            gallery: what is searched.
            query: float32 of shape (1, d), a unit row as the encoder makes it.
            own_row: the row of the item that asks, None for a picture.
        """
        k = _check_k(k)
        started = time.perf_counter()
        allowed = self.filters.mask(filters)
        recognised = None
        if self._recognition is not None and own_row is None:
            recognised = self._recognition.recognise(query, allowed)
        if self.encoder.agreement is not None:
            query = self.encoder.agreement.as_queries(query)
        searched_ms, ranked_ms = _milliseconds_since(started), 0.0
        wanted = 2 * k + 8
        while True:
            started = time.perf_counter()
            all_scores, all_rows = gallery.search(query, wanted, allowed)
            scores, rows = all_scores[0], all_rows[0]
            searched_ms += _milliseconds_since(started)
            started = time.perf_counter()
            exhausted = len(rows) < wanted
            if exhausted and allowed is None and (rows < 0).any():
                # An approximate index lost rows; a filter that all pass makes the search exact.
                allowed, exhausted = np.ones(len(self), dtype=bool), False
            if recognised is not None:
                scores, rows = put_first(
                    recognised.rows, gallery.score_of(recognised.cosine), scores, rows
                )
            kept_scores, kept_rows = self._drop(scores, rows, own_row, repeats)
            ranked_ms += _milliseconds_since(started)
            if len(kept_rows) >= k or exhausted:
                break
            wanted *= 4  # a crowd of identical pictures: look further
        hits, scores = self.index.ids[kept_rows[:k]], kept_scores[:k]
        timings_ms |= {"search": searched_ms, "rank": ranked_ms}
        return Hits(hits, scores, self._message(len(hits), k, bool(filters)), timings_ms)

    def _drop(
        self,
        scores: npt.NDArray[np.float32],
        rows: npt.NDArray[np.int64],
        own_row: int | None,
        repeats: bool,
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        keep = rows >= 0
        if own_row is not None:
            keep &= rows != own_row
            if not repeats:
                keep &= self._pictures[rows] != self._pictures[own_row]
        scores, rows = scores[keep], rows[keep]
        if not repeats:
            first = first_of_each(self._pictures[rows])
            scores, rows = scores[first], rows[first]
        return scores, rows

    @staticmethod
    def _message(found: int, k: int, filtered: bool) -> str:
        if found == 0 and filtered:
            return "No item passes these filters: widen or clear one of them."
        if found < k and filtered:
            return f"Only {found} {'item passes' if found == 1 else 'items pass'} these filters."
        if found < k:
            return f"The catalog has only {found} other items."
        return ""


def load_recommender(
    directory: Path, *, device: Device = "auto", reuse: Encoder | None = None
) -> Recommender:
    """Read a store, checking its manifest first, and the encoder that it was built with.

    Args:
        directory: the store; where it changes meanwhile, the new version is read.
        device: where the encoder runs.
        reuse: an encoder that runs already, taken if it is the one.

    Raises:
        StoreError: there is no whole store here, or a file of it was changed.
        IndexMismatchError: it was built by other weights than those that run.
        WeightsError: the weights that it was built with cannot be had.
    """
    while True:
        version = store_version(directory)
        try:
            manifest = load_manifest(directory)
            items, index = load_items(directory, manifest), load_index(directory, manifest)
            places = load_map(directory, manifest.files, index.ids)
            break
        except StoreError:
            if store_version(directory) == version:
                raise
    if reuse is not None and reuse.fingerprint == manifest.encoder["fingerprint"]:
        return Recommender(items, index, reuse, places)
    return Recommender(items, index, encoder_of(manifest, device=device), places)


def encoder_of(manifest: Manifest, *, device: Device = "auto") -> Encoder:
    """The encoder that a store was built with.

    Raises:
        IndexMismatchError: what runs here is another one.
        WeightsError: its weights cannot be had.
    """
    try:
        settings = dict(manifest.encoder["config"])
        encoder = load_encoder(settings.pop("weights"), device=device, **settings)
    except (KeyError, TypeError, ValueError) as error:  # settings that this version does not know
        raise IndexMismatchError(
            "The index was built by another version of the encoder: run "
            "`python -m scripts.build_index` again."
        ) from error
    check_encoder(manifest, encoder.fingerprint)
    return encoder


def _check_k(k: object) -> int:
    whole = isinstance(k, int | np.integer) or (isinstance(k, float) and k.is_integer())
    if isinstance(k, bool) or not whole or not 1 <= k <= MAX_K:  # type: ignore[operator]
        raise QueryError(f"k is a whole number from 1 to {MAX_K}.")
    return int(k)  # type: ignore[call-overload,no-any-return]


def _milliseconds_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
