"""The trends as the page, its downloads and `/trends` give them: one question, the same numbers."""

import asyncio
import html
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gradio as gr
import httpx
import pandas as pd
import pytest
from conftest import ROWS, draw_picture
from serving import aside, call, closing_loops
from starlette.applications import Starlette
from starlette.testclient import TestClient

from recommender.errors import QueryError
from recommender.feedback.events import EventLog
from recommender.search.recommender import Recommender
from recommender.service import kept
from recommender.service import trends as module
from recommender.service.answers import Service
from recommender.service.live import Live
from recommender.service.trends import RESULTS, Question, Trends
from recommender.trends.sections import COMPARISONS, MAP, NAMES
from recommender.ui.find.view import Trail, View
from recommender.ui.parts.cards import plot_of, table_html
from recommender.ui.server import downloads
from recommender.ui.trends import TrendsTab

WOMEN = {"gender": ["Women"]}


@pytest.fixture
def trends(recommender: Recommender) -> Trends:
    return Trends(recommender)


@pytest.fixture(scope="module")
def tab(recommender: Recommender) -> Iterator[TrendsTab]:
    with closing_loops(), gr.Blocks(analytics_enabled=False) as blocks:
        with gr.Tab("Trends") as outer:
            made = TrendsTab(Service(recommender), gr.State(Trail()))
            made.wire(outer, blocks)
        yield made


def draw(tab: TrendsTab, section: str, **chosen: Any) -> dict[str, Any]:
    """What the tab shows: the status, the plots and tables of a section, by name."""
    boxes = [None, None, *[chosen.get(name, []) for name in FILTERS]]
    ends = chosen.get("ends", [box.value for box in tab.ends])
    shown = tab.draw(
        {
            tab.section: section,
            tab.trail: Trail(View(ids=chosen.get("results", ()))),
            tab.attribute: "baseColour",
            tab.coloured_by: chosen.get("coloured_by", "baseColour"),
            **dict(zip(tab.ends, ends, strict=True)),
            **dict(zip(tab.filters.boxes, boxes, strict=True)),
        }
    )
    return {
        "status": re.sub("<[^>]+>", "", shown[tab.status]),
        "reset": shown[tab.reset].visible,
        "plots": {
            n: json.loads(shown[c.plot].plot) for n, c in tab.cards.items() if c.plot in shown
        },
        "tables": {n: shown[c.table] for n, c in tab.cards.items() if c.table in shown},
    }


FILTERS = (
    "gender",
    "masterCategory",
    "subCategory",
    "articleType",
    "baseColour",
    "season",
    "usage",
)


def test_the_whole_catalog_is_drawn_once(trends: Trends) -> None:
    first = trends.charts(["colours", "colour_changes"], Question())
    again = trends.charts(["colours", "colour_changes"], Question())
    assert all(first[name] is again[name] for name in first)
    before, after = trends.usual_periods
    ends = [{"min": p.first, "max": p.last} for p in (before, after)]
    usual = Question.of(before=ends[0], after=ends[1])
    assert trends.charts(["colour_changes"], usual)["colour_changes"] is first["colour_changes"]
    other = trends.charts(["colours"], Question(filters=WOMEN))["colours"]
    assert other.table["items"].sum() == 4


