r"""Teach a region head where garments are in photographs; all else of the weights stays.

python -m scripts.fit_regions --data data/kaggle --weights runs/photographs/weights.safetensors \
    --photographs clothing-photos.zip --out runs/regions.safetensors --json benchmarks/regions.json
"""

import argparse
import json
import sys
from pathlib import Path

from recommender.catalog.items import load_catalog
from recommender.catalog.photographs import load_photographs
from recommender.training.regions import RegionConfig, fit_regions
from scripts.command import add_settings, command_line, plain_errors, settings_of, write_report


@plain_errors(ValueError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--weights", type=Path, required=True, help="that have a region head")
    parser.add_argument(
        "--photographs", type=Path, required=True, help="an archive: train teaches, dev is asked"
    )
    parser.add_argument("--out", type=Path, required=True, help="takes the weights")
    add_settings(parser, RegionConfig)
    parser.add_argument("--json", type=Path, help="where what it is worth goes, with the command")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    options = parser.parse_args(argv)
    learnt, others = (load_photographs(options.photographs, split) for split in ("train", "dev"))
    report = fit_regions(
        options.weights,
        options.out,
        learnt,
        others,
        load_catalog(options.data / "catalog"),
        settings_of(RegionConfig, options),
        device=options.device,
    )
    print(json.dumps(report, indent=1))
    write_report({"command": command_line("fit_regions", argv), **report}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
