"""What each place of a picture gives to its looks, exactly.

Pooled by average, a picture is the sum of its places, and so is every linear map of it: where the
looks of two pictures are multiplied, the product is a sum over the places of either. The network
eats a small picture, so places are few and each sees its surroundings too.

Source: class activation mapping, Zhou et al., arXiv:1512.04150, for a product instead of a class.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from PIL import Image

from recommender.encoding.agreement import Floats
from recommender.encoding.config import EncoderConfig, padded_box
from recommender.encoding.regions import WHOLE, Asked, Box, rounded


class Places(NamedTuple):
    """One picture's.

    Attributes:
        looks: float32 of shape (h, w, looks_dim), whose sum over all places is the picture's looks.
        box: where they lie, evenly, in shares of the picture's sides; beyond 0 to 1 where what the
            network ate is larger than the picture.
    """

    looks: Floats
    box: Box


def places_of(
    looks: Iterable[Floats],
    shown: Sequence[Image.Image],
    asked: Sequence[Asked],
    config: EncoderConfig,
) -> list[Places]:
    """What was seen of pictures, or of the parts that were asked for, in those pictures.

    Args:
        looks: of each, as `Places` has it; none where nobody knows.
        shown: the parts, or whole pictures where none was asked for.
        asked: which part of each.
        config: how they were brought to the input's size.
    """
    each = zip(looks, shown, asked, strict=False)
    return [
        Places(seen, _within(_input_box(picture.size, config), part))
        for seen, picture, part in each
    ]


def _input_box(size: tuple[int, int], config: EncoderConfig) -> Box:
    """Where an input lies around, or within, a picture of a size that was brought to it.

    >>> _input_box((60, 60), EncoderConfig(width_px=60, height_px=80))
    (0.0, -0.1667, 1.0, 1.1667)
    >>> _input_box((80, 60), EncoderConfig(width_px=60, height_px=60, fit="crop"))
    (0.125, 0.0, 0.875, 1.0)
    """
    wide, high = config.input_px
    if config.fit == "pad":
        left, top, right, bottom = padded_box(size, config.input_px)
        inside, along = right - left, bottom - top
        ends = -left / inside, -top / along, (wide - left) / inside, (high - top) / along
        return rounded(ends)
    if config.fit == "crop":
        # The larger scale of the two fills the input; what is too long is cut at both ends.
        scale = max(wide / size[0], high / size[1])
        x, y = (1 - wide / size[0] / scale) / 2, (1 - high / size[1] / scale) / 2
        return rounded((x, y, 1 - x, 1 - y))
    return WHOLE


def _within(box: Box, part: Asked) -> Box:
    """A box of a part of a picture, as a box of the picture."""
    left, top, right, bottom = part if isinstance(part, tuple) else WHOLE
    wide, high = right - left, bottom - top
    a, b, c, d = box
    return rounded((left + a * wide, top + b * high, left + c * wide, top + d * high))
