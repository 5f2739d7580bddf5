"""A visitor's whole way in a real Chromium: judge, more of the colour, why this one, the look."""

import re
from pathlib import Path

import pytest
from browsing import assert_fits, open_page, show, status
from conftest import ROWS, draw_picture
from playwright.sync_api import BrowserContext, expect
from serving import serve
from test_page import examined

from recommender.search.recommender import Recommender

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_from_a_picture_to_a_look(
    context: BrowserContext, believing: Recommender, tmp_path: Path, width: int, theme: str
) -> None:
    picture = tmp_path / "tee.jpg"
    picture.write_bytes(draw_picture(ROWS[0]))
    with serve(believing, tmp_path / "uploads") as address:
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 844})
        open_page(page, f"{address}/?__theme={theme}")
        show(page, picture)
        status(page, re.compile(r"^12 items like your picture\."))
        results = page.locator("#results .thumbnail-item")

        for opinion, judged in (("liked", 1), ("liked", 2), ("disliked", 3)):
            page.locator(f'#results [data-judge="{opinion}"]').nth(1).click()
            expect(page.locator('#taste [data-judge="none"]')).to_have_count(judged)
        status(page, re.compile(r"^\d+ items? like your picture\."))

        page.get_by_text("Filters and how many").click()
        slider = page.locator("#colour input[type=range]")
        slider.focus()
        page.keyboard.press("End")
        page.wait_for_function("() => location.search.includes('colour=1')")
        page.locator("#season input").click()
        page.get_by_role("option", name="winter").click()
        page.wait_for_function("() => location.search.includes('season=Winter')")
        assert_fits(page)

        results.first.focus()
        page.keyboard.press("Enter")
        expect(page.locator("article.item h2")).to_be_focused()
        expect(page.locator("#reason")).to_contain_text("Why this one")
        expect(page.locator("#reason p")).to_have_text(re.compile(r"^(Alike|Different) in "))
        page.locator("#why").focus()
        page.keyboard.press("Enter")
        figures = page.locator("#heat figure")
        expect(figures).to_have_count(2)
        expect(page.locator("#heat section > p").first).to_have_text(re.compile("^Of .*looks make"))
        assert re.match(
            "Your picture: most alike ", figures.nth(0).get_by_role("img").get_attribute("alt")
        )
        boxes = [figure.bounding_box() for figure in figures.all()]
        assert abs(boxes[0]["y"] - boxes[1]["y"]) < 2, "side by side, also on a phone"
        loaded = "images => images.every(image => image.complete && image.naturalWidth)"
        assert page.locator("#heat img").evaluate_all(loaded)
        assert_fits(page)
        examined(page)

        page.locator("#complete").click()
        slots = page.locator("#outfit li")
        expect(slots.first).to_be_visible()
        before = slots.first.locator("img").get_attribute("src")
        page.locator("#outfit button").first.click()
        expect(page.locator(f'#outfit img[src="{before}"]')).to_have_count(0)
        page.locator("article.item [data-keep]").click()
        expect(page.locator("article.item [data-keep]")).to_have_attribute("aria-pressed", "true")
        page.locator("#close").click()
        expect(page.locator("#heat figure")).to_have_count(0)
        page.close()
