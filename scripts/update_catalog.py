"""Add, change and remove items of a store; the rest is not embedded again.

python -m scripts.update_catalog --source today.zip --data data/shop
python -m scripts.update_catalog --source all.zip --whole --data data/shop  # the rest is removed
python -m scripts.update_catalog --remove 1163 1164 --data data/shop
"""

import argparse
import gc
import os
import sys
from pathlib import Path

# A second of garbage collection among objects that stay, as in `app.py`.
gc.disable()
from recommender.catalog.addresses import fetch_pictures
from recommender.catalog.columns import read_told
from recommender.catalog.sources import read_source
from recommender.catalog.updates import update_catalog
from recommender.index.faiss import IndexConfig
from recommender.index.milvus import MilvusConfig
from recommender.service.open import encoder_of
from recommender.store.build import build_store
from recommender.store.collection import Contents, load_collection
from recommender.store.store import Store, writing
from recommender.store.style_map import MAP
from scripts.command import add_table_settings, plain_errors

if __name__ == "__main__":
    gc.freeze()  # nor are they looked through later
gc.enable()


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--source",
        help="items to add or to change: an archive.zip or folder with a table and pictures | "
        "kaggle | hub:OWNER/NAME | demo",
    )
    add_table_settings(parser)
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="the store's folder")
    parser.add_argument("--remove", nargs="+", default=[], help="ids of items to remove")
    parser.add_argument(
        "--whole",
        action="store_true",
        help="the source is the whole catalog: items that it lacks are removed",
    )
    parser.add_argument(
        "--labels-only",
        action="store_true",
        help="the source corrects columns: each item keeps its picture",
    )
    parser.add_argument(
        "--allow-removing",
        type=int,
        default=0,
        metavar="N",
        help="how many items --whole may remove, where they are more than a fifth",
    )
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    options = parser.parse_args(argv)
    if not options.source and (options.whole or not options.remove):
        parser.error("name what changes by --source or --remove")
    columns = read_told(options.columns)
    with writing(options.data):
        milvus = MilvusConfig.found(os.environ, options.data)
        store = Store.open(options.data, searched=milvus is not None)
        former = [] if milvus is None else Contents(store).row_names
        encoder = encoder_of(store, device=options.device)
        raw = None
        if options.source:
            raw = read_source(
                options.source,
                columns=columns,
                encoding=options.encoding,
                styles=options.styles,
                split=options.split,
                config=options.config,
                with_pictures=not options.labels_only,
            )
            if not options.labels_only:
                fetched = options.data / "fetched"
                raw = fetch_pictures(raw, fetched, fetch=not options.no_fetch)
        update = update_catalog(
            raw,
            options.data / "catalog",
            source=options.source or "removals",
            remove=options.remove,
            whole=options.whole,
            allow_removing=options.allow_removing,
            labels_only=options.labels_only,
        )
        manifest, _ = build_store(
            options.data,
            lambda _: encoder,
            IndexConfig(**store.manifest.index),
            former=store,
            former_map=MAP.find(options.data, store.manifest.files),
        )
        print(update.summary())
        print(f"{manifest.count:,} items")
        if milvus is not None:
            # Who still reads the former version finds its rows until the next update.
            latest = Contents(Store.open(options.data))
            loaded = load_collection(latest, encoder.agreement, milvus, former=former, prune=True)
            print(f"Milvus at {milvus.place}: {loaded.summary()}")
    return 0


if __name__ == "__main__":
    code = main()
    gc.freeze()  # nor is a million items' looked through at the end
    sys.exit(code)
