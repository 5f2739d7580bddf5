"""Create or update a Space that serves a store on the Hub, from this working tree.

python -m scripts.deploy_space --repo OWNER/NAME --store OWNER/DATASET@REVISION
"""

import argparse
import sys
from pathlib import Path

from recommender.hub.hub import Address, push_folder
from scripts.command import plain_errors

ROOT = Path(__file__).parents[1]
NOT_SERVED = [
    *("data/*", "runs/*", "tests/*", "benchmarks/tried/*", "deploy/*", ".ci/*", ".venv/*"),
    *("*.pyc", "*.pyi", "*_cache/*", ".hypothesis/*", "requirements-dev.txt"),
    *("scripts/draw_*.py", "recommender/demo/drawing/*"),
]
"""What of the tree a Space has no use for."""


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repo", required=True, help="the Space, OWNER/NAME")
    parser.add_argument("--store", help="the dataset it serves, OWNER/DATASET[@REVISION]; or demo")
    parser.add_argument("--private", action="store_true", help="a Space that is made is private")
    options = parser.parse_args(argv)
    served = {"FASHION_REPO": str(Address.parse(options.store))} if options.store else {}
    address = push_folder(
        ROOT,
        options.repo,
        repo_type="space",
        private=options.private,
        ignore=NOT_SERVED,
        variables=served,
    )
    print(address)
    return 0


if __name__ == "__main__":
    sys.exit(main())
