"""Why an item was found: shares that sum to the score, heat that sums to a share, and words."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROWS, draw_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from serving import call, upload
from test_ui import asking, drawn, tile
from weights import random_net

from recommender.encoding.config import EncoderConfig
from recommender.encoding.encoder import Encoder
from recommender.encoding.regions import Asked
from recommender.search.options import Options
from recommender.search.reasons import heat_of, reason_of
from recommender.search.recommender import Recommender
from recommender.service.agreed import reason_said
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
    reason = reason_of(agreement, asks, found)
    assert reason.score == pytest.approx(float(asks @ found), abs=1e-5)
    for places, own, another in zip(seen.places, (asks, found), (found, asks), strict=True):
        heat = heat_of(agreement, places, own, another)
        assert heat.cells.sum() == pytest.approx(reason.shares["looks"], abs=1e-5)
    # What a part gives lies around it in the picture.
    left, top, right, bottom = seen.places[0].box
    inside = part if isinstance(part, tuple) else (0, 0, 1, 1)
    middle = (left + right) / 2, (top + bottom) / 2
    assert middle == pytest.approx(
        ((inside[0] + inside[2]) / 2, (inside[1] + inside[3]) / 2), abs=0.03
    )


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
    usual = "", "auto", None, "", {}, "auto"

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
        folded = tab.on_words(asking(tab, words="red tee"))
        named = tab.on_select(asking(tab, folded[tab.trail]), tile(1))

    def heat(trail: Trail) -> str:
        return panel.on_ask({tab.trail: trail})[panel.heat].value

    # An encoder without heads says nothing of a picture; the item that asks is open itself.
    assert not opened[panel.words].visible
    assert opened[panel.ask].visible
    assert not alike[panel.ask].visible
    assert not named[panel.ask].visible
    assert "Different in gender (Boys instead of Men)" in other[panel.words].value
    made = heat(opened[tab.trail])
    assert re.findall(r'alt="([^"]+): most alike', made)[0] == "Your picture"
    assert made.count("data:image/png") == 2
    assert made.count("data:image/jpeg") == 1
    assert heat(other[tab.trail]).count("data:image/") == 2
    path.unlink()
    assert "is gone" in heat(opened[tab.trail])
    assert heat(named[tab.trail]) == ""
