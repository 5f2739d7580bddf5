"""A disk that takes no more, at any size of a file: one sentence, and nothing is lost.

What a process may write to one file is limited, which the kernel enforces whoever writes: Python,
Arrow, safetensors or FAISS.
"""

import multiprocessing
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROWS, TinyEncoder, build_store, write_archive
from kills import build, update
from test_kills import OTHERS, content

from recommender.errors import RecommenderError
from recommender.feedback.events import EventLog
from recommender.index.faiss import IndexConfig
from recommender.store.build import build_store as build_index
from recommender.store.build import former_store
from recommender.store.store import Store
from recommender.store.style_map import MapConfig

LIMITS = [0, 1_000, 6_000, 12_000, 25_000, 50_000, 10**9]
"""Bytes of a file. The last one is enough."""


def limited(limit: int, function: Callable[..., object], *arguments: Any) -> str:
    """What is said where a function cannot write; empty where it can."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([build.__module__])
    mine, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, limit, function, arguments))
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
    build(catalog, write_archive(tmp_path / "others.zip", [*OTHERS, *ROWS[6:]]))
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
        assert len(Store.open(directory).index) == len(OTHERS) + len(ROWS[6:])
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
