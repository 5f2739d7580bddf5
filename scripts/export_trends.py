"""Write every chart of a catalog as CSV, interactive page and picture, and one report of all.

python -m scripts.export_trends --data data/kaggle --out trends
python -m scripts.export_trends --data data/kaggle --out men --filters '{"gender": ["Men"]}'
python -m scripts.export_trends --data data/kaggle --out trends --own price heelType

The pictures (SVG and PNG) need Chromium, or Chrome, on the PATH; the rest needs nothing.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import pandas as pd

from recommender.catalog.items import catalog_frame, load_catalog
from recommender.catalog.own import columns_of
from recommender.charts.chart import PLACE, narrowed, prepared
from recommender.charts.export import find_chromium, source_of, write_charts
from recommender.schema import keys_of
from recommender.search.filters import FilterTable
from recommender.service.sentences import filters_said
from recommender.store.manifest import MANIFEST_FILE
from recommender.store.store import Store
from recommender.trends.own import OWN, countable, draw_own
from recommender.trends.sections import NAMES, Periods, draw
from scripts.command import plain_errors

USUAL = ("price", "brand", "pattern", "fabric")


def read_frame(directory: Path) -> pd.DataFrame:
    """A catalog's columns, with its items' places on the style map where its store has one."""
    if not (directory / MANIFEST_FILE).exists():
        return catalog_frame(load_catalog(directory / "catalog"))
    store = Store.open(directory)
    if store.places is None:
        return store.frame
    places = pd.DataFrame(store.places, index=store.ids, columns=list(PLACE))
    placed = places.reindex(keys_of(store.frame["id"])).set_axis(store.frame.index)
    return store.frame.join(placed)


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="the store's folder")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument(
        "--no-pictures", action="store_true", help="neither SVG nor PNG, also where Chromium is"
    )
    parser.add_argument(
        "--filters", default="{}", help='of which items alone: {"gender": ["Men"]}, as in the API'
    )
    parser.add_argument(
        "--own",
        nargs="*",
        metavar="COLUMN",
        help=f"columns of the catalog's own; {', '.join(USUAL)} where they are, if not said",
    )
    options = parser.parse_args(argv)
    try:
        filters = json.loads(options.filters)
    except ValueError:
        parser.error('--filters is JSON such as {"gender": ["Men"]}')
    frame = read_frame(options.data)
    catalog = frame.drop(columns=[*PLACE], errors="ignore")
    there = countable(columns_of(catalog))
    if unknown := set(options.own or ()) - set(there):
        parser.error(f"no such column: {', '.join(sorted(unknown))}; {', '.join(there)} are")
    mask = FilterTable(catalog).mask(filters)
    items = prepared(frame if mask is None else frame[mask])
    charts = dict(draw(items, NAMES, Periods()))
    for column in [name for name in USUAL if name in there] if options.own is None else options.own:
        slug = re.sub(r"\W+", "_", column)
        charts |= {f"{name}_{slug}": draw_own(items, name, column) for name in OWN}
    if filters:
        charts = {name: narrowed(chart, filters_said(filters)) for name, chart in charts.items()}
    told = "Trends of a catalog", source_of(len(frame))
    written = write_charts(charts, options.out, *told, pictures=not options.no_pictures)
    print(f"wrote {len(written)} files to {options.out}: {len(charts)} charts and report.html")
    if not options.no_pictures and find_chromium() is None:
        print("no pictures: they need Chromium, or Chrome, on the PATH")
    return 0


if __name__ == "__main__":
    sys.exit(main())
