"""The page in a real Chromium: what a visitor does, sees and never meets."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from browsing import ARGS, WELCOME, assert_fits, captions, draw, open_page, show, status
from conftest import ROWS, FindingEncoder, build_store, draw_picture, open_store, write_archive
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, expect
from serving import call, serve, shop, upload

from recommender.feedback.events import EventLog
from recommender.search.recommender import Recommender
from recommender.service.live import Live
from recommender.ui.code import snippets

pytestmark = pytest.mark.browser

# What Gradio itself logs in a browser without features that the page does not use.
QUIET = ("Method not implemented.",)


@pytest.fixture
def page(context: BrowserContext, live: str) -> Iterator[Page]:
    """The page, freshly opened; at the end nothing was complained of and nothing left home."""
    complaints: list[str] = []
    abroad: list[str] = []
    page = context.new_page()
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: abroad.append(asked.url))
    open_page(page, live)
    yield page
    assert [text for text in complaints if not text.startswith(QUIET)] == []
    assert [url for url in abroad if not url.startswith((live, "data:", "blob:"))] == []


@pytest.fixture
def phone(page: Page) -> Page:
    page.set_viewport_size({"width": 390, "height": 844})
    return page


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "tee.jpg"
    path.write_bytes(draw_picture(ROWS[0]))
    return path


def test_from_an_upload_to_an_item_and_back(page: Page, picture: Path) -> None:
    status(page, WELCOME)
    expect(page.locator("#back")).to_be_hidden()
    show(page, picture)
    status(page)
    results = page.locator("#results .thumbnail-item")
    expect(results).to_have_count(12)
    found = captions(page)
    assert found[0] == "Ako Red Tee: tshirts in red for men, Summer 2011."
    assert all(re.fullmatch(r".+: .+\.", caption) for caption in found)
    expect(page.locator("#examples")).to_be_hidden()

    results.nth(4).click()
    item = page.locator("article.item")
    expect(item).to_be_visible()
    name = item.locator("h2").inner_text()
    assert found[4].startswith(name)
    assert "Article type" in item.locator("dl").inner_text()
    page.locator("#more").click()
    status(page, re.compile(rf"^\d+ items like {re.escape(name)}\."))
    assert captions(page) != found
    expect(page.locator("#more")).to_be_hidden()

    page.locator("#back").click()
    expect(item.locator("h2")).to_have_text(name)
    expect(page.locator("#more")).to_be_visible()
    assert captions(page) == found
    page.locator("#back").click()
    expect(item).to_be_hidden()
    expect(page.locator("#back")).to_be_hidden()
    # the same result again: it is no longer the selected one
    results.nth(4).click()
    expect(item.locator("h2")).to_have_text(name)


def test_the_page_shows_what_the_api_answers(page: Page, live: str, picture: Path) -> None:
    show(page, picture)
    status(page)
    answer = call(live, "recommend", upload(live, picture.read_bytes()), 12, {}, "", False)
    sources = [image.get_attribute("src") for image in page.locator("#results img").all()]
    # The page's addresses are relative, the API's are whole.
    assert [urljoin(f"{live}/", source) for source in sources] == [
        item["image"] for item in answer["results"]
    ]
    assert not [source for source in sources if "://" in source]


def test_an_address(page: Page, picture: Path) -> None:
    with shop(picture.read_bytes()) as address:
        page.locator("#address :is(input, textarea)").fill(f"{address}/tee")
        page.keyboard.press("Enter")
        status(page)
    loaded = "image => image.complete && image.naturalWidth"
    expect(page.locator("#picture img")).to_be_visible()
    assert page.locator("#picture img").evaluate(loaded) == 60


def test_webcam(page: Page) -> None:
    page.get_by_label("Capture from camera").click()
    page.get_by_text("Click to Access Webcam").click()
    # Before the first frame there is nothing to take, and gradio ignores the click.
    page.wait_for_function("() => document.querySelector('#picture video')?.videoWidth > 0")
    page.get_by_label("capture photo").click()
    status(page)
    expect(page.locator("#picture img")).to_be_visible()


PART = re.compile(r"^\d+ items? like your picture in the part that you marked\.")


@pytest.fixture
def outfit(tmp_path: Path) -> Path:
    """A photograph, lying on its side as cameras write it: a red top above a blue skirt."""
    picture = Image.new("RGB", (300, 400), "#b9a58c")
    drawn = ImageDraw.Draw(picture)
    drawn.rounded_rectangle((60, 50, 240, 190), 24, fill="red", outline="black", width=3)
    drawn.polygon([(110, 230), (190, 230), (245, 370), (55, 370)], fill="blue", outline="black")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    picture.rotate(90, expand=True).save(path := tmp_path / "outfit.jpg", exif=exif)
    return path


@pytest.fixture
def marking(context: BrowserContext, finding: Recommender, tmp_path: Path) -> Iterator[Page]:
    """The page before an encoder that finds garments."""
    with serve(finding, tmp_path / "uploads") as address:
        page = context.new_page()
        open_page(page, address)
        yield page
        page.close()


def frame_of(page: Page) -> list[float]:
    """Where the frame lies, in shares of the picture as it is drawn."""
    return page.evaluate("""() => {
      const image = document.querySelector("#picture .image-frame img");
      const outer = image.getBoundingClientRect();
      const inner = document.querySelector("#picture .frame").getBoundingClientRect();
      const {naturalWidth: w, naturalHeight: h} = image;
      const scale = Math.min(outer.width / w, outer.height / h);
      const x = outer.left + (outer.width - w * scale) / 2;
      const y = outer.top + (outer.height - h * scale) / 2;
      return [(inner.left - x) / w / scale, (inner.top - y) / h / scale,
              (inner.right - x) / w / scale, (inner.bottom - y) / h / scale];
    }""")


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From one place of the picture to another, in shares of it."""
    box = page.locator("#picture .stage").bounding_box()
    for at, act in ((start, page.mouse.down), (end, page.mouse.up)):
        page.mouse.move(box["x"] + at[0] * box["width"], box["y"] + at[1] * box["height"], steps=4)
        act()


