"""What Arrow holds of a catalog: its columns' types."""

from collections.abc import Mapping
from typing import Any

import datasets
import pandas as pd
from pandas.api.types import is_integer_dtype

from recommender.catalog.own import DTYPES, are_names
from recommender.catalog.views import VIEW_FEATURES, VIEWS
from recommender.errors import StoreError
from recommender.schema import PICTURE_COLUMNS, SCHEMA, own_names

_TYPES = {"year": "int32"}
_USUAL = {c.name: datasets.Value(_TYPES.get(c.kind, "string")) for c in SCHEMA if c.kind != "id"}
_IMAGE, _HASH = PICTURE_COLUMNS


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
