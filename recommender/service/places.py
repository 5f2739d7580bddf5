"""Who works: as many at a time as there are processors, first come, first served.

What is done of an answer before and after the network is mostly Python's, which one thread has at a
time. Were all who ask to do it side by side, they would take it from one another and all be ready
late, and what each takes of memory while it works would be taken by all at once.
"""

import itertools
import os
import threading
import time
from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from recommender.index import exact

_PATIENCE_SECONDS = 0.25


class Places:
    """So many threads work at once; who waits for something lets another one work.

    Who came first is first, and is so again after a wait. Where nobody has left a place for a
    quarter of a second, whoever waits works all the same: those who have them take long, or wait
    for something that nobody foresaw.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: list[tuple[int, threading.Event]] = []  # who came first, first
        self._lock, self._mine = threading.Lock(), threading.local()
        self._numbers, self._left_at = itertools.count(), time.monotonic()

    @contextmanager
    def taken(self, *, later: bool = False) -> Iterator[None]:
        """Work, once it is one's turn.

        Args:
            later: whether to wait for the network first, so that a place is taken after that.
        """
        self._mine.number = next(self._numbers)
        if later:
            self._mine.place = None
        else:
            self._take()
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def left(self, *, takes: bool = False) -> Iterator[None]:
        """Wait: if this thread has a place, that is another's meanwhile.

        Args:
            takes: whether who was to take one later takes it after this.
        """
        had = self._place
        self._leave()
        try:
            yield
        finally:
            if had or (takes and had is None):
                self._take()
            else:
                self._mine.place = had

    @property
    def _place(self) -> bool | None:
        """Whether this thread has one; None where it is to take one later."""
        place: bool | None = getattr(self._mine, "place", False)
        return place

    def _take(self) -> None:
        mine = self._mine.number, threading.Event()
        with self._lock:
            if self._free:
                self._free -= 1
                mine[1].set()
            else:
                insort(self._waiting, mine)
        while not mine[1].wait(_PATIENCE_SECONDS):
            with self._lock:
                stand_still = time.monotonic() - self._left_at >= _PATIENCE_SECONDS
                if stand_still and not mine[1].is_set():
                    self._waiting.remove(mine)
                    break
        self._mine.place = mine[1].is_set()

    def _leave(self) -> None:
        """If there is a place to leave, it is given to whoever came first."""
        had, self._mine.place = self._place, False
        if not had:
            return
        with self._lock:
            self._left_at = time.monotonic()
            if self._waiting:
                self._waiting.pop(0)[1].set()
            else:
                self._free += 1


def work_alone() -> None:
    """Let this thread, for good, do what it does without threads of PyTorch's and of FAISS'.

    Each of those who answer would keep some of its own, which take room and mostly wait.
    """
    torch.set_num_threads(1)
    exact.work_alone()


PLACES = Places(max(2, os.cpu_count() or 1))
"""Those of this process."""
