"""Why an item was found: shares that sum to the score, heat that sums to a share, and words."""

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROWS, draw_picture
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from serving import call, upload
from test_ui import asking, drawn, tile
from weights import random_net

from recommender.encoding.config import EncoderConfig
from recommender.encoding.encoder import Encoder
from recommender.encoding.regions import Asked
from recommender.search.options import Options
from recommender.search.reasons import heat_of, shares_of
from recommender.search.recommender import Recommender
from recommender.service.agreed import beside_said, reason_said, rounded, shares_said
from recommender.service.answers import Service
from recommender.service.reasons import compare
from recommender.ui.find.view import Trail

LABELS = {"articleType": ["Heels", "Shirts", "Tops"], "gender": ["Men", "Women"]}
AGREEMENT = {"looks": 0.4, "articleType": 0.6}


@pytest.fixture(scope="module")
def encoders() -> list[Encoder]:
    """Looks beside labels, and looks alone, with and without the linear map."""
    state = random_net({name: len(classes) for name, classes in LABELS.items()}).weights()
    config = EncoderConfig(width_px=40, height_px=48, dtype="float32", second_scale=1.5)
    plain = {name: t for name, t in state.items() if not name.startswith(("regions.", "garment."))}
    return [
        Encoder(replace(config, agreement=AGREEMENT), state, labels=LABELS, device="cpu"),
        Encoder(replace(config, fit="crop"), plain, labels=LABELS, device="cpu"),
        Encoder(replace(config, projection=False, fit="stretch"), state, device="cpu"),
    ]


sizes = st.tuples(st.integers(20, 90), st.integers(20, 90))
parts = st.sampled_from([None, "auto", (0.1, 0.2, 0.7, 1.0)])


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2), sizes, sizes, parts, st.integers(0, 99))
@example(0, (20, 84), (84, 20), None, 0)
def test_heat_sums_to_what_the_looks_make_of_the_score(
    encoders: list[Encoder],
    which: int,
    one: tuple[int, int],
    other: tuple[int, int],
    part: Asked,
    seed: int,
) -> None:
    encoder, random = encoders[which], np.random.default_rng(seed)
    pictures = [
        Image.fromarray(random.integers(0, 256, (*size[::-1], 3), dtype=np.uint8))
        for size in (one, other)
    ]
    seen, agreement = encoder.encode_queries(pictures, [part, None]), encoder.agreement
    asks, found = agreement.as_queries(seen.vectors[:1])[0], seen.vectors[1]
    shares = shares_of(agreement, asks, found)
    assert sum(shares.values()) == pytest.approx(float(asks @ found), abs=1e-5)
    for places, own, another in zip(seen.places, (asks, found), (found, asks), strict=True):
        heat = heat_of(agreement, places, own, another)
        assert heat.cells.sum() == pytest.approx(shares["looks"], abs=1e-5)
    # What a part gives lies around it in the picture, to half a pixel of what the network eats: an
    # odd number of them cannot be left white evenly on both sides of a thin picture.
    box, inside = seen.places[0].box, part if isinstance(part, tuple) else (0, 0, 1, 1)
    for axis, pixels in enumerate(encoder.input_px):
        low, high = box[axis], box[axis + 2]
        middle = (inside[axis] + inside[axis + 2]) / 2
        assert (low + high) / 2 == pytest.approx(middle, abs=(high - low) / pixels / 2 + 1e-3)


def test_other_poolings_are_no_sums_of_places() -> None:
    state = random_net({"gender": 2}, regions=False).weights()
    config = EncoderConfig(width_px=32, height_px=32, pooling="max", dtype="float32")
    seen = Encoder(config, state, device="cpu").encode_queries([Image.new("RGB", (32, 32))])
    assert seen.places == []


def summed(answer: dict[str, Any], side: str) -> float:
    return sum(map(sum, answer["heat"][side]["cells"]))


def test_the_score_is_the_one_that_was_answered(believing: Recommender, tmp_path: Path) -> None:
    service, path = Service(believing), tmp_path / "tee.jpg"
    path.write_bytes(draw_picture(ROWS[6]))
    for ranking in ("image", "hybrid"):
        options = Options(k=13, ranking=ranking, corrected={"gender": "Men"})
        for result in service.recommend(str(path), "", options)["results"]:
            told = service.explain(str(path), result["id"], "", options)
            assert told["score"] == pytest.approx(result["score"], abs=2e-4)
            assert sum(told["shares"].values()) == pytest.approx(told["score"], abs=2e-4)
            assert set(told["shares"]) == {"looks", "gender", "articleType"}
            for side in ("asked", "item"):
                assert summed(told, side) == pytest.approx(told["shares"]["looks"], abs=2e-4)
            genders = [a["asked"] for a in told["attributes"] if a["column"] == "gender"]
            assert genders == ["Men"]


