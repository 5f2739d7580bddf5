"""The search structure (FAISS) over a catalog's embeddings, and the manifest of a store.

The manifest says what the store was made of and lists the sha256 of each of its files. It is
written last, by rename: where it exists, the store is whole; where it does not fit, nothing of
the store is read.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import faiss
import numpy as np
import numpy.typing as npt

from recommender.embeddings import Embeddings, load_parts
from recommender.errors import IndexMismatchError, StoreError

MANIFEST_FILE = "manifest.json"
INDEX_FILE = "index.faiss"
IDS_FILE = "ids.npy"
SCHEMA_VERSION = 1

_LIBRARIES = ("datasets", "faiss-cpu", "numpy", "pillow", "timm", "torch")
_TRAINING_ROWS = 262_144
# Above this share of rows allowed, one product with all of them, masked, is faster than FAISS's
# selector, which looks at them one by one: 0.5 ms against 0.4 at a fifth of 40,041 rows of 256
# dimensions, 0.5 against 1.6 at nine tenths.
_DENSE = 0.25
_RECALL_QUERIES, _RECALL_K = 1_000, 10

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class IndexConfig:
    """`factory` is a string that `faiss.index_factory` understands; `Flat` is exact.

    On unit vectors cosine and Euclidean rank alike; `metric` says what a score is: the cosine, or
    minus the Euclidean distance.
    """

    factory: str = "Flat"
    metric: Literal["cosine", "euclidean"] = "cosine"

    def __post_init__(self) -> None:
        if self.metric not in ("cosine", "euclidean"):
            raise ValueError(f"metric is {self.metric!r}, not cosine or euclidean")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a store was made of. A mismatch with what runs is an error, never silent nonsense."""

    encoder: dict[str, Any]
    index: dict[str, Any]
    dim: int
    count: int
    ids_sha256: str
    catalog_fingerprint: str
    recall_at_10: float
    skipped: dict[str, str]
    parts: list[str]
    files: dict[str, str]
    versions: dict[str, str] = field(
        default_factory=lambda: {name: version(name) for name in _LIBRARIES}
    )
    schema_version: int = SCHEMA_VERSION


class Index:
    """Rows nearest to a query, with or without a filter. Thread-safe.

    Attributes:
        ids: int64 of shape (n,), the id of each row.
        vectors: float32 of shape (n, d), unit rows, what a score is exact against.
        metric: what a score is.
        exact: whether a search without a filter is exact; one with a filter always is.
    """

    def __init__(self, faiss_index: Any, embeddings: Embeddings, config: IndexConfig) -> None:
        self.ids = embeddings.ids
        self.vectors = embeddings.vectors
        self.metric = config.metric
        self.exact = _is_flat(faiss_index)
        self._faiss = faiss_index

    def __len__(self) -> int:
        return len(self.ids)

    def search(
        self, queries: Floats, k: int, allowed: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Floats, Rows]:
        """Find the k best rows for each query.

        Args:
            queries: float32 of shape (q, d), unit rows.
            k: how many, at most.
            allowed: bool of shape (n,), the rows that may be found; all where None.

        Returns:
            Scores, float32 of shape (q, m), falling, and their rows, int64 of shape (q, m), where
            m is k or, where there are fewer, the number of rows allowed. Of equal scores the
            earlier rows are taken, and stand first. Without a filter an approximate index may find
            fewer: those columns hold -inf, -1.
        """
        count = len(self) if allowed is None else int(np.count_nonzero(allowed))
        k = min(k, count)
        if k == 0:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        if allowed is not None and (not self.exact or count > _DENSE * len(self)):
            scores, rows = self._search_product(queries, k, count, allowed)
        elif self.exact:
            scores, rows = self._search_flat(queries, k, count, allowed)
        else:
            scores, rows = self._faiss.search(queries, k)
        order = np.lexsort((rows, -scores))
        scores, rows = np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
        scores[rows < 0] = -np.inf
        return self._as_metric(scores), rows

    def _search_product(
        self, queries: Floats, k: int, count: int, allowed: npt.NDArray[np.bool_]
    ) -> tuple[Floats, Rows]:
        """The k best of `count` rows by a product: exact, where an approximate index loses rows."""
        if count > _DENSE * len(self):
            products = queries @ self.vectors.T  # (q, d) @ (d, n) -> (q, n)
            products[:, ~allowed] = -np.inf
            return _best(products, k)
        members = np.flatnonzero(allowed)
        scores, columns = _best(queries @ self.vectors[members].T, k)
        return scores, members[columns]

    def _search_flat(
        self, queries: Floats, k: int, count: int, allowed: npt.NDArray[np.bool_] | None
    ) -> tuple[Floats, Rows]:
        """The k best of `count` rows, unordered, the earlier of equal ones: (q, k) and (q, k)."""
        params = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bits))
            params = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        # One more than asked shows where the last one has an equal; FAISS then takes any of them.
        scores, rows = self._faiss.search(queries, min(k + 1, count), params=params)
        last = np.sort(scores, axis=1)[:, ::-1]
        for i in np.flatnonzero(last[:, k - 1] == last[:, k]) if count > k else ():
            # A little less than the last score, as FAISS sums in another order for many queries.
            least = float(last[i, k - 1]) - 1e-6
            _, found_scores, found_rows = self._faiss.range_search(
                queries[i : i + 1], least, params=params
            )
            best = np.lexsort((found_rows, -found_scores))[:k]
            scores[i, :k], rows[i, :k] = found_scores[best], found_rows[best]
        return scores[:, :k], rows[:, :k]

    def _as_metric(self, cosines: Floats) -> Floats:
        if self.metric == "cosine":
            return cosines
        return -np.sqrt(np.maximum(2 - 2 * cosines, 0))  # |a - b|² = 2 - 2ab for unit a, b


