"""Measure a store of a million items: its start, its answers, its memory, and an update.

python -m scripts.large_store --data data/kaggle --json benchmarks/large_store.json

Its items are those of `scripts.scale_study`, with the columns of the real ones that they are like.
Their embeddings are written as if pictures had been seen; the pictures are a few small drawn ones,
so what real ones weigh comes on top wherever a catalog's bytes are read or written. It is made in a
temporary folder, see TMPDIR, of some 4 GB for each million, twice that during the update.

While `update_catalog` runs in a process of its own, another one, which serves the store, is asked.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import Dataset
from PIL import Image, ImageDraw

from recommender.catalog.cleaning import CatalogReport
from recommender.catalog.features import features_of
from recommender.catalog.shards import write_catalog
from recommender.index.faiss import IndexConfig
from recommender.schema import COLUMNS, own_names
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.service.live import Live
from recommender.service.open import encoder_of, load_recommender
from recommender.service.trends import Question, Trends
from recommender.store.build import build_store
from recommender.store.collection import Contents
from recommender.store.colours import write_colours
from recommender.store.embed import Part, Work, part_slices
from recommender.store.known import ByPicture
from recommender.store.store import Store
from recommender.store.style_map import MAP
from recommender.trends.sections import NAMES
from scripts.benchmark_store import CHANGED, write_update
from scripts.bystander import Memory
from scripts.command import plain_errors, write_report
from scripts.gallery import anonymous_bytes
from scripts.machine import begin_report
from scripts.scale_study import Catalog

PICTURES = 256
ASKED = 50
LATEST_SECONDS = 600
"""How long a reader may take to serve the new version."""
ASKS: dict[str, Options] = {
    "by hybrid": Options(),
    "by image": Options(ranking="image"),
    "a filter": Options(filters={"gender": ["Men"], "baseColour": ["Teal"]}),
    "season": Options(season="Winter"),
    "variants folded": Options(fold=True),
}


def draw_pictures() -> list[bytes]:
    """Small JPEGs, each another."""
    drawn = []
    for colour in np.random.default_rng(0).integers(256, size=(PICTURES, 3)).tolist():
        picture = Image.new("RGB", (60, 80), "white")
        ImageDraw.Draw(picture).rectangle((10, 10, 50, 70), fill=tuple(colour))
        file = io.BytesIO()
        picture.save(file, "JPEG")
        drawn.append(file.getvalue())
    return drawn


def make_store(like: Path, directory: Path, count: int) -> None:
    """A store of so many items like those of another."""
    store, catalog = Store.open(like), Catalog(like)
    encoder, contents = encoder_of(store, device="cpu"), Contents(store)
    ids, hashes = np.arange(1, count + 1), [f"{n:032x}" for n in range(count)]

    def parts() -> Iterator[np.ndarray]:
        held = [np.empty((0, encoder.dim), np.float32), np.empty(0, np.int64)]
        slices = part_slices(ids)[::-1]
        for block in catalog.blocks(count):
            held = [np.concatenate(pair) for pair in zip(held, block, strict=True)]
            while slices and len(held[0]) >= (size := slices[-1].stop - slices[-1].start):
                here = slices.pop()
                vectors, of = (both[:size] for both in held)
                held = [both[size:] for both in held]
                work = Work(
                    directory=directory / "embeddings",
                    load_encoder=lambda _: encoder,
                    fingerprint=encoder.fingerprint,
                    dim=encoder.dim,
                    batch_size=1,
                    workers=1,
                )
                part = Part(here.start, ids[here].tolist(), hashes[here], work)
                part.known = ByPicture(hashes[here], vectors)
                part.write(np.empty((0, encoder.dim), np.float32), {})
                yield of

    of = np.concatenate(list(parts()))
    frame = contents.frame.iloc[of].reset_index(drop=True)
    frame["productDisplayName"] += [f" {n // len(contents.frame)}" for n in range(count)]
    frame = frame.assign(id=ids, image_hash=hashes)
    features = features_of(frame[[*COLUMNS, *own_names(frame.columns)]])
    drawn = draw_pictures()
    shown = pa.array([drawn[n % PICTURES] for n in range(count)], pa.binary())
    image = pa.StructArray.from_arrays([shown, pa.nulls(count, pa.string())], ["bytes", "path"])
    columns = {
        name: image if name == "image" else pa.array(frame[name], kind.type, from_pandas=True)
        for name, kind in zip(features, features.arrow_schema, strict=True)
    }
    items = Dataset(pa.table(columns), info=None).cast(features)
    write_catalog(
        [items.data.table],
        items.features,
        directory / "catalog",
        CatalogReport(source=f"{count:,} made"),
    )
    del columns, image, shown
    places, colours = store.places, store.colours
    if colours is not None:
        write_colours(items, ids, directory, ByPicture(hashes, colours[of]))
    former = None
    if places is not None:
        former = directory / "places.safetensors"
        MAP.write(former, ids, places[of])
    build_store(directory, lambda _: encoder, IndexConfig(), former_map=former)


def served(directory: Path) -> dict:
    """What it takes to serve a store, step by step, and what it answers in."""
    report: dict = {}
    before = anonymous_bytes()

    def step(name: str, call: Callable[[], object]) -> None:
        nonlocal before
        started = time.process_time()
        held.append(call())
        seconds, now = round(time.process_time() - started, 2), anonymous_bytes()
        report[name] = {"seconds": seconds, "megabytes": round((now - before) / 1e6)}
        before = now

    held: list[Any] = []
    step("opened", lambda: load_recommender(directory, device="cpu"))
    recommender: Recommender = held[0]
    ids = recommender.items.ids[np.random.default_rng(0).permutation(len(recommender))[:ASKED]]
    for name, options in ASKS.items():
        recommender.by_id(ids[0].item(), options)
        taken = []
        for item_id in ids.tolist():
            started = time.thread_time()
            recommender.by_id(item_id, options)
            taken.append(1000 * (time.thread_time() - started))
        report[name] = {"p50_ms": round(float(np.median(taken)), 2), "most_ms": round(max(taken))}
    step("words", recommender.prepare)
    step("by words", lambda: recommender.by_text("red shirt for men"))
    step("outfits", lambda: recommender.outfits)
    trends = Trends(recommender)
    step("trends", lambda: trends.charts(NAMES, Question()))
    step(
        "trends again, filtered",
        lambda: trends.charts(NAMES, Question(filters={"gender": ["Men"]})),
    )
    report["in_all_megabytes"] = round(anonymous_bytes() / 1e6)
    return report


def updated(directory: Path, scratch: Path) -> dict:
    """An update beside a process that serves: what it takes, and what is answered meanwhile."""
    write_update(directory, archive := scratch / "update.zip")
    load = partial(load_recommender, directory, device="cpu")
    live = Live(load())
    former, slowest, answers = live.now, 0.0, 0
    ids = former.items.ids[np.random.default_rng(1).permutation(len(former))].tolist()
    live.watch(directory, load)
    command = [sys.executable, "-m", "scripts.update_catalog", "--source", str(archive)]
    started = time.perf_counter()
    process = subprocess.Popen([*command, "--data", str(directory)], stdout=subprocess.DEVNULL)
    seconds, peak = 0.0, 0
    while not seconds or live.now is former:
        asked = time.perf_counter()
        # What the system says at its end counts what this process held when it began that one.
        peak = max(peak, Memory(process.pid).megabytes("VmHWM") or 0)
        if not seconds and (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            seconds, used = asked - started, ended[2]
            process.returncode = os.waitstatus_to_exitcode(ended[1])
            if process.returncode:
                raise RuntimeError("the store was not updated")
        if asked - started > seconds + LATEST_SECONDS and seconds:
            raise RuntimeError("the new version is not served")
        now = live.now
        hits = now.by_id(ids[answers % len(ids)])
        if len(hits.ids) != Options().k:
            raise RuntimeError("an answer is short")
        answers, slowest = answers + 1, max(slowest, time.perf_counter() - asked)
        time.sleep(0.05)
    live.stop()
    return {
        "changed": CHANGED,
        "seconds": round(seconds, 1),
        "seconds_of_processors": round(used.ru_utime + used.ru_stime, 1),
        "peak_gb": round(peak / 2**10, 2),
        "served_after_seconds": round(time.perf_counter() - started, 1),
        "answers_meanwhile": answers,
        "slowest_answer_seconds": round(slowest, 2),
    }


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a built store, whose items these are like")
    parser.add_argument("--count", type=int, default=1_000_000, help="of items")
    parser.add_argument("--made", type=Path, help="where the store is or goes, and stays")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--served", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.served:
        print(json.dumps(served(options.served)))
        return 0
    report = begin_report("large_store", argv)
    report["items"] = options.count
    with tempfile.TemporaryDirectory() as scratch:
        directory = options.made or Path(scratch) / "store"
        if not (directory / "manifest.json").exists():
            make_store(options.data, directory, options.count)
        files = (path for path in directory.rglob("*") if path.is_file())
        report["gigabytes_of_disk"] = round(sum(path.stat().st_size for path in files) / 1e9, 2)
        command = [sys.executable, "-m", "scripts.large_store", "--served", str(directory)]
        ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        report["served"] = json.loads(ran.stdout.splitlines()[-1])
        report["update"] = updated(directory, Path(scratch))
    print(json.dumps(report, indent=1))
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
