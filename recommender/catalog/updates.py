"""A catalog that changes: items are added, changed and removed; the rest stays as it is.

What is written is a catalog beside the former one, whose files are left alone: a store that was
built of it is served until the new one has been embedded. Running an update twice is running it
once.
"""

import re
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc
from pandas.api.types import is_integer_dtype

from recommender.catalog.cleaning import CatalogReport, RawCatalog, clean_rows, spell_labels
from recommender.catalog.features import features_of
from recommender.catalog.items import (
    add_pictures,
    catalog_frame,
    changing,
    load_catalog,
    pixel_hash,
)
from recommender.catalog.own import own_types
from recommender.catalog.shards import pieces_of_changed, write_catalog
from recommender.catalog.values import cleaned as cleaned_value
from recommender.catalog.values import whole_number
from recommender.catalog.views import (
    VIEWS,
    View,
    are_those,
    only,
    views_within,
)
from recommender.errors import CatalogError, ImageError
from recommender.schema import COLUMNS, LABELS, PICTURE_COLUMNS, Id

_COMPARED_AT_ONCE = 1_000
_SHOWN = 5
_TOLD_BY = ("productDisplayName", PICTURE_COLUMNS[1])
"""By which an item is known again under another id: name and picture."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """The ids that an update adds, changes and removes, and what it leaves out, with the reason.

    `notes` are what was read as what, and which values it emptied.
    """

    added: tuple[Id, ...] = ()
    changed: tuple[Id, ...] = ()
    removed: tuple[Id, ...] = ()
    skipped: tuple[dict[str, str], ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)

    def summary(self) -> str:
        """One line of counts, what was read as what, then the rows left out."""
        counts = f"{len(self.added):,} added, {len(self.changed):,} changed"
        lines = [f"{counts}, {len(self.removed):,} removed", *self.notes]
        return "\n".join([*lines, *(f"  left out {s['id']}: {s['reason']}" for s in self.skipped)])


def update_catalog(
    raw: RawCatalog | None,
    directory: Path,
    *,
    source: str,
    remove: Collection[Id] = (),
    whole: bool = False,
    allow_removing: int = 0,
    labels_only: bool = False,
) -> Update:
    """Add and change the items of `raw`, remove others, and write the catalog that results.

    A row whose picture cannot be read is left out; the item that it would change stays.

    Args:
        raw: the items to add or to change; None for none.
        directory: the catalog.
        source: how the report names what came.
        remove: ids of items to remove, perhaps as texts; those that are not there are listed as
            left out.
        whole: whether `raw` is all there should be: items that it lacks are removed.
        labels_only: whether the items of `raw` keep the pictures that they have; others are left
            out.
        allow_removing: so many may be, where they are more than a fifth of the catalog.

    Returns:
        What was done; nothing is written where nothing changes.

    Raises:
        CatalogError: an id comes twice, a column is missing, a row of what should be whole cannot
            be read, too many items or all would be removed, or the catalog cannot be written. It
            is then as it was.
        StoreError: there is no whole catalog.
    """
    items = load_catalog(directory)
    held = items.data.table["id"].to_numpy()
    ids = pd.Index(held, dtype=held.dtype)
    there: set[Any] = set(ids.tolist())
    numbered = is_integer_dtype(ids.dtype)
    going: set[Any] = {_read(i, numbered=numbered) if isinstance(i, str) else i for i in remove}
    report = CatalogReport(source=source) if raw is None else CatalogReport.of(raw, source)
    with changing(directory) as building:
        fresh, named = items.select([]), set[Id]()
        columns = frame = catalog_frame(items, np.empty(0, np.int64))  # of the items that are named
        if raw is not None and labels_only:
            raw = _with_pictures_of(raw, items, ids, numbered=numbered)
        if raw is not None:
            cleaned = clean_rows(
                raw.rows.reset_index(drop=True),
                report,
                numbered=numbered,
                own=own_types(frame),
            )
            cleaned = spell_labels(cleaned, report, _words_of(items))
            if twice := [skip["id"] for skip in report.skipped if "same id" in skip["reason"]]:
                raise CatalogError(f"The update holds the id {twice[0]} twice: keep one row of it.")
            if whole and report.skipped:
                unread = [f"{skip['id']} ({skip['reason']})" for skip in report.skipped]
                raise CatalogError(
                    f"Nothing is removed while rows cannot be read: {_some(unread)}."
                )
            named = set(cleaned["id"].tolist())
            rows = ids.get_indexer(cleaned["id"])
            rows = rows[rows >= 0]
            frame = catalog_frame(items, rows)
            cleaned = _with_what_it_lacks(cleaned, {*raw.rows.columns}, frame)
            cleaned = cleaned[_differ(cleaned, raw, items, frame, rows)]
            report.notes += _emptied(cleaned, frame)
            if len(cleaned):
                columns = cleaned
                fresh = add_pictures(cleaned, raw, report, building / "map.arrow")
        if both := sorted(named & going, key=str):
            raise CatalogError(f"The update holds the id {both[0]} and removes it too: do either.")
        for item_id in sorted(going - there, key=str):
            report.skip(item_id, "there is no such item to remove")
        lacking = there - named if whole else set()
        if len(lacking) > max(len(there) / 5, allow_removing):
            raise CatalogError(
                f"The update lacks {len(lacking):,} of {len(there):,} items: say --allow-removing "
                f"{len(lacking)} if they are to go."
            )
        given = fresh["id"][:]
        if len(lacking) > allow_removing:
            _see_that_none_is_misspelt(lacking, fresh, items, ids, report)
        update = Update(
            added=tuple(i for i in given if i not in there),
            changed=tuple(i for i in given if i in there),
            removed=tuple(sorted(there & going | lacking)),
            skipped=tuple(report.skipped),
            notes=tuple(report.notes),
        )
        if not len(there) + len(update.added) - len(update.removed):
            raise CatalogError("The update would leave no item: build another catalog instead.")
        if update.added or update.changed or update.removed:
            kept = ~ids.isin([*update.changed, *update.removed])
            viewed = _have_views(items, kept) or (len(fresh) > 0 and VIEWS in fresh.features)
            features = features_of(_in_order(columns, items), viewed=viewed)
            pieces = pieces_of_changed(directory, kept, fresh.data.table, features.arrow_schema)
            write_catalog(pieces, features, directory, report)
    return update


def _read(text: str, *, numbered: bool) -> Id:
    """The id that a command names in whatever form a table may; itself where it names none."""
    number = whole_number(text) if numbered else None
    return text if number is None else number


def _words_of(items: datasets.Dataset) -> dict[str, dict[str, str]]:
    """A catalog's labels as they are spelt there."""
    spelt = {name: items.data.table[name].unique().drop_null().to_pylist() for name in LABELS}
    return {name: {value: value for value in values} for name, values in spelt.items()}


