"""In what two things agree and in what they differ: the sentences of `reasons`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recommender.encoding.agreement import LOOKS
from recommender.schema import noun_of
from recommender.search.nudges import CONTEXTS, UNKNOWN
from recommender.search.options import Options

_SAME, _OTHER = 6, 4
"""Of what two things agree and differ in, so much is said."""
_LITTLE = 0.005
"""A share below this is none to speak of."""
_NEAR = 0.5
"""From this on a garment's colour is said to be near another's."""
_BESIDE = {
    LOOKS: "looks",
    "liked": "what you like",
    "disliked": "what you do not like",
    "colour": "the very colour",
    **{option: f"the {option}" for option in CONTEXTS},
}
"""A share that is no attribute's -> what it is called."""


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
    if len(shares) < 2:
        return f"All of {score:.0%} is looks."
    named = [
        (_BESIDE.get(name) or noun_of(name), f"{100 * share:.0f}".replace("-", "−"))
        for name, share in rounded(shares, 2).items()
    ]
    (first, share), *others = named
    verb = "make" if first == LOOKS else "makes"
    parts = [f"{first} {verb} {share}", *(f"{name} {share}" for name, share in others)]
    return f"Of {score:.0%}, {_listed(parts)}."


def beside_said(shares: Mapping[str, float], terms: Mapping[str, float], options: Options) -> str:
    """What a taste, and what counts beside being alike, say of an item, in words.

    Args:
        shares: of its score.
        terms: what counts beside an embedding -> how far it holds of the item.
        options: how it was sought.

    >>> shares = {"looks": 0.3, "liked": 0.1, "disliked": -0.02, "season": 0.0}
    >>> beside_said(shares, {"season": 0.0}, Options(season="Winter"))
    'What you like speaks for it, what you do not like speaks against it and it is not for winter.'
    """
    said = []
    for name in ("liked", "disliked"):
        if name in shares:
            how = "for" if shares[name] >= _LITTLE else "against"
            how = f"speaks {how} it" if abs(shares[name]) >= _LITTLE else "says little of it"
            said.append(f"{_BESIDE[name]} {how}")
    if "colour" in terms:
        how = "near the one" if terms["colour"] >= _NEAR else "far from the one"
        said.append(f"its very colour is {how} that you show")
    for name in CONTEXTS:
        if name in terms:
            suits = terms[name]
            how = "is not" if suits < UNKNOWN else "is" if suits > UNKNOWN else "may be"
            said.append(f"it {how} for {str(getattr(options, name)).lower()}")
    sentence = _listed(said) if said else ""
    return f"{sentence[:1].upper()}{sentence[1:]}." if said else ""


def rounded(shares: Mapping[str, float], digits: int) -> dict[str, float]:
    """Shares with so many digits, which sum to their rounded sum: the largest remainders go up.

    >>> rounded({"looks": 0.334, "gender": 0.333, "baseColour": 0.333}, 2)
    {'looks': 0.34, 'gender': 0.33, 'baseColour': 0.33}
    """
    units = np.array(list(shares.values()), np.float64) * 10**digits
    whole = np.floor(units)
    # Their sum is rounded, not that of the units: of a half they may say otherwise.
    lacking = round(round(sum(shares.values()), digits) * 10**digits) - int(whole.sum())
    whole[np.argsort(whole - units, kind="stable")[:lacking]] += 1
    values = (round(float(unit) / 10**digits, digits) for unit in whole)
    return dict(zip(shares, values, strict=True))


def _in_what(how: str, parts: Sequence[str], most: int) -> str:
    more = [f"{len(parts) - most} more"] if len(parts) > most else []
    return f"{how} in {_listed([*parts[:most], *more])}." if parts else ""


def _listed(parts: Sequence[str]) -> str:
    *firsts, last = parts
    return f"{', '.join(firsts)} and {last}" if firsts else last
