"""Train the ResNet50 and one linear head a label, jointly, on a catalog's train split.

The split is by name group (`catalog.split_names`), so nothing that is scored later was seen here.
"""

import json
import logging
import math
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import pandas as pd
import timm
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm.auto import tqdm

from recommender.catalog import PICTURE_LIMITS, catalog_frame, split_names
from recommender.checkpoint import resume, save_checkpoint
from recommender.encoder import (
    BACKBONE_DIM,
    Device,
    EncoderConfig,
    choose_device,
    choose_dtype,
    fit_picture,
    load_backbone,
)
from recommender.errors import CatalogError
from recommender.images import decode_image

logger = logging.getLogger(__name__)

HEADS = ("articleType", "baseColour", "gender", "season", "usage")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """A run. Sizes in pixels are (height, width); the first epochs see smaller pictures."""

    epochs: int = 16
    small_epochs: int = 5
    small_size_px: tuple[int, int] = (64, 48)
    batch_size: int = 128
    peak_lr: float = 0.08
    weight_decay: float = 5e-5
    label_smoothing: float = 0.1
    zoom: float = 0.15
    shift: float = 0.08
    turn_degrees: float = 6.0
    dim: int = 128
    seed: int = 0


class FashionNet(nn.Module):
    """A timm ResNet50 with average pooling, and one linear head a label on the pooled maps."""

    def __init__(self, classes: Mapping[str, int]) -> None:
        super().__init__()
        self.backbone = timm.create_model("resnet50", pretrained=False, num_classes=0)
        self.heads = nn.ModuleDict({n: nn.Linear(BACKBONE_DIM, c) for n, c in classes.items()})

    def forward(self, pixels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """(b, 3, h, w) -> the pooled maps (b, 2048) and, for each head, logits (b, classes)."""
        pooled = self.backbone(pixels)
        return pooled, {name: head(pooled) for name, head in self.heads.items()}

    def weights(self) -> dict[str, Tensor]:
        """Everything that is shipped, in timm's names, heads as `heads.NAME.*`, in float16."""
        state = {**self.backbone.state_dict()}
        state |= {f"heads.{name}": tensor for name, tensor in self.heads.state_dict().items()}
        return {
            name: tensor.half().contiguous()
            for name, tensor in state.items()
            if not name.endswith("num_batches_tracked")
        }


@dataclass(frozen=True)
class Examples:
    """Pictures (n, h, w, 3) uint8 and, for each head, class indices (n,) int64, -1 if missing."""

    pictures: Tensor
    targets: dict[str, Tensor]


def train(
    items: datasets.Dataset,
    directory: Path,
    config: TrainingConfig,
    *,
    encoder: EncoderConfig | None = None,
    init: Mapping[str, Tensor] | None = None,
    device: Device = "auto",
) -> dict[str, Any]:
    """Train on the train split, watch the dev split, leave the test split alone.

    Each epoch ends in a checkpoint; a run that was killed goes on after its last one, and a
    finished one returns at once.

    Args:
        items: the catalog.
        directory: takes `weights.safetensors`, `history.json` and the checkpoint.
        config: the run.
        encoder: what pictures will be fed to the encoder like; travels in the weights' header.
        init: tensors of a ResNet50 to start from, else random.
        device: where it runs.

    Returns:
        The last epoch's history entry.

    Raises:
        CatalogError: its train split does not fill one batch.
        WeightsError: `init` is not a ResNet50's.
        ValueError: the checkpoint in `directory` is of another run.
    """
    directory.mkdir(parents=True, exist_ok=True)
    encoder = encoder or EncoderConfig()
    torch.manual_seed(config.seed)
    place = choose_device(device)
    dtype = choose_dtype("auto", place)
    frame = catalog_frame(items)
    labels = {n: sorted(frame[n].dropna().unique().tolist()) for n in HEADS}
    labels = {name: values for name, values in labels.items() if values}
    net = FashionNet({name: len(values) for name, values in labels.items()})
    if init is not None:
        load_backbone(net.backbone, init)
    net.to(place).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        _decay_groups(net, config.weight_decay), lr=config.peak_lr, momentum=0.9, nesterov=True
    )
    split = split_names(frame)
    rows = {name: np.flatnonzero(split == name) for name in ("train", "dev")}
    steps = config.epochs * (len(rows["train"]) // config.batch_size)
    if not steps:
        raise CatalogError(
            f"The catalog has {len(rows['train'])} items to train on, fewer than the "
            f"{config.batch_size} of one batch."
        )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=config.peak_lr, total_steps=steps, pct_start=0.2
    )
    checkpoint, run = directory / "checkpoint", asdict(config) | {"labels": labels}
    history = resume(checkpoint, run, net, optimizer, schedule)
    if len(history) == config.epochs and (directory / "weights.safetensors").exists():
        return history[-1]
    data = {name: _read_examples(items, frame, labels, rows[name], encoder) for name in rows}
    for epoch in range(len(history), config.epochs):
        started = time.perf_counter()
        loss = _train_epoch(net, data["train"], optimizer, schedule, config, epoch, dtype, encoder)
        dev = _head_accuracy(net, data["dev"], dtype, encoder)
        seconds = time.perf_counter() - started
        history.append({"epoch": epoch + 1, "loss": loss, "dev": dev, "seconds": seconds})
        logger.info("epoch %d: %s", epoch + 1, json.dumps(history[-1]))
        save_checkpoint(checkpoint, run, net, optimizer, schedule, history)
        (directory / "history.json").write_text(json.dumps(history, indent=1), encoding="utf-8")
    header = {"config": json.dumps(asdict(encoder)), "labels": json.dumps(labels)}
    pooled = F.normalize(_pool_all(net, data["train"], dtype, encoder))
    tensors = net.weights() | fit_projection(pooled, config.dim)
    building = directory / "weights.building"
    save_file(tensors, building, metadata=header)
    building.replace(directory / "weights.safetensors")
    return history[-1]


