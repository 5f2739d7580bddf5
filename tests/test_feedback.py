"""What visitors say of answers: what is taken, what is refused, what a log tells of it later."""

import json
from pathlib import Path
from random import Random
from typing import Any

import gradio as gr
import numpy as np
import pytest
from browsing import assert_fits, open_page
from conftest import ROWS, draw_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect
from serving import call, serve
from test_taste import judge, judging
from test_ui import ask, asking, drawn

from recommender.errors import FeedbackError
from recommender.feedback import answers as module
from recommender.feedback.answers import NO_VERDICT, NOT_AMONG, UNKNOWN_ANSWER, Answers
from recommender.feedback.bandit import LEAST, Bandit, chances_of_best
from recommender.feedback.events import EventLog
from recommender.feedback.judged import Judged, Opinion, Ranked, read_feedback
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.service.answers import Service
from recommender.service.feedback import RANKINGS
from recommender.service.sentences import NO_FEEDBACK, TAKEN_BACK, THANKS

NAMES = ("hybrid", "image", "diverse")
HERE = "http://here"


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return EventLog(tmp_path / "events")


def lines(log: EventLog) -> list[dict[str, Any]]:
    text = (log.folder / "events.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines() if line]


def one_of(context: str, ranking: str, names: tuple[str, ...] = NAMES) -> Ranked:
    shares = {name: 1 / len(names) for name in names}
    return Ranked(context=context, ranking=ranking, propensities=shares)


# --- what is remembered and written


def test_an_answer_is_judged(log: EventLog) -> None:
    answers = Answers(log)
    ranked = answers.choose("Shirts", NAMES)
    assert ranked == Ranked(context="Shirts", ranking="hybrid", propensities={"hybrid": 1.0})
    name = answers.give(ranked, [3, 5])
    assert not log.folder.exists(), "what nobody judges is not written"
    for verdict, item in (("up", None), ("up", None), ("up", 3), ("down", 5), ("none", None)):
        answers.judge(name, verdict, item)
    written = [{k: v for k, v in line.items() if k != "at"} for line in lines(log)]
    answer = {"kind": "answer", "answer": name, "context": "Shirts", "ranking": "hybrid"}
    assert written == [
        answer | {"propensities": {"hybrid": 1.0}},
        {"kind": "up", "answer": name},
        {"kind": "like", "item": 3, "answer": name},
        {"kind": "dislike", "item": 5, "answer": name},
        {"kind": "neither", "answer": name},
    ]
    assert read_feedback(log.files()).judged == [Judged(ranked, 0.5)]
    assert log.read()[["kind", "item"]].to_numpy().tolist() == [["like", 3]], "likes fill"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (("forged", "up"), UNKNOWN_ANSWER),
        ((None, "up"), UNKNOWN_ANSWER),
        ((["x"], "up"), UNKNOWN_ANSWER),
        (("NAME", "good"), NO_VERDICT),
        (("NAME", None), NO_VERDICT),
        (("NAME", ["up"]), NO_VERDICT),
        (("NAME", "up", 4), NOT_AMONG),
        (("NAME", "up", "3"), NOT_AMONG),
        (("NAME", "up", [3]), NOT_AMONG),
        (("NAME", "up", True), NOT_AMONG),
    ],
)
def test_what_cannot_be_said(log: EventLog, what: tuple[Any, ...], said: str) -> None:
    answers = Answers(log)
    name = answers.give(one_of("Shirts", "image"), [3])
    before = lines(log)
    with pytest.raises(FeedbackError) as told:
        answers.judge(name if what[0] == "NAME" else what[0], *what[1:])
    assert str(told.value) == said
    assert lines(log) == before


