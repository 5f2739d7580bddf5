"""Where garments are in photographs that nobody outlined.

What a network sees of a photograph at several sizes, where its mask is and where it sees the type
that it says, is blurred, but seldom elsewhere; where the colours change is sharp. Together they
outline most garments as a person would.
Source: Rother et al., GrabCut, SIGGRAPH 2004; Zhou et al., Learning Deep Features for
Discriminative Localization (the evidence of a class by place), arXiv:1512.04150.
"""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn
from tqdm.auto import tqdm

from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.photographs import Photographs
from recommender.encoding.agreement import Floats
from recommender.encoding.backbone import (
    Device,
    backbone_at_work,
    choose_device,
    choose_dtype,
    feature_maps,
    load_linear,
)
from recommender.encoding.network import TAKEN
from recommender.encoding.region_head import load_region_head
from recommender.encoding.weights import Weights
from recommender.errors import CatalogError
from recommender.pictures.decode import decode_image
from recommender.schema import TYPE
from recommender.training.fashion import normalise
from recommender.training.scenes import fitted_size, to_canvas

Mask = npt.NDArray[np.bool_]

_SCALES = (1.5, 2.0, 3.0)
"""How large a photograph is looked at, against a first look: sides."""
_SIDE_PX = 160
"""The longer side of what is cut: finer than any mask that a head gives."""
_SURE_PERCENT = 5
"""Of the places, those that are the garment's, and those that are not, whatever their colour."""
_ROUNDS = 4
_LEAST, _MOST = 0.03, 0.92
"""Of a photograph: what is smaller or larger is no outline."""
_AGREE = 0.5
"""How much (IoU) an outline has to overlap with what the network sees: else one of them errs."""


class Outlined(NamedTuple):
    """Photographs with outlines.

    Attributes:
        canvases: uint8 (n, 3, side, side), as `scenes.to_canvas` makes them.
        sizes: float (n, 2), width and height of what is theirs.
        masks: bool (n, side, side), where the garment is in them.
    """

    canvases: Tensor
    sizes: Tensor
    masks: Tensor


class Watcher(nn.Module):
    """A network that stays as it is: its maps, and where it sees what it says."""

    def __init__(self, trained: Weights, device: Device) -> None:
        super().__init__()
        self.place = place = choose_device(device)
        self.config, self.dtype = trained.config, choose_dtype("auto", place)
        self.backbone = backbone_at_work(trained.state, place, self.dtype)
        name = f"{TAKEN}{TYPE}" if f"{TAKEN}{TYPE}.weight" in trained.state else f"heads.{TYPE}"
        self.types = load_linear(trained.state, name).to(place)
        self.regions = load_region_head(trained.state).to(place)

    @torch.inference_mode()
    def maps(self, views: Tensor) -> list[Tensor]:
        """Of views, float (b, 3, h, w) in [0, 1]: what its stages see, float32."""
        pixels = normalise(views.to(self.place), self.config).to(self.dtype)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        return [maps.float() for maps in feature_maps(self.backbone, pixels)]

    def view(self, picture: Image.Image, scale: float) -> Tensor:
        """A picture in its own shape, so many times as large as at a first look: (1, 3, h, w)."""
        wide, high = self.config.input_px
        side = scale * (wide * high / (picture.width * picture.height)) ** 0.5
        width, height = (max(32, round(side * end / 32) * 32) for end in picture.size)
        pixels = np.array(picture.resize((width, height), Image.Resampling.BILINEAR))
        return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255

    @torch.inference_mode()
    def sees(self, picture: Image.Image) -> tuple[Floats, Floats]:
        """Where it sees a garment, and how much there speaks for the type that it says.

        Returns:
            float32 of shape (h, w), in [0, 1] each, of the same size.
        """
        size = fitted_size(picture.size, _SIDE_PX)
        masks, evidence = [], []
        for scale in _SCALES:
            stages = self.maps(self.view(picture, scale))
            last = stages[-1][0]  # (2048, h, w)
            believed = self.types(last.mean((1, 2))).softmax(0)
            # What a place adds to the type that is said, above what it adds to any.
            apart = (believed - 1 / len(believed)) @ self.types.weight
            masks.append(_resized(self.regions(stages)[0].sigmoid(), size))
            evidence.append(_resized(torch.einsum("c,chw->hw", apart, last), size))
        return np.mean(masks, axis=0), _spread(np.mean(evidence, axis=0))


def outline(watcher: Watcher, picture: Image.Image) -> Mask | None:
    """Where the garment is in a photograph.

    Returns:
        bool of shape (h, w), `_SIDE_PX` long; None where it is not clear.
    """
    mask, evidence = watcher.sees(picture)
    height, width = mask.shape
    seen = ((mask + evidence) / 2).astype(np.float32)
    level, _ = cv2.threshold((255 * seen).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    likely = seen > level / 255
    trimap = np.where(likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[seen >= np.percentile(seen, 100 - _SURE_PERCENT)] = cv2.GC_FGD
    trimap[seen <= np.percentile(seen, _SURE_PERCENT)] = cv2.GC_BGD
    pixels = np.array(picture.resize((width, height), Image.Resampling.LANCZOS))
    ground, garment = np.zeros((1, 65)), np.zeros((1, 65))
    nowhere = (0, 0, 0, 0)  # a rectangle, which a trimap stands for
    cv2.setRNGSeed(0)
    try:
        cv2.grabCut(pixels, trimap, nowhere, ground, garment, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    except cv2.error:  # a picture of one colour has nothing to cut
        return None
    found: Mask = (trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)
    share = found.mean()
    agrees = (found & likely).sum() >= _AGREE * (found | likely).sum()
    return found if agrees and _LEAST <= share <= _MOST else None


def outline_photographs(watcher: Watcher, photographs: Photographs) -> Outlined:
    """All whose garment is clear.

    Raises:
        CatalogError: there is none.
    """
    canvases, sizes, masks = [], [], []
    for data in tqdm(photographs.files, "Outlines"):
        picture = decode_image(data, limits=PICTURE_LIMITS)
        found = outline(watcher, picture)
        if found is None:
            continue
        canvas, (width, height) = to_canvas(picture)
        mask = np.zeros(canvas.shape[:2], np.bool_)
        own = Image.fromarray(found).resize((width, height), Image.Resampling.NEAREST)
        mask[:height, :width] = np.asarray(own)
        canvases.append(canvas)
        sizes.append((width, height))
        masks.append(mask)
    if not canvases:
        raise CatalogError("In none of the photographs is it clear where the garment is.")
    return Outlined(
        torch.from_numpy(np.stack(canvases)).permute(0, 3, 1, 2).contiguous(),
        torch.tensor(sizes, dtype=torch.float32),
        torch.from_numpy(np.stack(masks)),
    )


def _resized(maps: Tensor, size: tuple[int, int]) -> Floats:
    """(h, w) -> (height, width) of another size."""
    picture = Image.fromarray(maps.float().cpu().numpy())
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC))


def _spread(values: Floats) -> Floats:
    """Brought to [0, 1], but for what few have."""
    low, high = np.percentile(values, (2, 98))
    spread: Floats = np.clip((values - low) / max(high - low, 1e-9), 0, 1).astype(np.float32)
    return spread
