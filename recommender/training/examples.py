"""Items in memory as a network learns from them: pictures of one size, labels as class indices."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from recommender.catalog.items import PICTURE_LIMITS
from recommender.encoding.config import EncoderConfig, fit_picture
from recommender.pictures.decode import decode_image


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
