"""The queries of a command that asks many of a store: the options that choose, and who asks."""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recommender.evaluation.queries import Queries, choose_queries
from recommender.search.recommender import Recommender


def add_query_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument(
        "--queries", help="an archive or folder in Kaggle's layout whose pictures ask"
    )
    parser.add_argument(
        "--split",
        choices=["dev", "test"],
        help="the name groups that ask; default: dev, and with --queries all of it",
    )
    parser.add_argument("--sample", type=int, help="at most so many queries, the same each time")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")


@contextmanager
def chosen_queries(recommender: Recommender, options: argparse.Namespace) -> Iterator[Queries]:
    """Who asks; an archive's pictures are there as long as this is open.

    Raises:
        CatalogError: there is none.
    """
    with tempfile.TemporaryDirectory() as scratch:
        yield choose_queries(
            recommender,
            Path(scratch),
            archive=options.queries,
            split=options.split,
            sample=options.sample,
        )
