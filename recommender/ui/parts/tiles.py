"""Tiles: pictures that are buttons, each of which tells a handler what it stands for."""

import html
import json
from collections.abc import Iterable

import gradio as gr

from recommender.service.answers import Json
from recommender.service.sentences import sentence

Tile = tuple[int | str, str, str]
"""What it stands for, the address of its picture, and its caption."""

CLICK_JS = """
element.addEventListener("click", ({target}) => {
  const tile = target.closest("button")?.dataset.tile;
  if (tile !== undefined) trigger("click", {tile: JSON.parse(tile)});
});
"""


def tiles_box(elem_id: str, *, visible: bool = True) -> gr.HTML:
    """A place for tiles; `clicked` reads which one its `click` was about."""
    return gr.HTML(
        js_on_load=CLICK_JS, visible=visible, padding=False, elem_id=elem_id, elem_classes="tiles"
    )


def tiles_html(tiles: Iterable[Tile]) -> str:
    """Tiles in their order."""
    return "".join(
        f'<button type="button" class="thumbnail-item" data-tile="{html.escape(json.dumps(what))}">'
        f'<img src="{html.escape(address)}" alt="{html.escape(caption)}">'
        f'<span class="caption-label" aria-hidden="true">{html.escape(caption)}</span></button>'
        for what, address, caption in tiles
    )


def of_items(items: Iterable[Json]) -> list[Tile]:
    """Items as tiles that stand for their ids."""
    return [(item["id"], item["image"], sentence(item)) for item in items]


def clicked(event: gr.EventData) -> int | str | None:
    """What the tile that was clicked stands for; None where no tile says so."""
    told = event._data
    what = told.get("tile") if isinstance(told, dict) else None
    return what if isinstance(what, int | str) else None