def test_page_api_and_downloads_share_the_charts_of_the_catalog_on_show(
    recommender: Recommender, believing: Recommender
) -> None:
    live = Live(recommender)
    service = Service(live)
    first = service.trends
    assert service.trends is first
    live.now = believing
    assert service.trends.recommender is believing
    assert service.trends is not first


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_honours_the_filters(trends: Trends, name: str) -> None:
    chart = trends.charts([name], Question(filters=WOMEN))[name]
    if "items" in chart.table and name != "words":
        most = 4 * (1 if len(chart.table) else 0)
        assert chart.table["items"].sum() <= most
    nothing = trends.charts([name], Question(filters={**WOMEN, "year": {"min": 2017}}))[name]
    assert nothing.nothing == "Nothing to show here, because no item passes the filters."


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"before": {"min": 2011, "max": 2012}}, "both periods"),
        ({"before": {"min": 2012}, "after": {"min": 1, "max": 2}}, "two years"),
        ({"before": {"min": 3, "max": 2}, "after": {"min": 1, "max": 2}}, "not after its last"),
        ({"before": [1, 2], "after": "x"}, "two years"),
        ({"results": "12"}, "list of items' ids"),
        ({"results": [True]}, "list of items' ids"),
        ({"attribute": "price"}, "attribute is one of gender"),
    ],
)
def test_wrong_questions(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(QueryError, match=said):
        Question.of(**asked)


def test_a_table_named_often_is_drawn_once(trends: Trends, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    real = module.draw
    monkeypatch.setattr(module, "draw", lambda *a: drawn.extend(a[1]) or real(*a))
    question = Question.of(filters=WOMEN)
    often = trends.tables(["colours", "season_shares"] * 2500, question)
    assert drawn == ["colours", "season_shares"]
    assert often == trends.tables(["colours", "season_shares"], question)


def test_a_table_asked_for_again_is_not_drawn_again(
    recommender: Recommender, trends: Trends, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    real = module.draw
    monkeypatch.setattr(module, "draw", lambda *a: drawn.extend(a[1]) or real(*a))
    asked: list[dict[str, Any]] = [
        {"filters": WOMEN},
        {"filters": {"gender": ["Men"]}},
        {
            "filters": WOMEN,
            "before": {"min": 2010, "max": 2010},
            "after": {"min": 2011, "max": 2011},
        },
        {},
    ]
    for names in (["colours"], ["colour_changes"], ["colours", "season_shares"]):
        for each in asked:
            fresh = Trends(recommender).tables(names, Question.of(**each))
            assert trends.tables(names, Question.of(**each)) == fresh
            drawn.clear()
            answer = trends.tables(names, Question.of(**each))
            assert answer == fresh
            answer["tables"].clear()  # is its own
            assert trends.tables(names, Question.of(**each)) == fresh
            assert not drawn


def test_what_is_kept_of_tables_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_MAX_BYTES", 250)
    monkeypatch.setattr(kept, "_LARGEST_BYTES", 120)
    made: list[str] = []
    answers = kept.Kept()

    def ask(name: str, size: int = 100) -> None:
        answer = answers.answer([name], lambda: made.append(name) or {name: "x" * (size - 9)})
        assert answer == {name: "x" * (size - 9)}

    for name in ("a", "b", "a", "c", "a"):  # b was asked for longest ago when c came
        ask(name)
    assert made == ["a", "b", "c"]
    ask("b")
    ask("large", 1000)
    ask("large", 1000)
    assert made == ["a", "b", "c", "b", "large", "large"]
    assert answers._bytes == sum(map(len, answers._texts.values())) <= 250


def test_a_file_of_the_whole_catalog_is_made_once(
    recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, str]] = []
    real = downloads._text
    monkeypatch.setattr(downloads, "_text", lambda *a: made.append(a[1:3]) or real(*a))
    service = Service(recommender)
    with TestClient(Starlette(routes=[downloads.download_route(service)])) as client:

        def get(file: str, **ask: Any) -> str:
            answer = client.get(f"/trends/{file}", params={"ask": json.dumps(ask)} if ask else {})
            assert answer.status_code == 200
            named = file.replace(".", "-filtered.") if "filters" in ask else file
            assert answer.headers["content-disposition"] == f'attachment; filename="{named}"'
            return answer.text

        page = get("style_map.html")
        assert page.startswith("<!doctype html>")
        for _ in range(3):
            assert get("style_map.html") == page
            assert get("colours.csv").startswith("baseColour,")
        assert get("style_map.html", attribute="season") != page
        assert made == [("style_map", "html"), ("colours", "csv"), ("style_map", "html")]
        for _ in range(2):
            assert get("colours.csv", filters=WOMEN) != get("colours.csv")
        assert made[3:] == [("colours", "csv")] * 2
        # The next version of the catalog has files of its own.
        fewer = recommender.gallery.frame.copy()
        fewer["baseColour"] = "Red"
        service.live.now = Recommender(
            replace(recommender.gallery, frame=fewer), recommender.encoder
        )
        assert "Blue" not in get("colours.csv")


@pytest.mark.parametrize("packing", ["gzip", "identity"])
def test_a_file_comes_whole_however_it_is_packed(recommender: Recommender, packing: str) -> None:
    with TestClient(Starlette(routes=[downloads.download_route(Service(recommender))])) as client:
        for _ in range(2):
            answer = client.get("/trends/colours.csv", headers={"accept-encoding": packing})
            assert answer.headers.get("content-encoding", "identity") == packing
            assert answer.text.startswith("baseColour,")
            assert answer.headers["vary"] == "accept-encoding"


def test_downloads_share_what_goes_out_a_second() -> None:
    pace, passed = downloads.Pace(bytes_a_second=1000), []

    async def send(name: str, count: int) -> None:
        await pace.wait(count)
        passed.append(name)

    async def all_send() -> float:
        started = asyncio.get_running_loop().time()
        await asyncio.gather(*(send(name, 100) for name in "abc"))
        return asyncio.get_running_loop().time() - started

    assert aside(lambda: asyncio.run(all_send())) >= 0.2, "the third waits for two"
    assert passed == ["a", "b", "c"]


def test_api(live: str) -> None:
    answer = call(live, "trends", WOMEN, [], {}, {})
    assert (answer["schema_version"], answer["items"]) == (1, 4)
    assert set(answer["tables"]) == set(NAMES) - {MAP}, "no row an item unless asked for"
    colours = {row["baseColour"]: row["items"] for row in answer["tables"]["colours"]}
    assert colours == Counter(row[5] for row in ROWS if row[1] == "Women")
    whole = call(live, "trends", {}, ["season_shares"], {}, {})
    assert whole["missing"] | {"season": 1, "year": 1, "usage": 1} == whole["missing"]
    assert list(whole["tables"]) == ["season_shares"]
    periods = {"min": 2011, "max": 2012}, {"min": 2013, "max": 2017}
    changed = call(live, "trends", {}, ["colour_changes"], *periods)
    green = next(r for r in changed["tables"]["colour_changes"] if r["baseColour"] == "Green")
    assert (green["before"], green["after"]) == (1, 1)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (({"gender": ["Nobody"]}, [], {}, {}), "gender has no such value"),
        (({}, ["sales"], {}, {}), "tables is a list of categories"),
        (({}, [], {"min": 1, "max": 2}, {}), "both periods"),
    ],
)
def test_api_told_wrongly(live: str, sent: tuple[Any, ...], said: str) -> None:
    assert said in call(live, "trends", *sent)["error"]


