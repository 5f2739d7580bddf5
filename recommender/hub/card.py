"""The card of a catalog on the Hub: front matter, figures and, if it may be, a grid of pictures."""

import html
import io
import json
import re
from collections.abc import Mapping, Sequence

import datasets
import pandas as pd
from PIL import Image

from recommender.catalog.items import PICTURE_LIMITS
from recommender.pictures.decode import decode_image
from recommender.schema import LABELS
from recommender.store.store import Store

GRID_FILE = "thumbnails.jpg"
_COLUMNS, _ROWS = 12, 5
_TILE_PX = (60, 80)
_MOST_FREQUENT = 10
_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M")


def make_card(
    store: Store, shards: Sequence[str], *, title: str, licence: str, grid: bool
) -> Mapping[str, bytes]:
    """Write a dataset's card.

    Args:
        store: of which it is the card.
        shards: paths of the Parquet files in the repo.
        title: of the card.
        licence: as the Hub names it, such as `mit` or `other`.
        grid: whether the licence of the pictures allows to show some on the card.

    Returns:
        `README.md` and, with a grid, its picture: path -> bytes.
    """
    frame, manifest = store.frame, store.manifest
    data_files = [{"split": "train", "path": list(shards)}]
    head = {
        "license": licence,
        "pretty_name": title,
        "task_categories": ["image-feature-extraction"],
        "tags": ["fashion", "image-retrieval"],
        "size_categories": [_SIZES[min(len(str(max(len(frame), 100))) - 3, len(_SIZES) - 1)]],
        "configs": [{"config_name": "default", "data_files": data_files}],
    }
    # JSON is YAML, whatever a value holds.
    matter = "\n".join(f"{key}: {json.dumps(value)}" for key, value in head.items())
    years = frame["year"].dropna()
    span = f", listed {years.min()} to {years.max()}" if len(years) else ""
    text = [
        f"---\n{matter}\n---\n\n# {title}\n",
        f"{len(frame):,} items{span}: one picture and the columns of a fashion catalog each, with "
        f"their embeddings ({manifest.dim} dimensions) and a search index ready to be served.\n",
    ]
    if grid:
        text.append(f"![Some of the items]({GRID_FILE})\n")
    text += [_counts(frame, name) for name in LABELS]
    text.append(
        "## What is where\n\n"
        "`data/` holds the catalog as Parquet, `store/` the embeddings, the ids and the FAISS "
        "index, `manifest.json` the sha256 of each and what made them: "
        f"encoder `{manifest.encoder.get('fingerprint')}`, index "
        f"`{manifest.index.get('factory')}`, recall@10 {manifest.recall_at_10:.4f}.\n"
    )
    files = {"README.md": "\n".join(text).encode()}
    if grid:
        files[GRID_FILE] = _grid(store.items)
    return files


def _plain(text: str) -> str:
    """A text of the catalog in Markdown, as it stands: no markup, no HTML, one line.

    >>> _plain("<b>*Tops*</b> | [all](x)")
    '&lt;b&gt;\\\\*Tops\\\\*&lt;/b&gt; \\\\| \\\\[all\\\\](x)'
    """
    line = html.escape(" ".join(text.split()), quote=False)
    marked = re.sub(r"([\\`*_{}\[\]#|~!])", r"\\\1", line)
    # An address is no link: nothing that is seen stands between its parts.
    return re.sub(r"(?i)((?:https?|ftp|www|mailto|xmpp)(?=[:.])|@)", "\\1\u200b", marked)


def _counts(frame: pd.DataFrame, name: str) -> str:
    """A table of a label's most frequent values."""
    counts = frame[name].value_counts()
    rows = [
        f"| {_plain(str(value))} | {count:,} | {count / len(frame):.1%} |"
        for value, count in counts.head(_MOST_FREQUENT).items()
    ]
    more = len(counts) - _MOST_FREQUENT
    rest = f"\n… and {more} more.\n" if more > 0 else ""
    missing = int(frame[name].isna().sum())
    lacking = f"\n{missing:,} items lack it.\n" if missing else ""
    head = f"## {name}\n\n| {name} | items | share |\n|---|---:|---:|"
    return "\n".join([head, *rows]) + "\n" + rest + lacking


def _grid(items: datasets.Dataset) -> bytes:
    """A JPEG of items from all over the catalog, each on white."""
    count = min(len(items), _COLUMNS * _ROWS)
    width, height = _TILE_PX
    grid = Image.new("RGB", (_COLUMNS * width, -(-count // _COLUMNS) * height), "white")
    rows = [i * len(items) // count for i in range(count)]
    for place, item in enumerate(items.select(rows)["image"]):
        picture = decode_image(item["bytes"], limits=PICTURE_LIMITS)
        picture.thumbnail(_TILE_PX)
        left, top = place % _COLUMNS * width, place // _COLUMNS * height
        free = (width - picture.width) // 2, (height - picture.height) // 2
        grid.paste(picture, (left + free[0], top + free[1]))
    file = io.BytesIO()
    grid.save(file, "JPEG", quality=85)
    return file.getvalue()
