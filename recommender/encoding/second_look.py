"""How a picture that asks is looked at: once and, where that leaves doubt, again.

What a visitor shows is no packshot: the garment hangs askew, or is a small thing in a room. What
leaves doubt is seen larger too: on white, mirrored at the first size as well; else, where the
garment is small, cut to it with what is around it. A view of which the network is surer counts for
more. (Laid on white like a packshot it is known less well.) Of what does not lie on white the first
view has no say in what it is: at its size the network is surer of a photograph than it is right.

Source: test-time augmentation as weighed in Shanmugam et al., Better Aggregation in Test-Time
Augmentation, arXiv:2011.11156; the weights here follow from the doubt alone.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from PIL import Image

from recommender.encoding.agreement import Agreement, Beliefs, Floats, logit, surer
from recommender.encoding.config import EncoderConfig, fit_picture, padded_box
from recommender.encoding.network import Network, Sight
from recommender.encoding.places import places_of
from recommender.encoding.protocol import Encoded
from recommender.encoding.regions import (
    STRIDE_PX,
    Asked,
    Regions,
    cut,
    framed,
    lies_on_white,
    parts_of,
    read_boxes,
    widened,
    within,
)
from recommender.schema import TYPE

DOUBT = 0.2
"""From this on a picture is looked at again (`Agreement.doubt`). Chosen on dev, as the next one."""
_AROUND = 0.12
"""Of a box's sides, what is seen around it: a garment cut close is known less well."""
_SMALL = 0.5
"""The share of a picture from which on a garment and what is around it are not cut out."""
_SHARPNESS = 4.0
"""How much less a view counts with its doubt: by exp(-4 x)."""

Prepared = npt.NDArray[np.uint8]


def look(
    network: Network,
    config: EncoderConfig,
    agreement: Agreement,
    pictures: Sequence[Image.Image],
    asked: Sequence[Asked] | None,
) -> Encoded:
    """See pictures that ask, or parts of them; see `Encoder.encode_queries`."""
    asked = asked or ["auto"] * len(pictures)
    shown = parts_of(pictures, asked)
    prepared = [fit_picture(picture, config) for picture in shown]
    first = see_each(network, prepared)
    regions = [
        regions_of(seen, picture.size, config.input_px)
        for seen, picture in zip(first, shown, strict=True)
    ]
    on_ground = [_on_ground(*each) for each in zip(shown, regions, strict=True)]
    views = [[seen] for seen in first]
    doubtful = [row for row, [seen] in enumerate(views) if _doubt(agreement, seen) >= DOUBT]
    larger = [closely(shown[row], config) for row in doubtful]
    for row, seen, eaten in zip(doubtful, see_each(network, larger), larger, strict=True):
        views[row].append(seen)
        regions[row] = regions_of(seen, shown[row].size, eaten.shape[1::-1])
        on_ground[row] &= _on_ground(shown[row], regions[row])
    again: list[tuple[int, Prepared]] = []
    for row, closer in zip(doubtful, larger, strict=True):
        if not on_ground[row]:
            again += [(row, prepared[row][:, ::-1]), (row, closer[:, ::-1])]
        elif asked[row] == "auto":
            cut_out = small_garment(shown[row], regions[row], config)
            if cut_out is not None:
                regions[row] = replace(regions[row], used=regions[row].boxes[0])
                again.append((row, cut_out))
    for (row, _), seen in zip(again, see_each(network, [view for _, view in again]), strict=True):
        views[row].append(seen)
    views = [
        [sight.as_photographs() if ground else sight for sight in seen]
        for seen, ground in zip(views, on_ground, strict=True)
    ]
    counted = [
        seen[1:] if ground and seen[1:] else seen
        for seen, ground in zip(views, on_ground, strict=True)
    ]
    # The looks remain those of the first view, as the gallery has them.
    looks = np.concatenate([seen.looks for seen in first])
    beliefs = _told(agreement, config, counted, on_ground)
    vectors = agreement.embed(looks, beliefs)
    places = places_of([seen.places[0] for seen in first if len(seen.places)], shown, asked, config)
    if not network.finds_regions:
        return Encoded(vectors, beliefs, places=places)
    placed = [
        within(found, part) if isinstance(part, tuple) else found
        for found, part in zip(regions, asked, strict=True)
    ]
    # Whether there is a garment at all, every view is asked.
    by_all = agreement.embed(looks, _told(agreement, config, views, on_ground))
    garment = np.array([found.garment for found in regions], np.float32)
    matches = _matches(config, garment, agreement.doubt(by_all))
    return Encoded(vectors, beliefs, placed, matches, places)


