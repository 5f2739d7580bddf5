"""Vectors that lie on disk: the system reads what is asked of them, and forgets it again."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from recommender.index.embeddings import Floats

BLOCK = 16_384
"""So many rows are in memory at once where all are gone through."""


def map_file(path: Path, offset: int, shape: tuple[int, int]) -> Floats:
    """The float32 of a file from an offset on, which is as long as they take.

    Raises:
        OSError, ValueError: it cannot be read, or is shorter.
    """
    if not shape[0]:
        return np.empty(shape, np.float32)
    mapped: Floats = np.memmap(path, "<f4", "r", offset, shape).view(np.ndarray)
    return mapped


def lay_on_disk(blocks: Iterable[Floats], shape: tuple[int, int], folder: Path) -> Floats:
    """Vectors in a file without a name, which is gone with who made it.

    Args:
        blocks: float32 of shapes (m, d), one after the other.
        shape: of them all.
        folder: on a disk that has room for them; one in memory would help nobody.

    Raises:
        OSError: the folder cannot be written, or its disk is full.
    """
    if not shape[0]:
        return np.empty(shape, np.float32)
    with tempfile.TemporaryFile(dir=folder) as file:
        for block in blocks:  # written, not mapped: a disk that is full is told as an error
            file.write(np.ascontiguousarray(block, "<f4").data)
        file.flush()
        mapped: Floats = np.memmap(file, "<f4", "r", shape=shape).view(np.ndarray)
        return mapped


def blocks_of(count: int) -> list[slice]:
    """The rows of a gallery, so many at once as are in memory."""
    return [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]
