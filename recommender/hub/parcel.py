"""A store as a dataset repo holds it: packed for the road, and unpacked with nothing trusted.

A file is named by its content, so that a newer store's files never take the place of an older's.
The catalog is Parquet with its pictures within, which the Hub's viewer shows; the manifest lists
the sha256 and size of each file.
"""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np

from recommender.catalog.arrow import check_parquet
from recommender.catalog.cleaning import CatalogReport
from recommender.catalog.features import check_features
from recommender.catalog.fingerprint import is_fingerprint
from recommender.catalog.items import catalog_frame, check_items
from recommender.catalog.shards import write_catalog
from recommender.catalog.views import decoding
from recommender.errors import HubError, StoreError
from recommender.files import hash_files, is_disk_full, whole_file
from recommender.store.colours import COLOURS
from recommender.store.manifest import (
    WEIGHTS,
    Manifest,
    carried_weights,
    fits,
    read_told,
    weights_name,
    with_weights,
    write_manifest,
)
from recommender.store.store import Store
from recommender.store.style_map import MAP
from recommender.store.views import load_views, view_parts

SCHEMA_VERSION = 1
_BESIDE = (MAP, COLOURS)
STAGING = ".hub"
"""The folder of a store where what comes and goes lies meanwhile."""

REMOTE = re.compile(r"(data/[0-9a-f]{24}\.parquet|store/[0-9a-f]{24}\.(faiss|npy|safetensors))")
"""The paths of a parcel's files in a repo."""

