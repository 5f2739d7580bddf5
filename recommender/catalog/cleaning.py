"""Rows as a source has them -> trimmed, typed, each id once; what was left out is reported."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from recommender.errors import CatalogError
from recommender.schema import COLUMNS

REPORT_FILE = "report.json"
_MISSING = {"", "NA"}


@dataclass(frozen=True)
class RawCatalog:
    """What a source found, before cleaning.

    `rows` has the columns of `COLUMNS` as strings (None or NaN where missing), one row an item;
    `read_picture(position)` gives the encoded bytes of the picture of that row, or None where the
    source has none, and may be called from several threads.
    """

    rows: pd.DataFrame
    read_picture: Callable[[int], bytes | None]
    repaired_ids: Sequence[str] = ()


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

    def skip(self, item_id: object, reason: str) -> None:
        self.skipped.append({"id": str(item_id), "reason": reason})

    def summary(self, max_listed: int = 20) -> str:
        """A few lines for a person: the counts, then the rows left out with their reasons."""
        lines = [f"{self.items:,} items from {self.rows:,} rows of {self.source}"]
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
    """Trim every value and turn blanks and `NA` into missing; nothing else is changed.

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

    def clean(value: Any) -> str | None:
        text = "" if pd.isna(value) else " ".join(str(value).split())
        return None if text in _MISSING else text

    cleaned = pd.DataFrame(
        {name: pd.Series([clean(v) for v in rows[name]], dtype=object) for name in COLUMNS}
    ).set_index(rows.index)

    texts = cleaned["id"].tolist()
    years = [_whole_number(value, upper=9999) for value in cleaned["year"]]
    cleaned["id"] = pd.array([_whole_number(t, upper=2**63 - 1) for t in texts], dtype="Int64")
    cleaned["year"] = pd.array(years, dtype="Int32")
    left_out = cleaned["id"].isna() | cleaned["id"].duplicated()
    for position in np.flatnonzero(left_out):
        no_number = pd.isna(cleaned["id"].iloc[position])
        reason = "the id is not a whole number" if no_number else "an earlier row has the same id"
        report.skip(texts[position], reason)
    return cleaned[~left_out].astype({"id": "int64"})


def _whole_number(text: str | None, *, upper: int) -> int | None:
    """`2012`, and `2012.0` as a float column writes it; None for anything else."""
    digits = (text or "").removesuffix(".0")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        return None
    return number if (number := int(digits)) <= upper else None
