"""The colour of each item's garment, as its picture's pixels have it: made once, beside the map.

They are a file of the store. Its name is a hash of what it was made of, so a file that exists is a
file that is done; of a catalog that changed, only pictures that are new are read.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import datasets
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from tqdm import tqdm

from recommender.catalog.items import PICTURE_LIMITS
from recommender.errors import ImageError, StoreError
from recommender.files import whole_file
from recommender.index.embeddings import Floats, Rows
from recommender.pictures.colour import packshot_lab
from recommender.pictures.decode import decode_image
from recommender.schema import keys_of

FOLDER = "colours"
_BATCH = 256
_MADE_BY = b"the median of the middle"
"""What `packshot_lab` does, in the name: who changes it, changes this."""


def write_colours(
    items: datasets.Dataset, ids: Rows, store: Path, known: Mapping[str, Floats]
) -> Path:
    """Tell the colours of a gallery and write them, unless they are there.

    Args:
        items: the catalog.
        ids: int64 of shape (n,), the gallery's keys, all of items of the catalog.
        store: its folder; the file is written below `FOLDER`.
        known: `image_hash` -> float32 of shape (3,), of pictures that need not be read again.

    Raises:
        StoreError: they cannot be written.
    """
    position = {key: at for at, key in enumerate(keys_of(items["id"]).tolist())}
    rows = [position[key] for key in ids.tolist()]
    hashes = items["image_hash"]
    pictures = [hashes[row] for row in rows]
    made_of = sha256(_MADE_BY + ids.tobytes() + "".join(pictures).encode())
    path = store / FOLDER / f"{made_of.hexdigest()[:24]}.safetensors"
    try:
        _read(path)
        return path
    except (OSError, SafetensorError):
        pass  # not there, or damaged
    told = {picture: known[picture] for picture in pictures if picture in known}
    fresh = {
        picture: row for picture, row in zip(pictures, rows, strict=True) if picture not in told
    }
    told |= zip(fresh, _tell(items, list(fresh.values())), strict=True)
    labs = np.array([told[picture] for picture in pictures], np.float32).reshape(-1, 3)
    try:
        with whole_file(path, by_many=True) as building:
            save_file({"ids": ids, "labs": labs}, building)
    except (OSError, SafetensorError) as error:
        raise StoreError("The colours cannot be written: see the folder and its disk.") from error
    return path


def load_colours(store: Path, files: Iterable[str], ids: Rows) -> Floats | None:
    """Read the colours of a store whose files were checked.

    Args:
        store: its folder.
        files: names of the manifest's files.
        ids: int64 of shape (n,), the gallery's.

    Returns:
        float32 of shape (n, 3), CIELAB, row by row with the ids, NaN where a picture does not tell;
        None where the store has none, as one that was built before has.

    Raises:
        StoreError: they are of other items.
    """
    if (path := colours_file(store, files)) is None:
        return None
    try:
        found, labs = _read(path)
        if labs.shape != (len(ids), 3) or labs.dtype != np.float32 or np.isinf(labs).any():
            raise ValueError("no colours")
        if not np.array_equal(found, ids):
            raise ValueError("the colours are of other items")
    except (OSError, SafetensorError, ValueError) as error:
        raise StoreError("The store's colours are damaged: build the index again.") from error
    return labs


def colours_file(store: Path, files: Iterable[str]) -> Path | None:
    """The colours among the names of a manifest's files, None where there are none."""
    names = [name for name in files if name.startswith(f"{FOLDER}/")]
    return store / names[0] if names else None


def _tell(items: datasets.Dataset, rows: Sequence[int]) -> Floats:
    """The colours of some items: float32 of shape (m, 3)."""

    def tell(data: bytes) -> Floats:
        try:
            picture = decode_image(data, limits=PICTURE_LIMITS)
        except ImageError:
            return np.full(3, np.nan, np.float32)
        return packshot_lab(picture).astype(np.float32)

    labs = np.empty((len(rows), 3), np.float32)
    images = items.select_columns(["image"])
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


def _read(path: Path) -> tuple[Rows, Floats]:
    with safe_open(path, framework="np") as file:
        return file.get_tensor("ids"), file.get_tensor("labs")
