"""The log of events on a Hub on loopback: private, appended to, and never in anybody's way."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import Hub, Repo, answer, echo, no_token_told, reached_hub

import app
from recommender.errors import HubError, RecommenderError
from recommender.feedback.events import EventLog, files_below
from recommender.feedback.judged import read_feedback
from recommender.hub import log as module
from recommender.hub.log import NAME_FILE, LogPush, keep_pushing, start_pushing

# huggingface_hub uploads plain files in a way that its HTTP client is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

REPO = "shop/feedback"
KEY = f"datasets/{REPO}"


@pytest.fixture
def hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Hub]:
    with reached_hub(monkeypatch, tmp_path) as served, no_token_told(caplog, tmp_path):
        yield served


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return EventLog(tmp_path / "events", max_bytes=500)


pushes: list[LogPush] = []


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    """A push that is left alone would go on, and once more at the end."""
    yield
    while pushes:
        pushes.pop().stop()


def start(hub: Hub, log: EventLog, token: str = "hf_write") -> LogPush:  # noqa: S107
    push = start_pushing(log.folder, REPO, every_minutes=60, token=token, endpoint=hub.address)
    pushes.append(push)
    push.trigger().result(timeout=60)  # after the one that it begins with
    return push


def test_a_log_is_pushed_and_read_back(hub: Hub, log: EventLog, tmp_path: Path) -> None:
    log.write("answer", answer="x", context="", ranking="image", propensities={"image": 1.0})
    push = start(hub, log)
    assert hub.repos[KEY].private
    name = (log.folder / NAME_FILE).read_text()
    assert f"{name}/events.jsonl" in hub.tree(KEY)
    asked = len(hub.repos[KEY].commits)
    push.trigger().result(timeout=60)
    assert len(hub.repos[KEY].commits) == asked, "nothing new, no commit"
    log.write("up", answer="x")
    for item in range(20):
        log.record("search", item)
    push.trigger().result(timeout=60)
    back = tmp_path / "back"
    for path, data in hub.tree(KEY).items():
        (back / path).parent.mkdir(parents=True, exist_ok=True)
        (back / path).write_bytes(data)
    assert not [path for path in hub.tree(KEY) if NAME_FILE in path]
    files = files_below(back)
    assert len(files) > 2, "files that were put aside are there, too"
    [judged] = read_feedback(files).judged
    assert judged.worth == 1
    # The same log goes on under its name; one on another disk has a name of its own.
    push.stop()
    start(hub, log)
    other = EventLog(tmp_path / "other")
    other.record("search", 1)
    start(hub, other)
    assert len({path.split("/")[0] for path in hub.tree(KEY) if "/" in path}) == 2


def test_what_everyone_can_read_gets_nothing(hub: Hub, log: EventLog) -> None:
    hub.repos[KEY] = repo = Repo(private=False)
    repo.commit({})
    log.record("search", 1)
    with pytest.raises(HubError, match="can be read by everyone: make it private"):
        start(hub, log)
    assert hub.tree(KEY) == {}


def test_a_failing_hub_is_in_nobodys_way(
    hub: Hub, log: EventLog, caplog: pytest.LogCaptureFixture
) -> None:
    push = start(hub, log)
    for fault in (answer(403), answer(400), answer(412), echo(403)):  # others it would try for long
        hub.fail(rf"POST /api/{KEY}/(preupload|commit)/", fault, times=50)
        assert log.record("search", 1)
        with caplog.at_level(logging.WARNING):
            assert push.trigger().result(timeout=60) is None
        hub.faults.clear()
    said = [record.getMessage() for record in caplog.records if record.name == module.__name__]
    assert len(said) == 1, "said once"
    assert said[0].startswith("events are not on the Hub yet: ")
    assert "hf_" not in said[0]
    push.end()
    [data] = [data for path, data in hub.tree(KEY).items() if path.endswith(".jsonl")]
    assert data.count(b"search") == 4, "nothing is lost"


def test_it_begins_once_the_hub_is_there(
    log: EventLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_EVERY_MINUTES", 0.0005)
    tried = []

    def begin(folder: Path, repo: str) -> None:
        tried.append((folder, repo))
        if len(tried) < 4:
            raise HubError("The Hub is away.")

    began = time.monotonic()
    keep_pushing(log.folder, REPO, start=begin).join(timeout=20)
    assert tried == [(log.folder, REPO)] * 4
    assert time.monotonic() - began < 20
    assert [record.getMessage() for record in caplog.records].count(
        "events are not pushed to the Hub yet: The Hub is away."
    ) == 1


@pytest.mark.parametrize(
    ("events", "repo", "learns", "said"),
    [
        ("0", "", True, "FASHION_BANDIT needs the log of events"),
        ("0", REPO, False, "FASHION_FEEDBACK_REPO needs the log of events"),
        ("", "shop", False, "is no repo: write OWNER/NAME"),
    ],
)
def test_settings_that_cannot_be(events: str, repo: str, learns: bool, said: str) -> None:
    with pytest.raises(RecommenderError, match=said):
        app.check_feedback(events, repo, learns=learns)
    app.check_feedback("", REPO, learns=True)
    app.check_feedback("0", "", learns=False)
