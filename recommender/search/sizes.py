"""Sizes that words ask for: "size 42", "XL", "UK 9", "32 waist", "34B", "100 ml".

A catalog says of an item in which sizes it comes, in one column: "S, M, L", "UK7, UK8", "M/40".
A number without a system ("size 42") is of any.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from recommender.index.embeddings import Mask
from recommender.schema import Column, is_size
from recommender.search.filters import FilterTable
from recommender.search.said import Statement
from recommender.search.tokens import Token

LACKING = "in which sizes it comes"

_PARTED = re.compile(r"[,;|/]")
_SIGN = re.compile(r"[^\w.-]|_")
_OF_SYSTEM = re.compile(r"(uk|us|eur?|euro|w)(\d+(?:\.\d+)?)")
_SYSTEMS = {"uk": "UK", "us": "US", "eu": "EU", "eur": "EU", "euro": "EU", "w": "W"}
_LETTERS = {"small": "S", "medium": "M", "large": "L", "extrasmall": "XS", "extralarge": "XL"}
_ONE = ("onesize", "freesize", "freesizes", "onesizefitsall")
_LETTER = re.compile(r"(?:\d?x{0,3}|x{4})[sl]|m")
_SIZED = ("size", "sized", "waist")
_OR = (["or"], ["and"], ["to"])
_UNITS = ("ml", "gm", "g", "inch")
_NAME = re.compile(r"\d+(?:\.\d+)?(?:[a-d]{1,2}|e|z|ml|l|g|y)")
"""Sizes that are understood without "size" before or after them: of cups, contents, ages."""
_ASKING = ("show", "give", "get", "find", "send", "tell", "let")
"""Before "us", which is then no system."""


class Sizes:
    """The sizes of a catalog, and words for them.

    Attributes:
        column: the one that says them; None where none does.
    """

    def __init__(self, columns: Iterable[Column], values: Mapping[str, Sequence[Any]]) -> None:
        """Args:
        columns: of the catalog.
        values: column -> its values in order, as `FilterTable` has them.
        """
        of_sizes = (column.name for column in columns if is_size(column.name))
        self.column = next((name for name in of_sizes if values[name]), None)
        self._held: dict[str, list[int]] = {}
        for code, value in enumerate(values[self.column] if self.column else ()):
            text = f"{value:g}" if isinstance(value, float) else str(value)
            for key in {_key_of(part) for part in _PARTED.split(text)}:
                self._held.setdefault(key, []).append(code)
        self._held.pop("", None)

    def having(self, sizes: Iterable[str], table: FilterTable) -> Mask:
        """Which items come in one of some sizes: bool of shape (n,).

        Args:
            sizes: as `at` states them.
            table: the catalog's values.
        """
        if self.column is None:
            raise ValueError("no column says sizes")
        passes = np.zeros(len(table.values[self.column]) + 1, dtype=bool)
        for size in sizes:
            for key in self._keys(size):
                passes[self._held.get(key, [])] = True
        found: Mask = passes[table.codes(self.column)]
        return found

    def knows(self, token: Token) -> bool:
        """Whether a word is of sizes."""
        word = token.word
        known = word in (*_SIZED, *_UNITS, *_SYSTEMS)
        return known or _is_letters(word) or self._is_name(word)

    def at(self, tokens: Sequence[Token], at: int) -> tuple[int, Statement] | None:
        """How many words are of sizes from a place on, and which; None where none are."""
        words = [token.word for token in tokens]
        named, end, found = words[at] in _SIZED, at, list[str]()
        while (start := end + (named if not found else words[end : end + 1] in _OR)) < len(words):
            taken, size = self._one(tokens, words, start, named)
            if not taken:
                break
            end = start + taken
            end += words[end : end + 1] in ([word] for word in _SIZED)
            found.append(size)
        if not found:
            return None
        if "waist" in words[at:end]:
            found = [f"W{size}" if size.isdigit() else size for size in found]
        return end - at, Statement(column=self.column or "", values=tuple(dict.fromkeys(found)))

    def _one(
        self, tokens: Sequence[Token], words: Sequence[str], at: int, named: bool
    ) -> tuple[int, str]:
        """How many words are one size, and it; 0 where none are.

        Args:
            tokens: of a text.
            words: the same, as they are compared.
            at: where.
            named: whether it is said that it is one.
        """
        word, rest = words[at], words[at + 1 :]
        after = rest[0] if rest else ""
        named |= after in _SIZED or rest[:2] == ["inch", "waist"]
        taken, system, number = 2, word, after
        if joined := _OF_SYSTEM.fullmatch(word):
            taken, system, number = 1, joined[1], joined[2]
        if system in _SYSTEMS and _is_number(number):
            size = f"{_SYSTEMS[system]} {number}"
            is_money = _SYSTEMS[system] == "EU" and _key_of(size) not in self._held
            is_asking = words[max(at - 1, 0)] in _ASKING
            if named or not (is_money or is_asking or word == "w"):
                return taken, size
        if named and _is_number(word):
            return 1 + (after == "inch"), word
        if _LETTER.fullmatch(word) and (named or len(word) > 1 or _stands_out(tokens, at)):
            return 1, word.upper()
        for length in (2, 1):
            phrase = "".join(words[at : at + length])
            if phrase in _LETTERS and (named or phrase != word):
                return length, _LETTERS[phrase]
            if self._is_name(phrase) and (length == 1 or after in (*_UNITS, *_SIZED)):
                return min(length, 1 + len(rest)), _shown(phrase)
        return 0, ""

    def _is_name(self, word: str) -> bool:
        """Whether a word is a size of the catalog, and nothing else: as "30 m" may be depth."""
        key = _key_of(word)
        return key in self._held and (key == _ONE[0] or bool(_NAME.fullmatch(key)))

    def _keys(self, size: str) -> list[str]:
        """Keys of a size as it is asked for."""
        key = _key_of(size)
        if _is_number(size):
            return [key, *(f"{system}{key}" for system in ("uk", "us", "eu")), f"{key}y"]
        found = _OF_SYSTEM.fullmatch(key)
        if found and (found[1] == "w" or key not in self._held):
            return [key, found[2]]  # jeans of 32 are of waist 32, and not all shops say a system
        return [key]


def _stands_out(tokens: Sequence[Token], at: int) -> bool:
    """Whether a single letter is a size, "in M", or the last word; no part of a name: "M & S"."""
    before = tokens[at - 1].word if at else ""
    last = at == len(tokens) - 1 and len(before) > 1 and before != "and"
    return tokens[at].written.isupper() and (before == "in" or last)


def _shown(size: str) -> str:
    """How a size of the catalog is said."""
    return "one size" if size in _ONE else size.upper()


def _is_letters(word: str) -> bool:
    return len(word) > 1 and bool(_LETTER.fullmatch(word))


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\d{1,3}(?:\.5)?", text))


def _key_of(size: str) -> str:
    """What equal sizes have in common.

    >>> _key_of("EURO40"), _key_of("UK 8.5"), _key_of("XXL"), _key_of("2XL"), _key_of("4.2 gm")
    ('eu40', 'uk8.5', '2xl', '2xl', '4.2g')
    """
    key = _SIGN.sub("", size.casefold())
    if key in _ONE:
        return _ONE[0]
    key = key[:-1] if key.endswith("gm") else _LETTERS.get(key, key).casefold()
    if found := _OF_SYSTEM.fullmatch(key):
        return f"{_SYSTEMS[found[1]].casefold()}{found[2]}"
    if len(key) > 2 and key.isalpha() and _LETTER.fullmatch(key):
        return f"{len(key) - 1}{key[-2:]}"
    return key
