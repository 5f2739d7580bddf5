"""Every chart by its name, and sections of them as the page shows them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import pandas as pd

from recommender.charts.chart import Chart
from recommender.trends.composition import (
    bars,
    gender_colours,
    ring,
    sub_category_counts,
    usage_funnel,
)
from recommender.trends.hierarchy import RINGS, TREE, nested
from recommender.trends.lifts import Period, period_changes
from recommender.trends.pairs import colour_clock, heat
from recommender.trends.style_map import style_map
from recommender.trends.words import name_words
from recommender.trends.years import category_growth, items_by_year, share_by_year

Draw = Callable[..., Chart]
"""Takes a catalog's columns, one row an item; see the function for the chart and its table."""

COMPOSITION: dict[str, Draw] = {
    "categories": partial(bars, column="masterCategory", title="Items by category"),
    "category_shares": partial(
        ring, column="masterCategory", title="Categories, share of the items"
    ),
    "colours": partial(bars, column="baseColour", title="The ten most frequent colours", most=10),
    "gender_colours": gender_colours,
    "sub_categories": sub_category_counts,
    "season_shares": partial(ring, column="season", title="Seasons, share of the items"),
    "usages": usage_funnel,
    "words": name_words,
}
YEARS: dict[str, Draw] = {
    "items_by_year": items_by_year,
    "category_growth": category_growth,
    "colours_by_year": partial(
        share_by_year, column="baseColour", title="Share of the colours by year"
    ),
    "article_types_by_year": partial(
        share_by_year, column="articleType", title="Share of article types by year"
    ),
    "usages_by_year": partial(share_by_year, column="usage", title="Share of the usages by year"),
}
PAIRS: dict[str, Draw] = {
    "tree": partial(nested, levels=TREE, title="Every item, by five attributes", kind="treemap"),
    "rings": partial(nested, levels=RINGS, title="From gender to article type", kind="sunburst"),
    "season_colours": partial(
        heat, down="baseColour", across="season", within="season", title="Colours of the seasons"
    ),
    "article_usages": partial(
        heat,
        down="articleType",
        across="usage",
        within="articleType",
        title="What article types are for",
    ),
    "colour_clock": colour_clock,
}
COMPARISONS: dict[str, Draw] = {
    "colour_changes": partial(period_changes, column="baseColour"),
    "article_type_changes": partial(period_changes, column="articleType"),
    "usage_changes": partial(period_changes, column="usage"),
}
"""What compares two periods."""

MAP = "style_map"
"""Every item as a point, coloured by an attribute; its table has a row an item."""

SECTIONS: dict[str, tuple[str, ...]] = {
    "Overview": tuple(COMPOSITION),
    "Over the years": (*YEARS, *COMPARISONS),
    "Together": tuple(PAIRS),
    "Style map": (MAP,),
}
"""What the page shows together; all of it depends on the catalog alone."""

NAMES = tuple(name for names in SECTIONS.values() for name in names)


@dataclass(frozen=True, kw_only=True)
class Periods:
    """Two periods to compare; those of `usual_periods` where either is not given."""

    before: Period | None = None
    after: Period | None = None


def draw(
    frame: pd.DataFrame, names: Iterable[str], periods: Periods, attribute: str = "baseColour"
) -> Mapping[str, Chart]:
    """Charts of a catalog, by name.

    Args:
        frame: the items to count, best as `prepared` gives them.
        names: of `NAMES`.
        periods: what the charts of `COMPARISONS` compare.
        attribute: what colours the map.
    """
    plain = COMPOSITION | YEARS | PAIRS | {MAP: partial(style_map, column=attribute)}
    between = {"before": periods.before, "after": periods.after}
    return {
        name: COMPARISONS[name](frame, **between) if name in COMPARISONS else plain[name](frame)
        for name in names
    }
