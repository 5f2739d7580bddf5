"""Words as a question: what they state, and what they mean beside a picture."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import ROWS
from hypothesis import given
from hypothesis import strategies as st

from recommender.encoding.agreement import LOOKS, Agreement
from recommender.errors import QueryError
from recommender.schema import Column
from recommender.search import fusion
from recommender.search.filters import FilterTable
from recommender.search.fusion import Told, fuse
from recommender.search.lexical import Lexical
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.search.said import Said
from recommender.search.stated import MAX_CHARACTERS, MAX_WORDS, Vocabulary
from recommender.search.tokens import key_of, words_of
from recommender.search.words import Words
from recommender.service.heard import heard

COLUMNS = (
    Column("gender", "choice", "gender"),
    Column("articleType", "choice", "article type"),
    Column("subCategory", "choice", "sub-category"),
    Column("baseColour", "choice", "colour"),
    Column("brand", "choice", "brand"),
    Column("pattern", "choice", "pattern"),
    Column("year", "year", "year"),
    Column("price", "number", "price"),
    Column("inStock", "yes_no", "in stock"),
    Column("description", "text", "description"),
)
VALUES: dict[str, list[Any]] = {
    "gender": ["Boys", "Girls", "Men", "Women"],
    "articleType": [
        "Casual Shoes",
        "Dresses",
        "Handbags",
        "Perfume and Body Mist",
        "Shirts",
        "Sports Shoes",
        "Sweaters",
        "Trousers",
        "Tshirts",
    ],
    "subCategory": ["Dress", "Perfumes", "Shoes", "Topwear"],
    "baseColour": ["Black", "Grey", "Navy Blue", "Red", "White"],
    "brand": ["Adidas", "Nike", "Nike Woman", "ONLY", "Red Tape", "United Colors of Benetton"],
    "pattern": ["Checked", "Solid", "Striped"],
    "year": [2010, 2011, 2012],
    "price": [299.0, 999.0, 4999.0],
    "inStock": [False, True],
    "description": ["A shirt with a running stripe."],
}
SPELT = {word: word for word in ("round", "neck", "running", "shirt", "running")}


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary(
        COLUMNS,
        VALUES,
        {"articleType": ["Jeans"]},
        first=["articleType"],
        words=SPELT,
        usual=set(SPELT),
    )


def stated(said: Said) -> dict[str, Any]:
    return {s.column: list(s.values) or dict(s.bounds) for s in said.statements}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red shirt", {"baseColour": ["Red"], "articleType": ["Shirts"]}),
        ("Women's T-SHIRTS", {"gender": ["Women"], "articleType": ["Tshirts"]}),
        ("tee", {"articleType": ["Tshirts"]}),
        ("trainers", {"articleType": ["Sports Shoes"]}),
        ("sneakers", {"articleType": ["Casual Shoes", "Sports Shoes"]}),
        ("purse", {"articleType": ["Handbags"]}),
        ("hand bag", {"articleType": ["Handbags"]}),
        ("gray pant", {"baseColour": ["Grey"], "articleType": ["Trousers"]}),
        ("jumper for kids", {"articleType": ["Sweaters"], "gender": ["Boys", "Girls"]}),
        ("navy", {"baseColour": ["Navy Blue"]}),
        # The longest phrase counts, and of several columns the one that is meant first.
        ("red tape shoes", {"brand": ["Red Tape"], "subCategory": ["Shoes"]}),
        ("casual shoes", {"articleType": ["Casual Shoes"]}),
        ("dress", {"articleType": ["Dresses"]}),
        ("perfume", {"articleType": ["Perfume and Body Mist"]}),
        ("body mist", {"articleType": ["Perfume and Body Mist"]}),
        ("checks", {"pattern": ["Checked"]}),
        # Pictures may show what no item is said to be.
        ("jeans", {"articleType": ["Jeans"]}),
        # Misspelt.
        (
            "addidas blak shoos",
            {"brand": ["Adidas"], "baseColour": ["Black"], "subCategory": ["Shoes"]},
        ),
        ("trouzers", {"articleType": ["Trousers"]}),
        # Numbers.
        ("nike under 3000", {"brand": ["Nike", "Nike Woman"], "price": {"max": 3000}}),
        ("less than rs 3,000", {"price": {"max": 3000}}),
        ("at most 3k", {"price": {"max": 3000}}),
        ("over 500", {"price": {"min": 500}}),
        ("between 900 and 500", {"price": {"min": 500, "max": 900}}),
        ("500 to 900", {"price": {"min": 500, "max": 900}}),
        ("over 500 under 900", {"price": {"min": 500, "max": 900}}),
        ("under 500 over 900", {"price": {"min": 500, "max": 900}}),
        ("under 2012", {"price": {"max": 2012}}),
        ("2012", {"year": [2012]}),
        ("since 2011", {"year": {"min": 2011}}),
        ("after 2011", {"year": {"min": 2012}}),
        ("before 2011", {"year": {"max": 2010}}),
        ("2010 to 2011", {"year": {"min": 2010, "max": 2011}}),
        ("shirt up to 1500", {"articleType": ["Shirts"], "price": {"max": 1500}}),
        ("shirt ₹800", {"articleType": ["Shirts"], "price": {"max": 800}}),
        ("shirt Rs.800", {"articleType": ["Shirts"], "price": {"max": 800}}),
        ("800 rupees shirt", {"articleType": ["Shirts"], "price": {"max": 800}}),
        ("budget 2000", {"price": {"max": 2000}}),
        ("rs 500 to rs 900", {"price": {"min": 500, "max": 900}}),
        ("around 1000", {"price": {"min": 800, "max": 1200}}),
        ("about 2011", {"year": {"min": 2010, "max": 2012}}),
        ("299-999", {"price": {"min": 299, "max": 999}}),
        # Amounts as they are written in India, short, and in words.
        ("shirt under 1,50,000", {"articleType": ["Shirts"], "price": {"max": 150_000}}),
        ("under 1.5k", {"price": {"max": 1500}}),
        ("1.5k shirt", {"articleType": ["Shirts"], "price": {"max": 1500}}),
        ("shirt under 2 lakh", {"articleType": ["Shirts"], "price": {"max": 200_000}}),
        ("under two thousand five hundred rupees", {"price": {"max": 2500}}),
        ("500,1000", {"price": {"min": 500, "max": 1000}}),
        ("shirt ≤ 1000", {"articleType": ["Shirts"], "price": {"max": 1000}}),
        # One end of a range, before its number and after it.
        ("shirt from 500", {"articleType": ["Shirts"], "price": {"min": 500}}),
        ("starting at ₹500", {"price": {"min": 500}}),
        ("from 500 to 900", {"price": {"min": 500, "max": 900}}),
        ("from 2011", {"year": [2011]}),
        ("900 or less", {"price": {"max": 900}}),
        ("900 rupees and above shirt", {"price": {"min": 900}, "articleType": ["Shirts"]}),
        ("900+ shirt", {"price": {"min": 900}, "articleType": ["Shirts"]}),
        ("shirt 500 max", {"articleType": ["Shirts"], "price": {"max": 500}}),
        ("2011 or later", {"year": {"min": 2011}}),
        ("shirt priced 700", {"articleType": ["Shirts"], "price": {"max": 700}}),
        ("price 700 to 900", {"price": {"min": 700, "max": 900}}),
        # Two numbers between which nothing costs anything are no prices, and one is none.
        ("shirt 38 40", {"articleType": ["Shirts"]}),
        ("{{7*7}} OR 1=1", {}),
        ("shirt 800", {"articleType": ["Shirts"]}),
        # Ages.
        ("tee for a 5 year old boy", {"articleType": ["Tshirts"], "gender": ["Boys"]}),
        ("5-year-old's dress", {"gender": ["Boys", "Girls"], "articleType": ["Dresses"]}),
        ("dress age 8 girl", {"articleType": ["Dresses"], "gender": ["Girls"]}),
        ("2-3 years tee", {"articleType": ["Tshirts"], "gender": ["Boys", "Girls"]}),
        ("tee 6 months", {"articleType": ["Tshirts"], "gender": ["Boys", "Girls"]}),
        ("dress 12yrs old", {"articleType": ["Dresses"], "gender": ["Boys", "Girls"]}),
        ("dress for a 30 year old woman", {"articleType": ["Dresses"], "gender": ["Women"]}),
        # Who it is for.
        ("shirt for my husband", {"articleType": ["Shirts"], "gender": ["Men"]}),
        ("a gift for her", {"gender": ["Women"]}),
        ("kids, boys", {"gender": ["Boys"]}),
        ("girl, for a child", {"gender": ["Girls"]}),
        ("a tee for a wedding guest", {"articleType": ["Tshirts"]}),
        ("shirt under 9" + "9" * 400, {"articleType": ["Shirts"]}),
        # What is spelt in two ways is one.
        ("united colours of benetton", {"brand": ["United Colors of Benetton"]}),
        ("shirt in stock", {"articleType": ["Shirts"], "inStock": [True]}),
        # What comes with it is not asked for instead.
        ("dress with a shirt", {"articleType": ["Dresses"]}),
        (
            "white shirt with black stripes",
            {
                "baseColour": ["White"],
                "articleType": ["Shirts"],
                "pattern": ["Striped"],
            },
        ),
        ("dress with a red shirt", {"articleType": ["Dresses"], "baseColour": ["Red"]}),
        # A maker's own line for somebody is that maker's.
        ("nike", {"brand": ["Nike", "Nike Woman"]}),
        ("nike woman", {"brand": ["Nike Woman"]}),
        # In capitals a word that says nothing else is a maker's name.
        ("ONLY shirt", {"brand": ["ONLY"], "articleType": ["Shirts"]}),
        ("only shirt", {"articleType": ["Shirts"]}),
        ("ONLY SHIRT", {"articleType": ["Shirts"]}),
        # What contradicts itself is either.
        ("black white", {"baseColour": ["Black", "White"]}),
        ("men women", {"gender": ["Men", "Women"]}),
        ("", None),
        ("  \t ", None),
        ("\x00\x07", None),
        ("👗🧥", None),
        ("中文", {}),
        ("'; DROP TABLE items; --", {}),
        ("under", {}),
        ("under 500 and", {"price": {"max": 500}}),
    ],
)
def test_what_words_state(vocabulary: Vocabulary, text: str, expected: Any) -> None:
    if expected is None:
        with pytest.raises(QueryError, match="Type a few words"):
            vocabulary.read(text)
    else:
        assert stated(vocabulary.read(text)) == expected


@pytest.mark.parametrize(
    ("text", "cost", "left"),
    [
        ("cheap shirt", "low", "shirt"),
        ("Cheapest shirt", "low", "shirt"),
        ("shirt, not too expensive", "low", "shirt"),
        ("luxury shirt", "high", "shirt"),
        ("shirt on a budget", "low", "shirt"),
        ("shirt", "", "shirt"),
        ("cheap expensive shirt", "both", "shirt"),
    ],
)
def test_what_little_or_much_is_asked(
    vocabulary: Vocabulary, text: str, cost: str, left: str
) -> None:
    said = vocabulary.read(text)
    ends = {("high" if one.most else "low") for one in said.extremes}
    assert ends == ({"low", "high"} if cost == "both" else {cost} - {""})
    assert {one.column for one in said.extremes} <= {"price"}
    asked = {place for one in said.extremes for place in one.places}
    assert " ".join(w for at, w in enumerate(said.words) if at not in asked) == left
    assert not said.unknown


def test_at_most_is_no_name(vocabulary: Vocabulary) -> None:
    with pytest.raises(QueryError, match="are a text"):
        vocabulary.read(5)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="are a web address"):
        vocabulary.read(" HTTPS://shop.example/shirt.jpg")


def test_each_statement_knows_its_words(vocabulary: Vocabulary) -> None:
    said = vocabulary.read("Nike running shoes, under 3000, in RED!")
    left = {s.column: (s.words, said.without(s)) for s in said.statements}
    assert left["articleType"] == (("running", "shoes"), "Nike under 3000 in RED")
    assert left["price"] == (("under", "3000"), "Nike running shoes in RED")
    assert left["baseColour"] == (("RED",), "Nike running shoes under 3000 in")


def test_what_was_misspelt_and_what_is_unknown_are_said(vocabulary: Vocabulary) -> None:
    said = vocabulary.read("addidas qqqqqq shirt")
    assert said.mended == (("addidas", "Adidas"),)
    assert said.unknown == ("qqqqqq",)
    assert not said.cut


@pytest.mark.parametrize(
    ("text", "expected", "mended"),
    [
        # What becomes one of many, or is one, is a slip away however it ends.
        ("dreses", {"articleType": ["Dresses"]}, "Dresses"),
        ("drekses", {"articleType": ["Dresses"]}, "Dresses"),
        # Several words are one phrase, whichever of them is misspelt.
        ("casul shoes", {"articleType": ["Casual Shoes"]}, "Casual Shoes"),
        ("casual shos red", {"articleType": ["Casual Shoes"], "baseColour": ["Red"]}, None),
        ("full slevs tee", {"articleType": ["Tshirts"]}, None),
        # Another consonant, unless beside it on a keyboard, makes a short word another.
        ("dregs", {}, None),
        ("shiet", {"articleType": ["Shirts"]}, "Shirts"),
        # No other word begins so.
        ("hirts", {}, None),
    ],
)
def test_what_misspelt_words_were_meant_to_be(
    vocabulary: Vocabulary, text: str, expected: dict[str, Any], mended: str | None
) -> None:
    said = vocabulary.read(text)
    assert stated(said) == expected
    if mended:
        assert said.mended == ((text, mended),)


def test_a_slip_of_a_few_items_is_read_as_what_the_others_say() -> None:
    held = {"adidas": 1000, "adidass": 5, "halter": 5, "addida": 600}
    held = {key_of(word): count for word, count in held.items()}
    words = {word: word for word in held}
    more: dict[str, Any] = {"words": words, "usual": set(words), "held": held, "count": 20_000}
    vocabulary = Vocabulary(COLUMNS, VALUES, {}, **more)
    assert vocabulary.read("adidass").mended == (("adidass", "Adidas"),)
    for kept in ("halter", "addida"):  # near nothing, and no rare word
        assert vocabulary.read(kept).mended == ()


def test_a_short_word_of_a_name_is_not_read_into_another(vocabulary: Vocabulary) -> None:
    assert vocabulary.read("nock").mended == ()  # as NECK is no value of a column


def test_only_so_much_is_read(vocabulary: Vocabulary) -> None:
    assert len(vocabulary.read("red " * 10_000).words) == MAX_WORDS
    assert vocabulary.read("red " * 10_000).cut
    assert vocabulary.read("r" * 10_000).cut
    assert len(vocabulary.read("shirt " + "x" * 10_000).text) <= MAX_CHARACTERS


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_a_sentence(vocabulary: Vocabulary, text: str) -> None:
    try:
        said = vocabulary.read(text)
    except QueryError:
        assert not words_of(text)
        return
    for statement in said.statements:
        assert statement.words
        assert bool(statement.values) != bool(statement.bounds)
        fewer = said.without(statement)
        assert len(fewer.split()) <= len(said.words) - len(statement.words)


@given(st.text(max_size=40))
def test_words_are_compared_alike_whatever_their_case(text: str) -> None:
    assert all(word == word.casefold() for word in words_of(text) if word.isascii())
    if text.isascii():
        assert key_of(text.upper()) == key_of(text.lower())


def test_bm25_prefers_the_rarer_word() -> None:
    names = ["Ako red tee", "Bil red tee", "Ako red tee", "Cil red shirt", None]
    scores = Lexical([], [names], 5).scores(["red", "cil"])
    assert scores.argmax() == 3
    assert scores[3] > scores[0] > scores[4] == 0
    assert not Lexical([], [names], 5).scores(["nothing"]).any()
    assert not Lexical([[None]], [], 1).scores(["red"]).any()


def words_of_a_shop() -> Words:
    """Of 40 shirts that cost 1 to 40, and as many shoes that cost 101 to 140."""
    frame = pd.DataFrame(
        {
            "articleType": ["Shirts", "Shoes"] * 40,
            "baseColour": pd.Series([None] * 80, dtype=object),
            "brand": ["Denim", *["Ako"] * 79],
            "price": [float(i + 1 + 100 * shoes) for i in range(40) for shoes in (0, 1)],
            "productDisplayName": ["Ako shirt of denim", "Ako shoes"] * 40,
        }
    )
    columns = [c for c in COLUMNS if c.name in frame] + [
        Column("productDisplayName", "text", "name")
    ]
    return Words(frame, columns, FilterTable(frame), {}, Agreement(looks_dim=2))


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("cheap shirts", {"max": 11}),
        ("expensive shirt", {"min": 30}),
        ("cheap shoes", {"max": 111}),
        ("cheap", {"max": 21}),
        ("cheap shirt under 5", {"max": 5}),
        ("shirt", {}),
    ],
)
def test_what_is_cheap_is_so_among_its_like(text: str, bounds: dict[str, float]) -> None:
    said = words_of_a_shop().read(text)
    found = [statement for statement in said.statements if statement.column == "price"]
    assert [dict(statement.bounds) for statement in found] == [bounds] * bool(bounds)
    if bounds and "under" not in text:
        assert "cheap" not in said.without(found[0])
        assert "expensive" not in said.without(found[0])


def test_a_word_that_seldom_means_a_value_states_none() -> None:
    """Where one item is of a brand Denim, and forty are of denim."""
    words = words_of_a_shop()
    said = words.read("denim shirt")
    assert stated(said) == {"articleType": ["Shirts"]}
    assert said.unstated == ("denim",)
    assert stated(words.read("ako")) == {"brand": ["Ako"]}
    assert stated(words.read("no denim")) == {"brand": ["Denim"]}, "what is ruled out is"


# In the corridor.


def found(recommender: Recommender, text: str, **options: Any) -> list[int]:
    return recommender.by_text(text, Options(**options)).ids.tolist()


def test_what_is_all_that_was_stated_comes_first(recommender: Recommender) -> None:
    hits = recommender.by_text("red tee for men", Options(k=5, repeats=True))
    assert sorted(hits.ids[:2].tolist()) == [1, 2]
    assert hits.all_of == 2
    assert np.all(np.diff(hits.scores) <= 0)
    assert "Only 2 are all of that" in heard(hits)
    assert recommender.by_text("hia", Options(k=1)).all_of == 1, "nothing is stated"
    nothing = recommender.by_text("pink watch", Options(k=3))
    assert nothing.all_of == 0
    assert "Nothing here is all of that" in heard(nothing)


def test_what_only_a_text_says_of_an_item_counts() -> None:
    frame = pd.DataFrame(
        {
            "fabric": pd.Series(["Silk", None, "Cotton", None, None], dtype=object),
            "productDisplayName": ["Ako Sari", "Bil Silk Sari", "Cil Silk Sari", "Dor", "Eli"],
        }
    )
    columns = [Column("fabric", "choice", "fabric"), Column("productDisplayName", "text", "name")]
    words = Words(frame, columns, FilterTable(frame), {}, Agreement(looks_dim=2))
    told = words.tell(words.read("silk"), np.ones((5, 2), np.float32))
    assert told.stated.tolist() == [1, 1, 0, 0, 0]


def test_what_words_become_is_said(believing: Recommender) -> None:
    def said_of(text: str) -> str:
        return heard(believing.by_id(1, Options(k=3), text=text), "INR")

    assert said_of("लाल") == "Nothing of these words is understood here."
    assert said_of("q" * 2000) == f"Not understood: {'q' * 39}…."
    assert said_of("tote") == "“tote” is no value of a column here: not all that follows is so."
    assert heard(believing.by_text("fen tote")) == ""
    scattered = heard(believing.by_text("gil tote"))
    assert scattered == "Nothing here is described by all of these words."
    shop = words_of_a_shop().read("shirts under $20")
    hits = replace(believing.by_text("shirts"), said=shop)
    assert "Prices here are in INR." in heard(hits, "INR")
    assert "Prices" not in heard(hits, "USD") + heard(hits)
    both = replace(hits, said=words_of_a_shop().read("cheap expensive shirt over 30 under 20"))
    assert "No price is up to 20 and from 30: it was read as 20 to 30." in heard(both)
    assert "any price will do" in heard(both)


def test_a_name_alone_is_found(recommender: Recommender) -> None:
    assert found(recommender, "fen tote")[0] == 9
    assert found(recommender, "Ivo")[0] == 13


def test_bounds_are_kept_wherever_they_can_be(recommender: Recommender) -> None:
    years = {row[0]: row[7] for row in ROWS}
    ids = found(recommender, "shoes since 2014", k=5)
    assert ids
    assert all(years[item_id] >= "2014" for item_id in ids)
    hits = recommender.by_text("tee since 2018", Options(k=3))  # nothing is
    assert len(hits) == 3
    assert hits.all_of == 0
    assert "Nothing here is all of that" in heard(hits)


def test_filters_hold_whatever_is_said(recommender: Recommender, believing: Recommender) -> None:
    for engine in (recommender, believing):
        for gender in ("Men", "Women", "Girls"):
            hits = engine.by_text("red tee for men", Options(k=9, filters={"gender": [gender]}))
            assert len(hits) > 0
            assert set(engine.frame["gender"].iloc[hits.rows]) == {gender}


@given(
    text=st.lists(
        st.sampled_from(["red", "blue", "tee", "shirt", "men", "casual", "2012", "bag", "gil"]),
        min_size=1,
    ),
    k=st.integers(1, 13),
    gender=st.sampled_from([None, "Men", "Women"]),
    ranking=st.sampled_from(["image", "hybrid"]),
)
def test_as_many_as_asked_and_none_twice(
    believing: Recommender, text: list[str], k: int, gender: str | None, ranking: Any
) -> None:
    filters = {"gender": [gender]} if gender else None
    options = Options(k=k, filters=filters, ranking=ranking, repeats=True)
    hits = believing.by_text(" ".join(text), options)
    [told] = believing.say(" ".join(text), options).told
    assert len(set(hits.ids.tolist())) == len(hits)
    assert np.all(np.diff(hits.scores) <= 0)
    if told.said.statements:
        allowed = told.within(believing.filters.mask(filters))
        assert len(hits) == min(k, len(believing) if allowed is None else allowed.sum())
    whole = told.all_of(hits.rows)  # what is all of it comes first
    assert np.all(np.diff(whole.astype(int)) <= 0)


def test_words_have_the_say_beside_an_item(believing: Recommender) -> None:
    hits = believing.by_id(1, Options(k=3, repeats=True), text="but in blue")
    assert 1 not in hits.ids
    colours = believing.frame["baseColour"].iloc[hits.rows].tolist()
    assert colours[:2] == ["Blue", "Blue"]
    assert hits.ids[0] == 3, "of what is blue, what is a tee as well"
    plain = believing.by_id(1, Options(k=3, repeats=True))
    same = believing.by_id(1, Options(k=3, repeats=True), text="")
    assert plain.ids.tolist() == same.ids.tolist()


@pytest.mark.parametrize("text", ["in another colour", "but in a different color please"])
def test_another_colour_is_any_but_its_own(text: str, believing: Recommender) -> None:
    frame = pd.DataFrame({"baseColour": ["Blue", "Red"]})
    weights, classes = {LOOKS: 0.5, "baseColour": 0.5}, {"baseColour": ["Blue", "Red"]}
    agreement = Agreement(looks_dim=1, weights=weights, classes=classes)
    words = Words(
        frame, [Column("baseColour", "choice", "colour")], FilterTable(frame), classes, agreement
    )
    vectors = agreement.embed(np.ones((2, 1), np.float32), {"baseColour": np.eye(2, dtype="f")})
    said = words.read_beside(text, vectors[1:])
    [ruled_out] = said.statements
    assert (ruled_out.values, ruled_out.ruled_out) == (("Red",), True)
    out = words.tell(said, vectors, beside=True).ruled_out
    assert out is not None
    assert out.tolist() == [False, True]
    plain = believing.by_text(f"tee {text}")  # than what, nobody says
    assert "Not understood: " in heard(plain)


def test_texts_that_hold_what_is_stated_are_none_the_better_beside_an_item(
    believing: Recommender,
) -> None:
    """Else what is named blue would come before what is blue, and of the item's kind."""
    [told] = believing.but(believing.like(0), "but in blue").told
    assert not told.lexical.any()
    [told] = believing.but(believing.like(0), "but in blue, like a tote").told
    assert told.lexical.argmax() == 8


