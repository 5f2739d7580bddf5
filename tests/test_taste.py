"""Likes and dislikes: what is found, what is refused, what the page keeps in the browser."""

from collections.abc import Iterator
from typing import Any

import gradio as gr
import numpy as np
import pytest
from conftest import ROWS, draw_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import call
from test_ui import asking, drawn

from recommender.encoding.agreement import LOOKS, Agreement
from recommender.errors import QueryError, UnknownItemError
from recommender.evaluation.taste import draw_visitors, measure_taste
from recommender.feedback.events import EventLog
from recommender.pictures.decode import decode_image
from recommender.search.options import MAX_TASTE, Options
from recommender.search.recommender import Recommender
from recommender.search.taste import moved, pull_of
from recommender.ui.find.tab import FindTab
from recommender.ui.find.taste import Taste, row_html

IDS = [row[0] for row in ROWS]
some = st.lists(st.sampled_from(IDS), unique=True, max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(IDS), some, some, st.booleans(), st.sampled_from([None, ["Men"]]))
def test_what_was_judged_is_not_found_again(
    believing: Recommender,
    item_id: int,
    liked: list[int],
    disliked: list[int],
    repeats: bool,
    genders: list[str] | None,
) -> None:
    liked = [one for one in liked if one not in disliked]
    filters = {"gender": genders} if genders else None
    options = Options(k=20, filters=filters, repeats=repeats, liked=liked, disliked=disliked)
    picture = {i: 11 if i == 12 else i for i in IDS}
    judged = {picture[one] for one in [*liked, *disliked]}
    asks = {item_id} if repeats else {i for i in IDS if picture[i] == picture[item_id]}
    allowed = {row[0] for row in ROWS if not genders or row[1] in genders}
    there = {i for i in allowed if picture[i] not in judged} - asks
    hits = believing.by_id(item_id, options)
    shown = hits.ids.tolist()
    assert set(shown) <= there
    assert {picture[i] for i in shown} == {picture[i] for i in there}
    assert (np.diff(hits.scores) <= 0).all()
    assert (np.abs(hits.scores) <= 1 + 1e-5).all()


def test_a_recognised_picture_that_is_disliked_does_not_return(believing: Recommender) -> None:
    for row in ROWS:
        picture = decode_image(draw_picture(row))
        same = {11, 12} if row[0] in (11, 12) else {row[0]}
        for repeats in (False, True):
            hits = believing.by_image(picture, Options(k=13, disliked=[row[0]], repeats=repeats))
            assert not same & set(hits.ids.tolist())


def test_likes_pull_dislikes_push_and_the_type_stays(believing: Recommender) -> None:
    agreement = believing.encoder.agreement
    gallery = believing.index.vectors
    vectors = agreement.as_queries(gallery)
    (kind,) = [block for name, block in agreement._blocks() if name == "articleType"]
    for asked, other in ((0, 3), (4, 8), (10, 2)):
        query, one = vectors[[asked]], vectors[[other]]
        plain = (query @ one.T).item()
        liked, disliked = (
            moved(query, pull_of(agreement, gallery, *pair))[0]
            for pair in (([other], []), ([], [other]))
        )
        assert (disliked @ one.T).item() < plain < (liked @ one.T).item()
        for aim in (liked, disliked):
            assert np.linalg.norm(aim) == pytest.approx(1, abs=1e-5)
            shares = aim[0, kind] / query[0, kind]
            np.testing.assert_allclose(shares, shares[0], rtol=1e-4)
        nowhere = pull_of(agreement, gallery, [], [])
        np.testing.assert_allclose(moved(query, nowhere)[0], query, atol=1e-6)
        # What turns round altogether stays, and nothing of the pull is in it.
        away = nowhere._replace(away=query[0])
        stays, share = moved(query, away)
        assert (stays == query).all()
        assert not share.any()


