"""Every sentence that tells a visitor what was found, and of an item what it is."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from recommender.charts.chart import several
from recommender.schema import CURRENCY, PRICE, TYPE, is_size, noun_of
from recommender.search.options import Options

TITLE = "Fashion Recommender"
WELCOME = "Show a picture, pick an example, or let us surprise you."
NO_PICTURE = "Show a picture first: upload one, take one or paste one."
NO_ADDRESSES = "Web addresses are turned off here: upload the picture instead."
BUSY_FETCHING = (
    "Many web addresses are being fetched right now: try again in a few seconds, or upload the "
    "picture."
)
NO_BELIEFS = "This catalog's encoder says nothing of attributes."
UNNAMED = "An item without a name"
YOUR_PICTURE = "your picture"
NOT_SENT = "A picture of a batch is a file that was uploaded, or a web address."
TOO_MANY = "A batch has 1 to {most} pictures."
YOUR_PART = "your picture in the part that you marked"
CLOSER = "Try one that shows a garment, by itself and close."
KEPT = "Pictures that you show are deleted within an hour; so long a link shows them."
GONE = "The picture of this link is gone, as all are within an hour: show it again."
LEFT_OUT = "A part of this link fits no search here and is left out."
NO_HEAT = "Which places make them alike cannot be told: this encoder does not add places up."
NO_FEEDBACK = "What visitors say is not recorded here."
THANKS = "Thank you."
TAKEN_BACK = "Taken back."
ENOUGH = "Of one visitor {most} answers a day count: this one changes nothing for others."
NO_MATCH = "Nothing in this catalog looks like that. The nearest:"

_NAMED = 3
"""So many values that are ruled out are named."""
_SHARED = {TYPE: "type", "baseColour": "colour", "gender": "gender"}
"""What two items have in common that is worth saying -> what it is called in a word."""


def message_of(
    found: int, options: Options, *, matched: bool = True, repeated: int = 0, same: int = 0
) -> str:
    """What a person should know of what was found, or empty.

    Args:
        found: how many items are shown.
        options: how they were searched for.
        matched: whether they are like what was asked for.
        repeated: how many more there are, with pictures that are shown already.
        same: how many more have the very picture of the item that asks.

    >>> message_of(1, Options(k=5, filters={"gender": ["Unisex"]}))
    'Only 1 item passes these filters.'
    >>> message_of(3, Options(k=8), same=4)
    'The catalog has only 7 other items; 4 of them have this very picture.'
    >>> message_of(5, Options(k=5), matched=False)
    'Nothing in this catalog looks like that. The nearest:'
    """
    unmatched = NO_MATCH if found and not matched else ""  # last: the results follow its colon
    return " ".join(filter(None, (_how_many(found, repeated, same, options), unmatched)))


def but_as_said(name: str, text: str) -> str:
    """What the results are like, with the words that make it otherwise.

    >>> but_as_said("your picture", "but in black")
    'your picture, but “in black”'
    """
    return f"{name}, but “{re.sub(r'^but ', '', text)}”" if text else name


def readable(text: str) -> str:
    """A visitor's words without characters that show nothing, or turn round what stands by them.

    >>> readable("red\\x07 \\u202eshirt\\u202c 👗")
    'red shirt 👗'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def ruled_out_text(statement: dict[str, Any]) -> str:
    """What is not wanted, in a few words.

    >>> ruled_out_text({"values": ["Blue", "Navy Blue"]})
    'not Blue or Navy Blue'
    >>> ruled_out_text({"values": ["Polo Collar", "Shirt Collar", "Spread Collar", "Wing Collar"]})
    'not Polo Collar or 3 more'
    """
    values = [str(value) for value in statement["values"]]
    shown = values if len(values) <= _NAMED else [values[0], f"{len(values) - 1} more"]
    return f"not {' or '.join(shown)}"


def stated_text(statement: dict[str, Any]) -> str:
    """A statement in a few words.

    >>> stated_text({"column": "baseColour", "values": ["Black", "White"]})
    'Black or White'
    >>> stated_text({"column": "year", "values": [], "max": 2012.0})
    'year up to 2012'
    >>> stated_text({"column": "sizes", "values": ["UK 9"]})
    'size UK 9'
    """
    if statement["values"]:
        said = " or ".join(map(str, statement["values"]))
        return f"size {said}" if is_size(statement["column"]) and "size" not in said else said
    noun = noun_of(statement["column"])
    return f"{noun} {_range_said(statement)}"


