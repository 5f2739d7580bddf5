"""Views of packshots: what is drawn, what is left alone, and that a seed decides it all."""

import numpy as np
import pytest
import torch
from torch import Tensor

from recommender.training.augmentation import Augmentation, augment, background, draw_clutter

NOTHING = Augmentation(
    mirror=0,
    zoom=0,
    stretch=0,
    shift=0,
    turn_degrees=0,
    wild=0,
    upside_down=0,
    clutter=0,
    light=0,
    blur=0,
    jpeg=0,
    erase=0,
)


def noise(count: int = 16) -> Tensor:
    random = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (count, 3, 32, 24), generator=random, dtype=torch.uint8)


def packshots(count: int = 8) -> Tensor:
    """A red block on white."""
    pictures = torch.full((count, 3, 32, 24), 255, dtype=torch.uint8)
    pictures[:, 1:, 8:24, 6:18] = 0
    return pictures


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def only(**settings: float) -> Augmentation:
    return Augmentation(**{**vars(NOTHING), **settings})


@pytest.mark.parametrize("size", [(32, 24), (64, 48), (16, 12)])
def test_a_batch_keeps_its_length_and_comes_to_size(size: tuple[int, int]) -> None:
    views = augment(noise(), size, Augmentation(), seeded())
    assert views.shape == (16, 3, *size)
    assert views.dtype == torch.float32
    assert views.min() >= 0
    assert views.max() <= 1


def test_where_nothing_is_asked_nothing_is_done() -> None:
    views = augment(noise(), (32, 24), NOTHING, seeded())
    torch.testing.assert_close(views, noise().float() / 255, atol=1e-5, rtol=0)


def test_a_mirror_alone_mirrors_some() -> None:
    given = noise().float() / 255
    views = augment(noise(), (32, 24), only(mirror=0.5), seeded())
    kept = [torch.allclose(a, b, atol=1e-5) for a, b in zip(views, given, strict=True)]
    mirrored = [torch.allclose(a, b.flip(2), atol=1e-5) for a, b in zip(views, given, strict=True)]
    assert all(k != m for k, m in zip(kept, mirrored, strict=True))
    assert 0 < sum(kept) < len(kept)


def test_a_seed_decides_what_is_done() -> None:
    def once(seed: int) -> Tensor:
        return augment(noise(), (32, 24), Augmentation(), seeded(seed))

    assert torch.equal(once(1), once(1))
    assert not torch.equal(once(1), once(2))


@pytest.mark.parametrize("what", ["clutter", "light", "blur", "jpeg", "erase"])
def test_each_happens_to_about_its_share(what: str) -> None:
    given = packshots(64)
    views = augment(given, (32, 24), only(**{what: 0.5}), seeded())
    changed = [
        not torch.allclose(a, b, atol=1e-4) for a, b in zip(views, given.float() / 255, strict=True)
    ]
    assert 20 <= sum(changed) <= 44


def test_clutter_is_laid_behind_the_garment_not_over_it() -> None:
    views = augment(packshots(), (32, 24), only(clutter=1.0), seeded())
    garment, ground = views[:, :, 9:23, 7:17], views[:, :, :6]
    torch.testing.assert_close(garment[:, 0], torch.ones_like(garment[:, 0]))
    assert not garment[:, 1:].any()
    assert ground.mean() < 0.95


def test_the_ground_is_the_white_that_an_edge_sees() -> None:
    pixels = packshots(1).float() / 255
    pixels[0, :, 14:18, 10:14] = 1  # a white print inside is the garment's
    seen = background(pixels)[0]
    expected = np.ones((32, 24), dtype=bool)
    expected[8:24, 6:18] = False
    np.testing.assert_array_equal(seen.numpy(), expected)
    assert not background(torch.zeros(1, 3, 8, 8)).any()


def test_clutter_has_the_size_that_is_asked() -> None:
    clutter = draw_clutter(noise().float() / 255, 5, (40, 30), seeded())
    assert clutter.shape == (5, 3, 40, 30)
    assert clutter.min() >= 0
    assert clutter.max() <= 1
