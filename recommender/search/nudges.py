"""What counts in a score beside an embedding: the garment's very colour, a season, an occasion.

Each is a term of the score, of a weight chosen on dev, and no filter: what is much more alike comes
first all the same. A score is then a weighted mean of the embeddings' agreement and these terms, so
that it stays one of at most 1.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from recommender.encoding.agreement import Agreement
from recommender.encoding.regions import (
    WHOLE,
    Regions,
    cut,
    lies_on_white,
)
from recommender.errors import QueryError
from recommender.index.embeddings import Floats, Mask, Rows, Vectors
from recommender.index.exact import products_in
from recommender.index.protocol import VectorIndex
from recommender.pictures.colour import Lab, median_lab, packshot_lab
from recommender.schema import COLOUR, GENDER, TYPE
from recommender.search.fusion import Searched
from recommender.search.items import Items
from recommender.search.options import Options
from recommender.search.query import NO_COLOURS, Query

CONTEXTS = {"season": "season", "occasion": "usage"}
"""Options that name what items are to be for -> the column that says so."""
_COLOUR, _CONTEXT = 0.5, 0.1
"""What the colour, with its slider at one, and each context count beside all else. Chosen on dev,
as the next ones."""
_NEAR = 20.0
"""Of two colours: the distance in CIELAB at which closeness has fallen to 1/e."""
_SEEN = 0.5
"""What the pixels' colour counts in the colour, beside its name."""
_OF = {TYPE: 1.0, GENDER: 0.75}
"""How far a colour counts of nothing but what is of the same kind, and for the same people. Where
those of a colour are used up, there is more of it for other people alone, which is not sought."""
UNKNOWN = 0.5
"""What a context counts for an item of which nobody knows what it is for."""
ALL = slice(None)

Kinds = npt.NDArray[np.int8]


class Counted(NamedTuple):
    """A term of a score.

    Attributes:
        share: what it counts, from 0 to 1; what all of them leave is the embedding's.
        term: float32 of shape (n,), from 0 to 1, of each item.
    """

    share: float
    term: Floats


class Nudged:
    """An index in whose scores more counts than what is embedded; of one query."""

    def __init__(
        self, index: VectorIndex, extra: Floats, weight: float, kinds: Kinds | None = None
    ) -> None:
        """Args:
        index: of the gallery.
        extra: float32 of shape (n,), what is added to each row's score.
        weight: what is left to the score.
        kinds: int8 of shape (n,), few numbers, equal only where what is added is; None where that
            is of each row by itself.
        """
        self._index, self._extra, self._weight = index, extra, np.float32(weight)
        self._kinds = kinds

    def __len__(self) -> int:
        return len(self._index)

    def search(self, queries: Floats, k: int, allowed: Mask | None = None) -> tuple[Floats, Rows]:
        """As `VectorIndex.search`, exactly, of one query: (1, d) -> (1, m)."""
        if self._kinds is None:
            rows = np.arange(len(self)) if allowed is None else np.flatnonzero(allowed)
            cosines = self._index.scores(queries[0], None if allowed is None else rows)
        else:
            cosines, rows = self._best_of_each(self._kinds, queries, k, allowed)
        scores = self._weight * cosines + self._extra[rows]
        if k < len(rows):
            least = np.partition(scores, -k)[-k]
            rows, scores = rows[scores >= least], scores[scores >= least]
        order = np.lexsort((rows, -scores))[:k]
        return scores[None, order], rows[None, order]

    def _best_of_each(
        self, kinds: Kinds, queries: Floats, k: int, allowed: Mask | None
    ) -> tuple[Floats, Rows]:
        """The index's scores of the k best rows of each kind, and the rows: (m,), in any order."""
        best = [(np.empty(0, np.float32), np.empty(0, np.int64))]
        for kind in np.flatnonzero(np.bincount(kinds)):
            able: Mask = kinds == kind
            if allowed is not None:
                able &= allowed
            scores, rows = self._index.search(queries, k, able)
            there = rows[0] >= 0  # where an index that is not exact finds fewer
            best.append((scores[0][there], rows[0][there]))
        scores, rows = map(np.concatenate, zip(*best, strict=True))
        return scores, rows


