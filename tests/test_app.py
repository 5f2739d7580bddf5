"""`app.py` as a process: what it says when it cannot start, and how it ends."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from serving import free_port

import app
from recommender.store import MANIFEST_FILE

ROOT = Path(app.__file__).parent


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, *argv: str) -> str:
    """Start, expect exit code 1, and return the one sentence of why."""
    monkeypatch.delenv("FASHION_DATA", raising=False)
    assert app.main(list(argv)) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    assert lines[0].endswith(".")
    return lines[0]


def test_a_missing_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    text = refused(monkeypatch, capsys, "--data", str(tmp_path / "none"))
    assert "build_catalog" in text


def test_a_half_built_store(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    half = tmp_path / "half"
    shutil.copytree(store, half)
    (half / MANIFEST_FILE).unlink()
    assert "build_index" in refused(monkeypatch, capsys, "--data", str(half))


def test_a_broken_manifest(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(store, broken)
    for text in ("{", "[]", "{}", json.dumps({"schema_version": 99})):
        (broken / MANIFEST_FILE).write_text(text)
        refused(monkeypatch, capsys, "--data", str(broken))


def test_the_environment_names_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("FASHION_DATA", str(tmp_path / "named here"))
    assert app.main([]) == 1
    assert "named here" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["99999", "0x50", "-1", "http"])
def test_a_port_that_is_none(port: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="2"):
        app.main(["--data", str(tmp_path), "--port", port])
    assert "port" in capsys.readouterr().err


def test_the_port_is_taken(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        text = refused(monkeypatch, capsys, "--data", str(store), "--port", str(port))
    assert str(port) in text


_SERVE = """
import signal
import sys
# A shell that runs the tests in the background makes its children ignore the interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
sys.path[:0] = [{root!r}, {tests!r}]
from conftest import open_store
import app
app.load_recommender = open_store
sys.exit(app.main())
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for a child")
def test_an_interrupt_ends_it_quietly(store: Path, tmp_path: Path) -> None:
    port = free_port()
    code = _SERVE.format(root=str(ROOT), tests=str(ROOT / "tests"))
    command = [sys.executable, "-c", code, "--data", str(store), "--port", str(port)]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    try:
        deadline = time.monotonic() + 240
        ready = False
        while not ready and process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                ready = httpx.get(f"http://127.0.0.1:{port}/gradio_api/info").is_success
            time.sleep(0.2)
        assert ready
        # The server answers before the launch is through; its last line says that it waits now.
        while "share=True" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
    output = log.read_text()
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert f"127.0.0.1:{port}" in output
