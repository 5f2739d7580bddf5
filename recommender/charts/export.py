"""Charts as files: CSV, interactive pages, pictures, and one report that holds all."""

import base64
import html
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pandas as pd
from plotly.offline import get_plotlyjs

from recommender.charts.chart import Chart

SHARED_SCRIPT = "plotly.min.js"
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "chrome")
_CHROMIUM_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
_PICTURE_SECONDS = 50
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1180px; margin: 24px auto;
  padding: 0 16px; color: #2b2724; background: #fff; }
main { display: grid; gap: 24px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); }
section { border: 1px solid #8884; border-radius: 10px; padding: 8px; min-width: 0; }
section p { margin: 4px 12px 10px; font-size: 13px; opacity: .8; }
nav { margin: 8px 0 20px; line-height: 2; } nav a { color: inherit; }
details { margin: 4px 12px 10px; font-size: 13px; }
details div { overflow: auto; max-height: 420px; }
table { border-collapse: collapse; } td, th { padding: 2px 10px 2px 0; text-align: left; }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #1c1917; }
  .gtitle, .gtitle-subtitle, .legendtext, .annotation-text, .xtitle, .ytitle, .y2title,
  .xtick text, .ytick text, .y2tick text, .angularaxistick text, .cbaxis text,
  .cbtitle { fill: #ddd !important; }
}
"""
_DRAW = """
for (const [id, figure] of Object.entries(figures)) {
  const config = {responsive: true, displaylogo: false};
  config.scrollZoom = figure.layout.dragmode === "pan";
  Plotly.newPlot(id, figure.data, figure.layout, config);
}
"""
# Pictures are drawn on white, whatever the page around is; a PNG is its SVG at twice the size.
_DRAW_PICTURES = """
const done = {};
for (const [id, figure] of Object.entries(figures)) {
  figure.layout.paper_bgcolor = "#fff";
  const [width, height] = [900, Math.max(500, figure.layout.height)];
  const picture = new Image(), canvas = document.createElement("canvas");
  done[`${id}.svg`] = picture.src = await Plotly.toImage(figure, {format: "svg", width, height});
  await picture.decode();
  [canvas.width, canvas.height] = [2 * width, 2 * height];
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  done[`${id}.png`] = canvas.toDataURL("image/png");
}
document.body.innerHTML = `<pre id="done">${btoa(JSON.stringify(done))}</pre>`;
"""


# Where a semicolon parts cells, one within a text begins another cell. What looks like one of these
# signs, wide or small, is one to some spreadsheets.
_FORMULA = re.compile(r"(?:^|(?<=;))(?=\s*[=+\-@\t\r\n＝＋－＠﹦﹢﹣﹫−])")


def source_of(count: int) -> str:
    """Where numbers are from, and when they were drawn."""
    return f"Of a catalog of {count:,} items, drawn on {datetime.now(UTC):%Y-%m-%d}."


def csv_of(chart: Chart) -> str:
    """A chart's table with a heading; a missing value is an empty field.

    Of items that passed filters, each row says which those were.

    A text of the catalog that a spreadsheet would take for a formula gets an apostrophe before it.
    Source: OWASP, CSV Injection.
    """
    table = chart.table
    return harmless_csv(table.assign(filters=chart.only) if chart.only else table)


def harmless_csv(table: pd.DataFrame) -> str:
    """A table as CSV that no spreadsheet takes for more than it is."""
    return table.map(_harmless).rename(columns=_harmless).to_csv(index=False)


def _harmless(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # Not every reader takes a lone carriage return within a field for anything but its end.
    return _FORMULA.sub("'", value).replace("\r", " ")


def page_of(
    charts: Mapping[str, Chart],
    title: str,
    *,
    script: str | None = None,
    tables: bool = False,
    about: str = "",
) -> str:
    """A page of interactive figures.

    Args:
        charts: by name.
        title: of the page.
        script: address of plotly.js beside the page; None puts it into the page, which then needs
            nothing but itself.
        tables: whether each figure's table stands below it.
        about: a line below the title, such as where the numbers are from and when.
    """
    plotly = f'<script src="{script}"></script>' if script else f"<script>{get_plotlyjs()}</script>"
    sections = "".join(_section(name, chart, tables) for name, chart in charts.items())
    links = [f'<a href="#{name}">{html.escape(chart.title)}</a>' for name, chart in charts.items()]
    contents = f"<nav>{' · '.join(links)}</nav>" if len(links) > 1 else ""
    head = f"<h1>{html.escape(title)}</h1><p>{html.escape(about)}</p>{contents}"
    body = f"{head}<main>{sections}</main>"
    return _document(title, plotly, body, _figures_json(charts) + _DRAW)


def write_charts(
    charts: Mapping[str, Chart],
    folder: Path,
    title: str,
    about: str = "",
    *,
    pictures: bool = True,
) -> list[Path]:
    """Every table as CSV, every figure as a page, and `report.html`, which needs nothing else.

    The figures' pages share one plotly.js, which lies beside them. Where Chromium is there, each
    figure is a picture too.

    Args:
        charts: by name, which becomes the files'.
        folder: made where it is not there.
        title: of the report.
        about: a line below it.
        pictures: whether any are wanted.

    Raises:
        OSError: they cannot be written, or Chromium did not draw them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {SHARED_SCRIPT: get_plotlyjs()}
    for name, chart in charts.items():
        texts[f"{name}.csv"] = csv_of(chart)
        texts[f"{name}.html"] = page_of({name: chart}, chart.title, script=SHARED_SCRIPT)
    texts["report.html"] = page_of(charts, title, tables=True, about=about)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    written = [folder / name for name in texts]
    if pictures and (chromium := find_chromium()):
        written += write_pictures(charts, folder, chromium)
    return written


def find_chromium() -> str | None:
    """The Chromium that pictures are drawn with, where there is one."""
    return next(filter(None, map(shutil.which, _CHROMIUM)), None)


def write_pictures(charts: Mapping[str, Chart], folder: Path, chromium: str) -> list[Path]:
    """Every figure as SVG and PNG, drawn by Chromium without a window.

    Args:
        charts: by name, which becomes the files'.
        folder: is there.
        chromium: the program.

    Raises:
        OSError: it did not draw them.
    """
    drawn = {name: chart for name, chart in charts.items() if not chart.nothing}
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "pictures.html"
        (page.parent / SHARED_SCRIPT).write_text(get_plotlyjs(), encoding="utf-8")
        draw = f"(async () => {{{_figures_json(drawn)}{_DRAW_PICTURES}}})();"
        plotly = f'<script src="{SHARED_SCRIPT}"></script>'
        page.write_text(_document("pictures", plotly, "", draw), encoding="utf-8")
        command = [chromium, *_CHROMIUM_FLAGS, f"--user-data-dir={scratch}/profile"]
        command += [f"--virtual-time-budget={_PICTURE_SECONDS * 1000}", "--dump-dom", page.as_uri()]
        try:
            dump = subprocess.run(  # noqa: S603 - a program of this machine, a page of our own
                command, capture_output=True, timeout=_PICTURE_SECONDS, check=True
            )
        except subprocess.SubprocessError as error:
            raise OSError("Chromium did not draw the pictures") from error
    match = re.search(rb'<pre id="done">([^<]+)</pre>', dump.stdout)
    if match is None:
        raise OSError("Chromium did not draw the pictures")
    pictures: dict[str, str] = json.loads(base64.b64decode(match[1]))
    return [_write_data_url(folder / name, url) for name, url in pictures.items()]


def _write_data_url(path: Path, url: str) -> Path:
    head, _, data = url.partition(",")
    encoded = head.endswith(";base64")
    path.write_bytes(base64.b64decode(data) if encoded else unquote_to_bytes(data))
    return path


def _section(name: str, chart: Chart, tables: bool) -> str:
    note = f"<p>{html.escape(chart.note)}</p>" if chart.note else ""
    table = ""
    if tables and len(chart.table):
        number = "{:.4g}".format
        rows = chart.table.head(200).to_html(index=False, border=0, na_rep="–", float_format=number)
        table = f"<details><summary>Table</summary><div>{rows}</div></details>"
    return f'<section><div id="{name}"></div>{note}{table}</section>'


def _figures_json(charts: Mapping[str, Chart]) -> str:
    """The figures as a script's constant; no text of a catalog ends the script."""
    specs = json.dumps({name: chart.spec for name, chart in charts.items()}, default=float)
    return f"const figures = {specs.replace('<', chr(92) + 'u003c')};"


def _document(title: str, head: str, body: str, script: str) -> str:
    lines = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>{head}</head>",
        f"<body>{body}<script>{script}</script></body></html>",
    )
    return "\n".join(lines)
