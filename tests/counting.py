"""How many do something at the same time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class AtOnce:
    """Counts who is within.

    Attributes:
        most: how many ever were at once.
    """

    def __init__(self) -> None:
        self.most = self._now = 0
        self._lock = threading.Lock()

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Be within."""
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1
