"""Recipe photographs in seconds: what it writes, where it goes on, what it never learns from."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from conftest import ROWS, draw_picture, write_photographs
from safetensors.torch import load_file
from test_training import build, split_rows
from weights import random_net

from recommender.catalog.items import catalog_frame
from recommender.catalog.photographs import Photographs, load_photographs
from recommender.catalog.splits import split_names
from recommender.encoding.config import EncoderConfig
from recommender.encoding.encoder import load_encoder
from recommender.encoding.weights import Weights, read_weights, write_weights
from recommender.errors import TrainingError, WeightsError
from recommender.pictures.decode import decode_image
from recommender.training import examples, photographs, teacher, tutor
from recommender.training.fashion import HEADS
from recommender.training.lesson import Lesson, PhotographConfig
from recommender.training.photographs import train_on_photographs
from recommender.training.teacher import TEACHER_DIM
from recommender.training.tutor import TutorConfig
from scripts import train

CONFIG = PhotographConfig(
    taught=TutorConfig(tutor_steps=2),
    **{"epochs": 2, "steps_an_epoch": 2, "dim": 8, "peak_lr": 0.01},
    **{"taken": 2, "plain": 2, "on_white": 1, "laid": 2, "bare": 2},
)
# Sides that no stride divides.
ENCODER = EncoderConfig(width_px=26, height_px=34, dtype="float32", second_scale=1.5)
TAKEN = [
    ("a-1", "T-Shirt", "1", "train"),
    ("b-5", "Shoes", "1", "train"),
    ("c-4", "Shirt", "2", "train"),
    ("d-9", "Not sure", "2", "train"),
    ("e-11", "Dress", "3", "dev"),
    ("f-2", "T-Shirt", "4", "dev"),
    ("g-7", "Shoes", "4", "dev"),
]
Shown = dict[str, Photographs]


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> datasets.Dataset:
    return build(split_rows(), tmp_path_factory.mktemp("items"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photographs(tmp_path_factory.mktemp("taken") / "photos.zip", TAKEN)


@pytest.fixture(scope="module")
def shown(archive: Path) -> Shown:
    return {split: load_photographs(archive, split) for split in ("train", "dev")}


@pytest.fixture(scope="module")
def init(items: datasets.Dataset) -> Weights:
    """Weights without regions, as the other recipe makes them."""
    frame = catalog_frame(items)
    labels = {name: sorted(frame[name].dropna().unique()) for name in HEADS}
    net = random_net({name: len(classes) for name, classes in labels.items()}, regions=False)
    return Weights(net.weights(), ENCODER, labels)


def narrow() -> torch.nn.Module:
    """A teacher that has seen nothing: as wide as the real one, one layer deep."""

    class Features(torch.nn.Module):
        def forward_features(self, pixels: torch.Tensor) -> torch.Tensor:
            means = pixels.mean((2, 3), keepdim=True)
            return means.repeat(1, TEACHER_DIM // 3 + 1, 1, 1)[:, :TEACHER_DIM]

    return Features()


def patched(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(photographs, "choose_dtype", lambda dtype, device: torch.float32)
    for module in (teacher, tutor):
        patch.setattr(module, "load_teacher", narrow)


@pytest.fixture(autouse=True)
def _in_float32_without_the_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    patched(monkeypatch)


def run(
    items: datasets.Dataset,
    shown: Shown,
    init: Weights,
    directory: Path,
    config: PhotographConfig = CONFIG,
    former: Weights | None = None,
) -> dict[str, Any]:
    return train_on_photographs(
        [items], shown, directory, config, init=init, former=former, device="cpu"
    )


@pytest.fixture(scope="module")
def finished(
    items: datasets.Dataset,
    shown: Shown,
    init: Weights,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    directory = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patched(patch)
        run(items, shown, init, directory)
    return directory


# --- a run


def test_a_run_writes_weights_that_find_regions(finished: Path, init: Weights) -> None:
    encoder = load_encoder(str(finished / "weights.safetensors"), device="cpu")
    assert (encoder.input_px, encoder.dim) == ((26, 34), 8)
    assert encoder.labels == {name: tuple(classes) for name, classes in init.labels.items()}
    assert encoder.query_px == (78, 102)
    counted = load_encoder(
        str(finished / "weights.safetensors"), device="cpu", agreement={"looks": 0.5, "gender": 0.5}
    )
    encoded = counted.encode_queries([decode_image(draw_picture(row)) for row in ROWS[:2]])
    assert len(encoded.regions) == 2
    assert encoded.matches is None


def test_what_a_run_tells_of_itself(finished: Path) -> None:
    history = json.loads((finished / "history.json").read_text())
    assert [entry["epoch"] for entry in history] == [1, 2]
    for entry in history:
        assert entry["loss"] == pytest.approx(sum(entry["losses"].values()))
        assert set(entry["losses"]) == {
            *("packshots", "proxies", "partial", "agree", "keep"),
            *("teacher", "tutor", "garment", "region"),
        }
        assert all(np.isfinite(loss) for loss in entry["losses"].values())
        scores = [*entry["dev"].values(), *entry["photographs"].values(), *entry["region"].values()]
        assert all(0 <= score <= 1 for score in scores)
        assert {"right", "garment", "Dress", "Shoes", "T-Shirt"} <= set(entry["photographs"])
        assert set(entry["region"]) == {"white", "laid"}
    assert not list(finished.glob("*.building"))


def test_interrupted_it_goes_on_to_the_same_weights_whatever_dev_shows(
    items: datasets.Dataset,
    shown: Shown,
    init: Weights,
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is learnt from photographs of dev: other ones leave every weight as it is."""
    real, steps = Lesson.losses, iter(range(4))

    def fail_in_the_second_epoch(*arguments: Any) -> Any:
        if next(steps) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    other = shown | {"dev": shown["train"].labelled()}
    with monkeypatch.context() as patch:
        patch.setattr(Lesson, "losses", fail_in_the_second_epoch)
        with pytest.raises(KeyboardInterrupt):
            run(items, other, init, tmp_path)
    assert len(json.loads((tmp_path / "history.json").read_text())) == 1
    assert (tmp_path / "weights.safetensors").exists()  # each epoch's can be used

    # Killed again, between the last weights and their checkpoint: that epoch is run once more.
    with monkeypatch.context() as patch:
        patch.setattr(photographs.Run, "save", lambda *_: None)
        run(items, other, init, tmp_path)
    assert len(json.loads((tmp_path / "history.json").read_text())) == 1
    last = run(items, other, init, tmp_path)
    assert last["epoch"] == 2
    whole, again = (load_file(d / "weights.safetensors") for d in (finished, tmp_path))
    assert whole.keys() == again.keys()
    for name, tensor in whole.items():
        assert torch.equal(tensor, again[name]), name
    with monkeypatch.context() as patch:
        patch.setattr(Lesson, "losses", lambda *_: pytest.fail("trained again"))
        assert run(items, other, init, tmp_path) == last


