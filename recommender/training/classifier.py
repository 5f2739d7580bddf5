"""The predecessors' transfer learning, so that their result can be reproduced and beaten.

A ResNet50 of ImageNet weights learns the article types of at least 275 pictures, its last layer
replaced; all layers move. Source: the usual PyTorch recipe, "Transfer Learning for Computer
Vision", which they followed.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import transforms
from tqdm.auto import tqdm

from recommender.catalog.fingerprint import catalog_fingerprint
from recommender.catalog.items import PICTURE_LIMITS, catalog_frame
from recommender.catalog.splits import split_names
from recommender.encoding.backbone import (
    BACKBONE_DIM,
    Device,
    choose_device,
    choose_dtype,
    create_backbone,
    load_backbone,
)
from recommender.encoding.config import EncoderConfig
from recommender.encoding.encoder import Encoder
from recommender.encoding.weights import Weights, write_weights
from recommender.errors import CatalogError, TrainingError
from recommender.evaluation.classification import accuracy, macro_f1
from recommender.evaluation.encoded import believe
from recommender.files import whole_file
from recommender.pictures.decode import decode_image
from recommender.training.checkpoint import resume, save_checkpoint
from recommender.training.net import compute

ENCODER = EncoderConfig(width_px=224, height_px=224, fit="crop", projection=False)


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    """Their run. `step_epochs` and `gamma` are StepLR's."""

    epochs: int = 25
    at_least: int = 275
    batch_size: int = 32
    lr: float = 0.001
    momentum: float = 0.9
    step_epochs: int = 7
    gamma: float = 0.1
    resize_px: int = 256
    crop_px: int = 224
    seed: int = 0


class TypeNet(nn.Module):
    """A timm ResNet50 whose last layer names the article type; `fc` as timm calls it."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.backbone = create_backbone()
        self.fc = nn.Linear(BACKBONE_DIM, classes)

    def forward(self, pixels: Tensor) -> Tensor:
        """(b, 3, h, w) -> logits (b, classes)."""
        logits: Tensor = self.fc(self.backbone(pixels))
        return logits


def train_classifier(
    items: datasets.Dataset,
    directory: Path,
    config: ClassifierConfig,
    *,
    init: Mapping[str, Tensor] | None = None,
    beside: Encoder | None = None,
    device: Device = "auto",
) -> dict[str, Any]:
    """Train on the train split; score the dev split before the first epoch and after each.

    A run that was killed goes on after its last epoch, and so does one that is to have more. At
    the end `comparison.json` says what became of it, beside another encoder's head.

    Args:
        items: the catalog.
        directory: takes `weights.safetensors`, `history.json` and the checkpoint.
        config: the run.
        init: tensors of a ResNet50 to start from, else random.
        beside: whose head of article types is asked to tell the same pictures' types apart.
        device: where it runs.

    Returns:
        The last epoch's history entry; epoch 0 in the history is the state before training.

    Raises:
        CatalogError: no article type has as many pictures as it takes, or no batch fills.
        TrainingError: the loss left the numbers.
        WeightsError: `init` is not a ResNet50's.
        ValueError: the checkpoint in `directory` is of another run.
    """
    directory.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    place = choose_device(device)
    dtype = choose_dtype("auto", place)
    frame = catalog_frame(items)
    counts = frame["articleType"].value_counts()
    classes = sorted(counts[counts >= config.at_least].index)
    codes = pd.Index(classes).get_indexer(pd.Index(frame["articleType"])).astype(np.int64)
    split = split_names(frame)
    rows = {n: np.flatnonzero((split == n) & (codes >= 0)) for n in ("train", "dev")}
    if len(classes) < 2 or len(rows["train"]) < config.batch_size:
        raise CatalogError(
            f"{len(classes)} article types have {config.at_least} pictures or more, and "
            f"{len(rows['train'])} of them may be trained on: too few to learn to tell them apart."
        )
    net = TypeNet(len(classes))
    if init is not None:
        load_backbone(net.backbone, init)
    net.to(place).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=config.lr, momentum=config.momentum)
    # StepLR as a function of the epoch alone, so that a resumed run is at the right step.
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda epoch: config.gamma ** (epoch // config.step_epochs)
    )
    # What an epoch does is no matter of how many there are: a finished run takes more.
    settings = {name: value for name, value in asdict(config).items() if name != "epochs"}
    run = settings | {"classes": classes, "catalog": catalog_fingerprint(items)}
    history = resume(directory, run, net, optimizer, schedule)
    if len(history) > config.epochs and (directory / "weights.safetensors").exists():
        return history[-1]
    pictures = items.select_columns(["image"])
    data = {n: pictures.select(r).add_column("target", codes[r].tolist()) for n, r in rows.items()}
    if not history:
        history.append({"epoch": 0, "dev": _score(net, data["dev"], config, dtype)})
    for epoch in range(len(history), config.epochs + 1):
        started = time.perf_counter()
        torch.manual_seed(config.seed * 1000 + epoch)
        loss = _train_epoch(net, data["train"], optimizer, config, dtype, f"Epoch {epoch}")
        schedule.step()
        dev = _score(net, data["dev"], config, dtype)
        seconds = time.perf_counter() - started
        history.append({"epoch": epoch, "loss": loss, "dev": dev, "seconds": seconds})
        save_checkpoint(directory, run, net, optimizer, schedule, history)
    comparison: dict[str, Any] = {"types": len(classes), "pictures": len(data["dev"])}
    comparison["epochs"] = history[-1]["epoch"]
    comparison |= {"before": history[0]["dev"], "after": history[-1]["dev"]}
    if beside is not None and "articleType" in beside.labels and len(data["dev"]):
        comparison["beside"] = _score_encoder(beside, data["dev"], classes)
    with whole_file(directory / "comparison.json") as building:
        building.write_text(json.dumps(comparison, indent=1), encoding="utf-8")
    state = net.backbone.state_dict() | {f"fc.{n}": t for n, t in net.fc.state_dict().items()}
    weights = Weights({name: tensor.half() for name, tensor in state.items()}, ENCODER, {})
    write_weights(directory / "weights.safetensors", weights, classes=classes)
    return history[-1]


def _batches(
    data: datasets.Dataset, config: ClassifierConfig, *, training: bool
) -> DataLoader[tuple[Tensor, int]]:
    """Pixels (b, 3, crop, crop) and targets (b,), as torchvision's transforms make them."""
    cut = [transforms.Resize(config.resize_px), transforms.CenterCrop(config.crop_px)]
    mirror = [transforms.RandomHorizontalFlip()] if training else []
    to_pixels = [transforms.ToTensor(), transforms.Normalize(ENCODER.mean, ENCODER.std)]
    transform = transforms.Compose([*cut, *mirror, *to_pixels])

    def collate(examples: list[dict[str, Any]]) -> tuple[Tensor, Tensor]:
        files = [example["image"]["bytes"] for example in examples]
        pixels = [transform(decode_image(file, limits=PICTURE_LIMITS)) for file in files]
        return torch.stack(pixels), torch.tensor([example["target"] for example in examples])

    return DataLoader(
        data, batch_size=config.batch_size, shuffle=training, drop_last=training, collate_fn=collate
    )


