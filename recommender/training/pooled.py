"""What a network makes of a catalog's pictures before any head sees it, kept on disk."""

import hashlib
import json
from pathlib import Path

import datasets
import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file
from tqdm.auto import tqdm

from recommender.catalog.items import catalog_frame
from recommender.encoding.backbone import BACKBONE_DIM, Device, backbone_of, hash_state
from recommender.encoding.network import Network
from recommender.encoding.weights import Weights
from recommender.evaluation.metrics import Ints
from recommender.files import whole_file
from recommender.training.examples import read_examples

_AT_ONCE = 32
_A_FILE = 2048
"""Pictures whose features lie in one file: a run that was killed goes on after the last one."""

Pooled = npt.NDArray[np.float16]
"""Of shape (n, 2048): the averaged maps of n pictures."""


def pooled_features(
    weights: Weights, items: datasets.Dataset, rows: Ints, cache: Path, *, device: Device = "auto"
) -> Pooled:
    """What heads see of items' pictures, each seen once, as a gallery's are.

    Args:
        weights: of the network.
        items: a catalog.
        rows: int64 of shape (n,), which of them.
        cache: a folder that keeps it, for any weights with the same backbone.
        device: where the network runs.

    Raises:
        WeightsError: they are not a network's.
    """
    frame, config = catalog_frame(items), weights.config
    network = Network(config, weights.state, {}, device)
    look = [config.input_px, config.fit, config.mean, config.std, str(network.dtype)]
    made_of = [hash_state(backbone_of(weights.state)), *look]
    pieces = [np.empty((0, BACKBONE_DIM), np.float16)]
    for start in tqdm(range(0, len(rows), _A_FILE), "Features"):
        some = rows[start : start + _A_FILE]
        shown = frame["image_hash"].iloc[some].tolist()
        key = hashlib.sha256(json.dumps([*made_of, shown]).encode()).hexdigest()[:24]
        file = cache / f"{key}.safetensors"
        if not file.is_file():
            pictures = read_examples(items, frame, {}, some, config).pictures.numpy()
            batches = [pictures[at : at + _AT_ONCE] for at in range(0, len(pictures), _AT_ONCE)]
            seen = np.concatenate([network.pooled(batch) for batch in batches])
            with whole_file(file) as building:
                save_file({"pooled": seen.astype(np.float16)}, building)
        pieces.append(load_file(file)["pooled"])
    return np.concatenate(pieces)
