"""Arrow files that anyone may have made, read as they lie on disk: nothing of them is believed.

What reads Arrow trusts it. Offsets that point beyond a buffer would be followed, out of the file
into whatever memory lies behind; and what is compressed takes as much memory as it claims.
"""

import struct
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recommender.files import Seen, look

_BATCH_OF_ROWS = 3
"""Of the kinds of messages."""
_HEAD_TYPE, _HEAD, _COMPRESSION = 1, 2, 3
"""Places of fields in the tables that describe a message, and a batch of rows.

Source: `Message.fbs` of Apache Arrow's format.
"""


_LARGER_BYTES, _TIMES_LARGER = 64 * 2**20, 20
"""What Parquet may unpack to, in bytes and beside its own size: pictures are packed already."""
_ROWS = 64


def check_arrow(path: Path) -> None:
    """See that a stream of record batches is what it says, before anything reads it.

    Its columns are looked through, pictures are not: those lie where they lay. A file that was seen
    here is not looked through again as long as it is the same one.

    Raises:
        OSError: it cannot be read.
        ValueError, pyarrow.ArrowException: it is none, it is compressed, or points beyond itself.
    """
    _check(path.absolute(), look(path))


@lru_cache(maxsize=2**16)
def _check(path: Path, seen: Seen | None) -> None:
    with pa.memory_map(str(path)) as file:
        for message in pa.ipc.MessageReader.open_stream(file):
            if message.type != "schema" and not _is_plain(message.metadata.to_pybytes()):
                raise ValueError("no catalog's items lie in other than plain batches of rows")
        file.seek(0)
        with pa.ipc.open_stream(file) as reader:
            reader.read_all().validate(full=True)


def check_parquet(path: Path) -> None:
    """See that a Parquet file unpacks to about what its size lets one expect, some rows at a time.

    Raises:
        OSError: it cannot be read.
        ValueError, pyarrow.ArrowException: it is none, or unpacks to far more.
    """
    most = _LARGER_BYTES + _TIMES_LARGER * path.stat().st_size
    with pq.ParquetFile(path) as file:
        groups = map(file.metadata.row_group, range(file.num_row_groups))
        seen = 0 if sum(group.total_byte_size for group in groups) <= most else most + 1
        rows = file.iter_batches(_ROWS)
        while seen <= most and (batch := next(rows, None)) is not None:
            seen += batch.nbytes
    if seen > most:
        raise ValueError("it unpacks to far more than it takes")


def _is_plain(message: bytes) -> bool:
    """Whether a message is a batch of rows whose buffers are not compressed.

    Args:
        message: what describes it, as FlatBuffers lay it out.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        [root] = struct.unpack_from("<I", message)
        kind = _field(message, root, _HEAD_TYPE)
        if kind is None or message[kind] != _BATCH_OF_ROWS:
            return False
        if (head := _field(message, root, _HEAD)) is None:
            return False
        [beyond] = struct.unpack_from("<I", message, head)
        return _field(message, head + beyond, _COMPRESSION) is None
    except (struct.error, IndexError) as error:
        raise ValueError("a message cannot be read") from error


def _field(message: bytes, table: int, number: int) -> int | None:
    """Where a field of a table is; None where it has its default.

    Source: FlatBuffers' internals: a table begins with how far before it the offsets of its
    fields lie, which begin with their own length and the table's.
    """
    [before] = struct.unpack_from("<i", message, table)
    offsets = table - before
    [length] = struct.unpack_from("<H", message, offsets)
    if (at := 4 + 2 * number) >= length:
        return None
    [offset] = struct.unpack_from("<H", message, offsets + at)
    return table + offset if offset else None
