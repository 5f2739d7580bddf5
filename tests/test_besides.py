"""What no photograph's label says is learnt from laid packshots, and colours from pixels too."""

import numpy as np
import torch

from recommender.training.besides import fit_besides, named_by_pixels

LABELS = {"baseColour": ["Black", "Gold", "Red"], "gender": ["Men", "Women"]}
BLACK, RED = (5.0, 0.0, 0.0), (50.0, 70.0, 50.0)


def test_a_colour_is_called_what_garments_of_nearly_that_colour_are() -> None:
    known = np.array([BLACK] * 30 + [RED] * 30 + [(np.nan,) * 3] * 60)
    codes = np.array([0] * 30 + [2] * 30 + [1] * 60)
    asked = np.array([RED, BLACK, (np.nan,) * 3])
    # Of fifty neighbours thirty are of the colour itself.
    assert named_by_pixels(asked, known, codes).tolist() == [2, 0, -1]
    assert named_by_pixels(asked, known, np.full(120, -1)).tolist() == [-1, -1, -1]


def test_photographs_teach_colours_and_packshots_all_that_they_say() -> None:
    """Laid packshots tell colours by one feature, photographs by another: both are learnt."""
    random = np.random.default_rng(0)
    red, woman = np.arange(400) % 2, np.arange(400) // 2 % 2
    laid = random.normal(0, 0.1, (400, 8)).astype(np.float32)
    laid[:, 0] += red
    laid[:, 1] += woman
    shown = random.normal(0, 0.1, (200, 8)).astype(np.float32)
    shown[:, 2] += red[:200]
    colours = np.array([BLACK, RED])
    heads = fit_besides(
        LABELS,
        laid,
        {"baseColour": torch.from_numpy(2 * red), "gender": torch.from_numpy(woman)},
        colours[red],
        shown,
        colours[red[:200]],
    )
    assert set(heads) == {"baseColour", "gender"}
    told = heads["baseColour"].beliefs(shown.astype(np.float16))
    assert (told.argmax(1) == 2 * red[:200]).mean() > 0.95
    assert told[:, 1].max() < 1e-6  # nothing was gold
    assert (heads["gender"].beliefs(laid.astype(np.float16)).argmax(1) == woman).mean() > 0.95
    # Of who wears it photographs have said nothing, and so that head does not ask their feature.
    weight = heads["gender"].weight.abs().sum(0)
    assert weight[2] < 0.2 * weight[1]
