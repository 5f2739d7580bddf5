"""Heads for details, on a network that stays as it is: fitted, calibrated, measured, added to it.

Nothing that the weights knew changes, as no tensor of theirs does: a head is a linear map of the
pooled maps, learnt from columns that a catalog has of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import numpy as np
import pandas as pd
from torch import Tensor
from tqdm.auto import tqdm

from recommender.catalog.items import catalog_frame
from recommender.catalog.splits import split_names
from recommender.encoding.agreement import Floats, tempered
from recommender.encoding.backbone import Device
from recommender.encoding.details import PREFIX, Detail
from recommender.encoding.encoder import load_encoder
from recommender.encoding.weights import Weights, read_weights, write_weights
from recommender.errors import CatalogError, WeightsError
from recommender.evaluation.classification import accuracy, macro_f1
from recommender.evaluation.encoded import believe
from recommender.evaluation.metrics import Ints
from recommender.evaluation.report import heads, number
from recommender.schema import LABELS, TYPE
from recommender.search.spread import SURE
from recommender.training.calibration import fit_temperature
from recommender.training.linear import Head, fit_heads
from recommender.training.pooled import Pooled, pooled_features

DETAILS = (
    "pattern", "sleeveLength", "neck", "fit", "length", "heelType", "heelHeight", "toeShape",
    "fastening", "waistRise",
)  # fmt: skip
"""Columns of a catalog's own whose values pictures may show."""

SEEN = "type seen"
"""What the network takes an item's picture for."""


@dataclass(frozen=True, kw_only=True)
class DetailConfig:
    """What is learnt.

    Attributes:
        columns: of the catalog's own, whose values are to be seen.
        least: items of the train split that a value needs.
        asked: items of the dev split that a detail needs.
        share: of a type's items that have a detail, for pictures of the type to be told it. Shops
            fill such columns in for some; where one makes no sense, none has it.
        decays: of the weights; dev chooses one for each head.
    """

    columns: tuple[str, ...] = DETAILS
    least: int = 60
    asked: int = 20
    share: float = 0.25
    decays: tuple[float, ...] = (0.03, 0.1, 0.3)

    def __post_init__(self) -> None:
        if usual := sorted({*self.columns} & {*LABELS}):
            raise ValueError(f"{', '.join(usual)} has a head already")
        if min(self.least, self.asked) < 1 or not 0 < self.share <= 1:
            raise ValueError("counts are at least 1, a share is above 0 and at most 1")


class Learnt(NamedTuple):
    """The head of a detail, its temperature not divided in, and what is told of it."""

    head: Head
    classes: tuple[str, ...]
    temperature: float
    told: dict[str, Any]


def train_details(
    catalogs: Sequence[datasets.Dataset],
    weights: Path,
    out: Path,
    config: DetailConfig,
    *,
    cache: Path,
    device: Device = "auto",
) -> dict[str, Any]:
    """Write weights with heads for what catalogs say of their items' details.

    A head is kept where on dev it is right more often than who says of each type that the network
    sees what is the commonest there. The test split is asked once, as visitors ask, when all is
    chosen.

    Args:
        catalogs: of whose train splits heads learn. The first one says which values there are and
            of which types they are told; its dev split chooses and its test split measures.
        weights: of any network of ours; details that it has are replaced.
        out: takes the same weights with the heads.
        config: what is learnt.
        cache: a folder that keeps what the network makes of pictures.
        device: where it runs.

    Returns:
        The `weights_hash`; `items`, how many of each split have a detail; `also learnt from`, how
        many items of other catalogs; of each of the `details` what it tells and what it is worth;
        what was `left out`, and why.

    Raises:
        WeightsError: the weights cannot be read, or are of no network that sees article types.
        CatalogError: nothing can be learnt.
    """
    former = _without_details(read_weights(weights))
    if TYPE not in former.labels:
        raise WeightsError("These weights see no article types, by which details are told.")
    known = [_known(items, config.columns) for items in catalogs]
    parts = [frame[frame["split"] == "train"] for frame in known]
    train, parts[0] = parts[0], known[0][known[0]["split"] != "test"]
    features = [
        pooled_features(former, items, part.index.to_numpy(), cache, device=device)
        for items, part in zip(catalogs, parts, strict=True)
    ]
    seen = np.concatenate(features)
    examples = pd.concat([part.assign(own=at == 0) for at, part in enumerate(parts)])
    of_types = Head.of(former.state, f"heads.{TYPE}").beliefs(seen)
    examples[SEEN] = np.array(former.labels[TYPE])[of_types.argmax(axis=1)]
    types = _types(catalogs[0], config)
    usual = replace(config, columns=tuple(name for name in config.columns if types[name]))
    found = learn(examples, seen, usual)
    found |= {name: "too few items of any type have it" for name in types if not types[name]}
    learnt = {name: one for name, one in found.items() if isinstance(one, Learnt)}
    if not learnt:
        why = "; ".join(f"{name}: {reason}" for name, reason in found.items())
        raise CatalogError(f"No detail can be learnt of this catalog ({why}).")
    details = {
        name: Detail(classes=one.classes, types=types[name], temperature=one.temperature)
        for name, one in learnt.items()
    }
    added: dict[str, Tensor] = {}
    for name, one in learnt.items():
        added |= Head(*(part / one.temperature for part in one.head)).named(PREFIX + name)
    write_weights(out, former._replace(state={**former.state, **added}, details=details))
    test = known[0][known[0]["split"] == "test"]
    encoder = load_encoder(str(out), device=device)
    rows = test.index.tolist()
    believed = believe(encoder, lambda at: catalogs[0][rows[at]]["image"]["bytes"], len(rows))
    test = test.assign(**{SEEN: np.array(encoder.labels[TYPE])[believed[TYPE].argmax(axis=1)]})
    return {
        "weights_hash": encoder.weights_hash,
        "items": known[0]["split"].value_counts().to_dict(),
        "also learnt from": sum(map(len, parts[1:])),
        "details": {
            name: {
                **one.told,
                "types": len(types[name]),
                "test": worth(name, one.classes, believed[name], test, train),
            }
            for name, one in learnt.items()
        },
        "left out": {name: why for name, why in found.items() if isinstance(why, str)},
    }


