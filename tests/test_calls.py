"""An endpoint by curl: a POST asks, a GET tells, each in its turn; nothing is kept for long."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import httpx
import pytest
from conftest import ROWS
from counting import AtOnce
from serving import call, serve

from recommender.search.recommender import Recommender
from recommender.ui.server import calls, turns
from recommender.ui.server.calls import Calls
from recommender.ui.server.turns import AT_ONCE, FULL, Turns


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[Calls]:
    """Those of apps that are launched from now on."""
    made: list[Calls] = []
    routes = Calls.routes

    def noted(each: Calls) -> object:
        made.append(each)
        return routes(each)

    monkeypatch.setattr(Calls, "routes", noted)
    return made


@pytest.fixture
def address(
    held: list[Calls], recommender: Recommender, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with serve(recommender, tmp_path_factory.mktemp("uploads")) as address:
        yield address


def asked(address: str, name: str, *data: object) -> str:
    answer = httpx.post(f"{address}/gradio_api/call/{name}", json={"data": data})
    return str(answer.json()["event_id"])


def told(address: str, name: str, event: str) -> str:
    return httpx.get(f"{address}/gradio_api/call/{name}/{event}").text


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_is_told_is_told_once_and_no_more_is_kept(held: list[Calls], address: str) -> None:
    event = asked(address, "item", ROWS[0][0])
    kind, _, answer = told(address, "item", event).partition("\ndata: ")
    assert kind == "event: complete"
    assert json.loads(answer)[0]["item"]["id"] == ROWS[0][0]
    kind, _, answer = told(address, "item", asked(address, "item", 999)).partition("\ndata: ")
    assert kind == "event: error"
    assert json.loads(answer)["error"].startswith("The catalog has no item")
    assert "complete" not in told(address, "item", event)
    [mine] = held
    assert not mine._begun
    assert not mine._ready
    assert mine._bytes == 0


def test_what_nobody_fetches_is_not_kept_for_long(
    held: list[Calls], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [mine] = held
    one = len(told(address, "item", asked(address, "item", ROWS[0][0])))
    monkeypatch.setattr(calls, "_KEPT_BYTES", 3 * one)
    events = []
    for _ in range(5):
        events.append(asked(address, "item", ROWS[0][0]))
        until(lambda: not mine._begun)
    assert list(mine._ready) == events[2:]
    assert mine._bytes == 3 * one
    monkeypatch.setattr(calls, "_KEPT_SECONDS", 0.0)
    last = asked(address, "item", ROWS[0][0])
    until(lambda: list(mine._ready) in ([last], []))


def test_who_leaves_before_it_was_begun_is_not_answered(
    held: list[Calls], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    [mine] = held
    monkeypatch.setattr(calls, "_HEARTBEAT_SECONDS", 0.05)
    begun, go, count = threading.Semaphore(0), threading.Event(), []

    def item(*_: object) -> dict:
        count.append(1)
        begun.release()
        assert go.wait(30)
        return {}

    monkeypatch.setattr("recommender.service.answers.Service.item", item)
    events = [asked(address, "item", 1) for _ in range(AT_ONCE + 1)]
    for _ in range(AT_ONCE):
        assert begun.acquire(timeout=30)
    stream = f"{address}/gradio_api/call/item/{events[-1]}"
    with httpx.stream("GET", stream) as waiting:
        assert next(waiting.iter_text()).startswith("event: heartbeat\n")
    until(lambda: events[-1] not in mine._begun)
    go.set()
    assert "complete" in told(address, "item", events[0])
    until(lambda: not mine._begun)
    assert len(count) == AT_ONCE


def test_too_many_are_told_to_come_again(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_WAITING", 0)
    answer = httpx.post(f"{address}/gradio_api/call/item", json={"data": [1]})
    assert answer.status_code == 503
    assert answer.json()["error"] == FULL


def test_pages_and_curls_questions_are_answered_alike(address: str) -> None:
    """As Gradio's client asks, by its queue."""
    config = httpx.get(f"{address}/config").json()["dependencies"]
    index = next(each["id"] for each in config if each["api_name"] == "recommend_by_id")
    body = {"session_hash": "one", "fn_index": index, "data": [ROWS[0][0], 3]}
    httpx.post(f"{address}/gradio_api/queue/join", json=body)
    stream = httpx.get(f"{address}/gradio_api/queue/data", params={"session_hash": "one"}).text
    messages = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
    [answer] = [each["output"]["data"][0] for each in messages if "output" in each]
    assert answer["results"] == call(address, "recommend_by_id", ROWS[0][0], 3)["results"]


def test_first_come_first_served_and_so_many_at_once() -> None:
    order: list[int] = []
    working = AtOnce()

    def work(number: int) -> int:
        with working.one_more():
            order.append(number)
            time.sleep(0.002)
        return number

    async def ask() -> list[int]:
        queue = Turns()
        each = [queue.do(lambda n=n: work(n)) for n in range(100)]  # type: ignore[misc]
        return await asyncio.gather(*each)

    with ThreadPoolExecutor(1) as aside:
        assert aside.submit(asyncio.run, ask()).result() == list(range(100))
    assert working.most <= AT_ONCE
    assert all(abs(at - number) < AT_ONCE for at, number in enumerate(order))


def test_who_waits_for_others_takes_no_place() -> None:
    async def ask() -> int:
        queue, go = Turns(), threading.Event()
        slow = [asyncio.create_task(queue.do(go.wait, aside=True)) for _ in range(AT_ONCE + 5)]
        await asyncio.sleep(0)
        told = await asyncio.wait_for(queue.do(lambda: 5), 30)
        go.set()
        await asyncio.gather(*slow)
        return told

    with ThreadPoolExecutor(1) as aside:
        assert aside.submit(asyncio.run, ask()).result() == 5


def test_who_is_not_waited_for_any_more_keeps_the_place_until_the_thread_is_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ask() -> None:
        queue, begun, go = Turns(), threading.Event(), threading.Event()
        queue._turns = asyncio.Semaphore(1)

        def work() -> None:
            begun.set()
            assert go.wait(30)

        first = asyncio.create_task(queue.do(work))
        await asyncio.to_thread(begun.wait, 30)
        monkeypatch.setattr(turns, "_WAITING", 1)
        second = asyncio.create_task(queue.do(lambda: None))
        await asyncio.sleep(0)
        with pytest.raises(gr.Error, match="Too many"):
            await queue.do(lambda: None)
        first.cancel()
        await asyncio.sleep(0.05)
        assert not first.done()
        assert not second.done()
        go.set()
        await second
        assert first.cancelled()

    with ThreadPoolExecutor(1) as aside:
        aside.submit(asyncio.run, ask()).result()