class _EnoughError(Exception):
    """The data were read; training is not what is looked at."""


def test_what_is_read_is_of_the_train_splits(
    items: datasets.Dataset,
    shown: Shown,
    init: Weights,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of packshots the dev split too, which is watched, and never the test split."""
    read: list[bytes] = []
    real = examples.decode_image

    def spy(data: bytes, **options: Any) -> Any:
        read.append(data)
        return real(data, **options)

    def stop(*_: object) -> None:
        raise _EnoughError

    monkeypatch.setattr(examples, "decode_image", spy)
    monkeypatch.setattr(Lesson, "losses", stop)
    with pytest.raises(_EnoughError):
        run(items, shown, init, tmp_path)
    split = split_names(catalog_frame(items))
    packshots = [picture["bytes"] for picture in items["image"]]
    kept = [data for data, name in zip(packshots, split, strict=True) if name != "test"]
    assert sorted(read) == sorted([*kept, *shown["train"].files])


def test_a_run_without_empty_pictures(
    items: datasets.Dataset, shown: Shown, init: Weights, tmp_path: Path
) -> None:
    config = replace(CONFIG, epochs=1, steps_an_epoch=1, bare=0)
    assert np.isfinite(run(items, shown, init, tmp_path, config)["loss"])


def test_another_runs_checkpoint_is_refused(
    items: datasets.Dataset, shown: Shown, init: Weights, finished: Path
) -> None:
    before = (finished / "weights.safetensors").read_bytes()
    fewer = shown | {"train": shown["train"].sample(3)}
    for others in ((fewer, CONFIG), (shown, replace(CONFIG, agree=2.0))):
        with pytest.raises(ValueError, match="is of another run"):
            run(items, others[0], init, finished, others[1])
    assert (finished / "weights.safetensors").read_bytes() == before


def test_a_loss_that_is_no_number_stops_the_run(
    items: datasets.Dataset, shown: Shown, init: Weights, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="the last checkpoint is good"):
        run(items, shown, init, tmp_path, replace(CONFIG, peak_lr=1e30))
    assert not (tmp_path / "weights.safetensors").exists()


def test_weights_without_heads_are_nothing_to_go_on_from(
    items: datasets.Dataset, shown: Shown, init: Weights, tmp_path: Path
) -> None:
    for labels in ({}, {"articleType": init.labels["articleType"]}):
        with pytest.raises(WeightsError, match="have no head for"):
            run(items, shown, init._replace(labels=labels), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_is_kept_may_be_another_s(
    items: datasets.Dataset, shown: Shown, init: Weights, tmp_path: Path
) -> None:
    """What was believed before is first what `init` believes; of another there is more to keep."""
    config = replace(CONFIG, epochs=1, steps_an_epoch=1)
    former = init._replace(state={n: t.flip(0) for n, t in init.state.items()})
    for name, given in (("own", None), ("same", init), ("other", former)):
        run(items, shown, init, tmp_path / name, config, given)
    lost = {
        name: json.loads((tmp_path / name / "history.json").read_text())[0]["losses"]
        for name in ("own", "same", "other")
    }
    assert lost["own"] == lost["same"]
    assert lost["other"]["keep"] > lost["own"]["keep"]
    with pytest.raises(ValueError, match="is of another run"):
        run(items, shown, init, tmp_path / "own", config, former)
    strange = init._replace(labels=init.labels | {"gender": ["Men", "Robots"]})
    with pytest.raises(WeightsError, match="have not the same classes"):
        run(items, shown, init, tmp_path / "strange", config, strange)


# --- its script


def test_the_script_goes_on_from_weights(
    archive: Path,
    init: Weights,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(
        catalogs: list, shown: Shown, out: Path, config: PhotographConfig, **given: Any
    ) -> None:
        assert (len(shown["train"]), len(shown["dev"])) == (4, 3)
        assert given["init"].labels == given["former"].labels == init.labels
        raise ValueError(str(config))

    monkeypatch.setattr(train, "train_on_photographs", refuse)
    build(split_rows(), tmp_path)
    weights = tmp_path / "init.safetensors"
    write_weights(weights, init)
    assert read_weights(weights).config == ENCODER
    options = ["--recipe", "photographs", "--data", str(tmp_path), "--out", str(tmp_path / "run")]
    options += [
        "--init",
        str(weights),
        "--former",
        str(weights),
        "--photographs",
        str(archive),
        "--device",
        "cpu",
    ]
    assert train.main([*options, "--taken", "5", "--mirror", "0.25", "--shadow", "0.75"]) == 1
    said = capsys.readouterr().err
    for setting in ("taken=5", "mirror=0.25", "shadow=0.75"):
        assert setting in said


@pytest.mark.parametrize("given", [[], ["--init", "fashion"], ["--photographs", "photos.zip"]])
def test_the_script_says_what_it_needs(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--recipe", "photographs", "--data", str(tmp_path), "--out", str(tmp_path / "run")]
    with pytest.raises(SystemExit) as stopped:
        train.main([*options, *given])
    assert stopped.value.code == 2
    assert "goes on from --init, with an archive of --photographs" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