def _best(products: Floats, k: int) -> tuple[Floats, Rows]:
    """The k largest of each row of (q, m), the first of equal ones: scores and columns, (q, k)."""
    least = -np.partition(-products, k - 1, axis=1)[:, k - 1]
    columns = np.empty((len(products), k), dtype=np.int64)
    for row, product in enumerate(products):
        pool = np.flatnonzero(product >= least[row])
        columns[row] = pool[np.argsort(-product[pool], kind="stable")[:k]]
    return np.take_along_axis(products, columns, 1), columns


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
    random = np.random.default_rng(0)
    try:
        built = faiss.index_factory(vectors.shape[1], config.factory, faiss.METRIC_INNER_PRODUCT)
        sample = random.permutation(len(vectors))[:_TRAINING_ROWS]
        if not built.is_trained:
            built.train(vectors[np.sort(sample)])
        built.add(vectors)
    except RuntimeError as error:
        raise StoreError(
            f"FAISS cannot build the index {config.factory!r} over {len(vectors):,} vectors of "
            f"{vectors.shape[1]} dimensions: use Flat, or see its factory strings."
        ) from error
    index = Index(built, embeddings, config)
    if index.exact:
        return index, 1.0
    queries = vectors[sample[:_RECALL_QUERIES]]
    k = min(_RECALL_K, len(vectors))
    _, exact = _best(queries @ vectors.T, k)
    _, found = index.search(queries, k)
    shared = sum(len(np.intersect1d(a, b)) for a, b in zip(exact, found, strict=True))
    return index, shared / exact.size


def save_store(
    directory: Path,
    index: Index,
    *,
    config: IndexConfig,
    encoder: Mapping[str, Any],
    catalog_fingerprint: str,
    parts: Sequence[Path],
    recall_at_10: float,
    skipped: Mapping[int, str],
) -> Manifest:
    """Write the index and, last, the manifest; parts of earlier builds are then removed.

    Args:
        directory: the store; holds `catalog/` and the parts already.
        index: what `build_index` made.
        config: what it was made with.
        encoder: the encoder's config, weights hash, fingerprint and dtype.
        catalog_fingerprint: of the catalog that was embedded.
        parts: the files that hold the embeddings.
        recall_at_10: as measured by `build_index`.
        skipped: items that were left out, and why.

    Raises:
        StoreError: the store cannot be written.
    """
    try:
        building = directory / f"{INDEX_FILE}.building"
        faiss.write_index(index._faiss, str(building))
        # From here to the last line the store is not whole, and says so.
        (directory / MANIFEST_FILE).unlink(missing_ok=True)
        building.replace(directory / INDEX_FILE)
        np.save(directory / IDS_FILE, index.ids, allow_pickle=False)
        catalog = sorted((directory / "catalog").iterdir())
        listed = [directory / INDEX_FILE, directory / IDS_FILE, *catalog, *parts]
        names = [path.relative_to(directory).as_posix() for path in listed]
        manifest = Manifest(
            encoder=dict(encoder),
            index=asdict(config),
            dim=index.vectors.shape[1],
            count=len(index),
            ids_sha256=hashlib.sha256(index.ids.tobytes()).hexdigest(),
            catalog_fingerprint=catalog_fingerprint,
            recall_at_10=recall_at_10,
            skipped={str(item_id): reason for item_id, reason in skipped.items()},
            parts=[path.relative_to(directory).as_posix() for path in parts],
            files=dict(zip(names, _hash_files(listed), strict=True)),
        )
        text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
        building = directory / f"{MANIFEST_FILE}.building"
        building.write_text(text, encoding="utf-8")
        building.replace(directory / MANIFEST_FILE)
        for stale in {path for part in parts for path in part.parent.iterdir()} - set(parts):
            stale.unlink()
    except (OSError, RuntimeError) as error:
        raise StoreError("The store cannot be written: see its folder's permissions.") from error
    return manifest


