"""`app.py` as a process: what it says when it cannot start, and how it ends."""

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio
import httpx
import pytest
from conftest import ROWS, build_store, draw_picture, open_store, write_archive
from serving import call, closing_loops, free_port, upload

import app
from recommender.service.live import Live
from recommender.store.manifest import MANIFEST_FILE
from recommender.ui.server import uploads
from recommender.ui.server.interfaces import draw_no_interfaces
from recommender.ui.server.page import Page

ROOT = Path(app.__file__).parent


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, *argv: str) -> str:
    """Start, expect exit code 1, and return the one sentence of why."""
    monkeypatch.delenv("FASHION_DATA", raising=False)
    port = [] if "--port" in argv else ["--port", str(free_port())]
    assert app.main([*argv, *port]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: ")
    assert lines[0].endswith(".")
    return lines[0]


def test_a_port_of_the_environment_gets_the_same_sentence() -> None:
    environment = os.environ | {"GRADIO_SERVER_PORT": "abc"}
    command = [sys.executable, "app.py"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "a port is a number from 1 to 65535" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_a_host_with_colons(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    asked = {}

    def launch(_: object, **settings: Any) -> None:
        asked.update(settings)

    monkeypatch.setattr(Page, "launch", launch)
    monkeypatch.setattr(app, "open_live", lambda *_, **__: Live(open_store(store)))
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    port = free_port()
    with closing_loops():
        assert app.main(["--data", str(store), "--host", host, "--port", str(port)]) == 0
    assert (asked["server_name"], asked["server_port"]) == ("[::1]", port)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="users are POSIX's")
def test_uploads_have_a_folder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first = uploads._own_folder()
    assert first == uploads._own_folder()
    assert first.stat().st_mode & 0o077 == 0
    # Whoever came first and took the name: another user, or a link that leads elsewhere.
    monkeypatch.setattr(os, "getuid", lambda: first.stat().st_uid + 1)
    (tmp_path / f"fashion-recommender-{os.getuid()}").mkdir()
    (tmp_path / "elsewhere").mkdir()
    second = uploads._own_folder()
    assert second.parent == tmp_path
    assert second.name != f"fashion-recommender-{os.getuid()}"
    monkeypatch.setattr(os, "getuid", lambda: first.stat().st_uid)
    first.rmdir()
    first.symlink_to(tmp_path / "elsewhere")
    assert uploads._own_folder() not in (first, tmp_path / "elsewhere")


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
    assert app.main(["--port", str(free_port())]) == 1
    assert "named here" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["99999", "0x50", "-1", "http"])
def test_a_port_that_is_none(port: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="2"):
        app.main(["--data", str(tmp_path), "--port", port])
    assert "port" in capsys.readouterr().err


def test_an_origin_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    for wrong in ("shop.example", "javascript://x", 'https://a"><script>', "https://a b"):
        monkeypatch.setenv("FASHION_ORIGIN", wrong)
        with pytest.raises(SystemExit, match="2"):
            app.main(["--data", str(tmp_path)])
        assert "FASHION_ORIGIN is a scheme and a host such as" in capsys.readouterr().err


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
import app
from conftest import open_store
from recommender.service import open as service
service.load_recommender = open_store
{more}
sys.exit(app.main())
"""


_MAKE_READY = """
from conftest import TinyEncoder
from recommender.encoding.encoder import load_encoder
class Encoder(TinyEncoder):
    def make_ready(self, stop=None):
        network = load_encoder("fashion", device="cpu")
        print("makes ready", flush=True)
        network.make_ready(stop)
service.load_recommender = lambda store, **how: open_store(store, Encoder(), **how)
"""


@contextlib.contextmanager
def started(
    store: Path, tmp_path: Path, more: str = "", **environment: str
) -> Iterator[tuple[subprocess.Popen, str, Path]]:
    """`app.py` in a process of its own, once it serves: the process, its address and its log."""
    port = free_port()
    code = _SERVE.format(root=str(ROOT), tests=str(ROOT / "tests"), more=more)
    command = [sys.executable, "-c", code, "--data", str(store), "--port", str(port)]
    # The store is every test's: what is looked for here is not logged in it.
    settings = {"TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1", "FASHION_EVENTS": "0"}
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            command, env={**os.environ, **settings, **environment}, stdout=file, stderr=file
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 240
        ready = False
        while not ready and process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                ready = httpx.get(f"{address}/gradio_api/info").is_success
            time.sleep(0.2)
        assert ready, log.read_text()
        # The server answers before the launch is through; its last line says that it waits now.
        while "share=True" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(0.5)
        yield process, address, log
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for a child")
@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_told_to_end_it_ends_quietly(store: Path, tmp_path: Path, told: signal.Signals) -> None:
    with started(store, tmp_path) as (process, address, log):
        process.send_signal(told)
        process.wait(timeout=60)
        output = log.read_text()
    assert process.returncode == 0, output
    assert "Traceback" not in output
    assert address.removeprefix("http://") in output


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM for a child")
def test_what_is_made_ready_at_ease_ends_first(store: Path, tmp_path: Path) -> None:
    """Python would stop it within PyTorch, which aborts the process."""
    with started(store, tmp_path, _MAKE_READY) as (process, _, log):
        deadline = time.monotonic() + 60
        while "makes ready" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.2)
        process.terminate()
        process.wait(timeout=60)
        output = log.read_text()
    assert process.returncode == 0, output
    assert "makes ready" in output
    assert "terminate called" not in output


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM for a child")
def test_what_was_begun_is_answered(store: Path, tmp_path: Path) -> None:
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "spaces.py").write_text(
        "import time\n"
        "def GPU(function):\n"
        "    def slow(pictures, asked):\n"
        "        print('begun', flush=True)\n"
        "        time.sleep(4)\n"
        "        return function(pictures, asked)\n"
        "    return slow\n"
    )
    with started(store, tmp_path, PYTHONPATH=str(tmp_path / "path")) as (process, address, log):
        shown = upload(address, draw_picture(ROWS[0]))
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(call, address, "recommend", shown, 5, {}, "", False, "auto")
            deadline = time.monotonic() + 60
            while "begun" not in log.read_text() and time.monotonic() < deadline:
                time.sleep(0.1)
            time.sleep(1.5)  # by now its answer is waited for, by a request of its own
            process.terminate()
            assert len(answer.result()["results"]) == 5
        assert process.wait(timeout=10) == 0
        with pytest.raises(httpx.TransportError):
            httpx.get(address)


def test_where_zerogpu_is_only_the_network_asks_for_it(store: Path, tmp_path: Path) -> None:
    (tmp_path / "path").mkdir()
    changing = shutil.copytree(store, tmp_path / "store")
    (tmp_path / "path" / "spaces.py").write_text(
        "import sys\n"
        "assert 'torch' not in sys.modules\n"
        "def GPU(function):\n"
        "    def borrowed(pictures, asked):\n"
        "        print('borrowed for', len(pictures), flush=True)\n"
        "        return function(pictures, asked)\n"
        "    return borrowed\n"
    )
    with started(changing, tmp_path, PYTHONPATH=str(tmp_path / "path")) as (_, address, log):
        assert call(address, "recommend_by_id", 5)["results"]
        assert "borrowed" not in log.read_text()
        shown = upload(address, draw_picture(ROWS[0]))
        assert call(address, "recommend", shown, 5, {}, "", False, "auto")["results"]
        assert log.read_text().count("borrowed for 1") == 1
        # A new version of the store is served the same way.
        build_store(changing, write_archive(tmp_path / "fewer.zip", ROWS[:5]))
        deadline = time.monotonic() + 60
        while "has a new version" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert "has a new version: 5 items" in log.read_text()
        assert call(address, "recommend", shown, 5, {}, "", False, "auto")["results"]
        assert log.read_text().count("borrowed for 1") == 2


def test_gradio_draws_no_interface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    draw_no_interfaces()
    finder = sys.meta_path[0]
    assert finder.find_spec("gradio.blocks", gradio.__path__) is None
    spec = finder.find_spec("gradio.component_meta", gradio.__path__)
    assert spec is not None
    meta = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(meta)
    source = tmp_path / "own.py"
    source.write_text("class Own:\n    pass\n")
    own = importlib.util.spec_from_file_location("own", source)
    module = importlib.util.module_from_spec(own)
    own.loader.exec_module(module)
    meta.create_or_modify_pyi(module.Own, "Own", [])
    assert not source.with_suffix(".pyi").exists()


def test_a_server_is_made_once_it_serves() -> None:
    with closing_loops():
        with Page(analytics_enabled=False) as page:
            assert page.app is None
        assert page.queue(max_size=3).app is None
        with gradio.Blocks(analytics_enabled=False) as others:
            pass
        assert others.app is not None
