"""A region head that learns photographs as well as packshots laid on what they were taken on.

The truth of a garment laid on a ground is free, but a head that knows only laid ones finds parts of
those that lie there really: dark shoes on a dark floor have no pasted edge. The network stays; its
own outlines of the photographs of the train split (`outlines`) are the truth of those.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from tqdm.auto import tqdm

from recommender.catalog.items import catalog_frame
from recommender.catalog.photographs import Photographs
from recommender.catalog.splits import split_names
from recommender.encoding.backbone import Device
from recommender.encoding.weights import read_weights, write_weights
from recommender.training.examples import read_examples
from recommender.training.losses import by_place, overlaps, region_loss
from recommender.training.net import shipped
from recommender.training.outlines import Outlined, Watcher, outline_photographs
from recommender.training.scenes import Scenes, empty, grounds, paste, view_outlined

_HELD = 200
"""Photographs, and packshots, that tell what a head is worth."""
_AT_ONCE = 50


@dataclass(frozen=True, kw_only=True)
class RegionConfig:
    """How a region head is fitted: what a step sees, and how long.

    A step sees `taken` photographs, packshots `laid` on what others were taken on and `on_white`,
    and `bare` pictures without a garment, at a second look's size, standing or lying, or as a
    gallery's are seen.
    """

    steps: int = 500
    taken: int = 20
    laid: int = 10
    on_white: int = 6
    bare: int = 2
    packshots: int = 4000
    peak_lr: float = 2e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.taken, self.laid, self.on_white, self.packshots) < 1:
            raise ValueError("steps, and what they see, are at least 1")


def fit_regions(
    weights: Path,
    out: Path,
    learnt: Photographs,
    others: Photographs,
    items: datasets.Dataset,
    config: RegionConfig,
    *,
    device: Device = "auto",
) -> dict[str, Any]:
    """Write weights whose region head has learnt photographs as well; all else stays.

    Args:
        weights: with heads for types and regions.
        out: takes them.
        learnt: what is learnt from.
        others: what tells how well, of other photographers.
        items: a catalog, whose train split is laid on grounds, and whose dev split tells how well.
        config: how.
        device: where the network runs.

    Returns:
        How many photographs were outlined, and the mean overlap (IoU) of mask and garment `before`
        and `after`: of others' photographs with their outlines, which are no person's, and of
        packshots laid on grounds and on white.
    """
    trained = read_weights(weights)
    watcher = Watcher(trained, device)
    shown = outline_photographs(watcher, learnt)
    asked = outline_photographs(watcher, others.sample(_HELD))
    frame = catalog_frame(items)
    split = split_names(frame)
    draw = np.random.default_rng(config.seed)
    train = np.flatnonzero(split == "train")
    rows = np.sort(draw.choice(train, min(config.packshots, len(train)), replace=False))
    packshots, told = (
        read_examples(items, frame, {}, chosen, trained.config).pictures.permute(0, 3, 1, 2)
        for chosen in (rows, np.flatnonzero(split == "dev")[:_HELD])
    )
    scene = _Scene(watcher, shown, packshots, config)
    before = _worth(watcher, asked, told, shown)
    head = watcher.regions.requires_grad_(True)
    descent = torch.optim.AdamW(head.parameters(), lr=config.peak_lr, weight_decay=0.0)
    slope = torch.optim.lr_scheduler.OneCycleLR(
        descent, config.peak_lr, total_steps=config.steps, pct_start=0.15
    )
    random = torch.Generator().manual_seed(config.seed)
    for _ in tqdm(range(config.steps), "Regions"):
        views, truth = scene.draw(random)
        stages = [maps.clone() for maps in watcher.maps(views)]
        loss = region_loss(head(stages), truth)
        descent.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        descent.step()
        slope.step()
    head.requires_grad_(False)
    state = shipped({"regions.": head})
    write_weights(out, trained._replace(state={**trained.state, **state}))
    return {
        "config": asdict(config),
        "outlined": [len(shown.sizes), len(learnt.files)],
        "before": before,
        "after": _worth(watcher, asked, told, shown),
    }


@dataclass(frozen=True)
class _Scene:
    """What steps see."""

    watcher: Watcher
    shown: Outlined
    packshots: Tensor
    config: RegionConfig

    def draw(self, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Views, float (b, 3, h, w) in [0, 1], and the garment's share of each place."""
        config, shown, scenes = self.config, self.shown, Scenes()
        sizes = self.watcher.config.query_sizes
        size = sizes[int(torch.randint(len(sizes), (), generator=random))][::-1]
        rows = torch.randint(len(shown.sizes), (config.taken,), generator=random)
        taken, outlines = view_outlined(
            shown.canvases[rows], shown.sizes[rows], shown.masks[rows], size, scenes, random
        )
        count = config.laid + config.on_white
        chosen = self.packshots[torch.randint(len(self.packshots), (count,), generator=random)]
        behind = torch.ones(count, 3, *size)
        behind[: config.laid] = grounds(shown.canvases, shown.sizes, size, config.laid, random)
        laid, alphas = paste(chosen, behind, size, scenes, random)
        bare = empty(shown.canvases, shown.sizes, self.packshots, size, config.bare, random)
        nowhere = torch.zeros(len(bare), *size)
        truth = torch.cat([outlines, alphas, nowhere])
        return torch.cat([taken, laid, bare]), by_place(truth).to(self.watcher.place)


@torch.inference_mode()
def _worth(watcher: Watcher, asked: Outlined, packshots: Tensor, shown: Outlined) -> dict[str, Any]:
    """Mean overlap (IoU) of mask and garment at a second look: kind of picture -> share."""
    worth: dict[str, list[float]] = {"photographs": [], "laid": [], "on white": []}
    for canvas, size, mask in zip(*asked, strict=True):
        width, height = size.int().tolist()
        own = canvas[:, :height, :width].permute(1, 2, 0).numpy()
        views = watcher.view(Image.fromarray(own), watcher.config.second_scale)
        truth = mask[None, None, :height, :width].float()
        truth = F.interpolate(truth, views.shape[2:], mode="bilinear")[:, 0]
        worth["photographs"] += _seen(watcher, views, truth)
    random = torch.Generator().manual_seed(1)
    size = watcher.config.second().input_px[::-1]
    behind = grounds(shown.canvases, shown.sizes, size, len(packshots), random)
    for name, ground in (("laid", behind), ("on white", torch.ones_like(behind))):
        pasted = paste(packshots, ground, size, Scenes(), random)
        for at in range(0, len(packshots), _AT_ONCE):
            worth[name] += _seen(watcher, *(part[at : at + _AT_ONCE] for part in pasted))
    return {name: round(float(np.mean(shares)), 4) for name, shares in worth.items()}


def _seen(watcher: Watcher, views: Tensor, alphas: Tensor) -> list[float]:
    """How much mask and garment overlap in each view."""
    logits = watcher.regions(watcher.maps(views))
    shares: list[float] = overlaps(logits, alphas.to(watcher.place)).tolist()
    return shares
