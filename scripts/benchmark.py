"""Measure how fast and how large the road is, beside what it is to beat, in one process.

python -m scripts.benchmark --data data/kaggle --source ARCHIVE.zip --json benchmarks/cpu.json
python -m scripts.benchmark --source ARCHIVE.zip --styles STYLES.zip --json benchmarks/catalog.json

Every ratio is of two figures taken in the same run, since machines differ and are shared.
"""

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from itertools import cycle
from pathlib import Path

import faiss
import numpy as np
import pandas as pd
import timm
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from recommender.catalog.items import load_catalog
from recommender.catalog.splits import split_names
from recommender.encoding.backbone import create_backbone, feature_maps
from recommender.encoding.encoder import Encoder, load_encoder
from recommender.search.recommender import Recommender
from recommender.service.answers import Service
from recommender.service.open import load_recommender
from recommender.service.trends import Question, Trends
from recommender.store.embed import embed_catalog
from recommender.store.style_map import build_map, measure_map
from recommender.trends.sections import SECTIONS
from recommender.ui.parts.cards import plot_of
from scripts import export_trends
from scripts.command import write_report
from scripts.machine import begin_report
from scripts.start import measure_start

QUERIES = 200


def seconds_of(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def median_ms(call: Callable[[], object], times: int = 50, warm: int = 5) -> float:
    for _ in range(warm):
        call()
    return round(float(np.median([seconds_of(call) for _ in range(times)])) * 1000, 3)


def peak_gb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2)


def measure_catalog(source: str, styles: str, directory: Path) -> dict:
    """`build_catalog` in a process of its own, from a source's archive to the report."""
    command = [sys.executable, "-m", "scripts.build_catalog", "--source", source]
    command += ["--data", str(directory), *(["--styles", styles] if styles else [])]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise RuntimeError("the catalog was not built")
    items = load_catalog(directory / "catalog")
    return {
        "items": len(items),
        "columns": len(items.column_names),
        "seconds": round(seconds, 1),
        "seconds_of_the_processor": round(used.ru_utime + used.ru_stime, 1),
        "peak_gb": round(used.ru_maxrss / 2**20, 2),
    }


def measure_predecessors(pictures: list[bytes]) -> dict:
    """A picture at a time at 224×224 in float32, as notebooks do; weights do not change speed."""
    net = timm.create_model("resnet50", pretrained=False, num_classes=0).eval()
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])

    def embed(data: bytes) -> np.ndarray:
        picture = Image.open(io.BytesIO(data)).convert("RGB").resize((224, 224))
        pixels = (torch.from_numpy(np.array(picture)).float() / 255 - mean) / std
        with torch.no_grad():
            vector = net(pixels.permute(2, 0, 1)[None])[0].numpy()
        return vector / np.linalg.norm(vector)

    embed(pictures[0])
    seconds = seconds_of(lambda: [embed(data) for data in pictures])
    return {"pictures": len(pictures), "pictures_per_second": round(len(pictures) / seconds, 1)}


def measure_embedding(data: Path, encoder: Encoder) -> dict:
    """A whole catalog into an empty folder: decode, encode and write included."""
    items = load_catalog(data / "catalog")
    with tempfile.TemporaryDirectory() as directory:
        embed = partial(embed_catalog, items, Path(directory), lambda rank: encoder)
        seconds = seconds_of(embed)
    rate = round(len(items) / seconds, 1)
    return {"items": len(items), "pictures_per_second": rate, "peak_gb": peak_gb()}


def measure_network(encoder: Encoder, batch_sizes: list[int], *, compiled: bool) -> list[dict]:
    """The network alone on pictures at hand, and the matrix product that it is held against."""
    side = 4096
    left = torch.randn(side, side, dtype=encoder.dtype, device=encoder.device)
    product = _best_seconds(encoder, lambda: left @ left)
    limit = 2 * side**3 / product / 1e9
    width, height = encoder.input_px
    if compiled:
        encoder.compile()
    rows = []
    for batch_size in batch_sizes:
        pictures = np.zeros((batch_size, height, width, 3), dtype=np.uint8)
        seconds = _best_seconds(encoder, partial(encoder.encode_prepared, pictures))
        achieved = flops(batch_size, encoder.input_px) / seconds / 1e9
        rows.append(
            {
                "batch_size": batch_size,
                "compiled": compiled,
                "dtype": encoder.record()["dtype"],
                "pictures_per_second": round(batch_size / seconds, 1),
                "gflops": round(achieved, 1),
                "matrix_product_gflops": round(limit, 1),
                "share_of_matrix_product": round(achieved / limit, 3),
            }
        )
    return rows


