"""Sentences of what became of the words that asked."""

from recommender.charts.chart import several
from recommender.schema import noun_of
from recommender.search.bounds import CURRENCIES
from recommender.search.hits import Hits
from recommender.search.relative import not_said
from recommender.search.stated import MAX_WORDS
from recommender.search.tokens import compared

_LONGEST_WORD = 40
"""Characters of a visitor's word that are repeated."""


def heard(hits: Hits, currency: str = "") -> str:
    """What became of the words that asked, or empty where none did or all went as expected.

    Args:
        hits: what was found.
        currency: of the catalog's prices, if they are all of one that is known.
    """
    if (said := hits.said) is None:
        return ""
    sentences = [f"Only the first {MAX_WORDS} words were read."] if said.cut else []
    sentences += [f"“{_cut(typed)}” was read as “{read}”." for typed, read in said.mended]
    compares = [" ".join(said.words[at] for at in one.places) for one in said.unrelated]
    if unknown := [*said.unknown, *compares]:
        sentences.append(f"Not understood: {', '.join(map(_cut, unknown))}.")
    sentences += not_said(said)
    if not (said or unknown or said.lacking or said.extremes):
        sentences.append("Nothing of these words is understood here.")
    elif said.beside and said.looks and not said.statements:
        words = _cut(said.looks)
        sentences.append(f"“{words}” is no value of a column here: not all that follows is so.")
    elif said.scattered:
        sentences.append("Nothing here is described by all of these words.")
    spoken = {CURRENCIES.get(compared(w), "") for s in said.statements if s.bounds for w in s.words}
    if currency and spoken - {"", currency}:
        sentences.append(f"Prices here are in {currency}.")
    sentences += [
        f"{both} is asked for and ruled out: it is left out." for both in said.contradicted
    ]
    for statement in said.statements:
        if statement.either and statement.bounds:
            low, high = (f"{statement.bounds[end]:.15g}" for end in ("min", "max"))
            noun = noun_of(statement.column)
            sentences.append(
                f"No {noun} is up to {low} and from {high}: it was read as {low} to {high}."
            )
        elif statement.either:
            values = [str(value) for value in statement.values]
            do = "either will do" if len(values) == 2 else "any of them will do"
            sentences.append(f"{', '.join(values[:-1])} or {values[-1]}: {do}.")
    if said.statements and len(hits) and hits.all_of < len(hits):
        met = f"Only {hits.all_of} {'is' if hits.all_of == 1 else 'are'}"
        met = met if hits.all_of else "Nothing here is"
        sentences.append(f"{met} all of that; what follows comes nearest.")
    return " ".join(sentences)


def only_these_are(found: int) -> str:
    """How many items are all that was said, where none but such can be found.

    >>> only_these_are(4)
    'Only 4 items here are all of that.'
    """
    return f"Only {several(found)} here {'is' if found == 1 else 'are'} all of that."


def only_these_hold(found: int) -> str:
    """How many items have words in their own texts that say nothing else.

    >>> only_these_hold(1)
    'Only 1 item here is described by these words.'
    """
    if not found:
        return "No item that passes these filters is described by these words."
    return f"Only {several(found)} here {'is' if found == 1 else 'are'} described by these words."


def none_of_kind(kind: str) -> str:
    """That nothing of the kind that a picture shows is as the words beside it say.

    >>> none_of_kind("Jeans")
    'No jeans here are so: what follows is of other kinds.'
    """
    return f"No {kind.lower()} here are so: what follows is of other kinds."


def _cut(word: str) -> str:
    """A visitor's word, as far as it is worth repeating.

    >>> _cut("shirtt"), len(_cut("a" * 2000))
    ('shirtt', 40)
    """
    return word if len(word) <= _LONGEST_WORD else f"{word[: _LONGEST_WORD - 1]}…"
