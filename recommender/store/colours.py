"""The colour of each item's garment, as its picture's pixels have it: made once, beside the map.

Of a catalog that changed, only pictures that are new are read.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
from tqdm import tqdm

from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.views import only
from recommender.errors import ImageError
from recommender.index.embeddings import Floats, Rows
from recommender.pictures.colour import packshot_lab
from recommender.pictures.decode import decode_image
from recommender.store.beside import UNREADABLE, Beside
from recommender.store.known import ByPicture, pictures_of

COLOURS = Beside(folder="colours", tensor="labs", width=3, dtype=np.float32, called="colours are")
"""CIELAB, NaN where a picture does not tell."""
_BATCH = 256
_MADE_BY = b"the median of the middle"
"""What `packshot_lab` does, in the name: who changes it, changes this."""


def write_colours(items: datasets.Dataset, ids: Rows, store: Path, known: ByPicture) -> Path:
    """Tell the colours of a gallery and write them, unless they are there.

    Args:
        items: the catalog.
        ids: int64 of shape (n,), the gallery's keys, all of items of the catalog.
        store: its folder.
        known: float32 of shape (3,), of pictures that need not be read again.

    Raises:
        StoreError: they cannot be written.
    """
    rows, pictures = pictures_of(items, ids)
    made_of = sha256(_MADE_BY + ids.tobytes() + "".join(pictures.to_pylist()).encode())
    path = COLOURS.path(store, made_of.hexdigest())
    try:
        COLOURS.read(path)
        return path
    except UNREADABLE:
        pass  # not there, or damaged
    labs = np.empty((len(ids), 3), np.float32)
    unknown = known.fill(pictures, labs)
    seen = pictures.take(pa.array(unknown)).to_pylist()
    fresh = dict(zip(seen, rows[unknown].tolist(), strict=True))
    told = dict(zip(fresh, _tell(items, list(fresh.values())), strict=True))
    for place, picture in zip(unknown, seen, strict=True):
        labs[place] = told[picture]
    COLOURS.write(path, ids, labs)
    return path


def _tell(items: datasets.Dataset, rows: Sequence[int]) -> Floats:
    """The colours of some items: float32 of shape (m, 3)."""

    def tell(data: bytes) -> Floats:
        try:
            picture = decode_image(data, limits=PICTURE_LIMITS)
        except ImageError:
            return np.full(3, np.nan, np.float32)
        return packshot_lab(picture).astype(np.float32)

    labs = np.empty((len(rows), 3), np.float32)
    images = only(items, ["image"])
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        tqdm(total=len(rows), desc="Colours", unit="item") as bar,
    ):
        for start in range(0, len(rows), _BATCH):
            batch = images[list(rows[start : start + _BATCH])]["image"]
            for at, lab in enumerate(pool.map(tell, [each["bytes"] for each in batch]), start):
                labs[at] = lab
            bar.update(len(batch))
    return labs
