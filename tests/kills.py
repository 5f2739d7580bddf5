"""Functions that run in a process of their own, killed before one of their steps on the disk."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from recommender.catalog.items import build_catalog
from recommender.catalog.sources import read_source
from recommender.catalog.updates import update_catalog

forked = multiprocessing.get_context("forkserver")
"""Makes processes that have imported already what is slow to import."""
# There is one server for all tests. It finds no module of theirs.
forked.set_forkserver_preload(
    ["recommender.hub.hub", "recommender.store.build", "recommender.ui.app"]
)
STEPS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree"}  # replace is a rename


def build(directory: Path, archive: Path) -> None:
    build_catalog(read_source(str(archive)), directory, source="others")


def update(directory: Path, archive: Path) -> None:
    update_catalog(read_source(str(archive)), directory, source="others", remove=[1])


def survives(function: Callable[..., object], *arguments: Any, step: int) -> bool:
    """Whether it ended before it came to a step, counted from 1."""
    process = forked.Process(target=_run, args=(function, arguments, step))
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode == 0


def _run(function: Callable[..., object], arguments: tuple, step: int) -> None:
    done = 0

    def count(event: str, _: object) -> None:
        nonlocal done
        if event in STEPS and (done := done + 1) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    function(*arguments)
