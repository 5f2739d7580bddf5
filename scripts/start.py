"""Measure the start of the app, from `python app.py` to its first answer, beside other checkouts.

python -m scripts.start --data data/kaggle --beside ../before --json benchmarks/tried/start.json

Checkouts take turns, so that a machine that is shared is equally slow for each of them; the best of
each is told.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from scripts.benchmark import begin_report, measure_start
from scripts.command import write_report


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a built store")
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="other checkouts")
    parser.add_argument("--times", type=int, default=3, help="each is started")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--port", type=int, default=7899, help="a free one")
    options = parser.parse_args(argv)
    report = begin_report("start", argv)
    here = Path(__file__).parent.parent.resolve()
    roots = {path.name: path.resolve() for path in options.beside} | {"here": here}
    taken: dict[str, list[dict]] = {name: [] for name in roots}
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(options.times):
            for name, root in roots.items():
                data = ["--data", str(options.data.resolve())]
                started = measure_start(data, options.port, root=root, cwd=Path(scratch))
                taken[name].append(started)
                print(name, started, flush=True)
    report["best"] = {
        name: {figure: min(run[figure] for run in runs) for figure in runs[0]}
        for name, runs in taken.items()
    }
    report["runs"] = taken
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
