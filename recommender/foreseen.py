"""An encoder that has encoded a batch ahead, so that one picture at a time can ask at its speed."""

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

_ENCODED_AT_ONCE = 64


class Foreseen:
    """An encoder with a memory: one picture at a time takes it ten times as long.

    Of those pictures it answers from memory, of any other through the encoder.
    """

    def __init__(self, encoder: Any, pictures: Sequence[Image.Image]) -> None:
        self._encoder = encoder
        self._pictures = pictures  # held, so that no other object gets the identity of one
        self._place = {id(picture): i for i, picture in enumerate(pictures)}
        self._vectors: npt.NDArray[np.float32] = np.concatenate(
            [encoder.encode(batch) for batch in _batches(pictures)]
        )
        self._beliefs: dict[str, npt.NDArray[np.float32]] | None = None
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def encode(self, pictures: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        """float32 of shape (b, dim), unit rows."""
        places = self._places(pictures)
        if places is None:
            encoded: npt.NDArray[np.float32] = self._encoder.encode(pictures)
            return encoded
        return self._vectors[places]

    def describe(self, pictures: Sequence[Image.Image]) -> dict[str, npt.NDArray[np.float32]]:
        """What the heads believe; label -> float32 of shape (b, classes)."""
        places = self._places(pictures)
        if places is None:
            described: dict[str, npt.NDArray[np.float32]] = self._encoder.describe(pictures)
            return described
        with self._lock:
            if self._beliefs is None:
                self._beliefs = describe(self._encoder, self._pictures)
        return {name: beliefs[places] for name, beliefs in self._beliefs.items()}

    def _places(self, pictures: Sequence[Image.Image]) -> list[int] | None:
        places = [self._place.get(id(picture)) for picture in pictures]
        known = [place for place in places if place is not None]
        return known if len(known) == len(places) else None


def describe(encoder: Any, pictures: Sequence[Image.Image]) -> dict[str, npt.NDArray[np.float32]]:
    """What an encoder's heads believe of many pictures, batch by batch."""
    described = [encoder.describe(batch) for batch in _batches(pictures)]
    return {name: np.concatenate([d[name] for d in described]) for name in described[0]}


def _batches(pictures: Sequence[Image.Image]) -> list[Sequence[Image.Image]]:
    starts = range(0, len(pictures), _ENCODED_AT_ONCE)
    return [pictures[start : start + _ENCODED_AT_ONCE] for start in starts]
