"""What every run has: an optimiser, its schedule, the weights' average, and a place on disk."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from recommender.training.checkpoint import resume, save_checkpoint


@dataclass(frozen=True)
class Run:
    """A network in training.

    Attributes:
        net: what learns.
        average: the exponential average of its weights, which is what is shipped.
        settings: what a checkpoint is known by.
    """

    net: nn.Module
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    directory: Path
    settings: Mapping[str, Any]

    @classmethod
    def start(
        cls,
        net: nn.Module,
        directory: Path,
        settings: Mapping[str, Any],
        *,
        steps: int,
        peak_lr: float,
        rise: float,
        weight_decay: float,
        average_share: float,
    ) -> "Run":
        """SGD, one cycle of the learning rate, and an average over about a share of the steps.

        Args:
            rise: the share of the steps in which the learning rate rises.
        """
        optimizer = torch.optim.SGD(
            _decay_groups(net, weight_decay), lr=peak_lr, momentum=0.9, nesterov=True
        )
        # A fifth of five steps is one, and a rise of one step divides by the none that are between.
        steps = max(steps, 6)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, peak_lr, total_steps=steps, pct_start=rise
        )
        decay = 1 - 1 / max(average_share * steps, 1)
        ema = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        average = AveragedModel(net, multi_avg_fn=ema, use_buffers=True)
        optimizer.register_step_post_hook(lambda *_: average.update_parameters(net))
        return cls(net, average, optimizer, schedule, directory, settings)

    @property
    def seed(self) -> int:
        """Each run draws views of its own: a network knows those that its weights learnt from."""
        return seed_of(self.settings)

    def resume(self) -> list[dict[str, Any]]:
        """Go on after the last epoch on disk; returns the history so far."""
        return resume(self.directory, self.settings, self._nets, self.optimizer, self.schedule)

    def save(self, history: list[dict[str, Any]]) -> None:
        """Write the checkpoint of an epoch that has ended."""
        save_checkpoint(
            self.directory, self.settings, self._nets, self.optimizer, self.schedule, history
        )

    def step(self, loss: torch.Tensor, *, longest: float | None = None) -> None:
        """Go one step down; a gradient is made no longer than `longest`."""
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        if longest is not None:
            nn.utils.clip_grad_norm_(self.net.parameters(), longest)
        self.optimizer.step()
        self.schedule.step()

    @property
    def _nets(self) -> nn.ModuleDict:
        return nn.ModuleDict({"net": self.net, "average": self.average})


def seed_of(settings: Mapping[str, Any]) -> int:
    """What a run of these settings draws with; equal settings draw the same."""
    said = json.dumps(settings, sort_keys=True).encode()
    return int(hashlib.sha256(said).hexdigest()[:12], 16)


def _decay_groups(net: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Norms and biases are not decayed. Source: He et al., arXiv:1812.01187, section 3.1."""
    decayed = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others}]
