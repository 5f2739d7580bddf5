"""The style map: a place in the plane for each item, near to those of items that look like it.

Made once, when the index is built, by t-SNE from the first principal components of the embeddings.
"""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from tqdm import tqdm

from recommender.index.embeddings import Embeddings, Floats, Mask, Rows
from recommender.index.faiss import nearest_rows
from recommender.index.mapped import blocks_of
from recommender.store.beside import UNREADABLE, Beside
from recommender.store.parts import InParts

EXTENT = 32_767
"""Places are whole numbers from -EXTENT to EXTENT: two bytes a coordinate."""

_LEAST_ITEMS = 5
_LEAST_KNOWN = 0.9
_NO_SPREAD = 1e-6  # what values of unit rows may differ by and still be equal, but for rounding
_MANY_ITEMS = 10_000  # where a grid becomes faster than a tree, and threads than their waiting
_STEPS_TOLD = 25
_EARLY_EXAGGERATION = 12
_QUALITY_ITEMS, _QUALITY_BATCH, _QUALITY_K = 500, 50, 15
_QUALITY_PAIRS = 30_000_000

Places = npt.NDArray[np.int16]

MAP = Beside(folder="map", tensor="places", width=2, dtype=np.int16, called="map is")


@dataclass(frozen=True, kw_only=True)
class MapConfig:
    """How a map is made.

    `components` principal components are what t-SNE sees; `perplexity` is about how many
    neighbours an item pulls at; it is drawn together in `early_steps` and laid out in `steps`.
    """

    components: int = 50
    perplexity: float = 30
    early_steps: int = 250
    steps: int = 500
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class MapQuality:
    """How far the map's neighbours are those of the embeddings, 1 being best, as it was when the
    map was laid out: one that grew out of it is not measured again.

    Attributes:
        neighbour_share: of an item's 15 nearest items, the share that are among its 15 nearest on
            the map.
        trustworthiness: 1 minus what is lost by neighbours on the map that are none, weighted by
            how far away they are; 0.5 for places at random.

    Both are None where the map is one point: of neighbours it says nothing.
    """

    neighbour_share: float | None
    trustworthiness: float | None

    def summary(self) -> str:
        """A line for a person."""
        if self.neighbour_share is None:
            return "style map: one point, as all embeddings are the same"
        return (
            f"style map: {self.neighbour_share:.0%} of the nearest items are nearest on it, "
            f"trustworthiness {self.trustworthiness:.4f}"
        )


class Grown(NamedTuple):
    """A map that grew out of a former one, and the places on it: int16 of shape (n, 2)."""

    former: Path
    places: Places


def write_map(
    embeddings: Embeddings, store: Path, config: MapConfig, *, grown: Grown | None = None
) -> tuple[Path, MapQuality]:
    """Make the map of a catalog and write it, unless it is there.

    Args:
        embeddings: of the catalog.
        store: its folder.
        config: how it is made.
        grown: the map of the catalog before it changed a little, as `grow_map` gives it.

    Returns:
        The map's file, and its quality as it was measured when it was laid out.

    Raises:
        StoreError: it cannot be written.
    """
    made_of = hashlib.sha256(json.dumps(asdict(config)).encode())
    made_of.update(embeddings.ids.tobytes())
    if grown is not None:
        made_of.update(grown.former.name.encode() + grown.places.tobytes())
    else:
        made_of.update(np.ascontiguousarray(embeddings.vectors).data)
    path = MAP.path(store, made_of.hexdigest())
    if there := _read_quality(path):
        return path, there
    places = build_map(embeddings.vectors, config) if grown is None else grown.places
    # A map that has grown a little is as good as it was.
    told = None if grown is None else _read_quality(grown.former)
    quality = told or measure_map(embeddings.vectors, places)
    MAP.write(path, embeddings.ids, places, {"quality": json.dumps(asdict(quality))})
    return path, quality


def build_map(vectors: Floats, config: MapConfig | None = None) -> Places:
    """Lay out embeddings in the plane; the same for the same embeddings and settings.

    Args:
        vectors: float32 of shape (n, d).
        config: how.

    Returns:
        int16 of shape (n, 2), the farthest from the middle at `EXTENT` along one axis; all at the
        middle where the embeddings are the same.

    Source:
        van der Maaten & Hinton (2008), "Visualizing data using t-SNE"; started from the first two
        principal components, as Kobak & Berens (2019) advise.
    """
    config = config or MapConfig()
    if np.ptp(vectors, axis=0).max() < _NO_SPREAD:
        # Components of no spread are rounding, which is not the same on every machine.
        return np.zeros((len(vectors), 2), dtype=np.int16)
    components = _principal_components(vectors, max(config.components, 2))
    count = len(vectors)
    if count < _LEAST_ITEMS:
        return _as_places(components[:, :2])
    # Seconds to import, and needed here alone.
    from openTSNE import TSNE
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.initialization import rescale
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    perplexity = min(config.perplexity, (count - 1) / 3)
    rows, distances = nearest_rows(components, int(3 * perplexity))
    threads = (os.cpu_count() or 1) if count > _MANY_ITEMS else 1
    affinities = PerplexityBasedNN(
        knn_index=PrecomputedNeighbors(rows, distances), perplexity=perplexity, n_jobs=threads
    )
    with tqdm(total=config.early_steps + config.steps, desc="Style map", unit="step") as bar:

        def tell(*_: Any) -> None:
            bar.update(_STEPS_TOLD)

        layout = TSNE(
            early_exaggeration=_EARLY_EXAGGERATION,
            early_exaggeration_iter=config.early_steps,
            n_iter=config.steps,
            negative_gradient_method="fft" if count > _MANY_ITEMS else "bh",
            n_jobs=threads,
            random_state=config.seed,
            callbacks=[tell],
            callbacks_every_iters=_STEPS_TOLD,  # each costs as much as a step
        ).fit(affinities=affinities, initialization=rescale(components[:, :2].astype(np.float64)))
    return _as_places(np.asarray(layout))


