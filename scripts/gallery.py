"""Measure what a gallery takes of memory and a search of time, beside other checkouts.

python -m scripts.gallery --data data/kaggle --beside ../before --json benchmarks/gallery.json

Checkouts take turns, each in a process of its own, so that a machine that is shared is equally slow
for each. What each finds is compared with what this one does.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from recommender.index.embeddings import Floats
from recommender.search.options import Options
from recommender.search.query import Query
from recommender.search.recommender import Recommender
from recommender.service.memory import give_back
from recommender.service.open import encoder_of
from recommender.store.store import Store
from scripts.command import plain_errors, write_report
from scripts.machine import begin_report

QUERIES = 200
WINTER = Options(season="Winter")
FILTERS: dict[str, dict] = {
    "all": {},
    "half": {"gender": ["Men"]},
    "a twentieth": {"articleType": ["Watches"]},
    "few": {"gender": ["Women"], "baseColour": ["Teal"]},
}


def anonymous_bytes() -> int:
    """What of this process' memory is its own, not of files."""
    gc.collect()
    give_back()
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("RssAnon")]
    return int(line.split()[1]) * 1024


def best_ms(call: Callable[[Floats], object], queries: Floats) -> dict[str, float]:
    """Milliseconds of the processor that a query takes: the p50, and the least, undisturbed.

    Args:
        call: takes a query, float32 of shape (1, d).
        queries: float32 of shape (q, d).
    """
    taken = []
    for at in range(len(queries)):
        started = time.thread_time()
        call(queries[at : at + 1])
        taken.append(1000 * (time.thread_time() - started))
    return {"least": round(min(taken), 3), "p50": round(float(np.median(taken)), 3)}


def measure(data: Path, found: Path) -> dict:
    """A store's memory and searches, as this process' checkout has them; what is found is kept."""
    store = Store.open(data)
    _, encoder = store.frame, encoder_of(store, device="cpu")
    ids = store.ids
    before = anonymous_bytes()
    started = time.process_time()
    recommender = Recommender(store.gallery, encoder)
    report: dict = {"seconds_to_load": round(time.process_time() - started, 2)}
    report["bytes_an_item"] = round((anonymous_bytes() - before) / len(ids))
    rows = np.random.default_rng(1).permutation(len(ids))[:QUERIES]
    vectors = recommender.index.vectors[rows]
    kept = {}
    for ranking in recommender.rankings:
        for name, filters in FILTERS.items():
            options = Options(k=10, ranking=ranking, filters=filters, spread=False)
            index, mask = recommender.index_of(options), recommender.filters.mask(filters)
            asked = recommender.asking(Query(vectors=vectors), options)
            scores, hits = index.search(asked, 10, mask)
            kept |= {f"{ranking} {name} rows": hits, f"{ranking} {name} scores": scores}
            search = partial(index.search, k=10, allowed=mask)
            report[f"{ranking}, {name}"] = best_ms(search, asked)
    if (recognition := recommender._recognition) is not None:
        report["recognition"] = best_ms(recognition.recognise, vectors)
        seen = recognition.recognise(vectors)
        shown = [-1 if one is None else int(one.rows[0]) for one in seen]
        kept["recognition rows"] = np.array(shown)

    def ask(query: Floats, options: Options) -> None:
        recommender.search(Query(vectors=query, recognises=True), options)

    for name, options in (("whole search", Options()), ("whole search, Winter", WINTER)):
        report[name] = best_ms(partial(ask, options=options), vectors)
    np.savez(found, **kept)
    return report


def compared(one: Path, other: Path) -> dict:
    """How far two checkouts found the same."""
    ours, theirs = np.load(one), np.load(other)
    apart = [np.abs(ours[n] - theirs[n]).max(initial=0) for n in ours.files if n.endswith("scores")]
    rows = [(ours[n] == theirs[n]).mean() for n in ours.files if n.endswith("rows")]
    return {"same_rows": round(float(np.min(rows)), 6), "scores_apart": float(np.max(apart))}


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a built store")
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="other checkouts")
    parser.add_argument("--times", type=int, default=2, help="each is measured")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--found", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.found:
        print(json.dumps(measure(options.data, options.found)))
        return 0
    report = begin_report("gallery", argv)
    here = Path(__file__).parent.parent.resolve()
    roots = {path.name: path.resolve() for path in options.beside} | {"here": here}
    runs: dict[str, list[dict]] = {name: [] for name in roots}
    with tempfile.TemporaryDirectory() as scratch:
        found = {name: Path(scratch) / f"{name}.npz" for name in roots}
        for name, root in [*roots.items()] * options.times:
            told = ["--data", str(options.data.resolve()), "--found", str(found[name])]
            ran = subprocess.run(
                [sys.executable, str(Path(__file__).resolve()), *told],
                env=os.environ | {"PYTHONPATH": str(root)},
                cwd=root,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            runs[name].append(json.loads(ran.stdout.splitlines()[-1]))
            print(name, runs[name][-1], flush=True)
        report["same"] = {name: compared(found["here"], found[name]) for name in roots}
    report["runs"] = runs
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
