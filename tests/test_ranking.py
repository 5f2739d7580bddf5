"""The first of each group, some before all others, and the examples in docstrings."""

import doctest
import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.search.ranking import first_of_each, put_first


@given(st.lists(st.integers(-3, 3)))
def test_first_of_each(groups: list[int]) -> None:
    first = first_of_each(np.array(groups, dtype=np.int64))
    assert first.dtype == bool
    assert first.tolist() == [group not in groups[:i] for i, group in enumerate(groups)]


@given(
    st.lists(st.integers(0, 20), unique=True),
    st.lists(st.integers(0, 20), unique=True),
    st.floats(-1, 1, width=32),
)
def test_put_first(firsts: list[int], rows: list[int], score: float) -> None:
    falling = np.linspace(1, -1, len(rows), dtype=np.float32)
    scores, found = put_first(np.array(firsts, int), score, falling, np.array(rows, int))
    assert found.tolist() == firsts + [row for row in rows if row not in firsts]
    assert scores.dtype == np.float32
    assert (np.diff(scores) <= 0).all()
    assert (scores[: len(firsts)] >= np.float32(score)).all()


@pytest.mark.parametrize("name", ["recommender.search.ranking", "recommender.ui.answers"])
def test_examples_in_docstrings_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
