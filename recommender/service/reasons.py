"""Why an item was found, in words, as shares of its score, and as heat on both pictures: JSON."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from recommender.catalog.items import PICTURE_LIMITS
from recommender.encoding.agreement import LOOKS
from recommender.encoding.regions import Asked
from recommender.pictures.decode import decode_image
from recommender.schema import CURRENCY, LABELS, Column, Id
from recommender.search.options import Options
from recommender.search.reasons import Heat, heat_of, reason_of
from recommender.search.recommender import Recommender
from recommender.search.said import Said
from recommender.service.agreed import beside_said, reason_said, rounded
from recommender.service.sentences import NO_HEAT
from recommender.service.worded import SCHEMA_VERSION, Json, address_of, with_pictures, worded

SURE = 0.5
"""From which probability on a picture is said to show something."""
_FOLLOWS = ("masterCategory", "subCategory", CURRENCY)
"""What no two things are worth comparing by, as it follows from others."""


def why(
    recommender: Recommender,
    item_id: Id,
    origin: str,
    options: Options,
    asks: Image.Image | Id,
    *,
    region: Asked = "auto",
    text: str = "",
) -> Json:
    """Why an item is like a picture, or like another item.

    How items were chosen among each other, by variety and by spreading, is no part of it.

    Args:
        recommender: of the catalog.
        item_id: the item that was found.
        origin: scheme and host under which the pictures are served.
        options: how it was sought.
        asks: a picture, or an item's id.
        region: which part of the picture is meant.
        text: what was to be otherwise.

    Raises:
        QueryError: an option or the text cannot be used.
        UnknownItemError: there is no such item, or none of an id that is liked or disliked.
    """
    row, item = recommender.row(item_id), with_pictures(recommender, item_id, origin)
    found = _picture_of(recommender, item_id)
    if isinstance(asks, Image.Image):
        seen = recommender.see([asks, found], [region, None])
        query = seen.only(0)
        asked = likeliest_of(worded(query.beliefs, recommender))
    else:
        query, asked = recommender.like(recommender.row(asks), options), recommender.item(asks)
        seen = recommender.see([_picture_of(recommender, asks), found], [None, None])
    query = recommender.but(query, text, options)
    reason, places = reason_of(recommender, query, row, options), list(seen.places)
    if reason.number > 1:  # it was found by a further view, which is what is alike
        item["image"] = address_of(item["id"], origin, reason.number)
        nearest = _picture_of(recommender, item_id, reason.number)
        places[1:] = recommender.see([nearest], [None]).places
    agreement = recommender.encoder.agreement
    heat = {}
    if places and agreement.weights[LOOKS]:
        one, other = reason.asks, reason.found
        sides = {"asked": (one, other), "item": (other, one)}
        for (name, (own, another)), seen_at in zip(sides.items(), places, strict=True):
            heat[name] = _heat(heat_of(agreement, seen_at, own, another))
    asked |= dict(options.corrected or {})
    if query.told:
        asked = but_as_told(asked, query.told[0].said, item)
    attributes = compare(asked, item, recommender.columns)
    said = reason_said(attributes), beside_said(reason.shares, reason.terms, options)
    return {
        "schema_version": SCHEMA_VERSION,
        "item": item,
        "words": " ".join(filter(None, said)),
        "attributes": attributes,
        "score": round(reason.score, 4),
        "shares": rounded(reason.shares, 4),
        "heat": heat or None,
        "message": "" if heat else NO_HEAT,
    }


def likeliest_of(beliefs: Mapping[str, Sequence[Json]]) -> dict[str, Any]:
    """What a picture shows, as far as that is likelier than not: label -> value.

    >>> likeliest_of({"gender": [{"value": "Men", "probability": 0.4}]})
    {}
    """
    return {
        label: ranked[0]["value"]
        for label, ranked in beliefs.items()
        if ranked[0]["probability"] >= SURE
    }


def but_as_told(asked: Mapping[str, Any], said: Said, item: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for, where words say what shall be otherwise than what asks.

    Args:
        asked: column -> its value, of what asks.
        said: the words.
        item: column -> its value, of what was found: where any of several values will do, it may
            be one of them.
    """
    told = dict(asked)
    for statement in said.statements:
        column, values = statement.column, statement.values
        if not statement.ruled_out and values:
            told[column] = item[column] if item.get(column) in values else values[0]
        elif statement.ruled_out and told.get(column) in values:
            told[column] = None  # which it shall not be; what instead, nobody said
    return told


def compare(
    asked: Mapping[str, Any], item: Mapping[str, Any], columns: Iterable[Column]
) -> list[Json]:
    """What is known of both, column by column: those first that every catalog has.

    Args:
        asked: column -> its value, of what asks.
        item: the same of what was found.
        columns: of the catalog.
    """
    chosen = [c.name for c in columns if c.kind == "choice" and c.name not in _FOLLOWS]
    first = [name for name in ("articleType", "gender", "baseColour") if name in chosen]
    return [
        {"column": n, "asked": asked[n], "item": item[n], "same": bool(asked[n] == item[n])}
        for n in dict.fromkeys([*first, *(n for n in LABELS if n in chosen), *chosen])
        if asked.get(n) is not None and item.get(n) is not None
    ]


def _heat(heat: Heat) -> Json:
    cells = np.asarray(heat.cells, np.float64).round(5)
    return {"box": list(heat.box), "cells": cells.tolist()}


def _picture_of(recommender: Recommender, item_id: Id, number: int = 1) -> Image.Image:
    """Read as when it was embedded."""
    data, at_least_px = recommender.picture_bytes(item_id, number), recommender.encoder.input_px
    return decode_image(data, limits=PICTURE_LIMITS, at_least_px=at_least_px)
