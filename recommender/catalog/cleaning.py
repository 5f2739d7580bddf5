"""Rows as a source has them -> trimmed, typed, each id once; what was left out is reported."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from recommender.catalog.values import cleaned, whole_number
from recommender.errors import CatalogError
from recommender.schema import COLUMNS

REPORT_FILE = "report.json"


@dataclass(frozen=True)
class RawCatalog:
    """What a source found, before cleaning.

    `rows` has the columns of `COLUMNS` as strings (None or NaN where missing), one row an item;
    `read_picture(position)` gives the encoded bytes of the picture of that row, or None where the
    source has none, and may be called from several threads. `left_out` are id and reason of rows
    that could not be read, `notes` what was read as what.
    """

    rows: pd.DataFrame
    read_picture: Callable[[int], bytes | None]
    repaired_ids: Sequence[str] = ()
    left_out: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()


@dataclass(kw_only=True)
class CatalogReport:
    """What was read, repaired and left out, and why. Stored beside the catalog."""

    source: str
    rows: int = 0
    items: int = 0
    repaired: list[str] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)
    missing: dict[str, int] = field(default_factory=dict)
    fingerprint: str = ""
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, raw: RawCatalog, source: str) -> "CatalogReport":
        """The report of what a source found, before its rows are looked at."""
        report = cls(source=source, rows=len(raw.rows) + len(raw.left_out))
        report.repaired, report.notes = list(raw.repaired_ids), list(raw.notes)
        for item_id, reason in raw.left_out:
            report.skip(item_id, reason)
        return report

    def skip(self, item_id: object, reason: str) -> None:
        self.skipped.append({"id": str(item_id), "reason": reason})

    def summary(self, max_listed: int = 20) -> str:
        """A few lines for a person: the counts, then the rows left out with their reasons."""
        lines = [f"{self.items:,} items from {self.rows:,} rows of {self.source}"]
        lines += self.notes
        if self.repaired:
            lines.append(f"repaired {len(self.repaired)} rows with an unquoted comma in the name")
        if missing := {name: count for name, count in self.missing.items() if count}:
            lines.append("missing: " + ", ".join(f"{n} {c:,}" for n, c in missing.items()))
        lines.append(f"left out {len(self.skipped)} rows")
        lines += [f"  {s['id']}: {s['reason']}" for s in self.skipped[:max_listed]]
        if len(self.skipped) > max_listed:
            lines.append(f"  … and {len(self.skipped) - max_listed} more, in {REPORT_FILE}")
        return "\n".join(lines)


def clean_rows(rows: pd.DataFrame, report: CatalogReport) -> pd.DataFrame:
    """Trim every value and turn words for nothing into missing; nothing else is changed.

    Args:
        rows: the columns of `COLUMNS` (others are ignored), any dtype.
        report: takes the rows left out, which are those whose id is not a whole number from 0 to
            2^63 - 1, or was there already.

    Returns:
        The rows kept, in their order and with their old row labels: id int64, year nullable int32,
        the rest str or None.

    Raises:
        CatalogError: a column is missing; the message names what was found.
    """
    if absent := [name for name in COLUMNS if name not in rows.columns]:
        found = ", ".join(map(str, rows.columns)) or "no column at all"
        raise CatalogError(f"The catalog lacks the column {', '.join(absent)}; it has: {found}.")
    table = pd.DataFrame(
        {name: pd.Series(map(cleaned, rows[name]), dtype=object) for name in COLUMNS}
    ).set_index(rows.index)
    texts = table["id"].tolist()
    numbers = [whole_number(text) for text in texts]
    years = [whole_number(value, upper=9999) for value in table["year"]]
    table["id"] = pd.array(numbers, dtype="Int64")
    table["year"] = pd.array(years, dtype="Int32")
    left_out = table["id"].isna() | table["id"].duplicated()
    for position in np.flatnonzero(left_out):
        no_number = pd.isna(table["id"].iloc[position])
        reason = "the id is not a whole number" if no_number else "an earlier row has the same id"
        report.skip(texts[position], reason)
    return table[~left_out].astype({"id": "int64"})
