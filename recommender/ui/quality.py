"""Tab *How good is it*: the committed results, a calculator on them, and live mistakes."""

import html
import secrets
from typing import Any

import gradio as gr

from recommender.charts.chart import several
from recommender.evaluation.committed import EVERYONE, SLICE_NOUNS, Committed
from recommender.evaluation.mistakes import find_mistakes
from recommender.evaluation.quality import beside, in_words, quality_charts, served_of
from recommender.service.answers import Service
from recommender.service.sentences import UNNAMED
from recommender.service.worded import Json
from recommender.ui.parts.cards import ChartCard
from recommender.ui.parts.inputs import QUIET, Choice, Values
from recommender.ui.server.origin import HERE

_EXAMPLES = 4
_ALL = "All"
_INTRO = (
    "Each figure comes from a committed command that asked through the very functions that serve "
    "this page. The pictures that asked were kept out of training, with everything that shares a "
    "name with them; for each, the same picture and items of the same name were taken out of what "
    "could be found."
)


class QualityTab:
    """The tab's components; drawn when it is looked at."""

    def __init__(self, service: Service, results: Committed) -> None:
        """Draw the tab, within a `gr.Tab`.

        Args:
            service: what is served, which shows where it goes wrong.
            results: what was measured and committed.
        """
        self.service = service
        self.results = results
        gr.Markdown(_INTRO, elem_classes="note")
        self.sentence = gr.HTML(padding=False, elem_id="quality-said")
        systems = [(report["title"], name) for name, report in results.systems.items()]
        served = served_of(results.systems) or None
        columns = [("everyone", EVERYONE), *((noun, name) for name, noun in SLICE_NOUNS.items())]
        relevances = [(in_words(name), name) for name in results.relevances]
        with gr.Row(elem_id="quality-calculator"):
            self.system = gr.Dropdown(systems, value=served, label="System", min_width=200)
            first, label = next(iter(results.relevances), None), "What has to agree"
            self.relevance = gr.Dropdown(relevances, value=first, label=label, min_width=160)
            self.column = gr.Dropdown(columns, value=EVERYONE, label="Asked by", min_width=160)
            self.value = Choice([_ALL], value=_ALL, label="Which", min_width=160)
        with gr.Row(elem_classes="charts"):
            self.beside = ChartCard("beside")
            self.cards = {name: ChartCard(name) for name in quality_charts(Committed())}
        gr.Markdown("### What goes wrong", elem_id="quality-wrong")
        self.mistakes = gr.HTML(padding=False, elem_id="mistakes")
        self.other = gr.Button("Other examples", size="sm", elem_id="quality-other")

    def wire(self, tab: gr.Tab) -> None:
        """Draw when the tab is chosen, calculate when a choice changes."""
        inputs = [self.system, self.relevance, self.column, self.value]
        outputs = [self.sentence, *self.beside.parts]
        drawn = [part for card in self.cards.values() for part in card.parts]
        gr.on(tab.select, self.calculate, inputs, outputs, **QUIET)
        gr.on(tab.select, self.draw, None, drawn, **QUIET)
        gr.on(tab.select, self.show_mistakes, None, self.mistakes, **QUIET)
        changed = [self.system.input, self.relevance.input, self.value.input]
        gr.on(changed, self.calculate, inputs, outputs, trigger_mode="always_last", **QUIET)
        offered = gr.on(self.column.input, self.offer, self.column, self.value, **QUIET)
        offered.then(self.calculate, inputs, outputs, **QUIET)
        gr.on(self.other.click, self.show_mistakes, None, self.mistakes, **QUIET)

    def offer(self, column: str) -> Choice:
        """The slices of a column, the one with most queries chosen."""
        values = self.results.values(column) or [_ALL]
        return Choice(values, value=values[0])

    def calculate(
        self, system: str | None, relevance: str | None, column: str, value: str
    ) -> list[Any]:
        """What was asked for as a sentence, and every system beside it."""
        if system is None or relevance is None:
            sentence = "No results are committed with this app: scripts.leaderboard makes them."
            return [f'<p role="status">{sentence}</p>', gr.skip(), gr.skip()]
        value = value if isinstance(value, str) else _ALL
        chart = beside(self.results, system, relevance, column, value)
        found = self.results.precision(system, relevance, column, value)
        who = ""
        if column != EVERYONE:
            who = f" asked by {SLICE_NOUNS[column]} “{html.escape(value)}”"
        sentence = f"No picture was{who}." if who else "Nothing was measured."
        if found is not None:
            sentence = (
                f"Of five products shown, <b>{5 * found.mean:.1f}</b> agree on "
                f"{in_words(relevance)}: {found.mean:.1%}, between {found.low:.1%} and "
                f"{found.high:.1%} with 95% confidence, over "
                f"{several(found.queries, 'picture')}{who}."
            )
        status = f'<p role="status" aria-live="polite">{sentence}</p>'
        return [status, *self.beside.show(chart).values()]

    def draw(self) -> Values:
        """The charts that need no choice."""
        updates: Values = {}
        for name, chart in quality_charts(self.results).items():
            updates |= self.cards[name].show(chart)
        return updates

    def show_mistakes(self) -> str:
        """Other random items of the catalog on show that brought up hardly any of their type."""
        recommender = self.service.recommender
        found = find_mistakes(recommender, _EXAMPLES, secrets.randbits(32))
        sentence = (
            f"{several(found.asked, 'item')} of the catalog on show, drawn at random, asked just "
            f"now: {found.right:.0%} of the five products shown were of the same article type. "
        )
        none = "None of them went wrong; ask for other examples."
        sentence += "These went wrong:" if found.examples else none
        rows = []
        for item_id, ids in found.examples.items():
            items = self.service.items([item_id, *ids.tolist()], HERE)
            query = items.pop(item_id)
            kind = query["articleType"]
            hits = "".join(_figure(hit, hit["articleType"] == kind) for hit in items.values())
            rows.append(f'<div class="mistake">{_figure(query)}<div>{hits}</div></div>')
        return f"<p>{html.escape(sentence)}</p>{''.join(rows)}"


def _figure(item: Json, fits: bool | None = None) -> str:
    """An item's picture and type; what was asked where `fits` is None."""
    kind = html.escape(item["articleType"] or "no type")
    name = html.escape(item["productDisplayName"] or UNNAMED)
    looks = {None: ("asked", "asked: "), True: ("fits", "✓ "), False: ("misses", "✗ ")}
    look, mark = looks[fits]
    return (
        f'<figure class="{look}"><a href="?item={item["id"]}"><img loading="lazy" '
        f'src="{html.escape(item["image"])}" alt="{name}"></a>'
        f"<figcaption>{mark}{kind}</figcaption></figure>"
    )
