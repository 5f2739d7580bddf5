"""Every chart by its name, and sections of them as the page shows them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import pandas as pd

from recommender.charts.chart import Chart
from recommender.trends.composition import (
    category_counts,
    category_shares,
    colour_counts,
    gender_colours,
    season_shares,
    sub_category_counts,
    usage_funnel,
)
from recommender.trends.hierarchy import rings_of_types, tree_of_items
from recommender.trends.lifts import Period, period_changes
from recommender.trends.pairs import article_usages, colour_clock, season_colours
from recommender.trends.style_map import style_map
from recommender.trends.words import name_words
from recommender.trends.years import (
    article_type_by_year,
    category_growth,
    colour_by_year,
    items_by_year,
    usage_by_year,
)

COMPOSITION: dict[str, Callable[[pd.DataFrame], Chart]] = {
    "categories": category_counts,
    "category_shares": category_shares,
    "colours": colour_counts,
    "gender_colours": gender_colours,
    "sub_categories": sub_category_counts,
    "season_shares": season_shares,
    "usages": usage_funnel,
    "words": name_words,
}
YEARS: dict[str, Callable[[pd.DataFrame], Chart]] = {
    "items_by_year": items_by_year,
    "category_growth": category_growth,
    "colours_by_year": colour_by_year,
    "article_types_by_year": article_type_by_year,
    "usages_by_year": usage_by_year,
}
PAIRS: dict[str, Callable[[pd.DataFrame], Chart]] = {
    "tree": tree_of_items,
    "rings": rings_of_types,
    "season_colours": season_colours,
    "article_usages": article_usages,
    "colour_clock": colour_clock,
}

COMPARISONS: dict[str, Callable[..., Chart]] = {
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
    return {
        name: COMPARISONS[name](frame, before=periods.before, after=periods.after)
        if name in COMPARISONS
        else plain[name](frame)
        for name in names
    }
