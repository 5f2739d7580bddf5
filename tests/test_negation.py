"""What words rule out: what is read so, what is not, and what becomes of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROWS, build_store, open_store, write_archive
from hypothesis import given
from hypothesis import strategies as st

from recommender.schema import Column
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.search.said import IN_TEXTS
from recommender.search.stated import Vocabulary
from recommender.service.answers import Service
from recommender.ui.find.view import said

COLUMNS = (
    Column("gender", "choice", "gender"),
    Column("articleType", "choice", "article type"),
    Column("baseColour", "choice", "colour"),
    Column("brand", "choice", "brand"),
    Column("pattern", "choice", "pattern"),
    Column("neck", "choice", "neck"),
    Column("year", "year", "year"),
    Column("price", "number", "price"),
    Column("inStock", "yes_no", "in stock"),
)
VALUES: dict[str, list[Any]] = {
    "gender": ["Boys", "Men", "Women"],
    "articleType": ["Casual Shoes", "Dress Shoes", "Dresses", "Shirts", "Socks", "Sweatshirts"],
    "baseColour": ["Black", "Blue", "Navy Blue", "Red", "White"],
    "brand": ["Nike", "No Boundaries", "Red Tape"],
    "pattern": ["Checked", "Solid", "Striped"],
    "neck": ["Mandarin Collar", "Polo Collar", "Round Neck"],
    "year": [2010, 2011, 2012],
    "price": [299.0, 4999.0],
    "inStock": [False, True],
}
WORDS = {
    word: word for word in ("logo", "notebook", "bag", "no", "shirt", "black", "red", "boundary")
}


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(COLUMNS, VALUES, {}, words=WORDS, usual=set(WORDS))


def told(vocabulary: Vocabulary, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is asked for, and what is ruled out."""
    found: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for statement in vocabulary.read(text).statements:
        found[statement.ruled_out][statement.column] = list(statement.values) or dict(
            statement.bounds
        )
    return found


