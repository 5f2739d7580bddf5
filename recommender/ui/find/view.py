"""What *Find similar* shows at one moment: as a value, and as HTML."""

import html
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from recommender.service.answers import Json
from recommender.service.sentences import UNNAMED, WELCOME, found_like, sentence

_MAX_BACK = 20


_SEEN = ("articleType", "baseColour", "gender", "usage", "season")


_WORTH_SAYING = 0.05


_ATTRIBUTES = {
    "articleType": "Article type",
    "subCategory": "Sub-category",
    "masterCategory": "Category",
    "gender": "Gender",
    "baseColour": "Colour",
    "season": "Season",
    "year": "Year",
    "usage": "Usage",
    "id": "Id",
}


@dataclass(frozen=True, kw_only=True)
class View:
    """What the page shows, as JSON that a session keeps; the last ones are the way back.

    `asked` is what the results are like: a picture, an item, or nothing yet. `results` are those
    of the API's answer, `item` is the one whose attributes are open.
    """

    asked: Literal["nothing", "picture", "item"] = "nothing"
    asked_id: int | None = None
    results: list[Json] = field(default_factory=list)
    status: str = WELCOME
    item: int | None = None
    beliefs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def view_of(answer: Json, like: str, view: View) -> View:
    """The view of an answer, its status saying how many were found and how fast."""
    beliefs = answer["query"].get("beliefs", {})
    status = found_like(like, answer)
    return replace(view, results=answer["results"], status=status, beliefs=beliefs)


def pushed(view: Json, back: list[Json]) -> list[Json]:
    return back if view["asked"] == "nothing" else [*back, view][-_MAX_BACK:]


def item_html(item: dict[str, Any]) -> str:
    rows = "".join(
        f"<dt>{label}</dt><dd>{html.escape(str(item[name]))}</dd>"
        for name, label in _ATTRIBUTES.items()
        if item[name] is not None
    )
    name = html.escape(item["productDisplayName"] or UNNAMED)
    return (
        f'<article class="item"><img src="{html.escape(item["image"])}" '
        f'alt="{html.escape(sentence(item))}"><div><h2>{name}</h2><dl>{rows}</dl>'
        f'<a href="?item={item["id"]}">Link to this item</a></div></article>'
    )


def beliefs_html(beliefs: dict[str, list[dict[str, Any]]]) -> str:
    """What is seen in a picture: a tile an attribute, the other likely values in small below."""
    tiles = []
    for label, ranked in beliefs.items():
        if label not in _SEEN:
            continue
        first, *others = ranked
        also = ", ".join(
            f"{html.escape(other['value'])} {other['probability']:.0%}"
            for other in others
            if other["probability"] >= _WORTH_SAYING
        )
        tiles.append(
            f"<div><dt>{_ATTRIBUTES[label]}</dt>"
            f"<dd>{html.escape(first['value'])} <b>{first['probability']:.0%}</b></dd>"
            f'<meter min="0" max="1" value="{first["probability"]}" '
            f'aria-label="{_ATTRIBUTES[label]}: how sure"></meter>'
            f"<small>{'or ' + also if also else ''}</small></div>"
        )
    if not tiles:
        return ""
    return f'<section class="seen"><h2>What we see</h2><dl>{"".join(tiles)}</dl></section>'
