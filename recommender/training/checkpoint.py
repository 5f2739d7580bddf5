"""A training run on disk: everything that it needs to go on as if it had never stopped."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from recommender.files import whole_file

logger = logging.getLogger(__name__)

_STATES = {"momentum": "momentum_buffer", "mean": "exp_avg", "square": "exp_avg_sq", "at": "step"}
"""What SGD and AdamW keep of a parameter, by the names that a checkpoint has for it."""


def save_checkpoint(
    directory: Path,
    run: Mapping[str, Any],
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    history: list[dict[str, Any]],
) -> None:
    """Write `checkpoint.safetensors`, renamed into place, so that it is whole if it is there.

    `history.json`, for people, comes first: a run killed between the two has no less of it.
    """
    logger.info("epoch %d: %s", history[-1]["epoch"], json.dumps(history[-1]))
    with whole_file(directory / "history.json") as building:
        building.write_text(json.dumps(history, indent=1), encoding="utf-8")
    tensors = {f"net.{name}": tensor for name, tensor in net.state_dict().items()}
    for i, parameter in enumerate(p for group in optimizer.param_groups for p in group["params"]):
        for ours, its in _STATES.items():
            # A head that never saw its label has none yet.
            if (state := optimizer.state[parameter].get(its)) is not None:
                tensors[f"{ours}.{i}"] = state
    header = {"run": json.dumps(run), "history": json.dumps(history)}
    header["step"] = str(schedule.last_epoch)
    with whole_file(directory / "checkpoint.safetensors") as building:
        save_file({n: t.contiguous() for n, t in tensors.items()}, building, metadata=header)


def resume(
    directory: Path,
    run: Mapping[str, Any],
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> list[dict[str, Any]]:
    """Load the checkpoint of this run, if there is one; returns the history so far."""
    path = directory / "checkpoint.safetensors"
    if not path.is_file():
        return []
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata()
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged: remove it to start anew") from error
    if json.loads(header["run"]) != json.loads(json.dumps(run)):
        raise ValueError(f"{path} is of another run: name another folder, or remove it")
    tensors = load_file(path)
    net.load_state_dict({n[4:]: t for n, t in tensors.items() if n.startswith("net.")})
    for i, parameter in enumerate(p for group in optimizer.param_groups for p in group["params"]):
        for ours, its in _STATES.items():
            if (state := tensors.get(f"{ours}.{i}")) is not None:
                optimizer.state[parameter][its] = state.to(parameter.device)
    logger.info("going on after epoch %d", len(history := json.loads(header["history"])))
    # The schedule is a function of the step alone; the last step sets learning rate and momentum.
    step = int(header["step"])
    schedule.last_epoch, schedule._step_count = step - 1, step + 1
    schedule.step()
    return list(history)
