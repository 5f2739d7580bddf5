"""The search structure (FAISS): exact by default, any factory string for large catalogs."""

import logging
import os
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from recommender.errors import StoreError
from recommender.files import hash_files
from recommender.index.bounds import Alike
from recommender.index.embeddings import Embeddings, Floats, Mask, Rows, Vectors
from recommender.index.exact import ExactSearch
from recommender.index.mapped import map_file
from recommender.index.protocol import Change, Condition, Metric, OneVectorEach

log = logging.getLogger(__name__)

FLAT = "Flat"
_TRAINING_ROWS = 262_144
_RECALL_QUERIES, _RECALL_K = 1_000, 10
_USUAL = re.compile(
    r"((PCA|OPQ)\d{1,4},)?(IVF\d+(_HNSW\d{1,3})?,)?(Flat|SQ4|SQ8|SQfp16|PQ\d{1,3}(x\d)?|HNSW\d{1,3})"
)
"""Factory strings whose index is built within reason, whoever asks for it."""
_FEW_CELLS, _ROWS_A_CELL = 64, 8
"""So many cells it may have at most, or one for so many rows."""
BUILT_HERE = Path(os.path.expanduser("~/.cache/fashion-recommender/built"))  # noqa: PTH111 - never raises
"""A file for each index that was written here, named by its sha256: nobody else's store is."""
_OF_NOTHING = re.compile(r"(?<!\d)0+(?!\d)|(HNSW|NSG)1(?!\d)")
"""What FAISS takes, and then ends the process: parts of no length, graphs of one edge."""
_CELLS = re.compile(r"IVF(\d+)([kM]?)|IMI2x(\d+)")
"""How many cells a factory string asks for, as FAISS reads it."""


@dataclass(frozen=True, kw_only=True)
class IndexConfig:
    """`factory` is a string that `faiss.index_factory` understands; `Flat` is exact.

    That is the default at any size that was measured: among a million items a search takes a
    processor 0.4 ms by hybrid and 2.8 by image alone, among ten million 1.1 by hybrid, and an item
    some 110 bytes for each; SQ8 takes some 40 ms among a million, and 320 bytes, and misses some of
    the best (`scripts.scale_study`).

    On unit vectors cosine and Euclidean rank alike; `metric` says what a score is: the cosine, or
    minus the Euclidean distance.
    """

    factory: str = FLAT
    metric: Metric = "cosine"

    def __post_init__(self) -> None:
        if self.metric not in ("cosine", "euclidean"):
            raise ValueError(f"metric is {self.metric!r}, not cosine or euclidean")


class Index(OneVectorEach):
    """A `VectorIndex` in memory.

    Attributes:
        exact: whether a search without a filter is exact; one with a filter always is.
    """

    in_memory = True

    def __init__(
        self,
        faiss_index: Any,
        ids: Rows,
        vectors: Vectors,
        metric: Metric,
        alike: Alike | None = None,
    ) -> None:
        """Args:
        faiss_index: finds rows where that is not exact; None where it is.
        ids, vectors, metric: as `VectorIndex` has them.
        alike: which vectors are, where somebody knows.
        """
        self.ids, self.vectors, self.metric = ids, vectors, metric
        self.exact = faiss_index is None or _is_flat(faiss_index)
        self._faiss, self._alike = faiss_index, alike

    def search(
        self,
        queries: Floats,
        k: int,
        allowed: Mask | None = None,
        where: Sequence[Condition] | None = None,
    ) -> tuple[Floats, Rows]:
        """See `VectorIndex`; a mask is at hand here, and tells faster than any condition."""
        k = min(k, len(self) if allowed is None else int(np.count_nonzero(allowed)))
        if k == 0:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        if self.exact or allowed is not None:
            # With a filter an approximate index would lose rows.
            scores, rows = self._exactly.search(queries, k, allowed)
        else:
            scores, rows = self._faiss.search(queries, k)
            order = np.lexsort((rows, -scores))
            scores, rows = np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
            scores[rows < 0] = -np.inf
        return self.score_of(scores), rows

    def grouped(self, alike: Callable[[Vectors], Alike | None]) -> "Index":
        """See `VectorIndex`."""
        told = alike(self.vectors)
        return Index(self._faiss, self.ids, self.vectors, self.metric, told)._ready()

    def again(self, name: str, change: Change, alike: Alike | None = None) -> "Index":
        """See `VectorIndex`; searched exactly."""
        vectors = change(self.vectors[:], slice(None))
        return Index(None, self.ids, vectors, self.metric, alike)._ready()

    @cached_property
    def _exactly(self) -> ExactSearch:
        """Made when it is first asked: a store's own index is read by some who never search it."""
        return ExactSearch(self.vectors, self._alike)

    def _ready(self) -> "Index":
        """The same, so that no visitor waits."""
        _ = self._exactly
        return self


