"""The boxes in which a visitor chooses filters, the same wherever a catalog is narrowed."""

from collections.abc import Mapping
from typing import Any

import gradio as gr

from recommender.schema import LABELS, TITLES
from recommender.ui.parts.inputs import Choice, Values, in_order

_ANY = "any"


class FilterBoxes:
    """A box for each label, two for the years, and a button that empties them.

    Attributes:
        boxes: the components.
        clear: the button; `wire_clear` makes it work.
    """

    def __init__(self, values: Mapping[str, list[Any]], *, prefix: str) -> None:
        """Draw them.

        Args:
            values: column -> its values, as `FilterTable` has them.
            prefix: of the elements' ids, the page's own to each place.
        """
        with gr.Row():
            columns = [
                Choice(
                    values[name],
                    multiselect=True,
                    label=TITLES[name],
                    elem_id=f"{prefix}-{name}",
                    min_width=130,
                )
                for name in LABELS
            ]
            ends = [
                Choice([_ANY, *values["year"]], label=label, min_width=130)
                for label in ("From year", "To year")
            ]
        self.boxes: list[Choice] = [*ends, *columns]
        self.clear = gr.Button("Clear filters", size="sm", elem_id=f"{prefix}-clear")

    def wire_clear(self, *others: gr.Button, **settings: Any) -> Any:
        """Empty the boxes when the button, or another, is clicked; what follows is put after it."""
        clicks = [button.click for button in (self.clear, *others)]
        return gr.on(clicks, lambda: [None] * len(self.boxes), None, self.boxes, **settings)

    def renewed(self, values: Mapping[str, list[Any]]) -> Values:
        """The boxes with another catalog's values to choose from; what is chosen stays."""
        years = [_ANY, *values["year"]]
        choices = [years, years, *(values[name] for name in LABELS)]
        return {box: Choice(choices=its) for box, its in zip(self.boxes, choices, strict=True)}

    def read(self, values: Values) -> dict[str, Any]:
        """What is chosen, as filters that a search takes."""
        year_from, year_to, *chosen = (values[box] for box in self.boxes)
        filters: dict[str, Any] = {
            name: allowed for name, allowed in zip(LABELS, chosen, strict=True) if allowed
        }
        ends = {"min": year_from, "max": year_to}
        if years := {end: year for end, year in ends.items() if year not in (None, _ANY)}:
            filters["year"] = dict(zip(years, in_order([*years.values()]), strict=True))
        return filters
