"""A catalog's columns -> Plotly figures that say what they count."""

import pandas as pd
import plotly.graph_objects as go

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

_UNKNOWN_COLOUR = "#b0a8a0"
_OUTLINE = "rgba(128, 128, 128, 0.7)"  # shows white on white and black on black
_INK = "#77716c"  # reads on white and on the dark page
_TOP_COLOURS = 10


def category_figure(frame: pd.DataFrame) -> go.Figure:
    """Items of each master category: a bar each, largest first.

    Args:
        frame: a catalog's columns, one row an item.
    """
    counts = frame["masterCategory"].value_counts()
    return _bars(counts, "Items by category", ["#c2415d"] * len(counts), frame["masterCategory"])


def colour_figure(frame: pd.DataFrame) -> go.Figure:
    """Items of each of the ten most frequent base colours, drawn in their own colour.

    Args:
        frame: a catalog's columns, one row an item.
    """
    counts = frame["baseColour"].value_counts().head(_TOP_COLOURS)
    colours = [COLOUR_HEX.get(name, _UNKNOWN_COLOUR) for name in counts.index]
    return _bars(counts, "The ten most frequent colours", colours, frame["baseColour"])


def _bars(
    counts: "pd.Series[int]", title: str, colours: list[str], column: "pd.Series[str]"
) -> go.Figure:
    """Horizontal bars, which leave room for names on a phone; says what is counted and missing."""
    figure = go.Figure(layout=_layout(title))
    total, missing = len(column), int(column.isna().sum())
    if counts.empty:
        figure.add_annotation(text="Nothing to show: no item has this attribute.", showarrow=False)
        return figure
    shares = [f"{count:,} · {count / total:.1%}" for count in counts]
    figure.add_bar(
        x=counts.tolist(),
        y=counts.index.tolist(),
        orientation="h",
        text=shares,
        textposition="outside",
        cliponaxis=False,
        marker={"color": colours, "line": {"color": _OUTLINE, "width": 1}},
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    counted = f"items of the catalog, of {total:,}"
    if missing:
        counted += f"; {missing:,} have no value"
    figure.update_xaxes(title_text=counted, range=[0, counts.max() * 1.35])
    figure.update_yaxes(autorange="reversed")
    return figure


def _layout(title: str) -> dict[str, object]:
    small, bold = {"font": {"size": 13}}, {"font": {"size": 16, "weight": 600}}
    return {
        "title": {"text": title, "x": 0, "xref": "container", "pad": {"l": 12}, **bold},
        "font": {"color": _INK, "size": 13},
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "margin": {"l": 8, "r": 16, "t": 48, "b": 48},
        "xaxis": {"gridcolor": "rgba(128, 128, 128, 0.25)", "automargin": True, "title": small},
        "yaxis": {"automargin": True},
        "height": 420,
        "dragmode": False,
    }
