"""What many threads took and gave back does not stay with each of them."""

import asyncio
import os
import subprocess
import sys
import threading

import pytest
from serving import aside

from recommender.service.memory import share_arenas
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
