"""A store on disk: catalog, parts, index and, written last, the manifest.

The manifest says what the store was made of and lists the sha256 of each of its files. It is
written by rename: where it exists, the store is whole; where it does not fit, nothing of the
store is read.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from recommender.embeddings import load_parts
from recommender.errors import IndexMismatchError, StoreError
from recommender.index import Index, IndexConfig, read_index, write_index

MANIFEST_FILE = "manifest.json"
INDEX_FILE = "index.faiss"
IDS_FILE = "ids.npy"
SCHEMA_VERSION = 1

_LIBRARIES = ("datasets", "faiss-cpu", "numpy", "pillow", "timm", "torch")


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
    style_map: Path | None = None,
) -> Manifest:
    """Write the index and, last, the manifest; parts and maps of earlier builds are then removed.

    Args:
        directory: the store; holds `catalog/` and the parts already.
        index: what `build_index` made.
        config: what it was made with.
        encoder: the encoder's config, weights hash, fingerprint and dtype.
        catalog_fingerprint: of the catalog that was embedded.
        parts: the files that hold the embeddings.
        recall_at_10: as measured by `build_index`.
        skipped: items that were left out, and why.
        style_map: the file that holds the map, where one was made.

    Raises:
        StoreError: the store cannot be written.
    """
    try:
        building = directory / f"{INDEX_FILE}.building"
        write_index(index, building)
        # From here to the last line the store is not whole, and says so.
        (directory / MANIFEST_FILE).unlink(missing_ok=True)
        building.replace(directory / INDEX_FILE)
        np.save(directory / IDS_FILE, index.ids, allow_pickle=False)
        catalog = sorted((directory / "catalog").iterdir())
        made = [*parts, style_map] if style_map else [*parts]
        listed = [directory / INDEX_FILE, directory / IDS_FILE, *catalog, *made]
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
        for stale in {path for file in made for path in file.parent.iterdir()} - set(made):
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
        ids = np.load(directory / IDS_FILE, allow_pickle=False)
        if hashlib.sha256(ids.tobytes()).hexdigest() != manifest.ids_sha256:
            raise ValueError("the ids are not those of the manifest")
        if len(ids) != manifest.count:
            raise ValueError("the manifest counts other items")
        return read_index(
            directory / INDEX_FILE,
            ids,
            manifest.dim,
            lambda: load_parts([directory / part for part in manifest.parts]),
            IndexConfig(**manifest.index),
        )
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise StoreError("The store's index is damaged: build it again.") from error


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
