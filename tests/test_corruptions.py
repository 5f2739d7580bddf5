"""Changes of a picture: its size stays, a seed decides, severe is further away than mild."""

import io

import numpy as np
import pandas as pd
import pytest
from conftest import ROWS, draw_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from recommender.catalog.photographs import Photographs
from recommender.evaluation import corruptions as module
from recommender.evaluation.corruptions import CORRUPTIONS, Severities, corrupt, corruptions
from recommender.pictures.decode import decode_image

PICTURE = decode_image(draw_picture(ROWS[0]))
PHOTOGRAPHERS = pd.DataFrame({"photographer": ["7", "3", "7"]})
FILES = [draw_picture(row, (90, 160)) for row in ROWS[4:7]]
KINDS = corruptions(Photographs(PHOTOGRAPHERS, FILES, {}, {}))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(list(KINDS)),
    st.sampled_from(Severities),
    st.integers(0, 2**40),
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
)
def test_any_picture_can_be_changed(
    kind: str, severity: str, seed: int, size: tuple[int, int]
) -> None:
    picture = PICTURE.resize(size)
    before = picture.tobytes()
    changed = corrupt(picture, kind, severity, seed, KINDS)
    larger = kind == "photograph, from afar"  # where no pixel is lost
    assert changed.mode == "RGB"
    assert min(np.subtract(changed.size, size)) >= 0 if larger else changed.size == size
    assert changed.tobytes() == corrupt(picture, kind, severity, seed, KINDS).tobytes()
    assert picture.tobytes() == before


@pytest.mark.parametrize("kind", [kind for kind in CORRUPTIONS if kind != "mirror"])
def test_severe_is_further_away_than_mild(kind: str) -> None:
    def distance(severity: str) -> float:
        changed = [np.asarray(corrupt(PICTURE, kind, severity, seed), float) for seed in range(9)]
        return float(np.mean([np.abs(c - np.asarray(PICTURE, float)).mean() for c in changed]))

    assert 0.5 < distance("mild") < distance("severe")


def test_a_mirror_of_one_axis_and_of_two() -> None:
    pixels = np.asarray(PICTURE)
    assert np.array_equal(corrupt(PICTURE, "mirror", "mild", 0), pixels[:, ::-1])
    assert np.array_equal(corrupt(PICTURE, "mirror", "severe", 0), pixels[::-1, ::-1])


def test_the_garment_stays_and_its_white_goes() -> None:
    packshot = Image.new("RGB", (60, 80), "white")
    packshot.paste("red", (15, 20, 45, 60))
    packshot.paste("white", (25, 30, 35, 50))  # a white print, which is no background
    changed = np.asarray(corrupt(packshot, "background", "severe", 3)).astype(int)
    white = (changed.min(axis=2) > 235).sum()
    red = ((changed[..., 0] > 240) & (changed[..., 1:].max(axis=2) < 20)).sum()
    assert 0.4 < white / (200 * 0.65**2) < 1.2
    assert 0.6 < red / (1000 * 0.65**2) < 1.2
    assert corrupt(packshot, "background", "severe", 4) != Image.fromarray(changed.astype(np.uint8))


def photographs_of(colours: dict[str, str]) -> Photographs:
    """One photograph of each photographer, all of it in one colour."""
    files = []
    for colour in colours.values():
        Image.new("RGB", (64, 64), colour).save(file := io.BytesIO(), "PNG")
        files.append(file.getvalue())
    return Photographs(pd.DataFrame({"photographer": list(colours)}), files, {}, {})


def red_and_blue(kind: str, severity: str, seed: int) -> tuple[int, int]:
    """How many pixels of a red garment of 1,200 are seen, and how many of the blue it lies on."""
    packshot = Image.new("RGB", (60, 80), "white")
    packshot.paste("red", (15, 20, 45, 60))
    kinds = corruptions(photographs_of({"1": "blue"}))
    pixels = np.asarray(corrupt(packshot, kind, severity, seed, kinds)).astype(int)
    red, blue = (pixels[..., i] - pixels[..., 2 - i] > 150 for i in (0, 2))
    return int(red.sum()), int(blue.sum())


@pytest.mark.parametrize(("severity", "scale"), [("mild", 0.9), ("severe", 0.65)])
def test_a_garment_is_laid_on_a_photograph_as_large_as_it_says(severity: str, scale: float) -> None:
    red, blue = red_and_blue("photograph", severity, 5)
    assert red == pytest.approx(1200 * scale**2, rel=0.1)
    assert red + blue == pytest.approx(4800, rel=0.06)  # but for its outline


@pytest.mark.parametrize(("severity", "least"), [("mild", 0.6), ("severe", 0.35)])
def test_a_garment_of_any_size_is_between_two(severity: str, least: float) -> None:
    reds = [red_and_blue("photograph, any size", severity, seed)[0] for seed in range(25)]
    scales = np.sqrt(np.array(reds) / 1200)
    assert scales.min() == pytest.approx(least, abs=0.08)
    assert scales.max() == pytest.approx(0.9, abs=0.05)
    assert scales.mean() == pytest.approx((least + 0.9) / 2, abs=0.08)


@pytest.mark.parametrize(("severity", "least"), [("mild", 0.6), ("severe", 0.35)])
def test_from_afar_a_garment_keeps_its_pixels(severity: str, least: float) -> None:
    seen = [red_and_blue("photograph, from afar", severity, seed) for seed in range(25)]
    reds, alls = np.array([red for red, _ in seen]), np.array([sum(each) for each in seen])
    np.testing.assert_allclose(reds, 1200, rtol=0.1)
    scales = np.sqrt(4800 / alls)
    assert least - 0.02 < scales.min() < least + 0.1 < scales.max() < 0.95


def test_photographers_take_turns_however_many_pictures_they_took() -> None:
    many = photographs_of({"1": "blue"} | {"2": "lime"})
    frame = pd.DataFrame({"photographer": ["1"] * 30 + ["2"]})
    kinds = corruptions(Photographs(frame, [many.files[0]] * 30 + [many.files[1]], {}, {}))
    grounds = [
        np.asarray(corrupt(PICTURE, "photograph", "severe", seed, kinds))[[0, -1], [0, -1]].max(0)
        for seed in range(40)
    ]
    assert 10 < sum(int(ground[1]) > int(ground[2]) for ground in grounds) < 30


def test_a_ground_is_a_corner_mirrored_where_it_ends() -> None:
    columns = np.arange(200, dtype=np.uint8)
    photograph = Image.fromarray(np.tile(columns[None, :, None], (100, 1, 3)))
    for seed in range(8):
        random = np.random.default_rng(seed)
        row = np.asarray(module.ground(photograph, (400, 300), random))[150, :, 0].astype(int)
        steps = np.diff(row)
        assert np.abs(steps).max() <= 2, "a seam"
        assert row.max() < 73 or row.min() > 126, "more than a corner"
        assert np.abs(steps).mean() == pytest.approx(0.5, abs=0.05), "enlarged other than twice"


def test_what_was_there_changes_as_before() -> None:
    for kind in CORRUPTIONS:
        own = corrupt(PICTURE, kind, "severe", 9)
        assert corrupt(PICTURE, kind, "severe", 9, KINDS).tobytes() == own.tobytes()


def test_low_light_is_darker_by_what_it_says() -> None:
    for severity, light in (("mild", 0.6), ("severe", 0.3)):
        dark = np.asarray(corrupt(PICTURE, "low light", severity, 0), float)[..., 0].mean()
        assert dark == pytest.approx(light * np.asarray(PICTURE, float)[..., 0].mean(), abs=3)
