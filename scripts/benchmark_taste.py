"""Measure what a taste, a reason and an outfit take inside the server, by clock and by processor.

python -m scripts.benchmark_taste --data data/kaggle --json benchmarks/taste-speed.json

A reason is what `/explain` answers, heat on both pictures and all; an outfit what
`/complete_the_look` does. What a search's knobs add is told by pairs: each question is asked with
and without them, one right after the other.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from recommender.evaluation.likeness import draw_items
from recommender.schema import Id
from recommender.search.options import Options
from recommender.service.answers import Service
from recommender.service.open import load_recommender
from scripts.command import plain_errors, write_report
from scripts.machine import begin_report

HERE = "http://127.0.0.1:7860"
_WARM = 4
_JUDGED = 5
Timed = list[tuple[float, float]]
"""Milliseconds by the clock, and of the processor."""


def timed(calls: list[Callable[[], object]]) -> Timed:
    """What each of several calls takes, the first few left out."""
    took = []
    for call in calls:
        clock, processor = time.perf_counter(), time.process_time()
        call()
        times = time.perf_counter() - clock, time.process_time() - processor
        took.append((times[0] * 1000, times[1] * 1000))
    return took[_WARM:]


def summary(took: Timed) -> dict[str, Any]:
    """Half and 95% of the calls take no longer than that."""
    clock, processor = np.percentile(took, (50, 95), axis=0).T.round(2).tolist()
    told = {"clock ms, p50 and p95": clock, "processor ms, p50 and p95": processor}
    return {"calls": len(took), **told}


def measure_reasons(service: Service, ids: list[Id], pictures: dict[Id, Path]) -> dict[str, Any]:
    """Why an item is like a picture, and why it is like an item: the best found of each."""
    options = Options(k=1)
    found = [service.recommend_by_id(one, HERE, options)["results"][0]["id"] for one in ids]
    asked = list(zip(ids, found, strict=True))
    explain = partial(service.explain, origin=HERE)
    return {
        "of a picture": summary(
            timed([partial(explain, str(pictures[one]), item_id=other) for one, other in asked])
        ),
        "of an item": summary(
            timed([partial(explain, None, item_id=other, asks=one) for one, other in asked])
        ),
    }


def measure_outfits(service: Service, ids: list[Id]) -> dict[str, Any]:
    """What goes with an item, and the same once more, without what was offered first."""
    first = timed([partial(service.complete_the_look, one, HERE) for one in ids])
    offered = [
        [
            slot["item"]["id"]
            for slot in service.complete_the_look(one, HERE)["slots"]
            if slot["item"]
        ]
        for one in ids
    ]
    pairs = zip(ids, offered, strict=True)
    others = timed([partial(service.complete_the_look, one, HERE, past) for one, past in pairs])
    return {"an outfit": summary(first), "others in all slots": summary(others)}


def measure_together(service: Service, ids: list[Id], pictures: dict[Id, Path]) -> dict[str, Any]:
    """What likes, dislikes, colour and diversity add to a search for what is like something."""
    liked, disliked, asking = ids[:_JUDGED], ids[_JUDGED : 2 * _JUDGED], ids[2 * _JUDGED :]
    plain = Options(k=12)
    knobs: dict[str, Any] = {"liked": liked, "disliked": disliked, "colour": 0.5, "diversity": 0.5}
    both = plain, replace(plain, **knobs)
    ways = {
        "like a picture": lambda one, options: service.recommend(str(pictures[one]), HERE, options),
        "like an item": lambda one, options: service.recommend_by_id(one, HERE, options),
    }
    report: dict[str, Any] = {}
    for name, ask in ways.items():
        took = timed([partial(ask, one, options) for one in asking for options in both])
        alone, together = took[::2], took[1::2]
        added = np.median(np.subtract(together, alone), axis=0).round(2).tolist()
        report[name] = {
            "alone": summary(alone),
            "together": summary(together),
            "added ms, median: clock and processor": added,
        }
    return report


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--sample", type=int, default=200, help="items that ask")
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    options = parser.parse_args(argv)
    recommender = load_recommender(options.data)
    service, report = Service(recommender), begin_report("benchmark_taste", argv)
    rows = draw_items(recommender, split="test", count=options.sample)
    ids = recommender.frame["id"].iloc[rows].tolist()
    with tempfile.TemporaryDirectory() as folder:
        pictures = {one: Path(folder) / f"{row}.jpg" for one, row in zip(ids, rows, strict=True)}
        for one, path in pictures.items():
            path.write_bytes(recommender.picture_bytes(one))
        report["items"] = len(recommender)
        report["reasons"] = measure_reasons(service, ids, pictures)
        report["outfits"] = measure_outfits(service, ids)
        report["likes, dislikes, colour and diversity"] = measure_together(service, ids, pictures)
    print(json.dumps(report, indent=1))
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
