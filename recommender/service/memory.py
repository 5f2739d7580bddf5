"""What the C library and Arrow keep of memory that nobody needs any more."""

import ctypes
from contextlib import suppress

_ARENA_MAX = -8
"""What glibc's `malloc.h` calls `M_ARENA_MAX`."""


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
