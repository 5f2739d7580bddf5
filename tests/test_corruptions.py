"""Changes of a picture: its size stays, a seed decides, severe is further away than mild."""

import numpy as np
import pytest
from conftest import ROWS, draw_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from recommender.evaluation.corruptions import CORRUPTIONS, Severities, corrupt
from recommender.pictures.decode import decode_image

PICTURE = decode_image(draw_picture(ROWS[0]))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(list(CORRUPTIONS)),
    st.sampled_from(Severities),
    st.integers(0, 2**40),
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
)
def test_any_picture_can_be_changed(
    kind: str, severity: str, seed: int, size: tuple[int, int]
) -> None:
    picture = PICTURE.resize(size)
    before = picture.tobytes()
    changed = corrupt(picture, kind, severity, seed)
    assert (changed.mode, changed.size) == ("RGB", size)
    assert changed.tobytes() == corrupt(picture, kind, severity, seed).tobytes()
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


def test_low_light_is_darker_by_what_it_says() -> None:
    for severity, light in (("mild", 0.6), ("severe", 0.3)):
        dark = np.asarray(corrupt(PICTURE, "low light", severity, 0), float)[..., 0].mean()
        assert dark == pytest.approx(light * np.asarray(PICTURE, float)[..., 0].mean(), abs=3)
