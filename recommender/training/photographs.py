"""Teach a trained network what visitors send, without forgetting what it knows of packshots.

Half of what a step sees are photographs, two views of each, whose labels are coarse: a label is
right where the sum over its article types is likely. The other half are packshots, as they are or
laid on what photographs were taken on, which say where the garment is for free. A teacher that has
seen the world says what photographs look like.
"""

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import datasets
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from recommender.catalog.items import PICTURE_LIMITS, catalog_fingerprint, catalog_frame
from recommender.catalog.photographs import GROUPS, Photographs
from recommender.catalog.splits import split_names
from recommender.encoding.backbone import Device, choose_device, choose_dtype, hash_state
from recommender.encoding.config import EncoderConfig, fit_picture
from recommender.encoding.regions import STRIDE_PX
from recommender.encoding.weights import Weights, write_weights
from recommender.errors import TrainingError
from recommender.pictures.decode import decode_image
from recommender.training.augmentation import Augmentation, augment, draw_clutter
from recommender.training.checkpoint import resume, save_checkpoint
from recommender.training.examples import Examples, read_examples
from recommender.training.fashion import (
    HEADS,
    _decay_groups,
    _draw_order,
    _head_accuracy,
    normalise,
    repeat_factors,
)
from recommender.training.net import FashionNet, compute, joint_loss
from recommender.training.scenes import Scenes, grounds, paste, to_canvas, view_photographs
from recommender.training.teacher import TEACHER_DIM, features, load_teacher

KIDS = {True: ("Boys", "Girls", "Unisex"), False: ("Men", "Women", "Unisex")}
"""Whether a photograph shows a child's garment -> the genders that may be right."""

_TYPE_OF = ("articleType", "subCategory", "masterCategory")
_AGREE = {"articleType": 1.0, "baseColour": 0.5, "gender": 0.5, "season": 0.25, "usage": 0.25}
"""Head -> how much two views of a photograph are to agree in it."""


@dataclass(frozen=True, kw_only=True)
class PhotographConfig:
    """A run. A step sees `photographs` twice each, and of packshots: `plain` as today's recipe
    does, `white` on white, `scenes` on other grounds; and `empty` grounds without a garment.

    The rest weighs losses, or is as in `TrainingConfig`.
    """

    augmentation: Augmentation = field(default_factory=Augmentation)
    scene: Scenes = field(default_factory=Scenes)
    epochs: int = 14
    steps_an_epoch: int = 150
    photographs: int = 22
    plain: int = 18
    white: int = 8
    scenes: int = 24
    empty: int = 8
    peak_lr: float = 0.025
    weight_decay: float = 1e-4
    label_smoothing: float = 0.1
    proxies: float = 0.3
    proxy_scale: float = 16.0
    partial: float = 1.0
    agree: float = 1.0
    teacher: float = 2.0
    region: float = 0.5
    garment: float = 0.3
    rare_share: float = 0.001
    rare_group_share: float = 0.06
    average_share: float = 0.15
    dim: int = 128
    seed: int = 0


class Student(nn.Module):
    """The network, and what tells the teacher's features from its pooled maps."""

    def __init__(self, net: FashionNet) -> None:
        super().__init__()
        self.net = net
        self.told = nn.Linear(2048, TEACHER_DIM)

    def forward(self, pixels: Tensor) -> Any:
        seen = self.net(pixels)
        return seen, self.told(seen.pooled)


@dataclass(frozen=True)
class PhotographExamples:
    """Photographs in memory: canvases (n, 3, 256, 256) uint8, their sizes (n, 2), what is allowed
    of each head (n, classes) bool (all where nothing is known), the teacher's features."""

    canvases: Tensor
    sizes: Tensor
    allowed: dict[str, Tensor]
    told: Tensor


