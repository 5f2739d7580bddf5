"""The panels of *Find similar*: each owns its components, reads them, and shows a trail in them.

Gradio hands over a dict of component -> value and takes one back, so that nobody keeps an order.
"""

import html
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import gradio as gr
from gradio.blocks import Block

from recommender.errors import ImageError, RecommenderError
from recommender.schema import TYPE, Column
from recommender.search.options import MAX_K, Options
from recommender.service.answers import Service
from recommender.service.examples import PHOTOGRAPHS, first_of_types, shown
from recommender.service.sentences import NO_PICTURE, WELCOME, alike, pass_filters, sentence
from recommender.ui.find.nudges import NudgesPanel
from recommender.ui.find.outfit import OutfitPanel
from recommender.ui.find.place import PARAMETERS, address_of
from recommender.ui.find.reason import ReasonPanel
from recommender.ui.find.taste import JUDGE_JS, TastePanel, judge_html
from recommender.ui.find.variants import EXPAND_JS, variants_html
from recommender.ui.find.view import USUAL_HERE, Items, Trail, item_html, line_html
from recommender.ui.find.words import WordsPanel
from recommender.ui.parts.cards import status_html
from recommender.ui.parts.filters import FilterBoxes
from recommender.ui.parts.inputs import Choice, PictureInput, Values
from recommender.ui.parts.tiles import Tile, of_items, tiles_box, tiles_html
from recommender.ui.server.origin import HERE


def _scripts(*names: str) -> str:
    return "".join(Path(__file__).with_name(f"{name}.js").read_text("utf-8") for name in names)


_EXAMPLES = 8
_CREDIT = (
    "Photographs of the [Clothing dataset](https://github.com/alexeygrigorev/clothing-dataset) "
    "by Alexey Grigorev, CC0."
)


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
            placeholder="# Choose a picture\nor take one, paste one, drop one here",
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

    def show(self, picture: str | None) -> Values:
        """The picture that asks, wherever it came from; None for none."""
        return {self.picture: picture, self.address: ""}


