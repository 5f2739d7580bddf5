"""A dataset of the Hub -> a raw catalog."""

import re
from collections.abc import Mapping
from pathlib import Path

import datasets

from recommender.catalog.cleaning import RawCatalog
from recommender.catalog.columns import with_usual_names
from recommender.catalog.tables import as_text
from recommender.errors import CatalogError, ImageError


def read_hub_dataset(name: str, columns: Mapping[str, str] | None = None) -> RawCatalog:
    """A Hub dataset with the same columns and an `image`, such as ashraq/…-small."""
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name):
        raise CatalogError(f"A Hub dataset is named hub:OWNER/NAME, not hub:{name}.")
    try:
        items = datasets.load_dataset(name, split="train")
    except Exception as error:  # the Hub client lets every kind of network error through
        raise CatalogError(
            f"The Hub dataset {name} cannot be loaded ({type(error).__name__}): "
            "see that it exists, has a train split and that the Hub can be reached."
        ) from error
    if "image" not in items.column_names:
        raise CatalogError(f"{name} lacks the column image; it has: {items.column_names}.")
    try:
        pictures = items.select_columns("image").cast_column("image", datasets.Image(decode=False))
    except (TypeError, ValueError, NotImplementedError) as error:
        raise CatalogError(f"The column image of {name} does not hold pictures.") from error

    def read_picture(position: int) -> bytes | None:
        if (picture := pictures[position]["image"]) is None:
            return None
        try:
            return picture["bytes"] or _downloaded(Path(picture["path"])).read_bytes()
        except (OSError, TypeError, ValueError) as error:
            raise ImageError("its file is not there.") from error

    labels = items.remove_columns("image")
    rows = labels.to_pandas()
    for column, feature in labels.features.items():
        if isinstance(feature, datasets.ClassLabel):  # of which the rows hold numbers, or -1
            names = dict(enumerate(feature.names))
            rows[column] = rows[column].map(names.get)
    named, notes = with_usual_names(as_text(rows), columns)
    return RawCatalog(named, read_picture, notes=notes)


def _downloaded(path: Path) -> Path:
    """The path of a file that came with a dataset: a row may name any other of this machine.

    Raises:
        ValueError: it did not.
    """
    real, config = path.resolve(), datasets.config
    caches = (config.HF_DATASETS_CACHE, Path(config.HF_CACHE_HOME, "hub"))
    if not any(real.is_relative_to(Path(cache).resolve()) for cache in caches):
        raise ValueError("no file of the dataset")
    return real
