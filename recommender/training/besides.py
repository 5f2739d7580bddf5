"""Heads for photographs of what no photograph's label says: colour, audience, season.

A network that is told nothing of these in photographs, but that two views of one are to agree, ends
by saying the commonest of all: everything is black and for everyone. What its heads read tells them
apart still. So heads for photographs alone learn them from packshots laid on grounds, whose labels
are known, and colours from the photographs' own pixels too: the name that the catalog has for
garments of nearly that colour. The network stays as it is.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from recommender.encoding.agreement import Floats
from recommender.evaluation.metrics import Ints
from recommender.pictures.colour import Lab
from recommender.training.linear import Head, fit_heads

BESIDES = ("baseColour", "gender", "season")
COLOUR = "baseColour"
DECAYS = (1.0, 0.3, 0.1, 0.03)
_NEIGHBOURS = 50
"""Garments of the catalog that are asked what a colour is called."""
_HELD_OUT = 5
"""Each such row chooses how much weights cost."""
_NEVER = -20.0


def named_by_pixels(labs: Lab, known: Lab, codes: Ints) -> Ints:
    """What garments of nearly a colour are called, mostly.

    Args:
        labs: float64 of shape (n, 3), CIELAB; NaN where a colour cannot be told.
        known: of shape (m, 3), of garments whose name is known; so `codes`, -1 where it is not.

    Returns:
        int64 of shape (n,), codes; -1 where nothing is known.
    """
    usable = ~np.isnan(known).any(axis=1) & (codes >= 0)
    named = np.full(len(labs), -1, np.int64)
    asked = np.flatnonzero(~np.isnan(labs).any(axis=1))
    if not usable.any():
        return named
    apart = torch.cdist(torch.from_numpy(labs[asked]), torch.from_numpy(known[usable]))
    near = apart.topk(min(_NEIGHBOURS, apart.shape[1]), largest=False).indices.numpy()
    names = codes[usable][near]
    named[asked] = [np.bincount(row).argmax() for row in names]
    return named


def fit_besides(
    labels: Mapping[str, Sequence[str]],
    laid: Floats,
    targets: Mapping[str, Tensor],
    laid_labs: Lab,
    shown: Floats,
    shown_labs: Lab,
) -> dict[str, Head]:
    """Heads for photographs, by label.

    Args:
        labels: label -> its classes.
        laid: float32 of shape (n, 2048), what a network sees of packshots laid on grounds.
        targets: label -> int64 of shape (n,), their classes, -1 where unknown.
        laid_labs: float64 of shape (n, 3), their garments' colours, CIELAB.
        shown: of shape (m, 2048), what it sees of photographs.
        shown_labs: of shape (m, 3), their garments' colours.
    """
    heads = {}
    for name in (name for name in BESIDES if name in labels and name in targets):
        features, codes = laid, targets[name].numpy()
        if name == COLOUR:
            features = np.concatenate([laid, shown])
            codes = np.concatenate([codes, named_by_pixels(shown_labs, laid_labs, codes)])
        known = codes >= 0
        if len(np.unique(codes[known])) > 1:
            heads[name] = _fit(features[known], codes[known], len(labels[name]))
    return heads


def _fit(features: Floats, codes: Ints, count: int) -> Head:
    """A head of so many classes, of which those that nothing is of are never said."""
    classes, own = np.unique(codes, return_inverse=True)
    pooled = features.astype(np.float16)
    judge = np.arange(len(own)) % _HELD_OUT == 0
    # Those who judge know no class that nobody teaches.
    taught = np.unique(own[~judge])
    judge &= np.isin(own, taught)
    tried = fit_heads(pooled[~judge], np.searchsorted(taught, own[~judge]), DECAYS)
    rows = np.arange(judge.sum())

    def unlikely(decay: float) -> float:
        believed = tried[decay].beliefs(pooled[judge])
        right = believed[rows, np.searchsorted(taught, own[judge])]
        return float(-np.log(np.maximum(right, 1e-6)).mean()) if len(rows) else 0.0

    best = min(DECAYS, key=unlikely)
    fitted = fit_heads(pooled, own, [decay for decay in DECAYS if decay >= best])[best]
    weight = torch.zeros(count, fitted.weight.shape[1])
    bias = torch.full((count,), _NEVER)
    weight[classes], bias[classes] = fitted.weight, fitted.bias
    return Head(weight, bias)