def asked_for(page: Page, encoder: FindingEncoder, expected: tuple[float, ...] | None) -> None:
    """Wait until what was searched for last is this part of the picture, and the frame is there."""
    for _ in range(100):
        if encoder.asked[-1] == pytest.approx(expected, abs=0.02):
            break
        page.wait_for_timeout(50)
    assert encoder.asked[-1] == pytest.approx(expected, abs=0.02)
    assert frame_of(page) == pytest.approx(expected or (0, 0, 1, 1), abs=0.02)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_part_is_marked_by_mouse_and_by_keyboard(
    marking: Page, finding: Recommender, outfit: Path, width: int
) -> None:
    page, encoder = marking, finding.encoder
    page.set_viewport_size({"width": width, "height": 860})
    show(page, outfit)
    status(page)
    frame, chips = page.locator("#picture .frame"), page.locator("#region button")
    expect(frame).to_be_visible()
    assert frame_of(page) == pytest.approx(FindingEncoder.found[0], abs=0.02)
    expect(chips).to_have_text(["Whole picture", "All garments", "1", "2"])
    expect(chips.nth(1)).to_have_attribute("aria-pressed", "true")
    assert_fits(page)

    page.locator("#picture").scroll_into_view_if_needed()
    drag(page, (0.5, 0.5), (0.45, 0.55))  # moved
    status(page, PART)
    asked_for(page, encoder, (0.05, 0.15, 0.85, 0.95))
    first = captions(page)
    drag(page, (0.85, 0.95), (0.6, 0.5))  # a corner pulled
    expect(page.locator("#region .said")).to_contain_text("15% to 50% from the top")
    asked_for(page, encoder, (0.05, 0.15, 0.6, 0.5))
    drag(page, (0.7, 0.6), (0.95, 0.97))  # a new one
    expect(page.locator("#region .said")).to_contain_text("60% to 97% from the top")
    expect(chips.and_(page.locator("[aria-pressed=true]"))).to_have_count(0)

    chips.nth(3).click()
    expect(page.locator("#region .said")).to_contain_text("60% to 90% from the top")
    expect(chips.nth(3)).to_have_attribute("aria-pressed", "true")
    expect(chips.nth(3)).to_be_focused()
    frame.focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    for key in ("ArrowUp", "ArrowLeft", "Shift+ArrowDown", "Shift+ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator("#region .said")).to_have_text(
        "Looked at: 18% to 82% from the left, 58% to 90% from the top."
    )
    expect(frame).to_be_focused()
    asked_for(page, encoder, (0.18, 0.58, 0.82, 0.9))
    page.keyboard.press("Escape")
    status(page, re.compile(r"^\d+ items like your picture\."))
    asked_for(page, encoder, None)
    expect(chips.first).to_have_attribute("aria-pressed", "true")
    expect(frame).to_be_focused()
    assert captions(page) != first


