"""Teach a trained network what visitors send, without forgetting what it knows of packshots.

Half of what a step sees are photographs, two views of each, whose labels are coarse: a label is
right where its article types together are likely. The other half are packshots, as they are or
laid on what photographs were taken on, which say for free where the garment is. A teacher that has
seen the world says what photographs look like.
"""

import math
import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import datasets
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from recommender.catalog.items import catalog_fingerprint, catalog_frame
from recommender.catalog.photographs import Photographs
from recommender.catalog.splits import split_names
from recommender.encoding.backbone import (
    Device,
    choose_device,
    choose_dtype,
    hash_state,
)
from recommender.encoding.config import EncoderConfig
from recommender.encoding.regions import STRIDE_PX
from recommender.encoding.weights import Weights, write_weights
from recommender.errors import TrainingError, WeightsError
from recommender.training.augmentation import Augmentation, augment
from recommender.training.examples import (
    TYPED,
    Examples,
    PhotographExamples,
    read_examples,
    read_photographs,
)
from recommender.training.fashion import (
    HEADS,
    draw_batches,
    head_accuracy,
    normalise,
    repeat_factors,
    start_proxies,
)
from recommender.training.losses import (
    disagreement,
    divergence,
    joint_loss,
    partial_loss,
    region_loss,
)
from recommender.training.net import FashionNet, Seen, compute
from recommender.training.run import Run
from recommender.training.scenes import Scenes, empty, grounds, paste, view_photographs
from recommender.training.teacher import Student
from recommender.training.watch import Watched

AGREE = {"articleType": 1.0, "baseColour": 0.5, "gender": 0.5, "season": 0.25, "usage": 0.25}
"""Head -> how much two views of a photograph are to agree in it."""

_WATCHED = 1000
_LONGEST = 10.0
_AGE = 0.3
"""What the gender that a child's photograph allows weighs, beside what its label does."""


@dataclass(frozen=True, kw_only=True)
class PhotographConfig:
    """A run; what is not said here is as in `TrainingConfig`.

    Of packshots a step sees `plain` as the other recipe does, `on_white` on white and `laid` on
    grounds of photographs; of photographs `taken`, twice each; and `bare` pictures without a
    garment. A packshot is upright: where the pictures of a step lie, plain ones are on white.
    `partial` to `keep` weigh the losses, `keep` that of what was believed of packshots at the
    start. A photograph's label with a smaller share than `rare_label_share` is seen more often.
    """

    augmentation: Augmentation = field(default_factory=Augmentation)
    scenes: Scenes = field(default_factory=Scenes)
    epochs: int = 13
    steps_an_epoch: int = 150
    taken: int = 22
    plain: int = 26
    on_white: int = 8
    laid: int = 18
    bare: int = 6
    peak_lr: float = 0.02
    weight_decay: float = 1e-4
    label_smoothing: float = 0.1
    proxies: float = 0.3
    proxy_scale: float = 16.0
    partial: float = 1.0
    agree: float = 1.0
    teacher: float = 2.0
    region: float = 0.5
    garment: float = 0.3
    keep: float = 1.0
    rare_share: float = 0.001
    rare_label_share: float = 0.1
    average_share: float = 0.15
    dim: int = 128
    seed: int = 0


