"""Rows that only go on with the item above them, as shops' exports have one a picture."""

import pandas as pd

from recommender.catalog.columns import MORE_PICTURES, PICTURE
from recommender.catalog.values import cleaned, is_missing
from recommender.schema import COLUMNS, PRICE

_SAYS = (*COLUMNS[1:], PRICE)
"""Columns of which none says anything in such a row."""


def with_further_rows(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Rows whose id is that of an earlier one, and that name but a picture, as its further views.

    Args:
        rows: under the schema's names.

    Returns:
        The other rows, and what there is to say.
    """
    if PICTURE not in rows:
        return rows, []
    ids = [cleaned(item_id) for item_id in rows["id"]]
    said = [name for name in _SAYS if name in rows]
    silent = rows[said].map(is_missing).all(axis=1).to_numpy()
    first: dict[str, int] = {}
    further: dict[int, list[str]] = {}
    kept = []
    for at, item_id in enumerate(ids):
        picture = rows[PICTURE].iloc[at]
        if item_id in first and silent[at] and not silent[first[item_id]]:
            further.setdefault(first[item_id], [])
            if not is_missing(picture):
                further[first[item_id]].append(str(picture))
            continue
        if item_id is not None:
            first.setdefault(item_id, at)
        kept.append(at)
    if not further:
        return rows, []
    there = rows.get(MORE_PICTURES, pd.Series(None, index=rows.index, dtype=object)).tolist()
    for at, pictures in further.items():
        before = [] if is_missing(there[at]) else [str(there[at])]
        there[at] = " | ".join([*before, *pictures]) or None
    rows = rows.assign(**{MORE_PICTURES: pd.Series(there, index=rows.index, dtype=object)})
    count = len(ids) - len(kept)
    note = f"read {count:,} rows that have but a picture as further ones of the items above"
    return rows.iloc[kept].reset_index(drop=True), [note]
