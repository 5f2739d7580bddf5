"""How much of a catalog each of its columns knows."""

from typing import TypedDict

import pandas as pd

from recommender.catalog.own import columns_of
from recommender.schema import COLUMNS, Kind


class Filled(TypedDict):
    """A column: of what kind, of how many items it says something, in how many values."""

    column: str
    kind: Kind
    own: bool
    items: int
    share: float
    values: int


def filled_columns(frame: pd.DataFrame) -> list[Filled]:
    """Each column of a catalog, the usual ones first.

    Args:
        frame: as `catalog_frame` gives it.
    """
    return [
        Filled(
            column=column.name,
            kind=column.kind,
            own=column.name not in COLUMNS,
            items=int(frame[column.name].notna().sum()),
            share=round(float(frame[column.name].notna().mean()), 4),
            values=int(frame[column.name].nunique()),
        )
        for column in columns_of(frame)
    ]


def as_markdown(columns: list[Filled]) -> str:
    """A table of the columns of a catalog's own."""
    head = "| column | kind | items that have it | values |\n|---|---|---|---|\n"
    rows = [
        f"| `{of['column']}` | {of['kind'].replace('_', ' or ')} | {of['items']:,} "
        f"({of['share']:.1%}) | {of['values']:,} |"
        for of in columns
        if of["own"]
    ]
    return head + "\n".join(rows)
