"""A table as people's tools write it -> rows of text, and what could not be told apart."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

import numpy as np
import pandas as pd

from recommender.catalog.columns import NAME, YEAR, meaning_of
from recommender.catalog.values import is_missing, whole_number
from recommender.errors import CatalogError

_DELIMITERS = ",;\t|"
_MAX_SHEET_BYTES = 2**29
_SEP = re.compile(r'\s*"?sep=([^"\w\s]|\t)"?\1*[ \t]*(\r\n|\r|\n)', re.IGNORECASE)


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


def read_table(data: bytes, name: str, *, encoding: str = "") -> Table:
    """Read a file by its name's suffix, as one of `READERS` or else as delimited text.

    Args:
        data: the file.
        name: of the file, for the messages.
        encoding: of text; told by the bytes if empty.

    Raises:
        CatalogError: it cannot be read, or holds no row; names what was found.
    """
    read = READERS.get(name.lower().rpartition(".")[2], read_delimited)
    table = read(data, name, encoding)
    if not len(table.rows) and not table.left_out:
        raise CatalogError(f"{name} has a header but no row.")
    return table


# Delimited text.


def read_delimited(data: bytes, name: str, encoding: str = "") -> Table:
    """A CSV or one of its kin: the delimiter is the header's commonest.

    The name is the one free text of a table, so any fields too many belong to it, where the rest
    of the row is still what it should be.
    """
    text, notes = decode(data, name, encoding)
    text = text.replace("\0", "")
    if told := _SEP.match(text):  # which Excel writes and reads
        text = text[told.end() :]
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = told[1] if told else max(_DELIMITERS, key=_outside_quotes(first).count)
    lines = _split_rows(text, delimiter)
    try:
        header = _trimmed([column.strip() for column in next(lines, [])])
        rows = list(lines)
    except csv.Error as error:
        raise CatalogError(f"{name} cannot be read: {error}.") from error
    if len(set(header)) < len(header):
        raise CatalogError(f"{name} has a column twice: {', '.join(header)}.")
    table = Table(pd.DataFrame(), notes=notes)
    tables: list[tuple[list[str], list[list[str | None]]]] = [(header, [])]
    for at, line in enumerate(rows):
        values = [value.strip() for value in line]
        if not any(values):
            continue
        if again := _header_again(_trimmed(values), header):  # of a second table, after the first
            if again != header:
                notes.append(f"read another table from its header on: {', '.join(again)}")
            tables.append((again, []))
            continue
        columns, kept = tables[-1]
        row = _trimmed(line, len(columns))
        cut = at == len(rows) - 1 and len(row) < len(columns) and not text.endswith(("\n", "\r"))
        fitted = _fitted(row, columns, delimiter, table, cut=cut)
        if fitted is not None:
            kept.append(fitted)
    frames = [pd.DataFrame(kept, columns=columns, dtype=object) for columns, kept in tables]
    whole = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    return Table(whole.astype(object), table.repaired, table.left_out, notes)


def _header_again(values: list[str], header: list[str]) -> list[str] | None:
    """What a row names as columns where it is a header, spelt as the first one; None where not.

    It is one where its cells are names of columns, at least two of them, or all that there are; or
    where the id's is among them.
    """
    spelt = {column.casefold(): column for column in header}
    names = [spelt.get(value.casefold(), value) for value in values]
    known = [name for name in names if name in header]
    ids = [column for column in header if meaning_of(column) == "id"]
    enough = len(known) >= min(2, len(header)) and len(set(names)) == len(names)
    return names if enough and (len(known) == len(names) or {*ids} & {*known}) else None


def _fitted(
    row: list[str], header: list[str], delimiter: str, table: Table, *, cut: bool
) -> list[str | None] | None:
    """A row with as many fields as the header, or None where they cannot be told apart."""
    extra = len(row) - len(header)
    named = [meaning_of(column) for column in header]
    item_id = row[named.index("id")] if "id" in named[: len(row)] else row[0]
    if cut:
        reason = f"the table ends within this row: it has {len(row)} of {len(header)} fields"
        table.left_out.append((item_id, reason))
        return None
    if extra > 0:
        count = len(row)
        if NAME in named:
            start = named.index(NAME)
            end = start + extra + 1
            row = [*row[:start], delimiter.join(row[start:end]), *row[end:]]
            item_id = row[named.index("id")] if "id" in named else row[0]
        year = row[named.index(YEAR)] if YEAR in named else ""
        if len(row) > len(header) or not (is_missing(year) or whole_number(year) is not None):
            reason = f"it has {count} fields where the table has {len(header)} columns"
            table.left_out.append(
                (item_id, f"{reason}: put quotes around what has a {delimiter!r}")
            )
            return None
        table.repaired.append(item_id)
    return [*row, *[None] * (len(header) - len(row))]


def _trimmed(row: list[str], least: int = 0) -> list[str]:
    """Without the empty fields at its end that a line's last delimiters make, down to `least`."""
    while len(row) > least and not row[-1].strip():
        row = row[:-1]
    return row


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


