"""A text's words as they are meant: misspelt ones mended, "collarless" as without a collar."""

from collections.abc import Callable, Mapping, Sequence

from recommender.search.negation import NOT
from recommender.search.phrases import Phrases
from recommender.search.spelling import Spelling
from recommender.search.synonyms import SILENT
from recommender.search.tokens import Token, compared, key_of

_MISSPELT = 8
"""So many words of a text are mended, and no more."""


class Mending:
    """What a catalog's people may have meant."""

    def __init__(
        self,
        spelling: Spelling,
        phrases: Phrases,
        words: Mapping[str, str],
        knows: Callable[[Token], bool],
    ) -> None:
        """Args:
        spelling: the nearest words and phrases to others.
        phrases: of the catalog.
        words: of the items' own texts, as they are compared -> as they are written.
        knows: whether a word is known, and not misspelt.
        """
        self._spelling, self._phrases, self._words = spelling, phrases, words
        self._knows = knows

    def mend(self, tokens: Sequence[Token]) -> tuple[list[Token], list[tuple[str, str]], list[str]]:
        """Tokens with misspelt words as they are meant; which were, and which are unknown."""
        read: list[Token] = []
        mended: list[tuple[str, str]] = []
        unknown: list[str] = []
        at = 0
        while at < len(tokens):
            taken, token = 1, tokens[at]
            if stem := self._lacked_by(token):
                read.append(NOT)
                token = Token(token.written, stem)
            elif meant := self._meant_at(tokens, at, len(mended) + len(unknown) < _MISSPELT):
                taken, word = meant
                written = " ".join(token.written for token in tokens[at : at + taken])
                if key_of(written) != word:  # else it is only parted otherwise
                    mended.append((written, self._written(word)))
                token = Token(written, word)
            elif not self._knows(token) and token.word not in self._words:
                unknown.append(token.written)
            read.append(token)
            at += taken
        return read, mended, unknown

    def _lacked_by(self, token: Token) -> str:
        """What a word says that something is without: a collar, where it is collarless."""
        stem = compared(token.word.removesuffix("less"))
        known = stem in self._phrases.heads or stem in self._phrases
        return stem if known and stem != token.word and not self._knows(token) else ""

    def _meant_at(self, tokens: Sequence[Token], at: int, able: bool) -> tuple[int, str] | None:
        """How many words are misspelt here, together, and as what they are meant, if they are."""
        if not able:
            return None
        for length in (3, 2):
            part = tokens[at : at + length]
            strange = len(part) == length and not all(map(self._knows, part))
            if strange and not any(token.negates or token.number is not None for token in part):
                phrase = self._spelling.phrase("".join(token.word for token in part))
                if phrase is not None:
                    return length, phrase
        if (word := tokens[at].word) in SILENT:
            return None
        known = self._knows(tokens[at])
        meant = self._spelling.slip(word) if known else self._spelling.word(word)
        return None if meant is None else (1, meant)

    def _written(self, word: str) -> str:
        return self._phrases.written(word) or self._words.get(word, word)
