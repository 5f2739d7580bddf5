"""`build_app`: the page with its tabs, and the API."""

from weakref import ref

import gradio as gr

from recommender.evaluation.committed import Committed
from recommender.search.recommender import Recommender
from recommender.service.answers import Service
from recommender.service.batching import AT_ONCE, LARGEST
from recommender.service.sentences import TITLE, invitation
from recommender.ui.code import build_code_tab
from recommender.ui.endpoints import add_endpoints
from recommender.ui.find.place import TABS
from recommender.ui.find.tab import FindTab
from recommender.ui.parts.inputs import QUIET, Values
from recommender.ui.quality import QualityTab
from recommender.ui.server.connections import limit_connections
from recommender.ui.server.page import Page, leave_matplotlib_alone
from recommender.ui.server.server import refuse_url_downloads
from recommender.ui.server.sessions import keep_sessions_small
from recommender.ui.server.tools import answer_tools_in_json
from recommender.ui.server.uploads import forget_progress
from recommender.ui.trends import TrendsTab

_MAX_WAITING = 128
# The page's address says which tab is open.
_TELL_TAB = '() => {{ document.dispatchEvent(new CustomEvent("tab", {{detail: "{}"}})); }}'


def build_app(service: Service, results: Committed = Committed()) -> gr.Blocks:  # noqa: B008 - frozen
    """Build the page and its API; nothing is launched.

    Args:
        service: what answers.
        results: what was measured of the shipped weights, for people to see.

    Returns:
        Blocks, to be launched with `server.launch_settings`.
    """
    refuse_url_downloads()
    answer_tools_in_json()
    keep_sessions_small()
    leave_matplotlib_alone()
    limit_connections()
    forget_progress()
    built_of = service.recommender
    with Page(title=TITLE, analytics_enabled=False) as blocks:
        head = gr.Markdown(_head(built_of), elem_id="head")
        with gr.Tabs() as tabs:
            with gr.Tab("Find similar", id="find") as found:
                find = FindTab(service, tabs)
            with gr.Tab("Trends", id="trends") as trends:
                tab = TrendsTab(service, find.trail)
                tab.wire(trends, blocks)
            with gr.Tab("How good is it", id="quality") as quality:
                QualityTab(service, results).wire(quality)
            with gr.Tab("Use it from code", id="code") as code:
                build_code_tab(built_of.frame["id"].tolist()[0], blocks)
        find.wire_opening(tab.map.click)
        find.wire_load(blocks)
        for name, each in zip(TABS, (found, trends, quality, code), strict=True):
            each.select(None, js=_TELL_TAB.format(name), api_visibility="private")
        filters = find.settings.filters
        is_built_of = ref(built_of)  # which goes when its successor comes

        def renew() -> Values:
            """A page that is opened later offers what the catalog has by then."""
            now = service.recommender
            if now is is_built_of():
                return {head: gr.skip()}
            return {head: _head(now), **filters.renewed(now.filters), **tab.renewed()}

        choices = [head, *filters.boxes, *tab.choices]
        blocks.load(renew, None, choices, **QUIET)
        add_endpoints(service)
    page: gr.Blocks = blocks
    # As many as the network sees at once, so that a batch gathers while others are seen.
    page.queue(default_concurrency_limit=AT_ONCE * LARGEST, max_size=_MAX_WAITING, api_open=False)
    return page


def _head(recommender: Recommender) -> str:
    return f"# {TITLE}\n{invitation(len(recommender))}"
