"""The loss of all heads at once: what is not known teaches nothing."""

import torch
import torch.nn.functional as F

from recommender.training.losses import joint_loss


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
