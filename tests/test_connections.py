"""What a connection may take before it asks, and after: a head of so much, and not for ever."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest
from conftest import ROWS

from recommender.ui.server import connections
from recommender.ui.server.connections import TOO_LONG

ASK = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


@contextmanager
def connected(address: str, *, room: int = 0) -> Iterator[socket.socket]:
    """A connection; who connects has so little room for answers."""
    url = httpx.URL(address)
    with socket.socket() as connection:
        if room:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        connection.connect((url.host, url.port))
        connection.settimeout(30)
        yield connection


def told(connection: socket.socket) -> bytes:
    """All that comes until the other side ends."""
    parts = []
    try:
        while part := connection.recv(2**16):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


@pytest.mark.parametrize(
    "endless", [b"A: " + b"y" * 200, b"y" * 200, b"A: b\r\n" * 40], ids=["value", "name", "many"]
)
def test_a_head_that_does_not_end_is_refused_and_nobody_waits(live: str, endless: bytes) -> None:
    before = httpx.get(f"{live}/healthz").json()["memory_bytes"]
    with connected(live) as connection:
        sent = 0
        connection.sendall(ASK)
        with suppress(ConnectionError):
            while sent < 64 * 2**20:
                connection.sendall(endless * 500)
                sent += 500 * len(endless)
        assert sent < 8 * 2**20
    after = httpx.get(f"{live}/healthz").json()["memory_bytes"]
    assert after - before < 16 * 2**20


def test_a_long_head_is_answered_and_a_longer_one_by_a_sentence(live: str) -> None:
    with connected(live) as connection:
        for _ in range(3):  # each by itself
            connection.sendall(ASK + b"A: " + b"y" * 50_000 + b"\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):
                answer += connection.recv(2**16)
            assert answer.startswith(b"HTTP/1.1 200")
        connection.sendall(ASK + b"A: " + b"y" * 60_000)
        time.sleep(0.3)
        connection.sendall(b"y" * 10_000)
        assert told(connection).endswith(TOO_LONG.encode())


def test_a_large_body_is_no_head(live: str) -> None:
    body = json.dumps({"data": [ROWS[0][0]]}).encode() + b" " * 300_000
    asked = httpx.post(
        f"{live}/gradio_api/call/item", content=body, headers={"content-type": "application/json"}
    )
    assert asked.status_code == 200


@pytest.mark.parametrize(
    ("limit", "sent"),
    [
        ("_HEAD_SECONDS", b""),
        ("_HEAD_SECONDS", ASK),
        ("_HEAD_SECONDS", ASK + b"\r\n" + ASK),
        ("_BODY_SECONDS", ASK.replace(b"GET", b"POST") + b"Content-Length: 9\r\n\r\nx"),
    ],
    ids=["nothing", "half a head", "half of a second head", "half a body"],
)
def test_who_begins_and_does_not_end_is_left(
    live: str, limit: str, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, limit, 0.5)
    with connected(live) as connection:
        connection.sendall(sent)
        began = time.monotonic()
        told(connection)
        assert time.monotonic() - began < 20


def test_who_asks_in_time_is_answered_for_as_long_as_it_takes(
    live: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_HEAD_SECONDS", 0.5)
    monkeypatch.setattr(connections, "_BODY_SECONDS", 0.5)
    with connected(live) as connection:
        connection.sendall(b"GET /gradio_api/heartbeat/one HTTP/1.1\r\nHost: localhost\r\n\r\n")
        heard = b""
        while b"ALIVE" not in heard:  # in however many pieces it comes
            heard += (piece := connection.recv(2**16))
            assert piece
        time.sleep(1.5)
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):  # which is there, and has nothing to say
            connection.recv(2**16)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such limit")
def test_who_does_not_take_an_answer_is_left(live: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_TAKEN_SECONDS", 0.5)
    with connected(live, room=4096) as connection:
        connection.sendall(b"GET /config HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
        time.sleep(4)
        assert len(told(connection)) < 20 * 200_000, "what it is too late for never comes"
