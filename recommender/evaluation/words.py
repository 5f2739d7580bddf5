"""How well words find pictures, asked through `search` as visitors' words are.

Where it is by image alone, the gallery's items have no text and no label at all: what is found is
found by what pictures show. Nothing that was trained has seen the name groups of a split.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from recommender.catalog.splits import name_groups, split_names
from recommender.encoding.protocol import TextTower
from recommender.errors import QueryError
from recommender.evaluation.metrics import Ints, bootstrap_interval
from recommender.index.embeddings import Embeddings
from recommender.index.faiss import IndexConfig, build_index
from recommender.search.options import Options
from recommender.search.recommender import Recommender

PUBLISHED = {"FashionCLIP 2.0": 0.404, "Marqo-FashionSigLIP": 0.489}
"""Text to image recall@10 on this catalog, zero-shot, on larger pictures than ours.

Source: the benchmark of huggingface.co/Marqo/marqo-fashionSigLIP.
"""
ASKED = ("baseColour", "pattern", "sleeveLength", "articleType", "gender")
"""Columns whose values are asked for by image alone, in the order in which people say them."""
_K, _FEW = 10, 20


def by_image_alone(
    recommender: Recommender, texts: TextTower | None, rows: Ints | None = None
) -> Recommender:
    """A gallery of pictures of which nothing else is known.

    Args:
        recommender: whose gallery it is.
        texts: the encoder's text tower.
        rows: those of its items that are kept; all where None.
    """
    gallery, index = recommender.gallery, recommender.index
    if rows is not None:
        embeddings = Embeddings(index.ids[rows], index.vectors[rows])
        index = build_index(embeddings, IndexConfig(metric=index.metric))[0]
    frame = gallery.frame.copy()
    for name in set(frame.columns) - {"id", "image_hash"}:
        frame[name] = pd.Series([None] * len(frame), frame.index, frame[name].dtype)
    gallery = replace(gallery, index=index, frame=frame, places=None)
    return Recommender(gallery, recommender.encoder, texts=texts)


def recall_of_names(
    recommender: Recommender,
    texts: TextTower | None,
    split: str,
    sample: int | None = None,
    options: Options | None = None,
) -> dict[str, Any]:
    """How many of a name's items are among the ten that its words find of the whole gallery.

    Args:
        recommender: whose items' names ask.
        texts: as of `by_image_alone`.
        split: whose names.
        sample: at most so many names, the same ones each time.
        options: how to search; by image alone where None.
    """
    engine = recommender if options else by_image_alone(recommender, texts)
    options = replace(options or Options(ranking="image"), k=_K, repeats=True)
    groups = name_groups(recommender.frame)
    named = (split_names(recommender.frame) == split) & recommender.frame[_NAME].notna().to_numpy()
    firsts = np.unique(groups[named])
    if sample is not None and sample < len(firsts):
        firsts = np.sort(np.random.default_rng(0).permutation(firsts)[:sample])
    sizes = np.bincount(groups, minlength=len(groups))
    recalls, hits = [], []
    for first in firsts:
        rows = _found(engine, recommender.frame[_NAME].iloc[first], options)
        found = int((groups[rows] == first).sum())
        recalls.append(found / sizes[first])
        hits.append(float(found > 0))
    return {
        "names": len(firsts),
        "gallery": len(recommender),
        "recall@10": _told(recalls),
        "any@10": _told(hits),
    }


def attribute_queries(frame: pd.DataFrame, rows: Ints, count: int) -> list[dict[str, str]]:
    """Values, and pairs of values of two columns, that enough items of a gallery have.

    Args:
        frame: a catalog's columns.
        rows: of its items, the gallery's.
        count: how many at most, half of them pairs, drawn evenly over columns and pairs of columns.
    """
    random = np.random.default_rng(0)
    there = [name for name in ASKED if name in frame]
    singles: list[list[dict[str, str]]] = []
    pairs: list[list[dict[str, str]]] = []
    for at, name in enumerate(there):
        singles.append([{name: v} for v in _frequent(frame.iloc[rows], [name])])
        for other in there[at + 1 :]:
            found = _frequent(frame.iloc[rows], [name, other])
            pairs.append([dict(zip((name, other), values, strict=True)) for values in found])
    one = _evenly(singles, count // 2, random)
    return [*one, *_evenly(pairs, count - len(one), random)]


def precision_of_attributes(
    recommender: Recommender, texts: TextTower | None, split: str, count: int
) -> dict[str, Any]:
    """How many of the first ten are what attribute words ask for, by image alone.

    The gallery is the items of a split. Items of which nobody says whether they are, as the
    catalog has no value for them, are passed over.
    """
    rows = np.flatnonzero(split_names(recommender.frame) == split)
    frame = recommender.frame.iloc[rows].reset_index(drop=True)
    engine = by_image_alone(recommender, texts, rows)
    options = Options(k=100, ranking="image", repeats=True)
    scores: dict[int, list[float]] = {1: [], 2: []}
    columns: dict[str, list[float]] = {}
    for query in attribute_queries(recommender.frame, rows, count):
        found = _found(engine, " ".join(query.values()), options)
        known = frame.iloc[found][list(query)].dropna().head(_K)
        right = np.logical_and.reduce([known[name] == value for name, value in query.items()])
        score = float(right.sum()) / _K
        scores[len(query)].append(score)
        columns.setdefault(" + ".join(query), []).append(score)
    return {
        "queries": {"one": len(scores[1]), "two": len(scores[2])},
        "gallery": len(rows),
        "P@10 of one": _told(scores[1]),
        "P@10 of two": _told(scores[2]),
        "P@10 by columns": {name: round(float(np.mean(s)), 3) for name, s in columns.items()},
    }


def asked_in_colour(recommender: Recommender, split: str, count: int) -> dict[str, Any]:
    """Items that ask with another colour that their type has: is what is found of both?

    Returns:
        P@5 of type and asked colour, and how near the looks are: cosines with the query's, of what
        is found and of as many other items of that type and colour.
    """
    frame, random = recommender.frame, np.random.default_rng(0)
    counts = frame.groupby(["articleType", "baseColour"]).size()
    counts = counts[counts >= _FEW]
    dev = random.permutation(np.flatnonzero(split_names(frame) == split))
    looks = recommender.encoder.agreement.looks(recommender.index.vectors[:])
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    right: list[float] = []
    near: list[float] = []
    others: list[float] = []
    for row in dev:
        kind, own = frame["articleType"].iloc[row], frame["baseColour"].iloc[row]
        if len(right) == count or kind not in counts.index:
            continue
        colours = [colour for colour in counts[kind].index if colour != own]
        if not colours:
            continue
        colour = colours[int(random.integers(len(colours)))]
        hits = recommender.by_id(frame["id"].iloc[row], Options(k=5), text=f"but in {colour}")
        found = frame.iloc[hits.rows]
        right.append(((found["articleType"] == kind) & (found["baseColour"] == colour)).sum() / 5)
        near.append(float((looks[hits.rows] @ looks[row]).mean()))
        same = (frame["articleType"] == kind) & (frame["baseColour"] == colour)
        drawn = random.choice(np.flatnonzero(same), 5)
        others.append(float((looks[drawn] @ looks[row]).mean()))
    return {
        "items": len(right),
        "P@5 of type and colour": _told(right),
        "cosine of looks": {"found": _told(near), "others of both": _told(others)},
    }


_NAME = "productDisplayName"


def _found(recommender: Recommender, text: str, options: Options) -> Ints:
    """Rows; words that say nothing find none."""
    try:
        return recommender.by_text(text, options).rows
    except QueryError:
        return np.empty(0, np.int64)


def _frequent(frame: pd.DataFrame, names: Sequence[str]) -> list[Any]:
    counts = frame.groupby(list(names) if len(names) > 1 else names[0]).size()
    return sorted(counts[counts >= _FEW].index.tolist())


def _evenly(
    groups: Sequence[list[dict[str, str]]], count: int, random: np.random.Generator
) -> list[dict[str, str]]:
    """So many of several lists, one of each in turn."""
    drawn = [[group[i] for i in random.permutation(len(group))] for group in groups]
    turns = [
        q
        for turn in range(max(map(len, drawn), default=0))
        for g in drawn
        for q in g[turn : turn + 1]
    ]
    return turns[:count]


def _told(values: Sequence[float]) -> dict[str, Any]:
    array = np.array(values, dtype=np.float64)
    if not len(array):
        return {"mean": None}
    low, high = bootstrap_interval(array)
    return {"mean": round(float(array.mean()), 4), "interval": [round(low, 4), round(high, 4)]}
