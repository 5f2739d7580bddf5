"""Whether an encoder knows that a picture shows nothing that the catalog is of."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.photographs import Photographs
from recommender.encoding.agreement import Floats
from recommender.encoding.protocol import Encoded, PictureEncoder
from recommender.evaluation.corruptions import ground
from recommender.evaluation.metrics import auroc
from recommender.evaluation.report import estimate, number
from recommender.pictures.decode import decode_image
from recommender.search.hits import MATCH

_SIZE_PX = (192, 256)
_AT_ONCE = 64
_WORDS = [
    "new",
    "order",
    "total",
    "basket",
    "sale",
    "size",
    "delivery",
    "account",
    "search",
    "home",
]
Draw = Callable[[np.random.Generator], Image.Image]


def pictures_without(photographs: Photographs, count: int) -> dict[str, list[Image.Image]]:
    """Pictures without a garment, `count` of each kind, the same ones each time.

    Grounds are corners of the photographs, photographers drawn evenly; the other kinds are drawn.
    """
    groups = list(photographs.frame.groupby("photographer").indices.values())

    def corner(random: np.random.Generator) -> Image.Image:
        own = groups[int(random.integers(len(groups)))]
        data = photographs.files[own[int(random.integers(len(own)))]]
        return ground(decode_image(data, limits=PICTURE_LIMITS), _SIZE_PX, random)

    kinds: dict[str, Draw] = {
        "ground": corner,
        "noise": _noise,
        "drawing": _drawing,
        "text": _text,
        "screenshot": _screenshot,
    }
    return {
        kind: [draw(np.random.default_rng([at, place])) for at in range(count)]
        for place, (kind, draw) in enumerate(kinds.items())
    }


def _noise(random: np.random.Generator) -> Image.Image:
    """Grain of any size and colour."""
    coarse = int(random.integers(1, 40))
    shape = (_SIZE_PX[1] // coarse + 1, _SIZE_PX[0] // coarse + 1, 3)
    pixels = np.clip(
        random.normal(random.uniform(60, 190, 3), random.uniform(10, 90), shape), 0, 255
    )
    return Image.fromarray(pixels.astype(np.uint8)).resize(_SIZE_PX, Image.Resampling.BICUBIC)


def _drawing(random: np.random.Generator) -> Image.Image:
    """A child's: a few shapes and lines."""
    picture = Image.new("RGB", _SIZE_PX, tuple(random.integers(180, 256, 3).tolist()))
    draw = ImageDraw.Draw(picture)
    for _ in range(int(random.integers(3, 12))):
        points = (random.random((2, 2)) * _SIZE_PX).astype(int)
        box = [*points.min(0).tolist(), *points.max(0).tolist()]
        colour = tuple(random.integers(0, 256, 3).tolist())
        shape = ("ellipse", "rectangle", "line", "arc")[int(random.integers(4))]
        if shape == "arc":
            start, end = sorted(random.integers(0, 360, 2).tolist())
            draw.arc(box, start, end, fill=colour, width=3)
        elif shape == "line":
            draw.line(box, fill=colour, width=int(random.integers(1, 6)))
        else:
            getattr(draw, shape)(box, fill=colour, outline="black")
    return picture


def _text(random: np.random.Generator) -> Image.Image:
    """A page of words."""
    picture = Image.new("RGB", _SIZE_PX, tuple([int(random.integers(225, 256))] * 3))
    _write(picture, (10, 8), _SIZE_PX[0], int(random.integers(9, 20)), random)
    return picture


def _screenshot(random: np.random.Generator) -> Image.Image:
    """A form or a list: a bar, fields, buttons, words."""
    picture = Image.new("RGB", _SIZE_PX, "white")
    draw = ImageDraw.Draw(picture)
    colour = tuple(random.integers(0, 200, 3).tolist())
    draw.rectangle((0, 0, _SIZE_PX[0], 24), fill=colour)
    for top in range(34, _SIZE_PX[1] - 30, int(random.integers(28, 48))):
        right = int(random.integers(80, _SIZE_PX[0] - 10))
        filled = colour if random.random() < 0.2 else None
        draw.rounded_rectangle((10, top, right, top + 20), 4, fill=filled, outline="grey")
        _write(picture, (14, top + 3), right, 11, random, lines=1)
    return picture


def _write(
    picture: Image.Image,
    at: tuple[int, int],
    right: int,
    size_px: int,
    random: np.random.Generator,
    lines: int = 99,
) -> None:
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size_px)
    left, top = at
    for line in range(lines):
        if (y := top + line * round(1.4 * size_px)) > picture.height:
            return
        words = random.choice(_WORDS, (right - left) // (4 * size_px) + 1)
        draw.text((left, y), " ".join(words), fill=(40, 40, 40), font=font)


def measure_match(
    encoder: PictureEncoder, shown: Mapping[str, Sequence[Image.Image]], *, of: Sequence[str]
) -> dict[str, Any]:
    """How often a garment is refused, and how well one is told from what is none.

    Args:
        encoder: says how sure it is.
        shown: kind -> its pictures.
        of: the kinds that show a garment.

    Returns:
        `refused`: kind of garments -> the share that is taken for none, with its 95% interval;
        `taken`: any other kind -> the share that is taken for a garment; `AUROC`: any other kind,
        and all of them, against all garments.
    """
    sure = {kind: matches(encoder, pictures) for kind, pictures in shown.items()}
    garments = np.concatenate([sure[kind] for kind in of])
    others = {kind: values for kind, values in sure.items() if kind not in of}
    refused = {kind: (sure[kind] < MATCH).astype(np.float64) for kind in of}
    every = {**others, "all of these": np.concatenate([*others.values()])} if others else {}
    return {
        "pictures": {kind: len(values) for kind, values in sure.items()},
        "refused": {kind: estimate(v) for kind, v in refused.items()},
        "taken": {k: number(float((v >= MATCH).mean())) for k, v in others.items()},
        "AUROC": {kind: number(auroc(garments, values)) for kind, values in every.items()},
    }


def measure_unseen(
    encoder: PictureEncoder, known: Sequence[Image.Image], unseen: Sequence[Image.Image]
) -> dict[str, Any]:
    """How well packshots of article types that an encoder was not taught are told from others.

    Packshots all show a garment or the like, so that its doubt alone tells.

    Returns:
        How many `pictures`, and the `AUROC` of certainty.
    """
    certain = [
        np.concatenate(
            [-encoder.agreement.doubt(seen.vectors) for seen in _seen(encoder, pictures)]
        )
        for pictures in (known, unseen)
    ]
    return {"pictures": [len(known), len(unseen)], "AUROC": number(auroc(*certain))}


def matches(encoder: PictureEncoder, pictures: Sequence[Image.Image]) -> Floats:
    """How sure an encoder is that pictures show what the catalog is of, float32 (n,)."""

    found = [seen.matches for seen in _seen(encoder, pictures)]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        raise ValueError("this encoder does not know what it does not know")
    return np.concatenate(known)


def _seen(encoder: PictureEncoder, pictures: Sequence[Image.Image]) -> Iterator[Encoded]:
    """Pictures that ask, batch by batch."""
    for at in range(0, len(pictures), _AT_ONCE):
        yield encoder.encode_queries(pictures[at : at + _AT_ONCE])
