"""Pictures as visitors take them: what is laid where, what never shows, that a seed decides."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from recommender.training.scenes import (
    CANVAS_PX,
    Scenes,
    empty,
    finish,
    grounds,
    paste,
    to_canvas,
    view_photographs,
)

SIZE = (48, 36)
STILL = Scenes(
    photo_closest=1,
    photo_farthest=1,
    photo_turn_degrees=0,
    photo_quarter_turns=0,
    garment_smallest=0.5,
    garment_largest=0.5,
    garment_turn_degrees=0,
    garment_any_turn=0,
    elastic=0,
    shear=0,
    shadow=0,
    photo_cast=0,
    garment_cast=0,
    dark=0,
    soften=0,
    cover=0,
)
"""Nothing happens but a mirror, a little stretch and the light."""


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def packshots(count: int = 6) -> Tensor:
    """A red block on white, higher than wide."""
    pictures = torch.full((count, 3, 64, 48), 255, dtype=torch.uint8)
    pictures[:, 1:, 16:48, 14:34] = 0
    return pictures


def photographs(*sizes: tuple[int, int], grey: int = 60) -> tuple[Tensor, Tensor]:
    """Canvases of photographs of one grey, and their sizes."""
    fitted = [to_canvas(Image.new("RGB", size, (grey,) * 3)) for size in sizes]
    canvases = torch.stack([torch.from_numpy(canvas).permute(2, 0, 1) for canvas, _ in fitted])
    return canvases, torch.tensor([size for _, size in fitted], dtype=torch.float32)


SEVERAL = photographs((300, 400), (400, 200), (256, 256), (90, 500))


# --- canvases


@pytest.mark.parametrize(
    ("size", "fitted"),
    [
        ((512, 384), (256, 192)),
        ((30, 60), (128, 256)),
        ((256, 256), (256, 256)),
        ((1, 1), (256, 256)),
        ((5000, 3), (256, 1)),
        ((2, 4000), (1, 256)),
    ],
)
def test_a_canvas_holds_all_of_a_picture(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    canvas, own = to_canvas(Image.new("RGB", size, "navy"))
    assert own == fitted
    assert canvas.shape == (CANVAS_PX, CANVAS_PX, 3)
    assert canvas.dtype == np.uint8
    navy = (canvas == (0, 0, 128)).all(axis=2)
    assert navy[: own[1], : own[0]].all()
    assert navy.sum() == own[0] * own[1]
    assert (canvas[~navy] == 255).all()


# --- all of them


def views(random: torch.Generator) -> Tensor:
    return view_photographs(*SEVERAL, SIZE, Scenes(), random)


def laid(random: torch.Generator) -> Tensor:
    behind = grounds(*SEVERAL, SIZE, 6, random)
    return torch.cat(list(paste(packshots(), behind, SIZE, Scenes(), random))[:1])


def without(random: torch.Generator) -> Tensor:
    return empty(*SEVERAL, packshots(), SIZE, 9, random)


def behind(random: torch.Generator) -> Tensor:
    return grounds(*SEVERAL, SIZE, 5, random)


@pytest.mark.parametrize(
    ("draw", "count"),
    [(views, 4), (laid, 6), (without, 9), (behind, 5)],
    ids=["views", "laid", "without", "behind"],
)
def test_a_seed_decides_what_is_seen(draw: Callable[[torch.Generator], Tensor], count: int) -> None:
    seen = draw(seeded(3))
    assert seen.shape == (count, 3, *SIZE)
    assert seen.dtype == torch.float32
    assert ((seen >= 0) & (seen <= 1)).all()
    assert torch.equal(draw(seeded(3)), seen)
    other = draw(seeded(4))
    assert not torch.equal(other, seen)
    assert not torch.equal(draw(random := seeded(3)), draw(random))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_there_may_be_few(count: int) -> None:
    assert len(empty(*SEVERAL, packshots(), SIZE, count, seeded())) == count
    assert len(grounds(*SEVERAL, SIZE, count, seeded())) == count


# --- photographs


def test_a_photograph_is_seen_from_near_and_far() -> None:
    """From far its shorter view has white beside it, from near there is nothing but it."""
    canvases, sizes = photographs(*[(300, 400)] * 12)
    shares = []
    for closest, farthest in ((0.5, 0.5), (1.6, 1.6)):
        config = Scenes(**{**vars(STILL), "photo_closest": closest, "photo_farthest": farthest})
        seen = view_photographs(canvases, sizes, SIZE, config, seeded())
        shares.append((seen.mean(1) < 0.6).float().mean().item())
    # A picture of 3:4 fills a view of 3:4; a quarter of it at half of the scale.
    assert shares[0] == pytest.approx(0.25, abs=0.06)
    assert shares[1] > 0.97


def test_what_lies_is_seen_standing_up_at_a_quarter_turn() -> None:
    canvases, sizes = photographs(*[(400, 100)] * 40)
    config = Scenes(**{**vars(STILL), "photo_quarter_turns": 1})
    dark = view_photographs(canvases, sizes, (40, 40), config, seeded()).mean(1) < 0.6
    wide, tall = dark.any(1).sum(1), dark.any(2).sum(1)
    turned = (tall > wide).float().mean().item()
    assert 0.4 < turned < 0.95  # two of the three quarter turns
    still = view_photographs(canvases, sizes, (40, 40), STILL, seeded()).mean(1) < 0.6
    assert (still.any(1).sum(1) > still.any(2).sum(1)).all()


# --- grounds


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 300), st.integers(1, 300)), min_size=1, max_size=3),
    st.integers(0, 2**32),
    st.sampled_from([SIZE, SIZE[::-1]]),
)
def test_a_ground_is_of_the_photograph_alone(
    sizes: list[tuple[int, int]], seed: int, size: tuple[int, int]
) -> None:
    """Beside it its canvas is white, which no bed is."""
    seen = grounds(*photographs(*sizes, grey=60), size, 4, seeded(seed))
    torch.testing.assert_close(seen, torch.full_like(seen, 60 / 255), atol=1e-3, rtol=0)


def test_a_ground_comes_from_the_edge_and_not_from_what_lies_in_the_middle() -> None:
    canvases, sizes = photographs((256, 256))
    canvases[:, 0, 96:160, 96:160] = 255
    seen = grounds(canvases, sizes, SIZE, 40, seeded())
    assert seen[:, 0].max() < 0.3
    canvases[:, 2, :40, :40] = 255
    corner = grounds(canvases, sizes, SIZE, 40, seeded())[:, 2] > 0.9
    assert 0 < corner.any(2).any(1).float().mean() < 1


# --- garments


def red(seen: Tensor) -> Tensor:
    """Where a view is red rather than blue."""
    return seen[:, 0] > seen[:, 2]


def blue(count: int = 6) -> Tensor:
    ground = torch.zeros(count, 3, *SIZE)
    ground[:, 2] = 0.8
    return ground


@pytest.mark.parametrize("config", [STILL, Scenes(cover=0)], ids=["still", "usual"])
def test_a_mask_says_where_the_garment_is(config: Scenes) -> None:
    for seed in range(3):
        seen, alpha = paste(packshots(), blue(), SIZE, config, seeded(seed))
        assert alpha.shape == (6, *SIZE)
        assert ((alpha >= 0) & (alpha <= 1)).all()
        assert (red(seen) == (alpha > 0.5)).float().mean() > 0.97
        assert (alpha.amax((1, 2)) > 0.9).all()


def test_a_garment_is_as_large_as_is_said_and_is_not_cut() -> None:
    """Half of a view's side, whatever the packshot leaves around it."""
    _, alpha = paste(packshots(40), blue(40), SIZE, STILL, seeded())
    tall = (alpha > 0.5).any(2).sum(1).float() / SIZE[0]
    wide = (alpha > 0.5).any(1).sum(1).float() / SIZE[1]
    longer = torch.maximum(tall, wide)
    # A stretch is of a tenth at most, and what reaches beyond the view by a twentieth is cut.
    assert longer.max() < 0.5 * 1.15
    assert longer.mean() == pytest.approx(0.5, abs=0.05)
    filled = alpha.sum((1, 2)) / ((alpha > 0.1).any(2).sum(1) * (alpha > 0.1).any(1).sum(1))
    assert filled.mean() > 0.75  # a block stays one


