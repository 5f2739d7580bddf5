"""What the dev split decides once a network is trained: temperatures, and what counts how much."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from recommender.catalog.items import PICTURE_LIMITS, catalog_frame
from recommender.catalog.splits import SPLITS, name_groups, split_names
from recommender.encoding.agreement import LOOKS, Beliefs, Floats, tempered
from recommender.encoding.backbone import Device
from recommender.encoding.encoder import Encoder, load_encoder
from recommender.encoding.weights import read_weights, write_weights
from recommender.evaluation.metrics import Ints, shares_labels
from recommender.evaluation.relevance import RELEVANCE, Relevance
from recommender.pictures.decode import decode_image
from recommender.search.recognition import stands_out
from recommender.training.examples import Examples, read_examples

STEPS = (0.5, 1.0, 2.0)
"""What a label may count, beside looks that count 1."""
RATIOS = (0.6, 0.7, 0.8, 0.9, 1.0)
"""Where an item may be taken for the one that a picture shows."""
RANKINGS = {"image": False, "hybrid": True}
"""What is served -> whether it knows the gallery's labels."""

_AT_ONCE = 256
_SHARPEST, _FLATTEST = 0.25, 4.0


def calibrate(
    items: datasets.Dataset,
    weights: Path,
    out: Path,
    *,
    relevance: Relevance = RELEVANCE,
    split: str = "names",
    device: Device = "auto",
) -> dict[str, Any]:
    """Write weights whose heads are divided by a temperature each, and that say their agreement.

    The agreement chosen is the one whose precision by image and hybrid, which are both served,
    summed over `relevance`, is largest.

    Args:
        items: the catalog; its dev split asks, all of it answers.
        weights: what training wrote.
        out: takes what is shipped.
        relevance: what is wanted; the labels that occur in it are weighed.
        split: of `SPLITS`, that the weights were trained by.
        device: where the encoder runs.

    Returns:
        `temperatures`, the `agreement`, its precision on `dev`, everything that was `tried`, and
        what becomes of the precision where an item that is `recognised` by a ratio comes first.

    Raises:
        WeightsError: the weights cannot be read.
    """
    encoder = load_encoder(str(weights), device=device, agreement={})
    frame = catalog_frame(items)
    examples = read_examples(items, frame, encoder.labels, np.arange(len(items)), encoder.config)
    looks, beliefs = _see_all(encoder, examples)
    targets = {name: codes.numpy() for name, codes in examples.targets.items()}
    dev = np.flatnonzero(SPLITS[split](frame) == "dev")
    temperatures = {n: fit_temperature(b[dev], targets[n][dev]) for n, b in beliefs.items()}
    labels = tuple(dict.fromkeys(label for shared in relevance.values() for label in shared))
    calibrated = {name: tempered(beliefs[name], temperatures[name]) for name in labels}
    weighing = Weighing(looks, calibrated, targets, name_groups(frame), dev)
    precision = partial(weighing.precision, relevance=relevance)
    tried: list[dict[str, Any]] = [
        {"agreement": agreement}
        | {name: precision(agreement, hybrid=hybrid) for name, hybrid in RANKINGS.items()}
        for agreement in tqdm([{LOOKS: 1.0}, *agreements(labels, STEPS)], "Weights")
    ]
    best = max(tried, key=lambda entry: sum(sum(entry[name].values()) for name in RANKINGS))
    chosen = best["agreement"]
    _write_calibrated(weights, out, temperatures, chosen)
    return {
        "temperatures": temperatures,
        "agreement": chosen,
        "dev": {ranking: best[ranking] for ranking in RANKINGS},
        "recognised": [
            {"ratio": ratio, "P@5": precision(chosen, hybrid=False, recognised_ratio=ratio)}
            for ratio in RATIOS
        ],
        "tried": tried,
    }


def dev_pictures(items: datasets.Dataset, count: int = 1000) -> list[Image.Image]:
    """The pictures of a catalog's dev split, at most so many."""
    return pictures_of(items, np.flatnonzero(split_names(catalog_frame(items)) == "dev")[:count])


def pictures_of(items: datasets.Dataset, rows: Ints) -> list[Image.Image]:
    """The pictures of some of a catalog's items."""
    files = [picture["bytes"] for picture in items[rows]["image"]]
    return [decode_image(data, limits=PICTURE_LIMITS) for data in files]


def _see_all(encoder: Encoder, examples: Examples) -> tuple[Floats, dict[str, Floats]]:
    """Embeddings of all examples, and what is believed of them."""
    starts = tqdm(range(0, len(examples.pictures), _AT_ONCE), "Encoding")
    seen = [encoder.encode_prepared(examples.pictures[s : s + _AT_ONCE].numpy()) for s in starts]
    looks = np.concatenate([batch.vectors for batch in seen])
    return looks, {n: np.concatenate([b.beliefs[n] for b in seen]) for n in encoder.labels}


