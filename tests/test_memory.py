"""What many threads took and gave back does not stay with each of them."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from serving import aside

from recommender.service.memory import let_go, share_arenas
from recommender.ui.server import server

# Of as many threads as the server asks, in another process: an arena that is made stays.
_ARENAS = """
import ctypes, sys, threading
from recommender.service.memory import share_arenas
if sys.argv[1] == "shared":
    assert share_arenas()
ready = threading.Barrier(12)
def work():
    ready.wait()
    kept = [bytearray(8000) for _ in range(100)]
    ready.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


_PAGES = """
import sys
from pathlib import Path
import faiss, numpy as np, pyarrow as pa, torch
from recommender.catalog.fingerprint import open_shard
from recommender.index.mapped import map_file
from recommender.service.memory import let_go
folder = Path(sys.argv[1])
values = np.arange(4 * 2**20)
def resident(part):
    held, here = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if not line.split()[0].endswith(":"):
            here = part in line
        elif here and line.startswith("Rss:"):
            held += int(line.split()[1])
    return held / 2**10
(folder / "plain").write_bytes(values.astype(np.float32).tobytes())
(folder / "other").write_bytes(values.astype(np.float32).tobytes())
table = pa.table({"id": values})
with pa.OSFile(str(folder / "shard"), "wb") as file, pa.ipc.new_stream(file, table.schema) as out:
    out.write_table(table)
shard = open_shard(folder / "shard")
plain, other = (map_file(folder / name, 0, (len(values), 1)) for name in ("plain", "other"))
loaded = pa.table({"id": np.array(values)})
def check():
    assert np.array_equal(shard["id"].to_numpy(), values)
    assert np.array_equal(plain[:, 0], values) and np.array_equal(other[:, 0], values)
    assert np.array_equal(loaded["id"].to_numpy(), values)
    assert torch.ones(8, 8).matmul(torch.ones(8, 8)).sum() == 512
check()
before = {part: resident(part) for part in ("shard", "plain", "other", "libtorch_cpu")}
let_go(shard, plain)
let_go(loaded, values)
after = {part: resident(part) for part in before}
assert before["shard"] > 30 and after["shard"] < 1, (before, after)
assert before["plain"] > 15 and after["plain"] < 1, (before, after)
assert after["other"] >= before["other"], "it is not named: it may be gone by then"
assert after["libtorch_cpu"] < before["libtorch_cpu"], (before, after)
check()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_threads_share_their_arenas() -> None:
    def arenas(how: str) -> int:
        command = [sys.executable, "-c", _ARENAS, how]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
        told = subprocess.run(command, capture_output=True, check=True, env=environment)
        return told.stdout.count(b"<heap nr=")

    assert arenas("shared") <= 2 < arenas("each its own")


def test_a_server_gives_back_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given = threading.Semaphore(0)
    monkeypatch.setattr(server, "_GIVE_BACK_SECONDS", 0.01)
    monkeypatch.setattr(server, "give_back", given.release)

    async def run() -> list[bool]:
        async with server.giving_back_memory():
            return [await asyncio.to_thread(given.acquire, timeout=30) for _ in range(3)]

    assert all(aside(asyncio.run, run()))


def test_where_there_is_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(_: object) -> object:
        raise OSError

    monkeypatch.setattr("recommender.service.memory.ctypes.CDLL", other)
    assert not share_arenas()
    let_go(pa.table({"id": [1]}), np.zeros(1))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_pages_of_files_are_let_go_and_come_again(tmp_path: Path) -> None:
    """In a process of its own, whose libraries others may be loading."""
    subprocess.run([sys.executable, "-c", _PAGES, str(tmp_path)], check=True)
