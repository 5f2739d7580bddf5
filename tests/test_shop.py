"""An invented German shop, from its table to what is served, by the README's three commands."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect
from serving import serve

from recommender.catalog.own import columns_of
from recommender.demo.shop import TABLE, VOCABULARY, WORDS
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.service.open import load_recommender
from recommender.service.trends import Question, Trends
from scripts import build_catalog, build_index, draw_shop

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
ITEMS = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop") / "laden"
    assert draw_shop.main(["--out", str(folder), "--items", str(ITEMS)]) == 0
    return folder


@pytest.fixture(scope="module")
def shop(folder: Path) -> Recommender:
    """What the commands in README make of it; the third serves it."""
    told = {"data/laden": str(folder), "data/shop": str(folder.parent / "store")}
    commands = re.findall(r"^python -m scripts\.(build_\w+) (.*--data data/shop)$", README, re.M)
    assert [name for name, _ in commands] == ["build_catalog", "build_index"]
    for name, arguments in commands:
        words = re.sub("|".join(told), lambda path: told[path[0]], arguments).split()
        script = build_catalog if name == "build_catalog" else build_index
        assert script.main(words) == 0
    assert "python app.py --data data/shop" in README
    return load_recommender(Path(told["data/shop"]))


def test_the_shop_is_as_people_have_them(folder: Path) -> None:
    lines = (folder / TABLE).read_bytes().decode("cp1252").splitlines()
    assert len(lines) == ITEMS + 1
    assert lines[0].startswith("Artikelnummer;Bezeichnung;Geschlecht;")
    assert re.search(r";\d+,\d\d €;", lines[1])
    assert len(list(folder.glob("*/*.jpg"))) == ITEMS
    assert json.loads((folder / VOCABULARY).read_text(encoding="utf-8")) == WORDS


def test_its_columns_are_what_they_are(shop: Recommender) -> None:
    assert len(shop) == ITEMS
    kinds = {column.name: column.kind for column in columns_of(shop.frame)[10:]}
    assert kinds == {
        "price": "number",
        "currency": "choice",
        "link": "link",
        "brand": "choice",
        "Muster": "choice",
        "Material": "choice",
        "Ärmel": "choice",
        "Lagerbestand": "number",
        "Gewicht kg": "number",
        "Nachhaltig": "yes_no",
        "Herkunft": "choice",
    }
    assert set(shop.frame["currency"]) == {"EUR"}
    assert set(shop.frame["articleType"]) <= set(WORDS["articleType"].values())
    assert set(shop.frame["baseColour"]) <= set(WORDS["baseColour"].values())


def test_its_items_find_each_other_within_its_columns(shop: Recommender) -> None:
    first = str(shop.frame["id"][0])
    assert re.fullmatch(r"\w{3}-\d{5}", first)
    filters = {"Nachhaltig": [True], "price": {"max": 80}, "Muster": ["einfarbig", "kariert"]}
    hits = shop.by_id(first, Options(k=5, filters=filters, sort="price"))
    rows = shop.frame.iloc[hits.rows]
    assert len(rows) == 5
    assert rows["Nachhaltig"].all()
    assert (np.diff(rows["price"].to_numpy(dtype=float)) >= 0).all()
    assert rows["price"].max() <= 80
    assert rows["Muster"].isin(["einfarbig", "kariert"]).all()


def test_its_trends_tell_of_its_columns(shop: Recommender) -> None:
    trends = Trends(shop)
    assert trends.own_columns[:2] == ["price", "brand"]
    for column in ("Herkunft", "Lagerbestand", "Nachhaltig"):
        table = trends.tables(["own_values"], Question(own=column))["tables"]["own_values"]
        assert sum(row["items"] for row in table) == ITEMS


@pytest.mark.browser
def test_its_page_at_a_desk_and_on_a_phone(
    shop: Recommender, browser: Browser, tmp_path: Path
) -> None:
    item = shop.item(str(shop.frame["id"][0]))
    with serve(shop, tmp_path) as live:
        for width in (1280, 390):
            page = browser.new_page(viewport={"width": width, "height": 844})
            page.goto(f"{live}/?item={item['id']}")
            card = page.locator("article.item")
            for said in ("Herkunft", "Gewicht kg", "Muster", "EUR", item["productDisplayName"]):
                expect(card).to_contain_text(said, timeout=30_000)
            expect(card.locator(f"a[href='{item['link']}']")).to_be_visible()
            expect(page.locator("#results img")).not_to_have_count(0)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.get_by_role("tab", name="Trends").click()
            if width == 1280:
                page.get_by_role("tab", name="Prices and more").click()
                prices = page.locator("#chart-own_values .js-plotly-plot")
                expect(prices).to_contain_text("price, EUR", timeout=30_000)
                page.locator("#trends-own input").click()
                page.get_by_role("option", name="Herkunft").click()
                expect(prices).to_contain_text("Portugal", timeout=30_000)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.close()