def flops(batch_size: int, input_px: tuple[int, int]) -> int:
    """What a ResNet50 multiplies and adds to see pictures; counted without doing it."""
    width, height = input_px
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        feature_maps(create_backbone(), torch.empty(batch_size, 3, height, width))
    total: int = counter.get_total_flops()
    return total


def _best_seconds(encoder: Encoder, call: Callable[[], object], times: int = 12) -> float:
    def finished() -> None:
        call()
        if encoder.device.type == "cuda":
            torch.cuda.synchronize()

    finished()
    return min(seconds_of(finished) for _ in range(times))


def measure_recommend(recommender: Recommender) -> dict:
    """`/recommend` inside the server, file to answer, warm; the p50 and p95 of each step.

    Pictures that no training has seen ask, as visitors' do: these leave doubt more often.
    """
    service = Service(recommender)
    unseen = recommender.frame["id"][split_names(recommender.frame) == "test"]
    ids = np.random.default_rng(0).choice(unseen, min(QUERIES, len(unseen)), replace=False)
    timings = []
    with tempfile.TemporaryDirectory() as directory:
        for item_id in ids:
            path = Path(directory) / f"{item_id}.jpg"
            path.write_bytes(recommender.picture_bytes(int(item_id)))
            timings.append(service.recommend(str(path), "")["timings_ms"])
    table = pd.DataFrame(timings[10:])
    return {step: [round(table[step].quantile(q), 2) for q in (0.5, 0.95)] for step in table}


def catalog_queries(recommender: Recommender) -> Iterator[np.ndarray]:
    """Pictures of the catalog in turn, as they ask: float32 of shape (1, d) each."""
    rows = np.random.default_rng(1).permutation(len(recommender))[:QUERIES]
    vectors, agreement = recommender.index.vectors[rows], recommender.encoder.agreement
    queries = vectors if agreement is None else agreement.as_queries(vectors)
    return cycle(queries[:, None])


def measure_search(recommender: Recommender) -> list[dict]:
    """A query's search at k = 10, by share of rows allowed, the mask's making included."""
    frame, table = recommender.frame, recommender.filters
    filters: list[dict] = [{}, {"gender": ["Men"]}, {"articleType": ["Watches"]}]
    filters.append({"gender": ["Women"], "baseColour": ["Teal"], "year": {"min": 2012}})
    rows = []
    for chosen in filters:
        mask = table.mask(chosen)
        allowed = len(frame) if mask is None else int(mask.sum())
        queries = catalog_queries(recommender)

        def search(chosen: dict = chosen, queries: Iterator[np.ndarray] = queries) -> None:
            recommender.index.search(next(queries), 10, table.mask(chosen))

        rows.append({"filters": chosen, "allowed": allowed, "ms": median_ms(search, QUERIES)})
    return rows


def measure_alternatives(recommender: Recommender) -> dict:
    """scikit-learn's brute force on 2048 dimensions, FAISS on the same, and ours, a query each.

    The 2048-dimensional vectors are random: how long a brute force takes is not up to values.
    """
    from sklearn.neighbors import NearestNeighbors

    count = len(recommender)
    vectors = np.random.default_rng(0).standard_normal((count, 2048), dtype=np.float32)
    faiss.normalize_L2(vectors)
    wide, ours = cycle(vectors[:QUERIES, None]), catalog_queries(recommender)
    neighbours = NearestNeighbors(n_neighbors=10, algorithm="brute", metric="euclidean").fit(
        vectors
    )
    flat = faiss.IndexFlatIP(2048)
    flat.add(vectors)
    times = {
        "scikit-learn brute force, 2048": median_ms(lambda: neighbours.kneighbors(next(wide))),
        "FAISS Flat, 2048": median_ms(lambda: flat.search(next(wide), 10)),
        f"ours, {recommender.encoder.dim}": median_ms(
            lambda: recommender.index.search(next(ours), 10), QUERIES
        ),
    }
    first, *_, last = times.values()
    return {"ms": times, "times_faster_than_scikit_learn": round(first / last, 1)}


