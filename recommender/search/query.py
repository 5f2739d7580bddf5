"""What is sought: pictures, items, and whatever else has vectors, ask in one form."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from recommender.encoding.agreement import Beliefs
from recommender.encoding.places import Places
from recommender.encoding.regions import Regions
from recommender.index.embeddings import Floats, Rows
from recommender.search.fusion import Told

NO_COLOURS = np.empty((0, 3), np.float32)


@dataclass(frozen=True, kw_only=True)
class Query:
    """q queries that are asked together.

    Attributes:
        vectors: float32 of shape (q, dim), unit rows as the encoder makes them.
        learnt: whether they are of a text tower, which has learnt to ask with all of an embedding,
            its slack too: how much doubt a picture leaves.
        row: of the gallery's item that asks; None where none does.
        known: whether it is known, not believed, what kind of thing asks.
        beliefs: what is believed of the pictures that ask: label -> float32 of shape (q, classes).
        regions: where the garment is in each of the pictures; empty where nobody knows.
        matches: float32 of shape (q,), how sure it is that each of the pictures shows fashion of a
            kind that the catalog has, 0 to 1; None where nobody knows.
        places: what each place of the pictures gives to their looks; empty where nobody knows.
        shown: the pictures, RGB, or their parts where no regions are known; empty where none ask.
        colours: float32 of shape (q, 3), CIELAB of the items that ask, NaN where nobody knows; of
            shape (0, 3) where none ask.
        excluded: for each query the rows of the gallery that it shall not find; empty for none.
        told: what words say of the gallery's items, for each query; empty where nothing is said.
        recognises: whether the picture of the gallery that a query shows, if any, comes first.
    """

    vectors: Floats
    learnt: bool = False
    row: int | None = None
    known: bool = False
    beliefs: Beliefs = field(default_factory=dict)
    regions: Sequence[Regions] = ()
    matches: Floats | None = None
    places: Sequence[Places] = ()
    shown: Sequence[Image.Image] = ()
    colours: Floats = field(default_factory=lambda: NO_COLOURS)
    excluded: Sequence[Rows] = ()
    told: Sequence[Told] = ()
    recognises: bool = False

    def __post_init__(self) -> None:
        if self.vectors.dtype != np.float32 or self.vectors.ndim != 2:
            raise ValueError("vectors are not float32 of shape (q, dim)")
        if self.matches is not None and self.matches.shape != (len(self.vectors),):
            raise ValueError(f"matches are of shape {self.matches.shape}, which is not (q,)")
        if self.colours.shape not in ((0, 3), (len(self.vectors), 3)):
            raise ValueError(f"colours are of shape {self.colours.shape}, not (q, 3)")
        if self.told and len(self.told) != len(self.vectors):
            raise ValueError(f"words for {len(self.told)} of {len(self.vectors)} queries")
        if self.excluded and len(self.excluded) != len(self.vectors):
            raise ValueError(f"{len(self.excluded)} exclusions for {len(self.vectors)} queries")

    def __len__(self) -> int:
        return len(self.vectors)

    def only(self, at: int) -> "Query":
        """One of the queries."""
        part = slice(at, at + 1)
        return replace(
            self,
            vectors=self.vectors[part],
            beliefs={label: believed[part] for label, believed in self.beliefs.items()},
            regions=self.regions[part],
            matches=None if self.matches is None else self.matches[part],
            places=self.places[part],
            shown=self.shown[part],
            colours=self.colours[part],
            excluded=self.excluded[part],
            told=self.told[part],
        )
