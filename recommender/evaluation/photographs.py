"""How good a store is for what visitors send: photographs, whose labels are coarser than a type.

A hit is right where its article type is one of those of the photograph's label (`GROUPS`). All goes
through `Recommender.search`, so what is measured is what is served. Intervals are over
photographers: pictures of one person's clothes, floor and phone are alike.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from recommender.catalog.items import PICTURE_LIMITS
from recommender.catalog.photographs import GROUPS, Photographs
from recommender.encoding.backbone import Device
from recommender.encoding.encoder import load_encoder
from recommender.encoding.protocol import Encoded, PictureEncoder
from recommender.encoding.regions import Regions
from recommender.errors import CatalogError, RecommenderError
from recommender.evaluation import metrics
from recommender.evaluation.classification import calibration_error
from recommender.evaluation.colour import SHOWN, GarmentColours, colour_distances
from recommender.evaluation.committed import (
    Interval,
    Label,
    Mean,
    PhotographBoard,
    PhotographReport,
    Sureness,
    macro_of,
    micro_of,
)
from recommender.evaluation.encoded import encode_photographs
from recommender.evaluation.leaderboard import (
    OURS,
    System,
    encoder_of,
    open_system,
    parts_of,
    table_row,
    three_places,
    with_interval,
)
from recommender.evaluation.metrics import Bools, Floats, Ints
from recommender.evaluation.protocol import DEPTH, find
from recommender.evaluation.relevance import HEADLINE
from recommender.evaluation.report import number, rounded
from recommender.index.embeddings import Embeddings
from recommender.index.embeddings import Floats as Believed
from recommender.index.faiss import IndexConfig, build_index
from recommender.pictures.colour import Lab
from recommender.pictures.decode import decode_image
from recommender.schema import TYPE
from recommender.search.query import Query
from recommender.search.recommender import Recommender

logger = logging.getLogger(__name__)

CUTOFFS = (1, 5)
SEEN = "seen right"
"""The metric of the head: whether its likeliest article type is one of the label's."""
COLOUR = "colour distance"
"""The metric of the hits' colours: how far they are from the garment's, CIEDE2000, in the median of
the first five; where the garment is, the store's own encoder says."""
ONE_OF_5 = "one of 5"
"""The metric of the first five together: whether any of them is right."""


def measure_photographs(
    base: Recommender,
    directory: Path,
    photographs: Photographs,
    systems: Mapping[str, System],
    cache: Path,
    *,
    sample: int | None = None,
    items: int | None = None,
    left_out: Sequence[Path] = (),
    device: Device = "auto",
) -> PhotographBoard:
    """Ask every system with the photographs that have a label, and compare.

    Args:
        base: the store as it is served.
        directory: where it is.
        photographs: who asks.
        systems: name -> what is compared.
        cache: a folder that keeps the embeddings of other encoders.
        sample: at most so many photographs ask, the same ones each time.
        items: at most so many items can be found, the same ones each time, by any system.
        left_out: of each fold of the photographers the store's weights as fitted to the others'
            photographs alone, by which theirs are seen (`training.taken`).
        device: where encoders run.

    Raises:
        CatalogError: no photograph has a label.
        ValueError: a number is not positive, or what is left out are other weights.
    """
    if min(asked for asked in (sample, items, 1) if asked is not None) < 1:
        raise ValueError("a sample, and the items that can be found, are at least 1")
    asking = labelled = photographs.labelled()
    if not len(labelled):
        raise CatalogError(f"No photograph has a label that is known: {', '.join(GROUPS)}.")
    if sample is not None:
        asking = labelled.sample(sample)
    if items is not None:
        base = of_fewer(base, items)
    labels, photographers = asking.frame["label"], asking.frame["photographer"]
    counts = _counts(base.frame, labels, photographers)
    board: PhotographBoard = {
        "photographs": {
            "count": len(asking),
            "photographers": photographers.nunique(),
            "from": asking.source,
            "without a label": len(photographs) - len(labelled),
            "unknown labels": photographs.unknown,
            "skipped": photographs.skipped,
            "folds left out": len(left_out),
        },
        "gallery": {"items": len(base), "of": len(base.gallery.frame)},
        "labels": counts,
        "systems": {},
        "differences": {},
        "left_out": {},
    }
    groups = pd.Index(list(counts)).get_indexer(pd.Index(labels)).astype(np.int64)
    clusters = pd.factorize(photographers)[0].astype(np.int64)
    seen: dict[str, Encoded] = {}  # an encoder sees the same, whatever the ranking
    garments = GarmentColours(lambda row: base.picture_bytes(int(base.index.ids[row])))
    own = json.dumps(base.encoder.record())
    each = [load_encoder(str(path), device=device) for path in left_out]
    encoders: Sequence[PictureEncoder] = each or [base.encoder]
    if {encoder.fingerprint for encoder in encoders} != {base.encoder.fingerprint}:
        raise ValueError("the weights that some photographers were left out of are not the store's")
    seen[own] = encode_photographs(encoders, asking)
    shown = _colours(asking.files, seen[own].regions)
    precisions: dict[str, Floats] = {}
    for name, system in systems.items():
        try:
            encoder = encoder_of(base, system, device)
            recommender = open_system(base, directory, encoder, system, cache)
            if (key := json.dumps(encoder.record())) not in seen:
                seen[key] = encode_photographs([encoder], asking)
            query = Query(**seen[key]._asdict(), recognises=True)
            hits = find(recommender, query, (), DEPTH, system.ranking, spread=system.spread)
        except RecommenderError as error:
            logger.warning("%s is left out: %s", name, error)
            board["left_out"][name] = str(error)
            continue
        values = judge_photographs(recommender.frame, labels, hits)
        precisions[name] = values[HEADLINE]
        if shown is not None:
            values[COLOUR] = colour_distances(shown, garments.of_items(hits[:, :SHOWN]))
        report: dict[str, Any] = {"title": system.title, **parts_of(system, encoder)}
        if TYPE in query.beliefs:
            values[SEEN], report["sureness"] = judge_beliefs(
                encoder.labels[TYPE], query.beliefs[TYPE], labels
            )
        means = {metric: _means(column, groups, clusters) for metric, column in values.items()}
        report["metrics"] = {metric: mean for metric, (mean, _) in means.items()}
        report["labels"] = {
            label: {metric: intervals[at] for metric, (_, intervals) in means.items()}
            for at, label in enumerate(counts)
        }
        board["systems"][name] = cast(PhotographReport, report)
        logger.info("%s: P@5 %s", name, report["metrics"][HEADLINE]["micro"])
    if OURS in precisions:
        board["differences"] = {
            name: _means(precision - precisions[OURS], groups, clusters)[0]
            for name, precision in precisions.items()
            if name != OURS
        }
    return board


