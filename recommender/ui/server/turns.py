"""In which order the API's questions are answered: who came first is first, so many at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from gradio.exceptions import Error

from recommender.service.places import PLACES, work_alone

AT_ONCE = 64
"""Questions that are begun, most of whose pictures wait for the network; with fewer, pictures came
one by one to a network that waited for them. Of these, few work at a time (`service.places`)."""
_WAITING = 128
"""As many more may wait."""
_ASIDE = 32
"""Questions beside those, which wait for a stranger's server; the service lets eight of them."""

FULL = "Too many questions wait here for their answers right now: ask again in a few seconds."

T = TypeVar("T")


def _in_a_place(work: Callable[[], T], later: bool) -> T:
    with PLACES.taken(later=later):
        return work()


class Turns:
    """Threads for what is asked. Of one event loop.

    Attributes:
        waiting: how many questions wait for their turn.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._threads = ThreadPoolExecutor(AT_ONCE, "answers", work_alone)
        self._aside = ThreadPoolExecutor(_ASIDE, "fetching", work_alone)

    @property
    def full(self) -> bool:
        """Whether nobody else may wait."""
        return self.waiting >= _WAITING

    async def do(self, work: Callable[[], T], *, aside: bool = False, later: bool = False) -> T:
        """What some work comes to, in its turn.

        Args:
            work: called in a thread, in a copy of this context.
            aside: whether it waits for others rather than works, so that it takes no place.
            later: whether it waits for the network before it works, so that it takes one then.

        Raises:
            Error: too many wait already.
        """
        if aside:
            return await self._in_thread(self._aside, work)
        if self.full:
            raise Error(FULL, title="One moment", print_exception=False)
        self.waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self.waiting -= 1
        try:
            return await self._in_thread(self._threads, partial(_in_a_place, work, later))
        finally:
            self._turns.release()

    async def _in_thread(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        """Whoever is no longer waited for is waited for here: a thread cannot be ended."""
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(threads, copy_context().run, work)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.wait([done])
            raise
