"""Bounds of numbers that words state: "under 3000", "500 to 900", "Rs 800", "since 2011"."""

from collections.abc import Mapping, Sequence

from recommender.schema import PRICE
from recommender.search.said import NEAR, Statement
from recommender.search.tokens import Token

_OF_YEARS = frozenset(("before", "after", "since"))
AT_MOST = frozenset(("under", "below", "max", "maximum", "within", "upto", "<", "less", "sub"))
AT_MOST |= {"cheaper", "before", "most", "budget", "≤"}
AT_LEAST = frozenset(("over", "above", "min", "minimum", "more", ">", "after", "since", "least"))
AT_LEAST |= {"≥", "from", "pricier"}
_ABOUT = frozenset(("about", "around", "approx", "approximately", "roughly"))
_OF_ONE = AT_MOST | AT_LEAST | _ABOUT
CURRENCIES = {
    **dict.fromkeys(("r", "rs", "inr", "rupee"), "INR"),
    **dict.fromkeys(("usd", "dollar"), "USD"),
    **dict.fromkeys(("eur", "euro"), "EUR"),
    "gbp": "GBP",
}
"""Words for money, as they are compared -> its code."""
MONEY = frozenset((*CURRENCIES, "buck", "price", "priced", "costing"))
_MEASURES = frozenset(("inch", "cm", "mm", "ml", "gm", "g", "kg", "gram", "litre", "liter"))
_MEASURES |= {"percent", "meter", "metre", "ft", "feet", "year", "yr", "month", "piece", "pack"}
"""What a number that is no amount of money is of."""
_OF_AMOUNTS = frozenset(("under", "below", "over", "above", "cheaper", "within", "upto", "<", ">"))
_OF_AMOUNTS |= {"budget", "≤", "≥", "pricier"}
_LESS = frozenset(("less", "below", "under", "cheaper", "lower", "earlier", "older"))
_MORE = frozenset(("more", "above", "over", "up", "higher", "upward", "later", "newer"))
_AFTER = {
    **dict.fromkeys(("max", "maximum"), "max"),
    **dict.fromkeys(("min", "minimum", "plus", "onward"), "min"),
}
"""What may follow a number, and which end of a range that is then."""
FILLING = frozenset(("than", "to", "a", "only", "the", "price", "of", "year")) | MONEY
"""Words that may stand between such a one and its number."""
_BETWEEN = frozenset(("and", "to")) | MONEY
_YEARS = 1900
"""From here on "years" may be what a number is: "2011 years" is slovenly said."""


