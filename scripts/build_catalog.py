"""Read a source, clean it and write the catalog of a store.

python -m scripts.build_catalog --source demo --data data/demo
python -m scripts.build_catalog --source fashion-product-images-small.zip --data data/kaggle
python -m scripts.build_catalog --source small.zip --styles styles.zip --data data/kaggle
python -m scripts.build_catalog --source shop.zip --columns name=titre,id=ref --data data/shop
"""

import argparse
import sys
from pathlib import Path

from recommender.catalog.addresses import fetch_pictures
from recommender.catalog.columns import read_told
from recommender.catalog.items import build_catalog
from recommender.catalog.labels import read_vocabulary
from recommender.catalog.sources import read_source
from recommender.store.store import writing
from scripts.command import add_table_settings, plain_errors


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--source",
        default="demo",
        help="an archive.zip or folder with a table and pictures | kaggle | hub:OWNER/NAME | demo",
    )
    add_table_settings(parser)
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="the store's folder")
    parser.add_argument(
        "--vocabulary",
        type=Path,
        metavar="FILE",
        help="JSON of labels in the source's words -> the encoder's: "
        '{"articleType": {"Hemden": "Shirts"}}',
    )
    options = parser.parse_args(argv)
    vocabulary = read_vocabulary(options.vocabulary) if options.vocabulary else None
    raw = read_source(
        options.source,
        columns=read_told(options.columns),
        encoding=options.encoding,
        styles=options.styles,
        split=options.split,
        config=options.config,
    )
    with writing(options.data, make=True):
        raw = fetch_pictures(raw, options.data / "fetched", fetch=not options.no_fetch)
        report = build_catalog(
            raw, options.data / "catalog", source=options.source, vocabulary=vocabulary
        )
    print(report.summary())
    return 0


if __name__ == "__main__":
    sys.exit(main())
