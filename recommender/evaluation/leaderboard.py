"""Several systems under one protocol: the same queries, galleries and figures, paired."""

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from recommender.encoding.backbone import Device
from recommender.encoding.protocol import PictureEncoder
from recommender.errors import QueryError, RecommenderError, StoreError
from recommender.evaluation.baselines import load_any_encoder, open_with
from recommender.evaluation.committed import Board, Interval, SystemReport, micro_of
from recommender.evaluation.encoded import believe
from recommender.evaluation.metrics import paired_difference
from recommender.evaluation.protocol import Found, answer
from recommender.evaluation.queries import Queries
from recommender.evaluation.relevance import HEADLINE, RELEVANCE, Values, judge
from recommender.evaluation.report import heads, report, rounded
from recommender.files import whole_file
from recommender.index.embeddings import Embeddings
from recommender.index.faiss import IndexConfig, build_index
from recommender.search.options import Ranking
from recommender.search.recommender import Recommender

logger = logging.getLogger(__name__)

BASELINE, OURS = "imagenet-avg", "ours"
SMALL_DIM = 256
_VERSION = 1  # of the protocol: answers that were found under another are found anew


@dataclass(frozen=True, kw_only=True)
class System:
    """What is compared: an encoder, an index, a ranking.

    Attributes:
        title: what a table calls it.
        encoder: a name for `load_any_encoder`; None for the store's own.
        settings: of that encoder.
        factory: the index; None for the store's own, or exact with another encoder.
        ranking: `image` or `hybrid`.
        spread: whether it answers with each of the likeliest types where the type is in doubt.
    """

    title: str
    encoder: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    factory: str | None = None
    ranking: Ranking = "image"
    spread: bool = False


def known_systems(
    imagenet: str = "imagenet", places: Mapping[str, str] | None = None
) -> dict[str, System]:
    """All that are compared, simplest first.

    Args:
        imagenet: the Hub's `imagenet`, or a safetensors file of a ResNet50 trained on it.
        places: system -> a folder that holds its model, where it is not to come from the Hub.

    Raises:
        ValueError: a place is given to a system that has no model of others.
    """

    def pooled(said: str, pooling: str) -> System:
        title = f"ResNet50, ImageNet, {said}-pooled, 224×224"
        settings = {"width_px": 224, "height_px": 224, "pooling": pooling}
        return System(title=title, encoder=imagenet, settings=settings)

    pca = f"PCA{SMALL_DIM},L2norm,Flat"
    models = {
        "dinov2": "transformers:facebook/dinov2-base",
        "fashionclip": "transformers:patrickjohncyr/fashion-clip",
        "fashionsiglip": "open_clip:Marqo/marqo-fashionSigLIP",
    }
    for name, place in (places or {}).items():
        if name not in models:
            raise ValueError(f"{name} is none of {', '.join(models)}, which have models of others")
        models[name] = f"{models[name].partition(':')[0]}:{place}"
    return {
        "pixels": System(title="Raw pixels, 24×32", encoder="pixels"),
        "histogram": System(title="Colour histogram, 8×8×8", encoder="histogram"),
        "random": System(title="ResNet50, untrained, 60×80", encoder="random"),
        BASELINE: pooled("average", "avg"),
        "imagenet-max": pooled("max", "max"),
        "dinov2": System(title="DINOv2 base", encoder=models["dinov2"]),
        "fashionclip": System(title="FashionCLIP", encoder=models["fashionclip"]),
        "fashionsiglip": System(title="Marqo-FashionSigLIP", encoder=models["fashionsiglip"]),
        OURS: System(title="Ours, image only"),
        "ours-hybrid": System(title="Ours, hybrid", ranking="hybrid"),
        "ours-spread": System(title="Ours, of each likely type", ranking="hybrid", spread=True),
        "ours-256": System(title=f"Ours, image only, {SMALL_DIM} dimensions (PCA)", factory=pca),
        "ours-int8": System(title="Ours, image only, int8", factory="SQ8"),
    }


