"""A picture of what the catalog does not have is told from one of what it has."""

import doctest
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROWS, draw_picture
from PIL import Image

from recommender.evaluation.match import measure_unseen
from recommender.feedback.events import EventLog
from recommender.search import hits
from recommender.search.hits import MATCH
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.service import sentences
from recommender.service.answers import Service
from recommender.service.sentences import NO_MATCH, found_like, message_of

ORIGIN = "http://127.0.0.1:7860"


@pytest.fixture
def tee(tmp_path: Path) -> str:
    path = tmp_path / "tee.jpg"
    path.write_bytes(draw_picture(ROWS[0]))
    return str(path)


def test_each_of_the_hits_has_its_own(believing: Recommender, tee: str) -> None:
    query = believing.see([Image.open(tee)] * 3)
    matches = np.array([MATCH, MATCH - 0.01, 1], np.float32)
    found = believing.search(replace(query, matches=matches))
    assert [one.match for one in found] == pytest.approx(matches.tolist())
    assert [one.matched for one in found] == [True, False, True]
    assert found[0].ids.tolist() == found[1].ids.tolist(), "what is found is the same"
    [*unknown] = believing.search(query)
    assert [(one.match, one.matched) for one in unknown] == [(None, True)] * 3
    with pytest.raises(ValueError, match="matches"):
        replace(query, matches=matches[:2])


def test_the_answer_says_it(doubting: Recommender, tee: str, grey: Path) -> None:
    service = Service(doubting)
    good = service.recommend(tee, ORIGIN)
    assert good["match"] == {"sureness": 0.9, "good": True}
    assert good["message"] == ""
    poor = service.recommend(str(grey), ORIGIN)
    assert poor["match"] == {"sureness": 0.1, "good": False}
    assert len(poor["results"]) == 5
    assert poor["message"] == "Nothing in this catalog looks like that. The nearest:"
    few = service.recommend(str(grey), ORIGIN, Options(filters={"gender": ["Women"]}))
    assert few["message"] == f"Only 4 items pass these filters. {NO_MATCH}"
    none = service.recommend(
        str(grey), ORIGIN, Options(filters={"gender": ["Boys"], "year": [2017]})
    )
    assert none["message"] == "No item passes these filters: widen or clear one of them."
    assert none["match"]["good"] is False
    assert service.recommend_by_id(3, ORIGIN)["match"] == {"sureness": None, "good": True}


def test_what_is_no_fashion_is_nobodys_demand(
    doubting: Recommender, tee: str, grey: Path, tmp_path: Path
) -> None:
    events = EventLog(tmp_path / "events")
    service = Service(doubting, events=events)
    service.recommend(str(grey), ORIGIN)
    service.recommend(tee, ORIGIN)
    assert len(events.read(0)) == 1


def test_the_page_says_it_kindly() -> None:
    answer = {"results": [{}], "match": {"good": False}, "timings_ms": {"total": 3}}
    for options, expected in (
        (Options(k=1), ""),
        (Options(k=2), " The catalog has only 1 other items."),
    ):
        answer["message"] = message_of(1, options, matched=False)
        said = found_like("your picture", answer)
        assert said.startswith("Nothing in this catalog looks like your picture. Try one that")
        assert said.endswith(f"close.{expected}")
    assert message_of(0, Options(filters={"year": [1]}), matched=False).startswith("No item passes")


def test_the_examples_in_the_docstrings_hold() -> None:
    for module in (hits, sentences):
        done = doctest.testmod(module)
        assert done.attempted
        assert not done.failed


def test_what_was_not_taught_leaves_doubt(doubting: Recommender) -> None:
    encoder = doubting.encoder
    known = [Image.open(io.BytesIO(draw_picture(row))) for row in ROWS[:4]]
    told = measure_unseen(encoder, known, known)
    assert told == {"pictures": [4, 4], "AUROC": 0.5}
    doubts = encoder.agreement.doubt(encoder.encode_queries(known).vectors)
    surest, least = known[int(doubts.argmin())], known[int(doubts.argmax())]
    assert measure_unseen(encoder, [surest], [least])["AUROC"] == 1
    assert measure_unseen(encoder, [least], [surest])["AUROC"] == 0
