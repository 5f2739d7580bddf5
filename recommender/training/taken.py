"""Fit heads anew for photographs: the last layer alone, all else as it is.

A photograph's label is coarser than a type. By what its types have together a network learns to
say the types that many labels allow: a shirt becomes a sweatshirt. What its head reads tells the
two apart; so another head, for photographs alone, is fitted with labels that count more alike, to
photographs that the backbone has learnt from and to others, and is held to the one that it has.
Photographs with a label show no watch and no bag: packshots laid on what photographs were taken on
keep those known, and teach what no photograph's label says (`besides`).
Source: Kirichenko et al., Last Layer Re-Training is Sufficient for Robustness to Spurious
Correlations, arXiv:2204.02937.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from recommender.catalog.items import PICTURE_LIMITS, catalog_frame
from recommender.catalog.photographs import GROUPS, Photographs
from recommender.catalog.splits import split_names
from recommender.encoding.agreement import Floats
from recommender.encoding.backbone import BACKBONE_DIM, Device
from recommender.encoding.config import EncoderConfig
from recommender.encoding.network import TAKEN, Network
from recommender.encoding.second_look import Prepared, closely, regions_of, see_each, small_garment
from recommender.encoding.weights import Weights, read_weights, write_weights
from recommender.errors import CatalogError, WeightsError
from recommender.evaluation.metrics import macro_mean
from recommender.pictures.colour import Lab, median_lab, packshot_lab
from recommender.pictures.decode import decode_image
from recommender.schema import TYPE
from recommender.training.besides import fit_besides
from recommender.training.examples import read_examples
from recommender.training.linear import Head, descend
from recommender.training.scenes import Scenes, grounds, paste, to_canvas

_AT_ONCE = 64
_STEPS, _LEVEL = 30, 1e-9
_LEAST = 1e-6
_MANY = 10
"""From so many types on a label says little of which it is: trousers' has twelve."""
_GROUNDS = 400
"""Photographs whose borders packshots are laid on."""


@dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """How a head is fitted.

    A label counts by its photographs to the power of 1 - `balance`: 1 is each label alike, 0 each
    photograph. `pull` and `bias_pull` are what the squares of the changes of weights and biases
    cost, which is how strongly the head is held to what it was. So many packshots are `laid` on
    grounds, rare types among them more often. Each of `folds` of the photographers is left out in
    turn, to know what the head says of those who did not teach it.
    """

    balance: float = 0.5
    pull: float = 5e-3
    bias_pull: float = 3e-3
    laid: int = 4000
    folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.balance <= 1 or min(self.pull, self.bias_pull) <= 0:
            raise ValueError("a balance is from 0 to 1, and a pull is above 0")
        if self.folds < 2 or self.laid < 1:
            raise ValueError("there are two folds or more, and a packshot is laid")


class Lesson(NamedTuple):
    """Pictures that teach a head.

    Attributes:
        views: float32 of shape (v, n, 2048), what the backbone sees of each by its views.
        allowed: bool of shape (n, c), the classes that its label allows.
        likely: float32 of shape (n, c), how likely each of these is, where more is known than the
            label says; rows of zeros elsewhere.
        shares: float32 of shape (n,), what each counts.
    """

    views: Tensor
    allowed: Tensor
    likely: Tensor
    shares: Tensor

    def of(self, rows: Tensor) -> "Lesson":
        """Some of them: bool of shape (n,)."""
        return Lesson(self.views[:, rows], *(each[rows] for each in self[1:]))