@pytest.mark.parametrize(
    ("text", "asked", "out"),
    [
        ("no stripes", {}, {"pattern": ["Striped"]}),
        ("shirt, not black", {"articleType": ["Shirts"]}, {"baseColour": ["Black"]}),
        ("shirt but not checked", {"articleType": ["Shirts"]}, {"pattern": ["Checked"]}),
        ("shirt -red", {"articleType": ["Shirts"]}, {"baseColour": ["Red"]}),
        ("jeans, not for men", {}, {"gender": ["Men"]}),
        ("not in black", {}, {"baseColour": ["Black"]}),
        ("any brand but nike", {}, {"brand": ["Nike"]}),
        ("shirts in all colours but red", {"articleType": ["Shirts"]}, {"baseColour": ["Red"]}),
        ("any shirt but in black", {"articleType": ["Shirts"], "baseColour": ["Black"]}, {}),
        ("collarless", {}, {"neck": ["Mandarin Collar", "Polo Collar"]}),
        ("not too black", {}, {"baseColour": ["Black"]}),
        ("I don't want a red shirt", {"articleType": ["Shirts"]}, {"baseColour": ["Red"]}),
        ("anything except nike", {}, {"brand": ["Nike"]}),
        ("anything but nike", {}, {"brand": ["Nike"]}),
        ("shirt other than black", {"articleType": ["Shirts"]}, {"baseColour": ["Black"]}),
        ("red instead of white", {"baseColour": ["Red"]}, {"baseColour": ["White"]}),
        # What a value is a kind of is ruled out with it; what only begins so is not.
        ("not blue", {}, {"baseColour": ["Blue", "Navy Blue"]}),
        ("navy blue not blue", {"baseColour": ["Navy Blue"]}, {"baseColour": ["Blue"]}),
        ("without collar", {}, {"neck": ["Mandarin Collar", "Polo Collar"]}),
        ("no dresses", {}, {"articleType": ["Dresses"]}),
        ("no shirts", {}, {"articleType": ["Shirts"]}),
        # It goes on.
        ("not black or white", {}, {"baseColour": ["Black", "White"]}),
        ("not black and white", {}, {"baseColour": ["Black", "White"]}),
        ("neither black nor white", {}, {"baseColour": ["Black", "White"]}),
        ("no stripes or collar", {}, {"pattern": ["Striped"], "neck": VALUES["neck"][:2]}),
        ("no stripes and red", {"baseColour": ["Red"]}, {"pattern": ["Striped"]}),
        # Numbers turn round.
        ("no more than 3000", {"price": {"max": 3000}}, {}),
        ("not under 500", {"price": {"min": 500}}, {}),
        ("not before 2011", {"year": {"min": 2011}}, {}),
        ("not 2012", {}, {"year": [2012]}),
        ("not in stock", {}, {"inStock": [True]}),
        ("not without stripes", {"pattern": ["Striped"]}, {}),
        # What is both is ruled out.
        ("black shirt, not black", {"articleType": ["Shirts"]}, {"baseColour": ["Black"]}),
        ("black white not white", {"baseColour": ["Black"]}, {"baseColour": ["White"]}),
        # What rules out nothing.
        ("No. 5 red", {"baseColour": ["Red"]}, {}),
        ("No 5 red", {"baseColour": ["Red"]}, {}),
        ("nothing red", {"baseColour": ["Red"]}, {}),
        ("notebook bag red", {"baseColour": ["Red"]}, {}),
        ("no-show socks", {"articleType": ["Socks"]}, {}),
        ("no boundaries shirt", {"brand": ["No Boundaries"], "articleType": ["Shirts"]}, {}),
        ("shirt - red", {"articleType": ["Shirts"], "baseColour": ["Red"]}, {}),
        ("half-red", {"baseColour": ["Red"]}, {}),
        ("-5 red", {"baseColour": ["Red"]}, {}),
        ("red not", {"baseColour": ["Red"]}, {}),
        ("no, show me red", {"baseColour": ["Red"]}, {}),
    ],
)
def test_what_words_rule_out(
    vocabulary: Vocabulary, text: str, asked: dict[str, Any], out: dict[str, Any]
) -> None:
    assert told(vocabulary, text) == (asked, out)


def test_what_is_ruled_out_asks_for_nothing(vocabulary: Vocabulary) -> None:
    said = vocabulary.read("black shirt without logo or qqq, not red")
    assert said.as_read == "black shirt or qqq"
    assert [s.values for s in said.statements if s.column == IN_TEXTS] == [("logo",)]
    assert vocabulary.read("shirt without qqqq").unknown == ("qqqq",)
    assert "logo" not in said.literal
    assert "red" not in said.literal
    both = vocabulary.read("black shirt, not black")
    assert both.as_read == "shirt"
    assert both.contradicted == ("Black",)
    assert "black" not in both.literal


COLOURS, PATTERNS = st.sampled_from(VALUES["baseColour"]), st.sampled_from(VALUES["pattern"])
SAYS_NO = st.sampled_from(["no", "not", "Without", "except", "not in", "non", "don't want"])


@given(SAYS_NO, COLOURS, PATTERNS, st.sampled_from(["", "or", "nor"]), st.booleans())
def test_a_chip_can_be_taken_back_alone(
    vocabulary: Vocabulary, no: str, colour: str, pattern: str, goes_on: str, first: bool
) -> None:
    asked = f"{colour} shirt" if first else "shirt"
    text = f"{asked} {no} {pattern} {goes_on} {colour}"
    read = vocabulary.read(text)
    for statement in read.statements:
        left = vocabulary.read(read.without(statement) or "shirt")
        before = {
            (s.column, s.ruled_out): set(s.values) for s in read.statements if s is not statement
        }
        after = {(s.column, s.ruled_out): set(s.values) for s in left.statements}
        after.pop(("articleType", False), None)
        before.pop(("articleType", False), None)
        assert before.items() <= after.items(), (text, statement)
        assert {key for key in after if key[1]} <= {key for key in before if key[1]}


