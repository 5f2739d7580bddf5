"""Score a store on pictures like visitors send: cluttered, cropped, turned, blurred, dark.

python -m scripts.robustness --data data/kaggle --split test --json benchmarks/robustness.json
python -m scripts.robustness --data data/kaggle --photographs data/clothing-photos.zip
"""

import argparse
import sys
from pathlib import Path

from recommender.catalog.photographs import load_photographs
from recommender.evaluation.corruptions import CORRUPTIONS, corruptions
from recommender.evaluation.robustness import measure_robustness, robustness_table
from recommender.service.open import load_recommender
from scripts.command import command_line, plain_errors, write_report
from scripts.queries import add_query_arguments, chosen_queries


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_query_arguments(parser)
    parser.add_argument("--ranking", choices=["image", "hybrid"], default="image")
    parser.add_argument(
        "--photographs",
        type=Path,
        help="an archive of photographs: garments are also laid on what its dev part shows",
    )
    parser.add_argument(
        "--whole", action="store_true", help="do not look for the garment in a picture"
    )
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    options = parser.parse_args(argv)
    recommender = load_recommender(options.data, device=options.device)
    changes = CORRUPTIONS
    if options.photographs:
        changes = corruptions(load_photographs(options.photographs, "dev"))
    with chosen_queries(recommender, options) as queries:
        report = measure_robustness(
            recommender,
            queries,
            ranking=options.ranking,
            changes=changes,
            region=None if options.whole else "auto",
        )
    print(f"{len(queries):,} queries ({queries.source}), {len(recommender):,} items, strict:")
    print(robustness_table(report).to_string())
    made_by = {
        "command": command_line("robustness", argv),
        "encoder": recommender.encoder.record(),
    }
    write_report({**made_by, **report}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
