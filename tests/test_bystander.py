"""One who waits beside others: what is measured, and told."""

import argparse
import asyncio
import os
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from serving import aside

from scripts import bystander
from scripts.visitors import visitors_of


def measured(live: str, row: int) -> dict[str, Any]:
    slow = "http://127.0.0.1:9/picture"

    async def ask() -> dict[str, Any]:
        async with visitors_of(live, 1) as [one]:
            options = argparse.Namespace(rounds=1, asked=2)
            return await bystander._measured(one, slow, row, options, os.getpid())

    return aside(lambda: asyncio.run(ask()))


@pytest.mark.parametrize("what", ["not once", "download"])
def test_one_beside_others(live: str, what: str) -> None:
    does = [others.do for others in bystander.others_of("")]
    [row] = [at for at, do in enumerate(does) if what in do]
    told = measured(live, row)
    assert what in told["others"]
    assert told["errors"] == told["refused"] == told["others refused"] == {}
    assert told["compared"]["answers"] == told["beside them"]["answers"] == 2
    assert told["others answered"]["answers"] > 0
    assert told["times as long"] > 0
    assert told["met"] == (told["times as long"] <= told["goal"])
    if told["resident_mb"] is not None:  # where the system says
        assert told["more_mb"] < told["resident_mb"]


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells")
def test_memory_that_is_taken_for_a_while_is_told() -> None:
    # A process that does nothing else: what tests before this one left may be at work beside it.
    code = "for _ in iter(input, 'end'): taken = b'x' * (64 << 20); del taken; print(flush=True)"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, bufsize=1) as other:
        memory = bystander.Memory(other.pid)

        def take() -> None:
            print("take", file=other.stdin)
            other.stdout.readline()

        take()
        memory.forget_peak()
        idle = memory.megabytes()
        assert idle is not None
        take()
        peak = memory.megabytes("VmHWM")
        assert peak is not None
        assert peak >= idle + 60
        memory.forget_peak()
        after = memory.megabytes("VmHWM")
        assert after is not None
        assert after < peak
        print("end", file=other.stdin)
    assert bystander.Memory(None).megabytes() is None


def test_who_is_refused_is_told_of(live: str) -> None:
    told = measured(live, 0)
    assert told["others answered"] is None
    [said] = told["others refused"]
    assert "does not lead to a public web server" in said or "usual ports" in said


def test_without_a_store(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert aside(bystander.main, ["--data", str(tmp_path / "none")]) == 1
    assert "error: " in capfd.readouterr().err
