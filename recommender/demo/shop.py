"""An invented German shop of the demo's items, as its owner's spreadsheet would have it.

Its ids are texts, its headers and labels German, its numbers have decimal commas and its fields are
parted by semicolons; seven of its columns are no usual ones.
"""

import csv
import io
import json
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

Row = Mapping[str, str]

WORDS = {
    "gender": {
        "Herren": "Men",
        "Damen": "Women",
        "Jungen": "Boys",
        "Mädchen": "Girls",
        "Unisex": "Unisex",
    },
    "articleType": {
        "T-Shirts": "Tshirts",
        "Hemden": "Shirts",
        "Oberteile": "Tops",
        "Pullover": "Sweaters",
        "Jacken": "Jackets",
        "Kleider": "Dresses",
        "Jeans": "Jeans",
        "Röcke": "Skirts",
        "Freizeitschuhe": "Casual Shoes",
        "Absatzschuhe": "Heels",
        "Handtaschen": "Handbags",
        "Rucksäcke": "Backpacks",
    },
    "baseColour": {
        "schwarz": "Black",
        "weiß": "White",
        "dunkelblau": "Navy Blue",
        "blau": "Blue",
        "grau": "Grey",
        "rot": "Red",
        "grün": "Green",
        "rosa": "Pink",
        "lila": "Purple",
        "gelb": "Yellow",
        "orange": "Orange",
        "braun": "Brown",
        "beige": "Beige",
        "weinrot": "Maroon",
        "oliv": "Olive",
        "creme": "Cream",
        "türkis": "Turquoise Blue",
        "senf": "Mustard",
    },
    "season": {"Frühling": "Spring", "Sommer": "Summer", "Herbst": "Fall", "Winter": "Winter"},
}
"""A label -> the shop's words for it -> the usual ones; what else there is, it does not sell."""

PATTERNS = {"Solid": "einfarbig", "Printed": "bedruckt", "Striped": "gestreift"}
PATTERNS |= {"Checked": "kariert"}
_SHOP = "https://laden.example/artikel/"
_MADE_IN = ("Portugal", "Italien", "Türkei", "Vietnam")
TABLE, VOCABULARY, PICTURES = "artikel.csv", "woerter.json", "bilder"


def write_shop(archive: Path, folder: Path, items: int = 200) -> int:
    """Write the shop's table, its pictures, and its words for labels.

    Args:
        archive: the demo's.
        folder: is made: `TABLE`, `VOCABULARY` and pictures in `PICTURES`.
        items: at most so many.

    Returns:
        How many there are.
    """
    meant = {name: {new: old for old, new in words.items()} for name, words in WORDS.items()}
    (folder / PICTURES).mkdir(parents=True, exist_ok=True)
    rows = []
    with zipfile.ZipFile(archive) as demo:
        lines = csv.DictReader(io.StringIO(demo.read("styles.csv").decode()))
        for row in lines:
            sold = all(row[name] in words for name, words in meant.items())
            if not sold or None in row:  # or a name that has an unquoted comma
                continue
            rows.append(_row_of(row, meant))
            picture = demo.read(f"images/{row['id']}.jpg")
            (folder / PICTURES / f"{rows[-1]['Artikelnummer']}.jpg").write_bytes(picture)
            if len(rows) == items:
                break
    with (folder / TABLE).open("w", encoding="cp1252", newline="") as file:
        table = csv.DictWriter(file, [*rows[0]], delimiter=";")
        table.writeheader()
        table.writerows(rows)
    words = json.dumps(WORDS, ensure_ascii=False, indent=1)
    (folder / VOCABULARY).write_text(words, encoding="utf-8")
    return len(rows)


def _row_of(row: Row, meant: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """An item as the shop has it; what the demo does not know follows from its id."""
    chance = sha256(row["id"].encode()).digest()
    kind = meant["articleType"][row["articleType"]]
    sku = f"{kind[:3].upper()}-{int(row['id']):05d}"
    return {
        "Artikelnummer": sku,
        "Bezeichnung": f"{row['brand']} {kind}, {meant['baseColour'][row['baseColour']]}",
        "Geschlecht": meant["gender"][row["gender"]],
        "Produkttyp": kind,
        "Farbe": meant["baseColour"][row["baseColour"]],
        "Saison": meant["season"][row["season"]],
        "Jahr": row["year"],
        "Marke": row["brand"],
        "Preis": f"{row['price'].replace('.', ',')} €",
        "Link": f"{_SHOP}{sku}",
        "Muster": PATTERNS[row["pattern"]],
        "Material": row["fabric"],
        "Ärmel": row["sleeveLength"],
        "Lagerbestand": str(chance[0] % 40),
        "Gewicht kg": f"{0.1 + chance[1] % 90 / 100:.2f}".replace(".", ","),
        "Nachhaltig": "ja" if chance[2] % 3 else "nein",
        "Herkunft": _MADE_IN[chance[3] % len(_MADE_IN)],
    }
