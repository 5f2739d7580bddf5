"""Embed a catalog; ids and their vectors, together, on disk and back.

A part is a file that holds the ids and vectors of some `PART_ITEMS` consecutive items. Its name is
a hash of what it was made of (encoder, ids, pixels), so a part that exists is a part that is done:
a run that was killed finds what it needs; a part that is damaged is made again. Where parts end is
told by the items' ids, so that an item which comes or goes changes its own part and none behind it.
Of a catalog that changed, parts are put together from the embeddings that are known, and the rest
is encoded.

Who makes the parts is an `Engine`: here this machine, by `Dataset.map`; in `embed_ray` a cluster.
Each finds what another has made.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import chain
from pathlib import Path

import datasets
import multiprocess
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from tqdm import tqdm

from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.views import only, table_of
from recommender.encoding.protocol import PictureEncoder
from recommender.errors import ImageError, StoreError
from recommender.files import refused_by_disk, whole_file
from recommender.index.embeddings import Embeddings, Floats, Rows
from recommender.pictures.decode import decode_image
from recommender.schema import Id, key_of, keys_of
from recommender.store.known import ByPicture
from recommender.store.parts import NOT_WHOLE, load_parts

PART_ITEMS = 512
"""About so many; no part but the last has fewer than half, none more than twice as many."""
_MIXER = np.uint64(0x9E3779B97F4A7C15)
"""2^64 by the golden ratio: its multiples lie apart, those of neighbouring ids too."""

LoadEncoder = Callable[[int | None], PictureEncoder]
"""Gives the encoder of a worker by its rank, None for the only one; pickled to each worker."""


@dataclass(frozen=True)
class EmbeddedCatalog:
    """Files of a catalog's embeddings, their encoder, and the items left out with the reason."""

    encoder: PictureEncoder
    parts: tuple[Path, ...]
    skipped: dict[Id, str]

    @cached_property
    def embeddings(self) -> Embeddings:
        """What is in the files.

        Raises:
            StoreError: as of `load_parts`.
        """
        return load_parts(self.parts)


@dataclass(frozen=True, kw_only=True)
class Work:
    """What an engine needs to know beside the items.

    Attributes:
        directory: where the parts are, and are looked for.
        load_encoder: gives each worker its encoder.
        fingerprint, dim: of that encoder.
        batch_size: pictures the network sees at once.
        workers: processes.
        done: parts that are known to be whole.
    """

    directory: Path
    load_encoder: LoadEncoder
    fingerprint: str
    dim: int
    batch_size: int
    workers: int
    done: frozenset[Path] = frozenset()


class Part:
    """Some consecutive items, and the file that is made of them.

    Attributes:
        start: where they begin in the catalog.
        path: the file.
        ids, pixels: of the items, the latter their `image_hash`.
        known: what need not be seen again.
    """

    known = ByPicture()

    def __init__(self, start: int, ids: Sequence[Id], pixels: Sequence[str], work: Work) -> None:
        """Args:
        start, ids, pixels: as the attributes.
        work: what is to be done.
        """
        made_of = json.dumps([work.fingerprint, ids, pixels])
        name = f"{sha256(made_of.encode()).hexdigest()[:24]}.safetensors"
        self.start, self.path, self.ids, self.pixels = start, work.directory / name, ids, pixels
        self._work = work

    @cached_property
    def fresh(self) -> list[int]:
        """The positions of those items whose pictures have to be seen."""
        return [i for i, seen in enumerate(self.pixels) if seen not in self.known]

    @property
    def is_done(self) -> bool:
        """Whether its file is there and can be read; a damaged one is made again."""
        if self.path in self._work.done:
            return True
        try:
            found, skipped = load_parts([self.path]).ids.tolist(), _read_skipped(self.path)
        except NOT_WHOLE:
            return False
        kept = [key_of(item_id) for item_id in self.ids if str(item_id) not in skipped]
        return bool(found == kept)

    def write(self, encoded: Floats, reasons: Mapping[int, str]) -> None:
        """Make the file.

        Args:
            encoded: of the fresh pictures that can be read, as `embed_pictures` gives them.
            reasons: place among the fresh ones -> why a picture cannot.

        Raises:
            OSError, SafetensorError: it cannot be written.
        """
        skipped = {self.fresh[place]: reason for place, reason in reasons.items()}
        vectors = np.empty((len(self.ids), self._work.dim), dtype=np.float32)
        vectors[[position for position in self.fresh if position not in skipped]] = encoded
        for position in set(range(len(self.ids))).difference(self.fresh):
            vectors[position] = self.known[self.pixels[position]]
        kept = [item_id for i, item_id in enumerate(self.ids) if i not in skipped]
        tensors = {"ids": keys_of(kept), "vectors": np.delete(vectors, list(skipped), axis=0)}
        told = json.dumps({self.ids[position]: reason for position, reason in skipped.items()})
        metadata = {"skipped": told, "encoder": self._work.fingerprint}
        with whole_file(self.path, by_many=True) as building:
            save_file(tensors, building, metadata)


