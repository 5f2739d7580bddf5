"""In which colour a value is drawn: a garment's colour in its own, anything else in a fixed one."""

from collections.abc import Sequence

import numpy as np

COLOUR_HEX = {
    "Beige": "#e3d3b4", "Black": "#1c1c1e", "Blue": "#2f6fc1", "Bronze": "#a97142",
    "Brown": "#7b4a2b", "Burgundy": "#6d1a36", "Charcoal": "#3f444b", "Coffee Brown": "#4b3226",
    "Copper": "#b87333", "Cream": "#f7efd5", "Fluorescent Green": "#7cfc2a", "Gold": "#d4af37",
    "Green": "#2e8b46", "Grey": "#8f9296", "Grey Melange": "#b4b6ba", "Khaki": "#b6a77a",
    "Lavender": "#b59adf", "Lime Green": "#9acd32", "Magenta": "#c2187a", "Maroon": "#7a1f2b",
    "Mauve": "#b784a7", "Metallic": "#9fa6ad", "Multi": "#c98bb9", "Mushroom Brown": "#a08c7b",
    "Mustard": "#d6a419", "Navy Blue": "#1d2b53", "Nude": "#e2bfa4", "Off White": "#f3f0e6",
    "Olive": "#6b7032", "Orange": "#ef7d1a", "Peach": "#ffc9a3", "Pink": "#ee7ba6",
    "Purple": "#6f3fa0", "Red": "#cf2233", "Rose": "#e35d7c", "Rust": "#a6442a",
    "Sea Green": "#2e8b78", "Silver": "#c3c7cc", "Skin": "#e8bc9d", "Steel": "#7d8791",
    "Tan": "#c49a6c", "Taupe": "#857567", "Teal": "#12757c", "Turquoise Blue": "#35b8c8",
    "White": "#ffffff", "Yellow": "#f5cf2f",
}  # fmt: skip
"""A colour's name in the data set -> how it is drawn."""

SEASON_HEX = {"Spring": "#6fae5a", "Summer": "#e0a021", "Fall": "#b5572a", "Winter": "#4a86b8"}

OWN_COLOURS = {"baseColour": COLOUR_HEX, "season": SEASON_HEX}
"""Columns whose values have colours of their own."""

SEASONS = tuple(SEASON_HEX)
"""The seasons in the order of the year, which is also that of the clock."""

ACCENT = "#c2415d"
COOL = "#2f7f95"
PALE = "#a39a93"
INK = "#77716c"  # reads on white; the page's style sheet lightens it where it is dark
OUTLINE = "rgba(128, 128, 128, 0.7)"  # shows white on white and black on black
GRID = "rgba(128, 128, 128, 0.25)"
HEAT = [[0, "#f6ecea"], [0.35, "#e3a0a8"], [0.7, "#c2415d"], [1, "#6d1a36"]]
OTHERS = "#cbc4be"

# Middling tones, apart from each other in lightness too, that show on white and on the dark page.
_CYCLE = (ACCENT, COOL, "#d08a2e", "#6f6bb5", "#5d9460", "#b777a8", "#8a6a4f", "#5f87c7")
_UNKNOWN_COLOUR = "#b0a8a0"

_RAMP = np.array([[47, 127, 149], [217, 176, 79], [194, 65, 93]])  # from COOL to ACCENT


def ramp_of(count: int) -> list[str]:
    """Colours for values in an order, from a cool one to a warm one.

    >>> ramp_of(3)
    ['rgb(47, 127, 149)', 'rgb(217, 176, 79)', 'rgb(194, 65, 93)']
    """
    places = np.linspace(0, 2, count)
    parts = np.stack([np.interp(places, range(3), part) for part in _RAMP.T], axis=1)
    return [f"rgb({red:.0f}, {green:.0f}, {blue:.0f})" for red, green, blue in parts]


def colours_of(column: str, values: Sequence[object]) -> list[str]:
    """How the values of a column are drawn, in their order.

    Args:
        column: of the catalog.
        values: names; those without a colour of their own take the cycle's by position.
    """
    own = OWN_COLOURS.get(column, {})
    if own is COLOUR_HEX:
        return [own.get(str(value), _UNKNOWN_COLOUR) for value in values]
    return [own.get(str(v), _CYCLE[i % len(_CYCLE)]) for i, v in enumerate(values)]
