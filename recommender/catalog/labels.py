"""Labels that are spelt in several ways, or in the owner's own words -> one spelling each."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from recommender.errors import CatalogError
from recommender.schema import LABELS

_SHOWN = 3

Vocabulary = Mapping[str, Mapping[str, str]]
"""A label -> the owner's word -> the word that the encoder knows."""


def with_one_spelling(
    values: "pd.Series[str]", fold: Callable[[str], str]
) -> tuple["pd.Series[str]", dict[str, str]]:
    """Values of one meaning as the most frequent of them is written, the first of equally many.

    Args:
        values: texts, None where missing.
        fold: gives the same for what means the same.

    Returns:
        The values, and each spelling that was changed -> what took its place.

    >>> values, changed = with_one_spelling(pd.Series(["Red", "red", "Red", None]), str.casefold)
    >>> values.tolist(), changed
    (['Red', 'Red', 'Red', None], {'red': 'Red'})
    """
    usual: dict[str, str] = {}
    for text in values.value_counts(sort=True).index:
        usual.setdefault(fold(text), text)
    spellings = values.dropna().unique()
    changed = {text: first for text in spellings if (first := usual[fold(text)]) != text}
    return replaced(values, changed), changed


def replaced(values: "pd.Series[str]", words: Mapping[str, str]) -> "pd.Series[str]":
    """Values of which some words are others; None where missing."""
    if not words:
        return values
    texts = [words.get(text, text) for text in values]
    return pd.Series(texts, index=values.index, dtype=object)


def said_of(name: str, changed: Mapping[str, str]) -> str:
    """What was changed, in a line.

    >>> said_of("baseColour", {"black": "Black"})
    "read 1 spelling of baseColour: 'black' as 'Black'"
    """
    shown = ", ".join(f"{old!r} as {new!r}" for old, new in list(changed.items())[:_SHOWN])
    more = ", …" if len(changed) > _SHOWN else ""
    plural = "spelling" if len(changed) == 1 else "spellings"
    return f"read {len(changed)} {plural} of {name}: {shown}{more}"


def read_vocabulary(path: Path) -> Vocabulary:
    """A file such as `{"articleType": {"Hemden": "Shirts"}, "baseColour": {"rot": "Red"}}`.

    Raises:
        CatalogError: it is not there, or of another form.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        words = [word for pairs in told.values() for pair in pairs.items() for word in pair]
        whole = set(told) <= set(LABELS) and all(isinstance(word, str) for word in words)
    except OSError as error:
        raise CatalogError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, AttributeError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise CatalogError(
            f'{path} is no vocabulary: one is {{"articleType": {{"Hemden": "Shirts"}}}}, with '
            f"labels of {', '.join(LABELS)}."
        )
    return told  # type: ignore[no-any-return]
