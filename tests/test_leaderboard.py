"""Several systems under one protocol: whole, resumable, the same each time."""

import json
from pathlib import Path

import pytest
from conftest import TinyEncoder, open_store
from weights import random_weights

from recommender.errors import WeightsError
from recommender.evaluation import leaderboard, protocol
from recommender.evaluation.leaderboard import (
    BASELINE,
    OURS,
    build_leaderboard,
    known_systems,
    markdown,
)
from recommender.evaluation.queries import Queries, archive_queries
from recommender.evaluation.relevance import RELEVANCE
from recommender.search.recommender import Recommender
from scripts import leaderboard as script

FEW = ("pixels", "histogram", OURS, "ours-hybrid", "ours-256", "ours-int8")


@pytest.fixture(scope="module")
def queries(
    believing: Recommender, archive: Path, tmp_path_factory: pytest.TempPathFactory
) -> Queries:
    return archive_queries(believing, str(archive), tmp_path_factory.mktemp("queries"))


def board_of(recommender: Recommender, store: Path, queries: Queries, cache: Path) -> dict:
    systems = {name: known_systems()[name] for name in FEW}
    return build_leaderboard(recommender, store, queries, systems, cache)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def board(believing: Recommender, store: Path, queries: Queries, cache: Path) -> dict:
    return board_of(believing, store, queries, cache)


def test_a_board_is_whole_and_the_same_again(
    believing: Recommender,
    store: Path,
    queries: Queries,
    board: dict,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    json.dumps(board, allow_nan=False)
    assert list(board["systems"]) == [name for name in FEW if name != "ours-256"]
    assert board["left_out"] == {"ours-256": "The embedding has 46 dimensions already."}
    assert list(board["differences"]) == [OURS]  # the baseline was not asked
    for name, differences in board["differences"][OURS].items():
        for relevance in RELEVANCE:
            ours, its = (
                board["systems"][n]["strict"][relevance]["P@5"]["micro"] for n in (OURS, name)
            )
            value, low, high = differences[relevance]
            assert low <= value <= high
            assert value == pytest.approx(its - ours, abs=2e-4)
    assert len(list((cache / "answers").iterdir())) == 2  # all but ours
    asked: list[str] = []

    def answer(*arguments, ranking: str, spread: bool):
        asked.append(ranking)
        return protocol.answer(*arguments, ranking=ranking, spread=spread)

    monkeypatch.setattr(leaderboard, "answer", answer)
    assert board_of(believing, store, queries, cache) == board
    assert asked == ["image", "hybrid", "image"]  # ours: by image, hybrid, in int8


def test_damaged_answers_are_none(tmp_path: Path, cache: Path, board: dict) -> None:
    file = next((cache / "answers").iterdir())
    kept = leaderboard._read_answers(file, 13)
    assert kept is not None
    assert kept.strict.shape == kept.relaxed.shape == (13, 10)
    assert leaderboard._read_answers(file, 12) is None
    (tmp_path / "damaged").write_bytes(file.read_bytes()[:50])
    assert leaderboard._read_answers(tmp_path / "damaged", 13) is None
    assert leaderboard._read_answers(tmp_path / "none", 13) is None


def test_a_table(board: dict) -> None:
    table = markdown(board, "python -m scripts.leaderboard --data x")
    lines = table.splitlines()
    assert lines[0].startswith("| strict P@5 | type | type+gender |")
    assert lines[2].startswith("| Raw pixels, 24×32 | 0.")
    assert "`python -m scripts.leaderboard --data x`" in table
    assert "- left out: ours-256: The embedding has 46" in table
    nothing = {"systems": {}, "differences": {}, "left_out": {}}
    assert markdown(nothing, "x").count("\n") == 2


def test_the_script(
    store: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(script, "load_recommender", lambda *_, **__: open_store(store))
    weights = random_weights(tmp_path)
    arguments = ["--data", str(store), "--queries", str(archive), "--sample", "5"]
    arguments += ["--systems", "histogram", BASELINE, "dinov2", OURS, "--imagenet", str(weights)]
    arguments += ["--model", f"dinov2={tmp_path}", "--cache", str(tmp_path / "cache")]
    outputs = {name: tmp_path / "out" / name for name in ("json", "markdown", "plots")}
    for name, path in outputs.items():
        arguments += [f"--{name}", str(path)]
    assert script.main(arguments) == 0
    told = json.loads(outputs["json"].read_text())
    assert told["command"].startswith(f"python -m scripts.leaderboard --data {store} --queries")
    assert list(told["systems"]) == ["histogram", BASELINE, OURS]
    assert told["systems"][BASELINE]["encoder"]["config"]["width_px"] == 224
    assert told["systems"][OURS]["encoder"]["fingerprint"] == TinyEncoder.fingerprint
    assert "cannot be had" in told["left_out"]["dinov2"]
    assert list(told["differences"]) == [BASELINE, OURS]
    assert outputs["markdown"].read_text() in capsys.readouterr().out
    assert (outputs["plots"] / "headline.html").is_file()
    assert not (store / "encoders").exists()
    usual = ["--data", str(store), "--queries", str(archive)]
    assert script.main([*usual, "--model", "pixels=x"]) == 1
    assert "error: pixels is none of dinov2, fashionclip" in capsys.readouterr().err
    assert script.main(["--data", str(store), "--split", "test"]) == 1
    assert "error: The split test holds none" in capsys.readouterr().err


def test_a_system_that_cannot_be_had_stops_no_other(
    recommender: Recommender,
    store: Path,
    queries: Queries,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(name: str, **_: object) -> None:
        raise WeightsError(f"{name} cannot be had.")

    monkeypatch.setattr(leaderboard, "load_any_encoder", none)
    few = {name: known_systems()[name] for name in ("pixels", OURS)}
    board = build_leaderboard(recommender, store, queries, few, tmp_path)
    assert board["left_out"]["pixels"] == "pixels cannot be had."
    assert OURS in board["systems"]


def test_what_others_were_measured_at_is_kept(
    believing: Recommender, store: Path, queries: Queries, board: dict, cache: Path
) -> None:
    kept = {"command": "an earlier one", **board}
    systems = {OURS: known_systems()[OURS]}
    again = build_leaderboard(believing, store, queries, systems, cache, kept=kept)
    assert list(again["systems"]) == ["pixels", "histogram", OURS]  # no other of ours
    assert again["systems"]["pixels"] == {**board["systems"]["pixels"], "kept": "an earlier one"}
    assert "pixels" not in again["differences"][OURS]
    assert "not compared in pairs" in markdown(again, "this one")
    fewer = queries.sample(4)
    other = build_leaderboard(believing, store, fewer, systems, cache, kept=kept)
    assert list(other["systems"]) == [OURS]
