r"""Calibrate trained weights on the dev split: the heads' temperatures, what counts how much.

python -m scripts.calibrate --data data/kaggle --weights runs/fashion/weights.safetensors \
    --photographs clothing-photos.zip --out recommender/weights/fashion.safetensors \
    --json benchmarks/calibration.json
"""

import argparse
import json
import sys
from pathlib import Path

from recommender.catalog.items import load_catalog
from recommender.catalog.photographs import load_photographs
from recommender.catalog.splits import SPLITS
from recommender.training.calibration import calibrate, dev_pictures
from recommender.training.sureness import calibrate_on_photographs
from scripts.command import command_line, plain_errors, write_report


@plain_errors(ValueError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--weights", type=Path, required=True, help="what scripts.train wrote")
    parser.add_argument(
        "--photographs", type=Path, help="an archive whose dev split says how sure to be of them"
    )
    parser.add_argument("--out", type=Path, required=True, help="takes the calibrated weights")
    parser.add_argument("--split", choices=SPLITS, default="names", help="as in training")
    parser.add_argument("--json", type=Path, help="where what was tried goes, with the command")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    options = parser.parse_args(argv)
    items = load_catalog(options.data / "catalog")
    report = calibrate(
        items, options.weights, options.out, split=options.split, device=options.device
    )
    if options.photographs:
        photographs = load_photographs(options.photographs, "dev")
        report["photographs"] = calibrate_on_photographs(
            options.out, options.out, photographs, dev_pictures(items), device=options.device
        )
        print(json.dumps(report["photographs"], indent=1))
    print(
        json.dumps({name: report[name] for name in ("temperatures", "agreement", "dev")}, indent=1)
    )
    write_report({"command": command_line("calibrate", argv), **report}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
