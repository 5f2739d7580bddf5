"""In what two things agree and in what they differ: the sentences of `reasons`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recommender.encoding.agreement import LOOKS
from recommender.schema import noun_of

_SAME, _OTHER = 6, 4
"""Of what two things agree and differ in, so much is said."""


def reason_said(attributes: Sequence[Mapping[str, Any]]) -> str:
    """In what two things agree and in what they differ, in words.

    >>> two = {"column": "articleType", "asked": "Shirts", "item": "Shirts", "same": True}
    >>> reason_said([two, {"column": "season", "asked": "Fall", "item": "Summer", "same": False}])
    'Alike in article type (Shirts). Different in season (Summer instead of Fall).'
    """
    same = [f"{noun_of(a['column'])} ({a['item']})" for a in attributes if a["same"]]
    other = [
        f"{noun_of(a['column'])} ({a['item']} instead of {a['asked']})"
        for a in attributes
        if not a["same"]
    ]
    said = [_in_what("Alike", same, _SAME), _in_what("Different", other, _OTHER)]
    return " ".join(filter(None, said))


def hottest(cells: Sequence[Sequence[float]]) -> str:
    """Where in a picture the most of what makes it like another is, for who cannot see it.

    >>> hottest([[0, 0, 0], [0, 0.3, 0], [0, 0, 0.1]])
    'most alike in the middle.'
    >>> hottest([[0.2, 0, 0], [0, 0, 0], [0, 0, 0]])
    'most alike at the top left.'
    """
    down, across = np.unravel_index(np.argmax(cells), np.shape(cells))
    words = [
        names[min(3 * int(at) // size, 2)]
        for names, at, size in zip(
            (("top", "", "bottom"), ("left", "", "right")),
            (down, across),
            np.shape(cells),
            strict=True,
        )
    ]
    where = " ".join(filter(None, words))
    return f"most alike {f'at the {where}' if where else 'in the middle'}."


def shares_said(score: float, shares: Mapping[str, float]) -> str:
    """What a score is made of, in words.

    >>> shares_said(0.93, {"looks": 0.15, "articleType": 0.33, "gender": 0.33, "baseColour": 0.12})
    'Of 93%, looks make 15, article type 33, gender 33 and colour 12.'
    >>> shares_said(0.93, {"looks": 0.93})
    'All of 93% is looks.'
    """
    named = [(name if name == LOOKS else noun_of(name), share) for name, share in shares.items()]
    if len(named) < 2:
        return f"All of {score:.0%} is looks."
    (first, share), *others = named
    verb = "make" if first == LOOKS else "makes"
    parts = [f"{first} {verb} {100 * share:.0f}", *(f"{n} {100 * s:.0f}" for n, s in others)]
    return f"Of {score:.0%}, {_listed(parts)}."


def _in_what(how: str, parts: Sequence[str], most: int) -> str:
    more = [f"{len(parts) - most} more"] if len(parts) > most else []
    return f"{how} in {_listed([*parts[:most], *more])}." if parts else ""


def _listed(parts: Sequence[str]) -> str:
    *firsts, last = parts
    return f"{', '.join(firsts)} and {last}" if firsts else last