def _stored(flat: Any) -> Floats:
    """The exact vectors that FAISS holds: looked at instead of kept twice."""
    values = faiss.downcast_index(flat).get_xb()  # type: ignore[attr-defined]
    stored: Floats = faiss.rev_swig_ptr(values, flat.ntotal * flat.d).reshape(-1, flat.d)
    return stored


def _is_flat(faiss_index: Any) -> bool:
    return isinstance(faiss.downcast_index(faiss_index), faiss.IndexFlat)


def build_index(embeddings: Embeddings, config: IndexConfig) -> tuple[Index, float]:
    """Build the search structure and measure what it finds.

    Returns:
        The index, and its recall@10: the share of the 10 exact neighbours that it finds, over at
        most 1,000 of the gallery's own vectors.

    Raises:
        StoreError: FAISS does not know the factory string, or has too few rows to train it.
    """
    vectors = np.ascontiguousarray(embeddings.vectors)
    if config.factory == FLAT:
        return Index(None, embeddings.ids, vectors, config.metric), 1.0
    random = np.random.default_rng(0)
    if (cells := _cells(config.factory)) > len(vectors):
        # FAISS would first allocate them.
        raise StoreError(
            f"FAISS cannot build the index {config.factory!r}: it has {cells:,} cells for "
            f"{len(vectors):,} vectors; use Flat, or at most as many cells as there are vectors."
        )
    cannot = (
        f"FAISS cannot build the index {config.factory!r} over {len(vectors):,} vectors of "
        f"{vectors.shape[1]} dimensions: use Flat, or see its factory strings."
    )
    if _OF_NOTHING.search(config.factory):
        raise StoreError(cannot)
    try:
        built = faiss.index_factory(vectors.shape[1], config.factory, faiss.METRIC_INNER_PRODUCT)
        sample = random.permutation(len(vectors))[:_TRAINING_ROWS]
        if not built.is_trained:
            built.train(vectors[np.sort(sample)])
        built.add(vectors)
        built.search(vectors[:1], 1)
    except (RuntimeError, MemoryError) as error:
        raise StoreError(cannot) from error
    if _is_flat(built):
        return Index(built, embeddings.ids, _stored(built), config.metric), 1.0
    index = Index(built, embeddings.ids, vectors, config.metric)
    queries = vectors[sample[:_RECALL_QUERIES]]
    k = min(_RECALL_K, len(vectors))
    _, exact = index._exactly.search(queries, k)
    _, found = index.search(queries, k)
    shared = sum(len(np.intersect1d(a, b)) for a, b in zip(exact, found, strict=True))
    return index, shared / exact.size


def _cells(factory: str) -> int:
    """How many cells an index has at most; 0 where it has none.

    >>> _cells("OPQ16,IVF4k,PQ16"), _cells("IMI2x8,Flat"), _cells("HNSW32")
    (4096, 65536, 0)
    """
    found = _CELLS.findall(factory)
    scale = {"": 1, "k": 2**10, "M": 2**20}
    # Longer numbers than any machine could hold are cut, not computed.
    inverted = [int(count[:18]) * scale[unit] for count, unit, _ in found if count]
    return max([*inverted, *(4 ** int(bits[:2]) for *_, bits in found if bits)], default=0)


def nearest_rows(vectors: Floats, k: int) -> tuple[Rows, Floats]:
    """Each row's k nearest others, exactly.

    Args:
        vectors: float32 of shape (n, d), of any norm.
        k: how many, fewer than n.

    Returns:
        Rows, int64 of shape (n, k), and their Euclidean distances, float32 of shape (n, k), rising.
    """
    flat = faiss.IndexFlatL2(vectors.shape[1])
    flat.add(vectors)
    squares, rows = flat.search(vectors, k + 1)
    # Each leaves itself out; one that its equals have crowded out leaves out the farthest.
    own = rows == np.arange(len(vectors))[:, None]
    own[:, -1] |= ~own.any(axis=1)
    others = squares[~own].reshape(-1, k)
    return rows[~own].reshape(-1, k), np.sqrt(np.maximum(others, 0))


