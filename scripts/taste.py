"""Measure whether likes and dislikes lead simulated visitors to what they want, and how fast.

python -m scripts.taste --data data/kaggle --split test --json benchmarks/taste.json
"""

import argparse
import json
import sys
from pathlib import Path

from recommender.evaluation.taste import draw_visitors, measure_taste
from recommender.service.open import load_recommender
from scripts.command import command_line, plain_errors, write_report


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--split", choices=["dev", "test"], default="dev", help="whose items ask")
    parser.add_argument("--visitors", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    options = parser.parse_args(argv)
    recommender = load_recommender(options.data)
    visitors = draw_visitors(recommender, split=options.split, count=options.visitors)
    report = {"command": command_line("taste", argv), **measure_taste(recommender, visitors)}
    print(json.dumps(report, indent=1))
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
