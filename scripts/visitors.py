"""Visitors who ask a running app, as programs: what `load_test` and `bystander` send."""

import asyncio
import contextlib
import json
import random
import ssl
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import httpx
import numpy as np

from recommender.schema import Id
from recommender.service.examples import PHOTOGRAPHS

LIMITS = httpx.Limits(max_connections=None, keepalive_expiry=2)
"""The server lets go of a connection that was idle for five seconds: not while it is asked."""

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


async def memory_of(visitor: Visitor) -> int | None:
    told = await visitor.client.get(f"{visitor.url}/healthz")
    memory: int | None = told.raise_for_status().json()["memory_bytes"]
    return memory
