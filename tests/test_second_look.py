"""Other views of a picture: what they count, what the encoder makes of them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from recommender.catalog.sources import read_source
from recommender.encoding.encoder import Encoder, load_encoder
from recommender.encoding.second_look import DOUBT, view_shares
from recommender.pictures.decode import decode_image

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


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_shares_fall_with_doubt(doubt: list[float]) -> None:
    shares = view_shares(np.array([doubt], dtype=np.float32).T)[:, 0]
    assert shares.sum() == pytest.approx(1, abs=1e-5)
    assert (shares > 0).all()
    assert (np.diff(shares[np.argsort(doubt)]) <= 1e-7).all()


def test_each_picture_has_its_own_shares() -> None:
    shares = view_shares(np.array([[0.4, 0.9], [0.4, 0.1]], dtype=np.float32))
    np.testing.assert_allclose(shares[:, 0], [0.5, 0.5])
    assert shares[1, 1] > 0.99


def test_a_mirrored_picture_is_believed_to_be_the_same(
    encoder: Encoder, drawn: tuple[list[Picture], list[str]]
) -> None:
    pictures = [in_a_room(picture) for picture in drawn[0][:6]]
    assert encoder.agreement is not None
    assert (encoder.agreement.doubt(encoder.encode_items(pictures).vectors) >= DOUBT).any()
    seen = encoder.encode_queries(pictures)[1]
    mirrored = encoder.encode_queries([ImageOps.mirror(picture) for picture in pictures])[1]
    once = [
        encoder.encode_prepared(np.stack([encoder.prepare(p) for p in way]))[1]["articleType"]
        for way in (pictures, [ImageOps.mirror(picture) for picture in pictures])
    ]
    apart = np.abs(seen["articleType"] - mirrored["articleType"]).max()
    assert apart < 0.5 * np.abs(once[0] - once[1]).max()


def test_what_leaves_no_doubt_is_seen_as_the_gallery_has_it(
    encoder: Encoder, drawn: tuple[list[Picture], list[str]]
) -> None:
    pictures = [*drawn[0], Image.effect_noise((200, 300), 90).convert("RGB")]
    once = encoder.encode_items(pictures).vectors
    seen, beliefs, _ = encoder.encode_queries(pictures)
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
    "change", [lambda p: p.rotate(25, fillcolor="white"), in_a_room], ids=["askew", "small"]
)
def test_a_snapshot_is_understood_better_at_a_second_look(
    encoder: Encoder,
    drawn: tuple[list[Picture], list[str]],
    change: Callable[[Picture], Picture],
) -> None:
    pictures = [change(picture) for picture in drawn[0]]
    classes = np.array(encoder.labels["articleType"])
    once = encoder.encode_prepared(np.stack([encoder.prepare(p) for p in pictures]))[1]
    again = encoder.encode_queries(pictures)[1]
    mistakes = [
        int((classes[beliefs["articleType"].argmax(1)] != drawn[1]).sum())
        for beliefs in (once, again)
    ]
    assert mistakes[0] > 0
    assert mistakes[1] <= 0.75 * mistakes[0]


def test_pictures_are_seen_alike_alone_and_together(
    encoder: Encoder, drawn: tuple[list[Picture], list[str]]
) -> None:
    pictures = [in_a_room(picture) for picture in drawn[0][:6]]
    together = encoder.encode_queries(pictures)[0]
    alone = np.concatenate([encoder.encode_queries([picture])[0] for picture in pictures])
    np.testing.assert_allclose(together, alone, atol=2e-2)  # bfloat16 rounds by the batch