def versions(name: str, file: str) -> dict[str, System]:
    """Other weights of ours as systems of this name, by image and hybrid."""
    return {
        name: System(title=f"Ours, {name}, image only", encoder=file),
        f"{name}-hybrid": System(title=f"Ours, {name}, hybrid", encoder=file, ranking="hybrid"),
    }


def build_leaderboard(
    base: Recommender,
    directory: Path,
    queries: Queries,
    systems: Mapping[str, System],
    cache: Path,
    *,
    kept: Board | None = None,
    device: Device = "auto",
) -> Board:
    """Ask the same queries of every system, and compare.

    Embeddings and answers are kept in `cache`: a run that was killed goes on after the last system
    that was done. Answers of the store's own encoder are not kept, as more than its
    weights decides them.

    Args:
        base: the store as it is served.
        directory: where it is.
        queries: who asks.
        systems: name -> what is compared.
        cache: a folder.
        kept: an earlier board, of which the systems that are not asked now are shown too, where
            they were asked as many of the same queries of as many items; not compared in pairs,
            for which their answers would have to be known.
        device: where encoders run.
    """
    board: Board = {"systems": {}, "differences": {}, "left_out": {}}
    if kept is not None:
        board["systems"] |= _still_right(kept, systems, queries, len(base))
    values: dict[str, Values] = {}
    for name, system in systems.items():
        try:
            answers, parts = _ask(base, directory, queries, system, cache, device)
        except RecommenderError as error:
            logger.warning("%s is left out: %s", name, error)
            board["left_out"][name] = str(error)
            continue
        values[name] = judge(base.frame, queries.frame, answers.strict, queries.named)
        measured = report(base.frame, queries, answers, values[name])
        board["systems"][name] = cast(SystemReport, {"title": system.title, **parts, **measured})
        precisions = {r: measured["strict"][r][HEADLINE]["micro"] for r in RELEVANCE}
        logger.info("%s: %s", name, ", ".join(f"{r} {p}" for r, p in precisions.items()))
    for baseline in (name for name in (BASELINE, OURS) if name in values):
        others = [name for name in values if name != baseline]
        differences = {name: _differences(values[name], values[baseline]) for name in others}
        board["differences"][baseline] = differences
    if beliefs := believe(base.encoder, queries.picture_bytes, len(queries)):
        board["heads"] = heads(queries.frame, base.encoder.classes, beliefs)
    return board


def _still_right(
    kept: Board, systems: Mapping[str, System], queries: Queries, gallery: int
) -> dict[str, SystemReport]:
    """What an earlier board says of others' systems that are not asked now."""
    asked = {"count": len(queries), "from": queries.source, "overlap": queries.overlap}
    others = {name for name, system in known_systems().items() if system.encoder is not None}
    return {
        name: {**earlier, "kept": earlier.get("kept", kept["command"])}
        for name, earlier in kept["systems"].items()
        if name in others - systems.keys()
        and (earlier["queries"], earlier["gallery"]) == (asked, gallery)
    }


def _ask(
    base: Recommender,
    directory: Path,
    queries: Queries,
    system: System,
    cache: Path,
    device: Device,
) -> tuple[Found, dict[str, Any]]:
    """The answers, from the cache where they are; and what the system is made of."""
    encoder = encoder_of(base, system, device)
    parts = parts_of(system, encoder)
    pictures = ["".join(frame["image_hash"]).encode() for frame in (queries.frame, base.frame)]
    ids = base.index.ids.tobytes() + queries.frame["id"].to_numpy().tobytes()
    hashes = [hashlib.sha256(data).hexdigest() for data in (*pictures, ids)]
    key = json.dumps([_VERSION, parts, *hashes, queries.by_id])
    file = cache / "answers" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.safetensors"
    keeps = system.encoder is not None
    if keeps and (kept := _read_answers(file, len(queries))):
        return kept, parts
    recommender = open_system(base, directory, encoder, system, cache)
    if not np.array_equal(recommender.index.ids, base.index.ids):
        raise StoreError("Its gallery is of other items than the store's.")
    answers = answer(recommender, queries, ranking=system.ranking, spread=system.spread)
    if keeps:
        with whole_file(file) as building:
            save_file({"strict": answers.strict, "relaxed": answers.relaxed}, building)
    return answers, parts


