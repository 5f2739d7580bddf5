"""A store on disk: catalog, parts, index and, written last, the manifest.

The manifest says what the store was made of and lists the sha256 of each of its files, which it
alone names. It is written by rename: where it exists, the store is whole; where it does not fit,
nothing of the store is read. A new version is written beside the old one under names of its own,
so that whoever reads sees the old one up to the rename, and the new one from then on.
"""

import contextlib
import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from recommender.catalog.items import catalog_frame, load_catalog
from recommender.catalog.own import columns_of
from recommender.catalog.views import views_within
from recommender.errors import StoreError
from recommender.files import InPlace
from recommender.index.embeddings import Embeddings, Floats, Rows
from recommender.index.faiss import FLAT, Index, IndexConfig, map_flat, read_index
from recommender.index.mapped import lay_on_disk
from recommender.index.protocol import VectorIndex
from recommender.index.views import ViewedIndex, Views
from recommender.schema import Column
from recommender.store.colours import COLOURS
from recommender.store.known import ByPicture, pictures_of
from recommender.store.manifest import MANIFEST_FILE, Manifest, load_manifest
from recommender.store.parts import InParts, load_parts
from recommender.store.style_map import MAP, Places
from recommender.store.views import load_views, view_parts

logger = logging.getLogger(__name__)

