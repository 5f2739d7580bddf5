"""Filters against pandas, and questions that cannot be."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROWS
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import QueryError
from recommender.schema import COLUMNS
from recommender.search.filters import FilterTable
from recommender.search.recommender import Recommender

FRAME = pd.DataFrame(
    [[None if value in ("", "NA") else value for value in row] for row in ROWS],
    columns=list(COLUMNS),
    dtype=object,
)
FRAME["id"] = FRAME["id"].astype("int64")
FRAME["year"] = pd.array([None if y is None else int(y) for y in FRAME["year"]], dtype="Int32")
TABLE = FilterTable(FRAME)


def values_of(column: str) -> list[Any]:
    return sorted(FRAME[column].dropna().unique().tolist())


@st.composite
def filters(draw: st.DrawFn) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for column in draw(st.lists(st.sampled_from(COLUMNS), unique=True, max_size=4)):
        if column in ("id", "year") and draw(st.booleans()):
            ends = sorted(draw(st.lists(st.integers(-1, 2020), min_size=2, max_size=2)))
            both = dict(zip(("min", "max"), ends, strict=True))
            keep = draw(st.lists(st.sampled_from(("min", "max")), unique=True))
            chosen[column] = {key: both[key] for key in keep}
        else:
            of = st.sampled_from([*values_of(column), None])
            chosen[column] = draw(st.lists(of, max_size=4))
    return chosen


def by_pandas(filters: dict[str, Any]) -> np.ndarray:
    passes = np.ones(len(FRAME), dtype=bool)
    for column, allowed in filters.items():
        values = FRAME[column].astype(object)
        if isinstance(allowed, dict):
            lowest, highest = allowed.get("min", -math.inf), allowed.get("max", math.inf)
            passes &= np.array([not pd.isna(v) and lowest <= v <= highest for v in values])
        else:
            passes &= np.array([None in allowed if pd.isna(v) else v in allowed for v in values])
    return passes


@settings(max_examples=150, deadline=None)
@given(filters())
def test_a_mask_is_what_pandas_says(asked: dict[str, Any]) -> None:
    mask = TABLE.mask(asked)
    if not asked:
        assert mask is None
    else:
        assert mask is not None
        assert mask.dtype == bool
        np.testing.assert_array_equal(mask, by_pandas(asked))


def test_nothing_asked_is_no_filter() -> None:
    assert TABLE.mask(None) is None
    assert TABLE.mask({}) is None
    assert not TABLE.mask({"gender": []}).any()


def test_forms_of_a_number() -> None:
    want = by_pandas({"year": [2012]})
    np.testing.assert_array_equal(TABLE.mask({"year": [2012.0]}), want)
    np.testing.assert_array_equal(TABLE.mask({"year": {"min": 2012, "max": 2012.0}}), want)
    np.testing.assert_array_equal(TABLE.mask({"year": (2012,)}), want)


def test_values_are_in_order_without_the_missing_one() -> None:
    assert {name: TABLE.values[name] for name in COLUMNS} == {n: values_of(n) for n in COLUMNS}


ECHO = "<script>zebra"
BAD: list[Any] = [
    {ECHO: ["Men"]},
    {"gender": [ECHO]},
    {"gender": ["men"]},
    {"gender": "Men"},
    {"gender": None},
    {"gender": {"min": 1}},
    {"gender": [{"zebra": 1}]},
    {"gender": [["zebra"]]},
    {"gender": [b"zebra"]},
    {"gender": [True]},
    {"gender": [1]},
    {"id": [True]},
    {"year": [math.nan]},
    {"year": [math.inf]},
    {"year": [10**400]},
    {"year": [10**5000]},
    {"year": [2012.5]},
    {"year": ["2012"]},
    {"year": {"min": 2015, "max": 2012}},
    {"year": {"min": "2012"}},
    {"year": {"min": None}},
    {"year": {"min": True}},
    {"year": {"min": math.nan}},
    {"year": {"min": [2012]}},
    {"year": {ECHO: 2012}},
    {"year": {"min": 2012, ECHO: 1}},
    {"year": {1: 2}},
    {"year": 2012},
    {"productDisplayName": [ECHO]},
    ["gender"],
    "zebra",
    7,
]


@pytest.mark.parametrize("asked", BAD, ids=map(str, range(len(BAD))))
def test_what_cannot_be_asked_is_told_what_would_be_right(asked: Any) -> None:
    with pytest.raises(QueryError) as caught:
        TABLE.mask(asked)
    message = str(caught.value)
    assert "zebra" not in message
    assert "\n" not in message
    assert message.endswith(".")
    assert any(column in message for column in COLUMNS)


@pytest.mark.parametrize("bounds", [{"min": 10**400}, {"max": -(10**400)}, {"min": math.inf}])
def test_bounds_beyond_all_values(bounds: dict[str, Any]) -> None:
    assert not TABLE.mask({"year": bounds}).any()
    other = {"max" if key == "min" else "min": value for key, value in bounds.items()}
    assert TABLE.mask({"year": other}).sum() == FRAME["year"].notna().sum()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*COLUMNS, "min", "max", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(anything, st.dictionaries(st.sampled_from(COLUMNS), anything, max_size=2)))
def test_any_json_is_a_mask_or_a_query_error(asked: Any) -> None:
    try:
        mask = TABLE.mask(asked)
    except QueryError:
        return
    assert mask is None or mask.shape == (len(ROWS),)


def test_near_values_are_offered() -> None:
    frame = pd.DataFrame({"kind": [f"kind {i}" for i in range(40)] + ["Handbags"]}, dtype=object)
    with pytest.raises(QueryError, match="nearest are Handbags"):
        FilterTable(frame).mask({"kind": ["Handbag"]})


def test_a_column_without_any_value() -> None:
    table = FilterTable(pd.DataFrame({"usage": [None, None]}, dtype=object))
    assert table.mask({"usage": [None]}).all()
    with pytest.raises(QueryError, match="it has none"):
        table.mask({"usage": ["Casual"]})


def test_the_engine_filters_by_the_same_table(recommender: Recommender) -> None:
    np.testing.assert_array_equal(
        recommender.filters.mask({"season": [None], "gender": ["Men"]}),
        by_pandas({"season": [None], "gender": ["Men"]}),
    )
