"""What layouts of an index take and find, from ten thousand items to millions.

python -m scripts.scale_study --data data/kaggle --json benchmarks/scale.json

The items are a store's own, and beside them such as could be: one of them whose looks went a step
in the direction from one item to another, both of them any, as long as the way from some item to
the nearest that looks otherwise. So the nearest are as far away as they are among real ones, in
directions that looks differ in, while their number grows; what is known of an item goes along. What
asks is made likewise, and is none of them: pictures, with what is believed of them.

Each size and layout is written down when it is done; the same command goes on from there.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from recommender.charts.export import write_charts
from recommender.evaluation.scale import scale_charts
from recommender.index.bounds import Alike
from recommender.index.embeddings import Floats, Mask, Rows, Vectors
from recommender.index.exact import ExactSearch, products
from recommender.index.mapped import blocks_of, lay_on_disk
from recommender.search.labelled import Labelled, alike, alike_by_beliefs
from recommender.service.open import encoder_of
from recommender.store.collection import Contents
from recommender.store.store import Store
from scripts.command import plain_errors, write_report
from scripts.gallery import anonymous_bytes
from scripts.machine import begin_report

K, QUERIES, NEAR = 10, 100, 200
SHARES = {"all": 1.0, "50%": 0.5, "1%": 0.01, "0.01%": 0.0001}
BY_IMAGE = "lean, by image"
"""Asked of embeddings in which nothing is known in place of beliefs; all others by hybrid."""
NAMES = ("lean", BY_IMAGE, "bounds alone", "PCA96", "SQ8", "HNSW32", "IVF-PQ")
MOST = {"HNSW32": 100_000}
"""Layouts that take too long to build beyond."""
TRAINED_ON = 65_536
ROUNDING = 1e-5
Search = Callable[[Floats, Mask | None], Rows]
Layout = tuple[Search, float]
"""What finds rows, and how many bytes of disk an item takes."""


class Catalog:
    """Real items, and any number like them."""

    def __init__(self, data: Path) -> None:
        """Raises:
        StoreError: the store cannot be read.
        """
        store = Store.open(data)
        self.agreement = encoder_of(store, device="cpu").agreement
        contents = Contents(store)
        self._vectors = contents.embeddings.vectors
        self._looks = self.agreement.looks(self._vectors)
        frame = contents.frame
        labels = {name: frame[name].tolist() for name in self.agreement.labels}
        self._known = self.agreement.known(labels, len(frame))
        some = np.random.default_rng(0).permutation(len(self._looks))[:NEAR]
        self.steps = nearest_apart(self._looks[some], self._looks)

    def like(self, count: int, seed: int) -> tuple[Floats, Rows]:
        """Items as there could be: embeddings, float32 (count, dim), and whose they are like."""
        random = np.random.default_rng(seed)
        of, one, other = random.integers(len(self._looks), size=(3, count))
        aims = self._looks[other] - self._looks[one]
        lengths = np.linalg.norm(aims, axis=1, keepdims=True)
        steps = random.choice(self.steps, (count, 1))
        looks = self._looks[of] + steps * aims / np.maximum(lengths, 1e-6)
        looks /= np.linalg.norm(looks, axis=1, keepdims=True)
        return self.agreement.embed(looks, self.agreement.beliefs(self._vectors[of])), of

    def blocks(self, count: int) -> Iterator[tuple[Floats, Rows]]:
        """A gallery of so many, block by block: the real ones first."""
        real = np.random.default_rng(1).permutation(len(self._looks))[:count]
        for part in blocks_of(len(real)):
            yield self._vectors[real[part]], real[part]
        for seed, part in enumerate(blocks_of(count - len(real)), 100):
            yield self.like(part.stop - part.start, seed)

    def gallery(self, count: int, folder: Path) -> Labelled:
        """The same, its embeddings on disk; items' labels are as they are known."""
        of: list[Rows] = []

        def vectors() -> Iterator[Floats]:
            for block, rows in self.blocks(count):
                of.append(rows)
                yield block

        seen = lay_on_disk(vectors(), (count, self.agreement.dim), folder)
        return Labelled(self.agreement, seen, self._known[np.concatenate(of)])


