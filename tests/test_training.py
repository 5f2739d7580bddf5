"""A run of seconds: what it writes, that it goes on to the same weights, what it never reads."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROWS, draw_picture, write_archive
from safetensors.torch import load_file
from torch import Tensor

from recommender.catalog.items import build_catalog, load_catalog
from recommender.catalog.sources import read_source
from recommender.catalog.splits import split_names
from recommender.encoding.config import EncoderConfig
from recommender.encoding.encoder import load_encoder
from recommender.errors import CatalogError, TrainingError
from recommender.pictures.decode import decode_image
from recommender.training import examples, fashion
from recommender.training import run as training_run
from recommender.training.augmentation import Augmentation
from recommender.training.calibration import calibrate
from recommender.training.checkpoint import save_checkpoint
from recommender.training.fashion import HEADS, TrainingConfig, repeat_factors, train
from recommender.training.run import seed_of
from scripts import build_index

CONFIG = TrainingConfig(
    epochs=2, small_epochs=1, small_size_px=(32, 24), batch_size=4, peak_lr=0.01, dim=8
)
ENCODER = EncoderConfig(width_px=24, height_px=32, dtype="float32", second_scale=1.5)


def build(rows: list[tuple], directory: Path) -> datasets.Dataset:
    source = write_archive(directory / "a.zip", rows)
    build_catalog(read_source(str(source)), directory / "catalog", source="test")
    return load_catalog(directory / "catalog")


SPLITS = [*["train"] * 8, "dev", "dev", "test", "test", "test"]


def split_rows() -> list[tuple]:
    """`ROWS` under names that put them into `SPLITS`."""
    names = [f"name {i}" for i in range(500)]
    frame = pd.DataFrame({"id": range(500), "productDisplayName": names})
    of = dict(zip(names, split_names(frame), strict=True))
    rows = []
    for row, split in zip(ROWS, SPLITS, strict=True):
        name = next(name for name in of if of[name] == split)
        del of[name]
        rows.append((*row[:-1], name))
    return rows


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> datasets.Dataset:
    return build(split_rows(), tmp_path_factory.mktemp("items"))


@pytest.fixture(autouse=True)
def _in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion, "choose_dtype", lambda dtype, device: torch.float32)


def run(items: datasets.Dataset, directory: Path, config: TrainingConfig = CONFIG) -> dict:
    return train([items], directory, config, encoder=ENCODER, device="cpu")


@pytest.fixture(scope="module")
def finished(items: datasets.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fashion, "choose_dtype", lambda dtype, device: torch.float32)
        run(items, directory)
    return directory


# --- a run


def test_a_run_writes_weights_that_the_encoder_loads(finished: Path) -> None:
    encoder = load_encoder(str(finished / "weights.safetensors"), device="cpu")
    assert encoder.input_px == (24, 32)
    assert encoder.query_px == (36, 48)
    assert encoder.dim == 8
    vectors = encoder.encode_items([decode_image(draw_picture(row)) for row in ROWS]).vectors
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    history = json.loads((finished / "history.json").read_text())
    assert [entry["epoch"] for entry in history] == [1, 2]
    assert all(np.isfinite(entry["loss"]) for entry in history)
    assert all(0 <= share <= 1 for entry in history for share in entry["dev"].values())
    assert not list(finished.glob("*.building"))


def test_a_run_draws_what_it_drew_before_its_settings_had_parts() -> None:
    config = TrainingConfig(epochs=3, augmentation=Augmentation(mirror=0.25))
    settings = fashion.settings_of(config)
    assert (settings["mirror"], settings["epochs"]) == (0.25, 3)
    assert seed_of(settings | {"labels": {"gender": ["Men"]}}) == 15249414051715


def test_it_sees_what_a_first_and_a_second_look_see(
    items: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, real = [], fashion.augment

    def watched(pictures: Tensor, size: tuple[int, int], *others: Any) -> Tensor:
        sizes.append(size)
        return real(pictures, size, *others)

    monkeypatch.setattr(fashion, "augment", watched)
    run(items, tmp_path, replace(CONFIG, epochs=4, small_epochs=0))
    assert set(sizes) == {(32, 24), (48, 36)}


def test_its_weights_index_a_store(finished: Path, archive: Path, tmp_path: Path) -> None:
    build_catalog(read_source(str(archive)), tmp_path / "catalog", source="test")
    weights = str(finished / "weights.safetensors")
    options = ["--data", str(tmp_path), "--encoder", weights, "--device", "cpu"]
    assert build_index.main(options) == 0


def test_its_weights_are_calibrated(
    items: datasets.Dataset, finished: Path, tmp_path: Path
) -> None:
    out = tmp_path / "calibrated.safetensors"
    weights = finished / "weights.safetensors"
    relevance = {"type": ("articleType",), "type+gender": ("articleType", "gender")}
    told = calibrate(items, weights, out, relevance=relevance, device="cpu")
    assert load_encoder(str(out), device="cpu").config.agreement == told["agreement"]

    def worth(entry: dict) -> float:
        return sum(sum(entry[ranking].values()) for ranking in ("image", "hybrid"))

    assert worth(told["dev"]) == max(worth(entry) for entry in told["tried"])
    before, after = load_file(weights), load_file(out)
    for name, temperature in told["temperatures"].items():
        scaled = (before[f"heads.{name}.weight"].float() / temperature).half()
        assert torch.equal(after[f"heads.{name}.weight"], scaled)


def test_interrupted_it_goes_on_to_the_same_weights(
    items: datasets.Dataset, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, epochs = fashion._train_epoch, iter(range(CONFIG.epochs))

    def fail_at_the_second(*arguments: Any) -> float:
        if next(epochs) == 1:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(fashion, "_train_epoch", fail_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            run(items, tmp_path)
    assert len(json.loads((tmp_path / "history.json").read_text())) == 1
    assert not (tmp_path / "weights.safetensors").exists()
    last = run(items, tmp_path)
    whole, again = (load_file(d / "weights.safetensors") for d in (finished, tmp_path))
    assert whole.keys() == again.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, again[name]), name
    assert last["epoch"] == 2

    # Killed between its last checkpoint and the weights: they are written then.
    (tmp_path / "weights.safetensors").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(fashion, "_train_epoch", lambda *_: pytest.fail("trained again"))
        run(items, tmp_path)
        assert load_file(tmp_path / "weights.safetensors").keys() == whole.keys()
        patch.setattr(fashion, "read_examples", lambda *_: pytest.fail("read again"))
        assert run(items, tmp_path) == last


def test_killed_after_a_checkpoint_its_history_is_there(
    items: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: Any) -> None:
        save_checkpoint(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training_run, "save_checkpoint", killed)
        with pytest.raises(KeyboardInterrupt):
            run(items, tmp_path, replace(CONFIG, epochs=1))
    last = run(items, tmp_path, replace(CONFIG, epochs=1))
    assert json.loads((tmp_path / "history.json").read_text()) == [last]


def test_a_run_on_the_weights_of_another_does_not_draw_its_views_again(
    items: datasets.Dataset, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[torch.Tensor] = []
    real = fashion.augment

    def spy(*arguments: Any) -> torch.Tensor:
        drawn.append(real(*arguments))
        return drawn[-1]

    monkeypatch.setattr(fashion, "augment", spy)
    weights = load_file(finished / "weights.safetensors")
    for name, init in (("a", None), ("b", None), ("c", weights)):
        train([items], tmp_path / name, CONFIG, encoder=ENCODER, init=init, device="cpu")
    steps = len(drawn) // 3
    first, same, other = (drawn[i : i + steps] for i in range(0, len(drawn), steps))
    assert all(torch.equal(x, y) for x, y in zip(first, same, strict=True))
    assert not any(torch.equal(x, y) for x, y in zip(first, other, strict=True))


def test_another_runs_checkpoint_is_refused(
    items: datasets.Dataset, finished: Path, tmp_path: Path
) -> None:
    path = shutil.copy(finished / "checkpoint.safetensors", tmp_path)
    with pytest.raises(ValueError, match="is of another run: name another folder"):
        run(items, tmp_path, replace(CONFIG, seed=1))
    Path(path).write_bytes(b"garbage")
    with pytest.raises(ValueError, match="is damaged: remove it"):
        run(items, tmp_path)


class _EnoughError(Exception):
    """The data were read; training is not what is looked at."""


def test_the_test_split_is_never_read(
    items: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []
    real = examples.decode_image

    def spy(data: bytes, **options: Any) -> Any:
        read.append(data)
        return real(data, **options)

    def stop(*arguments: Any) -> None:
        raise _EnoughError

    monkeypatch.setattr(examples, "decode_image", spy)
    monkeypatch.setattr(fashion, "_train_epoch", stop)
    with pytest.raises(_EnoughError):
        run(items, tmp_path)
    pictures = {row[0]: draw_picture(row) for row in ROWS}
    seen = [item_id for item_id, data in pictures.items() if data in read]
    assert seen == [row[0] for row, split in zip(ROWS, SPLITS, strict=True) if split != "test"]
    assert len(read) == len(seen)


def test_too_few_items_for_a_batch(items: datasets.Dataset, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="8 items to train on, fewer than the 9 of one batch"):
        run(items, tmp_path, replace(CONFIG, batch_size=9))


def test_what_is_shipped_is_the_average_over_the_last_steps(
    items: datasets.Dataset, tmp_path: Path
) -> None:
    """Over one step it is the network itself; over more it lies behind it."""
    for share, same in ((0.0, True), (1.0, False)):
        out = tmp_path / str(share)
        run(items, out, replace(CONFIG, average_share=share))
        shipped = load_file(out / "weights.safetensors")["conv1.weight"]
        last = load_file(out / "checkpoint.safetensors")["net.net.backbone.conv1.weight"].half()
        assert torch.equal(shipped, last) == same


def test_a_run_of_five_steps(items: datasets.Dataset, tmp_path: Path) -> None:
    last = run(items, tmp_path, replace(CONFIG, batch_size=8, epochs=5))
    assert last["epoch"] == 5
    assert np.isfinite(last["loss"])


def test_a_loss_that_is_no_number_stops_the_run(items: datasets.Dataset, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="the last checkpoint is good; go on"):
        run(items, tmp_path, replace(CONFIG, peak_lr=1e30, epochs=3))
    assert not (tmp_path / "weights.safetensors").exists()


def test_it_starts_from_weights_where_they_fit(
    items: datasets.Dataset, finished: Path, tmp_path: Path
) -> None:
    """Of a run that hardly moves, backbone, heads and projection are those that it began with."""
    init = load_file(finished / "weights.safetensors")
    still = replace(CONFIG, peak_lr=1e-12, epochs=1)
    train([items], tmp_path, still, encoder=ENCODER, init=init, device="cpu")
    tensors = load_file(tmp_path / "weights.safetensors")
    for name in ("conv1.weight", "heads.gender.weight", "projection.weight"):
        torch.testing.assert_close(tensors[name], init[name], atol=2e-3, rtol=0)


def test_labels_that_are_missing(tmp_path: Path) -> None:
    """No item has a usage; seasons are known in the test split alone."""
    rows = []
    for row, split in zip(split_rows(), SPLITS, strict=True):
        row = list(row)
        row[8] = "NA"
        row[6] = "Summer" if split == "test" else ""
        rows.append(tuple(row))
    last = run(build(rows, tmp_path), tmp_path / "run", replace(CONFIG, epochs=1))
    assert np.isfinite(last["loss"])
    assert set(last["dev"]) == set(HEADS) - {"season", "usage"}
    text = (tmp_path / "run" / "history.json").read_text()
    assert "NaN" not in text
    tensors = load_file(tmp_path / "run" / "weights.safetensors")
    assert "heads.season.weight" in tensors
    assert "heads.usage.weight" not in tensors
    assert all(tensor.isfinite().all() for tensor in tensors.values())


# --- its parts


def test_rare_types_are_shown_more_than_once() -> None:
    types = pd.Series(["a"] * 96 + ["b"] * 3 + [None])
    factors = repeat_factors(types, 0.12)
    np.testing.assert_allclose(factors[:96], 1)
    np.testing.assert_allclose(factors[96:99], np.sqrt(0.12 / (3 / 99)))
    assert factors[99] == 1
    np.testing.assert_array_equal(repeat_factors(types, 0.0), np.ones(100))