def refit_on_photographs(
    weights: Path,
    out: Path,
    learnt: Photographs,
    others: Photographs,
    items: datasets.Dataset,
    config: HeadConfig,
    *,
    folds: Path,
    informed: Weights | None = None,
    device: Device = "auto",
) -> dict[str, Any]:
    """Write weights that have a head of article types for photographs alone.

    Args:
        weights: calibrated, with heads for types and regions.
        out: takes them with `taken.articleType.*` besides.
        learnt: who teach, of photographers whom the backbone has learnt from.
        others: who teach as much, of photographers whom it has not.
        items: a catalog, whose train split is laid on what `learnt` were taken on.
        config: how.
        folds: a folder that takes `0.safetensors` and so on: of each fold of the other
            photographers (`Photographs.folds`) weights whose head these did not teach.
        informed: weights that say which of a label's types a photograph shows, where these are so
            many (`_MANY`) that a label says little: views that agree end in one of them.
        device: where the encoder runs.

    Returns:
        How often, of the others, the likeliest type is right for the label, and in the mean over
        labels: `before`, `left out`, of each by its fold's weights, and `fitted`, by all.

    Raises:
        WeightsError: the weights have no such heads.
        CatalogError: no photograph has a label, or the others are of too few photographers.
    """
    trained = read_weights(weights)
    network = Network(trained.config, trained.state, trained.labels, device)
    if TYPE not in trained.labels or not network.finds_regions:
        raise WeightsError("These weights have no head for article types, or none for regions.")
    guide = informed and Network(informed.config, informed.state, informed.labels, device)
    known, shown_labs = _read(network, guide, trained, learnt.labelled(), config)
    laid, targets, laid_labs = lay_packshots(network, trained, items, learnt, config)
    new, _ = _read(network, guide, trained, others.labelled(), config)
    fold = torch.from_numpy(others.labelled().folds(config.folds))
    if not len(known.shares) or len(np.unique(fold.numpy())) < 2:
        raise CatalogError("The photographs that have a label are of too few photographers.")
    former = Head.of(trained.state, f"heads.{TYPE}")
    besides = fit_besides(
        trained.labels,
        laid.views[0].numpy(),
        targets,
        laid_labs,
        known.views[0].numpy(),
        shown_labs,
    )
    left_out = torch.zeros(new.allowed.shape)
    folds.mkdir(parents=True, exist_ok=True)
    for each in range(config.folds):
        own = fold == each
        head = fit_head(former, [known, laid, new.of(~own)], config)
        left_out[own] = _believed(head, new.views[:, own])
        _write(folds / f"{each}.safetensors", trained, besides | {TYPE: head})
    head = fit_head(former, [known, laid, new], config)
    _write(out, trained, besides | {TYPE: head})
    groups = pd.factorize(others.labelled().frame["label"])[0].astype(np.int64)
    said = {
        "before": _believed(former, new.views),
        "left out": left_out,
        "fitted": _believed(head, new.views),
    }
    return {
        "photographs": {
            "learnt": len(known.shares),
            "others": len(new.shares),
            "laid": len(laid.shares),
        },
        **{name: _right(beliefs, new.allowed, groups) for name, beliefs in said.items()},
    }


def _read(
    network: Network,
    guide: Network | None,
    trained: Weights,
    taught: Photographs,
    config: HeadConfig,
) -> tuple[Lesson, Lab]:
    """Photographs that have a label, and the colours of their garments."""
    views, labs = views_of(network, trained.config, taught.files)
    labels, types = taught.frame["label"], trained.labels[TYPE]
    allowed = torch.tensor([[name in GROUPS[label] for name in types] for label in labels])
    allowed |= ~allowed.any(1, keepdim=True)  # of what no class is nothing is known
    counts = labels.map(labels.value_counts()).to_numpy(dtype=np.float32)
    shares = torch.from_numpy(counts**-config.balance)
    likely = _told_by(guide, trained.config, taught.files, allowed)
    return Lesson(torch.from_numpy(views), allowed, likely, shares), labs


def _told_by(
    guide: Network | None, config: EncoderConfig, files: Sequence[bytes], allowed: Tensor
) -> Tensor:
    """How likely better informed weights find each allowed type, of labels that allow many."""
    likely = torch.zeros(allowed.shape)
    if guide is None:
        return likely
    many = np.flatnonzero((allowed.sum(1) >= _MANY) & ~allowed.all(1))
    for at in range(0, len(many), _AT_ONCE):
        rows = many[at : at + _AT_ONCE]
        pictures = [decode_image(files[row], limits=PICTURE_LIMITS) for row in rows]
        seen = see_each(guide, [closely(picture, config) for picture in pictures])
        said = np.concatenate([each.beliefs[TYPE] for each in seen]) + _LEAST
        told = torch.from_numpy(said) * allowed[rows]
        likely[rows] = told / told.sum(1, keepdim=True)
    return likely


def _write(path: Path, trained: Weights, heads: Mapping[str, Head]) -> None:
    state = dict(trained.state)
    for name, head in heads.items():
        state |= head.named(TAKEN + name)
    write_weights(path, trained._replace(state=state))


def lay_packshots(
    network: Network,
    trained: Weights,
    items: datasets.Dataset,
    photographs: Photographs,
    config: HeadConfig,
) -> tuple[Lesson, dict[str, Tensor], Lab]:
    """Packshots of a catalog's train split as they lie on what photographs were taken on.

    Returns:
        What they teach of types; their classes, label -> int64 of shape (n,), -1 if missing; and
        their garments' colours, CIELAB, (n, 3).
    """
    frame, types = catalog_frame(items), list(trained.labels[TYPE])
    known = (split_names(frame) == "train") & frame[TYPE].isin(types).to_numpy()
    rows = np.flatnonzero(known)
    often = (
        frame[TYPE].iloc[rows].map(frame[TYPE].iloc[rows].value_counts()).to_numpy(float) ** -0.5
    )
    draw = np.random.default_rng(config.seed)
    count = min(config.laid, len(rows))
    rows = np.sort(draw.choice(rows, count, replace=False, p=often / often.sum()))
    packshots = read_examples(items, frame, trained.labels, rows, trained.config)
    labs = np.stack([packshot_lab(picture) for picture in packshots.pictures.numpy()])
    files = photographs.sample(_GROUNDS).files
    shown = [to_canvas(decode_image(data, limits=PICTURE_LIMITS)) for data in files]
    canvases = torch.from_numpy(np.stack([canvas for canvas, _ in shown])).permute(0, 3, 1, 2)
    sizes = torch.tensor([own for _, own in shown], dtype=torch.float32)
    random = torch.Generator().manual_seed(config.seed)
    size, pooled = trained.config.second().input_px[::-1], []
    for at in range(0, count, _AT_ONCE):
        pictures = packshots.pictures[at : at + _AT_ONCE].permute(0, 3, 1, 2)
        behind = grounds(canvases, sizes, size, len(pictures), random)
        views, _ = paste(pictures, behind, size, Scenes(), random)
        pooled.append(network.pooled((255 * views.permute(0, 2, 3, 1)).round().byte().numpy()))
    allowed = F.one_hot(packshots.targets[TYPE], len(types)).bool()
    seen = torch.from_numpy(np.concatenate(pooled))[None]
    nothing = torch.zeros(allowed.shape)
    return Lesson(seen, allowed, nothing, torch.ones(count)), packshots.targets, labs