knobs = st.fixed_dictionaries(
    {
        "ranking": st.sampled_from(["image", "hybrid"]),
        "liked": st.lists(st.sampled_from([2, 9]), unique=True),
        "disliked": st.lists(st.sampled_from([5, 13]), unique=True),
        "colour": st.sampled_from([0, 0.3, 1]),
        "season": st.sampled_from(["", "Winter"]),
        "occasion": st.sampled_from(["", "Party"]),
    }
)


@settings(max_examples=15, deadline=None)
@given(knobs, st.booleans())
def test_what_is_liked_and_what_nudges_have_their_shares(
    believing: Recommender, told: dict[str, Any], pictured: bool
) -> None:
    service, options = Service(believing), Options(k=5, **told)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tee.jpg"
        path.write_bytes(draw_picture(ROWS[6]))
        asks = str(path) if pictured else None
        if pictured:
            results = service.recommend(asks, "", options)["results"]
        else:
            results = service.recommend_by_id(7, "", options)["results"]
        for result in results[1:3]:  # a picture of the catalog comes first, whatever its score
            why = service.explain(asks, result["id"], "", options, asks=7)
            assert why["score"] == pytest.approx(result["score"], abs=2e-4)
            assert round(sum(why["shares"].values()), 4) == why["score"]
            named = {name for name in told if told[name]} - {"ranking"}
            assert set(why["shares"]) == {"looks", "gender", "articleType"} | named
            for side in ("asked", "item"):
                assert summed(why, side) == pytest.approx(why["shares"]["looks"], abs=2e-4)
            for name, said in (("liked", "What you like s"), ("season", "for winter")):
                assert (said in why["words"]) == bool(told[name])


@given(st.dictionaries(st.text(max_size=3), st.floats(-1, 1), min_size=1), st.integers(0, 4))
@example({"looks": 0.99, "gender": 0.1875}, 3)
def test_rounded_shares_sum_to_their_rounded_sum(shares: dict[str, float], digits: int) -> None:
    whole = rounded(shares, digits)
    assert round(sum(whole.values()), digits) == round(sum(shares.values()), digits)
    assert all(abs(whole[name] - share) <= 10**-digits + 1e-9 for name, share in shares.items())


def test_words_say_what_a_taste_and_nudges_do() -> None:
    shares = {"looks": 0.3, "liked": -0.001, "disliked": 0.02}
    said = beside_said(shares, {"colour": 0.7, "season": 0.5, "occasion": 1.0}, TOLD)
    assert said == (
        "What you like says little of it, what you do not like speaks for it, its very colour is "
        "near the one that you show, it may be for fall and it is for party."
    )
    assert "far from the one" in beside_said({}, {"colour": 0.1}, TOLD)
    assert beside_said({"looks": 1.0}, {}, TOLD) == ""
    assert shares_said(0.5, {"looks": 0.25, "gender": 0.25, "liked": 0.0151, "disliked": -0.015})
    assert shares_said(0.449, {"looks": 0.334, "gender": 0.135, "disliked": -0.02}) == (
        "Of 45%, looks make 33, gender 14 and what you do not like −2."
    )


TOLD = Options(season="Fall", occasion="Party")


def test_words_say_what_agrees_and_what_differs(recommender: Recommender) -> None:
    both = [recommender.item(item_id) for item_id in (1, 10)]
    attributes = compare(*both, recommender.columns)
    assert reason_said(attributes) == (
        "Alike in article type (Tshirts), season (Summer) and usage (Casual). "
        "Different in gender (Boys instead of Men) and colour (Green instead of Red)."
    )
    assert compare(both[0], recommender.item(13), recommender.columns)[-1]["column"] == "baseColour"
    many = [{"column": f"c{i}", "asked": 1, "item": i % 2, "same": bool(i % 2)} for i in range(20)]
    assert reason_said(many).count(" and 4 more.") == 1
    assert reason_said(many).endswith("and 6 more.")
    assert reason_said([]) == ""