def train_on_photographs(
    catalogs: Sequence[datasets.Dataset],
    photographs: Mapping[str, Photographs],
    directory: Path,
    config: PhotographConfig,
    *,
    init: Weights,
    device: Device = "auto",
) -> dict[str, Any]:
    """Train on photographs and packshots of the train splits; watch both dev splits.

    Each epoch ends in a checkpoint and in weights that can be used.

    Args:
        catalogs: what is trained on; the dev split is the first one's alone.
        photographs: of the splits `train` and `dev`.
        directory: takes `weights.safetensors`, `history.json` and the checkpoint.
        config: the run.
        init: weights with heads and projection to go on from; their classes and input are kept.
        device: where it runs.

    Returns:
        The last epoch's history entry.

    Raises:
        TrainingError: the loss left the numbers.
        WeightsError: `init` is not a ResNet50's or lacks a head, or the teacher is not installed.
        ValueError: the checkpoint in `directory` is of another run.
    """
    if lacking := {*TYPED, "gender"} - init.labels.keys():
        raise WeightsError(f"The weights to go on from have no head for {min(lacking)}.")
    directory.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    place = choose_device(device)
    dtype = choose_dtype("auto", place)
    encoder, labels = init.config, {name: list(c) for name, c in init.labels.items()}
    items = datasets.concatenate_datasets(list(catalogs))
    frame = catalog_frame(items)
    net = FashionNet({n: len(c) for n, c in labels.items()}, config.dim, regions=True)
    net.load(init.state)
    student = Student(net).to(place).to(memory_format=torch.channels_last)
    # What is to be kept: another network of the same weights, which does not learn.
    former = deepcopy(net).eval().requires_grad_(False)
    split = split_names(frame)
    own = split[: len(catalogs[0])]
    rows = {
        "train": np.flatnonzero(split == "train"),
        "dev": np.flatnonzero(own == "dev")[:_WATCHED],
    }
    settings = asdict(config) | {
        "labels": labels,
        "encoder": asdict(encoder),
        "catalogs": [catalog_fingerprint(catalog) for catalog in catalogs],
        "photographs": sorted(photographs["train"].frame["image"]),
        "init": hash_state(init.state),
    }
    run = Run.start(
        student,
        directory,
        settings,
        steps=config.epochs * config.steps_an_epoch,
        peak_lr=config.peak_lr,
        rise=0.15,
        weight_decay=config.weight_decay,
        average_share=config.average_share,
    )
    averaged = cast(Student, run.average.module).net
    history = run.resume()
    if len(history) == config.epochs and (directory / "weights.safetensors").exists():
        return history[-1]
    data = {n: read_examples(items, frame, labels, rows[n], encoder).to(place) for n in rows}
    shown = read_photographs(photographs["train"], frame, labels, place, dtype)
    watched = Watched.read(photographs["dev"], labels["articleType"], encoder)
    if not history:
        start_proxies(net, data["train"], dtype, encoder)
    types = frame["articleType"].iloc[rows["train"]]
    named = photographs["train"].frame["label"].fillna("none")
    repeats = repeat_factors(types, config.rare_share)
    often = repeat_factors(named, config.rare_label_share)
    for epoch in range(len(history), config.epochs):
        started = time.perf_counter()
        random = torch.Generator().manual_seed(run.seed + epoch)
        packshots = config.plain + config.on_white + config.laid
        batches = draw_batches(repeats, packshots, config.steps_an_epoch, random)
        chosen = draw_batches(often, config.taken, config.steps_an_epoch, random)
        student.train()
        totals: dict[str, float] = {}
        bar = tqdm(zip(batches, chosen, strict=True), f"Epoch {epoch + 1}/{config.epochs}")
        for batch, taken in bar:
            losses = _losses(
                student, former, data["train"], batch, shown, taken, config, encoder, dtype, random
            )
            run.step(torch.stack(list(losses.values())).sum(), longest=_LONGEST)
            for name, value in losses.items():
                totals[name] = totals.get(name, 0.0) + value.item() / config.steps_an_epoch
            if not math.isfinite(sum(totals.values())):
                raise TrainingError("The loss is no number any more: the last checkpoint is good.")
        history.append(
            {
                "epoch": epoch + 1,
                "loss": sum(totals.values()),
                "losses": totals,
                "dev": head_accuracy(averaged, data["dev"], dtype, encoder),
                "photographs": watched.score(averaged, dtype, encoder),
                "region": watched.overlap(
                    averaged, data["dev"], shown, config.scenes, dtype, encoder
                ),
                "seconds": time.perf_counter() - started,
            }
        )
        # Before the checkpoint: killed between the two, this epoch is run again, to the same.
        weights = Weights(averaged.weights(), encoder, labels)
        write_weights(directory / "weights.safetensors", weights)
        run.save(history)
    return history[-1]


