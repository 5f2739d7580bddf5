"""A table as people's tools write it -> rows of text, and what could not be told apart."""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, time
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from recommender.catalog.records import read_records
from recommender.catalog.rows import PREAMBLE, Table, is_header, table_of
from recommender.catalog.values import is_missing
from recommender.errors import CatalogError

_DELIMITERS = ",;\t|"
_MAX_SHEET_BYTES = 2**29
_SHOWN = 3
_NOT_ASCII = re.compile(r"\w*[À-ÖØ-öø-ÿŠšŽžŸŒœ]\w*")
_NO_LETTERS = re.compile(
    r"(?<=[^\W\d_])[¡¢£¤¥¦§¬¯±¶¸¹²³¼½¾¿‚„†‡ˆ‰ƒ‹›](?=[^\W\d_])|(?<=[a-zß-ÿ])[ŠŽŸ]"
)
"""What Windows-1252 makes of other code pages: signs within words, capitals after small letters."""
_SINGLE = re.compile(r"\s*'[^'\n]*'([,;\t|]'[^'\n]*')+[ \t]*(\r|\n)")
"""A header all of whose names stand in single quotes, as some databases write them."""
_OTHER_QUOTES = str.maketrans({"'": '"', '"': "'"})
_SEP = re.compile(r'\s*"?sep=([^"\w\s]|\t)"?\1*[ \t]*(\r\n|\r|\n)', re.IGNORECASE)


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
    """A CSV or one of its kin: the delimiter is the header's commonest."""
    text, notes = decode(data, name, encoding)
    text = text.replace("\0", "")
    if told := _SEP.match(text):  # which Excel writes and reads
        text = text[told.end() :]
    if single := _SINGLE.match(text):
        text = text.translate(_OTHER_QUOTES)
    delimiter = told[1] if told else _delimiter_of(text)
    try:
        lines = list(_split_rows(text, delimiter))
        if not told and (inner := _within_quotes(lines)):
            notes.append(f"read the lines of {name}, each of which stands in quotes, without them")
            text, delimiter = inner, _delimiter_of(inner)
            lines = list(_split_rows(text, delimiter))
    except csv.Error as error:
        raise CatalogError(f"{name} cannot be read: {error}.") from error
    if single:
        lines = [[cell.translate(_OTHER_QUOTES) for cell in line] for line in lines]
    table = table_of(lines, name, delimiter=delimiter, ended=text.endswith(("\n", "\r")))
    return replace(table, notes=[*notes, *table.notes])


def _delimiter_of(text: str) -> str:
    """The commonest delimiter of the line that names the id, else of the first that has one."""
    start = (line for line in io.StringIO(text, newline=None) if line.strip())
    first = [_outside_quotes(line) for line in islice(start, PREAMBLE)]
    by_count = [sorted(_DELIMITERS, key=line.count, reverse=True) for line in first]
    for line, delimiters in zip(first, by_count, strict=True):
        for delimiter in delimiters:
            cells = line.split(delimiter)
            if is_header(cells):
                return delimiter
    parted = (one[0] for line, one in zip(first, by_count, strict=True) if line.count(one[0]))
    return next(parted, _DELIMITERS[0])


def _within_quotes(lines: list[list[str]]) -> str:
    """The lines of a table each of which a spreadsheet has put in quotes as a whole, else empty."""
    filled = [line for line in lines if line]
    single = len(filled) > 1 and all(len(line) == 1 for line in filled)
    if not single or not any(mark in filled[0][0] for mark in _DELIMITERS):
        return ""
    return "".join(f"{line[0]}\n" for line in filled)


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
    plain = '\\"' not in text and not any(map(spaced.search, lines))
    if plain and (rows := _strict_rows(lines, delimiter)) is not None:
        yield from rows
        return
    at, width = 0, 0
    while at < len(lines):
        end = at + 1
        opened = lines[at].count('"') % 2 == 1
        while opened and end < len(lines) and lines[end].count(delimiter) < max(width, 2) - 1:
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
        width = width or next((len(row) for row in rows if len(row) > 1), 0)
        at = end


def _strict_rows(lines: list[str], delimiter: str) -> list[list[str]] | None:
    """The rows where all quotes are as a CSV has them, and all rows as wide; None where not.

    Nor where a field of several lines holds what may be rows.
    """
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    widths = {len(row) for row in rows if row}
    width = max(widths, default=0)
    several = (
        cell.splitlines()[1:] for row in rows for cell in row if "\n" in cell or "\r" in cell
    )
    row_like = any(line.count(delimiter) >= max(width - 1, 4) for of in several for line in of)
    return None if len(widths) > 1 or row_like else rows


def decode(data: bytes, name: str, encoding: str = "") -> tuple[str, list[str]]:
    """Bytes as text, and a note where it took a guess.

    UTF-8 and UTF-16 tell themselves. What else has few letters beyond ASCII beside each other, and
    within words no sign, is Windows-1252, in which Excel saves in the West; other code pages are
    for people to name.

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
        text = data.decode("cp1252")
        if not (re.search(rb"[\x80-\xff]{4}", data) or _NO_LETTERS.search(text)):
            notes = [f"read {name} as Windows-1252, since it is not UTF-8"]
            if words := list(dict.fromkeys(_NOT_ASCII.findall(text)))[:_SHOWN]:
                asked = "if these are not as they were written, name its encoding by --encoding"
                notes.append(f"{name} has {', '.join(words)}: {asked}")
            return text, notes
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
    """The first sheet of a workbook that has a table: a header and a row."""
    import openpyxl  # only these files need it

    sheets: dict[str, list[list[str]]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(info.file_size for info in archive.infolist())
        if size > _MAX_SHEET_BYTES:
            raise CatalogError(f"{name} would unpack to {size:,} bytes.")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # which some programs write wrongly
            texts = ([_as_text(cell) or "" for cell in row] for row in sheet.values)
            sheets[sheet.title] = [line for line in texts if any(line)]
    except CatalogError:
        raise
    except Exception as error:  # whatever its parsers happen to raise
        raise CatalogError(f"{name} is no workbook that can be read.") from error
    tables = [title for title, lines in sheets.items() if len(lines) > 1]
    known = [title for title in tables if any(map(is_header, sheets[title][:PREAMBLE]))]
    chosen = next(iter([*known, *tables, *sheets]), "")
    lines = sheets.get(chosen, [])
    width = max(map(len, lines), default=0)
    table = table_of([[*line, *[""] * (width - len(line))] for line in lines], name)
    others = [title for title in tables if title != chosen]
    said = f"read the sheet {chosen!r} of {name} alone; it has others: {', '.join(others)}"
    return replace(table, notes=[*([said] if others else []), *table.notes])


def _read_json(data: bytes, name: str, encoding: str = "") -> Table:
    """An object a line, or as `read_records` has it."""
    text, notes = decode(data, name, encoding)
    records, left_out = read_records(text, name)
    return Table(as_text(pd.DataFrame(records, dtype=object)), left_out=left_out, notes=notes)


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
    "jsonl": _read_json,
    "json": _read_json,
    "ndjson": _read_json,
    "parquet": _read_parquet,
}
"""A suffix of a table's file -> what reads it."""
