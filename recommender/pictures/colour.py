"""What colour a garment has, told from its pixels, and how far two colours are apart.

Colours are CIELAB of sRGB under D65, seen at 2°: lightness 0 to 100, then from green to red and
from blue to yellow, both 0 for greys. NumPy alone, so that it can be asked while a visitor waits.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.float32]
Lab = npt.NDArray[np.float64]

LEAST_SHARE = 0.005
"""What share of a picture a garment covers at least for its colour to be told: 24 px of 60×80."""

_WHITE = 235
"""The least value of a channel that is still the white of a packshot's ground."""
_MIDDLE = 0.6
"""The share of each side of a garment's box whose pixels tell its colour in a packshot."""
_ENOUGH_PX = 256
"""Of a side: a median of more pixels is the same."""
_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
"""Linear sRGB -> XYZ under D65."""


def median_lab(picture: Image.Image | Pixels, mask: Mask) -> Lab:
    """A garment's colour: the median of each coordinate where it is, by how surely it is there.

    Args:
        picture: RGB; or uint8 of shape (h, w, 3).
        mask: float32 of shape (h', w') in [0, 1], where the garment is; a mask of another size is
            scaled to the picture's. What is not above .5 does not count.

    Returns:
        float64 of shape (3,), CIELAB; NaN where the garment covers less than `LEAST_SHARE`.
    """
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture = picture.reduce(-(-max(picture.size) // _ENOUGH_PX))
    scaled = Image.fromarray(mask.astype(np.float32))
    if scaled.size != picture.size:
        scaled = scaled.resize(picture.size, Image.Resampling.BILINEAR)
    sure = np.asarray(scaled)  # (h, w)
    inside = sure > 0.5
    if inside.sum() < LEAST_SHARE * inside.size:
        return np.full(3, np.nan)
    values, weights = lab_of(np.asarray(picture)[inside]), sure[inside].astype(np.float64)
    order = values.argsort(axis=0)  # (p, 3), each coordinate on its own
    below = (weights[order].cumsum(axis=0) < weights.sum() / 2).sum(axis=0)  # (3,)
    median: Lab = np.take_along_axis(values, order, axis=0)[below, np.arange(3)]
    return median


def packshot_lab(picture: Image.Image | Pixels) -> Lab:
    """The colour of a packshot's garment.

    Only the middle of its box is asked: around it are the face, the hands and the trousers of who
    wears it, and soles, straps and shadows.

    Args:
        picture: RGB; or uint8 of shape (h, w, 3).

    Returns:
        float64 of shape (3,), CIELAB; NaN where the middle shows less than `LEAST_SHARE` of it.
    """
    mask = packshot_mask(picture)
    inside = _middle(mask, axis=0), _middle(mask, axis=1)
    middle = np.zeros_like(mask)
    middle[inside] = mask[inside]
    return median_lab(picture, middle)


def packshot_mask(picture: Image.Image | Pixels) -> Mask:
    """Where a packshot's garment is: all but the white that reaches an edge straight.

    White within a garment stays, and so do hollows that no straight line from an edge reaches. A
    person who wears it counts as garment, and a ground that is not white does too.

    Args:
        picture: RGB; or uint8 of shape (h, w, 3).

    Returns:
        float32 of shape (h, w), 0 or 1.
    """
    white = np.asarray(picture).min(axis=2) >= _WHITE
    ground = np.zeros_like(white)
    for axis in (0, 1):
        ground |= np.logical_and.accumulate(white, axis=axis)
        ground |= np.flip(np.logical_and.accumulate(np.flip(white, axis), axis=axis), axis)
    mask: Mask = (~ground).astype(np.float32)
    return mask


def lab_of(rgb: npt.ArrayLike) -> Lab:
    """CIELAB of sRGB.

    Args:
        rgb: of shape (..., 3), 0 to 255.

    Returns:
        float64 of the same shape.

    Source: IEC 61966-2-1 and CIE 15. White is that of the matrix, so that greys have no colour.

    >>> lab_of([[255, 255, 255], [255, 0, 0]]).round(1).tolist()
    [[100.0, 0.0, 0.0], [53.2, 80.1, 67.2]]
    """
    share = np.asarray(rgb, dtype=np.float64) / 255
    linear = np.where(share > 0.04045, ((share + 0.055) / 1.055) ** 2.4, share / 12.92)
    xyz = linear @ (_XYZ / _XYZ.sum(axis=1, keepdims=True)).T  # white is (1, 1, 1)
    bent = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = np.moveaxis(bent, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def ciede2000(one: npt.ArrayLike, other: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """How different two colours look: about 1 is just seen, black and white are 100 apart.

    Args:
        one: CIELAB of shape (..., 3).
        other: the same; shapes are broadcast.

    Returns:
        float64 of shape (...), not below 0; NaN where a colour is.

    Source: Sharma, Wu & Dalal, Color Research and Application 30(1), 2005, all weights 1.

    >>> ciede2000([50, 2.6772, -79.7751], [50, 0, -82.7485]).round(4).item()
    2.0425
    """
    both = np.stack(np.broadcast_arrays(np.asarray(one, float), np.asarray(other, float)))
    light, a, b = np.moveaxis(both, -1, 0)  # each (2, ...)
    a = a * (1.5 - 0.5 * _vividness(np.hypot(a, b).mean(axis=0)))
    chroma, hue = np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
    turn = hue[1] - hue[0]
    turn -= 360 * np.rint(turn / 360)  # the shorter way; half a turn stays as it is
    mean_light, mean_chroma = light.mean(axis=0), chroma.mean(axis=0)
    mean_hue = (hue[0] + turn / 2) % 360

    def wave(times: int, degrees: float) -> npt.NDArray[np.float64]:
        return np.asarray(np.cos(np.radians(times * mean_hue + degrees)))

    bend = 1 - 0.17 * wave(1, -30) + 0.24 * wave(2, 0) + 0.32 * wave(3, 6) - 0.2 * wave(4, -63)
    off_middle = (mean_light - 50) ** 2
    lighter = (light[1] - light[0]) / (1 + 0.015 * off_middle / np.sqrt(20 + off_middle))
    stronger = (chroma[1] - chroma[0]) / (1 + 0.045 * mean_chroma)
    turned = 2 * np.sqrt(chroma[0] * chroma[1]) * np.sin(np.radians(turn / 2))
    turned /= 1 + 0.015 * mean_chroma * bend
    blue = np.exp(-(((mean_hue - 275) / 25) ** 2))  # where chroma and hue pull at each other
    pull = -2 * _vividness(mean_chroma) * np.sin(np.radians(60 * blue))
    squares = lighter**2 + stronger**2 + turned**2
    apart: npt.NDArray[np.float64] = np.sqrt(squares + pull * stronger * turned)
    return apart


def _middle(mask: Mask, axis: int) -> slice:
    """The middle of where something is, along an axis."""
    (places,) = np.nonzero(mask.any(axis=1 - axis))
    if not len(places):
        return slice(0)
    first, last = int(places[0]), int(places[-1])
    margin = round((1 - _MIDDLE) / 2 * (last + 1 - first))
    return slice(first + margin, last + 1 - margin)


def _vividness(chroma: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """From 0 for greys to 1, half of it at about 21."""
    vividness: npt.NDArray[np.float64] = np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    return vividness