@given(st.text(max_size=60), st.lists(st.sampled_from(["no", "not", "-red", "or", "without"])))
def test_any_text_may_say_no(vocabulary: Vocabulary, text: str, noes: list[str]) -> None:
    read = vocabulary.read(" ".join([*noes, text, "red", *noes]))
    for statement in read.statements:
        assert bool(statement.values) != bool(statement.bounds)
        assert len(read.without(statement).split()) <= len(read.words)
    # A misspelt word may be meant to be two: "longsleved".
    more = sum(len(meant.split()) - 1 for _, meant in read.mended)
    assert len(read.as_read.split()) <= len(read.words) + more


# In the corridor.


@pytest.fixture(autouse=True, scope="module")
def prepared(believing: Recommender) -> None:
    believing.prepare()


@given(
    no=st.sampled_from(["no", "not", "without"]),
    out=st.sampled_from(["red", "blue", "tee", "men", "casual", "shoes"]),
    asked=st.sampled_from(["", "bag", "men", "green tee", "party"]),
    ranking=st.sampled_from(["image", "hybrid"]),
    k=st.integers(1, 13),
)
def test_what_is_ruled_out_is_not_found(
    believing: Recommender, no: str, out: str, asked: str, ranking: Any, k: int
) -> None:
    text = f"{asked} {no} {out}"
    options = Options(k=k, ranking=ranking, repeats=True)
    hits = believing.by_text(text, options)
    [query] = believing.say(text, options).told
    [statement] = [one for one in query.said.statements if one.ruled_out]
    values = believing.frame[statement.column].tolist()
    assert not {values[row] for row in hits.rows} & set(statement.values)
    # As many as there are of the others.
    assert len(hits) == min(k, sum(value not in statement.values for value in values))


def test_beside_an_item_too(believing: Recommender) -> None:
    colour = {row[0]: row[5] for row in ROWS}
    plain = believing.by_id(1, Options(k=5, repeats=True))
    assert "Red" in {colour[i] for i in plain.ids.tolist()}
    hits = believing.by_id(1, Options(k=5, repeats=True), text="but not red")
    assert "Red" not in {colour[i] for i in hits.ids.tolist()}
    assert len(hits) == 5
    nothing = believing.by_id(1, Options(k=3), text="not men or women or boys or girls or unisex")
    assert len(nothing) == 3
    assert nothing.all_of == 0


def test_what_no_column_has_is_looked_for_in_texts(believing: Recommender) -> None:
    hits = believing.by_text("bag without tote", Options(k=13, repeats=True))
    assert 9 not in hits.ids
    assert len(hits) == 12


def test_what_nobody_says_of_an_item_its_texts_may(tmp_path: Path) -> None:
    rows = [row if row[0] != 2 else (2, "", *row[2:-1], "Ako Men Red Tee") for row in ROWS]
    build_store(tmp_path / "store", write_archive(tmp_path / "a.zip", rows))
    hits = open_store(tmp_path / "store").by_text("tee, not men", Options(k=13, repeats=True))
    assert not {row[0] for row in rows if "Men" in (row[1], *row[-1].split())} & {*hits.ids}
    assert len(hits) == 13 - 5


def test_the_answer_says_so(believing: Recommender) -> None:
    service = Service(believing)
    answer = service.recommend_by_text("red tee, not men or boys", "http://here", Options(k=2))
    query = answer["query"]
    assert [one["column"] for one in query["stated"]] == ["baseColour", "articleType"]
    [out] = query["ruled_out"]
    assert out["values"] == ["Men", "Boys"]
    assert out["without"] == "red tee"
    assert ("not Men or Boys", "red tee") in said(query)
    both = service.recommend_by_text("red not red tee", "http://here", Options(k=2))
    assert "Red is asked for and ruled out: it is left out." in both["message"]
    assert np.all([one["baseColour"] != "Red" for one in both["results"]])