def test_answers_are_forgotten(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    answers = Answers(log, clock=lambda: now)
    first = answers.give(one_of("", "image"), [])
    now = module.REMEMBERED_SECONDS - 1
    second = answers.give(one_of("", "image"), [])
    answers.judge(first, "up")
    now += 2
    assert answers.opinion(first) is None
    with pytest.raises(FeedbackError, match="last hour"):
        answers.judge(first, "down")
    monkeypatch.setattr(module, "MOST", 1)
    third = answers.give(one_of("", "image"), [])
    assert answers.opinion(second) is None
    assert answers.opinion(third) == Opinion()
    assert len({first, second, third}) == 3
    assert min(map(len, (first, second, third))) >= 16


def test_of_one_visitor_few_answers_count(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OF_ONE", 2)
    now = 0.0
    bandit = Bandit()
    answers = Answers(log, bandit, clock=lambda: now)
    names = [answers.give(one_of("Shirts", "image"), [1, 2]) for _ in range(5)]

    def judge(at: int, verdict: str, by: str, item: int | None = None) -> bool:
        return answers.judge(names[at], verdict, item, by)

    assert [judge(at, "up", "anna") for at in (0, 1, 2)] == [True, True, False]
    # More of what counts already counts as well, and what does not is shown all the same.
    assert judge(0, "up", "anna", 1)
    assert judge(1, "none", "anna")
    assert not judge(2, "down", "anna", 2)
    assert answers.opinion(names[2]) == Opinion("up", {2: "down"})
    assert judge(3, "down", "bert")
    assert judge(4, "down", "")
    learnt = bandit.expected("Shirts", ["image"])
    feedback = read_feedback(log.files())
    assert sorted(each.worth for each in feedback.judged) == [0, 0, 1]
    assert Bandit(feedback.judged).expected("Shirts", ["image"]) == learnt
    assert b"anna" not in (log.folder / "events.jsonl").read_bytes()
    now = 86_401.0
    tomorrow = answers.give(one_of("Shirts", "image"), [1])
    assert answers.judge(tomorrow, "up", None, "anna")


def test_where_the_log_cannot_be_written_an_answer_is_still_judged(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    answers = Answers(EventLog(tmp_path / "file" / "events"), Bandit())
    name = answers.give(answers.choose("Shirts", NAMES), [1])
    answers.judge(name, "up", 1)
    opinion = answers.opinion(name)
    assert opinion is not None
    assert opinion.worth == 1


verdicts = st.sampled_from(["up", "down", "none"])
sayings = st.lists(
    st.tuples(st.integers(0, 3), verdicts, st.sampled_from([None, 1, 2])), max_size=25
)


@settings(max_examples=25, deadline=None)
@given(sayings, st.lists(st.binary(max_size=30), max_size=5), st.randoms())
def test_a_log_tells_what_was_learnt_whatever_is_torn(
    tmp_path_factory: pytest.TempPathFactory, said: list[Any], torn: list[bytes], random: Random
) -> None:
    log = EventLog(tmp_path_factory.mktemp("log"), max_bytes=400, max_files=1000)
    bandit = Bandit()
    answers = Answers(log, bandit, random=random)
    names = [answers.give(answers.choose(kind, NAMES), [1, 2]) for kind in ("a", "a", "b", "")]
    for at, verdict, item in said:
        answers.judge(names[at], verdict, item)
        if torn:
            with (log.folder / "events.jsonl").open("ab") as file:
                file.write(torn.pop())
    feedback = read_feedback(log.files())
    again = Bandit(feedback.judged)
    for context in ("a", "b", "", "new"):
        learnt, read = (each.propensities(context, NAMES) for each in (bandit, again))
        assert list(learnt) == list(read)
        np.testing.assert_allclose([*learnt.values()], [*read.values()], atol=1e-9)
    worths = [opinion.worth for opinion in map(answers.opinion, names) if opinion]
    assert sorted(each.worth for each in feedback.judged) == sorted(
        worth for worth in worths if worth is not None
    )
    assert len(feedback.judged) + len(feedback.unjudged) == len(names)
    # What was pushed before it was put aside is there twice, and counts once.
    assert read_feedback([*log.files(), *log.files()]).judged == feedback.judged


GOOD = {"at": 1.0, "kind": "answer", "answer": "x", "context": "", "ranking": "image"}
FORGED: list[Any] = [
    {**GOOD, "propensities": {"image": 0.0}},
    {**GOOD, "propensities": {"image": 0.5}},
    {**GOOD, "propensities": {"hybrid": 1.0}},
    {**GOOD, "propensities": {"image": 1}},
    {**GOOD, "propensities": {"image": float("nan")}},
    {**GOOD, "propensities": [1.0]},
    {**GOOD, "propensities": {"image": 2.0, "hybrid": -1.0}},
    {**GOOD, "propensities": {"image": 1e-12, "hybrid": 1 - 1e-12}},
    {**GOOD, "ranking": [], "propensities": {"image": 1.0}},
    {**GOOD, "context": 3, "propensities": {"image": 1.0}},
    {**GOOD, "answer": ["x"], "propensities": {"image": 1.0}},
    {"kind": ["like"], "answer": "x"},
    {"kind": "up", "answer": "of nobody"},
    {"kind": "like", "answer": "x"},
    {"kind": "like", "answer": "x", "item": {}},
    {"kind": "like", "at": 1e400, "item": 1e400},
    [],
    7,
    None,
]


@pytest.mark.parametrize("event", FORGED)
def test_a_forged_line_says_nothing(log: EventLog, event: Any) -> None:
    log.folder.mkdir()
    text = json.dumps(event)
    (log.folder / "events.jsonl").write_text(f'{text}\n{{"kind": "up", "answer": "x"}}\n')
    feedback = read_feedback(log.files())
    assert feedback.judged == []
    assert feedback.skipped >= 1 + (not (isinstance(event, dict) and event.get("at") == 1e400))
    assert log.read().empty


# --- what is learnt


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_equals_have_equal_chances(count: int) -> None:
    np.testing.assert_allclose(chances_of_best(np.full((count, 2), 4.0)), 1 / count, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(1, 400), st.floats(1, 400)), min_size=2, max_size=4))
def test_chances_are_those_of_many_draws(betas: list[tuple[float, float]]) -> None:
    table = np.array(betas)
    drawn = np.random.default_rng(0).beta(*table.T, (40_000, len(table))).argmax(axis=1)
    often = np.bincount(drawn, minlength=len(table)) / len(drawn)
    np.testing.assert_allclose(chances_of_best(table), often, atol=0.012)


def test_a_bandit_learns_by_context_and_borrows_where_it_knows_little() -> None:
    assert Bandit().propensities("", ("image",)) == {"image": 1.0}
    fresh = Bandit().propensities("Heels", NAMES)
    np.testing.assert_allclose([*fresh.values()], 1 / 3)
    judged = [Judged(one_of("Heels", name), float(name == "image")) for name in NAMES] * 50
    bandit = Bandit(judged)
    known, new = (bandit.propensities(kind, NAMES) for kind in ("Heels", "Shirts"))
    assert known["image"] == pytest.approx(1 - 2 * LEAST, abs=1e-3)
    assert min(known.values()) >= LEAST
    assert 0.4 < new["image"] < known["image"], "others' opinions count, but little"
    for each in judged:
        bandit.learn(each.ranked, each.worth, -1)
    np.testing.assert_allclose([*bandit.propensities("Heels", NAMES).values()], 1 / 3)
    # Who asks for a ranking wants that one: it says nothing of the others.
    asked = [Judged(one_of("Heels", "image", ("image",)), 0.0)] * 50
    assert Bandit(asked).propensities("Heels", NAMES) == fresh


def test_what_is_drawn_has_the_chance_that_is_logged(log: EventLog) -> None:
    judged = [
        Judged(one_of("Heels", name), worth) for name, worth in zip(NAMES, (1, 0, 0.5), strict=True)
    ]
    answers = Answers(log, Bandit(judged * 4), random=Random(1))
    drawn = [answers.choose("Heels", NAMES) for _ in range(1500)]
    (shares,) = {tuple(each.propensities.items()) for each in drawn}
    for name, share in shares:
        often = np.mean([each.ranking == name for each in drawn])
        assert often == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 1500))


