"""A gallery's embeddings in which what is known of an item stands in place of a belief.

They are made as they are asked for, of the embeddings of the pictures and a number a label: a
product takes the looks from there, and the rest from where the query says what it believes.
"""

import numpy as np
import pandas as pd

from recommender.encoding.agreement import LOOKS, Agreement, Known
from recommender.index.bounds import Alike
from recommender.index.embeddings import Floats, Rows, Vectors
from recommender.index.exact import products
from recommender.index.mapped import blocks_of
from recommender.index.protocol import Change

_SURENESS = 3
"""How many steps there are of it. More make groups narrower, of which each is looked at."""


class Labelled:
    """Such vectors, of shape (n, dim), unit rows. Thread-safe.

    Attributes:
        shape: theirs.
        seen: float32 of the same shape, what they are made of: what the pictures make one believe.
        known: int32 of shape (n, labels), what is known of each item.
    """

    def __init__(self, agreement: Agreement, seen: Floats, known: Known) -> None:
        """Args:
        agreement: how an embedding holds labels.
        seen: float32 of shape (n, dim), what the pictures make one believe.
        known: int32 of shape (n, labels), as `Agreement.known` gives it.
        """
        self.shape = (len(seen), agreement.dim)
        self._agreement, self.seen, self.known = agreement, seen, known
        weights = np.sqrt(agreement.spread(agreement.weights, others=0.0))
        self._weights = np.append(weights, np.float32(0))
        # What pictures tell: of all items their looks and labels that nobody knows; of some, more.
        self._of_all = agreement.spread({LOOKS: 1.0}, others=0.0)
        self._of_some: list[tuple[int, slice]] = []
        for at, name in enumerate(agreement.labels):
            block, there = agreement.block(name) or slice(0), known[:, at] >= 0
            if not there.any():
                self._of_all[block] = 1
            elif not there.all():
                self._of_some.append((at, block))
        slack = [self[part][:, -1] for part in blocks_of(len(seen))]
        self._slack = np.concatenate([np.empty(0, np.float32), *slack])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Rows | slice, /) -> Floats:
        return self._agreement.with_known(self.seen[rows], self.known[rows])

    def products(self, query: Floats, rows: Rows | None = None) -> Floats:
        """As `index.exact.products`."""
        known = self.known if rows is None else self.known[rows]
        found = self._of_pictures(query * self._of_all, rows)
        table = self._weights.copy()
        table[:-1] *= query
        for places in known.T:
            found += table[places]  # of -1, the last, which is nothing
        for at, block in self._of_some:
            if len(unknown := np.flatnonzero(known[:, at] < 0)):
                asked = np.zeros_like(query)
                asked[block] = query[block]
                its = unknown if rows is None else rows[unknown]
                found[unknown] += self._of_pictures(asked, its)
        if slack := query[-1]:
            found += slack * (self._slack if rows is None else self._slack[rows])
        return found

    def _of_pictures(self, asked: Floats, rows: Rows | None) -> Floats:
        if asked.any():
            return products(asked, self.seen, rows)
        # Words, or a colour, alone ask: nothing of the pictures is read.
        return np.zeros(len(self) if rows is None else len(rows), np.float32)


def alike(agreement: Agreement, known: Known) -> Alike:
    """Items of which the same is known, which differ in looks; and in beliefs of the rest.

    Args:
        agreement, known: as of `Labelled`.
    """
    groups = np.zeros(len(known), np.int64)
    for places in known.T:
        groups = groups * (agreement.dim + 1) + places
    return Alike(groups, _parts(agreement))


def alike_by_beliefs(agreement: Agreement, vectors: Vectors) -> Alike | None:
    """Items of which the same is likeliest and about as sure; None where nothing is believed.

    Args:
        agreement: how vectors hold beliefs.
        vectors: float32 of shape (n, dim), as `Agreement.embed` makes them; read once.
    """
    if not (blocks := [block for name in agreement.labels if (block := agreement.block(name))]):
        return None
    groups = np.zeros(len(vectors), np.int64)
    for part in blocks_of(len(vectors)):
        read = vectors[part]
        numbers = (read[:, -1] * _SURENESS).astype(np.int64)  # the slack is longest of the unsure
        for block in blocks:
            numbers = numbers * (agreement.dim + 1) + read[:, block].argmax(axis=1)
        groups[part] = numbers
    return Alike(groups, _parts(agreement))


def by_labels(agreement: Agreement, frame: pd.DataFrame) -> tuple[Change, Alike]:
    """What makes such of a gallery's vectors, and which are alike then.

    Args:
        agreement: how they hold labels.
        frame: the columns of its items, row by row.
    """
    labels = {name: frame[name].to_numpy() for name in agreement.labels}
    known = agreement.known(labels, len(frame))
    return lambda vectors, rows: Labelled(agreement, vectors, known[rows]), alike(agreement, known)


def _parts(agreement: Agreement) -> tuple[slice, slice]:
    looks = agreement.looks_dim
    return slice(looks), slice(looks, agreement.dim)
