"""Why this one: in words at once, then, for who asks, as heat on the two pictures side by side."""

import html
import io
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.blocks import Block
from PIL import Image

from recommender.errors import ImageError, RecommenderError
from recommender.pictures.decode import read_image
from recommender.schema import Id
from recommender.search.options import Options
from recommender.service.agreed import hottest, reason_said, shares_said
from recommender.service.answers import Service
from recommender.service.reasons import but_as_told, compare, likeliest_of
from recommender.service.sentences import GONE, UNNAMED, YOUR_PICTURE
from recommender.service.worded import Json
from recommender.ui.find.taste import TastePanel
from recommender.ui.find.view import Items, Trail, View
from recommender.ui.parts.cards import status_html
from recommender.ui.parts.inputs import QUIET, Values
from recommender.ui.server.origin import HERE

_SIDE_PX = 480
"""Of the picture that asks, as it is shown here."""
_HEAT = (255, 61, 0)
_MOST = 0.8
"""How far the hottest place hides what is below it."""


class ReasonPanel:
    """Words on the item that is open, a button, and both pictures once that was pressed."""

    def __init__(self, service: Service, trail: gr.State) -> None:
        """Draw it.

        Args:
            service: what answers.
            trail: what a session has on show, the item that is open among it.
        """
        self._service, self._trail = service, trail
        self._taste: TastePanel | None = None
        self._columns = service.recommender.columns
        self.words = gr.HTML(visible=False, padding=False, elem_id="reason")
        self.ask = gr.Button("Where are they alike?", visible=False, size="md", elem_id="why")
        self.heat = gr.HTML(visible=False, padding=False, elem_id="heat")
        self.parts: list[Block] = [self.words, self.ask, self.heat]

    def wire(self, taste: TastePanel) -> None:
        """Let it answer by itself, by a visitor's taste too."""
        self._taste = taste
        inputs: set[Block] = {self._trail, taste.kept}
        settings: Json = {"concurrency_id": "search", **QUIET}
        self.ask.click(self.on_ask, inputs, [self.words, self.heat], **settings)

    def show(self, trail: Trail, items: Items) -> Values:
        """What can be said at once; nothing where nothing asks, or what asks is open itself."""
        view = trail.view
        item = items.get(view.opened) if view.opened is not None else None
        asks = view.query in ("picture", "item") and view.query_id != view.opened
        said = self._said(view, item, items) if asks and item else ""
        return {
            self.words: _words(said),
            self.ask: gr.Button(visible=asks and item is not None),
            self.heat: gr.HTML("", visible=False),
        }

    def on_ask(self, values: Values) -> Values:
        """All that counted, in words, and both pictures with what makes them alike."""
        trail: Trail = values[self._trail]
        view = trail.view
        if view.opened is None or view.query not in ("picture", "item"):
            return {self.heat: gr.HTML("", visible=False)}
        told = vars(self._taste.read(values)) if self._taste else {}
        try:
            answer, made = self._made(view, view.opened, replace(view.options, **told))
        except RecommenderError as error:
            return {self.heat: gr.HTML(status_html(str(error)), visible=True)}
        return {self.words: _words(answer["words"]), self.heat: gr.HTML(made, visible=True)}

    def _said(self, view: View, item: Json, items: Items) -> str:
        """In what the item agrees with what asks, and in what it differs."""
        if view.query_id is not None:
            asked: dict[str, Any] = items.get(view.query_id, {})
        else:
            beliefs = {
                label: [{"value": value, "probability": p} for value, p in ranked]
                for label, ranked in view.seen.items()
            }
            asked = likeliest_of(beliefs)
        asked = asked | view.corrected
        if view.text:
            asked = but_as_told(asked, self._service.recommender.words.read(view.text), item)
        return reason_said(compare(asked, item, self._columns))

    def _made(self, view: View, opened: Id, options: Options) -> tuple[Json, str]:
        """Why a view's question found the item that is open, and the figure of both.

        Raises:
            RecommenderError: the picture is gone, or cannot be used.
        """
        asked: Json = {"region": view.region, "asks": view.query_id, "text": view.text}

        def explained(picture: str | None) -> Json:
            return self._service.explain(picture, opened, HERE, options, **asked)

        if view.query == "picture":
            if view.picture is None or not Path(view.picture).is_file():
                raise ImageError(GONE)
            shown, name = _as_data(view.picture), YOUR_PICTURE
            answer = explained(view.picture)
        else:
            answer = explained(None)
            asks = self._service.item(view.query_id or "", HERE)["item"]
            shown, name = asks["image"], str(asks["productDisplayName"] or UNNAMED)
        return answer, heat_html(answer, shown, name)


def _words(said: str) -> gr.HTML:
    """Why this one; nothing where nothing can be said."""
    made = f"<h3>Why this one</h3><p>{html.escape(said)}</p>" if said else ""
    return gr.HTML(made, visible=bool(said))


def heat_html(answer: Json, picture: str, name: str) -> str:
    """Both pictures side by side with their heat, and what the score is made of.

    Args:
        answer: of `Service.explain`.
        picture: address of the picture that asks.
        name: what it is called.
    """
    said = f"<p>{html.escape(shares_said(answer['score'], answer['shares']))}</p>"
    if answer["heat"] is None:
        return said + status_html(answer["message"])
    item = answer["item"]
    found = str(item["productDisplayName"] or UNNAMED)
    sides = ("asked", picture, name), ("item", item["image"], found)
    figures = "".join(
        _figure_html(answer["heat"][side], address, called) for side, address, called in sides
    )
    return (
        f'<section aria-label="Where they are alike">{said}<div>{figures}</div>'
        '<p class="note">The warmer a place, the more it makes them look alike.</p></section>'
    )


def _figure_html(heat: Json, picture: str, name: str) -> str:
    cells, (left, top, right, bottom) = np.array(heat["cells"]), heat["box"]
    lies = f"left:{left:.2%};top:{top:.2%};width:{right - left:.2%};height:{bottom - top:.2%}"
    called = f"{name[:1].upper()}{name[1:]}"
    said = html.escape(f"{called}: {hottest(heat['cells'])}")
    return (
        f'<figure><div><img src="{html.escape(picture)}" alt="{said}">'
        f'<img src="{_drawn(cells)}" alt="" style="{lies}"></div>'
        f"<figcaption>{html.escape(called)}</figcaption></figure>"
    )


def _drawn(cells: Any) -> str:
    """Heat as a picture of a pixel a place, which browsers smooth as they enlarge it."""
    most = max(float(cells.max()), 1e-9)
    pixels = np.empty((*cells.shape, 4), np.uint8)
    pixels[..., :3] = _HEAT
    pixels[..., 3] = np.clip(cells / most, 0, 1) * _MOST * 255
    return _address_of(Image.fromarray(pixels), "PNG")


def _as_data(path: str) -> str:
    """A visitor's picture as an address of its own, as no other serves it.

    Raises:
        ImageError: it cannot be read.
    """
    picture = read_image(Path(path), at_least_px=(_SIDE_PX, _SIDE_PX))
    picture.thumbnail((_SIDE_PX, _SIDE_PX))
    return _address_of(picture, "JPEG")


def _address_of(picture: Image.Image, kind: str) -> str:
    file = io.BytesIO()
    picture.save(file, kind)
    return f"data:image/{kind.lower()};base64,{b64encode(file.getvalue()).decode()}"