_DAMAGED = "The store's index is damaged: build it again."


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """What is searched.

    Attributes:
        items: the catalog; pictures as `{"bytes", "path"}`.
        frame: its columns and `image_hash`, one row an item.
        index: of those items that could be embedded.
        places: int16 of shape (n, 2), the index's rows on the style map; None without one.
        colours: float32 of shape (n, 3), of the items' garments; None where nobody knows them.
        views: further pictures of the items, by which the index finds them too; None where there
            are none, or the index does not.
        version: of the store that it was read from: the head of its catalog's fingerprint.
        in_place: the files of that store that are read from disk as they are asked for.
    """

    items: datasets.Dataset
    frame: pd.DataFrame
    index: VectorIndex
    places: Places | None = None
    colours: Floats | None = None
    views: Views | None = None
    version: str | None = None
    in_place: InPlace = field(default_factory=InPlace)

    def check(self) -> None:
        """See that what is read from disk is still what was opened.

        Raises:
            StoreError: somebody has changed it where it lies.
        """
        if self.in_place.changes():
            raise StoreError(
                "The catalog's files were changed where they lie: it is read anew, ask again soon."
            )

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Of the catalog: the usual ones, then its own."""
        return columns_of(self.frame)

    def picture(self, row: int, number: int = 1) -> bytes | None:
        """The encoded picture of an item: its own, or by a number from 2 on a further one.

        Args:
            row: of the catalog.
            number: which picture; None is what there is of one that the item has not.

        Raises:
            StoreError: the files were changed where they lie.
        """
        self.check()
        item = self.items[row]
        pictures = [bytes(item["image"]["bytes"]), *(views_within(item) if number > 1 else ())]
        return pictures[number - 1] if 1 <= number <= len(pictures) else None


class Store:
    """A version of a store whose files were checked; each part is read once, when asked for."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        """Nothing is read here; `open` checks and reads the latest manifest.

        Args:
            directory: the store.
            manifest: lists the files, which have the sha256 that it says.
        """
        self.directory, self.manifest = directory, manifest
        self._in_place = InPlace(directory / n for n in (manifest.index_file, *manifest.shards))

    @classmethod
    def open(cls, directory: Path, *, searched: bool = True) -> "Store":
        """The latest version.

        Args:
            directory: the store.
            searched: whether its index is going to be read; if not, it is not looked at.

        Raises:
            StoreError: there is no whole store, or a file is missing or has other bytes.
        """
        return cls(directory, load_manifest(directory, searched=searched))

    @cached_property
    def items(self) -> datasets.Dataset:
        """The items of the catalog that the store was built of, whatever the latest one is.

        That they are those is told by their files' bytes, which the manifest knows.

        Raises:
            StoreError: they cannot be read.
        """
        if not self.manifest.shards:
            raise StoreError("The store's manifest names no catalog: build the index again.")
        shards = [self.directory / name for name in self.manifest.shards]
        return load_catalog(self.directory / "catalog", shards)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Their columns; see `catalog_frame`.

        Raises:
            StoreError, IndexMismatchError: as of `items`.
        """
        return catalog_frame(self.items)

    @cached_property
    def embeddings(self) -> Embeddings:
        """The exact vectors, from the parts.

        Raises:
            StoreError: a part is damaged, or they do not belong together.
        """
        return load_parts([self.directory / part for part in self.manifest.parts])

    @cached_property
    def ids(self) -> Rows:
        """int64 of shape (n,), keys of the items that could be embedded, in the index's order.

        Raises:
            StoreError: they are not those of the manifest.
        """
        try:
            with (self.directory / self.manifest.ids_file).open("rb") as file:
                np.lib.format.read_magic(file)
                shape, _, dtype = np.lib.format.read_array_header_1_0(file)
                # What a header claims and the file has not is not allocated.
                ids: Rows = np.frombuffer(file.read(), np.int64)
        except Exception as error:  # of hostile heads, whatever Python's parser happens to raise
            raise StoreError(_DAMAGED) from error
        same = hashlib.sha256(ids.tobytes()).hexdigest() == self.manifest.ids_sha256
        if not same or dtype != np.int64 or not shape == ids.shape == (self.manifest.count,):
            raise StoreError(_DAMAGED)
        return ids

    @cached_property
    def index(self) -> Index:
        """The search structure.

        Raises:
            StoreError: it does not hold what the manifest says.
        """
        manifest = self.manifest
        path = self.directory / manifest.index_file
        try:
            config = IndexConfig(**manifest.index)
            sha256 = manifest.files[manifest.index_file]
            return read_index(path, sha256, self.ids, manifest.dim, lambda: self.embeddings, config)
        except (OSError, RuntimeError, ValueError, TypeError) as error:
            raise StoreError(_DAMAGED) from error

    @cached_property
    def places(self) -> Places | None:
        """int16 of shape (n, 2), row by row with `ids`; None where the store has no map.

        Raises:
            StoreError: the map is of other items.
        """
        return MAP.load(self.directory, self.manifest.files, self.ids)

    @cached_property
    def colours(self) -> Floats | None:
        """float32 of shape (n, 3), the garments' colours, row by row; None where it has none.

        Raises:
            StoreError: they are of other items.
        """
        return COLOURS.load(self.directory, self.manifest.files, self.ids)

    @cached_property
    def views(self) -> Views | None:
        """The embeddings of further views; None where no item has any.

        Raises:
            StoreError: they are damaged, or of other pictures.
        """
        parts = [self.directory / name for name in view_parts(self.manifest.files)]
        return load_views(parts, self.frame, self.ids, self.manifest.dim) if parts else None

    @property
    def on_disk(self) -> Embeddings:
        """The exact vectors in the index's order, read from disk as they are asked for.

        Raises:
            StoreError: they cannot be read, or not be laid there.
        """
        manifest = self.manifest
        try:
            if manifest.index.get("factory") == FLAT:
                path = self.directory / manifest.index_file
                return Embeddings(self.ids, map_flat(path, manifest.count, manifest.dim))
            vectors = self.index.vectors[:]
            return Embeddings(self.ids, lay_on_disk([vectors], vectors.shape, self.directory))
        except ValueError as error:
            raise StoreError(_DAMAGED) from error
        except OSError as error:
            raise StoreError(
                f"The store's vectors cannot be read or laid on disk: {error.strerror or error}."
            ) from error

    @property
    def gallery(self) -> Gallery:
        """All that is searched, in memory.

        Raises:
            StoreError: a part cannot be used.
        """
        if (views := self.views) is None:
            return self.searched_by(self.index)
        return self.searched_by(ViewedIndex(self.index, views), views)

    def searched_by(self, index: VectorIndex, views: Views | None = None) -> Gallery:
        """The same, where an index of its rows finds them, by these views too.

        Raises:
            StoreError: a part cannot be used.
        """
        return Gallery(
            items=self.items,
            frame=self.frame,
            index=index,
            places=self.places,
            colours=self.colours,
            views=views,
            version=self.manifest.catalog_fingerprint[:12],
            in_place=self._in_place,
        )

    def known(self, fingerprint: str) -> ByPicture:
        """The pictures whose embeddings are held here, if an encoder of this fingerprint made them.

        Returns:
            `image_hash` -> float32 of shape (dim,).
        """
        if self.manifest.encoder["fingerprint"] != fingerprint:
            return ByPicture()
        try:
            parts = [self.directory / name for name in self.manifest.parts]
            vectors = InParts(parts, self.manifest.dim)
            pictures = pictures_of(self.items, vectors.ids)[1]
            if (views := self.views) is None:
                return ByPicture(pictures, vectors)
            seen = np.concatenate([*vectors.blocks(), views.vectors])
            return ByPicture([*pictures.to_pylist(), *views.pictures], seen)
        except StoreError:
            return ByPicture()

    @property
    def known_colours(self) -> ByPicture:
        """The same of garments' colours: float32 of shape (3,)."""
        with contextlib.suppress(StoreError):
            if (colours := self.colours) is not None:
                return ByPicture(pictures_of(self.items, self.ids)[1], colours)
        return ByPicture()


def open_items(directory: Path) -> datasets.Dataset:
    """The items that a store serves; those of its catalog where nothing was built of it yet.

    Raises:
        StoreError: there is neither, or it is not whole.
    """
    if (directory / MANIFEST_FILE).exists():
        return Store.open(directory).items
    return load_catalog(directory / "catalog")


@contextlib.contextmanager
def writing(directory: Path, *, make: bool = False) -> Iterator[None]:
    """Change a store one at a time: who comes second waits. Readers need not know.

    Args:
        directory: the store.
        make: whether a folder that is not there is made; else there is nothing to keep others from.

    Raises:
        StoreError: the folder cannot be written.
    """
    if not make and not directory.is_dir():
        yield
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory / "writing.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.warning("waiting for another command that changes %s", directory)
            lock.acquire()
    except OSError as error:
        raise StoreError(f"{directory} cannot be written: {error.strerror or error}.") from error
    try:
        yield
    finally:
        lock.release()