def write_index(index: Index, path: Path) -> None:
    """Write the search structure as a FAISS file, which this user may read again.

    Raises:
        OSError, RuntimeError: it cannot be written.
    """
    if index._faiss is None:
        with path.open("wb") as file:
            file.writelines(flat_blocks([index.vectors[:]], *index.vectors.shape))
        return
    faiss.write_index(index._faiss, str(path))
    if not _is_flat(index._faiss):
        # Where that cannot be noted, the structure is built anew instead of read.
        with suppress(OSError):
            BUILT_HERE.mkdir(parents=True, exist_ok=True)
            (BUILT_HERE / hash_files([path])[0]).touch()


def flat_blocks(vectors: Iterable[Floats], count: int, dim: int) -> Iterator[bytes | memoryview]:
    """What a FAISS file of an `IndexFlatIP` holds, as `map_flat` reads it, block by block.

    Args:
        vectors: float32 of shapes (m, dim), one after the other; never all in memory.
        count: of them all.
        dim: of each.

    Raises:
        ValueError: some have another length.
    """
    yield _flat_head(count, dim)
    for block in vectors:
        if block.shape[1:] != (dim,) or block.dtype != np.float32:
            raise ValueError("an embedding has another length")
        yield np.ascontiguousarray(block, "<f4").data


def map_flat(path: Path, count: int, dim: int) -> Floats:
    """The vectors of a FAISS file of an `IndexFlatIP`, without FAISS, which trusts what it reads.

    They stay on disk until they are asked for.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such file, or of another shape.

    """
    head, values = _flat_head(count, dim), count * dim
    with path.open("rb") as file:
        if file.read(len(head)) != head or path.stat().st_size != len(head) + 4 * values:
            raise ValueError("the index is not the flat one that it should be")
    return map_file(path, len(head), (count, dim))


def _flat_head(count: int, dim: int) -> bytes:
    """What stands before the vectors in the file of an `IndexFlatIP`.

    Source: `write_index_header` and `write_index` of faiss/impl/index_write.cpp.
    """
    return struct.pack("<4siqqqBiQ", b"IxFI", dim, count, 1 << 20, 1 << 20, 1, 0, count * dim)


def read_index(
    path: Path,
    sha256: str,
    ids: Rows,
    dim: int,
    load_embeddings: Callable[[], Embeddings],
    config: IndexConfig,
) -> Index:
    """Read a FAISS file whose hash was checked; what is not flat only where it was built here.

    Args:
        path: the file.
        sha256: of the file, as it was checked.
        ids: int64 of shape (n,), the id of each row.
        dim: length of an embedding.
        load_embeddings: gives the exact vectors, where the file does not hold them.
        config: what it was built with.

    Raises:
        ValueError: it is of other rows, another length or another metric, or not of unit rows.
        RuntimeError: FAISS cannot read it.
    """
    if config.factory == FLAT:
        embeddings = Embeddings(ids, map_flat(path, len(ids), dim))
        return Index(None, ids, embeddings.vectors, config.metric)
    if not (BUILT_HERE / sha256).exists():
        # FAISS trusts what it reads: in a file from elsewhere it may go round for ever.
        log.info("Building the index %s anew, as it comes from elsewhere.", config.factory)
        most = max(_FEW_CELLS, len(ids) // _ROWS_A_CELL)
        if not _USUAL.fullmatch(config.factory) or _cells(config.factory) > most:
            raise ValueError("the index is of a kind that may take any time to build")
        return build_index(_of_these(load_embeddings(), ids), config)[0]
    # A file may claim any length; its own size is what may be allocated.
    usual = faiss.get_deserialization_vector_byte_limit()
    faiss.set_deserialization_vector_byte_limit(path.stat().st_size)
    try:
        built = faiss.read_index(str(path))
    finally:
        faiss.set_deserialization_vector_byte_limit(usual)
    shape = (len(ids), dim)
    if (built.ntotal, built.d) != shape or built.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise ValueError("the index has another shape or metric than it should")
    return Index(built, ids, _of_these(load_embeddings(), ids).vectors, config.metric)


def _of_these(embeddings: Embeddings, ids: Rows) -> Embeddings:
    if not np.array_equal(embeddings.ids, ids):
        raise ValueError("the embeddings are of other items than the index")
    return embeddings
