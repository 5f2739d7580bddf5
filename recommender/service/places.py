"""Who works: as many at a time as there are processors, first come, first served.

What is done of an answer before and after the network is mostly Python's, which one thread has at a
time. Were all who ask to do it side by side, they would take it from one another and all be ready
late, and what each takes of memory while it works would be taken by all at once.
"""

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from recommender.index import exact

_PATIENCE_SECONDS = 0.25


class Places:
    """So many threads work at once; who waits for something lets another one work.

    Who has waited for a quarter of a second works all the same: those who have the places take
    long, or wait for something that nobody foresaw.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[threading.Event] = deque()
        self._lock, self._mine = threading.Lock(), threading.local()

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
        turn = threading.Event()
        with self._lock:
            if self._free:
                self._free -= 1
                turn.set()
            else:
                self._waiting.append(turn)
        if not turn.wait(_PATIENCE_SECONDS):
            with self._lock:
                if not turn.is_set():
                    self._waiting.remove(turn)
        self._mine.place = turn.is_set()

    def _leave(self) -> bool:
        """Whether there was a place to leave, which is given to whoever has waited longest."""
        if not getattr(self._mine, "place", False):
            return False
        self._mine.place = False
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
        return True


def work_alone() -> None:
    """Let this thread, for good, do what it does without threads of PyTorch's and of FAISS'.

    Each of those who answer would keep some of its own, which take room and mostly wait.
    """
    torch.set_num_threads(1)
    exact.work_alone()


PLACES = Places(max(2, os.cpu_count() or 1))
"""Those of this process."""
