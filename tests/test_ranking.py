"""The first of each group, some before all others, none of some, and the examples in docstrings."""

import doctest
import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.search.ranking import Candidates, first_of_each, put_first, without


def candidates(rows: list[int]) -> Candidates:
    return Candidates(np.array(rows, int), np.linspace(1, -1, len(rows), dtype=np.float32))


@given(st.lists(st.integers(-3, 3)))
def test_first_of_each(groups: list[int]) -> None:
    first = first_of_each(candidates([*range(len(groups))]), np.array(groups, dtype=np.int64))
    kept = [i for i, group in enumerate(groups) if group not in groups[:i]]
    assert first.rows.tolist() == kept


@given(
    st.lists(st.integers(0, 20), unique=True),
    st.lists(st.integers(0, 20), unique=True),
    st.floats(-1, 1, width=32),
)
def test_put_first(firsts: list[int], rows: list[int], score: float) -> None:
    found, scores = put_first(candidates(rows), np.array(firsts, int), score)
    assert found.tolist() == firsts + [row for row in rows if row not in firsts]
    assert scores.dtype == np.float32
    assert (np.diff(scores) <= 0).all()
    assert (scores[: len(firsts)] >= np.float32(score)).all()


@given(st.lists(st.integers(-1, 20)), st.lists(st.integers(0, 20), unique=True))
def test_without(rows: list[int], excluded: list[int]) -> None:
    left = without(candidates(rows), np.array(excluded, int))
    assert left.rows.tolist() == [row for row in rows if row >= 0 and row not in excluded]
    assert len(left.scores) == len(left.rows)


@pytest.mark.parametrize(
    "name",
    ["recommender.search.ranking", "recommender.search.options", "recommender.service.sentences"],
)
def test_examples_in_docstrings_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
