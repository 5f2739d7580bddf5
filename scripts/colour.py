"""Check colours that are told from packshots' pixels against the catalog's names for them.

python -m scripts.colour --data data/kaggle --sample 2000 --json colour.json
"""

import argparse
import json
import sys
from pathlib import Path

from recommender.catalog.items import catalog_frame
from recommender.evaluation.colour import check_on_catalog
from recommender.store.store import open_items
from scripts.command import command_line, plain_errors, write_report


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument(
        "--sample", type=int, help="at most so many items of each split, the same each time"
    )
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    options = parser.parse_args(argv)
    items = open_items(options.data)
    checked = check_on_catalog(
        catalog_frame(items), lambda row: items[row]["image"]["bytes"], sample=options.sample
    )
    report = {"command": command_line("colour", argv), **checked}
    print(json.dumps(report, indent=1))
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
