"""Take the pictures of the page that the README shows, from an app that serves the demo.

python app.py &
python -m scripts.take_screenshots --url http://127.0.0.1:7860 --out recommender/ui/screenshots

Never of a store whose pictures are not ours to publish.
"""

import argparse
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from recommender.charts.export import find_chromium

SIZES = {"1280": (1280, 960, "light"), "390": (390, 844, "dark")}
FLAGS = ["--no-sandbox", "--headless", "--disable-gpu", "--disable-background-networking"]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:7860")
    parser.add_argument("--out", type=Path, default=Path("recommender/ui/screenshots"))
    parser.add_argument("--item", type=int, help="an item to start from; else the first photograph")
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        for name, (width, height, scheme) in SIZES.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            item = f"&item={options.item}" if options.item else ""
            page.goto(f"{options.url}/?__theme={scheme}{item}")
            if not options.item:
                page.locator("#photographs button.thumbnail-item").first.click()
            page.wait_for_selector("#results img")
            page.wait_for_timeout(1500)
            page.screenshot(path=options.out / f"find-{name}.png")
            page.get_by_role("tab", name="Trends").click()
            page.wait_for_selector(".js-plotly-plot .main-svg")
            page.wait_for_timeout(1500)
            page.screenshot(path=options.out / f"trends-{name}.png")
            page.close()
        browser.close()
    print(f"wrote {len(SIZES) * 2} pictures to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