def _range_said(bounds: Mapping[str, Any]) -> str:
    """The ends of a range in words; one of the two may be open.

    >>> _range_said({"min": 2010, "max": 2012.0}), _range_said({"max": 19.5})
    ('2010 to 2012', 'up to 19.5')
    """
    low, high = (f"{bounds[end]:.15g}" if end in bounds else None for end in ("min", "max"))
    if low and high:
        return f"{low} to {high}"
    return f"from {low}" if low else f"up to {high}"


def nothing_for(parts: list[str]) -> str:
    """Which parts of an outfit nothing in the catalog fills, or empty.

    >>> nothing_for(["bag", "watch"])
    'Nothing in this catalog suits as bag or watch.'
    """
    return f"Nothing in this catalog suits as {' or '.join(parts)}." if parts else ""


_SLOTS = {"whole": "Dress", "glasses": "Sunglasses", "scarf": "Tie or scarf"}
_SEVERAL = ("shoes", "glasses", "jewellery")


def slot_name(slot: str) -> str:
    """What a visitor calls a part of an outfit.

    >>> slot_name("bag"), slot_name("glasses")
    ('Bag', 'Sunglasses')
    """
    return _SLOTS.get(slot, slot.capitalize())


def another(slot: str) -> str:
    """What changes a part of an outfit.

    >>> another("bag"), another("shoes")
    ('Another bag', 'Other shoes')
    """
    return f"{'Other' if slot in _SEVERAL else 'Another'} {slot_name(slot).lower()}"


def beside_each_other(garments: int) -> str:
    """What there is to choose from where a picture shows several garments, or empty.

    >>> beside_each_other(2)
    'There may be 2 garments in this picture: choose one to search by it alone.'
    """
    if garments < 2:
        return ""
    return f"There may be {garments} garments in this picture: choose one to search by it alone."


def _how_many(found: int, repeated: int, same: int, options: Options) -> str:
    there = found + repeated + same
    if not there and options.filters:
        return "No item passes these filters: widen or clear one of them."
    if found >= options.k:
        return f"{same} more {'has' if same == 1 else 'have'} this very picture." if same else ""
    begin = f"The catalog has only {there} other items"
    if options.filters:
        begin = f"Only {there} {'item passes' if there == 1 else 'items pass'} these filters"
    parts = [begin]
    if repeated and options.fold:
        are = "one of them is a variant" if repeated == 1 else f"{repeated} are variants"
        parts.append(f"{are} of what is shown already")
    elif repeated:
        have = "one of them has" if repeated == 1 else f"{repeated} of them have"
        parts.append(f"{have} a picture that is shown already")
    if same:
        have = "one of them has" if same == 1 else f"{same} of them have"
        parts.append(f"{have} this very picture")
    return f"{'; '.join(parts)}."


def in_doubt(types: Iterable[str]) -> str:
    """That results are of several types, likeliest first, or empty.

    >>> in_doubt(["Shirts", "Jackets", "Tops"])
    'This may be shirts, jackets or tops: here are some of each.'
    """
    *firsts, last = [kind.lower() for kind in types] or [""]
    return f"This may be {', '.join(firsts)} or {last}: here are some of each." if firsts else ""


def not_counted(labels: Iterable[str]) -> str:
    """That corrections of some labels change no order, or empty.

    >>> not_counted(["usage"])
    'What is said of usage does not change the order: filter by it instead.'
    """
    said = " and ".join(noun_of(label) for label in labels)
    return (
        f"What is said of {said} does not change the order: filter by it instead." if said else ""
    )


def found_like(name: str, answer: dict[str, Any]) -> str:
    """How many items an answer holds, like what, and its message.

    >>> answer = {"results": [{"id": 3}], "message": "No more."}
    >>> answer["match"] = {"sureness": 0.9, "good": True}
    >>> found_like("your picture", answer)
    '1 item like your picture. No more.'
    """
    if answer["results"] and not answer["match"]["good"]:
        # What is near is not like it: to say how many there are would promise too much.
        rest = answer["message"].removesuffix(NO_MATCH).strip()
        return " ".join(filter(None, (f"Nothing in this catalog looks like {name}.", CLOSER, rest)))
    count = len(answer["results"])
    found = f"{several(count)} like {name}." if count else ""
    return " ".join(filter(None, (found, answer["message"])))


