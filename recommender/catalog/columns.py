"""Columns as shops name them -> those of the schema."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from html import unescape

import numpy as np
import pandas as pd

from recommender.catalog.markup import plain_text
from recommender.catalog.own import currency_of
from recommender.catalog.values import is_missing
from recommender.errors import CatalogError
from recommender.schema import COLUMNS, CURRENCY, LINK, PRICE, VIEW_COLUMNS, own_names

NAME, YEAR, PICTURE, DESCRIPTION = "productDisplayName", "year", "image", "description"
MORE_PICTURES = VIEW_COLUMNS[0]

_SYNONYMS = {
    "id": "itemid productid articleid styleid sku skuid variantsku asin artikelnummer artikelnr "
    "artnr articlenumber itemnumber itemcode productcode productnumber reference codigo handle "
    "uuid gtin ean upc barcode",
    "gender": "sex geschlecht genre sexe sexo genero genere geslacht",
    "masterCategory": "department maincategory",
    "articleType": "type producttype itemtype produkttyp typ tipo category kategorie categorie "
    "categoria warengruppe categories kategorien productcategory",
    "baseColour": "color colour basecolor maincolor maincolour farbe couleur colore kleur cor",
    "season": "saison temporada stagione seizoen",
    "year": "jahr annee ano anno jaar",
    "usage": "",
    "subCategory": "subcategory",
    NAME: "title name productname producttitle itemname bezeichnung artikelbezeichnung titel "
    "artikel artikelname produktname titre nom designation libelle nombre titulo nome titolo naam",
    PICTURE: "img imageurl imagelink imagepath imagesrc imagefile photo photourl picture "
    "pictureurl filename bild bildurl foto imagen immagine images imageurls imagelinks photos "
    "pictures bilder",
    MORE_PICTURES: "moreimages additionalimagelink additionalimagelinks additionalimages "
    "additionalimageurls furtherimages otherimages galleryimages weiterebilder",
    # Not usual, but with a meaning.
    PRICE: "preis prix precio prezzo prijs preco sellingprice saleprice listprice regularprice "
    "variantprice unitprice verkaufspreis",
    CURRENCY: "currencycode währung waehrung devise moneda valuta",
    LINK: "url producturl productlink href landingpageurl",
    "brand": "brandname marke marque marca merk vendor manufacturer",
    DESCRIPTION: "beschreibung bodyhtml productdescription descripcion descrizione omschrijving",
}


def _letters(name: str) -> str:
    """What is left of a column's name without signs, accents and case."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[\W_]", "", "".join(c for c in letters if not unicodedata.combining(c)))


_MEANINGS = {
    _letters(synonym): (column, rank)
    for column, synonyms in _SYNONYMS.items()
    for rank, synonym in enumerate((column, *synonyms.split()))
}
"""A name -> the column that it is usual for, and how many names of it are more usual."""

_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]+);", re.IGNORECASE)
_TAGS = "p|br|b|i|u|em|strong|span|div|ul|ol|li|h[1-6]|table|tbody|tr|td|a|img|font|hr|style"
_MARKUP = re.compile(rf"</?(?:{_TAGS})\b[^<>]*>|{_ENTITY.pattern}", re.IGNORECASE)
_SEVERAL = {"images", "photos", "pictures", "bilder"}
"""Which may be how many there are."""
_KINDS_OF_RECORD = {"simple", "variable", "variation", "grouped", "external", "configurable"}
"""What shops' software calls a product's type: nothing that a picture shows."""
_OF_A_CURRENCY = re.compile(r"(.+?)[\s_(\[/]+(?:in[\s_]+)?(\w{3}|[€$£₹])[\s)\]]*", re.IGNORECASE)
_PICTURE_FILE = re.compile(r"\.(jpe?g?|png|webp|gif|bmp|avif)\s*$", re.IGNORECASE)
_PICTURE_LIKE = re.compile(rf"^\s*(https?:)?//|{_PICTURE_FILE.pattern}", re.IGNORECASE)


def meaning_of(name: str) -> str | None:
    """The column that a name is the usual one for.

    >>> meaning_of("Product_Name"), meaning_of("base colour"), meaning_of("stock")
    ('productDisplayName', 'baseColour', None)
    """
    return _MEANINGS.get(_letters(name), (None, 0))[0]


def with_usual_names(
    rows: pd.DataFrame, told: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Rows under the schema's names, and what was read as what; the rest keeps its owner's names.

    What the table has no column for is no column of the rows either.

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
    # Of several names of one column the most usual is the one, whichever stands first.
    for name in sorted(found, key=lambda name: _MEANINGS.get(_letters(name), ("", 0))[1]):
        other = _is_of_another_meaning(name, rows[name])
        meant = None if other or name in taken.values() else meaning_of(name)
        if meant == LINK and _lead_to_pictures(rows[name]):
            meant = PICTURE
        if meant is not None:
            taken.setdefault(meant, name)
    currency = _price_by_its_currency(found, taken)
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
        for column, name in sorted(taken.items(), key=lambda pair: found.index(pair[1]))
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
    named = named.reindex(rows.index).assign(**currency).astype(object)
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


def _is_of_another_meaning(name: str, cells: "pd.Series[str]") -> bool:
    """Whether a column holds something else than its name is usual for."""
    if name.lower() in _SEVERAL:
        return not _hold_pictures(cells)
    if _letters(name) not in ("type", "producttype"):
        return False
    kinds = {str(cell).strip().casefold() for cell in cells if not is_missing(cell)}
    return bool(kinds) and all(set(kind.split(", ")) & _KINDS_OF_RECORD for kind in kinds)


def _price_by_its_currency(found: Iterable[str], taken: dict[str, str]) -> dict[str, str]:
    """Take a column such as `Price (EUR)` for the price where there is none; what that adds."""
    if PRICE in taken:
        return {}
    for name in found:
        told = _OF_A_CURRENCY.fullmatch(name.strip())
        code = told and currency_of(told[2])
        if told and code and meaning_of(told[1]) == PRICE and name not in taken.values():
            taken[PRICE] = name
            return {} if CURRENCY in taken else {CURRENCY: code}
    return {}


def _is_further(name: str, rows: pd.DataFrame) -> bool:
    """Whether a column has another picture of each item, such as `image_2`: by name and values."""
    if meaning_of(re.sub(r"\d{1,2}$", "", name)) not in (PICTURE, MORE_PICTURES):
        return False
    return _hold_pictures(rows[name])


def _hold_pictures(cells: Iterable[object]) -> bool:
    values = [value for value in cells if not is_missing(value)]
    return bool(values) and all(_PICTURE_LIKE.search(str(value)) for value in values)


def _lead_to_pictures(cells: Iterable[object]) -> bool:
    values = [value for value in cells if not is_missing(value)]
    return bool(values) and all(_PICTURE_FILE.search(str(value)) for value in values)


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
