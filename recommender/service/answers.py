"""`Service`: a request -> the JSON of DESIGN's contract, for the page and for programs alike."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import quote

from PIL import Image

from recommender.encoding.agreement import Beliefs, likeliest
from recommender.encoding.regions import WHOLE, Asked, Regions, read_region
from recommender.errors import (
    FetchError,
    ImageError,
    QueryError,
    RecommenderError,
    UnknownItemError,
)
from recommender.feedback.events import EventLog
from recommender.pictures.decode import decode_image, read_image
from recommender.pictures.fetch import fetch_image
from recommender.schema import Id
from recommender.search.hits import Hits
from recommender.search.options import USUAL, Options
from recommender.search.recommender import Recommender
from recommender.search.stated import Said
from recommender.service.live import Live
from recommender.service.metrics import counted
from recommender.service.sentences import (
    BUSY_FETCHING,
    NO_ADDRESSES,
    NO_BELIEFS,
    NO_PICTURE,
    TOO_MANY,
    beside_each_other,
    heard,
    in_doubt,
    message_of,
    not_counted,
    only_these_hold,
)
from recommender.service.trends import Trends

SCHEMA_VERSION = 1
MOST_AT_ONCE = 64
"""Pictures of a batch."""
_LIKELIEST = 3
_FETCHED_AT_ONCE = 8
"""Half as many as questions are answered at once."""
_LARGEST_PX = 4000
"""No picture is read larger than with these sides, whatever part of it is asked for."""

Json = dict[str, Any]
Named = tuple[str | None, str]
"""A picture's file, or its web address where that is None."""


