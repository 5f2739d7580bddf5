"""Tab *Find similar*: a picture, an address or an item in; results, filters and a way back."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.data_classes import ImageData

from recommender.errors import RecommenderError
from recommender.service.answers import Service
from recommender.service.examples import PHOTOGRAPHS
from recommender.service.sentences import KEPT
from recommender.service.worded import Json
from recommender.ui.find.focus import PICTURE_NOW, TO_ITEM, TO_PLACE, TO_RESULTS, TO_STATUS
from recommender.ui.find.panels import (
    BarPanel,
    ItemPanel,
    Panel,
    PlacePanel,
    QueryPanel,
    ResultsPanel,
    SettingsPanel,
)
from recommender.ui.find.place import back_to, parts_of, read_address, tab_of
from recommender.ui.find.seen import SeenPanel
from recommender.ui.find.taste import TastePanel
from recommender.ui.find.thumbs import ThumbsPanel
from recommender.ui.find.variants import wire_variants
from recommender.ui.find.view import Trail, View
from recommender.ui.find.views import Views
from recommender.ui.parts.inputs import QUIET, Values
from recommender.ui.parts.tiles import clicked
from recommender.ui.server.origin import HERE


class FindTab:
    """The tab's panels and what happens between them.

    Attributes:
        trail: what a session has on show, and its way back.
        outputs: the components that every handler fills.
    """

    def __init__(self, service: Service, tabs: gr.Tabs) -> None:
        """Draw the tab, within a `gr.Tab` of `tabs`, where its id is `find`."""
        self.service, self._tabs = service, tabs
        self.trail = gr.State(Trail())
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                self.query = QueryPanel(service)
                self.settings = SettingsPanel(service)
                gr.Markdown(KEPT, elem_classes="note")
            with gr.Column(scale=5, min_width=320):
                with gr.Row(elem_id="bar"):
                    self.bar = BarPanel()
                    with gr.Row(elem_id="tools"):
                        self.thumbs, self.place = ThumbsPanel(service, self.trail), PlacePanel()
                self.query.words.chips.render()  # type: ignore[no-untyped-call]
                self.seen = SeenPanel(service)
                self.item = ItemPanel(service, self.trail)
                self.taste = TastePanel(service, self.trail)
                self.results = ResultsPanel()
        self.words = self.query.words
        self.views = Views(service, self.query, self.settings, self.taste)
        self.panels: list[Panel] = [
            self.words,
            self.query.region,
            self.bar,
            self.thumbs,
            self.seen,
            self.item,
            self.results,
            self.place,  # last: the address is that of what stands there
        ]
        self.outputs = [
            self.trail,
            self.words.box,
            *(part for panel in self.panels for part in panel.parts),
        ]
        self._wire()

    def _wire(self) -> None:
        query, settings, outputs = self.query, self.settings, self.outputs
        self._inputs: set[Block] = {self.trail, self.taste.kept, *settings.boxes}
        with_picture: set[Block] = {query.picture, *self._inputs}
        with_words: set[Block] = {self.words.box, *with_picture}
        at_once: Json = {"concurrency_id": "search", **QUIET}
        progress = {"show_progress_on": [self.bar.status, self.results.tiles]}
        search: Json = {"concurrency_id": "search", "api_visibility": "private", **progress}
        # Pasting first takes the old picture away; "once" would drop the new one that follows.
        latest: Json = {"trigger_mode": "always_last", **search}
        landed = query.picture.input(self.on_picture, with_words, outputs, js=PICTURE_NOW, **latest)
        frame = query.region.frame
        frame.input(self.on_region, {frame, *with_picture}, outputs, **latest)
        asked, asking = [query.find.click, query.address.submit], {query.address, *with_words}
        answered = [query.picture, query.address, *outputs]
        found = gr.on(asked, self.on_find, asking, answered, **search)
        counted = [settings.passing, *outputs]
        gr.on(settings.changes, self.on_settings, with_picture, counted, **latest)
        cleared = settings.filters.wire_clear(**at_once)
        cleared.then(self.on_settings, with_picture, counted, **search)
        chosen = [*settings.boxes, *counted]
        self.seen.chips.input(self.on_seen, with_picture, chosen, **latest)
        examples, results = self.results.examples, self.results.tiles
        at_hand: set[Block] = {self.words.box, *self._inputs}
        returning = [query.picture, *chosen]
        photographs, unfold = self.results.photographs, self.results.unfold
        moves = [
            landed,
            found,
            self.words.box.submit(self.on_words, with_words, outputs, **search),
            self.words.chips.click(self.on_taken_back, with_picture, outputs, **search),
            self.place.place.upload(self.on_paste, at_hand, answered, **search),
            query.surprise.click(self.on_surprise, self._inputs, answered, **search),
            self.item.more.click(self.on_more, self._inputs, answered, **search),
            photographs.click(self.on_photograph, at_hand, answered, **search),
            examples.click(self.on_example, self._inputs, answered, **search),
            self.bar.back.click(self.on_back, {self.trail, query.picture}, returning, **at_once),
            self.item.close.click(self.on_close, {self.trail}, outputs, **at_once),
        ]
        for move in moves:
            move.then(None, js=TO_STATUS, api_visibility="private")
        opened = results.click(self.on_select, {self.trail}, outputs, **at_once)
        opened.then(None, js=TO_ITEM, api_visibility="private")
        wire_variants(results.expand, self.trail, self._show, outputs, **at_once)
        self.taste.wire(results.like, self.on_settings, with_picture, counted, **latest)
        self.item.wire(self.taste)
        unfolded = unfold.click(self.on_unfold, {self.trail}, outputs, **at_once)
        unfolded.then(None, js=TO_RESULTS, api_visibility="private")

    def wire_load(self, blocks: gr.Blocks) -> None:
        """Fill the examples, and show what the address says, when the page loads or goes back."""
        examples = [self.results.photographs, self.results.examples]
        settings = [*self.settings.boxes, self.settings.passing, *self.taste.parts]
        shown = [self._tabs, self.query.picture, *settings, *self.outputs]
        loaded = blocks.load(self.on_load, self._inputs, [*examples, *shown], **QUIET)
        loaded.then(None, js=TO_PLACE, api_visibility="private")
        here: set[Block] = {self.query.picture, *self._inputs}
        moved = self.place.place.input(self.on_place, here, shown, **QUIET)
        moved.then(None, js=TO_STATUS, api_visibility="private")

    def wire_opening(self, click: Callable[..., Any]) -> None:
        """Open in this tab the item that a click elsewhere stands for."""

        def open_item(values: Values, event: gr.EventData) -> Values:
            updates = self._move_to(clicked(event), values)
            if (item_id := updates[self.trail].view.opened) is not None:
                self.service.note("open", item_id)
            return {self._tabs: gr.Tabs(selected="find"), **updates}

        settings: Json = {"concurrency_id": "search", **QUIET}
        shown = [self._tabs, self.query.picture, self.query.address, *self.outputs]
        opened = gr.on(click, open_item, self._inputs, shown, **settings)
        opened.then(None, js=TO_STATUS, api_visibility="private")

    # Handlers. Each ends in `_show`. Gradio passes `request` and `event` by type.

    def on_picture(self, values: Values) -> Values:
        """A picture landed, or was taken away."""
        trail: Trail = values[self.trail]
        if values[self.query.picture] is None:
            return self._move(Trail())
        # Words that were asked already were another question's.
        text = self.words.read(values)
        view = View(text=text if text != trail.view.text else "")
        return self._move(trail.to(self.views.like_picture(values, view)))

    def on_words(self, values: Values) -> Values:
        """Words were asked: beside the picture or the item on show, else by themselves."""
        trail: Trail = values[self.trail]
        return self._say(trail.view, self.words.read(values), values)

    def on_taken_back(self, values: Values, event: gr.EventData) -> Values:
        """A chip of what was understood was clicked: the same question without it."""
        trail: Trail = values[self.trail]
        if (left := self.words.taken_back(event, trail)) is None:
            return self._show(trail)
        return self._say(View() if left.alone else trail.view, left.text, values)

    def _say(self, beside: View, text: str, values: Values) -> Values:
        """What is as a text says, beside what a view is like."""
        trail: Trail = values[self.trail]
        view = self.views.but(beside, text, values)
        if view.query == "nothing":  # what is on show stays
            view = replace(trail.view, text=text, status=view.status)
            return self._move(replace(trail, view=view))
        return self._move(trail.to(replace(view, opened=None)))  # whose card would hide the results

    def on_region(self, values: Values) -> Values:
        """Another part of the picture was marked: look there, in the same place."""
        trail: Trail = values[self.trail]
        if trail.view.query != "picture" or values[self.query.picture] is None:
            return self._show(trail)  # the page moved on meanwhile
        # Another part of it is another garment, of which nobody said anything.
        options = replace(trail.view.options, corrected=None)
        view = replace(trail.view, region=self.query.region.read(values), options=options)
        view = self.views.like_picture(values, view)
        return self._show(replace(trail, view=view))

    def on_find(self, values: Values) -> Values:
        """The button, or Enter in the address."""
        pictured = values[self.query.picture] is not None or values[self.query.address].strip()
        if not pictured and self.words.read(values):
            return self.on_words(values)
        try:
            picture = self.query.read(values)
        except RecommenderError as error:
            return self._move(values[self.trail].to(View(status=str(error))))
        trail: Trail = values[self.trail]
        if trail.view.query == "picture" and trail.view.picture == picture:
            # The frame stays where it is.
            view = replace(trail.view, text=self.words.read(values))
            updates = self._move(replace(trail, view=self.views.like_picture(values, view)))
        else:
            updates = self.on_picture({**values, self.query.picture: picture})
        return {**self.query.show(picture), **updates}

    def on_paste(self, values: Values, event: gr.EventData) -> Values:
        """A picture was pasted anywhere on the page: as if the visitor had chosen it."""
        told = event._data if isinstance(event._data, dict) else {}
        path = told.get("path")
        sent = ImageData(path=path) if isinstance(path, str) else None
        picture = self.query.picture.preprocess(sent)
        return self.on_find({**values, self.query.picture: picture, self.query.address: ""})

    def on_settings(self, values: Values) -> Values:
        """Filters and numbers changed: look again for what was asked, in the same place."""
        trail: Trail = values[self.trail]
        view = self.views.again(trail.view, values)
        return {**self.settings.count(values), **self._show(replace(trail, view=view))}

    def on_seen(self, values: Values, event: gr.EventData) -> Values:
        """What was seen was corrected, or made a filter: look again, in the same place."""
        trail: Trail = values[self.trail]
        view, told = trail.view, self.seen.read(event)
        if told is None or view.query != "picture":
            return self._show(trail)
        label, value, only = told
        chosen: Values = {}
        if only:
            filters = {**self.settings.filters.read(values), label: [value]}
            chosen = self.settings.filters.show(filters)
        else:
            view = view.with_correction(label, value)
        values = {**values, **chosen}
        view = self.views.again(view, values)
        return {**chosen, **self.settings.count(values), **self._show(replace(trail, view=view))}

    def on_surprise(self, values: Values) -> Values:
        """Start from a random item."""
        return self._move_to(random.choice(self.service.recommender.frame["id"].tolist()), values)

    def on_more(self, values: Values) -> Values:
        """Items like the one that is open."""
        return self._move_to(values[self.trail].view.opened, values)

    def on_photograph(self, values: Values, event: gr.EventData) -> Values:
        """A photograph was clicked: as if the visitor had shown it."""
        if (path := PHOTOGRAPHS.get(str(clicked(event)))) is None:
            return self._show(values[self.trail])
        picture = self.query.picture.keep(path.read_bytes())
        return self.on_find({**values, self.query.picture: picture, self.query.address: ""})

    def on_example(self, values: Values, event: gr.EventData) -> Values:
        """An item among the examples was clicked."""
        return self._move_to(clicked(event), values)

    def on_unfold(self, values: Values) -> Values:
        """Show what is nearest, though it is not like what was asked for."""
        trail: Trail = values[self.trail]
        return self._show(replace(trail, view=replace(trail.view, folded=False)))

    def on_select(self, values: Values, event: gr.EventData) -> Values:
        """A result was clicked: show its attributes above the results."""
        trail: Trail = values[self.trail]
        item_id = clicked(event)
        if item_id is not None and item_id in trail.view.ids:  # else they changed meanwhile
            self.service.note("open", item_id)
            trail = trail.to(replace(trail.view, opened=item_id))
        return self._show(trail)

    def on_close(self, values: Values) -> Values:
        """Close the item: where it was opened from what is still on show, that is a step back."""
        trail: Trail = values[self.trail]
        closed = replace(trail.view, opened=None)
        opened_here = [replace(before, opened=None) for before in trail.before[-1:]] == [closed]
        return self._show(trail.back() if opened_here else replace(trail, view=closed))

    def on_back(self, values: Values) -> Values:
        """To the view before, to its settings, and to the picture that asked, if it is there."""
        return self._return_to(values[self.trail].back(), values)

    def on_place(self, values: Values, event: gr.EventData) -> Values:
        """The browser went back or on, or a link within the page was followed."""
        parts = parts_of(told := event._data)
        trail: Trail = values[self.trail]
        tab = {self._tabs: gr.Tabs(selected=tab_of(parts))}
        if (known := back_to(trail, parts)) is not None:
            return {**tab, **self._return_to(known, values)}
        view = self.views.of_place(read_address(parts, self.service.recommender), values)
        forward = isinstance(told, dict) and told.get("forward") is True
        trail = trail.to(view) if forward else Trail(view)
        return {**tab, **self._return_to(trail, values)}

    def on_load(self, values: Values, request: gr.Request) -> Values:
        """The page was opened, perhaps at an address that says more."""
        self.service.live.prepare()
        parts = dict(request.query_params)
        view = self.views.of_place(read_address(parts, self.service.recommender), values)
        # Who is already at another tab stays there, unless the address says where to be.
        tab = {self._tabs: gr.Tabs(selected=tab_of(parts))} if "tab" in parts else {}
        return {
            **tab,
            **self.results.begin(self.service),
            **self.taste.show(self.taste.read(values)),
            **self._return_to(Trail(view), {**values, self.query.picture: None}),
        }

    # What the handlers share.

    def _return_to(self, trail: Trail, values: Values) -> Values:
        """Show a trail with the picture and the settings that its view was found by."""
        updates = {**self.settings.show(trail.view.options), **self._move(trail)}
        updates |= self.settings.count({**values, **updates})
        picture = trail.view.picture if trail.view.query == "picture" else None
        if picture != values[self.query.picture]:
            there = picture is not None and Path(picture).is_file()
            updates[self.query.picture] = picture if there else None
        return updates

    def _move_to(self, item_id: Any, values: Values) -> Values:
        """On to what is like an item; the picture that asked is no longer what does."""
        view = self.views.like_item(item_id, values)
        return {**self.query.show(None), **self._move(values[self.trail].to(view))}

    def _move(self, trail: Trail) -> Values:
        """The same, where the words that ask are others than before."""
        return {**self._show(trail), **self.words.typed(trail)}

    def _show(self, trail: Trail) -> Values:
        """A trail in all panels; what left the catalog since is left out."""
        view = trail.view
        opened = [] if view.opened is None else [view.opened]
        asks = [] if view.query_id is None else [view.query_id]
        items = self.service.items([*view.ids, *opened, *asks], HERE)
        there = [at for at, item_id in enumerate(view.ids) if item_id in items]
        ids = tuple(view.ids[at] for at in there)
        scores = tuple(view.scores[at] for at in there) if view.scores else ()
        trail = replace(trail, view=replace(view, ids=ids, scores=scores))
        updates: Values = {self.trail: trail, self.words.box: gr.skip()}  # in which one may type
        for panel in self.panels:
            updates |= panel.show(trail, items)
        return updates
