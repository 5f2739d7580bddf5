"""Values that no page sends, to every endpoint there is: a sentence, no trace, no long line."""

import json
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from gradio import routes
from starlette.testclient import TestClient

from recommender.ui.server.guard import FAILED, Guard
from recommender.ui.server.logs import LONGEST, JsonLines
from recommender.ui.server.page import WRONG_INPUTS
from recommender.ui.server.shares import Buckets

LONG = "pineapple" * 10_000
HOSTILE: tuple[Any, ...] = (
    None,
    [],
    {},
    [[[]]],
    LONG,
    -1,
    1e308,
    10**30,
    True,
    {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
    {"path": LONG, "url": LONG, "meta": {"_type": "gradio.FileData"}},
    {"__type__": "update", "value": LONG},
    [LONG, {"id": LONG}],
    "\ud800\x00\u202e",
    json.loads("[" * 500 + "]" * 500),
    json.loads('{"a":' * 300 + "1" + "}" * 300),
)
"""Each is given to each parameter of each endpoint."""
_EVENT_DATA: tuple[Any, ...] = (None, {"index": LONG}, {"index": -5, "value": {}}, [], {"id": {}})


@pytest.fixture
def no_noise(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture
) -> Iterator[pytest.LogCaptureFixture]:
    """Fails if a test leaves a trace, or a line that is long or repeats what was sent."""
    caplog.set_level(logging.INFO)
    yield caplog
    lines = [JsonLines().format(record) for record in caplog.records]
    printed = "".join(capfd.readouterr()).splitlines()
    assert not [line for line in printed if "Traceback" in line]
    assert not [line[:200] for line in (*lines, *printed) if len(line) > LONGEST]
    assert not [line[:200] for line in (*lines, *printed) if "pineapple" in line]


@pytest.fixture
def client(live: str) -> Iterator[httpx.Client]:
    """One for all that a test asks: to make one costs more than what is asked here."""
    with httpx.Client(base_url=live, timeout=60) as client:
        yield client


def ask(client: httpx.Client, **body: Any) -> str:
    """What an event of the page is answered, as the stream's text or the refusal's."""
    session = str(body.pop("session_hash", f"s{time.perf_counter_ns()}"))
    asked = client.post(
        "/gradio_api/queue/join",
        content=json.dumps({"session_hash": session, **body}),
        headers={"content-type": "application/json"},
    )
    assert asked.status_code != 500, asked.text
    if asked.status_code != 200:
        return asked.text
    return client.get("/gradio_api/queue/data", params={"session_hash": session}).text


@pytest.mark.usefixtures("no_noise")
def test_every_endpoint_bears_every_value(client: httpx.Client) -> None:
    functions = client.get("/config").json()["dependencies"]
    assert len(functions) > 20
    for at, function in enumerate(functions):
        count = len(function["inputs"])
        for turn, value in enumerate(HOSTILE):
            data = [HOSTILE[(turn + i) % len(HOSTILE)] if i % 2 else value for i in range(count)]
            told = ask(
                client,
                fn_index=function["id"],
                data=data,
                event_data=_EVENT_DATA[(at + turn) % len(_EVENT_DATA)],
                trigger_id=turn,
            )
            assert "pineapple" not in told, told[:300]
            assert FAILED not in told, (function["api_name"], data)


@pytest.mark.parametrize(
    "body",
    [
        {"fn_index": 10**9, "data": []},
        {"fn_index": -1, "data": []},
        {"fn_index": 0, "data": {}},
        {"fn_index": 0, "data": [LONG] * 50},
        {"fn_index": 0, "data": [], "session_hash": "pineapple" * 500},
        {"fn_index": 0, "data": [], "trigger_id": 10**30},
        {"data": []},
        {"fn_index": 1, "data": [], "session_hash": ""},
        {"fn_index": 1, "data": [], "session_hash": "a\x00b"},
    ],
)
@pytest.mark.usefixtures("no_noise")
def test_a_body_that_fits_no_endpoint(body: dict[str, Any], client: httpx.Client) -> None:
    assert "Traceback" not in ask(client, **body)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/component_server/"),
        ("POST", "/gradio_api/process_recording"),
        ("GET", "/gradio_api/proxy=http://127.0.0.1:1/"),
        ("GET", "/gradio_api/stream/a/b/1/playlist.m3u8"),
        ("POST", "/gradio_api/vibe-edit"),
        ("GET", "/gradio_api/custom_component/1/client/component/x.js"),
        ("GET", "/monitoring"),
    ],
)
def test_ways_into_what_the_page_does_not_have(method: str, path: str, live: str) -> None:
    body = {"session_hash": "a", "component_id": 1, "fn_name": "ls", "data": [LONG]}
    answer = httpx.request(method, f"{live}{path}", json=body if method == "POST" else None)
    assert answer.status_code == 404
    assert "/gradio_api/info" in answer.json()["error"]


