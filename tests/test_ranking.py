"""The first of each group, and the examples in docstrings."""

import doctest
import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.ranking import first_of_each


@given(st.lists(st.integers(-3, 3)))
def test_first_of_each(groups: list[int]) -> None:
    first = first_of_each(np.array(groups, dtype=np.int64))
    assert first.dtype == bool
    assert first.tolist() == [group not in groups[:i] for i, group in enumerate(groups)]


@pytest.mark.parametrize("name", ["recommender.ranking", "recommender.ui.answers"])
def test_examples_in_docstrings_hold(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
