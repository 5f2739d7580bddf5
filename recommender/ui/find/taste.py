"""A visitor's taste: a heart and a cross on each result, and what was judged as a row of pictures.

It is kept in the visitor's browser alone. Each search brings it along; no session keeps it here.
"""

import html
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import gradio as gr
from gradio.blocks import Block

from recommender.schema import Id
from recommender.search.options import MAX_TASTE
from recommender.service.answers import Service
from recommender.service.sentences import UNNAMED
from recommender.service.worded import Json
from recommender.ui.find.view import Trail
from recommender.ui.parts.inputs import Values
from recommender.ui.server.origin import HERE
from recommender.ui.server.sessions import page_of

Opinion = Literal["liked", "disliked", "none", "nothing"]
"""Of one item; `nothing` forgets them all."""

_VERDICTS: dict[Opinion, Literal["up", "down"]] = {"liked": "up", "disliked": "down"}
_MARKS = {"liked": ("♥", "More like this"), "disliked": ("✕", "Less like this")}

JUDGE_JS = """
let place;
element.addEventListener("click", ({target}) => {
  const pressed = target.closest("[data-judge]");
  if (!pressed) return;
  const all = [...element.querySelectorAll(`[data-judge="${pressed.dataset.judge}"]`)];
  place = {judge: pressed.dataset.judge, at: all.indexOf(pressed)};
  trigger("like", {opinion: pressed.dataset.judge, item: JSON.parse(pressed.dataset.item)});
});
// The button that was pressed is gone: the next one of its kind takes the focus.
watch("value", () => {
  if (!place) return;
  const all = [...element.querySelectorAll(`[data-judge="${place.judge}"]`)];
  all[Math.min(place.at, all.length - 1)]?.focus();
  place = undefined;
});
"""
"""Of whatever holds such buttons; `judged` reads which one its `like` was about."""


@dataclass(frozen=True)
class Taste:
    """What was judged, the latest last."""

    liked: tuple[Id, ...] = ()
    disliked: tuple[Id, ...] = ()

    @classmethod
    def read(cls, kept: object, known: Iterable[Id]) -> "Taste":
        """What a browser has kept, whatever that is, as far as the catalog has it."""
        there, said = set(known), kept if isinstance(kept, dict) else {}
        liked = [one for one in _ids(said.get("liked")) if one in there]
        disliked = [one for one in _ids(said.get("disliked")) if one in there and one not in liked]
        return cls(tuple(liked[-MAX_TASTE:]), tuple(disliked[-MAX_TASTE:]))

    def judged(self, item_id: Id, opinion: Opinion) -> "Taste":
        """The same with another opinion of an item, the latest."""
        sides = {
            side: tuple(one for one in ids if one != item_id) for side, ids in vars(self).items()
        }
        if opinion in sides:
            sides[opinion] = (*sides[opinion], item_id)[-MAX_TASTE:]
        return Taste(**sides)


class TastePanel:
    """What was judged, as a row above the results, each to be taken away.

    Attributes:
        kept: in the browser's own storage.
        row: what shows it.
    """

    def __init__(self, service: Service, trail: gr.State) -> None:
        self._service, self._trail = service, trail
        # What is kept is no secret to whoever has the browser, and has to outlive this process.
        self.kept = gr.BrowserState(storage_key="fashion-taste", secret="not-a-secret")  # noqa: S106
        self.row = gr.HTML(js_on_load=JUDGE_JS, visible=False, padding=False, elem_id="taste")
        self.parts = [self.kept, self.row]

    def wire(
        self,
        like: Callable[..., Any],
        again: Callable[[Values], Values],
        inputs: set[Block],
        outputs: list[Block],
        **settings: Any,
    ) -> None:
        """Take opinions from the results' `like` and from the row, and look again by them.

        Args:
            again: what searches for the same once more.
            inputs, outputs: of it.
        """

        def judge(values: Values, event: gr.EventData, request: gr.Request) -> Values:
            return self.judge(values, event, again, request)

        gr.on([like, self.row.like], judge, inputs, [*self.parts, *outputs], **settings)

    def judge(
        self,
        values: Values,
        event: gr.EventData,
        again: Callable[[Values], Values],
        request: gr.Request | None = None,
    ) -> Values:
        """A heart, a cross, or either taken back."""
        taste = self.read(values)
        told = judged(event)
        if told == (0, "nothing"):
            taste = Taste()
        elif told is not None and self._service.known([told[0]]):
            taste = taste.judged(*told)
            if (verdict := _VERDICTS.get(told[1])) is not None:
                trail: Trail = values[self._trail]
                said = trail.view.answer_id, verdict, told[0]
                self._service.feedback.opinion(*said, by=page_of(request))
        shown = self.show(taste)
        return {**shown, **again({**values, **shown})}

    def read(self, values: Values) -> Taste:
        """What counts in a search now; what left the catalog does not."""
        kept = values.get(self.kept)
        said = kept.values() if isinstance(kept, dict) else ()
        ids = [one for side in said for one in _ids(side)]
        return Taste.read(kept, self._service.known(ids))

    def show(self, taste: Taste) -> Values:
        """The row; nothing where nothing was judged."""
        items = self._service.items([*taste.liked, *taste.disliked], HERE)
        made = row_html(taste, items)
        return {
            self.kept: {side: list(ids) for side, ids in vars(taste).items()},
            self.row: gr.HTML(made, visible=bool(made)),
        }


def row_html(taste: Taste, items: dict[Id, Json]) -> str:
    """What was judged, the latest first, as small pictures; a press takes one away."""
    told = ""
    for side, ids in vars(taste).items():
        mark, _ = _MARKS[side]
        for item in (items[item_id] for item_id in reversed(ids)):
            picture = (
                f'<img src="{html.escape(item["image"])}" alt=""><i aria-hidden="true">{mark}</i>'
            )
            told += _button("none", item, f"Take away {_name(item)}, {side}", picture)
    if not told:
        return ""
    forget = '<button type="button" data-judge="nothing" data-item="0">Forget all</button>'
    return (
        '<section aria-label="Your taste"><h2>Your taste <small>counts in each search, and is kept '
        f"in this browser alone</small></h2><div>{told}{forget}</div></section>"
    )


def judge_html(item: Json) -> str:
    """A heart and a cross on a result."""
    return "".join(
        _button(opinion, item, f"{means}: {_name(item)}", _shown(mark))
        for opinion, (mark, means) in _MARKS.items()
    )


def judged(event: gr.EventData) -> tuple[Id, Opinion] | None:
    """Which item was judged, and how; None where no button says so."""
    told: Any = event._data
    said = told if isinstance(told, dict) else {}
    ids = _ids([said.get("item")])
    opinions: list[Opinion] = [one for one in get_args(Opinion) if one == said.get("opinion")]
    return (ids[0], opinions[0]) if ids and opinions else None


def _button(opinion: str, item: Json, label: str, inside: str) -> str:
    item_id, told = html.escape(json.dumps(item["id"])), html.escape(label)
    return (
        f'<button type="button" data-judge="{opinion}" data-item="{item_id}" aria-label="{told}" '
        f'title="{told}">{inside}</button>'
    )


def _shown(mark: str) -> str:
    return f'<i aria-hidden="true">{mark}</i>'


def _name(item: Json) -> str:
    return str(item["productDisplayName"] or UNNAMED)


def _ids(said: object) -> list[Id]:
    """Those of what should be a list of ids."""
    listed = said if isinstance(said, list) else []
    return [one for one in listed if isinstance(one, int | str) and not isinstance(one, bool)]
