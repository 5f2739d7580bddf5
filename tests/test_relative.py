"""Words that compare with what asks, and that say which sizes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recommender.encoding.agreement import Agreement
from recommender.errors import QueryError
from recommender.schema import Column
from recommender.search.filters import FilterTable
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.search.said import Said
from recommender.search.shades import Shades
from recommender.search.words import Words
from recommender.service.heard import heard

FRAME = pd.DataFrame(
    {
        "articleType": ["Shirts", "Shirts", "Shirts", "Jeans", "Shoes", "Shoes", "Perfume"],
        "brand": ["Ako", "Ako", "Bil", "Bil", "Cil", "Cil", "Dor"],
        "pattern": pd.Series(["Striped", "Solid", "Solid", *[None] * 4], dtype=object),
        "year": [2011, 2012, 2013, 2012, 2012, 2014, 2012],
        "price": [500.0, 900.0, 1500.0, None, 2000.0, 3000.0, 700.0],
        "sleeveLength": pd.Series(
            ["Long Sleeves", "Short Sleeves", "Sleeveless", *[None] * 4], dtype=object
        ),
        "heelHeight": pd.Series(
            ["2.5 inches", "2 inches", "1 inch", "10 inches", *[None] * 3], dtype=object
        ),
        "sizes": ["S, M, L", "39, 40", "M/40, XXL", "32, 34", "UK7, UK8.5", "EURO42", "100ML"],
    }
)
KINDS = {"year": "year", "price": "number", "sizes": "text"}
NOTHING = np.zeros((1, 2), np.float32)


def words_of(frame: pd.DataFrame = FRAME) -> Words:
    columns = [Column(name, KINDS.get(name, "choice"), name) for name in frame]  # type: ignore
    return Words(frame, columns, FilterTable(frame), {}, Agreement(looks_dim=2))


def told(said: Said) -> dict[str, Any]:
    return {
        f"{'not ' * s.ruled_out}{s.column}": list(s.values) or dict(s.bounds)
        for s in said.statements
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cheaper", {"price": {"max": 700}}),
        ("like this but cheaper ones", {"price": {"max": 700}}),
        ("less expensive, over 200", {"price": {"min": 200, "max": 700}}),
        ("under this price", {"price": {"max": 700}}),
        ("not more expensive", {"price": {"max": 700}}),
        ("more expensive", {"price": {"min": 1500}}),
        ("about the same price", {"price": {"min": 720, "max": 1080}}),
        ("cheaper than 600", {"price": {"max": 600}}),
        ("more expensive than 600", {"price": {"min": 600}}),
        ("newer", {"year": {"min": 2013}}),
        ("older than this", {"year": {"max": 2011}}),
        ("newer than 2011", {"year": {"min": 2012}}),
        ("same brand", {"brand": ["Ako"]}),
        ("another brand", {"not brand": ["Ako"]}),
        ("not the same brand", {"not brand": ["Ako"]}),
        ("not this brand", {"not brand": ["Ako"]}),
        ("not from the same brand", {"not brand": ["Ako"]}),
        ("not from bil", {"not brand": ["Bil"]}),
        ("cheeper", {"price": {"max": 700}}),
        ("in a different pattern", {"not pattern": ["Solid"]}),
        ("other design, same maker", {"not pattern": ["Solid"], "brand": ["Ako"]}),
        ("this kind", {}),
        ("same", {}),
        # By how much.
        ("half the price", {"price": {"max": 450}}),
        ("at half of its price", {"price": {"max": 450}}),
        ("under half the price", {"price": {"max": 450}}),
        ("over half the price", {"price": {"min": 450}}),
        ("a third of the price", {"price": {"max": 300}}),
        ("50% of the price", {"price": {"max": 450}}),
        ("twice as expensive", {"price": {"min": 1800}}),
        ("under twice the price", {"price": {"max": 1800}}),
        ("3 times the price", {"price": {"min": 2700}}),
        ("twice as cheap", {"price": {"max": 450}}),
        ("10% cheaper", {"price": {"max": 810}}),
        ("20 percent more expensive", {"price": {"min": 1080}}),
        ("100 rupees cheaper", {"price": {"max": 800}}),
        ("rs 100 less", {"price": {"max": 800}}),
        ("a bit cheaper", {"price": {"min": 700, "max": 700}}),
        ("slightly more expensive", {"price": {"min": 1500, "max": 1500}}),
        ("much cheaper", {"price": {"max": 450}}),
        ("200% cheaper", {"price": {"max": 0}}),
        ("0 times cheaper", {"price": {"max": 700}}),
        # All but it.
        ("any brand but this", {"not brand": ["Ako"]}),
        ("in every pattern except this one", {"not pattern": ["Solid"]}),
        ("any brand but bil", {"not brand": ["Bil"]}),
        ("all brands except bil", {"not brand": ["Bil"]}),
        ("any other brand", {"not brand": ["Ako"]}),
        ("without this pattern", {"not pattern": ["Solid"]}),
        # Of what has an order.
        ("same brand but longer sleeves", {"brand": ["Ako"], "sleeveLength": ["Long Sleeves"]}),
        ("shorter sleeves", {"sleeveLength": ["Sleeveless"]}),
        ("higher heels", {"heelHeight": ["2.5 inches", "10 inches"]}),
        ("lower heels", {"heelHeight": ["1 inch"]}),
    ],
)
def test_words_compare_with_the_item_that_asks(text: str, expected: dict[str, Any]) -> None:
    said = words_of().read_beside(text, NOTHING, 1)
    assert told(said) == expected
    assert not said.unrelated
    for statement in said.statements:
        assert statement.words == tuple(said.words[at] for at in statement.places) != ()
        assert set(statement.words).isdisjoint(said.without(statement).split())


@pytest.mark.parametrize(
    ("row", "text", "instead"),
    [
        (None, "cheaper shirts", "“cheaper” compares with a product: open one and say it there, "),
        (3, "more expensive", "price of what you show, which is not known: say “over 1500”."),
        (None, "newer", "or say “since 2013”."),
        (None, "of the same brand", "“same brand” compares with a product: open one and say it "),
        (5, "other patterns", "which is not known: name the pattern."),
        (None, "half the price", "“half the price” compares with a product: open one and say"),
        (None, "shirts 10% cheaper", "“10 percent cheaper” compares with a product: open one "),
        (None, "longer sleeves", "and say it there, or name the sleeve length."),
        (4, "longer sleeves", "sleeve length of what you show, which is not known: name the "),
    ],
)
def test_what_cannot_be_compared_is_said_with_what_would_work(
    row: int | None, text: str, instead: str, recommender: Recommender
) -> None:
    words = words_of()
    said = words.read(text) if row is None else words.read_beside(text, NOTHING, row)
    hits = replace(recommender.by_text("tee", Options(k=2)), said=said)
    assert instead in heard(hits)
    assert "Not understood: " in heard(hits)


def test_what_is_cheap_beside_an_item_is_so_among_its_kind() -> None:
    assert told(words_of().read_beside("cheapest", NOTHING, 4)) == {"price": {"max": 2000}}
    assert told(words_of().read_beside("cheap shirt", NOTHING, 4))["price"] == {"max": 500}


def test_nothing_is_cheaper_than_the_cheapest() -> None:
    words = words_of()
    said = words.read_beside("cheaper", NOTHING, 0)
    [statement] = said.statements
    assert statement.bounds["max"] < 500
    assert not words.tell(said, np.zeros((len(FRAME), 2), np.float32), beside=True).allowed.any()  # type: ignore[union-attr]


def test_comparisons_beside_an_item_of_a_catalog(believing: Recommender) -> None:
    years = believing.frame["year"]
    hits = believing.by_id(1, Options(k=4), text="newer ones")
    assert (years.iloc[hits.rows] > years.iloc[believing.row(1)]).all()
    assert hits.all_of == 4
    same = believing.by_id(1, Options(k=2, repeats=True), text="in the same colour")
    assert set(believing.frame["baseColour"].iloc[same.rows]) == {"Red"}
    with pytest.raises(QueryError, match="“newer” compares with a product"):
        believing.by_text("newer")


@pytest.mark.parametrize(
    ("text", "sizes", "rows"),
    [
        ("shirt size M", ["M"], [0, 2]),
        ("shirt in M", ["M"], [0, 2]),
        ("striped shirt, L", ["L"], [0]),
        ("size medium", ["M"], [0, 2]),
        ("xxl", ["XXL"], [2]),
        ("2XL shirt", ["2XL"], [2]),
        ("size 40", ["40"], [1, 2]),
        ("40 size shirt", ["40"], [1, 2]),
        ("size 39 or 42", ["39", "42"], [1, 5]),
        ("size 42 shoes", ["42"], [5]),
        ("shoes UK 8.5", ["UK 8.5"], [4]),
        ("shoes uk7", ["UK 7"], [4]),
        ("us 7 shoes", ["US 7"], []),
        ("euro 42", ["EU 42"], [5]),
        ("eu 42 shoes under 3500", ["EU 42"], [5]),
        ("jeans 32 waist", ["W32"], [3]),
        ("32 inch waist", ["W32"], [3]),
        ("100 ml perfume", ["100ML"], [6]),
        ("size 99", ["99"], []),
    ],
)
def test_sizes_are_stated(text: str, sizes: list[str], rows: list[int]) -> None:
    words = words_of()
    said = words.read(text)
    [statement] = [statement for statement in said.statements if statement.column == "sizes"]
    assert list(statement.values) == sizes
    alone = replace(said, statements=(statement,))
    stated = words.tell(alone, np.zeros((len(FRAME), 2), np.float32)).stated
    assert np.flatnonzero(stated > 0.99).tolist() == rows
    assert not said.unknown


@pytest.mark.parametrize(
    "text",
    [
        "M&S shirt",
        "show us 10 shirts",
        "medium blue",
        "large print",
        "size",
        "under euro 99",
        "30m",
    ],
)
def test_what_is_no_size(text: str) -> None:
    assert "sizes" not in told(words_of().read(text))


def test_what_is_not_of_a_size_is_found_where_that_is_ruled_out() -> None:
    words = words_of()
    out = words.tell(words.read("not size M"), np.zeros((len(FRAME), 2), np.float32)).ruled_out
    assert out is not None
    assert np.flatnonzero(out).tolist() == [0, 2]


@pytest.mark.parametrize("text", ["shirt size 42", "shirt XL", "shirt UK 9", "shirt 32 waist"])
def test_without_a_column_of_sizes_that_is_said(text: str, recommender: Recommender) -> None:
    hits = recommender.by_text(text, Options(k=2))
    assert "Nothing here says in which sizes it comes" in heard(hits)
    assert "Not understood" not in heard(hits)
    with pytest.raises(QueryError, match="Nothing here says in which sizes"):
        recommender.by_text(text.removeprefix("shirt "))


def test_a_number_that_is_a_size_is_no_price() -> None:
    """Of a catalog whose only numbers are sizes."""
    frame = pd.DataFrame({"articleType": ["Shoes"] * 3, "size": [40.0, 41.0, 42.0]})
    columns = [Column("articleType", "choice", "article type"), Column("size", "number", "size")]
    words = Words(frame, columns, FilterTable(frame), {}, Agreement(looks_dim=2))
    assert told(words.read("shoes size 41")) == {"articleType": ["Shoes"], "size": ["41"]}
    assert words.read("under 41").statements == ()


# --- darker, lighter, more formal


LABS = {
    "Black": (20, 0, 0),
    "Navy Blue": (30, 1, -9),
    "Blue": (55, 0, -20),
    "Sky Blue": (75, -2, -15),
    "Maroon": (35, 20, 8),
    "Red": (50, 38, 20),
    "Grey": (60, 0, 0),
    "White": (95, 0, 1),
}
USAGES = ["Casual", "Smart Casual", "Formal", "Sports"]


@pytest.fixture(scope="module")
def shaded() -> Words:
    """Of each colour an item of each usage, but of "Teal" none whose colour is known."""
    pairs = [(colour, usage) for colour in [*LABS, "Teal"] for usage in USAGES]
    frame = pd.DataFrame(pairs, columns=["baseColour", "usage"])
    frame["articleType"] = "Shirts"
    columns = [Column(name, "choice", name) for name in frame]
    labs = np.array([LABS.get(colour, [np.nan] * 3) for colour, _ in pairs], np.float32)
    filters = FilterTable(frame)
    return Words(
        frame, columns, filters, {}, Agreement(looks_dim=2), shades=Shades.of(filters, labs)
    )


@pytest.mark.parametrize(
    ("text", "own", "expected"),
    [
        ("darker", "Blue", ["Navy Blue"]),
        ("a bit lighter", "Blue", ["Sky Blue"]),
        ("less dark", "Blue", ["Sky Blue"]),
        ("more pale, please", "Blue", ["Sky Blue"]),
        ("in a darker colour", "Red", ["Maroon"]),
        ("a deeper colour", "Navy Blue", ["Black"]),  # as nothing of its hue is darker
        ("lighter", "Grey", ["White"]),
        ("darker", "White", ["Grey", "Black"]),
        ("darker", "Black", ["Black"]),
        ("darker", "Teal", ["Teal"]),  # of which nobody knows how dark it is
        ("darkr", "Blue", ["Navy Blue"]),
        ("lighter blue", "Red", ["Blue"]),
    ],
)
def test_colours_that_are_darker_or_lighter(
    shaded: Words, text: str, own: str, expected: list[str]
) -> None:
    row = [*LABS, "Teal"].index(own) * len(USAGES)
    said = shaded.read_beside(text, NOTHING, row)
    assert told(said) == {"baseColour": expected}
    assert not said.unknown
    assert not said.unrelated


@pytest.mark.parametrize(
    ("text", "own", "expected"),
    [
        ("more formal", "Casual", ["Smart Casual", "Formal"]),
        ("dressier", "Smart Casual", ["Formal"]),
        ("less formal", "Formal", ["Casual", "Smart Casual"]),
        ("more casual", "Formal", ["Casual", "Smart Casual"]),
        ("less casual", "Casual", ["Smart Casual", "Formal"]),
        ("less formal", "Casual", ["Casual"]),
        ("more formal", "Sports", ["Sports"]),
    ],
)
def test_usages_that_are_more_or_less_formal(
    shaded: Words, text: str, own: str, expected: list[str]
) -> None:
    assert told(shaded.read_beside(text, NOTHING, USAGES.index(own))) == {"usage": expected}


def test_a_picture_compares_by_what_it_likely_shows(shaded: Words) -> None:
    seen = {"baseColour": "Blue", "usage": "Casual"}
    said = shaded.read_beside("darker and more formal", NOTHING, seen=seen)
    assert told(said) == {"baseColour": ["Navy Blue"], "usage": ["Smart Casual", "Formal"]}
    said = shaded.read_beside("darker", NOTHING)
    assert [one.column for one in said.unrelated] == ["baseColour"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("less formal shirts", {"articleType": ["Shirts"], "usage": ["Casual"]}),
        ("more formal shirts", {"articleType": ["Shirts"], "usage": ["Formal"]}),
        ("darker blue shirts", {"articleType": ["Shirts"], "baseColour": ["Blue"]}),
    ],
)
def test_where_nothing_is_shown_they_say_how_it_shall_be(
    shaded: Words, text: str, expected: dict[str, Any]
) -> None:
    assert told(shaded.read(text)) == expected
