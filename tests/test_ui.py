"""What stands behind the page, without a server: sentences, addresses, views and the way back."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pandas as pd
import pytest
from conftest import ROWS, draw_picture
from serving import closing_loops
from starlette.requests import Request

from recommender.errors import ImageError
from recommender.search.recommender import Recommender
from recommender.service.answers import Service
from recommender.service.sentences import sentence
from recommender.ui.app import refusing
from recommender.ui.find.tab import FindTab
from recommender.ui.find.view import View, beliefs_html, item_html
from recommender.ui.parts.inputs import PictureInput, format_of
from recommender.ui.server.origin import origin_of

SETTINGS: tuple[Any, ...] = (12, False, "image", "any", "any", [], [], [], [], [], [], [])
VIEW, BACK, STATUS = range(3)


def ask(headers: dict[str, str] | None = None, root: str = "", query: str = "") -> gr.Request:
    sent = {"host": "127.0.0.1:7860"} | (headers or {})
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "root_path": root,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }
    return gr.Request(Request(scope))


@pytest.fixture(scope="module")
def tab(recommender: Recommender) -> Iterator[FindTab]:
    with closing_loops(), gr.Blocks(analytics_enabled=False):
        yield FindTab(Service(recommender))


@pytest.fixture
def picture(tmp_path: Path) -> str:
    path = tmp_path / "tee.jpg"
    path.write_bytes(draw_picture(ROWS[0]))
    return str(path)


@pytest.mark.parametrize(
    ("headers", "root", "expected"),
    [
        ({}, "", "http://127.0.0.1:7860"),
        ({"x-forwarded-proto": "https"}, "", "https://127.0.0.1:7860"),
        (
            {"x-forwarded-proto": "https,http", "x-forwarded-host": "a-b.hf.space, inner"},
            "",
            "https://a-b.hf.space",
        ),
        ({"host": "[::1]:80"}, "/shop", "http://[::1]:80/shop"),
    ],
)
def test_origin(headers: dict[str, str], root: str, expected: str) -> None:
    assert origin_of(ask(headers, root)) == expected


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, "item."),
        ({"productDisplayName": "Ako", "season": None, "year": pd.NA}, "Ako: item."),
        ({"articleType": "Heels", "gender": "Women", "year": 2015}, "heels for women, 2015."),
        ({"articleType": "Bags", "baseColour": "Navy Blue"}, "bags in navy blue."),
        ({"articleType": "Ties", "season": "Fall", "year": 2012}, "ties, Fall 2012."),
    ],
)
def test_sentence(item: dict[str, Any], expected: str) -> None:
    assert sentence(item) == expected


def test_an_item_cannot_bring_its_own_html(recommender: Recommender) -> None:
    item = recommender.item(1) | {
        "productDisplayName": '"><img src=x onerror=alert(1)>',
        "baseColour": "<script>",
        "image": 'x" onerror="alert(1)',
    }
    made = item_html(item)
    assert "<script" not in made
    assert "<img src=x" not in made
    assert 'onerror="' not in made


def test_what_we_see_is_said_with_how_sure_and_escaped() -> None:
    beliefs = {
        "articleType": [
            {"value": "<Shirts>", "probability": 0.91},
            {"value": "Tops", "probability": 0.07},
            {"value": "Tunics", "probability": 0.01},
        ],
        "subCategory": [{"value": "Topwear", "probability": 1.0}],
    }
    made = beliefs_html(beliefs)
    assert "&lt;Shirts&gt; <b>91%</b>" in made
    assert "or Tops 7%" in made
    assert "Tunics" not in made
    assert "Topwear" not in made
    assert beliefs_html({}) == ""


def test_what_we_see_goes_with_the_picture(believing: Recommender, picture: str) -> None:
    with closing_loops(), gr.Blocks(analytics_enabled=False):
        tab = FindTab(Service(believing))
    hybrid = (*SETTINGS[:2], "hybrid", *SETTINGS[3:])
    nothing = tab._show(View(), [], ask())[VIEW]
    found = tab.on_picture(ask(), picture, nothing, [], *hybrid)
    assert set(found[VIEW]["beliefs"]) == {"gender", "articleType"}
    more = tab.on_surprise(ask(), found[VIEW], found[BACK], *hybrid)
    assert more[VIEW]["beliefs"] == {}


def test_programs_read_plain_sentences_that_no_page_shows() -> None:
    @refusing
    def fails() -> None:
        raise ImageError('Less <b> than & "more".')

    @refusing
    def breaks() -> None:
        raise ValueError("a programmer's mistake")

    with pytest.raises(gr.Error, match='Less <b> than & "more"') as refused:
        fails()
    assert not refused.value.visible, "Gradio's page would render it as HTML"
    with pytest.raises(ValueError, match="mistake"):
        breaks()


def test_formats_are_told_by_their_bytes() -> None:
    firsts = {
        b"\x89PNG\r\n": "png",
        b"GIF89a": "gif",
        b"RIFF....WEBP": "webp",
        b"BM....": "bmp",
        b"\0\0\0\x1cftypavif": "avif",
        b"\xff\xd8\xff": "jpeg",
    }
    assert {data: format_of(data) for data in firsts} == firsts


def test_a_kept_picture_has_the_suffix_of_its_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = PictureInput()
    monkeypatch.setattr(box, "GRADIO_CACHE", str(tmp_path / "new"))
    path = Path(box.keep(draw_picture(ROWS[0])))
    assert path.suffix == ".jpeg"
    assert path.parent == tmp_path / "new"


@pytest.mark.parametrize(
    ("years", "expected"),
    [
        (("any", "any"), None),
        ((None, None), None),
        ((2012, "any"), {"min": 2012}),
        ((None, 2014), {"max": 2014}),
        ((2012, 2014), {"min": 2012, "max": 2014}),
        ((2014, 2012), {"min": 2012, "max": 2014}),
    ],
)
def test_years(tab: FindTab, years: tuple[Any, Any], expected: dict[str, int] | None) -> None:
    options = tab._options(5, False, "image", *years, [], None, [], ["Heels"], [], [], [])
    assert options.filters.get("year") == expected
    assert options.filters["articleType"] == ["Heels"]


def test_every_view_fills_every_component(tab: FindTab, picture: str) -> None:
    nothing: dict[str, Any] = tab._show(View(), [], ask())[VIEW]
    answers = [
        tab.on_picture(ask(), picture, nothing, [], *SETTINGS),
        tab.on_picture(ask(), None, nothing, [], *SETTINGS),
        tab.on_surprise(ask(), nothing, [], *SETTINGS),
        tab.on_settings(ask(), picture, nothing, [], *SETTINGS),
        tab.on_back(ask(), nothing, []),
        tab.on_load(ask(), nothing, [], *SETTINGS)[1:],
        tab.on_find(ask(), "", picture, nothing, [], *SETTINGS)[2:],
        tab.on_find(ask(), " ", None, nothing, [], *SETTINGS)[2:],
    ]
    assert {len(answer) for answer in answers} == {len(tab._shown)}


def test_settings_search_again_in_the_same_place(tab: FindTab, picture: str) -> None:
    nothing = tab._show(View(), [], ask())[VIEW]
    found = tab.on_picture(ask(), picture, nothing, [], *SETTINGS)
    narrowed = (12, False, "image", "any", "any", ["Women"], [], [], [], [], [], [])
    again = tab.on_settings(ask(), picture, found[VIEW], found[BACK], *narrowed)
    assert [item["gender"] for item in again[VIEW]["results"]] == ["Women"] * 4
    assert again[BACK] == found[BACK] == []
    none = (12, False, "image", "any", "any", ["Boys"], [], [], [], [], [], ["Party"])
    empty = tab.on_settings(ask(), picture, again[VIEW], again[BACK], *none)
    assert empty[VIEW]["results"] == []
    assert "No item passes these filters" in empty[STATUS]
    # and from there once more: what was asked is not forgotten
    back = tab.on_settings(ask(), picture, empty[VIEW], empty[BACK], *SETTINGS)
    assert back[VIEW]["results"] == found[VIEW]["results"]


def test_the_way_back(tab: FindTab, picture: str) -> None:
    nothing = tab._show(View(), [], ask())[VIEW]
    view, back, *_ = tab.on_picture(ask(), picture, nothing, [], *SETTINGS)
    opened, back, *_ = tab.on_select(ask(), SimpleNamespace(index=3), view, back)
    assert opened["item"] == view["results"][3]["id"]
    more, back, *_ = tab.on_more(ask(), opened, back, *SETTINGS)
    assert more["asked_id"] == opened["item"]
    assert len(back) == 2
    for expected in (opened, view):
        was, back, *_ = tab.on_back(ask(), more, back)
        assert was == expected
    assert back == []
    for _ in range(50):
        view, back, *_ = tab.on_surprise(ask(), view, back, *SETTINGS)
    assert len(back) == 20


def test_a_click_on_a_result_that_is_gone_changes_nothing(tab: FindTab, picture: str) -> None:
    nothing = tab._show(View(), [], ask())[VIEW]
    view, back, *_ = tab.on_picture(ask(), picture, nothing, [], *SETTINGS)
    assert tab.on_select(ask(), SimpleNamespace(index=99), view, back)[VIEW] == view


@pytest.mark.parametrize("asked", ["abc", "-5", "1.5", "٣", "9" * 30, "<b>", "1 OR 1"])
def test_a_wrong_link_is_told(tab: FindTab, asked: str) -> None:
    nothing = tab._show(View(), [], ask())[VIEW]
    answer = tab.on_load(ask(query=f"item={asked}"), nothing, [], *SETTINGS)[1:]
    assert answer[STATUS].count(".") == 1
    assert asked not in answer[STATUS]
    assert answer[VIEW]["asked"] == "nothing"