# --- the service and its API


def test_answers_have_ids_where_a_log_is_kept(believing: Recommender, log: EventLog) -> None:
    silent, service = Service(believing), Service(believing, events=log)
    for question in (
        lambda s: s.recommend_by_id(1, HERE),
        lambda s: s.recommend_by_text("red tee", HERE),
    ):
        assert "answer_id" not in question(silent)
        answer = question(service)
        assert answer["results"] == question(silent)["results"]
        item = answer["results"][0]["id"]
        said = {"schema_version": 1, "message": THANKS}
        assert service.judge(answer["answer_id"], "up", item) == said
        assert service.judge(answer["answer_id"], "none", item)["message"] == TAKEN_BACK
    with pytest.raises(FeedbackError, match=NO_FEEDBACK):
        silent.judge("x", "up")


def test_a_ranking_is_chosen_where_nobody_asks_for_one(
    believing: Recommender, recommender: Recommender, log: EventLog
) -> None:
    service = Service(believing, events=log, learns=True)
    found = {
        name: [
            each["id"]
            for each in Service(believing).recommend_by_id(5, HERE, Options(**way))["results"]
        ]
        for name, way in RANKINGS.items()
    }
    for _ in range(12):
        answer = service.recommend_by_id(5, HERE)
        event = lines(log)[-1]
        assert event["answer"] == answer["answer_id"]
        assert event["context"] == "Casual Shoes"
        assert [each["id"] for each in answer["results"]] == found[event["ranking"]]
        assert list(event["propensities"]) == list(RANKINGS)
    assert {line["ranking"] for line in lines(log) if line["kind"] == "answer"} > {"image"}
    # Words and corrections say what is sought, too.
    service.recommend_by_text("tshirts", HERE)
    assert lines(log)[-1]["context"] == "Tshirts"
    service.recommend_by_id(5, HERE, Options(corrected={"articleType": "Heels"}))
    assert lines(log)[-1]["context"] == "Heels"
    for way in ({"ranking": "image"}, {"diversity": 0.2}, {"colour": 0.2}):
        service.recommend_by_id(5, HERE, Options(**way))
        assert lines(log)[-1]["kind"] == "search", "who asks for it has it"
    # Where there is one ranking alone, it may still be made diverse.
    Service(recommender, events=log, learns=True).recommend_by_id(5, HERE)
    assert list(lines(log)[-1]["propensities"]) == ["image", "diverse", "colour"]


