"""Embed a catalog by Ray Data, on the machines of a cluster.

A block is a part: a worker reads its pictures where all machines can, by their places in Parquet
files, and gives vectors back to the machine that was asked, which writes the part. So the store's
folder is nobody else's, what a lost worker was at is done by another one, and what is written is
what this machine would have written by itself. (`read_parquet` cuts blocks as it likes, and would
read all pictures again for the few that a run that goes on still needs.)
"""

import importlib.util
import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import datasets
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from recommender.encoding.protocol import PictureEncoder
from recommender.errors import ClusterError, RecommenderError
from recommender.index.embeddings import Floats
from recommender.store.embed import LoadEncoder, Part, Work, embed_pictures
from recommender.store.shared import Lies, SharedPictures

# Nobody is told who embeds what.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

_GO_ON = "What is embedded stays: the same command goes on from there."
_SAME_FILES = "give every machine of the cluster the same files"


@dataclass(frozen=True, kw_only=True)
class RayEngine:
    """An engine of `embed_catalog`; its `workers` are the cluster's, one a GPU, else one a core.

    Attributes:
        pictures: a folder or an address that all machines of the cluster reach, as
            `SharedPictures` takes it; pictures that are not there are put there. Empty: the folder
            of the parts, in which a finished store keeps none.
        device: auto, cpu or cuda: whether each takes a GPU, where there are any, none or surely.
    """

    pictures: str = ""
    device: str = "auto"

    def __call__(
        self, items: datasets.Dataset, parts: Sequence[Part], work: Work
    ) -> Iterator[Part]:
        """Make parts of items, each of which has fresh ones; give each once it is written.

        Raises:
            ClusterError: no cluster answers, or it, or a worker, cannot do it.
            StoreError: the pictures cannot be read or written where all can reach them.
            OSError, SafetensorError: a part cannot be written.
        """
        asked = {part.start: part for part in parts}
        place = SharedPictures(self.pictures or str(work.directory))
        with _cluster() as ray:
            blocks = _share(items, asked, place)
            for at, vectors, reasons in self._encode(ray, blocks, work, place):
                asked[at].write(vectors, reasons)
                yield asked[at]

    def _encode(
        self, ray: Any, blocks: Sequence[dict[str, Any]], work: Work, place: SharedPictures
    ) -> Iterator[tuple[int, Floats, dict[int, str]]]:
        """What `_share` gives, as the cluster gets it done.

        Yields:
            A part's start; what its `write` takes.
        """
        gpus = int(self.device != "cpu" and ray.cluster_resources().get("GPU", 0) >= 1)
        if self.device == "cuda" and not gpus:
            raise ClusterError("The Ray cluster has no GPU.")
        encoded = ray.data.from_items(blocks, override_num_blocks=len(blocks)).map_batches(
            Worker,
            fn_constructor_args=(work.load_encoder, work.fingerprint, work.batch_size, place),
            batch_size=1,
            num_cpus=1,
            num_gpus=gpus,
            # Two parts at a time: one's pictures come while the other's are encoded.
            compute=ray.data.ActorPoolStrategy(
                min_size=1,
                initial_size=work.workers,
                max_size=work.workers,
                max_concurrent_calls_per_actor=2,
                enable_true_multi_threading=True,
            ),
        )
        for row in encoded.iter_rows():
            if row["refused"]:
                raise ClusterError(f"{row['refused']} {_GO_ON}")
            vectors = np.frombuffer(row["vectors"], np.float32).reshape(-1, work.dim)
            yield row["at"], vectors, {int(k): why for k, why in json.loads(row["reasons"]).items()}


