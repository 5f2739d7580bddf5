"""Which colours are darker or lighter than another, as the pixels of the items of each tell."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.index.embeddings import Floats
from recommender.schema import COLOUR
from recommender.search.filters import FilterTable

_LEAST_ITEMS = 3
"""Of fewer items a colour is not told."""
_GREY = 3.0
"""Up to which chroma a colour is a grey: medians of many garments have little."""
_HUE_DEGREES = 45.0
"""How far apart hues are that are taken for one: so far lie olive and green."""
_STEP = 3.0
"""By how much lightness differs at least, of 100."""
_NEAREST = 5
"""Of more colours the nearest count."""


class Shades:
    """The colours of a catalog by how they look.

    Source: CIE 15:2018, lightness, chroma and hue angle of CIELAB.
    """

    def __init__(
        self, names: Sequence[str], codes: npt.NDArray[np.integer[Any]], labs: Floats
    ) -> None:
        """Args:
        names: k colours.
        codes: integers of shape (n,), which of them each item is said to be of; -1 for none.
        labs: float32 of shape (n, 3), CIELAB of the items' garments; NaN where nobody knows it.
        """
        told = (codes >= 0) & ~np.isnan(labs).any(axis=1)
        grouped = pd.DataFrame(labs[told]).groupby(codes[told])
        medians, counts = grouped.median(), grouped.size()
        self._labs = {
            names[code]: lab
            for code, lab in zip(medians.index, medians.to_numpy(), strict=True)
            if counts[code] >= _LEAST_ITEMS
        }

    @classmethod
    def of(cls, filters: FilterTable, labs: Floats | None) -> "Shades | None":
        """Of a catalog that has colours; None where it has none, or nobody knows how any looks."""
        names = filters.values.get(COLOUR)
        return cls(names, filters.codes(COLOUR), labs) if names and labs is not None else None

    def beyond(self, own: str, *, lighter: bool) -> tuple[str, ...]:
        """Colours that are lighter than one, or darker: of its hue or, where there are none, greys.

        The nearest first. Empty where it is the lightest, or nobody knows how it looks.
        """
        if (lab := self._labs.get(own)) is None:
            return ()
        sign = 1 if lighter else -1
        by_distance = sorted(self._labs.items(), key=lambda pair: np.linalg.norm(pair[1] - lab))
        further = [(n, other) for n, other in by_distance if sign * (other[0] - lab[0]) >= _STEP]
        greys = [name for name, other in further if _chroma(other) <= _GREY]
        of_its_hue = [
            name
            for name, other in further
            if min(_chroma(lab), _chroma(other)) > _GREY and _apart(lab, other) <= _HUE_DEGREES
        ]
        return tuple((of_its_hue or greys)[:_NEAREST])


def _chroma(lab: Floats) -> float:
    return float(np.hypot(lab[1], lab[2]))


def _apart(one: Floats, other: Floats) -> float:
    """Degrees between two hues."""
    angles = np.degrees([np.arctan2(lab[2], lab[1]) for lab in (one, other)])
    return float(abs((angles[0] - angles[1] + 180) % 360 - 180))
