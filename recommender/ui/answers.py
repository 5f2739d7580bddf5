"""What the page shows and the API returns, made in one place: the JSON of DESIGN's contract.

Whatever was asked wrongly becomes a `gr.Error` with the sentence of the `RecommenderError`.
"""

import html
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import gradio as gr
import pandas as pd
from PIL import Image

from recommender.encoding.agreement import Beliefs, likeliest
from recommender.errors import FetchError, ImageError, RecommenderError
from recommender.feedback.events import EventLog
from recommender.pictures.decode import decode_image, read_image
from recommender.pictures.fetch import fetch_image
from recommender.search.hits import Hits
from recommender.search.options import USUAL, Options
from recommender.search.recommender import Recommender
from recommender.service.live import Live

SCHEMA_VERSION = 1
NO_PICTURE = "Show a picture first: upload one, take one or paste one."

_LIKELIEST = 3

P = ParamSpec("P")
R = TypeVar("R")
Answer = dict[str, Any]


def shown(function: Callable[P, R]) -> Callable[P, R]:
    """Let a visitor read a `RecommenderError`; Gradio renders its text as HTML, so escape it."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except RecommenderError as error:
            raise gr.Error(html.escape(str(error), quote=False), print_exception=False) from error

    return wrapped


class Answers:
    """The doors of the recommender, from files and addresses to JSON."""

    def __init__(
        self,
        recommender: Recommender | Live,
        *,
        fetch_urls: bool = True,
        events: EventLog | None = None,
    ) -> None:
        """Args:
        recommender: what answers; each request keeps to the one that it began with.
        fetch_urls: whether a picture may be named by its web address.
        events: where searches and opened items are recorded; None for nowhere.
        """
        self.live = Live.of(recommender)
        self.fetch_urls = fetch_urls
        self.events = events

    @property
    def recommender(self) -> Recommender:
        """The latest one; a request takes it once."""
        return self.live.now

    def recommend(
        self,
        image: str | None,
        origin: str,
        options: Options = USUAL,
        *,
        url: str = "",
    ) -> Answer:
        """Items that look like a picture.

        Args:
            image: path of an uploaded file, or None where `url` names a picture.
            origin: scheme and host under which the pictures are served.
            options: how to search.
            url: web address of a picture; counts where there is no file.

        Raises:
            RecommenderError: the picture or an option cannot be used.
        """
        recommender = self.recommender
        started = time.perf_counter()
        picture = self._read(recommender, image, url)
        decode_ms = (time.perf_counter() - started) * 1000
        hits = recommender.by_image(picture, options)
        if len(hits.ids):
            self.note("search", int(hits.ids[0]))
        beliefs = self._likeliest(recommender, hits.beliefs)
        query = {
            "attributes": {label: ranked[0]["value"] for label, ranked in beliefs.items()},
            "beliefs": beliefs,
        }
        return self._answer(recommender, hits, options, query, origin, decode_ms)

    def recommend_by_id(self, item_id: int, origin: str, options: Options = USUAL) -> Answer:
        """Items that look like an item, which is never among them; see `recommend`."""
        recommender = self.recommender
        hits = recommender.by_id(item_id, options)
        self.note("search", int(item_id))
        query = {"attributes": recommender.item(item_id)}
        return self._answer(recommender, hits, options, query, origin)

    def describe(self, image: str | None, *, url: str = "") -> Answer:
        """What is seen in a picture: each attribute's likeliest values with their probabilities.

        Raises:
            RecommenderError: the picture cannot be used.
        """
        recommender = self.recommender
        seen = recommender.describe(self._read(recommender, image, url))
        beliefs = self._likeliest(recommender, seen)
        message = "" if beliefs else "This catalog's encoder says nothing of attributes."
        return {"schema_version": SCHEMA_VERSION, "beliefs": beliefs, "message": message}

    def item(self, item_id: int, origin: str) -> Answer:
        """One item with the address of its picture."""
        item = self.recommender.item(item_id)
        return {"schema_version": SCHEMA_VERSION, "item": self._with_image(item, origin)}

    def note(self, kind: str, item_id: int) -> None:
        """Record that an item was searched for or opened, where that is recorded."""
        if self.events is not None:
            self.events.record(kind, item_id)

    def fetch(self, url: str) -> bytes:
        """The bytes of the picture at a web address, where that is not turned off.

        Raises:
            FetchError: it is, or the address is refused, does not answer or has no picture.
        """
        if not self.fetch_urls:
            raise FetchError("Web addresses are turned off here: upload the picture instead.")
        return fetch_image(url)

    def _read(self, recommender: Recommender, image: str | None, url: str) -> Image.Image:
        at_least_px = recommender.encoder.query_px
        if image is not None:
            return read_image(Path(image), at_least_px=at_least_px)
        if not url:
            raise ImageError(NO_PICTURE)
        return decode_image(self.fetch(url), at_least_px=at_least_px)

    def _with_image(self, item: dict[str, Any], origin: str) -> dict[str, Any]:
        return {**item, "image": f"{origin}/pictures/{item['id']}"}

    @staticmethod
    def _likeliest(recommender: Recommender, beliefs: Beliefs) -> dict[str, list[dict[str, Any]]]:
        return {
            label: [{"value": value, "probability": round(p, 4)} for value, p in ranked]
            for label, ranked in likeliest(beliefs, recommender.encoder.labels, _LIKELIEST).items()
        }

    def _answer(
        self,
        recommender: Recommender,
        hits: Hits,
        options: Options,
        query: dict[str, Any],
        origin: str,
        decode_ms: float = 0.0,
    ) -> Answer:
        results = []
        pairs = zip(hits.ids.tolist(), hits.scores.tolist(), strict=True)
        for rank, (item_id, score) in enumerate(pairs, 1):
            item = self._with_image(recommender.item(item_id), origin)
            results.append({"rank": rank, "id": item.pop("id"), "score": round(score, 4), **item})
        timings = {"decode": decode_ms, "encode": 0.0, **hits.timings_ms}
        timings["total"] = sum(timings.values())
        return {
            "schema_version": SCHEMA_VERSION,
            "query": query,
            "results": results,
            "message": message_of(len(hits), options),
            "timings_ms": {step: round(ms, 2) for step, ms in timings.items()},
        }


def message_of(found: int, options: Options) -> str:
    """What a person should know of how many were found, or empty.

    >>> message_of(1, Options(k=5, filters={"gender": ["Unisex"]}))
    'Only 1 item passes these filters.'
    """
    if found == 0 and options.filters:
        return "No item passes these filters: widen or clear one of them."
    if found < options.k and options.filters:
        return f"Only {found} {'item passes' if found == 1 else 'items pass'} these filters."
    if found < options.k:
        return f"The catalog has only {found} other items."
    return ""


def origin_of(request: gr.Request) -> str:
    """Scheme and host under which the visitor reaches the app, such as `https://a-b.hf.space`.

    A proxy in front says so in its headers, as the Hub's does.
    """
    if request.request is None:
        raise ValueError("the request has no address")
    headers, base = request.headers, request.request.base_url
    scheme = headers.get("x-forwarded-proto", base.scheme).split(",")[0].strip()
    host = headers.get("x-forwarded-host", base.netloc).split(",")[0].strip()
    return f"{scheme}://{host}{base.path.rstrip('/')}"


def sentence(item: dict[str, Any]) -> str:
    """An item as a sentence: name, then what it is, in words.

    >>> sentence({"productDisplayName": "Puma Men Shoe", "articleType": "Casual Shoes",
    ...           "baseColour": "Black", "gender": "Men", "season": None, "year": 2011})
    'Puma Men Shoe: casual shoes in black for men, 2011.'
    """
    words = (item.get("articleType") or "item").lower()
    if item.get("baseColour"):
        words += f" in {item['baseColour'].lower()}"
    if item.get("gender"):
        words += f" for {item['gender'].lower()}"
    listed = " ".join(str(v) for v in (item.get("season"), item.get("year")) if not pd.isna(v))
    name = item.get("productDisplayName")
    return f"{name + ': ' if name else ''}{words}{', ' + listed if listed else ''}."
