"""Several processes behind one address: what they share, and what each says of what it has not."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import yaml
from conftest import ROWS, draw_picture
from gradio_client import Client, handle_file
from serving import META, call, free_port, serve, upload

from recommender.feedback.events import EventLog
from recommender.search.recommender import Recommender
from recommender.ui.server.page import NOT_HERE

DEPLOY = Path(__file__).parents[1] / "deploy"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


@pytest.fixture
def picture() -> bytes:
    return draw_picture(ROWS[0], (300, 400))


def test_a_picture_that_another_replica_was_shown(
    recommender: Recommender, tmp_path: Path, picture: bytes
) -> None:
    """It is found in a folder that they share, and asked for again where they share none."""
    with (
        serve(recommender, tmp_path / "uploads") as one,
        serve(recommender, tmp_path / "uploads") as other,
    ):
        shown = upload(one, picture)
        assert call(one, "recommend", shown)["results"]
        found = [call(at, "recommend", shown)["results"] for at in (one, other)]
        assert [item["id"] for item in found[0]] == [item["id"] for item in found[1]]
        elsewhere = f"/elsewhere/{Path(shown['path']).parent.name}/picture.jpg"
        said = call(other, "recommend", {"path": elsewhere, "meta": META})
        assert said["error"] == NOT_HERE
        # Of a folder that is called the same there.
        gone = str(Path(shown["path"]).with_name("other.jpg"))
        said = call(other, "recommend", {"path": gone, "meta": META})
        assert said["error"].endswith("it is not here or not any more: show it again.")
        batch = call(other, "recommend_batch", [{"path": elsewhere, "meta": META}])
        assert batch["error"] == NOT_HERE


def test_events_of_several_replicas_are_counted_together(
    recommender: Recommender, tmp_path: Path
) -> None:
    logs = [EventLog(tmp_path / "events") for _ in range(2)]
    with (
        serve(recommender, tmp_path / "a", events=logs[0]) as one,
        serve(recommender, tmp_path / "b", events=logs[1]) as other,
    ):
        for at, item in ((one, 1), (other, 5), (one, 7)):
            call(at, "recommend_by_id", item)
        for log in logs:
            assert log.read()["item"].tolist() == [1, 5, 7]


@pytest.fixture
def proxied(
    recommender: Recommender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Callable[[], None]]]:
    """The address under which the committed file shows two replicas; what ends one of them."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/shop")
    port, text = free_port(), (DEPLOY / "nginx.conf").read_text()
    with ExitStack() as stack:
        running = [ExitStack(), ExitStack()]
        for number, each in enumerate(running, 1):
            stack.enter_context(each)
            address = each.enter_context(serve(recommender, tmp_path / "uploads"))
            replica = f"127.0.0.1:{httpx.URL(address).port}"
            text = text.replace(f"app-{number}:7860", replica)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
        text = text.replace("http {", f"http {{ access_log off; {places}", 1)
        config = tmp_path / "nginx.conf"
        config.write_text(text.replace("listen 80;", f"listen 127.0.0.1:{port};"))
        command = [NGINX, "-p", str(tmp_path), "-c", str(config), "-e", str(tmp_path / "log")]
        process = subprocess.Popen([*command, "-g", f"daemon off; pid {tmp_path}/pid;"])
        try:
            until = time.monotonic() + 30
            while not _listens(f"http://127.0.0.1:{port}") and time.monotonic() < until:
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}/shop", running[1].close
        finally:
            process.terminate()
            process.wait()


def _listens(address: str) -> bool:
    try:
        return httpx.get(f"{address}/shop").status_code == 308
    except httpx.TransportError:
        return False


def test_behind_the_proxy(
    proxied: tuple[str, Callable[[], None]], picture: bytes, tmp_path: Path
) -> None:
    address, end = proxied
    (tmp_path / "tee.jpg").write_bytes(picture)
    page = httpx.get(f"{address}/")
    assert page.status_code == 200
    assert page.headers["set-cookie"].startswith("replica=")
    assert "set-cookie" not in httpx.get(f"{address}/", cookies={"replica": "x"}).headers
    client = Client(address, verbose=False)

    def ask() -> list[int]:
        answer = client.predict(handle_file(tmp_path / "tee.jpg"), api_name="/recommend")
        assert answer["results"][0]["image"].startswith(f"{address}/pictures/")
        assert httpx.get(answer["results"][0]["image"]).status_code == 200
        return [item["id"] for item in answer["results"]]

    found = ask()
    # Browsers, each with a cookie of its own, are somewhere: what one asks for it hears there.
    for cookie in range(8):
        headers = {"Cookie": f"replica={cookie}"}
        asked = httpx.post(f"{address}/gradio_api/call/item", json={"data": [5]}, headers=headers)
        event = f"{address}/gradio_api/call/item/{asked.json()['event_id']}"
        assert "event: complete" in httpx.get(event, headers=headers).text
    end()
    assert ask() == found
    for cookie in range(8):
        assert httpx.get(f"{address}/", cookies={"replica": str(cookie)}).status_code == 200


def test_what_compose_runs_is_what_the_proxy_shows() -> None:
    told = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services, proxy = told["services"], (DEPLOY / "nginx.conf").read_text()
    replicas = [name for name in services if name.startswith("app-")]
    assert len(replicas) == 2
    assert all(f"server {name}:7860;" in proxy for name in replicas)
    assert set(services["proxy"]["depends_on"]) == set(replicas)
    for name in replicas:
        root = services[name]["environment"]["GRADIO_ROOT_PATH"]
        assert f"location {root}/ {{" in proxy
        assert services[name]["environment"]["FASHION_MILVUS_URI"] == "http://milvus:19530"
    [network] = told["networks"]["inside"]["ipam"]["config"]
    trusted = services["app-1"]["environment"]["FASHION_TRUSTED_PROXIES"]
    assert network["subnet"] == trusted
