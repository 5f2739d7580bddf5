"""Embed a catalog by `Dataset.map`; ids and their vectors, together, on disk and back.

A part is a file that holds the ids and vectors of up to `PART_ITEMS` consecutive items. Its name
is a hash of what it was made of (encoder, ids, pixels), so a part that exists is a part that is
done: a run that was killed finds what it needs; a part that is damaged is made again. Of a catalog
that changed, parts are put together from the embeddings that are known, and the rest is encoded.
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

PART_ITEMS = 512
Known = Mapping[str, Floats]
"""`image_hash` -> embedding, float32 of shape (dim,), of pictures that need not be seen again."""

LoadEncoder = Callable[[int | None], PictureEncoder]
"""Gives the encoder of a worker by its rank, None for the only one; pickled to each worker."""


@dataclass(frozen=True)
class EmbeddedCatalog:
    """Embeddings of a catalog, their encoder and files, and the items left out with the reason."""

    embeddings: Embeddings
    encoder: PictureEncoder
    parts: tuple[Path, ...]
    skipped: dict[Id, str]


def embed_catalog(
    items: datasets.Dataset,
    directory: Path,
    load_encoder: LoadEncoder,
    *,
    batch_size: int = 64,
    workers: int = 1,
    load_known: Callable[[str], Known] = lambda fingerprint: {},
) -> EmbeddedCatalog:
    """Embed every item, part by part, decoding beside the network.

    Args:
        items: a catalog: id, image as `{"bytes", "path"}`, image_hash.
        directory: where the parts are, and are looked for.
        load_encoder: gives each worker its encoder.
        batch_size: pictures the network sees at once; 64 suit a CPU's caches, a GPU takes more.
        workers: processes; with several, each loads an encoder of its own, by its rank.
        load_known: gives what an encoder of this fingerprint has embedded before.

    Returns:
        The embeddings in the catalog's order. Of nothing known, the same parts, hence the same
        embeddings to the last bit, whether the run was ever interrupted or not.

    Raises:
        StoreError: a part cannot be written.
        ValueError: a size is not positive.
    """
    if batch_size < 1 or workers < 1:
        raise ValueError("batch_size and workers are at least 1")
    encoder = _worker_encoder(load_encoder, None)
    made_of = f"{items._fingerprint} {encoder.fingerprint}"
    shared = {"load_encoder": load_encoder, "directory": directory, "batch_size": batch_size}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if workers > 1:
            # A forked child of a process whose torch has run hangs, and CUDA forbids it.
            multiprocess.set_start_method("spawn", force=True)
        mapped = items.select_columns(["id", "image", "image_hash"]).map(
            _embed_part,
            batched=True,
            batch_size=PART_ITEMS,
            with_rank=True,
            num_proc=workers if workers > 1 else None,
            fn_kwargs={**shared, "known": load_known(encoder.fingerprint)},
            remove_columns=["id", "image", "image_hash"],
            features=datasets.Features({"part": datasets.Value("string")}),
            keep_in_memory=True,
            load_from_cache_file=False,
            # datasets would hash the function, which does not know that its weights changed.
            new_fingerprint=sha256(made_of.encode()).hexdigest()[:16],
            desc="Embedding",
        )
    except (OSError, ValueError) as error:
        if (cause := refused_by_disk(error)) is None:
            raise
        raise StoreError(f"Embeddings cannot be written: {cause.strerror or cause}.") from error
    except SafetensorError as error:
        raise StoreError("Embeddings cannot be written: see the folder and its disk.") from error
    parts = tuple(directory / name for name in mapped.unique("part"))
    told = {k: reason for part in parts for k, reason in _read_skipped(part).items()}
    skipped = {item_id: told[str(item_id)] for item_id in items["id"] if str(item_id) in told}
    return EmbeddedCatalog(load_parts(parts), encoder, parts, skipped)


def _read_skipped(part: Path) -> dict[str, str]:
    """Ids as texts, and why their pictures cannot be read."""
    with safe_open(part, framework="np") as file:
        return dict(json.loads(file.metadata()["skipped"]).items())


def _is_done(part: Path, ids: Sequence[Id]) -> bool:
    """Whether a part is there, can be read and holds these items; a damaged one is made again."""
    try:
        found, skipped = load_parts([part]).ids.tolist(), _read_skipped(part)
    except (StoreError, OSError, SafetensorError, ValueError, TypeError, KeyError, AttributeError):
        return False
    return bool(found == [key_of(item_id) for item_id in ids if str(item_id) not in skipped])


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
    except (OSError, SafetensorError, ValueError) as error:
        raise StoreError("The store's embeddings are damaged: build the index again.") from error


@lru_cache(maxsize=1)
def _worker_encoder(load_encoder: LoadEncoder, rank: int | None) -> PictureEncoder:
    return load_encoder(rank)


def _embed_part(
    batch: dict[str, list[Any]],
    rank: int | None,
    *,
    load_encoder: LoadEncoder,
    directory: Path,
    batch_size: int,
    known: Known,
) -> dict[str, list[str]]:
    """Map function: one batch is one part. Top-level, so that a spawned worker finds it."""
    encoder = _worker_encoder(load_encoder, rank)
    made_of = json.dumps([encoder.fingerprint, batch["id"], batch["image_hash"]])
    name = f"{sha256(made_of.encode()).hexdigest()[:24]}.safetensors"
    if not _is_done(directory / name, batch["id"]):
        vectors, skipped = _embed_all(batch, encoder, batch_size, known)
        kept = [item_id for i, item_id in enumerate(batch["id"]) if i not in skipped]
        reasons = {batch["id"][i]: reason for i, reason in skipped.items()}
        tensors = {"ids": keys_of(kept), "vectors": vectors}
        metadata = {"skipped": json.dumps(reasons), "encoder": encoder.fingerprint}
        with whole_file(directory / name, by_many=True) as building:
            save_file(tensors, building, metadata)
    return {"part": [name] * len(batch["id"])}


def _embed_all(
    batch: dict[str, list[Any]], encoder: PictureEncoder, batch_size: int, known: Known
) -> tuple[Floats, dict[int, str]]:
    """Encode the pictures that are not known, in batches while threads decode the next ones.

    Returns:
        float32 of shape (n - skipped, dim); position -> reason of those that cannot be read.
    """
    vectors = np.empty((len(batch["id"]), encoder.dim), dtype=np.float32)
    fresh, skipped = list[int](), dict[int, str]()
    for position, pixels in enumerate(batch["image_hash"]):
        if pixels in known:
            vectors[position] = known[pixels]
        else:
            fresh.append(position)
    # Read where they are wanted alone, and here: the first read changes the batch, which is no
    # thing for threads.
    pictures = batch["image"] if fresh else []

    def prepare(start: int) -> dict[int, npt.NDArray[np.uint8]]:
        """A batch: a task a picture costs more in handing over than decoding it on few cores."""
        prepared = {}
        for position in fresh[start : start + batch_size]:
            try:
                data = pictures[position]["bytes"]
                decoded = decode_image(data, limits=PICTURE_LIMITS, at_least_px=encoder.input_px)
                prepared[position] = encoder.prepare(decoded)
            except ImageError as error:
                skipped[position] = str(error)
        return prepared

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for prepared in pool.map(prepare, range(0, len(fresh), batch_size)):
            if prepared:
                encoded = encoder.encode_prepared(np.stack(list(prepared.values())))
                vectors[list(prepared)] = encoded.vectors
    return np.delete(vectors, list(skipped), axis=0), dict(sorted(skipped.items()))
