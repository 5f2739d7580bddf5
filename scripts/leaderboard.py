r"""Compare a store with other systems, on the same queries and by the same functions.

python -m scripts.leaderboard --data data/kaggle --split test --json benchmarks/leaderboard.json \
    --markdown benchmarks/leaderboard.md --plots benchmarks/plots
python -m scripts.leaderboard --data data/kaggle --systems pixels ours imagenet-avg \
    --imagenet resnet50.safetensors
"""

import argparse
import json
import logging
import shlex
import sys
import tempfile
from pathlib import Path

from recommender.charts.export import find_chromium, write_pages, write_pictures
from recommender.errors import RecommenderError
from recommender.evaluation.committed import Committed
from recommender.evaluation.leaderboard import build_leaderboard, known_systems, markdown
from recommender.evaluation.quality import quality_charts
from recommender.evaluation.queries import choose_queries
from recommender.search.recommender import load_recommender


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--queries", help="an archive or folder in Kaggle's layout")
    parser.add_argument("--split", choices=["dev", "test"], help="the name groups that ask")
    parser.add_argument("--sample", type=int, help="at most so many queries, the same each time")
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
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--cache", type=Path, help="embeddings, answers; default: DATA/encoders")
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    parser.add_argument("--markdown", type=Path, help="where a table for a README goes")
    parser.add_argument(
        "--plots", type=Path, help="a folder for figures, also as pictures if Chromium is there"
    )
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    command = "python -m scripts.leaderboard " + shlex.join(argv or sys.argv[1:])
    try:
        places = dict(model.split("=", 1) for model in options.model)
        systems = known_systems(options.imagenet, places)
        systems = {name: systems[name] for name in options.systems or systems}
        base = load_recommender(options.data, device=options.device)
        with tempfile.TemporaryDirectory() as scratch:
            queries = choose_queries(
                base,
                Path(scratch),
                archive=options.queries,
                split=options.split,
                sample=options.sample,
            )
            board = build_leaderboard(
                base,
                options.data,
                queries,
                systems,
                options.cache or options.data / "encoders",
                device=options.device,
            )
    except (RecommenderError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    table = markdown(board, command)
    print(table)
    for path in (options.json, options.markdown):
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
    if options.json:
        text = json.dumps({"command": command, **board}, indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(table, encoding="utf-8")
    if options.plots:
        charts = quality_charts(Committed(board=board))
        write_pages(charts, options.plots, "How good is it")
        if chromium := find_chromium():
            write_pictures(charts, options.plots, chromium)
    return 0


if __name__ == "__main__":
    sys.exit(main())