Engine = Callable[[datasets.Dataset, Sequence[Part], Work], Iterable[Part]]
"""Makes parts of items (id, image, image_hash), each of which has fresh ones; gives it once it is
written."""


def part_slices(keys: Rows) -> list[slice]:
    """The items of each part of a catalog.

    Args:
        keys: int64 of shape (n,), of the items' ids.

    Source: content-defined chunking, as of Muthitacharoen, Chen & Mazières (2001), "A low-bandwidth
    network file system".
    """
    least, most = PART_ITEMS // 2, 2 * PART_ITEMS
    mixed = keys.astype(np.uint64) * _MIXER >> np.uint64(32)
    ends = np.flatnonzero(mixed < 2**32 // (PART_ITEMS - least)) + 1
    slices, start = list[slice](), 0
    for end in [*ends.tolist(), len(keys)]:
        while end - start > most:
            slices.append(slice(start, start := start + most))
        if end - start >= max(least, 1) or start < end == len(keys):
            slices.append(slice(start, start := end))
    return slices


def embed_here(items: datasets.Dataset, parts: Sequence[Part], work: Work) -> Iterator[Part]:
    """The engine that is this machine: one process, or several, which `Dataset.map` hands parts.

    Raises:
        OSError, SafetensorError: a part cannot be written.
    """
    if work.workers > 1:
        # A forked child of a process whose torch has run hangs, and CUDA forbids it.
        multiprocess.set_start_method("spawn", force=True)
    made_of = f"{items._fingerprint} {work.fingerprint}"
    datasets.Dataset.from_dict({"at": list(range(len(parts)))}).map(
        _embed_part,
        with_rank=True,
        num_proc=min(work.workers, len(parts)) if work.workers > 1 else None,
        fn_kwargs={"images": only(items, ["image"]), "parts": parts, "work": work},
        keep_in_memory=True,
        load_from_cache_file=False,
        # datasets would hash the function, which does not know that its weights changed.
        new_fingerprint=sha256(made_of.encode()).hexdigest()[:16],
        desc="Embedding",
    )
    yield from parts


def embed_catalog(
    items: datasets.Dataset,
    directory: Path,
    load_encoder: LoadEncoder,
    *,
    batch_size: int = 64,
    workers: int = 1,
    load_known: Callable[[str], ByPicture] = lambda fingerprint: ByPicture(),
    done: frozenset[Path] = frozenset(),
    engine: Engine = embed_here,
) -> EmbeddedCatalog:
    """Embed every item, part by part, decoding beside the network.

    Args:
        items: a catalog: id, image as `{"bytes", "path"}`, image_hash.
        directory: where the parts are, and are looked for.
        load_encoder: gives each worker its encoder.
        batch_size: pictures the network sees at once; 64 suit a CPU's caches, a GPU takes more.
        workers: processes; with several, each loads an encoder of its own, by its rank.
        load_known: gives what an encoder of this fingerprint has embedded before.
        done: files of parts that are known to be whole.
        engine: who does it.

    Returns:
        The embeddings in the catalog's order. Of nothing known, the same parts, hence the same
        embeddings to the last bit, whether the run was ever interrupted or not, and whichever
        engine made which of them, as far as their processors calculate alike.

    Raises:
        StoreError: a part cannot be written.
        RecommenderError: what else an engine says.
        ValueError: a size is not positive.
    """
    if batch_size < 1 or workers < 1:
        raise ValueError("batch_size and workers are at least 1")
    encoder = _loaded(load_encoder)
    work = Work(
        directory=directory,
        load_encoder=load_encoder,
        fingerprint=encoder.fingerprint,
        dim=encoder.dim,
        batch_size=batch_size,
        workers=workers,
        done=done,
    )
    parts = parts_of(items, work)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if lacking := [part for part in parts if not part.is_done]:
            wanted = chain.from_iterable(part.pixels for part in lacking)
            known = load_known(encoder.fingerprint).among(wanted)
            for part in lacking:
                part.known = known
            _make(lacking, items, work, engine)
    except (OSError, ValueError) as error:
        if (cause := refused_by_disk(error)) is None:
            raise
        raise StoreError(f"Embeddings cannot be written: {cause.strerror or cause}.") from error
    except SafetensorError as error:
        raise StoreError("Embeddings cannot be written: see the folder and its disk.") from error
    paths = tuple(part.path for part in parts)
    told = {k: reason for path in paths for k, reason in _read_skipped(path).items()}
    ids = [item_id for part in parts for item_id in part.ids] if told else []
    skipped = {item_id: told[str(item_id)] for item_id in ids if str(item_id) in told}
    return EmbeddedCatalog(encoder, paths, skipped)


def parts_of(items: datasets.Dataset, work: Work) -> list[Part]:
    """The parts of a catalog, in order."""
    ids, pixels = table_of(items, ["id", "image_hash"]).columns
    return [
        Part(here.start, ids[here].to_pylist(), pixels[here].to_pylist(), work)
        for here in part_slices(keys_of(ids.to_numpy()))
    ]


def _make(parts: Sequence[Part], items: datasets.Dataset, work: Work, engine: Engine) -> None:
    """Make parts, as far as is known of what is known."""
    asked = [part for part in parts if part.fresh]
    done = len(items) - sum(len(part.ids) for part in asked)
    for part in parts:
        if not part.fresh:
            part.write(np.empty((0, work.dim), np.float32), {})
    # Of this machine `Dataset.map` shows how far it is.
    hidden = engine is embed_here
    with tqdm(total=len(items), initial=done, desc="Embedding", unit="item", disable=hidden) as bar:
        for part in engine(items, asked, work) if asked else ():
            bar.update(len(part.ids))


def _read_skipped(part: Path) -> dict[str, str]:
    """Ids as texts, and why their pictures cannot be read."""
    with safe_open(part, framework="np") as file:
        return dict(json.loads(file.metadata()["skipped"]).items())


def _embed_part(
    row: dict[str, int],
    rank: int | None,
    *,
    images: datasets.Dataset,
    parts: Sequence[Part],
    work: Work,
) -> None:
    """Map function: a row is a part. Top-level, so that a spawned worker finds it."""
    part = parts[row["at"]]
    rows = [part.start + position for position in part.fresh]
    pictures = [image["bytes"] for image in images[rows]["image"]]
    encoder = _loaded(work.load_encoder, rank if work.workers > 1 else None)
    part.write(*embed_pictures(pictures, encoder, work.batch_size))


@lru_cache(maxsize=1)
def _loaded(load_encoder: LoadEncoder, rank: int | None = None) -> PictureEncoder:
    """The encoder of this process: items and their views are seen by one."""
    return load_encoder(rank)


def embed_pictures(
    pictures: Sequence[bytes], encoder: PictureEncoder, batch_size: int
) -> tuple[Floats, dict[int, str]]:
    """Encode pictures in batches while threads decode the next ones.

    Args:
        pictures: n files.
        encoder: what sees them.
        batch_size: how many at once.

    Returns:
        float32 of shape (n - skipped, dim); place -> reason of those that cannot be read.
    """
    vectors = np.empty((len(pictures), encoder.dim), dtype=np.float32)
    skipped = dict[int, str]()

    def prepare(start: int) -> dict[int, npt.NDArray[np.uint8]]:
        """A batch: a task a picture costs more in handing over than decoding it on few cores."""
        prepared = {}
        for place, data in enumerate(pictures[start : start + batch_size], start):
            try:
                decoded = decode_image(data, limits=PICTURE_LIMITS, at_least_px=encoder.input_px)
                prepared[place] = encoder.prepare(decoded)
            except ImageError as error:
                skipped[place] = str(error)
        return prepared

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for prepared in pool.map(prepare, range(0, len(pictures), batch_size)):
            if prepared:
                encoded = encoder.encode_prepared(np.stack(list(prepared.values())))
                vectors[list(prepared)] = encoded.vectors
    return np.delete(vectors, list(skipped), axis=0), dict(sorted(skipped.items()))