def views_of(network: Network, config: EncoderConfig, files: Sequence[bytes]) -> tuple[Floats, Lab]:
    """What the backbone sees of photographs by the views that count (`second_look`).

    Returns:
        float32 of shape (2, n, 2048): larger, and the mirror image of what holds a small garment,
        which is the larger one again where there is none. And the colours of their garments,
        float64 of shape (n, 3), CIELAB, NaN where they cannot be told.
    """
    labs: list[Lab] = []

    def batches() -> Iterator[Floats]:
        for at in range(0, len(files), _AT_ONCE):
            some = files[at : at + _AT_ONCE]
            pictures = [decode_image(data, limits=PICTURE_LIMITS) for data in some]
            larger = [closely(picture, config) for picture in pictures]
            cuts = list(larger)
            for row, seen in enumerate(see_each(network, larger)):
                found = regions_of(seen, pictures[row].size, larger[row].shape[1::-1])
                labs.append(median_lab(pictures[row], found.mask))
                cut_out = small_garment(pictures[row], found, config)
                if cut_out is not None:
                    cuts[row] = cut_out
            yield np.stack([_pooled(network, larger), _pooled(network, cuts)])

    return np.concatenate([*batches()], axis=1), np.stack(labs)


def _pooled(network: Network, prepared: Sequence[Prepared]) -> Floats:
    """What the backbone sees of pictures of whatever sizes."""
    pooled = np.empty((len(prepared), BACKBONE_DIM), np.float32)
    for shape in {picture.shape for picture in prepared}:
        rows = [row for row, picture in enumerate(prepared) if picture.shape == shape]
        pooled[rows] = network.pooled(np.stack([prepared[row] for row in rows]))
    return pooled


def fit_head(former: Head, lessons: Sequence[Lesson], config: HeadConfig) -> Head:
    """The head near a former one by which what is allowed is likely.

    A picture teaches by the mean of its views; each lesson counts alike.
    """
    seen = torch.cat([lesson.views.mean(0) for lesson in lessons])
    shares = torch.cat([lesson.shares / lesson.shares.sum() for lesson in lessons]) / len(lessons)
    allowed = torch.cat([lesson.allowed for lesson in lessons])
    likely = torch.cat([lesson.likely for lesson in lessons])
    told = likely.any(1)
    change = Head(torch.zeros_like(former.weight), torch.zeros_like(former.bias))
    for tensor in change:
        tensor.requires_grad_()
    before = seen @ former.weight.T + former.bias

    def cost() -> Tensor:
        log_p = (before + seen @ change.weight.T + change.bias).log_softmax(1)
        wrong = -log_p.masked_fill(~allowed, -torch.inf).logsumexp(1)
        wrong = torch.where(told, -(likely * log_p).sum(1), wrong)
        held = config.pull * change.weight.square().sum()
        held = held + config.bias_pull * change.bias.square().sum()
        return (shares * wrong).sum() + held

    descend([*change], cost, steps=_STEPS, level=_LEVEL)
    return Head(*((old + new).detach() for old, new in zip(former, change, strict=True)))


def _believed(head: Head, views: Tensor) -> Tensor:
    """By all views, (v, n, 2048), of each: (n, c)."""
    believed: Tensor = F.linear(views, head.weight, head.bias).softmax(-1).mean(0)
    return believed


def _right(beliefs: Tensor, allowed: Tensor, groups: npt.NDArray[np.int64]) -> dict[str, float]:
    """How often the likeliest class is allowed, and in the mean over labels."""
    right = allowed.gather(1, beliefs.argmax(1, keepdim=True))[:, 0].double().numpy()
    return {
        "right": round(float(right.mean()), 4),
        "mean over labels": round(macro_mean(right, groups), 4),
    }
