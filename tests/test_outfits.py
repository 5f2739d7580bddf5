"""What goes with what: how it is learnt of sentences, what is offered, what never is."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import call
from test_ui import asking, drawn, tile

from recommender.errors import CatalogError, QueryError
from recommender.search.outfit import MOST, ROLE_OF, ROLES, Companions, Outfits
from recommender.search.recommender import Recommender
from recommender.training.outfits import (
    count_said,
    measure_coverage,
    measure_outfits,
    read_styles,
    types_named,
)
from recommender.ui.find.view import Trail

LEARNT = Companions.learnt()
TYPES = sorted(ROLE_OF)
GENDERS = ["Men", "Women", "Boys", "Girls", "Unisex"]


def gallery(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    columns = ["articleType", "gender", "usage", "season", "baseColour"]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    return frame.assign(id=range(len(rows)), productDisplayName=[f"name {i}" for i in frame.index])


row_of = st.tuples(
    st.sampled_from([*TYPES[:8], "Jeans", "Casual Shoes", "Watches", "Perfume", None]),
    st.sampled_from([*GENDERS, None]),
    st.sampled_from(["Casual", "Formal", "Sports", "Ethnic", None]),
    st.sampled_from(["Summer", "Winter", "Fall", None]),
    st.sampled_from(["Red", "Black", "Green", None]),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(row_of, min_size=1, max_size=30), st.data())
def test_what_is_never_offered(rows: list[tuple[Any, ...]], data: st.DataObject) -> None:
    frame = gallery(rows)
    vectors = np.ones((len(rows), 1), np.float32)
    row = data.draw(st.integers(0, len(rows) - 1))
    passed = data.draw(st.lists(st.integers(0, len(rows) - 1)))
    kind, gender, _, season, _ = rows[row]
    if kind is None or gender is None:
        with pytest.raises(QueryError, match="which this one lacks"):
            Outfits(frame, vectors).complete(row, passed)
        return
    parts = Outfits(frame, vectors).complete(row, passed)
    assert len(parts) <= MOST
    assert len({part.name for part in parts}) == len(parts)
    for part in parts:
        assert set(part.types) <= set(ROLES[part.name])
        assert part.name != ROLE_OF.get(kind)
        if part.row is not None:
            other = rows[part.row]
            assert other[0] in part.types
            assert other[0] != kind
            assert other[1] in (gender, "Unisex")
            assert part.row not in passed
            if part.name in ("top", "bottom", "shoes"):
                assert {season, other[3]} != {"Summer", "Winter"}


def test_another_one_comes_in_its_place() -> None:
    jeans = [("Jeans", "Men", "Casual", "Summer", colour) for colour in ("Black", "Blue", "Red")]
    outfits = Outfits(
        gallery([("Tshirts", "Men", "Casual", "Summer", "Green"), *jeans]),
        np.eye(4, dtype=np.float32),
    )
    seen: list[int] = []
    for _ in range(4):
        (bottom,) = [part for part in outfits.complete(0, seen) if part.name == "bottom"]
        if bottom.row is not None:
            seen.append(bottom.row)
    assert seen[0] == 1, "black goes with green"
    assert sorted(seen) == [1, 2, 3]


def test_what_was_learnt_is_numbers_of_types() -> None:
    top = LEARNT.parts("Tshirts", "Men", "Casual")
    assert list(top)[:2] == ["bottom", "shoes"]
    assert top["bottom"][0] == "Jeans"
    for kind in ("Dresses", "Watches", "Perfume", "no such type"):
        assert len(LEARNT.parts(kind, "Women", None)) == MOST
    assert sum(LEARNT.shares("Shirts", "Men", "Formal").values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Team it with jeans and sneakers.", {"Jeans", "Casual Shoes"}),
        ("Pair this t-shirt with a T-shirt dress", {"Tshirts", "Dresses"}),
        ("Wear it over a tee, with denims!", {"Tshirts", "Jeans"}),
        ("A shirt with jeans buttons", set()),
        ("Team it with nothing. Jeans are blue.", set()),
        ("", set()),
    ],
)
def test_what_a_sentence_names(text: str, named: set[str]) -> None:
    assert types_named(text) == named


def test_styles_are_read_as_far_as_they_can_be(tmp_path: Path) -> None:
    path = tmp_path / "styles.zip"
    note = {"value": "<p>Team it with <b>jeans</b>&nbsp;and heels</p>"}
    with zipfile.ZipFile(path, "w") as archive:
        for name, said in {
            "styles/1.json": {"data": {"productDescriptors": {"style_note": note}}},
            "styles/2.json": {"data": {"productDescriptors": None}},
            "styles/3.json": [],
            "styles/x.json": {},
        }.items():
            archive.writestr(name, json.dumps(said))
        archive.writestr("styles/4.json", "{")
    said = read_styles(path)
    assert said == {1: {"Jeans", "Heels"}}
    frame = gallery([("Tops", "Women", "Casual", None, None)] * 3)
    assert count_said(frame, said) == [
        ("Tops", "Women", "Casual", "Heels", 1),
        ("Tops", "Women", "Casual", "Jeans", 1),
    ]
    with pytest.raises(CatalogError, match="no archive of styles"):
        read_styles(tmp_path / "none.zip")


def test_outfits_are_measured(recommender: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = recommender.frame
    monkeypatch.setattr(
        "recommender.training.outfits.split_names", lambda f: np.array(["test"] * len(f))
    )
    report = measure_outfits(frame, {1: frozenset({"Jeans", "Watches"})}, LEARNT)
    assert report["items"] == 1
    assert report["recall"][0] in (0.5, 1.0)
    coverage = measure_coverage(frame, Outfits(frame, recommender.index.vectors))
    assert coverage["of another gender or the own type"] == 0


def test_the_api(live: str) -> None:
    answer = call(live, "complete_the_look", 13)
    assert answer["item"]["id"] == 13
    assert len(answer["slots"]) == MOST
    filled = {slot["slot"]: slot["item"] for slot in answer["slots"] if slot["item"]}
    top = filled["top"]
    assert (top["gender"], top["articleType"]) == ("Men", "Tshirts")
    assert top["image"].startswith(live)
    assert "Nothing in this catalog suits as" in answer["message"]
    other = call(live, "complete_the_look", 13, [top["id"]])
    (again,) = [slot["item"] for slot in other["slots"] if slot["slot"] == "top"]
    assert {top["id"], again["id"]} == {1, 2}
    assert "no item with this id" in str(call(live, "complete_the_look", 99))
    assert "no item with this id" in str(call(live, "complete_the_look", 13, [99]))
    assert "a list of ids" in str(call(live, "complete_the_look", 13, "x"))


def test_the_page_has_a_slot_each_of_which_any_changes(recommender: Recommender) -> None:
    with drawn(recommender) as tab:
        panel, trail = tab.item.outfit, tab.on_example(asking(tab), tile(13))[tab.trail]
    assert trail.view.opened == 13

    def shown(data: Any, trail: Trail = trail, **taste: list[int]) -> gr.HTML:
        values = {tab.trail: trail, tab.taste.kept: taste}
        return panel.complete(values, gr.EventData(None, data))[panel.row]

    first = shown(None)
    assert first.visible
    assert "<h4>Top</h4>" in first.value
    ((before, passed),) = re.findall(
        r'item=(\d+)"><img[^>]*><span[^>]*>[^<]*</span></a><button[^>]*data-slot="top" '
        r'data-passed="([^"]*)"',
        first.value,
    )
    assert json.loads(passed) == [int(before)]
    again = shown({"passed": [int(before)]})
    assert f'?item={before}"' not in again.value
    assert "Another top" in again.value
    disliked = shown(None, disliked=[int(before), 99])
    assert f'?item={before}"' not in disliked.value
    assert "[1, 2]" not in disliked.value, "what is passed over is what was pressed for"
    many = shown({"passed": [*[int(before)] * 300]})
    assert "<h4>" in many.value
    for wrong in ("x", [99], [None], {}):
        told = shown({"passed": wrong}).value
        assert "<h4>" not in told
        assert 'role="status"' in told
    assert not shown(None, Trail()).visible
    back = tab.on_select(asking(tab, trail), tile(trail.view.ids[0]))
    assert not back[panel.row].visible, "it was of another item"