class Nudges:
    """What is known of a gallery's items beside their embeddings. Thread-safe."""

    def __init__(self, items: Items, agreement: Agreement, colours: Floats | None) -> None:
        """Args:
        items: of the gallery.
        agreement: how its embeddings are laid out.
        colours: float32 of shape (n, 3), CIELAB, NaN where nobody knows; None where that is so
            of all.
        """
        self._items, self._agreement, self._colours = items, agreement, colours

    @property
    def sees_colours(self) -> bool:
        """Whether the gallery's colours are known."""
        return self._colours is not None

    @property
    def contexts(self) -> dict[str, list[str]]:
        """What each context can be: its option -> values of the gallery."""
        values = self._items.filters.values
        return {option: list(values[column]) for option, column in CONTEXTS.items()}

    def check(self, options: Options) -> None:
        """See that a gallery knows of what is to count.

        Raises:
            QueryError: it does not; says what would be right.
        """
        if options.colour and self._colours is None:
            raise QueryError(
                "The colours of this catalog's garments are not known: build its index again, or "
                "leave colour at 0."
            )
        for option, known in self.contexts.items():
            if (said := getattr(options, option)) and said not in known:
                right = f"one of {', '.join(known)}" if known else "empty: this catalog says none"
                raise QueryError(f"The {option} is {right}.")

    def colours_of(self, row: int) -> Floats:
        """The colour of an item: float32 of shape (1, 3), or (0, 3) where nobody knows any."""
        return NO_COLOURS if self._colours is None else self._colours[row : row + 1]

    def over(
        self, index: VectorIndex, vectors: Floats, query: Query, options: Options
    ) -> list[Searched]:
        """The index as each of the queries is to search it: itself, where nothing else counts.

        Args:
            index: of the gallery.
            vectors: float32 of shape (q, dim), what is asked with.
            query: what it is of.
            options: how is searched.

        Raises:
            QueryError: the gallery does not know of what is to count.
        """
        self.check(options)
        return [
            self._over(index, self.counted(index, vectors[at], query, at, options))
            for at in range(len(query))
        ]

    @staticmethod
    def _over(index: VectorIndex, terms: Mapping[str, Counted]) -> Searched:
        if not terms:
            return index
        extra = sum(np.float32(share) * term for share, term in terms.values())
        weight = 1 - sum(share for share, _ in terms.values())
        kinds = None
        if terms.keys() <= CONTEXTS.keys():  # an item suits, or not, or nobody knows
            kinds = np.zeros(len(index), np.int8)
            for _, term in terms.values():
                kinds = 3 * kinds + (term > 0) + (term > UNKNOWN)
        return Nudged(index, np.asarray(extra, np.float32), weight, kinds)

    def counted(
        self,
        index: VectorIndex,
        vector: Floats,
        query: Query,
        at: int,
        options: Options,
        rows: slice = ALL,
    ) -> dict[str, Counted]:
        """What counts beside an embedding, by the option that asks for it.

        Args:
            index, query, options: as of `over`.
            vector: float32 of shape (dim,), what is asked with.
            at: which of the queries it is of.
            rows: of the gallery.
        """
        terms: dict[str, Counted] = {}
        colours = self._colours
        if options.colour and colours is not None and not _says_colour(query, at, options):
            asked = colour_of(query, at)
            if not np.isnan(asked).any():
                vectors = index.vectors if rows == ALL else index.vectors[rows]
                alike = self._alike(vectors, vector, colours[rows], asked)
                terms["colour"] = Counted(_COLOUR * options.colour, alike)
        for option, column in CONTEXTS.items():
            if said := getattr(options, option):
                terms[option] = Counted(_CONTEXT, self._suits(column, said, rows))
        return terms

    def _alike(self, vectors: Vectors, vector: Floats, colours: Floats, colour: Lab) -> Floats:
        """How near colours are to one, by pixels and by name, of what is sought: (n,)."""
        apart = np.zeros(len(vectors), np.float32)
        for axis, value in zip(colours.T, colour, strict=True):
            apart += (axis - np.float32(value)) ** 2
        near = np.nan_to_num(np.exp(np.sqrt(apart) / -_NEAR))
        if (named := self._agreed(vectors, vector, COLOUR)) is not None:
            near = np.float32(_SEEN) * near + np.float32(1 - _SEEN) * named
        # A colour is one of something: another kind of thing in it is not what is sought.
        for label, share in _OF.items():
            if (same := self._agreed(vectors, vector, label)) is not None:
                near *= np.float32(share) * same + np.float32(1 - share)
        return near

    def _agreed(self, vectors: Vectors, vector: Floats, label: str) -> Floats | None:
        """How far items are what is believed of a label, from 0 to 1; None of nothing."""
        block = self._agreement.block(label)
        if block is None or not (length := np.linalg.norm(vector[block])):
            return None
        weight = np.float32(np.sqrt(self._agreement.weights[label]))
        return products_in(vectors, block, vector[block] / (length * weight))

    def _suits(self, column: str, said: str, rows: slice) -> Floats:
        """Which items are for what was said: 1 those that are, 0 those for something else."""
        filters = self._items.filters
        codes = filters.codes(column)[rows]
        suits = codes == filters.values[column].index(said)
        return np.where(codes < 0, np.float32(UNKNOWN), suits.astype(np.float32))


def _says_colour(query: Query, at: int, options: Options) -> bool:
    """Whether somebody says what colour it is to have: then no picture's counts."""
    said = query.told[at].said.statements if query.told else ()
    return COLOUR in {*(options.corrected or {}), *(statement.column for statement in said)}


def colour_of(query: Query, at: int) -> Lab:
    """The colour of the garment that asks, of shape (3,), CIELAB; NaN where nobody knows."""
    if len(query.colours):
        return np.asarray(query.colours[at], np.float64)
    if not query.shown:
        return np.full(3, np.nan)
    if not query.regions:
        return packshot_lab(query.shown[at])
    return _colour_of(query.shown[at], query.regions[at])


def _colour_of(picture: Image.Image, regions: Regions) -> Lab:
    """The colour of a garment within its region; a packshot's is told as the gallery's are."""
    if not len(regions.mask) or lies_on_white(picture, regions.mask):
        return packshot_lab(cut(picture, regions.used) if regions.used else picture)
    left, top, right, bottom = regions.used or WHOLE
    high, wide = regions.mask.shape
    rows = slice(math.floor(top * high), math.ceil(bottom * high))
    columns = slice(math.floor(left * wide), math.ceil(right * wide))
    inside = np.zeros_like(regions.mask)
    inside[rows, columns] = regions.mask[rows, columns]
    return median_lab(picture, inside)