def train_on_photographs(
    catalogs: Sequence[datasets.Dataset],
    photographs: Mapping[str, Photographs],
    directory: Path,
    config: PhotographConfig,
    *,
    init: Weights,
    encoder: EncoderConfig,
    device: Device = "auto",
) -> dict[str, Any]:
    """Train on photographs and packshots of the train splits; watch both dev splits."""
    directory.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    place = choose_device(device)
    dtype = choose_dtype("auto", place)
    items = datasets.concatenate_datasets(list(catalogs))
    frame = catalog_frame(items)
    labels = {name: list(classes) for name, classes in init.labels.items()}
    net = FashionNet({n: len(c) for n, c in labels.items()}, config.dim, regions=True)
    net.load(init.state)
    student = Student(net).to(place).to(memory_format=torch.channels_last)
    split = split_names(frame)
    scored = split[: len(catalogs[0])]
    rows = {
        "train": np.flatnonzero(split == "train"),
        "dev": np.flatnonzero(scored == "dev")[:1000],
    }
    data = {n: read_examples(items, frame, labels, rows[n], encoder).to(place) for n in rows}
    shown = _read_photographs(photographs["train"], frame, labels, place, dtype)
    watched = DevPhotographs.read(photographs["dev"], labels["articleType"], encoder)
    _start_proxies(net, data["train"], dtype, encoder)
    optimizer = torch.optim.SGD(
        _decay_groups(student, config.weight_decay),
        lr=config.peak_lr,
        momentum=0.9,
        nesterov=True,
    )
    steps = max(config.epochs * config.steps_an_epoch, 6)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.peak_lr, total_steps=steps, pct_start=0.15
    )
    decay = 1 - 1 / max(config.average_share * steps, 1)
    ema = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    average = AveragedModel(student, multi_avg_fn=ema, use_buffers=True)
    optimizer.register_step_post_hook(lambda *_: average.update_parameters(student))
    averaged = cast(Student, average.module).net
    nets = nn.ModuleDict({"net": student, "average": average})
    run = asdict(config) | {
        "labels": labels,
        "encoder": asdict(encoder),
        "catalogs": [catalog_fingerprint(catalog) for catalog in catalogs],
        "init": hash_state(init.state),
    }
    seed = int(hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()[:12], 16)
    history = resume(directory, run, nets, optimizer, schedule)
    repeats = repeat_factors(frame["articleType"].iloc[rows["train"]], config.rare_share)
    # A label whose photographs are few is seen more often, as rare types are.
    named = photographs["train"].frame["label"].fillna("none")
    group_repeats = repeat_factors(named, config.rare_group_share)
    packshots = config.plain + config.white + config.scenes
    for epoch in range(len(history), config.epochs):
        started = time.perf_counter()
        random = torch.Generator().manual_seed(seed + epoch)
        items_order = _endless(repeats, config.steps_an_epoch * packshots, random)
        photo_order = _endless(group_repeats, config.steps_an_epoch * config.photographs, random)
        student.train()
        totals: dict[str, float] = {}
        bar = tqdm(range(config.steps_an_epoch), f"Epoch {epoch + 1}/{config.epochs}")
        for step in bar:
            batch = items_order[step * packshots :][:packshots]
            chosen = photo_order[step * config.photographs :][: config.photographs]
            losses = _losses(
                student, data["train"], batch, shown, chosen, config, encoder, dtype, random
            )
            loss = torch.stack(list(losses.values())).sum()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(student.parameters(), 10.0)
            optimizer.step()
            schedule.step()
            if not math.isfinite(loss.item()):
                raise TrainingError(f"The loss is {loss.item()}: the last checkpoint is good.")
            for name, value in losses.items():
                totals[name] = totals.get(name, 0.0) + value.item() / config.steps_an_epoch
            bar.set_postfix(loss=f"{loss.item():.2f}")
        entry = {
            "epoch": epoch + 1,
            "loss": sum(totals.values()),
            "losses": totals,
            "dev": _head_accuracy(averaged, data["dev"], dtype, encoder),
            "photographs": watched.score(averaged, dtype, encoder),
            "region": _region_iou(averaged, data["dev"], shown, config, encoder, dtype),
            "seconds": time.perf_counter() - started,
        }
        history.append(entry)
        save_checkpoint(directory, run, nets, optimizer, schedule, history)
        weights = Weights(averaged.weights(), encoder, labels)
        write_weights(directory / "weights.safetensors", weights)
    return history[-1]


def _endless(repeats: Any, count: int, random: torch.Generator) -> Tensor:
    """Row numbers, pass after pass in another order, as many as are asked for."""
    orders: list[Tensor] = []
    while sum(map(len, orders)) < count:
        orders.append(_draw_order(repeats, random))
    return torch.cat(orders)[:count]


