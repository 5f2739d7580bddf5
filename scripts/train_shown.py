r"""Teach a text tower where looks lean that show a detail (pattern, sleeves …), and else nothing.

python -m scripts.train_shown --data data/kaggle --weights recommender/weights/words.safetensors \
    --out runs/words.safetensors --json benchmarks/shown.json
"""

import argparse
import json
import sys
from pathlib import Path

from recommender.service.open import load_recommender
from recommender.training.details import DETAILS, DetailConfig
from recommender.training.shown import DECAYS, train_shown
from scripts.command import add_settings, command_line, plain_errors, settings_of, write_report


@plain_errors(ValueError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--weights", type=Path, required=True, help="of the store's text tower")
    parser.add_argument("--out", type=Path, required=True, help="takes them with what was learnt")
    parser.add_argument("--columns", nargs="+", default=DETAILS, help="whose values are learnt")
    add_settings(parser, DetailConfig)
    parser.add_argument("--json", type=Path, help="where what it is worth goes")
    options = parser.parse_args(argv)
    config = settings_of(DetailConfig, options, columns=tuple(options.columns), decays=DECAYS)
    report = train_shown(load_recommender(options.data), options.weights, options.out, config)
    print(json.dumps(report, indent=1))
    write_report({"command": command_line("train_shown", argv), "details": report}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