def _with_what_it_lacks(
    cleaned: pd.DataFrame, said: Collection[str], frame: pd.DataFrame
) -> pd.DataFrame:
    """Rows with all columns of the catalog: what their table lacks stays as it is there.

    Args:
        cleaned: as `clean_rows` gives them.
        said: the columns that the table has.
        frame: as `catalog_frame` gives it.
    """
    rows = pd.Index(frame["id"]).get_indexer(cleaned["id"])
    lacking = [name for name in COLUMNS if name not in said]
    lacking += [name for name in own_types(frame) if name not in cleaned]
    there = frame.reset_index(drop=True)
    for name in lacking:
        values = there[name].reindex(rows).set_axis(cleaned.index)
        if values.dtype == object:
            values = values.where(values.notna(), None)
        cleaned = cleaned.assign(**{name: values})
    return cleaned


def _emptied(cleaned: pd.DataFrame, frame: pd.DataFrame) -> list[str]:
    """Of how many items an update takes a value away, by column."""
    rows = pd.Index(frame["id"]).get_indexer(cleaned["id"])
    before = frame.iloc[rows[rows >= 0]].notna().to_numpy()
    after = cleaned[rows >= 0].reindex(columns=frame.columns).isna().to_numpy()
    counts = dict(zip(frame.columns, (before & after).sum(axis=0).tolist(), strict=True))
    said = [f"{name} of {counts[name]:,}" for name in cleaned.columns if counts.get(name)]
    return [f"emptied, as the table says nothing there: {', '.join(said)}"] if said else []


