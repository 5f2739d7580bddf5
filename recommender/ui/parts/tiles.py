"""Tiles: pictures that are buttons, each of which tells a handler what it stands for."""

import html
import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import gradio as gr

from recommender.service.sentences import sentence
from recommender.service.worded import Json


class Tile(NamedTuple):
    """A picture that is a button.

    Attributes:
        what: what it stands for.
        picture: the address of its picture.
        said: what it shows, as a sentence, which begins its accessible name.
        name: what stands below it.
        why: what stands below that, in small.
    """

    what: int | str
    picture: str
    said: str
    name: str = ""
    why: str = ""


CLICK_JS = """
element.addEventListener("click", ({target}) => {
  const tile = target.closest("button")?.dataset.tile;
  if (tile !== undefined) trigger("click", {tile: JSON.parse(tile)});
});
"""


def tiles_box(elem_id: str, *, visible: bool = True, also_js: str = "") -> gr.HTML:
    """A place for tiles; `clicked` reads which one its `click` was about.

    Args:
        also_js: of what lies on them.
    """
    return gr.HTML(
        js_on_load=CLICK_JS + also_js,
        visible=visible,
        padding=False,
        elem_id=elem_id,
        elem_classes="tiles",
    )


def tiles_html(tiles: Iterable[Tile], upon: Sequence[str] = ()) -> str:
    """Tiles in their order; `upon` is what lies on each, if anything."""
    made = list(map(_tile_html, tiles))
    if not upon:
        return "".join(made)
    pairs = zip(made, upon, strict=True)
    return "".join(f'<div class="tile">{tile}<div>{buttons}</div></div>' for tile, buttons in pairs)


def _tile_html(tile: Tile) -> str:
    what = html.escape(json.dumps(tile.what))
    why = f"<small>{html.escape(tile.why)}</small>" if tile.why else ""
    return (
        f'<button type="button" class="thumbnail-item" data-tile="{what}">'
        f'<img src="{html.escape(tile.picture)}" alt="{html.escape(tile.said)}">'
        f'<span class="caption-label" aria-hidden="true">{html.escape(tile.name)}</span>'
        f"{why}</button>"
    )


def of_items(items: Sequence[Json], why: Sequence[str] = ()) -> list[Tile]:
    """Items as tiles that stand for their ids; `why` is what stands below each, or nothing."""
    return [
        Tile(item["id"], item["image"], sentence(item), _caption(item), reason)
        for item, reason in zip(items, why or [""] * len(items), strict=True)
    ]


def _caption(item: Json) -> str:
    """An item's name, or what it is where it has none."""
    return str(item["productDisplayName"] or sentence(item))


def clicked(event: gr.EventData) -> int | str | None:
    """What the tile that was clicked stands for; None where no tile says so."""
    told = event._data
    what = told.get("tile") if isinstance(told, dict) else None
    return what if isinstance(what, int | str) else None
