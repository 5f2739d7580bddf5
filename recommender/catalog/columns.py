"""Columns as shops name them -> those of the schema."""

import re
from collections.abc import Iterable, Mapping
from html import unescape

import numpy as np
import pandas as pd

from recommender.catalog.markup import plain_text
from recommender.catalog.values import is_missing
from recommender.errors import CatalogError
from recommender.schema import COLUMNS, CURRENCY, LINK, PRICE, VIEW_COLUMNS, own_names

NAME, YEAR, PICTURE, DESCRIPTION = "productDisplayName", "year", "image", "description"
MORE_PICTURES = VIEW_COLUMNS[0]

_SYNONYMS = {
    "id": "itemid productid articleid sku asin artikelnummer",
    "gender": "sex geschlecht genre",
    "masterCategory": "department maincategory",
    "articleType": "type producttype itemtype category kategorie produkttyp warengruppe",
    "baseColour": "color colour basecolor maincolor maincolour farbe couleur",
    "season": "saison",
    "year": "jahr",
    "usage": "",
    "subCategory": "subcategory",
    NAME: "title name productname producttitle itemname bezeichnung titel artikel",
    PICTURE: "img imageurl imagelink imagepath imagesrc photo photourl picture pictureurl filename "
    "bild images imageurls imagelinks photos pictures bilder",
    MORE_PICTURES: "moreimages additionalimagelink additionalimagelinks additionalimages "
    "additionalimageurls furtherimages otherimages galleryimages weiterebilder",
    # Not usual, but with a meaning.
    PRICE: "preis prix precio sellingprice saleprice listprice",
    CURRENCY: "währung devise waehrung",
    LINK: "url producturl productlink href landingpageurl",
    "brand": "brandname marke marque vendor manufacturer",
    DESCRIPTION: "beschreibung bodyhtml productdescription",
}
_MEANINGS = {
    synonym: column
    for column, synonyms in _SYNONYMS.items()
    for synonym in (column.lower(), *synonyms.split())
}


_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]+);", re.IGNORECASE)
_TAGS = "p|br|b|i|u|em|strong|span|div|ul|ol|li|h[1-6]|table|tbody|tr|td|a|img|font|hr|style"
_MARKUP = re.compile(rf"</?(?:{_TAGS})\b[^<>]*>|{_ENTITY.pattern}", re.IGNORECASE)
_SEVERAL = {"images", "photos", "pictures", "bilder"}
"""Which may be how many there are."""
_PICTURE_LIKE = re.compile(r"^\s*https?://|\.(jpe?g?|png|webp|gif|bmp|avif)\s*$", re.IGNORECASE)


def meaning_of(name: str) -> str | None:
    """The column that a name is the usual one for.

    >>> meaning_of("Product_Name"), meaning_of("base colour"), meaning_of("stock")
    ('productDisplayName', 'baseColour', None)
    """
    return _MEANINGS.get(re.sub(r"[\W_]", "", name).lower())


