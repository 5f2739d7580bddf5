"""Draw the curves of training runs, one after the other.

python -m scripts.plot_history runs/fashion/history.json --out runs/fashion/plots
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from recommender.charts.export import write_charts
from recommender.evaluation.quality import history


def plot_history(runs: Sequence[Path], folder: Path) -> None:
    """Write a page of the runs' `history.json`, also as pictures where Chromium is there.

    Raises:
        OSError: a file cannot be read or written.
        ValueError: it holds no history.
    """
    epochs = [epoch for run in runs for epoch in json.loads(run.read_text(encoding="utf-8"))]
    charts = {"history": history(epochs)}
    write_charts(charts, folder, "Training")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs="+", help="history.json of each, in order")
    parser.add_argument("--out", type=Path, required=True, help="the figures' folder")
    options = parser.parse_args(argv)
    try:
        plot_history(options.runs, options.out)
    except (OSError, ValueError, TypeError, KeyError) as error:
        print(f"error: the runs cannot be drawn: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
