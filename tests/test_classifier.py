"""The predecessors' recipe in seconds: what it learns from, what it writes, that it goes on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch
from conftest import ROWS, write_archive
from safetensors.torch import load_file

from recommender.catalog.items import build_catalog, catalog_frame, load_catalog
from recommender.catalog.sources import read_source
from recommender.catalog.splits import split_names
from recommender.encoding.encoder import load_encoder
from recommender.errors import CatalogError, TrainingError
from recommender.pictures.decode import decode_image
from recommender.training import classifier
from recommender.training.classifier import ClassifierConfig, train_classifier

CONFIG = ClassifierConfig(
    epochs=2, at_least=8, batch_size=4, step_epochs=1, resize_px=40, crop_px=32
)


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> datasets.Dataset:
    """Twelve shirts, twelve heels and one watch, each of a name of its own."""
    kinds = [ROWS[0]] * 12 + [ROWS[6]] * 12 + [ROWS[12]]
    rows = [(i, *row[1:-1], f"thing {i}") for i, row in enumerate(kinds, 1)]
    directory = tmp_path_factory.mktemp("items")
    source = write_archive(directory / "a.zip", rows)
    build_catalog(read_source(str(source)), directory / "catalog", source="test")
    return load_catalog(directory / "catalog")


@pytest.fixture(autouse=True)
def _in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "choose_dtype", lambda dtype, device: torch.float32)


def test_a_run_scores_before_and_after_and_goes_on_where_it_was_or_for_longer(
    items: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = train_classifier(items, tmp_path / "whole", CONFIG, device="cpu")
    history = json.loads((tmp_path / "whole" / "history.json").read_text())
    assert [entry["epoch"] for entry in history] == [0, 1, 2]
    assert last == history[-1]
    for entry in history:
        assert set(entry["dev"]) == {"accuracy", "macro_f1", "loss"}
        assert np.isfinite(entry["dev"]["loss"])
    tensors = load_file(tmp_path / "whole" / "weights.safetensors")
    assert tensors["fc.weight"].shape == (2, 2048)  # the watch is too rare
    encoder = load_encoder(str(tmp_path / "whole" / "weights.safetensors"), device="cpu")
    assert encoder.input_px == (224, 224)
    compared = json.loads((tmp_path / "whole" / "comparison.json").read_text())
    assert compared["types"] == 2
    assert (compared["before"], compared["after"]) == (history[0]["dev"], last["dev"])
    assert "beside" not in compared

    real, done = classifier._train_epoch, iter(range(2))

    def fail_at_the_second(*arguments: Any) -> float:
        if next(done) == 1:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(classifier, "_train_epoch", fail_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            train_classifier(items, tmp_path / "again", CONFIG, device="cpu")
    train_classifier(items, tmp_path / "again", CONFIG, device="cpu")
    for epochs in (1, 2):
        more = replace(CONFIG, epochs=epochs)
        last = train_classifier(items, tmp_path / "more", more, device="cpu")
        compared = json.loads((tmp_path / "more" / "comparison.json").read_text())
        assert last["epoch"] == compared["epochs"] == epochs
    for directory in ("again", "more"):
        again = load_file(tmp_path / directory / "weights.safetensors")
        for name, tensor in tensors.items():
            assert torch.equal(tensor, again[name]), (directory, name)


def test_an_encoder_beside_it_is_asked_of_the_same_types(
    items: datasets.Dataset, tmp_path: Path
) -> None:
    ours = load_encoder("fashion", device="cpu", dtype="float32")
    config = replace(CONFIG, epochs=1)
    train_classifier(items, tmp_path, config, beside=ours, device="cpu")
    compared = json.loads((tmp_path / "comparison.json").read_text())

    frame = catalog_frame(items)
    rows = np.flatnonzero((split_names(frame) == "dev") & (frame["articleType"] != ROWS[12][4]))
    assert compared["pictures"] == len(rows) > 0
    pictures = [decode_image(items[int(row)]["image"]["bytes"]) for row in rows]
    own = ours.labels["articleType"]
    columns = [own.index(name) for name in (ROWS[0][4], ROWS[6][4])]
    believed = ours.encode_queries(pictures)[1]["articleType"][:, columns]
    wanted = (frame["articleType"].iloc[rows] == ROWS[6][4]).to_numpy(int)
    sure = believed[np.arange(len(rows)), wanted] / believed.sum(axis=1)
    assert compared["beside"]["accuracy"] == np.mean(believed.argmax(axis=1) == wanted)
    assert compared["beside"]["loss"] == pytest.approx(-np.log(sure).mean(), rel=1e-4)


def test_what_cannot_be_learnt_is_said(items: datasets.Dataset, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="0 article types have 275 pictures or more"):
        train_classifier(items, tmp_path, replace(CONFIG, at_least=275), device="cpu")
    with pytest.raises(TrainingError, match="the last checkpoint is good"):
        train_classifier(items, tmp_path, replace(CONFIG, lr=1e30), device="cpu")
