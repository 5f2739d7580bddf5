"""The weights file: what is written is read, and what is there stays until the new one is whole."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from recommender.encoding.config import EncoderConfig
from recommender.encoding.weights import Weights, read_weights, write_weights
from scripts import mix_weights

STATE = {"a": torch.arange(6.0).view(2, 3).T, "b": torch.ones(2, dtype=torch.float16)}
CONFIG = EncoderConfig(width_px=40, agreement={"looks": 0.5, "gender": 0.5})


def header_of(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        return file.metadata()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    labels = {"gender": ["Men", "Wömen"], "usage": ["Casual"]}
    write_weights(tmp_path / "new" / "w.safetensors", Weights(STATE, CONFIG, labels))
    state, config, read, _ = read_weights(tmp_path / "new" / "w.safetensors")
    assert state.keys() == STATE.keys()
    for name, tensor in STATE.items():
        assert torch.equal(state[name], tensor)
        assert state[name].dtype == tensor.dtype
    assert (config, read) == (CONFIG, labels)


def test_the_header_says_more_and_nothing_empty(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_weights(path, Weights(STATE, CONFIG, {}), classes=["Shirts", "Heels"])
    header = header_of(path)
    assert header.keys() == {"config", "classes"}
    assert json.loads(header["classes"]) == ["Shirts", "Heels"]
    assert read_weights(path).labels == {}


def test_what_cannot_be_written_leaves_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_weights(path, Weights(STATE, CONFIG, {}))
    before = path.read_bytes()
    with pytest.raises(TypeError):
        write_weights(path, Weights(STATE, CONFIG, {}), classes={1})
    with pytest.raises(RuntimeError, match="share memory"):
        write_weights(path, Weights({"a": STATE["b"], "c": STATE["b"]}, CONFIG, {}))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_weights_between_two_runs(tmp_path: Path) -> None:
    first = {"a": torch.tensor([0.0, 2.0]), "b": torch.tensor([1.0])}
    second = {"a": torch.tensor([4.0, 2.0]), "b": torch.tensor([1.0]), "new": torch.tensor([7.0])}
    second["details.pattern.bias"] = torch.tensor([1.0])  # of the second's network alone
    labels = {"gender": ["Men", "Women"]}
    paths = [tmp_path / "first", tmp_path / "second"]
    for path, state in zip(paths, (first, second), strict=True):
        halves = {name: tensor.half() for name, tensor in state.items()}
        write_weights(path, Weights(halves, EncoderConfig(), labels))
    out = tmp_path / "between"
    argv = ["--weights", *map(str, paths), "--out", str(out), "--share"]
    assert mix_weights.main([*argv, "0.75"]) == 0
    mixed = read_weights(out)
    assert {name: tensor.tolist() for name, tensor in mixed.state.items()} == {
        "a": [3.0, 2.0],
        "b": [1.0],
        "new": [7.0],
    }
    assert {tensor.dtype for tensor in mixed.state.values()} == {torch.float16}
    assert mixed.labels == labels
    with pytest.raises(SystemExit):
        mix_weights.main([*argv, "1.5"])
    write_weights(paths[0], Weights({"a": torch.zeros(3)}, EncoderConfig(), labels))
    assert mix_weights.main([*argv, "0.5"]) == 1
    write_weights(paths[0], Weights(first, EncoderConfig(), {}))
    assert mix_weights.main([*argv, "0.5"]) == 1
