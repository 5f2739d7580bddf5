"""Train the ResNet50 of the fashion encoder on a catalog; killed, it goes on where it was.

python -m scripts.train --data data/kaggle --out runs/fashion
"""

import argparse
import json
import logging
import sys
from dataclasses import fields
from pathlib import Path

from recommender.catalog import load_catalog
from recommender.encoder import read_weights
from recommender.errors import RecommenderError
from recommender.training import TrainingConfig, train


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="stores; the first one is scored"
    )
    parser.add_argument("--out", type=Path, required=True, help="takes weights and history")
    parser.add_argument("--init", default="random", help="random, or a safetensors file")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    settings = [field for field in fields(TrainingConfig) if isinstance(field.default, int | float)]
    for field in settings:
        flag = "--" + field.name.replace("_", "-")
        parser.add_argument(flag, type=type(field.default), default=field.default)
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = TrainingConfig(**{field.name: getattr(options, field.name) for field in settings})
    try:
        init = None if options.init == "random" else read_weights(Path(options.init))[0]
        catalogs = [load_catalog(data / "catalog") for data in options.data]
        last = train(catalogs, options.out, config, init=init, device=options.device)
    except (RecommenderError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(last, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
