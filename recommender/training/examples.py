"""Items in memory as a network learns from them: pictures of one size, labels as class indices."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.photographs import GROUPS, Photographs
from recommender.encoding.config import EncoderConfig, fit_picture
from recommender.pictures.decode import decode_image
from recommender.training.scenes import to_canvas

TYPED = ("articleType", "subCategory", "masterCategory")
"""Heads of which a photograph's label says what may be right."""
KIDS = {True: ("Boys", "Girls"), False: ("Men", "Women")}
"""Whether a photograph shows a child's garment -> the genders that may be right. Not Unisex, which
would be right of all, and so all that is learnt."""


@dataclass(frozen=True)
class Examples:
    """Pictures (n, h, w, 3) uint8 and, for each head, class indices (n,) int64, -1 if missing."""

    pictures: Tensor
    targets: dict[str, Tensor]

    def to(self, device: torch.device) -> "Examples":
        """The same on a device."""
        targets = {name: target.to(device) for name, target in self.targets.items()}
        return Examples(self.pictures.to(device), targets)


def read_examples(
    items: datasets.Dataset,
    frame: pd.DataFrame,
    labels: Mapping[str, Sequence[str]],
    rows: npt.NDArray[np.int64],
    encoder: EncoderConfig,
) -> Examples:
    """Read items as the encoder will see them, decoding in threads.

    Args:
        items: a catalog, whose columns are `frame`.
        labels: label -> its classes, in the order of their indices.
        rows: int64 of shape (n,), the items to read.
        encoder: its input's size, and how a picture is fitted to it.
    """
    size = encoder.input_px

    def read(picture: dict[str, Any]) -> npt.NDArray[np.uint8]:
        data = picture["bytes"]
        return fit_picture(decode_image(data, limits=PICTURE_LIMITS, at_least_px=size), encoder)

    pictures = np.empty((len(rows), *size[::-1], 3), dtype=np.uint8)
    with ThreadPoolExecutor() as pool:
        batches = (items[rows[at : at + 1000]]["image"] for at in range(0, len(rows), 1000))
        encoded = (picture for batch in batches for picture in batch)
        for i, picture in enumerate(tqdm(pool.map(read, encoded), "Pictures", len(rows))):
            pictures[i] = picture
    targets = {}
    for name, values in labels.items():
        index = {value: i for i, value in enumerate(values)}
        targets[name] = torch.tensor([index.get(v, -1) for v in frame[name].iloc[rows]])
    return Examples(torch.from_numpy(pictures), targets)


@dataclass(frozen=True)
class PhotographExamples:
    """Photographs in memory.

    Attributes:
        canvases: uint8 (n, 3, CANVAS_PX, CANVAS_PX), each in the upper left corner.
        sizes: float (n, 2), width and height of what is theirs.
        allowed: head -> bool (n, classes), what may be right; all where nothing is known.
    """

    canvases: Tensor
    sizes: Tensor
    allowed: dict[str, Tensor]


def read_photographs(
    photographs: Photographs,
    frame: pd.DataFrame,
    labels: Mapping[str, Sequence[str]],
    device: torch.device,
) -> PhotographExamples:
    """Read photographs and what is known of them.

    Args:
        frame: the columns of a catalog, which say what categories a type is of.
        labels: head -> its classes.
    """
    with ThreadPoolExecutor() as pool:
        read = partial(decode_image, limits=PICTURE_LIMITS)
        pictures = list(pool.map(read, photographs.files))
        fitted = list(pool.map(to_canvas, pictures))
    canvases = torch.from_numpy(np.stack([canvas for canvas, _ in fitted])).permute(0, 3, 1, 2)
    allowed = allowed_classes(photographs.frame, frame, labels)
    return PhotographExamples(
        canvases.contiguous().to(device),
        torch.tensor([size for _, size in fitted], dtype=torch.float32, device=device),
        {name: mask.to(device) for name, mask in allowed.items()},
    )


def allowed_classes(
    photographs: pd.DataFrame, frame: pd.DataFrame, labels: Mapping[str, Sequence[str]]
) -> dict[str, Tensor]:
    """What label and age of each photograph allow: head -> bool (n, classes).

    What no class of a head is of allows them all, as no label does.
    """
    rights: dict[str, list[set[str]]] = {}
    for name in TYPED:
        of = {t: set(frame[name][frame["articleType"].isin(ts)]) for t, ts in GROUPS.items()}
        rights[name] = [of.get(label, set()) for label in photographs["label"]]
    rights["gender"] = [set(KIDS[bool(kids)]) for kids in photographs["kids"]]
    allowed = {}
    for name, rows in rights.items():
        known = [right & set(labels[name]) or set(labels[name]) for right in rows]
        allowed[name] = torch.tensor([[c in right for c in labels[name]] for right in known])
    return allowed
