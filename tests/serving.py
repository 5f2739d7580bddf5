"""The page and its API on a free port of this machine, and what the tests ask of it."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import httpx
import pytest

from recommender.pictures.fetch import FetchPolicy, fetch_image
from recommender.search.recommender import Recommender
from recommender.service.answers import Service
from recommender.ui.app import build_app
from recommender.ui.server.door import OPEN, Door
from recommender.ui.server.server import launch_settings

T = TypeVar("T")
META = {"_type": "gradio.FileData"}


def aside(function: Callable[..., T], *arguments: Any) -> T:
    """In a thread of its own, as a browser's driver may have left a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def serve(
    recommender: Recommender, uploads: Path, *, door: Door = OPEN, **settings: Any
) -> Iterator[str]:
    """Launch, and close cleanly; `uploads` is where visitors' pictures go."""
    with pytest.MonkeyPatch.context() as patch, closing_loops():
        patch.setenv("GRADIO_TEMP_DIR", str(uploads))
        service = Service(recommender, **settings)
        page = build_app(service)
        try:
            _, address, _ = page.launch(
                prevent_thread_lock=True,
                server_name="127.0.0.1",
                server_port=free_port(),
                quiet=True,
                **launch_settings(service, door),
            )
            yield address.rstrip("/")
        finally:
            page.close(verbose=False)


@contextmanager
def closing_loops() -> Iterator[None]:
    """Gradio opens event loops that it neither runs nor closes, which tests take for a leak."""
    made, make = [], asyncio.new_event_loop

    def remember() -> asyncio.AbstractEventLoop:
        made.append(make())
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "new_event_loop", remember)
        yield
    asyncio.set_event_loop(None)
    for loop in made:
        if not loop.is_running():
            loop.close()


def upload(live: str, data: bytes, name: str = "picture.jpg") -> dict[str, Any]:
    """Upload a file; what a call takes for it."""
    answer = httpx.post(f"{live}/gradio_api/upload", files={"files": (name, data)})
    assert answer.status_code == 200, answer.text
    return {"path": answer.json()[0], "meta": META}


def call(live: str, name: str, *data: Any) -> dict[str, Any]:
    """Call an endpoint as curl would: what it answers, or `{"error": sentence}`."""
    # Not httpx's own JSON, which refuses NaN before the server can.
    body = json.dumps({"data": data})
    headers = {"Content-Type": "application/json"}
    asked = httpx.post(f"{live}/gradio_api/call/{name}", content=body, headers=headers)
    if asked.status_code != 200:
        return asked.json()
    event = f"{live}/gradio_api/call/{name}/{asked.json()['event_id']}"
    kind, _, answer = httpx.get(event, timeout=60).text.partition("data: ")
    value = json.loads(answer.strip())
    return value[0] if "complete" in kind else value


@contextmanager
def shop(data: bytes) -> Iterator[str]:
    """A server on loopback, which counts as public, with a picture at `/tee`."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data if self.path == "/tee" else b"<html>")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = Thread(target=server.serve_forever)
    thread.start()
    policy = FetchPolicy(
        allowed_ports=frozenset({server.server_port}), is_allowed=lambda address: True
    )
    try:
        with pytest.MonkeyPatch.context() as patch:
            fetch = partial(fetch_image, policy=policy)
            patch.setattr("recommender.service.addresses.fetch_image", fetch)
            yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
