"""What Arrow holds of a catalog: its columns' types."""

from collections.abc import Mapping
from typing import Any

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.types import is_integer_dtype

from recommender.catalog.own import DTYPES, are_names
from recommender.catalog.views import VIEW_FEATURES, VIEWS
from recommender.errors import StoreError
from recommender.schema import MAX_LETTERS, PICTURE_COLUMNS, SCHEMA, own_names

_TYPES = {"year": "int32"}
_USUAL = {c.name: datasets.Value(_TYPES.get(c.kind, "string")) for c in SCHEMA if c.kind != "id"}
_IMAGE, _HASH = PICTURE_COLUMNS
_LAST_YEAR, _LARGEST = 9999, 10**15


def _features(
    id_type: str = "int64", own: Mapping[str, Any] | None = None, *, viewed: bool = False
) -> datasets.Features:
    first = {"id": datasets.Value(id_type), _IMAGE: datasets.Image()}
    last = {_HASH: datasets.Value("string"), **(VIEW_FEATURES if viewed else {})}
    return datasets.Features({**first, **_USUAL, **(own or {}), **last})


FEATURES = _features()
"""Of a catalog that has the usual columns alone, and numbers for ids."""


def features_of(cleaned: pd.DataFrame, *, viewed: bool = False) -> datasets.Features:
    """What Arrow holds of a catalog with the columns that `clean_rows` gives."""
    arrow = {dtype: name for name, dtype in DTYPES.items()}
    own = own_names(cleaned.columns)
    types = {name: datasets.Value(arrow[str(cleaned[name].dtype)]) for name in own}
    kind = "int64" if is_integer_dtype(cleaned["id"].dtype) else "string"
    return _features(kind, types, viewed=viewed)


def check_features(features: datasets.Features) -> None:
    """See that they are those of a catalog.

    Raises:
        StoreError: they are not.
    """
    own = {name: features[name] for name in own_names(features)}
    values = all(isinstance(one, datasets.Value) and one.dtype in DTYPES for one in own.values())
    viewed = VIEWS in features
    kinds = [_features(kind, own, viewed=viewed) for kind in ("int64", "string")]
    known = values and features in kinds
    if not known or not are_names(own):
        raise StoreError("The catalog has other columns than this version: build it again.")


def check_values(table: pa.Table) -> None:
    """See that ids, years and numbers are such as cleaning leaves: others' catalogs may have any.

    Args:
        table: with the features of a catalog.

    Raises:
        StoreError: one is not.
    """
    ids = table["id"]
    if pa.types.is_integer(ids.type):
        fit = [_between(ids, 0, 2**63 - 1)]
    else:
        fit = [_between(pc.utf8_length(ids), 1, MAX_LETTERS)]
    fit.append(_between(table["year"], 0, _LAST_YEAR))
    own = [table[name] for name in own_names(table.column_names)]
    numbers = [
        one for one in own if pa.types.is_integer(one.type) or pa.types.is_floating(one.type)
    ]
    fit += [_between(one, -_LARGEST, _LARGEST) for one in numbers]
    if not all(fit):
        raise StoreError("The catalog has ids or numbers that none can have: build it again.")


def _between(column: pa.ChunkedArray, least: int, most: int) -> bool:
    """Whether all that is there lies between two numbers, which what is none does not."""
    inside = pc.and_(pc.greater_equal(column, least), pc.less_equal(column, most))
    return pc.all(inside).as_py() is not False
