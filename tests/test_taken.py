"""A head for photographs alone: fitted to clouds that can be reckoned with, then to weights."""

import json
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import ROWS, draw_picture, write_photographs
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from test_sureness import CONFIG, LABELS
from test_training import build, split_rows
from weights import random_net

from recommender.catalog.photographs import Photographs, load_photographs
from recommender.encoding.encoder import load_encoder
from recommender.encoding.weights import Weights, read_weights, write_weights
from recommender.errors import CatalogError, WeightsError
from recommender.pictures.decode import decode_image
from recommender.training import sureness
from recommender.training.besides import BESIDES
from recommender.training.linear import Head
from recommender.training.taken import HeadConfig, Lesson, fit_head, refit_on_photographs
from scripts import refit

TAUGHT = [
    ("a-1", "T-Shirt", "1", "dev"),
    ("b-5", "Shoes", "1", "dev"),
    ("c-4", "Shirt", "2", "dev"),
    ("d-9", "Not sure", "2", "dev"),
    ("e-11", "Dress", "3", "dev"),
    ("f-10", "Polo", "4", "dev"),
]
ZERO = Head(torch.zeros(3, 4), torch.zeros(3))


def clouds(count: int) -> Lesson:
    """Two views of things of two kinds, each kind in a corner of its own; what each may be."""
    random = torch.Generator().manual_seed(0)
    kind = torch.arange(count) % 2
    centres = torch.tensor([[2.0, 0, 0, 0], [0, 2.0, 0, 0]])[kind]
    views = centres + 0.1 * torch.randn(2, count, 4, generator=random)
    # The first kind is either of two classes, the second one is the third.
    allowed = torch.tensor([[True, True, False], [False, False, True]])[kind]
    return Lesson(views, allowed, torch.zeros(allowed.shape), torch.ones(count))


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> datasets.Dataset:
    return build(split_rows(), tmp_path_factory.mktemp("items"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [*TAUGHT, ("g-6", "Shoes", "5", "train"), ("h-2", "Hat", "6", "train")]
    return write_photographs(tmp_path_factory.mktemp("taken") / "photos.zip", rows)


@pytest.fixture(scope="module")
def learnt(archive: Path) -> Photographs:
    return load_photographs(archive, "train")


@pytest.fixture(scope="module")
def photographs(archive: Path) -> Photographs:
    return load_photographs(archive, "dev")


def weights_in(directory: Path, *, regions: bool = True) -> Path:
    net = random_net({name: len(classes) for name, classes in LABELS.items()}, regions=regions)
    write_weights(directory / "w.safetensors", Weights(net.weights(), CONFIG, LABELS))
    return directory / "w.safetensors"


def test_what_is_allowed_becomes_likely() -> None:
    lesson = clouds(40)
    head = fit_head(ZERO, [lesson], HeadConfig(pull=1e-4))
    believed = F.linear(lesson.views[0], head.weight, head.bias).softmax(1)
    assert ((believed * lesson.allowed).sum(1) > 0.95).all()
    # Nothing tells the two that are both allowed apart.
    torch.testing.assert_close(believed[::2, 0], believed[::2, 1], atol=1e-4, rtol=0)


def test_of_what_a_label_allows_what_is_more_likely_is_said() -> None:
    lesson = clouds(40)
    likely = torch.where(lesson.allowed, torch.tensor([0.9, 0.1, 1.0]), 0.0)
    head = fit_head(ZERO, [lesson._replace(likely=likely)], HeadConfig(pull=1e-4))
    told = F.linear(lesson.views, head.weight, head.bias).softmax(-1).mean(0)
    assert (told.argmax(1) == likely.argmax(1)).all()
    assert told[0, 1] == pytest.approx(0.1, abs=0.05)


def test_a_head_that_is_held_stays() -> None:
    former = Head(torch.randn(3, 4, generator=torch.Generator().manual_seed(1)), torch.ones(3))
    held = HeadConfig(pull=1e6, bias_pull=1e6)
    for old, new in zip(former, fit_head(former, [clouds(40)], held), strict=True):
        torch.testing.assert_close(new, old, atol=1e-4, rtol=0)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.5, 100), st.integers(4, 12))
def test_what_counts_more_is_better_known(times: float, count: int) -> None:
    """Photographs that look alike, and that are said to be two things: the odds are the shares."""
    views = torch.zeros(1, count, 4)
    first = torch.arange(count) % 2 == 0
    allowed = torch.stack([first, ~first, torch.zeros(count, dtype=torch.bool)], 1)
    shares = torch.where(first, times / first.sum(), 1 / (~first).sum())
    bias = fit_head(
        ZERO,
        [Lesson(views, allowed, torch.zeros(allowed.shape), shares)],
        HeadConfig(bias_pull=1e-6),
    ).bias
    assert float(bias[0] - bias[1]) == pytest.approx(np.log(times), abs=0.05)


