r"""Fit the head of article types anew for photographs, and say how sure to be of them.

python -m scripts.refit --data data/kaggle --weights calibrated.safetensors \
    --photographs clothing-photos.zip --folds runs/folds \
    --out recommender/weights/fashion.safetensors --json benchmarks/refit.json
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from recommender.catalog.items import load_catalog
from recommender.catalog.photographs import load_photographs
from recommender.encoding.weights import find_weights
from recommender.training.calibration import dev_pictures
from recommender.training.sureness import calibrate_on_photographs
from recommender.training.taken import HeadConfig, refit_on_photographs
from scripts.command import command_line, plain_errors, write_report


@plain_errors(ValueError)
def main(argv: list[str] | None = None) -> int:
    defaults = HeadConfig()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--weights", type=Path, required=True, help="what scripts.calibrate wrote")
    parser.add_argument(
        "--photographs", type=Path, required=True, help="an archive, both of whose splits teach"
    )
    parser.add_argument(
        "--folds", type=Path, required=True, help="takes weights that some photographers taught not"
    )
    parser.add_argument("--out", type=Path, required=True, help="takes the weights")
    parser.add_argument(
        "--informed", help="weights that say which of the many types of one label it is"
    )
    parser.add_argument("--balance", type=float, default=defaults.balance)
    parser.add_argument("--pull", type=float, default=defaults.pull)
    parser.add_argument("--bias-pull", type=float, default=defaults.bias_pull)
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    options = parser.parse_args(argv)
    photographs = load_photographs(options.photographs, "dev")
    items = load_catalog(options.data / "catalog")
    learnt = load_photographs(options.photographs, "train")
    config = HeadConfig(balance=options.balance, pull=options.pull, bias_pull=options.bias_pull)
    report = refit_on_photographs(
        options.weights,
        options.out,
        learnt,
        photographs,
        items,
        config,
        folds=options.folds,
        informed=None if options.informed is None else find_weights(options.informed),
        device=options.device,
    )
    report["sureness"] = calibrate_on_photographs(
        options.out,
        options.out,
        photographs,
        dev_pictures(items),
        left_out=[options.folds / f"{each}.safetensors" for each in range(config.folds)],
        device=options.device,
    )
    print(json.dumps(report, indent=1))
    made_by = {"command": command_line("refit", argv), "config": asdict(config)}
    write_report({**made_by, **report}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