def load_manifest(directory: Path) -> Manifest:
    """Read a store's manifest and check every file that it lists.

    Raises:
        StoreError: there is none, or a file is missing or has other bytes.
    """
    path = directory / MANIFEST_FILE
    if not path.is_file():
        missing = "index" if (directory / "catalog").is_dir() else "catalog and no index"
        raise StoreError(
            f"The store has no {missing} yet: run `python -m scripts.build_catalog` and then "
            "`python -m scripts.build_index`."
        )
    try:
        manifest = Manifest(**json.loads(path.read_text(encoding="utf-8")))
        files = {directory / name: expected for name, expected in manifest.files.items()}
        inside = all(file.resolve().is_relative_to(directory.resolve()) for file in files)
        needed = {INDEX_FILE, IDS_FILE, *manifest.parts}
        damaged = not inside or not needed <= set(manifest.files)
        damaged = damaged or not isinstance(manifest.encoder.get("fingerprint"), str)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError("The store's manifest cannot be read: build the index again.") from error
    if manifest.schema_version != SCHEMA_VERSION or damaged:
        raise StoreError("The store's manifest is of another version: build the index again.")
    try:
        changed = [
            file.relative_to(directory)
            for (file, expected), found in zip(files.items(), _hash_files(list(files)), strict=True)
            if found != expected
        ]
    except OSError as error:
        raise StoreError("The store lacks a file of its manifest: build it again.") from error
    if changed:
        raise StoreError(
            f"{changed[0]} was changed after the index was built: run "
            "`python -m scripts.build_index` again."
        )
    return manifest


def load_index(directory: Path, manifest: Manifest) -> Index:
    """Read the index of a store whose manifest was loaded, hence whose files were checked.

    Raises:
        StoreError: it does not hold what the manifest says.
    """
    try:
        config = IndexConfig(**manifest.index)
        # A file may claim any length; what the manifest says is what may be allocated.
        faiss.set_deserialization_vector_byte_limit((directory / INDEX_FILE).stat().st_size)
        built = faiss.read_index(str(directory / INDEX_FILE))
        ids = np.load(directory / IDS_FILE, allow_pickle=False)
        shape = (manifest.count, manifest.dim)
        if (built.ntotal, built.d) != shape or built.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise ValueError("the index has another shape or metric than its manifest says")
        if hashlib.sha256(ids.tobytes()).hexdigest() != manifest.ids_sha256:
            raise ValueError("the ids are not those of the manifest")
        if _is_flat(built):
            flat = faiss.downcast_index(built)
            # FAISS holds the exact vectors: look at them instead of reading them twice.
            stored = flat.get_xb()  # type: ignore[attr-defined]
            vectors = faiss.rev_swig_ptr(stored, built.ntotal * built.d).reshape(shape)
            embeddings = Embeddings(ids, vectors)
        else:
            embeddings = load_parts([directory / part for part in manifest.parts])
            if not np.array_equal(embeddings.ids, ids):
                raise ValueError("the embeddings are of other items than the index")
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise StoreError("The store's index is damaged: build it again.") from error
    return Index(built, embeddings, config)


def check_encoder(manifest: Manifest, fingerprint: str) -> None:
    """See that the encoder that runs is the one that the store was built with.

    Raises:
        IndexMismatchError: it is not.
    """
    if manifest.encoder["fingerprint"] != fingerprint:
        raise IndexMismatchError(
            "The index was built by another encoder than the one that runs: run "
            "`python -m scripts.build_index` again."
        )


def _hash_files(paths: Sequence[Path]) -> list[str]:
    def sha256(path: Path) -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    with ThreadPoolExecutor() as pool:
        return list(pool.map(sha256, paths))
