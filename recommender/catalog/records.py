"""A text of JSON -> the objects that a table's rows are, however people write them."""

import json
import re
from contextlib import suppress
from typing import Any

from recommender.catalog.columns import meaning_of
from recommender.errors import CatalogError

_FIRST_PAIRS = re.compile(r'"([^"\\]+)"\s*:\s*(?:"([^"\\]*)"|(\d+)\b)')
"""Keys of a JSON object with what each is, where that is a plain text or number."""
_MOST_SPACE = 4096  # between two JSON values


def read_records(text: str, name: str) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """An object a line, a list of objects, or an object that holds one such list.

    Objects may also go over several lines, or stand in one by their ids.

    Args:
        text: of the file.
        name: of it, for the messages.

    Returns:
        The objects, and id and reason of one that is cut at the end.

    Raises:
        CatalogError: it is none of these; says which line is not.
    """
    values = _values_in(text)
    if values is not None and len(values) == 1:
        values = _listed(values[0])
    left_out: list[tuple[str, str]] = []
    if values is None and text.lstrip().startswith("{"):
        values = _by_lines(text, name, left_out)
    if not values or not all(isinstance(record, dict) for record in values):
        raise CatalogError(f"{name} is no list of JSON objects, nor has it one in each line.")
    return values, left_out


def _values_in(text: str) -> list[Any] | None:
    """What stands in a text one after another; None where something else does."""
    decode_at, values, at = json.JSONDecoder().raw_decode, [], 0
    text = text.strip()
    with suppress(ValueError, RecursionError):
        while at < len(text):
            value, at = decode_at(text, at)
            values.append(value)
            at += len(text[at : at + _MOST_SPACE]) - len(text[at : at + _MOST_SPACE].lstrip())
        return values
    return None


def _listed(whole: Any) -> list[Any]:
    """The objects of a list, of the one list in an object, or of an object by their ids."""
    if not isinstance(whole, dict):
        return whole if isinstance(whole, list) else []
    if "id" in map(meaning_of, whole):  # the one item that there is
        return [whole]
    lists = [of for of in whole.values() if isinstance(of, list) and of]
    if len(lists) == 1:
        return lists[0]
    if whole and all(isinstance(of, dict) for of in whole.values()):
        return [{"id": item_id, **of} for item_id, of in whole.items()]
    return [whole]


def _by_lines(text: str, name: str, left_out: list[tuple[str, str]]) -> list[Any]:
    """An object a line, where the last one is cut; that is left out.

    Raises:
        CatalogError: another line is none.
    """
    records: list[Any] = []
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    for number, line in lines:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            records.append(record)
        elif number == lines[-1][0] and records and line.lstrip().startswith("{"):
            told = (pair for pair in _FIRST_PAIRS.findall(line) if meaning_of(pair[0]) == "id")
            item_id = next((text or number for _, text, number in told), f"line {number}")
            left_out.append((item_id, f"{name} ends within its line {number}"))
        else:
            raise CatalogError(f"Line {number} of {name} is no JSON object.")
    return records