def test_downloads(live: str) -> None:
    asked = {"ask": json.dumps({"filters": WOMEN})}
    table = httpx.get(f"{live}/trends/colours.csv", params=asked)
    assert table.headers["content-type"].startswith("text/csv")
    assert "attachment" in table.headers["content-disposition"]
    counted = pd.read_csv(io.StringIO(table.text)).set_index("baseColour")["items"].to_dict()
    assert counted == Counter(row[5] for row in ROWS if row[1] == "Women")
    assert 'filename="colours-filtered.csv"' in table.headers["content-disposition"]
    said = "gender: Women"
    assert set(pd.read_csv(io.StringIO(table.text))["filters"]) == {said}
    assert f"only {said}" in httpx.get(f"{live}/trends/colours.html", params=asked).text
    assert "filters" not in httpx.get(f"{live}/trends/colours.csv").text
    # Packed by us, for everyone who takes it so.
    plain = {"accept-encoding": "identity"}
    for ask in ({}, asked):
        address = f"{live}/trends/colours.csv"
        packed, whole = (httpx.get(address, params=ask, headers=h) for h in ({}, plain))
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in whole.headers
        assert packed.text == whole.text
        assert packed.headers["vary"] == whole.headers["vary"] == "accept-encoding"
    page = httpx.get(f"{live}/trends/colours.html", params=asked).text
    assert "Plotly.newPlot" in page
    assert "src=" not in page.split("<script>")[0]
    for wrong in ("sales.csv", "colours.exe", "colours"):
        assert httpx.get(f"{live}/trends/{wrong}").status_code == 404
    for ask in ("x", "[]", '{"a": 1}', '{"filters": {"gender": ["x"]}}'):
        answer = httpx.get(f"{live}/trends/colours.csv", params={"ask": ask})
        assert (answer.status_code, answer.text.count(".")) == (400, 1), answer.text


def test_only_the_section_on_show_is_drawn(tab: TrendsTab) -> None:
    shown = draw(tab, "Together")
    assert set(shown["plots"]) == set(shown["tables"])
    assert set(shown["plots"]) == {
        "tree",
        "rings",
        "season_colours",
        "article_usages",
        "colour_clock",
    }
    assert shown["status"] == "13 items"
    assert shown["reset"] is False


def test_filters_narrow_and_can_leave_nothing(tab: TrendsTab) -> None:
    women = draw(tab, "Overview", gender=["Women"])
    assert women["status"] == "4 of 13 items"
    assert women["reset"]
    assert "ask=" in women["tables"]["colours"]
    assert sum(women["plots"]["colours"]["data"][0]["x"]) == 4
    none = draw(tab, "Overview", gender=["Boys"], usage=["Party"])
    assert none["status"] == "No item passes these filters: clear them, or widen one."
    assert none["reset"]
    assert none["plots"]["colours"]["data"] == []
    wrong = draw(tab, "Overview", gender=["Nobody"])
    assert "no such value" in wrong["status"]


