"""Estimate from a log of feedback what each ranking is worth, and what was learnt from it.

python -m scripts.evaluate_feedback --events data/kaggle/events --json scores.json
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from recommender.evaluation.policies import evaluate
from recommender.feedback.events import files_below
from recommender.feedback.judged import read_feedback
from scripts.command import command_line, plain_errors, write_report


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    where = "the log's folder, or one with several logs below it, such as a pulled dataset"
    parser.add_argument("--events", type=Path, required=True, help=where)
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    options = parser.parse_args(argv)
    report = evaluate(read_feedback(files_below(options.events)))
    policies = report["policies"]
    print(f"{report['answers']} judged answers, worth {report['as served']} as they were served;")
    print(f"{report['lines skipped']} lines of the log say nothing.")
    print(pd.DataFrame(policies).T.to_string())
    print(pd.DataFrame(report["learnt"]).T.head(20).to_string())
    command = {"command": command_line("evaluate_feedback", argv)}
    write_report(command | report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
