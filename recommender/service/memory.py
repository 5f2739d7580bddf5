"""What the C library, Arrow and the system keep of memory that nobody needs any more."""

import ctypes
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # not before there may be threads
    import numpy as np
    import pyarrow as pa

_ARENA_MAX = -8
"""What glibc's `malloc.h` calls `M_ARENA_MAX`."""
_MADV_DONTNEED = 4
"""Of Linux's `mman.h`: of a file's pages that nobody has changed, the next look takes them anew."""


def share_arenas(count: int = 2) -> bool:
    """Let all threads take memory from a few arenas; to be called before there are any threads.

    glibc gives each thread one of its own, up to eight a core, and most of what is freed in one
    stays with it. A server asks its forty threads in turn, so each arena grew to what one answer
    takes at most: 370 of 720 MB that `malloc_info` knew of were free, and grew for hours.

    Returns:
        Whether the C library is one that can be told.

    Source: mallopt(3).
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(_ARENA_MAX, count))
    except (AttributeError, OSError, TypeError):  # another C library, another system
        return False


def give_back() -> None:
    """Let the system have the memory that loading took and left: 130 MB of 40,000 items.

    Arrow's pool and glibc's heap would keep it for the next who asks, which nobody does as much.
    """
    import pyarrow as pa  # not before there may be threads

    pa.default_memory_pool().release_unused()
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def let_go(table: "pa.Table", *arrays: "np.ndarray") -> None:
    """Let go of the pages of files that were looked at while loading: 400 MB of 40,000 items.

    The system has them in its cache still, and gives a page again, at once, to whoever looks. They
    are those of a table and of arrays, where these lie in files, and those of libraries.

    Args:
        table, arrays: what is held, so that nobody else is given its place meanwhile.

    Source: madvise(2), proc(5).
    """
    buffers = (one for chunk in table.column(0).chunks for one in chunk.buffers() if one)
    held = [*(one.address for one in buffers), *(one.ctypes.data for one in arrays)]
    with suppress(AttributeError, OSError, TypeError):  # another system
        madvise = ctypes.CDLL(None).madvise
        with Path("/proc/self/smaps").open(encoding="utf-8") as told:
            for start, end in _unchanged(told, held):
                madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)


def _unchanged(told: Iterable[str], held: Iterable[int]) -> list[tuple[int, int]]:
    """Where files lie that cannot be written to there, and of which no page is the process' own.

    Libraries are never unloaded; of other files only those that hold one of the addresses.
    """
    found, here, stays = [], (0, 0), False
    for line in told:
        name, *rest = line.split()
        if not name.endswith(":"):  # START-END MODE OFFSET DEVICE INODE PATH
            start, end = (int(address, 16) for address in name.split("-"))
            path = rest[4] if len(rest) > 4 else ""
            known = ".so" in path or any(start <= address < end for address in held)
            here, stays = (start, end), path.startswith("/") and "w" not in rest[0] and known
        elif name == "Anonymous:" and stays and rest[0] == "0":
            found.append(here)
    return found