def measure_map(vectors: Floats, places: Places, k: int = _QUALITY_K) -> MapQuality:
    """See how far a map keeps neighbours, over at most 500 items, the same each time.

    Of a large catalog it is over fewer, as each is compared with all.

    Args:
        vectors: float32 of shape (n, d), unit rows.
        places: int16 of shape (n, 2).
        k: how many neighbours; fewer where that is not less than half of the items.

    Source:
        Venna & Kaski (2001), "Neighborhood preservation in nonlinear projection methods".
    """
    count = len(vectors)
    if not np.ptp(places, axis=0).any():
        return MapQuality(neighbour_share=None, trustworthiness=None)
    if (k := min(k, (count - 1) // 2)) < 1:  # no neighbours, none lost
        return MapQuality(neighbour_share=1, trustworthiness=1)
    asked = min(_QUALITY_ITEMS, max(_QUALITY_BATCH, _QUALITY_PAIRS // count))
    chosen = np.random.default_rng(0).permutation(count)[:asked]
    across, along = np.ascontiguousarray(places.T, dtype=np.float64)

    def measure(row: int, likeness: Floats) -> tuple[int, int]:
        """How many of an item's nearest are nearest on the map, and the penalty of the others."""
        away = (across - across[row]) ** 2 + (along - along[row]) ** 2
        likeness[row], away[row] = np.inf, np.inf  # itself: first there, last here
        near = np.argpartition(away, k)[:k]
        # Ranks among the others, the most alike being 1.
        ranks = np.array([np.count_nonzero(likeness > likeness[other]) for other in near])
        return int(np.count_nonzero(ranks <= k)), int(np.maximum(ranks - k, 0).sum())

    shared = penalty = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for rows in np.array_split(chosen, -(-len(chosen) // _QUALITY_BATCH)):
            measured = pool.map(measure, rows, _products(vectors[rows], vectors))  # (m, n)
            for there, lost in measured:
                shared, penalty = shared + there, penalty + lost
    total = len(chosen) * k
    return MapQuality(
        neighbour_share=shared / total,
        trustworthiness=1 - 2 * penalty / (total * (2 * count - 3 * k - 1)),
    )


def grow_map(vectors: InParts, former: Path) -> Grown | None:
    """The map of a catalog that changed a little: items keep their places, and new ones lie with
    the item that is most like them.

    Args:
        vectors: of the items, n unit rows.
        former: the map of the catalog before.

    Returns:
        None where the former map cannot be read, or too little of it stays.
    """
    try:
        held, places = MAP.read(former)
    except UNREADABLE:
        return None
    known = np.isin(vectors.ids, held)
    if known.mean() < _LEAST_KNOWN or not known.any():
        return None
    order = np.argsort(held)
    grown = np.empty((len(known), 2), dtype=np.int16)
    grown[known] = places[order[np.searchsorted(held, vectors.ids[known], sorter=order)]]
    if not known.all():
        grown[~known] = grown[_most_alike(vectors, known)]
    return Grown(former, grown)


def _products(some: Floats, vectors: Floats) -> Floats:
    """Of some rows with all, float32 of shape (m, n).

    A block at a time: those on disk lie at any address, from where NumPy multiplies a number at a
    time, or copies them all.
    """
    found = np.empty((len(some), len(vectors)), np.float32)
    for part in blocks_of(len(vectors)):
        block = np.require(vectors[part], requirements="A")
        np.matmul(some, block.T, out=found[:, part])  # (m, d) @ (d, b) -> (m, b)
    return found


def _most_alike(vectors: InParts, known: Mask) -> Rows:
    """For each row that is not known the one most like it that is: int64 of shape (new,)."""
    new = vectors[np.flatnonzero(~known)]
    nearest, best = np.zeros(len(new), np.int64), np.full(len(new), -np.inf, np.float32)
    start = 0
    for block in vectors.blocks():
        likeness = new @ block.T  # (new, d) @ (d, m) -> (new, m)
        likeness[:, ~known[start : start + len(block)]] = -np.inf
        first = likeness.argmax(axis=1)
        highest = likeness[np.arange(len(new)), first]
        nearest = np.where(highest > best, start + first, nearest)
        best = np.maximum(best, highest)
        start += len(block)
    return nearest


def _read_quality(path: Path) -> MapQuality | None:
    """What a map's file tells; None where it is not there or damaged."""
    try:
        with safe_open(path, framework="np") as file:
            file.get_tensor("places")
            return MapQuality(**json.loads(file.metadata()["quality"]))
    except (*UNREADABLE, KeyError):
        return None


def _principal_components(vectors: Floats, count: int) -> Floats:
    """The first principal components, float32 of shape (n, count), at least two columns."""
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)  # (d, n) @ (n, d) -> (d, d); rising
    axes = axes[:, ::-1][:, :count]
    # An axis points either way: its largest part is made positive, so that no library decides.
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    components = centred @ axes
    spare = max(0, 2 - components.shape[1])
    return np.ascontiguousarray(np.pad(components, ((0, 0), (0, spare))), dtype=np.float32)


def _as_places(layout: npt.NDArray[Any]) -> Places:
    centred = layout - (layout.min(axis=0) + layout.max(axis=0)) / 2
    largest = np.abs(centred).max() or 1.0
    places: Places = np.rint(centred * (EXTENT / largest)).astype(np.int16)
    return places
