"""Score a store on pictures like visitors send: cluttered, cropped, turned, blurred, dark.

python -m scripts.robustness --data data/kaggle --split test --json benchmarks/robustness.json
"""

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

from recommender.errors import RecommenderError
from recommender.evaluation.queries import choose_queries
from recommender.evaluation.robustness import measure_robustness, robustness_table
from recommender.files import write_json
from recommender.service.open import load_recommender


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--queries", help="an archive or folder in Kaggle's layout")
    parser.add_argument("--split", choices=["dev", "test"], help="the name groups that ask")
    parser.add_argument("--sample", type=int, help="at most so many queries, the same each time")
    parser.add_argument("--ranking", choices=["image", "hybrid"], default="image")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    options = parser.parse_args(argv)
    try:
        recommender = load_recommender(options.data, device=options.device)
        with tempfile.TemporaryDirectory() as scratch:
            queries = choose_queries(
                recommender,
                Path(scratch),
                archive=options.queries,
                split=options.split,
                sample=options.sample,
            )
            report = measure_robustness(recommender, queries, ranking=options.ranking)
    except RecommenderError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(queries):,} queries ({queries.source}), {len(recommender):,} items, strict:")
    print(robustness_table(report).to_string())
    if options.json:
        told = {
            "command": "python -m scripts.robustness " + shlex.join(argv or sys.argv[1:]),
            "encoder": recommender.encoder.record(),
            **report,
        }
        write_json(options.json, told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
