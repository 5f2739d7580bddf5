"""What an embedding depends on besides the weights, and how a picture is brought to the input."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps


@dataclass(frozen=True, kw_only=True)
class EncoderConfig:
    """Everything but the weights that an embedding depends on.

    `fit` is what happens to a picture of another aspect ratio than the input's: `pad` shows all of
    it on white, `crop` cuts its longer side, `stretch` changes its proportions. `dtype` `auto` is
    bfloat16 where the processor multiplies in it, else float32. `projection` applies the linear
    map that the weights file carries, if it does. `agreement` weighs looks and labels in an
    embedding (`attributes.Agreement`); where it is empty, looks are all there is. For a second
    look (`second_look`) the input's sides are `second_scale` times as long.

    Of a picture that does not lie on white the likeliest article type has `photograph_odds` times
    the odds that the network gives it, since photographs are judged by coarser labels. `match`
    turns the garment head's logit and the doubt that a picture leaves into the probability that it
    shows what the catalog is of: a constant, and what each counts; where it is empty, nothing is
    said of that.
    """

    weights: str = "fashion"
    width_px: int = 60
    height_px: int = 80
    fit: Literal["pad", "crop", "stretch"] = "pad"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    pooling: Literal["avg", "max", "gem"] = "avg"
    projection: bool = True
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    agreement: Mapping[str, float] = field(default_factory=dict)
    second_scale: float = 1.0
    photograph_odds: float = 1.0
    match: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", tuple(self.mean))
        object.__setattr__(self, "std", tuple(self.std))
        object.__setattr__(self, "match", tuple(self.match))
        for name in ("fit", "pooling", "dtype"):
            if (value := getattr(self, name)) not in choices(name):
                raise ValueError(f"{name} is {value!r}, not one of {', '.join(choices(name))}")
        if len(self.mean) != 3 or len(self.std) != 3 or not all(value > 0 for value in self.std):
            raise ValueError("mean and std have a value for each of three channels, std above 0")
        if not (16 <= self.width_px <= 1024 and 16 <= self.height_px <= 1024):
            raise ValueError("the input's sides are between 16 and 1024 pixels")
        if not 1 <= self.second_scale <= 1024 / max(self.width_px, self.height_px):
            raise ValueError("second_scale is between 1 and what makes a side 1024 pixels")
        if not 1 <= self.photograph_odds < math.inf:
            raise ValueError("odds are times as high as they were, at least once")
        if len(self.match) not in (0, 3) or not all(map(math.isfinite, self.match)):
            raise ValueError("a match has three numbers or none")

    @property
    def input_px(self) -> tuple[int, int]:
        """(width, height) of what the backbone eats."""
        return self.width_px, self.height_px

    def second(self) -> "EncoderConfig":
        """The same for a second look, whose input is larger."""
        width, height = (round(self.second_scale * px) for px in self.input_px)
        return replace(self, width_px=width, height_px=height, second_scale=1.0)

    @property
    def query_sizes(self) -> tuple[tuple[int, int], ...]:
        """(width, height) of what the backbone eats of pictures that ask, at each look."""
        second = self.second()
        return tuple(dict.fromkeys(c.input_px for c in (self, second, second.lying())))

    def lying(self) -> "EncoderConfig":
        """The same for what is wider than tall: the input's sides change places."""
        return replace(self, width_px=self.height_px, height_px=self.width_px)


def choices(name: str) -> tuple[str, ...]:
    """What a setting of `EncoderConfig` may be."""
    return get_args(EncoderConfig.__annotations__[name])


def fit_picture(picture: Image.Image, config: EncoderConfig) -> npt.NDArray[np.uint8]:
    """Bring an RGB picture to the input's size; one that has it already is not touched.

    Returns:
        uint8 of shape (height_px, width_px, 3).
    """
    size = config.input_px
    if picture.size != size:
        if config.fit == "pad":
            left, top, right, bottom = padded_box(picture.size, size)
            fitted = picture.resize((right - left, bottom - top), Image.Resampling.BICUBIC)
            picture = Image.new("RGB", size, "white")
            picture.paste(fitted, (left, top))
        elif config.fit == "crop":
            picture = ImageOps.fit(picture, size, Image.Resampling.BICUBIC)
        else:
            picture = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    return np.asarray(picture)


def padded_box(size: tuple[int, int], input_px: tuple[int, int]) -> tuple[int, int, int, int]:
    """Where a picture of a size, (width, height), lies in an input that it is padded to."""
    # Not ImageOps.contain, which makes nothing of a picture of more than 1:160.
    width = min(input_px[0], max(1, round(size[0] / size[1] * input_px[1])))
    height = min(input_px[1], max(1, round(size[1] / size[0] * input_px[0])))
    left, top = (input_px[0] - width) // 2, (input_px[1] - height) // 2
    return left, top, left + width, top + height
