"""Push a store to a dataset repo on the Hub; interrupted, run it again.

python -m scripts.push_to_hub --data data/shop --repo OWNER/NAME --private
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from recommender.hub.card import make_card
from recommender.hub.hub import push_store
from scripts.command import plain_errors


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="the store's folder")
    parser.add_argument("--repo", required=True, help="OWNER/NAME")
    parser.add_argument("--private", action="store_true", help="a repo that is made is private")
    parser.add_argument("--title", help="of the card; default: the repo's name")
    parser.add_argument("--licence", default="other", help="of the catalog, as the Hub names it")
    parser.add_argument(
        "--thumbnails",
        action="store_true",
        help="show a grid of the pictures on the card: only where their licence allows it",
    )
    options = parser.parse_args(argv)
    title = options.title or options.repo.rpartition("/")[2]
    card = partial(make_card, title=title, licence=options.licence, grid=options.thumbnails)
    commit = push_store(options.data, options.repo, make_card=card, private=options.private)
    print(f"pushed; pull exactly this by FASHION_REPO={options.repo}@{commit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