class RegionPanel:
    """Which part of the picture is looked at: a frame on it, and buttons that choose one.

    The page's script draws both. It asks by the value of `frame`, which no answer changes, so that
    an answer to one question does not undo the next; it is answered by the property `shown`.
    """

    def __init__(self) -> None:
        self.frame = gr.HTML(
            None,
            html_template="",
            js_on_load=_scripts("region", "webcam"),
            padding=False,
            elem_id="region",
            shown=None,
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
    """Filters, how many, and by what.

    Attributes:
        boxes: all that is read.
        changes: the events after which it reads otherwise; a slider's is that it is let go.
    """

    def __init__(self, service: Service) -> None:
        """Draw it with what a recommender has to choose from."""
        self._service = service
        recommender = service.recommender
        self._best = recommender.rankings[-1]
        with gr.Accordion("Filters and how many", open=False, elem_id="settings"):
            self.passing = gr.HTML(padding=False, elem_id="passing")
            table, columns = recommender.filters, recommender.columns
            self.filters = FilterBoxes(table, prefix="filter", columns=columns)
            self.k = gr.Slider(1, MAX_K, value=USUAL_HERE.k, step=1, label="How many")
            self.repeats = gr.Checkbox(False, label="Show items with identical pictures too")
            self.spread = gr.Checkbox(
                USUAL_HERE.spread,
                label="Show several types where we are not sure",
                visible=TYPE in recommender.encoder.labels,
            )
            self.fold = gr.Checkbox(False, label="One tile for the variants of one product")
            self.diversity = gr.Slider(
                0, 1, value=0, step=0.1, label="Variety", info="More that look unlike each other"
            )
            self.nudges = NudgesPanel(recommender)
            self.ranking = gr.Radio(
                [("Looks and attributes", "hybrid"), ("Looks alone", "image")],
                value=self._best,
                label="Most similar by",
                visible=len(recommender.rankings) > 1,
                elem_id="ranking",
            )
            sorts = sort_choices(recommender.columns)
            self.sort = Choice(
                sorts, value="", label="In the order of", visible=len(sorts) > 1, elem_id="sort"
            )
        others: list[Choice | gr.Checkbox | gr.Radio]
        others = [self.repeats, self.spread, self.fold, self.ranking, self.sort]
        sliders = [self.k, self.diversity]
        self.boxes: list[Block] = [*sliders, *others, *self.nudges.boxes, *self.filters.boxes]
        self.changes = [
            *(slider.release for slider in sliders),
            *(box.input for box in others),
            *self.nudges.changes,
            *self.filters.changes,
        ]

    def read(self, values: Values) -> Options:
        """How to search.

        Raises:
            QueryError: that cannot be.
        """
        ranking = values[self.ranking]
        return Options(
            k=values[self.k],
            repeats=values[self.repeats],
            spread=values[self.spread],
            diversity=values[self.diversity],
            fold=values[self.fold],
            **self.nudges.read(values),
            ranking="auto" if ranking == self._best else ranking,
            sort=values[self.sort] or "",
            filters=self.filters.read(values),
        )

    def show(self, options: Options) -> Values:
        """The boxes as somebody chose who searches so."""
        return {
            self.k: options.k,
            self.repeats: options.repeats,
            self.spread: options.spread,
            self.diversity: options.diversity,
            self.fold: options.fold,
            **self.nudges.show(options),
            self.sort: options.sort,
            self.ranking: self._best if options.ranking == "auto" else options.ranking,
            **self.filters.show(options.filters or {}),
        }

    def count(self, values: Values) -> Values:
        """How many items pass, beside the boxes, as on a phone the results are out of sight."""
        recommender = self._service.recommender
        try:
            mask = recommender.filters.mask(self.filters.read(values))
        except RecommenderError:
            return {self.passing: ""}  # the status says why
        total = len(recommender)
        said = pass_filters(total if mask is None else int(mask.sum()), total)
        return {self.passing: status_html(said)}


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
    """The way back, a line that says what is on show, and what it is like in small."""

    def __init__(self) -> None:
        self.back = gr.Button("← Back", visible=False, size="sm", scale=0, elem_id="back")
        self.asked = gr.HTML(padding=False, elem_id="asked")
        self.status = gr.HTML(line_html(WELCOME), padding=False, elem_id="status")
        self.parts: list[Block] = [self.back, self.asked, self.status]

    def show(self, trail: Trail, items: Items) -> Values:
        view, small = trail.view, ""
        if view.query == "picture":
            # The page's script has the picture's address.
            small = '<a href="#picture"><img data-mirror alt="Your picture"></a>'
        elif view.query_id is not None and (asked := items.get(view.query_id)):
            address, name = html.escape(asked["image"]), html.escape(sentence(asked))
            small = f'<img src="{address}" alt="{name}">'
        return {
            self.back: gr.Button(visible=bool(trail.before)),
            self.asked: small,
            self.status: line_html(view.status),
        }


class PlacePanel:
    """The page's address, a link to it, and the shortlist, all of which the page's script draws.

    It tells of the browser's Back by `input`, and of a picture that was pasted by `upload`.
    """

    def __init__(self) -> None:
        self.place = gr.HTML(
            None,
            html_template="",
            js_on_load=f"const OWN = {json.dumps(PARAMETERS)};\n{_scripts('place')}",
            padding=False,
            elem_id="place",
            place=None,
        )
        self.parts: list[Block] = [self.place]

    def show(self, trail: Trail, items: Items) -> Values:
        view = trail.view
        place = {
            "address": address_of(view),
            "depth": len(trail.before) + (view.query != "nothing"),
            "query": view.query,
            "ids": view.ids if view.query == "shortlist" else (),
        }
        return {self.place: gr.HTML(place=place)}


class ItemPanel:
    """The item that is open, why it was found, and what goes with it."""

    def __init__(self, service: Service, trail: gr.State) -> None:
        with gr.Column(visible=False, elem_id="item") as self.column:
            self.close = gr.Button("✕ Close", size="sm", elem_id="close")
            self.card = gr.HTML(padding=False)
            self.reason = ReasonPanel(service, trail)
            self.more = gr.Button("More like this", variant="primary", size="md", elem_id="more")
            self.outfit = OutfitPanel(service, trail)
        self.parts: list[Block] = [
            *(self.column, self.card, self.more),
            *(*self.reason.parts, *self.outfit.parts),
        ]

    def wire(self, taste: TastePanel) -> None:
        """Let what it tells of the item go by a visitor's taste."""
        self.reason.wire(taste)
        self.outfit.wire(taste)

    def show(self, trail: Trail, items: Items) -> Values:
        view = trail.view
        item = items.get(view.opened) if view.opened is not None else None
        asks = view.query == "item" and view.query_id == view.opened
        return {
            self.column: gr.Column(visible=item is not None),
            self.card: "" if item is None else item_html(item),
            self.more: gr.Button(visible=not asks),
            **self.reason.show(trail, items),
            **self.outfit.hide(),
        }


class ResultsPanel:
    """What was found; before anything was, examples for whoever has no picture at hand."""

    def __init__(self) -> None:
        self.unfold = gr.Button("Show the nearest", visible=False, elem_id="unfold")
        self.tiles = tiles_box("results", visible=False, also_js=JUDGE_JS + EXPAND_JS)
        with gr.Column(elem_id="beginning") as self.beginning:
            gr.Markdown("No picture at hand? Try one of these photographs:")
            self.photographs = tiles_box("photographs")
            gr.Markdown(_CREDIT, elem_classes="note")
            gr.Markdown("… or start from an item:")
            self.examples = tiles_box("examples")
        self.parts: list[Block] = [self.unfold, self.tiles, self.beginning]

    def begin(self, service: Service) -> Values:
        """The examples: photographs stand for their names, items for their ids."""
        ids = first_of_types(service.recommender.frame, _EXAMPLES)
        items = of_items([*service.items(ids, HERE).values()])
        photographs = [
            Tile(name, f"{HERE}/photographs/{name}", shown(name)) for name in PHOTOGRAPHS
        ]
        return {self.photographs: tiles_html(photographs), self.examples: tiles_html(items)}

    def show(self, trail: Trail, items: Items) -> Values:
        view = trail.view
        there = [items[item_id] for item_id in view.ids]
        asked = items.get(view.query_id, {}) if view.query_id is not None else view.likeliest
        pairs = zip(view.scores, there, strict=True) if view.scores else ()
        why = [alike(score, asked, item) for score, item in pairs]
        upon = [judge_html(item) + variants_html(item, view) for item in there]
        found = tiles_html(of_items(there, why), upon)
        folded = trail.view.folded and bool(found)
        return {
            self.unfold: gr.Button(visible=folded),
            self.tiles: gr.HTML(found, visible=bool(found) and not folded),
            self.beginning: gr.Column(visible=trail.view.query == "nothing"),
        }
