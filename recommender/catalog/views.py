"""Further pictures of an item, in columns that only a catalog has where an item has some."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recommender.errors import ImageError, StoreError
from recommender.schema import PICTURE_COLUMNS, VIEW_COLUMNS, Id

VIEWS, VIEW_HASHES = VIEW_COLUMNS
VIEW_FEATURES = {
    VIEWS: datasets.List(datasets.Image()),
    VIEW_HASHES: datasets.List(datasets.Value("string")),
}
MOST_VIEWS = 99
"""Of one item, beside its own picture."""

_NOT_WHOLE = "The catalog has views without a picture within: build it again."

HashOf = Callable[[bytes], str]
"""Gives the hash of a picture's pixels, or raises ImageError."""


class View(NamedTuple):
    """A further picture as a source has it.

    Attributes:
        name: what messages call it.
        read: gives its encoded bytes, or raises ImageError; may be called from several threads.
    """

    name: str
    read: Callable[[], bytes]


class Kept(NamedTuple):
    """Further pictures that are kept: their bytes and hashes; and why others are not."""

    data: list[bytes]
    hashes: list[str]
    lost: list[str]


def read_views(views: Sequence[View], own_hash: str, hash_of: HashOf) -> Kept:
    """Read the further pictures of an item: each once, and none that is its own again."""
    kept = Kept([], [], [])
    for view in views[:MOST_VIEWS]:
        try:
            data = view.read()
            pixels = hash_of(data)
        except ImageError as error:
            kept.lost.append(f"{view.name}: {error}")
            continue
        if pixels not in (own_hash, *kept.hashes):
            kept.data.append(data)
            kept.hashes.append(pixels)
    for view in views[MOST_VIEWS:]:
        kept.lost.append(f"{view.name}: an item has at most {MOST_VIEWS}")
    return kept


def are_those(
    views: Sequence[View], own_hash: str, hash_of: HashOf, there: Sequence[bytes]
) -> bool:
    """Whether an item that has these further pictures would keep those that it has now."""
    try:
        if [view.read() for view in views] == there:
            return True
    except ImageError:
        pass  # it is no view of the item
    return read_views(views, own_hash, hash_of).data == there


def views_within(row: Mapping[str, Any]) -> list[bytes]:
    """The further pictures of a catalog's row."""
    return [bytes(picture["bytes"]) for picture in row.get(VIEWS) or ()]


def name_of_view(item_id: Id, number: int) -> str:
    """What a further picture is called, 2 for the first of them.

    >>> name_of_view("SKU-1", 2)
    'SKU-1, picture 2'
    """
    return f"{item_id}, picture {number}"


def as_items(items: datasets.Dataset) -> datasets.Dataset:
    """The views of a catalog as items by names of their own, of which only the picture is known.

    Args:
        items: a catalog with views, as it is loaded.

    Returns:
        id, image as `{"bytes", "path"}` and image_hash, in order; the bytes stay where they lie.
    """
    batches = []
    for batch in table_of(items, ["id", *VIEW_COLUMNS]).to_batches():
        of = zip(batch["id"].to_pylist(), batch[VIEW_HASHES].to_pylist(), strict=True)
        names = [name_of_view(one, n) for one, told in of for n, _ in enumerate(told or (), 2)]
        columns = [pa.array(names, pa.string()), *(batch[name].flatten() for name in VIEW_COLUMNS)]
        batches.append(pa.record_batch(columns, ["id", *PICTURE_COLUMNS]))
    text = datasets.Value("string")
    kinds = zip(("id", *PICTURE_COLUMNS), (text, datasets.Image(decode=False), text), strict=True)
    return datasets.Dataset(
        datasets.table.InMemoryTable(pa.Table.from_batches(batches)),
        info=datasets.DatasetInfo(features=datasets.Features(kinds)),
        fingerprint=f"{items._fingerprint}-views",  # else all pictures would be read for one
    )


def only(items: datasets.Dataset, names: Sequence[str]) -> datasets.Dataset:
    """The same items, with some of their columns.

    `select_columns` would first copy what is known of each file: a second for some hundreds.
    """
    features = datasets.Features({name: items.features[name] for name in names})
    return datasets.Dataset(
        items.data.select(list(names)),
        info=datasets.DatasetInfo(features=features),
        indices_table=items._indices,
        fingerprint=f"{items._fingerprint}-{'-'.join(names)}",
    )


def table_of(items: datasets.Dataset, names: Sequence[str]) -> pa.Table:
    """Some columns as they lie in Arrow, of these items and in their order: of a selection too."""
    table: pa.Table = only(items, names).with_format("arrow")[:]
    return table


def decoding(items: datasets.Dataset, *, decode: bool) -> datasets.Dataset:
    """The same items, whose pictures are read as such or as `{"bytes", "path"}`."""
    # datasets would cast what holds the same either way: file by file and, of a list, by writing
    # all of the catalog anew.
    info = items.info.copy()
    info.features = items.features
    info.features["image"] = datasets.Image(decode=decode)
    if VIEWS in info.features:
        info.features[VIEWS] = datasets.List(datasets.Image(decode=decode))
    return datasets.Dataset(
        items.data,
        info=info,
        indices_table=items._indices,
        fingerprint=f"{items._fingerprint}-{'' if decode else 'un'}decoded",
    )


def without_unused(items: datasets.Dataset) -> datasets.Dataset:
    """The same items, without columns of views where none has any."""
    if VIEWS not in items.features or any(items[VIEW_HASHES]):
        return items
    return items.remove_columns(list(VIEW_COLUMNS))


def check_views(table: pa.Table) -> None:
    """See that each view is within the catalog, and has its hash; see `check_items`.

    Raises:
        StoreError: one is not.
    """
    for views in table[VIEWS].chunks:
        pictures = views.flatten()
        if pictures.null_count or pictures.field("bytes").null_count:
            raise StoreError(_NOT_WHOLE)
    counts = [
        pc.fill_null(pc.list_value_length(table[name]), 0).to_numpy() for name in VIEW_COLUMNS
    ]
    told = (chunk.flatten().null_count for chunk in table[VIEW_HASHES].chunks)
    if any(told) or not np.array_equal(*counts):
        raise StoreError(_NOT_WHOLE)


def hashes_of(frame: pd.DataFrame) -> Iterator[tuple[int, int, str]]:
    """Each view of a catalog: the row of its item, its number from 2 on, and its hash.

    Args:
        frame: as `catalog_frame` gives it.
    """
    if VIEW_HASHES in frame:
        for row, hashes in enumerate(frame[VIEW_HASHES]):
            yield from ((row, number, pixels) for number, pixels in enumerate(hashes, 2))
