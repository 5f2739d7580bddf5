"""The photographs that the page offers are small, can be read, and are credited one by one."""

import doctest
import re
import zipfile
from pathlib import Path

import pytest

from recommender.catalog.photographs import load_photographs
from recommender.encoding.encoder import load_encoder
from recommender.pictures.decode import decode_image
from recommender.search.hits import is_match
from recommender.service import examples
from recommender.service.examples import PHOTOGRAPHS, shown

FOLDER = next(iter(PHOTOGRAPHS.values())).parent
CREDITS = (FOLDER / "README.md").read_text(encoding="utf-8")
CREDITED = dict(re.findall(r"^\| `(\S+\.jpg)` \| `([0-9a-f-]{36})` \|$", CREDITS, re.MULTILINE))
MAX_BYTES = 40_000


def test_the_credits_list_what_is_there() -> None:
    assert len(CREDITED) == len(set(CREDITED.values())) == 8
    assert {path.name for path in FOLDER.iterdir()} == {*CREDITED, "README.md"}
    assert set(PHOTOGRAPHS) == set(CREDITED)
    assert "CC0 1.0" in CREDITS


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_each_is_a_small_picture_with_a_sentence(name: str) -> None:
    data = PHOTOGRAPHS[name].read_bytes()
    assert len(data) < MAX_BYTES
    assert b"Exif" not in data, "where and by what it was taken is nobody's business"
    picture = decode_image(data)
    assert picture.mode == "RGB"
    assert 128 <= min(picture.size) <= max(picture.size) <= 256
    assert re.fullmatch(r"[A-Z][a-z]+( [a-z]+)+\.", shown(name))


TYPES = {
    "jeans": ("Jeans",),
    "shirt": ("Shirts",),
    "shorts": ("Shorts",),
    "hat": ("Caps", "Hat"),
    "jacket": ("Jackets",),
    "dress": ("Dresses",),
    "shoes": ("Casual Shoes", "Sports Shoes"),
    "tee": ("Tshirts",),
}


def test_each_is_seen_as_what_its_name_says() -> None:
    encoder = load_encoder(device="cpu")
    pictures = [decode_image(path.read_bytes()) for path in PHOTOGRAPHS.values()]
    seen = encoder.encode_queries(pictures)
    likeliest = seen.beliefs["articleType"].argmax(axis=1)
    told = {
        n: encoder.labels["articleType"][i] for n, i in zip(PHOTOGRAPHS, likeliest, strict=True)
    }
    for name, article_type in told.items():
        [garment] = TYPES.keys() & Path(name).stem.split("-")
        assert article_type in TYPES[garment], name
    assert seen.matches is not None
    assert all(map(is_match, seen.matches.tolist()))


def test_the_examples_in_the_docstrings_hold() -> None:
    done = doctest.testmod(examples)
    assert done.attempted
    assert not done.failed


@pytest.mark.real_data
def test_they_are_those_that_no_training_has_seen(real_photographs: Path) -> None:
    held_out = set(load_photographs(real_photographs, "dev").frame["image"])
    with zipfile.ZipFile(real_photographs) as archive:
        for name, image in CREDITED.items():
            assert image in held_out
            assert archive.read(f"images/{image}.jpg") == PHOTOGRAPHS[name].read_bytes()
