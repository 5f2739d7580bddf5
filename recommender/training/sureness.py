"""What dev photographs decide once a network is trained: how sure it may be of what visitors send.

Two things that no weight of the network learns: how much surer of the likeliest article type it may
be in pictures that do not lie on white, and from when on a picture is taken to show nothing that
the catalog is of.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from recommender.catalog.photographs import GROUPS, Photographs
from recommender.encoding.agreement import Floats, logit, surer
from recommender.encoding.backbone import Device
from recommender.encoding.encoder import Encoder, load_encoder
from recommender.encoding.protocol import Encoded, joined
from recommender.encoding.weights import read_weights, write_weights
from recommender.errors import WeightsError
from recommender.evaluation.classification import calibration_error
from recommender.evaluation.encoded import encode_photographs
from recommender.evaluation.match import pictures_without
from recommender.evaluation.metrics import Bools
from recommender.schema import TYPE

REFUSED = 0.025
"""The share of photographs that may be taken to show nothing of the catalog's."""
ODDS = np.geomspace(1, 20, 61)
_AT_ONCE = 64
_EACH = 300


def calibrate_on_photographs(
    weights: Path,
    out: Path,
    photographs: Photographs,
    packshots: Sequence[Image.Image],
    *,
    left_out: Sequence[Path] = (),
    device: Device = "auto",
) -> dict[str, Any]:
    """Write weights that know how sure to be of photographs.

    The odds are those that make the confidence in the likeliest article type as near as can be to
    whether it is one of the label's (Brier's score). The match is a logistic regression of garment
    or none on the garment head and the doubt, both sides counting alike.

    Args:
        weights: calibrated on packshots; see `calibrate`.
        out: takes what is shipped.
        photographs: of dev.
        packshots: of dev.
        left_out: of weights that were fitted to these photographs, those of each fold of the
            photographers that were fitted to the others'; they are told the same.
        device: where the encoder runs.

    Returns:
        The `odds`, the calibration error `before` and `after`, and the `match`.

    Raises:
        WeightsError: the weights know nothing of regions.
    """
    ask = [str(path) for path in left_out or [weights]]

    def asked(odds: float) -> Encoded:
        load = partial(load_encoder, device=device, photograph_odds=odds, match=())
        return encode_photographs([load(name) for name in ask], photographs)

    encoder = load_encoder(str(weights), device=device)
    seen = asked(1.0)
    if not seen.regions:
        raise WeightsError("These weights do not know where a garment is: they saw no photographs.")
    known = photographs.frame["label"].notna().to_numpy()
    labels, beliefs = photographs.frame["label"][known], seen.beliefs[TYPE][known]
    likeliest = np.array(encoder.labels[TYPE])[beliefs.argmax(axis=1)]
    right = np.array([name in GROUPS[label] for name, label in zip(likeliest, labels, strict=True)])
    odds = float(min(ODDS, key=lambda o: _brier(surer(beliefs, float(o)), right)))
    told = surer(beliefs, odds)
    without = [p for kind in pictures_without(photographs, _EACH).values() for p in kind]
    encoder = load_encoder(str(weights), device=device, photograph_odds=odds)
    garments = [_features(encoder, each) for each in (asked(odds), see(encoder, packshots))]
    match = fit_match(np.concatenate(garments), _features(encoder, see(encoder, without)))
    match = lenient(match, garments[0])
    for path, target in [(weights, out), *zip(left_out, left_out, strict=True)]:
        trained = read_weights(path)
        config = replace(trained.config, photograph_odds=odds, match=match)
        write_weights(target, trained._replace(config=config))
    return {
        "odds": round(odds, 4),
        "before": round(calibration_error(beliefs.max(axis=1), right), 4),
        "after": round(calibration_error(told.max(axis=1), right), 4),
        "match": [round(value, 4) for value in match],
    }


def lenient(match: tuple[float, ...], photographs: Floats) -> tuple[float, ...]:
    """The same, so much surer that hardly a photograph is taken to show nothing.

    The fit takes a garment and none for equally likely; who comes here shows one.

    Args:
        match: as `fit_match` gives it.
        photographs: float32 of shape (n, 2), its features of photographs of garments.
    """
    constant, *counts = match
    logits = constant + photographs @ np.array(counts)
    return (constant - min(0.0, float(np.quantile(logits, REFUSED))), *counts)


def see(encoder: Encoder, pictures: Sequence[Image.Image]) -> Encoded:
    """What an encoder makes of pictures that ask, batch by batch."""
    starts = range(0, len(pictures), _AT_ONCE)
    return joined([encoder.encode_queries(pictures[at : at + _AT_ONCE]) for at in starts])


def _brier(beliefs: Floats, right: Bools) -> float:
    return float(((beliefs.max(axis=1) - right) ** 2).mean())


def _features(encoder: Encoder, seen: Encoded) -> Floats:
    """The garment head's logit and the doubt of each picture: float32 of shape (n, 2)."""
    garment = np.array([found.garment for found in seen.regions], np.float32)
    return np.stack([logit(garment), encoder.agreement.doubt(seen.vectors)], axis=1)


def fit_match(garments: Floats, others: Floats) -> tuple[float, ...]:
    """What `EncoderConfig.match` holds: a constant, and what garment head and doubt count.

    Args:
        garments: float32 of shape (n, 2), of pictures that show one.
        others: float32 of shape (m, 2), of pictures that do not; as a whole they count as much.
    """
    rows = torch.from_numpy(np.concatenate([garments, others])).double()
    rows = torch.cat([torch.ones(len(rows), 1, dtype=rows.dtype), rows], dim=1)
    shows = torch.cat([torch.ones(len(garments)), torch.zeros(len(others))]).double()
    counts = torch.where(shows > 0, 0.5 / len(garments), 0.5 / len(others))
    weights = torch.zeros(3, dtype=rows.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        # A little decay, as nothing bounds the weights of what is told apart without a mistake.
        value = F.binary_cross_entropy_with_logits(rows @ weights, shows, counts, reduction="sum")
        value = value + 1e-3 * weights[1:].square().sum()
        torch.autograd.backward(value)
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return tuple(weights.detach().tolist())
