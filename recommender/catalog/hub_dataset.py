"""A dataset of the Hub, or a file of one -> a raw catalog."""

import io
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
from pyarrow import parquet

from recommender.catalog.cleaning import RawCatalog
from recommender.catalog.columns import PICTURE, meaning_of, with_usual_names
from recommender.catalog.tables import as_text
from recommender.catalog.views import View
from recommender.errors import CatalogError, ImageError


def read_hub_dataset(
    name: str,
    columns: Mapping[str, str] | None = None,
    *,
    split: str = "train",
    config: str = "",
) -> RawCatalog:
    """A Hub dataset with a table's columns and pictures, such as ashraq/…-small.

    Args:
        name: OWNER/NAME.
        columns: a column of the schema -> the dataset's own, where names do not tell.
        split: of the dataset.
        config: one of its subsets; its only or default one if empty.

    Raises:
        CatalogError: it is not there, not to be read, or has no pictures.
    """
    if not re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name):
        raise CatalogError(f"A Hub dataset is named hub:OWNER/NAME, not hub:{name}.")
    try:
        items = datasets.load_dataset(name, config or None, split=split)
    except Exception as error:  # the Hub client lets every kind of network error through
        raise CatalogError(_why_not_loaded(name, split, error)) from error
    return _raw_of(items, name, columns)


def read_parquet_pictures(
    data: bytes, name: str, columns: Mapping[str, str] | None = None
) -> RawCatalog | None:
    """A Parquet file that has its pictures within, as datasets are stored; None of another one.

    Args:
        data: the file.
        name: of the file, for the messages.
        columns: as of `read_hub_dataset`.

    Raises:
        CatalogError: it cannot be read.
    """
    try:
        table = parquet.read_table(io.BytesIO(data))
        items = datasets.Dataset(datasets.table.InMemoryTable(table))
        for column, feature in items.features.items():
            if isinstance(feature, dict) and {*feature} == {"bytes", "path"}:
                items = items.cast_column(column, datasets.Image())
    except Exception as error:  # whatever Arrow happens to raise
        raise CatalogError(f"{name} is no Parquet file that can be read.") from error
    within = any(map(_is_of_pictures, items.features.values()))
    return _raw_of(items, name, columns) if within else None


def _raw_of(items: datasets.Dataset, name: str, columns: Mapping[str, str] | None) -> RawCatalog:
    """A dataset's rows and the pictures within them."""
    chosen, notes = _picture_column(items, name, columns)
    media = [column for column, feature in items.features.items() if _holds_media(feature)]
    further = [c for c in media if c != chosen and _is_of_pictures(items.features[c])]
    if further and chosen:
        notes.append(f"read as further pictures: {', '.join(further)}")
    if left_out := [column for column in media if column not in (chosen, *further)]:
        notes.append(f"left out what holds pictures or sounds: {', '.join(left_out)}")
    labels = items.remove_columns(list({*media, *([chosen] if chosen else [])}))
    values = {}  # as Python's, as pandas makes fractions of whole numbers where one is missing
    for column, feature in labels.features.items():
        said_of = [_with_names(value, feature) for value in labels[column][:]]
        values[column] = pd.Series(said_of, dtype=object)
        if isinstance(feature, dict | list | datasets.LargeList | datasets.List):
            notes.append(f"kept the lists or fields of {column!r} as text")
    named, said = with_usual_names(as_text(pd.DataFrame(values)), columns)
    if chosen is None:
        return RawCatalog(named, lambda _: None, notes=[*notes, *said])
    try:
        pictures = items.select_columns([chosen, *further])
        for column in (chosen, *further):
            pictures = pictures.cast_column(column, _undecoded(items.features[column]))
    except (TypeError, ValueError, NotImplementedError) as error:
        raise CatalogError(f"The column {chosen} of {name} does not hold pictures.") from error

    def of(position: int) -> list[dict[str, Any]]:
        row = pictures[position]
        cells = [row[column] for column in (chosen, *further)]
        lists = [cell if isinstance(cell, list) else [cell] for cell in cells]
        return [picture for pictures in lists for picture in pictures if picture is not None]

    def read(picture: dict[str, Any]) -> bytes:
        try:
            return bytes(picture["bytes"] or _downloaded(Path(picture["path"])).read_bytes())
        except (OSError, TypeError, ValueError) as error:
            raise ImageError("its file is not there.") from error

    def read_picture(position: int) -> bytes | None:
        return read(there[0]) if (there := of(position)) else None

    several = further or not isinstance(pictures.features[chosen], datasets.Image)

    def views(position: int) -> list[View]:
        if not several:  # which is not looked for again and again
            return []
        return [View(f"view {n}", partial(read, one)) for n, one in enumerate(of(position)[1:], 2)]

    return RawCatalog(named, read_picture, views, notes=[*notes, *said])


