"""A search as an address: there and back, with nothing in it trusted; what a link to it shows."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import gradio as gr
import httpx
import pytest
from conftest import ROWS, draw_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from serving import call, serve, upload
from test_ui import ask, asking, drawn

from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.service.sentences import GONE, LEFT_OUT, WELCOME, readable
from recommender.ui.find.place import PARAMETERS, address_of, find_picture, read_address, token_of
from recommender.ui.find.tab import FindTab
from recommender.ui.find.view import USUAL_HERE, View


@pytest.fixture(scope="module")
def tab(believing: Recommender) -> FindTab:
    with drawn(believing) as tab:
        return tab


@pytest.fixture
def uploads(tab: FindTab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tab.query.picture, "GRADIO_CACHE", str(tmp_path))
    return tmp_path


def parts(address: str) -> dict[str, str]:
    return dict(parse_qsl(address, keep_blank_values=True))


def opened_at(tab: FindTab, address: str) -> dict[Any, Any]:
    """What the page shows who comes by this address."""
    return tab.on_load(asking(tab, ranking="hybrid"), ask(query=address))


options = st.builds(
    Options,
    k=st.integers(1, 100),
    repeats=st.booleans(),
    spread=st.booleans(),
    ranking=st.sampled_from(["auto", "image"]),
    sort=st.sampled_from(["", "year", "-year"]),
    filters=st.sampled_from(
        [None, {"gender": ["Men", "Women"]}, {"year": {"min": 2012}}, {"season": ["Fall"]}]
    ),
    corrected=st.sampled_from([None, {"articleType": "Casual Shoes", "gender": "Men"}]),
)
region = st.sampled_from(["auto", None, (0.1, 0.25, 0.5, 0.75)])


@given(
    options,
    region,
    st.sampled_from(["item", "picture", "words", "shortlist"]),
    st.text(max_size=20).map(readable),  # as what is typed is read
    st.sampled_from([None, 3, 5]),
)
@settings(max_examples=100, deadline=None)
def test_what_an_address_says_is_what_was_on_show(
    believing: Recommender, options: Options, region: object, query: Any, text: str, opened: Any
) -> None:
    asks: dict[str, Any] = {
        "item": {"query_id": 5},
        "picture": {"picture": "uploads/tee.jpg", "region": region},
        "shortlist": {"ids": (5, 3, 12)},
    }.get(query, {})
    view = View(query=query, options=options, text=text, opened=opened, **asks)
    place = read_address(parts(address_of(view)), believing)
    assert not place.left_out
    assert place.options == options
    assert place.text == text
    assert place.item == view.query_id
    assert place.picture == (token_of("uploads/tee.jpg") if query == "picture" else None)
    assert place.region == view.region
    assert place.shortlist == asks.get("ids", ())
    own = view.query_id is not None and opened == view.query_id
    assert place.opened == (None if own else opened)
    assert place.closed == (query == "item" and opened is None)


def test_the_beginning_needs_no_words() -> None:
    assert address_of(View()) == ""
    assert address_of(View(options=USUAL_HERE, query="item", query_id=5, opened=5)) == "item=5"


@given(
    st.dictionaries(
        st.sampled_from([*PARAMETERS, "tab", "<b>"]),
        st.one_of(
            st.text(max_size=30),
            st.sampled_from(
                [
                    "[" * 5000,
                    "9" * 400,
                    "NaN",
                    "null",
                    "1e999",
                    "-1",
                    "{}",
                    "true",
                    '{"gender":["Men",{}]}',
                    '{"__proto__":1}',
                    "' OR 1=1 --",
                    "<script>",
                    "0,0,0,0",
                    "nan,0,1,1",
                ]
            ),
        ),
        max_size=5,
    )
)
@settings(max_examples=150, deadline=None)
def test_whatever_an_address_says_the_page_opens(tab: FindTab, sent: dict[str, str]) -> None:
    shown = opened_at(tab, urlencode(sent))
    status = shown[tab.bar.status]
    assert set(shown) >= set(tab.outputs)
    assert "<b>" not in status
    assert "<script>" not in status


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ('filters={"gender":["Men","Martians"],"planet":["Mars"]}', {"gender": ["Men"]}),
        ('filters={"gender":"Men"}', None),
        ('filters={"articleType":{"contains":"Shirts"}}', {}),
        ("filters=[1]", None),
        ("k=1000", None),
        ("k=x", None),
        ("ranking=best", None),
        ("sort=gender", None),
        ('corrected={"articleType":"Hats"}', None),
        ("region=1,1,0,0", None),
        ("open=999", None),
    ],
)
def test_what_fits_nothing_is_left_out_and_said(tab: FindTab, address: str, kept: Any) -> None:
    shown = opened_at(tab, f"item=5&{address}")
    view = shown[tab.trail].view
    assert (view.query, view.query_id) == ("item", 5)
    assert view.status.endswith(LEFT_OUT)
    assert (view.options.filters or None) == (kept or None)
    assert "Mars" not in shown[tab.bar.status]
    settings = tab.settings.read({**asking(tab), **shown})
    assert (settings.filters or None) == (kept or None)


def test_an_outdated_shortlist_shows_what_is_left(tab: FindTab) -> None:
    view = opened_at(tab, "shortlist=5,999,5,7,x")[tab.trail].view
    assert view.ids == (5, 7)
    assert view.status == "A shortlist of 2 items."
    gone = opened_at(tab, "shortlist=999")[tab.trail].view
    assert gone.status == f"{WELCOME} {LEFT_OUT}"


def test_a_pictures_search_comes_back_while_it_is_there(tab: FindTab, uploads: Path) -> None:
    path = uploads / "0a1b" / "tee.jpg"
    path.parent.mkdir()
    path.write_bytes(draw_picture(ROWS[0]))
    found = tab.on_picture(asking(tab, None, str(path), ranking="hybrid"))[tab.trail].view
    address = address_of(found)
    assert "tee" not in address
    assert str(uploads) not in address
    shown = opened_at(tab, address)
    assert shown[tab.trail].view == found
    assert shown[tab.query.picture] == str(path)
    path.unlink()
    shown = opened_at(tab, address)
    assert (shown[tab.trail].view.query, shown[tab.trail].view.status) == ("nothing", GONE)
    assert tab.query.picture not in shown, "there is none to take away"


def test_a_token_leads_to_an_upload_alone(tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"")
    assert find_picture(token_of(str(secret)), tmp_path / "uploads") is None
    for token in ("", "../secret.jpg", str(secret)):
        assert find_picture(token, tmp_path / "uploads") is None


def test_back_in_the_browser_is_the_way_back(tab: FindTab) -> None:
    def told(**data: Any) -> gr.EventData:
        return gr.EventData(None, data)

    first = tab.on_load(asking(tab, ranking="hybrid"), ask(query="item=5"))[tab.trail]
    asked = asking(tab, first, ranking="hybrid", gender=["Men"])
    second = tab.on_example(asked, gr.EventData(None, {"tile": 7}))[tab.trail]
    assert second.before == (first.view,)
    back = tab.on_place(asking(tab, second, gender=["Men"]), told(address="item=5"))
    assert back[tab.trail] == first
    assert tab.settings.read({**asking(tab), **back}).filters == {}, "as it was then"
    address = address_of(second.view)
    on = tab.on_place(asking(tab, first), told(address=address, forward=True))[tab.trail]
    assert (on.view, on.before) == (second.view, (first.view,))
    for data in ({}, {"address": None}, {"address": 5}, {"address": "x" * 20_000}):
        shown = tab.on_place(asking(tab, second), told(**data))
        assert shown[tab.trail].view.query == "nothing"


def test_a_chip_that_says_nothing_changes_nothing(tab: FindTab, tmp_path: Path) -> None:
    path = tmp_path / "tee.jpg"
    path.write_bytes(draw_picture(ROWS[0]))
    found = tab.on_picture(asking(tab, None, str(path), ranking="hybrid"))[tab.trail]
    for data in (
        None,
        {},
        {"label": "planet", "value": "Mars"},
        {"label": "gender", "value": "Martians"},
        {"label": ["gender"], "value": {}},
    ):
        same = tab.on_seen(asking(tab, found, str(path)), gr.EventData(None, data))
        assert same[tab.trail] == found
    told = gr.EventData(None, {"label": "gender", "value": "Women"})
    said = tab.on_seen(asking(tab, found, str(path), ranking="hybrid"), told)[tab.trail]
    assert said.view.corrected == {"gender": "Women"}
    # Another part of the picture is another garment, of which nobody said anything.
    other = asking(tab, said, str(path), ranking="hybrid", region=[0, 0, 0.5, 0.5])
    assert tab.on_region(other)[tab.trail].view.corrected == {}


def meta(page: str) -> dict[str, str]:
    return dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', page))


def test_a_link_shows_what_it_leads_to(live: str) -> None:
    own = meta(httpx.get(live).text)
    assert own["og:title"] == "Fashion Recommender"
    assert own["og:description"] == ("Show a garment, see what is most like it among 13 products.")
    assert httpx.get(own["og:image"]).headers["content-type"] == "image/png"
    item = httpx.get(f"{live}/?item=5&__theme=dark", headers={"x-forwarded-proto": "https"}).text
    its = meta(item)
    assert its["og:title"] == "Dor Run"
    assert its["og:description"].startswith("Dor Run: casual shoes in black for men")
    assert its["og:image"].startswith("https://")
    assert its["og:image"].endswith("/pictures/5")
    assert "gradio" not in json.dumps(its).lower()
    for item_id in ("999", "x", "<b>", "5 OR 1", ""):
        page = httpx.get(live, params={"item": item_id})
        assert page.status_code == 200
        assert meta(page.text) == own


def test_a_shortlist_is_taken_away_harmless(live: str) -> None:
    answer = httpx.get(f"{live}/shortlist.csv", params={"ids": "5,999,x,5,7"})
    assert answer.headers["content-disposition"] == 'attachment; filename="shortlist.csv"'
    rows = answer.text.splitlines()
    assert [row.split(",")[0] for row in rows] == ["id", "5", "7"]
    assert rows[1].endswith(f"{live}/pictures/5")
    assert httpx.get(f"{live}/shortlist.csv").status_code == 200


def test_programs_correct_what_is_seen(believing: Recommender, tmp_path: Path) -> None:
    with serve(believing, tmp_path) as address:
        one = upload(address, draw_picture(ROWS[0]))
        usual = call(address, "recommend", one, 3)
        rest = ({}, "", False, "auto", "auto", "", "")
        corrected = call(address, "recommend", one, 3, *rest, {"articleType": "Heels"})
        refused = call(address, "recommend", one, 3, *rest, {"articleType": "<b>"})
        by_id = call(
            address, "recommend_by_id", 5, 2, {}, False, "auto", "", "", {"gender": "Women"}
        )
        spread = call(address, "recommend", one, 3, *rest, {}, True)
    assert "corrected" not in usual["query"]
    assert corrected["query"]["corrected"] == {"articleType": "Heels"}
    assert corrected["query"]["attributes"]["articleType"] == "Heels"
    assert corrected["results"][0]["articleType"] == "Heels"
    assert refused["error"].startswith("articleType cannot be that; it is one of Casual Shoes")
    assert by_id["query"]["attributes"]["gender"] == "Women"
    assert len(spread["results"]) == 3
