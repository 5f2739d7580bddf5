"""What Kaggle's full-size data says of each item: `styles/ID.json` -> columns beside the others.

A file knows some hundred and fifty attributes, and most of them are a few types' alone. A column is
made of one that says how a thing looks, what it is made of or what it is for, where at least
`LEAST_ITEMS` of Kaggle's items have it; the others stay together in `details`, as people read them.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

import pandas as pd
from tqdm.auto import tqdm

from recommender.catalog.archives import Files
from recommender.catalog.cleaning import RawCatalog
from recommender.catalog.columns import NAME
from recommender.catalog.layout import key_of
from recommender.catalog.markup import plain_text
from recommender.catalog.values import cleaned, is_missing
from recommender.errors import CatalogError

LEAST_ITEMS = 500
"""Of Kaggle's 44,000: one in a hundred of all, and a third of the types that have heels."""

ATTRIBUTES = {
    "variety": ("Type",),
    "pattern": ("Pattern", "Print or Pattern Type"),  # the second as far as it says the same
    "print": ("Print or Pattern Type",),
    # Of clothes, of shoes and bags, and of saris: no item has two of them.
    "fabric": ("Fabric", "Material", "Saree Fabric"),
    "fabric2": ("Fabric 2",),
    "sleeveLength": ("Sleeve Length",),
    "sleeveStyle": ("Sleeve Styling",),
    # Shirts and jackets have a collar, what else has a neckline has that; none has both.
    "neck": ("Neck", "Collar"),
    "fit": ("Fit",),
    "length": ("Length",),
    "occasion": ("Occasion",),
    "sport": ("Sport",),
    "heelType": ("Heel Type",),
    "heelHeight": ("Heel Height",),
    "toeShape": ("Toe Shape",),
    "ankleHeight": ("Ankle Height",),
    # One word a type: of shoes, of heels, of clothes, of bags.
    "fastening": ("Fastening", "Fastening and Back Detail", "Closure", "Compartment Closure"),
    "waistRise": ("Waist Rise",),
    "waistband": ("Waistband",),
    "weave": ("Weave Type", "Knit or Woven"),  # of tops and of dresses
    "transparency": ("Transparency",),
    "display": ("Display",),
    "dialShape": ("Dial Shape",),
    "strapMaterial": ("Strap Material",),
    "lensColour": ("Lens Colour",),
    "waterResistance": ("Water Resistance",),
    "multipack": ("Multipack Set",),
    "washCare": ("Wash Care",),
}
"""A column -> the attributes that say it: of those that an item has, the first."""

_A_PRINT = ("pattern", "Print or Pattern Type")
_PATTERNS = ("Checked", "Colourblocked", "Embellished", "Self Design", "Solid", "Striped")
_PATTERNS_TOO = frozenset((*_PATTERNS, "Textured", "Washed", "Woven Design"))
"""Values of `Print or Pattern Type` that are the same words of `Pattern`; others are prints."""

SYNONYMS = {
    "sleeveLength": {"No Sleeves": "Sleeveless"},
    "fit": {"Loose": "Loose Fit"},
    "occasion": {"Daily": "Everyday"},
    "neck": {"Hood": "Hooded", "Mock Neck": "Mock Collar"},
    "fastening": {"Velcro Closure": "Velcro"},
    "waterResistance": {"No": "Non-Resistant"},
    "fabric": {"Textile": "Fabric"},
}
"""Two spellings of one meaning within a column: each -> the more frequent one."""

_DESCRIPTORS = {
    "description": "description",
    "style_note": "styleNote",
    "materials_care_desc": "care",
    "size_fit_desc": "sizeAndFit",
}
_TEXTS = {"brandName": "brand", "ageGroup": "ageGroup", "fashionType": "fashionType"}
_MORE_DETAILS = {
    "variantName": "Variant",
    "articleNumber": "Article number",
    "displayCategories": "Shown among",
}
COLUMNS_OF_STYLES = (
    *_TEXTS.values(),
    "price",
    "discountedPrice",
    "currency",
    "colour2",
    "colour3",
    *ATTRIBUTES,
    "sizes",
    *_DESCRIPTORS.values(),
    "details",
    "link",
)
"""In the order in which they follow the table's."""

