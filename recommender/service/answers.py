"""`Service`: a request -> the JSON of DESIGN's contract, for the page and for programs alike."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from PIL import Image

from recommender.encoding.regions import WHOLE, Asked, read_region
from recommender.errors import (
    ImageError,
    QueryError,
    RecommenderError,
    UnknownItemError,
)
from recommender.feedback.events import EventLog
from recommender.pictures.decode import decode_image, read_image
from recommender.schema import TYPE, Id
from recommender.search.hits import Hits
from recommender.search.options import USUAL, Options
from recommender.search.recommender import Recommender
from recommender.service.addresses import Fetching
from recommender.service.feedback import FeedbackDesk, kind_said, kind_shown
from recommender.service.live import Live
from recommender.service.metrics import counted
from recommender.service.outfits import outfit_of
from recommender.service.places import PLACES
from recommender.service.reasons import why
from recommender.service.sentences import (
    NO_BELIEFS,
    NO_PICTURE,
    TOO_MANY,
    beside_each_other,
    in_doubt,
)
from recommender.service.trends import Trends
from recommender.service.worded import (
    SCHEMA_VERSION,
    Json,
    answer_of,
    placed,
    with_pictures,
    worded,
)

MOST_AT_ONCE = 64
"""Pictures of a batch."""
_LARGEST_PX = 4000
"""No picture is read larger than with these sides, whatever part of it is asked for."""

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
        learns: bool = False,
    ) -> None:
        """Args:
        recommender: what answers; each request keeps to the one that it began with.
        fetch_urls: whether a picture may be named by its web address.
        events: where searches, opened items and verdicts are recorded; None for nowhere.
        learns: whether rankings are chosen by what was said of answers.
        """
        self.live = Live.of(recommender)
        self.events = events
        self.feedback = FeedbackDesk(events, learns=learns)
        self.fetch_urls, self.fetch = fetch_urls, Fetching(allowed=fetch_urls)
        self._trends: Trends | None = None

    @property
    def recommender(self) -> Recommender:
        """The latest one; a request takes it once.

        Raises:
            StoreError: its files were changed where they lie.
        """
        now, trends = self.live.now, self._trends
        now.gallery.check()
        if trends is not None and trends.recommender is not now:
            self._trends = None  # which would keep what nobody asks any more
        return now

    @property
    def trends(self) -> Trends:
        """The charts of the latest one; a request takes them once."""
        now = self.recommender
        if (trends := self._trends) is None or trends.recommender is not now:
            self._trends = trends = Trends(now, events=self.events)
        return trends

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
        started = time.perf_counter()
        query = recommender.see([picture], [asked])
        encode_ms = (time.perf_counter() - started) * 1000
        kind = kind_shown(recommender, query.beliefs)
        options, ranked = self.feedback.choose(recommender, options, kind)
        [hits] = recommender.search(recommender.but(query, text, options), options)
        hits = replace(hits, timings_ms={"encode": encode_ms, **hits.timings_ms})
        answer = self._like_picture(recommender, hits, options, asked, origin, decode_ms)
        answer = self.feedback.give(answer, ranked)
        return answer | {"message": " ".join(filter(None, (how_read, answer["message"])))}

    @counted
    def recommend_by_id(
        self, item_id: Id, origin: str, options: Options = USUAL, *, text: str = ""
    ) -> Json:
        """Items that look like an item, which is never among them; see `recommend`."""
        recommender = self.recommender
        item = recommender.item(item_id)
        options, ranked = self.feedback.choose(recommender, options, item[TYPE] or "")
        hits = recommender.by_id(item_id, options, text=text)
        self.note("search", item["id"])
        query = {"attributes": item | dict(options.corrected or {})}
        return self.feedback.give(answer_of(recommender, hits, options, query, origin), ranked)

    @counted
    def recommend_by_text(self, text: str, origin: str, options: Options = USUAL) -> Json:
        """Items that are as a text says.

        Raises:
            RecommenderError: the text says nothing, or an option cannot be used.
        """
        recommender = self.recommender
        kind = kind_said(recommender.words.read(text))
        options, ranked = self.feedback.choose(recommender, options, kind)
        hits = recommender.by_text(text, options)
        answer = answer_of(recommender, hits, options, {"attributes": {}}, origin)
        return self.feedback.give(answer, ranked)

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
            shown = [picture for picture, _ in pictures.values()]
            found = recommender.search(recommender.see(shown), options)
            for (at, (_, decode_ms)), hits in zip(pictures.items(), found, strict=True):
                answer = self._like_picture(recommender, hits, options, "auto", origin, decode_ms)
                kind = kind_shown(recommender, hits.beliefs)
                ranked = self.feedback.as_asked(recommender, options, kind)
                answers[at] = self.feedback.give(answer, ranked)
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
        message = how_read if beliefs else NO_BELIEFS
        said = worded(beliefs, recommender)
        return {"schema_version": SCHEMA_VERSION, "beliefs": said, "message": message}

    @counted
    def item(self, item_id: Id, origin: str) -> Json:
        """One item with the address of its picture."""
        item = with_pictures(self.recommender, item_id, origin)
        return {"schema_version": SCHEMA_VERSION, "item": item}

    @counted
    def complete_the_look(self, item_id: Id, origin: str, passed: object = ()) -> Json:
        """What goes with an item; see `outfit_of`."""
        return outfit_of(self.recommender, item_id, passed, origin)

    @counted
    def explain(
        self,
        image: str | None,
        item_id: Id,
        origin: str,
        options: Options = USUAL,
        *,
        url: str = "",
        region: object = "auto",
        asks: Id | None = None,
        text: str = "",
    ) -> Json:
        """Why an item is like a picture or, where there is none, like the item that asks.

        Args:
            image, origin, options, url, region, text: as of `recommend`.
            item_id, asks: ids of the item that was found, and of the one that asks.

        Raises:
            RecommenderError: the picture, the region, the text, an id or an option cannot be used.
        """
        recommender, started = self.recommender, time.perf_counter()
        asked, how_read = read_region(region)
        alone = image is None and not url
        asking = asks if alone and asks is not None else self._read(recommender, image, url, asked)
        reason = why(recommender, item_id, origin, options, asking, region=asked, text=text)
        message = " ".join(filter(None, (how_read, reason["message"])))
        total_ms = (time.perf_counter() - started) * 1000
        return reason | {"message": message, "timings_ms": {"total": round(total_ms, 2)}}

    @counted
    def judge(
        self, answer_id: object, verdict: object, item_id: object = None, by: str = ""
    ) -> Json:
        """What somebody says of an answer or of one of its items; see `FeedbackDesk.judge`."""
        return self.feedback.judge(answer_id, verdict, item_id, by)

    def known(self, ids: Iterable[Id]) -> list[Id]:
        """Those that the catalog has."""
        recommender, found = self.recommender, []
        for item_id in ids:
            with suppress(UnknownItemError):
                recommender.row(item_id)
                found.append(item_id)
        return found

    def items(self, ids: Iterable[Id], origin: str) -> dict[Id, Json]:
        """Id -> its item with the address of its picture; what left the catalog is left out."""
        recommender, found = self.recommender, {}
        for item_id in ids:
            with suppress(UnknownItemError):
                found[item_id] = with_pictures(recommender, item_id, origin)
        return found

    def note(self, kind: str, item_id: Id) -> None:
        """Record that an item was searched for or opened, where that is recorded."""
        if self.events is not None:
            self.events.record(kind, item_id)

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
        beliefs = worded(hits.beliefs, recommender)
        attributes = {label: ranked[0]["value"] for label, ranked in beliefs.items()}
        attributes |= options.corrected or {}
        query = {"attributes": attributes, "beliefs": beliefs, **placed(hits.regions, asked)}
        answer = answer_of(recommender, hits, options, query, origin, decode_ms)
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
        if image is None and not url:
            raise ImageError(NO_PICTURE)
        with PLACES.left():  # a large one may take a second, and a stranger's server ten
            if image is not None:
                return read_image(Path(image), at_least_px=at_least_px)
            return decode_image(self.fetch(url), at_least_px=at_least_px)
