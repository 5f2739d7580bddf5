"""Measure how well words find pictures, and words beside a picture what they ask for.

python -m scripts.words --data data/kaggle --split test --json benchmarks/words.json
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from recommender.encoding.text import load_text_encoder
from recommender.evaluation.words import (
    ASKED,
    PUBLISHED,
    asked_in_colour,
    precision_of_attributes,
    recall_of_names,
)
from recommender.search.options import Options
from recommender.search.recommender import Recommender
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
_ROUNDS = 20
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
        "milliseconds": _milliseconds(recommender),
    }
    print(json.dumps(report, indent=1))
    write_report(report, options.json)
    return 0


def _milliseconds(recommender: Recommender) -> dict[str, dict[str, float]]:
    """How long words take, of the corridor alone, and what they add beside an item."""
    ids = recommender.frame["id"].tolist()[:: max(1, len(recommender) // _ROUNDS)][:_ROUNDS]
    black = [partial(recommender.by_id, item_id, text="but in black") for item_id in ids]
    asked: dict[str, Sequence[Callable[[], object]]] = {
        "words": [partial(recommender.by_text, text) for text in _QUESTIONS for _ in ids],
        "an item": [partial(recommender.by_id, item_id) for item_id in ids],
        "an item, but in black": black,
    }
    black[0]()  # what is made at the first question is not counted
    return {name: _timed(questions) for name, questions in asked.items()}


def _timed(questions: Sequence[Callable[[], object]]) -> dict[str, float]:
    """Medians: as a clock has it, and what the processor spent, whoever else was at it."""
    times = []
    for ask in questions:
        started = time.perf_counter(), time.process_time()
        ask()
        times.append((time.perf_counter() - started[0], time.process_time() - started[1]))
    clock, processor = (np.median(np.array(times), axis=0) * 1000).round(2).tolist()
    return {"p50": clock, "p50 of the processor": processor}


if __name__ == "__main__":
    sys.exit(main())
