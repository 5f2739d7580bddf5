"""An encoder that has encoded a batch ahead, so that one picture at a time can ask at its speed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from recommender.encoding.agreement import Beliefs, Floats

_ENCODED_AT_ONCE = 64


class Foreseen:
    """An encoder with a memory: one picture at a time takes it ten times as long.

    Of those pictures it answers from memory, of any other through the encoder.
    """

    def __init__(self, encoder: Any, pictures: Sequence[Image.Image]) -> None:
        self._encoder = encoder
        self._pictures = pictures  # held, so that no other object gets the identity of one
        self._place = {id(picture): i for i, picture in enumerate(pictures)}
        self._vectors, self._beliefs = see_all(encoder, pictures)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._encoder, name)

    def see(self, pictures: Sequence[Image.Image]) -> tuple[Floats, Beliefs]:
        """float32 of shape (b, dim), unit rows, and what the heads believe."""
        places = self._places(pictures)
        if places is None:
            seen: tuple[Floats, Beliefs] = self._encoder.see(pictures)
            return seen
        return self._vectors[places], {n: b[places] for n, b in self._beliefs.items()}

    def _places(self, pictures: Sequence[Image.Image]) -> list[int] | None:
        places = [self._place.get(id(picture)) for picture in pictures]
        known = [place for place in places if place is not None]
        return known if len(known) == len(places) else None


def see_all(encoder: Any, pictures: Sequence[Image.Image]) -> tuple[Floats, Beliefs]:
    """What an encoder makes of many pictures, batch by batch; see `Encoder.see`."""
    starts = range(0, len(pictures), _ENCODED_AT_ONCE)
    seen = [encoder.see(pictures[start : start + _ENCODED_AT_ONCE]) for start in starts]
    vectors = np.concatenate([embeddings for embeddings, _ in seen])
    return vectors, {n: np.concatenate([b[n] for _, b in seen]) for n in seen[0][1]}
