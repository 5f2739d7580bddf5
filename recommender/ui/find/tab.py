"""Tab *Find similar*: a picture, an address or an item in; results, filters and a way back."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block

from recommender.errors import RecommenderError
from recommender.schema import Id
from recommender.service.answers import Json, Service
from recommender.service.examples import PHOTOGRAPHS
from recommender.service.sentences import YOUR_PART, YOUR_PICTURE, but_as_said
from recommender.ui.find.panels import (
    BarPanel,
    ItemPanel,
    Panel,
    QueryPanel,
    ResultsPanel,
    SettingsPanel,
    photograph_tiles,
)
from recommender.ui.find.view import Trail, View
from recommender.ui.parts.inputs import QUIET, Values
from recommender.ui.parts.tiles import clicked, of_items, tiles_html
from recommender.ui.server.origin import HERE

_EXAMPLES = 8
# On a phone the results are below the query, and an opened item is above a result far down.
_TO_STATUS = """() => {
  const bar = document.querySelector("#bar"), top = bar?.getBoundingClientRect().top;
  if (top < 0 || top > innerHeight / 2) bar.scrollIntoView({block: "start"});
}"""
# Gradio says that a picture which the server put there is gone before it takes it away.
_PICTURE_NOW = """async (...values) => {
  await new Promise(done => setTimeout(done));
  const gone = !document.querySelector("#picture img");
  return values.map(value => gone && value?.meta?._type === "gradio.FileData" ? null : value);
}"""
# The button that was pressed is gone, and the focus with it.
_TO_RESULTS = """() => {
  setTimeout(() => document.querySelector("#results button")?.focus(), 100);
}"""


class FindTab:
    """The tab's panels and what happens between them.

    Attributes:
        trail: what a session has on show, and its way back.
        outputs: the components that every handler fills.
    """

    def __init__(self, service: Service) -> None:
        """Draw the tab, within a `gr.Tab`."""
        self.service = service
        self.trail = gr.State(Trail())
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                self.query = QueryPanel(service)
                self.settings = SettingsPanel(service.recommender)
                note = "Pictures that you show are deleted within an hour."
                gr.Markdown(note, elem_classes="note")
            with gr.Column(scale=5, min_width=320):
                self.bar, self.item, self.results = BarPanel(), ItemPanel(), ResultsPanel()
        self.words = self.query.words
        self.panels: list[Panel] = [
            self.words,
            self.query.region,
            self.bar,
            self.item,
            self.results,
        ]
        self.outputs = [
            self.trail,
            self.words.box,
            *(part for panel in self.panels for part in panel.parts),
        ]
        self._wire()

    def _wire(self) -> None:
        query, settings, outputs = self.query, self.settings, self.outputs
        self._inputs: set[Block] = {self.trail, *settings.boxes}
        with_picture: set[Block] = {query.picture, *self._inputs}
        with_words: set[Block] = {self.words.box, *with_picture}
        at_once: Json = {"concurrency_id": "search", **QUIET}
        progress = {"show_progress_on": [self.bar.status, self.results.tiles]}
        search: Json = {"concurrency_id": "search", "api_visibility": "private", **progress}
        # Pasting first takes the old picture away; "once" would drop the new one that follows.
        latest: Json = {"trigger_mode": "always_last", **search}
        landed = query.picture.input(
            self.on_picture, with_words, outputs, js=_PICTURE_NOW, **latest
        )
        frame = query.region.frame
        frame.input(self.on_region, {frame, *with_picture}, outputs, **latest)
        asked, asking = [query.find.click, query.address.submit], {query.address, *with_words}
        answered = [query.picture, query.address, *outputs]
        found = gr.on(asked, self.on_find, asking, answered, **search)
        ordered = [settings.ranking.input, settings.sort.input]
        changed = [settings.repeats.input, *ordered, settings.k.release]
        changed = [*settings.filters.changes, *changed]
        gr.on(changed, self.on_settings, with_picture, outputs, **latest)
        cleared = settings.filters.wire_clear(**at_once)
        cleared.then(self.on_settings, with_picture, outputs, **search)
        examples, results = self.results.examples, self.results.tiles
        leaving: set[Block] = {self.trail, query.picture}
        returning = [query.picture, *outputs]
        photographs, unfold = self.results.photographs, self.results.unfold
        moves = [
            landed,
            found,
            self.words.box.submit(self.on_words, with_words, outputs, **search),
            self.words.chips.click(self.on_taken_back, with_picture, outputs, **search),
            query.surprise.click(self.on_surprise, self._inputs, outputs, **search),
            self.item.more.click(self.on_more, self._inputs, outputs, **search),
            photographs.click(
                self.on_photograph, {self.words.box, *self._inputs}, answered, **search
            ),
            examples.click(self.on_example, self._inputs, outputs, **search),
            results.click(self.on_select, {self.trail}, outputs, **at_once),
            self.bar.back.click(self.on_back, leaving, returning, **at_once),
        ]
        for move in moves:
            move.then(None, js=_TO_STATUS, api_visibility="private")
        unfolded = unfold.click(self.on_unfold, {self.trail}, outputs, **at_once)
        unfolded.then(None, js=_TO_RESULTS, api_visibility="private")

    def wire_load(self, blocks: gr.Blocks) -> None:
        """Fill the examples, and open `?item=ID`, when the page loads."""
        examples = [self.results.photographs, self.results.examples]
        blocks.load(self.on_load, self._inputs, [*examples, *self.outputs], **QUIET)

    def wire_opening(self, click: Callable[..., Any], tabs: gr.Tabs) -> None:
        """Open in this tab, `find` of the tabs, the item that a click elsewhere stands for."""

        def open_item(values: Values, event: gr.EventData) -> Values:
            updates = self._move_to(clicked(event), values)
            if (item_id := updates[self.trail].view.opened) is not None:
                self.service.note("open", item_id)
            return {tabs: gr.Tabs(selected="find"), **updates}

        settings: Json = {"concurrency_id": "search", **QUIET}
        opened = gr.on(click, open_item, self._inputs, [tabs, *self.outputs], **settings)
        opened.then(None, js=_TO_STATUS, api_visibility="private")

    # Handlers. Each ends in `_show`. Gradio passes `request` and `event` by type.

    def on_picture(self, values: Values) -> Values:
        """A picture landed, or was taken away."""
        trail: Trail = values[self.trail]
        if values[self.query.picture] is None:
            return self._move(Trail())
        # Words that were asked already were another question's.
        text = self.words.read(values)
        view = View(text=text if text != trail.view.text else "")
        return self._move(trail.to(self._like_picture(values, view)))

    def on_words(self, values: Values) -> Values:
        """Words were asked: beside the picture or the item on show, else by themselves."""
        trail: Trail = values[self.trail]
        return self._say(trail.view, self.words.read(values), values)

    def on_taken_back(self, values: Values, event: gr.EventData) -> Values:
        """A chip of what was understood was clicked: the same question without it."""
        trail: Trail = values[self.trail]
        if (left := self.words.taken_back(event, trail)) is None:
            return self._show(trail)
        view = View() if left.alone else trail.view
        return self._say(view, left.text, values)

    def _say(self, beside: View, text: str, values: Values) -> Values:
        """What is as a text says, beside what a view is like."""
        trail: Trail = values[self.trail]
        view = self._again(replace(beside, text=text), values)
        if view.query == "nothing":  # what is on show stays
            view = replace(trail.view, text=text, status=view.status)
            return self._move(replace(trail, view=view))
        return self._move(trail.to(view))

    def on_region(self, values: Values) -> Values:
        """Another part of the picture was marked: look there, in the same place."""
        trail: Trail = values[self.trail]
        if trail.view.query != "picture" or values[self.query.picture] is None:
            return self._show(trail)  # the page moved on meanwhile
        view = replace(trail.view, region=self.query.region.read(values))
        view = self._like_picture(values, view)
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
            updates = self._move(replace(trail, view=self._like_picture(values, view)))
        else:
            updates = self.on_picture({**values, self.query.picture: picture})
        return {**self.query.show(picture), **updates}

    def on_settings(self, values: Values) -> Values:
        """Filters and numbers changed: look again for what was asked, in the same place."""
        trail: Trail = values[self.trail]
        view = trail.view
        if view.query == "nothing" or (view.query == "picture" and not values[self.query.picture]):
            return self._show(trail)
        again = self._again(view, values)
        again = replace(again, folded=again.folded and view.folded)  # opened, they stay so
        return self._show(replace(trail, view=again))

    def on_surprise(self, values: Values) -> Values:
        """Start from a random item."""
        ids = self.service.recommender.frame["id"].tolist()
        return self._move_to(random.choice(ids), values)

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

    def on_back(self, values: Values) -> Values:
        """To the view before, and to the picture that asked then, if it is still there."""
        trail = values[self.trail].back()
        picture = trail.view.picture
        updates = self._move(trail)
        if trail.view.query == "picture" and picture != values[self.query.picture]:
            updates[self.query.picture] = picture if picture and Path(picture).is_file() else None
        return updates

    def on_load(self, values: Values, request: gr.Request) -> Values:
        """The page was opened, perhaps at an item."""
        self.service.prepare()
        examples = of_items(self.service.items(self._example_ids(), HERE).values())
        if text := request.query_params.get("item"):
            updates = self._move_to(self.service.recommender.id_in(text), values)
        else:
            updates = self._move(Trail())
        return {
            self.results.photographs: tiles_html(photograph_tiles()),
            self.results.examples: tiles_html(examples),
            **updates,
        }

    # What the handlers share.

    def _move_to(self, item_id: Any, values: Values) -> Values:
        """On to what is like an item."""
        view = self._like_item(item_id, values)
        return self._move(values[self.trail].to(view))

    def _again(self, view: View, values: Values) -> View:
        """What a view asks, asked again; as its status why nothing is found."""
        if view.query == "picture" and values[self.query.picture] is not None:
            return self._like_picture(values, view)
        if view.query == "item":
            return self._like_item(view.query_id, values, view.text)
        return self._like_words(view.text, values)

    def _like_words(self, text: str, values: Values) -> View:
        """What is as a text says or, as the status, why nothing is."""
        try:
            options = self.settings.read(values)
            answer = self.service.recommend_by_text(text, HERE, options)
        except RecommenderError as error:
            return View(status=str(error))
        return View.of(answer, f"“{text}”", query="words", text=text)

    def _like_picture(self, values: Values, before: View = View()) -> View:  # noqa: B008 - frozen
        """What is like the picture, in the region asked for before, or why nothing is."""
        region, picture, text = before.region, values[self.query.picture], before.text
        try:
            options = self.settings.read(values)
            answer = self.service.recommend(picture, HERE, options, region=region, text=text)
        except RecommenderError as error:
            return View(status=str(error))
        view: Json = {"query": "picture", "picture": picture, "region": region, "text": text}
        if not isinstance(region, tuple):
            return View.of(answer, but_as_said(YOUR_PICTURE, text), **view)
        # What was found in all of the picture stays there to choose from.
        return View.of(answer, but_as_said(YOUR_PART, text), **view, regions=before.regions)

    def _like_item(self, item_id: Any, values: Values, text: str = "") -> View:
        """What is like an item or, as the status, why nothing is."""
        try:
            options = self.settings.read(values)
            answer = self.service.recommend_by_id(item_id, HERE, options, text=text)
        except RecommenderError as error:
            return View(status=str(error))
        name = but_as_said(answer["query"]["attributes"]["productDisplayName"] or "this item", text)
        item: Json = {"query": "item", "query_id": item_id, "opened": item_id, "text": text}
        return View.of(answer, name, **item)

    def _move(self, trail: Trail) -> Values:
        """The same, where the words that ask are others than before."""
        return {**self._show(trail), **self.words.typed(trail)}

    def _show(self, trail: Trail) -> Values:
        """A trail in all panels; what left the catalog since is left out."""
        view = trail.view
        opened = [] if view.opened is None else [view.opened]
        items = self.service.items([*view.ids, *opened], HERE)
        there = tuple(item_id for item_id in view.ids if item_id in items)
        trail = replace(trail, view=replace(view, ids=there))
        updates: Values = {self.trail: trail, self.words.box: gr.skip()}  # in which one may type
        for panel in self.panels:
            updates |= panel.show(trail, items)
        return updates

    def _example_ids(self) -> list[Id]:
        """The first item of each of the most frequent article types: a look at the breadth."""
        frame = self.service.recommender.frame
        types = frame["articleType"].value_counts().head(_EXAMPLES).index
        firsts = frame.drop_duplicates("articleType").set_index("articleType")["id"]
        return firsts[types].tolist()