def learn(examples: pd.DataFrame, seen: Pooled, config: DetailConfig) -> dict[str, "Learnt | str"]:
    """Each detail -> what was learnt of it, or why nothing was.

    Args:
        examples: details, type, `SEEN` and `split` of n items, and whether they are the first
            catalog's `own`.
        seen: of shape (n, 2048), their features.
        config: what is learnt.
    """
    learnt: dict[str, Learnt | str] = {}
    for name in tqdm(config.columns, "Details"):
        there = examples[name].notna()
        train, dev = (examples[there & (examples["split"] == split)] for split in ("train", "dev"))
        train = train[train["own"]]
        counts = train[name].value_counts()
        classes = tuple(sorted(counts.index[counts >= config.least]))
        if len(classes) < 2 or len(dev) < config.asked:
            learnt[name] = "too few items have it"
            continue
        targets = pd.Index(classes).get_indexer(pd.Index(examples[name]))
        split = examples["split"].to_numpy()
        learns = np.flatnonzero((split == "train") & (targets >= 0))
        chooses = np.flatnonzero((split == "dev") & there.to_numpy())
        truth, shown = targets[chooses], seen[chooses]
        fitted = fit_heads(seen[learns], targets[learns], config.decays)
        surprise = {d: _surprise(one.beliefs(shown), truth) for d, one in fitted.items()}
        decay = min(surprise, key=surprise.__getitem__)
        head = fitted[decay]
        temperature = fit_temperature(head.beliefs(shown), truth)
        told = worth(name, classes, tempered(head.beliefs(shown), temperature), dev, train)
        if told["accuracy"] <= told["by type seen"]["accuracy"]:
            right, other = told["accuracy"], told["by type seen"]["accuracy"]
            learnt[name] = f"right in {right} of dev, by the type alone in {other}"
            continue
        said = {"classes": len(classes), "learnt from": len(learns), "decay": decay}
        said["temperature"] = round(temperature, 4)
        learnt[name] = Learnt(head, classes, temperature, {**said, "dev": told})
    return learnt


def worth(
    name: str, classes: Sequence[str], beliefs: Floats, asking: pd.DataFrame, train: pd.DataFrame
) -> dict[str, Any]:
    """What a detail's head is worth, beside who says the commonest value of the type.

    Args:
        name: of the detail.
        classes: its values.
        beliefs: float32 of shape (q, classes).
        asking: q items; those that lack the detail do not count.
        train: items of the train split.

    Returns:
        As `report.heads`; `shown`: of how many the likeliest value is taken for the one, and in how
        many of those it is; by the type that is seen, and by the true one.
    """
    [told] = heads(asking, {name: classes}, {name: beliefs}).values()
    both = pd.Index(pd.unique(pd.concat([asking[name], train[name]]).dropna()))
    both = pd.Index(classes).append(both.difference(classes))
    targets = both.get_indexer(pd.Index(asking[name]))
    common = train[[TYPE, name]].value_counts().reset_index().drop_duplicates(TYPE)
    usual, otherwise = common.set_index(TYPE)[name], train[name].mode()[0]
    by_type = {
        way: asking[column].map(usual).fillna(otherwise)
        for way, column in ((" seen", SEEN), ("", TYPE))
    }
    sure = (targets >= 0) & (beliefs.max(axis=1) >= SURE)
    right = beliefs.argmax(axis=1)[sure] == targets[sure]
    return {
        **told,
        **{
            f"by type{way}": _right(targets, both.get_indexer(pd.Index(guessed)))
            for way, guessed in by_type.items()
        },
        "shown": {
            "share": number(sure.sum() / max((targets >= 0).sum(), 1)),
            "accuracy": number(right.mean() if len(right) else np.nan),
        },
    }


def _right(targets: Ints, guessed: Ints) -> dict[str, Any]:
    found = {"accuracy": accuracy, "macro F1": macro_f1}
    return {name: number(metric(targets, guessed)) for name, metric in found.items()}


def _without_details(weights: Weights) -> Weights:
    state = {name: t for name, t in weights.state.items() if not name.startswith(PREFIX)}
    return weights._replace(state=state, details={})


def _known(items: datasets.Dataset, columns: Sequence[str]) -> pd.DataFrame:
    """Items of which some detail is known: the details, the type and the split, by row."""
    frame = catalog_frame(items)
    told = frame.reindex(columns=[*columns, TYPE]).assign(split=split_names(frame))
    return told.dropna(how="all", subset=[*columns])


def _types(items: datasets.Dataset, config: DetailConfig) -> dict[str, tuple[str, ...]]:
    """Detail -> the article types of which enough of the train split's items have it."""
    frame = catalog_frame(items)
    frame = frame[split_names(frame) == "train"].reindex(columns=[*config.columns, TYPE])
    shares = frame.drop(columns=TYPE).notna().groupby(frame[TYPE]).mean()
    return {name: tuple(sorted(shares.index[shares[name] >= config.share])) for name in shares}


def _surprise(beliefs: Floats, targets: Ints) -> float:
    """The mean cross entropy of what is of a class."""
    rows = np.flatnonzero(targets >= 0)
    return float(-np.log(np.maximum(beliefs[rows, targets[rows]], 1e-12)).mean())
