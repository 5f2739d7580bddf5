"""Pull a store from the Hub, check all of it and make it the local one.

python -m scripts.pull_from_hub --repo OWNER/NAME --revision COMMIT --data data/shop
"""

import argparse
import sys
from pathlib import Path

from recommender.hub.hub import Address, pull_store
from recommender.service.open import check_servable
from scripts.command import plain_errors


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repo", required=True, help="OWNER/NAME")
    parser.add_argument("--revision", default="main", help="a commit, branch or tag")
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="the store's folder")
    options = parser.parse_args(argv)
    address = Address.parse(f"{options.repo}@{options.revision}")
    commit = pull_store(address, options.data, accept=check_servable)
    print(f"{options.data} is {options.repo}@{commit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