def _train_epoch(
    net: TypeNet,
    data: datasets.Dataset,
    optimizer: torch.optim.Optimizer,
    config: ClassifierConfig,
    dtype: torch.dtype,
    title: str,
) -> float:
    """One pass over the train split; returns the mean loss."""
    place = next(net.parameters()).device
    net.train()
    losses = []
    for pixels, targets in tqdm(_batches(data, config, training=True), title):
        logits = compute(net, pixels.to(place), dtype)
        loss = F.cross_entropy(logits.float(), targets.to(place))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
        if not np.isfinite(losses[-1]):
            raise TrainingError(f"The loss is {losses[-1]}: the last checkpoint is good.")
    return sum(losses) / len(losses)


@torch.inference_mode()
def _score(
    net: TypeNet, data: datasets.Dataset, config: ClassifierConfig, dtype: torch.dtype
) -> dict[str, float]:
    """Accuracy, macro F1 and loss over a split; nothing where it is empty."""
    place = next(net.parameters()).device
    net.eval()
    logits, targets = [], []
    for pixels, wanted in _batches(data, config, training=False) if len(data) else ():
        logits.append(compute(net, pixels.to(place), dtype).float().cpu())
        targets.append(wanted)
    return _figures(torch.cat(logits), torch.cat(targets)) if logits else {}


def _score_encoder(
    encoder: Encoder, data: datasets.Dataset, classes: Sequence[str]
) -> dict[str, float]:
    """The same of an encoder's beliefs, of which those in other types are left out."""
    own = encoder.labels["articleType"]
    columns = [own.index(name) if name in own else -1 for name in classes]
    believed = believe(encoder, lambda row: data[row]["image"]["bytes"], len(data))["articleType"]
    believed = np.pad(believed, ((0, 0), (0, 1)))[:, columns]
    scores = torch.from_numpy(believed).clamp_min(1e-12).log()
    return _figures(scores, torch.tensor(data["target"]))


def _figures(scores: Tensor, wanted: Tensor) -> dict[str, float]:
    """What logits (n, classes) are worth, of which `wanted` (n,) are true."""
    truth, best = wanted.numpy(), scores.argmax(1).numpy()
    loss = float(F.cross_entropy(scores, wanted))
    return {"accuracy": accuracy(truth, best), "macro_f1": macro_f1(truth, best), "loss": loss}
