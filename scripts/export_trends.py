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
from recommender.store.manifest import MANIFEST_FILE, load_manifest
from recommender.store.store import load_index
from recommender.store.style_map import load_map
from recommender.trends.sections import NAMES, Periods, draw
from scripts.command import plain_errors


def with_places(frame: pd.DataFrame, store: Path) -> pd.DataFrame:
    """A catalog with its items' places on the style map, where its store has one."""
    if not (store / MANIFEST_FILE).exists():
        return frame
    manifest = load_manifest(store)
    ids = load_index(store, manifest).ids
    if (places := load_map(store, manifest.files, ids)) is None:
        return frame
    return frame.join(pd.DataFrame(places, index=ids, columns=list(PLACE)), on="id")


@plain_errors(OSError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="the store's folder")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument(
        "--no-pictures", action="store_true", help="neither SVG nor PNG, also where Chromium is"
    )
    options = parser.parse_args(argv)
    frame = with_places(catalog_frame(load_catalog(options.data / "catalog")), options.data)
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