def test_weights_have_a_head_for_photographs_besides(
    learnt: Photographs, photographs: Photographs, items: datasets.Dataset, tmp_path: Path
) -> None:
    path, folds = weights_in(tmp_path), tmp_path / "folds"
    before = read_weights(path)
    config = HeadConfig(pull=1e-4, folds=3, laid=5)
    told = refit_on_photographs(
        path, tmp_path / "out", learnt, photographs, items, config, folds=folds, device="cpu"
    )
    assert told["photographs"] == {"learnt": 2, "others": 5, "laid": 5}
    assert told["fitted"]["right"] == 1.0 >= told["left out"]["right"]
    after = read_weights(tmp_path / "out")
    own = {name.split(".")[1] for name in after.state.keys() - before.state.keys()}
    assert own == {"articleType", *(name for name in BESIDES if name in LABELS)}
    assert all(after.state[name].equal(tensor) for name, tensor in before.state.items())
    each = [read_weights(folds / f"{at}.safetensors").state for at in range(3)]
    heads = [state["taken.articleType.weight"] for state in [after.state, *each]]
    for at in photographs.labelled().folds(3):
        assert not heads[0].equal(heads[1 + at])


def test_photographs_alone_are_believed_of_by_it(photographs: Photographs, tmp_path: Path) -> None:
    """A gallery stays as it is, and so do packshots that ask."""
    path = weights_in(tmp_path)
    plain = load_encoder(str(path), device="cpu")
    weights = read_weights(path)
    taken = {
        "taken.articleType.weight": torch.zeros(4, 2048),
        "taken.articleType.bias": torch.tensor([0.0, 9.0, 0.0, 0.0]),
    }
    write_weights(tmp_path / "t", weights._replace(state={**weights.state, **taken}))
    other = load_encoder(str(tmp_path / "t"), device="cpu")
    assert other.fingerprint == plain.fingerprint
    assert other.record()["weights_hash"] == plain.record()["weights_hash"]
    shown = [Image.new("RGB", (60, 80), (90, 60, 30))]
    np.testing.assert_array_equal(
        other.encode_items(shown).vectors, plain.encode_items(shown).vectors
    )
    assert other.encode_queries(shown).beliefs["articleType"][0, 1] > 0.99


def test_a_head_of_other_classes_is_refused(tmp_path: Path) -> None:
    weights = read_weights(weights_in(tmp_path))
    taken = {
        "taken.articleType.weight": torch.zeros(3, 2048),
        "taken.articleType.bias": torch.zeros(3),
    }
    write_weights(tmp_path / "t", weights._replace(state={**weights.state, **taken}))
    with pytest.raises(WeightsError, match="other classes"):
        load_encoder(str(tmp_path / "t"), device="cpu")


def test_what_cannot_be_fitted_is_said(
    learnt: Photographs, photographs: Photographs, items: datasets.Dataset, tmp_path: Path
) -> None:
    folds, out = tmp_path / "folds", tmp_path / "out"
    blind, config = weights_in(tmp_path, regions=False), HeadConfig()
    with pytest.raises(WeightsError, match="none for regions"):
        refit_on_photographs(blind, out, learnt, photographs, items, config, folds=folds)
    few = load_photographs(write_photographs(tmp_path / "few.zip", TAUGHT[:2]), "dev")
    with pytest.raises(CatalogError, match="too few photographers"):
        refit_on_photographs(weights_in(tmp_path), out, learnt, few, items, config, folds=folds)
    assert not out.exists()
    for wrong in ({"balance": 1.5}, {"pull": 0.0}, {"bias_pull": -1.0}):
        with pytest.raises(ValueError, match="a balance is from 0 to 1"):
            HeadConfig(**wrong)
    for wrong in ({"folds": 1}, {"laid": 0}):
        with pytest.raises(ValueError, match="two folds or more"):
            HeadConfig(**wrong)


def test_a_photographer_is_in_one_fold_whoever_else_is_there(photographs: Photographs) -> None:
    folds = dict(zip(photographs.frame["photographer"], photographs.folds(3), strict=True))
    few = photographs.labelled()
    assert [folds[name] for name in few.frame["photographer"]] == few.folds(3).tolist()
    assert set(photographs.folds(1)) == {0}


def test_the_script_fits_and_says_how_sure_to_be(
    archive: Path, items: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packshots = [decode_image(draw_picture(row)) for row in ROWS[:3]]
    monkeypatch.setattr(sureness, "_EACH", 2)
    monkeypatch.setattr(refit, "load_catalog", lambda path: items)
    monkeypatch.setattr(refit, "dev_pictures", lambda catalog: packshots)
    out, report, folds = tmp_path / "out", tmp_path / "r.json", tmp_path / "folds"
    options = ["--data", str(tmp_path), "--weights", str(weights_in(tmp_path)), "--device", "cpu"]
    options += ["--photographs", str(archive), "--folds", str(folds), "--json", str(report)]
    assert refit.main([*options, "--out", str(out), "--pull", "0.001"]) == 0
    told = json.loads(report.read_text())
    assert told["config"]["pull"] == 0.001
    assert told["photographs"]["others"] == 5
    config = read_weights(out).config
    assert list(config.match) == pytest.approx(told["sureness"]["match"], abs=1e-4)
    # What was left out is asked in the same way.
    each = [read_weights(path).config for path in sorted(folds.iterdir())]
    assert [(c.photograph_odds, c.match) for c in each] == 5 * [
        (config.photograph_odds, config.match)
    ]
