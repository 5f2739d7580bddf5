"""The embeddings of further views: in parts as the items' own are, in a folder of their own."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from recommender.catalog.views import hashes_of, name_of_view
from recommender.errors import StoreError
from recommender.index.embeddings import Rows
from recommender.index.views import Views
from recommender.schema import key_of, keys_of
from recommender.store.parts import load_parts

VIEWS_FOLDER = "views"


def view_parts(names: Iterable[str]) -> list[str]:
    """Those of a store's files that hold views, in order."""
    return [name for name in names if name.startswith(f"{VIEWS_FOLDER}/")]


def load_views(parts: Sequence[Path], frame: pd.DataFrame, ids: Rows, dim: int) -> Views | None:
    """Read the views of a store whose files were checked.

    Args:
        parts: their files.
        frame: of the catalog.
        ids: int64 of shape (n,), the gallery's keys; views of other items are left out.
        dim: length of an embedding.

    Returns:
        None where there are none.

    Raises:
        StoreError: they are of other pictures.
    """
    if not parts:
        return None
    embedded = load_parts(parts)
    item_ids = frame["id"].tolist()
    known = {
        key_of(name_of_view(item_ids[row], number)): (row, number, pixels)
        for row, number, pixels in hashes_of(frame)
    }
    told = [known.get(key) for key in embedded.ids.tolist()]
    if embedded.vectors.shape[1] != dim or None in told:
        raise StoreError("The store's views are of other pictures: build the index again.")
    of, numbers, pictures = zip(*filter(None, told), strict=True) if told else ((), (), ())
    rows = (
        pd.Index(ids).get_indexer(pd.Index(keys_of(item_ids[row] for row in of))).astype(np.int64)
    )
    order = np.argsort(rows, kind="stable")
    order = order[rows[order] >= 0]
    return Views(
        rows=rows[order],
        numbers=np.array(numbers, np.int64)[order],
        pictures=[pictures[at] for at in order],
        vectors=embedded.vectors[order],
    )