class Worker:
    """Encodes blocks, each of one part. An actor of the cluster, whose threads share an encoder."""

    def __init__(
        self, load_encoder: LoadEncoder, fingerprint: str, batch_size: int, place: SharedPictures
    ) -> None:
        """Args:
        load_encoder: gives the encoder.
        fingerprint: what it has to be.
        batch_size: pictures the network sees at once.
        place: where the pictures are.
        """
        self._load_encoder, self._fingerprint = load_encoder, fingerprint
        self._batch_size, self._place = batch_size, place
        self._encoder: PictureEncoder | None = None
        self._loading = threading.Lock()

    def __call__(self, block: dict[str, npt.NDArray[Any]]) -> dict[str, list[Any]]:
        """A block of one row: where a part starts, and where its pictures lie.

        What cannot be done is an answer too: an error would be tried again, and come as a traceback
        of another machine.
        """
        vectors, reasons, refused = np.empty(0, np.float32), dict[int, str](), ""
        try:
            encoder = self._loaded()
            lying, pixels = json.loads(str(block["pictures"][0]))
            pictures = self._place.read([Lies(*one) for one in lying], pixels)
            vectors, reasons = embed_pictures(pictures, encoder, self._batch_size)
        except RecommenderError as error:
            refused = str(error)
        return {
            "at": [int(block["at"][0])],
            "vectors": [vectors.tobytes()],
            "reasons": [json.dumps(reasons)],
            "refused": [refused],
        }

    def _loaded(self) -> PictureEncoder:
        """Raises:
        ClusterError: this machine has not the encoder.
        """
        with self._loading:
            if self._encoder is None:
                here = f"The worker on {_address()}"
                try:
                    encoder = self._load_encoder(None)
                except (RecommenderError, OSError, ImportError) as error:
                    said = str(error).partition("\n")[0].rstrip(".")
                    raise ClusterError(
                        f"{here} cannot load the encoder ({said}): {_SAME_FILES}."
                    ) from error
                if encoder.fingerprint != self._fingerprint:
                    raise ClusterError(
                        f"{here} has other weights than this machine: {_SAME_FILES}."
                    )
                self._encoder = encoder
            return self._encoder


def _address() -> str:
    import ray

    return str(ray.util.get_node_ip_address())


def _share(
    items: datasets.Dataset, asked: Mapping[int, Part], place: SharedPictures
) -> list[dict[str, Any]]:
    """Put pictures that are not there where all machines can read them.

    Returns:
        Of each part, where it starts and where its fresh pictures lie, as a `Worker` takes it.
    """
    rows = [at + position for at, part in asked.items() for position in part.fresh]
    names = items.select_columns(["id", "image_hash"]).select(rows)
    ids, pixels = list(names["id"]), list(names["image_hash"])
    lying = place.find(ids, pixels)
    numbers = iter(range(len(rows)))
    parts = [list(islice(numbers, len(part.fresh))) for part in asked.values()]
    lacking = [left for part in parts if (left := [i for i in part if lying[i] is None])]
    batches = [items.select([rows[i] for i in part]) for part in lacking]
    with tqdm(total=sum(map(len, lacking)), desc="Sharing pictures", disable=not lacking) as bar:
        for part, found in zip(lacking, place.put(batches), strict=True):
            for i, there in zip(part, found, strict=True):
                lying[i] = there
            bar.update(len(part))
    return [
        {"at": at, "pictures": json.dumps([[lying[i] for i in part], [pixels[i] for i in part]])}
        for at, part in zip(asked, parts, strict=True)
    ]


@contextmanager
def _cluster() -> Iterator[Any]:
    """Ray, connected: to where RAY_ADDRESS says, else to a cluster of this machine alone.

    Raises:
        ClusterError: it is not installed, or away; or what Ray says of a cluster that gave up.
    """
    if importlib.util.find_spec("ray") is None:
        raise ClusterError("Ray is not installed: `pip install -r requirements-scale.txt`.")
    import ray
    import ray.data

    own = not ray.is_initialized()
    try:
        if own:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        if "version mismatch" in str(error).casefold():
            raise ClusterError(
                "The Ray cluster runs another version of Ray or of Python than this machine: give "
                "all of them the same."
            ) from error
        raise ClusterError(
            "No Ray cluster answers: see the address in RAY_ADDRESS, or unset it for one of this "
            "machine alone."
        ) from error
    try:
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield ray
    except ray.exceptions.RayError as error:
        said = str(error).strip().rpartition("\n")[2].rstrip(".")
        raise ClusterError(f"The Ray cluster gave up: {said}. {_GO_ON}") from error
    finally:
        if own:
            ray.shutdown()
