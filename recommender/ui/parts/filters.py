"""The boxes in which a visitor chooses filters, the same wherever a catalog is narrowed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import gradio as gr
from gradio.blocks import Block

from recommender.schema import CATEGORY, SCHEMA, TYPE, Column
from recommender.search.filters import FilterTable
from recommender.ui.parts.inputs import Choice, EndBox, Values, in_order

_ANY = "any"
_YES_NO = ("yes", "no")
_COMMON = 0.5
"""A catalog's own column that less of its items have is not among the first to choose by."""


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
        table: FilterTable,
        *,
        prefix: str,
        columns: Iterable[Column] = SCHEMA,
    ) -> None:
        """Draw them.

        Args:
            table: the values that there are.
            prefix: of the elements' ids, the page's own to each place.
            columns: of the catalog.
        """
        self._boxes: dict[Column, tuple[Block, ...]] = {}
        offered = list(filter(_is_offered, columns))
        rare = [c for c in offered if c not in SCHEMA and _known(c, table) < _COMMON]
        with gr.Row():
            for column in (c for c in offered if c not in rare):
                self._boxes[column] = _boxes_of(column, table, prefix)
        if rare:
            with gr.Accordion("More filters", open=False, elem_id=f"{prefix}-more"), gr.Row():
                for column in rare:
                    self._boxes[column] = _boxes_of(column, table, prefix)
        # The ends of years are first to be read, wherever they are seen.
        by_kind = sorted(self._boxes.items(), key=lambda pair: pair[0].kind != "year")
        self.boxes: list[Block] = [box for _, boxes in by_kind for box in boxes]
        self.changes = [_change_of(box) for box in self.boxes]
        self.clear = gr.Button("Clear filters", size="sm", elem_id=f"{prefix}-clear")

    def wire_clear(self, *others: gr.Button, **settings: Any) -> Any:
        """Empty the boxes when the button, or another, is clicked; what follows is put after it."""
        clicks = [button.click for button in (self.clear, *others)]
        return gr.on(clicks, lambda: [None] * len(self.boxes), None, self.boxes, **settings)

    def renewed(self, table: FilterTable) -> Values:
        """The boxes with another catalog's values to choose from; what is chosen stays."""
        changed: Values = {}
        for column, boxes in self._boxes.items():
            there = bool(table.values.get(column.name))
            for box in boxes:
                if isinstance(box, Choice):
                    changed[box] = Choice(choices=_choices_of(column, table), visible=there)
                else:
                    changed[box] = type(box)(visible=there)
        return changed

    def read(self, values: Values) -> dict[str, Any]:
        """What is chosen, as filters that a search takes."""
        filters: dict[str, Any] = {}
        for column, boxes in self._boxes.items():
            chosen = [values[box] for box in boxes]
            if (allowed := _allowed(column, chosen)) is not None:
                filters[column.name] = allowed
        return filters

    def show(self, filters: Mapping[str, Any]) -> Values:
        """The boxes with filters chosen, of a form that `read` makes."""
        shown: Values = {}
        for column, boxes in self._boxes.items():
            shown |= zip(boxes, _chosen(column, filters.get(column.name)), strict=True)
        return shown


def _is_offered(column: Column) -> bool:
    return column.kind not in ("id", "link") and (column.kind != "text" or column not in SCHEMA)


def _known(column: Column, table: FilterTable) -> float:
    """The share of items of which a column says something."""
    return float((table.codes(column.name) >= 0).mean())


def _boxes_of(column: Column, table: FilterTable, prefix: str) -> tuple[Block, ...]:
    elem_id = f"{prefix}-{column.name}"
    look: dict[str, Any] = {"visible": bool(table.values[column.name]), "min_width": 130}
    title = column.title
    if column.kind == "text":
        return (gr.Textbox(label=f"{title} with", max_lines=1, elem_id=elem_id, **look),)
    if column.kind == "number":
        ends = (f"{title} from", f"{title} to")
        return tuple(
            EndBox(None, placeholder=_ANY, label=end, elem_id=f"{elem_id}-{n}", **look)
            for n, end in enumerate(ends)
        )
    choices = _choices_of(column, table)
    if column.kind == "year":
        ends = (f"From {column.noun}", f"To {column.noun}")
        return tuple(Choice(choices, label=end, **look) for end in ends)
    return (Choice(choices, multiselect=True, label=title, elem_id=elem_id, **look),)


def _choices_of(column: Column, table: FilterTable) -> list[Any]:
    """What a box offers: years in their order, else the most frequent first, each with its count.

    Types follow their category, whose name finds all of its types.
    """
    name = column.name
    values = table.values.get(name, [])
    if column.kind == "year":
        return [_ANY, *values]
    if not values:
        return []
    counts = table.counts(name)
    if column.kind == "yes_no":
        words = [_YES_NO[not value] for value in values]
        return [(f"{w} ({n:,})", w) for w, n in zip(words, counts, strict=True)]
    groups = table.usual(name, CATEGORY) if name == TYPE else [None] * len(values)
    sizes = Counter[Any]()
    for group, count in zip(groups, counts, strict=True):
        sizes[group] += count
    offered = sorted(
        zip(values, counts, groups, strict=True),
        key=lambda one: (-sizes[one[2]], str(one[2]), -one[1], str(one[0])),
    )
    return [
        (f"{value}{f' · {group}' if group else ''} ({count:,})", value)
        for value, count, group in offered
    ]


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


def _chosen(column: Column, allowed: Any) -> list[Any]:
    """What boxes of a column hold who say a filter: `_allowed` the other way round."""
    if column.kind in ("number", "year"):
        ends = allowed if isinstance(allowed, Mapping) else {}
        return [ends.get(end, _ANY if column.kind == "year" else None) for end in ("min", "max")]
    if column.kind == "text":
        return [allowed["contains"] if isinstance(allowed, Mapping) else ""]
    values = allowed if isinstance(allowed, list) else []
    return [[_YES_NO[not value] for value in values] if column.kind == "yes_no" else values]
