"""Put a store's items into Milvus, where the app finds them; killed, it goes on where it was.

python -m scripts.load_milvus --data data/shop  # Milvus Lite, in data/shop/milvus.db
FASHION_MILVUS_URI=https://milvus.example python -m scripts.load_milvus --data data/shop
"""

import argparse
import os
import sys
from pathlib import Path
from typing import get_args

from recommender.index.milvus import Kind, MilvusConfig
from recommender.service.open import encoder_of
from recommender.store.collection import Contents, load_collection
from recommender.store.store import Store, writing
from scripts.command import plain_errors


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="the store's folder")
    parser.add_argument(
        "--index",
        choices=get_args(Kind),
        default=MilvusConfig.kind,
        help="of a new collection: FLAT is exact, the others are faster where items are millions",
    )
    parser.add_argument(
        "--prune",
        action="store_true",
        help="remove the rows of versions that are served no more",
    )
    options = parser.parse_args(argv)
    config = MilvusConfig.read(os.environ, options.data, kind=options.index)
    with writing(options.data):
        store = Store.open(options.data)
        agreement = encoder_of(store, device="cpu").agreement
        loaded = load_collection(Contents(store), agreement, config, prune=options.prune)
    print(f"Milvus at {config.place}: {loaded.summary()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
