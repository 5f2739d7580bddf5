"""What goes with an item: a few parts of an outfit, and the best item of the catalog for each.

Which types go with which was learnt from what stylists say of products ("team it with jeans and
sneakers"); `outfits.json` has how often they said so, by whom the product is for and its usage. It
holds numbers alone and serves every catalog of these types. Of what few stylists spoke the wider
group decides: the type for whomever, then whatever is for the same people.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recommender.errors import QueryError
from recommender.index.embeddings import Mask, Rows, Vectors

ROLES: dict[str, tuple[str, ...]] = {
    "top": (
        "Tshirts", "Shirts", "Tops", "Kurtas", "Kurtis", "Tunics", "Camisoles", "Lounge Tshirts",
    ),
    "bottom": (
        "Jeans", "Trousers", "Leggings", "Shorts", "Capris", "Skirts", "Track Pants", "Churidar",
        "Jeggings", "Salwar", "Patiala", "Tights", "Lounge Pants", "Lounge Shorts", "Rain Trousers",
    ),
    "whole": ("Dresses", "Sarees", "Jumpsuit", "Kurta Sets", "Lehenga Choli", "Tracksuits"),
    "layer": (
        "Jackets", "Sweaters", "Blazers", "Sweatshirts", "Shrug", "Waistcoat", "Nehru Jackets",
        "Rain Jacket",
    ),
    "shoes": (
        "Casual Shoes", "Heels", "Formal Shoes", "Flats", "Sports Shoes", "Sandals", "Flip Flops",
        "Sports Sandals", "Booties",
    ),
    "bag": (
        "Handbags", "Clutches", "Backpacks", "Laptop Bag", "Messenger Bag", "Duffel Bag", "Wallets",
        "Mobile Pouch", "Rucksacks", "Trolley Bag", "Waist Pouch",
    ),
    "watch": ("Watches",),
    "belt": ("Belts",),
    "glasses": ("Sunglasses",),
    "jewellery": (
        "Earrings", "Bracelet", "Necklace and Chains", "Bangle", "Pendant", "Ring",
        "Jewellery Set", "Cufflinks",
    ),
    "hat": ("Caps", "Hat", "Headband"),
    "scarf": ("Ties", "Scarves", "Stoles", "Dupatta", "Mufflers"),
}  # fmt: skip
"""A part of an outfit -> the article types that can play it."""

ROLE_OF = {kind: role for role, kinds in ROLES.items() for kind in kinds}

MOST = 5
"""How many parts are offered."""
_TYPES = 3
"""Of how many types a part's items are; see `Companions.parts`."""
_PRIOR = 10
"""As how many sentences the wider group counts."""
_UNISEX = "Unisex"
_ANYWHERE = frozenset({"bag", "watch", "belt", "glasses", "jewellery", "hat", "scarf"})
"""Parts that go with more than one usage, and with each season."""
_USAGES = [
    {"Casual", "Smart Casual", "Travel"},
    {"Formal", "Smart Casual"},
    {"Ethnic", "Party"},
    {"Sports", "Casual"},
]
"""Usages that go with each other."""
_OPPOSITE = {"Summer": "Winter", "Winter": "Summer"}
_NEUTRAL = (
    *("Black", "White", "Grey", "Grey Melange", "Navy Blue", "Beige", "Brown", "Tan", "Khaki"),
    *("Cream", "Off White", "Silver", "Gold", "Charcoal", "Steel", "Metallic", "Nude", "Taupe"),
    *("Coffee Brown", "Mushroom Brown", "Skin"),
)
"""Colours that go with any."""