def measure_trends(recommender: Recommender, data: Path) -> dict:
    """The trends' charts as the page gets them: a section at first, and after filters changed."""
    filters = [{"gender": ["Women"]}, {"season": ["Summer"], "year": {"min": 2011}}, {}]
    report: dict = {}
    for section, names in SECTIONS.items():
        trends = Trends(recommender)

        def show(chosen: dict, trends: Trends = trends, names: tuple = names) -> None:
            for chart in trends.charts(names, Question(filters=chosen)).values():
                plot_of(chart)

        first = round(seconds_of(partial(show, {})) * 1000, 1)
        filtered = [round(seconds_of(partial(show, f)) * 1000, 1) for f in filters]
        report[section] = {
            "first_ms": first,
            "filtered_ms": max(filtered[:-1]),
            "cached_ms": filtered[-1],
        }
    with tempfile.TemporaryDirectory() as directory:
        export = partial(export_trends.main, ["--data", str(data), "--out", directory])
        report["export_seconds"] = round(seconds_of(export), 1)
        report["export_files"] = len(list(Path(directory).iterdir()))
    return report


def measure_style_map(recommender: Recommender) -> dict:
    """The map made anew from the embeddings at hand, and how far it keeps neighbours."""
    vectors = recommender.index.vectors[:]
    started = time.perf_counter()
    places = build_map(vectors)
    seconds = time.perf_counter() - started
    return {
        "items": len(vectors),
        "seconds": round(seconds, 1),
        **asdict(measure_map(vectors, places)),
    }


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a built store; without one, a catalog alone")
    parser.add_argument("--source", help="an archive whose catalog is built, and timed, aside")
    parser.add_argument("--styles", default="", help="what is joined to it, as by build_catalog")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--port", type=int, default=7899, help="a free one, for starting the app")
    options = parser.parse_args(argv)
    if not options.data and not options.source:
        parser.error("name what is measured by --data or --source")
    root = Path(__file__).parent.parent.resolve()
    report = begin_report("benchmark", argv)

    def note(name: str, figures: object) -> None:
        report[name] = figures
        print(f"\n{name}\n{json.dumps(figures, indent=1)}", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        if options.source:
            asked = options.source, options.styles
            note("catalog", measure_catalog(*asked, Path(scratch) / "catalog"))
        if not options.data:
            write_report(report, options.json)
            return 0
        # Soon, while the libraries that this process has read are in the page cache.
        store = ["--data", str(options.data.resolve())]
        note("start", measure_start(store, options.port, root=root, cwd=Path(scratch)))
        note("start_demo", measure_start([], options.port, root=root, cwd=Path(scratch)))
        encoder = load_encoder()
        note("embedding", measure_embedding(options.data, encoder))
        recommender = load_recommender(options.data)
        pictures = [recommender.picture_bytes(int(i)) for i in recommender.frame["id"].head(64)]
        note("predecessors", measure_predecessors(pictures))
        rates = [report[n]["pictures_per_second"] for n in ("embedding", "predecessors")]
        note("times_faster_than_predecessors", round(rates[0] / rates[1], 1))
        sizes = [64, 128, 256, 512, 1024] if encoder.device.type == "cuda" else [1, 16, 64, 128]
        note("network", measure_network(encoder, sizes, compiled=False))
        if encoder.device.type == "cuda":
            note("network_compiled", measure_network(encoder, sizes, compiled=True))
        note("recommend_ms_p50_p95", measure_recommend(recommender))
        note("search", measure_search(recommender))
        note("nearest_neighbours", measure_alternatives(recommender))
        note("style_map", measure_style_map(recommender))
        note("trends", measure_trends(recommender, options.data))
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
