"""`/gradio_api/call/NAME` of the API's endpoints: a POST asks and is given a name, a GET tells.

What is sent and said is as Gradio has it. Gradio's own goes through what a page needs: a queue that
says who is next, four checks of one body, a copy of each answer. That took three times as long of
the one thread that serves everyone, and what nobody fetched was kept, whatever room it took.
"""

import asyncio
import json
import secrets
import time
from collections import OrderedDict
from typing import Any

import gradio as gr
from gradio.utils import error_payload
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from recommender.ui.server.lifespan import beside
from recommender.ui.server.page import Page
from recommender.ui.server.refusals import refusal
from recommender.ui.server.turns import FULL

WRONG_BODY = 'The body is JSON such as {"data": [12, 5]}: the parameters, in order.'
ENDING = "The server is about to end: ask again in a minute."

_HEARTBEAT_SECONDS = 15.0
_KEPT_SECONDS = 300.0
_KEPT_BYTES = 64 * 2**20
_STREAM = [(b"content-type", b"text/event-stream; charset=utf-8")]


class Calls:
    """Questions that were asked and not yet told. Of one event loop.

    What nobody fetches goes after five minutes, or where the others take more than 64 MB.
    """

    def __init__(self) -> None:
        self._begun: dict[str, asyncio.Task[None]] = {}
        self._ready: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0

    def routes(self) -> list[Route]:
        """Both, which leave to Gradio what is no endpoint of the API and what it began itself."""
        path = "/gradio_api/call/{name}"
        return [
            _Ours(path, self._ask, self._is_ours, methods=["POST"]),
            _Ours(path + "/{event}", self._tell, self._is_ours, methods=["GET"]),
        ]

    def _is_ours(self, scope: Scope, name: str, event: str | None) -> bool:
        page = scope["app"].get_blocks()
        if event is not None:
            return event in self._begun or event in self._ready
        return isinstance(page, Page) and name in page.endpoints

    async def _ask(self, request: Request) -> Response:
        page: Page = request.app.get_blocks()
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            body = json.loads(await request.body())
            data, session = body["data"], body.get("session_hash")
            if not (
                kind.startswith("application/")
                and kind.endswith(("/json", "+json"))
                and isinstance(data, list)
                and isinstance(session, str | None)
            ):
                raise TypeError
        except (ValueError, TypeError, KeyError, RecursionError):
            return refusal(WRONG_BODY, 422)
        if page.is_ending:
            return refusal(ENDING, 503)
        if page.turns.full:
            return refusal(FULL, 503)
        event = secrets.token_hex(16)
        asks = gr.Request(request=request, session_hash=session or event)
        answering = self._answer(event, page, request.path_params["name"], data, asks)
        self._begun[event] = asyncio.create_task(answering)
        return _json({"event_id": event})

    async def _answer(
        self, event: str, page: Page, name: str, data: list[Any], asks: gr.Request
    ) -> None:
        try:
            told = await page.answer(page.endpoints[name], data, asks, _complete)
        except gr.Error as error:
            told = _event("error", error_payload(error, page.show_error))
        finally:
            del self._begun[event]
        self._ready[event] = time.monotonic(), told
        self._bytes += len(told)
        oldest = time.monotonic() - _KEPT_SECONDS
        while self._bytes > _KEPT_BYTES or next(iter(self._ready.values()))[0] < oldest:
            self._take(next(iter(self._ready)))

    def _take(self, event: str) -> bytes:
        _, told = self._ready.pop(event)
        self._bytes -= len(told)
        return told

    async def _tell(self, request: Request) -> Response:
        return _Told(self, request.path_params["event"])

    async def tell(self, event: str, receive: Receive, send: Send) -> None:
        """The answer as soon as it is there, and a heartbeat now and then until it is."""
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM})
        if (answering := self._begun.get(event)) is not None:
            async with beside(_left(receive)) as left:
                while not answering.done():
                    waits_for = {answering, left}
                    done, _ = await asyncio.wait(
                        waits_for, timeout=_HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
                    )
                    if left in done:
                        answering.cancel()
                        return
                    if not done:
                        beat = {"body": _event("heartbeat", None), "more_body": True}
                        await send({"type": "http.response.body", **beat})
        told = self._take(event) if event in self._ready else b""
        await send({"type": "http.response.body", "body": told})


class _Ours(Route):
    """A route for some of the paths that it matches."""

    def __init__(self, path: str, endpoint: Any, is_ours: Any, *, methods: list[str]) -> None:
        super().__init__(path, endpoint, methods=methods)
        self._is_ours = is_ours

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is Match.FULL:
            named = child["path_params"]
            if not self._is_ours(scope, named["name"], named.get("event")):
                return Match.NONE, {}
        return match, child


class _Told(Response):
    """An answer that is streamed when it comes."""

    def __init__(self, calls: Calls, event: str) -> None:
        super().__init__()
        self._calls, self._event = calls, event

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._calls.tell(self._event, receive, send)


async def _left(receive: Receive) -> None:
    """Is done when who asked has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _complete(answer: Any) -> bytes:
    return _event("complete", [answer])


def _event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def _json(content: Any) -> Response:
    return Response(json.dumps(content), media_type="application/json")
