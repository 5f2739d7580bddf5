"""A shop's HTML, by many hands -> one line of plain text.

Tags are told by a pattern that takes time in proportion to the text, whatever it holds. The
standard library's parser takes ten times as long for what shops write, and minutes for a few
thousand tags that never close.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from html import unescape

from recommender.catalog.values import is_missing

_TAG = re.compile(
    r"<(/?)(?:([a-zA-Z][a-zA-Z0-9]*)[^<>]*(?:>|$)|(br)\b/?)"  # a break may never close
    r"|<![^<>]*(?:>|$)|<\s*/?\s*(?:>|$|(?=<))"  # comments, and what is left of a tag
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_PARTS = ("p", "br", "li", "ul", "ol", "div", "tr", "td", "th", "table", "blockquote", "hr")
_LINES = frozenset((*_PARTS, *_HEADINGS))
_BOLD = frozenset(("strong", "b"))
_UNSEEN = frozenset(("script", "style", "title"))
_LONGEST_HEADING = 40
_ENDS = ".!?:;,…"
# What was escaped twice, and then lost its semicolon: "5'8&amp; rdquo " is 5'8”.
_HALF_ENTITY = re.compile(
    r"&\s*(?:amp\b;?\s*)*(rdquo|ldquo|rsquo|lsquo|ndash|mdash|nbsp|quot|trade|deg|amp)\b\s*;?"
)
# What became of a character that was encoded wrongly again and again: which one is not to be told.
_GARBLED = re.compile(r"(?:[ÃÂ][\s?\x80-\xbf\ufffd]*){3,}")


@lru_cache(maxsize=4096)
def plain_text(markup: str) -> str | None:
    """What a browser would show of a piece of HTML, None where that says nothing.

    Lines become sentences, a bold line becomes the heading of what follows it, and a heading that
    nothing follows is left out.

    >>> plain_text("<p><b>Fit</b><br />Regular<br/>Long &amp; loose</p><p><b>Care</b></p>")
    'Fit: Regular. Long & loose'
    >>> plain_text("<p>NA</p>") is None
    True
    """
    text = heading = ""
    for line, bold in _lines(markup):
        if bold and len(line) <= _LONGEST_HEADING and line[-1] not in ".!?":
            heading = line.rstrip(" :")
            continue
        between = "" if not text else " " if text[-1] in _ENDS else ". "
        text += between + (f"{heading}: " if heading else "") + line
        heading = ""
    text = text or heading  # all of it is bold
    return None if is_missing(text) else text


def _lines(markup: str) -> Iterator[tuple[str, bool]]:
    """Each line that says something, and whether all of it is bold."""
    unescaped = unescape(unescape(markup)).replace("ï»¿", "")  # a UTF-8 mark, read as cp1252
    text = _HALF_ENTITY.sub(lambda found: unescape(f"&{found[1]};"), _GARBLED.sub(" ", unescaped))
    words: list[str] = []
    bold, bolds, unseen = True, 0, ""
    # Text, then slash and name of a tag, then text again …; the end is the end of a line.
    pieces = iter([*_TAG.split(text), "/", "p", ""])
    for said, slash, name, unclosed in zip(pieces, pieces, pieces, pieces, strict=True):
        if said and not unseen:
            words.append(said)
            bold = bold and (bolds > 0 or said.isspace())
        tag = (name or unclosed or "").lower()
        if tag in _LINES:
            line = " ".join("".join(words).split())
            if line.strip(" -:"):
                yield line, bold
            words, bold = [], True
        elif tag in _BOLD:
            bolds = max(0, bolds + (-1 if slash else 1))
        elif tag in _UNSEEN:
            unseen = "" if slash else tag