def _losses(
    student: Student,
    data: Examples,
    batch: Tensor,
    shown: PhotographExamples,
    chosen: Tensor,
    config: PhotographConfig,
    encoder: EncoderConfig,
    dtype: torch.dtype,
    random: torch.Generator,
) -> dict[str, Tensor]:
    """What one step is to lessen, by name."""
    tall = encoder.second().input_px[::-1]
    sizes = (encoder.input_px[::-1], tall, tall[::-1])
    odds = torch.tensor([0.3, 0.4, 0.3])
    size = sizes[int(torch.multinomial(odds, 1, generator=random))]
    place = data.pictures.device
    count = len(chosen)
    canvases, photo_sizes = shown.canvases[chosen], shown.sizes[chosen]
    # Photographs first, each twice.
    views = [view_photographs(canvases, photo_sizes, size, config.scene, random) for _ in range(2)]
    parts = list(torch.split(batch, [config.plain, config.white, config.scenes]))
    pictures = data.pictures[batch].permute(0, 3, 1, 2)
    plain, white, scenes = torch.split(pictures, [len(part) for part in parts])
    blank = torch.ones(len(white) + len(plain), 3, *size, device=place)
    alphas = [torch.zeros(len(plain), *size, device=place)]
    known = [torch.zeros(len(plain), dtype=torch.bool)]
    if size[0] > size[1]:
        views.append(augment(plain, size, config.augmentation, random))
        laid, alpha = paste(white, blank[: len(white)], size, config.scene, random)
    else:  # a packshot is upright: laid on white instead of stretched
        laid, alpha = paste(torch.cat([plain, white]), blank, size, config.scene, random)
        alphas, known = [], []
    views.append(laid)
    alphas.append(alpha)
    known.append(torch.ones(len(alpha), dtype=torch.bool))
    behind = grounds(shown.canvases, shown.sizes, size, len(scenes), random)
    laid, alpha = paste(scenes, behind, size, config.scene, random)
    views.append(laid)
    alphas.append(alpha)
    known.append(torch.ones(len(alpha), dtype=torch.bool))
    nothing = _empty(shown, data, size, config, random)
    views.append(nothing)
    alphas.append(torch.zeros(len(nothing), *size, device=place))
    known.append(torch.ones(len(nothing), dtype=torch.bool))
    seen, told = compute(student, normalise(torch.cat(views), encoder), dtype)
    first, second, shop = slice(0, count), slice(count, 2 * count), slice(2 * count, -len(nothing))
    targets = {name: target[batch] for name, target in data.targets.items()}
    losses = {
        "packshots": joint_loss(
            {n: v[shop] for n, v in seen.logits.items()}, targets, config.label_smoothing, HEADS
        ),
        "proxies": config.proxies
        * joint_loss(
            {n: config.proxy_scale * v[shop] for n, v in seen.cosines.items()}, targets, 0.0
        ),
    }
    both = slice(0, 2 * count)
    partial: list[Tensor] = []
    for name, allowed in shown.allowed.items():
        mask = allowed[chosen].repeat(2, 1)
        weight = HEADS[name] * (0.3 if name == "gender" else 1.0)
        partial.append(weight * partial_loss(seen.logits[name][both].float(), mask))
        if name == "articleType":
            scaled = config.proxy_scale * seen.cosines[name][both].float()
            partial.append(config.proxies * partial_loss(scaled, mask))
    losses["partial"] = config.partial * torch.stack(partial).sum()
    agree = [
        weight * disagreement(seen.logits[name][first].float(), seen.logits[name][second].float())
        for name, weight in _AGREE.items()
        if name in seen.logits
    ]
    cosine = (seen.embeddings[first] * seen.embeddings[second]).sum(1)
    agree.append(0.5 * (1 - cosine).mean())
    losses["agree"] = config.agree * torch.stack(agree).sum()
    wanted = shown.told[chosen].repeat(2, 1)
    losses["teacher"] = config.teacher * (
        1 - F.cosine_similarity(told[both].float(), wanted, dim=1).mean()
    )
    one = torch.ones(len(seen.garment), device=place)
    one[-len(nothing) :] = 0
    losses["garment"] = config.garment * F.binary_cross_entropy_with_logits(
        seen.garment.float(), 0.98 * one + 0.01, pos_weight=torch.tensor(0.5, device=place)
    )
    masks = seen.mask[2 * count :].float()
    truth = F.avg_pool2d(torch.cat(alphas)[:, None], STRIDE_PX)[:, 0]
    rows = torch.cat(known).to(place)
    losses["region"] = config.region * region_loss(masks[rows], truth[rows])
    return losses


def partial_loss(logits: Tensor, allowed: Tensor) -> Tensor:
    """-log of the sum over the allowed classes, of the rows where not all are; float (b, c)."""
    known = ~allowed.all(1)
    if not known.any():
        return 0 * logits.sum()
    log_p = logits[known].log_softmax(1)
    right = log_p.masked_fill(~allowed[known], -torch.inf).logsumexp(1)
    # Smoothed: certainty beyond .98 earns nothing.
    return -torch.clamp(right, max=math.log(0.98)).mean()


