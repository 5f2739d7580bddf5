"""Columns of a catalog's own: what a table's texts are, and of what kind a column is.

A column holds numbers, or yes and no, only where each of its values does; what could be read in
two ways stays as its owner wrote it, and that is said.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import pandas as pd

from recommender.catalog.labels import said_of, with_one_spelling
from recommender.errors import CatalogError
from recommender.schema import (
    COLUMNS,
    CURRENCY,
    PICTURE_COLUMNS,
    PRICE,
    SCHEMA,
    VIEW_COLUMNS,
    Column,
    Kind,
    own_column,
    own_names,
)

Cells: TypeAlias = pd.Series
"""A column's values, one row an item."""

DTYPES = {"int64": "Int64", "float64": "Float64", "bool": "boolean", "string": "object"}
"""Arrow's type of a column of a catalog's own -> pandas'."""

MAX_OWN = 100
_MAX_NAME = 60
_YES = {"yes", "y", "true", "ja", "wahr", "oui", "vrai", "si", "sí", "verdadero", "vero", "x"}
_NO = {"no", "n", "false", "nein", "falsch", "non", "faux", "falso"}
_CURRENCIES = {"₹": "INR", "rs": "INR", "rs.": "INR", "$": "USD", "€": "EUR", "£": "GBP"}
_CURRENCIES |= {"us$": "USD", "euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD"}
_CURRENCIES |= {"pound": "GBP", "pounds": "GBP", "zł": "PLN", "kč": "CZK", "sfr": "CHF"}
_CODES = "aud brl cad chf cny czk dkk eur gbp hkd huf inr jpy krw mxn nok pln sek sgd try usd zar"
_MARK = r"(?:[^\d\s.,'+-]{1,3}\.?|euros?|dollars?|pounds?)"
_NO_CENTS = r"(?:[.,]?/?-|[.,](?:-+|[–—]))?"  # as in 5,- and 1,299/-
_MONEY = re.compile(
    rf"(?P<before>{_MARK})?\s*(?P<number>[\d.,'’ ]*\d){_NO_CENTS}\s*(?P<after>{_MARK})?",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"[+-]?(0|[1-9]\d{0,14})")  # of more digits it is a code
_PLAIN = re.compile(rf"{_WHOLE.pattern}(\.\d+)?")
_GROUPED = {
    # As in the West or, by lakh, in India.
    ".": re.compile(r"[+-]?([1-9]\d{0,2}(,\d{3}){1,4}|[1-9]\d?(,\d{2}){1,5},\d{3})(\.\d+)?"),
    ",": re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3}){1,4}(,\d+)?"),
}
_DECIMAL_COMMA = re.compile(rf"{_WHOLE.pattern},\d+")
_SPACED = re.compile(r"(?<=\d)[ '’](?=\d{3})")
_IN_THREES = re.compile(r"[+-]?[1-9]\d{0,2}([ '’])\d{3}(\1\d{3})*([.,]\d+)?$")
_THREE = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
"""Either thousands or thousandths."""

_LONGEST_CHOICE, _MOST_CHOICES, _FEW_CHOICES, _ITEMS_A_CHOICE = 60, 1000, 20, 4


def columns_of(frame: pd.DataFrame) -> tuple[Column, ...]:
    """The columns of a catalog: the usual ones, then its own, each with the kind of its values.

    Args:
        frame: as `catalog_frame` gives it.
    """
    return (*SCHEMA, *(own_column(name, _kind_of(frame[name])) for name in own_types(frame)))


