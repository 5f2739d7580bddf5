"""See whether simulated visitors' feedback leads to the rankings that they like best.

python -m scripts.simulate_feedback --visitors 20000 --json benchmarks/feedback.json
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from recommender.evaluation.opinions import coverage, simulate
from scripts.command import command_line, plain_errors, write_report


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    many = "logs of 3,000 more, to see how many intervals hold the truth"
    parser.add_argument("--logs", type=int, default=30, help=many)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report = simulate(folder / "one", visitors=options.visitors, seed=options.seed)
        if options.logs:
            report["coverage"] = coverage(folder / "many", logs=options.logs, visitors=3_000)
    print(json.dumps(report, indent=1))
    command = {"command": command_line("simulate_feedback", argv)}
    write_report(command | report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
