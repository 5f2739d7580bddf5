"""The page's address: what is on show as an address's parameters, and back.

So reload, the browser's Back and a shared link lead to what was there. Whoever reads an address
trusts nothing in it: what fits no search here is left out, and said.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from recommender.errors import QueryError, RecommenderError
from recommender.schema import Id
from recommender.search.corrections import check_corrections
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.service.sentences import readable
from recommender.ui.find.view import USUAL_HERE, Trail, View

TABS = ("find", "trends", "quality", "code")
PARAMETERS = (
    "item",
    "picture",
    "region",
    "text",
    "shortlist",
    "k",
    "repeats",
    "ranking",
    "sort",
    "spread",
    "diversity",
    "fold",
    "colour",
    "season",
    "occasion",
    "filters",
    "corrected",
    "open",
)
_WORDS = ("ranking", "sort", "season", "occasion")
_OPTIONS = ("k", "repeats", "spread", "diversity", "fold", "colour", *_WORDS)
_MAX_SHORTLIST = 100
_TOKEN_LENGTH = 24
_LONGEST = 8000
"""Characters of an address that are read."""
_WHOLE = "whole"


@dataclass(frozen=True, kw_only=True)
class Place:
    """What an address asks for, as far as it fits.

    Attributes:
        item: id of the item that asks, perhaps of none that there is; None where none does.
        picture: what stands for the picture that asks (`token_of`).
        region: which part of it.
        text: words that ask, perhaps beside the others.
        shortlist: ids of the items that are shown without a search.
        options: how to search.
        opened: id of the item that is open besides the one that asks.
        closed: whether the one that asks is not.
        left_out: whether something fits no search here.
    """

    item: Id | None = None
    picture: str | None = None
    region: object = "auto"
    text: str = ""
    shortlist: tuple[Id, ...] = ()
    options: Options = USUAL_HERE
    opened: Id | None = None
    closed: bool = False
    left_out: bool = False


def parts_of(told: object) -> dict[str, str]:
    """The parameters of an address that a page tells of, whatever it sends."""
    address = str(told.get("address", "")) if isinstance(told, dict) else ""
    return dict(parse_qsl(address[:_LONGEST], keep_blank_values=True))


def tab_of(parts: Mapping[str, str]) -> str:
    """The tab that an address opens; the first one unless it names another that there is."""
    return tab if (tab := parts.get("tab", "")) in TABS else TABS[0]


def token_of(picture: str) -> str:
    """What stands for a file in an address, from which nobody can tell its path."""
    return sha256(picture.encode()).hexdigest()[:_TOKEN_LENGTH]


def find_picture(token: str, folder: Path) -> str | None:
    """The file in a folder of uploads that a token stands for; None where it is gone.

    >>> find_picture("../../etc/passwd", Path("."))
    """
    files = (str(path) for path in folder.rglob("*") if path.is_file())
    return next((path for path in files if token_of(path) == token), None)


def address_of(view: View) -> str:
    """A view as an address's parameters, without what is usual; empty for the beginning."""
    options, parts = view.options, dict[str, Any]()
    if view.query == "item":
        parts["item"] = view.query_id
    elif view.query == "picture" and view.picture:
        parts["picture"] = token_of(view.picture)
        if isinstance(view.region, tuple):
            parts["region"] = ",".join(f"{end:.4g}" for end in view.region)
        elif view.region is None:
            parts["region"] = _WHOLE
    if view.text and view.query != "nothing":
        parts["text"] = view.text
    if view.query == "shortlist":
        parts["shortlist"] = ",".join(quote(str(item_id), safe="") for item_id in view.ids)
    for name in _OPTIONS:
        if (value := getattr(options, name)) != getattr(USUAL_HERE, name):
            parts[name] = value if isinstance(value, str) else json.dumps(value)
    for name in ("filters", "corrected"):
        if chosen := getattr(options, name):
            parts[name] = json.dumps(chosen, separators=(",", ":"), ensure_ascii=False)
    if view.opened is not None and view.opened != view.query_id:
        parts["open"] = view.opened
    if view.query == "item" and view.opened is None:
        parts["open"] = ""
    return urlencode(parts)


