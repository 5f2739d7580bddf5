"""Many pictures, encoded as those of visitors are: decoded in threads, batch by batch."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.photographs import Photographs
from recommender.encoding.agreement import Beliefs
from recommender.encoding.protocol import Encoded, PictureEncoder, concatenate, joined, part_of
from recommender.encoding.regions import Asked
from recommender.pictures.decode import decode_image

AT_ONCE = 256
_ENCODED_AT_ONCE = 64

Change = Callable[[int, Image.Image], Image.Image]
"""Position and picture -> the picture that is encoded."""


def encode_files(
    encoder: PictureEncoder,
    picture_bytes: Callable[[int], bytes],
    count: int,
    change: Change | None = None,
    region: Asked = "auto",
) -> Iterator[tuple[range, Encoded]]:
    """Encode pictures that ask.

    Args:
        encoder: sees them as `encode_queries` does.
        picture_bytes: position -> an encoded picture.
        count: how many there are.
        change: what is done to a picture before it asks; it then is decoded at its full size.
        region: which part of every picture is looked at.

    Yields:
        Positions and what was made of them, in order.
    """
    at_least_px = None if change else encoder.query_px

    def read(position: int, data: bytes) -> Image.Image:
        picture = decode_image(data, limits=PICTURE_LIMITS, at_least_px=at_least_px)
        return change(position, picture) if change else picture

    with ThreadPoolExecutor() as pool:
        for start in range(0, count, AT_ONCE):
            positions = range(start, min(start + AT_ONCE, count))
            pictures = list(pool.map(read, positions, map(picture_bytes, positions)))
            starts = range(0, len(pictures), _ENCODED_AT_ONCE)
            batches = [pictures[start : start + _ENCODED_AT_ONCE] for start in starts]
            parts = [encoder.encode_queries(batch, [region] * len(batch)) for batch in batches]
            yield positions, joined(parts)


def encode_photographs(encoders: Sequence[PictureEncoder], photographs: Photographs) -> Encoded:
    """Encode photographs that ask, each by the encoder of its photographer's fold.

    Args:
        encoders: one, or of each fold that which has not learnt from its photographers.
        photographs: at least one.
    """
    folds, rows, parts = photographs.folds(len(encoders)), [], []
    for fold, encoder in enumerate(encoders):
        own = np.flatnonzero(folds == fold)
        files = [photographs.files[row] for row in own.tolist()]
        batches = encode_files(encoder, files.__getitem__, len(files))
        parts += [part for _, part in tqdm(batches, "Photographs", -(-len(files) // AT_ONCE))]
        rows.append(own)
    whole = joined(parts)
    order = np.argsort(np.concatenate(rows))
    return joined([part_of(whole, slice(at, at + 1)) for at in order])


def believe(encoder: PictureEncoder, picture_bytes: Callable[[int], bytes], count: int) -> Beliefs:
    """What an encoder's heads believe of pictures that ask: label -> float32 (count, classes)."""
    batches = [{n: np.empty((0, len(c)), np.float32) for n, c in encoder.classes.items()}]
    if encoder.classes:
        encoded = encode_files(encoder, picture_bytes, count)
        batches += [seen.beliefs for _, seen in tqdm(encoded, "Heads", -(-count // AT_ONCE))]
    return concatenate(batches)
