"""What the rest of the house asks of an encoder."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from recommender.encoding.agreement import Agreement, Beliefs

Floats = npt.NDArray[np.float32]


class LooksOnly:
    """An encoder without heads: what is asked of one beside its embeddings."""

    labels: ClassVar[Mapping[str, Sequence[str]]] = {}
    agreement: Agreement | None = None
    input_px: tuple[int, int]

    @property
    def second_px(self) -> tuple[int, int]:
        """There is no second look."""
        return self.input_px

    def encode(self, pictures: Sequence[Image.Image]) -> Floats:
        """RGB pictures of any size -> float32 of shape (b, dim), unit rows."""
        raise NotImplementedError

    def see(self, pictures: Sequence[Image.Image]) -> tuple[Floats, Beliefs]:
        """Their embeddings, and no beliefs."""
        return self.encode(pictures), {}


class PictureEncoder(Protocol):
    """What embedding a catalog needs of an encoder; `encoder.Encoder` is one."""

    fingerprint: str
    dim: int
    input_px: tuple[int, int]

    def prepare(self, picture: Image.Image) -> npt.NDArray[np.uint8]:
        """RGB -> uint8 of shape (h, w, 3); called from several threads."""

    def encode_prepared(self, prepared: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """uint8 of shape (b, h, w, 3) -> float32 of shape (b, dim), unit rows."""

    def record(self) -> dict[str, Any]:
        """What the manifest says of it."""
