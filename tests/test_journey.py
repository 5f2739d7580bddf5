"""A visitor's whole way in a real Chromium: judge, more of the colour, why this one, the look."""

import re
from pathlib import Path

import pytest
from browsing import assert_fits, open_page, show, status
from conftest import ROWS, draw_picture
from playwright.sync_api import BrowserContext, Locator, expect
from serving import serve
from test_page import examined

from recommender.search.recommender import Recommender

pytestmark = pytest.mark.browser


def pull(slider: Locator, end: str) -> None:
    """To an end of it, by the mouse."""
    slider.scroll_into_view_if_needed()
    box, page = slider.bounding_box(), slider.page
    middle, last = box["y"] + box["height"] / 2, box["x"] + box["width"]
    page.mouse.move(*((box["x"] + 2, middle) if end == "End" else (last - 2, middle)))
    page.mouse.down()
    page.mouse.move(*((last - 1, middle) if end == "End" else (box["x"] + 1, middle)), steps=4)
    page.mouse.up()


@pytest.mark.parametrize(("width", "theme", "keys"), [(1280, "light", False), (390, "dark", True)])
def test_from_a_picture_to_a_look(
    context: BrowserContext,
    believing: Recommender,
    tmp_path: Path,
    width: int,
    theme: str,
    keys: bool,
) -> None:
    picture = tmp_path / "tee.jpg"
    picture.write_bytes(draw_picture(ROWS[0]))

    def press(button: Locator) -> None:
        if keys:
            button.focus()
            button.page.keyboard.press("Enter")
        else:
            button.click()

    def slide(slider: Locator, end: str) -> None:
        if keys:
            slider.focus()
            slider.page.keyboard.press(end)
        else:
            pull(slider, end)

    with serve(believing, tmp_path / "uploads") as address:
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 844})
        open_page(page, f"{address}/?__theme={theme}")
        show(page, picture)
        status(page, re.compile(r"^12 items like your picture\."))
        results = page.locator("#results .thumbnail-item")

        for opinion, judged in (("liked", 1), ("liked", 2), ("disliked", 3)):
            press(page.locator(f'#results [data-judge="{opinion}"]').nth(1))
            expect(page.locator('#taste [data-judge="none"]')).to_have_count(judged)
        status(page, re.compile(r"^\d+ items? like your picture\."))

        press(page.get_by_role("button", name="Filters and how many"))
        slider = page.locator("#colour input[type=range]")
        slide(slider, "End")
        page.wait_for_function("() => location.search.includes('colour=1')")
        slide(slider, "Home")
        page.wait_for_function("() => !location.search.includes('colour')")
        slide(slider, "End")
        page.wait_for_function("() => location.search.includes('colour=1')")
        page.locator("#season input").click()
        page.get_by_role("option", name="winter").click()
        page.wait_for_function("() => location.search.includes('season=Winter')")
        assert_fits(page)

        press(results.first)
        expect(page.locator("article.item h2")).to_be_focused()
        expect(page.locator("#reason")).to_contain_text("Why this one")
        expect(page.locator("#reason p")).to_have_text(re.compile(r"^(Alike|Different) in "))
        press(page.locator("#why"))
        figures = page.locator("#heat figure")
        expect(figures).to_have_count(2)
        said = page.locator("#heat section > p").first
        expect(said).to_have_text(re.compile("^Of .*looks make .*what you like.*the very colour"))
        expect(page.locator("#reason p")).to_have_text(re.compile("What you like .*for winter"))
        assert re.match(
            "Your picture: most alike ", figures.nth(0).get_by_role("img").get_attribute("alt")
        )
        boxes = [figure.bounding_box() for figure in figures.all()]
        assert abs(boxes[0]["y"] - boxes[1]["y"]) < 2, "side by side, also on a phone"
        loaded = "images => images.every(image => image.complete && image.naturalWidth)"
        assert page.locator("#heat img").evaluate_all(loaded)
        assert_fits(page)
        examined(page)

        press(page.locator("#complete"))
        slots = page.locator("#outfit li")
        expect(slots.first).to_be_visible()
        before = slots.first.locator("img").get_attribute("src")
        press(page.locator("#outfit button").first)
        expect(page.locator(f'#outfit img[src="{before}"]')).to_have_count(0)
        star = page.locator("article.item [data-keep]")
        press(star)
        expect(star).to_have_attribute("aria-pressed", "true")
        press(page.locator("#close"))
        expect(page.locator("#heat figure")).to_have_count(0)
        press(page.get_by_role("button", name="Shortlist (1)"))
        status(page, "A shortlist of 1 item.")
        page.close()
