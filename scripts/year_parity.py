r"""Score weights that were trained on the even years on the odd ones, beside what others published.

python -m scripts.train --data data/kaggle --out runs/years --split years
python -m scripts.year_parity --data data/kaggle --weights runs/years/weights.safetensors \
    --json benchmarks/year-parity.json
"""

import argparse
import json
import sys
from pathlib import Path

from recommender.catalog.items import load_catalog
from recommender.encoding.encoder import load_encoder
from recommender.evaluation.year_parity import PUBLISHED, score_years
from scripts.command import command_line, plain_errors, write_report


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--weights", type=Path, required=True, help="what scripts.train wrote")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    options = parser.parse_args(argv)
    encoder = load_encoder(str(options.weights), device=options.device, agreement={})
    scores = score_years(load_catalog(options.data / "catalog"), encoder)
    command = command_line("year_parity", argv)
    report = {"command": command, "published top-1": PUBLISHED, **scores}
    print(json.dumps(report, indent=1))
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
