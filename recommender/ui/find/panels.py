"""The panels of *Find similar*: each owns its components, reads them, and shows a trail in them.

Gradio hands over a dict of component -> value and takes one back, so that nobody keeps an order.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import gradio as gr
from gradio.blocks import Block

from recommender.errors import ImageError
from recommender.schema import Column, Id
from recommender.search.options import MAX_K, Options
from recommender.search.recommender import Recommender
from recommender.service.answers import Json, Service
from recommender.service.examples import PHOTOGRAPHS, shown
from recommender.service.sentences import NO_PICTURE, WELCOME
from recommender.ui.find.view import Trail, beliefs_html, item_html
from recommender.ui.find.words import WordsPanel
from recommender.ui.parts.cards import status_html
from recommender.ui.parts.filters import FilterBoxes
from recommender.ui.parts.inputs import Choice, PictureInput, Values
from recommender.ui.parts.tiles import Tile, of_items, tiles_box, tiles_html
from recommender.ui.server.origin import HERE

_SCRIPTS = "".join(
    Path(__file__).with_name(f"{name}.js").read_text("utf-8") for name in ("region", "webcam")
)
_CREDIT = (
    "Photographs of the [Clothing dataset](https://github.com/alexeygrigorev/clothing-dataset) "
    "by Alexey Grigorev, CC0."
)

Items = dict[Id, Json]
"""An id -> its item, with the address of its picture."""


class Panel(Protocol):
    """What shows a part of a trail, in components of its own: `parts`."""

    parts: list[Block]

    def show(self, trail: Trail, items: Items) -> Values:
        """Its components' values; `items` are those that the trail's view names."""


class QueryPanel:
    """The words and the picture that ask, or its web address."""

    def __init__(self, service: Service) -> None:
        """Draw it; `service` fetches what an address names."""
        self.words = WordsPanel()
        self._fetch = service.fetch
        # A mirrored garment has its text and buttons on the wrong side; a phone's rear camera is
        # the one that sees the garment.
        rear = {"video": {"facingMode": {"ideal": "environment"}}}
        self.picture = PictureInput(
            label="Your picture",
            placeholder="# Drop a picture here\nor choose one, take one, paste one",
            sources=["upload", "webcam", "clipboard"],
            height=300,
            buttons=[],
            webcam_options=gr.WebcamOptions(mirror=False, constraints=rear),
            alt_text="The picture that you are looking for",
            elem_id="picture",
        )
        self.region = RegionPanel()
        self.address = gr.Textbox(
            label="Or its web address",
            placeholder="https://…",
            max_lines=1,
            max_length=2000,
            visible=service.fetch_urls,
            elem_id="address",
        )
        with gr.Row():
            self.find = gr.Button("Find similar", variant="primary", min_width=120)
            self.surprise = gr.Button("Surprise me", min_width=120)

    def read(self, values: Values) -> str:
        """The file of the picture that asks; an address that was typed comes first.

        Raises:
            RecommenderError: there is neither, or the address leads to no picture.
        """
        if address := values[self.address].strip():
            return self.picture.keep(self._fetch(address))
        if (picture := values[self.picture]) is None:
            raise ImageError(NO_PICTURE)
        return str(picture)

    def show(self, picture: str) -> Values:
        """The picture that asks, wherever it came from."""
        return {self.picture: picture, self.address: ""}


class RegionPanel:
    """Which part of the picture is looked at: a frame on it, and buttons that choose one.

    The page's script draws both. It asks by the value of `frame`, which no answer changes, so that
    an answer to one question does not undo the next; it is answered by the property `shown`.
    """

    def __init__(self) -> None:
        self.frame = gr.HTML(
            None, html_template="", js_on_load=_SCRIPTS, padding=False, elem_id="region", shown=None
        )
        self.parts: list[Block] = [self.frame]

    def read(self, values: Values) -> object:
        """What is asked for, as `read_region` takes it."""
        asked = values[self.frame]
        return tuple(asked) if isinstance(asked, list) else asked

    def show(self, trail: Trail, items: Items) -> Values:
        view = trail.view
        shown = None
        if view.query == "picture":
            shown = {"picture": view.picture, "box": view.looked_at, "regions": view.regions}
        return {self.frame: gr.HTML(shown=shown)}


class SettingsPanel:
    """Filters, how many, and by what."""

    def __init__(self, recommender: Recommender) -> None:
        """Draw it with what a recommender has to choose from."""
        with gr.Accordion("Filters and how many", open=False, elem_id="settings"):
            values, columns = recommender.filters.values, recommender.columns
            self.filters = FilterBoxes(values, prefix="filter", columns=columns)
            self.k = gr.Slider(1, MAX_K, value=12, step=1, label="How many")
            self.repeats = gr.Checkbox(False, label="Show items with identical pictures too")
            self.ranking = gr.Radio(
                [("Looks and attributes", "hybrid"), ("Looks alone", "image")],
                value=recommender.rankings[-1],
                label="Most similar by",
                visible=len(recommender.rankings) > 1,
                elem_id="ranking",
            )
            sorts = sort_choices(recommender.columns)
            self.sort = Choice(
                sorts, value="", label="In the order of", visible=len(sorts) > 1, elem_id="sort"
            )
        self.boxes = [self.k, self.repeats, self.ranking, self.sort, *self.filters.boxes]

    def read(self, values: Values) -> Options:
        """How to search.

        Raises:
            QueryError: that cannot be.
        """
        return Options(
            k=values[self.k],
            repeats=values[self.repeats],
            ranking=values[self.ranking],
            sort=values.get(self.sort) or "",
            filters=self.filters.read(values),
        )


def sort_choices(columns: Iterable[Column]) -> list[tuple[str, str]]:
    """By what results may be ordered: how it is called -> as `Options` takes it."""
    choices = [("likeness", "")]
    for column in columns:
        if column.kind == "number":
            choices += [
                (f"{column.noun}, lowest first", column.name),
                (f"{column.noun}, highest first", f"-{column.name}"),
            ]
    return choices


class BarPanel:
    """The way back, a line that says what is on show, and what is seen in the picture that asks."""

    def __init__(self) -> None:
        with gr.Row(elem_id="bar"):
            self.back = gr.Button("← Back", visible=False, size="sm", scale=0, elem_id="back")
            self.status = gr.HTML(status_html(WELCOME), padding=False, elem_id="status")
        self.seen = gr.HTML(padding=False, elem_id="seen")
        self.parts: list[Block] = [self.back, self.status, self.seen]

    def show(self, trail: Trail, items: Items) -> Values:
        return {
            self.back: gr.Button(visible=bool(trail.before)),
            self.status: status_html(trail.view.status),
            self.seen: beliefs_html(trail.view.beliefs),
        }


class ItemPanel:
    """The item that is open."""

    def __init__(self) -> None:
        with gr.Column(visible=False, elem_id="item") as self.column:
            self.card = gr.HTML(padding=False)
            self.more = gr.Button("More like this", variant="primary", size="md", elem_id="more")
        self.parts: list[Block] = [self.column, self.card, self.more]

    def show(self, trail: Trail, items: Items) -> Values:
        view = trail.view
        item = items.get(view.opened) if view.opened is not None else None
        asks = view.query == "item" and view.query_id == view.opened
        return {
            self.column: gr.Column(visible=item is not None),
            self.card: "" if item is None else item_html(item),
            self.more: gr.Button(visible=not asks),
        }


class ResultsPanel:
    """What was found; before anything was, examples for whoever has no picture at hand."""

    def __init__(self) -> None:
        self.unfold = gr.Button("Show the nearest", visible=False, elem_id="unfold")
        self.tiles = tiles_box("results", visible=False)
        with gr.Column(elem_id="beginning") as self.beginning:
            gr.Markdown("No picture at hand? Try one of these photographs:")
            self.photographs = tiles_box("photographs")
            gr.Markdown(_CREDIT, elem_classes="note")
            gr.Markdown("… or start from an item:")
            self.examples = tiles_box("examples")
        self.parts: list[Block] = [self.unfold, self.tiles, self.beginning]

    def show(self, trail: Trail, items: Items) -> Values:
        found = tiles_html(of_items(items[item_id] for item_id in trail.view.ids))
        folded = trail.view.folded and bool(found)
        return {
            self.unfold: gr.Button(visible=folded),
            self.tiles: gr.HTML(found, visible=bool(found) and not folded),
            self.beginning: gr.Column(visible=trail.view.query == "nothing"),
        }


def photograph_tiles() -> list[Tile]:
    """The photographs to try, which stand for their names, in the order of `PHOTOGRAPHS`."""
    return [(name, f"{HERE}/photographs/{name}", shown(name)) for name in PHOTOGRAPHS]