def _write_calibrated(
    weights: Path, out: Path, temperatures: Mapping[str, float], agreement: Mapping[str, float]
) -> None:
    trained = read_weights(weights)
    scaled = dict(trained.state)
    for (name, temperature), part in product(temperatures.items(), ("weight", "bias")):
        key = f"heads.{name}.{part}"
        scaled[key] = (scaled[key].float() / temperature).half()
    config = replace(trained.config, agreement=agreement)
    write_weights(out, trained._replace(state=scaled, config=config))


def fit_temperature(beliefs: Floats, targets: Ints) -> float:
    """The temperature whose beliefs make the true classes likeliest.

    Source: Guo et al., On Calibration of Modern Neural Networks, arXiv:1706.04599.

    Args:
        beliefs: float32 of shape (n, classes), rows that sum to one.
        targets: int64 of shape (n,), -1 where unknown, which is left out.

    Returns:
        The temperature, between a quarter and four; 1 where nothing is known.
    """
    known = targets >= 0
    if not known.any():
        return 1.0
    logits = np.log(np.maximum(beliefs[known], 1e-12)).astype(np.float64)
    rows = np.arange(len(logits))

    def loss(sharpness: float) -> float:
        scaled = logits * sharpness
        best = scaled.max(axis=1)
        total = np.log(np.exp(scaled - best[:, None]).sum(axis=1)) + best
        return float((total - scaled[rows, targets[known]]).mean())

    low, high = 1 / _FLATTEST, 1 / _SHARPEST
    while high - low > 1e-4:  # the loss is convex in the sharpness, hence thirds
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return 2 / (low + high)


def agreements(labels: tuple[str, ...], steps: tuple[float, ...]) -> Iterator[dict[str, float]]:
    """Every weighing of looks and labels on a grid: looks 1, each label one of `steps`; sum one."""
    for weights in product((1.0,), *[steps] * len(labels)):
        shares = [weight / sum(weights) for weight in weights]
        yield dict(zip((LOOKS, *labels), shares, strict=True))


class Weighing:
    """Precision of a split's queries under any weights of looks and labels, by brute force."""

    def __init__(
        self,
        looks: Floats,
        beliefs: Beliefs,
        targets: Mapping[str, Ints],
        groups: Ints,
        queries: Ints,
    ) -> None:
        """Multiply once what every weighing adds up.

        Args:
            looks: float32 of shape (n, d), unit rows.
            beliefs: label -> float32 of shape (n, classes).
            targets: label -> int64 of shape (n,), -1 where unknown.
            groups: int64 of shape (n,): items of a query's group are not in its gallery.
            queries: int64 of shape (q,), rows.
        """
        self._targets, self._queries = targets, queries
        self._same = groups[queries][:, None] == groups[None]  # (q, n)
        self._products = {LOOKS: looks[queries] @ looks.T}
        self._known = dict(self._products)
        for name, believed in beliefs.items():
            self._products[name] = believed[queries] @ believed.T
            # What a known label agrees in is the query's belief in it: (q, n).
            known = targets[name] >= 0
            agreed = self._products[name].copy()
            agreed[:, known] = believed[queries][:, targets[name][known]]
            self._known[name] = agreed

    def precision(
        self,
        weights: Mapping[str, float],
        relevance: Relevance,
        *,
        hybrid: bool,
        recognised_ratio: float = 0.0,
        k: int = 5,
    ) -> dict[str, float]:
        """Mean precision at k for each relevance, by its name.

        Args:
            weights: of looks and labels.
            relevance: name -> labels that a relevant item shares.
            hybrid: whether the gallery's labels are known.
            recognised_ratio: the nearest in looks comes first where the next one is farther by
                this ratio (`recognition.stands_out`). No query's own picture is among them: what is
                recognised here is another.
            k: the divisor.
        """
        parts = self._known if hybrid else self._products
        scores = np.zeros_like(self._products[LOOKS])
        for name, weight in weights.items():
            scores += np.float32(weight) * parts[name]
        scores[self._same] = -np.inf
        if recognised_ratio:
            looks = np.where(self._same, -np.inf, self._products[LOOKS])
            nearest, rows = looks.argmax(axis=1), np.arange(len(looks))
            near = looks[rows, nearest]
            looks[looks > near[:, None] - 1e-6] = -np.inf  # identical pictures are one
            clear = stands_out(near, looks.max(axis=1), recognised_ratio)
            scores[rows[clear], nearest[clear]] = np.inf
        hits = np.argpartition(-scores, k, axis=1)[:, :k]
        precision = {}
        for name, labels in relevance.items():
            codes = np.stack([self._targets[label] for label in labels], axis=1)  # (n, labels)
            # Of equally many places each, so that their mean is that of the queries' P@k.
            precision[name] = float(shares_labels(codes[self._queries], codes[hits]).mean())
        return precision
