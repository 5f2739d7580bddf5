"""What is kept of who came: little while they are there, and nothing of a call that is over."""

import asyncio
import gc
import time
import tracemalloc
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from conftest import ROWS, ClocksOf, draw_picture
from serving import call, closing_loops, serve, upload

from recommender.search.recommender import Recommender
from recommender.ui.server import sessions
from recommender.ui.server.sessions import Session, Sessions


@pytest.fixture(scope="module")
def page() -> gr.Blocks:
    with closing_loops(), gr.Blocks(analytics_enabled=False) as blocks:
        gr.Dropdown(["a", "b"], value="a")
        gr.State(1)
    blocks.state_session_capacity = 3
    return blocks


@pytest.fixture
def held(page: gr.Blocks) -> Sessions:
    holder = Sessions()
    holder.set_blocks(page)
    return holder


def parts(page: gr.Blocks) -> tuple[int, int]:
    """The keys of the dropdown and of the state."""
    blocks = page.default_config.blocks
    [dropdown] = [key for key, block in blocks.items() if isinstance(block, gr.Dropdown)]
    [state] = [key for key, block in blocks.items() if isinstance(block, gr.State)]
    return dropdown, state


def test_a_state_is_a_sessions_own_and_the_page_is_everyones(
    page: gr.Blocks, held: Sessions
) -> None:
    dropdown, state = parts(page)
    one, other = held["one"], held["other"]
    assert one.blocks_config is other.blocks_config is page.default_config
    assert (one[state], other[state]) == (1, 1)
    one[state] = 2
    built = page.default_config.blocks[dropdown]
    one[dropdown] = changed = gr.Dropdown(["c"], render=False)
    assert one[dropdown] is changed, "as Gradio takes from it what the page is told"
    assert (one[state], other[state], held["one"][state]) == (2, 1, 2)
    assert one[dropdown] is other[dropdown] is page.default_config.blocks[dropdown] is built


def test_the_oldest_go_where_there_are_too_many(held: Sessions) -> None:
    for name in ("one", "two", "three", "one", "four"):
        held[name]
    assert set(held.session_data) == set(held.time_last_used) == {"one", "three", "four"}


def test_what_holds_nothing_goes_when_it_has_been_idle(
    page: gr.Blocks, held: Sessions, monkeypatch: pytest.MonkeyPatch, clocks_of: ClocksOf
) -> None:
    _, state = parts(page)
    held["call"]
    held["page"][state] = 5
    held.delete_all_expired_state()
    assert set(held.session_data) == {"call", "page"}
    monkeypatch.setattr(sessions, "IDLE_SECONDS", -1.0)
    held.delete_all_expired_state()
    assert set(held.session_data) == set(held.time_last_used) == {"page"}
    # Who left is remembered for an hour, whatever becomes of the clock.
    held.session_data["page"].is_closed = True
    clock, now, clocks = time.time(), time.monotonic(), clocks_of(sessions)
    for days in (-30, 30):
        clocks.time = lambda days=days: clock + days * 86_400
        held.delete_all_expired_state()
        assert set(held.session_data) == {"page"}
    clocks.monotonic = lambda: now + 3601
    held.delete_all_expired_state()
    assert not held.session_data
    assert not held.time_last_used


def test_nothing_is_kept_of_a_call_that_is_answered_or_never_fetched(
    page: gr.Blocks, held: Sessions
) -> None:
    queue = page._queue
    queue.pending_event_ids_session |= {"answered": set(), "waiting": {"x"}, "left": {"y"}}
    queue.pending_messages_per_session["waiting"] = asyncio.Queue()
    held.delete_all_expired_state()
    assert queue.pending_event_ids_session == {"waiting": {"x"}}


def test_an_answer_waits_a_while_for_who_asked_and_less_where_many_wait(
    page: gr.Blocks, held: Sessions, monkeypatch: pytest.MonkeyPatch, clocks_of: ClocksOf
) -> None:
    queue, now = page._queue, [0.0]
    queue.pending_event_ids_session.clear()
    queue.pending_messages_per_session.clear()
    clocks_of(sessions).monotonic = lambda: now[0]
    monkeypatch.setattr(queue, "event_ids_to_events", {"runs": None})

    def ask(session: str, event: str) -> None:
        queue.pending_event_ids_session[session] = {event}
        queue.pending_messages_per_session[session] = asyncio.Queue()

    ask("slow", "runs")
    ask("first", "done")
    for at in (0.0, 20.0, 29.0):
        now[0] = at
        held.delete_all_expired_state()
        assert set(queue.pending_event_ids_session) == {"slow", "first"}
    for number in range(60):
        ask(f"one of many {number}", "done")
    held.delete_all_expired_state()
    assert len(queue.pending_event_ids_session) == 61, "the first has waited for long enough"
    now[0] = 33.0
    held.delete_all_expired_state()
    left = set(queue.pending_event_ids_session)
    assert len(left) == 51
    assert "slow" in left
    assert "first" not in left
    now[0] = 100.0
    held.delete_all_expired_state()
    assert set(queue.pending_event_ids_session) == {"slow"}
    assert set(queue.pending_messages_per_session) == {"slow"}
    queue.pending_event_ids_session.clear()
    queue.pending_messages_per_session.clear()