def test_a_packshot_s_white_is_not_laid_with_it() -> None:
    seen, alpha = paste(packshots(), blue(), SIZE, STILL, seeded())
    ground = alpha < 0.01
    assert seen[:, :2].amax(1)[ground].max() < 0.25  # grain at most
    assert seen[:, 2][ground].min() > 0.3


def test_a_picture_that_is_all_white_is_no_garment() -> None:
    pictures = torch.full((3, 3, 64, 48), 255, dtype=torch.uint8)
    seen, alpha = paste(pictures, blue(3), SIZE, STILL, seeded())
    assert not alpha.any()
    assert not red(seen).any()


def test_a_garment_that_fills_its_picture_is_whole() -> None:
    pictures = torch.zeros(3, 3, 64, 48, dtype=torch.uint8)
    pictures[:, 0] = 255
    seen, alpha = paste(pictures, blue(3), SIZE, STILL, seeded())
    assert (red(seen) == (alpha > 0.5)).float().mean() > 0.97
    assert (alpha.mean((1, 2)) > 0.15).all()


def test_a_shadow_darkens_the_ground_alone() -> None:
    """Of a seed that draws one; the garment is the same with it and without."""
    config = Scenes(**{**vars(STILL), "shadow": 0.9})
    seen, alpha = paste(packshots(), blue(), SIZE, config, seeded(1))
    bare, same = paste(packshots(), blue(), SIZE, STILL, seeded(1))
    assert torch.equal(alpha, same)
    assert (seen <= bare + 1e-6).all()
    assert (seen[:, 2] < bare[:, 2] - 0.05).any()
    inside = (alpha > 0.999)[:, None].expand_as(seen)
    torch.testing.assert_close(seen[inside], bare[inside])


# --- nothing


def test_five_of_eight_pictures_without_a_garment_are_grounds() -> None:
    seen = empty(*photographs((300, 400), grey=60), packshots(), SIZE, 16, seeded())
    plain = ((seen - 60 / 255).abs() < 1e-3).flatten(1).all(1)
    assert plain.tolist() == [True] * 10 + [False] * 6


# --- light


def test_something_in_front_covers_a_part() -> None:
    some = torch.full((20, 3, *SIZE), 0.5)
    covered = finish(some, 0, Scenes(**{**vars(STILL), "cover": 1}), seeded())
    bare = finish(some, 0, STILL, seeded())
    share = (covered != bare).any(1).float().mean((1, 2))
    assert ((share > 0) & (share < 0.2)).all()
    assert finish(some, 0, STILL, seeded()).std() < 0.2


def test_a_dim_room_is_darker() -> None:
    some = torch.full((20, 3, *SIZE), 0.5)
    dim = finish(some, 0, Scenes(**{**vars(STILL), "dark": 0.9}), seeded())
    assert dim.mean() < finish(some, 0, STILL, seeded()).mean() - 0.1
