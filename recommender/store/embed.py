"""Embed a catalog; ids and their vectors, together, on disk and back.

A part is a file that holds the ids and vectors of up to `PART_ITEMS` consecutive items. Its name
is a hash of what it was made of (encoder, ids, pixels), so a part that exists is a part that is
done: a run that was killed finds what it needs; a part that is damaged is made again. Of a catalog
that changed, parts are put together from the embeddings that are known, and the rest is encoded.

Who makes the parts is an `Engine`: here this machine, by `Dataset.map`; in `embed_ray` a cluster.
Each finds what another has made.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import datasets
import multiprocess
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from recommender.catalog.items import PICTURE_LIMITS
from recommender.encoding.protocol import PictureEncoder
from recommender.errors import ImageError, StoreError
from recommender.files import refused_by_disk, whole_file
from recommender.index.embeddings import Embeddings, Floats
from recommender.pictures.decode import decode_image
from recommender.schema import Id, key_of, keys_of
from recommender.store.beside import UNREADABLE

PART_ITEMS = 512
Known = Mapping[str, Floats]
"""`image_hash` -> embedding, float32 of shape (dim,), of pictures that need not be seen again."""

LoadEncoder = Callable[[int | None], PictureEncoder]
"""Gives the encoder of a worker by its rank, None for the only one; pickled to each worker."""

_DAMAGED = (*UNREADABLE, StoreError, KeyError)


@dataclass(frozen=True)
class EmbeddedCatalog:
    """Embeddings of a catalog, their encoder and files, and the items left out with the reason."""

    embeddings: Embeddings
    encoder: PictureEncoder
    parts: tuple[Path, ...]
    skipped: dict[Id, str]


@dataclass(frozen=True, kw_only=True)
class Work:
    """What an engine needs to know beside the items.

    Attributes:
        directory: where the parts are, and are looked for.
        load_encoder: gives each worker its encoder.
        fingerprint, dim: of that encoder.
        batch_size: pictures the network sees at once.
        workers: processes.
        known: what need not be seen again.
    """

    directory: Path
    load_encoder: LoadEncoder
    fingerprint: str
    dim: int
    batch_size: int
    workers: int
    known: Known


class Part:
    """Up to `PART_ITEMS` consecutive items, and the file that is made of them.

    Attributes:
        path: the file.
        ids: of the items.
        fresh: the positions of those whose pictures have to be seen.
    """

    def __init__(self, ids: Sequence[Id], pixels: Sequence[str], work: Work) -> None:
        """Args:
        ids, pixels: of the items, the latter their `image_hash`.
        work: what is to be done.
        """
        made_of = json.dumps([work.fingerprint, ids, pixels])
        name = f"{sha256(made_of.encode()).hexdigest()[:24]}.safetensors"
        self.path, self.ids = work.directory / name, ids
        self.fresh = [i for i, seen in enumerate(pixels) if seen not in work.known]
        self._pixels, self._work = pixels, work

    @property
    def is_done(self) -> bool:
        """Whether its file is there and can be read; a damaged one is made again."""
        try:
            found, skipped = load_parts([self.path]).ids.tolist(), _read_skipped(self.path)
        except _DAMAGED:
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
            vectors[position] = self._work.known[self._pixels[position]]
        kept = [item_id for i, item_id in enumerate(self.ids) if i not in skipped]
        tensors = {"ids": keys_of(kept), "vectors": np.delete(vectors, list(skipped), axis=0)}
        told = json.dumps({self.ids[position]: reason for position, reason in skipped.items()})
        metadata = {"skipped": told, "encoder": self._work.fingerprint}
        with whole_file(self.path, by_many=True) as building:
            save_file(tensors, building, metadata)


Engine = Callable[[datasets.Dataset, Work], Sequence[Path]]
"""Makes what is not there of the parts of items (id, image, image_hash); gives all, in order."""


def embed_here(items: datasets.Dataset, work: Work) -> list[Path]:
    """The engine that is this machine: one process, or several, which `Dataset.map` hands parts.

    Raises:
        OSError, SafetensorError: a part cannot be written.
    """
    if work.workers > 1:
        # A forked child of a process whose torch has run hangs, and CUDA forbids it.
        multiprocess.set_start_method("spawn", force=True)
    made_of = f"{items._fingerprint} {work.fingerprint}"
    mapped = items.map(
        _embed_part,
        batched=True,
        batch_size=PART_ITEMS,
        with_rank=True,
        num_proc=work.workers if work.workers > 1 else None,
        fn_kwargs={"work": work},
        remove_columns=items.column_names,
        features=datasets.Features({"part": datasets.Value("string")}),
        keep_in_memory=True,
        load_from_cache_file=False,
        # datasets would hash the function, which does not know that its weights changed.
        new_fingerprint=sha256(made_of.encode()).hexdigest()[:16],
        desc="Embedding",
    )
    return [work.directory / name for name in mapped.unique("part")]


def embed_catalog(
    items: datasets.Dataset,
    directory: Path,
    load_encoder: LoadEncoder,
    *,
    batch_size: int = 64,
    workers: int = 1,
    load_known: Callable[[str], Known] = lambda fingerprint: {},
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
    encoder = _worker_encoder(load_encoder, None)
    work = Work(
        directory=directory,
        load_encoder=load_encoder,
        fingerprint=encoder.fingerprint,
        dim=encoder.dim,
        batch_size=batch_size,
        workers=workers,
        known=load_known(encoder.fingerprint),
    )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        parts = tuple(engine(items.select_columns(["id", "image", "image_hash"]), work))
    except (OSError, ValueError) as error:
        if (cause := refused_by_disk(error)) is None:
            raise
        raise StoreError(f"Embeddings cannot be written: {cause.strerror or cause}.") from error
    except SafetensorError as error:
        raise StoreError("Embeddings cannot be written: see the folder and its disk.") from error
    told = {k: reason for part in parts for k, reason in _read_skipped(part).items()}
    skipped = {item_id: told[str(item_id)] for item_id in items["id"][:] if str(item_id) in told}
    return EmbeddedCatalog(load_parts(parts), encoder, parts, skipped)


def _read_skipped(part: Path) -> dict[str, str]:
    """Ids as texts, and why their pictures cannot be read."""
    with safe_open(part, framework="np") as file:
        return dict(json.loads(file.metadata()["skipped"]).items())


def load_parts(parts: Sequence[Path]) -> Embeddings:
    """Put parts together.

    Raises:
        StoreError: a part is missing or damaged, or they do not belong together.
    """
    try:
        opened = []
        for part in parts:
            with safe_open(part, framework="np") as file:
                opened.append((file.get_tensor("ids"), file.get_tensor("vectors")))
        ids, vectors = map(np.concatenate, zip(*opened, strict=True))
        return Embeddings(ids, vectors)
    except _DAMAGED as error:
        raise StoreError("The store's embeddings are damaged: build the index again.") from error


@lru_cache(maxsize=1)
def _worker_encoder(load_encoder: LoadEncoder, rank: int | None) -> PictureEncoder:
    return load_encoder(rank)


def _embed_part(
    batch: dict[str, list[Any]], rank: int | None, *, work: Work
) -> dict[str, list[str]]:
    """Map function: one batch is one part. Top-level, so that a spawned worker finds it."""
    part = Part(batch["id"], batch["image_hash"], work)
    if not part.is_done:
        # Read where they are wanted alone, and here: the first read changes the batch, which is no
        # thing for threads.
        pictures = batch["image"] if part.fresh else []
        encoder = _worker_encoder(work.load_encoder, rank)
        files = [pictures[position]["bytes"] for position in part.fresh]
        part.write(*embed_pictures(files, encoder, work.batch_size))
    return {"part": [part.path.name] * len(part.ids)}


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
