"""The columns of an item: what filters, cards, trends, labels and reports are derived from.

The usual ones are those of Kaggle's `styles.csv`. A catalog may bring columns of its own. Its ids
are whole numbers or texts, one kind a catalog; files of embeddings and indexes hold numbers alone:
an id's key, which is the number itself or, of a text, a hash.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["id", "choice", "year", "text", "number", "yes_no", "link"]
"""`choice` is one of a few words, `text` is free, `link` a web address; all but the id may miss."""


@dataclass(frozen=True)
class Column:
    """A column of a catalog; `noun` is what one of its values is called."""

    name: str
    kind: Kind
    noun: str

    @property
    def title(self) -> str:
        """What a box, a card or a table calls it."""
        return self.noun[:1].upper() + self.noun[1:]


SCHEMA = (
    Column("id", "id", "id"),
    Column("gender", "choice", "gender"),
    Column("masterCategory", "choice", "category"),
    Column("subCategory", "choice", "sub-category"),
    Column("articleType", "choice", "article type"),
    Column("baseColour", "choice", "colour"),
    Column("season", "choice", "season"),
    Column("year", "year", "year"),
    Column("usage", "choice", "usage"),
    Column("productDisplayName", "text", "name"),
)
"""The columns of Kaggle's `styles.csv`, in its order: the usual ones."""

COLUMNS = tuple(column.name for column in SCHEMA)
LABELS = tuple(column.name for column in SCHEMA if column.kind == "choice")
NOUNS = {column.name: column.noun for column in SCHEMA if column.kind != "id"}
TITLES = {column.name: column.title for column in SCHEMA}

TYPE, CATEGORY = "articleType", "masterCategory"
"""The labels that say most, and least, of what an item is."""
KINDS = (TYPE, "subCategory", CATEGORY)
"""The labels that say what kind of thing an item is."""
COLOUR, GENDER = "baseColour", "gender"

ATTRIBUTES = (*LABELS, "year")
"""Usual columns by which items are told apart."""

PRICE, CURRENCY, LINK = "price", "currency", "link"
"""Columns of a catalog's own that have a meaning: what it costs, in what, and where to buy it."""


def is_price(name: str) -> bool:
    """Whether a column of a catalog's own says what an item costs, or did, or will.

    >>> is_price("price"), is_price("discountedPrice"), is_price("sale_price"), is_price("priced")
    (True, True, True, False)
    """
    return name.lower().endswith(PRICE)


def is_size(name: str) -> bool:
    """Whether a column of a catalog's own says in which sizes an item comes.

    >>> is_size("sizes"), is_size("size"), is_size("available_sizes"), is_size("sizeAndFit")
    (True, True, True, False)
    """
    return re.sub(r"\W|_", "", name.lower()) in ("size", "sizes", "availablesizes", "shoesize")


def own_column(name: str, kind: Kind) -> Column:
    """A column of a catalog's own, by the name that its owner gave it.

    >>> own_column("sleeveLength", "choice").title, own_column("in_stock", "yes_no").title
    ('Sleeve length', 'In stock')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\s]+", " ", name).split()
    return Column(name, kind, " ".join(w.lower() if w.istitle() else w for w in words))


def noun_of(name: str) -> str:
    """What a value of a column is called, of whichever catalog."""
    return NOUNS.get(name) or own_column(name, "text").noun


def title_of(name: str) -> str:
    """What a box, a card or a table calls a column, of whichever catalog."""
    return TITLES.get(name) or own_column(name, "text").title


PICTURE_COLUMNS = ("image", "image_hash")
"""What a catalog holds of an item beside its columns."""

VIEW_COLUMNS = ("more_images", "more_image_hashes")
"""What it holds too where an item has further pictures: these, in order, and their hashes."""

_HELD = (*COLUMNS, *PICTURE_COLUMNS, *VIEW_COLUMNS)


def own_names(names: Iterable[str]) -> list[str]:
    """Those of what a catalog holds of an item that are columns of its own."""
    return [name for name in names if name not in _HELD]


def folded(label: str) -> str:
    """What spellings of one label have in common: case, hyphens, spaces, plural, grey or gray.

    >>> folded("T-Shirts") == folded("tshirt"), folded("Light gray") == folded("light-grey")
    (True, True)
    """
    letters = re.sub(r"[\s_\-‐‑]", "", label.casefold()) or label
    return letters.removesuffix("s").replace("gray", "grey")


Id = int | str
MAX_LETTERS = 200
"""Of a text that is an id."""


def keys_of(ids: Iterable[Id]) -> npt.NDArray[np.int64]:
    """What files of embeddings call items.

    Args:
        ids: n of them, whole numbers from 0 to 2^63 - 1 or texts; an array of numbers is the
            fastest.

    Returns:
        int64 of shape (n,), from 0 on. Texts that differ have the same key once in 2^63 pairs.

    >>> keys_of([15970, 1163]).tolist(), keys_of(["SKU-1"]).tolist()
    ([15970, 1163], [5566019728518143210])
    """
    held = np.asarray(ids) if hasattr(ids, "__array__") else None
    if held is not None and np.issubdtype(held.dtype, np.integer):
        return held.astype(np.int64)
    return np.array([key_of(item_id) for item_id in ids], dtype=np.int64)


def key_of(item_id: Id) -> int:
    """The key of one id; see `keys_of`."""
    if not isinstance(item_id, str):
        return int(item_id)
    return int.from_bytes(blake2b(item_id.encode(), digest_size=8).digest()) >> 1


def whole(value: object) -> int | None:
    """A whole number in whatever form it came, as JSON knows one kind of number; else None.

    >>> whole(5.0), whole(5.5), whole(True), whole("5")
    (5, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer):
        return None
    return int(value) if value % 1 == 0 else None  # which NaN and infinity fail


def sent_id(value: object) -> Id | None:
    """What a program sent for an id, as far as it may be one; else None.

    >>> sent_id("A-7"), sent_id(7.0), sent_id(7.5)
    ('A-7', 7, None)
    """
    return value if isinstance(value, str) else whole(value)


def read_id(text: str, *, numbers: bool) -> Id:
    """The id that an address or a command names; one that no item has where it names none.

    Args:
        text: as it stands there, decoded.
        numbers: whether the catalog's ids are.

    >>> read_id("15970", numbers=True), read_id("x", numbers=True), read_id("7", numbers=False)
    (15970, 'x', '7')
    """
    known = numbers and text.isascii() and text.isdigit() and len(text) < 20
    return int(text) if known else text
