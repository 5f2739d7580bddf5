r"""Ask a running app as a crowd would, and tell how it bore it.

python -m scripts.load_test --url http://127.0.0.1:7860 --requests 10000 --clients 50 --json FILE
python -m scripts.load_test --url http://127.0.0.1:7860 --beside large --json FILE
python -m scripts.load_test --url http://127.0.0.1:7860 --minutes 60 --rate 5 --json FILE
python -m scripts.load_test --minutes 60 --rate 5 --updating COPY_OF_A_STORE --json FILE
"""

import argparse
import asyncio
import contextlib
import json
import random
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from tqdm.auto import tqdm

from recommender.schema import Id
from recommender.service.examples import PHOTOGRAPHS
from scripts.command import command_line, plain_errors, write_report

_LARGE_PX = 7000
_ALONE = 40
_UPDATED = 10

Ask = Callable[["Visitor"], Awaitable[object]]


class RefusedError(Exception):
    """The app said in a sentence why it does not answer."""


class Visitor:
    """One of the crowd: asks one thing after the other."""

    def __init__(
        self, url: str, client: httpx.AsyncClient, items: list[Id], seed: int, slow_url: str
    ) -> None:
        self.url, self.client, self.items = url.rstrip("/"), client, items
        self.slow_url = slow_url
        self.random = random.Random(seed)

    async def call(self, name: str, *data: Any) -> Any:
        """An endpoint's answer."""
        asked = f"{self.url}/gradio_api/call/{name}"
        began = await self.client.post(asked, json={"data": list(data)})
        began.raise_for_status()
        told = await self.client.get(f"{asked}/{began.json()['event_id']}")
        told.raise_for_status()
        event, _, rest = told.text.rpartition("event: ")[2].partition("\n")
        answer = json.loads(rest.partition("data: ")[2])
        if event != "complete":
            raise RefusedError(str(answer))
        return answer[0]

    async def upload(self, data: bytes, name: str) -> dict[str, Any]:
        sent = await self.client.post(
            f"{self.url}/gradio_api/upload", files={"files": (name, data)}
        )
        sent.raise_for_status()
        return {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}

    async def photograph(self) -> dict[str, Any]:
        """One of the page's examples, uploaded."""
        path = self.random.choice(list(PHOTOGRAPHS.values()))
        return await self.upload(await asyncio.to_thread(path.read_bytes), path.name)

    async def picture(self) -> object:
        return await self.call("recommend", await self.photograph(), 5, {}, "", False, "auto")

    async def describe(self) -> object:
        return await self.call("describe", await self.photograph(), "")

    async def item(self) -> object:
        return await self.call("recommend_by_id", self.random.choice(self.items), 5)

    async def words(self) -> object:
        colour = self.random.choice(["black", "navy blue", "red", "grey"])
        kind = self.random.choice(["shirt for men", "tee", "running shoes", "womens watch", "bag"])
        return await self.call("recommend_by_text", f"{colour} {kind}", 5)

    async def trends(self) -> object:
        gender = self.random.choice(["Men", "Women"])
        table = self.random.choice(["colours", "season_shares", "colours_by_year"])
        return await self.call("trends", {"gender": [gender]}, [table], {}, {})

    async def slow(self) -> object:
        return await self.call("recommend", None, 5, {}, self.slow_url)

    async def large(self) -> object:
        shown = await self.upload(_large_picture(), "large.png")
        return await self.call("recommend", shown, 5, {}, "", False, "auto")

    async def tables(self) -> object:
        return await self.call("trends", {}, ["colours"] * 5000, {}, {})

    async def downloads(self) -> object:
        answer = await self.client.get(f"{self.url}/trends/style_map.html")
        return answer.raise_for_status()


USUAL: dict[str, Ask] = {
    "picture": Visitor.picture,
    "describe": Visitor.describe,
    "item": Visitor.item,
    "trends": Visitor.trends,
    "words": Visitor.words,
}
BESIDE: dict[str, Ask] = {
    "slow": Visitor.slow,
    "large": Visitor.large,
    "tables": Visitor.tables,
    "downloads": Visitor.downloads,
}
"""What others do while a bystander asks with a picture."""


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