def fit_projection(embeddings: Tensor, dim: int) -> dict[str, Tensor]:
    """The `dim` directions in which embeddings vary most: PCA, without whitening.

    Args:
        embeddings: float32 of shape (n, 2048), unit rows, of items that were trained on.

    Returns:
        `projection.weight` of shape (dim, 2048) and `projection.bias` of shape (dim,), float16.
    """
    mean = embeddings.mean(0)
    centred = (embeddings - mean).double()
    _, vectors = torch.linalg.eigh(centred.T @ centred)  # eigenvalues rise
    weight = vectors[:, -dim:].flip(1).T.float()  # (dim, 2048)
    return {
        "projection.weight": weight.half().contiguous(),
        "projection.bias": -(weight @ mean).half(),
    }


def _decay_groups(net: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Norms and biases are not decayed. Source: He et al., arXiv:1812.01187, section 3.1."""
    decayed = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def _read_examples(
    items: datasets.Dataset,
    frame: pd.DataFrame,
    labels: Mapping[str, list[str]],
    rows: npt.NDArray[np.int64],
    encoder: EncoderConfig,
) -> Examples:
    size = (encoder.width_px, encoder.height_px)

    def read(picture: dict[str, Any]) -> npt.NDArray[np.uint8]:
        data = picture["bytes"]
        return fit_picture(decode_image(data, limits=PICTURE_LIMITS, at_least_px=size), encoder)

    pictures = np.empty((len(rows), *size[::-1], 3), dtype=np.uint8)
    with ThreadPoolExecutor() as pool:
        encoded = (picture for batch in _batched(items, rows) for picture in batch)
        for i, picture in enumerate(tqdm(pool.map(read, encoded), "Pictures", len(rows))):
            pictures[i] = picture
    targets = {}
    for name, values in labels.items():
        index = {value: i for i, value in enumerate(values)}
        targets[name] = torch.tensor([index.get(v, -1) for v in frame[name].iloc[rows]])
    return Examples(torch.from_numpy(pictures), targets)


def _batched(items: datasets.Dataset, rows: npt.NDArray[np.int64]) -> Any:
    for start in range(0, len(rows), 1000):
        yield items[rows[start : start + 1000]]["image"]


def _train_epoch(
    net: FashionNet,
    data: Examples,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    config: TrainingConfig,
    epoch: int,
    dtype: torch.dtype,
    encoder: EncoderConfig,
) -> float:
    """One pass over the train split in an order that only seed and epoch decide."""
    place = next(net.parameters()).device
    random = torch.Generator().manual_seed(config.seed * 1000 + epoch)
    order = torch.randperm(len(data.pictures), generator=random)
    batches = torch.split(order, config.batch_size)[: len(order) // config.batch_size]
    small = epoch < config.small_epochs
    size = config.small_size_px if small else (encoder.height_px, encoder.width_px)
    net.train()
    total = 0.0
    for batch in (bar := tqdm(batches, f"Epoch {epoch + 1}/{config.epochs}")):
        pixels = normalise(data.pictures[batch].to(place), encoder)
        pixels = augment(pixels, size, config, random)
        with torch.autocast(place.type, dtype, enabled=dtype == torch.bfloat16):
            _, logits = net(pixels.contiguous(memory_format=torch.channels_last))
            loss = joint_loss(
                logits,
                {name: target[batch].to(place) for name, target in data.targets.items()},
                config.label_smoothing,
            )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        total += loss.item()
        bar.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    return total / max(len(batches), 1)


def joint_loss(
    logits: Mapping[str, Tensor], targets: Mapping[str, Tensor], label_smoothing: float
) -> Tensor:
    """Sum over heads of the mean cross entropy of the examples that have the label (not -1)."""
    losses = []
    for name, scores in logits.items():
        known = targets[name] >= 0
        if known.any():
            losses.append(
                F.cross_entropy(
                    scores[known].float(), targets[name][known], label_smoothing=label_smoothing
                )
            )
    # Where nothing is known the loss is zero, and still a function of the network.
    return torch.stack(losses or [0 * scores.sum() for scores in logits.values()]).sum()


def normalise(pictures: Tensor, encoder: EncoderConfig) -> Tensor:
    """uint8 (b, h, w, 3) -> float32 (b, 3, h, w), as the encoder does."""
    pixels = pictures.permute(0, 3, 1, 2).float() / 255
    mean = torch.tensor(encoder.mean, device=pixels.device).view(3, 1, 1)
    return (pixels - mean) / torch.tensor(encoder.std, device=pixels.device).view(3, 1, 1)


def augment(
    pixels: Tensor, size: tuple[int, int], config: TrainingConfig, random: torch.Generator
) -> Tensor:
    """Mirror, zoom, shift and turn each picture, and bring it to `size`, in one resampling.

    Colour is left alone, since it is one of the labels.

    Returns:
        float32 of shape (b, 3, *size).
    """
    count, _, height, width = pixels.shape

    def uniform(reach: float) -> Tensor:
        return (torch.rand(count, generator=random) * 2 - 1) * reach

    mirror = torch.where(torch.rand(count, generator=random) < 0.5, -1.0, 1.0)
    scale = 1 + uniform(config.zoom)
    angle = uniform(math.radians(config.turn_degrees))
    cos, sin, aspect = angle.cos() * scale, angle.sin() * scale, height / width
    # Output to input, in coordinates from -1 to 1 a side, hence the aspect in the off-diagonals.
    rows = [
        torch.stack([cos * mirror, -sin * aspect, uniform(config.shift)], 1),
        torch.stack([sin / aspect * mirror, cos, uniform(config.shift)], 1),
    ]
    theta = torch.stack(rows, 1).to(pixels.device)  # (b, 2, 3)
    grid = F.affine_grid(theta, [count, 3, *size], align_corners=False)
    return F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


@torch.inference_mode()
def _pool_all(
    net: FashionNet, data: Examples, dtype: torch.dtype, encoder: EncoderConfig
) -> Tensor:
    """The pooled maps of all examples, (n, 2048) float32 on the CPU."""
    net.eval()
    place = next(net.parameters()).device
    pooled = []
    for batch in torch.split(torch.arange(len(data.pictures)), 256):
        pixels = normalise(data.pictures[batch].to(place), encoder)
        with torch.autocast(place.type, dtype, enabled=dtype == torch.bfloat16):
            maps = net.backbone(pixels.contiguous(memory_format=torch.channels_last))
        pooled.append(maps.float().cpu())
    return torch.cat(pooled)


@torch.inference_mode()
def _head_accuracy(
    net: FashionNet, data: Examples, dtype: torch.dtype, encoder: EncoderConfig
) -> dict[str, float]:
    """Share of the examples with a label whose best class it is, for each head."""
    pooled = _pool_all(net, data, dtype, encoder)
    accuracy = {}
    for name, head in net.heads.items():
        target = data.targets[name]
        best = head(pooled.to(next(head.parameters()).device)).argmax(1).cpu()
        if (known := target >= 0).any():
            accuracy[name] = float((best == target)[known].float().mean())
    return accuracy
