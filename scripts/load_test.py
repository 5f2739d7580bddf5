r"""Ask a running app as a crowd would, and tell how it bore it.

python -m scripts.load_test --url http://127.0.0.1:7860 --requests 10000 --clients 50 --json FILE
python -m scripts.load_test --url http://127.0.0.1:7860 --at-once --json FILE
python -m scripts.load_test --url http://127.0.0.1:7860 --minutes 60 --rate 5 --json FILE
python -m scripts.load_test --minutes 60 --rate 5 --updating COPY_OF_A_STORE --json FILE
"""

import argparse
import asyncio
import contextlib
import json
import random
import ssl
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from tqdm.auto import tqdm

from recommender.schema import Id
from recommender.service.examples import PHOTOGRAPHS
from scripts.command import command_line, plain_errors, write_report

LIMITS = httpx.Limits(max_connections=None, keepalive_expiry=2)
"""The server lets go of a connection that was idle for five seconds: not while it is asked."""
_UPDATED = 10
_ROUNDS = 5

Ask = Callable[["Visitor"], Awaitable[object]]


class RefusedError(Exception):
    """The app said in a sentence why it does not answer."""


class Visitor:
    """One of the crowd: asks one thing after the other."""

    def __init__(self, url: str, client: httpx.AsyncClient, seed: int = 0) -> None:
        self.url, self.client = url.rstrip("/"), client
        self.items: Sequence[Id] = ()  # that it may ask about
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
        return await self.recommend(await self.photograph())

    async def recommend(self, shown: dict[str, Any]) -> object:
        return await self.call("recommend", shown, 5, {}, "", False, "auto")

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


@contextlib.asynccontextmanager
async def visitors_of(url: str, count: int) -> AsyncIterator[list[Visitor]]:
    """So many, each with connections of its own as any visitor has.

    Connections in common would be looked through at each question: with fifty, that took the
    processors that the app is measured on three times what asking takes.
    """
    trusted = ssl.create_default_context()
    async with contextlib.AsyncExitStack() as stack:
        yield [
            Visitor(
                url,
                await stack.enter_async_context(
                    httpx.AsyncClient(timeout=300, limits=LIMITS, verify=trusted)
                ),
                seed,
            )
            for seed in range(count)
        ]


USUAL: dict[str, Ask] = {
    "picture": Visitor.picture,
    "describe": Visitor.describe,
    "item": Visitor.item,
    "trends": Visitor.trends,
    "words": Visitor.words,
}


class Record:
    """How long each kind of question took, and what went wrong."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.refused: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()

    async def ask(self, visitor: Visitor, kind: str, ask: Ask) -> bool:
        """Ask, and note how it went; whether there was an answer."""
        started = time.perf_counter()
        try:
            await ask(visitor)
        except RefusedError as error:
            self.refused[f"{kind}: {error}"[:200]] += 1
        except (httpx.HTTPError, ValueError, KeyError, IndexError) as error:
            self.errors[f"{kind}: {type(error).__name__} {error}"[:200]] += 1
        else:
            self.seconds[kind].append(time.perf_counter() - started)
            return True
        return False

    def add(self, other: "Record") -> None:
        """Take in what another noted."""
        for kind, seconds in other.seconds.items():
            self.seconds[kind] += seconds
        self.refused += other.refused
        self.errors += other.errors

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
    record, memory = Record(), [await memory_of(visitors[0])]
    left = iter(range(options.requests))
    until = time.perf_counter() + 60 * options.minutes if options.minutes else float("inf")
    bar = tqdm(total=options.requests if not options.minutes else None, unit="questions")
    started = time.perf_counter()

    async def go(visitor: Visitor) -> None:
        for number in left if not options.minutes else iter(int, 1):
            if options.rate:
                pause = visitor.random.expovariate(options.rate / len(visitors))
                await asyncio.sleep(min(pause, until - time.perf_counter()))
            if time.perf_counter() > until:
                return
            kind = visitor.random.choices(list(USUAL), options.mix)[0]
            await record.ask(visitor, kind, USUAL[kind])
            bar.update()
            if options.requests > 500 and number == 500:
                memory.append(await memory_of(visitor))

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
    memory.append(await memory_of(visitors[0]))
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
    options: argparse.Namespace, items: Sequence[Id], record: Record, done: asyncio.Event
) -> int:
    """Give some items of the app's store other names, again and again; how often it was done."""
    begun, turn, count = time.monotonic(), 1, 0
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "names.csv")
        # By the clock: how long an update takes does not put off the next one.
        while not await _waited(done, begun + 60 * options.update_every * turn - time.monotonic()):
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
            turn += 1
    return count


async def _watch(visitor: Visitor, memory: list[int | None], done: asyncio.Event) -> None:
    """Note every minute what the app keeps."""
    while not await _waited(done, 60):
        memory.append(await memory_of(visitor))


async def _waited(done: asyncio.Event, seconds: float) -> bool:
    """Wait so long, or until it is done; whether it is."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(done.wait(), seconds)
    return done.is_set()


async def _at_once(visitors: list[Visitor], options: argparse.Namespace) -> dict[str, Any]:
    """Each asks once with a picture: one after the other, all at once, and so again."""
    record = Record()
    shown = [await visitor.photograph() for visitor in visitors]
    seconds: dict[str, list[float]] = {"in turn": [], "at once": []}

    async def ask(visitor: Visitor, picture: dict[str, Any]) -> None:
        await record.ask(visitor, "picture", lambda each: each.recommend(picture))

    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for each in zip(visitors, shown, strict=True):
            await ask(*each)
        between = time.perf_counter()
        await asyncio.gather(*(ask(*each) for each in zip(visitors, shown, strict=True)))
        seconds["in turn"].append(between - started)
        seconds["at once"].append(time.perf_counter() - between)
    in_turn, at_once = (float(np.median(times)) for times in seconds.values())
    return {
        "calls": len(visitors),
        "seconds": {how: [round(each, 2) for each in times] for how, times in seconds.items()},
        "times as fast at once": round(in_turn / at_once, 2),
        "refused": dict(record.refused),
        "errors": dict(record.errors),
    }


async def memory_of(visitor: Visitor) -> int | None:
    told = await visitor.client.get(f"{visitor.url}/healthz")
    memory: int | None = told.raise_for_status().json()["memory_bytes"]
    return memory


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    async with visitors_of(options.url, options.clients) as visitors:
        first = visitors[0]
        found = await first.call("trends", {}, ["style_map"], {}, {})
        items = [row["id"] for row in found["tables"]["style_map"]]
        for visitor in visitors:
            visitor.items = items
        await first.picture()  # what is made at the first question is not counted
        return await (_at_once if options.at_once else _crowd)(visitors, options)


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
    parser.add_argument(
        "--at-once",
        action="store_true",
        help="each client asks once with a picture: in turn, then all at once",
    )
    parser.add_argument("--json", type=Path, help="takes the report")
    options = parser.parse_args(argv)
    report = {"command": command_line("load_test", argv), **asyncio.run(_run(options))}
    print(json.dumps(report, indent=1))
    write_report(report, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
