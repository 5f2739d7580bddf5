"""Who works: as many at a time as there are processors, first come, first served.

What is done of an answer before and after the network is mostly Python's, which one thread has at a
time. Were all who ask to do it side by side, they would take it from one another and all be ready
late, and what each takes of memory while it works would be taken by all at once.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import faiss
import torch

_PATIENCE_SECONDS = 0.25


class Places:
    """So many threads work at once; who waits for something lets another one work.

    Who has waited for a quarter of a second works all the same: those who have the places take
    long, or wait for something that nobody foresaw.
    """

    def __init__(self, count: int) -> None:
        self._free = threading.Semaphore(count)
        self._mine = threading.local()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Work, once it is one's turn."""
        self._take()
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def left(self) -> Iterator[None]:
        """Wait: if this thread has a place, that is another's meanwhile."""
        had = self._leave()
        try:
            yield
        finally:
            if had:
                self._take()

    def _take(self) -> None:
        self._mine.place = self._free.acquire(timeout=_PATIENCE_SECONDS)

    def _leave(self) -> bool:
        """Whether there was something to leave."""
        had: bool = getattr(self._mine, "place", False)
        if had:
            self._mine.place = False
            self._free.release()
        return had


def work_alone() -> None:
    """Let this thread, for good, do what it does without threads of PyTorch's and of FAISS'.

    Each of those who answer would keep some of its own, which take room and mostly wait.
    """
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)


PLACES = Places(max(2, os.cpu_count() or 1))
"""Those of this process."""