def of_fewer(recommender: Recommender, count: int, seed: int = 0) -> Recommender:
    """The same over `count` items of its gallery, the same ones each time, found exactly.

    For systems that would take hours to embed all of them.
    """
    index = recommender.index
    kept = np.sort(np.random.default_rng(seed).permutation(len(index))[:count])
    config = IndexConfig(metric=index.metric)
    fewer, _ = build_index(Embeddings(index.ids[kept], index.vectors[kept]), config)
    gallery = replace(recommender.gallery, index=fewer, places=None)
    return Recommender(gallery, recommender.encoder)


def judge_photographs(
    gallery: pd.DataFrame, labels: "pd.Series[str]", hits: Ints
) -> dict[str, Floats]:
    """P@1, P@5, one of 5 and mAP@10 of every photograph, float64 of shape (q,).

    P@k divides by k, AP@10 by min(R, 10). R counts the gallery's pictures that are right for the
    label, as identical ones are shown once; where it is 0, AP@10 is NaN and P@k 0.

    Args:
        gallery: `articleType` and `image_hash`, n rows.
        labels: of `GROUPS`, q of them.
        hits: int64 of shape (q, DEPTH), rows of the gallery, -1 for an empty place.
    """
    relevant, available = np.zeros(hits.shape, dtype=bool), np.zeros(len(hits), dtype=np.int64)
    for label in labels.unique():
        asked, fits = (labels == label).to_numpy(), _fits(gallery, label)
        relevant[asked] = np.append(fits, False)[hits[asked]]  # -1 is the row of none
        available[asked] = gallery["image_hash"][fits].nunique()
    precisions = {f"P@{k}": metrics.precision_at_k(relevant, k) for k in CUTOFFS}
    average = metrics.average_precision_at_k(relevant, available, DEPTH)
    any_of_5: Floats = relevant[:, :5].max(axis=1, initial=False).astype(np.float64)
    return {**precisions, ONE_OF_5: any_of_5, f"mAP@{DEPTH}": average}


def judge_beliefs(
    types: Sequence[str], beliefs: Believed, labels: "pd.Series[str]"
) -> tuple[Floats, Sureness]:
    """Whether the head of article types sees right, and knows when it does.

    It sees right where the likeliest type is one of the label's; its confidence is the belief in
    that type, which is what a visitor is told.

    Args:
        types: the head's classes.
        beliefs: float32 of shape (q, classes).
        labels: of `GROUPS`, q of them.

    Returns:
        float64 of shape (q,), 1 where it sees right; the mean confidence, and its expected
        calibration error.
    """
    likeliest, confidence = beliefs.argmax(axis=1), beliefs.max(axis=1)
    said = zip(likeliest.tolist(), labels, strict=True)
    right = np.array([types[code] in GROUPS[label] for code, label in said])
    return right.astype(np.float64), {
        "confidence": number(float(confidence.mean())),
        "ECE": number(calibration_error(confidence, right)),
    }