def _split_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """The fields of each row, the header first.

    A quote that opens and never closes would make one field of all the rows up to the next quote:
    where a line within the quotes is a row by itself, the quote is taken as a plain character.
    """
    mark = re.escape(delimiter)
    # Some write a quote within quotes as \", others a space before a field's quotes.
    escaped = re.compile(rf'(?<=\w|\s|[^{mark}\\"])\\"(?!\s*({mark}|$))')
    quoted, spaced = re.compile(rf'(^|{mark})"[^"]*\\"'), re.compile(rf'{mark} +"')
    lines = [
        escaped.sub('""', line) if '\\"' in line and quoted.search(line) else line
        for line in io.StringIO(text, newline="").readlines()
    ]
    at, width = 0, 2
    while at < len(lines):
        end = at + 1
        opened = lines[at].count('"') % 2 == 1
        while opened and end < len(lines) and lines[end].count(delimiter) < width - 1:
            opened = lines[end].count('"') % 2 == 0
            end += 1
        end = at + 1 if opened else end
        block = lines[at:end]
        spaces = any(spaced.search(line) for line in block)
        reader = (
            csv.reader(block, delimiter=delimiter, quoting=csv.QUOTE_NONE)
            if opened
            else csv.reader(block, delimiter=delimiter, skipinitialspace=spaces)
        )
        rows = list(reader)
        yield from rows
        width = max(width, len(rows[0])) if rows and at == 0 else width
        at = end


def decode(data: bytes, name: str, encoding: str = "") -> tuple[str, list[str]]:
    """Bytes as text, and a note where it took a guess.

    UTF-8 and UTF-16 tell themselves. What else has few letters beyond ASCII beside each other is
    Windows-1252, in which Excel saves in the West; other code pages are for people to name.

    Raises:
        CatalogError: it is of another encoding.
    """
    try:
        if encoding:
            return data.decode(encoding).removeprefix("\ufeff"), []
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16"), []
        zeros = [data[start:1000:2].count(0) for start in (0, 1)]
        if max(zeros) > len(data[:1000]) // 4:  # every second byte of a text without a mark
            return data.decode("utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"), []
    except LookupError as error:
        raise CatalogError(
            f"There is no encoding {encoding!r}: utf-8 is one, cp1251 too."
        ) from error
    except UnicodeDecodeError as error:
        raise CatalogError(f"{name} is not {encoding or 'UTF-16'} throughout.") from error
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        pass
    if (mixed := _line_by_line(data, name)) is not None:
        return mixed
    try:
        if not re.search(rb"[\x80-\xff]{4}", data):
            note = f"read {name} as Windows-1252, since it is not UTF-8"
            return data.decode("cp1252"), [note]
    except UnicodeDecodeError:
        pass
    raise CatalogError(
        f"{name} is neither UTF-8 nor Windows-1252: name its encoding by --encoding, such as "
        "cp1251 or gb18030."
    )


