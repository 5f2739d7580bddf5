"""The boxes in which a visitor chooses filters, the same wherever a catalog is narrowed."""

from collections.abc import Iterable, Mapping
from typing import Any

import gradio as gr
from gradio.blocks import Block

from recommender.schema import SCHEMA, Column
from recommender.ui.parts.inputs import Choice, EndBox, Values, in_order

_ANY = "any"
_YES_NO = ("yes", "no")


class FilterBoxes:
    """Boxes for each column by its kind, and a button that empties them.

    A choice has a list of its values, yes and no too, numbers have two ends, a text of a catalog's
    own has a box for words that are within. A column without values has boxes that are not seen, as
    the catalog may change.

    Attributes:
        boxes: the components.
        changes: the events after which they have other values.
        clear: the button; `wire_clear` makes it work.
    """

    def __init__(
        self,
        values: Mapping[str, list[Any]],
        *,
        prefix: str,
        columns: Iterable[Column] = SCHEMA,
    ) -> None:
        """Draw them.

        Args:
            values: column -> its values, as `FilterTable` has them.
            prefix: of the elements' ids, the page's own to each place.
            columns: of the catalog.
        """
        self._boxes: dict[Column, tuple[Block, ...]] = {}
        with gr.Row():
            for column in filter(_is_offered, columns):
                self._boxes[column] = _boxes_of(column, values[column.name], prefix)
        # The ends of years are first to be read, wherever they are seen.
        by_kind = sorted(self._boxes.items(), key=lambda pair: pair[0].kind != "year")
        self.boxes: list[Block] = [box for _, boxes in by_kind for box in boxes]
        self.changes = [_change_of(box) for box in self.boxes]
        self.clear = gr.Button("Clear filters", size="sm", elem_id=f"{prefix}-clear")

    def wire_clear(self, *others: gr.Button, **settings: Any) -> Any:
        """Empty the boxes when the button, or another, is clicked; what follows is put after it."""
        clicks = [button.click for button in (self.clear, *others)]
        return gr.on(clicks, lambda: [None] * len(self.boxes), None, self.boxes, **settings)

    def renewed(self, values: Mapping[str, list[Any]]) -> Values:
        """The boxes with another catalog's values to choose from; what is chosen stays."""
        changed: Values = {}
        for column, boxes in self._boxes.items():
            its = values.get(column.name, [])
            for box in boxes:
                if isinstance(box, Choice):
                    changed[box] = Choice(choices=_choices_of(column, its), visible=bool(its))
                else:
                    changed[box] = type(box)(visible=bool(its))
        return changed

    def read(self, values: Values) -> dict[str, Any]:
        """What is chosen, as filters that a search takes."""
        filters: dict[str, Any] = {}
        for column, boxes in self._boxes.items():
            chosen = [values[box] for box in boxes]
            if (allowed := _allowed(column, chosen)) is not None:
                filters[column.name] = allowed
        return filters


def _is_offered(column: Column) -> bool:
    return column.kind not in ("id", "link") and (column.kind != "text" or column not in SCHEMA)


def _boxes_of(column: Column, values: list[Any], prefix: str) -> tuple[Block, ...]:
    elem_id = f"{prefix}-{column.name}"
    look: dict[str, Any] = {"visible": bool(values), "min_width": 130}
    title, choices = column.title, _choices_of(column, values)
    if column.kind == "text":
        return (gr.Textbox(label=f"{title} with", max_lines=1, elem_id=elem_id, **look),)
    if column.kind == "number":
        ends = (f"{title} from", f"{title} to")
        return tuple(
            EndBox(None, placeholder=_ANY, label=end, elem_id=f"{elem_id}-{n}", **look)
            for n, end in enumerate(ends)
        )
    if column.kind == "year":
        ends = (f"From {column.noun}", f"To {column.noun}")
        return tuple(Choice(choices, label=end, **look) for end in ends)
    return (Choice(choices, multiselect=True, label=title, elem_id=elem_id, **look),)


def _choices_of(column: Column, values: list[Any]) -> list[Any]:
    if column.kind == "yes_no":
        return [(word, word) for word in _YES_NO]
    return [_ANY, *values] if column.kind == "year" else values


def _change_of(box: Block) -> Any:
    """A text is asked for when it is there, not at each of its letters."""
    return box.submit if isinstance(box, gr.Textbox) else box.input  # type: ignore[attr-defined]


def _allowed(column: Column, chosen: list[Any]) -> Any:
    """What boxes of a column say, as its filter; None where they say nothing."""
    if column.kind in ("number", "year"):
        both = zip(("min", "max"), chosen, strict=True)
        ends = {end: value for end, value in both if value not in (None, "", _ANY)}
        return dict(zip(ends, in_order([*ends.values()]), strict=True)) or None
    [value] = chosen
    if column.kind == "text":
        words = value.strip() if isinstance(value, str) else value
        return {"contains": words} if words else None
    if column.kind == "yes_no" and isinstance(value, list):
        value = [word == _YES_NO[0] for word in value if word in _YES_NO]
    return value or None