class Service:
    """A recommender at work for strangers: pictures are read, items worded, events noted."""

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
        self._fetching = BoundedSemaphore(_FETCHED_AT_ONCE)
        self._trends_of = lru_cache(maxsize=1)(partial(Trends, events=events))

    @property
    def recommender(self) -> Recommender:
        """The latest one; a request takes it once."""
        return self.live.now

    @property
    def trends(self) -> Trends:
        """The charts of the latest one; a request takes them once."""
        return self._trends_of(self.live.now)

    @counted
    def recommend(
        self,
        image: str | None,
        origin: str,
        options: Options = USUAL,
        *,
        url: str = "",
        region: object = "auto",
        text: str = "",
    ) -> Json:
        """Items that look like a picture.

        Args:
            image: path of an uploaded file, or None where `url` names a picture.
            origin: scheme and host under which the pictures are served.
            options: how to search.
            url: web address of a picture; counts where there is no file.
            region: which part of the picture is meant, as `read_region` takes it.
            text: what shall be otherwise than the picture shows.

        Raises:
            RecommenderError: the picture, the region, the text or an option cannot be used.
        """
        recommender = self.recommender
        asked, how_read = read_region(region)
        started = time.perf_counter()
        picture = self._read(recommender, image, url, asked)
        decode_ms = (time.perf_counter() - started) * 1000
        hits = recommender.by_image(picture, options, region=asked, text=text)
        answer = self._like_picture(recommender, hits, options, asked, origin, decode_ms)
        return answer | {"message": " ".join(filter(None, (how_read, answer["message"])))}

    @counted
    def recommend_by_id(
        self, item_id: Id, origin: str, options: Options = USUAL, *, text: str = ""
    ) -> Json:
        """Items that look like an item, which is never among them; see `recommend`."""
        recommender = self.recommender
        hits = recommender.by_id(item_id, options, text=text)
        item = recommender.item(item_id)
        self.note("search", item["id"])
        query = {"attributes": item | dict(options.corrected or {})}
        return _answer(recommender, hits, options, query, origin)

    @counted
    def recommend_by_text(self, text: str, origin: str, options: Options = USUAL) -> Json:
        """Items that are as a text says.

        Raises:
            RecommenderError: the text says nothing, or an option cannot be used.
        """
        recommender = self.recommender
        hits = recommender.by_text(text, options)
        return _answer(recommender, hits, options, {"attributes": {}}, origin)

    @counted
    def recommend_batch(
        self, images: Sequence[Callable[[], Named]], origin: str, options: Options = USUAL
    ) -> Json:
        """Items that look like each of several pictures.

        Args:
            images: each gives an uploaded file's path or, with None, a picture's web address, or
                raises.
            origin: as of `recommend`.
            options: as of `recommend`.

        Returns:
            `answers`, one a picture in their order: as of `recommend`, or an `error` that says what
            is wrong with that picture.

        Raises:
            RecommenderError: there are none or too many, or an option cannot be used.
        """
        if not 1 <= len(images) <= MOST_AT_ONCE:
            raise QueryError(TOO_MANY.format(most=MOST_AT_ONCE))
        recommender = self.recommender
        answers: list[Json] = []
        pictures: dict[int, tuple[Image.Image, float]] = {}
        for at, image in enumerate(images):
            started = time.perf_counter()
            answers.append({})
            try:
                picture = self._read(recommender, *image(), "auto")
                pictures[at] = picture, (time.perf_counter() - started) * 1000
            except RecommenderError as error:
                answers[at] = {"error": str(error)}
        if pictures:
            seen = recommender.see([picture for picture, _ in pictures.values()])
            found = recommender.search(seen, options)
            for (at, (_, decode_ms)), hits in zip(pictures.items(), found, strict=True):
                answers[at] = self._like_picture(
                    recommender, hits, options, "auto", origin, decode_ms
                )
        return {"schema_version": SCHEMA_VERSION, "answers": answers}

    @counted
    def describe(self, image: str | None, *, url: str = "", region: object = "auto") -> Json:
        """What is seen in a picture: each attribute's likeliest values with their probabilities.

        Raises:
            RecommenderError: the picture or the region cannot be used.
        """
        recommender = self.recommender
        asked, how_read = read_region(region)
        picture = self._read(recommender, image, url, asked)
        beliefs = recommender.describe(picture, region=asked)
        worded, message = _worded(beliefs, recommender), how_read if beliefs else NO_BELIEFS
        return {"schema_version": SCHEMA_VERSION, "beliefs": worded, "message": message}

    @counted
    def item(self, item_id: Id, origin: str) -> Json:
        """One item with the address of its picture."""
        item = _with_picture(self.recommender.item(item_id), origin)
        return {"schema_version": SCHEMA_VERSION, "item": item}

    def items(self, ids: Iterable[Id], origin: str) -> dict[Id, Json]:
        """Id -> its item with the address of its picture; what left the catalog is left out."""
        recommender, found = self.recommender, {}
        for item_id in ids:
            with suppress(UnknownItemError):
                found[item_id] = _with_picture(recommender.item(item_id), origin)
        return found

    def note(self, kind: str, item_id: Id) -> None:
        """Record that an item was searched for or opened, where that is recorded."""
        if self.events is not None:
            self.events.record(kind, item_id)

    def fetch(self, url: str) -> bytes:
        """The bytes of the picture at a web address, where that is not turned off.

        Raises:
            FetchError: it is, or too many are being fetched, or the address is refused, does not
                answer or has no picture.
        """
        if not self.fetch_urls:
            raise FetchError(NO_ADDRESSES)
        # A server that answers slowly holds a place; others' questions have places of their own.
        if not self._fetching.acquire(blocking=False):
            raise FetchError(BUSY_FETCHING)
        try:
            return fetch_image(url)
        finally:
            self._fetching.release()

    def _like_picture(
        self,
        recommender: Recommender,
        hits: Hits,
        options: Options,
        asked: Asked,
        origin: str,
        decode_ms: float,
    ) -> Json:
        """What was found like a picture, as an answer."""
        if len(hits.ids) and hits.matched:  # else nobody looked for it
            self.note("search", hits.ids.tolist()[0])
        beliefs = _worded(hits.beliefs, recommender)
        attributes = {label: ranked[0]["value"] for label, ranked in beliefs.items()}
        attributes |= options.corrected or {}
        query = {"attributes": attributes, "beliefs": beliefs, **_placed(hits.regions, asked)}
        answer = _answer(recommender, hits, options, query, origin, decode_ms)
        # The first region is all of them together; what a visitor chose is no longer a choice.
        beside = beside_each_other(len(query["regions"]) - 1) if asked == "auto" else ""
        said = (*((beside, in_doubt(hits.types)) if hits.matched else ()), answer["message"])
        return answer | {"message": " ".join(filter(None, said))}

    def _read(
        self, recommender: Recommender, image: str | None, url: str, asked: Asked
    ) -> Image.Image:
        """The picture, as large as its region needs it."""
        width, height = recommender.encoder.query_px
        left, top, right, bottom = asked if isinstance(asked, tuple) else WHOLE
        # Of the smallest part fewer pixels than the network eats will do.
        at_least_px = (
            min(math.ceil(width / (right - left)), _LARGEST_PX),
            min(math.ceil(height / (bottom - top)), _LARGEST_PX),
        )
        if image is not None:
            return read_image(Path(image), at_least_px=at_least_px)
        if not url:
            raise ImageError(NO_PICTURE)
        return decode_image(self.fetch(url), at_least_px=at_least_px)


