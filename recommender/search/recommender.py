"""`Recommender`: many doors, one corridor.

`by_image`, `by_id` and `by_text` only make a `Query`. `search` filters, searches, fuses, excludes
and drops repeated pictures, for the page, the API and the evaluation alike, so that what is
measured is what is served.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, partial
from threading import Event

import numpy as np
from PIL import Image

from recommender.encoding.agreement import LOOKS, Beliefs
from recommender.encoding.protocol import PictureEncoder, TextTower, Wrap, likely_in, told_of
from recommender.encoding.regions import Asked, parts_of
from recommender.errors import QueryError
from recommender.index.embeddings import Floats
from recommender.index.protocol import VectorIndex
from recommender.schema import TYPE, Id
from recommender.search.corrections import asked_with, check_corrections
from recommender.search.fusion import find
from recommender.search.hits import Hits, is_match
from recommender.search.items import Items
from recommender.search.labelled import alike_by_beliefs, by_labels
from recommender.search.leaning import DRAWN, leaning
from recommender.search.nudges import Nudges
from recommender.search.options import USUAL, Options
from recommender.search.outfit import Outfits
from recommender.search.query import Query
from recommender.search.ranking import Candidates, first_of_each, put_first, without
from recommender.search.recognition import Recognised, Recognition
from recommender.search.relative import not_said
from recommender.search.spread import spread_over, types_in_doubt
from recommender.search.stated import NOTHING_SAID
from recommender.search.taste import moved, pull_of, rows_of
from recommender.search.twins import Twins
from recommender.search.variety import choose, pool_of
from recommender.search.words import Words
from recommender.store.store import Gallery


class Recommender:
    """A gallery that answers. Thread-safe; nothing changes after construction.

    Attributes:
        items: what can be found; its frame, columns and filters are at hand here too, and so are
            its `row`, `item`, `picture_bytes` and `id_in`.
        texts: what embeds words where pictures of what they say are; None where nothing does.
    """

    def __init__(
        self,
        gallery: Gallery,
        encoder: PictureEncoder,
        *,
        wrap: Wrap | None = None,
        texts: TextTower | None = None,
    ) -> None:
        """Make ready what every search needs.

        Args:
            gallery: what is searched.
            encoder: what it was embedded with.
            wrap: what pictures that ask go through on their way to the encoder.
            texts: the encoder's text tower; where None, the encoder's own side for texts, if any.

        Raises:
            IndexMismatchError: the index holds an item that the catalog does not.
        """
        agreement = encoder.agreement
        index = gallery.index.grouped(partial(alike_by_beliefs, agreement))
        self.gallery, self.items = gallery, Items(gallery)
        self.frame, self.filters = self.items.frame, self.items.filters
        self.columns, self.row = self.items.columns, self.items.row
        self.item, self.picture_bytes = self.items.item, self.items.picture_bytes
        self.id_in = self.items.id_in
        self.encoder, self.index, self.places = encoder, index, gallery.places
        self._encode = wrap(encoder.encode_queries) if wrap else encoder.encode_queries
        self.texts = texts or encoder.texts
        self._indexes: dict[str, VectorIndex] = {"image": index}
        self._twins = Twins(self.frame)
        self.nudges = Nudges(self.items, encoder.agreement, gallery.colours)
        self._recognition = None
        if agreement.labels:
            # What is known of an item in place of what its picture makes one believe.
            self._indexes["hybrid"] = index.again("hybrid", *by_labels(agreement, self.frame))
            if agreement.weights[LOOKS]:
                # Where an embedding is looks alone, a query's own picture is the nearest anyway.
                views = gallery.views
                further = None if views is None else self._twins.further(views)
                self._recognition = Recognition(agreement, index, self._twins.pictures, further)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def rankings(self) -> tuple[str, ...]:
        """What items can be ranked by: `image`, and `hybrid` where the encoder has heads."""
        return tuple(self._indexes)

    @cached_property
    def words(self) -> Words:
        """What is understood of this catalog; read when it is first asked for."""
        if self.texts is not None:
            self.texts(["a"])  # whose network is built when it is first asked
        known = self.encoder.labels, self.encoder.agreement, self.texts, self.items.shades
        return Words(self.frame, self.columns, self.filters, *known)

    @cached_property
    def _drawn(self) -> Floats:
        """Some of the items' embeddings, evenly drawn: float32 of shape (m, dim)."""
        return np.array(self.index.vectors[:: -(-len(self) // DRAWN) or 1])

    def prepare(self, stop: Event | None = None) -> None:
        """Make ready, once, what the first to ask would wait for; set, `stop` ends it early."""
        self.encoder.make_ready(stop)
        if stop is None or not stop.is_set():
            _ = self.words

    def by_image(
        self,
        picture: Image.Image,
        options: Options = USUAL,
        *,
        region: Asked = "auto",
        text: str = "",
    ) -> Hits:
        """Items that look like a picture, RGB of any size; first the one that it is of, if it is.

        Args:
            picture: what is shown.
            options: how to search.
            region: which part of it is meant.
            text: what shall be otherwise than the picture shows.

        Raises:
            QueryError: an option does not fit the catalog, or the text says nothing.
        """
        started = time.perf_counter()
        query = self.see([picture], [region])
        encoded_ms = _milliseconds_since(started)
        [hits] = self.search(self.but(query, text, options), options)
        return replace(hits, timings_ms={"encode": encoded_ms, **hits.timings_ms})

    def by_id(self, item_id: Id, options: Options = USUAL, *, text: str = "") -> Hits:
        """Items that look like an item, which is never among them, but as a text says.

        Unless repeats are wanted, nor are items whose picture is identical to its own.

        Raises:
            QueryError: an option does not fit the catalog, or the text says nothing.
            UnknownItemError: there is no such item.
        """
        row = self.items.row(item_id)
        query = self.like(row, options)
        same = self._twins.beside(row, query.excluded[0], self.filters.mask(options.filters))
        return replace(self.search(self.but(query, text, options), options)[0], same=same)

    def by_text(self, text: str, options: Options = USUAL) -> Hits:
        """Items that are as a text says.

        Raises:
            QueryError: an option does not fit the catalog, or the text says nothing.
        """
        return self.search(self.say(text, options), options)[0]

    def see(self, pictures: Sequence[Image.Image], asked: Sequence[Asked] | None = None) -> Query:
        """Pictures that ask, or parts of them, as a query."""
        seen, shown = self._encode(pictures, asked), parts_of(pictures, asked)
        return Query(**seen._asdict(), shown=pictures if seen.regions else shown, recognises=True)

    def like(self, row: int, options: Options = USUAL) -> Query:
        """An item that asks, with all that the gallery knows of it, as a query."""
        same = self._twins.pictures == self._twins.pictures[row]
        excluded = np.array([row]) if options.repeats else np.flatnonzero(same)
        index = self.index_of(options)
        vectors = index.vectors[row : row + 1]
        known = index is not self.index and bool(self.encoder.agreement.certain(vectors, TYPE)[0])
        colours = self.nudges.colours_of(row)
        return Query(vectors=vectors, row=row, known=known, excluded=[excluded], colours=colours)

    def say(self, text: str, options: Options = USUAL) -> Query:
        """Words that ask, as a query.

        Raises:
            QueryError: they say nothing of this catalog.
        """
        said = self.words.read(text)
        if not said:
            raise QueryError(" ".join(not_said(said)) or NOTHING_SAID)
        index = self.index_of(options)
        nothing = np.zeros((1, self.encoder.dim), np.float32)
        vectors = self.encoder.agreement.as_queries(self.words.stating(said, nothing))
        # Pictures of which nothing else is known are told by heads best, where those know it all.
        told_by_heads = index is self.index and self.words.all_shown(said)
        if self.texts is not None and not told_by_heads and (asked := said.as_read):
            looks = self.texts([asked])
            # Where words say more than they state, what is stated of it alone would mislead.
            vectors = looks if said.unstated else looks + vectors
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        # What is known by pictures alone, a tower says better than thresholds of beliefs.
        seen = self.texts is None or index is not self.index
        told = self.words.tell(said, index.vectors, seen=seen)
        return Query(vectors=vectors, learnt=self.texts is not None, told=[told])

    def but(self, query: Query, text: str, options: Options = USUAL) -> Query:
        """What pictures or items ask, in which words have the say of what they state.

        Raises:
            QueryError: the text says nothing; an empty one is none.
        """
        if text == "":
            return query
        seen = {**likely_in(self.encoder, query.beliefs), **(options.corrected or {})}
        said = self.words.read_beside(text, query.vectors, query.row, seen)
        told = self.words.tell(said, self.index_of(options).vectors, beside=True)
        vectors = self.words.stating(said, query.vectors)
        if self.texts is not None and said.looks and not self.encoder.agreement.labels:
            vectors = leaning(vectors, self.texts([said.looks]), self._drawn)
        return replace(query, vectors=vectors, told=[told] * len(query), recognises=False)

    def search(self, query: Query, options: Options = USUAL) -> list[Hits]:
        """The corridor: filter, search, exclude, drop repeated pictures.

        Args:
            query: q queries, whose vectors are of this gallery's encoder.
            options: the same for all of them.

        Returns:
            q hits, in the order of the queries. Each holds k items wherever as many can be found.

        Raises:
            QueryError: an option does not fit the catalog.
            UnknownItemError: there is no item of an id that is liked or disliked.
        """
        started = time.perf_counter()
        index, allowed = self.index_of(options), self.filters.mask(options.filters)
        where = self.filters.conditions(options.filters)
        agreement, vectors = self.encoder.agreement, self.asking(query, options)
        recognised: list[Recognised | None] = [None] * len(query)
        # Whose words stand against a picture's knows better which item it is not.
        if self._recognition is not None and query.recognises and not options.corrected:
            recognised = self._recognition.recognise(query.vectors, allowed)
        excluded = query.excluded or [np.empty(0, dtype=np.int64)] * len(query)
        if options.liked or options.disliked:
            judged = [rows_of(self.items, ids) for ids in (options.liked, options.disliked)]
            vectors, _ = moved(vectors, pull_of(agreement, index.vectors, *judged))
            known_by_now = self._twins.with_picture_of([*judged[0], *judged[1]])
            excluded = [np.union1d(rows, known_by_now) for rows in excluded]
        over = self.nudges.over(index, vectors, query, options)
        ranked: dict[int, Candidates] = {}
        timings_ms = {"search": _milliseconds_since(started), "rank": 0.0}
        repeated, short = dict.fromkeys(range(len(query)), 0), list(range(len(query)))
        passing, groups = allowed, self._twins.groups(options)
        pool_size = pool_of(options)
        wanted = 2 * pool_size + 8 + max(map(len, excluded), default=0)
        while short:
            started = time.perf_counter()
            if query.told or any(each is not index for each in over):
                each = ((over[at], vectors[at : at + 1], query.told[at : at + 1]) for at in short)
                found = [find(*question, wanted, allowed) for question in each]
            else:
                scores, rows = index.search(vectors[short], wanted, allowed, where)
                found = [Candidates(*pair) for pair in zip(rows, scores, strict=True)]
            timings_ms["search"] += _milliseconds_since(started)
            started = time.perf_counter()
            for at, pool in zip(short, found, strict=True):
                if (known := recognised[at]) is not None:
                    pool = put_first(pool, known.rows, index.score_of(known.cosine))
                pool = without(pool, excluded[at])
                ranked[at] = first_of_each(pool, groups)
                repeated[at] = len(pool.rows) - len(ranked[at].rows)
            timings_ms["rank"] += _milliseconds_since(started)
            short = [at for at in short if len(ranked[at].rows) < pool_size]
            if max(len(pool.rows) for pool in found) < wanted:  # that was all there is
                if allowed is not None or all((pool.rows >= 0).all() for pool in found):
                    break
                # An approximate index lost rows; a filter that all pass makes the search exact.
                allowed = np.ones(len(self), dtype=bool)
            wanted *= 4  # a crowd of identical pictures: look further
        matches = [None] * len(query) if query.matches is None else query.matches.tolist()
        chosen = {
            at: choose(best.cut(pool_size), options, agreement, index.vectors)
            for at, best in ranked.items()
        }
        shown = {at: self.items.in_order(best, options.sort) for at, best in chosen.items()}
        hits = [
            Hits(
                rows=shown[at].rows,
                ids=self.items.ids[shown[at].rows],
                scores=shown[at].scores,
                variants=self._twins.others(shown[at].rows, options, passing, excluded[at]),
                repeated=repeated[at] if len(best.rows) < options.k else 0,
                timings_ms=timings_ms,
                beliefs=told_of(self.encoder, query.beliefs, at, options.corrected),
                regions=query.regions[at] if query.regions else None,
                match=matches[at],
                matched=is_match(matches[at]),
                said=query.told[at].said if query.told else None,
                all_of=int(query.told[at].all_of(chosen[at].rows).sum()) if query.told else 0,
            )
            for at, best in ranked.items()
        ]
        if options.spread and not query.told:  # words leave less doubt, and rank otherwise
            for at in (at for at, known in enumerate(recognised) if known is None):
                hits[at] = self._spread(hits[at], query, at, options)
        return hits

    def describe(self, picture: Image.Image, *, region: Asked = "auto") -> Beliefs:
        """What is believed of a picture, its type's details too: label -> (1, classes), sum 1."""
        return told_of(self.encoder, self._encode([picture], [region]).beliefs)

    @cached_property
    def outfits(self) -> Outfits:
        """What goes with the items of this catalog."""
        return Outfits(self.frame, self.index.vectors)

    def _spread(self, hits: Hits, query: Query, at: int, options: Options) -> Hits:
        """What one of the queries found, of each of the likeliest types where that is in doubt."""
        filters = options.filters or {}
        if TYPE not in query.beliefs or TYPE in {*filters, *(options.corrected or {})}:
            return hits
        believed, types = query.beliefs[TYPE][at], self.encoder.labels[TYPE]
        doubt = types_in_doubt(believed, types, self.filters.values[TYPE])
        each = {
            kind: self.search(
                query.only(at),
                replace(options, spread=False, sort="", filters={**filters, TYPE: [kind]}),
            )[0]
            for kind in doubt
        }
        return spread_over(hits, each, doubt, options, self.items, self._twins)

    def asking(self, query: Query, options: Options = USUAL) -> Floats:
        """What is multiplied with the gallery's embeddings: float32 (q, dim), unit rows.

        Raises:
            QueryError: what is corrected cannot be.
        """
        corrected = check_corrections(options.corrected or {}, self.encoder.classes)
        asks = self.encoder.agreement, query.vectors, corrected
        return asked_with(*asks, learnt=query.learnt, known=query.known)

    def index_of(self, options: Options = USUAL) -> VectorIndex:
        """The index that is ranked by.

        Raises:
            QueryError: there is none such.
        """
        if options.ranking == "auto":
            return self._indexes.get("hybrid", self.index)
        if options.ranking not in self._indexes:
            raise QueryError("This catalog can be ranked by image only: its encoder has no heads.")
        return self._indexes[options.ranking]


def _milliseconds_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
