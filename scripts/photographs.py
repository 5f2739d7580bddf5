r"""Ask a store, and other systems, with photographs that people took of their own clothes.

python -m scripts.photographs --data data/kaggle --photographs clothing-photos.zip --split dev \
    --json benchmarks/photographs.json --markdown benchmarks/photographs.md
python -m scripts.photographs --data data/kaggle --photographs clothing-photos.zip --split dev \
    --systems pixels random imagenet-avg ours ours-hybrid --imagenet resnet50.safetensors \
    --weights before=old.safetensors --items 5000
python -m scripts.photographs --data data/kaggle --photographs clothing-photos.zip --encoder NAME
"""

import argparse
import logging
import sys
from pathlib import Path
from typing import get_args

from recommender.catalog.photographs import load_photographs
from recommender.evaluation.leaderboard import System
from recommender.evaluation.photographs import markdown, measure_photographs, table
from recommender.search.options import Ranking
from recommender.service.open import load_recommender
from scripts.command import command_line, plain_errors, write_report
from scripts.systems import add_system_arguments, chosen_systems, write_markdown


@plain_errors(ValueError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument(
        "--photographs", type=Path, required=True, help="a zip of photos.csv and images/NAME.jpg"
    )
    parser.add_argument("--split", choices=["train", "dev"], help="default: all of them")
    parser.add_argument("--sample", type=int, help="at most so many, the same each time")
    parser.add_argument(
        "--items", type=int, help="at most so many can be found, the same each time, by any system"
    )
    parser.add_argument(
        "--left-out", type=Path, nargs="+", default=[], help="what scripts.refit wrote to --folds"
    )
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument(
        "--encoder", help="ask this one alone: what `scripts.evaluate --encoder` takes"
    )
    parser.add_argument(
        "--ranking", choices=get_args(Ranking), help="of --encoder, or of the store's own, alone"
    )
    add_system_arguments(parser, default=["ours", "ours-hybrid", "ours-spread"])
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    command = command_line("photographs", argv)
    systems = chosen_systems(options)
    if options.encoder or options.ranking:
        ranking = options.ranking or "auto"
        title = f"{options.encoder or 'Ours'}, {ranking}"
        systems = {"asked": System(title=title, encoder=options.encoder, ranking=ranking)}
    photographs = load_photographs(options.photographs, options.split)
    board = measure_photographs(
        load_recommender(options.data, device=options.device),
        options.data,
        photographs,
        systems,
        options.cache or options.data / "encoders",
        sample=options.sample,
        items=options.items,
        left_out=options.left_out,
        device=options.device,
    )
    said = markdown(board, command)
    print(said)
    print(table(board).to_string())
    write_report({"command": command, **board}, options.json)
    write_markdown(said, options.markdown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