def back_to(trail: Trail, parts: Mapping[str, str]) -> Trail | None:
    """The way back to the view before that an address is of; None where it is of none."""
    address = urlencode({name: text for name, text in parts.items() if name in PARAMETERS})
    for at in reversed(range(len(trail.before))):
        if address_of(trail.before[at]) == address:
            return Trail(trail.before[at], trail.before[:at])
    return None


def read_address(parts: Mapping[str, str], recommender: Recommender) -> Place:
    """What an address's parameters ask of a catalog; other parameters are not ours."""
    left_out = False

    def take(name: str, read: Callable[[str], Any], usual: Any) -> Any:
        nonlocal left_out
        if name not in parts:
            return usual
        try:
            return read(parts[name])
        except (ValueError, TypeError, RecursionError, RecommenderError):
            left_out = True
            return usual

    options = USUAL_HERE
    for name in _OPTIONS:
        options = take(name, partial(_with_option, options, name, recommender), options)
    filters: dict[str, Any] = {}
    for column, allowed in take("filters", _read_object, {}).items():
        passing = _passing(recommender, column, allowed)
        left_out |= passing != allowed
        if passing is not None:
            filters[column] = passing
    corrected: dict[str, str] = {}
    for label, value in take("corrected", _read_object, {}).items():
        try:
            corrected |= check_corrections({label: value}, recommender.encoder.classes)
        except QueryError:
            left_out = True
    text = readable(parts.get("text", ""))
    left_out |= bool(parts.get("text")) and not text
    return Place(
        item=recommender.items.id_in(parts["item"]) if parts.get("item") else None,
        picture=parts.get("picture"),
        region=take("region", _read_region, "auto"),
        text=text,
        shortlist=read_ids(parts.get("shortlist", ""), recommender),
        options=replace(options, filters=filters or None, corrected=corrected or None),
        opened=recommender.items.id_in(parts["open"]) if parts.get("open") else None,
        closed="open" in parts and not parts["open"],
        left_out=left_out,
    )


def _with_option(options: Options, name: str, recommender: Recommender, text: str) -> Options:
    """Options of which one is what an address says."""
    value: Any = text if name in _WORDS else json.loads(text)
    if name == "ranking" and value not in ("auto", *recommender.rankings):
        raise QueryError("This catalog cannot be ranked so.")
    if name == "sort" and value.removeprefix("-") not in recommender.items.sortable:
        raise QueryError("This catalog cannot be ordered so.")
    changed = replace(options, **{name: value})
    recommender.nudges.check(changed)
    return changed


def _passing(recommender: Recommender, column: str, allowed: Any) -> Any:
    """A column's filter, of a list only those values that there are; None where nothing is left."""

    def passes(filters: Any) -> bool:
        try:
            recommender.filters.mask({column: filters})
        except QueryError:
            return False
        return True

    if passes(allowed):
        return allowed
    return (
        [value for value in allowed if passes([value])] or None
        if isinstance(allowed, list)
        else None
    )


def _read_object(text: str) -> dict[str, Any]:
    read = json.loads(text)
    if not isinstance(read, dict):
        raise TypeError("no object")
    return read


def _read_region(text: str) -> object:
    if text == _WHOLE:
        return None
    left, top, right, bottom = map(float, text.split(","))
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise ValueError("no part of a picture")
    return left, top, right, bottom


def read_ids(text: str, recommender: Recommender) -> tuple[Id, ...]:
    """Ids that an address lists: commas part them, each is quoted once more."""
    named = [unquote(part) for part in text.split(",") if part]
    return tuple(dict.fromkeys(map(recommender.items.id_in, named[:_MAX_SHORTLIST])))