def understood(said: Said | None) -> Json:
    """What the words of a question were taken for; nothing where there were none."""
    if said is None:
        return {}
    return {
        "text": said.text,
        "stated": [
            {
                "column": statement.column,
                "values": list(statement.values),
                **statement.bounds,
                "words": list(statement.words),
                "without": said.without(statement),
            }
            for statement in said.statements
        ],
        "mended": [{"word": typed, "read": read} for typed, read in said.mended],
        "unknown": list(said.unknown),
    }


def _with_picture(item: Json, origin: str) -> Json:
    return {**item, "image": f"{origin}/pictures/{quote(str(item['id']), safe='')}"}


def _placed(regions: Regions | None, asked: Asked) -> Json:
    """Which part of the picture was looked at, and which there are to choose from."""
    if regions is None:
        return {"region": list(asked) if isinstance(asked, tuple) else None, "regions": []}
    found = zip(regions.boxes, regions.sureness, strict=True)
    return {
        "region": list(regions.used) if regions.used else None,
        "regions": [{"box": list(box), "sureness": round(sure, 4)} for box, sure in found],
    }


def _worded(beliefs: Beliefs, recommender: Recommender) -> dict[str, list[Json]]:
    """Label -> its likeliest values, the likeliest first."""
    return {
        label: [{"value": value, "probability": round(p, 4)} for value, p in ranked]
        for label, ranked in likeliest(beliefs, recommender.encoder.labels, _LIKELIEST).items()
    }


def _answer(
    recommender: Recommender,
    hits: Hits,
    options: Options,
    query: Json,
    origin: str,
    decode_ms: float = 0.0,
) -> Json:
    results = []
    pairs = zip(hits.ids.tolist(), hits.scores.tolist(), strict=True)
    for rank, (item_id, score) in enumerate(pairs, 1):
        item = _with_picture(recommender.item(item_id), origin)
        results.append({"rank": rank, "id": item.pop("id"), "score": round(score, 4), **item})
    corrected = dict(options.corrected or {})
    told = {"corrected": corrected, "types": hits.types}
    query = query | understood(hits.said) | {name: what for name, what in told.items() if what}
    counted_ones = recommender.encoder.agreement.labels
    uncounted = not_counted(label for label in corrected if label not in counted_ones)
    found = message_of(len(hits), options, matched=hits.matched, repeated=hits.repeated)
    if hits.said is not None and not hits.said.statements and len(hits) < options.k:
        found = only_these_hold(len(hits))
    timings = {"decode": decode_ms, "encode": 0.0, **hits.timings_ms}
    timings["total"] = sum(timings.values())
    return {
        "schema_version": SCHEMA_VERSION,
        "query": query,
        "match": {
            "sureness": None if hits.match is None else round(hits.match, 4),
            "good": hits.matched,
        },
        "results": results,
        "message": " ".join(filter(None, (uncounted, heard(hits), found))),
        "timings_ms": {step: round(ms, 2) for step, ms in timings.items()},
    }
