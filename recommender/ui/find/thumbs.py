"""Two thumbs at the head of an answer: whether it is a good one."""

import html
from typing import Any

import gradio as gr
from gradio.blocks import Block

from recommender.errors import FeedbackError
from recommender.service.answers import Service
from recommender.ui.find.view import Items, Trail
from recommender.ui.parts.inputs import QUIET, Values
from recommender.ui.server.sessions import page_of

_MEANS = {"up": "Good results", "down": "Poor results"}
_THUMB = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 10h3v10H3zM9 20V10l4-7c1.5 0 2.5 1 '
    '2.5 2.5V9H20c1 0 1.7.9 1.5 1.9l-1.4 7.5c-.2.9-1 1.6-2 1.6z"/></svg>'
)
_JS = """
let pressed;
element.addEventListener("click", ({target}) => {
  const thumb = target.closest("[data-verdict]");
  if (!thumb) return;
  pressed = thumb.dataset.of;
  trigger("click", {verdict: thumb.dataset.verdict});
});
// The button that was pressed is drawn anew: it keeps the focus. What is said is read aloud only
// where it comes after its place.
watch("value", () => {
  const said = element.querySelector("[role=status]");
  if (pressed) element.querySelector(`[data-of="${pressed}"]`)?.focus();
  if (said) setTimeout(() => { said.textContent = said.dataset.said; }, 50);
  pressed = undefined;
});
"""


class ThumbsPanel:
    """Thumbs for the answer on show, as long as it can be judged; it takes what they say by itself.

    What was pressed is not kept in the session, but known of the answer.
    """

    def __init__(self, service: Service, trail: gr.State) -> None:
        """Draw it.

        Args:
            service: what answers, and takes what is said of it.
            trail: what a session has on show.
        """
        self._service, self._trail = service, trail
        self.row = gr.HTML(js_on_load=_JS, visible=False, padding=False, elem_id="thumbs")
        self.parts: list[Block] = [self.row]
        self.row.click(self.judge, {trail}, self.parts, **QUIET)

    def show(self, trail: Trail, items: Items) -> Values:
        return self._show(trail)

    def judge(
        self, values: Values, event: gr.EventData, request: gr.Request | None = None
    ) -> Values:
        """A thumb was pressed; pressed again, it is taken back."""
        trail: Trail = values[self._trail]
        told: Any = event._data
        verdict = told.get("verdict") if isinstance(told, dict) else None
        try:
            said = self._service.judge(trail.view.answer_id, verdict, by=page_of(request))[
                "message"
            ]
        except FeedbackError as error:
            said = str(error)
        return self._show(trail, said)

    def _show(self, trail: Trail, said: str = "") -> Values:
        view = trail.view
        thumb = self._service.feedback.thumb(view.answer_id) if view.ids else None
        if thumb is None:  # what was too late to be heard is said all the same
            return {self.row: gr.HTML(_said_html(said), visible=bool(said))}
        return {self.row: gr.HTML(thumbs_html(thumb) + _said_html(said), visible=True)}


def thumbs_html(thumb: str) -> str:
    """Both thumbs; `thumb` is pressed already, if it is one of them."""
    buttons = "".join(
        f'<button type="button" data-of="{of}" data-verdict="{"none" if of == thumb else of}" '
        f'aria-pressed="{str(of == thumb).lower()}" aria-label="{means}" title="{means}">'
        f"{_THUMB}</button>"
        for of, means in _MEANS.items()
    )
    return f'<div role="group" aria-label="Are these good results?">{buttons}</div>'


def _said_html(said: str) -> str:
    return f'<small role="status" data-said="{html.escape(said)}"></small>'
