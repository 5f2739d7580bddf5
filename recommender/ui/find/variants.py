"""A tile that stands for several variants of a product says how many, and opens."""

import html
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr
from gradio.blocks import Block

from recommender.charts.chart import several
from recommender.schema import Id
from recommender.service.worded import Json
from recommender.ui.find.view import Trail, View
from recommender.ui.parts.inputs import Values
from recommender.ui.parts.tiles import clicked

EXPAND_JS = """
element.addEventListener("click", ({target}) => {
  const item = target.closest("[data-variants]")?.dataset.variants;
  if (item !== undefined) trigger("expand", {tile: JSON.parse(item)});
});
"""
"""Of whatever holds such buttons."""


def variants_html(item: Json, view: View) -> str:
    """The button on a tile that shows what it stands for; nothing where that is itself alone."""
    if not (variants := dict(view.variants).get(item["id"])):
        return ""
    item_id = html.escape(json.dumps(item["id"]))
    return (
        f'<button type="button" data-variants="{item_id}">+{several(len(variants), "variant")}'
        "</button>"
    )


def opened_out(view: View, item_id: Id | None) -> View:
    """The same with a tile's variants behind it; as it was where it has none."""
    variants = dict(view.variants)
    behind = variants.pop(item_id, ()) if item_id is not None else ()
    ids = [one for shown in view.ids for one in (shown, *(behind if shown == item_id else ()))]
    if not behind:
        return view
    # How alike the variants are, nobody has said.
    return replace(view, ids=tuple(ids), scores=(), variants=tuple(variants.items()))


def wire_variants(
    expand: Callable[..., Any],
    trail: gr.State,
    show: Callable[[Trail], Values],
    outputs: list[Block],
    **settings: Any,
) -> None:
    """Open the tile that an `expand` is about, in the view on show."""

    def on_expand(values: Values, event: gr.EventData) -> Values:
        now: Trail = values[trail]
        return show(replace(now, view=opened_out(now.view, clicked(event))))

    expand(on_expand, {trail}, outputs, **settings)
