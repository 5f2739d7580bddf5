"""Train the ResNet50 and one linear head a label, jointly, on a catalog's train split.

The split is by name group (`catalog.split_names`), so nothing that is scored later was seen here;
by years (`catalog.split_years`) it is for the comparison with what others published.
"""

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import datasets
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from recommender.catalog.fingerprint import catalog_fingerprint
from recommender.catalog.items import catalog_frame
from recommender.catalog.splits import SPLITS
from recommender.encoding.backbone import Device, choose_device, choose_dtype, hash_state
from recommender.encoding.config import EncoderConfig
from recommender.encoding.weights import Weights, write_weights
from recommender.errors import CatalogError, TrainingError
from recommender.evaluation.metrics import Floats
from recommender.training.augmentation import Augmentation, augment, evenly
from recommender.training.examples import Examples, read_examples
from recommender.training.losses import joint_loss
from recommender.training.net import FashionNet, compute
from recommender.training.run import Run

HEADS = {
    "articleType": 1.0,
    "subCategory": 0.25,
    "masterCategory": 0.25,
    "baseColour": 1.0,
    "gender": 1.0,
    "season": 1.0,
    "usage": 1.0,
}
"""Label -> weight of its cross entropy. The categories follow from the type, so they weigh less."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """A run. Sizes in pixels are (height, width); the first epochs see smaller pictures.

    `proxies` weighs the embedding's loss, `proxy_scale` is its inverse temperature; a type with a
    smaller share of the pictures than `rare_share` is seen more than once an epoch. Weights are
    averaged over about the last `average_share` of the steps, exponentially.
    """

    augmentation: Augmentation = field(default_factory=Augmentation)
    epochs: int = 20
    small_epochs: int = 4
    small_size_px: tuple[int, int] = (64, 48)
    batch_size: int = 128
    peak_lr: float = 0.06
    weight_decay: float = 5e-5
    label_smoothing: float = 0.1
    proxies: float = 0.3
    proxy_scale: float = 16.0
    rare_share: float = 0.001
    average_share: float = 0.18
    dim: int = 128
    split: Literal["names", "types", "years"] = "names"
    seed: int = 0


def settings_of(config: TrainingConfig) -> dict[str, Any]:
    """Each setting by its name, the augmentation's among them: what a checkpoint is known by."""
    own = asdict(config)
    return {**own.pop("augmentation"), **own}