def encoder_of(base: Recommender, system: System, device: Device = "auto") -> PictureEncoder:
    """What a system sees with.

    Raises:
        WeightsError: its weights cannot be had.
    """
    if system.encoder is None:
        return base.encoder
    return load_any_encoder(system.encoder, device=device, **system.settings)


def parts_of(system: System, encoder: PictureEncoder) -> dict[str, Any]:
    """What a report says that a system is made of, besides its title."""
    return {
        "encoder": encoder.record(),
        "dim": encoder.dim,
        "index": system.factory or "as served",
        "ranking": system.ranking,
        "spread": system.spread,
    }


def open_system(
    base: Recommender, directory: Path, encoder: PictureEncoder, system: System, cache: Path
) -> Recommender:
    """A system over the items that `base` finds; see `open_with`.

    Raises:
        StoreError: the catalog cannot be read, or the cache cannot be written.
        QueryError: its index makes nothing smaller.
    """
    if system.encoder is not None:
        config = IndexConfig(factory=system.factory or IndexConfig.factory)
        return open_with(directory, encoder, cache, config=config, ids=base.index.ids)
    if system.factory is None:
        return base
    if system.factory.startswith("PCA") and base.encoder.dim <= SMALL_DIM:
        raise QueryError(f"The embedding has {base.encoder.dim} dimensions already.")
    embeddings = Embeddings(base.index.ids, base.index.vectors[:])
    index, _ = build_index(embeddings, IndexConfig(factory=system.factory))
    return Recommender(replace(base.gallery, index=index), base.encoder)


def _read_answers(file: Path, count: int) -> Found | None:
    try:
        kept = load_file(file)
        answers = Found(kept["strict"], kept["relaxed"])
    except (OSError, SafetensorError, KeyError):
        return None
    return answers if len(answers.strict) == len(answers.relaxed) == count else None


def _differences(values: Values, baseline: Values) -> dict[str, Interval]:
    """Relevance -> difference, low, high."""
    pairs = {name: (values[name][HEADLINE], baseline[name][HEADLINE]) for name in RELEVANCE}
    return {name: rounded(*paired_difference(*pair)) for name, pair in pairs.items()}


def markdown(board: Board, command: str) -> str:
    """A table for a README: strict P@5 with its interval for each relevance, and macro on type."""
    head = ["strict P@5", *RELEVANCE, "type, macro", "type, against ImageNet"]
    lines = [table_row(head), table_row(["---"] * len(head))]
    differences = board["differences"].get(BASELINE, {})
    for name, measured in board["systems"].items():
        cells = [measured["strict"][relevance][HEADLINE] for relevance in RELEVANCE]
        figures = [with_interval(micro_of(cell)) for cell in cells]
        gain = differences.get(name, {}).get("type")
        better = with_interval(gain, "+.3f") if gain else ""
        lines.append(
            table_row([measured["title"], *figures, three_places(cells[0]["macro"]), better])
        )
    if first := next(iter(board["systems"].values()), None):
        lines += ["", f"{first['queries']['count']:,} queries ({first['queries']['from']}), "]
        lines[-1] += f"{first['gallery']:,} items; 95% bootstrap intervals; `{command}`."
    lines += [f"- left out: {name}: {why}" for name, why in board["left_out"].items()]
    lines += [
        f"- {measured['title']}: asked the same by `{measured['kept']}`; not compared in pairs"
        for measured in board["systems"].values()
        if "kept" in measured
    ]
    return "\n".join(lines) + "\n"


def table_row(cells: Iterable[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def with_interval(interval: Interval, form: str = ".3f") -> str:
    """A mean as tables show it, with its interval."""
    mean, low, high = (three_places(value, form) for value in interval)
    return f"{mean} [{low}, {high}]"


def three_places(value: float | None, form: str = ".3f") -> str:
    """A figure as tables show it."""
    return "–" if value is None else format(value, form)
