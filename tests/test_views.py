"""Other looks at a picture: which there are, what they count, what the encoder makes of them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from recommender.encoder import Encoder, load_encoder
from recommender.images import decode_image
from recommender.sources import read_source
from recommender.views import DOUBT, other_views, view_shares

SIZE = (72, 96)
Picture = Image.Image


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder(device="cpu")


@pytest.fixture(scope="module")
def drawn() -> tuple[list[Picture], list[str]]:
    """Every tenth picture of the demo, and its article type."""
    demo = read_source("demo")
    places = range(0, len(demo.rows), 10)
    pictures = [decode_image(demo.read_picture(place) or b"") for place in places]
    return pictures, demo.rows["articleType"].iloc[list(places)].tolist()


def test_a_view_is_of_every_kind() -> None:
    pixels = np.full((100, 80, 3), 255, dtype=np.uint8)
    pixels[:20, :20] = (255, 0, 0)
    views = other_views(Image.fromarray(pixels), SIZE)
    mirrored, turned, left, right, *corners = views
    assert mirrored.getpixel((79, 0)) == turned.getpixel((79, 99)) == (255, 0, 0)
    assert left.size == right.size == (80, 100)
    assert left.getpixel((0, 0)) == right.getpixel((79, 0)) == (255, 255, 255)
    assert [corner.size for corner in corners] == [(56, 70)] * 4
    assert [corner.getpixel((0, 0)) == (255, 0, 0) for corner in corners] == [True] + [False] * 3


@given(st.integers(1, 900), st.integers(1, 900))
def test_views_of_any_picture_are_small_and_whole(width: int, height: int) -> None:
    for view in other_views(Image.new("RGB", (width, height), "navy"), SIZE):
        assert 1 <= view.width <= width
        assert 1 <= view.height <= height
        assert view.width < 4 * SIZE[0] or view.height < 4 * SIZE[1]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_shares_fall_with_doubt(doubt: list[float]) -> None:
    shares = view_shares(np.array(doubt, dtype=np.float32))
    assert shares.sum() == pytest.approx(1, abs=1e-5)
    assert (shares > 0).all()
    others = np.argsort(doubt[1:])
    assert (np.diff(shares[1:][others]) <= 1e-7).all()


def test_the_whole_counts_more_than_a_view_of_the_same_doubt() -> None:
    shares = view_shares(np.full(5, 0.4, dtype=np.float32))
    np.testing.assert_allclose(shares, np.array([0.8, *[0.05] * 4]), rtol=1e-6)


def test_what_leaves_no_doubt_is_seen_as_the_gallery_has_it(
    encoder: Encoder, drawn: tuple[list[Picture], list[str]]
) -> None:
    pictures = [*drawn[0], Image.effect_noise((200, 300), 90).convert("RGB")]
    once = encoder.encode(pictures)
    seen, beliefs = encoder.see(pictures)
    assert encoder.agreement is not None
    sure = encoder.agreement.doubt(once) < DOUBT
    assert 0 < sure.sum() < len(pictures)
    np.testing.assert_array_equal(seen[sure], once[sure])
    assert (seen[~sure] != once[~sure]).any(axis=1).all()
    looks = encoder.agreement.looks
    np.testing.assert_allclose(looks(seen), looks(once), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(seen, axis=1), 1, atol=1e-5)
    for name, rows in beliefs.items():
        np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-4)
        if name in encoder.agreement.labels:
            np.testing.assert_allclose(encoder.agreement.beliefs(seen)[name], rows, atol=1e-6)


def in_a_room(picture: Picture) -> Picture:
    room = Image.new("RGB", (120, 160), (150, 110, 70))
    room.paste(picture.resize((84, 112)), (36, 48))
    return room


@pytest.mark.parametrize(
    "change", [lambda picture: picture.rotate(180), in_a_room], ids=["upside down", "small"]
)
def test_a_snapshot_is_understood_better_at_a_second_look(
    encoder: Encoder,
    drawn: tuple[list[Picture], list[str]],
    change: Callable[[Picture], Picture],
) -> None:
    pictures = [change(picture) for picture in drawn[0]]
    classes = np.array(encoder.labels["articleType"])
    once = encoder.see_prepared(np.stack([encoder.prepare(p) for p in pictures]))[1]
    again = encoder.see(pictures)[1]
    right = [
        float((classes[beliefs["articleType"].argmax(1)] == drawn[1]).mean())
        for beliefs in (once, again)
    ]
    assert right[1] >= right[0] + 0.1


def test_pictures_are_seen_alike_alone_and_together(
    encoder: Encoder, drawn: tuple[list[Picture], list[str]]
) -> None:
    pictures = [in_a_room(picture) for picture in drawn[0][:6]]
    together = encoder.see(pictures)[0]
    alone = np.concatenate([encoder.see([picture])[0] for picture in pictures])
    np.testing.assert_allclose(together, alone, atol=2e-2)  # bfloat16 rounds by the batch
