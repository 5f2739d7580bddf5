"""What is kept of a session: its state, and not for good.

Gradio copies the page's whole config for each session, the values of its last answer included, and
each call of the API by curl is a session of its own: 0.4 MB each, of which it keeps ten thousand.
What it copies is there for deep links and rendering anew, which this page does not have, and for
components that check what they are given: here those whose choices change leave that to what
reads them.
"""

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio import routes
from gradio.state_holder import SessionState, StateHolder

IDLE_SECONDS = 600.0
"""So long what has no state is kept after it was used, as its call may still run."""
_UNFETCHED_SECONDS = 30.0
"""So long an answer waits for who asked for it: pages and clients listen before it comes."""
_UNFETCHED, _AT_LEAST_SECONDS = 50, 3.0
"""Of so many sessions, and where there are more, so long: an answer may take megabytes."""


class Session(SessionState):
    """A session that shares the page as it was built."""

    def __init__(self, blocks: gr.Blocks) -> None:
        """The parent's attributes without its copies; not its `__init__`, which makes them."""
        self.blocks_config = blocks.default_config
        self.config_values: dict[int, Any] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, Any] = {}
        self._drawn: tuple[int, Any] | None = None
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = 3600

    def __setitem__(self, key: int, value: Any) -> None:
        """Keep what is state; how a component looks, the page itself knows once it is told."""
        block = self.blocks_config.blocks.get(key)
        if isinstance(block, gr.State):
            self._state_ttl[key] = (block.time_to_live, time.monotonic())
            self.state_data[key] = value
        else:
            self._drawn = key, value

    def __getitem__(self, key: int) -> Any:
        """Gradio puts a component that changes here, and takes it at once to tell the page."""
        if self._drawn is not None and self._drawn[0] == key:
            (_, drawn), self._drawn = self._drawn, None
            return drawn
        return super().__getitem__(key)

    @property
    def state_components(self) -> Iterator[tuple[Any, Any, bool]]:
        """Each state, its value and whether its time is up, whatever becomes of the clock."""
        now, blocks = time.monotonic(), self.blocks_config.blocks
        for key, (seconds, since) in self._state_ttl.items():
            seconds = self.STATE_TTL_WHEN_CLOSED if self.is_closed else seconds
            if key in self.state_data:
                yield blocks[key], self.state_data[key], now - since > seconds

    def _update_config(self, key: int) -> None:
        """Nothing is rendered anew."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """No link leads into an answer."""


class Sessions(StateHolder):
    """The sessions that have a state, and those of this moment."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.time_last_used: dict[str, float] = {}  # type: ignore[assignment]
        self._unfetched: dict[str, float] = {}  # the longest first

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = Session(self.blocks)
        self.update(session_id)
        self.time_last_used[session_id] = time.monotonic()
        return self.session_data[session_id]

    def let_go(self, session_id: str) -> None:
        """Keep nothing of a session that asks no more."""
        self.session_data.pop(session_id, None)
        self.time_last_used.pop(session_id, None)

    def delete_all_expired_state(self) -> None:
        """Called every second, so of thousands of calls none is looked at for long."""
        until = time.monotonic() - IDLE_SECONDS
        for session_id, session in list(self.session_data.items()):
            if session.state_data:
                self.delete_state(session_id, expired_only=True)
            if not session.state_data and self.time_last_used[session_id] < until:
                self.let_go(session_id)
        self._forget_answered()

    def _forget_answered(self) -> None:
        """Gradio keeps for good whose call it was that was answered, or never fetched."""
        queue = self.blocks._queue
        asked, mailboxes = queue.pending_event_ids_session, queue.pending_messages_per_session
        for session_id in [name for name, left in asked.items() if not left]:
            del asked[session_id]
        running = queue.event_ids_to_events.keys()
        answered = {name for name, left in asked.items() if left and running.isdisjoint(left)}
        now = time.monotonic()
        before = {name: at for name, at in self._unfetched.items() if name in answered}
        self._unfetched = {**before, **dict.fromkeys(answered - before.keys(), now)}
        for place, (session_id, since) in enumerate([*self._unfetched.items()]):
            few = len(self._unfetched) - place <= _UNFETCHED
            if now - since > (_UNFETCHED_SECONDS if few else _AT_LEAST_SECONDS):
                mailboxes.pop(session_id, None)
        for session_id in asked.keys() - mailboxes.keys():  # of which too many came since
            del asked[session_id]


def keep_sessions_small() -> None:
    """Let apps that are launched from now on keep their sessions so."""
    routes.StateHolder = Sessions  # type: ignore[attr-defined]


def page_of(request: gr.Request | None) -> str:
    """What chance called the page that asks, which it forgets when it is closed; empty for none."""
    return str(getattr(request, "session_hash", None) or "")