def test_a_colour_that_is_liked_as_well_is_not_what_is_disliked() -> None:
    classes = {"baseColour": ["Black", "Blue"], "gender": ["Men", "Women"]}
    weights = {LOOKS: 0.4, "baseColour": 0.3, "gender": 0.3}
    agreement = Agreement(looks_dim=2, weights=weights, classes=classes)
    looks = np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]
    none = {name: np.full((4, 2), 0.5, np.float32) for name in classes}
    labels = {"baseColour": ["Blue", "Blue", "Blue", "Black"], "gender": ["Men"] * 4}
    vectors = agreement.with_labels(agreement.embed(looks, none), labels)
    # Whoever likes two blue ones and not a third is after blue ones all the same.
    for liked, pushed in (([0, 1], False), ([0], False), ([3], True), ([], True)):
        away = pull_of(agreement, vectors, liked, [2]).away
        assert away[agreement.block("baseColour")].any() == pushed
        assert away[agreement.block("gender")].any()


def test_without_a_taste_nothing_changes(believing: Recommender, recommender: Recommender) -> None:
    for searched in (believing, recommender):
        for item_id in IDS:
            plain, with_none = (
                searched.by_id(item_id, options)
                for options in (Options(k=9), Options(k=9, liked=[], disliked=()))
            )
            np.testing.assert_array_equal(plain.ids, with_none.ids)
            np.testing.assert_array_equal(plain.scores, with_none.scores)


@pytest.mark.parametrize(
    ("taste", "said"),
    [
        ({"liked": "3"}, "The liked items are a list of ids."),
        ({"liked": [None]}, "The liked items are a list of ids."),
        ({"disliked": [1.5]}, "The disliked items are a list of ids."),
        ({"disliked": {"a": 1}}, "The disliked items are a list of ids."),
        ({"liked": [[1]]}, "The liked items are a list of ids."),
        ({"liked": [True]}, "The liked items are a list of ids."),
        ({"liked": [*range(1000)]}, f"At most {MAX_TASTE} items can be liked."),
        ({"liked": [1, 3.0], "disliked": [3]}, "both liked and disliked"),
    ],
)
def test_a_taste_that_cannot_be(taste: dict[str, Any], said: str) -> None:
    with pytest.raises(QueryError, match=said):
        Options(**taste)


@pytest.mark.parametrize("strange", [99, -1, "1", "<b>", 2**70])
def test_items_that_are_not_there(recommender: Recommender, strange: Any) -> None:
    for side in ("liked", "disliked"):
        with pytest.raises(UnknownItemError, match="liked or disliked: leave it out") as told:
            recommender.by_id(1, Options(**{side: [2, strange]}))
        assert "<b>" not in str(told.value)


def test_the_api_takes_them(live: str) -> None:
    plain = call(live, "recommend_by_id", 1)
    shown = [item["id"] for item in plain["results"]]
    taste = [shown[0]], [shown[1]]
    asked = call(live, "recommend_by_id", 1, 5, {}, False, "auto", "", "", {}, *taste)
    assert not {*shown[:2]} & {item["id"] for item in asked["results"]}
    assert len(asked["results"]) == 5
    refused = call(live, "recommend_by_id", 1, 5, {}, False, "auto", "", "", {}, [3], [3])
    assert "both liked and disliked" in str(refused)


# --- the page


def judging(opinion: str, item: Any) -> gr.EventData:
    return gr.EventData(None, {"opinion": opinion, "item": item})


def judge(tab: FindTab, values: Any, event: gr.EventData) -> Any:
    return tab.taste.judge(values, event, tab.on_settings)


@pytest.fixture
def log(tmp_path: Any) -> EventLog:
    return EventLog(tmp_path / "events")


@pytest.fixture
def tab(recommender: Recommender, log: EventLog) -> Iterator[FindTab]:
    with drawn(recommender, events=log) as tab:
        yield tab


