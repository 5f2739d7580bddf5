"""Serve a store: settings, recommender, page, launch.

python app.py                     # the demo, built on the first start
python app.py --data data/kaggle  # a store that scripts.build_catalog and build_index made
python app.py --data data/kaggle --index milvus  # its vectors on disk; scripts.load_milvus first
"""

import argparse
import gc
import os
import signal
import socket
import sys
from functools import cache, partial
from pathlib import Path

from recommender.service.memory import share_arenas
from recommender.ui.server.interfaces import draw_no_interfaces

# Gradio would read it, too, and end in a trace where it is no number.
PORT = os.environ.pop("GRADIO_SERVER_PORT", "7860")
# Read when gradio is imported; the second would cost 5 ms of pandas after each event.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")  # it would remember ten thousand
# Read when torch is: of its threads, one that has nothing to do yet leaves the processor to
# others, who answer meanwhile. Otherwise a picture takes three times as long where many ask.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Read when torch first multiplies: each of the hundred threads would keep what it took.
os.environ.setdefault("MKL_DISABLE_FAST_MM", "1")
# Before the libraries start theirs.
share_arenas()
draw_no_interfaces()

# The libraries make a million objects that stay: looking for garbage among them again and again
# takes a fifth of the start.
gc.disable()
# Whoever holds Python lets go of it after two milliseconds rather than five, since the network asks
# for it again between its passes.
sys.setswitchinterval(0.002)
try:
    import spaces  # ZeroGPU's; has to come before torch
except ImportError:
    spaces = None
from recommender.errors import RecommenderError, SettingError
from recommender.evaluation.committed import load_committed
from recommender.feedback.events import EventLog
from recommender.hub.hub import Address
from recommender.hub.log import keep_pushing
from recommender.index.milvus import MilvusConfig
from recommender.service.answers import Service
from recommender.service.batching import AT_ONCE, Batches
from recommender.service.open import build_demo, open_live, pull_or_last_copy
from recommender.ui.app import build_app
from recommender.ui.server.door import Door
from recommender.ui.server.logs import write_logs
from recommender.ui.server.server import launch_settings
from recommender.ui.server.uploads import use_own_folder

if __name__ == "__main__":  # who imports this may have garbage of their own
    gc.freeze()  # nor are they looked through later
gc.enable()

DEMO = Path("data/demo")
RESULTS = Path(__file__).parent / "benchmarks"
AT_EASE_SECONDS = 5.0
"""After the start, so that whoever waited for it is answered first; then words are made ready."""


def main(argv: list[str] | None = None) -> int:
    """Returns the process's exit code; serves until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    repo = os.environ.get("FASHION_REPO", "")
    usual = Path("data", *repo.partition("@")[0].split("/")) if repo else DEMO
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("FASHION_DATA", usual)))
    # A server that is named is meant; Milvus Lite's file is one process', which has to be told.
    usual_index = "milvus" if os.environ.get("FASHION_MILVUS_URI") else "faiss"
    parser.add_argument("--index", choices=["faiss", "milvus"], default=usual_index)
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"))
    parser.add_argument("--port", type=_port, default=PORT)
    options = parser.parse_args(argv)
    try:
        door = Door.read(os.environ)
        milvus = MilvusConfig.read(os.environ, options.data) if options.index == "milvus" else None
        learns = os.environ.get("FASHION_BANDIT", "0") not in ("", "0")
        feedback_repo = os.environ.get("FASHION_FEEDBACK_REPO", "")
        check_feedback(os.environ.get("FASHION_EVENTS", ""), feedback_repo, learns=learns)
    except RecommenderError as error:
        parser.error(str(error))
    write_logs()
    host = options.host.strip("[]")  # of an address such as ::1, as it is written in a URL
    if not _can_listen(host, options.port):
        where = f"port {options.port} of {host}"
        print(f"error: {where} cannot be used: choose another by --port.", file=sys.stderr)
        return 1
    try:
        data = options.data
        if repo:
            data = pull_or_last_copy(repo, data, otherwise=DEMO)
        # Of ZeroGPU's process, which has the GPU for a moment, only arguments come and go.
        gpu = None if spaces is None else cache(spaces.GPU)
        several = partial(Batches, at_once=AT_ONCE)
        wrap = several if gpu is None else lambda encode: Batches(gpu(encode))
        build = build_demo if data == DEMO else None
        live = open_live(data, build=build, wrap=wrap, milvus=milvus)
    except RecommenderError as error:
        print(f"error: {options.data}: {error}", file=sys.stderr)
        return 1
    # Told to end, it ends as if interrupted: no new work, and what is begun is answered.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    use_own_folder()
    fetch_urls = os.environ.get("FASHION_FETCH_URLS", "1") != "0"
    events = event_log(os.environ.get("FASHION_EVENTS", ""), data)
    if events is not None and feedback_repo:
        keep_pushing(events.folder, feedback_repo)
    service = Service(live, fetch_urls=fetch_urls, events=events, learns=learns)
    blocks = build_app(service, results=load_committed(RESULTS))
    live.prepare(after_seconds=AT_EASE_SECONDS)
    try:
        blocks.launch(
            server_name=f"[{host}]" if ":" in host else host,
            server_port=options.port,
            **launch_settings(service, door),
        )
    except KeyboardInterrupt:  # before Gradio waits for it, but its server is there already
        blocks.close(verbose=False)
    finally:
        live.stop()
    return 0


def event_log(setting: str, data: Path) -> EventLog | None:
    """The folder of what people look for; in the store if unset, 0 for none."""
    return None if setting == "0" else EventLog(Path(setting) if setting else data / "events")


def check_feedback(events: str, repo: str, *, learns: bool) -> None:
    """See that what learns from the log, or pushes it to a repo, has one.

    Raises:
        RecommenderError: it has none, or the repo's name is none.
    """
    if events == "0" and (learns or repo):
        name = "FASHION_BANDIT" if learns else "FASHION_FEEDBACK_REPO"
        raise SettingError(f"{name} needs the log of events, which FASHION_EVENTS=0 turns off.")
    if repo:
        Address.parse(repo)


def _can_listen(host: str, port: int) -> bool:
    """Whether the server will find its port free; asked before anything is loaded."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    except OSError:
        return False
    return True


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return int(text)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
