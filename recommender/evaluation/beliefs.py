"""What an encoder's head believes of a catalog's pictures, seen as the server sees them."""

import datasets
import numpy as np
import numpy.typing as npt
from tqdm.auto import tqdm

from recommender.catalog.items import PICTURE_LIMITS
from recommender.encoding.encoder import Encoder
from recommender.pictures.decode import decode_image

_AT_ONCE = 256


def believe(items: datasets.Dataset, encoder: Encoder, label: str) -> npt.NDArray[np.float32]:
    """Probabilities of the classes of a label, float32 of shape (n, classes).

    Args:
        items: n items of a catalog, with their pictures.
        encoder: one that has a head of this label.
        label: its column.
    """
    parts = [np.empty((0, len(encoder.labels[label])), np.float32)]
    for batch in tqdm(items.iter(_AT_ONCE), "Seeing", -(-len(items) // _AT_ONCE)):
        pictures = [
            decode_image(file["bytes"], limits=PICTURE_LIMITS, at_least_px=encoder.second_px)
            for file in batch["image"]
        ]
        parts.append(encoder.see(pictures)[1][label])
    return np.concatenate(parts)
