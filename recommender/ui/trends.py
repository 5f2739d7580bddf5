"""Tab *Trends*: what the catalog is made of, how it changes, and what people look for in it."""

import json
from collections.abc import Sequence
from urllib.parse import urlencode

import gradio as gr
from gradio.blocks import Block

from recommender.errors import QueryError
from recommender.schema import ATTRIBUTES, TITLES, title_of
from recommender.service.answers import Service
from recommender.service.sentences import passing
from recommender.service.trends import DEMAND, RESULTS, Question
from recommender.service.worded import Json
from recommender.trends.own import OWN
from recommender.trends.sections import COMPARISONS, MAP, SECTIONS
from recommender.ui.parts.cards import ChartCard, status_html
from recommender.ui.parts.filters import FilterBoxes
from recommender.ui.parts.inputs import QUIET, Choice, Values, in_order

_RESULTS_SECTION, _DEMAND_SECTION = "Your results", "Looked for now"
_OWN_SECTION = "Prices and more"
_ALL_SECTIONS = {
    **SECTIONS,
    _OWN_SECTION: OWN,
    _RESULTS_SECTION: (RESULTS,),
    _DEMAND_SECTION: tuple(DEMAND),
}
(_MAP_SECTION,) = [section for section, names in SECTIONS.items() if MAP in names]
_FIRST = next(iter(_ALL_SECTIONS))
_ABOUT = {
    _RESULTS_SECTION: "What your search in *Find similar* found more and less of than the catalog "
    "has. Each lift is a ratio of shares; only those whose 95% interval leaves out 1 are shown.",
    _MAP_SECTION: "Every item beside those that look like it. Drag to move, scroll or pinch to "
    "come nearer, click an item to see it and what is like it.",
    _DEMAND_SECTION: "Searches and opened items of this app. Its log holds times and items, "
    "neither pictures nor addresses.",
}

# The page's own Plotly makes the pictures, on white; files are named after the chart.
PICTURES_JS = """() => document.addEventListener("click", event => {
  const button = event.target.closest?.("[data-picture]");
  const plot = button?.closest(".chart")?.querySelector(".js-plotly-plot");
  if (!plot) return;
  const {data, layout} = plot, height = layout.height;
  window.Plotly.downloadImage(
    {data, layout: {...layout, autosize: false, paper_bgcolor: "#fff"}},
    {format: button.dataset.picture, filename: button.dataset.name, width: 900, height, scale: 1});
})"""

# What lies under the pointer, and what is clicked. Gradio may draw the figure anew at any time.
_MAP_JS = """
const chart = element.closest(".chart"), captions = new Map();
const picture = element.querySelector("img"), words = element.querySelector("p");
const card = element.querySelector("div");
let shown = null;
chart.addEventListener("pointerover", () => {
  const plot = chart.querySelector(".js-plotly-plot");
  if (!plot || plot.isHeard) return;
  plot.isHeard = true;
  plot.on("plotly_hover", async ({points: [point]}) => {
    const id = shown = point.customdata;
    if (!captions.has(id)) captions.set(id, await (await fetch(`captions/${id}`)).text());
    if (shown !== id) return;
    picture.src = `pictures/${id}`;
    words.textContent = captions.get(id);
    card.hidden = false;
  });
  plot.on("plotly_unhover", () => { shown = null; card.hidden = true; });
  plot.on("plotly_click", ({points: [point]}) => {
    shown = null; card.hidden = true;
    trigger("click", {tile: point.customdata});
  });
});
"""
_MAP_CARD = '<div hidden><img alt=""><p></p></div>'


