"""The words that ask: a box for them, and what they were understood to say, to be taken back."""

import html
import json
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import Block

from recommender.search.stated import MAX_CHARACTERS
from recommender.service.sentences import readable
from recommender.ui.find.view import Trail
from recommender.ui.parts.inputs import Values
from recommender.ui.parts.tiles import CLICK_JS, clicked

_ALONE = "base"
"""What the chip of the picture or the item stands for, that the words are beside."""


class WordsPanel:
    """A box for words, and a chip for each thing that they say."""

    def __init__(self) -> None:
        """Draw it."""
        self.box = gr.Textbox(
            label="What are you looking for?",
            placeholder="red kurta · my picture, but in black",
            max_lines=1,
            max_length=MAX_CHARACTERS,
            submit_btn=True,
            elem_id="words",
        )
        # Beside what was found, where a phone shows it: whoever draws the tab renders it there.
        self.chips = gr.HTML(
            js_on_load=CLICK_JS, padding=False, visible=False, elem_id="said", render=False
        )
        self.parts: list[Block] = [self.chips]

    def read(self, values: Values) -> str:
        """What was typed."""
        return readable(str(values[self.box] or ""))

    def show(self, trail: Trail, items: Any) -> Values:
        made = said_html(trail)
        return {self.chips: gr.HTML(made, visible=bool(made))}

    def typed(self, trail: Trail) -> Values:
        """The box with the words of what is on show."""
        return {self.box: trail.view.text}

    def taken_back(self, event: gr.EventData, trail: Trail) -> "Left | None":
        """What is left of a question without the chip that was clicked; None if there was none."""
        what, view = clicked(event), trail.view
        if what == _ALONE:
            return Left(view.text, alone=True)
        if isinstance(what, int) and 0 <= what < len(view.said):
            return Left(view.said[what][1])
        return None


@dataclass(frozen=True)
class Left:
    """Words that ask on; `alone` without what they were beside."""

    text: str
    alone: bool = False


def said_html(trail: Trail) -> str:
    """A chip for each thing that was said, and one for what it was said of."""
    view = trail.view
    chips: list[tuple[object, str]] = list(enumerate(text for text, _ in view.said))
    if view.text and view.query in ("picture", "item"):
        like = "your picture" if view.query == "picture" else "this item"
        chips.insert(0, (_ALONE, f"like {like}"))
    buttons = "".join(
        f'<button type="button" data-tile="{html.escape(json.dumps(what))}" '
        f'aria-label="{html.escape(text)}: take this back">{html.escape(text)} '
        '<span aria-hidden="true">×</span></button>'
        for what, text in chips
    )
    return (
        f'<div class="said" role="group" aria-label="Understood">{buttons}</div>' if chips else ""
    )
