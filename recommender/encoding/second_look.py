"""How a picture that asks is looked at: once and mirrored and, where that leaves doubt, again.

What a visitor shows is no packshot: the garment hangs askew, or is a small thing in a room. What
leaves doubt is seen larger and, where it does not lie on white, cut to its garment; a view of which
the network is surer counts for more. (Laid on white like a packshot it is known less well.)

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
    within,
)

DOUBT = 0.2
"""From this on a picture is looked at again (`Agreement.doubt`). Chosen on dev, as the next one."""
_TYPE = "articleType"
_SHARPNESS = 8.0
"""How much less a view counts with its doubt: by exp(-8 x)."""

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
    # A pass over two pictures takes hardly longer than over one, and every other picture
    # leaves doubt: the mirror image is seen before it is known to be needed.
    views = [[sight] for sight in _see(network, [fit_picture(p, config) for p in shown])]
    regions = [
        _regions(seen, picture.size, config.input_px)
        for [seen], picture in zip(views, shown, strict=True)
    ]
    doubtful = [row for row, [seen] in enumerate(views) if _doubt(agreement, seen)[0] >= DOUBT]
    if doubtful and config.second_scale > 1:
        larger = [_closely(shown[row], config) for row in doubtful]
        for row, seen, eaten in zip(doubtful, _see(network, larger), larger, strict=True):
            views[row].append(seen)
            regions[row] = _regions(seen, shown[row].size, eaten.shape[1::-1])
        apart = [row for row in doubtful if asked[row] == "auto" and regions[row].boxes]
        apart = [row for row in apart if _on_ground(shown[row], regions[row])]
        closer = [_garment(shown[row], regions[row], config) for row in apart]
        for row, seen in zip(apart, _see(network, closer), strict=True):
            views[row].append(seen)
            regions[row] = replace(regions[row], used=regions[row].boxes[0])
    # The looks remain those of the first view, as the gallery has them.
    looks = np.stack([seen[0].looks[0] for seen in views])
    beliefs = {
        name: np.stack([seen[0].beliefs[name][0] for seen in views]) for name in agreement.classes
    }
    for row in doubtful:
        for name, believed in _gathered(agreement, views[row]).items():
            beliefs[name][row] = believed
    taken = [row for row, found in enumerate(regions) if _on_ground(shown[row], found)]
    if (types := beliefs.get(_TYPE)) is not None:
        types[taken] = surer(types[taken], config.photograph_odds)
    vectors = agreement.embed(looks, beliefs)
    if not network.finds_regions:
        return Encoded(vectors, beliefs)
    placed = [
        within(found, part) if isinstance(part, tuple) else found
        for found, part in zip(regions, asked, strict=True)
    ]
    garment = np.array([found.garment for found in regions], np.float32)
    return Encoded(vectors, beliefs, placed, _matches(config, garment, agreement.doubt(vectors)))


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


def _see(network: Network, prepared: Sequence[Prepared]) -> list[Sight]:
    """What a network makes of pictures of whatever sizes, each as it is and mirrored."""
    seen: dict[int, Sight] = {}
    for shape in dict.fromkeys(picture.shape for picture in prepared):
        places = [at for at, picture in enumerate(prepared) if picture.shape == shape]
        batch = np.stack([prepared[at] for at in places])
        both = network(np.concatenate([batch, batch[:, :, ::-1]]), regions=True)
        for i, at in enumerate(places):
            pair = [i, i + len(places)]
            beliefs = {name: rows[pair] for name, rows in both.beliefs.items()}
            there = pair if len(both.garment) else []
            seen[at] = Sight(both.looks[pair], beliefs, both.masks[there], both.garment[there])
    return [seen[at] for at in range(len(prepared))]


def _doubt(agreement: Agreement, seen: Sight) -> Floats:
    """What each of two ways to see a view leaves: float32 of shape (2,)."""
    return agreement.doubt(agreement.embed(seen.looks, seen.beliefs))


def _gathered(agreement: Agreement, views: Sequence[Sight]) -> Beliefs:
    """What is believed of one picture, each view counting with its doubt: label -> (classes,)."""
    doubt = np.concatenate([_doubt(agreement, seen) for seen in views])
    shares = view_shares(doubt[:, None])[:, 0]
    return {
        name: shares @ np.concatenate([seen.beliefs[name] for seen in views])
        for name in agreement.classes
    }


def _closely(picture: Image.Image, config: EncoderConfig) -> Prepared:
    """A picture at a second look's size, upright or lying as it is itself."""
    second = config.second()
    if picture.width > picture.height:
        second = second.lying()
    return fit_picture(picture, second)


def _regions(seen: Sight, size: tuple[int, int], input_px: tuple[int, int]) -> Regions:
    """Where the garment is in a picture of a size, of what was seen of it in an input."""
    if not len(seen.masks):
        return Regions(boxes=(), sureness=(), used=None, mask=seen.masks, garment=1.0)
    both = Image.fromarray((seen.masks[0] + seen.masks[1][:, ::-1]) / 2)
    left, top, right, bottom = (end / STRIDE_PX for end in padded_box(size, input_px))
    inside = max(1, round(right - left)), max(1, round(bottom - top))
    box = (left, top, right, bottom)
    mask = np.asarray(both.resize(inside, Image.Resampling.BILINEAR, box=box))
    boxes, sureness = read_boxes(mask)
    garment = float(seen.garment.mean())
    return Regions(boxes=boxes, sureness=sureness, used=None, mask=mask, garment=garment)


def _on_ground(picture: Image.Image, regions: Regions) -> bool:
    """Whether a garment lies on something else than a packshot's white, as far as is known."""
    return bool(len(regions.mask)) and not lies_on_white(picture, regions.mask)


def _garment(picture: Image.Image, regions: Regions, config: EncoderConfig) -> Prepared:
    """What holds the garment, with as much around it as fills the input."""
    aspect = config.height_px / config.width_px
    return _closely(cut(picture, framed(regions.boxes[0], picture.size, aspect)), config)
