"""The drawn demo catalog: the same bytes again, and the shipped archive as promised."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from recommender.demo.drawing.kinds import KINDS
from recommender.demo.drawing.plan import BRANDS, FIELDS, plan_catalog
from recommender.demo.drawing.words import PRICES
from scripts import draw_demo

Row = dict[str, str]

PICTURES = "4025740cf197801f3b2a2af26f8ad50dd9ba123f084179c51f88eb9e3e501da2"
"""sha256 of the shipped pictures in the order of their names: figures of weights are of these."""


@pytest.fixture(scope="module")
def shipped() -> zipfile.ZipFile:
    with zipfile.ZipFile(draw_demo.OUT) as archive:
        yield archive


def rows_of(archive: zipfile.ZipFile) -> list[Row]:
    """The table; a name may hold unquoted commas, as it is the last column."""
    header, *lines = archive.read("styles.csv").decode().splitlines()
    assert header.split(",") == list(FIELDS)
    return [dict(zip(FIELDS, line.split(",", len(FIELDS) - 1), strict=True)) for line in lines]


def test_the_same_seed_draws_the_same_bytes(tmp_path: Path) -> None:
    archives = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for out in archives:
        draw_demo.main(["--out", str(out), "--items", "12", "--seed", "5"])
    first, second = (out.read_bytes() for out in archives)
    assert first == second


def test_another_seed_draws_other_items(tmp_path: Path) -> None:
    out = tmp_path / "other.zip"
    names = []
    for seed in ("1", "2"):
        draw_demo.main(["--out", str(out), "--items", "8", "--seed", seed])
        with zipfile.ZipFile(out) as archive:
            names.append([row["productDisplayName"] for row in rows_of(archive)])
    assert names[0] != names[1]


def test_shipped_archive_is_small(shipped: zipfile.ZipFile) -> None:
    assert draw_demo.OUT.stat().st_size <= 6_000_000


def test_shipped_table_is_as_broad_as_a_shop(shipped: zipfile.ZipFile) -> None:
    rows = rows_of(shipped)
    values = {name: {row[name] for row in rows} - {"", "NA"} for name in FIELDS}
    assert len(rows) >= 800
    assert len(values["id"]) == len(rows)
    assert len(values["articleType"]) >= 30
    assert values["gender"] == {"Men", "Women", "Boys", "Girls", "Unisex"}
    assert values["masterCategory"] == {"Apparel", "Footwear", "Accessories"}
    assert len(values["baseColour"]) >= 15
    assert values["season"] == {"Spring", "Summer", "Fall", "Winter"}
    assert len(values["year"]) >= 4


def test_names_say_gender_and_colour(shipped: zipfile.ZipFile) -> None:
    for row in rows_of(shipped):
        assert f" {row['gender']} {row['baseColour']} " in row["productDisplayName"]


def test_every_row_has_its_picture(shipped: zipfile.ZipFile) -> None:
    pictures = {name for name in shipped.namelist() if name.endswith(".jpg")}
    assert pictures == {f"images/{row['id']}.jpg" for row in rows_of(shipped)}
    modes = set()
    for name in sorted(pictures):
        with Image.open(io.BytesIO(shipped.read(name))) as image:
            image.verify()
            assert image.size == (240, 320)
            modes.add(image.mode)
    assert modes == {"RGB", "L"}


def test_the_shipped_pictures_are_those_that_figures_are_of(shipped: zipfile.ZipFile) -> None:
    names = sorted(name for name in shipped.namelist() if name.endswith(".jpg"))
    digest = hashlib.sha256(b"".join(map(shipped.read, names)))
    assert digest.hexdigest() == PICTURES


def test_the_shipped_table_is_what_is_planned(shipped: zipfile.ZipFile) -> None:
    table = draw_demo.styles_csv(plan_catalog(880, 2024))
    assert shipped.read("styles.csv").decode() == table


def test_what_a_row_says_is_what_is_drawn(shipped: zipfile.ZipFile) -> None:
    assert {kind.article for kind in KINDS} == PRICES.keys()
    for row in rows_of(shipped):
        name, said = row["productDisplayName"], row["description"]
        assert row["brand"] in BRANDS
        assert name.startswith(f"{row['brand']} ")
        assert 3 < float(row["price"]) < 400
        assert row["currency"] == "EUR"
        prints = {"Striped": "Striped", "Checked": "Checked", "Gingham": "Checked"}
        words = [pattern for word, pattern in prints.items() if f" {word} " in name]
        others = ("Polka Dot", "Floral", "Printed", "Patterned", "Graphic", "Logo")
        words += ["Printed" for word in others if f" {word} " in name]
        assert words == [row["pattern"]] or (not words and row["pattern"] == "Solid")
        assert f" in {row['baseColour'].lower()} for " in said
        assert row["fabric"].lower() in said.lower()
        assert (row["sleeveLength"].endswith("Sleeves")) == said.endswith(" sleeves.") or (
            row["sleeveLength"] == "Sleeveless" and said.endswith(" without sleeves.")
        )
        if row["articleType"] in ("Tshirts", "Shirts", "Dresses", "Jackets", "Camisoles"):
            assert row["sleeveLength"]
        if row["masterCategory"] != "Apparel":
            assert not row["sleeveLength"]


def test_the_flaws_of_a_real_catalog_are_there(shipped: zipfile.ZipFile) -> None:
    rows = rows_of(shipped)
    names = [row["productDisplayName"] for row in rows]
    assert len(set(names)) < len(names)
    assert sum("," in name for name in names) == 2
    assert any(row[name] in ("", "NA") for row in rows for name in ("season", "usage", "year"))
    pictures = [shipped.read(f"images/{row['id']}.jpg") for row in rows]
    assert 4 <= len(pictures) - len(set(pictures)) <= 6
