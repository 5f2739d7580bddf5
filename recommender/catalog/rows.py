"""Lines of fields -> the rows of a table: where its header stands, and whose each field is.

A line with more or fewer fields than there are columns is read where one way to read it fits what
the other rows hold, and else left out: fields are never moved into other columns in silence.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import pandas as pd

from recommender.catalog.columns import NAME, YEAR, meaning_of
from recommender.catalog.values import is_missing, year_of
from recommender.errors import CatalogError
from recommender.schema import folded

PREAMBLE = 10
"""So many lines may stand before a header, such as what the table is and of when."""
_SHOWN, _LONGEST_NAME = 5, 40
_AMOUNT = re.compile(r"\D{0,4}\d{1,3}(,\d{2,3})+(\.\d+)?\D{0,4}")

Line = Sequence[str]
Fields = list[str | None]


@dataclass(frozen=True)
class Table:
    """What was read.

    Attributes:
        rows: a column for each of the table's, as text; None where a row has no such field.
        repaired: ids of rows whose unquoted delimiters were taken for the name's.
        left_out: id and reason of each row that could not be read.
        notes: how it was read, where the file does not say so itself.
    """

    rows: pd.DataFrame
    repaired: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Part:
    """The columns of one table of a file, its lines, and those of as many fields, in order."""

    columns: list[str]
    lines: list[list[str]] = field(default_factory=list)


def is_header(cells: Iterable[str]) -> bool:
    """Whether a line that holds these is a header: usual names of the id and of another column."""
    meanings = {meaning for cell in cells if (meaning := meaning_of(cell))}
    return "id" in meanings and len(meanings) > 1


def table_of(lines: Iterable[Line], name: str, *, delimiter: str = "", ended: bool = True) -> Table:
    """The rows of a table, perhaps of several on end, each with its own header.

    Args:
        lines: of the file, their fields as text.
        name: of the file, for the messages.
        delimiter: what parts the fields, empty where they cannot be mistaken.
        ended: whether the last line is known to be whole.

    Raises:
        CatalogError: it has a column twice.
    """
    filled = [list(line) for line in lines if any(cell.strip() for cell in line)]
    start = _header_in(filled[:PREAMBLE])
    header = _header(filled[start], name) if filled else []
    table = Table(pd.DataFrame())
    if start:
        first = next(cell.strip() for cell in filled[0] if cell.strip())
        table.notes.append(f"left out {start} lines before the header, the first is {first!r}")
    parts = [_Part(header)]
    for line in filled[start + 1 :]:
        values = [value.strip() for value in line]
        if again := _header_again(trimmed(values), header):  # of a second table, after the first
            if again != header:
                table.notes.append(f"read another table from its header on: {', '.join(again)}")
            parts.append(_Part(again))
            continue
        parts[-1].lines.append(trimmed(line, len(parts[-1].columns)))
    if not ended and (last := parts[-1]).lines and len(last.lines[-1]) < len(last.columns):
        row = last.lines.pop()
        count = f"it has {len(row)} of {len(last.columns)} fields"
        reason = f"the table ends within this row: {count}"
        table.left_out.append((_id_in(row, last.columns), reason))
    frames = [
        pd.DataFrame(_fitted(part, delimiter, table), columns=part.columns, dtype=object)
        for part in parts
    ]
    whole = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    return Table(whole.astype(object), table.repaired, table.left_out, table.notes)


def _header_in(lines: Sequence[Line]) -> int:
    """Which of a file's first lines is the header; the first where none is known to be."""
    known = (at for at, line in enumerate(lines) if is_header(line))
    if (found := next(known, None)) is not None:
        return found
    wider = (
        at
        for at, line in enumerate(lines)
        if len(trimmed(line)) > len(trimmed(lines[0])) and "id" in map(meaning_of, line)
    )
    return next(wider, 0)


def _header(line: Line, name: str) -> list[str]:
    """The names of columns; those that have none are called by spaces, as many as they are."""
    cells = trimmed([cell.strip() for cell in line])
    named = [cell for cell in cells if cell]
    if len(set(named)) < len(named):
        raise CatalogError(f"{name} has a column twice: {', '.join(named)}.")
    return [cell or " " * at for at, cell in enumerate(cells)]


def _header_again(values: Line, header: Line) -> list[str] | None:
    """What a row names as columns where it is a header, spelt as the first one; None where not.

    It is one where its cells are names of columns, at least two of them, or all that there are; or
    where the id's is among them, under any of its usual names beside another that is known.
    """
    spelt, meant, ids = _known_names(tuple(header))
    names = [spelt.get(v.casefold(), meant.get(_meaning(v) or "", v)) for v in values]
    known = [name for name in names if name in header]
    enough = len(known) >= min(2, len(header)) and len(set(names)) == len(names)
    return names if enough and (len(known) == len(names) or ids & {*known}) else None


