"""The charts as files: what each holds, and that the report needs nothing but itself."""

import io
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROWS

from recommender.charts.chart import Chart, prepared
from recommender.charts.export import csv_of, harmless_csv, page_of, write_pictures
from recommender.trends.sections import NAMES, Periods, draw
from scripts import export_trends


def test_export(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert export_trends.main(["--data", str(store), "--out", str(out), "--no-pictures"]) == 0
    assert f"wrote {2 * len(NAMES) + 2} files" in capsys.readouterr().out
    files = {path.name for path in out.iterdir()}
    assert files == {f"{n}.{kind}" for n in NAMES for kind in ("csv", "html")} | {
        "plotly.min.js",
        "report.html",
    }
    colours = pd.read_csv(out / "colours.csv")
    assert colours["items"].sum() == len(ROWS)
    places = pd.read_csv(out / "style_map.csv")
    assert places["id"].tolist() == [row[0] for row in ROWS]
    assert places["x"].abs().max() <= 32_767
    one = (out / "colours.html").read_text(encoding="utf-8")
    assert 'src="plotly.min.js"' in one
    assert len(one) < 100_000
    report = (out / "report.html").read_text(encoding="utf-8")
    outside = re.sub(r"<script>.*?</script>", "", report, flags=re.DOTALL)
    assert not re.search(r"src=|https?://|@import", outside)
    assert outside.count("<section>") == len(NAMES)


def test_export_of_some_items(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    command = ["--data", str(store), "--out", str(out), "--no-pictures", "--filters"]
    assert export_trends.main([*command, '{"gender": ["Women"]}']) == 0
    colours = pd.read_csv(out / "colours.csv")
    assert colours["items"].sum() == sum(row[1] == "Women" for row in ROWS)
    assert set(colours["filters"]) == {"gender: Women"}
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "only gender: Women" in report
    assert f"Of a catalog of {len(ROWS)} items, drawn on 2" in report
    assert '<a href="#colours">' in report
    assert export_trends.main([*command, '{"gender": ["x"]}']) == 1
    assert "gender has no such value" in capsys.readouterr().err


def test_export_that_cannot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export_trends.main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "build_catalog" in capsys.readouterr().err


def test_export_of_a_catalog_without_an_index(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store / "catalog", tmp_path / "store" / "catalog")
    out = tmp_path / "out"
    command = ["--data", str(tmp_path / "store"), "--out", str(out), "--no-pictures"]
    assert export_trends.main(command) == 0
    assert (out / "style_map.csv").read_text(encoding="utf-8") == "id,x,y,baseColour\n"
    assert "no map yet" in (out / "style_map.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝", "﹦", "−"])
def test_no_cell_is_a_formula(start: str) -> None:
    """As a spreadsheet reads it; numbers below zero stay numbers."""
    table = pd.DataFrame({"colour": [f"{start}1+2", "Navy =1", None], f"{start}x": [-1.5, 2, None]})
    chart = Chart(title="Colours", counts="of three", table=table, spec={})
    read = pd.read_csv(io.StringIO(csv_of(chart), newline=""))
    shown = start.replace("\r", " ")
    assert read.columns.tolist() == ["colour", f"'{shown}x"]
    assert read["colour"].tolist()[:2] == [f"'{shown}1+2", "Navy =1"]
    assert read[f"'{shown}x"].tolist()[:2] == [-1.5, 2]
    assert read.iloc[2].isna().all()


def test_no_cell_begins_within_another() -> None:
    """Where numbers have a comma, a spreadsheet parts cells at semicolons."""
    table = pd.DataFrame({"name": ["Tee;=1+2", "Tee; -3;@x", "A;B - C"]})
    cells = harmless_csv(table).splitlines()[1:]
    assert cells == ["Tee;'=1+2", "Tee;' -3;'@x", "A;B - C"]


def test_no_text_ends_the_script() -> None:
    row = ("</script><b>", *[None] * 8)
    columns = ["id", *[c for c in prepared(_frame([])).columns if c != "id"]]
    frame = pd.DataFrame([[1, *row]], columns=columns)
    frame["year"] = frame["year"].astype("Int32")
    page = page_of(draw(frame, ["tree", "colours", "words"], Periods()), "<x>", script="p.js")
    assert page.count("</script>") == 2
    assert "<title>&lt;x&gt;" in page


def _frame(rows: list[tuple]) -> pd.DataFrame:
    columns = ["id", "gender", "masterCategory", "subCategory", "articleType", "baseColour"]
    columns += ["season", "year", "usage", "productDisplayName"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["year"] = pd.to_numeric(frame["year"]).astype("Int32")
    return frame


@pytest.mark.browser
def test_pictures(chromium: str, tmp_path: Path) -> None:
    charts = draw(_frame([row for row in ROWS if row[7]]), ["colours", "tree"], Periods())
    paths = write_pictures(charts, tmp_path, chromium)
    assert {path.name for path in paths} == {
        f"{name}.{kind}" for name in charts for kind in ("svg", "png")
    }
    assert (tmp_path / "colours.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "colours.svg").read_text(encoding="utf-8")[:200]
    with pytest.raises(OSError, match="did not draw"):
        write_pictures(charts, tmp_path, "false")
