"""The manifest: what a store was made of, and the sha256 of each of its files."""

import contextlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from recommender.catalog.shards import catalog_shards
from recommender.errors import IndexMismatchError, StoreError
from recommender.files import MANIFEST_FILE as MANIFEST_FILE
from recommender.files import hash_files, is_hollow, whole_file

SCHEMA_VERSION = 1
WEIGHTS = "weights"
"""The folder of a store that came from elsewhere, with weights that its owner made."""

_OWN_FILES = (
    *("index.faiss", "index-*.faiss", "ids.npy", "ids-*.npy", "*.building"),
    *("embeddings/*", "views/*", "map/*", "colours/*", "weights/*", "catalog/*.arrow"),
)
_LARGEST_BYTES = 32 * 2**20
"""Of a manifest, of whose text Python makes thirty times as much."""
_LARGEST_DIM = 2**16
_LIBRARIES = ("datasets", "faiss-cpu", "numpy", "pillow", "timm", "torch")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a store was made of. A mismatch with what runs is an error, never silent nonsense.

    `lineage` is what the versions of a store have in common, and no other store has: the head of
    the first one's catalog's fingerprint.
    """

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
    index_file: str = "index.faiss"
    ids_file: str = "ids.npy"
    lineage: str = ""
    versions: dict[str, str] = field(
        default_factory=lambda: {name: version(name) for name in _LIBRARIES}
    )
    schema_version: int = SCHEMA_VERSION

    @property
    def shards(self) -> list[str]:
        """The catalog's Arrow files, in order."""
        return [name for name in self.files if is_shard(name)]


def weights_name(manifest: Manifest) -> str:
    """What the encoder's weights are called; empty where nothing is said."""
    return str(manifest.encoder.get("config", {}).get("weights", ""))


def carried_weights(manifest: Manifest) -> str | None:
    """The encoder's weights where the store holds them itself: a path within it."""
    name = weights_name(manifest)
    return name if name.startswith(f"{WEIGHTS}/") else None


def with_weights(manifest: Manifest, name: str) -> Manifest:
    """The same store, whose encoder's weights are of another name."""
    config = {**manifest.encoder["config"], "weights": name}
    return replace(manifest, encoder={**manifest.encoder, "config": config})


def is_shard(name: str) -> bool:
    """Whether a file of a store holds items of its catalog."""
    return name.startswith("catalog/") and name.endswith(".arrow")


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Make a version the one that is read, by rename, and remove the files of earlier ones.

    Raises:
        OSError: it cannot be written.
    """
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
    with whole_file(directory / MANIFEST_FILE) as building:
        building.write_text(text, encoding="utf-8")
    latest = {directory / name for name in manifest.files}
    with contextlib.suppress(OSError):
        latest |= set(catalog_shards(directory / "catalog"))
    for pattern in _OWN_FILES:
        for stale in set(directory.glob(pattern)) - latest:
            # Windows keeps a file that is still read; it goes with the next version.
            with contextlib.suppress(OSError):
                stale.unlink()


def store_version(directory: Path) -> tuple[int, int] | None:
    """What changes when the manifest does, for the price of a look; None where there is none."""
    try:
        found = (directory / MANIFEST_FILE).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def load_manifest(directory: Path, *, searched: bool = True) -> Manifest:
    """Read a store's manifest and check every file that it lists.

    Args:
        directory: the store.
        searched: whether its index is going to be read; if not, it is not looked at.

    Raises:
        StoreError: there is none, or a file is missing or has other bytes.
    """
    if not (path := directory / MANIFEST_FILE).is_file():
        missing = "index" if (directory / "catalog").is_dir() else "catalog and no index"
        raise StoreError(
            f"The store has no {missing} yet: run `python -m scripts.build_catalog` and then "
            "`python -m scripts.build_index`."
        )
    try:
        manifest = Manifest(**read_told(path))
        # Earlier manifests list the catalog's JSON too, which only says what the latest one is.
        own = [n for n in manifest.files if is_shard(n) or not n.startswith("catalog/")]
        if not searched:
            own.remove(manifest.index_file)
        files = [directory / name for name in own]
        damaged = not (all(map(_is_plain, own)) and fits(manifest))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError("The store's manifest cannot be read: build the index again.") from error
    if manifest.schema_version != SCHEMA_VERSION or damaged:
        raise StoreError("The store's manifest is of another version: build the index again.")
    check_within(directory, files)
    try:
        # Of a pipe one would wait for ever, of holes nearly as long.
        if not all(file.is_file() and not is_hollow(file) for file in files):
            raise FileNotFoundError
        found = zip(own, hash_files(files), strict=True)
        changed = [name for name, sha256 in found if sha256 != manifest.files[name]]
    except OSError as error:
        raise StoreError("The store lacks a file of its manifest: build it again.") from error
    if changed:
        raise StoreError(
            f"{changed[0]} was changed after the index was built: run "
            "`python -m scripts.build_index` again."
        )
    return manifest


def check_within(directory: Path, files: Iterable[Path]) -> None:
    """See that files of a store lie in it: a link would lead to whatever else there is.

    Raises:
        StoreError: one does not.
    """
    try:
        within = directory.resolve()
        strays = [file for file in files if not file.resolve().is_relative_to(within)]
    except (OSError, ValueError, RuntimeError) as error:  # Python 3.11 says that of links in a ring
        raise StoreError("The store has links that lead nowhere: build it again.") from error
    if strays:
        name = strays[0].relative_to(directory).as_posix()
        raise StoreError(f"{name} lies elsewhere, by a link: copy it here, or build it again.")


def read_told(path: Path) -> Any:
    """What a manifest says, of whichever kind.

    Raises:
        OSError, ValueError, RecursionError: it cannot be read, or is larger than any is.
    """
    if path.stat().st_size > _LARGEST_BYTES:
        raise ValueError("it is larger than any manifest")
    return json.loads(path.read_text(encoding="utf-8"))


def _is_plain(name: str) -> bool:
    """Whether a file's name is the only one that it can have: by many, one is read many times."""
    path = PurePosixPath(name)
    return path.as_posix() == name and not path.is_absolute() and ".." not in path.parts


def fits(manifest: Manifest) -> bool:
    """Whether a manifest that came from anywhere says of each thing what can be said of it."""
    needed = [manifest.index_file, manifest.ids_file, *manifest.parts]
    needed += [carried] if (carried := carried_weights(manifest)) else []
    named = isinstance(manifest.encoder.get("fingerprint"), str)
    counted = type(manifest.count) is type(manifest.dim) is int
    sized = counted and manifest.count >= 0 and 0 < manifest.dim <= _LARGEST_DIM
    texts = manifest.ids_sha256, manifest.catalog_fingerprint, manifest.lineage
    told = all(isinstance(one, str) for one in texts)
    told &= isinstance(manifest.index, dict) and isinstance(manifest.skipped, dict)
    told &= isinstance(manifest.recall_at_10, int | float)
    each_once = set(needed) <= set(manifest.files) and len(set(needed)) == len(needed)
    return told and named and sized and each_once


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