def disagreement(left: Tensor, right: Tensor) -> Tensor:
    """Jensen-Shannon divergence of two views' beliefs, in nats, times two."""
    p, q = left.softmax(1), right.softmax(1)
    middle = ((p + q) / 2).clamp_min(1e-8).log()
    return F.kl_div(middle, p, reduction="batchmean") + F.kl_div(middle, q, reduction="batchmean")


def region_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy of each place, and one less the Dice overlap of each mask."""
    p = logits.sigmoid()
    dice = (2 * (p * truth).sum((1, 2)) + 1) / (p.sum((1, 2)) + truth.sum((1, 2)) + 1)
    return F.binary_cross_entropy_with_logits(logits, truth) + (1 - dice).mean()


def _empty(
    shown: PhotographExamples,
    data: Examples,
    size: tuple[int, int],
    config: PhotographConfig,
    random: torch.Generator,
) -> Tensor:
    """Pictures without a garment: grounds, drawn clutter, noise, stripes of text."""
    place = data.pictures.device
    count = config.empty
    real = count * 5 // 8
    views = [grounds(shown.canvases, shown.sizes, size, real, random)]
    rest = count - real
    some = torch.randint(len(data.pictures), (rest,), generator=random)
    pixels = data.pictures[some.to(place)].permute(0, 3, 1, 2).float() / 255
    clutter = draw_clutter(pixels, rest, size, random)
    height, width = size
    kind = torch.randint(3, (rest,), generator=random).to(place).view(-1, 1, 1, 1)
    cells = torch.rand(rest, 1, 16, 1, generator=random).to(place) < 0.6
    letters = torch.rand(rest, 1, height // 3, width // 2, generator=random).to(place) < 0.5
    lines = F.interpolate((cells).float(), size, mode="nearest")
    text = 1 - lines * F.interpolate(letters.float(), size, mode="nearest") * torch.rand(
        rest, 3, 1, 1, generator=random
    ).to(place)
    noise = torch.rand(rest, 3, height, width, generator=random).to(place)
    drawn = torch.where(kind == 0, clutter, torch.where(kind == 1, text, noise))
    return torch.cat([*views, drawn])


def _read_photographs(
    photographs: Photographs,
    frame: pd.DataFrame,
    labels: Mapping[str, Sequence[str]],
    place: torch.device,
    dtype: torch.dtype,
) -> PhotographExamples:
    with ThreadPoolExecutor() as pool:
        read = lambda data: decode_image(data, limits=PICTURE_LIMITS)  # noqa: E731
        pictures = list(pool.map(read, photographs.files))
        fitted = list(pool.map(to_canvas, pictures))
    canvases = torch.from_numpy(np.stack([canvas for canvas, _ in fitted])).permute(0, 3, 1, 2)
    sizes = torch.tensor([size for _, size in fitted], dtype=torch.float32)
    allowed = allowed_classes(photographs.frame, frame, labels)
    told = features(load_teacher(), pictures, place, dtype)
    return PhotographExamples(
        canvases.contiguous().to(place),
        sizes.to(place),
        {name: mask.to(place) for name, mask in allowed.items()},
        told.to(place),
    )


def allowed_classes(
    photographs: pd.DataFrame, frame: pd.DataFrame, labels: Mapping[str, Sequence[str]]
) -> dict[str, Tensor]:
    """What each photograph's label and age allow of a head: bool (n, classes); all if unknown."""
    allowed = {}
    for name in _TYPE_OF:
        groups = {
            group: set(frame[name][frame["articleType"].isin(types)].dropna())
            for group, types in GROUPS.items()
        }
        rows = [
            [
                label is None or not (set(labels[name]) & groups[label]) or c in groups[label]
                for c in labels[name]
            ]
            for label in photographs["label"]
        ]
        allowed[name] = torch.tensor(rows)
    rows = [[c in KIDS[bool(kids)] for c in labels["gender"]] for kids in photographs["kids"]]
    allowed["gender"] = torch.tensor(rows)
    return allowed


