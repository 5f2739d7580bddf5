"""What stands behind the page, without a server: sentences, addresses, views and the way back."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import pandas as pd
import pytest
from conftest import ROWS, FindingEncoder, draw_picture
from serving import closing_loops
from starlette.requests import Request

from recommender.errors import ImageError, UnknownItemError
from recommender.pictures.decode import format_of
from recommender.schema import LABELS
from recommender.search.recommender import Recommender
from recommender.service.answers import Service
from recommender.service.examples import PHOTOGRAPHS
from recommender.service.live import Live
from recommender.service.sentences import sentence
from recommender.ui.app import build_app
from recommender.ui.find.seen import seen_html
from recommender.ui.find.tab import FindTab
from recommender.ui.find.view import Trail, View, item_html
from recommender.ui.parts.inputs import PictureInput, Values
from recommender.ui.server.origin import origin_of
from recommender.ui.server.page import Page


def asking(
    tab: FindTab, trail: Trail | None = None, picture: str | None = None, **chosen: Any
) -> Values:
    """What Gradio hands to a handler: the trail, the picture, and the settings by name."""
    settings = tab.settings
    years = dict(zip(settings.filters.boxes[:2], chosen.pop("years", ("any", "any")), strict=True))
    boxes = dict(zip(LABELS, settings.filters.boxes[2:], strict=True))
    return {
        tab.trail: trail or Trail(),
        tab.query.picture: picture,
        tab.query.address: chosen.pop("address", ""),
        tab.words.box: chosen.pop("words", ""),
        tab.query.region.frame: chosen.pop("region", None),
        settings.k: 12,
        settings.repeats: False,
        settings.spread: True,
        settings.diversity: 0,
        settings.fold: False,
        settings.nudges.colour: 0,
        settings.nudges.season: "",
        settings.nudges.occasion: "",
        settings.ranking: chosen.pop("ranking", "image"),
        settings.sort: "",
        **years,
        **{box: chosen.get(name, []) for name, box in boxes.items()},
    }


@contextmanager
def drawn(recommender: Recommender | Live, **settings: Any) -> Iterator[FindTab]:
    """The tab by itself."""
    with closing_loops(), gr.Blocks(analytics_enabled=False), gr.Tabs() as tabs, gr.Tab():
        yield FindTab(Service(recommender, **settings), tabs)


def tile(what: object) -> gr.EventData:
    """The click on a tile that stands for something."""
    return gr.EventData(None, {"tile": what})


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
    with drawn(recommender) as tab:
        yield tab


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
        # What a proxy passes on by default is its own word for the app.
        ({"host": "127.0.0.1:7860"}, "https://shop.example/find/", "https://shop.example/find"),
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
    likely = [("<Shirts>", 0.91), ("Tops", 0.07), ("Tunics", 0.01)]
    ranked = [{"value": value, "probability": share} for value, share in likely]
    beliefs = {"articleType": ranked, "subCategory": ranked[1:]}
    answer = {
        "query": {"beliefs": beliefs},
        "match": {"good": True},
        "results": [],
        "message": "",
    }
    made = re.sub(r' data-chip="[^"]*"', "", seen_html(View.of(answer, "it")))
    assert "&lt;Shirts&gt; <b>91%</b>" in made
    assert made.count("Tops 7%") == 1
    assert "Tunics" not in made
    assert seen_html(View()) == ""


def test_what_we_see_goes_with_the_picture(believing: Recommender, picture: str) -> None:
    with drawn(believing) as tab:
        pass
    found = tab.on_picture(asking(tab, None, picture, ranking="hybrid"))[tab.trail]
    assert set(found.view.seen) == {"gender", "articleType"}
    more = tab.on_surprise(asking(tab, found, ranking="hybrid"))[tab.trail]
    assert more.view.seen == {}


def test_programs_read_plain_sentences_that_no_page_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    async def called(page: Page, handler: Callable[[], None]) -> None:
        handler()

    monkeypatch.setattr(gr.Blocks, "process_api", called)
    page = Page.__new__(Page)

    def fails() -> None:
        raise ImageError('Less <b> than & "more".')

    def breaks() -> None:
        raise ValueError("a programmer's mistake")

    with pytest.raises(gr.Error, match='Less <b> than & "more"') as refused:
        page.process_api(fails).send(None)
    assert not refused.value.visible, "Gradio's page would render it as HTML"
    with pytest.raises(gr.Error, match="went wrong here") as broken:
        page.process_api(breaks).send(None)
    assert broken.value.visible
    assert not broken.value.print_exception


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
    assert Path(box.keep(b"no picture")).suffix == ""


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
    options = tab.settings.read(asking(tab, years=years, articleType=["Heels"], usage=None))
    assert options.filters.get("year") == expected
    assert options.filters["articleType"] == ["Heels"]


def test_every_view_fills_every_component(tab: FindTab, picture: str) -> None:
    asked, without = asking(tab, None, picture), asking(tab, address=" ")
    answers = [
        tab.on_picture(asked),
        tab.on_picture(without),
        tab.on_surprise(without),
        tab.on_settings(asked),
        tab.on_back(without),
        tab.on_load(without, ask()),
        tab.on_find(asked),
        tab.on_find(without),
    ]
    for answer in answers:
        assert set(answer) >= set(tab.outputs)
    for panel in tab.panels:
        assert set(panel.show(Trail(), {})) == set(panel.parts)


def test_nothing_stands_on_the_page_by_accident(recommender: Recommender) -> None:
    with closing_loops():
        page = build_app(Service(recommender))
    # What only takes another component's place has no name yet, and is drawn where it is made.
    for part in page.blocks.values():
        if part.parent is not None and part.parent.visible:
            assert not isinstance(part, gr.Dropdown) or part.label
            assert not isinstance(part, gr.Button) or part.value != gr.Button().value


def test_a_photograph_asks_as_if_it_had_been_uploaded(
    tab: FindTab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tab.query.picture, "GRADIO_CACHE", str(tmp_path))
    loaded = tab.on_load(asking(tab), ask())
    offered = loaded[tab.results.photographs]
    assert re.findall('src="(.*?)"', offered) == [f"./photographs/{name}" for name in PHOTOGRAPHS]
    assert 'alt="Pink dress on a carpet."' in offered
    for name, path in PHOTOGRAPHS.items():
        values = asking(tab)
        del values[tab.query.address]  # as what has been typed there does not matter
        answer = tab.on_photograph(values, tile(name))
        kept = Path(answer[tab.query.picture])
        assert kept.parent == tmp_path
        assert kept.read_bytes() == path.read_bytes()
        assert answer[tab.query.address] == ""
        assert set(answer) >= set(tab.outputs)
        view = answer[tab.trail].view
        assert (view.query, len(view.ids), view.opened) == ("picture", 12, None)


def test_what_is_like_nothing_is_folded(doubting: Recommender, picture: str, grey: Path) -> None:
    with drawn(doubting) as tab:
        pass

    def shown(answer: Values) -> tuple[bool, bool]:
        return answer[tab.results.unfold].visible, answer[tab.results.tiles].visible

    good = tab.on_picture(asking(tab, None, picture))
    assert shown(good) == (False, True)
    poor = tab.on_picture(asking(tab, good[tab.trail], str(grey)))
    assert shown(poor) == (True, False)
    assert "Nothing in this catalog looks like your picture." in poor[tab.bar.status]
    assert poor[tab.seen.chips] == ""
    assert not poor[tab.results.beginning].visible
    filtered = asking(tab, poor[tab.trail], str(grey), gender=["Women"])
    assert shown(tab.on_settings(filtered)) == (True, False)
    assert shown(tab.on_back(asking(tab, poor[tab.trail]))) == (False, True)

    opened = tab.on_unfold(asking(tab, poor[tab.trail]))
    assert shown(opened) == (False, True)
    assert opened[tab.trail].view.ids == poor[tab.trail].view.ids
    assert opened[tab.trail].before == poor[tab.trail].before
    none = asking(tab, opened[tab.trail], str(grey), gender=["Boys"], usage=["Party"])
    empty = tab.on_settings(none)
    assert shown(empty) == (False, False)
    again = tab.on_settings(asking(tab, empty[tab.trail], str(grey)))
    assert shown(again) == (False, True), "opened, they stay so"


def test_settings_search_again_in_the_same_place(tab: FindTab, picture: str) -> None:
    found = tab.on_picture(asking(tab, None, picture))[tab.trail]
    again = tab.on_settings(asking(tab, found, picture, gender=["Women"]))[tab.trail]
    genders = {row[0]: row[1] for row in ROWS}
    assert [genders[item_id] for item_id in again.view.ids] == ["Women"] * 4
    assert again.before == found.before == ()
    none = asking(tab, again, picture, gender=["Boys"], usage=["Party"])
    empty = tab.on_settings(none)
    assert empty[tab.trail].view.ids == ()
    assert "No item passes these filters" in empty[tab.bar.status]
    # and from there once more: what was asked is not forgotten
    back = tab.on_settings(asking(tab, empty[tab.trail], picture))[tab.trail]
    assert back.view.ids == found.view.ids


def test_the_way_back(tab: FindTab, picture: str) -> None:
    found = tab.on_picture(asking(tab, None, picture))[tab.trail]
    opened = tab.on_select(asking(tab, found), tile(found.view.ids[3]))[tab.trail]
    assert opened.view.opened == found.view.ids[3]
    trail = tab.on_more(asking(tab, opened))[tab.trail]
    assert trail.view.query_id == opened.view.opened
    assert len(trail.before) == 2
    for expected in (opened, found):
        trail = tab.on_back(asking(tab, trail))[tab.trail]
        assert trail.view == expected.view
    assert trail.before == ()
    for _ in range(50):
        trail = tab.on_surprise(asking(tab, trail))[tab.trail]
    assert len(trail.before) == 10


@pytest.fixture
def finding_tab(finding: Recommender) -> Iterator[FindTab]:
    with drawn(finding) as tab:
        yield tab


def shown(tab: FindTab, updates: Values) -> dict[str, Any] | None:
    """What the frame on the picture is told."""
    return updates[tab.query.region.frame].props["shown"]


def test_a_part_of_the_picture_is_marked(finding_tab: FindTab, picture: str) -> None:
    tab, found = finding_tab, FindingEncoder.found
    encoder = tab.service.recommender.encoder
    assert shown(tab, tab.on_load(asking(tab), ask())) is None
    landed = tab.on_picture(asking(tab, None, picture, region=[0, 0, 0.5, 0.5]))
    assert encoder.asked[-1] == "auto", "what was marked in the picture before means nothing here"
    assert shown(tab, landed) == {"picture": picture, "box": found[0], "regions": found}
    assert "marked" not in landed[tab.bar.status]

    box = [0.5, 0.5, 0.9, 0.9]
    marked = tab.on_region(asking(tab, landed[tab.trail], picture, region=box))
    assert encoder.asked[-1] == tuple(box)
    assert shown(tab, marked)["box"] == tuple(box)
    assert " like your picture in the part that you marked." in marked[tab.bar.status]
    assert marked[tab.trail].before == ()
    # Settings, and the button, look there again.
    again = tab.on_settings(asking(tab, marked[tab.trail], picture, gender=["Women"]))
    again = tab.on_find(asking(tab, again[tab.trail], picture))
    assert encoder.asked[-2:] == [tuple(box)] * 2
    assert shown(tab, again)["regions"] == found

    whole = tab.on_region(asking(tab, again[tab.trail], picture, region=None))
    assert encoder.asked[-1] is None
    assert shown(tab, whole)["box"] is None
    assert "marked" not in whole[tab.bar.status]
    gone = tab.on_picture(asking(tab, whole[tab.trail]))
    assert shown(tab, gone) is None


def test_the_way_back_leads_to_the_picture_and_its_part(
    finding_tab: FindTab, picture: str, tmp_path: Path
) -> None:
    tab, other = finding_tab, tmp_path / "other.jpg"
    other.write_bytes(draw_picture(ROWS[6]))
    landed = tab.on_picture(asking(tab, None, picture))[tab.trail]
    box = [0.5, 0.5, 0.9, 0.9]
    marked = tab.on_region(asking(tab, landed, picture, region=box))[tab.trail]
    surprised = tab.on_surprise(asking(tab, marked, picture))
    assert shown(tab, surprised) is None, "an item asks, not the picture"
    back = tab.on_back(asking(tab, surprised[tab.trail], picture))
    assert shown(tab, back)["box"] == tuple(box)
    assert tab.query.picture not in back, "it is there already"
    second = tab.on_picture(asking(tab, marked, str(other)))[tab.trail]
    back = tab.on_back(asking(tab, second, str(other)))
    assert back[tab.query.picture] == picture
    Path(picture).unlink()
    back = tab.on_back(asking(tab, second, str(other)))
    assert back[tab.query.picture] is None


@pytest.mark.parametrize("region", ["", "<b>", [1, 2], [0.1, 0.1, 0.1, 0.9], {"a": []}, [[], {}]])
def test_a_region_that_is_none_is_told(finding_tab: FindTab, picture: str, region: Any) -> None:
    tab = finding_tab
    landed = tab.on_picture(asking(tab, None, picture))[tab.trail]
    told = tab.on_region(asking(tab, landed, picture, region=region))
    assert "region" in told[tab.bar.status]
    assert "<b>" not in told[tab.bar.status]
    assert shown(tab, told) is None


def test_what_left_the_catalog_is_left_out(recommender: Recommender, picture: str) -> None:
    live = Live(recommender)
    with drawn(live) as tab:
        pass
    found = tab.on_picture(asking(tab, None, picture))[tab.trail]
    opened = tab.on_select(asking(tab, found), tile(found.view.ids[5]))[tab.trail]
    gone = {opened.view.opened, found.view.ids[0]}

    class Smaller(Recommender):
        def __init__(self) -> None:
            self.items, self.filters = recommender.items, recommender.filters
            self.index, self.gallery = recommender.index, recommender.gallery

        def item(self, item_id: int) -> dict[str, Any]:
            if item_id in gone:
                raise UnknownItemError("The catalog has no item with this id.")
            return recommender.item(item_id)

    live.now = Smaller()
    shown = tab.on_back(asking(tab, opened.to(opened.view)))
    left = tuple(item_id for item_id in found.view.ids if item_id not in gone)
    assert shown[tab.trail].view.ids == left
    assert shown[tab.results.tiles].value.count("thumbnail-item") == len(left)
    assert not shown[tab.item.column].visible
    clicked = tab.on_select(asking(tab, shown[tab.trail]), tile(left[0]))
    assert clicked[tab.trail].view.opened == left[0]


def test_a_session_keeps_no_answers(tab: FindTab, picture: str) -> None:
    trail = tab.on_picture(asking(tab, None, picture))[tab.trail]
    assert "productDisplayName" not in repr(trail)
    assert "Dor Run" not in repr(trail)


def test_a_click_on_a_result_that_is_gone_changes_nothing(tab: FindTab, picture: str) -> None:
    found = tab.on_picture(asking(tab, None, picture))[tab.trail]
    for event in (*map(tile, (99, "1", [], None)), *(gr.EventData(None, d) for d in (None, [], 1))):
        same = tab.on_select(asking(tab, found), event)[tab.trail]
        assert same.view == found.view
    assert tab.on_photograph(asking(tab, found), tile("../../etc"))[tab.trail] == found
    told = tab.on_example(asking(tab, found), tile("<b>"))[tab.bar.status]
    assert told.count(".") == 1
    assert "<b>" not in told


@pytest.mark.parametrize("asked", ["abc", "-5", "1.5", "٣", "9" * 30, "<b>", "1 OR 1"])
def test_a_wrong_link_is_told(tab: FindTab, asked: str) -> None:
    answer = tab.on_load(asking(tab), ask(query=f"item={asked}"))
    assert answer[tab.bar.status].count(".") == 1
    assert asked not in answer[tab.bar.status]
    assert answer[tab.trail].view.query == "nothing"


def test_words_are_asked_and_taken_back(tab: FindTab) -> None:
    shown = tab.on_words(asking(tab, words="red tee for men"))
    trail: Trail = shown[tab.trail]
    assert trail.view.query == "words"
    assert [text for text, _ in trail.view.said] == ["Red", "Tshirts", "Men"]
    assert trail.view.status.startswith("12 items like “red tee for men”")
    assert shown[tab.words.box] == "red tee for men"
    assert "Red: take this back" in shown[tab.words.chips].value
    less = tab.on_taken_back(asking(tab, trail), tile(0))
    assert less[tab.words.box] == "tee for men"
    assert [text for text, _ in less[tab.trail].view.said] == ["Tshirts", "Men"]
    assert tab.on_back(asking(tab, less[tab.trail]))[tab.trail].view == trail.view
    for nothing in (tile(9), tile(-1), tile("x"), tile(None), gr.EventData(None, None)):
        assert tab.on_taken_back(asking(tab, trail), nothing)[tab.trail].view == trail.view


def test_words_beside_a_picture_and_without_it(tab: FindTab, picture: str) -> None:
    seen = tab.on_picture(asking(tab, picture=picture))[tab.trail]
    both = tab.on_words(asking(tab, seen, picture, words="but in blue"))[tab.trail]
    assert both.view.query == "picture"
    assert both.view.status.startswith("12 items like your picture, but “in blue”")
    assert both.view.ids != seen.view.ids
    again = tab.on_settings(asking(tab, both, picture))[tab.trail]
    assert again.view.ids == both.view.ids
    alone = tab.on_taken_back(asking(tab, both, picture), tile("base"))[tab.trail]
    assert (alone.view.query, alone.view.text) == ("words", "but in blue")
    neither = tab.on_taken_back(asking(tab, both, picture), tile(0))[tab.trail]
    assert neither.view.query == "picture"
    # What was asked before is another question's; what was only typed is of the next picture.
    assert (
        tab.on_picture(asking(tab, both, picture, words="but in blue"))[tab.trail].view.text == ""
    )
    assert tab.on_picture(asking(tab, seen, picture, words="green"))[tab.trail].view.text == "green"


def test_words_that_cannot_be_asked_leave_what_is_on_show(tab: FindTab) -> None:
    seen = tab.on_surprise(asking(tab))[tab.trail]
    for words, sentence_ in ((" ", "Type a few words"), ("☃", "Type a few words")):
        shown = tab.on_words(asking(tab, seen, words=words))[tab.trail].view
        if words == " ":  # beside an item, no words are none
            assert shown.ids == seen.view.ids
            continue
        assert shown.status.startswith(sentence_)
        assert shown.ids == seen.view.ids
    assert tab.on_words(asking(tab, words=""))[tab.trail].view.status.startswith("Type a few words")
    found = tab.on_find(asking(tab, words="heels"))[tab.trail].view
    assert found.ids[0] == 7
