"""What a misspelt word was meant to be, among those that a catalog and people say."""

from collections.abc import Iterator, Mapping, Set

from rapidfuzz import process
from rapidfuzz.distance import OSA

_LEAST, _LONG, _JOINED = 4, 8, 7
"""Letters of a word that is mended, of one that may have two slips, and of a phrase."""
_FIRM = 6
"""Letters from which on a word with another consonant is rather misspelt than another word."""
_VOWELS = frozenset("aeiouy")
_PLACES = {
    letter: (y, x + y / 2)
    for y, row in enumerate(("qwertyuiop", "asdfghjkl", "zxcvbnm"))
    for x, letter in enumerate(row)
}
"""Where letters are on a keyboard: row, and keys from the left."""
_RARE = 2_000
"""A word that fewer than one in so many items hold may be misspelt there too."""
_OFTENER = 10
"""So many times as often what was meant is there, beside such a slip."""


class Spelling:
    """Words and phrases, as they are compared, and the nearest to others."""

    def __init__(
        self, said: Set[str], usual: Set[str], held: Mapping[str, int], count: int
    ) -> None:
        """Args:
        said: names of values, and what people say for them.
        usual: words of items' texts that are not misspelt.
        held: words of items' texts -> how many items hold them, as far as that is known.
        count: of items.
        """
        self._said, self._held, self._count = said, held, count
        often = {word for word in usual if len(word) > _LEAST and not self._is_rare(word)}
        known = sorted(word for word in said | often if word.isalpha())
        self._words = [word for word in known if len(word) >= _LEAST]
        self._phrases = [phrase for phrase in sorted(said) if len(phrase) >= _JOINED]

    def word(self, word: str) -> str | None:
        """The word that was meant, if one is near: one slip, two in a long word."""
        if not word.isalpha():
            return None
        # Of equally near ones a value of a column is likelier meant than a word of some name, and
        # what many items' texts hold than what few do.
        near = [
            (slips, other not in self._said, form != word, -self._held.get(other, 0), other)
            for form in _forms(word)
            for other, slips in self._near(form, self._words, 1 if len(form) < _LONG else 2)
            if len(word) >= _FIRM or not _is_other(form, other)
        ]
        return min(near)[-1] if near else None

    def slip(self, word: str) -> str | None:
        """The value that a word of few items' texts is a slip of: that is there far more often."""
        if len(word) <= _LEAST or word in self._said or not self._is_rare(word):
            return None
        least = _OFTENER * max(self._held.get(word, 0), 1)
        often = (
            other
            for form in _forms(word)
            for other, _ in self._near(form, self._words, 1)
            if other in self._said and self._held.get(other, 0) >= least
            if len(word) >= _FIRM or not _is_other(form, other)
        )
        return next(often, None)

    def phrase(self, joined: str) -> str | None:
        """The phrase that several words were meant to be, together."""
        if len(joined) < _JOINED:
            return None
        near = self._near(joined, self._phrases, 1 if len(joined) <= _LONG else 2)
        # Whose length is another by two letters lacks a word, rather than that it has two slips.
        near = [found for found in near if abs(len(found[0]) - len(joined)) < 2]
        return min(near, key=lambda found: found[::-1])[0] if near else None

    def _is_rare(self, word: str) -> bool:
        return self._held.get(word, 0) * _RARE < self._count

    def _near(self, word: str, known: list[str], slips: int) -> list[tuple[str, int]]:
        """Those within so many slips that begin alike, with how many slips each is away."""
        found = process.extract(word, known, scorer=OSA.distance, score_cutoff=slips, limit=8)
        return [
            (other, int(distance))
            for other, distance, _ in found
            if other[0] == word[0] or other[:2] == word[1::-1]
        ]


def _is_other(word: str, other: str) -> bool:
    """Whether one word is another, not misspelt: with a consonant in place of one that is far off.

    >>> _is_other("swim", "slim"), _is_other("jans", "jens"), _is_other("shorr", "short")
    (True, False, False)
    """
    if len(word) != len(other):
        return False
    pairs = [(a, b) for a, b in zip(word, other, strict=True) if a != b]
    return len(pairs) == 1 and not _are_near(*pairs[0])


def _are_near(one: str, other: str) -> bool:
    """Whether two letters are both vowels, or beside each other on a keyboard."""
    places = [_PLACES.get(letter) for letter in (one, other)]
    if {one, other} <= _VOWELS or None in places:
        return True  # or are on no such keyboard
    (y, x), (v, u) = places  # type: ignore[misc]
    return bool(abs(y - v) <= 1 and abs(x - u) <= 1)


def _forms(word: str) -> Iterator[str]:
    """A word, and what it may be one or several of: "wathces" -> wathce, wathc, wathces."""
    yield word
    if word.endswith(("s", "e")):
        yield word[:-1]
    yield f"{word}s"