def train(
    catalogs: Sequence[datasets.Dataset],
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
        catalogs: what is trained on; the dev split is the first one's alone.
        directory: takes `weights.safetensors`, `history.json` and the checkpoint.
        config: the run.
        encoder: what pictures will be fed to the encoder like; travels in the weights' header.
        init: tensors of a ResNet50 to start from, else random.
        device: where it runs.

    Returns:
        The last epoch's history entry.

    Raises:
        CatalogError: its train split does not fill one batch.
        TrainingError: the loss left the numbers.
        WeightsError: `init` is not a ResNet50's.
        ValueError: the checkpoint in `directory` is of another run.
    """
    directory.mkdir(parents=True, exist_ok=True)
    encoder = encoder or EncoderConfig()
    torch.manual_seed(config.seed)
    place = choose_device(device)
    dtype = choose_dtype("auto", place)
    items = datasets.concatenate_datasets(list(catalogs))
    frame = catalog_frame(items)
    known = [name for name in HEADS if frame[name].notna().any()]
    labels = {name: sorted(frame[name].dropna().unique().tolist()) for name in known}
    net = FashionNet({name: len(values) for name, values in labels.items()}, config.dim)
    if init is not None:
        net.load(init)
    net.to(place).to(memory_format=torch.channels_last)
    split = SPLITS[config.split](frame)
    scored = split[: len(catalogs[0])]
    rows = {"train": np.flatnonzero(split == "train"), "dev": np.flatnonzero(scored == "dev")}
    repeats = repeat_factors(frame["articleType"].iloc[rows["train"]], config.rare_share)
    steps_an_epoch = int(np.floor(repeats).sum()) // config.batch_size
    if not steps_an_epoch:
        raise CatalogError(
            f"The catalog has {len(rows['train'])} items to train on, fewer than the "
            f"{config.batch_size} of one batch."
        )
    settings = settings_of(config) | {
        "labels": labels,
        "encoder": asdict(encoder),
        "catalogs": [catalog_fingerprint(catalog) for catalog in catalogs],
        "init": "random" if init is None else hash_state(init),
    }
    run = Run.start(
        net,
        directory,
        settings,
        steps=config.epochs * steps_an_epoch,
        peak_lr=config.peak_lr,
        rise=0.2,
        weight_decay=config.weight_decay,
        average_share=config.average_share,
    )
    averaged = cast(FashionNet, run.average.module)
    history = run.resume()
    if len(history) == config.epochs and (directory / "weights.safetensors").exists():
        return history[-1]
    # 60,000 pictures of 72x96 are 1.2 GB: a GPU holds them, and waits for no transfer.
    data = {n: read_examples(items, frame, labels, rows[n], encoder).to(place) for n in rows}
    if place.type == "cuda":
        net.compile(dynamic=False)
    # (height, width) of what the encoder will be fed with, at a first look and at a second.
    looks = (encoder, encoder.second())
    full_sizes = list(dict.fromkeys(look.input_px[::-1] for look in looks))
    for epoch in range(len(history), config.epochs):
        started = time.perf_counter()
        # Decided by run and epoch alone, so that a resumed run sees the same.
        random = torch.Generator(place).manual_seed(run.seed + epoch)
        order = draw_order(repeats, random)[: steps_an_epoch * config.batch_size]
        batches = torch.split(order, config.batch_size)
        bar = tqdm(batches, f"Epoch {epoch + 1}/{config.epochs}")
        sizes = [config.small_size_px] if epoch < config.small_epochs else full_sizes
        loss = _train_epoch(run, net, data["train"], bar, sizes, config, encoder, dtype, random)
        dev = head_accuracy(averaged, data["dev"], dtype, encoder)
        seconds = time.perf_counter() - started
        history.append({"epoch": epoch + 1, "loss": loss, "dev": dev, "seconds": seconds})
        run.save(history)
    write_weights(directory / "weights.safetensors", Weights(averaged.weights(), encoder, labels))
    return history[-1]


def repeat_factors(types: pd.Series, rare_share: float) -> Floats:
    """How often an epoch shows each item: more than once where its type is rare.

    Source: Gupta et al., LVIS, arXiv:1908.03195, section A.2: max(1, sqrt(t / share)).

    Returns:
        float64 of shape (n,), at least 1.
    """
    share = types.map(types.value_counts(normalize=True)).fillna(1.0).to_numpy(np.float64)
    factors: Floats = np.maximum(1.0, np.sqrt(rare_share / share))
    return factors


def draw_order(repeats: Floats, random: torch.Generator) -> Tensor:
    """Row numbers in random order, each as often as its factor says in the mean."""
    wanted = torch.from_numpy(repeats).to(random.device)
    times = (wanted + evenly(random, len(wanted))).floor().long()
    rows = torch.arange(len(wanted), device=random.device).repeat_interleave(times)
    return rows[torch.randperm(len(rows), generator=random, device=random.device)]


def draw_batches(
    repeats: Floats, size: int, count: int, random: torch.Generator
) -> Iterator[Tensor]:
    """Row numbers, pass after pass in another order, in so many batches."""
    orders: list[Tensor] = []
    while sum(map(len, orders)) < size * count:
        orders.append(draw_order(repeats, random))
    return iter(torch.split(torch.cat(orders)[: size * count], size))


def _train_epoch(
    run: Run,
    net: FashionNet,
    data: Examples,
    batches: Iterable[Tensor],
    sizes: Sequence[tuple[int, int]],
    config: TrainingConfig,
    encoder: EncoderConfig,
    dtype: torch.dtype,
    random: torch.Generator,
) -> float:
    """One step a batch of row numbers, its pictures of one of the sizes; returns the mean loss."""
    net.train()
    losses = []
    for batch in batches:
        size = sizes[int(evenly(random) * len(sizes))]
        views = augment(data.pictures[batch].permute(0, 3, 1, 2), size, config.augmentation, random)
        targets = {name: target[batch] for name, target in data.targets.items()}
        seen = compute(net, normalise(views, encoder), dtype)
        loss = joint_loss(seen.logits, targets, config.label_smoothing, HEADS)
        if config.proxies:
            scaled = {name: config.proxy_scale * value for name, value in seen.cosines.items()}
            loss = loss + config.proxies * joint_loss(scaled, targets, 0.0)
        run.step(loss)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise TrainingError(
                f"The loss is {losses[-1]} after {len(losses)} steps of the epoch: the last "
                "checkpoint is good; go on from it with a smaller --peak-lr in another folder."
            )
    return sum(losses) / len(losses)


def normalise(pixels: Tensor, encoder: EncoderConfig) -> Tensor:
    """float (b, 3, h, w) in [0, 1] -> what the backbone eats, as the encoder makes it."""
    mean = torch.tensor(encoder.mean, device=pixels.device).view(3, 1, 1)
    return (pixels - mean) / torch.tensor(encoder.std, device=pixels.device).view(3, 1, 1)


@torch.inference_mode()
def head_accuracy(
    net: FashionNet, data: Examples, dtype: torch.dtype, encoder: EncoderConfig
) -> dict[str, float]:
    """Share of the examples with a label whose best class it is, for each head."""
    net.eval()
    maps = []
    for pictures in torch.split(data.pictures, 256):
        pixels = normalise(pictures.permute(0, 3, 1, 2).float() / 255, encoder)
        maps.append(compute(net.backbone, pixels, dtype).float())
    pooled = torch.cat(maps)  # (n, 2048)
    accuracy = {}
    for name, head in net.heads.items():
        target = data.targets[name]
        if (known := target >= 0).any():
            accuracy[name] = float((head(pooled).argmax(1) == target)[known].float().mean())
    return accuracy


@torch.inference_mode()
def start_proxies(
    net: FashionNet, data: Examples, dtype: torch.dtype, encoder: EncoderConfig
) -> None:
    """Put each proxy where the embeddings of its class are: proxies are not shipped."""
    net.eval()
    order = torch.randperm(len(data.pictures), generator=torch.Generator().manual_seed(0))[:8000]
    order = order.to(data.pictures.device)
    seen = []
    for rows in torch.split(order, 256):
        pixels = data.pictures[rows].permute(0, 3, 1, 2).float() / 255
        seen.append(compute(net, normalise(pixels, encoder), dtype).embeddings)
    embeddings = torch.cat(seen)
    for name, proxies in net.proxies.items():
        codes = data.targets[name][order]
        known = codes >= 0
        sums = torch.zeros_like(proxies).index_add_(0, codes[known], embeddings[known])
        there = sums.norm(dim=1) > 0
        # As long as a random one is in the mean, so that all move at one pace.
        proxies.data[there] = math.sqrt(proxies.shape[1]) * F.normalize(sums[there])