def _fits(gallery: pd.DataFrame, label: str) -> Bools:
    """The rows that are right for a label, bool of shape (n,)."""
    return gallery[TYPE].isin(GROUPS[label]).to_numpy(dtype=bool)


def _counts(
    gallery: pd.DataFrame, labels: "pd.Series[str]", photographers: "pd.Series[str]"
) -> dict[str, Label]:
    """Who asks for each label, in the order of `GROUPS`, and what could be found."""
    return {
        label: {
            "photographs": int((labels == label).sum()),
            "photographers": photographers[labels == label].nunique(),
            "pictures": gallery["image_hash"][_fits(gallery, label)].nunique(),
        }
        for label in GROUPS
        if (labels == label).any()
    }


def _colours(files: Sequence[bytes], regions: Sequence[Regions]) -> Lab | None:
    """Of the garments in photographs, float64 (q, 3); None where nobody knows where they are."""
    if not regions:
        return None
    pictures = (decode_image(data, limits=PICTURE_LIMITS) for data in files)
    pairs = zip(pictures, regions, strict=True)
    return np.stack([GarmentColours.of_photograph(p, found.mask) for p, found in pairs])


def _means(values: Floats, groups: Ints, clusters: Ints) -> tuple[Mean, list[Interval]]:
    """Over photographs and over labels, and each label's own."""
    micro, macro, *others = metrics.cluster_intervals(values, groups, clusters)
    own = [metrics.mean(values[groups == group]) for group in range(len(others))]
    mean: Mean = {
        "micro": number(metrics.mean(values)),
        "low": number(micro[0]),
        "high": number(micro[1]),
        "macro": number(metrics.macro_mean(values, groups)),
        "macro low": number(macro[0]),
        "macro high": number(macro[1]),
    }
    return mean, [rounded(*figures) for figures in zip(own, *np.transpose(others), strict=True)]


def table(board: PhotographBoard) -> pd.DataFrame:
    """Label -> who asked and what is right for it, and P@5 of every system."""
    rows = {
        label: {
            **counts,
            **{n: report["labels"][label][HEADLINE][0] for n, report in board["systems"].items()},
        }
        for label, counts in board["labels"].items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def markdown(board: PhotographBoard, command: str) -> str:
    """A table for a README: P@5 and what is seen with intervals, over photographs and labels."""
    head = ["on photographs", "P@1", "P@5", "P@5, mean over labels", ONE_OF_5, f"mAP@{DEPTH}"]
    head += ["type seen right", "calibration error", COLOUR, "P@5, against ours"]
    lines = [table_row(head), table_row(["---"] * len(head))]
    for name, report in board["systems"].items():
        means, sureness = report["metrics"], report.get("sureness")
        better = board["differences"].get(name)
        cells = [
            three_places(means["P@1"]["micro"]),
            with_interval(micro_of(means[HEADLINE])),
            with_interval(macro_of(means[HEADLINE])),
            with_interval(micro_of(means[ONE_OF_5])),
            three_places(means[f"mAP@{DEPTH}"]["micro"]),
            with_interval(micro_of(means[SEEN])) if sureness else "",
            three_places(sureness["ECE"]) if sureness else "",
            f"{means[COLOUR]['micro']:.1f}" if COLOUR in means else "",
            with_interval(micro_of(better), "+.3f") if better else "",
        ]
        lines.append(table_row([report["title"], *cells]))
    asked, gallery = board["photographs"], board["gallery"]
    lines += ["", f"{asked['count']:,} photographs by {asked['photographers']:,} people "]
    of = f" of {gallery['of']:,}" if gallery["items"] < gallery["of"] else ""
    lines[-1] += f"({asked['from']}), {gallery['items']:,}{of} items; 95% bootstrap intervals "
    lines[-1] += f"over photographers; `{command}`."
    if folds := asked["folds left out"]:
        lines.append(
            f"- each seen by weights that none of its photographer's taught ({folds} folds)"
        )
    lines += [f"- left out: {name}: {why}" for name, why in board["left_out"].items()]
    lines += [f"- not asked: {what}" for what in _not_asked(asked)]
    return "\n".join(lines) + "\n"


def _not_asked(asked: Mapping[str, Any]) -> Iterator[str]:
    """What of the photographs did not ask, in words."""
    if count := asked["without a label"]:
        yield f"{count:,} without a label"
    if unknown := asked["unknown labels"]:
        which = ", ".join(f"{label!r} {count:,}" for label, count in unknown.items())
        yield f"of these, with a label that is not known: {which}"
    if skipped := asked["skipped"]:
        name, why = next(iter(skipped.items()))
        yield f"{len(skipped):,} that cannot be read, the first {name}: {why}"