def test_periods_of_the_page(tab: TrendsTab) -> None:
    usual = draw(tab, "Over the years")
    assert set(COMPARISONS) < set(usual["plots"])
    other = draw(tab, "Over the years", ends=[2012, 2011, 2014, 2017])
    asked = html.unescape(other["tables"]["colour_changes"])
    ask = json.loads(parse_qs(urlsplit(re.search(r'href="([^"]+)"', asked)[1]).query)["ask"][0])
    assert (ask["before"], ask["after"]) == (
        {"min": 2011, "max": 2012},
        {"min": 2014, "max": 2017},
    )


def test_the_map_through_the_api(live: str, recommender: Recommender) -> None:
    answer = call(live, "trends", WOMEN, [MAP], {}, {}, "year")
    places = recommender.places[[row[0] - 1 for row in ROWS if row[1] == "Women"]]
    assert answer["tables"][MAP] == [
        {"id": row[0], "x": int(x), "y": int(y), "year": int(row[7])}
        for row, (x, y) in zip([r for r in ROWS if r[1] == "Women"], places, strict=True)
    ]
    assert "attribute is one of" in call(live, "trends", {}, [MAP], {}, {}, "price")["error"]


def test_the_map_on_the_page(tab: TrendsTab) -> None:
    drawn = draw(tab, "Style map", gender=["Women"], coloured_by="season")
    assert list(drawn["plots"]) == [MAP]
    assert {trace["name"] for trace in drawn["plots"][MAP]["data"]} == {"Summer", "Fall"}
    assert drawn["plots"][MAP]["config"]["scrollZoom"] is True
    assert '<a href="?item=3">3</a>' in drawn["tables"][MAP]
    assert "season" in html.unescape(drawn["tables"][MAP])


def test_a_map_of_each_attribute_is_drawn_once(trends: Trends) -> None:
    colours, genders = (Question(attribute=name) for name in ("baseColour", "gender"))
    first = trends.charts([MAP], colours)[MAP]
    assert trends.charts([MAP], genders)[MAP] is not first
    assert trends.charts([MAP], colours)[MAP] is first


def test_a_store_without_a_map_says_how_to_get_one(believing: Recommender) -> None:
    chart = Trends(believing).charts([MAP], Question())[MAP]
    assert "no map yet: `python -m scripts.build_index` adds one" in chart.nothing


def test_results_of_a_search(tab: TrendsTab) -> None:
    assert draw(tab, "Your results")["plots"][RESULTS]["data"] == []
    found = tuple(row[0] for row in ROWS if row[4] == "Tshirts")
    shown = draw(tab, "Your results", results=found)
    over = shown["plots"][RESULTS]["data"][0]
    assert over["name"] == "over-represented"
    assert "Tshirts (article type)" in over["y"]


def test_a_table_shows_texts_as_they_are(recommender: Recommender) -> None:
    chart = Trends(recommender).charts(["colours"], Question())["colours"]
    chart.table.iloc[0, 0] = "<script>alert(1)</script>"
    made = table_html(chart, "colours", 'ask="x"')
    assert "<script" not in made
    assert 'ask="x"' not in made
    assert json.loads(plot_of(chart))["config"]["displayModeBar"] is False


def test_searches_and_opened_items_are_counted(recommender: Recommender, tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events")
    service = Service(recommender, events=log)
    path = tmp_path / "tee.jpg"
    path.write_bytes(draw_picture(ROWS[6]))
    service.recommend(str(path), "")
    service.recommend_by_id(5, "")
    service.note("open", 3)
    assert log.read()[["kind", "item"]].to_numpy().tolist() == [
        ["search", 7],
        ["search", 5],
        ["open", 3],
    ]
    charts = Trends(recommender, log).charts(["search_counts", "open_counts"], Question())
    assert set(charts["search_counts"].table["baseColour"]) == {"Red", "Black"}
    only = Question(filters={"gender": ["Men"]}, attribute="articleType")
    narrowed = Trends(recommender, log).charts(["search_counts"], only)["search_counts"]
    assert narrowed.table["articleType"].tolist() == ["Casual Shoes"]
    assert charts["open_counts"].table["day"].tolist() == [1]
    off = Trends(recommender).charts(["search_counts"], Question())["search_counts"]
    assert "no searches in the last month yet" in off.nothing
