"""Variety and folding: what is chosen, what stands for what, what a tile shows."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROWS
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import call
from test_ui import asking, drawn, tile

from recommender.errors import QueryError
from recommender.evaluation.likeness import draw_items, measure_likeness
from recommender.schema import TYPE
from recommender.search.options import Options
from recommender.search.ranking import Candidates, diverse
from recommender.search.recommender import Recommender
from recommender.search.twins import Twins
from recommender.service.sentences import message_of
from recommender.ui.find.tab import FindTab
from recommender.ui.find.variants import opened_out
from recommender.ui.find.view import Trail

IDS = [row[0] for row in ROWS]


@given(st.integers(0, 12), st.integers(1, 12), st.floats(0, 1), st.integers(0, 99))
def test_who_is_chosen_is_the_best_that_there_is_at_each_step(
    count: int, k: int, share: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    looks = random.standard_normal((count, 3)).astype(np.float32)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    scores = np.sort(random.random(count, np.float32))[::-1]
    kinds = random.integers(0, 3, count)
    found = diverse(Candidates(np.arange(count), scores), looks, kinds, k, share)
    left, chosen = Counter(kinds[:k].tolist()), list[int]()
    for _ in range(min(k, count)):
        worth = [
            (1 - share) * scores[i]
            - share * max([0.0, *(float(looks[i] @ looks[j]) for j in chosen)])
            for i in range(count)
        ]
        able = [i for i in set(range(count)) - set(chosen) if left[kinds[i]]]
        chosen.append(max(able, key=lambda i: worth[i]))
        left[kinds[chosen[-1]]] -= 1
    total = sum(scores[chosen])
    assert len(found.rows) == min(k, count)
    assert Counter(kinds[found.rows].tolist()) == Counter(kinds[:k].tolist())
    assert (np.diff(found.scores) <= 0).all()
    assert sum(found.scores) == pytest.approx(total, abs=1e-3)
    if share == 0:
        assert found.rows.tolist() == [*range(min(k, count))]


def kinds_of(recommender: Recommender, rows: Any) -> Counter[int]:
    """How many of each type, as the ranking by labels knows them."""
    agreement, index = recommender.encoder.agreement, recommender.index_of(Options())
    return Counter(index.vectors[rows][:, agreement.block(TYPE)].argmax(axis=1).tolist())


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(IDS), st.sampled_from([0.3, 1.0]), st.booleans(), st.sampled_from([None, "Men"])
)
def test_variety_and_folding_keep_to_the_filters(
    believing: Recommender, item_id: int, diversity: float, fold: bool, gender: str | None
) -> None:
    filters = {"gender": [gender]} if gender else None
    options = Options(k=5, filters=filters, diversity=diversity, fold=fold)
    hits = believing.by_id(item_id, options)
    plain = believing.by_id(item_id, Options(k=20, filters=filters, fold=fold))
    assert len(hits) == min(5, len(plain))
    assert (np.diff(hits.scores) <= 0).all()
    best = believing.by_id(item_id, replace(options, diversity=0))
    assert hits.ids[0] == plain.ids[0]
    # What is looked at is other things of the same kinds.
    kinds = [kinds_of(believing, found.rows) for found in (hits, best)]
    assert kinds[0] == kinds[1]
    assert set(hits.ids) <= set(plain.ids)


def test_variants_are_of_one_picture_or_one_name_or_both_by_way_of_another() -> None:
    rows = [("a", "Tee"), ("b", "tee"), ("b", "Shirt"), ("c", None), ("d", None), ("e", "SHIRT")]
    columns = ["image_hash", "productDisplayName"]
    groups = Twins(pd.DataFrame(rows, columns=columns)).variants.tolist()
    assert [groups.index(group) for group in groups] == [0, 0, 0, 3, 4, 0]
    assert len(Twins(pd.DataFrame(rows[:0], columns=columns)).variants) == 0


def test_what_a_hit_stands_for(recommender: Recommender) -> None:
    def folded(**options: Any) -> dict[int, list[int]]:
        hits = recommender.by_id(3, Options(k=13, fold=True, **options))
        ids = recommender.frame["id"].to_numpy()
        return {
            one: ids[rows].tolist()
            for one, rows in zip(hits.ids.tolist(), hits.variants, strict=True)
        }

    shown = folded()
    (tee,) = {1, 2} & set(shown)
    (dress,) = {11, 12} & set(shown)
    assert shown[tee] == [3 - tee]
    assert shown[dress] == [23 - dress]
    assert sum(map(len, shown.values())) == 2
    assert len(shown) == 10
    # What does not pass, or is disliked, is no variant either.
    assert 2 not in folded(filters={"year": [2011]}).get(1, [])
    left = folded(disliked=[1])
    assert left[2] == []
    assert recommender.by_id(3, Options(k=13)).variants == ()
    said = message_of(10, Options(k=13, fold=True), repeated=2)
    assert said == "The catalog has only 12 other items; 2 are variants of what is shown already."


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan, math.inf, "1", None, True, [1], 10**400])
def test_a_share_that_cannot_be(wrong: Any) -> None:
    with pytest.raises(QueryError, match="diversity is a number from 0 to 1"):
        Options(diversity=wrong)
    with pytest.raises(QueryError, match="fold is true or false"):
        Options(fold=3)  # type: ignore[arg-type]


def test_the_api_says_what_is_folded(live: str) -> None:
    usual = {}, False, "auto", "", "", {}, [], []
    plain = call(live, "recommend_by_id", 3, 13, *usual)
    folded = call(live, "recommend_by_id", 3, 13, *usual, 0, True)
    assert all("variants" not in item for item in plain["results"])
    assert len(folded["results"]) == len(plain["results"]) - 1
    assert sorted(map(len, (item["variants"] for item in folded["results"])))[-2:] == [1, 1]
    refused = call(live, "recommend_by_id", 3, 13, *usual, 7)
    assert "diversity is a number from 0 to 1" in str(refused)


@pytest.fixture
def tab(recommender: Recommender) -> Iterator[FindTab]:
    with drawn(recommender) as tab:
        yield tab


def test_a_tile_says_what_it_stands_for_and_opens(tab: FindTab) -> None:
    values = {**asking(tab), tab.settings.fold: True, tab.settings.diversity: 0.5}
    told = tab.on_example(values, tile(3))
    view = told[tab.trail].view
    assert told[tab.results.tiles].value.count("+1 variant<") == 2
    (tee,) = {1, 2} & set(view.ids)
    opened = opened_out(view, tee)
    assert opened.ids[opened.ids.index(tee) + 1] == 3 - tee
    assert len(opened.ids) == len(view.ids) + 1
    shown = tab.results.show(Trail(opened), tab.service.items(opened.ids, ""))
    assert shown[tab.results.tiles].value.count("+1 variant<") == 1
    for nothing in (99, None, 5):
        assert opened_out(view, nothing) == view


def test_knobs_are_measured(believing: Recommender) -> None:
    rows = draw_items(believing, split="train", count=5)
    report = measure_likeness(believing, rows, Options(k=10, diversity=1))
    assert set(report) == {"near twins", "type", "gender", "colour", "colour distance", "ms"}
    assert 0 <= report["type"][0] <= 1