_CURRENCY = "INR"
_SHOP = "https://www.myntra.com/"
_MAX_BYTES = 2**20  # the longest of Kaggle's has 81,000
_FOLDER = "styles"


@dataclass
class _Style:
    """What one file says, and what of it cannot be."""

    name: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def find_styles(names: Iterable[str], folder: str = "") -> dict[str, str]:
    """The files of `styles/` below a folder, by the ids that they are named after.

    Args:
        names: of a source's files.
        folder: with a slash at its end, or empty.
    """
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda name: (name.count("/"), name)):
        path = PurePosixPath(name)
        inside = name.startswith(folder) and path.parent.name == _FOLDER
        if inside and path.suffix.lower() == ".json" and not path.name.startswith("."):
            found.setdefault(key_of(path.stem), name)
    return found


def join_styles(raw: RawCatalog, files: Files, folder: str = "") -> RawCatalog:
    """The same rows with the columns that their styles make, where the table has not its own.

    A name that had to be put together again, as it has an unquoted comma, is the style's.

    Args:
        raw: what a source found.
        files: of an archive or folder with `styles/ID.json`.
        folder: below which they are.

    Raises:
        CatalogError: there is no such file, or none is of a row.
    """
    found = find_styles(files.names, folder)
    if not found:
        raise CatalogError(f"{files.found_in} has no styles: they are files such as styles/1.json.")
    keys = [key_of(cleaned(item_id) or "") for item_id in raw.rows["id"]]
    if not (there := set(keys) & found.keys()):
        raise CatalogError(f"No file of styles in {files.found_in} has the id of a row.")
    styles, problems = {}, []
    for key in tqdm(sorted(there), "Reading styles", unit="item"):
        try:
            styles[key] = _read_style(files.read(found[key], _MAX_BYTES), key)
        except CatalogError as error:
            problems.append((key, str(error).rstrip(".")))
            continue
        problems += [(key, problem) for problem in styles[key].problems]
    rows = raw.rows.copy()
    for column in COLUMNS_OF_STYLES:
        said = [styles[key].columns.get(column) if key in styles else None for key in keys]
        values = pd.Series(said, index=rows.index, dtype=object)
        if column in rows:
            values = rows[column].where(~rows[column].map(is_missing), values)
        if values.notna().any():
            rows[column] = values
    repaired = {key_of(item_id) for item_id in raw.repaired_ids}
    names = [styles[key].name if key in repaired & styles.keys() else None for key in keys]
    renamed = pd.Series(names, index=rows.index, dtype=object)
    if renamed.notna().any():
        rows[NAME] = renamed.where(renamed.notna(), rows[NAME])
    notes = [*raw.notes, f"joined {sum(key in styles for key in keys):,} rows with their styles"]
    if lacking := [key for key in keys if key not in found]:
        notes.append(f"{len(lacking):,} rows have no styles: {', '.join(lacking[:10])}")
    if others := len(found) - len(there):
        notes.append(f"{others:,} files of styles are of no row")
    if count := int(renamed.notna().sum()):
        notes.append(f"{count:,} names with an unquoted comma are those of their styles")
    notes += [f"styles of {key}: {problem}" for key, problem in problems]
    return replace(raw, rows=rows, notes=notes)


