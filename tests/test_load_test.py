"""A crowd at a running app: what is asked is answered, and the report says how it went."""

import json
from pathlib import Path

import pytest
from serving import aside

from scripts import load_test
from scripts.visitors import USUAL


def ask(argv: list[str]) -> int:
    return aside(load_test.main, argv)


def test_a_crowd(live: str, tmp_path: Path) -> None:
    out = tmp_path / "load.json"
    crowd = ["--url", live, "--clients", "4", "--requests", "24", "--json", str(out)]
    assert ask(crowd) == 0
    told = json.loads(out.read_text())
    assert told["command"].startswith(f"python -m scripts.load_test --url {live}")
    assert told["errors"] == told["refused"] == {}
    answers = {kind: row["answers"] for kind, row in told["answers"].items()}
    assert answers.pop("all") == 24 == sum(answers.values())
    assert {"picture", "item"} <= set(answers) <= set(USUAL)
    row = told["answers"]["all"]
    assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] <= row["max_ms"]
    assert told["answers a second"] > 0
    assert len(told["resident_mb"]) == 2


def test_a_crowd_for_a_while(live: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--url", live, "--minutes", "0.02", "--rate", "10", "--clients", "2"]
    assert ask([*asked, "--mix", "0", "0", "1", "0", "0"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["answers"]) <= {"item", "all"}
    assert 1 <= told["seconds"] < 30


def test_updates_that_fail_are_told(
    live: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--url", live, "--minutes", "0.1", "--rate", "2", "--mix", "0", "0", "1", "0", "0"]
    assert ask([*asked, "--updating", str(tmp_path / "none"), "--update-every", "0.01"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["updates"] == 0
    assert any(
        error.startswith("update: error: The store has no catalog") for error in told["errors"]
    )


def test_all_at_once(
    live: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(load_test, "_ROUNDS", 2)
    assert ask(["--url", live, "--at-once", "--clients", "6"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["errors"] == told["refused"] == {}
    assert told["calls"] == 6
    assert [len(seconds) for seconds in told["seconds"].values()] == [2, 2]
    assert told["times as fast at once"] > 0


def test_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(["--url", "http://127.0.0.1:9"]) == 1
    assert capsys.readouterr().err.startswith("error: ")