def _is_of_pictures(feature: object) -> bool:
    """Whether values are pictures, or lists of them."""
    return isinstance(getattr(feature, "feature", feature), datasets.Image)


def _undecoded(feature: object) -> datasets.Image | datasets.List:
    """What reads the pictures of a column as they are stored."""
    plain = datasets.Image(decode=False)
    return datasets.List(plain) if isinstance(feature, datasets.List) else plain


def _why_not_loaded(name: str, split: str, error: Exception) -> str:
    """A sentence, with what would be right where the Hub's client says it."""
    said = str(error)
    if "gated" in said:
        return (
            f"The Hub dataset {name} is gated: ask for access on its page, then log in by "
            "`hf auth login` or name a token in HF_TOKEN."
        )
    if isinstance(error, datasets.exceptions.DatasetNotFoundError):
        return (
            f"There is no Hub dataset {name} that can be seen: see that it is spelt so; if it is "
            "private, log in by `hf auth login` or name a token in HF_TOKEN."
        )
    if there := re.search(r"(?:available configs: |Available: )(\[.*?\])", said):
        return f"{name} has several configs: name one of {there[1]} by --config."
    if there := re.search(r"Should be one of (\[.*?\])", said):
        return f"{name} has no split {split!r}: name one of {there[1]} by --split."
    return (
        f"The Hub dataset {name} cannot be loaded ({type(error).__name__}): "
        f"see that it exists, has a {split} split and that the Hub can be reached."
    )


def _picture_column(
    items: datasets.Dataset, name: str, columns: Mapping[str, str] | None
) -> tuple[str | None, list[str]]:
    """The column of pictures, None where it holds their addresses, and what there is to say."""
    told = (columns or {}).get(PICTURE)
    if told or PICTURE in items.column_names:
        column = told or PICTURE
        texts = getattr(items.features.get(column), "dtype", "") in ("string", "large_string")
        return None if texts else column, []
    images = [c for c, feature in items.features.items() if _is_of_pictures(feature)]
    images.sort(key=lambda c: not isinstance(items.features[c], datasets.Image))
    if images:
        return images[0], [f"read the column {images[0]!r} as the picture"]
    if PICTURE in map(meaning_of, items.column_names):
        return None, []
    raise CatalogError(f"{name} lacks the column image; it has: {items.column_names}.")


def _holds_media(feature: object) -> bool:
    """Whether values are pictures, sounds or the like, or hold some."""
    if isinstance(feature, dict):
        return any(map(_holds_media, feature.values()))
    if isinstance(feature, list):
        return any(map(_holds_media, feature))
    if (within := getattr(feature, "feature", None)) is not None:
        return _holds_media(within)
    return isinstance(feature, datasets.Image | datasets.Audio | datasets.Video)


def _with_names(value: Any, feature: Any) -> Any:
    """A value with names in the place of the numbers of its classes, which are -1 where missing."""
    if value is None:
        return None
    if isinstance(feature, datasets.ClassLabel):
        known = pd.notna(value) and 0 <= value < len(feature.names)
        return feature.names[int(value)] if known else None
    if isinstance(feature, dict) and isinstance(value, dict):
        return {key: _with_names(of, feature.get(key)) for key, of in value.items()}
    within = feature[0] if isinstance(feature, list) else getattr(feature, "feature", None)
    return value if within is None else [_with_names(of, within) for of in value]


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