def with_usual_names(
    rows: pd.DataFrame, told: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Rows under the schema's names, and what was read as what; the rest keeps its owner's names.

    Args:
        rows: a table's.
        told: a column of the schema -> the table's, where its owner says so.

    Raises:
        CatalogError: no column is the id, or one that was told is not there.
    """
    unnamed = [not str(name).strip() for name in rows.columns]
    rows = rows.loc[:, np.logical_not(unnamed)]
    found = [str(name) for name in rows.columns]
    taken = dict(told or {})
    known = tuple(dict.fromkeys((*COLUMNS, *_SYNONYMS)))
    for column, name in taken.items():
        if column not in known or name not in found:
            raise CatalogError(
                f"--columns says {column}={name}: left is one of {', '.join(known)}, "
                f"right one of {', '.join(found)}."
            )
    for column in known:
        if column in found:
            taken.setdefault(column, column)
    for name in found:
        counts = name.lower() in _SEVERAL and not _hold_pictures(rows[name])
        meant = None if counts or name in taken.values() else meaning_of(name)
        if meant is not None:
            taken.setdefault(meant, name)
    further = [name for name in found if name not in taken.values() and _is_further(name, rows)]
    if further and PICTURE not in taken:
        taken[PICTURE] = further.pop(0)
    if "id" not in taken:
        raise CatalogError(
            f"The table has no column for the id; it has: {', '.join(found) or 'none'}. "
            "Name it by --columns id=…"
        )
    notes = [
        f"read the column {name!r} as the {_said(column)}"
        for column, name in taken.items()
        if name != column
    ]
    if any(unnamed):
        notes.append(f"left out {sum(unnamed)} columns without a name")
    absent = [column for column in COLUMNS if column not in taken]
    if absent:
        notes.append(f"there is no column for {', '.join(map(_said, absent))}")
    # What has no usual name is the owner's own; of two that mean the same, the second is, too.
    others = [name for name in found if name not in (*taken, *taken.values(), *further)]
    own = {name: name for name in others}
    rows = rows.set_axis(found, axis=1)
    named = pd.DataFrame({column: rows[name] for column, name in (taken | own).items()})
    named = named.reindex(rows.index).assign(**dict.fromkeys(absent)).astype(object)
    if further:
        notes.append(f"read as further pictures: {', '.join(map(repr, further))}")
        columns = [name for name in found if name in (*further, taken.get(MORE_PICTURES))]
        named[MORE_PICTURES] = [_together(cells) for cells in rows[columns].to_numpy().tolist()]
    for column, pattern, plain in ((NAME, _ENTITY, _unescaped), (DESCRIPTION, _MARKUP, plain_text)):
        if column in taken:
            marked = [
                isinstance(cell, str) and bool(pattern.search(cell)) for cell in named[column]
            ]
            named.loc[marked, column] = named.loc[marked, column].map(plain)
            notes += [f"read {sum(marked):,} of {_said(column)} without markup"] * any(marked)
    if kept := own_names(own):
        notes.append(f"kept as columns of its own: {', '.join(kept)}")
    return named, notes


def _is_further(name: str, rows: pd.DataFrame) -> bool:
    """Whether a column has another picture of each item, such as `image_2`: by name and values."""
    if meaning_of(re.sub(r"\d{1,2}$", "", name)) not in (PICTURE, MORE_PICTURES):
        return False
    return _hold_pictures(rows[name])


def _hold_pictures(cells: Iterable[object]) -> bool:
    values = [value for value in cells if not is_missing(value)]
    return bool(values) and all(_PICTURE_LIKE.search(str(value)) for value in values)


def _unescaped(cell: str) -> str:
    return _ENTITY.sub(lambda found: unescape(found[0]), cell)


def _together(cells: Iterable[object]) -> str | None:
    return " | ".join(str(cell) for cell in cells if not is_missing(cell)) or None


def _said(column: str) -> str:
    return {NAME: "name", PICTURE: "picture", MORE_PICTURES: "further pictures"}.get(column, column)


def read_told(settings: Iterable[str]) -> dict[str, str]:
    """`--columns name=title,id=sku` as what `with_usual_names` takes.

    Raises:
        CatalogError: one is of another form.

    >>> read_told(["name=title,id=sku"])
    {'productDisplayName': 'title', 'id': 'sku'}
    """
    told: dict[str, str] = {}
    for part in (part for setting in settings for part in setting.split(",")):
        column, equals, name = part.partition("=")
        if not (column.strip() and equals and name.strip()):
            raise CatalogError(f"--columns takes pairs such as name=title,id=sku, not {part!r}.")
        meant = meaning_of(column) or column.strip()
        if told.setdefault(meant, name.strip()) != name.strip():
            raise CatalogError(f"--columns says {column.strip()} twice: name one of the table's.")
    return told
