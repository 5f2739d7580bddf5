"""What tests do with the page in a browser, and see there."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

ARGS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
WELCOME = "Show a picture, pick an example, or let us surprise you."
FOUND = re.compile(
    r"^\d+ items? like .+\.( There may be .+\.)?( This may be .+\.)?( The catalog has only .+\.)?$"
)


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("#examples button, #item:visible, #results button").first.wait_for()


def show(page: Page, path: Path) -> None:
    page.set_input_files("#picture input[type=file]", path)


def draw(page: Page, then: str) -> None:
    """Runs a script on the page that has `blob`, a picture of 60 x 80, as a PNG."""
    page.evaluate(
        """async () => {
          const canvas = document.createElement("canvas");
          canvas.width = 60; canvas.height = 80;
          const drawn = canvas.getContext("2d");
          drawn.fillStyle = "red"; drawn.fillRect(10, 10, 40, 60);
          const blob = await new Promise(done => canvas.toBlob(done, "image/png"));
        """
        + then
        + "}"
    )


def status(page: Page, text: str | re.Pattern[str] = FOUND) -> None:
    expect(page.locator("#status p")).to_have_text(text)


def captions(page: Page) -> list[str]:
    return [image.get_attribute("alt") or "" for image in page.locator("#results img").all()]


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    cut = """[...document.querySelectorAll(".js-plotly-plot")].filter(plot => {
      const title = plot.querySelector(".gtitle")?.getBoundingClientRect();
      return title?.width && title.right > plot.getBoundingClientRect().right;
    }).map(plot => plot.querySelector(".gtitle").textContent)"""
    assert page.evaluate(cut) == []
