"""What shall count besides being alike: the very colour, a season, an occasion."""

from collections.abc import Callable, Iterable
from typing import Any

import gradio as gr
from gradio.blocks import Block

from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.ui.parts.inputs import Choice, Values


class NudgesPanel:
    """A slider and two boxes, as far as a catalog knows of what they say.

    Attributes:
        boxes: all that is read.
        changes: the events after which it reads otherwise.
    """

    def __init__(self, recommender: Recommender) -> None:
        """Draw it with what a recommender has to choose from."""
        nudges = recommender.nudges
        self.colour = gr.Slider(
            0,
            1,
            value=0,
            step=0.1,
            label="Colour",
            info="More of the very colour of what you show",
            visible=nudges.sees_colours,
            elem_id="colour",
        )
        self.season, self.occasion = (
            Choice(
                context_choices(nudges.contexts[option]),
                value="",
                label=label,
                visible=bool(nudges.contexts[option]),
                elem_id=option,
            )
            for option, label in (
                ("season", "Rather for the season"),
                ("occasion", "Rather for the occasion"),
            )
        )
        self.boxes: list[Block] = [self.colour, self.season, self.occasion]
        self.changes: list[Callable[..., Any]] = [
            self.colour.release,
            self.season.input,
            self.occasion.input,
        ]

    def read(self, values: Values) -> dict[str, Any]:
        """Options by name."""
        return {
            "colour": values[self.colour],
            "season": values[self.season] or "",
            "occasion": values[self.occasion] or "",
        }

    def show(self, options: Options) -> Values:
        """The boxes as somebody chose who searches so."""
        return {
            self.colour: options.colour,
            self.season: options.season,
            self.occasion: options.occasion,
        }


def context_choices(values: Iterable[str]) -> list[tuple[str, str]]:
    """What items may rather be for: how it is called -> as `Options` takes it.

    >>> context_choices(["Fall", "Winter"])
    [('any', ''), ('fall', 'Fall'), ('winter', 'Winter')]
    """
    return [("any", ""), *((value.lower(), value) for value in values)]
