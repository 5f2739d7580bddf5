"""Whether hits have the colour of what was shown, told from their pixels, not from labels.

Where the garment of a packshot is, its white ground says; that of a photograph, the caller.
`check_on_catalog` says how far such a colour is to be trusted, by the catalog's own names.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image, ImageColor

from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.splits import split_names
from recommender.charts.palette import COLOUR_HEX
from recommender.evaluation.metrics import Floats, Ints, auroc, macro_mean
from recommender.evaluation.report import estimate, number
from recommender.pictures.colour import Lab, Mask, ciede2000, lab_of, median_lab, packshot_lab
from recommender.pictures.decode import decode_image

SHOWN = 5
"""How many hits of a query count."""
COMMONEST = 20
"""How many colours are told apart."""
NEAR = 20
"""CIEDE2000 below which two names are neighbours, as the trends draw them."""
_PAIRS = 200_000
_NONE = (np.nan,) * 3


class GarmentColours:
    """The colours of garments in CIELAB, float64, NaN where one cannot be told."""

    def __init__(self, read_item: Callable[[int], bytes]) -> None:
        """Nothing is read yet.

        Args:
            read_item: row -> its encoded packshot.
        """
        self._read_item = read_item
        self._known: dict[int, Lab] = {-1: np.full(3, np.nan)}

    def of_items(self, rows: npt.ArrayLike) -> Lab:
        """Those of packshots; each row is read once.

        Args:
            rows: int64 of any shape, -1 for an empty place.

        Returns:
            Of shape (*rows.shape, 3).
        """
        different, places = np.unique(np.asarray(rows, dtype=np.int64), return_inverse=True)
        for row in different.tolist():
            if row not in self._known:
                picture = decode_image(self._read_item(row), limits=PICTURE_LIMITS)
                self._known[row] = packshot_lab(picture)
        labs = np.array([self._known[row] for row in different.tolist()]).reshape(-1, 3)
        return labs[places]

    @staticmethod
    def of_photograph(picture: Image.Image, mask: Mask) -> Lab:
        """That of what a visitor shows, of shape (3,); see `median_lab`."""
        return median_lab(picture, mask)


def colour_distances(query_lab: Lab, hit_labs: Lab) -> Floats:
    """How far the colours of the first five hits are from what was shown, in the median.

    Args:
        query_lab: float64 of shape (q, 3), CIELAB, NaN where it cannot be told.
        hit_labs: float64 of shape (q, k, 3), best first, NaN for an empty place too.

    Returns:
        float64 of shape (q,), CIEDE2000; NaN where no difference is known.

    Greys of lightness 50 and 60 beside one of 50: 0 and 9.47.

    >>> colour_distances(np.array([[50, 0, 0.0]]), np.array([[[50, 0, 0], [60, 0, 0.0]]])).round(2)
    array([4.74])
    """
    apart = ciede2000(query_lab[:, None], hit_labs[:, :SHOWN])  # (q, 5)
    known = ~np.isnan(apart).all(axis=1)
    median = np.full(len(apart), np.nan)
    median[known] = np.nanmedian(apart[known], axis=1)
    return median


def check_on_catalog(
    frame: pd.DataFrame,
    read_item: Callable[[int], bytes],
    *,
    sample: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """How well the colours of packshots agree with the catalog's names for them.

    Args:
        frame: the columns of a catalog.
        read_item: row -> its encoded packshot.
        sample: at most so many items of the train split and of the dev split; all where None.

    Returns:
        `items`: how many of each split were read, and of how many the colour `cannot be told`.
        `pairs` of dev items: for those of the `same` baseColour, of `different` ones, and of these
        the `neighbouring`, how many, and of their CIEDE2000 the median and the middle half's ends.
        `AUROC`: how often a pair of the same name is nearer than one of different names.
        `nearest prototype`: how often the nearest of the train split's median colours has a dev
        item's name, among the commonest; micro with its 95% interval, macro over colours, and what
        share the commonest name has.
    """
    random = np.random.default_rng(seed)
    split, colours = split_names(frame), frame["baseColour"].to_numpy(object)
    garments = GarmentColours(read_item)
    read, names, labs = {}, {}, {}
    for part in ("train", "dev"):
        rows = np.flatnonzero((split == part) & frame["baseColour"].notna().to_numpy())
        rows = np.sort(random.permutation(rows)[:sample])
        measured = garments.of_items(rows)
        told = ~np.isnan(measured).any(axis=1)
        read[part], names[part], labs[part] = len(rows), colours[rows[told]], measured[told]
    missed = sum(read.values()) - sum(map(len, names.values()))
    pairs = _pairs(names["dev"], labs["dev"], random)
    return {
        "items": read | {"cannot be told": missed},
        "pairs": {name: _spread(apart) for name, apart in pairs.items()},
        "AUROC": number(auroc(-pairs["same"], -pairs["different"])),
        "nearest prototype": _prototypes(names, labs),
    }


def _pairs(names: npt.NDArray[Any], labs: Lab, random: np.random.Generator) -> dict[str, Floats]:
    """CIEDE2000 of pairs that are drawn at random, by how their names go together."""
    if len(names) < 2:
        return dict.fromkeys(("same", "different", "neighbouring"), np.empty(0))
    one, step = random.integers(len(names), size=_PAIRS), random.integers(1, len(names), _PAIRS)
    other = (one + step) % len(names)  # never itself
    apart = ciede2000(labs[one], labs[other])
    same = names[one] == names[other]
    kinds, codes = np.unique(names.astype(str), return_inverse=True)
    drawn = [ImageColor.getrgb(COLOUR_HEX[kind]) if kind in COLOUR_HEX else _NONE for kind in kinds]
    near = ciede2000(lab_of(drawn)[:, None], lab_of(drawn)) < NEAR  # a name with itself too
    beside = near[codes[one], codes[other]] & ~same
    return {"same": apart[same], "different": apart[~same], "neighbouring": apart[beside]}


def _spread(apart: Floats) -> dict[str, Any]:
    low, median, high = np.percentile(apart, [25, 50, 75]) if len(apart) else [np.nan] * 3
    return {
        "pairs": len(apart),
        "median": number(median),
        "middle half": [number(low), number(high)],
    }


def _prototypes(names: dict[str, npt.NDArray[Any]], labs: dict[str, Lab]) -> dict[str, Any]:
    """What the nearest of the commonest names' median colours is worth on dev."""
    commonest = pd.Index(pd.Series(names["train"]).value_counts().index[:COMMONEST])
    centres = [np.median(labs["train"][names["train"] == name], axis=0) for name in commonest]
    targets: Ints = commonest.get_indexer(pd.Index(names["dev"])).astype(np.int64)
    asked = targets >= 0
    targets = targets[asked]
    apart = ciede2000(labs["dev"][asked][:, None], np.reshape(centres, (-1, 3)))  # (q, colours)
    right = (apart.argmin(axis=1) == targets).astype(np.float64) if len(apart) else np.empty(0)
    share = np.bincount(targets).max() / len(targets) if len(targets) else np.nan
    return {
        "colours": len(commonest),
        "queries": len(targets),
        "accuracy": estimate(right),
        "macro accuracy": number(macro_mean(right, targets)),
        "share of the commonest": number(share),
    }