class TrendsTab:
    """The tab's components; only the section that is looked at is drawn."""

    def __init__(self, service: Service, trail: gr.State) -> None:
        """Draw the tab, within a `gr.Tab`.

        Args:
            service: what draws the charts.
            trail: what *Find similar* has on show.
        """
        self.service = service
        self.trail = trail
        self.section = gr.State(_FIRST)
        self.cards: dict[str, ChartCard] = {}
        with gr.Row(elem_id="trends-bar"):
            self.status = gr.HTML(status_html(""), padding=False, elem_id="trends-status")
            self.reset = gr.Button("Clear filters", visible=False, size="sm", scale=0)
        with gr.Accordion("Filters", open=False, elem_id="trends-settings"):
            catalog = service.recommender
            self.filters = FilterBoxes(catalog.filters, prefix="trends", columns=catalog.columns)
        self.tabs: dict[str, gr.Tab] = {}
        with gr.Tabs(elem_id="trends-sections"):
            for name in _ALL_SECTIONS:
                offered = name != _OWN_SECTION or bool(service.trends.own_columns)
                with gr.Tab(name, visible=offered) as self.tabs[name]:
                    self._draw_section(name)

    def _draw_section(self, section: str) -> None:
        if section in _ABOUT:
            gr.Markdown(_ABOUT[section], elem_classes="note")
        names = _ALL_SECTIONS[section]
        if section == _DEMAND_SECTION:
            self.attribute = _attributes("By", "trends-attribute")
        if section == _OWN_SECTION:
            self.own = _own_columns(self.service.trends.own_columns)
        if section == _MAP_SECTION:
            self.coloured_by = _attributes("Coloured by", "trends-coloured-by")
        with gr.Row(elem_classes="charts"):
            self.cards |= {name: ChartCard(name) for name in names if name not in COMPARISONS}
        if section == _MAP_SECTION:
            with self.cards[MAP].column:
                self.map = self._draw_map_card()
        if compared := [name for name in names if name in COMPARISONS]:
            self._draw_periods()
            with gr.Row(elem_classes="charts"):
                self.cards |= {name: ChartCard(name) for name in compared}

    def _draw_map_card(self) -> gr.HTML:
        return gr.HTML(_MAP_CARD, elem_id="map-card", js_on_load=_MAP_JS)

    def _draw_periods(self) -> None:
        gr.Markdown(
            "### What rises, what falls\nShares of one period against those of another. Only "
            "changes whose 95% interval leaves out 1 are shown: the others may be chance."
        )
        labels = ("Before: from", "to", "After: from", "to")
        years, ends = self._years_and_usual_ends()
        with gr.Row(elem_id="trends-periods"):
            self.ends = [
                Choice(years, value=end, label=label, min_width=110)
                for label, end in zip(labels, ends, strict=True)
            ]

    def _years_and_usual_ends(self) -> tuple[list[int], Sequence[int | None]]:
        trends = self.service.trends
        usual = trends.usual_periods
        ends = [year for period in usual for year in period] if usual else [None] * 4
        return trends.recommender.filters.values["year"], ends

    def renewed(self) -> Values:
        """Filters and periods to choose from, for the catalog as it is now."""
        years, ends = self._years_and_usual_ends()
        periods = [Choice(choices=years, value=end) for end in ends]
        own = _own_columns(self.service.trends.own_columns)
        table = self.service.recommender.filters
        renewed = dict(zip(self.ends, periods, strict=True))
        return {**self.filters.renewed(table), **renewed, self.own: own}

    @property
    def choices(self) -> list[Block]:
        """The boxes whose choices are the catalog's."""
        return [*self.filters.boxes, *self.ends, self.own]

    def wire(self, tab: gr.Tab, blocks: gr.Blocks) -> None:
        """Draw when the tab, a section or other filters are chosen.

        Args:
            tab: the tab that this is in.
            blocks: the page.
        """
        attributes = [self.attribute, self.coloured_by, self.own]
        inputs = {self.section, self.trail, *attributes, *self.ends, *self.filters.boxes}
        cards = [part for card in self.cards.values() for part in card.parts]
        outputs = [self.status, self.reset, *cards]
        gr.on(tab.select, self.draw, inputs, outputs, **QUIET)
        for name, inner in self.tabs.items():
            chosen = gr.on(inner.select, lambda name=name: name, None, self.section, **QUIET)
            chosen.then(self.draw, inputs, outputs, **QUIET)
        changed = [*self.filters.changes, *(box.input for box in (*self.ends, *attributes))]
        gr.on(changed, self.draw, inputs, outputs, trigger_mode="always_last", **QUIET)
        self.filters.wire_clear(self.reset, **QUIET).then(self.draw, inputs, outputs, **QUIET)
        blocks.load(None, js=PICTURES_JS, api_visibility="private")

    def draw(self, values: Values) -> Values:
        """The status, and the charts of the section on show; the rest is left."""
        ask = self.read(values)
        try:
            question = Question.of(**ask)
            trends = self.service.trends
            count = len(trends.items(question))
            charts = trends.charts(_ALL_SECTIONS[values[self.section]], question)
        except QueryError as error:
            return {self.status: status_html(str(error)), self.reset: gr.Button(visible=True)}
        total = len(trends.frame)
        updates: Values = {
            self.status: status_html(passing(count, total)),
            self.reset: gr.Button(visible=count < total),
        }
        parameters = urlencode({"ask": json.dumps(ask)})
        for name, chart in charts.items():
            updates |= self.cards[name].show(chart, parameters)
        return updates

    def read(self, values: Values) -> Json:
        """What `Question.of` takes, as JSON, and only what is not as usual."""
        filters = self.filters.read(values)
        ask: Json = {"filters": filters} if filters else {}
        ends = tuple(values[box] for box in self.ends)
        usual = self.service.trends.usual_periods
        if usual and None not in ends and ends != (*usual[0], *usual[1]):
            pairs = {"before": in_order(ends[:2]), "after": in_order(ends[2:])}
            ask |= {name: dict(zip(("min", "max"), p, strict=True)) for name, p in pairs.items()}
        if results := list(values[self.trail].view.ids):
            ask["results"] = results
        if values[self.section] == _OWN_SECTION and values[self.own]:
            ask["own"] = values[self.own]
        on_map = values[self.section] == _MAP_SECTION
        attribute = values[self.coloured_by if on_map else self.attribute]
        if attribute != "baseColour":
            ask["attribute"] = attribute
        return ask


def _own_columns(names: Sequence[str]) -> Choice:
    choices = [(title_of(name), name) for name in names]
    first = next(iter(names), None)
    return Choice(choices, value=first, label="Column", elem_id="trends-own")


def _attributes(label: str, elem_id: str) -> gr.Dropdown:
    choices = [(TITLES[name], name) for name in ATTRIBUTES]
    return gr.Dropdown(choices, value="baseColour", label=label, elem_id=elem_id)
