"""Measure how well words find pictures, and words beside a picture what they ask for.

python -m scripts.words --data data/kaggle --split test --json benchmarks/words.json
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recommender.catalog.splits import split_names
from recommender.encoding.text import load_text_encoder
from recommender.errors import QueryError
from recommender.evaluation.words import (
    ASKED,
    PUBLISHED,
    asked_in_colour,
    precision_of_attributes,
    recall_of_names,
)
from recommender.index.embeddings import Floats
from recommender.schema import Id
from recommender.search.nudges import CONTEXTS
from recommender.search.options import MAX_K, Options
from recommender.search.recommender import Recommender
from recommender.service.answers import Service
from recommender.service.open import load_recommender
from scripts.command import command_line, plain_errors, write_report

_QUESTIONS = (
    "navy checked shirt for men",
    "nike running shoes under 3000",
    "red ethnic kurta",
    "women's round neck tee, full sleeves",
    "addidas black shoos",
    "tee",
)
_ROUNDS = 200
_PICTURE_AND = "a picture, but in black"
_IN_DOMAIN = "in-domain: network and text tower learnt from other items of this catalog"
_ZERO_SHOT = "zero-shot: the encoder and its side for texts, as they came"


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--split", choices=["dev", "test"], default="dev", help="whose names ask")
    parser.add_argument("--sample", type=int, help="at most so many names, the same each time")
    parser.add_argument("--queries", type=int, default=200, help="of attributes")
    parser.add_argument("--items", type=int, default=500, help="that ask in another colour")
    parser.add_argument("--weights", type=Path, help="of another text tower than what is served")
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    options = parser.parse_args(argv)
    recommender = load_recommender(options.data)
    texts = recommender.texts
    if options.weights:
        texts = load_text_encoder(recommender.encoder.fingerprint, options.weights)
    asked = options.split, options.sample
    report = {
        "command": command_line("words", argv),
        "published": {"of": "recall@10, text to image, zero-shot, larger pictures", **PUBLISHED},
        "ours": _IN_DOMAIN if recommender.encoder.texts is None else _ZERO_SHOT,
        "split": options.split,
        "text tower": texts is not None,
        "text to image": recall_of_names(recommender, texts, *asked),
        "with the items' texts": recall_of_names(recommender, texts, *asked, Options()),
        "attributes": {
            "columns": [name for name in ASKED if name in recommender.frame],
            **precision_of_attributes(recommender, texts, options.split, options.queries),
        },
        "but in": asked_in_colour(recommender, options.split, options.items),
        "milliseconds": _milliseconds(recommender, options.split),
    }
    print(json.dumps(report, indent=1))
    write_report(report, options.json)
    return 0


def _milliseconds(recommender: Recommender, split: str) -> dict[str, Any]:
    """How long questions take inside the server, warm, file to answer, one after the other."""
    service, random = Service(recommender), np.random.default_rng(0)
    ids = recommender.frame["id"].to_numpy()
    asks = split_names(recommender.frame) == split
    unseen = ids[asks] if asks.any() else ids
    items = random.choice(unseen, min(_ROUNDS, len(unseen)), replace=False).tolist()
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / f"{at}.jpg") for at in range(len(items))]
        for file, item_id in zip(files, items, strict=True):
            Path(file).write_bytes(recommender.picture_bytes(item_id))
        here = "http://here"
        black = "but in black"
        words = [text for text in _QUESTIONS if _is_answered(service, text, here)]
        words = words or [recommender.frame["productDisplayName"].dropna().iloc[0]]
        asked: dict[str, Sequence[Callable[[], object]]] = {
            "words": [
                partial(service.recommend_by_text, words[at % len(words)], here)
                for at in range(len(items))
            ],
            "a picture": [partial(service.recommend, file, here) for file in files],
            _PICTURE_AND: [partial(service.recommend, file, here, text=black) for file in files],
            "an item": [partial(service.recommend_by_id, one, here) for one in items],
            "an item, but in black": [
                partial(service.recommend_by_id, one, here, text=black) for one in items
            ],
            "any combination": [
                partial(_ask, service, here, *drawn)
                for drawn in zip(
                    files, items, _combinations(recommender, words, random), strict=False
                )
            ],
        }
        for questions in asked.values():  # what is made at the first question is not counted
            questions[0]()
        times = {name: [] for name in asked}
        for turn in zip(*asked.values(), strict=True):  # in turn, as machines have other work too
            for name, question in zip(asked, turn, strict=True):
                times[name].append(_timed(question))
    told: dict[str, Any] = {name: _quantiles(np.array(took)) for name, took in times.items()}
    added = np.array(times[_PICTURE_AND]) - np.array(times["a picture"])
    told["what words add to a picture"] = _quantiles(added)
    return {"questions of each": len(items), **told}


def _ask(service: Service, here: str, file: str, item_id: Id, asks: dict[str, Any]) -> object:
    kind, text, options = asks["kind"], asks["text"], asks["options"]
    if kind == "words":
        return service.recommend_by_text(text, here, options)
    if kind == "item":
        return service.recommend_by_id(item_id, here, options, text=text)
    return service.recommend(file, here, options, text=text)


def _is_answered(service: Service, text: str, here: str) -> bool:
    """Whether a store has anything of what is asked for."""
    try:
        service.recommend_by_text(text, here)
    except QueryError:
        return False
    return True


def _combinations(
    recommender: Recommender, words: Sequence[str], random: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Kinds of question with knobs, each of which is turned or not as a coin falls."""
    ids = recommender.frame["id"].tolist()
    seen = next(iter(recommender.encoder.labels.values()), [])
    there = recommender.filters.values
    knobs: dict[str, Callable[[], Any]] = {
        "k": lambda: int(random.integers(1, MAX_K + 1)),
        "filters": lambda: {"gender": [str(random.choice(there["gender"]))]},
        "repeats": lambda: True,
        "ranking": lambda: str(random.choice(recommender.rankings)),
        "sort": lambda: f"-{recommender.items.sortable[0]}",
        "spread": lambda: True,
        "liked": lambda: [ids[at] for at in range(3)],
        "disliked": lambda: [ids[at] for at in range(3, 6)],
        "diversity": lambda: float(random.random()),
        "fold": lambda: True,
        "colour": lambda: float(random.random()),
    }
    for option, column in CONTEXTS.items():
        if there[column]:
            knobs[option] = lambda values=there[column]: str(random.choice(values))
    if seen:
        label = next(iter(recommender.encoder.labels))
        knobs["corrected"] = lambda: {label: str(random.choice(seen))}
    while True:
        turned = {name: draw() for name, draw in knobs.items() if random.random() < 0.5}
        kind = str(random.choice(["picture", "item", "words"]))
        beside = [] if kind == "words" else ["", "but in black"]
        yield {
            "kind": kind,
            "text": str(random.choice([*beside, *words])),
            "options": Options(**turned),
        }


def _timed(ask: Callable[[], object]) -> tuple[float, float]:
    """As a clock has it, and what the processor spent, whoever else was at it; milliseconds."""
    started = time.perf_counter(), time.process_time()
    ask()
    return (
        (time.perf_counter() - started[0]) * 1000,
        (time.process_time() - started[1]) * 1000,
    )


def _quantiles(took: Floats) -> dict[str, float]:
    """Of n times by both clocks: float64 of shape (n, 2)."""
    (clock, processor), (late, latest) = np.quantile(took, (0.5, 0.95), axis=0).round(2).tolist()
    return {
        "p50": clock,
        "p95": late,
        "p50 of the processor": processor,
        "p95 of the processor": latest,
    }


if __name__ == "__main__":
    sys.exit(main())
