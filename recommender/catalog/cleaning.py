"""Rows as a source has them -> trimmed, typed, each id once; what was left out is reported."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from recommender.catalog.labels import Vocabulary, replaced, said_of, with_one_spelling
from recommender.catalog.own import own_columns
from recommender.catalog.values import cleaned, whole_number, year_of
from recommender.catalog.views import View
from recommender.errors import CatalogError
from recommender.schema import COLUMNS, LABELS, MAX_LETTERS, Id, folded, key_of

REPORT_FILE = "report.json"
_TWICE = "an earlier row has the same id"
_ROUNDED = re.compile(r"\d([.,]\d+)?E\+\d{1,2}", re.IGNORECASE)


@dataclass(frozen=True)
class RawCatalog:
    """What a source found, before cleaning.

    `rows` has an id, columns of `COLUMNS`, and perhaps a catalog's own, as strings (None or NaN
    where missing), one row an item; `read_picture(position)` gives the encoded bytes of the
    picture of that row, or None where the source has none, and may be called from several threads;
    `views(position)` are further ones, in order. `left_out` are id and reason of rows that could
    not be read, `notes` what was read as what.
    """

    rows: pd.DataFrame
    read_picture: Callable[[int], bytes | None]
    views: Callable[[int], Sequence[View]] = lambda _: ()
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


def clean_rows(
    rows: pd.DataFrame,
    report: CatalogReport,
    *,
    numbered: bool = True,
    own: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Trim every value and turn words for nothing into missing; type what is a catalog's own.

    Args:
        rows: an id, and of `COLUMNS` and a catalog's own what there is, any dtype.
        report: takes what there is to say, and the rows left out, which are those whose id is not
            of the catalog's kind, or was there already.
        numbered: whether the ids are whole numbers, as `are_numbered` tells; else they are texts.
        own: the own columns of the catalog that they come to, as `own_types` gives them.

    Returns:
        The rows kept, in their order and with their old row labels: id int64 or str, year nullable
        int32, the other usual columns str or None, the catalog's own of `own.DTYPES`.

    Raises:
        CatalogError: there is no id, or a column holds what the catalog's does not.
    """
    if "id" not in rows:
        found = ", ".join(map(str, rows.columns)) or "no column at all"
        raise CatalogError(f"The catalog lacks the column id; it has: {found}.")
    rows = rows.assign(**{name: None for name in COLUMNS if name not in rows})
    texts = {str(name): pd.Series(map(cleaned, rows[name]), dtype=object) for name in rows.columns}
    table = pd.DataFrame(texts).set_axis(rows.index)
    usual, ids = table[list(COLUMNS)].copy(), table["id"].tolist()
    read, reasons = _read_ids(ids, numbered)
    usual["id"] = pd.Series(read, index=rows.index, dtype=object)
    years = [year_of(value) for value in usual["year"]]
    pairs = zip(usual["year"], years, strict=True)
    if unread := [text for text, year in pairs if text is not None and year is None]:
        shown = ", ".join(map(repr, dict.fromkeys(unread[:3])))
        report.notes.append(f"left out the year of {len(unread):,} rows, which is none: {shown}")
    usual["year"] = pd.array(years, dtype="Int32")
    typed, notes = own_columns(table, own)
    report.notes += notes
    kept = np.array([reason is None for reason in reasons], dtype=bool)
    for item_id, reason in zip(ids, reasons, strict=True):
        if reason is not None:
            report.skip(item_id, reason)
    whole = pd.concat([usual, typed], axis=1).loc[kept]
    return whole.astype({"id": "int64"}) if numbered else whole


def are_numbered(ids: Iterable[Any]) -> bool:
    """Whether a catalog's ids are whole numbers: all that there are but one, or one in ten.

    >>> are_numbered(["15970", "0042", "total", None]), are_numbered(["SKU-1", "15970", "B00X"])
    (True, False)
    """
    there = [text for text in map(cleaned, ids) if text is not None]
    others = sum(whole_number(text) is None for text in there)
    return others <= max(1, len(there) // 10) and others < max(1, len(there))


def _read_ids(
    texts: Sequence[str | None], numbered: bool
) -> tuple[list[Id | None], list[str | None]]:
    """Ids of one kind, and of each why its row is left out, or None."""
    ids: list[Id | None]
    if numbered:
        ids, wrong = [whole_number(text) for text in texts], "the id is not a whole number"
    else:
        ids = [text if text and _is_text_id(text) else None for text in texts]
        wrong = f"the id is not a text of 1 to {MAX_LETTERS} letters"
    there: set[int] = set()
    reasons: list[str | None] = []
    for text, item_id in zip(texts, ids, strict=True):
        if text is not None and _ROUNDED.fullmatch(text):
            reasons.append(f"a spreadsheet wrote the id as {text}, which may have lost digits")
            continue
        if item_id is None:
            reasons.append(wrong)
            continue
        key = key_of(item_id)
        reasons.append(_TWICE if key in there else None)
        there.add(key)
    return ids, reasons


def _is_text_id(text: str) -> bool:
    """Whether it can stand in an address, where dots alone mean a folder."""
    return text.isprintable() and len(text) <= MAX_LETTERS and text.strip(".") != ""


def spell_labels(
    cleaned: pd.DataFrame, report: CatalogReport, vocabulary: Vocabulary | None = None
) -> pd.DataFrame:
    """Rows whose labels are spelt in one way each, in the words that were told for them.

    Args:
        cleaned: as `clean_rows` gives them.
        report: takes what was changed.
        vocabulary: other words for labels, as `read_vocabulary` gives them.
    """
    spelt = {}
    for name in LABELS:
        values = cleaned[name]
        told = {folded(old): new for old, new in (vocabulary or {}).get(name, {}).items()}
        meant = {v: new for v in values.dropna().unique() if (new := told.get(folded(v), v)) != v}
        values, changed = with_one_spelling(replaced(values, meant), folded)
        spelt[name] = values
        report.notes += [said_of(name, words) for words in (meant, changed) if words]
    return cleaned.assign(**spelt)