@lru_cache(maxsize=8)
def _known_names(header: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """A header's columns by their small letters, by what they mean, and those that are ids."""
    spelt = {column.casefold(): column for column in header}
    meant = {meaning: column for column in header if (meaning := meaning_of(column))}
    return spelt, meant, {column for column in header if meaning_of(column) == "id"}


@lru_cache(maxsize=2**14)
def _meaning(cell: str) -> str | None:
    """What a cell would mean as a column's name; remembered, as each row asks."""
    return meaning_of(cell) if len(cell) <= _LONGEST_NAME else None


def trimmed(row: Line, least: int = 0) -> list[str]:
    """Without the empty fields at its end that a line's last delimiters make, down to `least`."""
    row = list(row)
    while len(row) > least and not row[-1].strip():
        row.pop()
    return row


def _fitted(part: _Part, delimiter: str, table: Table) -> list[Fields]:
    """Rows of as many fields as there are columns; says what became of the others."""
    columns = part.columns
    count = len(columns)
    held = _Held(columns, [line for line in part.lines if len(line) == count])
    rows: list[Fields] = []
    short = []
    for line in part.lines:
        if len(line) == count:
            rows.append([*line])
            continue
        row = _unescaped(line, count, delimiter) if len(line) > count else line
        item_id = _id_in(row, columns)
        if len(row) > count:
            reason = f"it has {len(row)} fields where the table has {count} columns"
            joined = held.with_whole_name(row, delimiter)
            if joined is None:
                quote = f"{reason}: put quotes around what has a {delimiter!r}"
                table.left_out.append((item_id, quote))
                continue
            row = joined
            table.repaired.append(_id_in(row, columns))
        elif len(row) < count:
            if not held.fit([*row, *[""] * (count - len(row))]):
                reason = f"it has {len(row)} fields where the table has {count} columns"
                table.left_out.append((item_id, f"{reason}: which is lacking cannot be told"))
                continue
            short.append(item_id)
        rows.append([*row, *[None] * (count - len(row))])
    if short:
        shown = ", ".join(short[:_SHOWN]) + (", …" if len(short) > _SHOWN else "")
        table.notes.append(f"{len(short):,} rows end early and lack their last columns: {shown}")
    return rows


def _id_in(row: Line, columns: Line) -> str:
    named = [meaning_of(column) for column in columns]
    return row[named.index("id")] if "id" in named[: len(row)] else row[0]


def _unescaped(row: list[str], count: int, delimiter: str) -> list[str]:
    """Fields that were parted where a backslash says that they go on, if all of them were."""
    whole: list[str] = []
    for cell in row:
        if whole and whole[-1].endswith("\\"):
            whole[-1] = f"{whole[-1][:-1]}{delimiter}{cell}"
        else:
            whole.append(cell)
    return whole if len(whole) == count else row


class _Held:
    """What the rows hold of which nothing is in doubt, to know which other fields may be."""

    def __init__(self, columns: list[str], rows: Sequence[Line]) -> None:
        self.columns = columns
        meanings = [meaning_of(column) for column in columns]
        self.name = meanings.index(NAME) if NAME in meanings else None
        self.year = meanings.index(YEAR) if YEAR in meanings else None
        values = [{row[at].strip() for row in rows} for at in range(len(columns))]
        there = [{value for value in of if not is_missing(value)} for of in values]
        self.numbers = {at for at, of in enumerate(there) if of and all(map(_has_number, of))}
        self.numbered = [any(map(_has_number, of)) for of in there]
        self.words = [{folded(value) for value in of} for of in there]
        self.spaced = any(cell[:1] == " " for row in rows for cell in row[1:])

    def with_whole_name(self, row: list[str], delimiter: str) -> list[str] | None:
        """A row of too many fields whose name has the delimiters; None where that is not sure.

        The name is the one free text of a table. It has them where the others are then what they
        are in other rows, none of them begins as what follows a comma does, and none is several of
        those that its column has elsewhere, or an amount such as 1,299.
        """
        if self.name is None:
            return None
        joined = self._joined(row, self.name, delimiter)
        spaced = delimiter in ",;" and not self.spaced and any(c[:1] == " " for c in joined[1:])
        if spaced or not self.fit(joined):
            return None
        extra = len(row) - len(self.columns) + 1
        for at in range(len(self.columns)):
            several = [cell.strip() for cell in row[at : at + extra]]
            known = at != self.name and self.words[at].issuperset(map(folded, several))
            amount = at in self.numbers and _AMOUNT.fullmatch(",".join(several))
            if (known or amount) and self.fit(self._joined(row, at, delimiter)):
                return None
        return joined

    def fit(self, row: Line) -> bool:
        """Whether numbers and words are where they are in other rows, and no neighbour's word."""
        if self.year is not None:
            year = row[self.year]
            if not (is_missing(year) or year_of(year.strip()) is not None):
                return False
        for at, cell in enumerate(row):
            if is_missing(cell) or at == self.name:
                continue
            if at in self.numbers:
                if not _has_number(cell):
                    return False
                continue
            word = folded(cell.strip())
            if self.words[at] and not self.numbered[at] and _has_number(cell):
                return False
            beside = [self.words[n] for n in (at - 1, at + 1) if 0 <= n < len(row)]
            if word not in self.words[at] and any(word in words for words in beside):
                return False
        return True

    def _joined(self, row: list[str], at: int, delimiter: str) -> list[str]:
        end = at + len(row) - len(self.columns) + 1
        return [*row[:at], delimiter.join(row[at:end]), *row[end:]]


def _has_number(text: str) -> bool:
    """Whether it is a number, perhaps with its currency or unit."""
    return bool(re.search(r"\d", text)) and sum(map(str.isalpha, text)) <= 3
