"""Teach a trained network what visitors send, without forgetting what it knows of packshots.

Half of what a step sees are photographs, two views of each, whose labels are coarse: a label is
right where its article types together are likely. The other half are packshots, as they are or
laid on what photographs were taken on, which say for free where the garment is. A teacher that has
seen the world says what photographs look like.
"""

import json
import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import datasets
import numpy as np
import torch
from tqdm.auto import tqdm

from recommender.catalog.fingerprint import catalog_fingerprint
from recommender.catalog.items import catalog_frame
from recommender.catalog.photographs import Photographs
from recommender.catalog.splits import split_names
from recommender.encoding.backbone import Device, choose_device, choose_dtype, hash_state
from recommender.encoding.weights import Weights, write_weights
from recommender.errors import TrainingError, WeightsError
from recommender.training.examples import TYPED, read_examples, read_photographs
from recommender.training.fashion import (
    draw_batches,
    head_accuracy,
    repeat_factors,
    start_proxies,
)
from recommender.training.lesson import SHARPER, Lesson, PhotographConfig
from recommender.training.net import FashionNet
from recommender.training.run import Run
from recommender.training.teacher import Student, Teacher
from recommender.training.tutor import Tutor, teach
from recommender.training.watch import Watched

logger = logging.getLogger(__name__)

_WATCHED = 1000
_LONGEST = 10.0