class Bounds:
    """The columns of numbers and years, and the bounds that words state of them.

    Attributes:
        price: the column that amounts are of; None without one of numbers.
        years: each column of years -> its values, rising.
    """

    def __init__(
        self, numbers: Mapping[str, Sequence[float]], years: Mapping[str, Sequence[int]]
    ) -> None:
        """Args:
        numbers, years: column -> its values, rising, at least one.
        """
        self.price = PRICE if PRICE in numbers else next(iter(numbers), None)
        self.years = years
        self._prices = numbers[self.price] if self.price else ()

    def are_of(self, token: Token) -> bool:
        """Whether a word is a number, or of its bounds."""
        return token.word in _OF_ONE | {"between"} or token.number is not None

    def at(self, tokens: Sequence[Token], at: int) -> tuple[int, Statement] | None:
        """How many words state bounds from a place on, and which; None where none do."""
        found = self._of_numbers(tokens, at)
        if found is None and tokens[at].word in MONEY:
            after = tokens[at + 1 : at + 2]
            if after and after[0].number is not None:
                found = self._of_numbers(tokens, at + 1)  # of two amounts
                found = found and (found[0] + 1, found[1])
        return self._open_at(tokens, at) or found or self._of_money(tokens, at)

    def _of_numbers(self, tokens: Sequence[Token], at: int) -> tuple[int, Statement] | None:
        word = tokens[at].word
        wanted = 1 if word in _OF_ONE else 2
        if word == "from":
            if tokens[at + 1 :] and (both := self._of_numbers(tokens, at + 1)) is not None:
                return both[0] + 1, both[1]
            if (
                tokens[at + 1 :]
                and self._counted_in([tokens[at + 1].number or 0], "") in self.years
            ):
                return None  # "from 2011" is of that year
        start = at if tokens[at].number is not None else at + 1
        if start > at and wanted == 2 and word != "between":
            return None
        found: list[float] = []
        end = start
        for place, token in enumerate(tokens[start:], start):
            end += 1
            if (number := token.number) is not None:
                if _is_measured(tokens, place):
                    return None
                found.append(number)
            elif token.word not in (_BETWEEN if found else FILLING):
                return None
            if len(found) == wanted:
                break
        if len(found) < wanted or (column := self._counted_in(found, word)) is None:
            return None
        year = column in self.years
        bounds = {"min": min(found), "max": max(found)}
        if word in AT_MOST:
            bounds = {"max": found[0] - (year and word == "before")}
        elif word in AT_LEAST:
            bounds = {"min": found[0] + (year and word == "after")}
        elif word in _ABOUT:
            step = 1 if year else NEAR * found[0]
            bounds = {"min": found[0] - step, "max": found[0] + step}
        elif start == at and end == at + 2 and not year and not self._priced_within(bounds):
            return None  # two numbers beside each other, which are no prices
        return end - at, Statement(column=column, bounds=bounds)

    def _open_at(self, tokens: Sequence[Token], at: int) -> tuple[int, Statement] | None:
        """One end of a range, said after its number: "500 or less", "2000 rupees and above"."""
        if (number := tokens[at].number) is None:
            return None
        rest = [token.word for token in tokens[at + 1 : at + 4]]
        money = rest[:1] != [] and rest[0] in MONEY
        words = rest[money:]
        end = _AFTER.get(words[0], "") if words else ""
        taken = 2 + money
        if not _is_measured(tokens, at) and words[:1] == ["ish"]:  # as "around" it
            found = self._of_numbers([Token("", "around"), tokens[at]], 0)
            return found and (taken, found[1])
        if len(words) > 1 and words[0] in ("or", "and"):
            end = "max" if words[1] in _LESS else "min" if words[1] in _MORE else ""
            taken += 1
        after = tokens[at + taken : at + taken + 1]
        if not end or (after and after[0].number is not None) or _is_measured(tokens, at):
            return None  # that is of the next number, or of another
        if (column := self._counted_in([number], "")) is None:
            return None
        return taken, Statement(column=column, bounds={end: number})

    def _of_money(self, tokens: Sequence[Token], at: int) -> tuple[int, Statement] | None:
        """An amount of money alone, which is what somebody would spend: "Rs 800", "800 rupees"."""
        said = [token.word in MONEY for token in tokens[at : at + 2]]
        amounts = [token.number for token in tokens[at : at + 2]]
        if (
            self.price is None
            or (amount := next((a for a in amounts if a is not None), None)) is None
        ):
            return None
        if amounts[0] is not None and not tokens[at].word.replace(".", "").isdigit():
            taken = 1  # in one word, as "rs800" is; of thousands ("3k"), too
        elif any(said):
            taken = 2
        else:
            return None
        return taken, Statement(column=self.price, bounds={"max": amount})

    def _priced_within(self, bounds: Mapping[str, float]) -> bool:
        """Whether anything costs something between two bounds that are two."""
        low, high = bounds["min"], bounds["max"]
        return low < high and any(low <= price <= high for price in self._prices)

    def _counted_in(self, found: Sequence[float], word: str) -> str | None:
        """The column whose bounds are meant: the years' where they are years, else a price's."""
        for name, years in self.years.items():
            near = all(years[0] - 1 <= number <= years[-1] + 1 for number in found)
            if near and (self.price is None or word not in _OF_AMOUNTS):
                return name
        return None if word in _OF_YEARS else self.price


def _is_measured(tokens: Sequence[Token], at: int) -> bool:
    """Whether a number is of something else than money or years: "3 inches", "20 percent"."""
    small = (tokens[at].number or 0) < _YEARS
    return small and any(token.word in _MEASURES for token in tokens[at + 1 : at + 2])
