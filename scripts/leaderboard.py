r"""Compare a store with other systems, on the same queries and by the same functions.

python -m scripts.leaderboard --data data/kaggle --split test --json benchmarks/leaderboard.json \
    --markdown benchmarks/leaderboard.md --plots benchmarks/plots
python -m scripts.leaderboard --data data/kaggle --systems pixels ours imagenet-avg \
    --imagenet resnet50.safetensors
"""

import argparse
import json
import logging
import sys
from pathlib import Path

from recommender.charts.export import write_charts
from recommender.evaluation.committed import Committed
from recommender.evaluation.leaderboard import build_leaderboard, markdown
from recommender.evaluation.quality import quality_charts
from recommender.service.open import load_recommender
from scripts.command import command_line, plain_errors, write_report
from scripts.queries import add_query_arguments, chosen_queries
from scripts.systems import add_system_arguments, chosen_systems, write_markdown


@plain_errors(ValueError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_query_arguments(parser)
    add_system_arguments(parser)
    parser.add_argument(
        "--keep",
        type=Path,
        help="an earlier report of the same queries: others' systems that are not asked now are "
        "shown as it has them",
    )
    parser.add_argument(
        "--plots", type=Path, help="a folder for figures, also as pictures if Chromium is there"
    )
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    command = command_line("leaderboard", argv)
    systems = chosen_systems(options)
    base = load_recommender(options.data, device=options.device)
    with chosen_queries(base, options) as queries:
        board = build_leaderboard(
            base,
            options.data,
            queries,
            systems,
            options.cache or options.data / "encoders",
            kept=json.loads(options.keep.read_text("utf-8")) if options.keep else None,
            device=options.device,
        )
    table = markdown(board, command)
    print(table)
    write_report({"command": command, **board}, options.json)
    write_markdown(table, options.markdown)
    if options.plots:
        charts = quality_charts(Committed(board=board))
        write_charts(charts, options.plots, "How good is it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
