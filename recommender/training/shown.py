"""What looks show of details, for words that ask: where they lean that show a value.

A text tower has learnt what words say together; of a single one, such as "sleeveless", what tells
it from its like is in the looks, and a regression finds it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch.nn.functional as F

from recommender.catalog.splits import split_names
from recommender.encoding.text import load_text_encoder, with_shown
from recommender.errors import TrainingError
from recommender.schema import TYPE
from recommender.search.recommender import Recommender
from recommender.training.details import SEEN, DetailConfig, Learnt, learn

DECAYS = (0.03,)
"""Chosen on dev by what words find; by how well values are told apart it would be less."""


def train_shown(
    recommender: Recommender, weights: Path, out: Path, config: DetailConfig
) -> dict[str, Any]:
    """Write a text tower that knows where the looks of a store's pictures lean.

    Args:
        recommender: of the store, whose encoder the tower is of. Heads learn of the train split,
            and dev chooses and says what they are worth, as of details.
        weights: of the tower, which else stays the same.
        out: takes it.
        config: what is learnt.

    Returns:
        Of each column what its head is worth on dev, or why there is none.

    Raises:
        TrainingError: nothing can be learnt, or the weights are of no tower of that encoder.
        WeightsError: they are of none.
    """
    if load_text_encoder(recommender.encoder.fingerprint, weights) is None:
        raise TrainingError("There is no text tower of this store's encoder: scripts.train_text.")
    agreement, vectors = recommender.encoder.agreement, recommender.index.vectors[:]
    examples = recommender.frame.reindex(columns=[*config.columns, TYPE])
    types = np.array(agreement.classes.get(TYPE, ("",)))
    believed = agreement.beliefs(vectors).get(TYPE, np.ones((len(vectors), 1), np.float32))
    seen_as = {SEEN: types[believed.argmax(axis=1)]}
    examples = examples.assign(split=split_names(recommender.frame), own=True, **seen_as)
    found = learn(examples, agreement.looks(vectors).astype(np.float16), config)
    learnt = {name: one for name, one in found.items() if isinstance(one, Learnt)}
    if not learnt:
        raise TrainingError(f"Looks show nothing of {', '.join(config.columns)}.")
    directions = {n: (one.classes, F.normalize(one.head.weight)) for n, one in learnt.items()}
    with_shown(weights, out, directions)
    return {name: one.told if isinstance(one, Learnt) else one for name, one in found.items()}
