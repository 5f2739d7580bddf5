"""Count how many items each column of a catalog is filled of, and with how many values.

python -m scripts.columns --data data/kaggle --json benchmarks/columns.json --readme README.md
"""

import argparse
import re
import sys
from pathlib import Path

from recommender.catalog.filled import as_markdown, filled_columns
from recommender.catalog.items import catalog_frame
from recommender.store.store import open_items
from scripts.command import command_line, plain_errors, write_report

MARKS = re.compile(r"(?<=<!-- columns -->\n).*?(?=\n<!-- /columns -->)", re.DOTALL)


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    parser.add_argument("--readme", type=Path, help="whose table between its marks is renewed")
    options = parser.parse_args(argv)
    columns = filled_columns(catalog_frame(open_items(options.data)))
    print(as_markdown(columns))
    write_report({"command": command_line("columns", argv), "columns": columns}, options.json)
    if options.readme:
        text = options.readme.read_text(encoding="utf-8")
        table = as_markdown(columns)
        options.readme.write_text(MARKS.sub(lambda _: table, text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