def view_shares(doubt: Floats) -> Floats:
    """How much each view of a picture counts.

    Args:
        doubt: float32 of shape (v, b), that each of v views of b pictures leaves.

    Returns:
        float32 of shape (v, b), columns that sum to one.
    """
    shares = np.exp(-_SHARPNESS * (doubt - doubt.min(axis=0)))
    whole: Floats = shares / shares.sum(axis=0)
    return whole


def _matches(config: EncoderConfig, garment: Floats, doubt: Floats) -> Floats | None:
    """How sure it is that pictures show what the catalog is of: float32 of shape (b,)."""
    if not config.match:
        return None
    constant, by_garment, by_doubt = config.match
    logits = constant + by_garment * logit(garment) + by_doubt * doubt
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def see_each(network: Network, prepared: Sequence[Prepared]) -> list[Sight]:
    """What a network makes of each of some pictures of whatever sizes."""
    seen: dict[int, Sight] = {}
    for shape in dict.fromkeys(picture.shape for picture in prepared):
        places = [at for at, picture in enumerate(prepared) if picture.shape == shape]
        together = network(np.stack([prepared[at] for at in places]), closely=True)
        for i, at in enumerate(places):
            beliefs, taken = (
                {name: rows[i : i + 1] for name, rows in believed.items()}
                for believed in (together.beliefs, together.taken)
            )
            looks, masks, garment, given = (
                part[i : i + 1]
                for part in (together.looks, together.masks, together.garment, together.places)
            )
            seen[at] = Sight(looks, beliefs, masks, garment, given, taken)
    return [seen[at] for at in range(len(prepared))]


def _doubt(agreement: Agreement, seen: Sight) -> float:
    """What a view of one picture leaves."""
    return float(agreement.doubt(agreement.embed(seen.looks, seen.beliefs))[0])


def _told(
    agreement: Agreement,
    config: EncoderConfig,
    views: Sequence[Sequence[Sight]],
    on_ground: Sequence[bool],
) -> Beliefs:
    """What is believed of pictures by their views: label -> float32 of shape (b, classes)."""
    gathered = [_gathered(agreement, seen) for seen in views]
    beliefs = {name: np.stack([each[name] for each in gathered]) for name in gathered[0]}
    if (types := beliefs.get(TYPE)) is not None:
        taken = np.flatnonzero(on_ground)
        types[taken] = surer(types[taken], config.photograph_odds)
    return beliefs


def _gathered(agreement: Agreement, views: Sequence[Sight]) -> Beliefs:
    """What is believed of one picture, each view counting with its doubt: label -> (classes,)."""
    doubt = np.array([_doubt(agreement, seen) for seen in views], np.float32)
    shares = view_shares(doubt[:, None])[:, 0]
    return {
        name: shares @ np.concatenate([seen.beliefs[name] for seen in views])
        for name in views[0].beliefs
    }


def closely(picture: Image.Image, config: EncoderConfig) -> Prepared:
    """A picture at a second look's size, upright or lying as it is itself."""
    second = config.second()
    if picture.width > picture.height:
        second = second.lying()
    return fit_picture(picture, second)


def regions_of(seen: Sight, size: tuple[int, int], input_px: tuple[int, int]) -> Regions:
    """Where the garment is in a picture of a size, of what was seen of it in an input."""
    if not len(seen.masks):
        return Regions(boxes=(), sureness=(), used=None, mask=seen.masks, garment=1.0)
    left, top, right, bottom = (end / STRIDE_PX for end in padded_box(size, input_px))
    inside = max(1, round(right - left)), max(1, round(bottom - top))
    box = (left, top, right, bottom)
    mask = np.asarray(
        Image.fromarray(seen.masks[0]).resize(inside, Image.Resampling.BILINEAR, box=box)
    )
    boxes, sureness = read_boxes(mask)
    garment = float(seen.garment[0])
    return Regions(boxes=boxes, sureness=sureness, used=None, mask=mask, garment=garment)


def _on_ground(picture: Image.Image, regions: Regions) -> bool:
    """Whether a garment lies on something else than a packshot's white, as far as is known."""
    return bool(len(regions.mask)) and not lies_on_white(picture, regions.mask)


def small_garment(picture: Image.Image, regions: Regions, config: EncoderConfig) -> Prepared | None:
    """What holds the garment, mirrored, with as much around it as fills the input.

    None where that is most of the picture, which then tells as much.
    """
    if not regions.boxes:
        return None
    aspect = config.height_px / config.width_px
    box = framed(widened(regions.boxes[0], _AROUND), picture.size, aspect)
    left, top, right, bottom = box
    if (right - left) * (bottom - top) >= _SMALL:
        return None
    return closely(cut(picture, box), config)[:, ::-1]
