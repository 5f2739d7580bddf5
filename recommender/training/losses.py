"""What a step is to lessen, as functions of what a network says."""

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from recommender.encoding.regions import STRIDE_PX

_SURE = 0.98
"""Certainty beyond this earns nothing: a coarse label does not deserve more."""


def joint_loss(
    logits: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    label_smoothing: float,
    weights: Mapping[str, float] | None = None,
) -> Tensor:
    """Sum over labels of the mean cross entropy of the examples that have the label (not -1)."""
    losses = []
    for name, scores in logits.items():
        known = targets[name] >= 0
        if known.any():
            loss = F.cross_entropy(
                scores[known].float(), targets[name][known], label_smoothing=label_smoothing
            )
            losses.append(loss * (weights[name] if weights else 1.0))
    # Where nothing is known the loss is zero, and still a function of the network.
    return torch.stack(losses or [0 * scores.sum() for scores in logits.values()]).sum()


def partial_loss(logits: Tensor, allowed: Tensor) -> Tensor:
    """-log of what is believed of the allowed classes together, in the mean.

    Args:
        logits: float of shape (b, c).
        allowed: bool of shape (b, c); a row that allows all says nothing, and does not count.
    """
    known = ~allowed.all(1)
    if not known.any():
        return 0 * logits.sum()
    log_p = logits[known].float().log_softmax(1)
    right = log_p.masked_fill(~allowed[known], -torch.inf).logsumexp(1)
    return -right.clamp(max=math.log(_SURE)).mean()


def divergence(wanted: Tensor, logits: Tensor) -> Tensor:
    """What beliefs of logits (b, c) lack of those of `wanted`: Kullback-Leibler, in nats.

    Source: Li & Hoiem, Learning without Forgetting, arXiv:1606.09282.
    """
    return F.kl_div(
        logits.float().log_softmax(1),
        wanted.float().log_softmax(1),
        reduction="batchmean",
        log_target=True,
    )


def disagreement(left: Tensor, right: Tensor) -> Tensor:
    """Twice the Jensen-Shannon divergence of the beliefs of two views' logits (b, c), in nats."""
    p, q = left.float().softmax(1), right.float().softmax(1)
    middle = ((p + q) / 2).clamp_min(1e-8).log()
    return F.kl_div(middle, p, reduction="batchmean") + F.kl_div(middle, q, reduction="batchmean")


def by_place(alphas: Tensor) -> Tensor:
    """Where garments are in views, (b, h, w), as a region head says it: (b, h/4, w/4)."""
    return F.avg_pool2d(alphas[:, None], STRIDE_PX, ceil_mode=True)[:, 0]


def overlaps(logits: Tensor, alphas: Tensor) -> Tensor:
    """How much (IoU) of mask and garment is both, in each view.

    Args:
        logits: float of shape (b, h/4, w/4), as a region head says it.
        alphas: float of shape (b, h, w), where the garment is.

    Returns:
        float of shape (b,).
    """
    said = F.interpolate(logits[:, None], alphas.shape[1:], mode="bilinear")[:, 0] > 0
    truth = alphas > 0.5
    either = (said | truth).sum((1, 2)).clamp(min=1)
    return (said & truth).sum((1, 2)) / either


def region_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy of each place, and what each mask lacks of a full overlap (Dice).

    Args:
        logits: float of shape (b, h, w).
        truth: float of the same shape, the garment's share of each place.
    """
    p = logits.float().sigmoid()
    dice = (2 * (p * truth).sum((1, 2)) + 1) / (p.sum((1, 2)) + truth.sum((1, 2)) + 1)
    return F.binary_cross_entropy_with_logits(logits.float(), truth) + (1 - dice).mean()
