"""A disk that takes no more, or a folder nothing: one sentence, and nothing is lost.

What a process may write to one file is limited, which the kernel enforces whoever writes: Python,
Arrow, safetensors or FAISS.
"""

import json
import os
import resource
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import ROWS, TinyEncoder, build_store, draw_picture, open_store, write_archive
from hub_server import Hub
from huggingface_hub import constants
from kills import build, forked, update
from serving import call, serve
from test_hub import REPO, accept, hub, pull, push
from test_kills import OTHERS, content
from test_views import VIEWS, write

from recommender.errors import RecommenderError
from recommender.feedback.events import EventLog, read_lines
from recommender.feedback.judged import Ranked
from recommender.hub.hub import Address, pull_store
from recommender.index.faiss import IndexConfig
from recommender.service.feedback import FeedbackDesk
from recommender.store.build import build_store as build_index
from recommender.store.build import former_store
from recommender.store.store import Store, open_items
from recommender.store.style_map import MapConfig

__all__ = ["hub"]

LIMITS = [0, 1_000, 6_000, 12_000, 25_000, 50_000, 10**9]
"""Bytes of a file. The last one is enough."""


def limited(limit: int, function: Callable[..., object], *arguments: Any) -> str:
    """What is said where a function cannot write; empty where it can."""
    mine, theirs = forked.Pipe()
    process = forked.Process(target=_run, args=(theirs, limit, function, arguments))
    process.start()
    theirs.close()
    said = str(mine.recv())
    process.join()
    assert process.exitcode == 0
    return said


def _run(pipe: Any, limit: int, function: Callable[..., object], arguments: tuple) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    said = ""
    try:
        function(*arguments)
    except RecommenderError as error:
        said = str(error)
    pipe.send(said)


def index(directory: Path) -> None:
    build_index(
        directory,
        lambda rank: TinyEncoder(),
        IndexConfig(),
        style_map=MapConfig(),
        former=former_store(directory),
    )


def assert_sentence(said: str) -> None:
    assert said.count(". ") == 0
    assert said.endswith(".")
    assert "written" in said or "disk" in said, said


@pytest.mark.parametrize("change", [build, update])
def test_a_catalog(archive: Path, tmp_path: Path, change: Callable[[Path, Path], None]) -> None:
    others = write_archive(tmp_path / "others.zip", OTHERS)
    former = tmp_path / "former" / "catalog"
    build(former, archive)
    old, refused = content(former), 0
    for limit in LIMITS:
        directory = shutil.copytree(former, tmp_path / str(limit) / "catalog")
        if said := limited(limit, change, directory, others):
            assert_sentence(said)
            assert content(directory) == old
            refused += 1
        change(directory, others)
        assert content(directory) != old
    assert 1 < refused < len(LIMITS)


def test_an_index(archive: Path, tmp_path: Path) -> None:
    former, refused = tmp_path / "former", 0
    build_store(former, archive, with_map=True)
    catalog = tmp_path / "catalog"
    build(catalog, write(tmp_path / "others.zip", VIEWS, [*OTHERS, *ROWS[6:]]))
    for limit in LIMITS:
        directory = shutil.copytree(former, tmp_path / str(limit))
        shutil.rmtree(directory / "catalog")
        shutil.copytree(catalog, directory / "catalog")
        manifest = (directory / "manifest.json").read_bytes()
        if said := limited(limit, index, directory):
            assert_sentence(said)
            assert (directory / "manifest.json").read_bytes() == manifest
            refused += 1
        index(directory)
        made = Store.open(directory)
        assert len(made.index) == len(OTHERS) + len(ROWS[6:])
        assert made.views is not None
    assert 1 < refused < len(LIMITS)


def record(folder: Path) -> None:
    log = EventLog(folder)
    # What is refused is said by the answer, not by an exception: searching goes on.
    if not log.record("search", 3):
        raise RecommenderError("It cannot be written.")