def _see_that_none_is_misspelt(
    lacking: Collection[Id],
    fresh: datasets.Dataset,
    items: datasets.Dataset,
    ids: pd.Index,
    report: CatalogReport,
) -> None:
    """See that an id which the update lacks is not there in another form.

    Raises:
        CatalogError: a new item has the letters of one, or its name and picture; or a row that
            could not be read is of no item.
    """
    there = {*map(str, ids)}
    unread = [f"{s['id']} ({s['reason']})" for s in report.skipped if s["id"] not in there]
    if unread and lacking:
        raise CatalogError(f"Nothing is removed while rows cannot be read: {_some(unread)}.")
    new = fresh.select_columns(["id", *_TOLD_BY]).to_pandas()
    new = new[~new["id"].isin(ids)]
    gone = catalog_frame(items, np.flatnonzero(ids.isin(list(lacking))))
    alike = []
    letters = {_alike(item_id): item_id for item_id in new["id"]}
    shown = {tuple(row[1:]): row[0] for row in new.itertuples(index=False)}
    for item_id, *told in gone[["id", *_TOLD_BY]].itertuples(index=False):
        same = shown.get(tuple(told)) if told[0] else None  # a name, and its picture
        found = letters.get(_alike(item_id), same)
        alike += [f"{found} for {item_id}"] if found is not None else []
    if alike:
        raise CatalogError(
            f"Nothing is removed while ids may be misspelt: {_some(alike)}. Say --allow-removing "
            f"{len(lacking)} if they are new."
        )


def _alike(item_id: Id) -> str:
    """What spellings of one id have in common: case and signs aside, o as 0, i and l as 1."""
    letters = re.sub(r"[\W_]", "", str(item_id).casefold())
    return letters.translate(str.maketrans("oil", "011"))


def _some(said: list[str]) -> str:
    return ", ".join(said[:_SHOWN]) + (f" and {len(said) - _SHOWN} more" if said[_SHOWN:] else "")


def _in_order(columns: pd.DataFrame, items: datasets.Dataset) -> pd.DataFrame:
    """Columns as the catalog has them one after the other, then others."""
    there = [name for name in items.column_names if name in columns]
    return columns[[*there, *(name for name in columns if name not in there)]]


def _have_views(items: datasets.Dataset, which: npt.NDArray[np.bool_]) -> bool:
    """Whether some of the items have further pictures."""
    if VIEWS not in items.features:
        return False
    counts = pc.list_value_length(items.data.table[VIEWS])
    return bool(pc.any(pc.greater(counts.filter(which), 0)).as_py())


def _with_pictures_of(
    raw: RawCatalog, items: datasets.Dataset, ids: pd.Index, *, numbered: bool
) -> RawCatalog:
    """The same rows, each with the picture of its item."""
    texts = map(cleaned_value, raw.rows["id"])
    named = [whole_number(text) if numbered else text for text in texts]
    wanted = pd.Index([-1 if one is None else one for one in named], dtype=ids.dtype)
    at = ids.get_indexer(wanted).tolist()

    def read_picture(position: int) -> bytes | None:
        place = at[position]
        return None if place < 0 else bytes(items[place]["image"]["bytes"])

    def views(position: int) -> list[View]:
        data = [] if (place := at[position]) < 0 else views_within(items[place])
        return [View("", partial(bytes, one)) for one in data]

    return replace(raw, read_picture=read_picture, views=views)


def _differ(
    cleaned: pd.DataFrame,
    raw: RawCatalog,
    items: datasets.Dataset,
    frame: pd.DataFrame,
    rows: npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    """Which rows of `raw` are new, or differ from their item in a column or a picture's byte.

    Args:
        cleaned: those rows.
        raw: has their pictures.
        items: the catalog.
        frame, rows: those of its items that are named, and where it has them.
    """
    own = frame["image_hash"].to_numpy()
    named = pd.Index(frame["id"]).get_indexer(cleaned["id"])
    differ: npt.NDArray[np.bool_] = named < 0
    there = np.flatnonzero(~differ)
    old, new = (
        table.reindex(columns=cleaned.columns).iloc[at].astype(object).fillna("").to_numpy()
        for table, at in ((frame, named[there]), (cleaned, there))
    )
    differ[there] = (old != new).any(axis=1)

    def differs(position: int, at: int, item: Mapping[str, Any]) -> bool:
        try:
            if raw.read_picture(position) != item["image"]["bytes"]:
                return True
        except ImageError:
            return True  # it is read once more to say why
        return not are_those(raw.views(position), own[at], pixel_hash, views_within(item))

    pictures = only(items, [name for name in ("image", VIEWS) if name in items.features])
    same = np.flatnonzero(~differ)
    same = same[np.argsort(rows[named[same]])]
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(same), _COMPARED_AT_ONCE):
            batch = same[start : start + _COMPARED_AT_ONCE]
            held = pictures[rows[named[batch]].tolist()]
            each = (dict(zip(held, item, strict=True)) for item in zip(*held.values(), strict=True))
            positions = cleaned.index[batch].tolist()
            differ[batch] = list(pool.map(differs, positions, named[batch].tolist(), each))
    return differ