def test_a_heart_and_a_cross(tab: FindTab, log: EventLog) -> None:
    trail = tab.on_surprise(asking(tab))[tab.trail]
    first, second, *_ = trail.view.ids
    told = judge(tab, asking(tab, trail), judging("liked", first))
    assert told[tab.taste.kept] == {"liked": [first], "disliked": []}
    values = {**asking(tab, told[tab.trail]), tab.taste.kept: told[tab.taste.kept]}
    told = judge(tab, values, judging("disliked", second))
    assert told[tab.taste.kept] == {"liked": [first], "disliked": [second]}
    assert not {first, second} & set(told[tab.trail].view.ids)
    assert told[tab.trail].before == trail.before
    row = told[tab.taste.row]
    assert row.visible
    assert row.value.count('data-judge="none"') == 2
    assert log.read()["kind"].tolist().count("like") == 1

    # It comes along to the next search, and goes as it came.
    values = {**asking(tab, told[tab.trail]), tab.taste.kept: told[tab.taste.kept]}
    assert not {first, second} & set(tab.on_surprise(values)[tab.trail].view.ids)
    back = judge(tab, values, judging("none", first))
    assert back[tab.taste.kept] == {"liked": [], "disliked": [second]}
    none = judge(tab, values, judging("nothing", 0))
    assert none[tab.taste.kept] == {"liked": [], "disliked": []}
    assert not none[tab.taste.row].visible
    assert none[tab.trail].view.ids == trail.view.ids


@pytest.mark.parametrize(
    "kept", [None, [], "x", {"liked": 3}, {"liked": [[], None, True, {}]}, {"liked": [99, "<b>"]}]
)
def test_whatever_a_browser_has_kept(tab: FindTab, kept: Any) -> None:
    values = {**asking(tab), tab.taste.kept: kept}
    assert tab.taste.read(values) == Taste()
    assert len(tab.on_surprise(values)[tab.trail].view.ids) > 5


UNKNOWN = {"opinion": "liked", "item": 99}


@pytest.mark.parametrize(
    "data", [None, [], {}, {"opinion": "liked"}, {"opinion": [], "item": 1}, UNKNOWN]
)
def test_a_click_that_judges_nothing(tab: FindTab, data: Any) -> None:
    trail = tab.on_surprise(asking(tab))[tab.trail]
    told = judge(tab, asking(tab, trail), gr.EventData(None, data))
    assert told[tab.taste.kept] == {"liked": [], "disliked": []}
    assert told[tab.trail].view.ids == trail.view.ids


def test_the_latest_opinions_are_kept() -> None:
    taste = Taste()
    for item_id in range(MAX_TASTE + 5):
        taste = taste.judged(item_id, "liked")
    assert len(taste.liked) == MAX_TASTE
    assert taste.judged(7, "disliked").judged(7, "liked").liked[-1] == 7
    assert 7 not in taste.judged(7, "disliked").liked


def test_a_name_brings_no_html(recommender: Recommender) -> None:
    item = recommender.item(1) | {"productDisplayName": '"><b onclick=x>', "image": '"x'}
    made = row_html(Taste(liked=(1,)), {1: item})
    assert "<b " not in made
    assert 'src=""' not in made


# --- simulated visitors


def test_visitors_come_from_a_split(believing: Recommender) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recommender.evaluation.taste.LEAST", 1)
        patch.setattr(
            "recommender.evaluation.taste.split_names", lambda frame: np.array(["dev"] * len(frame))
        )
        visitors = draw_visitors(believing, split="dev", count=6)
    types = believing.frame["articleType"].to_numpy()
    assert len(visitors.starts) == 6
    assert (visitors.codes[visitors.starts, 0] == visitors.wanted[:, 0]).all()
    report = measure_taste(believing, visitors)
    assert report["visitors"] == 6
    assert len(report["P@5, judging"]) == 4
    assert len(types) == len(visitors.codes)