@torch.inference_mode()
def _start_proxies(
    net: FashionNet, data: Examples, dtype: torch.dtype, encoder: EncoderConfig
) -> None:
    """Put each proxy where the embeddings of its class are: proxies are not shipped."""
    net.eval()
    order = torch.randperm(len(data.pictures), generator=torch.Generator().manual_seed(0))[:8000]
    seen = []
    for rows in torch.split(order.to(data.pictures.device), 256):
        pixels = data.pictures[rows].permute(0, 3, 1, 2).float() / 255
        seen.append(compute(net, normalise(pixels, encoder), dtype).embeddings)
    embeddings = torch.cat(seen)
    for name, proxies in net.proxies.items():
        codes = data.targets[name][order]
        known = codes >= 0
        sums = torch.zeros_like(proxies).index_add_(0, codes[known], embeddings[known])
        there = sums.norm(dim=1) > 0
        proxies.data[there] = 11 * F.normalize(sums[there])  # about as long as a random one


@dataclass(frozen=True)
class DevPhotographs:
    """Photographs as the encoder sees them at a second look, upright or lying."""

    pictures: tuple[tuple[Tensor, Tensor], ...]  # (b, h, w, 3) uint8, rows
    allowed: Tensor
    labels: tuple[str | None, ...]

    @classmethod
    def read(
        cls, photographs: Photographs, types: Sequence[str], encoder: EncoderConfig
    ) -> "DevPhotographs":
        looks = encoder.second()
        width, height = looks.input_px
        upright = EncoderConfig(width_px=width, height_px=height)
        lying = EncoderConfig(width_px=height, height_px=width)
        kept = [i for i, v in enumerate(photographs.frame["label"]) if isinstance(v, str)]
        labels = photographs.frame["label"].iloc[kept].tolist()
        pictures = [decode_image(photographs.files[i]) for i in kept]
        parts = []
        for look, wanted in ((upright, False), (lying, True)):
            rows = [i for i, p in enumerate(pictures) if (p.width > p.height) == wanted]
            batch = np.stack([fit_picture(pictures[i], look) for i in rows])
            parts.append((torch.from_numpy(batch), torch.tensor(rows)))
        allowed = torch.tensor([[t in GROUPS[label] for t in types] for label in labels])
        return cls(tuple(parts), allowed, tuple(labels))

    @torch.inference_mode()
    def score(
        self, net: FashionNet, dtype: torch.dtype, encoder: EncoderConfig
    ) -> dict[str, float]:
        net.eval()
        place = next(net.parameters()).device
        beliefs = torch.zeros(self.allowed.shape)
        garment = torch.zeros(len(self.allowed))
        for pictures, rows in self.pictures:
            for batch, at in zip(torch.split(pictures, 128), torch.split(rows, 128), strict=True):
                pixels = batch.to(place).permute(0, 3, 1, 2).float() / 255
                seen = compute(net, normalise(pixels, encoder), dtype)
                beliefs[at] = seen.logits["articleType"].float().softmax(1).cpu()
                garment[at] = seen.garment.float().sigmoid().cpu()
        best = beliefs.argmax(1)
        right = self.allowed[torch.arange(len(best)), best].float()
        by_label = pd.Series(right.numpy()).groupby(pd.Series(self.labels)).mean()
        return {
            "right": float(right.mean()),
            "mean over labels": float(by_label.mean()),
            "sureness": float((beliefs * self.allowed).sum(1).mean()),
            "garment": float(garment.mean()),
            **{label: float(value) for label, value in by_label.items()},
        }


@torch.inference_mode()
def _region_iou(
    net: FashionNet,
    data: Examples,
    shown: PhotographExamples,
    config: PhotographConfig,
    encoder: EncoderConfig,
    dtype: torch.dtype,
) -> dict[str, float]:
    """Mean overlap of mask and garment, on white and on other grounds, the same each time."""
    net.eval()
    random = torch.Generator().manual_seed(1)
    size = encoder.second().input_px[::-1]
    pictures = data.pictures[:200].permute(0, 3, 1, 2)
    worth = {}
    for name in ("white", "scenes"):
        white = torch.ones(len(pictures), 3, *size, device=pictures.device)
        real = grounds(shown.canvases, shown.sizes, size, len(pictures), random)
        behind = white if name == "white" else real
        views, alpha = paste(pictures, behind, size, config.scene, random)
        mask = compute(net, normalise(views, encoder), dtype).mask.float()
        said = F.interpolate(mask[:, None], size, mode="bilinear")[:, 0] > 0
        truth = alpha > 0.5
        union = (said | truth).sum((1, 2)).clamp(min=1)
        worth[name] = float(((said & truth).sum((1, 2)) / union).mean())
    return worth
