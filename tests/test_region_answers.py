"""A region in a request and in its answer: what was looked at, and what there is to choose from."""

from pathlib import Path

import numpy as np
import pytest
from conftest import ROWS, BelievingEncoder, draw_picture
from PIL import Image

from recommender.encoding.protocol import Encoded
from recommender.encoding.regions import Asked, Regions
from recommender.errors import QueryError
from recommender.search.recommender import Recommender
from recommender.service.answers import Service

BOXES = ((0.1, 0.1, 0.9, 0.8), (0.1, 0.1, 0.5, 0.8), (0.6, 0.2, 0.9, 0.6))


class Finding(BelievingEncoder):
    """Finds two garments in every picture."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.sizes: list[tuple[int, int]] = []

    def encode_queries(
        self, pictures: list[Image.Image], asked: list[Asked] | None = None
    ) -> Encoded:
        seen = super().encode_queries(pictures, asked)
        parts = asked or ["auto"] * len(pictures)
        self.asked += parts
        self.sizes += [picture.size for picture in pictures]
        return seen._replace(regions=[_found(part) for part in parts])


def _found(part: Asked) -> Regions:
    used = {"auto": BOXES[0], None: None}.get(part, part)
    mask = np.zeros((4, 3), np.float32)
    return Regions(boxes=BOXES, sureness=(0.8, 0.91239, 0.7), used=used, mask=mask, garment=0.9)


@pytest.fixture
def encoder() -> Finding:
    return Finding()


@pytest.fixture
def service(believing: Recommender, encoder: Finding) -> Service:
    return Service(Recommender(believing.gallery, encoder))


@pytest.fixture
def image(tmp_path: Path) -> str:
    path = tmp_path / "a.jpg"
    path.write_bytes(draw_picture(ROWS[0], (300, 400)))
    return str(path)


def test_the_network_s_own_choice_is_told(service: Service, image: str, encoder: Finding) -> None:
    query = service.recommend(image, "http://here")["query"]
    assert query["region"] == [0.1, 0.1, 0.9, 0.8]
    assert query["regions"] == [
        {"box": [0.1, 0.1, 0.9, 0.8], "sureness": 0.8},
        {"box": [0.1, 0.1, 0.5, 0.8], "sureness": 0.9124},
        {"box": [0.6, 0.2, 0.9, 0.6], "sureness": 0.7},
    ]
    assert encoder.asked == ["auto"]


def test_the_whole_picture_is_asked_for(service: Service, image: str, encoder: Finding) -> None:
    answer = service.recommend(image, "http://here", region=None)
    assert answer["query"]["region"] is None
    assert len(answer["query"]["regions"]) == 3
    assert encoder.asked == [None]


def test_a_box_is_asked_for_as_it_is_read(service: Service, image: str, encoder: Finding) -> None:
    answer = service.recommend(image, "http://here", region=[0.5, 0, 0.1, 2])
    assert answer["query"]["region"] == [0.1, 0, 0.5, 1]
    assert answer["message"].startswith("The region is read as [0.1, 0, 0.5, 1].")
    assert encoder.asked == [(0.1, 0, 0.5, 1)]
    plain = service.recommend(image, "http://here", region=[0.1, 0, 0.5, 1])
    assert "The region" not in plain["message"]
    assert plain["results"] == answer["results"]


def test_several_garments_are_told_until_one_is_chosen(service: Service, image: str) -> None:
    choice = "There may be 2 garments in this picture: choose one to search by it alone."
    assert choice in service.recommend(image, "http://here")["message"]
    for region in (None, [0.1, 0.1, 0.5, 0.8]):
        assert "garments" not in service.recommend(image, "http://here", region=region)["message"]


def test_what_is_described_is_the_part(service: Service, image: str, encoder: Finding) -> None:
    told = service.describe(image, region=[0.5, 0, 0.1, 1])
    assert told["message"] == "The region is read as [0.1, 0, 0.5, 1]."
    assert set(told["beliefs"]) == set(encoder.labels)
    assert encoder.asked == [(0.1, 0, 0.5, 1)]


@pytest.mark.parametrize("region", ["all", [0, 0, 1], [2, 2, 3, 3], {"box": [0, 0, 1, 1]}])
def test_what_is_no_region_is_one_sentence(
    service: Service, image: str, region: object, encoder: Finding
) -> None:
    with pytest.raises(QueryError, match="region"):
        service.recommend(image, "http://here", region=region)
    with pytest.raises(QueryError, match="region"):
        service.describe(image, region=region)
    assert encoder.asked == []


def test_a_small_part_is_read_large_enough(
    service: Service, encoder: Finding, tmp_path: Path
) -> None:
    Image.new("RGB", (2400, 3200), "red").save(tmp_path / "large.jpg")
    for region in ("auto", [0.5, 0.5, 0.55, 0.55]):
        service.recommend(str(tmp_path / "large.jpg"), "http://here", region=region)
    (whole, part), (width, height) = encoder.sizes, encoder.query_px
    assert whole[0] < part[0]
    assert part[0] >= 20 * width
    assert part[1] >= 20 * height


def test_where_nobody_knows_of_regions_a_box_counts_all_the_same(
    believing: Recommender, image: str
) -> None:
    service = Service(believing)
    for region, told in (("auto", None), (None, None), ([0, 0, 0.5, 0.5], [0, 0, 0.5, 0.5])):
        query = service.recommend(image, "http://here", region=region)["query"]
        assert (query["region"], query["regions"]) == (told, [])
    whole = service.describe(image, region=None)["beliefs"]
    assert service.describe(image, region="auto")["beliefs"] == whole
    assert service.describe(image, region=[0, 0, 0.1, 0.1])["beliefs"] != whole