def test_the_api(live: str) -> None:
    picture = upload(live, draw_picture(ROWS[0]))
    usual = "", "auto", None, "", {}, "auto", [], [], 0, "", ""

    def explain(*asked: Any) -> dict[str, Any]:
        return call(live, "explain", *asked, *usual[len(asked) - 2 :])

    told = explain(picture, 3)
    assert told["item"]["image"] == f"{live}/pictures/3"
    assert told["shares"] == {"looks": told["score"]}
    assert summed(told, "asked") == pytest.approx(told["score"], abs=1e-3)
    same = explain(None, 2, "", "auto", 1)
    assert same["words"].startswith("Alike in article type (Tshirts), gender (Men), colour")
    for asked, sentence in {
        (None, 3): "Show a picture first",
        (None, 99, "", "auto", 1): "no item with this id",
        (None, 1, "", "auto", 99): "no item with this id",
        (None, "x", "", "auto", 1): "id is a whole number",
        (None, None, "", "auto", 1): "id is a whole number",
        (None, 1, "", "auto", True): "id is a whole number",
        (None, 1, "", "middle", 2): "A region is null",
    }.items():
        assert sentence in str(explain(*asked)), asked
    between = None, 1, "", "auto", 2, ""
    assert "Nothing can be corrected" in str(explain(*between, {"gender": "Men"}))
    assert "The ranking is one of" in str(explain(*between, {}, "best"))
    knobs = {}, "auto", [5], [6], 0.5, "Winter"
    nudged = explain(*between, *knobs)
    assert set(nudged["shares"]) == {"looks", "liked", "disliked", "colour", "season"}
    assert "What you like s" in nudged["words"]
    assert "both liked and disliked" in str(explain(*between, {}, "auto", [5], [5]))
    assert "no item of one of these ids" in str(explain(*between, {}, "auto", [99]))
    assert "colour is a number from 0 to 1" in str(explain(*between, {}, "auto", [], [], 7))
    assert "The season is one of" in str(explain(*between, {}, "auto", [], [], 0, "Monsoon"))
    # Words say what was to be otherwise, and that is what an item agrees in or not.
    black = explain(None, 5, "", "auto", 1, "but in black")
    assert "colour (Black)" in black["words"].partition("Different")[0]
    assert "colour (Red instead of Black)" in explain(None, 2, "", "auto", 1, "in black")["words"]
    assert "colour" not in explain(None, 5, "", "auto", 1, "not red")["words"]
    broken = upload(live, b"no picture")
    assert "not a picture we can read" in str(explain(broken, 3))


def test_the_page_says_it_first_and_shows_it_then(recommender: Recommender, tmp_path: Path) -> None:
    path = tmp_path / "tee.jpg"
    path.write_bytes(draw_picture(ROWS[0]))
    with drawn(recommender) as tab:
        panel = tab.item.reason
        found = tab.on_picture(asking(tab, picture=str(path)))[tab.trail]
        opened = tab.on_select(asking(tab, found), tile(found.view.ids[3]))
        alike = tab.on_example(asking(tab), tile(1))
        other = tab.on_select(asking(tab, alike[tab.trail]), tile(10))
        black = tab.on_words({**asking(tab, alike[tab.trail]), tab.words.box: "in black"})
        otherwise = tab.on_select(asking(tab, black[tab.trail]), tile(3))
        folded = tab.on_words(asking(tab, words="red tee"))
        named = tab.on_select(asking(tab, folded[tab.trail]), tile(1))

    def heat(trail: Trail, **taste: list[int]) -> str:
        return panel.on_ask({tab.trail: trail, tab.taste.kept: taste})[panel.heat].value

    # An encoder without heads says nothing of a picture; the item that asks is open itself.
    assert not opened[panel.words].visible
    assert opened[panel.ask].visible
    assert not alike[panel.ask].visible
    assert not named[panel.ask].visible
    assert "Different in gender (Boys instead of Men)" in other[panel.words].value
    made = heat(opened[tab.trail])
    assert re.findall(r'alt="([^"]+): most alike', made)[0] == "Your picture"
    assert "colour (Blue instead of Black)" in otherwise[panel.words].value
    assert made.count("data:image/png") == 2
    assert made.count("data:image/jpeg") == 1
    assert heat(other[tab.trail]).count("data:image/") == 2
    assert "what you like" in heat(other[tab.trail], liked=[5, 99])
    assert "what you like" not in heat(other[tab.trail], liked=[99])
    path.unlink()
    assert "is gone" in heat(opened[tab.trail])
    assert heat(named[tab.trail]) == ""
