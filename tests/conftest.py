"""A dozen drawn items, a deterministic small encoder and a store of both; no download, no torch."""

import csv
import io
import os
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from recommender.catalog.items import build_catalog
from recommender.catalog.sources import read_source
from recommender.charts.export import find_chromium
from recommender.encoding.agreement import LOOKS, Agreement
from recommender.encoding.config import EncoderConfig
from recommender.encoding.places import places_of
from recommender.encoding.protocol import Encoded, PictureEncoder, Wrap
from recommender.encoding.regions import Asked, Box, Regions, parts_of
from recommender.index import faiss
from recommender.index.faiss import Index, IndexConfig
from recommender.schema import COLUMNS
from recommender.search.recommender import Recommender
from recommender.store import build
from recommender.store.store import Store
from recommender.store.style_map import MapConfig

# One row an item: id, gender, masterCategory, subCategory, articleType, baseColour, season, year,
# usage, name. 11 and 12 have the same picture, 13 lacks season and year.
ROWS = [
    (1, "Men", "Apparel", "Topwear", "Tshirts", "Red", "Summer", "2011", "Casual", "Ako Red Tee"),
    (2, "Men", "Apparel", "Topwear", "Tshirts", "Red", "Summer", "2012", "Casual", "Ako Red Tee"),
    (3, "Women", "Apparel", "Topwear", "Tshirts", "Blue", "Fall", "2012", "Casual", "Bil Tee"),
    (4, "Women", "Apparel", "Topwear", "Shirts", "White", "Fall", "2013", "Formal", "Bil Shirt"),
    (5, "Men", "Footwear", "Shoes", "Casual Shoes", "Black", "Winter", "2012", "Casual", "Dor Run"),
    (6, "Men", "Footwear", "Shoes", "Casual Shoes", "Brown", "Winter", "2014", "Casual", "Dor Oak"),
    (7, "Women", "Footwear", "Shoes", "Heels", "Red", "Summer", "2015", "Party", "Eli Heel"),
    (8, "Unisex", "Accessories", "Bags", "Backpacks", "Blue", "Fall", "2016", "Casual", "Fen Bag"),
    (9, "Women", "Accessories", "Bags", "Handbags", "Green", "Fall", "2016", "Casual", "Fen Tote"),
    (10, "Boys", "Apparel", "Topwear", "Tshirts", "Green", "Summer", "2012", "Casual", "Gil Tee"),
    (11, "Girls", "Apparel", "Dress", "Dresses", "Pink", "Spring", "2017", "Party", "Hia Dress"),
    (12, "Girls", "Apparel", "Dress", "Dresses", "Pink", "Spring", "2017", "Party", "Hia Frock"),
    (13, "Men", "Accessories", "Watches", "Watches", "Silver", "", "", "NA", "Ivo Watch"),
]
ClocksOf = Callable[[ModuleType], SimpleNamespace]
_CLOCKS = ("monotonic", "time", "time_ns")
_SHAPES = {"Apparel": "rectangle", "Footwear": "ellipse", "Accessories": "chord"}


def draw_picture(row: tuple, size: tuple[int, int] = (60, 80)) -> bytes:
    """A JPEG of a shape in the item's colour, its place told by the id (12 looks like 11)."""
    seed = 11 if row[0] == 12 else row[0]
    picture = Image.new("RGB", size, "white")
    box = [5 + seed, 8 + 2 * (seed % 5), size[0] - 6, size[1] - 5 - 2 * (seed % 7)]
    drawn = ImageDraw.Draw(picture)
    angles = (20, 300) if _SHAPES[row[2]] == "chord" else ()
    colour = {"Green": "#2a8a3a"}.get(row[5], row[5])
    getattr(drawn, _SHAPES[row[2]])(box, *angles, fill=colour, outline="black")
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