def alike(score: float, asked: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """How far an item agrees with what asks, and in what that can be named.

    Args:
        score: of the item.
        asked: label -> what is believed or known of what asks.
        item: by column.

    >>> alike(0.871, {"articleType": "Shirts", "baseColour": "Red"}, {"articleType": "Shirts"})
    '87% · same type'
    """
    same = [noun for name, noun in _SHARED.items() if asked.get(name, "") == item.get(name)]
    shared = f" · same {', '.join(same)}" if same else ""
    return f"{max(score, 0):.0%}{shared}"


def invitation(count: int) -> str:
    """What the app is for, in one sentence.

    >>> invitation(40041)
    'Show a garment, see what is most like it among 40,041 products.'
    """
    return f"Show a garment, see what is most like it among {count:,} products."


def shortlisted(count: int) -> str:
    """What a list of kept items is called.

    >>> shortlisted(3)
    'A shortlist of 3 items.'
    """
    return f"A shortlist of {several(count)}."


def filters_said(filters: Mapping[str, Any]) -> str:
    """Filters in words.

    >>> filters_said({"gender": ["Men", None], "year": {"min": 2010, "max": 2012}})
    'gender: Men or none; year: 2010 to 2012'
    >>> filters_said({"price": {"max": 900}, "description": {"contains": "cotton"}})
    'price: up to 900; description: with cotton'
    """
    said = []
    for column, allowed in filters.items():
        if not isinstance(allowed, Mapping):
            words = " or ".join("none" if value is None else str(value) for value in allowed)
        elif "contains" in allowed:
            words = f"with {allowed['contains']}"
        else:
            words = _range_said(allowed)
        said.append(f"{noun_of(column)}: {words}")
    return "; ".join(said)


def passing(count: int, total: int) -> str:
    """How many items of a catalog are counted.

    >>> passing(13, 13), passing(4, 13)
    ('13 items', '4 of 13 items')
    """
    if not count:
        return "No item passes these filters: clear them, or widen one."
    return several(total) if count == total else f"{count:,} of {several(total)}"


def price_of(item: dict[str, Any], name: str = PRICE) -> str:
    """What an item costs, in its currency where that is known.

    Args:
        item: with its currency.
        name: of the column that says it, which `is_price`.

    >>> price_of({"price": 1299, "currency": "INR"}), price_of({"price": 19.5})
    ('INR 1,299', '19.50')
    """
    price = item[name]
    if isinstance(price, str):  # that nobody could read as a number
        return price
    amount = f"{price:,.0f}" if price % 1 == 0 else f"{price:,.2f}"
    return " ".join(filter(None, (item.get(CURRENCY), amount)))


def pass_filters(count: int, total: int) -> str:
    """How many items of a catalog pass filters.

    >>> pass_filters(880, 880), pass_filters(1, 880)
    ('All 880 items pass.', '1 of 880 items passes.')
    """
    if count == total:
        return f"All {several(total)} pass."
    return f"{count:,} of {several(total)} {'passes' if count == 1 else 'pass'}."


def sentence(item: dict[str, Any]) -> str:
    """An item as a sentence: name, then what it is, in words.

    >>> sentence({"productDisplayName": "Puma Men Shoe", "articleType": "Casual Shoes",
    ...           "baseColour": "Black", "gender": "Men", "season": None, "year": 2011})
    'Puma Men Shoe: casual shoes in black for men, 2011.'
    """
    words = (item.get("articleType") or "item").lower()
    if item.get("baseColour"):
        words += f" in {item['baseColour'].lower()}"
    if item.get("gender"):
        words += f" for {item['gender'].lower()}"
    when = " ".join(str(v) for v in (item.get("season"), item.get("year")) if not pd.isna(v))
    name = item.get("productDisplayName")
    return f"{name + ': ' if name else ''}{words}{', ' + when if when else ''}."
