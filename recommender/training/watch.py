"""What is watched of a run besides the heads: photographs of dev, and the region head."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.photographs import GROUPS, Photographs
from recommender.encoding.config import EncoderConfig, fit_picture
from recommender.pictures.decode import decode_image
from recommender.training.examples import Examples, PhotographExamples
from recommender.training.fashion import normalise
from recommender.training.losses import overlaps
from recommender.training.net import FashionNet, compute
from recommender.training.scenes import Scenes, grounds, paste
from recommender.training.tutor import Tutor

_AT_ONCE = 128
_PASTED = 200


@dataclass(frozen=True)
class Watched:
    """Labelled photographs as the encoder sees them whole at a second look, upright and lying.

    Attributes:
        pictures: batches of uint8 (b, h, w, 3) and their rows.
        allowed: bool (n, types), the article types that are right.
        labels: n of them.
    """

    pictures: Sequence[tuple[Tensor, Tensor]]
    allowed: Tensor
    labels: Sequence[str]

    @classmethod
    def read(
        cls, photographs: Photographs, types: Sequence[str], encoder: EncoderConfig
    ) -> "Watched":
        """Decode them, and know what is right."""
        shown = photographs.labelled()
        labels = shown.frame["label"].tolist()
        decoded = [decode_image(data, limits=PICTURE_LIMITS) for data in shown.files]
        look = encoder.second()
        batches = []
        for config, wide in ((look, False), (look.lying(), True)):
            rows = [row for row, p in enumerate(decoded) if (p.width > p.height) == wide]
            for at in range(0, len(rows), _AT_ONCE):
                some = rows[at : at + _AT_ONCE]
                fitted = np.stack([fit_picture(decoded[row], config) for row in some])
                batches.append((torch.from_numpy(fitted), torch.tensor(some)))
        allowed = torch.tensor([[name in GROUPS[label] for name in types] for label in labels])
        return cls(batches, allowed, labels)

    @torch.inference_mode()
    def score(
        self, net: FashionNet, dtype: torch.dtype, encoder: EncoderConfig
    ) -> dict[str, float]:
        """How often the type head is right, how sure it is, and the garment head of a garment."""
        net.eval()
        place = next(net.parameters()).device
        beliefs, garment = torch.zeros(self.allowed.shape), torch.zeros(len(self.allowed))
        for pictures, rows in self.pictures:
            pixels = pictures.to(place).permute(0, 3, 1, 2).float() / 255
            seen = compute(net, normalise(pixels, encoder), dtype)
            beliefs[rows] = seen.logits["articleType"].float().softmax(1).cpu()
            garment[rows] = seen.garment.float().sigmoid().cpu()
        return self._right(beliefs) | {"garment": float(garment.mean())}

    @torch.inference_mode()
    def of_tutor(self, tutor: Tutor, dtype: torch.dtype) -> dict[str, float]:
        """The same of a tutor, but for the garment."""
        place = tutor.head.weight.device
        beliefs = torch.zeros(self.allowed.shape)
        for pictures, rows in self.pictures:
            views = pictures.to(place).permute(0, 3, 1, 2).float() / 255
            beliefs[rows] = tutor(views, dtype).softmax(1).cpu()
        return self._right(beliefs)

    def _right(self, beliefs: Tensor) -> dict[str, float]:
        best = beliefs.argmax(1)
        right = self.allowed[torch.arange(len(best)), best].float()
        by_label = pd.Series(right.numpy()).groupby(np.array(self.labels)).mean()
        means = {str(label): float(value) for label, value in by_label.items()}
        return {
            "right": float(right.mean()),
            "mean over labels": float(by_label.mean()),
            "sureness": float((beliefs * self.allowed).sum(1).mean()),
            **means,
        }

    @torch.inference_mode()
    def overlap(
        self,
        net: FashionNet,
        data: Examples,
        shown: PhotographExamples,
        scenes: Scenes,
        dtype: torch.dtype,
        encoder: EncoderConfig,
    ) -> dict[str, float]:
        """Mean overlap (IoU) of mask and garment, on white and laid, the same ones each time."""
        net.eval()
        random = torch.Generator().manual_seed(1)
        size = encoder.second().input_px[::-1]
        pictures = data.pictures[:_PASTED].permute(0, 3, 1, 2)
        white = torch.ones(len(pictures), 3, *size, device=pictures.device)
        laid = grounds(shown.canvases, shown.sizes, size, len(pictures), random)
        worth = {}
        for name, behind in (("white", white), ("laid", laid)):
            views, alpha = paste(pictures, behind, size, scenes, random)
            mask = compute(net, normalise(views, encoder), dtype).mask.float()
            worth[name] = float(overlaps(mask, alpha).mean())
        return worth