def styles_csv(rows: list[tuple]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return file.getvalue()


def write_archive(path: Path, rows: list[tuple] = ROWS, under: str = "") -> Path:
    """An archive in Kaggle's layout."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{under}styles.csv", styles_csv(rows))
        for row in rows:
            archive.writestr(f"{under}images/{row[0]}.jpg", draw_picture(row))
    return path


def write_photographs(
    path: Path,
    rows: list[tuple[str, str, str, str]],
    *,
    damaged: tuple[str, ...] = (),
) -> Path:
    """An archive of photographs: image, label, photographer, split; `damaged` ones are none.

    Each shows the item of `ROWS` whose id its name ends with.
    """
    with zipfile.ZipFile(path, "w") as archive:
        table = [f"{image},{label},{who},False,{split}" for image, label, who, split in rows]
        head = "image,label,photographer,kids,split"
        archive.writestr("photos.csv", "\n".join([head, *table]) + "\n")
        for image, *_ in rows:
            item = ROWS[int(image.partition("-")[2]) - 1]
            picture = draw_picture(item, (120, 160))
            archive.writestr(f"images/{image}.jpg", b"none" if image in damaged else picture)
    return path


class TinyEncoder(PictureEncoder):
    """A picture's colours on a grid of 4×3 cells: deterministic, quick, sees colour and place."""

    fingerprint = "tiny-encoder-000"
    dim = 4 * 3 * 3 + 1
    input_px = (24, 32)

    def __init__(self) -> None:
        self.encoded = 0

    def prepare(self, picture: Image.Image) -> npt.NDArray[np.uint8]:
        return np.asarray(picture.resize(self.input_px))

    def encode_prepared(self, prepared: npt.NDArray[np.uint8]) -> Encoded:
        self.encoded += len(prepared)
        cells = prepared.reshape(-1, 4, 8, 3, 8, 3).mean((2, 4)) / 255 - 0.5  # (b, 4, 3, 3)
        vectors = np.concatenate([cells.reshape(len(cells), -1), np.full((len(cells), 1), 0.1)], 1)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return Encoded((vectors / norms).astype(np.float32), {})

    def encode_queries(
        self, pictures: Sequence[Image.Image], asked: Sequence[Asked] | None = None
    ) -> Encoded:
        shown = parts_of(pictures, asked)
        seen = self.encode_items(shown)
        looks = self.agreement.looks(seen.vectors)
        given = np.zeros((len(looks), 4, 3, TinyEncoder.dim), np.float32)
        given += looks[:, None, None] * (np.arange(TinyEncoder.dim) == TinyEncoder.dim - 1) / 12
        for row, column in np.ndindex(4, 3):
            own = slice(start := 9 * row + 3 * column, start + 3)
            given[:, row, column, own] = looks[:, own]
        config = EncoderConfig(width_px=24, height_px=32, fit="stretch")
        places = places_of(given, shown, asked or [None] * len(shown), config)
        return seen._replace(places=places)

    def record(self) -> dict:
        return {"config": {"weights": "tiny"}, "fingerprint": self.fingerprint}


class BelievingEncoder(TinyEncoder):
    """The same looks, and beliefs of gender and type that go by the mean colour, often wrongly."""

    fingerprint = "believing-encoder"
    labels: ClassVar[dict] = {
        "gender": ("Boys", "Girls", "Men", "Women"),
        "articleType": ("Casual Shoes", "Heels", "Shirts", "Tshirts"),
    }
    agreement = Agreement(
        looks_dim=TinyEncoder.dim,
        weights={LOOKS: 0.4, "gender": 0.2, "articleType": 0.4},
        classes=labels,
    )
    dim = agreement.dim

    def encode_prepared(self, prepared: npt.NDArray[np.uint8]) -> Encoded:
        colours = prepared.mean((1, 2)) / 32
        beliefs = {}
        for seed, name in enumerate(self.labels):
            logits = colours @ np.random.default_rng(seed).normal(size=(3, 4))
            shares = np.exp(logits - logits.max(1, keepdims=True))
            beliefs[name] = (shares / shares.sum(1, keepdims=True)).astype(np.float32)
        looks = super().encode_prepared(prepared).vectors
        return Encoded(self.agreement.embed(looks, beliefs), beliefs)


class FindingEncoder(BelievingEncoder):
    """The same, and sees a garment in the upper and one in the lower half of every picture.

    Attributes:
        asked: which part was asked for, of each picture that asked.
    """

    fingerprint = "finding-encoder"
    found: ClassVar[tuple[Box, ...]] = (
        (0.1, 0.1, 0.9, 0.9),
        (0.1, 0.1, 0.9, 0.5),
        (0.2, 0.6, 0.8, 0.9),
    )

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []

    def encode_queries(
        self, pictures: Sequence[Image.Image], asked: Sequence[Asked] | None = None
    ) -> Encoded:
        asked = asked or [None] * len(pictures)
        self.asked += asked
        used = [self.found[0] if part == "auto" else part for part in asked]
        mask = np.ones((8, 8), np.float32)
        regions = [
            Regions(boxes=self.found, sureness=(0.9, 0.9, 0.8), used=box, mask=mask, garment=0.9)
            for box in used
        ]
        return super().encode_queries(pictures, used)._replace(regions=regions)


class DoubtingEncoder(BelievingEncoder):
    """The same, to which a grey picture shows no fashion."""

    def encode_queries(self, pictures: Any, asked: Any = None) -> Encoded:
        seen = super().encode_queries(pictures, asked)
        colourful = [np.ptp(np.asarray(p).mean((0, 1))) > 8 for p in parts_of(pictures, asked)]
        matches = np.where(colourful, 0.9, 0.1).astype(np.float32)
        return seen._replace(matches=matches)


@pytest.fixture(scope="session", autouse=True)
def _built_for_tests_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What these tests build is not noted in the home of who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faiss, "BUILT_HERE", tmp_path_factory.mktemp("built"))
        yield


