"""Photographs that people took of their own clothes: what visitors send, coarsely labelled.

Source: Alexey Grigorev, Clothing dataset, github.com/alexeygrigorev/clothing-dataset, CC0 1.0.
"""

import csv
import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.catalog.items import PICTURE_LIMITS
from recommender.errors import CatalogError, ImageError
from recommender.pictures.decode import decode_image

GROUPS: dict[str, tuple[str, ...]] = {
    "T-Shirt": ("Tshirts", "Tops", "Lounge Tshirts"),
    "Longsleeve": ("Tshirts", "Tops", "Sweaters", "Sweatshirts"),
    "Pants": (
        "Jeans",
        "Trousers",
        "Track Pants",
        "Leggings",
        "Jeggings",
        "Capris",
        "Lounge Pants",
        "Tights",
        "Rain Trousers",
        "Churidar",
        "Salwar",
        "Patiala",
    ),
    "Shoes": (
        "Casual Shoes",
        "Flats",
        "Formal Shoes",
        "Heels",
        "Sandals",
        "Sports Shoes",
        "Flip Flops",
        "Sports Sandals",
        "Booties",
    ),
    "Shirt": ("Shirts",),
    "Dress": ("Dresses", "Nightdress", "Jumpsuit"),
    "Outwear": (
        "Jackets",
        "Rain Jacket",
        "Blazers",
        "Sweaters",
        "Sweatshirts",
        "Shrug",
        "Waistcoat",
        "Nehru Jackets",
    ),
    "Shorts": ("Shorts", "Lounge Shorts", "Boxers"),
    "Hat": ("Caps", "Hat"),
    "Skirt": ("Skirts",),
    "Polo": ("Tshirts",),
    "Undershirt": ("Innerwear Vests", "Tshirts", "Tops", "Camisoles"),
    "Blazer": ("Blazers", "Jackets", "Waistcoat", "Nehru Jackets"),
    "Hoodie": ("Sweatshirts", "Jackets", "Sweaters"),
    "Top": ("Tops", "Tshirts", "Camisoles"),
    "Blouse": ("Tops", "Shirts", "Tunics"),
}
"""A photograph's label -> the article types that are right for it: it is coarser than a type."""

UNLABELLED = ("Body", "Other", "Not sure")
"""What the data says where it does not say what is shown."""

_COLUMNS = ("image", "label", "photographer", "kids", "split")
_MAX_CSV_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Photographs:
    """Photographs of some photographers, all of which can be read.

    Attributes:
        frame: `image` (its name), `label` (of `GROUPS`, else None), `photographer`, `kids` (bool).
        files: their encoded pictures, in the same order.
        unknown: a label that is not known -> how many have it; their photographs have none here.
        skipped: the name of a photograph that cannot be read -> why.
        source: where they come from, in words.
    """

    frame: pd.DataFrame
    files: Sequence[bytes]
    unknown: dict[str, int]
    skipped: dict[str, str]
    source: str = ""

    def __len__(self) -> int:
        return len(self.files)

    def sample(self, count: int, seed: int = 0) -> "Photographs":
        """`count` of them in their order, the same ones each time; all where there are fewer."""
        if count >= len(self):
            return self
        kept = np.sort(np.random.default_rng(seed).permutation(len(self))[:count])
        return replace(self._at(kept), source=f"{count} of {self.source}")

    def labelled(self) -> "Photographs":
        """Those with a label."""
        return self._at(np.flatnonzero(self.frame["label"].notna()))

    def folds(self, count: int) -> npt.NDArray[np.int64]:
        """Which of `count` folds each one's photographer is in, whoever else is there: (n,)."""
        names = self.frame["photographer"]
        return np.array([zlib.crc32(name.encode()) % count for name in names], dtype=np.int64)

    def _at(self, rows: npt.NDArray[np.int64]) -> "Photographs":
        frame = self.frame.iloc[rows].reset_index(drop=True)
        return replace(self, frame=frame, files=[self.files[row] for row in rows])


def load_photographs(archive: Path, split: str | None = None) -> Photographs:
    """Read the photographs of an archive: `photos.csv` and `images/NAME.jpg`.

    What cannot be used is counted and left out, the rest is used.

    Args:
        archive: a zip.
        split: `train` or `dev`, which have no photographer in common; all of them where None.

    Raises:
        CatalogError: it is no such archive, or none of its photographs can be used.
    """
    try:
        with zipfile.ZipFile(archive) as file:
            rows = _read_table(file, archive.name)
            wanted = [row for row in rows if split is None or row["split"] == split]
            members = {
                PurePosixPath(name).stem: name
                for name in file.namelist()
                if name.startswith("images/")
            }
            names = [members.get(row["image"]) for row in wanted]
            read = [_read_member(file, name) for name in names]
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        # RuntimeError is what an encrypted member raises.
        raise CatalogError(f"{archive.name} is not a zip archive that can be read.") from error
    with ThreadPoolExecutor() as pool:
        problems = list(pool.map(_problem, read))
    kept, files, skipped = [], [], {}
    for row, data, problem in zip(wanted, read, problems, strict=True):
        if problem:
            skipped[row["image"]] = problem
        else:
            kept.append(row)
            files.append(data)
    if not kept:
        what = f"of the split {split} " if split else ""
        raise CatalogError(f"{archive.name} holds no photograph {what}that can be read.")
    frame = pd.DataFrame(kept, columns=list(_COLUMNS))
    strange = ~frame["label"].isin([*GROUPS, *UNLABELLED])
    unknown = dict(Counter(frame["label"][strange]))
    frame["label"] = frame["label"].astype(object).where(frame["label"].isin(list(GROUPS)), None)
    frame["kids"] = frame["kids"].str.lower() == "true"
    source = f"the {split} split of {archive.name}" if split else archive.name
    return Photographs(frame.drop(columns="split"), files, unknown, skipped, source)


def _read_table(file: zipfile.ZipFile, archive: str) -> list[dict[str, str]]:
    if "photos.csv" not in file.namelist():
        shown = ", ".join(sorted(file.namelist())[:5]) or "nothing"
        raise CatalogError(f"{archive} has no photos.csv; it holds {shown}.")
    if file.getinfo("photos.csv").file_size > _MAX_CSV_BYTES:
        raise CatalogError(f"The photos.csv of {archive} has more than {_MAX_CSV_BYTES:,} bytes.")
    text = file.read("photos.csv").decode("utf-8-sig", errors="replace")
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), restval=""))
    except csv.Error as error:
        raise CatalogError(f"The photos.csv of {archive} cannot be read: {error}.") from error
    if not rows or (absent := [name for name in _COLUMNS if name not in rows[0]]):
        what = f"lacks the column {', '.join(absent)}" if rows else "has no row"
        raise CatalogError(f"The photos.csv of {archive} {what}.")
    return rows


def _read_member(file: zipfile.ZipFile, name: str | None) -> bytes:
    """A picture's bytes; none where it is not there, damaged or larger than a picture may be."""
    if name is None or file.getinfo(name).file_size > PICTURE_LIMITS.max_bytes:
        return b""
    try:
        return file.read(name)
    except Exception:  # zlib.error, BadZipFile, RuntimeError if encrypted, …
        return b""


def _problem(data: bytes) -> str:
    """Why a photograph cannot be read, or nothing."""
    if not data:
        return "It is not in the archive, or damaged there."
    try:
        decode_image(data, limits=PICTURE_LIMITS)
    except ImageError as error:
        return str(error)
    return ""
