"""Measure how long the owner of a store waits: for a catalog, an update, a push and a pull.

python -m scripts.benchmark_store --data data/kaggle --json benchmarks/store.json
python -m scripts.benchmark_store --source small.zip --styles styles.zip --json catalog.json

The commands run as an owner runs them, on a copy of the store; the Hub is the tests' one, on
loopback, in a process of its own. Beside a push and a pull is what their bytes cost by themselves.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from recommender.catalog.items import load_catalog
from recommender.files import hash_files
from recommender.hub.parcel import pack
from recommender.schema import COLUMNS
from recommender.store.store import Store
from scripts.benchmark import seconds_of
from scripts.command import write_report
from scripts.machine import begin_report

ROOT = Path(__file__).parents[1]
CHANGED = 100
SERVE = """
import sys
from hub_server import hub_server
with hub_server() as hub:
    print(hub.address, flush=True)
    sys.stdin.read()
"""


def write_update(data: Path, archive: Path) -> None:
    """An archive of `CHANGED` items: half of them get another name and picture, half are new."""
    items = load_catalog(data / "catalog")
    step = len(items) // CHANGED
    frame = items.remove_columns(["image", "image_hash"]).to_pandas().iloc[::step][:CHANGED]
    newest = items.data.column("id").to_numpy().max()
    ids = [i if n % 2 else newest + 1 + n for n, i in enumerate(frame["id"])]
    frame = frame.assign(id=ids, productDisplayName=frame["productDisplayName"] + " again")
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("styles.csv", frame[list(COLUMNS)].to_csv(index=False))
        for n, item_id in enumerate(ids):
            picture = items[n * step + 1]["image"]["bytes"]
            file.writestr(f"images/{item_id}.jpg", picture)


def run(module: str, *arguments: str, **environment: str) -> float:
    """Seconds of `python -m scripts.MODULE` until it ends well."""
    command = [sys.executable, "-m", f"scripts.{module}", *arguments]
    env = os.environ | environment

    def call() -> None:
        subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)

    return round(seconds_of(call), 2)


@contextmanager
def hub(cache: Path) -> Iterator[dict[str, str]]:
    """A Hub in a process of its own; what a command needs to know of it."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield {
            "HF_ENDPOINT": server.stdout.readline().strip(),
            "HF_TOKEN": "hf_write",
            "HF_HOME": str(cache),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_OFFLINE": "0",
        }
    finally:
        server.terminate()
        server.wait()


def measure_catalog(source: str, styles: str, scratch: Path) -> dict:
    """The whole command, and what it takes of the machine, from the archives to the report."""
    told = ["--styles", styles] if styles else []
    seconds = run("build_catalog", "--source", source, *told, "--data", str(scratch / "built"))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # it was the only one
    return {
        "items": len(load_catalog(scratch / "built" / "catalog")),
        "seconds": seconds,
        "seconds_of_processors": round(used.ru_utime + used.ru_stime, 1),
        "peak_gb": round(used.ru_maxrss / 2**20, 2),
    }


def measure_update(data: Path, scratch: Path, times: int = 3) -> dict:
    """The whole command, each time with as many other items."""
    seconds = []
    for _ in range(times):
        write_update(data, scratch / "update.zip")
        source = str(scratch / "update.zip")
        seconds.append(run("update_catalog", "--source", source, "--data", str(data)))
    return {"changed": CHANGED, "items": Store.open(data).manifest.count, "seconds": seconds}


def measure_hub(data: Path, scratch: Path) -> dict:
    """There and back, and the same bytes hashed, written to the disk and sent over loopback."""
    imports = round(seconds_of(lambda: _import("scripts.push_to_hub")), 2)
    with hub(scratch / "cache") as environment:
        repo = ["--repo", "shop/catalog"]
        push = run("push_to_hub", "--data", str(data), *repo, **environment)
        again = run("push_to_hub", "--data", str(data), *repo, **environment)
        pull = run("pull_from_hub", "--data", str(scratch / "back"), *repo, **environment)
        started = time.perf_counter()
        files = list(pack(Store.open(data))[1].values())
        packed = round(time.perf_counter() - started, 2)
        alone = {
            "hashed": lambda: hash_files(files),
            "written_to_disk": lambda: _write(files, scratch / "written"),
            "sent_over_loopback": lambda: _send(files, environment["HF_ENDPOINT"]),
        }
        return {
            "megabytes": round(sum(path.stat().st_size for path in files) / 1e6, 1),
            "seconds": {
                "push": push,
                "push_again": again,
                "pull": pull,
                "imports_of_each": imports,
                "packing_as_parquet": packed,
            },
            "seconds_of_the_bytes_alone": {n: round(seconds_of(c), 2) for n, c in alone.items()},
        }


def _import(module: str) -> None:
    subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, check=True)


def _write(files: list[Path], path: Path) -> None:
    with path.open("wb") as file:
        for source in files:
            file.write(source.read_bytes())
        file.flush()
        os.fsync(file.fileno())


def _send(files: list[Path], address: str) -> None:
    for path, sha256 in zip(files, hash_files(files), strict=True):
        url = f"{address}/blobs/{sha256}"
        request = urllib.request.Request(url, path.read_bytes(), method="PUT")  # noqa: S310
        urllib.request.urlopen(request).close()  # noqa: S310 - our own address


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a built store; not changed")
    parser.add_argument("--source", help="an archive of which a catalog is built")
    parser.add_argument("--styles", default="", help="what is joined with it")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args(argv)
    if not (options.data or options.source):
        parser.error("name a store by --data, an archive by --source, or both")
    report = begin_report("benchmark_store", argv)
    with tempfile.TemporaryDirectory() as scratch:
        measures: dict[str, Callable[[], dict]] = {}
        if options.source:  # first, while no other command has run
            measures["catalog"] = partial(
                measure_catalog, options.source, options.styles, Path(scratch)
            )
        if options.data:
            copy = Path(scratch) / "store"
            left = shutil.ignore_patterns("encoders", "events", ".hub", "*.lock")
            shutil.copytree(options.data, copy, ignore=left)
            measures["update"] = partial(measure_update, copy, Path(scratch))
            measures["hub"] = partial(measure_hub, copy, Path(scratch))
        for name, measure in measures.items():
            report[name] = measure()
            print(f"\n{name}\n{json.dumps(report[name], indent=1)}", flush=True)
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
