"""Other looks at a picture that leaves doubt: mirrored, upside down, tilted, and its four corners.

What a visitor shows is no packshot: the garment hangs askew, or is a small thing in a room. A view
of which the network is surer than of the whole picture counts for more.

Source: test-time augmentation as weighed in Shanmugam et al., Better Aggregation in Test-Time
Augmentation, arXiv:2011.11156; the weights here follow from the doubt alone.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

Floats = npt.NDArray[np.float32]

DOUBT = 0.2
"""From this on a picture is looked at again (`Agreement.doubt`). Chosen on dev, as the next two."""

_WHOLE = 16.0
"""How much the whole picture counts against a view that leaves as much doubt."""

_SHARPNESS = 8.0
"""How much less a view counts with its doubt: by exp(-8 x)."""

_TILT_DEGREES = 20
_CORNER = 0.7
"""A corner's share of each side."""


def other_views(picture: Image.Image, size: tuple[int, int]) -> list[Image.Image]:
    """What else is looked at.

    Args:
        picture: RGB of any size.
        size: (width, height) in pixels that a view will be scaled to.

    Returns:
        Eight RGB pictures; none has four times both sides of that.
    """
    larger = min(side // (2 * least) for side, least in zip(picture.size, size, strict=True))
    picture = picture.reduce(larger) if larger > 1 else picture
    width, height = picture.size
    across, down = (max(1, round(_CORNER * side)) for side in picture.size)
    return [
        ImageOps.mirror(picture),
        picture.transpose(Image.Transpose.ROTATE_180),
        *(
            picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor="white")
            for degrees in (_TILT_DEGREES, -_TILT_DEGREES)
        ),
        *(
            picture.crop((left, top, left + across, top + down))
            for left in (0, width - across)
            for top in (0, height - down)
        ),
    ]


def view_shares(doubt: Floats) -> Floats:
    """How much each view counts.

    Args:
        doubt: float32 of shape (v,), of the whole picture and then of each other view.

    Returns:
        float32 of shape (v,), sum one.
    """
    shares = np.exp(-_SHARPNESS * (doubt - doubt.min()))
    shares[0] *= _WHOLE
    whole: Floats = shares / shares.sum()
    return whole
