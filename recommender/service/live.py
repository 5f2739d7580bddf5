"""The recommender that is served and, as soon as its store has a new version, its successor."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock, Thread
from weakref import WeakSet

from recommender.errors import RecommenderError
from recommender.search.recommender import Recommender
from recommender.service.memory import give_back
from recommender.store.manifest import store_version

log = logging.getLogger(__name__)


_AT_THE_END_SECONDS = 4.0
"""So long, at most, what is done beside the answers is waited for when all ends."""

Version = tuple[tuple[int, int] | None, tuple[object, ...]]
"""Of a store: what its manifest's file tells, and what of its other files was changed."""


class Live:
    """Holds a recommender; whoever answers a request takes `now` once, and keeps to it.

    Attributes:
        now: the recommender of the latest whole version. It is replaced, never changed, so that a
            request that began with one ends with it.
    """

    def __init__(self, recommender: Recommender) -> None:
        self.now = recommender
        self._prepares = False
        self._stop = Event()
        self._beside: WeakSet[Thread] = WeakSet()
        self._preparing = Lock()

    @classmethod
    def of(cls, recommender: "Recommender | Live") -> "Live":
        """A recommender that never changes is live, too."""
        return recommender if isinstance(recommender, Live) else cls(recommender)

    def watch(
        self,
        directory: Path,
        load: Callable[[], Recommender],
        *,
        every_seconds: float = 2.0,
        seen: tuple[int, int] | None = None,
    ) -> Thread:
        """Look at the store's manifest now and then, and load the store when it has changed.

        A version that cannot be loaded is logged, and the former one is served on.

        Args:
            directory: the store.
            load: reads it.
            every_seconds: between two looks, each of which costs a `stat`.
            seen: the version that is served; the present one if None.

        Returns:
            The thread that looks, until `stop`.
        """
        version: Version = seen or store_version(directory), ()

        def look() -> None:
            nonlocal version
            replaced = False
            while not self._stop.wait(every_seconds):
                found = store_version(directory), self.now.gallery.in_place.changes()
                if found[0] is None or found == version:
                    if replaced:  # at the look before: the former one is let go by now
                        give_back()
                    replaced = False
                    continue
                version, replaced = found, True
                try:
                    successor = load()
                    if self._prepares:
                        successor.prepare(self._stop)
                    self.now, version = successor, (found[0], ())
                    log.info("%s has a new version: %d items", directory, len(self.now))
                except RecommenderError as error:
                    log.warning("%s has a new version, which is not served: %s", directory, error)
                except Exception:  # whatever it was, the next version may do
                    log.exception("%s has a new version, which is not served", directory)

        return self._do_beside(look, "store-watch")

    def prepare(self, after_seconds: float = 0.0) -> Thread:
        """Make ready, beside the answers, what the first to ask would wait for: now, and of each
        successor before it is served.

        Returns:
            The thread that does, until `stop`.
        """
        self._prepares = True

        def prepare() -> None:
            if not self._stop.wait(after_seconds):
                with self._preparing:  # once, whoever else wants it
                    self.now.prepare(self._stop)

        return self._do_beside(prepare, "prepare")

    def stop(self) -> None:
        """Look no more, and make nothing ready; returns once all is over, or some seconds later."""
        self._stop.set()
        deadline = time.monotonic() + _AT_THE_END_SECONDS
        for thread in list(self._beside):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _do_beside(self, do: Callable[[], None], name: str) -> Thread:
        # Python ends such threads wherever they are, and within PyTorch the process with them:
        # `stop` has to come before.
        thread = Thread(target=do, name=name, daemon=True)
        self._beside.add(thread)
        thread.start()
        return thread