def test_beside_an_item_texts_choose_among_what_is_like_it(
    believing: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fusion, "_DEEP", 3)
    query = believing.asking(believing.like(0))
    [told] = believing.but(believing.like(0), "like a tote").told
    near = believing.index.search(query, 3)[1][0]
    assert told.lexical.argmax() == 8 not in near
    assert set(fuse(believing.index, query, told, 1, None).rows) <= set(near)
    alone = replace(told, beside=False)
    assert 8 in fuse(believing.index, np.zeros_like(query), alone, 1, None).rows


def test_words_that_say_nothing(recommender: Recommender) -> None:
    with pytest.raises(QueryError, match="No product here is described by these words"):
        recommender.by_text("中文 qqqq")
    beside = recommender.by_id(1, Options(k=3), text="qqqq")
    assert beside.ids.tolist() == recommender.by_id(1, Options(k=3)).ids.tolist()
    assert "Not understood: qqqq." in heard(beside)


def test_fusing_is_what_it_says(believing: Recommender) -> None:
    """Against a plain reading of the rule, over every item."""
    index, count = believing.index, len(believing)
    random = np.random.default_rng(0)
    said = Said(text="")
    for _ in range(20):
        stated_by = random.integers(0, 3, count).astype(np.float32) / 2
        lexical = np.maximum(random.normal(size=count), 0).astype(np.float32)
        query = random.normal(size=(1, index.vectors.shape[1])).astype(np.float32)
        query /= np.linalg.norm(query)
        told = Told(said=said, stated=stated_by, lexical=lexical, states=True)
        got = fuse(index, query, told, count, None)
        products = index.vectors @ query[0]
        expected = stated_by.copy()
        for scores in (products, lexical):
            order = [
                row
                for row in np.lexsort((np.arange(count), -scores))
                if scores is products or scores[row] > 0
            ]
            for rank, row in enumerate(order, 1):
                expected[row] += 1 / (60 + rank)
        assert got.scores == pytest.approx(np.sort(expected)[::-1], abs=1e-5)
        cut = fuse(index, query, told, 3, None)
        assert cut.rows.tolist() == got.rows[:3].tolist() or cut.scores == pytest.approx(
            got.scores[:3], abs=0.04
        )
        allowed = random.random(count) < 0.5
        kept = fuse(index, query, replace(told, allowed=allowed), count, None)
        assert sorted(kept.rows.tolist()) == np.flatnonzero(allowed).tolist()
