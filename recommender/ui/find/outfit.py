"""Complete the look: what goes with the item that is open, a slot each, of which any can change."""

import html
import json
from typing import Any
from urllib.parse import quote

import gradio as gr
from gradio.blocks import Block

from recommender.errors import RecommenderError
from recommender.search.options import MAX_TASTE
from recommender.service.answers import Service
from recommender.service.sentences import UNNAMED, another, sentence, slot_name
from recommender.service.worded import Json
from recommender.ui.find.taste import TastePanel
from recommender.ui.find.view import Trail
from recommender.ui.parts.cards import status_html
from recommender.ui.parts.inputs import QUIET, Values
from recommender.ui.server.origin import HERE

_JS = """
let slot;
element.addEventListener("click", ({target}) => {
  const pressed = target.closest("[data-passed]");
  if (!pressed) return;
  slot = pressed.dataset.slot;
  trigger("click", {passed: JSON.parse(pressed.dataset.passed)});
});
// The button that was pressed is gone: that of the same slot takes the focus.
watch("value", () => {
  if (slot) element.querySelector(`[data-slot="${slot}"]`)?.focus();
  slot = undefined;
});
"""


class OutfitPanel:
    """A button on the item that is open, and what goes with it once that was asked for.

    What was passed over is kept in the page alone, and sent along with what is asked next.
    """

    def __init__(self, service: Service, trail: gr.State) -> None:
        """Draw it.

        Args:
            service: what answers.
            trail: what a session has on show, the item that is open among it.
        """
        self._service, self._trail = service, trail
        self._taste: TastePanel | None = None
        self.ask = gr.Button("Complete the look", size="md", elem_id="complete")
        self.row = gr.HTML(js_on_load=_JS, visible=False, padding=False, elem_id="outfit")
        self.parts: list[Block] = [self.row]

    def wire(self, taste: TastePanel) -> None:
        """Let it answer by itself, without what a visitor dislikes."""
        self._taste = taste
        inputs: set[Block] = {self._trail, taste.kept}
        settings: Json = {"concurrency_id": "search", **QUIET}
        gr.on([self.ask.click, self.row.click], self.complete, inputs, [self.row], **settings)

    def complete(self, values: Values, event: gr.EventData) -> Values:
        """What goes with the item that is open, without what was passed over or is disliked."""
        trail: Trail = values[self._trail]
        told: Any = event._data
        passed = told.get("passed", []) if isinstance(told, dict) else []
        if trail.view.opened is None:
            return self.hide()
        left_out = passed
        if isinstance(passed, list) and self._taste is not None:  # the latest, where it is too much
            left_out = [*self._taste.read(values).disliked, *passed][-MAX_TASTE:]
        try:
            answer = self._service.complete_the_look(trail.view.opened, HERE, left_out)
        except RecommenderError as error:
            return {self.row: gr.HTML(status_html(str(error)), visible=True)}
        return {self.row: gr.HTML(outfit_html(answer, passed), visible=True)}

    def hide(self) -> Values:
        """Nothing, as another item is open, or none."""
        return {self.row: gr.HTML("", visible=False)}


def outfit_html(answer: Json, passed: list[Any]) -> str:
    """A row of slots, each with its item and a button for another one."""
    slots = "".join(_slot_html(slot, passed) for slot in answer["slots"] if slot["item"])
    said = status_html(answer["message"]) if answer["message"] else ""
    return (
        f'<section aria-label="Complete the look"><h3>Goes with it</h3><ul>{slots}</ul>{said}'
        "</section>"
    )


def _slot_html(slot: Json, passed: list[Any]) -> str:
    item, name = slot["item"], slot_name(slot["slot"])
    over = html.escape(json.dumps([*passed, item["id"]]))
    shown = html.escape(str(item["productDisplayName"] or UNNAMED))
    link = f"?item={quote(str(item['id']))}"
    return (
        f'<li><h4>{name}</h4><a href="{link}"><img src="{html.escape(item["image"])}" '
        f'alt="{html.escape(sentence(item))}"><span aria-hidden="true">{shown}</span></a>'
        f'<button type="button" data-slot="{slot["slot"]}" data-passed="{over}">'
        f"{another(slot['slot'])}</button></li>"
    )
