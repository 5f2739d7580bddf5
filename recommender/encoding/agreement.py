"""What is believed of a picture's attributes, and embeddings in which that counts.

Beliefs are a probability for each class of a label. An embedding lays them beside the looks, so
that the product of a query and an item of the gallery is what they are expected to agree in:

    w_looks · cosine of the looks + Σ over labels  w_label · Σ over classes  p_query · p_item

where the inner sum is the probability that both are of the same class. An item whose label is
known may have a one there instead of a belief.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from recommender.schema import folded

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Beliefs = dict[str, Floats]
"""Label -> float32 of shape (b, classes), rows that sum to one."""
Known = npt.NDArray[np.int32]
"""Which value of an embedding says what is known of a label, of each item; -1 of what is not."""

LOOKS = "looks"


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The layout of such embeddings: looks, a block for each label, and the slack.

    A belief that is spread over classes is shorter than one that is sure. The slack, the last
    value, is what a row lacks to length one; a query has none, so that it changes no product but
    lets every row of the gallery be a unit row.
    Source: Bachrach et al., Speeding Up the Xbox Recommender System, RecSys 2014.

    Where no label counts, an embedding is its looks, and there is no slack.

    Attributes:
        looks_dim: length of the looks.
        weights: `looks` and each label that counts -> its share; they sum to one.
        classes: label -> its classes, for at least the labels that count.
    """

    looks_dim: int
    weights: Mapping[str, float] = field(default_factory=lambda: {LOOKS: 1.0})
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shares = list(self.weights.values())
        if LOOKS not in self.weights or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
            raise ValueError("the weights of looks and labels are at least 0 and sum to one")
        if unknown := self.weights.keys() - self.classes.keys() - {LOOKS}:
            raise ValueError(f"there is no head for {', '.join(sorted(unknown))}")

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that count, in the order of their blocks."""
        return tuple(name for name in self.weights if name != LOOKS)

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        counted = [len(self.classes[name]) for name in self.labels]
        return self.looks_dim + sum(counted) + bool(counted)

    def embed(self, looks: Floats, beliefs: Mapping[str, Floats]) -> Floats:
        """Lay looks and beliefs side by side.

        Args:
            looks: float32 of shape (b, looks_dim), unit rows.
            beliefs: label -> float32 of shape (b, classes), rows that sum to one.

        Returns:
            float32 of shape (b, dim), unit rows.
        """
        vectors = np.zeros((len(looks), self.dim), dtype=np.float32)
        vectors[:, : self.looks_dim] = looks * np.sqrt(self.weights[LOOKS])
        for name, block in self._blocks():
            vectors[:, block] = beliefs[name] * np.sqrt(self.weights[name])
        return self._filled(vectors)

    def as_queries(self, vectors: Floats) -> Floats:
        """What is asked with: the same without its slack; float32 (b, dim), unit rows."""
        if not self.labels:
            return vectors
        queries = vectors.copy()
        queries[:, -1] = 0
        norms = np.linalg.norm(queries, axis=1, keepdims=True)
        queries /= np.where(norms > 0, norms, 1)  # of words that no embedding shows
        return queries

    def stressed(self, queries: Floats, counts: Mapping[str, float]) -> Floats:
        """Queries in which some labels count more than they usually do.

        A product is a weighted mean still: 1 of what is certain with its like.

        Args:
            queries: float32 of shape (q, dim), as `as_queries` has them.
            counts: label -> how many times its usual share.

        Returns:
            float32 of shape (q, dim), rows a little longer than one.
        """
        shares = {name: weight * counts.get(name, 1.0) for name, weight in self.weights.items()}
        numbers = self.spread(counts, others=1.0) / np.float32(sum(shares.values()))
        stressed: Floats = queries * numbers
        return stressed

    def certain(self, vectors: Floats, label: str) -> Mask:
        """Of which rows a label is known, not believed: bool of shape (n,).

        Args:
            vectors: float32 of shape (n, dim), as `embed` and `with_labels` make them.
        """
        block = self.block(label)
        if block is None:
            return np.zeros(len(vectors), dtype=bool)
        known: Mask = vectors[:, block].max(axis=1) >= np.sqrt(self.weights[label]) * (1 - 1e-6)
        return known

    def with_labels(self, vectors: Floats, labels: Mapping[str, Iterable[object]]) -> Floats:
        """Put certainty where a label is known; beliefs stay where it is missing or unheard of.

        Args:
            vectors: float32 of shape (n, dim).
            labels: label -> n values.

        Returns:
            float32 of shape (n, dim), unit rows.
        """
        return self.with_known(vectors, self.known(labels, len(vectors)))

    def known(self, labels: Mapping[str, Iterable[object]], count: int) -> Known:
        """Where embeddings say what is known of each label that counts.

        Args:
            labels: label -> n values.
            count: n.

        Returns:
            int32 of shape (n, labels).
        """
        known = np.full((count, len(self.labels)), -1, np.int32)
        for at, (name, block) in enumerate(self._blocks()):
            if name in labels:
                codes = self._codes(name, labels[name])
                known[:, at] = np.where(codes < 0, -1, block.start + codes)
        return known

    def with_known(self, vectors: Floats, known: Known) -> Floats:
        """As `with_labels`, of labels that were read before.

        Args:
            vectors: float32 of shape (n, dim).
            known: int32 of shape (n, labels), as `known` gives it.
        """
        told = vectors.copy()
        for (name, block), places in zip(self._blocks(), known.T, strict=True):
            rows = np.flatnonzero(places >= 0)
            told[rows, block] = 0
            told[rows, places[rows]] = np.sqrt(self.weights[name])
        return self._filled(told)

    def unheard(self, labels: Mapping[str, Mapping[object, int]]) -> dict[str, Counter[str]]:
        """Values of labels that no class is called, however spelt, and how often they occur.

        Args:
            labels: label -> value, None where missing -> how often it occurs.
        """
        found: dict[str, Counter[str]] = {}
        for name in self.labels:
            codes = zip(labels[name].items(), self._codes(name, labels[name]), strict=True)
            unknown = {v: n for (v, n), code in codes if code < 0 and isinstance(v, str)}
            if unknown:
                found[name] = Counter(unknown)
        return found

    def _codes(self, name: str, values: Iterable[object]) -> npt.NDArray[np.int64]:
        """Which class each value of a label is, however it is spelt; -1 for none."""
        column, values = {folded(v): i for i, v in enumerate(self.classes[name])}, list(values)
        known = {v: column.get(folded(v), -1) if isinstance(v, str) else -1 for v in set(values)}
        return np.array([known[value] for value in values], dtype=np.int64)

    def looks(self, vectors: Floats) -> Floats:
        """Read the looks back: float32 of shape (b, looks_dim), unit rows."""
        looks: Floats = vectors[:, : self.looks_dim] / np.float32(np.sqrt(self.weights[LOOKS]))
        return looks

    def beliefs(self, vectors: Floats) -> Beliefs:
        """Read the beliefs back: label -> float32 of shape (b, classes)."""
        return {
            name: vectors[:, block] / np.float32(np.sqrt(self.weights[name]))
            for name, block in self._blocks()
        }

    def doubt(self, vectors: Floats) -> Floats:
        """How far two items of which just this is believed are expected to disagree.

        Args:
            vectors: float32 of shape (…, dim), as `embed` makes them.

        Returns:
            float32 of shape (…), from 0 where everything is certain to below 1.
        """
        return vectors[..., -1] ** 2 if self.labels else np.zeros(vectors.shape[:-1], np.float32)

    def block(self, label: str) -> slice | None:
        """Where an embedding holds the beliefs in a label's classes; None where it does not."""
        return dict(self._blocks()).get(label)

    def spread(self, values: Mapping[str, float], *, others: float) -> Floats:
        """A number for each value of an embedding: its label's or the looks', else the others'.

        Returns:
            float32 of shape (dim,).
        """
        numbers = np.full(self.dim, others, dtype=np.float32)
        for name, block in [(LOOKS, slice(self.looks_dim)), *self._blocks()]:
            numbers[block] = values.get(name, others)
        return numbers

    def _blocks(self) -> list[tuple[str, slice]]:
        widths = (len(self.classes[name]) for name in self.labels)
        ends = pairwise(accumulate(widths, initial=self.looks_dim))
        return [(name, slice(*block)) for name, block in zip(self.labels, ends, strict=True)]

    def _filled(self, vectors: Floats) -> Floats:
        if not self.labels:
            return vectors
        squares = np.einsum("nd,nd->n", vectors[:, :-1], vectors[:, :-1])
        vectors[:, -1] = np.sqrt(np.maximum(1 - squares, 0))
        return vectors


