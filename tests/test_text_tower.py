"""The text tower: what it learns, what it is read from, and what it adds to words."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from conftest import BelievingEncoder, build_store
from safetensors import safe_open
from safetensors.torch import save_file

from recommender.encoding.agreement import Agreement
from recommender.encoding.encoder import fingerprint_of
from recommender.encoding.text import TextEncoder, load_text_encoder, with_shown
from recommender.errors import QueryError, TrainingError, WeightsError
from recommender.evaluation.words import (
    asked_in_colour,
    by_image_alone,
    precision_of_attributes,
    recall_of_names,
)
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.service.open import load_recommender
from recommender.training import text as training
from recommender.training.text import TextTraining, train_text
from scripts import train_shown
from scripts import words as script

SMALL = TextTraining(epochs=6, batch_size=8, bank=16, width=32, heads=2, vocabulary=120)


def train(engine: Recommender, out: Path, config: TextTraining = SMALL) -> dict:
    vectors, fingerprint = engine.index.vectors, engine.encoder.fingerprint
    return train_text(engine.frame, engine.columns, vectors, fingerprint, out, config)


@pytest.fixture(scope="module")
def trained(believing: Recommender, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "split_names", lambda frame: np.array(["train"] * len(frame)))
        out = tmp_path_factory.mktemp("words")
        train(believing, out, TextTraining(**{**SMALL.__dict__, "epochs": 60}))
    return out / "words.safetensors"


@pytest.fixture(scope="module")
def tower(trained: Path) -> TextEncoder:
    tower = load_text_encoder(BelievingEncoder.fingerprint, trained)
    assert tower is not None
    return tower


def test_it_learns_where_pictures_are(believing: Recommender, tower: TextEncoder) -> None:
    names = believing.frame["productDisplayName"].tolist()
    vectors = tower(names)
    assert vectors.dtype == np.float32
    assert vectors.shape == believing.index.vectors.shape
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-4)
    found = vectors @ believing.index.vectors.T
    hits = [names[row] == name for row, name in zip(found.argmax(1), names, strict=True)]
    assert np.mean(hits) > 0.7


def test_words_alone_find_pictures_of_which_nothing_is_known(
    believing: Recommender, tower: TextEncoder
) -> None:
    engine = by_image_alone(believing, tower)
    assert engine.frame["productDisplayName"].isna().all()
    hits = engine.by_text("Fen Tote", Options(k=3, ranking="image", repeats=True))
    assert 9 in hits.ids
    with pytest.raises(QueryError, match="described by these words"):
        engine.by_text("qqqq zzzz")
    with pytest.raises(QueryError, match="described by these words"):
        by_image_alone(believing, None).by_text("Fen Tote")


def test_a_run_goes_on_where_it_was(
    believing: Recommender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(believing, tmp_path / "whole")
    save = training.Run.save

    def killed(run: training.Run, history: list) -> None:
        save(run, history)
        if len(history) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(training.Run, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        train(believing, tmp_path / "parts")
    monkeypatch.setattr(training.Run, "save", save)
    parts = train(believing, tmp_path / "parts")
    assert parts["epoch"] == whole["epoch"] == 6
    assert len(json.loads((tmp_path / "parts" / "history.json").read_text())) == 6
    other = TextTraining(**{**SMALL.__dict__, "peak_lr": 1e-4})
    with pytest.raises(ValueError, match="of another run"):
        train(believing, tmp_path / "parts", other)


def test_nothing_to_learn_from(
    believing: Recommender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "split_names", lambda frame: np.array(["dev"] * len(frame)))
    with pytest.raises(TrainingError, match="too few items"):
        train(believing, tmp_path)


def test_which_file_is_a_tower(trained: Path, tmp_path: Path) -> None:
    assert load_text_encoder("another encoder", trained) is None
    assert load_text_encoder("any", tmp_path / "none.safetensors") is None
    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(1)}, other)
    with pytest.raises(WeightsError, match="not a safetensors file of a text tower"):
        load_text_encoder("any", other)
    other.write_bytes(b"words")
    with pytest.raises(WeightsError, match="not a safetensors file of a text tower"):
        load_text_encoder("any", other)


def test_an_owner_s_tower_is_tried_before_anybody_asks(
    archive: Path, trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, encoder = tmp_path / "store", BelievingEncoder()
    build_store(store, archive, encoder=encoder)
    own = store / "words.safetensors"
    shutil.copy(trained, own)
    served = load_recommender(store, reuse=encoder)
    assert served.texts is not None
    assert served.texts(["Fen Tote"]).shape == (1, encoder.dim)
    with safe_open(trained, framework="pt") as file:
        header = file.metadata()
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    narrow = {"head.weight": state["head.weight"][:9], "head.bias": state["head.bias"][:9]}
    config = json.dumps(json.loads(header["config"]) | {"dim": 9})
    wrong = [
        ({**state, "head.weight": torch.ones(3, 3)}, header, "not what its header says"),
        ({**state, **narrow}, {**header, "config": config}, "not what its header says"),
        (state, {**header, "tokenizer": '{"model": {"vocab": {}}}'}, "not what its header says"),
        (state, {**header, "encoder": '"another"'}, "of another encoder than the store's"),
        (state, {"a": "b"}, "not a safetensors file of a text tower"),
    ]
    for tensors, told, why in wrong:
        save_file(tensors, own, told)
        assert load_recommender(store, reuse=encoder).texts is None
        assert why in caplog.text
        assert caplog.text.count("Words are served without it.") == 1
        caplog.clear()


def test_the_shipped_tower_is_of_the_shipped_encoder() -> None:
    tower = load_text_encoder(fingerprint_of("fashion"))
    assert tower is not None, "whoever ships another encoder trains its tower: scripts.train_text"
    said = tower(["red dress", "a dress in red", "black leather shoes"])
    assert said[0] @ said[1] > said[0] @ said[2] + 0.2
    assert {"shirt", "kurta", "striped"} <= tower.words
    assert {"Sleeveless", "Long Sleeves"} <= tower.shown["sleeveLength"].keys()


def test_looks_lean_to_what_they_are_known_to_show(
    believing: Recommender, trained: Path, tmp_path: Path
) -> None:
    """What is stated by a value that looks show asks by them alone; the tower stays as it is."""
    agreement, out = believing.encoder.agreement, tmp_path / "shown.safetensors"
    leaning = F.normalize(torch.randn(2, agreement.looks_dim, generator=torch.Generator()))
    with_shown(trained, out, {"season": (["Summer", "Winter"], leaning)})
    with_shown(out, out, {"season": (["Summer", "Winter"], leaning.flip(0))})
    tower = load_text_encoder(BelievingEncoder.fingerprint, out)
    before = load_text_encoder(BelievingEncoder.fingerprint, trained)
    assert tower is not None
    assert before is not None
    assert not before.shown
    np.testing.assert_array_equal(tower(["a tote"]), before(["a tote"]))
    assert tower.shown["season"]["Summer"] == pytest.approx(leaning[1].numpy(), abs=2e-3)

    engine = by_image_alone(believing, tower)
    options = Options(k=len(engine), ranking="image", repeats=True)
    along = agreement.looks(engine.index.vectors[:]) @ tower.shown["season"]["Winter"]
    found = engine.by_text("for winter", options).rows
    assert np.all(np.diff(along[found]) <= 1e-6)
    both = engine.words.stating(
        engine.words.read("winter shirts"), np.zeros((1, engine.encoder.dim), "f")
    )
    assert set(agreement.beliefs(both)["articleType"][0].round(4)) == {0.0, 1.0}
    assert agreement.looks(both)[0] @ tower.shown["season"]["Winter"] > 0
    beside = engine.words.read_beside("winter", both)
    np.testing.assert_array_equal(engine.words.stating(beside, both), both)


def test_what_looks_show_is_learnt_of_the_train_split(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    random = np.random.default_rng(0)
    looks = random.normal(size=(400, 6)).astype(np.float32)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    pattern = np.where(looks[:, 2] > 0, "Striped", "Solid").astype(object)
    pattern[np.abs(looks[:, 2]) < 0.1] = None
    names = [f"Item {at}" for at in range(400)]
    frame = pd.DataFrame({"id": range(400), "productDisplayName": names, "articleType": "Shirts"})
    frame["pattern"] = pattern
    fingerprint = BelievingEncoder.fingerprint
    encoder = SimpleNamespace(agreement=Agreement(looks_dim=6), fingerprint=fingerprint)
    store = SimpleNamespace(frame=frame, encoder=encoder, index=SimpleNamespace(vectors=looks))
    monkeypatch.setattr(train_shown, "load_recommender", lambda data: store)
    out, told = tmp_path / "words.safetensors", tmp_path / "shown.json"
    argv = ["--data", "x", "--weights", str(trained), "--out", str(out), "--json", str(told)]
    argv += ["--least", "20", "--asked", "3"]
    assert train_shown.main(argv) == 0
    report = json.loads(told.read_text())
    assert report["details"]["pattern"]["dev"]["accuracy"] > 0.9
    assert report["details"]["neck"] == "too few items have it"
    tower = load_text_encoder(BelievingEncoder.fingerprint, out)
    assert tower is not None
    assert tower.shown["pattern"]["Striped"].argmax() == 2
    assert tower.shown["pattern"]["Solid"].argmin() == 2
    store.frame = frame.drop(columns="pattern")
    assert train_shown.main(argv) == 1
    assert "Looks show nothing of pattern, sleeveLength" in capsys.readouterr().err
    encoder.fingerprint = "another"
    assert train_shown.main(argv) == 1
    assert "no text tower of this store's encoder" in capsys.readouterr().err


def test_what_is_measured_is_what_is_served(believing: Recommender, tower: TextEncoder) -> None:
    for split in ("train", "dev", "test"):
        told = recall_of_names(believing, tower, split)
        assert told["gallery"] == len(believing)
    named = recall_of_names(believing, tower, "train", options=Options())
    assert named["recall@10"]["mean"] > 0.8
    told = precision_of_attributes(believing, tower, "train", 20)
    assert told["queries"] == {"one": 0, "two": 0}, "no value is frequent among a dozen items"
    assert asked_in_colour(believing, "train", 5)["items"] == 0


def test_the_script_writes_its_report(
    believing: Recommender, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "load_recommender", lambda data: believing)
    out = tmp_path / "words.json"
    argv = ["--data", "data/x", "--weights", str(trained), "--json", str(out), "--items", "5"]
    assert script.main(argv) == 0
    told = json.loads(out.read_text())
    assert told["command"].startswith("python -m scripts.words")
    assert told["published"]["FashionCLIP 2.0"] == 0.404
    assert {"text to image", "with the items' texts", "attributes", "but in"} <= set(told)