def _line_by_line(data: bytes, name: str) -> tuple[str, list[str]] | None:
    """UTF-8 into which lines of Windows-1252 were put; None where no line is UTF-8 beyond ASCII."""
    lines, odd, known = [], 0, False
    for line in data.splitlines(keepends=True):
        try:
            lines.append(line.decode("utf-8"))
            known |= not line.isascii()
        except UnicodeDecodeError:
            try:
                lines.append(line.decode("cp1252"))
            except UnicodeDecodeError:
                return None
            odd += 1
    if not known:
        return None
    note = f"read {odd:,} lines of {name} as Windows-1252, since they alone are not UTF-8"
    return "".join(lines).removeprefix("\ufeff"), [note]


# Others.


def _read_sheet(data: bytes, name: str, encoding: str = "") -> Table:
    """The first sheet of a workbook."""
    import openpyxl  # only these files need it

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
        if size > _MAX_SHEET_BYTES:
            raise CatalogError(f"{name} would unpack to {size:,} bytes.")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        lines = ([*row] for row in book.worksheets[0].iter_rows(values_only=True))
        filled = [line for line in lines if not all(value is None for value in line)]
    except CatalogError:
        raise
    except Exception as error:  # whatever its parsers happen to raise
        raise CatalogError(f"{name} is no workbook that can be read.") from error
    header, *rows = filled or [[]]
    named = [at for at, column in enumerate(header) if column is not None]
    columns = [str(header[at]).strip() for at in named]
    if len(set(columns)) < len(columns):
        raise CatalogError(f"{name} has a column twice: {', '.join(columns)}.")
    values = [[row[at] for at in named] for row in rows]
    return Table(as_text(pd.DataFrame(values, columns=columns, dtype=object)))


def _read_json_lines(data: bytes, name: str, encoding: str = "") -> Table:
    """An object a line, or a list of objects."""
    text, notes = decode(data, name, encoding)
    records: list[Any] = []
    if text.lstrip().startswith("["):
        with suppress(ValueError, RecursionError):
            records = json.loads(text)
        if not records or not all(isinstance(record, dict) for record in records):
            raise CatalogError(f"{name} is no list of JSON objects.")
        text = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise CatalogError(f"Line {number} of {name} is no JSON object.")
        records.append(record)
    return Table(as_text(pd.DataFrame(records, dtype=object)), notes=notes)


def _read_parquet(data: bytes, name: str, encoding: str = "") -> Table:
    try:
        rows = pd.read_parquet(io.BytesIO(data))
    except Exception as error:  # whatever Arrow happens to raise
        raise CatalogError(f"{name} is no Parquet file that can be read.") from error
    if named := [level for level in rows.index.names if level not in (None, *rows.columns)]:
        rows = rows.reset_index(level=named)
    return Table(as_text(rows))


def as_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Values of any kind as text, None where they are missing."""
    texts = {str(name): pd.Series(map(_as_text, rows[name]), dtype=object) for name in rows}
    return pd.DataFrame(texts, index=rows.index)


def _as_text(value: Any) -> str | None:
    """One value; lists and fields as people write them.

    >>> _as_text(["red", "blue"]), _as_text({"collar": "spread", "toe": None}), _as_text([])
    ('red, blue', 'collar: spread', None)
    """
    if is_missing(value):
        return None
    if isinstance(value, Mapping):
        pairs = ((name, _as_text(of)) for name, of in value.items())
        return "; ".join(f"{name}: {text}" for name, text in pairs if text) or None
    if isinstance(value, list | tuple | np.ndarray):
        return ", ".join(text for of in value if (text := _as_text(of))) or None
    if isinstance(value, datetime) and value.time() == time.min:
        return str(value.date())  # as a spreadsheet holds a day
    return str(value)


READERS: dict[str, Callable[[bytes, str, str], Table]] = {
    "csv": read_delimited,
    "tsv": read_delimited,
    "xlsx": _read_sheet,
    "xlsm": _read_sheet,
    "jsonl": _read_json_lines,
    "json": _read_json_lines,
    "ndjson": _read_json_lines,
    "parquet": _read_parquet,
}
"""A suffix of a table's file -> what reads it."""
