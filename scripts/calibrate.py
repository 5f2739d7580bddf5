"""Calibrate trained weights on the dev split: the heads' temperatures, what counts how much.

python -m scripts.calibrate --data data/kaggle --weights runs/fashion/weights.safetensors \
    --out recommender/weights/fashion.safetensors --json benchmarks/calibration.json
"""

import argparse
import json
import sys
from pathlib import Path

from recommender.catalog.items import load_catalog
from recommender.errors import RecommenderError
from recommender.training.calibration import calibrate


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--weights", type=Path, required=True, help="what scripts.train wrote")
    parser.add_argument("--out", type=Path, required=True, help="takes the calibrated weights")
    parser.add_argument("--json", type=Path, help="where what was tried goes, with the command")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    options = parser.parse_args(argv)
    try:
        items = load_catalog(options.data / "catalog")
        report = calibrate(items, options.weights, options.out, device=options.device)
    except (RecommenderError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    report = {"command": "python -m scripts.calibrate " + " ".join(argv or sys.argv[1:]), **report}
    print(
        json.dumps({name: report[name] for name in ("temperatures", "agreement", "dev")}, indent=1)
    )
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
