"""Write an invented German shop of the demo's items, to try the road of one's own catalog with.

python -m scripts.draw_shop --out data/laden
"""

import argparse
import sys
from pathlib import Path

from recommender.catalog.sources import DEMO_ARCHIVE
from recommender.demo.shop import write_shop
from scripts.command import plain_errors


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--items", type=int, default=200, help="at most so many")
    options = parser.parse_args(argv)
    print(f"{options.out}: {write_shop(DEMO_ARCHIVE, options.out, options.items)} items")
    return 0


if __name__ == "__main__":
    sys.exit(main())