_TABLE = Path(__file__).with_name("outfits.json")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of an outfit.

    Attributes:
        name: of `ROLES`.
        types: that were looked for, what stylists name most often first.
        row: of the gallery, the item that goes best; None where none does.
    """

    name: str
    types: tuple[str, ...]
    row: int | None


class Companions:
    """What stylists name beside a type."""

    def __init__(self, said: Iterable[tuple[str, str, str, str, int]]) -> None:
        """Args:
        said: type, gender, usage, type that was named beside it, and how often.
        """
        self._counts: dict[tuple[str, ...], Counter[str]] = {}
        for kind, gender, usage, beside, count in said:
            for group in (("*", gender), (kind,), (kind, gender), (kind, gender, usage)):
                self._counts.setdefault(group, Counter())[beside] += count

    @classmethod
    def learnt(cls) -> "Companions":
        """What was learnt of the styles data."""
        return cls(json.loads(_TABLE.read_text("utf-8"))["said"])

    def shares(self, kind: str, gender: str, usage: str | None) -> dict[str, float]:
        """Of what is named beside such an item, the share of each type."""
        shares: dict[str, float] = {}
        for group in (("*", gender), (kind,), (kind, gender), (kind, gender, str(usage))):
            counts = self._counts.get(group, Counter())
            prior = _PRIOR if shares else 0
            whole = counts.total() + prior
            if whole:
                named = counts.keys() | shares.keys()
                shares = {
                    name: (counts[name] + prior * shares.get(name, 0.0)) / whole for name in named
                }
        return shares

    def parts(self, kind: str, gender: str, usage: str | None) -> dict[str, tuple[str, ...]]:
        """Parts of an outfit, the likeliest first, each with its likeliest types, at most three.

        Never the item's own part.
        """
        shares = {
            name: share
            for name, share in self.shares(kind, gender, usage).items()
            if name in ROLE_OF and ROLE_OF[name] != ROLE_OF.get(kind) and name != kind
        }
        whole: Counter[str] = Counter()
        for name, share in shares.items():
            whole[ROLE_OF[name]] += share  # type: ignore[assignment]
        return {
            role: tuple(
                sorted((n for n in ROLES[role] if n in shares), key=lambda n: -shares[n])[:_TYPES]
            )
            for role, _ in whole.most_common(MOST)
        }


class Outfits:
    """What goes with the items of a gallery. Thread-safe."""

    def __init__(
        self, frame: pd.DataFrame, vectors: Vectors, companions: Companions | None = None
    ) -> None:
        """Args:
        frame: the columns of n items.
        vectors: float32 of shape (n, d), unit rows, how they look.
        companions: what goes with what; as it was learnt where None.
        """
        self._companions = companions or Companions.learnt()
        self._vectors = vectors
        names = ("articleType", "gender", "usage", "season", "baseColour")
        self._values: dict[str, list[Any]] = {}
        self._codes: dict[str, npt.NDArray[np.int64]] = {}  # -1 where a value is missing
        for name in names:
            codes, values = pd.factorize(frame[name])
            self._codes[name], self._values[name] = codes.astype(np.int64), list(values)
        self._rows = frame.groupby("articleType", dropna=True).indices
        self._neutral = self._among("baseColour", np.arange(len(frame)), _NEUTRAL)

    def complete(self, row: int, passed: Collection[int] = ()) -> list[Part]:
        """Parts of an outfit around an item.

        Args:
            row: its.
            passed: rows that are not to be offered, since something else was asked for.

        Raises:
            QueryError: nobody knows what kind of item it is, or for whom.
        """
        kind, gender = self._value("articleType", row), self._value("gender", row)
        if kind is None or gender is None:
            lacks = "article type" if kind is None else "gender"
            raise QueryError(f"An outfit goes by an item's {lacks}, which this one lacks.")
        parts = self._companions.parts(kind, gender, self._value("usage", row))
        return [
            Part(name=name, types=types, row=self._best(row, name, types, passed))
            for name, types in parts.items()
        ]

    def _best(
        self, row: int, part: str, types: tuple[str, ...], passed: Collection[int]
    ) -> int | None:
        """The item of some types that goes best; of equals the earlier one."""
        found = [np.asarray(self._rows.get(kind, ()), dtype=np.int64) for kind in types]
        ranks = np.repeat(np.arange(len(types)), [len(rows) for rows in found])
        rows = np.concatenate([*found, np.empty(0, np.int64)])
        able = self._suits(row, rows, part) & ~np.isin(rows, list(passed))
        if not able.any():
            return None
        rows, ranks = rows[able], ranks[able]
        worth = -0.5 * ranks + self._vectors[rows] @ self._vectors[row : row + 1][0] / 4
        for name, counts in (("usage", 0.5), ("gender", 0.25), ("season", 0.25)):
            worth += counts * self._among(name, rows, [self._value(name, row)])
        same = self._among("baseColour", rows, [self._value("baseColour", row)])
        worth += np.where(self._neutral[rows] | self._neutral[row], 0.5, np.where(same, 0.25, 0))
        return int(rows[worth.argmax()])

    def _suits(self, row: int, rows: Rows, part: str) -> Mask:
        """Which rows are for the same people, their usage and their time of the year."""
        suits = self._among("gender", rows, [self._value("gender", row), _UNISEX])
        usage, season = self._value("usage", row), self._value("season", row)
        if usage is not None:
            others = {usage}.union(*(group for group in _USAGES if usage in group))
            others |= {"Casual"} if part in _ANYWHERE else set()
            suits &= self._among("usage", rows, others) | (self._codes["usage"][rows] < 0)
        if part not in _ANYWHERE and season in _OPPOSITE:
            suits &= ~self._among("season", rows, [_OPPOSITE[season]])
        return suits

    def _value(self, name: str, row: int) -> Any:
        code = self._codes[name][row]
        return None if code < 0 else self._values[name][code]

    def _among(self, name: str, rows: Rows, values: Collection[Any]) -> Mask:
        """Which rows have one of some values."""
        passes = np.array([*(value in values for value in self._values[name]), False])
        among: Mask = passes[self._codes[name][rows]]  # -1 points to the last
        return among
