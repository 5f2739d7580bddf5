"""Which items' own texts hold the words that are asked for, the rarer the better: BM25.

Source: Robertson & Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009, as
bm25s computes it (Lù, 2024): every score is computed once, when the texts are read.
"""

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np

from recommender.index.embeddings import Floats
from recommender.search.tokens import compared, written_in

_READ = 48
"""Words of an item's texts that are read: its name and how its description begins."""
_RARE = 10_000
"""A word that fewer than one in so many items have may be misspelt there."""


class Lexical:
    """The words of n items' texts.

    Attributes:
        words: each as it is compared -> as it is first written.
        usual: those that are no slip of one item.
        held: each -> how many items' texts hold it.
    """

    def __init__(
        self,
        choices: Sequence[Iterable[str | None]],
        texts: Sequence[Iterable[str | None]],
        count: int,
    ) -> None:
        """Args:
        choices: columns of a few words, each of n values; None where an item has none.
        texts: columns of free text, the same.
        count: n.
        """
        from bm25s import BM25  # a fifth of a second, and only who asks in words needs it

        self.words: dict[str, str] = {}
        numbers: dict[str, int] = {}
        of_written: dict[str, int] = {}

        def read(written: Iterable[str]) -> list[int]:
            found = []
            for word in written:
                if (number := of_written.get(word)) is None:
                    key = compared(word)
                    number = of_written[word] = numbers.setdefault(key, len(numbers))
                    self.words.setdefault(key, word)
                found.append(number)
            return found

        rows: list[list[int]] = [[] for _ in range(count)]
        for column in choices:
            known = {value: read(written_in(value)) for value in set(column) if value}
            for row, value in enumerate(column):
                rows[row] += known.get(value, ())  # type: ignore[arg-type]
        self.usual = set(self.words)
        for row, said in enumerate(zip(*texts, strict=True)):
            written = (word for text in said if text for word in written_in(text))
            rows[row] += read(islice(written, _READ))
        self._count = count
        self._bm25 = BM25() if numbers else None
        self.held: dict[str, int] = {}
        if self._bm25 is not None:
            self._bm25.index((rows, numbers), create_empty_token=False, show_progress=False)
            items = np.diff(self._bm25.scores["indptr"]).tolist()
            self.held = dict(zip(numbers, items, strict=True))
            self.usual |= {word for word, held in self.held.items() if held * _RARE >= count}

    def scores(self, words: Sequence[str]) -> Floats:
        """How well each text goes with some words: float32 of shape (n,), 0 without any of them."""
        known = [word for word in words if word in self.words]
        if self._bm25 is None or not known:
            return np.zeros(self._count, dtype=np.float32)
        scores: Floats = self._bm25.get_scores(known)
        return scores
