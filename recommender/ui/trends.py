"""Tab *Trends*: what the catalog on show is made of."""

from collections.abc import Callable
from functools import cache

import gradio as gr
import pandas as pd
import plotly.graph_objects as go

from recommender.trends import category_figure, colour_figure


def build_trends_tab(frame: pd.DataFrame, tab: gr.Tab) -> None:
    """Draw the tab; its figures are computed when it is first looked at.

    Args:
        frame: the catalog's columns, one row an item.
        tab: the tab that is being drawn.
    """
    gr.Markdown(f"What the **{len(frame):,} items** of this catalog are.")
    with gr.Row():
        plots = [gr.Plot(show_label=False, min_width=320) for _ in range(2)]

    @cache
    def figures() -> list[go.Figure]:
        return [category_figure(frame), colour_figure(frame)]

    select: Callable[..., object] = tab.select
    select(figures, None, plots, show_progress="minimal", api_visibility="private")