def _read_style(data: bytes, key: str) -> _Style:
    """One file.

    Raises:
        CatalogError: it is of another form, or of another item.
    """
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise CatalogError("the file is not JSON.") from error
    said = whole.get("data") if isinstance(whole, dict) else None
    if not isinstance(said, dict):
        raise CatalogError("the file has no object `data`.")
    if "id" in said and key_of(str(said["id"])) != key:
        raise CatalogError(f"the file is of the id {str(said['id'])[:40]!r}.")
    style = _Style(_text(said.get("productDisplayName")))
    attributes, rest = _attributes(said.get("articleAttributes"))
    columns = {column: _text(said.get(key)) for key, column in _TEXTS.items()}
    columns |= {column: _price(said, column, style) for column in ("price", "discountedPrice")}
    columns["currency"] = _CURRENCY if columns["price"] or columns["discountedPrice"] else None
    columns |= _colours(said) | attributes | _descriptions(said.get("productDescriptors"))
    columns["sizes"] = _sizes(said.get("styleOptions"))
    columns["details"] = _details(rest, said)
    columns["link"] = _link(said.get("landingPageUrl"), style)
    style.columns = {column: value for column, value in columns.items() if value is not None}
    return style


def _text(value: Any) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return cleaned(value) if isinstance(value, str) else None


def _price(said: Mapping[str, Any], column: str, style: _Style) -> str | None:
    text = _text(said.get(column))
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        style.problems.append(f"its {column} is no number: {text[:40]!r}")
        return None
    return text.removesuffix(".0")


def _colours(said: Mapping[str, Any]) -> dict[str, str | None]:
    """The second and third colour: the file calls them the first and second beside the main one."""
    named = dict.fromkeys(_text(said.get(key)) for key in ("colour1", "colour2"))
    others = [colour for colour in named if colour not in (None, _text(said.get("baseColour")))]
    second, third, *_ = [*others, None, None]
    return {"colour2": second, "colour3": third}


def _attributes(said: Any) -> tuple[dict[str, str | None], dict[str, str]]:
    """Columns, and the attributes that are none or say something else than the column does."""
    pairs = said.items() if isinstance(said, dict) else ()
    there = {cleaned(name) or "": text for name, value in pairs if (text := _text(value))}
    columns: dict[str, str | None] = {}
    rest = dict(there)
    for column, names in ATTRIBUTES.items():
        known = SYNONYMS.get(column, {})
        for name in names:
            if (value := there.get(name)) is None:
                continue
            if (column, name) == _A_PRINT and value not in _PATTERNS_TOO:
                continue
            value = known.get(value, value)
            if columns.setdefault(column, value) == value:
                rest.pop(name, None)
    return columns, rest


def _descriptions(said: Any) -> dict[str, str | None]:
    texts = {}
    for key, column in _DESCRIPTORS.items():
        of = said.get(key) if isinstance(said, dict) else None
        value = of.get("value") if isinstance(of, dict) else None
        text = plain_text(value) if isinstance(value, str) else None
        texts[column] = None if (text or "").casefold() == "style note" else text  # left blank
    return texts


def _sizes(said: Any) -> str | None:
    options = said if isinstance(said, list) else []
    values = dict.fromkeys(_text(o.get("value")) for o in options if isinstance(o, dict))
    return ", ".join(value for value in values if value) or None


def _details(rest: Mapping[str, str], said: Mapping[str, Any]) -> str | None:
    def pairs() -> Iterator[tuple[str, str | None]]:
        yield from rest.items()
        for key, name in _MORE_DETAILS.items():
            yield name, _text(said.get(key))
        yield "Added", _date(said.get("catalogAddDate"))

    said_of = [f"{name}: {value.replace(';', ',')}" for name, value in pairs() if value]
    return "; ".join(said_of) or None


def _date(seconds: Any) -> str | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat() if seconds else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _link(said: Any, style: _Style) -> str | None:
    """The address of the item's page in the shop, which the file has without the host."""
    path = (_text(said) or "").removeprefix(_SHOP)
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|[/\\]{2}", path):
        style.problems.append(f"its landingPageUrl is not of the shop: {path[:80]!r}")
        return None
    return _SHOP + quote(path.lstrip("/"), safe="/%:@!$&'()*+,;=~-._") if path else None