_LOCAL = re.compile(
    r"index(-[0-9a-f]{16})?\.faiss|ids(-[0-9a-f]{16})?\.npy|"
    r"(embeddings|views|map|colours|weights)/[0-9a-f]{24}\.safetensors"
)
_OF_OTHERS = ("transformers", "open_clip")
_PINNED = re.compile(r"[\w.-]+(/[\w.-]+)?@[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class File:
    """A file of a repo."""

    path: str
    sha256: str
    size: int

    def __post_init__(self) -> None:
        if not REMOTE.fullmatch(self.path) or not _SHA256.fullmatch(self.sha256):
            raise ValueError("a file's path or hash has another form")
        if type(self.size) is not int or self.size < 0:
            raise ValueError("a size is a number of bytes")


@dataclass(frozen=True)
class Parcel:
    """A store as a dataset repo holds it.

    Attributes:
        store: the store's own manifest; unpacked, it names no file yet.
        shards: the catalog as Parquet, in order.
        own: the other files, by their names in a store.
    """

    store: Manifest
    shards: Sequence[File]
    own: Mapping[str, File]

    @property
    def files(self) -> list[File]:
        """All of them."""
        return [*self.shards, *self.own.values()]

    def to_json(self) -> str:
        """What `read_parcel` reads."""
        stored = {name: value for name, value in asdict(self.store).items() if name != "files"}
        parcel = {
            "schema_version": SCHEMA_VERSION,
            "store": stored,
            "catalog": [asdict(file) for file in self.shards],
            "files": {name: asdict(file) for name, file in self.own.items()},
        }
        return json.dumps(parcel, ensure_ascii=False, indent=1)


def pack(store: Store) -> tuple[Parcel, dict[str, Path]]:
    """Make of a store what a repo holds.

    Args:
        store: its catalog is written as Parquet into `.hub`, once.

    Returns:
        The parcel, and where each of its files is now: path in the repo -> local path.

    Raises:
        StoreError: the Parquet files cannot be written.
    """
    directory, manifest = store.directory, store.manifest
    shards = _write_parquet(directory, manifest)
    names = [manifest.index_file, manifest.ids_file, *manifest.parts]
    beside = [kind.find(directory, manifest.files) for kind in _BESIDE]
    names += [path.relative_to(directory).as_posix() for path in beside if path is not None]
    names += view_parts(manifest.files)
    own = [directory / name for name in names]
    if weights := _weights_file(directory, manifest):
        # Named by what they are: no path of this machine is public.
        [sha256] = hash_files([weights])
        names.append(f"{WEIGHTS}/{sha256[:24]}.safetensors")
        own.append(weights)
        manifest = with_weights(manifest, names[-1])
    files = dict(zip(names, _files(own, "store"), strict=True))
    parcel = Parcel(manifest, _files(shards, "data"), files)
    paths = [file.path for file in parcel.files]
    return parcel, dict(zip(paths, [*shards, *own], strict=True))


def _weights_file(directory: Path, manifest: Manifest) -> Path | None:
    """The weights that have to come along, as they are nobody's but the owner's.

    Raises:
        StoreError: they are not there.
    """
    if carried := carried_weights(manifest):
        return directory / carried
    if not _is_path(name := weights_name(manifest)):
        return None
    if _is_folder(name):
        raise StoreError(
            "The store was built with a model in a folder of this machine, which nobody else has: "
            "push that to the Hub and build with its name there."
        )
    if not Path(name).is_file():
        raise StoreError(
            f"The weights {Path(name).name} that the store was built with are not where they were: "
            "put them back, or build the index again."
        )
    return Path(name)


def _is_folder(name: str) -> bool:
    """Whether an encoder's name is that of a model in a folder, not at a commit of the Hub."""
    kind, colon, place = name.partition(":")
    return bool(colon) and kind in _OF_OTHERS and not _PINNED.fullmatch(place)


def _is_path(name: str) -> bool:
    """Whether an encoder's name is that of a file, not of weights that everyone can have."""
    return (
        _is_folder(name)
        or name.endswith(".safetensors")
        or "\\" in name
        or name.startswith(("/", "."))
    )


def _files(paths: Sequence[Path], folder: str) -> list[File]:
    """Local files as a repo names them."""
    return [
        File(f"{folder}/{sha256[:24]}{path.suffix}", sha256, path.stat().st_size)
        for path, sha256 in zip(paths, hash_files(paths), strict=True)
    ]


def _write_parquet(directory: Path, manifest: Manifest) -> list[Path]:
    """The catalog's shards as Parquet, pictures within, kept until the push is through."""
    paths = []
    try:
        for name in manifest.shards:
            path = directory / STAGING / f"{manifest.files[name][:24]}.parquet"
            if not path.is_file():
                shard = datasets.Dataset.from_file(str(directory / name))
                shard = decoding(shard, decode=True)
                with whole_file(path) as building:
                    shard.to_parquet(building)
            paths.append(path)
    except OSError as error:
        raise StoreError(f"The shards cannot be written: {error.strerror or error}.") from error
    return paths


def read_parcel(path: Path) -> Parcel:
    """Read a manifest that comes from elsewhere, trusting nothing of it.

    Raises:
        HubError: it is of another version, or asks for what no store has.
    """
    try:
        parcel: dict[str, Any] = read_told(path)
        if parcel["schema_version"] != SCHEMA_VERSION:
            raise HubError(
                "The store on the Hub is of another version: push it again with this one."
            )
        shards = [File(**file) for file in parcel["catalog"]]
        own = {name: File(**file) for name, file in parcel["files"].items()}
        stored = Manifest(**parcel["store"], files={})
        named = {stored.index_file, stored.ids_file, *stored.parts}
        beside = [{name for name in own if kind.find(Path(), [name])} for kind in _BESIDE]
        if carried := carried_weights(stored):
            named.add(carried)
        elif _is_path(weights_name(stored)):
            raise HubError(
                "The store on the Hub was built with weights that are on its owner's machine: "
                "push it again with this version, which sends them along."
            )
        whole = shards and own.keys() - set().union(*beside, view_parts(own)) == named
        whole = whole and all(len(names) <= 1 for names in beside)
        if not whole or not all(map(_LOCAL.fullmatch, own)):
            raise ValueError("the files are not those of a store")
        if not fits(replace(stored, files=dict.fromkeys(own, ""))):
            raise ValueError("it says what no store is")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise HubError("The store's manifest on the Hub cannot be used: push it again.") from error
    return Parcel(stored, shards, own)


def check_files(staging: Path, files: Sequence[File]) -> None:
    """Compare what came with what the manifest says; what differs is thrown away.

    Raises:
        HubError: a file differs.
    """
    hashes = hash_files([staging / file.path for file in files])
    wrong = [file for file, sha256 in zip(files, hashes, strict=True) if sha256 != file.sha256]
    if wrong:
        shutil.rmtree(staging / ".cache", ignore_errors=True)
        for file in wrong:
            (staging / file.path).unlink()
        raise HubError(
            f"{wrong[0].path} came with other bytes than the manifest says: pull again and, if it "
            "stays so, push it again."
        )


def unpack(parcel: Parcel, staging: Path, directory: Path, *, source: str) -> None:
    """Put checked files beside those of a store and, by its manifest, make them the store.

    Args:
        parcel: what came.
        staging: where it lies, under the paths that it has in the repo.
        directory: the store, which stays as it is until the last step.
        source: how the catalog's report names where it is from.

    Raises:
        HubError: the files are no store together.
        OSError: they cannot be written.
    """
    stored, own = parcel.store, parcel.own
    try:
        for file in parcel.shards:
            check_parquet(staging / file.path)
        items = datasets.Dataset.from_parquet(
            [str(staging / file.path) for file in parcel.shards], cache_dir=str(staging / "arrow")
        )
        check_features(items.features)
        check_items(items)
        if not is_fingerprint(stored.catalog_fingerprint, items):
            raise ValueError("it is another catalog than the embeddings'")
    except Exception as error:  # of damaged files, whatever datasets and pyarrow happen to raise
        if is_disk_full(error):
            raise
        raise HubError(
            "The store on the Hub holds no catalog that fits it: push it again."
        ) from error
    names = {name: _own_name(directory, name, file) for name, file in own.items()}
    manifest = replace(
        stored,
        index_file=names[stored.index_file],
        ids_file=names[stored.ids_file],
        parts=[names[name] for name in stored.parts],
        files={names[name]: file.sha256 for name, file in own.items()},
    )
    for name, file in own.items():
        target = directory / names[name]
        if not _holds(target, file):
            with whole_file(target) as building:
                shutil.copyfile(staging / file.path, building)
    try:
        store = Store(directory, manifest)
        index, parts, _, _ = store.index, store.embeddings, store.places, store.colours
        pairs = (parts.ids, index.ids), (parts.vectors, index.vectors[:])
        if not all(np.array_equal(part, whole) for part, whole in pairs):
            raise StoreError("The index is of other embeddings: build it again.")
        views = [directory / name for name in view_parts(manifest.files)]
        load_views(views, catalog_frame(items), index.ids, manifest.dim)
    except StoreError as error:
        raise HubError(
            "The index, its embeddings, views, map or colours on the Hub are not what the manifest "
            "says: push the store again."
        ) from error
    written = write_catalog(
        [items.data.table], items.features, directory / "catalog", CatalogReport(source=source)
    )
    hashes = hash_files(written)
    catalog = {f"catalog/{p.name}": sha for p, sha in zip(written, hashes, strict=True)}
    write_manifest(directory, replace(manifest, files={**manifest.files, **catalog}))


def _own_name(directory: Path, name: str, file: File) -> str:
    """Where a file goes in a store without taking the place of other bytes that it may serve."""
    folder, suffix = Path(name).parent, Path(name).suffix
    if suffix in (".faiss", ".npy"):
        return f"{'index' if suffix == '.faiss' else 'ids'}-{file.sha256[:16]}{suffix}"
    # Parts and maps are named by what they were made of, which on another machine rounds otherwise.
    if not (directory / name).exists() or _holds(directory / name, file):
        return name
    return (folder / f"{file.sha256[:24]}{suffix}").as_posix()


def _holds(path: Path, file: File) -> bool:
    return path.is_file() and hash_files([path]) == [file.sha256]
