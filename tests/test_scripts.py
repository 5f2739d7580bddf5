"""Each script by its `main`: what it writes, and one line where it cannot."""

import io
import json
import sys
from pathlib import Path

import pytest
from conftest import ROWS, write_archive
from weights import random_weights

from recommender.catalog.items import load_catalog
from recommender.errors import CatalogError
from recommender.search.options import Options
from recommender.service.open import load_recommender
from recommender.store.manifest import MANIFEST_FILE
from recommender.training.augmentation import Augmentation
from recommender.training.fashion import TrainingConfig
from scripts import build_catalog, build_index, train
from scripts.command import command_line, plain_errors, write_report

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_weights(tmp_path_factory.getbasetemp())


def error_line(capsys: Capture) -> str:
    """The one line that a script says before it ends with 1."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    return lines[0]


def catalog_of(archive: Path, data: Path) -> Path:
    assert build_catalog.main(["--source", str(archive), "--data", str(data)]) == 0
    return data


@pytest.mark.parametrize(
    ("others", "stops", "code"),
    [((), None, 0), ((), CatalogError, 1), ((OSError,), OSError, 1), ((OSError,), CatalogError, 1)],
)
def test_what_stops_a_command_is_one_line(
    others: tuple, stops: type[Exception] | None, code: int, capsys: Capture
) -> None:
    @plain_errors(*others)
    def main(argv: list[str] | None = None) -> int:
        if stops:
            raise stops("why")
        return 0

    assert main([]) == code
    if stops:
        assert error_line(capsys) == "error: why"


def test_a_programmer_s_mistake_is_not_hidden() -> None:
    @plain_errors(OSError)
    def main(argv: list[str] | None = None) -> int:
        raise TypeError("mine")

    with pytest.raises(TypeError):
        main([])


def test_a_report_says_its_command(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.json"
    write_report({"command": command_line("evaluate", ["--data", "my store"])}, path)
    assert (
        path.read_text() == '{\n "command": "python -m scripts.evaluate --data \'my store\'"\n}\n'
    )
    write_report({}, None)


def test_build_catalog(archive: Path, tmp_path: Path, capsys: Capture) -> None:
    catalog_of(archive, tmp_path / "store")
    assert len(load_catalog(tmp_path / "store" / "catalog")) == len(ROWS)
    out = capsys.readouterr().out
    assert f"13 items from 13 rows of {archive}" in out
    assert "missing: season 1, year 1, usage 1" in out


@pytest.mark.parametrize("source", ["nowhere.zip", "hub:x", "", "."])
def test_build_catalog_that_cannot(
    source: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert build_catalog.main(["--source", source, "--data", "store"]) == 1
    error_line(capsys)
    assert not list(tmp_path.iterdir())


def test_build_catalog_of_a_place_that_is_a_file(
    archive: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "file").write_text("x")
    assert build_catalog.main(["--source", str(archive), "--data", str(tmp_path / "file")]) == 1
    assert "cannot be written" in error_line(capsys)


def test_build_index(archive: Path, tmp_path: Path, weights: Path, capsys: Capture) -> None:
    data = catalog_of(archive, tmp_path)
    capsys.readouterr()
    options = ["--data", str(data), "--encoder", str(weights), "--device", "cpu"]
    choices = ["--width-px", "32", "--fit", "crop", "--metric", "euclidean", "--index", "SQ8"]
    assert build_index.main([*options, *choices, "--no-projection"]) == 0
    out = capsys.readouterr().out
    assert "13 items in 2048 dimensions, index SQ8" in out
    assert "recall@10 against exact search: " in out
    manifest = json.loads((data / MANIFEST_FILE).read_text())
    config = manifest["encoder"]["config"]
    assert (config["width_px"], config["fit"], config["projection"]) == (32, "crop", False)
    assert manifest["index"] == {"factory": "SQ8", "metric": "euclidean"}
    recommender = load_recommender(data, device="cpu")
    assert recommender.by_id(1, Options(k=3)).scores.max() <= 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--encoder", "nowhere"], "There are no weights"),
        (["--encoder", "imagenet"], "cannot be had from the Hub"),
        (["--width-px", "3"], "between 16 and 1024"),
        (["--batch-size", "0"], "at least 1"),
        (["--workers", "0"], "at least 1"),
        (["--index", "nonsense"], "cannot build the index 'nonsense'"),
        (["--index", "IVF500,Flat"], "cannot build the index"),
    ],
)
def test_build_index_that_cannot(
    archive: Path,
    tmp_path: Path,
    weights: Path,
    capsys: Capture,
    options: list[str],
    said: str,
) -> None:
    data = catalog_of(archive, tmp_path)
    usual = ["--data", str(data), "--encoder", str(weights), "--device", "cpu"]
    assert build_index.main([*usual, *options]) == 1
    assert said in error_line(capsys)
    assert not (data / MANIFEST_FILE).exists()


def test_build_index_without_a_catalog(tmp_path: Path, capsys: Capture) -> None:
    assert build_index.main(["--data", str(tmp_path)]) == 1
    assert "python -m scripts.build_catalog" in error_line(capsys)


def test_train_that_cannot(tmp_path: Path, capsys: Capture) -> None:
    usual = ["--data", str(tmp_path / "store"), "--out", str(tmp_path / "run"), "--device", "cpu"]
    assert train.main(usual) == 1
    assert "python -m scripts.build_catalog" in error_line(capsys)
    assert train.main([*usual, "--init", "nowhere.safetensors"]) == 1
    assert "There are no weights" in error_line(capsys)
    catalog_of(write_archive(tmp_path / "a.zip"), tmp_path / "store")
    assert train.main([*usual, "--batch-size", "1000"]) == 1
    assert "fewer than the 1000 of one batch" in error_line(capsys)


def test_train_hands_each_setting_to_its_config(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def refuse(catalogs: object, out: Path, config: TrainingConfig, **_: object) -> None:
        raise ValueError(str(config))

    monkeypatch.setattr(train, "train", refuse)
    usual = ["--data", str(catalog_of(archive, tmp_path)), "--out", str(tmp_path / "run")]
    assert train.main([*usual, "--mirror", "0.25", "--epochs", "3", "--split", "years"]) == 1
    views = Augmentation(mirror=0.25)
    expected = TrainingConfig(augmentation=views, epochs=3, split="years")
    assert str(expected) in error_line(capsys)


@pytest.mark.parametrize(
    ("recipe", "setting", "other"),
    [("fashion", "--proxies", "--crop-px"), ("classifier", "--crop-px", "--proxies")],
)
def test_the_help_of_train_is_of_the_recipe(
    recipe: str, setting: str, other: str, capsys: Capture
) -> None:
    with pytest.raises(SystemExit) as stopped:
        train.main(["--recipe", recipe, "--help"])
    assert stopped.value.code == 0
    told = capsys.readouterr().out
    assert setting in told
    assert "--init" in told
    assert other not in told


@pytest.mark.parametrize("script", [build_catalog, build_index, train])
def test_help_and_unknown_options(script: object, capsys: Capture) -> None:
    for arguments, code in ((["--help"], 0), (["--no-such-option"], 2)):
        with pytest.raises(SystemExit) as ended:
            script.main(arguments)
        assert ended.value.code == code
    assert script.__doc__.splitlines()[0] in " ".join(capsys.readouterr().out.split())


def test_what_a_console_cannot_show_ends_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", shown)

    @plain_errors()
    def main(argv: list[str] | None = None) -> int:
        sys.stdout.write("Größe 38 …")
        return 0

    assert main([]) == 0
    assert shown.buffer.getvalue() == b"Gr\\xf6\\xdfe 38 \\u2026"


def test_what_the_system_refuses_is_one_line(capsys: Capture, tmp_path: Path) -> None:
    @plain_errors()
    def main(argv: list[str] | None = None) -> int:
        return len((tmp_path / "none").read_bytes())

    assert main([]) == 1
    assert error_line(capsys) == f"error: {tmp_path / 'none'}: No such file or directory."


def test_who_interrupts_a_command_is_told_in_a_line(capsys: Capture) -> None:
    @plain_errors()
    def main(argv: list[str] | None = None) -> int:
        raise KeyboardInterrupt

    assert main([]) == 130
    assert capsys.readouterr().err == "stopped: what was whole stays so.\n"
