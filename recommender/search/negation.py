"""Words that rule out what follows them: "no stripes", "not black", "without a collar", "-red".

What only looks so rules out nothing: the number of a name ("No. 5"), a word that such a one begins
("notebook"), and what is joined to it by a hyphen and is no value of a column ("no-show").
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from recommender.search.said import Statement
from recommender.search.tokens import WORD, Token, compared, key_of

_NEGATORS = frozenset(("no", "not", "non", "without", "except", "excluding", "neither", "nor"))
_NEGATORS |= {"never", "dont", "doesnt", "isnt", "arent"}
_BETWEEN = frozenset(("a", "an", "any", "the", "in", "of", "with", "want", "it", "is", "for", "on"))
_BETWEEN |= {"too", "very", "so", "really"}
_BETWEEN |= {"from", "by"}
"""What may stand between such a word and what it rules out."""
_MINUS = ("-", "−")
NOT = Token("not", "not", True)


def tokens_with_negations(text: str) -> list[Token]:
    """A text's words in their order, those marked that rule out what follows.

    >>> [token.written for token in tokens_with_negations("shirt -red, No. 5") if token.negates]
    ['not']
    """
    text = text if text.isascii() else unicodedata.normalize("NFKC", text)
    found = list(WORD.finditer(text))
    tokens: list[Token] = []
    for at, match in enumerate(found):
        written, start = match[0], match.start()
        minus = text[start - 1 : start] in _MINUS and (start < 2 or text[start - 2] in " \t\n,;(")
        if minus and written[0].isalpha():
            tokens.append(NOT)
        token = Token(written, compared(written))
        if token.word in _NEGATORS and not (token.word == "no" and _numbers(text, found[at:])):
            token = token._replace(negates=True)
        tokens.append(token)
    return tokens


def _numbers(text: str, rest: Sequence[re.Match[str]]) -> bool:
    """Whether a "no" is short for number: a point follows, or what it counts."""
    end = rest[0].end()
    return text[end : end + 1] == "." or any(word[0][0].isdigit() for word in rest[1:2])


def ruled_out_from(tokens: Sequence[Token], at: int) -> tuple[int, bool]:
    """Where what a negation rules out begins, and whether two of them make it asked for.

    Args:
        tokens: of a text.
        at: of them, one that negates.
    """
    start, twice = at + 1, False
    while start < len(tokens) and (tokens[start].negates or tokens[start].word in _BETWEEN):
        twice |= tokens[start].word == "without"
        start += 1
    return start, twice and tokens[at].word != "without"


def goes_on(token: Token, same_column: bool) -> bool:
    """Whether what follows a word is ruled out as what stands before is: "no stripes or dots"."""
    return token.word == "or" or (token.word == "and" and same_column)


def turned(bounds: Mapping[str, float], word: str) -> dict[str, float] | None:
    """The bounds that are left when a bound is ruled out; None where there would be two.

    >>> turned({"min": 3000}, "more"), turned({"max": 2010}, "before")
    ({'max': 3000}, {'min': 2011})
    """
    if len(bounds) != 1:
        return None
    [(end, value)] = bounds.items()
    step = {"before": 1, "after": -1}.get(word, 0)  # which leave out the year itself
    return {"min" if end == "max" else "max": value + step}


def settle(
    statements: dict[tuple[str, bool], Statement],
    heads: Mapping[str, Mapping[str, Sequence[Any]]],
) -> tuple[list[int], list[Any]]:
    """Let what is ruled out have its way, and what is a kind of it: navy blue is a blue.

    Args:
        statements: by their column and whether they rule out; changed in place.
        heads: the last word of values -> column -> those values.

    Returns:
        Places of the words that asked for what is ruled out, and the values that are both.
    """
    gone: list[int] = []
    contradicted: list[Any] = []
    for column in [name for name, ruled_out in statements if ruled_out]:
        out, asked = statements[column, True], statements.get((column, False))
        wanted = asked.values if asked else ()
        of_kind = [heads.get(key_of(str(value)), {}) for value in out.values]
        kinds = [kind for head in of_kind for kind in head.get(column, ()) if kind not in wanted]
        both = [value for value in wanted if value in out.values]
        contradicted += both
        if asked is not None and both:
            left = tuple(value for value in wanted if value not in both)
            statements[column, False] = replace(
                asked, values=left, either=asked.either and len(left) > 1
            )
            if not left and not asked.bounds:
                del statements[column, False]
                gone += asked.places
                words, places = (*asked.words, *out.words), (*asked.places, *out.places)
                out = replace(out, words=words, places=places)
        values = tuple(dict.fromkeys((*out.values, *kinds)))
        statements[column, True] = replace(out, values=values, either=False)
    return gone, contradicted