@pytest.mark.parametrize("sent", [{}, {"pineapple": 1}, {"item_id": 1, "k": 5}, {"item_id": LONG}])
@pytest.mark.parametrize("name", ["item", "recommend", "explain", "trends", "pineapple"])
def test_parameters_by_name_that_fit_no_endpoint(
    name: str, sent: dict[str, Any], client: httpx.Client, no_noise: pytest.LogCaptureFixture
) -> None:
    asked = client.post(f"/gradio_api/call/v2/{name}", json=sent)
    assert asked.status_code in (200, 404, 422)
    assert "pineapple" not in asked.text
    if asked.status_code == 422:
        assert asked.json()["error"] == WRONG_INPUTS
    assert not [record for record in no_noise.records if record.levelno >= logging.ERROR]


PART = b'--x\r\nContent-Disposition: form-data; name="files"'


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("multipart/form-data; boundary=x", PART + b"\r\n\r\nno file\r\n--x--\r\n"),
        ("multipart/form-data; boundary=" + "pineapple" * 100, b"--"),
        ("multipart/form-data; boundary=x", b"--x\r\nA: pineapple\r\n" * 5000),
        ("text/plain", b"pineapple"),
        ("", b""),
    ],
)
def test_an_upload_that_is_none(
    head: str, body: bytes, client: httpx.Client, no_noise: pytest.LogCaptureFixture
) -> None:
    sent = client.post("/gradio_api/upload", content=body, headers={"content-type": head})
    assert 400 <= sent.status_code < 500, sent.text
    assert not [record for record in no_noise.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "path", ["file=http://pineapple.example/x", "file/https://pineapple.example"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_nothing_is_fetched_for_who_names_an_address_as_a_file(
    method: str, path: str, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def resolve(host: str) -> str:
        asked.append(host)
        return "127.0.0.1"

    monkeypatch.setattr("safehttpx.async_validate_url", resolve)
    answer = client.request(method, f"/gradio_api/{path}")
    assert answer.status_code in (404, 405)
    assert not asked


@pytest.mark.usefixtures("no_noise")
def test_of_who_names_itself_at_length_nothing_is_kept(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, wait = list[str](), Buckets.wait

    def noted(buckets: Buckets, visitor: str) -> float:
        kept.append(visitor)
        return wait(buckets, visitor)

    monkeypatch.setattr(Buckets, "wait", noted)
    for session in ("usual", LONG):
        asked = client.post("/gradio_api/call/item", json={"data": [1], "session_hash": session})
        told = client.get(f"/gradio_api/call/item/{asked.json()['event_id']}").text
        assert (WRONG_INPUTS in told) == (session == LONG)
    assert WRONG_INPUTS in ask(client, fn_index=1, data=[], session_hash=LONG)
    assert kept == ["usual"]


def test_an_upload_that_nobody_follows_is_forgotten(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = routes.file_upload_statuses
    monkeypatch.setattr("recommender.ui.server.uploads._FOLLOWED", 2)
    for number in range(5):
        files = {"files": ("a.jpg", b"x")}
        sent = client.post("/gradio_api/upload", params={"upload_id": f"u{number}"}, files=files)
        assert sent.status_code == 200
    assert client.get("/gradio_api/upload_progress", params={"upload_id": "none"}).text
    assert [*progress._statuses] == [*progress._signals] == ["u3", "u4"]
    assert '"done"' in client.get("/gradio_api/upload_progress", params={"upload_id": "u4"}).text
    assert [*progress._statuses] == [*progress._signals] == ["u3"]


def test_an_upload_that_breaks_off(live: str, no_noise: pytest.LogCaptureFixture) -> None:
    host, port = live.removeprefix("http://").split(":")
    head = (
        "POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\nabc'
    )
    for _ in range(3):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(head.encode())
            time.sleep(0.05)
    time.sleep(0.3)
    assert httpx.get(f"{live}/healthz").json()["status"] == "ok"
    assert not [record for record in no_noise.records if record.levelno >= logging.ERROR]


def test_what_an_app_raises_is_one_line_and_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(*_: object) -> None:
        raise ValueError(LONG)

    answer = TestClient(Guard(broken)).get("/")
    assert answer.status_code == 500
    assert answer.json()["error"] == FAILED
    [record] = caplog.records
    line = json.loads(JsonLines().format(record))
    assert line["error"] == "ValueError"
    assert "in broken" in line["at"]
    assert len(JsonLines().format(record)) <= LONGEST
    assert "pineapple" not in JsonLines().format(record)


@pytest.mark.parametrize("message", ["short", LONG, '"\\\n' * 1000, "\x00\u2028" * 1000, "é" * 600])
def test_a_line_is_json_and_short(message: str) -> None:
    record = logging.LogRecord("a.logger" * 50, logging.INFO, "x.py", 1, message, None, None)
    line = JsonLines().format(record)
    assert len(line) <= LONGEST
    assert "\n" not in line
    assert list(json.loads(line)) == ["time", "level", "logger", "message"]
