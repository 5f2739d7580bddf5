"""What a recommender found and believes -> the JSON of DESIGN's contract."""

from typing import Any
from urllib.parse import quote

from recommender.encoding.agreement import Beliefs, likeliest
from recommender.encoding.regions import Asked, Regions
from recommender.schema import CURRENCY, KINDS, TYPE, VIEW_COLUMNS, Id
from recommender.search.hits import Hits
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.search.said import Said
from recommender.search.spread import SURE
from recommender.service.heard import heard, none_of_kind, only_these_are, only_these_hold
from recommender.service.sentences import message_of, not_counted

SCHEMA_VERSION = 1
MORE = VIEW_COLUMNS[0]
"""What an item's further pictures are called."""
_LIKELIEST = 3

Json = dict[str, Any]


def understood(said: Said | None) -> Json:
    """What the words of a question were taken for; nothing where there were none."""
    if said is None:
        return {}
    told: dict[bool, list[Json]] = {False: [], True: []}
    for statement in said.statements:
        one = {
            "column": statement.column,
            "values": list(statement.values),
            **statement.bounds,
            "words": list(statement.words),
            "without": said.without(statement),
        }
        told[statement.ruled_out].append(one)
    return {
        "text": said.text,
        "stated": told[False],
        "ruled_out": told[True],
        "mended": [{"word": typed, "read": read} for typed, read in said.mended],
        "unknown": list(said.unknown),
    }


def with_pictures(recommender: Recommender, item_id: Id, origin: str) -> Json:
    """An item with the address of its picture and, where it has further ones, of these.

    Raises:
        UnknownItemError: there is none of this id.
    """
    item = recommender.item(item_id)
    further = range(2, recommender.items.views(item_id) + 2)
    more = {MORE: [address_of(item["id"], origin, number) for number in further]}
    return {**item, "image": address_of(item["id"], origin), **(more if further else {})}


def address_of(item_id: Id, origin: str, number: int = 1) -> str:
    """Where a picture of an item is served, by its number."""
    view = f"?view={number}" if number > 1 else ""
    return f"{origin}/pictures/{quote(str(item_id), safe='')}{view}"


def placed(regions: Regions | None, asked: Asked) -> Json:
    """Which part of the picture was looked at, and which there are to choose from."""
    if regions is None:
        return {"region": list(asked) if isinstance(asked, tuple) else None, "regions": []}
    found = zip(regions.boxes, regions.sureness, strict=True)
    return {
        "region": list(regions.used) if regions.used else None,
        "regions": [{"box": list(box), "sureness": round(sure, 4)} for box, sure in found],
    }


def worded(beliefs: Beliefs, recommender: Recommender) -> dict[str, list[Json]]:
    """Label -> its likeliest values, the likeliest first."""
    return {
        label: [{"value": value, "probability": round(p, 4)} for value, p in ranked]
        for label, ranked in likeliest(beliefs, recommender.encoder.classes, _LIKELIEST).items()
    }


def answer_of(
    recommender: Recommender,
    hits: Hits,
    options: Options,
    query: Json,
    origin: str,
    decode_ms: float = 0.0,
) -> Json:
    """What was found, as an answer.

    Args:
        recommender: that found it.
        hits: what was found.
        options: how it was sought.
        query: what asked.
        origin: scheme and host under which the pictures are served.
        decode_ms: how long it took to read the picture that asks.
    """
    results = []
    pairs = zip(hits.ids.tolist(), hits.scores.tolist(), strict=True)
    for rank, (item_id, score) in enumerate(pairs, 1):
        item = with_pictures(recommender, item_id, origin)
        results.append({"rank": rank, "id": item.pop("id"), "score": round(score, 4), **item})
    ids = recommender.frame["id"]
    for result, rows in zip(results, hits.variants, strict=False):  # none where none are folded
        result["variants"] = ids.iloc[rows].tolist()
    corrected = dict(options.corrected or {})
    told = {"corrected": corrected, "types": hits.types}
    query = query | understood(hits.said) | {name: what for name, what in told.items() if what}
    counted_ones = recommender.encoder.agreement.labels
    uncounted = not_counted(label for label in corrected if label not in counted_ones)
    counts = {"repeated": hits.repeated, "same": hits.same}
    found = message_of(len(hits), options, matched=hits.matched, **counts)
    if hits.said is not None and len(hits) < options.k:
        narrow = any(s.bounds or s.ruled_out for s in hits.said.statements)
        if not hits.said.statements:
            found = only_these_hold(len(hits))
        elif narrow and 0 < hits.all_of == len(hits):
            found = only_these_are(len(hits))
    currencies = recommender.filters.values.get(CURRENCY, ())
    said = [heard(hits, currencies[0] if len(currencies) == 1 else "")]
    if (kind := _kind_that_asks(hits, query)) and not any(r[TYPE] == kind for r in results):
        said.append(none_of_kind(kind) if results else "")
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
        "message": " ".join(filter(None, (uncounted, *said, found))),
        "timings_ms": {step: round(ms, 2) for step, ms in timings.items()},
    }


def _kind_that_asks(hits: Hits, query: Json) -> str:
    """The type of what asks beside words that say none; empty where it is in doubt."""
    if hits.said is None or any(s.column in KINDS for s in hits.said.statements):
        return ""
    believed = query.get("beliefs", {}).get(TYPE)
    if believed and believed[0]["probability"] < SURE and TYPE not in query.get("corrected", {}):
        return ""
    return query["attributes"].get(TYPE) or ""
