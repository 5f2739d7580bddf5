"""Boxes and parts of a picture: read of masks, and of whatever a program sends."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from recommender.encoding.regions import (
    Box,
    Regions,
    cut,
    framed,
    lies_on_white,
    parts_of,
    read_boxes,
    read_region,
    within,
)
from recommender.errors import QueryError

numbers = st.floats(allow_nan=False, allow_infinity=False)
shares = st.floats(0, 1, width=32)


def mask_of(*blocks: tuple[slice, slice], size: tuple[int, int] = (20, 20)) -> np.ndarray:
    """A mask that is .9 in some blocks of rows and columns, .1 elsewhere."""
    mask = np.full(size, 0.1, np.float32)
    for block in blocks:
        mask[block] = 0.9
    return mask


def area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def is_box(box: Box) -> bool:
    return 0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1


# --- masks


def test_one_garment_is_one_box() -> None:
    boxes, sureness = read_boxes(mask_of(np.s_[4:14, 5:10]))
    # Of 5 columns and 10 rows, with a margin of 3% of each.
    assert boxes == ((0.2425, 0.185, 0.5075, 0.715),)
    assert sureness == pytest.approx([0.9])


def test_a_garment_goes_on_where_it_is_less_sure() -> None:
    mask = mask_of(np.s_[4:10, 5:10])
    mask[10:16, 5:10] = 0.4  # trousers' legs in the shade
    [box], [sure] = read_boxes(mask)
    assert box[3] > 0.8
    assert sure == pytest.approx(0.9)
    mask[16:, 12:] = 0.4  # nothing that is anywhere sure
    assert read_boxes(mask)[0] == (box,)


def test_of_two_garments_the_whole_comes_first_then_the_larger() -> None:
    boxes, sureness = read_boxes(mask_of(np.s_[2:8, 2:6], np.s_[8:18, 10:18]))
    assert len(boxes) == len(sureness) == 3
    whole, first, second = boxes
    assert area(first) > area(second)
    assert whole == (0.076, 0.076, 0.924, 0.924)  # of columns 2 to 18 and as many rows
    assert second == (0.094, 0.091, 0.306, 0.409)


def test_what_touches_at_a_corner_alone_is_apart() -> None:
    assert len(read_boxes(mask_of(np.s_[2:8, 2:8], np.s_[8:14, 8:14]))[0]) == 3
    assert len(read_boxes(mask_of(np.s_[2:8, 2:8], np.s_[7:14, 8:14]))[0]) == 1


def test_specks_are_no_garments() -> None:
    block = np.s_[4:14, 5:10]
    speck = np.s_[18:20, 17:20]  # 6 of 400 places
    torn_off = np.s_[0:3, 16:19]  # 9 of them, but less than a fifth of the garment
    assert read_boxes(mask_of(block, speck, torn_off)) == read_boxes(mask_of(block))
    assert read_boxes(mask_of(speck)) == ((), ())
    assert len(read_boxes(mask_of(torn_off))[0]) == 1  # where there is nothing else


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_nothing_is_found_in_doubt(value: float) -> None:
    assert read_boxes(np.full((6, 4), value, np.float32)) == ((), ())


def test_all_of_a_picture_is_a_box() -> None:
    assert read_boxes(np.ones((6, 4), np.float32)) == (((0, 0, 1, 1),), (1,))


@st.composite
def masks(draw: Any) -> np.ndarray:
    """From all garment to all noise, of any shape."""
    height, width = draw(st.integers(1, 14)), draw(st.integers(1, 14))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    coarse = random.random((-(-height // 3), -(-width // 3)))
    blocks = np.kron(coarse, np.ones((3, 3)))[:height, :width]
    rough = draw(shares)
    mixed = (1 - rough) * blocks + rough * random.random((height, width))
    return mixed.astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(masks())
def test_boxes_of_any_mask_lie_in_the_picture_in_their_order(mask: np.ndarray) -> None:
    boxes, sureness = read_boxes(mask)
    assert len(boxes) == len(sureness) != 2  # the union is there as soon as there are two
    assert all(map(is_box, boxes))
    assert all(0.5 < sure <= 1 for sure in sureness)
    assert bool(boxes) <= bool((mask > 0.5).any())
    for box in boxes[1:]:
        assert all(np.less_equal(boxes[0][:2], box[:2]))
        assert all(np.greater_equal(boxes[0][2:], box[2:]))


# --- what a program asks for


@pytest.mark.parametrize(
    ("value", "read", "said"),
    [
        (None, None, ""),
        ("auto", "auto", ""),
        ([0, 0, 1, 1], (0, 0, 1, 1), ""),
        ((0.25, 0.5, 0.5, 1.0), (0.25, 0.5, 0.5, 1), ""),
        ([0.5, 1, 0.25, 0.5], (0.25, 0.5, 0.5, 1), "read as [0.25, 0.5, 0.5, 1]"),
        ([-3, -0.5, 0.5, 7], (0, 0, 0.5, 1), "read as [0, 0, 0.5, 1]"),
        ([0, 0, 10**400, 1e308], (0, 0, 1, 1), "read as [0, 0, 1, 1]"),
        ([-(10**400), 0, 1, 1], (0, 0, 1, 1), "read as [0, 0, 1, 1]"),
    ],
)
def test_what_a_region_is_read_as(value: object, read: object, said: str) -> None:
    asked, message = read_region(value)
    assert asked == read
    assert said in message
    assert bool(message) == bool(said)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "whole",
        "[0, 0, 1, 1]",
        True,
        0,
        0.5,
        {},
        {"left": 0, "top": 0, "right": 1, "bottom": 1},
        [],
        [0, 0, 1],
        [0, 0, 1, 1, 1],
        [[0, 0, 1, 1]],
        ["0", "0", "1", "1"],
        [False, False, True, True],
        [None, 0, 1, 1],
        [math.nan, 0, 1, 1],
        [0, 0, math.inf, 1],
        [0, -math.inf, 1, 1],
    ],
    ids=repr,
)
def test_what_is_no_region(value: object) -> None:
    with pytest.raises(QueryError, match="A region is null for the whole picture"):
        read_region(value)


@pytest.mark.parametrize(
    "value", [[0, 0, 0, 0], [0.5, 0, 0.5, 1], [2, 0, 3, 1], [0, -2, 1, -1], [0, 0, 1, 1e-9]]
)
def test_a_region_without_area(value: list[float]) -> None:
    with pytest.raises(QueryError, match="no area within the picture"):
        read_region(value)


@given(st.lists(numbers | st.integers() | shares, min_size=4, max_size=4))
def test_any_four_numbers_are_a_box_or_one_sentence(value: list[float]) -> None:
    try:
        box, said = read_region(value)
    except QueryError:
        return
    assert isinstance(box, tuple)
    assert is_box(box)
    assert said == "" or said.startswith("The region is read as [")
    assert read_region(list(box)) == (box, "")
    assert json.loads(json.dumps(box)) == list(box)


@given(st.recursive(st.none() | st.booleans() | numbers | st.text(), st.lists, max_leaves=6))
def test_anything_else_of_json_is_a_region_or_one_sentence(value: object) -> None:
    try:
        asked, _ = read_region(value)
    except QueryError:
        return
    assert asked in (None, "auto") or is_box(asked)


# --- parts of a picture


@given(st.tuples(st.integers(1, 400), st.integers(1, 400)), st.lists(shares, min_size=4))
def test_a_cut_is_never_empty(size: tuple[int, int], ends: list[float]) -> None:
    try:
        box, _ = read_region(ends[:4])
    except QueryError:
        return
    part = cut(Image.new("L", size), box)
    for side, low, high, cut_side in zip(size, box[:2], box[2:], part.size, strict=True):
        assert 1 <= cut_side <= side
        assert side * (high - low) - 1e-6 <= cut_side <= side * (high - low) + 2


def test_what_is_cut_is_what_a_box_says() -> None:
    picture = Image.new("RGB", (40, 20), "white")
    picture.paste("red", (10, 5, 20, 15))
    box = (0.25, 0.25, 0.5, 0.75)
    assert cut(picture, box).getcolors() == [(100, (255, 0, 0))]
    assert parts_of([picture, picture, picture], [box, None, "auto"])[1:] == [picture, picture]
    assert parts_of([picture], [box])[0].size == (10, 10)
    assert parts_of([picture], None) == [picture]


def test_what_is_found_in_a_part_is_told_of_the_whole() -> None:
    mask = np.zeros((8, 8), np.float32)
    mask[2:6, 2:6] = 1
    boxes, sureness = read_boxes(mask)
    found = Regions(boxes=boxes, sureness=sureness, used=None, mask=mask, garment=0.8)
    part = (0.5, 0.0, 1.0, 0.5)
    told = within(found, part)
    assert told.used == part
    assert (told.sureness, told.garment) == (found.sureness, 0.8)
    assert told.boxes == (
        (0.6175, 0.1175, 0.8825, 0.3825),
    )  # 23.5% to 76.5% of each side of the part
    outside = told.mask.copy()
    outside[:32, 32:] = 0
    assert not outside.any()
    assert told.mask[16, 48] == 1


@settings(max_examples=60)
@given(masks(), st.lists(shares, min_size=4, max_size=4))
def test_any_box_within_any_part_is_one_of_the_whole(mask: np.ndarray, ends: list[float]) -> None:
    try:
        part, _ = read_region(ends)
    except QueryError:
        return
    boxes, sureness = read_boxes(mask)
    told = within(Regions(boxes=boxes, sureness=sureness, used=None, mask=mask, garment=1), part)
    assert told.mask.shape == (64, 64)
    assert told.mask.dtype == np.float32
    for box in told.boxes:
        assert is_box(box)
        assert all(np.greater_equal(box[:2], np.subtract(part[:2], 1e-4)))
        assert all(np.less_equal(box[2:], np.add(part[2:], 1e-4)))


@given(st.tuples(shares, shares, shares, shares), st.integers(8, 400), st.integers(8, 400))
def test_a_frame_holds_its_box_and_stands_or_lies_as_far_as_the_picture_goes(
    ends: tuple[float, ...], width: int, height: int
) -> None:
    left, right = sorted(ends[:2])
    top, bottom = sorted(ends[2:])
    assume(right - left > 0.05 and bottom - top > 0.05)
    box = (left, top, right, bottom)
    frame = framed(box, (width, height), 4 / 3)
    assert is_box(frame)
    assert all(np.less_equal(frame[:2], np.add(box[:2], 1e-3)))
    assert all(np.greater_equal(frame[2:], np.subtract(box[2:], 1e-3)))
    wide, tall = (frame[2] - frame[0]) * width, (frame[3] - frame[1]) * height
    whole = frame[2] - frame[0] > 0.999 or frame[3] - frame[1] > 0.999
    assert whole or max(wide, tall) / min(wide, tall) == pytest.approx(4 / 3, rel=0.05)


@pytest.mark.parametrize(
    ("ground", "lies"), [("white", True), ("#ebebeb", True), ("#eaeaea", False), ("navy", False)]
)
def test_a_packshot_lies_on_white(ground: str, lies: bool) -> None:
    picture = Image.new("RGB", (80, 80), ground)
    picture.paste("red", (20, 20, 60, 60))
    mask = mask_of(np.s_[5:15, 5:15])
    assert lies_on_white(picture, mask) is lies


def test_a_shadow_leaves_a_packshot_one_and_no_ground_is_none() -> None:
    picture = Image.new("RGB", (80, 80), "white")
    picture.paste("grey", (0, 76, 80, 80))
    assert lies_on_white(picture, mask_of(np.s_[5:15, 5:15]))
    picture.paste("grey", (0, 60, 80, 80))
    assert not lies_on_white(picture, mask_of(np.s_[5:15, 5:15]))
    assert not lies_on_white(picture, np.ones((20, 20), np.float32))
