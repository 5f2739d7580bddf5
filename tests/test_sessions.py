"""What is kept of who came: little while they are there, and nothing of a call that is over."""

import datetime
import gc
import time
import tracemalloc

import gradio as gr
import pytest
from conftest import ROWS
from serving import call, closing_loops

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


def test_what_a_session_changes_is_its_own(page: gr.Blocks, held: Sessions) -> None:
    dropdown, state = parts(page)
    one, other = held["one"], held["other"]
    assert one.blocks_config is other.blocks_config is page.default_config
    assert (one[state], other[state]) == (1, 1)
    one[state] = 2
    changed = gr.Dropdown(["c"], render=False)
    one[dropdown] = changed
    assert (one[state], other[state], held["one"][state]) == (2, 1, 2)
    assert one[dropdown] is changed
    assert other[dropdown] is page.default_config.blocks[dropdown]
    assert held["new"][dropdown] is page.default_config.blocks[dropdown]


def test_the_oldest_go_where_there_are_too_many(held: Sessions) -> None:
    for name in ("one", "two", "three", "one", "four"):
        held[name]
    assert set(held.session_data) == set(held.time_last_used) == {"one", "three", "four"}


def test_what_holds_nothing_goes_when_it_has_been_idle(
    page: gr.Blocks, held: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropdown, state = parts(page)
    held["call"]
    held["page"][state] = 5
    held["changed"][dropdown] = gr.Dropdown(["c"], render=False)
    held.delete_all_expired_state()
    assert set(held.session_data) == {"call", "page", "changed"}
    monkeypatch.setattr(sessions, "IDLE_SECONDS", -1.0)
    held.delete_all_expired_state()
    assert set(held.session_data) == set(held.time_last_used) == {"page", "changed"}
    # Who left is remembered for an hour.
    for name in ("page", "changed"):
        held.session_data[name].is_closed = True
    held.delete_all_expired_state()
    assert set(held.session_data) == {"page"}
    value, _ = held.session_data["page"]._state_ttl[state]
    long_ago = datetime.datetime.now() - datetime.timedelta(seconds=3601)
    held.session_data["page"]._state_ttl[state] = (value, long_ago)
    held.delete_all_expired_state()
    assert not held.session_data
    assert not held.time_last_used


def test_gradio_has_what_a_session_stands_in_for() -> None:
    """Were it to keep more of a session, this one would lack it."""
    with closing_loops(), gr.Blocks(analytics_enabled=False) as blocks:
        gr.State(1)
    theirs = vars(sessions.SessionState(blocks))
    assert set(theirs) == set(vars(Session(blocks))) - {"changed"}


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
