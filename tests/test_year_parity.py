"""The split by the years' parity: who learns, who is scored, and what a figure divides by."""

import json
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROWS
from test_training import CONFIG, ENCODER, build

from recommender.catalog.items import catalog_frame, load_catalog
from recommender.catalog.splits import split_years
from recommender.encoding.encoder import load_encoder
from recommender.evaluation import year_parity
from recommender.evaluation.year_parity import score_years
from recommender.training import fashion
from recommender.training.fashion import train
from scripts import year_parity as script


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("years")
    build(ROWS, directory)
    return directory


@pytest.fixture(scope="module")
def items(store: Path) -> datasets.Dataset:
    return load_catalog(store / "catalog")


@pytest.fixture(scope="module")
def weights(items: datasets.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fashion, "choose_dtype", lambda dtype, device: torch.float32)
        config = replace(CONFIG, split="years", epochs=1, batch_size=4)
        train([items], directory, config, encoder=ENCODER, device="cpu")
    return directory / "weights.safetensors"


def test_even_years_learn_and_odd_ones_ask() -> None:
    frame = pd.DataFrame({"year": pd.array([2010, 2011, None], dtype="Int64")})
    assert split_years(frame).tolist() == ["train", "dev", "none"]


def test_every_odd_item_is_scored_once(
    items: datasets.Dataset, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(year_parity, "FREQUENT", 1)
    encoder = load_encoder(str(weights), device="cpu", dtype="float32", agreement={})
    scores = score_years(items, encoder)
    frame = catalog_frame(items)
    odd = frame[(frame["year"] % 2 == 1).fillna(False) & frame["articleType"].notna()]
    most = frame["articleType"].value_counts().index[0]
    assert scores["frequent"]["queries"] == (odd["articleType"] == most).sum()
    assert scores["others"]["queries"] == (odd["articleType"] != most).sum()
    even = frame.loc[(frame["year"] % 2 == 0).fillna(False), "articleType"]
    assert scores["frequent"]["of types never learnt"] == 0
    assert scores["others"]["of types never learnt"] == (~odd["articleType"].isin(even)).sum() > 0
    assert scores["frequent"]["top-1 within"][0] == 1  # one type alone cannot be mistaken
    for part in scores.values():
        top_1, low, high = part["top-1"]
        assert low <= top_1 <= high
        assert top_1 <= part["top-5"]
        assert top_1 <= part["top-1 within"][0]
        assert np.isclose(top_1 * part["queries"] % 1, 0, atol=0.01) or part["queries"] > 50


def test_the_script(
    store: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "years.json"
    arguments = ["--data", str(store), "--weights", str(weights), "--json", str(out)]
    assert script.main(arguments) == 0
    told = json.loads(out.read_text())
    assert told["command"].startswith("python -m scripts.year_parity --data ")
    assert told["published top-1"] == {"frequent": 0.8746, "others": 0.4623}
    assert script.main(["--data", str(store), "--weights", str(tmp_path / "none")]) == 1
    assert "error: " in capsys.readouterr().err
