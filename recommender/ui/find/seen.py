"""What is seen in the picture that asks, as chips: each can be corrected, or made a filter."""

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import gradio as gr
from gradio.blocks import Block

from recommender.errors import QueryError
from recommender.schema import title_of
from recommender.search.corrections import check_corrections
from recommender.service.answers import Service
from recommender.ui.find.view import Items, Trail, View
from recommender.ui.parts.inputs import Values

_SCRIPT = Path(__file__).with_suffix(".js").read_text("utf-8")

_WORTH_SAYING = 0.05


class SeenPanel:
    """The chips. A choice is told by the event `input`, which `read` understands."""

    def __init__(self, service: Service) -> None:
        """Draw it for what the encoder of a recommender sees."""
        self._service = service
        self._labels = labels = service.recommender.encoder.classes
        self.chips = gr.HTML(
            js_on_load=_SCRIPT,
            padding=False,
            elem_id="seen",
            values={label: sorted(values) for label, values in labels.items()},
        )
        self.parts: list[Block] = [self.chips]

    def read(self, event: gr.EventData) -> tuple[str, str | None, bool] | None:
        """The label, its value or None for what was seen, and whether only such shall be shown.

        None where the page told nothing of the kind.
        """
        told = event._data if isinstance(event._data, dict) else {}
        label, value = told.get("label"), told.get("value")
        if not isinstance(label, str) or label not in self._labels:
            return None
        try:
            said = {} if value is None else check_corrections({label: value}, self._labels)
        except QueryError:
            return None
        return label, said.get(label), told.get("only") is True

    def show(self, trail: Trail, items: Items) -> Values:
        return {self.chips: seen_html(trail.view, self._service.recommender.filters.values)}


def seen_html(view: View, there: Mapping[str, Sequence[object]] = MappingProxyType({})) -> str:
    """A chip an attribute: what it is taken for, how sure, the other likely values in small.

    Args:
        view: what is on show.
        there: column -> the values that a catalog has, of which alone only such can be shown.
    """
    chips = []
    for label, ranked in view.seen.items():
        (first, sure), *others = ranked
        said = view.corrected.get(label)
        value, title = html.escape(said or first), title_of(label)
        likely = [f"{html.escape(other)} {p:.0%}" for other, p in others if p >= _WORTH_SAYING]
        below = f"or {', '.join(likely)}" if likely else ""
        if said:
            below = f"you said so; we saw {html.escape(first)} {sure:.0%}"
        told = {"label": label, "title": title, "value": said or first, "seen": ranked}
        marks = {"corrected": said is not None, "there": (said or first) in there.get(label, ())}
        chip = html.escape(json.dumps(told | marks))
        chips.append(
            f'<button type="button" aria-haspopup="dialog" data-chip="{chip}">'
            f"<span>{title}</span>"
            f"<strong>{value} <b>{'✓' if said else f'{sure:.0%}'}</b></strong>"
            f'<meter min="0" max="1" value="{1 if said else sure}" aria-hidden="true"></meter>'
            f"<small>{below}</small></button>"
        )
    if not chips:
        return ""
    return (
        '<section class="seen"><h2>What we see <small>Not right? Tap to correct it.</small></h2>'
        f"<div>{''.join(chips)}</div></section>"
    )
