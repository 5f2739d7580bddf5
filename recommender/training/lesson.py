"""What one step of recipe photographs sees, and what it is to lessen."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm.auto import tqdm

from recommender.encoding.config import EncoderConfig
from recommender.training.augmentation import Augmentation, augment, evenly
from recommender.training.examples import Examples, PhotographExamples
from recommender.training.fashion import HEADS, normalise
from recommender.training.losses import (
    by_place,
    disagreement,
    divergence,
    joint_loss,
    partial_loss,
    region_loss,
)
from recommender.training.net import FashionNet, Seen, compute
from recommender.training.scenes import Scenes, empty, grounds, paste, view_photographs
from recommender.training.teacher import Student, Teacher
from recommender.training.tutor import Tutor, TutorConfig

AGREE = {"articleType": 1.0}
"""Head -> how much two views of a photograph are to agree in it: those that labels tell of.
Two views agree best in the commonest class; where nothing else is said, it is what is learnt."""

_AGE = 0.3
"""What the gender that a child's photograph allows weighs, beside what its label does."""
_AT_ONCE = 64
SHARPER = 2
"""How many times as large scenes are drawn as the student sees them: a lens gathers light."""


@dataclass(frozen=True, kw_only=True)
class PhotographConfig:
    """A run; what is not said here is as in `TrainingConfig`.

    Of packshots a step sees `plain` as the other recipe does, `on_white` on white and `laid` on
    grounds of photographs; of photographs `taken`, twice each; and `bare` pictures without a
    garment. A packshot is upright: where the pictures of a step lie, plain ones are on white.
    `partial` to `keep` weigh the losses, `tutor` that of what the tutor believes, `keep` that of
    what was believed of packshots before. A photograph's label with a smaller share than
    `rare_label_share` is seen more often. A second look's input is `second_scale` times as long on
    each side, so that a collar is seen; a share of `first` of the steps sees pictures as a
    gallery's are seen, one of `larger` sees them `larger_scale` times as long as these, and three
    in seven of those that are not a gallery's lie.
    """

    augmentation: Augmentation = field(default_factory=Augmentation)
    scenes: Scenes = field(default_factory=Scenes)
    taught: TutorConfig = field(default_factory=TutorConfig)
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
    tutor: float = 1.0
    region: float = 0.5
    garment: float = 0.3
    keep: float = 1.0
    rare_share: float = 0.001
    rare_label_share: float = 0.1
    average_share: float = 0.15
    second_scale: float = 1.5
    larger_scale: float = 2.0
    first: float = 0.3
    larger: float = 0.2
    dim: int = 128
    seed: int = 0


