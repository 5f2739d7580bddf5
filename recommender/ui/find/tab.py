"""Tab *Find similar*: a picture, an address or an item in; results, filters and a way back."""

import random
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import gradio as gr

from recommender.errors import ImageError, RecommenderError, UnknownItemError
from recommender.search.options import MAX_K, Options, Ranking
from recommender.service.answers import Json, Service
from recommender.service.sentences import NO_PICTURE, WELCOME, sentence
from recommender.ui.find.view import View, beliefs_html, item_html, pushed, view_of
from recommender.ui.parts.cards import status_html
from recommender.ui.parts.filters import FilterBoxes
from recommender.ui.parts.inputs import PictureInput
from recommender.ui.server.origin import origin_of

_EXAMPLES = 8


# On a phone the results are below the query, and an opened item is above a result far down.
_TO_STATUS = """() => {
  const bar = document.querySelector("#bar"), top = bar?.getBoundingClientRect().top;
  if (top < 0 || top > innerHeight / 2) bar.scrollIntoView({block: "start"});
}"""


class FindTab:
    """The tab's components and what happens between them."""

    def __init__(self, service: Service) -> None:
        """Draw the tab, within a `gr.Tab`."""
        self.service = service
        self.view = gr.State(asdict(View()))
        self.back_views = gr.State([])
        with gr.Row():
            with gr.Column(scale=2, min_width=300):
                self._draw_query()
            with gr.Column(scale=5, min_width=320):
                self._draw_results()
        self._wire()

    def _draw_query(self) -> None:
        self.picture = PictureInput(
            label="Your picture",
            placeholder="# Drop a picture here\nor choose one, take one, paste one",
            sources=["upload", "webcam", "clipboard"],
            height=300,
            buttons=[],
            # A mirrored garment has its text and buttons on the wrong side; a phone's rear camera
            # is the one that sees the garment.
            webcam_options=gr.WebcamOptions(
                mirror=False, constraints={"video": {"facingMode": {"ideal": "environment"}}}
            ),
            alt_text="The picture that you are looking for",
            elem_id="picture",
        )
        self.address = gr.Textbox(
            label="Or its web address",
            placeholder="https://…",
            max_lines=1,
            max_length=2000,
            visible=self.service.fetch_urls,
            elem_id="address",
        )
        with gr.Row():
            self.find = gr.Button("Find similar", variant="primary", min_width=120)
            self.surprise = gr.Button("Surprise me", min_width=120)
        with gr.Accordion("Filters and how many", open=False, elem_id="settings"):
            self.filters = FilterBoxes(self.service.recommender.filters.values, prefix="filter")
            self.k = gr.Slider(1, MAX_K, value=12, step=1, label="How many")
            self.repeats = gr.Checkbox(False, label="Show items with identical pictures too")
            self.ranking = gr.Radio(
                [("Looks and attributes", "hybrid"), ("Looks alone", "image")],
                value=self.service.recommender.rankings[-1],
                label="Most similar by",
                visible=len(self.service.recommender.rankings) > 1,
                elem_id="ranking",
            )
        gr.Markdown(
            "Pictures that you show are deleted within an hour.",
            elem_classes="note",
        )

    def _draw_results(self) -> None:
        with gr.Row(elem_id="bar"):
            self.back = gr.Button("← Back", visible=False, size="sm", scale=0, elem_id="back")
            self.status = gr.HTML(status_html(WELCOME), padding=False, elem_id="status")
        self.seen = gr.HTML(padding=False, elem_id="seen")
        with gr.Column(visible=False, elem_id="item") as self.panel:
            self.item = gr.HTML(padding=False)
            self.more = gr.Button("More like this", variant="primary", size="md", elem_id="more")
        self.gallery = _gallery("results", visible=False)
        with gr.Column(elem_id="beginning") as self.beginning:
            gr.Markdown("No picture at hand? Try one of these:")
            self.examples = _gallery("examples")

    def _wire(self) -> None:
        shown = [
            self.view,
            self.back_views,
            self.status,
            self.seen,
            self.panel,
            self.item,
            self.more,
            self.back,
            self.gallery,
            self.beginning,
        ]
        narrowing = self.filters.boxes
        views = [self.view, self.back_views]
        self._asking = [*views, self.k, self.repeats, self.ranking, *narrowing]
        look = [self.picture, *self._asking]
        private: Json = {"api_visibility": "private", "concurrency_id": "search"}
        search: Json = {"show_progress_on": [self.status, self.gallery], **private}
        at_once: Json = {"show_progress": "hidden", **private}
        # Pasting first takes the old picture away; "once" would drop the new one that follows.
        landed = self.picture.input(
            self.on_picture, look, shown, trigger_mode="always_last", **search
        )
        found = gr.on(
            [self.find.click, self.address.submit],
            self.on_find,
            [self.address, *look],
            [self.picture, self.address, *shown],
            **search,
        )
        gr.on(
            [
                *(box.input for box in narrowing),
                self.repeats.input,
                self.ranking.input,
                self.k.release,
            ],
            self.on_settings,
            look,
            shown,
            trigger_mode="always_last",
            **search,
        )
        cleared = self.filters.wire_clear(**at_once)
        cleared.then(self.on_settings, look, shown, **search)
        moves = [
            landed,
            found,
            self.surprise.click(self.on_surprise, self._asking, shown, **search),
            self.more.click(self.on_more, self._asking, shown, **search),
            self.examples.select(self.on_example, self._asking, shown, **search),
            self.gallery.select(self.on_select, views, shown, **at_once),
            self.back.click(self.on_back, views, shown, **at_once),
        ]
        for move in moves:
            move.then(None, js=_TO_STATUS, api_visibility="private")
        self._shown = shown

    def wire_load(self, blocks: gr.Blocks) -> None:
        """Fill the examples, and open `?item=ID`, when the page loads."""
        blocks.load(
            self.on_load,
            self._asking,
            [self.examples, *self._shown],
            show_progress="hidden",
            api_visibility="private",
        )

    def wire_opening(self, clicked: Callable[..., Any], tabs: gr.Tabs) -> None:
        """Open in this tab, `find` of the tabs, the item whose `id` an event elsewhere holds."""
        settings: Json = {"show_progress": "hidden", "api_visibility": "private"}
        opened = clicked(
            self.on_opened, self._asking, [tabs, *self._shown], concurrency_id="search", **settings
        )
        opened.then(None, js=_TO_STATUS, api_visibility="private")

    # Handlers. Each makes a view and ends in `_show`. Gradio passes `request` and `event` by type;
    # `settings` are the values that `_options` names.

    def on_picture(
        self, request: gr.Request, picture: str | None, view: Json, back: list[Json], *settings: Any
    ) -> list[Any]:
        """A picture landed, or was taken away."""
        if picture is None:
            return self._show(View(), [], request)

        def search() -> View:
            answer = self.service.recommend(picture, origin_of(request), self._options(*settings))
            return view_of(answer, "your picture", View(asked="picture"))

        return self._try(search, view, back, request)

    def on_find(
        self,
        request: gr.Request,
        address: str,
        picture: str | None,
        view: Json,
        back: list[Json],
        *settings: Any,
    ) -> list[Any]:
        """The button, or Enter in the address: an address that was typed comes first."""
        try:
            if address.strip():
                picture = self.picture.keep(self.service.fetch(address.strip()))
            elif picture is None:
                raise ImageError(NO_PICTURE)
        except RecommenderError as error:
            failed = self._show(View(status=str(error)), pushed(view, back), request)
            return [gr.skip(), gr.skip(), *failed]
        return [picture, "", *self.on_picture(request, picture, view, back, *settings)]

    def on_settings(
        self, request: gr.Request, picture: str | None, view: Json, back: list[Json], *settings: Any
    ) -> list[Any]:
        """Filters and numbers changed: look again for what was asked, in the same place."""
        current = View(**view)
        before = back[-1] if back else asdict(View())
        if current.asked == "picture" and picture is not None:
            return self.on_picture(request, picture, before, back[:-1], *settings)
        if current.asked == "item":
            return self._similar(request, current.asked_id, before, back[:-1], *settings)
        return self._show(current, back, request)

    def on_surprise(self, request: gr.Request, *rest: Any) -> list[Any]:
        """Start from a random item."""
        item_id = int(random.choice(self.service.recommender.frame["id"].to_numpy()))
        return self._similar(request, item_id, *rest)

    def on_more(self, request: gr.Request, view: Json, *rest: Any) -> list[Any]:
        """Items like the one that is open."""
        return self._similar(request, View(**view).item, view, *rest)

    def on_example(self, request: gr.Request, event: gr.SelectData, *rest: Any) -> list[Any]:
        """An example was clicked."""
        return self._similar(request, self._example_ids()[event.index], *rest)

    def on_opened(self, request: gr.Request, event: gr.EventData, *rest: Any) -> list[Any]:
        """An item was clicked in another tab."""
        found = self._similar(request, getattr(event, "id", None), *rest)
        if (item_id := View(**found[0]).item) is not None:
            self.service.note("open", item_id)
        return [gr.Tabs(selected="find"), *found]

    def on_select(
        self, request: gr.Request, event: gr.SelectData, view: Json, back: list[Json]
    ) -> list[Any]:
        """A result was clicked: show its attributes above the results."""
        current = View(**view)
        if event.index >= len(current.results):  # the results changed under the click
            return self._show(current, back, request)
        item_id: int = current.results[event.index]["id"]
        opened = replace(current, item=item_id)
        self.service.note("open", item_id)
        return self._show(opened, pushed(view, back), request)

    def on_back(self, request: gr.Request, view: Json, back: list[Json]) -> list[Any]:
        """To the view before."""
        return self._show(View(**(back[-1] if back else view)), back[:-1], request)

    def on_load(
        self, request: gr.Request, view: Json, back: list[Json], *settings: Any
    ) -> list[Any]:
        """The page was opened, perhaps at an item."""
        origin = origin_of(request)
        examples = [
            (f"{origin}/pictures/{item_id}", sentence(self.service.recommender.item(item_id)))
            for item_id in self._example_ids()
        ]
        if not (asked := request.query_params.get("item")):
            return [examples, *self._show(View(), [], request)]
        item_id = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None
        return [examples, *self._similar(request, item_id, view, back, *settings)]

    # What the handlers share.

    def _similar(
        self, request: gr.Request, item_id: Any, view: Json, back: list[Json], *settings: Any
    ) -> list[Any]:
        def search() -> View:
            answer = self.service.recommend_by_id(
                item_id, origin_of(request), self._options(*settings)
            )
            name = answer["query"]["attributes"]["productDisplayName"] or "this item"
            return view_of(answer, name, View(asked="item", asked_id=item_id, item=item_id))

        return self._try(search, view, back, request)

    def _try(
        self, search: Callable[[], View], view: Json, back: list[Json], request: gr.Request
    ) -> list[Any]:
        """Show what a search finds or, as the status, why it could not."""
        try:
            found = search()
        except RecommenderError as error:
            found = View(status=str(error))
        return self._show(found, pushed(view, back), request)

    def _show(self, view: View, back: list[Json], request: gr.Request) -> list[Any]:
        """Everything that a view is on the page, in the order of `shown`."""
        try:
            opened = None if view.item is None else self.service.item(view.item, origin_of(request))
        except UnknownItemError:  # it left the catalog since
            opened = None
        asks_itself = view.asked == "item" and view.asked_id == view.item
        return [
            asdict(view),
            back,
            status_html(view.status),
            beliefs_html(view.beliefs),
            gr.Column(visible=opened is not None),
            "" if opened is None else item_html(opened["item"]),
            gr.Button(visible=not asks_itself),
            gr.Button(visible=bool(back)),
            gr.Gallery(
                [(item["image"], sentence(item)) for item in view.results],
                selected_index=None,
                visible=bool(view.results),
            ),
            gr.Column(visible=view.asked == "nothing"),
        ]

    def _options(self, k: int, repeats: bool, ranking: Ranking, *chosen: Any) -> Options:
        """The values of the settings' components."""
        filters = self.filters.chosen(*chosen)
        return Options(k=k, repeats=repeats, ranking=ranking, filters=filters)

    def _example_ids(self) -> list[int]:
        """The first item of each of the most frequent article types: a look at the breadth."""
        frame = self.service.recommender.frame
        types = frame["articleType"].value_counts().head(_EXAMPLES).index
        firsts = frame.drop_duplicates("articleType").set_index("articleType")["id"]
        return [int(firsts[name]) for name in types]


def _gallery(elem_id: str, *, visible: bool = True) -> gr.Gallery:
    """Tiles that are buttons: a click opens the item, not a preview of its picture."""
    return gr.Gallery(
        show_label=False,
        height="auto",
        object_fit="contain",
        allow_preview=False,
        interactive=False,
        buttons=[],
        visible=visible,
        elem_id=elem_id,
    )
