"""Pictures that a table names by web addresses: fetched once, kept, and said where they are not.

The server is real, on loopback, which the policy takes for the public internet.
"""

import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from conftest import ROWS, draw_picture, styles_csv, write_archive

from recommender.catalog.addresses import addresses_of, fetch_pictures
from recommender.catalog.cleaning import RawCatalog
from recommender.catalog.items import build_catalog, load_catalog
from recommender.catalog.sources import read_source
from recommender.errors import CatalogError, FetchError
from recommender.pictures.fetch import FetchPolicy
from recommender.schema import COLUMNS
from scripts import build_catalog as script


@dataclass
class Shop:
    """A shop's server: what it has been asked, and what it answers with 503."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    away: set[str] = field(default_factory=set)

    def address(self, row: tuple) -> str:
        return f"http://127.0.0.1:{self.port}/{row[0]}.jpg?v=1"

    @property
    def policy(self) -> FetchPolicy:
        return FetchPolicy(
            allowed_ports=frozenset({self.port}),
            is_allowed=lambda address: address == ip_address("127.0.0.1"),
        )


@pytest.fixture
def shop() -> Iterator[Shop]:
    known = Shop()
    pictures = {f"/{row[0]}.jpg?v=1": draw_picture(row) for row in ROWS}
    pictures["/page.jpg?v=1"] = b"<html>not a picture</html>"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known.asked.append(self.path)
            picture = None if self.path in known.away else pictures.get(self.path)
            self.send_response(503 if picture is None else 200)
            self.send_header("Content-Length", str(len(picture or b"")))
            self.end_headers()
            self.wfile.write(picture or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    known.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield known
    server.shutdown()
    server.server_close()
    thread.join()


def table(path: Path, rows: list[tuple], cells: list[str], column: str = "image_url") -> Path:
    path.mkdir(exist_ok=True)
    header, *lines = styles_csv(rows).splitlines()
    lines = [f'{line},"{cell}"' for line, cell in zip(lines, cells, strict=True)]
    (path / "shop.csv").write_text("\n".join([f"{header},{column}", *lines]) + "\n")
    return path / "shop.csv"


def pictures_of(raw: RawCatalog) -> list[bytes | None]:
    return [raw.read_picture(at) for at in range(len(raw.rows))]


def test_each_is_fetched_once_and_kept(shop: Shop, tmp_path: Path) -> None:
    rows = ROWS[:6]
    source = table(tmp_path / "shop", rows, [shop.address(row) for row in rows])
    for fetched in (6, 0):
        raw = fetch_pictures(read_source(str(source)), tmp_path / "fetched", policy=shop.policy)
        assert f"fetched {fetched} pictures; {6 - fetched} were there already" in raw.notes
        assert pictures_of(raw) == [draw_picture(row) for row in rows]
        report = build_catalog(raw, tmp_path / "catalog", source="shop")
        assert report.items == 6
    assert sorted(shop.asked) == sorted(f"/{row[0]}.jpg?v=1" for row in rows)
    items = load_catalog(tmp_path / "catalog")
    assert set(items.column_names) == {*COLUMNS, "image", "image_hash"}


def test_what_cannot_be_fetched_costs_its_row_and_is_tried_again(
    shop: Shop, tmp_path: Path
) -> None:
    rows = ROWS[:4]
    shop.away = {"/2.jpg?v=1"}
    cells = [shop.address(row) for row in rows[:3]] + [f"http://127.0.0.1:{shop.port}/page.jpg?v=1"]
    source = table(tmp_path / "shop", rows, cells)
    raw = fetch_pictures(read_source(str(source)), tmp_path / "fetched", policy=shop.policy)
    assert raw.notes[-1] == "2 could not be fetched; the same command tries these again"
    report = build_catalog(raw, tmp_path / "catalog", source="shop")
    reasons = {skip["id"]: skip["reason"] for skip in report.skipped}
    assert report.items == 2
    assert "status 503" in reasons["2"]
    assert "does not lead to a picture" in reasons["4"]
    shop.away = set()
    raw = fetch_pictures(read_source(str(source)), tmp_path / "fetched", policy=shop.policy)
    assert "fetched 1 pictures; 2 were there already" in raw.notes
    assert raw.read_picture(1) == draw_picture(rows[1])


def test_one_address_of_several_rows_is_asked_once(shop: Shop, tmp_path: Path) -> None:
    cells = [shop.address(ROWS[0])] * 3
    source = table(tmp_path / "shop", ROWS[:3], cells, column="Bild")
    raw = fetch_pictures(read_source(str(source)), tmp_path / "fetched", policy=shop.policy)
    assert pictures_of(raw) == [draw_picture(ROWS[0])] * 3
    assert len(shop.asked) == 1


def test_a_file_of_the_source_goes_before_an_address(shop: Shop, tmp_path: Path) -> None:
    source = table(tmp_path / "shop", ROWS[:2], [shop.address(row) for row in ROWS[:2]])
    (source.parent / "images").mkdir()
    (source.parent / "images" / "1.jpg").write_bytes(draw_picture(ROWS[7]))
    raw = fetch_pictures(read_source(str(source.parent)), tmp_path / "fetched", policy=shop.policy)
    assert pictures_of(raw) == [draw_picture(ROWS[7]), draw_picture(ROWS[1])]
    assert shop.asked == ["/2.jpg?v=1"]


def test_without_fetching_what_lies_there_is_used(shop: Shop, tmp_path: Path) -> None:
    source = table(tmp_path / "shop", ROWS[:2], [shop.address(row) for row in ROWS[:2]])
    shop.away = {"/2.jpg?v=1"}
    fetch_pictures(read_source(str(source)), tmp_path / "fetched", policy=shop.policy)
    raw = fetch_pictures(read_source(str(source)), tmp_path / "fetched", fetch=False)
    assert raw.read_picture(0) == draw_picture(ROWS[0])
    with pytest.raises(FetchError, match="--no-fetch"):
        raw.read_picture(1)
    assert len(shop.asked) == 2


def test_a_folder_that_cannot_be_written(shop: Shop, tmp_path: Path) -> None:
    source = table(tmp_path / "shop", ROWS[:2], [shop.address(row) for row in ROWS[:2]])
    (tmp_path / "fetched").write_text("a file")
    with pytest.raises(CatalogError, match="cannot be kept"):
        fetch_pictures(read_source(str(source)), tmp_path / "fetched", policy=shop.policy)


@pytest.mark.parametrize("more", [[], ["--no-fetch"]])
def test_the_command_says_which_row_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    cells = ["", "http://127.0.0.1/1.jpg", "http://user:word@example.com/1.jpg"]
    source = table(tmp_path / "shop", ROWS[:3], cells)
    (source.parent / "1.jpg").write_bytes(draw_picture(ROWS[0]))
    data = ["--data", str(tmp_path / "store")]
    assert script.main(["--source", str(source.parent), *data, *more]) == 0
    out = capsys.readouterr().out
    assert "1 items from 3 rows" in out
    for line in out.splitlines()[-2:]:
        wanted = "--no-fetch" if more else "public web server" if "2:" in line else "user name"
        assert wanted in line


def test_further_views_and_pictures_of_no_row_are_said(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row[0] in (1, 2)]
    source = write_archive(tmp_path / "a.zip", rows)
    with zipfile.ZipFile(source, "a") as archive:
        for name in ("1_2", "1_3", "2_1", "99"):
            archive.writestr(f"images/{name}.jpg", draw_picture(ROWS[2]))
    raw = read_source(str(source))
    assert pictures_of(raw) == [draw_picture(row) for row in rows]
    called = [[view.name for view in raw.views(at)] for at in range(2)]
    assert called == [["images/1_2.jpg", "images/1_3.jpg"], ["images/2_1.jpg"]]
    assert raw.notes == [
        "1 pictures are of no row: images/99.jpg",
    ]


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("HTTP://A.example/1.jpg", "HTTP://A.example/1.jpg"),
        ("https://a.example/1,2.jpg|https://a.example/2.jpg", "https://a.example/1,2.jpg"),
        ("https://a.example/1.jpg\nhttps://a.example/2.jpg", "https://a.example/1.jpg"),
        ("ftp://a.example/1.jpg", None),
        ("file:///etc/passwd", None),
        ("images/1.jpg", None),
        (None, None),
        (7, None),
    ],
)
def test_the_first_address_of_a_cell(cell: object, address: str | None) -> None:
    assert addresses_of(cell)[:1] == ([] if address is None else [address])
