r"""What one visitor waits while others do what costs a server most: on an app that it starts.

python -m scripts.bystander --data data/kaggle --json benchmarks/bystander.json
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import struct
import sys
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import httpx

from scripts.command import command_line, plain_errors, write_report
from scripts.visitors import Ask, Record, Visitor, memory_of, visitors_of

_LARGE_PX = 7000


@dataclass(frozen=True)
class Others:
    """What some do, again and again, beside one who asks with a photograph.

    Attributes:
        count: how many they are.
        do: in words.
        ask: what they do.
        goal: how many times as long the one may wait at most; None where nothing is asked for.
        instead: what they do in the times to compare with; nothing where None.
        goal_mb: how much more memory than before the app may take at most.
    """

    count: int
    do: str
    ask: Ask
    goal: float | None = None
    instead: Ask | None = None
    goal_mb: int | None = None


class Memory:
    """What a process holds, as far as the system says: Linux does."""

    def __init__(self, process: int | None) -> None:
        self._folder = Path("/proc", str(process))

    def megabytes(self, name: str = "VmRSS") -> int | None:
        """A line of its status: what it holds now or, as `VmHWM`, held at most."""
        try:
            lines = (self._folder / "status").read_text(encoding="ascii").splitlines()
        except OSError:
            return None
        told = dict(line.split(":", 1) for line in lines)
        return int(told[name].split()[0]) >> 10 if name in told else None  # of one that has ended

    def forget_peak(self) -> None:
        """Of what it held at most, from now on. Source: proc(5), `clear_refs`."""
        with contextlib.suppress(OSError):
            (self._folder / "clear_refs").write_text("5", encoding="ascii")


def others_of(slow_url: str) -> list[Others]:
    """All that is measured.

    Args:
        slow_url: of a server that does not answer in time.
    """

    async def slow(visitor: Visitor) -> object:
        return await visitor.call("recommend", None, 5, {}, slow_url)

    async def large(visitor: Visitor) -> object:
        return await visitor.recommend(await visitor.upload(_large_picture(), "large.png"))

    async def table(visitor: Visitor, times: int) -> object:
        return await visitor.call("trends", {}, ["colours"] * times, {}, {})

    async def download(visitor: Visitor) -> object:
        page = f"{visitor.url}/trends/style_map.html"
        async with visitor.client.stream("GET", page) as answer:
            async for _ in answer.raise_for_status().aiter_raw():
                pass  # whoever unpacks it does that on another machine
        return answer

    once, often = (partial(table, times=times) for times in (1, 5000))
    return [
        Others(4, "name addresses that answer slowly", slow, 1.5),
        Others(16, "name addresses that answer slowly", slow, 2),
        Others(16, "send 49 megapixels of 16 bits", large, 3, goal_mb=300),
        Others(4, "ask for a table of the trends", once),
        Others(4, "name that table 5,000 times, not once", often, 1.1, once),
        Others(32, "download style_map.html", download, 1.5),
    ]


@cache
def _large_picture() -> bytes:
    """A PNG of 49 megapixels of 16 bits."""
    line, packed = b"\0" + bytes(6 * _LARGE_PX), zlib.compressobj(1)
    body = b"".join([*(packed.compress(line) for _ in range(_LARGE_PX)), packed.flush()])
    head = struct.pack(">IIBBBBB", _LARGE_PX, _LARGE_PX, 16, 2, 0, 0, 0)
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


async def _measured(
    one: Visitor,
    slow_url: str,
    row: int,
    options: argparse.Namespace,
    process: int | None = None,
) -> dict[str, Any]:
    """How long one waits, in turn without the others and beside them, and what a process takes."""
    others = others_of(slow_url)[row]
    alone, beside, theirs = Record(), Record(), Record()
    memory = Memory(process)
    idle_mb, peaks_mb = None, []

    async def ask(record: Record) -> None:
        for _ in range(options.asked):
            await record.ask(one, "picture", Visitor.picture)

    for _ in range(options.rounds):
        if others.instead is None:
            await ask(alone)
        else:
            async with _busy(one.url, slow_url, row, Record(), instead=True):
                await ask(alone)
        idle_mb = idle_mb or memory.megabytes()
        memory.forget_peak()
        async with _busy(one.url, slow_url, row, theirs):
            await ask(beside)
        peaks_mb.append(memory.megabytes("VmHWM"))
    peak_mb = max((each for each in peaks_mb if each), default=None)
    told = [record.table().get("picture") for record in (alone, beside)]
    times = [row["p50_ms"] for row in told if row]
    ratio = float(round(times[1] / times[0], 2)) if len(times) == 2 else None
    return {
        "others": f"{others.count} {others.do}",
        "compared": told[0],
        "beside them": told[1],
        "times as long": ratio,
        "goal": others.goal,
        "met": None if others.goal is None else ratio is not None and ratio <= others.goal,
        "others answered": theirs.table().get("all"),
        "others refused": dict(theirs.refused),
        "refused": dict(alone.refused + beside.refused),
        "errors": dict(alone.errors + beside.errors + theirs.errors),
        "resident_mb": peak_mb,
        "more_mb": peak_mb - idle_mb if peak_mb and idle_mb else None,
        "goal_mb": others.goal_mb,
    }


@contextlib.asynccontextmanager
async def _busy(
    url: str, slow_url: str, row: int, record: Record, *, instead: bool = False
) -> AsyncIterator[None]:
    """While others, in a process of their own, do something again and again.

    At the end, what they have begun is over and recorded.
    """
    context = get_context("spawn")
    begun, done, told = context.Event(), context.Event(), context.SimpleQueue()
    asked = (url, slow_url, row, instead, begun, done, told)
    process = context.Process(target=_keep_asking, args=asked, daemon=True)
    process.start()
    await asyncio.to_thread(begun.wait, 60)
    await asyncio.sleep(1)
    try:
        yield
    finally:
        done.set()
        record.add(await asyncio.to_thread(told.get))
        process.join()


def _keep_asking(
    url: str, slow_url: str, row: int, instead: bool, begun: Event, done: Event, told: Any
) -> None:
    """All of the others of a row, until they are told to end."""
    others, record = others_of(slow_url)[row], Record()
    ask = others.instead if instead and others.instead else others.ask

    async def go(visitor: Visitor) -> None:
        while not done.is_set():
            if not await record.ask(visitor, "others", ask):
                await asyncio.sleep(1)  # as the sentence says

    async def all_go() -> None:
        async with visitors_of(url, others.count) as visitors:
            begun.set()
            await asyncio.gather(*map(go, visitors))

    asyncio.run(all_go())
    told.put(record)


async def _never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A web server that takes its time."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        await reader.read()  # until the other side gives up
    writer.close()


def _serve(data: Path, port: int, slow_port: int) -> None:
    """In a process of its own: the app, which may reach the slow server on this machine."""
    os.environ |= {"FASHION_FAIR_SHARE": "0", "FASHION_EVENTS": "0"}  # all have one address here
    import app
    from recommender.pictures.fetch import FetchPolicy, fetch_image
    from recommender.service import addresses

    policy = FetchPolicy(allowed_ports=frozenset({slow_port}), is_allowed=lambda address: True)
    addresses.fetch_image = partial(fetch_image, policy=policy)
    sys.exit(app.main(["--data", str(data), "--port", str(port)]))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


async def _run(options: argparse.Namespace) -> list[dict[str, Any]]:
    port = _free_port()
    slow = await asyncio.start_server(_never, "127.0.0.1", 0)
    slow_port = slow.sockets[0].getsockname()[1]
    app = get_context("spawn").Process(target=_serve, args=(options.data, port, slow_port))
    app.start()
    try:
        async with visitors_of(f"http://127.0.0.1:{port}", 1) as [one]:
            while app.is_alive():
                with contextlib.suppress(httpx.TransportError):
                    await memory_of(one)
                    break
                await asyncio.sleep(0.5)
            # What is made once is not counted.
            slow_url = f"http://127.0.0.1:{slow_port}/picture"
            kinds = others_of(slow_url)
            await one.picture()
            await kinds[-1].ask(one)
            rows = options.only or range(len(kinds))
            return [await _measured(one, slow_url, row, options, app.pid) for row in rows]
    finally:
        app.terminate()
        app.join()
        slow.close()


@plain_errors(httpx.HTTPError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="the store")
    parser.add_argument("--rounds", type=int, default=5, help="without the others, then beside")
    parser.add_argument("--asked", type=int, default=8, help="how often the one asks in each")
    parser.add_argument("--only", type=int, nargs="+", help="rows of the table, from 0")
    parser.add_argument("--json", type=Path, help="takes the report")
    options = parser.parse_args(argv)
    rows = asyncio.run(_run(options))
    report = {"command": command_line("bystander", argv), "cores": os.cpu_count(), "rows": rows}
    for row in rows:
        print(f"{row['others']}: {row['times as long']} times as long (goal {row['goal']})")
        print(f"  the app takes {row['more_mb']} MB more at most (goal {row['goal_mb']})")
    print(json.dumps(report, indent=1))
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