def tempered(beliefs: Floats, temperature: float) -> Floats:
    """Beliefs of the same logits divided by a temperature; float32 (n, classes)."""
    powered = np.maximum(beliefs, 1e-12) ** np.float32(1 / temperature)
    scaled: Floats = powered / powered.sum(axis=1, keepdims=True)
    return scaled


def surer(beliefs: Floats, odds: float) -> Floats:
    """Beliefs whose likeliest has so many times the odds; the others keep their shares.

    Args:
        beliefs: float32 of shape (n, classes), rows that sum to one.
        odds: at least one.
    """
    rows = np.arange(len(beliefs)), beliefs.argmax(axis=1)
    raised = beliefs.copy()
    raised[rows] *= np.float32(odds)
    scaled: Floats = raised / raised.sum(axis=1, keepdims=True)
    return scaled


def logit(probabilities: Floats) -> Floats:
    """What a sigmoid makes probabilities of, kept within ±12."""
    odds: Floats = np.log(np.maximum(probabilities, 6e-6) / np.maximum(1 - probabilities, 6e-6))
    return odds


def likeliest(
    beliefs: Mapping[str, Floats], classes: Mapping[str, Sequence[str]], count: int
) -> dict[str, list[tuple[str, float]]]:
    """The most believed classes of one picture, each with its probability, likeliest first.

    Args:
        beliefs: label -> float32 of shape (1, classes).
        classes: label -> its classes.
        count: how many of each label, at most.

    >>> likeliest({"gender": np.array([[0.1, 0.7, 0.2]])}, {"gender": ["Boys", "Men", "Women"]}, 2)
    {'gender': [('Men', 0.7), ('Women', 0.2)]}
    """
    return {
        name: [(classes[name][i], float(believed[0, i])) for i in np.argsort(-believed[0])[:count]]
        for name, believed in beliefs.items()
    }
