"""Pictures that ask at the same time go through the network together.

Who finds the network free goes at once; while it is busy the next batch gathers. So nobody waits
for company, and the more ask, the more go together.
"""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field

from PIL import Image

from recommender.encoding.packed import SEVERAL
from recommender.encoding.protocol import Encoded, EncodeQueries, part_of
from recommender.encoding.regions import Asked
from recommender.service.metrics import BATCHES
from recommender.service.places import PLACES

LARGEST = SEVERAL
"""Pictures a batch, where there is more than one caller in it."""
AT_ONCE = 2
"""Batches on a processor: while one is cut and read, which one core does, another is multiplied."""


@dataclass(eq=False)
class _Call:
    """What one caller asks, and waits for."""

    pictures: Sequence[Image.Image]
    asked: Sequence[Asked]
    answer: "Future[Encoded]" = field(default_factory=Future)


class Batches:
    """Another way to `encode_queries`, to be called from many threads; see `protocol.Wrap`."""

    def __init__(self, encode: EncodeQueries, *, at_once: int = 1) -> None:
        """Args:
        encode: sees a batch; called by as many threads as batches go at once, always the same, in
            whose arenas what a batch took is used again.
        at_once: how many batches.
        """
        self._encode = encode
        self._waiting: deque[_Call] = deque()
        self._lock = threading.Lock()
        self._network = ThreadPoolExecutor(at_once, thread_name_prefix="network")

    def __call__(
        self, pictures: Sequence[Image.Image], asked: Sequence[Asked] | None = None
    ) -> Encoded:
        """As `PictureEncoder.encode_queries`; what fails for a caller fails for that one alone."""
        mine = _Call(pictures, asked or ["auto"] * len(pictures))
        with self._lock:
            self._waiting.append(mine)
        # Where a batch is borrowed a GPU, that is for a visitor, whom the context names.
        self._network.submit(copy_context().run, self._see_those_who_wait)
        with PLACES.left(takes=True):
            return mine.answer.result()

    def _see_those_who_wait(self) -> None:
        """As many as fit; none where a batch before took them along."""
        batch: list[_Call] = []
        with self._lock:
            room = LARGEST
            while self._waiting and (not batch or len(self._waiting[0].pictures) <= room):
                batch.append(self._waiting.popleft())
                room -= len(batch[-1].pictures)
        if batch:
            self._see(batch)

    def _see(self, batch: Sequence[_Call]) -> None:
        """Answer each call of a batch."""
        pictures = [picture for call in batch for picture in call.pictures]
        asked = [part for call in batch for part in call.asked]
        BATCHES.observe(len(pictures))
        try:
            seen = self._encode(pictures, asked)
        except BaseException as error:
            if len(batch) > 1 and isinstance(error, Exception):
                for call in batch:
                    self._see([call])
                return
            for call in batch:
                call.answer.set_exception(error)
            return
        start = 0
        for call in batch:
            end = start + len(call.pictures)
            call.answer.set_result(part_of(seen, slice(start, end)))
            start = end
