"""The text tower: what it learns, what it is read from, and what it adds to words."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import BelievingEncoder, build_store
from safetensors import safe_open
from safetensors.torch import save_file

from recommender.encoding.bert import Bert
from recommender.encoding.encoder import fingerprint_of
from recommender.encoding.text import TextEncoder, load_text_encoder
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


def test_the_bert_is_that_of_transformers() -> None:
    from transformers import BertConfig, BertModel

    sizes = {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 2}
    shape = {"num_attention_heads": 4, "intermediate_size": 32, "max_position_embeddings": 8}
    torch.manual_seed(0)
    theirs = BertModel(BertConfig(**sizes, **shape), add_pooling_layer=False).eval()
    ours = Bert(50, 16, 2, 4, 8).eval()
    assert {n: t.shape for n, t in ours.state_dict().items()} == {
        n: t.shape for n, t in theirs.state_dict().items()
    }
    ours.load_state_dict(theirs.state_dict())
    pieces = torch.randint(1, 50, (3, 6))
    there = (torch.arange(6) < torch.tensor([[6], [3], [1]])).long()
    want = theirs(input_ids=pieces * there, attention_mask=there).last_hidden_state
    kept = there.bool()
    torch.testing.assert_close(ours(pieces * there, there)[kept], want[kept])