class Record:
    """How long each kind of question took, and what went wrong."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.refused: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()

    async def ask(self, visitor: Visitor, kind: str, ask: Ask) -> None:
        started = time.perf_counter()
        try:
            await ask(visitor)
        except RefusedError as error:
            self.refused[f"{kind}: {error}"[:200]] += 1
        except (httpx.HTTPError, ValueError, KeyError, IndexError) as error:
            self.errors[f"{kind}: {type(error).__name__} {error}"[:200]] += 1
        else:
            self.seconds[kind].append(time.perf_counter() - started)

    def table(self) -> dict[str, dict[str, float]]:
        """Kind -> how many answers, and how long they took, in milliseconds."""
        every = {**self.seconds, "all": [s for many in self.seconds.values() for s in many]}
        rows = {}
        for kind, seconds in every.items():
            if seconds:
                p50, p95, p99 = np.percentile(np.array(seconds) * 1000, [50, 95, 99])
                marks = {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "max_ms": max(seconds) * 1000}
                rows[kind] = {"answers": len(seconds)} | {n: round(v, 1) for n, v in marks.items()}
        return rows


async def _crowd(visitors: list[Visitor], options: argparse.Namespace) -> dict[str, Any]:
    """All of them at once; with a rate, as many questions a second between them."""
    record, memory = Record(), [await _memory(visitors[0])]
    left = iter(range(options.requests))
    until = time.perf_counter() + 60 * options.minutes if options.minutes else float("inf")
    bar = tqdm(total=options.requests if not options.minutes else None, unit="questions")
    started = time.perf_counter()

    async def go(visitor: Visitor) -> None:
        for number in left if not options.minutes else iter(int, 1):
            if options.rate:
                await asyncio.sleep(visitor.random.expovariate(options.rate / len(visitors)))
            if time.perf_counter() > until:
                return
            kind = visitor.random.choices(list(USUAL), options.mix)[0]
            await record.ask(visitor, kind, USUAL[kind])
            bar.update()
            if options.requests > 500 and number == 500:
                memory.append(await _memory(visitor))

    done = asyncio.Event()
    beside: list[asyncio.Task[Any]] = []
    if options.minutes:
        beside.append(asyncio.create_task(_watch(visitors[0], memory, done)))
    if options.updating:
        updates = _keep_updating(options, visitors[0].items, record, done)
        beside.append(asyncio.create_task(updates))
    await asyncio.gather(*map(go, visitors))
    seconds = time.perf_counter() - started
    done.set()
    others = await asyncio.gather(*beside)
    memory.append(await _memory(visitors[0]))
    bar.close()
    answered = sum(map(len, record.seconds.values()))
    return {
        "clients": len(visitors),
        "seconds": round(seconds, 1),
        "answers a second": round(answered / seconds, 1),
        "answers": record.table(),
        "updates": others[-1] if options.updating else 0,
        "refused": dict(record.refused),
        "errors": dict(record.errors),
        "resident_mb": [None if m is None else round(m / 2**20) for m in memory],
    }


async def _keep_updating(
    options: argparse.Namespace, items: list[Id], record: Record, done: asyncio.Event
) -> int:
    """Give some items of the app's store other names, again and again; how often it was done."""
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "names.csv")
        while not await _waited(done, 60 * options.update_every):
            rows = [f"{item},Name {count} of {item}" for item in items[:_UPDATED]]
            table.write_text("\n".join(["id,productDisplayName", *rows]), encoding="utf-8")
            command = ["scripts.update_catalog", "--labels-only", "--source", str(table)]
            process = await asyncio.create_subprocess_exec(
                *[sys.executable, "-m", *command, "--data", str(options.updating)],
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            _, said = await process.communicate()
            if process.returncode:
                record.errors[f"update: {said.decode(errors='replace')[-200:]}"] += 1
            count += not process.returncode
    return count


async def _watch(visitor: Visitor, memory: list[int | None], done: asyncio.Event) -> None:
    """Note every minute what the app keeps."""
    while not await _waited(done, 60):
        memory.append(await _memory(visitor))


async def _waited(done: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until it is done; whether it is."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(done.wait(), seconds)
    return done.is_set()


async def _bystander(visitors: list[Visitor], options: argparse.Namespace) -> dict[str, Any]:
    """One asks with pictures, alone and while the others do something else again and again."""
    alone, beside, others = Record(), Record(), Record()
    one, rest = visitors[0], visitors[1:]
    for _ in range(_ALONE):
        await alone.ask(one, "picture", Visitor.picture)
    done = asyncio.Event()

    async def go(visitor: Visitor) -> None:
        while not done.is_set():
            await others.ask(visitor, options.beside, BESIDE[options.beside])

    tasks = [asyncio.create_task(go(visitor)) for visitor in rest]
    await asyncio.sleep(1)
    for _ in range(_ALONE):
        await beside.ask(one, "picture", Visitor.picture)
    memory = await _memory(one)
    done.set()
    await asyncio.gather(*tasks)
    told = [record.table().get("picture") for record in (alone, beside)]
    times = [row["p50_ms"] for row in told if row]
    return {
        "others": f"{len(rest)}: {options.beside}",
        "alone": told[0],
        "beside": told[1],
        "times as long": round(times[1] / times[0], 2) if len(times) == 2 else None,
        "others answered": others.table(),
        "refused": dict(alone.refused + beside.refused),
        "others refused": dict(others.refused),
        "errors": dict(alone.errors + beside.errors + others.errors),
        "resident_mb": None if memory is None else round(memory / 2**20),
    }


async def _memory(visitor: Visitor) -> int | None:
    told = await visitor.client.get(f"{visitor.url}/healthz")
    memory: int | None = told.raise_for_status().json()["memory_bytes"]
    return memory


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    # The server lets go of a connection that was idle for five seconds: not while it is asked.
    limits = httpx.Limits(max_connections=None, keepalive_expiry=2)
    async with httpx.AsyncClient(timeout=120, limits=limits) as client:
        first = Visitor(options.url, client, [], 0, "")
        found = await first.call("trends", {}, ["style_map"], {}, {})
        items = [row["id"] for row in found["tables"]["style_map"]]
        count = options.clients if not options.beside else options.others + 1
        slow = options.slow_url or ""
        visitors = [Visitor(options.url, client, items, seed, slow) for seed in range(count)]
        await visitors[0].picture()  # what is made at the first question is not counted
        return await (_bystander if options.beside else _crowd)(visitors, options)


@plain_errors(httpx.HTTPError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:7860", help="of a running app")
    parser.add_argument("--clients", type=int, default=50, help="that ask at once")
    parser.add_argument("--requests", type=int, default=10_000, help="of all clients together")
    parser.add_argument("--minutes", type=float, help="how long they ask, in place of --requests")
    parser.add_argument("--rate", type=float, help="questions a second; as fast as may be if unset")
    parser.add_argument(
        "--mix",
        type=float,
        nargs=len(USUAL),
        default=[4, 1, 4, 1, 2],
        metavar=tuple(name.upper() for name in USUAL),
        help="how often what is asked",
    )
    parser.add_argument(
        "--updating",
        type=Path,
        metavar="DIR",
        help="the app's store, a copy: some of its items get other names again and again",
    )
    parser.add_argument("--update-every", type=float, default=5, help="minutes between updates")
    parser.add_argument("--beside", choices=BESIDE, help="what others do beside one who asks")
    parser.add_argument("--slow-url", help="the public address of a server that answers slowly")
    parser.add_argument("--others", type=int, default=16, help="how many of them")
    parser.add_argument("--json", type=Path, help="takes the report")
    options = parser.parse_args(argv)
    if options.beside == "slow" and not options.slow_url:
        parser.error("--beside slow needs the address of a server that answers slowly: --slow-url")
    report = {"command": command_line("load_test", argv), **asyncio.run(_run(options))}
    print(json.dumps(report, indent=1))
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
