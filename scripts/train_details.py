r"""Add heads for details (pattern, sleeves, neck …) to weights, which else stay the same.

python -m scripts.train_details --data data/kaggle data/demo \
    --weights recommender/weights/fashion.safetensors --out runs/details.safetensors \
    --json benchmarks/details.json
"""

import argparse
import json
import sys
from pathlib import Path

from recommender.catalog.items import load_catalog
from recommender.training.details import DETAILS, DetailConfig, train_details
from scripts.command import add_settings, command_line, plain_errors, settings_of, write_report


@plain_errors(ValueError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        help="stores' folders: the first one's columns say what there is to learn and how well it "
        "is; of the others' items heads learn too",
    )
    parser.add_argument("--weights", type=Path, required=True, help="any of ours")
    parser.add_argument("--out", type=Path, required=True, help="takes them with the heads")
    parser.add_argument("--columns", nargs="+", default=DETAILS, help="whose values are learnt")
    add_settings(parser, DetailConfig)
    parser.add_argument(
        "--cache", type=Path, help="keeps what the network sees; default: the first DATA/pooled"
    )
    parser.add_argument("--json", type=Path, help="where what they are worth goes")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    options = parser.parse_args(argv)
    report = train_details(
        [load_catalog(data / "catalog") for data in options.data],
        options.weights,
        options.out,
        settings_of(DetailConfig, options, columns=tuple(options.columns)),
        cache=options.cache or options.data[0] / "pooled",
        device=options.device,
    )
    print(json.dumps(report, indent=1))
    write_report({"command": command_line("train_details", argv), **report}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
