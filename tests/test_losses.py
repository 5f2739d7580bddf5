"""What a step is to lessen: what is not known teaches nothing, what is right costs nothing."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from recommender.training.losses import (
    disagreement,
    divergence,
    joint_loss,
    partial_loss,
    region_loss,
)


def test_a_joint_loss_leaves_missing_labels_out() -> None:
    random = torch.Generator().manual_seed(0)
    logits = {"a": torch.randn(4, 3, generator=random), "b": torch.randn(4, 2, generator=random)}
    targets = {"a": torch.tensor([0, -1, 2, -1]), "b": torch.tensor([-1, -1, -1, -1])}
    want = F.cross_entropy(logits["a"][[0, 2]], torch.tensor([0, 2]), label_smoothing=0.1)
    torch.testing.assert_close(joint_loss(logits, targets, 0.1), want)
    targets["b"] = torch.tensor([1, 1, 0, -1])
    want = want + F.cross_entropy(logits["b"][:3], targets["b"][:3], label_smoothing=0.1)
    torch.testing.assert_close(joint_loss(logits, targets, 0.1), want)


def test_a_batch_without_any_label_teaches_nothing() -> None:
    scores = torch.ones(2, 3, requires_grad=True)
    loss = joint_loss({"a": scores}, {"a": torch.tensor([-1, -1])}, 0.1)
    torch.autograd.backward(loss)
    assert loss.item() == 0
    assert scores.grad is not None
    assert not scores.grad.any()


# --- coarse labels


def rows(count: int, classes: int, seed: int = 0, scale: float = 1.0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn(count, classes, generator=random) * scale


@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(2, 6))
def test_where_one_class_is_allowed_a_partial_loss_is_the_cross_entropy(
    seed: int, count: int, classes: int
) -> None:
    logits = rows(count, classes, seed)
    targets = torch.randint(classes, (count,), generator=torch.Generator().manual_seed(seed))
    each = F.cross_entropy(logits, targets, reduction="none")
    want = each.clamp(min=-math.log(0.98)).mean()  # surer than that earns nothing
    torch.testing.assert_close(partial_loss(logits, F.one_hot(targets, classes) > 0), want)


def test_of_several_classes_what_counts_is_their_sum() -> None:
    logits = rows(3, 4)
    allowed = torch.tensor([[True, True, False, False], [False, True, True, True], [True] * 4])
    p = logits.softmax(1)
    want = -(p[0, :2].sum().log() + p[1, 1:].sum().log()) / 2  # the third row says nothing
    torch.testing.assert_close(partial_loss(logits, allowed), want)


def test_what_allows_everything_or_is_sure_already_teaches_nothing() -> None:
    logits = rows(3, 4).requires_grad_()
    allowed = torch.tensor([[True] * 4, [True, False, False, True], [True] * 4])
    torch.autograd.backward(partial_loss(logits, allowed))
    assert logits.grad is not None
    assert not logits.grad[[0, 2]].any()
    assert logits.grad[1].any()
    unknown = rows(2, 4).requires_grad_()
    loss = partial_loss(unknown, torch.ones(2, 4, dtype=torch.bool))
    torch.autograd.backward(loss)
    assert loss.item() == 0
    assert unknown.grad is not None
    assert not unknown.grad.any()
    sure = torch.tensor([[9.0, 0, 0]], requires_grad=True)
    loss = partial_loss(sure, torch.tensor([[True, False, False]]))
    torch.autograd.backward(loss)
    assert loss.item() == pytest.approx(-math.log(0.98))
    assert sure.grad is not None
    assert not sure.grad.any()


def test_a_hopeless_partial_loss_is_a_number() -> None:
    logits = torch.tensor([[200.0, 0, 0]], requires_grad=True)
    loss = partial_loss(logits, torch.tensor([[False, True, True]]))
    torch.autograd.backward(loss)
    assert loss.item() == pytest.approx(200 - math.log(2), abs=1e-3)
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


# --- two views


@given(st.integers(0, 2**32), st.floats(0.01, 40))
def test_two_views_disagree_by_two_bits_at_most(seed: int, scale: float) -> None:
    left, right = rows(3, 5, seed, scale), rows(3, 5, seed + 1, scale)
    apart = disagreement(left, right)
    torch.testing.assert_close(disagreement(right, left), apart)
    torch.testing.assert_close(disagreement(left + 3, right), apart, atol=1e-4, rtol=1e-4)
    assert -1e-5 <= apart.item() <= 2 * math.log(2) + 1e-5
    assert disagreement(left, left).item() == pytest.approx(0, abs=1e-5)


def test_views_that_are_sure_of_different_things_disagree_wholly() -> None:
    left, right = torch.tensor([[50.0, 0]]), torch.tensor([[0, 50.0]])
    assert disagreement(left, right).item() == pytest.approx(2 * math.log(2), abs=1e-4)


# --- regions


def test_a_region_s_loss_is_least_where_it_is_right() -> None:
    truth = torch.zeros(3, 8, 8)
    truth[0, 2:6, 2:6] = 1
    truth[1] = 1  # and of the third there is none
    right = region_loss(40 * (truth - 0.5), truth)
    assert right.item() == pytest.approx(0, abs=1e-4)
    doubt = region_loss(torch.zeros(3, 8, 8), truth)
    wrong = region_loss(40 * (0.5 - truth), truth)
    assert 0.3 < doubt < wrong
    assert wrong.item() > 19


@given(st.integers(0, 2**32))
def test_a_region_s_loss_is_a_finite_number(seed: int) -> None:
    truth = torch.rand(2, 6, 4, generator=torch.Generator().manual_seed(seed))
    logits = rows(12, 4, seed, 30).view(2, 6, 4).requires_grad_()
    loss = region_loss(logits, truth)
    torch.autograd.backward(loss)
    assert loss.item() >= 0
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_what_is_believed_as_before_diverges_by_nothing() -> None:
    wanted = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    assert divergence(wanted, wanted + 3).abs() < 1e-6  # logits are known up to a constant
    p, q = wanted.softmax(1), wanted.flip(1).softmax(1)
    expected = (p * (p / q).log()).sum(1).mean()
    torch.testing.assert_close(divergence(wanted, wanted.flip(1)), expected)
