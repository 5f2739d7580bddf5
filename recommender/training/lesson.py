"""What one step of recipe photographs sees, and what it is to lessen."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from recommender.encoding.config import EncoderConfig
from recommender.encoding.regions import STRIDE_PX
from recommender.training.augmentation import Augmentation, augment
from recommender.training.examples import Examples, PhotographExamples
from recommender.training.fashion import HEADS, normalise
from recommender.training.losses import (
    disagreement,
    divergence,
    joint_loss,
    partial_loss,
    region_loss,
)
from recommender.training.net import FashionNet, Seen, compute
from recommender.training.scenes import Scenes, empty, grounds, paste, view_photographs
from recommender.training.teacher import Student, Teacher

AGREE = {"articleType": 1.0, "baseColour": 0.5, "gender": 0.5, "season": 0.25, "usage": 0.25}
"""Head -> how much two views of a photograph are to agree in it."""

_AGE = 0.3
"""What the gender that a child's photograph allows weighs, beside what its label does."""
_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class PhotographConfig:
    """A run; what is not said here is as in `TrainingConfig`.

    Of packshots a step sees `plain` as the other recipe does, `on_white` on white and `laid` on
    grounds of photographs; of photographs `taken`, twice each; and `bare` pictures without a
    garment. A packshot is upright: where the pictures of a step lie, plain ones are on white.
    `partial` to `keep` weigh the losses, `keep` that of what was believed of packshots before. A
    photograph's label with a smaller share than `rare_label_share` is seen more often. A second
    look's input is `second_scale` times as long on each side, so that a collar is seen; a share of
    `first` of the steps sees pictures as a gallery's are seen, three in seven of the others lying.
    """

    augmentation: Augmentation = field(default_factory=Augmentation)
    scenes: Scenes = field(default_factory=Scenes)
    epochs: int = 12
    steps_an_epoch: int = 150
    taken: int = 24
    plain: int = 24
    on_white: int = 6
    laid: int = 16
    bare: int = 6
    peak_lr: float = 0.02
    weight_decay: float = 1e-4
    label_smoothing: float = 0.1
    proxies: float = 0.3
    proxy_scale: float = 16.0
    partial: float = 1.0
    agree: float = 1.0
    teacher: float = 4.0
    region: float = 0.5
    garment: float = 0.3
    keep: float = 1.0
    rare_share: float = 0.001
    rare_label_share: float = 0.1
    average_share: float = 0.15
    second_scale: float = 1.5
    first: float = 0.3
    dim: int = 128
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What steps draw from, and who takes part.

    Attributes:
        student: the network that learns, with what tells the teacher's features.
        kept: the network whose beliefs of packshots are to stay.
        packshots: of the train split.
        photographs: of the train split.
    """

    student: Student
    kept: FashionNet
    teacher: Teacher
    packshots: Examples
    photographs: PhotographExamples
    config: PhotographConfig
    encoder: EncoderConfig
    dtype: torch.dtype

    def each_photograph(self) -> Iterator[Tensor]:
        """Batches of a view of each, the same ones in every run."""
        shown = self.photographs
        random = torch.Generator().manual_seed(0)
        size = self.encoder.second().input_px[::-1]
        for at in tqdm(range(0, len(shown.canvases), _AT_ONCE), "Teacher"):
            some = slice(at, at + _AT_ONCE)
            canvases, own = shown.canvases[some], shown.sizes[some]
            yield view_photographs(canvases, own, size, self.config.scenes, random)

    def losses(self, batch: Tensor, taken: Tensor, random: torch.Generator) -> dict[str, Tensor]:
        """What one step is to lessen, by name.

        Args:
            batch: rows of packshots, as many as `plain`, `on_white` and `laid` together.
            taken: rows of photographs.
            random: draws the views.
        """
        config, count = self.config, len(taken)
        views, alphas = self._views(batch, taken, random)
        pixels = normalise(views, self.encoder)
        seen, told = compute(self.student, pixels, self.dtype)
        first, second, both = slice(count), slice(count, 2 * count), slice(2 * count)
        white = slice(2 * count, 2 * count + config.plain + config.on_white)
        shop = slice(2 * count, len(views) - config.bare)
        with torch.no_grad():
            before = compute(self.kept, pixels[white], self.dtype)
        targets = {name: target[batch] for name, target in self.packshots.targets.items()}
        logits = {name: values[shop] for name, values in seen.logits.items()}
        cosines = {name: config.proxy_scale * values[shop] for name, values in seen.cosines.items()}
        # The teacher knows the world, not white grounds.
        worldly = torch.ones(len(views), dtype=torch.bool)
        worldly[white] = False
        wanted = self.teacher(views[worldly], self.dtype)
        alike = F.cosine_similarity(told[worldly].float(), wanted, dim=1)
        there = torch.full((len(views),), 0.99, device=views.device)
        there[len(views) - config.bare :] = 0.01
        # Pictures without a garment are few: they count double.
        rarely = torch.tensor(0.5, device=views.device)
        truth = F.avg_pool2d(alphas[:, None], STRIDE_PX, ceil_mode=True)[:, 0]
        return {
            "packshots": joint_loss(logits, targets, config.label_smoothing, HEADS),
            "proxies": config.proxies * joint_loss(cosines, targets, 0.0),
            "partial": config.partial * self._partly_wrong(seen, both, taken),
            "agree": config.agree * _apart(seen, first, second),
            "keep": config.keep * _forgotten(before, seen, white),
            "teacher": config.teacher * (1 - alike.mean()),
            "garment": config.garment
            * F.binary_cross_entropy_with_logits(seen.garment.float(), there, pos_weight=rarely),
            "region": config.region * region_loss(seen.mask[-len(alphas) :], truth),
        }

    def _partly_wrong(self, seen: Seen, both: slice, taken: Tensor) -> Tensor:
        """What is believed of two views of photographs against what their labels allow."""
        losses = []
        for name, mask in self.photographs.allowed.items():
            allowed = mask[taken].repeat(2, 1)
            weight = HEADS[name] * (_AGE if name == "gender" else 1.0)
            losses.append(weight * partial_loss(seen.logits[name][both], allowed))
            if name == "articleType":
                scaled = self.config.proxy_scale * seen.cosines[name][both]
                losses.append(self.config.proxies * partial_loss(scaled, allowed))
        return torch.stack(losses).sum()

    def _views(
        self, batch: Tensor, taken: Tensor, random: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """What one step sees, all of one size.

        Returns:
            Views (b, 3, h, w): photographs, photographs again, packshots, pictures without a
            garment; and of the last of them where the garment is, (b', h, w).
        """
        config, shown = self.config, self.photographs
        tall = self.encoder.second().input_px[::-1]
        sizes = (self.encoder.input_px[::-1], tall, tall[::-1])
        others = 1 - config.first
        often = torch.tensor([config.first, others * 4 / 7, others * 3 / 7])
        size = sizes[int(torch.multinomial(often, 1, generator=random))]
        canvases, own = shown.canvases[taken], shown.sizes[taken]
        views = [view_photographs(canvases, own, size, config.scenes, random) for _ in range(2)]
        pictures = self.packshots.pictures[batch].permute(0, 3, 1, 2)
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
        every = self.packshots.pictures.permute(0, 3, 1, 2)
        views.append(empty(shown.canvases, shown.sizes, every, size, config.bare, random))
        alphas.append(torch.zeros(config.bare, *size, device=pictures.device))
        return torch.cat(views), torch.cat(alphas)


def _apart(seen: Seen, first: slice, second: slice) -> Tensor:
    """How far what is believed of two views of the same photographs, and their looks, differ."""
    beliefs = [
        weight * disagreement(seen.logits[name][first], seen.logits[name][second])
        for name, weight in AGREE.items()
        if name in seen.logits
    ]
    looks = 0.5 * (1 - (seen.embeddings[first] * seen.embeddings[second]).sum(1)).mean()
    return torch.stack([*beliefs, looks]).sum()


def _forgotten(before: Seen, seen: Seen, rows: slice) -> Tensor:
    """How far beliefs and looks of packshots are from what they were, each head as it weighs."""
    beliefs = [
        HEADS[name] * divergence(logits, seen.logits[name][rows])
        for name, logits in before.logits.items()
    ]
    looks = (1 - (before.embeddings * seen.embeddings[rows]).sum(1)).mean()
    return torch.stack([*beliefs, looks]).sum()