def _kind_of(values: Cells) -> Kind:
    if pd.api.types.is_bool_dtype(values.dtype):
        return "yes_no"
    if pd.api.types.is_numeric_dtype(values.dtype):
        return "number"
    texts = values.dropna().unique().tolist()
    if texts and all(text.lower().startswith(("https://", "http://")) for text in texts):
        return "link"
    most = min(_MOST_CHOICES, max(_FEW_CHOICES, len(values) // _ITEMS_A_CHOICE))
    few = len(texts) <= most and all(len(text) <= _LONGEST_CHOICE for text in texts)
    return "choice" if few else "text"


def are_names(names: Collection[str]) -> bool:
    """Whether a catalog's own columns may be called so, all of them together."""
    held = (*COLUMNS, *PICTURE_COLUMNS, *VIEW_COLUMNS)
    taken = {name.lower() for name in (*held, *names)}
    fit = all(name.strip() and len(name) <= _MAX_NAME and name.isprintable() for name in names)
    return fit and len(names) <= MAX_OWN and len(taken) == len(held) + len(names)


def own_types(frame: pd.DataFrame) -> dict[str, str]:
    """A catalog's own columns -> their dtypes, of `DTYPES`."""
    return {name: str(frame[name].dtype) for name in own_names(frame.columns)}


def own_columns(
    rows: pd.DataFrame, there: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """What a table has beside the usual columns, typed, and what there is to say of it.

    Args:
        rows: texts, None where missing; one row an item.
        there: what the catalog that they come to has, as `own_types` gives it.

    Returns:
        Columns of `DTYPES`, with the same row labels; new ones without any value are left out.

    Raises:
        CatalogError: a value is not of its column's kind.
    """
    there = there or {}
    typed: dict[str, Cells] = {}
    notes: list[str] = []
    for name in own_names(rows.columns):
        values = rows[name]
        if values.isna().all() and not name.strip():
            continue
        if name in there:
            typed[name] = _as_there(name, values, there[name], rows.get("id"))
        elif values.isna().all():
            notes.append(f"the column {name!r} is empty")
        elif not are_names({*there, *typed, name}):
            notes.append(
                f"left out the column {name!r}: there are at most {MAX_OWN}, of names that differ "
                f"and have 1 to {_MAX_NAME} letters"
            )
        elif name == PRICE:
            typed |= _priced(values, rows.get(CURRENCY), notes)
        else:
            typed.setdefault(name, _typed(name, values, notes))
    return pd.DataFrame(typed, index=rows.index), notes


def _as_there(name: str, values: Cells, dtype: str, ids: Cells | None) -> Cells:
    """Texts as values of a column that is there; its whole numbers give way to others."""

    def read(texts: Cells) -> Cells:
        return _priced(texts, None, [])[PRICE] if name == PRICE else _typed(name, texts, [])

    def is_other(typed: Cells) -> bool:
        return typed.dtype == object or (typed.dtype == "boolean") != (dtype == "boolean")

    if dtype == "object":
        return values
    texts = values.dropna()
    if texts.empty:
        return values.astype(pd.api.types.pandas_dtype(dtype))
    found = read(values)
    if is_other(found):
        kind = "yes or no" if dtype == "boolean" else "numbers"
        at = next((n for n in range(len(texts)) if is_other(read(texts.iloc[[n]]))), 0)
        of = "" if ids is None else f", of the item {ids[texts.index[at]]}"
        raise CatalogError(
            f"The catalog's column {name!r} holds {kind}, what comes to it does not: it "
            f"{'has' if at else 'begins with'} {texts.iloc[at]!r}{of}."
        )
    return found.astype("Float64") if dtype == "Float64" else found


def _typed(name: str, values: Cells, notes: list[str]) -> Cells:
    """A column's texts as what each of them is."""
    texts = values.dropna().tolist()
    lower = {text.casefold() for text in texts}
    alike = len(lower & _YES) <= 1 or lower & _NO  # of "x" and "y" alone both would be yes
    if lower <= _YES | _NO and alike and (lower & _NO or lower - {"x"}):
        return values.map(lambda t: None if t is None else t.casefold() in _YES).astype("boolean")
    signed = [text.replace("−", "-") for text in texts]
    joined = [_SPACED.sub("", t) if _IN_THREES.match(t) else t for t in signed]
    if (numbers := read_numbers(joined)) is not None:
        return _numbers(values, numbers)
    if all(map(_looks_like_number, texts)):
        notes.append(
            f"kept {name!r} as text: its numbers could be read in two ways, as {texts[0]!r}"
        )
    if _kind_of(values) == "text":  # which is free
        return values.astype(object)
    spelt, changed = with_one_spelling(values.astype(object), str.casefold)
    if changed:
        notes.append(said_of(name, changed))
    return spelt


def _numbers(values: Cells, numbers: Sequence[float]) -> Cells:
    column = pd.Series(pd.NA, index=values.index, dtype="Float64")
    column[values.notna()] = numbers
    whole = all(number == int(number) and abs(number) < 2**53 for number in numbers)
    return column.astype("Int64") if whole else column


def _priced(values: Cells, currencies: Cells | None, notes: list[str]) -> dict[str, Cells]:
    """Prices as numbers and, where they or a column say so, their currencies."""
    texts = values.dropna()
    read = {at: match for at, text in texts.items() if (match := _MONEY.fullmatch(text))}
    unread = texts.drop(list(read))
    amounts = [re.sub(r"[ '’]", "", match["number"]) for match in read.values()]
    numbers = read_numbers(amounts, money=True) if len(unread) <= len(texts) / 20 else None
    if numbers is None:
        shown = unread.iloc[0] if len(unread) else texts.iloc[0]
        notes.append(f"kept {PRICE!r} as text: {shown!r} is no single number, or more than one")
        return {PRICE: values}
    if len(unread):
        shown = ", ".join(map(repr, unread.unique()[:3]))
        notes.append(f"left out the price of {len(unread)} rows, which is no number: {shown}")
        values = values.drop(unread.index).reindex(values.index)
    money = {PRICE: _numbers(values, numbers)}
    marks = {at: match["before"] or match["after"] for at, match in read.items()}
    said = {at: _CURRENCIES.get(mark.lower(), mark.upper()) for at, mark in marks.items() if mark}
    if said:
        told = [None] * len(values) if currencies is None else currencies
        both = [known or said.get(at) for at, known in zip(values.index, told, strict=True)]
        money[CURRENCY] = pd.Series(both, index=values.index, dtype=object)
    return money


def currency_of(mark: str) -> str | None:
    """The code of a currency by its sign or one of the common codes.

    >>> currency_of("€"), currency_of("usd"), currency_of("kg")
    ('EUR', 'USD', None)
    """
    known = mark.upper() if mark.lower() in _CODES.split() else None
    return _CURRENCIES.get(mark.lower(), known)


def read_numbers(texts: Sequence[str], *, money: bool = False) -> list[float] | None:
    """Numbers as one hand wrote them, or None where one of the texts is none, or they are unclear.

    Args:
        texts: a column's.
        money: whether they are amounts, which have no thousandths.

    >>> read_numbers(["1,299.50", "20"]), read_numbers(["1.299,50", "20,5"])
    ([1299.5, 20.0], [1299.5, 20.5])
    >>> read_numbers(["1,299"]), read_numbers(["1,299"], money=True), read_numbers(["007"])
    (None, [1299.0], None)
    """
    if all(map(_PLAIN.fullmatch, texts)) and not (money and _all_by_three(texts)):
        return [float(text) for text in texts]
    for point, group in ((".", ","), (",", ".")):
        decimal = _PLAIN if point == "." else _DECIMAL_COMMA
        fits = all(
            _WHOLE.fullmatch(t) or decimal.fullmatch(t) or _GROUPED[point].fullmatch(t)
            for t in texts
        )
        # "1,299" alone is thousands here and thousandths there, unless something else tells.
        told = any(t.count(group) > 1 or (group in t and point in t) for t in texts) or any(
            point in t and not _THREE.fullmatch(t) for t in texts
        )
        if fits and (told or (money and _all_by_three(texts) and any(group in t for t in texts))):
            return [float(t.replace(group, "").replace(point, ".")) for t in texts]
    return None


def _all_by_three(texts: Sequence[str]) -> bool:
    """Whether all that has a comma or a point has three digits behind it."""
    marked = [text for text in texts if not text.lstrip("+-").isdigit()]
    return bool(marked) and all(map(_THREE.fullmatch, marked))


def _looks_like_number(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?[1-9][\d.,]*|[+-]?0[.,]\d+", text))