def test_a_picture_is_ranked_as_it_is_logged(
    believing: Recommender, log: EventLog, tmp_path: Path
) -> None:
    path = tmp_path / "tee.jpg"
    path.write_bytes(draw_picture(ROWS[2]))
    plain, service = Service(believing), Service(believing, events=log, learns=True)
    found = {
        name: [each["id"] for each in plain.recommend(str(path), HERE, Options(**way))["results"]]
        for name, way in RANKINGS.items()
    }
    assert len({tuple(ids) for ids in found.values()}) > 1
    chosen = set()
    while chosen < set(found):
        answer = service.recommend(str(path), HERE)
        event = lines(log)[-1]
        assert [each["id"] for each in answer["results"]] == found[event["ranking"]]
        assert event["context"] == answer["query"]["attributes"]["articleType"]
        chosen.add(event["ranking"])


@pytest.mark.parametrize(
    "corrected", [["articleType"], {"articleType": ["x"]}, {"articleType": "x"}]
)
def test_a_wrong_correction_is_refused_and_not_written(
    believing: Recommender, log: EventLog, corrected: Any
) -> None:
    service = Service(believing, events=log, learns=True)
    with pytest.raises(Exception) as told:  # noqa: PT011 - the same as without a log
        Service(believing).recommend_by_id(1, HERE, Options(corrected=corrected))
    with pytest.raises(type(told.value)) as same:
        service.recommend_by_id(1, HERE, Options(corrected=corrected))
    assert str(same.value) == str(told.value)
    assert not log.folder.exists()


def test_the_api_takes_verdicts(believing: Recommender, tmp_path: Path, log: EventLog) -> None:
    with serve(believing, tmp_path / "uploads", events=log, learns=True) as live:
        answer = call(live, "recommend_by_id", 1)
        name, item = answer["answer_id"], answer["results"][0]["id"]
        thanks = {"schema_version": 1, "message": THANKS}
        assert call(live, "feedback", name, "up") == thanks
        assert call(live, "feedback", name, "down", item) == thanks
        for asked in (("zz", "up"), (name, "anna"), (name, "up", 99), (name, "up", "anna")):
            told = call(live, "feedback", *asked)["error"]
            assert told in (UNKNOWN_ANSWER, NO_VERDICT, NOT_AMONG)
    [judged] = read_feedback(log.files()).judged
    assert (judged.ranked.context, judged.worth) == ("Tshirts", 1)
    assert b"anna" not in (log.folder / "events.jsonl").read_bytes()


