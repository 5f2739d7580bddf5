"""Which of a column's values are more of something than others: longer sleeves, higher heels."""

from collections.abc import Mapping, Sequence
from typing import Any

from recommender.schema import COLOUR
from recommender.search.shades import Shades
from recommender.search.tokens import key_of, tokens_of

LENGTH, USAGE = "length", "usage"
_ORDERS = {
    "sleeveLength": "sleeveless; short sleeves; three-quarter sleeves; long sleeves",
    LENGTH: "mini; above knee; knee length; midi; ankle length; maxi",
    "waistRise": "low-rise; mid-rise; high-rise",
    USAGE: "casual; smart casual; party; formal",
}
"""Values that are more of something than those before them; others are so by their numbers."""


class Orders:
    """Those of a catalog's columns that are no numbers; colours are lighter, or darker."""

    def __init__(self, values: Mapping[str, Sequence[Any]], shades: Shades | None = None) -> None:
        """Args:
        values: column -> its values.
        shades: what knows how the colours look, if anything does.
        """
        self._shades = shades
        self._orders = {name: _in_order(name, values[name]) for name in values}

    def __contains__(self, column: str) -> bool:
        if column == COLOUR:
            return self._shades is not None
        return bool(self._orders.get(column))

    def beyond(self, column: str, own: Any, *, more: bool) -> tuple[Any, ...]:
        """Values that are more of something, or less; its own, where none are."""
        if column == COLOUR and self._shades is not None:
            return self._shades.beyond(own, lighter=more) or (own,)
        order = self._orders[column]
        if own not in order:
            return (own,)
        at = order.index(own)
        return tuple(order[at + 1 :] if more else order[:at]) or (own,)


def _in_order(name: str, values: Sequence[Any]) -> list[Any]:
    """Those of a column's values that have an order, rising; none where it is not known.

    >>> _in_order("heelHeight", ["2.5 inches", "1 inch"]), _in_order("fit", ["Slim"])
    (['1 inch', '2.5 inches'], [])
    """
    known = {key_of(value): value for value in values}
    if order := _ORDERS.get(name):
        return [known[key] for value in order.split("; ") if (key := key_of(value)) in known]
    numbers = [tokens_of(str(value))[:1] for value in values]
    measures = [found[0].number if found else None for found in numbers]
    pairs = zip(measures, values, strict=True)
    told = [(number, value) for number, value in pairs if number is not None]
    return [value for _, value in sorted(told)] if len(told) == len(values) > 1 else []
