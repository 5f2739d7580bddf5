r"""Learn what goes with what from what stylists say, and measure it on names it has not seen.

python -m scripts.learn_outfits --data data/kaggle --styles fashion-styles.zip \
    --out recommender/search/outfits.json --json benchmarks/outfits.json
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from recommender.catalog.splits import split_names
from recommender.search.outfit import Companions, Outfits
from recommender.service.open import load_recommender
from recommender.training.outfits import (
    count_said,
    measure_coverage,
    measure_outfits,
    read_styles,
)
from scripts.command import command_line, plain_errors, write_report


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a store: the items spoken of")
    parser.add_argument("--styles", type=Path, required=True, help="an archive of styles/ID.json")
    parser.add_argument("--out", type=Path, required=True, help="where the counts go")
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    options = parser.parse_args(argv)
    recommender = load_recommender(options.data)
    frame, said = recommender.frame, read_styles(options.styles)
    counts = count_said(frame[split_names(frame) != "test"], said)
    rows = ",\n".join(json.dumps(row) for row in counts)
    options.out.write_text(f'{{"said": [\n{rows}\n]}}\n', encoding="utf-8")
    companions = Companions(counts)
    outfits = Outfits(frame, recommender.index.vectors, companions)
    took = []
    for row in np.random.default_rng(1).permutation(len(frame))[:200].tolist():
        started = time.perf_counter()
        outfits.complete(row)
        took.append(time.perf_counter() - started)
    report = {
        "command": command_line("learn_outfits", argv),
        "items with advice": sum(map(bool, said.values())),
        "held out": measure_outfits(frame, said, companions),
        "coverage": measure_coverage(frame, outfits),
        "ms": round(float(np.median(took)) * 1000, 2),
    }
    print(json.dumps(report, indent=1))
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
