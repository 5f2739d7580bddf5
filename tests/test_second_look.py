"""Other views of a picture: what they count, what the encoder makes of them."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from recommender.catalog.sources import read_source
from recommender.encoding.agreement import Agreement, surer
from recommender.encoding.config import EncoderConfig
from recommender.encoding.encoder import Encoder, load_encoder
from recommender.encoding.network import Sight
from recommender.encoding.protocol import Encoded
from recommender.encoding.regions import Asked, Box, cut, lies_on_white
from recommender.encoding.second_look import DOUBT, look, view_shares
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
    assert shares[1, 1] > 0.95


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
    assert apart < np.abs(once[0] - once[1]).max()


def test_what_leaves_no_doubt_is_seen_as_the_gallery_has_it(
    encoder: Encoder, drawn: tuple[list[Picture], list[str]]
) -> None:
    pictures = [*drawn[0], Image.effect_noise((200, 300), 90).convert("RGB")]
    once = encoder.encode_items(pictures).vectors
    seen, beliefs, regions, *_ = encoder.encode_queries(pictures)
    assert encoder.agreement is not None
    # Of what lies on another ground the likeliest type is believed more than a gallery's.
    white = [lies_on_white(p, found.mask) for p, found in zip(pictures, regions, strict=True)]
    sure = (encoder.agreement.doubt(once) < DOUBT) & np.array(white)
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


def test_snapshots_are_understood_better_at_a_second_look(
    encoder: Encoder, drawn: tuple[list[Picture], list[str]]
) -> None:
    """Askew, or small in a room."""
    classes = np.array(encoder.labels["articleType"])
    mistakes = []
    for change in (lambda p: p.rotate(25, fillcolor="white"), in_a_room):
        pictures = [change(picture) for picture in drawn[0]]
        once = encoder.encode_prepared(np.stack([encoder.prepare(p) for p in pictures]))[1]
        again = encoder.encode_queries(pictures)[1]
        told = [classes[beliefs["articleType"].argmax(1)] for beliefs in (once, again)]
        mistakes.append([int((types != drawn[1]).sum()) for types in told])
    assert all(again <= once for once, again in mistakes)
    assert sum(again for _, again in mistakes) < 0.95 * sum(once for once, _ in mistakes)


def test_pictures_are_seen_alike_alone_and_together(
    encoder: Encoder, drawn: tuple[list[Picture], list[str]]
) -> None:
    pictures = [in_a_room(picture) for picture in drawn[0][:6]]
    together = encoder.encode_queries(pictures)[0]
    alone = np.concatenate([encoder.encode_queries([picture])[0] for picture in pictures])
    np.testing.assert_allclose(together, alone, atol=2e-2)  # bfloat16 rounds by the batch


# --- where the garment is, by a network that can be reckoned with


class RedNetwork:
    """Red is a garment; the more of a picture it fills, the surer its type."""

    finds_regions = True
    types: ClassVar = {"articleType": ("Shirts", "Tshirts")}
    agreement = Agreement(
        looks_dim=4, weights={"looks": 0.2, "articleType": 0.8}, classes={**types}
    )

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, prepared: np.ndarray, *, closely: bool = False) -> Sight:
        self.shapes.append(prepared.shape)
        pixels = prepared.astype(np.float32) / 255
        count, height, width, _ = pixels.shape
        red = np.clip(pixels[..., 0] - pixels[..., 1:].max(axis=3), 0, 1)
        masks = red.reshape(count, height // 4, 4, width // 4, 4).mean(axis=(2, 4))
        share = red.mean(axis=(1, 2))
        sure = 0.5 + 0.49 * np.minimum(1.5 * share, 1)
        left = pixels[:, :, : width // 2, 0].mean(axis=(1, 2))  # a mirror image is another
        looks = np.stack([share, left, 0 * share + 0.2, pixels.mean(axis=(1, 2, 3))], axis=1)
        looks /= np.linalg.norm(looks, axis=1, keepdims=True)
        beliefs = {"articleType": np.stack([sure, 1 - sure], axis=1)}
        if not (closely and self.finds_regions):
            empty = [np.empty((0,) * axes, np.float32) for axes in (3, 1, 4)]
            return Sight(looks, beliefs, *empty, {})
        garment = np.minimum(4 * share, 0.99)
        return Sight(looks, beliefs, masks, garment, masks[:0, ..., None], {})


class Rash(RedNetwork):
    """At a first look it takes everything for the other type, and says so."""

    def __call__(self, prepared: np.ndarray, *, closely: bool = False) -> Sight:
        sight = super().__call__(prepared, closely=closely)
        if prepared.shape[1] == CONFIG.height_px:
            sight.beliefs["articleType"][:] = 0.2, 0.8
        return sight


class Blind(RedNetwork):
    finds_regions = False


CONFIG = EncoderConfig(width_px=48, height_px=64, dtype="float32", second_scale=2)
GREY, WHITE = (110, 110, 110), (255, 255, 255)
UPRIGHT, LYING = (192, 256), (320, 200)


def with_red(size: tuple[int, int], ground: tuple[int, int, int], box: Box) -> Picture:
    """A red block in a box of a picture of one colour."""
    picture = Image.new("RGB", size, ground)
    ends = [round(end * side) for end, side in zip(box, size * 2, strict=True)]
    picture.paste((255, 0, 0), tuple(ends))
    return picture


def seen(
    pictures: list[Picture],
    asked: list[Asked] | None = None,
    *,
    config: EncoderConfig = CONFIG,
    network: RedNetwork | None = None,
) -> Encoded:
    network = network or RedNetwork()
    return look(network, config, network.agreement, pictures, asked)


def surest(encoded: Encoded) -> np.ndarray:
    return encoded.beliefs["articleType"][:, 0]


class Taught(RedNetwork):
    """It has a head for photographs besides, which knows but one type."""

    def __call__(self, prepared: np.ndarray, *, closely: bool = False) -> Sight:
        sight = super().__call__(prepared, closely=closely)
        known = np.tile(np.array([[0.01, 0.99]], np.float32), (len(prepared), 1))
        return sight._replace(taken={"articleType": known})


def test_what_lies_on_a_ground_is_believed_of_as_photographs_are() -> None:
    box = (0.3, 0.3, 0.6, 0.6)
    pictures = [with_red(UPRIGHT, GREY, box), with_red(UPRIGHT, WHITE, box)]
    taught, plain = seen(pictures, network=Taught()), seen(pictures)
    assert surest(taught)[0] == pytest.approx(0.01)
    assert surest(taught)[1] == surest(plain)[1]
    np.testing.assert_array_equal(
        Taught.agreement.looks(taught.vectors), Taught.agreement.looks(plain.vectors)
    )


@pytest.mark.parametrize("size", [UPRIGHT, LYING, (100, 100)])
@pytest.mark.parametrize("box", [(0.1, 0.1, 0.4, 0.5), (0.55, 0.25, 0.95, 0.65)])
def test_a_garment_in_a_room_is_found_and_seen_closely(size: tuple[int, int], box: Box) -> None:
    picture = with_red(size, GREY, box)
    auto, whole = seen([picture]), seen([picture], [None])
    [found], [plain] = auto.regions, whole.regions
    assert len(found.boxes) == 1
    np.testing.assert_allclose(found.boxes[0], box, atol=0.07)
    assert (found.used, plain.used) == (found.boxes[0], None)
    assert plain.boxes == found.boxes
    assert surest(auto) > surest(whole) + 0.1
    rows, columns = (np.arange(side) / side for side in found.mask.shape)
    inside = (rows >= box[1]) & (rows < box[3])
    across = (columns >= box[0]) & (columns < box[2])
    assert found.mask[np.ix_(inside, across)].mean() > 0.7
    assert found.mask[np.ix_(~inside, ~across)].mean() < 0.1


def test_of_two_garments_both_are_looked_at_and_either_can_be_chosen() -> None:
    picture = with_red((128, 128), GREY, (0.1, 0.1, 0.4, 0.45))
    picture.paste((255, 0, 0), (76, 64, 120, 120))
    [found] = seen([picture]).regions
    assert len(found.boxes) == 3
    assert found.used is None  # both together are most of the picture
    for box in found.boxes[1:]:
        chosen = seen([picture], [box])
        assert chosen.regions[0].used == box
        assert surest(chosen) > surest(seen([picture]))


@pytest.mark.parametrize("size", [UPRIGHT, LYING])
def test_a_box_is_seen_as_the_cut_picture_is(size: tuple[int, int]) -> None:
    picture = with_red(size, GREY, (0.5, 0.25, 0.75, 0.75))
    box = (0.4, 0.0, 1.0, 0.9)
    asked, by_hand = seen([picture], [box]), seen([cut(picture, box)], [None])
    np.testing.assert_array_equal(asked.vectors, by_hand.vectors)
    np.testing.assert_array_equal(surest(asked), surest(by_hand))
    [found] = asked.regions
    assert found.used == box
    np.testing.assert_allclose(found.boxes[0], (0.5, 0.25, 0.75, 0.75), atol=0.07)


def test_a_packshot_is_not_cut() -> None:
    """It is small and leaves doubt, but there is nothing behind it that could mislead."""
    network = RedNetwork()
    encoded = seen([with_red(UPRIGHT, WHITE, (0.4, 0.4, 0.7, 0.7))], network=network)
    assert encoded.regions[0].boxes
    assert encoded.regions[0].used is None
    assert network.shapes == [(1, 64, 48, 3), (1, 128, 96, 3), (1, 64, 48, 3), (1, 128, 96, 3)]


def test_what_a_first_look_says_counts_on_white_alone() -> None:
    box = (0.2, 0.2, 0.8, 0.8)
    on_ground, on_white = (with_red(UPRIGHT, ground, box) for ground in (GREY, WHITE))
    config = replace(CONFIG, match=(0.0, 0.0, -4.0))
    told = seen([on_ground, on_white], config=config, network=Rash())
    calm = seen([on_ground, on_white], config=config)
    assert surest(told)[0] == pytest.approx(surest(calm)[0])
    assert surest(told)[1] < surest(calm)[1] - 0.2
    # That views disagree says, of either, that this may be no garment.
    assert told.matches is not None
    assert calm.matches is not None
    assert (told.matches < calm.matches).all()


def test_a_lying_picture_is_seen_lying() -> None:
    network = RedNetwork()
    seen([with_red(LYING, GREY, (0.1, 0.1, 0.3, 0.5))], [None], network=network)
    assert network.shapes == [(1, 64, 48, 3), (1, 96, 128, 3)]


def test_what_leaves_no_doubt_is_not_seen_again() -> None:
    network = RedNetwork()
    picture = with_red(UPRIGHT, WHITE, (0.05, 0.05, 0.95, 0.9))
    encoded = seen([picture], network=network)
    assert network.shapes == [(1, 64, 48, 3)]
    once = network(np.asarray(picture.resize((48, 64), Image.Resampling.BICUBIC))[None])
    want = network.agreement.embed(once.looks, once.beliefs)
    np.testing.assert_allclose(encoded.vectors, want, atol=1e-6)
    assert encoded.regions[0].used is None
    assert encoded.regions[0].boxes


def test_where_nothing_is_found_nothing_is_cut() -> None:
    [found] = seen([Image.new("RGB", UPRIGHT, GREY)]).regions
    assert (found.boxes, found.sureness, found.used) == ((), (), None)
    assert found.garment == 0


SIZES = [(1, 1), (1, 2), (3000, 2), (2, 3000), (1, 500), (640, 3), (5, 4)]


@pytest.mark.parametrize("ground", [GREY, (200, 0, 0)])
@pytest.mark.parametrize("part", ["auto", None, (0.9, 0.0, 1.0, 0.02)])
def test_a_picture_of_any_shape_is_seen(ground: tuple[int, int, int], part: Asked) -> None:
    pictures = [Image.new("RGB", size, ground) for size in SIZES]
    for picture in pictures[2:]:
        picture.paste((255, 0, 0), (0, 0, picture.width // 5 + 1, picture.height // 5 + 1))
    encoded = seen(pictures, [part] * len(pictures))
    np.testing.assert_allclose(np.linalg.norm(encoded.vectors, axis=1), 1, atol=1e-5)
    assert len(encoded.regions) == len(SIZES)
    for found in encoded.regions:
        assert all(0 <= end <= 1 for box in found.boxes for end in box)
        assert min(found.mask.shape) >= 1


def test_each_is_seen_alone_as_with_others() -> None:
    pictures = [
        with_red(UPRIGHT, GREY, (0.1, 0.1, 0.4, 0.5)),
        with_red(UPRIGHT, WHITE, (0.05, 0.05, 0.95, 0.9)),
        with_red(LYING, GREY, (0.2, 0.1, 0.5, 0.5)),
        with_red(LYING, GREY, (0.2, 0.1, 0.5, 0.5)),
        Image.new("RGB", UPRIGHT, GREY),
    ]
    asked: list[Asked] = ["auto", "auto", None, (0.1, 0.0, 0.6, 0.6), "auto"]
    together = seen(pictures, asked)
    for row, (picture, part) in enumerate(zip(pictures, asked, strict=True)):
        alone = seen([picture], [part])
        np.testing.assert_allclose(alone.vectors[0], together.vectors[row], atol=1e-6)
        assert alone.regions[0].boxes == together.regions[row].boxes
        assert alone.regions[0].used == together.regions[row].used


def test_one_who_knows_of_no_regions_looks_at_the_box_all_the_same() -> None:
    picture = with_red(UPRIGHT, GREY, (0.1, 0.1, 0.4, 0.5))
    for part in ("auto", None, (0.1, 0.1, 0.4, 0.5)):
        encoded = seen([picture], [part], network=Blind())
        assert encoded.regions == ()
        assert encoded.matches is None
        assert (surest(encoded) > 0.9) == isinstance(part, tuple)


def test_odds_are_of_photographs_alone() -> None:
    pictures = [
        with_red(UPRIGHT, WHITE, (0.3, 0.3, 0.7, 0.7)),
        with_red(UPRIGHT, GREY, (0.3, 0.3, 0.7, 0.7)),
        with_red(UPRIGHT, GREY, (0.02, 0.02, 0.98, 0.98)),  # leaves no doubt
    ]
    before = seen(pictures)
    after = seen(pictures, config=replace(CONFIG, photograph_odds=3.0))
    told = surer(before.beliefs["articleType"], 3.0)
    np.testing.assert_array_equal(surest(after)[0], surest(before)[0])
    np.testing.assert_array_equal(after.vectors[0], before.vectors[0])
    np.testing.assert_allclose(after.beliefs["articleType"][1:], told[1:], atol=1e-6)
    read = RedNetwork.agreement.beliefs(after.vectors)["articleType"]
    np.testing.assert_allclose(read, after.beliefs["articleType"], atol=1e-6)
    looks = RedNetwork.agreement.looks
    np.testing.assert_allclose(looks(after.vectors), looks(before.vectors), atol=1e-6)


def test_a_match_grows_with_the_garment_and_falls_with_doubt() -> None:
    shares = [0.0, 0.15, 0.3, 0.45, 0.6, 0.95]
    pictures = [with_red(UPRIGHT, WHITE, (0, 0, share, share)) for share in shares]
    assert seen(pictures).matches is None
    by_garment = seen(pictures, config=replace(CONFIG, match=(0.0, 1.0, 0.0)))
    garment = np.array([found.garment for found in by_garment.regions])
    assert by_garment.matches is not None
    np.testing.assert_allclose(by_garment.matches, garment, atol=1e-5)
    assert (np.diff(by_garment.matches) >= 0).all()
    assert by_garment.matches[0] < 0.01 < 0.98 < by_garment.matches[-1]
    by_doubt = seen(pictures, config=replace(CONFIG, match=(1.0, 0.0, -4.0)))
    doubt = RedNetwork.agreement.doubt(by_doubt.vectors)
    np.testing.assert_allclose(by_doubt.matches, 1 / (1 + np.exp(4 * doubt - 1)), atol=1e-5)
    for matches in (by_garment.matches, by_doubt.matches):
        assert matches.shape == (len(pictures),)
        assert ((matches >= 0) & (matches <= 1)).all()
