"""A tutor learns what it is shown, once a run, and says so where it cannot."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from test_photographs_training import narrow

from recommender.errors import TrainingError
from recommender.training import tutor as module
from recommender.training.tutor import Tutor, TutorConfig, teach

CONFIG = TutorConfig(tutor_steps=30, tutor_lr=0.01)


@pytest.fixture(autouse=True)
def _without_the_teacher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_teacher", narrow)
    torch.manual_seed(0)


def dark_and_light(value: float = 1.0) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Dark views are of the first of three types, light ones of one of the other two."""
    views = torch.stack([torch.full((3, 16, 12), 0.1), torch.full((3, 16, 12), 0.9 * value)])
    allowed = torch.tensor([[True, False, False], [False, True, True]])
    while True:
        yield views, allowed


def test_it_learns_what_labels_allow_and_is_not_taught_again(tmp_path: Path) -> None:
    path = tmp_path / "tutor.safetensors"
    taught = teach(Tutor(3), dark_and_light(), path, "1", CONFIG, torch.float32)
    views, allowed = next(dark_and_light())
    beliefs = taught(views, torch.float32).softmax(1)
    assert ((beliefs * allowed).sum(1) > 0.8).all()
    assert not taught.training
    assert not any(parameter.requires_grad for parameter in taught.parameters())

    again = teach(Tutor(3), iter([]), path, "1", CONFIG, torch.float32)
    assert torch.equal(again(views, torch.float32), taught(views, torch.float32))


def test_another_run_s_tutor_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "tutor.safetensors"
    taught = teach(Tutor(3), dark_and_light(), path, "1", CONFIG, torch.float32)
    other = teach(Tutor(3), dark_and_light(), path, "2", CONFIG, torch.float32)
    assert not torch.equal(taught.head.weight, other.head.weight)


def test_a_loss_that_is_no_number_leaves_no_tutor(tmp_path: Path) -> None:
    path = tmp_path / "tutor.safetensors"
    with pytest.raises(TrainingError, match="no number"):
        teach(Tutor(3), dark_and_light(float("nan")), path, "1", CONFIG, torch.float32)
    assert not path.exists()
