"""Words for the ends of numbers, and for what costs less than it did."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.encoding.agreement import Agreement
from recommender.errors import QueryError
from recommender.schema import Column, own_column
from recommender.search.discounts import DISCOUNT, percent_off
from recommender.search.extremes import bounds_of
from recommender.search.filters import FilterTable
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.search.said import Said
from recommender.search.words import Words
from recommender.service.heard import heard

COUNT = 80
FRAME = pd.DataFrame(
    {
        "articleType": ["Shirts", "Heels"] * (COUNT // 2),
        "price": [float(100 + at) for at in range(COUNT)],
        "discountedPrice": [float(100 + at) * (1, 0.5, 0.8, 0.7)[at % 4] for at in range(COUNT)],
        "rating": [float(at % 10) / 2 for at in range(COUNT)],
        "year": [2010 + at // 10 for at in range(COUNT)],
        "heelHeight": pd.Series(
            [None, "1 inch", None, "2.5 inches", None, "4 inches", None, None] * (COUNT // 8),
            dtype=object,
        ),
        "dialShape": pd.Series([None] * COUNT, dtype=object),
        "brand": ["Ako", "Bil"] * (COUNT // 2),
    }
)
KINDS = {"year": "year", **dict.fromkeys(("price", "discountedPrice", "rating"), "number")}


def words_of(frame: pd.DataFrame) -> Words:
    columns = [own_column(name, KINDS.get(name, "choice")) for name in frame]  # type: ignore
    return Words(frame, columns, FilterTable(frame), {}, Agreement(looks_dim=2))


def told(said: Said) -> dict[str, Any]:
    return {
        f"{'not ' * s.ruled_out}{s.column}": list(s.values) or dict(s.bounds)
        for s in said.statements
    }


def found(words: Words, text: str) -> list[int]:
    """Rows that are all that a text states."""
    allowed = words.tell(words.read(text), np.zeros((COUNT, 2), np.float32)).within(None)
    return [] if allowed is None else np.flatnonzero(allowed).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("latest", {"year": {"min": 2015}}),
        ("newest", {"year": {"min": 2015}}),
        ("new arrivals", {"year": {"min": 2015}}),
        ("most recent", {"year": {"min": 2015}}),
        ("oldest", {"year": {"max": 2012}}),
        ("newset", {"year": {"min": 2015}}),
        ("newest under 140", {"price": {"max": 140}, "year": {"min": 2013}}),
        ("cheapest", {"price": {"max": 120}}),
        ("chepest", {"price": {"max": 120}}),
        ("lowest price", {"price": {"max": 120}}),
        ("best price", {"price": {"max": 120}}),
        ("least expensive", {"price": {"max": 120}}),
        ("most affordable", {"price": {"max": 120}}),
        ("most expensive", {"price": {"min": 159}}),
        ("highest priced", {"price": {"min": 159}}),
        ("costliest", {"price": {"min": 159}}),
        ("best rated", {"rating": {"min": 3.5}}),
        ("highest rating", {"rating": {"min": 3.5}}),
        ("top rated", {"rating": {"min": 3.5}}),
        ("worst rated", {"rating": {"max": 1}}),
        ("best reviewed", {"rating": {"min": 3.5}}),
        # What costs less than it did.
        ("on sale", {DISCOUNT: {"min": 1}}),
        ("discoutned", {DISCOUNT: {"min": 1}}),
        ("clearance sale", {DISCOUNT: {"min": 1}}),
        ("not on sale", {f"not {DISCOUNT}": {}, DISCOUNT: {"max": 1}}),
        ("20% off", {DISCOUNT: {"min": 20}}),
        ("at least 30 percent off", {DISCOUNT: {"min": 30}}),
        ("flat 40 % discount", {DISCOUNT: {"min": 40}}),
        ("up to 30% off", {DISCOUNT: {"min": 1, "max": 30}}),
        ("20-40% off", {DISCOUNT: {"min": 20, "max": 40}}),
        ("discount of at least 25 per cent", {DISCOUNT: {"min": 25}}),
        ("half price", {DISCOUNT: {"min": 50}}),
        ("highest discount", {DISCOUNT: {"min": 50}}),
        # A number of something else is no price.
        ("under 3 inches", {"heelHeight": ["1 inch", "2.5 inches"]}),
        ("over two inches", {"heelHeight": ["2.5 inches", "4 inches"]}),
        ("under 20 percent", {}),
        ("under 150 or so", {"price": {"max": 150}}),
        ("120-ish", {"price": {"min": 96, "max": 144}}),
        ("sub 150", {"price": {"max": 150}}),
        ("less than a hundred", {"price": {"max": 100}}),
        ("150/-", {"price": {"max": 150}}),
        ("brand: ako", {"brand": ["Ako"]}),
    ],
)
def test_which_end_of_a_number_is_asked_for(text: str, expected: dict[str, Any]) -> None:
    said = words_of(FRAME).read(text)
    assert told(said) == {key: value for key, value in expected.items() if value}
    for statement in said.statements:
        assert statement.words == tuple(said.words[at] for at in statement.places) != ()
    if text != "under 20 percent":
        assert not said.unknown


def test_what_is_reduced_is_found() -> None:
    words = words_of(FRAME)
    off = np.arange(COUNT) % 4
    assert found(words, "on sale") == np.flatnonzero(off > 0).tolist()
    assert found(words, "25% off") == np.flatnonzero((off == 1) | (off == 3)).tolist()
    assert found(words, "not on sale") == np.flatnonzero(off == 0).tolist()
    dear = [row for row in range(70, COUNT) if row % 4]
    assert found(words, "on sale over 170") == dear


def test_the_extreme_is_of_what_else_is_asked_for() -> None:
    assert told(words_of(FRAME).read("cheapest shirts"))["price"] == {"max": 120}
    narrow = words_of(FRAME).read("cheapest shirts over 170")
    assert told(narrow)["price"] == {"min": 170}, "who names an amount means no other"
    newest = told(words_of(FRAME).read("newest best rated"))
    assert newest == {"year": {"min": 2015}, "rating": {"min": 3.5}}


def test_both_ends_are_none(recommender: Recommender) -> None:
    said = words_of(FRAME).read("cheapest and most expensive shirts")
    assert told(said) == {"articleType": ["Shirts"]}
    message = heard(replace(recommender.by_text("tee"), said=said))
    assert "The lowest and the highest price are both asked for: any price will do." in message
    with pytest.raises(QueryError, match="lowest and the highest year are both"):
        recommender.by_text("oldest newest")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("best rated tee", "how things are rated: “best rated” is left out"),
        ("bestseller tee", "what sells well: “bestseller” is left out"),
        ("most popular tee", "what sells well: “most popular” is left out"),
        ("tee on sale", "what is reduced: “sale” is left out"),
        ("tee, 20% off", "what is reduced: “20 percent off” is left out"),
    ],
)
def test_what_nothing_says_is_said(text: str, what: str, recommender: Recommender) -> None:
    hits = recommender.by_text(text, Options(k=2))
    assert f"Nothing here says {what}" in heard(hits)
    assert "Not understood" not in heard(hits)
    assert [one.column for one in hits.said.statements] == ["articleType"]  # type: ignore
    with pytest.raises(QueryError, match="Nothing here says"):
        recommender.by_text(text.replace("tee", ""))


def test_what_the_kind_asked_for_has_nothing_of_is_not_meant() -> None:
    frame = FRAME.assign(dialShape=pd.Series(["Round", None] * (COUNT // 2), dtype=object))
    words = words_of(frame)
    assert told(words.read("round shirts")) == {"dialShape": ["Round"], "articleType": ["Shirts"]}
    assert told(words.read("round heels")) == {"articleType": ["Heels"]}
    assert told(words.read("round")) == {"dialShape": ["Round"]}
    named = frame.assign(brand=["Ako", "Round Bil"] * (COUNT // 2))
    both = told(words_of(named).read("round heels"))
    assert both == {"dialShape": ["Round"], "articleType": ["Heels"]}, "as texts say it of some"


@given(st.lists(st.integers(0, 9), min_size=1, max_size=60), st.booleans())
def test_an_end_is_what_some_keep_to(codes: list[int], most: bool) -> None:
    [(end, bound)] = bounds_of(most, np.array(codes), [float(at) for at in range(10)]).items()
    kept = [code >= bound if most else code <= bound for code in codes]
    strictly = [code > bound if most else code < bound for code in codes]
    assert end == ("min" if most else "max")
    assert any(kept)
    assert np.mean(strictly) <= 0.5
    assert np.mean(kept) <= 0.5 or sum(strictly) < 10, "there are enough beyond a crowd"


def test_what_is_reduced_is_known_by_two_prices_alone() -> None:
    columns = [Column("price", "number", "price"), own_column("cost_price", "number")]
    frame = pd.DataFrame({"price": [10.0], "cost_price": [5.0]})
    assert percent_off(frame, columns) is None
    same = [columns[0], own_column("salePrice", "number")]
    assert percent_off(frame.rename(columns={"cost_price": "salePrice"}), same) is not None
    none = pd.DataFrame({"price": [10.0, 0.0], "salePrice": [10.0, 0.0]})
    assert percent_off(none, same) is None, "where nothing is reduced"


def test_words_of_a_bound_are_not_looked_for_in_names() -> None:
    names = [f"Off-white 20 Under Above Sale Price {at}" for at in range(COUNT)]
    words = words_of(FRAME.assign(productDisplayName=names))
    for text in ("shirts 20% off", "shirts under 150", "shirts price 110 to 150", "shirts on sale"):
        assert set(words.read(text).literal) == {"shirt"}, text
    assert "white" in words.read("off white shirts under 150").literal
