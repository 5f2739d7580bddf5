"""Pictures that ask at the same time go through the network together.

Who finds the network free goes at once; while it is busy the next batch gathers, and the first who
waits takes it along. So nobody waits for company, and the more ask, the more go together.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image

from recommender.encoding.protocol import Encoded, EncodeQueries, part_of
from recommender.encoding.regions import Asked
from recommender.service.metrics import BATCHES

LARGEST = 16
"""Pictures a batch, where there is more than one caller in it."""


@dataclass(eq=False)
class _Call:
    """What one caller asks; `turn` is set when it is answered, or when it is its to take others."""

    pictures: Sequence[Image.Image]
    asked: Sequence[Asked]
    turn: threading.Event = field(default_factory=threading.Event)
    answer: Encoded | BaseException | None = None


class Batches:
    """Another way to `encode_queries`, to be called from many threads; see `protocol.Wrap`."""

    def __init__(self, encode: EncodeQueries) -> None:
        """Args:
        encode: sees a batch; called by one thread at a time.
        """
        self._encode = encode
        self._waiting: deque[_Call] = deque()
        self._busy = False
        self._lock = threading.Lock()

    def __call__(
        self, pictures: Sequence[Image.Image], asked: Sequence[Asked] | None = None
    ) -> Encoded:
        """As `PictureEncoder.encode_queries`; what fails for a caller fails for that one alone."""
        mine = _Call(pictures, asked or ["auto"] * len(pictures))
        with self._lock:
            self._waiting.append(mine)
            waits, self._busy = self._busy, True
        if waits:
            mine.turn.wait()
        if mine.answer is None:
            self._take_along()
        if isinstance(mine.answer, Encoded):
            return mine.answer
        raise mine.answer or RuntimeError("nobody has answered")

    def _take_along(self) -> None:
        """See the batch of those who wait, the caller first, and leave the next one to another."""
        with self._lock:
            batch = [self._waiting.popleft()]
            room = LARGEST - len(batch[0].pictures)
            while self._waiting and len(self._waiting[0].pictures) <= room:
                batch.append(self._waiting.popleft())
                room -= len(batch[-1].pictures)
        try:
            self._see(batch)
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._busy = following is not None
            for call in [*batch, *filter(None, [following])]:
                call.turn.set()

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
                call.answer = error
            return
        start = 0
        for call in batch:
            end = start + len(call.pictures)
            call.answer = part_of(seen, slice(start, end))
            start = end
