"""Measure the start of the app, from `python app.py` to its first answer, beside other checkouts.

python -m scripts.start --data data/kaggle --beside ../before --json benchmarks/tried/start.json

Checkouts take turns, so that a machine that is shared is equally slow for each of them; the best of
each is told.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from gradio_client import Client, handle_file
from PIL import Image

from scripts.command import write_report
from scripts.machine import begin_report

_LIMIT_SECONDS = 300


def measure_start(arguments: list[str], port: int, *, root: Path, cwd: Path) -> dict:
    """`python app.py` in a process of its own, until its first answer; its memory then.

    `anonymous_gb` is what of the resident is its own, not of files that others may map as well.
    """
    environment = os.environ | {"PYTHONPATH": str(root)}
    command = [sys.executable, str(root / "app.py"), "--port", str(port), *arguments]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/config", started, process)
        client = Client(f"http://127.0.0.1:{port}", verbose=False)
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            Image.new("RGB", (120, 160), "navy").save(file, "PNG")
            client.predict(handle_file(file.name), api_name="/recommend")
        seconds = time.perf_counter() - started
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        memory = {
            line.split(":")[0]: int(line.split()[1])
            for line in status.splitlines()
            if line.startswith(("VmRSS", "VmHWM", "RssAnon"))
        }
        stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
        ticks = sum(map(int, stat.split()[11:13]))  # in the process and in the kernel for it
        return {
            "seconds_to_first_answer": round(seconds, 1),
            "cpu_seconds": round(ticks / os.sysconf("SC_CLK_TCK"), 2),
            "resident_gb": round(memory["VmRSS"] / 2**20, 2),
            "anonymous_gb": round(memory["RssAnon"] / 2**20, 2),
            "peak_gb": round(memory["VmHWM"] / 2**20, 2),
        }
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, started: float, process: subprocess.Popen) -> None:
    while time.perf_counter() - started < _LIMIT_SECONDS and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own address
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the app did not start")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a built store")
    parser.add_argument("--beside", type=Path, nargs="*", default=[], help="other checkouts")
    parser.add_argument("--times", type=int, default=3, help="each is started")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--port", type=int, default=7899, help="a free one")
    options = parser.parse_args(argv)
    report = begin_report("start", argv)
    here = Path(__file__).parent.parent.resolve()
    roots = {path.name: path.resolve() for path in options.beside} | {"here": here}
    taken: dict[str, list[dict]] = {name: [] for name in roots}
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(options.times):
            for name, root in roots.items():
                data = ["--data", str(options.data.resolve())]
                started = measure_start(data, options.port, root=root, cwd=Path(scratch))
                taken[name].append(started)
                print(name, started, flush=True)
    report["best"] = {
        name: {figure: min(run[figure] for run in runs) for figure in runs[0]}
        for name, runs in taken.items()
    }
    report["runs"] = taken
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