def _losses(
    student: Student,
    former: FashionNet,
    data: Examples,
    batch: Tensor,
    shown: PhotographExamples,
    taken: Tensor,
    config: PhotographConfig,
    encoder: EncoderConfig,
    dtype: torch.dtype,
    random: torch.Generator,
) -> dict[str, Tensor]:
    """What one step is to lessen, by name, of packshots in `batch` and photographs in `taken`."""
    count = len(taken)
    views, alphas = _views(data, batch, shown, taken, config, encoder, random)
    pixels = normalise(views, encoder)
    seen, told = compute(student, pixels, dtype)
    known_well = slice(2 * count, 2 * count + config.plain + config.on_white)
    with torch.no_grad():
        before = compute(former, pixels[known_well], dtype)
    first, second, both = slice(count), slice(count, 2 * count), slice(2 * count)
    shop = slice(2 * count, len(views) - config.bare)
    targets = {name: target[batch] for name, target in data.targets.items()}
    logits = {name: values[shop] for name, values in seen.logits.items()}
    cosines = {name: config.proxy_scale * values[shop] for name, values in seen.cosines.items()}
    partial = []
    for name, mask in shown.allowed.items():
        allowed = mask[taken].repeat(2, 1)
        weight = HEADS[name] * (_AGE if name == "gender" else 1.0)
        partial.append(weight * partial_loss(seen.logits[name][both], allowed))
        if name == "articleType":
            scaled = config.proxy_scale * seen.cosines[name][both]
            partial.append(config.proxies * partial_loss(scaled, allowed))
    agree = [
        weight * disagreement(seen.logits[name][first], seen.logits[name][second])
        for name, weight in AGREE.items()
        if name in seen.logits
    ]
    agree.append(0.5 * (1 - (seen.embeddings[first] * seen.embeddings[second]).sum(1)).mean())
    features = shown.told[taken].repeat(2, 1)
    there = torch.full((len(views),), 0.99, device=views.device)
    there[len(views) - config.bare :] = 0.01
    # Pictures without a garment are few: they count double.
    rarely = torch.tensor(0.5, device=views.device)
    known = len(alphas)
    truth = F.avg_pool2d(alphas[:, None], STRIDE_PX, ceil_mode=True)[:, 0]
    return {
        "packshots": joint_loss(logits, targets, config.label_smoothing, HEADS),
        "proxies": config.proxies * joint_loss(cosines, targets, 0.0),
        "partial": config.partial * torch.stack(partial).sum(),
        "agree": config.agree * torch.stack(agree).sum(),
        "keep": config.keep * _forgotten(before, seen, known_well),
        "teacher": config.teacher
        * (1 - F.cosine_similarity(told[both].float(), features, dim=1).mean()),
        "garment": config.garment
        * F.binary_cross_entropy_with_logits(seen.garment.float(), there, pos_weight=rarely),
        "region": config.region * region_loss(seen.mask[-known:], truth),
    }


def _forgotten(before: Seen, seen: Seen, rows: slice) -> Tensor:
    """How far beliefs and looks of packshots are from what they were, each head as it weighs."""
    beliefs = [
        HEADS[name] * divergence(logits, seen.logits[name][rows])
        for name, logits in before.logits.items()
    ]
    looks = (1 - (before.embeddings * seen.embeddings[rows]).sum(1)).mean()
    return torch.stack([*beliefs, looks]).sum()


def _views(
    data: Examples,
    batch: Tensor,
    shown: PhotographExamples,
    taken: Tensor,
    config: PhotographConfig,
    encoder: EncoderConfig,
    random: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """What one step sees, all of one size.

    Returns:
        Views (b, 3, h, w): photographs, photographs again, packshots, pictures without a garment;
        and of the last of them where the garment is, (b', h, w).
    """
    tall = encoder.second().input_px[::-1]
    sizes = (encoder.input_px[::-1], tall, tall[::-1])
    size = sizes[int(torch.multinomial(torch.tensor([0.3, 0.4, 0.3]), 1, generator=random))]
    canvases, own = shown.canvases[taken], shown.sizes[taken]
    views = [view_photographs(canvases, own, size, config.scenes, random) for _ in range(2)]
    pictures = data.pictures[batch].permute(0, 3, 1, 2)
    plain, on_white, laid = torch.split(pictures, [config.plain, config.on_white, config.laid])
    if size[0] > size[1]:
        views.append(augment(plain, size, config.augmentation, random))
    else:
        on_white = torch.cat([plain, on_white])
    alphas = []
    white = torch.ones(len(on_white), 3, *size, device=pictures.device)
    for garments, behind in (
        (on_white, white),
        (laid, grounds(shown.canvases, shown.sizes, size, len(laid), random)),
    ):
        view, alpha = paste(garments, behind, size, config.scenes, random)
        views.append(view)
        alphas.append(alpha)
    every = data.pictures.permute(0, 3, 1, 2)
    views.append(empty(shown.canvases, shown.sizes, every, size, config.bare, random))
    alphas.append(torch.zeros(config.bare, *size, device=pictures.device))
    return torch.cat(views), torch.cat(alphas)
