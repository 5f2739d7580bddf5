r"""Compare a store with other systems, on the same queries and by the same functions.

python -m scripts.leaderboard --data data/kaggle --split test --json benchmarks/leaderboard.json \
    --markdown benchmarks/leaderboard.md --plots benchmarks/plots
python -m scripts.leaderboard --data data/kaggle --systems pixels ours imagenet-avg \
    --imagenet resnet50.safetensors
"""

import argparse
import logging
import sys
from pathlib import Path

from recommender.charts.export import find_chromium, write_pages, write_pictures
from recommender.evaluation.committed import Committed
from recommender.evaluation.leaderboard import build_leaderboard, known_systems, markdown
from recommender.evaluation.quality import quality_charts
from recommender.service.open import load_recommender
from scripts.command import command_line, plain_errors, write_report
from scripts.queries import add_query_arguments, chosen_queries


@plain_errors(ValueError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_query_arguments(parser)
    parser.add_argument(
        "--systems", nargs="+", choices=[*known_systems()], help="default: all of them"
    )
    parser.add_argument(
        "--imagenet", default="imagenet", help="the Hub's, or a safetensors file of a ResNet50"
    )
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="SYSTEM=FOLDER",
        help="where the weights of dinov2, fashionclip or fashionsiglip are, instead of the Hub",
    )
    parser.add_argument("--cache", type=Path, help="embeddings, answers; default: DATA/encoders")
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    parser.add_argument("--markdown", type=Path, help="where a table for a README goes")
    parser.add_argument(
        "--plots", type=Path, help="a folder for figures, also as pictures if Chromium is there"
    )
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    command = command_line("leaderboard", argv)
    places = dict(model.split("=", 1) for model in options.model)
    systems = known_systems(options.imagenet, places)
    systems = {name: systems[name] for name in options.systems or systems}
    base = load_recommender(options.data, device=options.device)
    with chosen_queries(base, options) as queries:
        board = build_leaderboard(
            base,
            options.data,
            queries,
            systems,
            options.cache or options.data / "encoders",
            device=options.device,
        )
    table = markdown(board, command)
    print(table)
    write_report({"command": command, **board}, options.json)
    if options.markdown:
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(table, encoding="utf-8")
    if options.plots:
        charts = quality_charts(Committed(board=board))
        write_pages(charts, options.plots, "How good is it")
        if chromium := find_chromium():
            write_pictures(charts, options.plots, chromium)
    return 0


if __name__ == "__main__":
    sys.exit(main())