def test_the_frame_goes_and_comes_with_its_picture(
    marking: Page, outfit: Path, picture: Path
) -> None:
    page, frame = marking, marking.locator("#picture .frame")
    show(page, outfit)
    status(page)
    page.locator("#region button").nth(2).click()
    status(page, PART)
    page.get_by_role("tab", name="Use it from code").click()
    expect(frame).to_be_hidden()
    page.get_by_role("tab", name="Find similar").click()
    expect(frame).to_be_visible()
    assert frame_of(page) == pytest.approx(FindingEncoder.found[1], abs=0.02)
    page.locator("#results .thumbnail-item").first.click()
    page.locator("#more").click()
    expect(frame).to_be_hidden()
    expect(page.locator("#region")).to_be_hidden()
    expect(page.locator("#picture img")).to_have_count(0)  # an item asks now
    page.locator("#back").click()
    expect(frame).to_be_visible()
    assert frame_of(page) == pytest.approx(FindingEncoder.found[1], abs=0.02)
    page.get_by_label("Remove Image").click()
    status(page, WELCOME)
    show(page, picture)
    status(page)
    expect(frame).to_be_visible()
    assert frame_of(page) == pytest.approx(FindingEncoder.found[0], abs=0.02)


def test_a_camera_counts_down_while_the_garment_is_held(
    browser: Browser, chromium: str, finding: Recommender, tmp_path: Path
) -> None:
    file = io.BytesIO()
    scene = Image.new("RGB", (640, 480), "#b9a58c")
    ImageDraw.Draw(scene).rounded_rectangle((230, 60, 410, 400), 30, fill="red", outline="black")
    scene.save(file, "JPEG", quality=90)
    film = tmp_path / "film.mjpeg"
    film.write_bytes(file.getvalue() * 10)
    args = [*ARGS, f"--use-file-for-fake-video-capture={film}"]
    camera = browser.browser_type.launch(executable_path=chromium, args=args)
    with serve(finding, tmp_path / "uploads") as address:
        page = camera.new_page(viewport={"width": 1280, "height": 860})
        open_page(page, address)
        page.get_by_label("Capture from camera").click()
        page.get_by_text("Click to Access Webcam").click()
        expect(page.locator("#picture .aim .outline")).to_be_visible()
        page.locator("#picture .aim button").click()
        expect(page.locator("#picture .aim b")).to_have_text("3")
        page.keyboard.press("Escape")
        expect(page.locator("#picture .aim b")).to_have_text("")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Space")
        expect(page.locator("#picture .aim b")).to_have_text("2")
        status(page)
        expect(page.locator("#picture .aim")).to_be_hidden()
        expect(page.locator("#picture .frame")).to_be_visible()
        image = page.locator("#picture .image-frame img")
        assert image.evaluate("image => image.naturalWidth") == 640
        expect(page.locator("#seen")).to_contain_text("What we see")
    camera.close()


