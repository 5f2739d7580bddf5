"""The page as an address and a tool: in a real Chromium, by mouse, finger, keyboard, reader."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import WELCOME, assert_fits, captions, draw, open_page, show, status
from conftest import ROWS, draw_picture
from playwright.sync_api import BrowserContext, Page, expect
from serving import serve

from recommender.search.recommender import Recommender

pytestmark = pytest.mark.browser

LIKE_MINE = re.compile(r"^12 items like your picture\.")


@pytest.fixture
def address(believing: Recommender, tmp_path: Path) -> Iterator[str]:
    with serve(believing, tmp_path / "uploads") as address:
        yield address


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    """The page of an encoder that sees attributes; nothing was complained of at the end."""
    complaints: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    open_page(page, address)
    yield page
    assert complaints == []
    page.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "tee.jpg"
    path.write_bytes(draw_picture(ROWS[0]))
    return path


def parameters(page: Page) -> dict[str, str]:
    """What the page's address says, each once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def leads_to(page: Page, **expected: str) -> None:
    """Wait until the address says this."""
    for _ in range(60):
        if {name: parameters(page).get(name) for name in expected} == expected:
            return
        page.wait_for_timeout(50)
    assert {name: parameters(page).get(name) for name in expected} == expected


def test_what_was_seen_is_corrected_and_the_address_leads_back(page: Page, picture: Path) -> None:
    show(page, picture)
    status(page, LIKE_MINE)
    found = captions(page)
    chip = page.get_by_role("button", name="Article type")
    chip.click()
    sheet = page.get_by_role("dialog", name="Article type")
    sheet.get_by_role("searchbox").fill("casual")
    expect(sheet.locator(".all button:visible")).to_have_text(["Casual Shoes"])
    page.keyboard.press("Enter")
    expect(sheet).to_be_hidden()
    expect(chip).to_contain_text("Casual Shoes ✓")
    leads_to(page, corrected='{"articleType":"Casual Shoes"}')
    corrected = captions(page)
    assert corrected[0].startswith("Dor ")
    assert corrected != found

    tile = page.locator("#results .thumbnail-item").nth(3)
    tile_width = tile.bounding_box()["width"]
    tile.click()
    expect(page.locator("article.item h2")).to_be_focused()
    assert page.locator("article.item img").bounding_box()["width"] > tile_width
    page.keyboard.press("Escape")
    expect(page.locator("#item")).to_be_hidden()
    expect(page.locator("#back")).to_be_hidden()

    link = page.url
    page.reload()
    status(page, LIKE_MINE)
    assert captions(page) == corrected
    expect(page.locator("#picture img")).to_have_js_property("naturalWidth", 60)
    page.go_back()
    status(page, WELCOME)
    expect(page.locator("#picture .image-frame img")).to_have_count(0)
    page.go_forward()
    expect(chip).to_contain_text("Casual Shoes ✓")
    chip.click()
    page.get_by_role("button", name="Take what we saw").click()
    expect(chip).not_to_contain_text("✓")
    page.get_by_text("Filters and how many").click()
    chip.click()
    page.get_by_role("button", name="Show only").click()
    leads_to(page, filters='{"articleType":["Heels"]}')
    expect(page.locator("#passing")).to_have_text("1 of 13 items passes.")
    expect(page.get_by_role("button", name="Remove Heels · Footwear (1)")).to_be_visible()

    other = page.context.new_page()
    open_page(other, link)
    status(other, LIKE_MINE)
    assert captions(other) == corrected
    other.close()


def test_a_shortlist_is_kept_shared_and_taken_away(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    for example in (0, 1):
        page.locator("#examples .thumbnail-item").nth(example).click()
        page.get_by_role("button", name="☆ Add to shortlist").click()
        expect(page.get_by_role("button", name="★ On your shortlist")).to_be_visible()
        page.go_back()
        status(page, WELCOME)
    page.get_by_role("button", name="Shortlist (2)").click()
    status(page, "A shortlist of 2 items.")
    kept = captions(page)
    page.get_by_role("button", name="Copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    rows = download.value.path().read_text("utf-8").splitlines()
    assert rows[0].startswith("id,gender,")
    assert [row.split(",")[0] for row in rows[1:]] == parse_qs(urlsplit(link).query)["shortlist"][
        0
    ].split(",")
    page.get_by_role("button", name="Empty the shortlist").click()
    page.reload()
    status(page, "A shortlist of 2 items.")
    assert captions(page) == kept
    page.get_by_role("button", name="Add to my shortlist").click()
    expect(page.get_by_role("button", name="Empty the shortlist")).to_be_visible()


def test_by_keyboard_alone(page: Page) -> None:
    example = page.locator("#examples .thumbnail-item").first
    name = example.locator("img").get_attribute("alt")
    expect(page.get_by_role("button", name=name).last).to_be_visible()
    example.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#status p")).to_be_focused()
    expect(page.locator("#place [role=status]")).to_have_text(re.compile("^11 items like "))
    page.locator("#close").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#item")).to_be_hidden()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement !== document.body")
    box = page.locator("#words :is(input, textarea)")
    box.focus()
    page.keyboard.type("red heels")
    page.keyboard.press("Enter")
    leads_to(page, text="red heels")
    page.reload()
    expect(box).to_have_value("red heels")
    leads_to(page, text="red heels")


def test_a_picture_is_pasted_anywhere(page: Page) -> None:
    draw(
        page,
        """
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([blob], "pasted.png", {type: "image/png"}));
          document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true}));
        """,
    )
    status(page, LIKE_MINE)
    expect(page.locator("#picture .image-frame img")).to_have_js_property("naturalWidth", 60)
    page.get_by_role("button", name="Surprise me").click()
    expect(page.locator("#picture .image-frame img")).to_have_count(0)


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_axe_finds_nothing_serious(
    page: Page, address: str, picture: Path, width: int, theme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    open_page(page, f"{address}/?__theme={theme}")
    examined(page)
    show(page, picture)
    status(page, LIKE_MINE)
    page.get_by_text("Filters and how many").click()
    page.locator("#results .thumbnail-item").nth(2).click()
    page.locator("article.item").wait_for()
    examined(page)
    page.get_by_role("button", name="Article type").click()
    examined(page)
    assert_fits(page)


def examined(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


def test_on_a_phone(page: Page, address: str, picture: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for control in ("Upload file", "Capture from camera", "Paste from clipboard"):
        box = page.locator("#picture").get_by_label(control, exact=True).bounding_box()
        assert min(box["width"], box["height"]) >= 44, control
    show(page, picture)
    status(page, LIKE_MINE)
    expect(page.locator("#asked img")).to_be_in_viewport()
    expect(page.locator("#asked img")).to_have_js_property("naturalWidth", 60)
    expect(page.locator("#results .thumbnail-item").first).to_be_in_viewport()
    open_page(page, f"{address}/?item=5")
    expect(page.locator("article.item h2")).to_be_in_viewport()
    assert_fits(page)