def test_events(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events")
    assert log.record("search", 1)
    assert limited(0, record, log.folder)
    assert limited((log.folder / "events.jsonl").stat().st_size + 5, record, log.folder)
    assert log.record("search", 2)
    assert log.read()["item"].tolist() == [1, 2]


def judge(folder: Path) -> None:
    """What is said of an answer counts, whether or not it can be written down."""
    desk = FeedbackDesk(EventLog(folder))
    ranked = Ranked(context="", ranking="image", propensities={"image": 1.0})
    name = desk.give({"results": []}, ranked)["answer_id"]
    assert desk.judge(name, "up")["message"]
    assert desk.thumb(name) == "up"


def test_what_visitors_say(tmp_path: Path) -> None:
    assert EventLog(tmp_path / "events").record("search", 1)
    assert limited(0, judge, tmp_path / "events") == ""
    told = read_lines(tmp_path / "events" / "events.jsonl")
    assert [event["kind"] for event in told if event] == ["search"]


def take_away(directory: Path) -> None:
    """Download a chart from an app whose disk is full, twice."""
    with serve(open_store(directory), directory.parent / "uploads") as address:
        answers = [httpx.get(f"{address}/trends/colours.csv") for _ in range(2)]
    raise RecommenderError(json.dumps([[one.status_code, one.text] for one in answers]))


def test_what_visitors_take_away(store: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(store, tmp_path / "store")
    told = json.loads(limited(0, take_away, directory))
    assert [status for status, _ in told] == [200, 200]
    assert told[0] == told[1]
    assert "Red" in told[0][1]


def lay_on_disk(directory: Path) -> None:
    _ = Store.open(directory).on_disk


def test_vectors_that_are_laid_on_disk(archive: Path, tmp_path: Path) -> None:
    build_store(tmp_path, archive, IndexConfig(factory="SQ8"))
    assert "laid on disk" in limited(100, lay_on_disk, tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("tmp")]


def show_pictures(directory: Path) -> None:
    """Show a picture in both ways to an app whose disk is full, and ask with an item."""
    picture = draw_picture(ROWS[0], (400, 400))
    with serve(open_store(directory), directory.parent / "uploads") as address:
        sent = httpx.post(f"{address}/gradio_api/upload", files={"files": ("a.jpg", picture)})
        data = f"data:image/jpeg;base64,{b64encode(picture).decode()}"
        shown = call(address, "recommend", {"url": data})
        item = call(address, "recommend_by_id", 1)
    told = [sent.status_code, sent.json()["error"], shown["error"], len(item["results"])]
    raise RecommenderError(json.dumps(told))


def test_pictures_of_visitors(store: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(store, tmp_path / "store")
    status, uploaded, shown, found = json.loads(limited(1_000, show_pictures, directory))
    assert (status, found) == (507, 5)
    assert uploaded.startswith("The server's disk takes nothing more")
    assert shown.startswith("No picture can be kept here right now")
    assert not list((tmp_path / "uploads").rglob("*.jp*g"))


def pull_here(address: str, directory: Path) -> None:
    constants.HF_HUB_OFFLINE, constants.HF_HUB_DISABLE_XET = False, True
    constants.HF_HUB_CACHE = str(directory.parent / "cache")
    pull_store(Address(REPO), directory, accept=accept, endpoint=address, token="hf_write")  # noqa: S106


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_a_pull(store: Path, archive: Path, hub: Hub, tmp_path: Path) -> None:
    push(hub, shutil.copytree(store, tmp_path / "pushed"))
    former, refused = tmp_path / "former", 0
    build_store(former, write_archive(tmp_path / "others.zip", OTHERS))
    for limit in LIMITS:
        directory = shutil.copytree(former, tmp_path / str(limit) / "store")
        manifest = (directory / "manifest.json").read_bytes()
        if said := limited(limit, pull_here, hub.address, directory):
            assert_sentence(said)
            assert (directory / "manifest.json").read_bytes() == manifest
            assert len(Store.open(directory).index) == len(OTHERS)
            refused += 1
        pull(hub, directory)
        assert len(Store.open(directory).index) == len(ROWS)
    assert 1 < refused < len(LIMITS)


def ask(directory: Path, _: Path) -> None:
    """As who may read a store and write nothing asks of it."""
    recommender = open_store(directory)
    assert len(recommender.by_id(1)) == 5
    assert recommender.picture_bytes(1)
    open_items(directory)


def test_a_store_that_may_only_be_read(archive: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:  # which others may enter
        here = Path(folder)
        here.chmod(0o755)
        directory = here / "store"
        build_store(directory, write(here / "shop.zip", VIEWS), with_map=True)
        for path in (*directory.rglob("*"), directory, here):
            path.chmod(0o555 if path.is_dir() else 0o444)
        assert limited(10**9, as_nobody, ask, directory, archive) == ""
        assert not list(directory.rglob("cache*"))
        for path in (here, directory, *directory.rglob("*")):
            path.chmod(0o755)


def as_nobody(change: Callable[..., object], directory: Path, archive: Path) -> None:
    if os.geteuid() == 0:  # whom no folder refuses
        with tempfile.TemporaryDirectory() as folder:
            # What is imported on the way may lie where nobody may look.
            change(shutil.copytree(directory, Path(folder, "catalog")), archive)
        os.setegid(65534)
        os.seteuid(65534)
    change(directory, archive)


@pytest.mark.parametrize("change", [build, update])
def test_a_folder_that_takes_nothing(archive: Path, change: Callable[[Path, Path], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:  # which others may enter
        here = Path(folder)
        here.chmod(0o755)
        directory = here / "catalog"
        build(directory, archive)
        others, old = write_archive(here / "others.zip", OTHERS), content(directory)
        for path in (directory, here):
            path.chmod(0o555)
        said = limited(10**9, as_nobody, change, directory, others)
        here.chmod(0o755)
        directory.chmod(0o755)
        assert_sentence(said)
        assert content(directory) == old