def test_clipboard(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    draw(page, 'await navigator.clipboard.write([new ClipboardItem({"image/png": blob})]);')
    page.get_by_label("Paste from clipboard").click()
    status(page)
    expect(page.locator("#picture img")).to_be_visible()


def test_filters(page: Page, picture: Path) -> None:
    show(page, picture)
    status(page)
    page.get_by_text("Filters and how many").click()
    choose(page, "gender", "Women")
    expect(page.locator("#results .thumbnail-item")).to_have_count(4)
    assert all(" for women, " in caption for caption in captions(page))
    status(page, re.compile(r"^4 items like your picture\. .*Only 4 items pass these filters\.$"))
    choose(page, "masterCategory", "Apparel")
    expect(page.locator("#results .thumbnail-item")).to_have_count(2)
    choose(page, "baseColour", "Silver")
    status(page, "No item passes these filters: widen or clear one of them.")
    expect(page.locator("#results")).to_be_hidden()
    page.locator("#filter-clear").click()
    expect(page.locator("#results .thumbnail-item")).to_have_count(12)
    status(page)


def choose(page: Page, column: str, value: str) -> None:
    box = page.locator(f"#filter-{column} input")
    box.click()
    counted = re.compile(rf"^{value}( · \w+)? \(\d+\)$")
    page.locator(f"#filter-{column}").get_by_role("option", name=counted).click()
    box.press("Escape")


def test_surprise_and_examples(page: Page) -> None:
    examples = page.locator("#examples .thumbnail-item")
    expect(examples).to_have_count(8)
    examples.nth(1).click()
    status(page)
    expect(page.locator("article.item")).to_be_visible()
    page.get_by_role("button", name="Surprise me").click()
    expect(page.locator("#back")).to_be_visible()
    status(page)
    page.locator("#back").click()
    expect(page.locator("#back")).to_be_hidden()


def test_words_are_asked_by_keyboard_and_taken_back(phone: Page) -> None:
    page = phone
    box = page.locator("#words :is(input, textarea)")
    box.focus()
    page.keyboard.type("red tee for men")
    page.keyboard.press("Enter")
    status(page, re.compile("12 items like “red tee for men”"))
    chips = page.locator("#said button")
    expect(chips).to_have_text(["Red ×", "Tshirts ×", "Men ×"])
    assert captions(page)[0].startswith("Ako Red Tee")
    assert_fits(page)
    chips.first.focus()
    page.keyboard.press("Enter")
    expect(chips).to_have_text(["Tshirts ×", "Men ×"])
    expect(box).to_have_value("tee for men")

    assert chips.first.bounding_box()["y"] > page.locator("#status").bounding_box()["y"], "in view"
    page.locator("#results .thumbnail-item").first.click()
    close = page.locator("#close").bounding_box()
    large = page.locator("article.item img").first.bounding_box()
    assert large["x"] + large["width"] <= close["x"], "beside each other"
    page.locator("#more").click()
    status(page)
    expect(box).to_have_value("")
    box.fill("but in blue")
    box.press("Enter")
    status(page, re.compile("but “in blue”"))
    expect(chips).to_have_text(["like this item ×", "Blue ×"])
    chips.first.click()
    status(page, re.compile("like “but in blue”"))
    page.locator("#back").click()
    expect(chips).to_have_text(["like this item ×", "Blue ×"])


def test_a_photograph_is_the_picture_that_asks(page: Page) -> None:
    photographs = page.locator("#photographs .thumbnail-item")
    expect(photographs).to_have_count(8)
    said = [image.get_attribute("alt") for image in page.locator("#photographs img").all()]
    assert "Blue jeans on a bedsheet." in said
    page.wait_for_function(
        "() => [...document.querySelectorAll('#photographs img')].every(i => i.naturalWidth)"
    )
    for _ in range(2):  # the same once more: it is no longer the selected one
        photographs.first.focus()
        page.keyboard.press("Enter")
        status(page)
        expect(page.locator("#results .thumbnail-item")).to_have_count(12)
        expect(page.locator("#picture img")).to_have_js_property("naturalWidth", 163)
        expect(page.locator("article.item")).to_be_hidden()
        page.locator("#picture").get_by_label("Remove Image").click()
        status(page, WELCOME)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_what_is_like_nothing_is_folded(
    context: BrowserContext,
    doubting: Recommender,
    grey: Path,
    tmp_path: Path,
    width: int,
    theme: str,
) -> None:
    with serve(doubting, tmp_path / "uploads") as address:
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": 844})
        open_page(page, f"{address}/?__theme={theme}")
        show(page, grey)
        status(page, re.compile(r"^Nothing in this catalog looks like your picture\."))
        unfold = page.locator("#unfold")
        expect(unfold).to_be_in_viewport()
        expect(page.locator("#results")).to_be_hidden()
        expect(page.locator("section.seen")).to_have_count(0)
        assert_fits(page)
        assert contrast(page, "#unfold") >= 4.5
        unfold.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#results .thumbnail-item")).to_have_count(12)
        expect(unfold).to_be_hidden()
        expect(page.locator("#results .thumbnail-item").first).to_be_focused()
        assert_fits(page)
        page.close()


def test_a_page_opened_after_the_catalog_changed_offers_what_it_has(
    context: BrowserContext, recommender: Recommender, tmp_path: Path
) -> None:
    new = (21, "Men", "Apparel", "Topwear", "Ties", "Teal", "Fall", "2018", "Formal", "Jan Tie")
    build_store(tmp_path / "store", write_archive(tmp_path / "new.zip", [*ROWS, new]))
    live = Live(recommender)
    with serve(live, tmp_path / "uploads") as address:
        before = context.new_page()
        open_page(before, address)
        expect(before.locator("#head")).to_contain_text("among 13 products")
        live.now = open_store(tmp_path / "store")
        page = context.new_page()
        open_page(page, address)
        expect(page.locator("#head")).to_contain_text("among 14 products")
        page.get_by_role("button", name="Surprise me").click()
        page.get_by_text("Filters and how many").click()
        choose(page, "baseColour", "Teal")
        status(page, re.compile(r"^1 item like .* Only 1 item passes these filters\.$|^No item"))
        before.close()
        page.close()


# Where on the screen some item of the map is, and which.
POINT_OF_MAP = """() => {
  const plot = document.querySelector("#chart-style_map .js-plotly-plot");
  const {_fullData, _fullLayout: {xaxis, yaxis}} = plot, box = plot.getBoundingClientRect();
  const points = _fullData.find(trace => trace.x?.length && trace.customdata?.length);
  return {
    x: box.left + xaxis._offset + xaxis.l2p(points.x[0]),
    y: box.top + yaxis._offset + yaxis.l2p(points.y[0]),
    id: points.customdata[0],
  };
}"""


def test_a_click_on_the_map_opens_the_item(
    context: BrowserContext, recommender: Recommender, tmp_path: Path
) -> None:
    events = EventLog(tmp_path / "events")
    with serve(recommender, tmp_path / "uploads", events=events) as address:
        page = context.new_page()
        open_page(page, address)
        page.get_by_role("tab", name="Trends").click()
        page.get_by_role("tab", name="Style map").click()
        page.locator("#chart-style_map .nsewdrag").wait_for()
        page.locator("#chart-style_map").scroll_into_view_if_needed()
        point = page.evaluate(POINT_OF_MAP)
        page.mouse.move(point["x"] - 3, point["y"])
        page.mouse.move(point["x"], point["y"])
        name = recommender.item(point["id"])["productDisplayName"]
        expect(page.locator("#map-card p")).to_contain_text(name)
        expect(page.locator("#map-card img")).to_have_js_property("naturalWidth", 60)
        page.mouse.click(point["x"], point["y"])
        expect(page.locator("article.item h2")).to_have_text(name)
        page.close()
    seen = events.read(0)
    assert set(seen["kind"]) == {"search", "open"}
    assert set(seen["item"]) == {point["id"]}


def test_a_link_to_an_item(context: BrowserContext, live: str) -> None:
    # Each in a page of its own: to leave one breaks off what Gradio still listens to, and it says
    # so on the console.
    page = context.new_page()
    open_page(page, f"{live}/?item=5")
    expect(page.locator("article.item h2")).to_have_text("Dor Run")
    status(page, re.compile(r"^\d+ items like Dor Run\."))
    expect(page.get_by_role("link", name="Link to this item")).to_have_attribute("href", "?item=5")
    for asked, text in (
        ("999999", "The catalog has no item with this id."),
        ("abc", "An item's id is a whole number."),
        ("1" * 80, "An item's id is a whole number."),
        ("<b>", "An item's id is a whole number."),
    ):
        page.close()  # each listens by a connection, of which a browser has six
        page = context.new_page()
        open_page(page, f"{live}/?item={asked}")
        status(page, text)


def test_what_is_no_picture_is_told(page: Page, tmp_path: Path, picture: Path) -> None:
    page.get_by_role("button", name="Find similar").click()
    status(page, "Show a picture first: upload one, take one or paste one.")
    words = tmp_path / "words.jpg"
    words.write_bytes(b"words")
    show(page, words)
    status(page, "This file is not a picture we can read: JPEG, PNG, WebP, GIF, BMP and AVIF are.")
    expect(page.locator("#examples")).to_be_visible()
    page.locator("#address :is(input, textarea)").fill("http://127.0.0.1/x.jpg")
    page.get_by_role("button", name="Find similar").click()
    status(page, "This web address does not lead to a public web server.")


def test_by_keyboard(page: Page, picture: Path) -> None:
    show(page, picture)
    status(page)
    page.locator("#settings button").first.focus()
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("!!document.activeElement.closest('#results')"):
            break
    assert page.evaluate("!!document.activeElement.closest('#results')")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    page.keyboard.press("Enter")
    expect(page.locator("article.item h2")).to_be_focused()  # only then may the focus go on
    page.locator("#back").focus()
    page.keyboard.press("Enter")
    expect(page.locator("article.item")).to_be_hidden()


def test_on_a_phone_nothing_overflows_and_results_come_into_view(
    phone: Page, picture: Path
) -> None:
    assert_fits(phone)
    show(phone, picture)
    status(phone)
    expect(phone.locator("#results .thumbnail-item").first).to_be_in_viewport()
    assert_fits(phone)
    phone.locator("#results .thumbnail-item").nth(8).click()
    expect(phone.locator("article.item")).to_be_in_viewport()
    assert_fits(phone)
    phone.get_by_text("Filters and how many").click()
    assert_fits(phone)
    for name, plots in {"Trends": 8, "How good is it": 7, "Use it from code": 0}.items():
        tab = phone.get_by_role("tab", name=name)
        if not tab.is_visible():  # four names are more than a phone is wide
            phone.locator(".overflow-menu > button").first.click()
            tab = phone.locator(".overflow-dropdown button", has_text=name)
        tab.click()
        expect(phone.locator(".js-plotly-plot:visible .gtitle")).to_have_count(plots)
        assert_fits(phone)
    for language in ("curl", "JavaScript"):
        phone.get_by_role("tab", name=language).click()
        assert_fits(phone)


def test_dark(page: Page, live: str, picture: Path) -> None:
    open_page(page, f"{live}/?__theme=dark")
    show(page, picture)
    status(page)
    page.locator("#results .thumbnail-item").first.click()
    page.locator("article.item").wait_for()
    for selector in (
        "#status p",
        "#head p",
        ".caption-label",
        "article.item dt",
        ".note p",
        "#region small",
        "#region [aria-pressed=true]",
    ):
        assert contrast(page, selector) >= 4.5, selector


def contrast(page: Page, selector: str) -> float:
    """WCAG's ratio between a text and the nearest background under it."""
    return page.evaluate(
        """selector => {
          const light = colour => {
            const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255);
            const [r, g, b] = parts.map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
            return .2126 * r + .7152 * g + .0722 * b;
          };
          const text = document.querySelector(selector);
          let under = text;
          const clear = colour => /^rgba\\(.*, 0\\)$|transparent/.test(colour);
          while (clear(getComputedStyle(under).backgroundColor)) under = under.parentElement;
          const [a, b] = [getComputedStyle(text).color, getComputedStyle(under).backgroundColor]
            .map(light).sort((a, b) => b - a);
          return (a + .05) / (b + .05);
        }""",
        selector,
    )


def test_light_is_readable(page: Page) -> None:
    for selector in ("#status p", "#head p", ".note p", "#beginning p", "#beginning .note p"):
        assert contrast(page, selector) >= 4.5, selector


@pytest.mark.parametrize("width", [1280, 390])
def test_trends(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.get_by_role("tab", name="Trends").click()
    plots = page.locator(".js-plotly-plot:visible")
    expect(plots).to_have_count(8)
    expect(page.locator("#trends-status p")).to_have_text("13 items")
    assert_fits(page)
    page.locator("#trends-settings button").first.click()
    page.locator("#trends-gender input").click()
    page.get_by_role("option", name="Women").click()
    expect(page.locator("#trends-status p")).to_have_text("4 of 13 items")
    expect(page.locator("#chart-categories .js-plotly-plot")).to_contain_text("2 · 50%")
    page.locator("#trends-bar button").click()
    expect(page.locator("#trends-status p")).to_have_text("13 items")
    card = page.locator("#chart-colours")
    card.locator("summary").click()
    expect(card.locator("tbody tr, table tr")).not_to_have_count(0)
    for kind in ("CSV", "SVG"):
        with page.expect_download() as download:
            card.get_by_text(kind, exact=True).click()
        assert download.value.suggested_filename == f"colours.{kind.lower()}"
    if width == 1280:
        for section, count in {"Over the years": 8, "Together": 5, "Your results": 1}.items():
            page.get_by_role("tab", name=section).click()
            expect(plots).to_have_count(count)
    assert_fits(page)


def test_trends_and_code(page: Page, live: str) -> None:
    page.get_by_role("tab", name="Trends").click()
    expect(page.locator("#chart-categories .js-plotly-plot")).to_contain_text("Apparel")
    expect(page.locator("#chart-colours .js-plotly-plot")).to_contain_text("Red")
    page.get_by_role("tab", name="Use it from code").click()
    expect(page.locator(".cm-content").first).to_contain_text(f'Client("{live}")')
    expected = snippets(live, ROWS[0][0])["Python"].splitlines()[5]
    expect(page.locator(".cm-content").first).to_contain_text(expected)
