"""The columns of an item: what filters, cards, trends, labels and reports are derived from."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "choice", "year", "text"]
"""`choice` is one of a few words, `text` is free; all but the id may be missing."""


@dataclass(frozen=True)
class Column:
    """A column of a catalog; `noun` is what one of its values is called."""

    name: str
    kind: Kind
    noun: str

    @property
    def title(self) -> str:
        """What a box, a card or a table calls it."""
        return self.noun[:1].upper() + self.noun[1:]


SCHEMA = (
    Column("id", "id", "id"),
    Column("gender", "choice", "gender"),
    Column("masterCategory", "choice", "category"),
    Column("subCategory", "choice", "sub-category"),
    Column("articleType", "choice", "article type"),
    Column("baseColour", "choice", "colour"),
    Column("season", "choice", "season"),
    Column("year", "year", "year"),
    Column("usage", "choice", "usage"),
    Column("productDisplayName", "text", "name"),
)
"""The columns of Kaggle's `styles.csv`, in its order."""

COLUMNS = tuple(column.name for column in SCHEMA)
LABELS = tuple(column.name for column in SCHEMA if column.kind == "choice")
NOUNS = {column.name: column.noun for column in SCHEMA if column.kind != "id"}
TITLES = {column.name: column.title for column in SCHEMA}

ATTRIBUTES = (*LABELS, "year")
"""Columns by which items are told apart."""
