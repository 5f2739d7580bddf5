"""A tutor: the teacher's network taught article types, from whom a student then learns them.

The teacher knows the world, and the labels say what its knowledge is to be used for; what a larger
network makes of both, of views twice as large as the student's, is a better lesson than the labels
alone. Source: Hinton et al., Distilling the Knowledge in a Neural Network, arXiv:1503.02531.
"""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm.auto import tqdm

from recommender.errors import TrainingError
from recommender.files import whole_file
from recommender.training.losses import partial_loss
from recommender.training.teacher import TEACHER_DIM, load_teacher, world_features

logger = logging.getLogger(__name__)

_RISE, _DROPPED = 0.1, 0.2


@dataclass(frozen=True, kw_only=True)
class TutorConfig:
    """How a tutor is taught: steps of AdamW, the learning rate up and down in one cycle."""

    tutor_steps: int = 800
    tutor_lr: float = 4e-4
    tutor_decay: float = 0.05


class Tutor(nn.Module):
    """EfficientNet-Lite2 with ImageNet's weights, and one linear head on its pooled maps."""

    def __init__(self, types: int) -> None:
        super().__init__()
        self.network = load_teacher().requires_grad_(True)
        self.head = nn.Linear(TEACHER_DIM, types)

    def forward(self, views: Tensor, dtype: torch.dtype) -> Tensor:
        """float (b, 3, h, w) in [0, 1], of any size -> logits of types, float32 (b, types)."""
        seen = world_features(self.network, views, dtype)
        logits: Tensor = self.head(F.dropout(seen, _DROPPED, self.training))
        return logits


def _run_of(path: Path) -> str | None:
    with safe_open(path, framework="pt") as file:
        return (file.metadata() or {}).get("run")


def teach(
    tutor: Tutor,
    lessons: Iterator[tuple[Tensor, Tensor]],
    path: Path,
    run: str,
    config: TutorConfig,
    dtype: torch.dtype,
) -> Tutor:
    """Teach it, or read what it was taught before.

    Args:
        tutor: with the teacher's weights.
        lessons: views, float (b, 3, h, w), and the types that are right for each, bool (b, types).
        path: takes its weights.
        run: what these are known by: a file of another run is written anew.
        config: how.
        dtype: what it computes in.

    Returns:
        The tutor, not to be trained any more.

    Raises:
        TrainingError: the loss left the numbers.
    """
    place = str(tutor.head.weight.device)
    if not (path.is_file() and _run_of(path) == run):
        optimizer = torch.optim.AdamW(
            tutor.parameters(), lr=config.tutor_lr, weight_decay=config.tutor_decay
        )
        # A tenth of ten steps is one, and a rise of one step divides by the none that are between.
        steps = max(config.tutor_steps, 20)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, config.tutor_lr, total_steps=steps, pct_start=_RISE
        )
        tutor.train()
        total: Any = 0
        for _, (views, allowed) in zip(tqdm(range(steps), "Tutor"), lessons, strict=False):
            loss = partial_loss(tutor(views, dtype), allowed)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            total = total + loss.detach()
        if not math.isfinite(float(total)):
            raise TrainingError("The tutor's loss is no number any more.")
        logger.info("tutor: mean loss %.3f", float(total) / steps)
        with whole_file(path) as building:
            state = {name: tensor.contiguous() for name, tensor in tutor.state_dict().items()}
            save_file(state, building, metadata={"run": run})
    tutor.load_state_dict(load_file(path, place))
    return tutor.eval().requires_grad_(False)