class Scene(NamedTuple):
    """What a step sees of what visitors send, drawn `SHARPER` times as large as it is seen.

    Attributes:
        taken: photographs, float (2 t, 3, h, w) in [0, 1]: a view of each, and another one.
        laid: packshots on grounds, then pictures without a garment, float (l, 3, h, w).
        alphas: where the garment is in `laid`, float (l, h, w).
    """

    taken: Tensor
    laid: Tensor
    alphas: Tensor


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What steps draw from, and who takes part.

    Attributes:
        student: the network that learns, with what tells the teacher's features.
        kept: the network whose beliefs of packshots are to stay.
        tutor: who has been taught photographs' types.
        packshots: of the train split.
        photographs: of the train split.
    """

    student: Student
    kept: FashionNet
    teacher: Teacher
    tutor: Tutor
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

    def for_tutor(
        self, batches: Iterator[Tensor], chosen: Iterator[Tensor], random: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Views of photographs and laid packshots as large as they are drawn, and their types.

        Args:
            batches: rows of packshots, as many as are `laid`.
            chosen: rows of photographs, as many as are `taken`.
        """
        tall = self.encoder.second().input_px[::-1]
        for batch, taken in zip(batches, chosen, strict=False):
            size = tall if evenly(random) < 4 / 7 else tall[::-1]
            scene = self._scene(batch, taken, size, random)
            codes = self.packshots.targets["articleType"][batch]
            allowed = self.photographs.allowed["articleType"][taken].repeat(2, 1)
            own = F.one_hot(codes.clamp(min=0), allowed.shape[1]).bool() | (codes < 0)[:, None]
            yield torch.cat([scene.taken, scene.laid[: len(batch)]]), torch.cat([allowed, own])

    def losses(self, batch: Tensor, taken: Tensor, random: torch.Generator) -> dict[str, Tensor]:
        """What one step is to lessen, by name.

        Args:
            batch: rows of packshots, as many as `plain`, `on_white` and `laid` together.
            taken: rows of photographs.
            random: draws the views.
        """
        config, count = self.config, len(taken)
        size = self._size(random)
        scene = self._scene(batch[-config.laid :], taken, size, random)
        plain, white, alphas = self._on_white(batch[: -config.laid], size, random)
        alphas = torch.cat([alphas, F.avg_pool2d(scene.alphas[:, None], SHARPER)[:, 0]])
        views = torch.cat(
            [F.avg_pool2d(scene.taken, SHARPER), plain, white, F.avg_pool2d(scene.laid, SHARPER)]
        )
        pixels = normalise(views, self.encoder)
        seen, told = compute(self.student, pixels, self.dtype)
        first, second, both = slice(count), slice(count, 2 * count), slice(2 * count)
        shown = slice(2 * count, 2 * count + config.plain + config.on_white)
        shop = slice(2 * count, len(views) - config.bare)
        with torch.no_grad():
            before = compute(self.kept, pixels[shown], self.dtype)
        targets = {name: target[batch] for name, target in self.packshots.targets.items()}
        logits = {name: values[shop] for name, values in seen.logits.items()}
        cosines = {name: config.proxy_scale * values[shop] for name, values in seen.cosines.items()}
        # Teacher and tutor know the world, not white grounds.
        worldly = torch.ones(len(views), dtype=torch.bool)
        worldly[shown] = False
        sharp = torch.cat([scene.taken, scene.laid])
        wanted = self.teacher(sharp, self.dtype)
        alike = F.cosine_similarity(told[worldly].float(), wanted, dim=1)
        # The tutor does not know what shows no garment.
        garments = slice(len(sharp) - config.bare)
        types = seen.logits["articleType"][worldly][garments]
        with torch.no_grad():
            believed = self.tutor(sharp[garments], self.dtype)
        there = torch.full((len(views),), 0.99, device=views.device)
        there[len(views) - config.bare :] = 0.01
        # Pictures without a garment are few: they count double.
        rarely = torch.tensor(0.5, device=views.device)
        truth = by_place(alphas)
        return {
            "packshots": joint_loss(logits, targets, config.label_smoothing, HEADS),
            "proxies": config.proxies * joint_loss(cosines, targets, 0.0),
            "partial": config.partial * self._partly_wrong(seen, both, taken),
            "agree": config.agree * _apart(seen, first, second),
            "keep": config.keep * _forgotten(before, seen, shown),
            "teacher": config.teacher * (1 - alike.mean()),
            "tutor": config.tutor * divergence(believed, types),
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

    def _size(self, random: torch.Generator) -> tuple[int, int]:
        """(height, width) of what one step sees."""
        config, encoder = self.config, self.encoder
        tall = encoder.second().input_px[::-1]
        taller = replace(encoder, second_scale=config.larger_scale).second().input_px[::-1]
        second, standing = 1 - config.first - config.larger, 4 / 7
        shares = {encoder.input_px[::-1]: config.first}
        for size, share in ((tall, second), (taller, config.larger)):
            shares |= {size: share * standing, size[::-1]: share * (1 - standing)}
        often = torch.tensor(list(shares.values()), device=random.device)
        return list(shares)[int(torch.multinomial(often, 1, generator=random))]

    def _scene(
        self, laid: Tensor, taken: Tensor, size: tuple[int, int], random: torch.Generator
    ) -> Scene:
        """Rows of packshots and of photographs as visitors send them."""
        config, shown = self.config, self.photographs
        sharp = (SHARPER * size[0], SHARPER * size[1])
        canvases, own = shown.canvases[taken], shown.sizes[taken]
        views = [view_photographs(canvases, own, sharp, config.scenes, random) for _ in range(2)]
        garments = self.packshots.pictures[laid].permute(0, 3, 1, 2)
        behind = grounds(shown.canvases, shown.sizes, sharp, len(laid), random)
        on_grounds, alphas = paste(garments, behind, sharp, config.scenes, random)
        every = self.packshots.pictures.permute(0, 3, 1, 2)
        bare = empty(shown.canvases, shown.sizes, every, sharp, config.bare, random)
        nowhere = torch.zeros(config.bare, *sharp, device=bare.device)
        return Scene(torch.cat(views), torch.cat([on_grounds, bare]), torch.cat([alphas, nowhere]))

    def _on_white(
        self, batch: Tensor, size: tuple[int, int], random: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Rows of packshots as a shop shows them.

        Returns:
            Views float (b, 3, h, w) of those that come as they are, of those that are cut out and
            put on white, and where the garment is in these, (b', h, w).
        """
        pictures = self.packshots.pictures[batch].permute(0, 3, 1, 2)
        plain, moved = pictures[: self.config.plain], pictures[self.config.plain :]
        if size[0] < size[1]:
            plain, moved = pictures[:0], pictures
        white = torch.ones(len(moved), 3, *size, device=pictures.device)
        views, alphas = paste(moved, white, size, self.config.scenes, random)
        as_they_are = (
            augment(plain, size, self.config.augmentation, random) if len(plain) else white[:0]
        )
        return as_they_are, views, alphas


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