def test_gradio_has_what_a_session_stands_in_for() -> None:
    """Were it to keep more of a session, this one would lack it."""
    with closing_loops(), gr.Blocks(analytics_enabled=False) as blocks:
        gr.State(1)
    theirs = vars(sessions.SessionState(blocks))
    assert set(theirs) == set(vars(Session(blocks))) - {"_drawn"}


def test_a_call_leaves_next_to_nothing(live: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a session of its own, by curl as by anyone."""
    monkeypatch.setattr(sessions, "IDLE_SECONDS", 0.2)

    def some(count: int) -> None:
        for _ in range(count):
            assert call(live, "item", ROWS[0][0])["item"]["id"] == ROWS[0][0]
        time.sleep(1.5)  # idle sessions are looked for every second

    some(20)
    tracemalloc.start()
    try:
        some(5)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        some(60)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Gradio's queue keeps the last 2,000 calls' mailboxes, and no more.
    assert (after - before) / 60 < 8_000


class Visitor:
    """A page in a browser, as far as the server sees it: loaded, asked, and left."""

    def __init__(self, live: str) -> None:
        self.live = live
        config = httpx.get(f"{live}/config").json()
        self.parts = {part["id"]: part for part in config["components"]}
        self.events = [event for event in config["dependencies"] if event["backend_fn"]]
        self.picture = upload(live, draw_picture(ROWS[0]))

    def visit(self, searches: int) -> None:
        session = f"page-{time.perf_counter_ns()}"
        heartbeat = f"{self.live}/gradio_api/heartbeat/{session}"
        with httpx.Client(timeout=60) as client, client.stream("GET", heartbeat) as alive:
            next(alive.iter_text())
            for event in self.events:
                if any(trigger == "load" for _, trigger in event["targets"]):
                    self._fire(client, session, event)
            picture = next(
                i for i, p in self.parts.items() if p["props"].get("elem_id") == "picture"
            )
            [landed] = [event for event in self.events if event["targets"] == [[picture, "input"]]]
            for _ in range(searches):
                self._fire(client, session, landed)
        time.sleep(0.1)

    def _is_of_the_picture(self, event: dict[str, Any]) -> bool:
        part, how = event["targets"][0]
        return how == "input" and self.parts[part]["props"].get("elem_id") == "picture"

    def _fire(self, client: httpx.Client, session: str, event: dict[str, Any]) -> None:
        parts = [self.parts[part]["props"] for part in event["inputs"]]
        data = [
            self.picture if part.get("elem_id") == "picture" else part.get("value")
            for part in parts
        ]
        asked = {"session_hash": session, "fn_index": event["id"], "data": data}
        assert client.post(f"{self.live}/gradio_api/queue/join", json=asked).status_code == 200
        stream = f"{self.live}/gradio_api/queue/data"
        answer = client.get(stream, params={"session_hash": session}).text
        assert '"success":true' in answer.replace(" ", ""), answer[-300:]


def test_a_page_that_was_left_keeps_its_way_back_and_no_more(
    believing: Recommender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes with the sessions: pandas and others keep some of any call until they tidy up."""
    holders: list[Sessions] = []
    attach = Sessions.set_blocks

    def seen(holder: Sessions, blocks: gr.Blocks) -> None:
        holders.append(holder)
        attach(holder, blocks)

    monkeypatch.setattr(Sessions, "set_blocks", seen)
    # No share for one who is so quick.
    monkeypatch.setattr("recommender.ui.server.page.Buckets.wait", lambda *_: 0.0)
    with serve(believing, tmp_path) as live:
        visitor = Visitor(live)
        visitor.visit(22)
        [held] = {id(each): each for each in holders if each.session_data}.values()
        held.session_data.clear()
        tracemalloc.start()
        try:
            for _ in range(4):
                visitor.visit(22)
            pages = len(held.session_data)
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            held.session_data.clear()
            held.time_last_used.clear()
            held.blocks._queue.pending_messages_per_session.clear()
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert pages == 4
    assert 1_000 < (before - after) / pages < 50_000
