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
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from tqdm.auto import tqdm

from recommender.schema import Id
from scripts.command import command_line, plain_errors, write_report
from scripts.visitors import USUAL, Record, Visitor, memory_of, visitors_of

_UPDATED = 10
_ROUNDS = 5


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