def train_on_photographs(
    catalogs: Sequence[datasets.Dataset],
    photographs: Mapping[str, Photographs],
    directory: Path,
    config: PhotographConfig,
    *,
    init: Weights,
    former: Weights | None = None,
    device: Device = "auto",
) -> dict[str, Any]:
    """Train on photographs and packshots of the train splits; watch both dev splits.

    Each epoch ends in a checkpoint and in weights that can be used.

    Args:
        catalogs: what is trained on; the dev split is the first one's alone.
        photographs: of the splits `train` and `dev`.
        directory: takes `weights.safetensors`, `history.json` and the checkpoint.
        config: the run.
        init: weights with heads and projection to go on from; their classes and input are kept.
        former: weights of the same classes, whose beliefs of packshots are kept; those of `init`
            where there are none.
        device: where it runs.

    Returns:
        The last epoch's history entry.

    Raises:
        TrainingError: the loss left the numbers.
        WeightsError: `init` is not a ResNet50's or lacks a head, `former` has other classes, or
            the teacher is not installed.
        ValueError: the checkpoint in `directory` is of another run.
    """
    if lacking := {*TYPED, "gender"} - init.labels.keys():
        raise WeightsError(f"The weights to go on from have no head for {min(lacking)}.")
    former = former or init
    if former.labels != init.labels:
        raise WeightsError("What is to be kept and what is gone on from have not the same classes.")
    directory.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    place = choose_device(device)
    dtype = choose_dtype("auto", place)
    encoder = replace(init.config, second_scale=config.second_scale)
    labels = {name: list(c) for name, c in init.labels.items()}
    items = datasets.concatenate_datasets(list(catalogs))
    frame = catalog_frame(items)
    net = FashionNet({n: len(c) for n, c in labels.items()}, config.dim, regions=True)
    net.load(init.state)
    student = Student(net).to(place).to(memory_format=torch.channels_last)
    # Another network, which does not learn.
    kept = FashionNet({n: len(c) for n, c in labels.items()}, config.dim)
    kept.load(former.state)
    kept = kept.eval().requires_grad_(False).to(place).to(memory_format=torch.channels_last)
    split = split_names(frame)
    own = split[: len(catalogs[0])]
    rows = {
        "train": np.flatnonzero(split == "train"),
        "dev": np.flatnonzero(own == "dev")[:_WATCHED],
    }
    settings = asdict(config) | {
        "labels": labels,
        "encoder": asdict(encoder),
        "catalogs": [catalog_fingerprint(catalog) for catalog in catalogs],
        "photographs": sorted(photographs["train"].frame["image"]),
        "init": hash_state(init.state),
        "former": hash_state(former.state),
    }
    run = Run.start(
        student,
        directory,
        settings,
        steps=config.epochs * config.steps_an_epoch,
        peak_lr=config.peak_lr,
        rise=0.15,
        weight_decay=config.weight_decay,
        average_share=config.average_share,
    )
    averaged = cast(Student, run.average.module).net
    history = run.resume()
    if len(history) == config.epochs and (directory / "weights.safetensors").exists():
        return history[-1]
    data = {n: read_examples(items, frame, labels, rows[n], encoder).to(place) for n in rows}
    shown = read_photographs(photographs["train"], frame, labels, place)
    watched = Watched.read(photographs["dev"], labels["articleType"], encoder)
    lesson = Lesson(
        student=student,
        kept=kept,
        teacher=Teacher().to(place),
        tutor=Tutor(len(labels["articleType"])).to(place),
        packshots=data["train"],
        photographs=shown,
        config=config,
        encoder=encoder,
        dtype=dtype,
    )
    lesson.teacher.spread(lesson.each_photograph(), dtype)
    if not history:
        start_proxies(net, data["train"], dtype, encoder)
    types = frame["articleType"].iloc[rows["train"]]
    named = photographs["train"].frame["label"].fillna("none")
    repeats = repeat_factors(types, config.rare_share)
    often = repeat_factors(named, config.rare_label_share)
    random = torch.Generator(place).manual_seed(run.seed)
    steps = config.taught.tutor_steps
    for_tutor = lesson.for_tutor(
        draw_batches(repeats, config.laid, steps, random),
        draw_batches(often, config.taken, steps, random),
        random,
    )
    teach(
        lesson.tutor,
        for_tutor,
        directory / "tutor.safetensors",
        f"{run.seed}",
        config.taught,
        dtype,
    )
    closely = replace(encoder, second_scale=SHARPER * encoder.second_scale)
    told = Watched.read(photographs["dev"], labels["articleType"], closely).of_tutor(
        lesson.tutor, dtype
    )
    logger.info("tutor: %s", json.dumps(told))
    for epoch in range(len(history), config.epochs):
        started = time.perf_counter()
        random = torch.Generator(place).manual_seed(run.seed + 1 + epoch)
        packshots = config.plain + config.on_white + config.laid
        batches = draw_batches(repeats, packshots, config.steps_an_epoch, random)
        chosen = draw_batches(often, config.taken, config.steps_an_epoch, random)
        student.train()
        totals: dict[str, torch.Tensor] = {}
        bar = tqdm(zip(batches, chosen, strict=True), f"Epoch {epoch + 1}/{config.epochs}")
        for batch, taken in bar:
            losses = lesson.losses(batch, taken, random)
            run.step(torch.stack(list(losses.values())).sum(), longest=_LONGEST)
            # Added up where they are: to read them each step is to wait for it.
            for name, value in losses.items():
                totals[name] = totals.get(name, 0) + value.detach()
        means = {name: float(total) / config.steps_an_epoch for name, total in totals.items()}
        if not math.isfinite(sum(means.values())):
            raise TrainingError("The loss is no number any more: the last checkpoint is good.")
        history.append(
            {
                "epoch": epoch + 1,
                "loss": sum(means.values()),
                "losses": means,
                "tutor": told,
                "dev": head_accuracy(averaged, data["dev"], dtype, encoder),
                "photographs": watched.score(averaged, dtype, encoder),
                "region": watched.overlap(
                    averaged, data["dev"], shown, config.scenes, dtype, encoder
                ),
                "seconds": time.perf_counter() - started,
            }
        )
        # Before the checkpoint: killed between the two, this epoch is run again, to the same.
        weights = Weights(averaged.weights(), encoder, labels)
        write_weights(directory / "weights.safetensors", weights)
        run.save(history)
    return history[-1]