def build_store(
    directory: Path,
    source: Path,
    config: IndexConfig | None = None,
    encoder: TinyEncoder | None = None,
    *,
    with_map: bool = False,
    former: Store | None = None,
) -> Index:
    """The road that `scripts.build_catalog` and `build_index` take, with the small encoder."""
    encoder = encoder or TinyEncoder()
    build_catalog(read_source(str(source)), directory / "catalog", source="test")
    style_map = MapConfig() if with_map else None
    config = config or IndexConfig()
    build.build_store(directory, lambda rank: encoder, config, former=former, style_map=style_map)
    return Store.open(directory).index


def open_store(
    directory: Path,
    encoder: TinyEncoder | None = None,
    *,
    wrap: Wrap | None = None,
    reuse: TinyEncoder | None = None,
    milvus: None = None,
) -> Recommender:
    """What `load_recommender` does, with the small encoder."""
    return Recommender(Store.open(directory).gallery, encoder or reuse or TinyEncoder(), wrap=wrap)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where it is; what needs it is skipped where it is not, but fails in CI."""
    if (path := find_chromium()) is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs Chromium")
        pytest.skip("Chromium is not installed")
    return path


@pytest.fixture(scope="session")
def real_archive() -> Path:
    """What needs it is skipped where it is not, but fails where it should be."""
    return _shared("fashion-product-images-small.zip", "FASHION_REAL_ARCHIVE")


@pytest.fixture(scope="session")
def real_styles() -> Path:
    """The same of what the full-size data says of its items."""
    return _shared("fashion-styles.zip", "FASHION_REAL_STYLES")


@pytest.fixture(scope="session")
def real_photographs() -> Path:
    """The same of photographs that people took."""
    return _shared("clothing-photos.zip", "FASHION_REAL_PHOTOGRAPHS")


def _shared(name: str, variable: str) -> Path:
    shared = Path(__file__).parents[2] / "shared"
    path = Path(os.environ.get(variable, shared / "data" / name))
    if not path.is_file():
        if shared.is_dir() or variable in os.environ:
            pytest.fail(f"{path.name} should be here and is not")
        pytest.skip(f"{path.name} is not here")
    return path


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ROWS` as an archive."""
    return write_archive(tmp_path_factory.mktemp("archive") / "fashion.zip")


@pytest.fixture(scope="session")
def store(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of `ROWS`; not to be changed: copy it first."""
    directory = tmp_path_factory.mktemp("store")
    build_store(directory, archive, with_map=True)
    return directory


@pytest.fixture(scope="session")
def recommender(store: Path) -> Recommender:
    return open_store(store)


@pytest.fixture(scope="session")
def believing(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    """`ROWS` behind an encoder with heads, which can be ranked by image and hybrid."""
    directory = tmp_path_factory.mktemp("believing")
    build_store(directory, archive, encoder=BelievingEncoder())
    return open_store(directory, BelievingEncoder())


@pytest.fixture(scope="session")
def finding(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    """`ROWS` behind an encoder that finds garments in the pictures that ask."""
    directory = tmp_path_factory.mktemp("finding")
    build_store(directory, archive, encoder=FindingEncoder())
    return open_store(directory, FindingEncoder())


@pytest.fixture(scope="session")
def doubting(believing: Recommender) -> Recommender:
    """The same, which knows what is no fashion."""
    return Recommender(believing.gallery, DoubtingEncoder())


@pytest.fixture
def grey(tmp_path: Path) -> Path:
    """A picture of nothing."""
    path = tmp_path / "grey.png"
    Image.new("RGB", (60, 80), "grey").save(path)
    return path


@pytest.fixture
def clocks_of(monkeypatch: pytest.MonkeyPatch) -> ClocksOf:
    """Of a module: the clocks that it alone goes by, to be set.

    Were Python's own set, a server beside the test would go by them too: who sleeps for a
    millisecond there would sleep until that clock has come round.
    """

    def give(module: ModuleType) -> SimpleNamespace:
        clocks = SimpleNamespace(**{name: getattr(time, name) for name in _CLOCKS})
        monkeypatch.setattr(module, "time", clocks)
        return clocks

    return give


@pytest.fixture(scope="session")
def live(recommender: Recommender, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of the page and its API over `ROWS`."""
    from serving import serve

    with serve(recommender, tmp_path_factory.mktemp("uploads")) as address:
        yield address


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """A Chromium of Playwright's."""
    from browsing import ARGS
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=30_000)  # what has to come may take its time on a busy machine
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Any) -> Iterator[Any]:
    """A visitor who was never here before."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    yield context
    context.close()
