"""Heads that are fitted to what a network makes of pictures, without the network."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from recommender.encoding.agreement import Floats
from recommender.evaluation.metrics import Ints
from recommender.training.pooled import Pooled

_STEPS = 50
_LEVEL = 1e-6
"""A descent ends where a step gains less: what is left moves no accuracy."""
_STILL = 1e-3
"""Of the standard deviation of a feature: one that moves less tells nothing."""


class Head(NamedTuple):
    """A linear map of pooled maps: (classes, 2048) and (classes,)."""

    weight: Tensor
    bias: Tensor

    @classmethod
    def of(cls, state: Mapping[str, Tensor], name: str) -> "Head":
        """The one that a weights file calls so."""
        return cls(*(state[f"{name}.{part}"].float() for part in cls._fields))

    def named(self, name: str) -> dict[str, Tensor]:
        """Its tensors, as a weights file has them."""
        return {f"{name}.{part}": tensor.half() for part, tensor in self._asdict().items()}

    def beliefs(self, features: Pooled) -> Floats:
        """Features of shape (n, 2048) -> float32 of shape (n, classes), rows that sum to one."""
        logits = F.linear(torch.from_numpy(features.astype(np.float32)), self.weight, self.bias)
        believed: Floats = logits.softmax(1).numpy()
        return believed


def fit_heads(features: Pooled, targets: Ints, decays: Sequence[float]) -> dict[float, Head]:
    """Decay -> multinomial logistic regression, each from where the one before it ended.

    Args:
        features: of shape (n, d).
        targets: int64 of shape (n,), each of the classes at least once.
        decays: what half a squared weight costs, of features whose standard deviation is one.
    """
    plain = torch.from_numpy(features.astype(np.float32))
    mean, spread = plain.mean(0), plain.std(0)
    spread = torch.where(spread > _STILL * spread.mean(), spread, torch.inf)
    scaled, truth = (plain - mean) / spread, torch.from_numpy(targets)
    weight = torch.zeros(int(targets.max()) + 1, plain.shape[1], requires_grad=True)
    bias = torch.zeros(len(weight), requires_grad=True)
    fitted = {}
    for decay in sorted(decays, reverse=True):
        descend([weight, bias], partial(_cost, scaled, truth, weight, bias, decay))
        own = weight.detach() / spread
        fitted[decay] = Head(own, bias.detach() - own @ mean)
    return fitted


def _cost(scaled: Tensor, truth: Tensor, weight: Tensor, bias: Tensor, decay: float) -> Tensor:
    unlike = F.cross_entropy(F.linear(scaled, weight, bias), truth)
    return unlike + decay / 2 * weight.square().sum()


def descend(
    parameters: Sequence[Tensor],
    cost: Callable[[], Tensor],
    *,
    steps: int = _STEPS,
    level: float = _LEVEL,
) -> None:
    """Bring a convex cost to its least, in place; after so many steps it is near enough."""
    optimiser = torch.optim.LBFGS(
        parameters,
        max_iter=steps,
        tolerance_grad=100 * level,
        tolerance_change=level,
        line_search_fn="strong_wolfe",
    )

    def step() -> Tensor:
        optimiser.zero_grad()
        value = cost()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimiser.step(step)  # type: ignore[no-untyped-call]