def test_what_was_learnt_is_there_after_a_restart(believing: Recommender, log: EventLog) -> None:
    service = Service(believing, events=log, learns=True)
    for _ in range(40):
        answer = service.recommend_by_id(5, HERE)
        ranking = lines(log)[-1]["ranking"]
        service.judge(answer["answer_id"], "up" if ranking == "image" else "down")
    service = Service(believing, events=log, learns=True)
    service.recommend_by_id(6, HERE)
    assert lines(log)[-1]["propensities"]["image"] > 0.9


# --- the page


def thumb(verdict: object) -> gr.EventData:
    return gr.EventData(None, {"verdict": verdict})


def test_thumbs(believing: Recommender, log: EventLog) -> None:
    with drawn(believing, events=log) as tab:
        assert not tab.on_load(asking(tab), ask())[tab.thumbs.row].visible
        told = tab.on_surprise(asking(tab))
        trail, row = told[tab.trail], told[tab.thumbs.row]
        assert row.visible
        assert row.value.count('aria-pressed="false"') == 2
        values = asking(tab, trail)
        row = tab.thumbs.judge(values, thumb("up"))[tab.thumbs.row]
        assert 'data-verdict="none" aria-pressed="true" aria-label="Good results"' in row.value
        assert THANKS in row.value
        # It stays pressed while the same answer is on show, and says thanks once.
        opened = tab.on_select(values, gr.EventData(None, {"tile": trail.view.ids[0]}))
        assert 'aria-pressed="true"' in opened[tab.thumbs.row].value
        assert THANKS not in opened[tab.thumbs.row].value
        row = tab.thumbs.judge(values, thumb("none"))[tab.thumbs.row]
        assert 'aria-pressed="true"' not in row.value
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "MOST_OF_ONE", 0)
            other = tab.on_more(values)[tab.trail]
            page = ask()
            page.session_hash = "anna"
            row = tab.thumbs.judge(asking(tab, other), thumb("up"), page)[tab.thumbs.row]
            assert f"{THANKS} Of one visitor 30 answers a day count" in row.value
            assert 'aria-pressed="true"' in row.value
        for wrong in (None, [], "<b>"):
            row = tab.thumbs.judge(values, thumb(wrong))[tab.thumbs.row]
            assert NO_VERDICT in row.value
            assert "<b>" not in row.value
        # Hearts and crosses are of the answer, too.
        judge(tab, values, judging("disliked", trail.view.ids[1]))
        judge(tab, values, judging("liked", trail.view.ids[0]))
    [judged] = read_feedback(log.files()).judged
    assert judged.worth == 0.5


def test_no_thumbs_where_nothing_is_recorded(recommender: Recommender) -> None:
    with drawn(recommender) as tab:
        told = tab.on_surprise(asking(tab))
        assert not told[tab.thumbs.row].visible
        row = tab.thumbs.judge(asking(tab, told[tab.trail]), thumb("up"))[tab.thumbs.row]
        assert NO_FEEDBACK in row.value


@pytest.mark.browser
def test_a_thumb_by_finger_and_by_keyboard(
    context: Any, believing: Recommender, tmp_path: Path, log: EventLog
) -> None:
    with serve(believing, tmp_path / "uploads", events=log) as live:
        page = context.new_page()
        page.set_viewport_size({"width": 390, "height": 844})
        open_page(page, f"{live}/?item=5")
        up, down = (page.get_by_role("button", name=f"{how} results") for how in ("Good", "Poor"))
        box = up.bounding_box()
        assert min(box["width"], box["height"]) >= 44
        up.click()
        expect(page.locator("#thumbs [role=status]")).to_have_text(THANKS)
        expect(up).to_have_attribute("aria-pressed", "true")
        expect(up).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(down).to_have_attribute("aria-pressed", "true")
        expect(down).to_be_focused()
        assert_fits(page)
        page.close()
    assert [judged.worth for judged in read_feedback(log.files()).judged] == [0]