def nearest_apart(some: Floats, looks: Floats) -> Floats:
    """How far the nearest that look otherwise are from some looks: float32 of shape (m,)."""
    cosines = some @ looks.T
    best = np.where(cosines < 1 - ROUNDING, cosines, np.float32(-1)).max(axis=1)
    return np.sqrt(np.maximum(2 - 2 * best, 0))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked of every layout, and what would be right.

    Attributes:
        queries: float32 of shape (q, dim).
        masks: share -> bool of shape (n,), None for all.
        least: share -> float32 of shape (q,), the score of the last that belongs to the best.
    """

    queries: Floats
    masks: dict[str, Mask | None]
    least: dict[str, Floats]


def ask(catalog: Catalog, gallery: Vectors) -> tuple[Asked, float]:
    """Questions and what brute force answers; and how far the nearest of some items are."""
    count = len(gallery)
    queries = catalog.agreement.as_queries(catalog.like(QUERIES, 7)[0])
    random = np.random.default_rng(2)
    masks = {name: None if s == 1 else random.random(count) < s for name, s in SHARES.items()}
    top = {name: np.full((K, QUERIES), -2, np.float32) for name in SHARES}
    some = catalog.agreement.looks(gallery[np.sort(random.permutation(count)[:NEAR])])
    apart = np.full(NEAR, 2, np.float32)
    for part in blocks_of(count):
        block = gallery[part]
        scores = block @ queries.T  # (m, d) @ (d, q) -> (m, q)
        for name, mask in masks.items():
            allowed = scores if mask is None else scores[mask[part]]
            both = np.concatenate([top[name], allowed])
            top[name] = np.partition(both, len(both) - K, axis=0)[-K:]
        looks = catalog.agreement.looks(block)
        apart = np.minimum(apart, nearest_apart(some[: len(apart)], looks))
    least = {name: best.min(axis=0) for name, best in top.items()}
    return Asked(queries=queries, masks=masks, least=least), float(np.median(apart))


def exactly(gallery: Vectors, known: Alike | None) -> Layout:
    """From bounds in bytes, by groups where it is said which items are alike."""
    index = ExactSearch(gallery, known)

    def search(query: Floats, mask: Mask | None) -> Rows:
        k = min(K, len(gallery) if mask is None else np.count_nonzero(mask))
        return index.search(query, k, mask)[1][0] if k else np.empty(0, np.int64)

    return search, 4 * gallery.shape[1]  # bounds are made when a store is opened


def of_faiss(factory: str, gallery: Labelled) -> Layout:
    """Any factory string, over the embeddings with what is known in them."""
    index = faiss.index_factory(gallery.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
    if not index.is_trained:
        some = np.random.default_rng(3).permutation(len(gallery))[:TRAINED_ON]
        index.train(gallery[np.sort(some)])
    for part in blocks_of(len(gallery)):
        index.add(gallery[part])
    selectors: dict[int, Any] = {}

    def search(query: Floats, mask: Mask | None) -> Rows:
        if mask is not None and id(mask) not in selectors:
            bits = np.packbits(mask, bitorder="little")
            selectors[id(mask)] = faiss.IDSelectorBitmap(len(mask), faiss.swig_ptr(bits)), bits
        selector = None if mask is None else selectors[id(mask)][0]
        rows: Rows = index.search(query, K, params=settings_of(factory, selector))[1][0]
        return rows[rows >= 0]

    written = 0

    def write(data: bytes) -> int:
        nonlocal written
        written += len(data)
        return len(data)

    faiss.write_index(index, faiss.PyCallbackIOWriter(write))
    return search, written / len(gallery)


def settings_of(factory: str, selector: Any) -> Any:
    """How a layout searches: as thoroughly as its makers advise, or more."""
    if factory.startswith("HNSW"):
        return faiss.SearchParametersHNSW(efSearch=128, sel=selector)
    if "IVF" in factory:
        cells = faiss.SearchParametersIVF(nprobe=32, sel=selector)
        base = faiss.SearchParametersPreTransform(index_params=cells)
        return faiss.IndexRefineSearchParameters(k_factor=10, base_index_params=base)
    plain = faiss.SearchParameters(sel=selector)
    if factory.startswith(("PCA", "Pad")):
        return faiss.SearchParametersPreTransform(index_params=plain)
    return plain


def make(name: str, catalog: Catalog, gallery: Labelled) -> Layout:
    """One of the layouts."""
    if name == "lean":
        return exactly(gallery, alike(catalog.agreement, gallery.known))
    if name == BY_IMAGE:
        return exactly(gallery.seen, alike_by_beliefs(catalog.agreement, gallery.seen))
    if name == "bounds alone":
        return exactly(gallery, None)
    cells = 2 ** round(np.log2(4 * np.sqrt(len(gallery))))
    factories = {
        "PCA96": "PCA96,Flat",
        "SQ8": f"Pad{-(-gallery.shape[1] // 16) * 16},SQ8",
        "HNSW32": "HNSW32",
        "IVF-PQ": f"PCA256,IVF{cells},PQ64,Refine(SQ8)",
    }
    return of_faiss(factories[name], gallery)


def measure(make: Callable[[], Layout], gallery: Vectors, asked: Asked) -> dict:
    """What a layout takes, and what it finds; times are of one processor, of one query alone."""
    before, started = anonymous_bytes(), time.process_time()
    search, on_disk = make()
    report: dict = {"build_seconds": round(time.process_time() - started, 1)}
    report["bytes_an_item"] = round((anonymous_bytes() - before) / len(gallery))
    report["bytes_of_disk_an_item"] = round(on_disk)
    for name, mask in asked.masks.items():
        taken, found = [], []
        for query, least in zip(asked.queries, asked.least[name], strict=True):
            started = time.thread_time()
            rows = search(query[None], mask)
            taken.append(1000 * (time.thread_time() - started))
            found.append(np.count_nonzero(products(query, gallery, rows) >= least - ROUNDING))
        right = K if mask is None else min(K, int(mask.sum()))
        p50, p99 = (round(float(np.quantile(taken, q)), 3) for q in (0.5, 0.99))
        recall = round(float(sum(found)) / (right * QUERIES), 4) if right else 1.0
        report[name] = {"p50_ms": p50, "p99_ms": p99, "recall_at_10": recall}
    return report


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a built store")
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--layouts", nargs="+", choices=NAMES, help="these alone")
    parser.add_argument("--json", type=Path, required=True, help="where the figures go")
    parser.add_argument("--plots", type=Path, help="a folder for their charts")
    options = parser.parse_args(argv)
    faiss.omp_set_num_threads(1)
    report = begin_report("scale_study", argv)
    done: dict = json.loads(options.json.read_text()) if options.json.exists() else {}
    report["sizes"] = done.get("sizes", {})
    catalog = Catalog(options.data)
    report["nearest_apart_of_real"] = round(float(np.median(catalog.steps)), 4)
    for count in options.sizes:
        size = report["sizes"].setdefault(str(count), {})
        wanted = [name for name in options.layouts or NAMES if count <= MOST.get(name, count)]
        if not (missing := [name for name in wanted if name not in size]):
            continue
        with tempfile.TemporaryDirectory() as folder:
            gallery = catalog.gallery(count, Path(folder))
            questions: dict[bool, Asked] = {}
            for name in missing:
                by_image = name == BY_IMAGE
                searched = gallery.seen if by_image else gallery
                if by_image not in questions:
                    questions[by_image], apart = ask(catalog, searched)
                    size["nearest_apart"] = round(apart, 4)
                made = partial(make, name, catalog, gallery)
                size[name] = measure(made, searched, questions[by_image])
                print(count, name, size[name], flush=True)
                write_report(report, options.json)
    if options.plots:
        charts = {f"scale-{name}": one for name, one in scale_charts(report["sizes"]).items()}
        write_charts(charts, options.plots, "Scale")
    return 0


if __name__ == "__main__":
    sys.exit(main())
