"""Measure what a search's knobs do to its first ten: how alike they look, of what type and colour.

python -m scripts.likeness --data data/kaggle --split test --json benchmarks/likeness.json
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from recommender.evaluation.likeness import (
    SHOWN,
    draw_items,
    measure_contexts,
    measure_likeness,
)
from recommender.search.options import Options
from recommender.service.open import load_recommender
from scripts.command import command_line, plain_errors, write_report

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
KNOBS = ("diversity", "colour")


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--split", choices=["dev", "test"], default="dev", help="whose items ask")
    parser.add_argument("--sample", type=int, default=1000, help="how many ask")
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    options = parser.parse_args(argv)
    recommender = load_recommender(options.data)
    rows = draw_items(recommender, split=options.split, count=options.sample)
    report: dict = {"command": command_line("likeness", argv), "queries": len(rows)}
    for knob in KNOBS:
        report[knob] = {}
        for share in SHARES:
            asked = replace(Options(k=SHOWN), **{knob: share})
            report[knob][str(share)] = measure_likeness(recommender, rows, asked)
    report["contexts"] = measure_contexts(recommender, rows, Options(k=SHOWN))
    print(json.dumps(report, indent=1))
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
