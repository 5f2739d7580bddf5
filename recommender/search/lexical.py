"""Which items' own texts hold the words that are asked for, the rarer the better: BM25.

Source: Robertson & Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009, as
bm25s computes it (Lù, 2024): every score is computed once, when the texts are read.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from bm25s import BM25

from recommender.index.embeddings import Floats
from recommender.search.tokens import tokens_of


class Lexical:
    """The words of n items' texts.

    Attributes:
        words: each as it is compared -> as it is first written.
    """

    def __init__(self, columns: Iterable[Iterable[str | None]], count: int) -> None:
        """Args:
        columns: of texts, each of `count`; None where an item has none.
        count: n.
        """
        self.words: dict[str, str] = {}
        numbers: dict[str, int] = {}
        texts: list[list[int]] = [[] for _ in range(count)]
        for column in columns:
            read: dict[str, list[int]] = {}  # many items share a value
            for row, text in enumerate(column):
                if text:
                    if (known := read.get(text)) is None:
                        known = []
                        for written, word in tokens_of(text):
                            known.append(numbers.setdefault(word, len(numbers)))
                            self.words.setdefault(word, written)
                        read[text] = known
                    texts[row] += known
        self._count = count
        self._bm25 = BM25() if numbers else None
        if self._bm25 is not None:
            self._bm25.index((texts, numbers), create_empty_token=False, show_progress=False)

    def scores(self, words: Sequence[str]) -> Floats:
        """How well each text goes with some words: float32 of shape (n,), 0 without any of them."""
        known = [word for word in words if word in self.words]
        if self._bm25 is None or not known:
            return np.zeros(self._count, dtype=np.float32)
        scores: Floats = self._bm25.get_scores(known)
        return scores
