"""The words of the products' names, as a cloud."""

import math
import re
import sys
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import chain

import pandas as pd

from recommender.charts.chart import Chart, Drawing, chart_of, escaped
from recommender.charts.palette import ACCENT, COOL, PALE

# A word with a hyphen is one: a T-shirt is no shirt.
_WORD = re.compile(r"[^\W\d_]+(?:['’‐‑-][^\W\d_]+)+|[^\W\d_]{2,}")
_STOP = frozenset(["and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"])
_MOST_WORDS = 60
_MOST_ROWS = 1000
_WIDTH_PX, _HEIGHT_PX = 330, 350  # fits a phone
_LARGEST_PX, _SMALLEST_PX = 44, 11

Box = tuple[float, float, float, float]


def name_words(frame: pd.DataFrame) -> Chart:
    """The words that most names hold, larger the more items have them.

    A word counts once an item. Words of one letter, numbers and words such as "and" are left out;
    letters are of any script, and case is ignored.

    Args:
        frame: a catalog's columns, one row an item.
    """
    column = "productDisplayName"
    names = frame[column].dropna().tolist()
    as_written = Counter(chain.from_iterable(map(_words_of, names)))
    counts: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for word, count in as_written.most_common():  # the most frequent spelling comes first
        counts[word.casefold()] += count
        spelled.setdefault(word.casefold(), word)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_ROWS]
    table = pd.DataFrame(
        {
            "word": pd.Series([spelled[word] for word, _ in ranked], dtype=object),
            "items": pd.Series([count for _, count in ranked], dtype="int64"),
            "share": [count / len(names) for _, count in ranked],
        }
    )

    def draw() -> Drawing:
        top = table.head(_MOST_WORDS)
        placed = _place(list(zip(top["word"], top["items"], strict=True)))
        counted = dict(zip(top["word"], top["items"].tolist(), strict=True))
        words = [word for word, *_ in placed]
        fills = [(ACCENT, COOL, PALE)[i % 3] for i in range(len(placed))]
        cloud = {
            "type": "scatter",
            "x": [x for _, x, _, _ in placed],
            "y": [y for _, _, y, _ in placed],
            "text": escaped(words),
            "mode": "text",
            "textfont": {"size": [size for *_, size in placed], "color": fills},
            "customdata": [counted[word] for word in words],
            "hovertemplate": "%{text}: in the name of %{customdata:,} items<extra></extra>",
            "cliponaxis": False,
        }
        across = {"visible": False, "range": [-_WIDTH_PX / 2, _WIDTH_PX / 2]}
        up = {"visible": False, "range": [-_HEIGHT_PX / 2, _HEIGHT_PX / 2], "scaleanchor": "x"}
        margin = {"l": 4, "r": 4, "t": 64, "b": 4}
        return [cloud], {"xaxis": across, "yaxis": up, "margin": margin}

    title, note = "Words in the names", "The area of a word grows with its items."
    return chart_of(frame, [column], title, table, draw, note=note)


@lru_cache(maxsize=2**17)
def _words_of(name: str) -> tuple[str, ...]:
    """A name's words, each once whatever its case; remembered, since each filter asks again."""
    words = {word.casefold(): sys.intern(word) for word in _WORD.findall(name)}
    return tuple(as_written for word, as_written in words.items() if word not in _STOP)


def _place(words: list[tuple[str, int]]) -> list[tuple[str, float, float, int]]:
    """Place words outwards along a spiral, most frequent first, none on another.

    Args:
        words: each with its count, falling.

    Returns:
        Word, x and y of its middle in pixels from the middle of the cloud, and its size in pixels.
        Words that find no room are left out.
    """
    placed: list[tuple[str, float, float, int]] = []
    taken: list[Box] = []
    for word, count in words:
        size = _LARGEST_PX * math.sqrt(count / words[0][1])
        size = round(max(_SMALLEST_PX, min(size, 0.9 * _WIDTH_PX / _ems(word))))
        half_width, half_height = _ems(word) * size / 2 + 3, size * 0.62
        for step in range(1200):
            angle, radius = step * 0.35, step * 0.14
            x, y = radius * math.cos(angle), radius * math.sin(angle) * _HEIGHT_PX / _WIDTH_PX
            box = (x - half_width, x + half_width, y - half_height, y + half_height)
            wide, high = abs(x) + half_width, abs(y) + half_height
            inside = wide <= _WIDTH_PX / 2 and high <= _HEIGHT_PX / 2
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                placed.append((word, round(x, 1), round(y, 1), size))
                break
    return placed


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def _ems(word: str) -> float:
    """How wide a word is drawn, about, in units of its size."""
    return sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.62 for c in word)
