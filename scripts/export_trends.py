"""Write every chart of a catalog as CSV, interactive page and picture, and one report of all.

python -m scripts.export_trends --data data/kaggle --out trends

The pictures (SVG and PNG) need Chromium, or Chrome, on the PATH; the rest needs nothing.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from recommender.catalog.items import catalog_frame, load_catalog
from recommender.charts.chart import PLACE, prepared
from recommender.charts.export import find_chromium, write_pages, write_pictures
from recommender.store.manifest import MANIFEST_FILE
from recommender.store.store import Store
from recommender.trends.sections import NAMES, Periods, draw
from scripts.command import plain_errors


def read_frame(directory: Path) -> pd.DataFrame:
    """A catalog's columns, with its items' places on the style map where its store has one."""
    if not (directory / MANIFEST_FILE).exists():
        return catalog_frame(load_catalog(directory / "catalog"))
    store = Store.open(directory)
    if store.places is None:
        return store.frame
    places = pd.DataFrame(store.places, index=store.ids, columns=list(PLACE))
    return store.frame.join(places, on="id")


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="the store's folder")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument(
        "--no-pictures", action="store_true", help="neither SVG nor PNG, also where Chromium is"
    )
    options = parser.parse_args(argv)
    frame = read_frame(options.data)
    charts = draw(prepared(frame), NAMES, Periods())
    title = f"Trends of a catalog of {len(frame):,} items"
    written = write_pages(charts, options.out, title)
    chromium = None if options.no_pictures else find_chromium()
    if chromium:
        written += write_pictures(charts, options.out, chromium)
    print(f"wrote {len(written)} files to {options.out}: {len(charts)} charts and report.html")
    if not chromium and not options.no_pictures:
        print("no pictures: they need Chromium, or Chrome, on the PATH")
    return 0


if __name__ == "__main__":
    sys.exit(main())
