"""Colours of garments from their pixels: published pairs, scikit-image, drawn garments, names."""

import doctest
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROWS, draw_picture
from PIL import Image, ImageColor
from skimage.color import deltaE_ciede2000, rgb2lab

from recommender.evaluation import colour as evaluation
from recommender.evaluation.colour import GarmentColours, check_on_catalog, colour_distances
from recommender.pictures import colour
from recommender.pictures.colour import ciede2000, lab_of, median_lab, packshot_lab, packshot_mask
from recommender.pictures.decode import decode_image
from scripts import colour as script

# Sharma, Wu & Dalal, Color Research and Application 30(1), 2005, table 1: two colours and how far
# they are apart.
PAIRS = np.array([
    [50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425],
    [50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615],
    [50, 2.8361, -74.0200, 50, 0, -82.7485, 3.4412],
    [50, -1.3802, -84.2814, 50, 0, -82.7485, 1.0000],
    [50, -1.1848, -84.8006, 50, 0, -82.7485, 1.0000],
    [50, -0.9009, -85.5211, 50, 0, -82.7485, 1.0000],
    [50, 0, 0, 50, -1, 2, 2.3669],
    [50, -1, 2, 50, 0, 0, 2.3669],
    [50, 2.4900, -0.0010, 50, -2.4900, 0.0009, 7.1792],
    [50, 2.4900, -0.0010, 50, -2.4900, 0.0010, 7.1792],
    [50, 2.4900, -0.0010, 50, -2.4900, 0.0011, 7.2195],
    [50, 2.4900, -0.0010, 50, -2.4900, 0.0012, 7.2195],
    [50, -0.0010, 2.4900, 50, 0.0009, -2.4900, 4.8045],
    [50, -0.0010, 2.4900, 50, 0.0010, -2.4900, 4.8045],
    [50, -0.0010, 2.4900, 50, 0.0011, -2.4900, 4.7461],
    [50, 2.5, 0, 50, 0, -2.5, 4.3065],
    [50, 2.5, 0, 73, 25, -18, 27.1492],
    [50, 2.5, 0, 61, -5, 29, 22.8977],
    [50, 2.5, 0, 56, -27, -3, 31.9030],
    [50, 2.5, 0, 58, 24, 15, 19.4535],
    [50, 2.5, 0, 50, 3.1736, 0.5854, 1.0000],
    [50, 2.5, 0, 50, 3.2972, 0, 1.0000],
    [50, 2.5, 0, 50, 1.8634, 0.5757, 1.0000],
    [50, 2.5, 0, 50, 3.2592, 0.3350, 1.0000],
    [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
    [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630],
    [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
    [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
    [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
    [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
    [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
    [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
    [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
    [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
])  # fmt: skip


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(colour).failed == doctest.testmod(evaluation).failed == 0


def test_published_differences_are_met_either_way() -> None:
    one, other, apart = PAIRS[:, :3], PAIRS[:, 3:6], PAIRS[:, 6]
    assert ciede2000(one, other) == pytest.approx(apart, abs=1e-4)
    assert ciede2000(other, one) == pytest.approx(apart, abs=1e-4)


def test_any_two_colours_are_as_far_apart_as_elsewhere() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    lab = lab_of(rgb)
    assert lab == pytest.approx(rgb2lab(rgb), abs=0.02)  # whose white has another last digit
    apart = ciede2000(lab[:1], lab[1:])  # (1, 50) and (39, 50)
    assert apart == pytest.approx(deltaE_ciede2000(np.broadcast_to(lab[:1], (39, 50, 3)), lab[1:]))
    assert ciede2000(lab, lab).max() == 0
    assert np.isnan(ciede2000([np.nan] * 3, lab)).all()


def test_a_packshot_without_its_white() -> None:
    packshot = Image.new("RGB", (60, 80), "white")
    packshot.paste("red", (15, 20, 45, 60))
    packshot.paste("white", (25, 30, 35, 50))  # a white print, which is no ground
    expected = np.zeros((80, 60))
    expected[20:60, 15:45] = 1
    assert np.array_equal(packshot_mask(packshot), expected)
    assert np.array_equal(packshot_mask(np.asarray(packshot)), expected)


@pytest.mark.parametrize("row", ROWS[:11], ids=lambda row: row[5])
def test_a_drawn_garment_has_the_colour_it_was_drawn_in(row: tuple) -> None:
    picture = decode_image(draw_picture(row))
    drawn = ImageColor.getrgb({"Green": "#2a8a3a"}.get(row[5], row[5]))
    assert ciede2000(packshot_lab(picture), lab_of(drawn)) < 3


def test_who_wears_it_does_not_count() -> None:
    packshot = np.full((80, 60, 3), 255, dtype=np.uint8)
    packshot[4:20, 24:36] = (224, 172, 105)  # a face
    packshot[20:50, 15:45] = (0, 128, 0)
    packshot[50:78, 20:40] = (20, 20, 90)  # trousers, nearly as much as the shirt
    assert packshot_lab(packshot) == pytest.approx(lab_of([0, 128, 0]))
    assert np.isnan(packshot_lab(np.full_like(packshot, 255))).all()


def test_what_is_surer_counts_for_more_and_what_is_unsure_not_at_all() -> None:
    picture = np.zeros((30, 40, 3), dtype=np.uint8)
    picture[:, 10:20], picture[:, 20:] = 128, 255
    mask = np.zeros((30, 40), dtype=np.float32)
    mask[:, :10], mask[:, 10:18], mask[:, 20:] = 0.6, 1, 0.4
    assert median_lab(picture, mask)[0] == pytest.approx(lab_of([128] * 3)[0])
    mask[:, 10:18] = 0.6
    assert median_lab(picture, mask)[0] == 0


def test_sizes_of_pictures_and_masks_differ() -> None:
    picture = Image.new("RGB", (1200, 900), "white")
    picture.paste("navy", (300, 300, 900, 600))
    mask = np.zeros((3, 4), dtype=np.float32)
    mask[1, 1:3] = 1
    navy = lab_of([0, 0, 128])
    assert median_lab(picture, mask) == pytest.approx(navy)
    assert median_lab(picture, packshot_mask(picture)) == pytest.approx(navy)
    assert np.isnan(median_lab(picture, np.zeros((3, 4), dtype=np.float32))).all()


def test_of_the_first_five_hits_the_median_counts() -> None:
    query = np.array([[50.0, 0, 0], [50, 0, 0], [np.nan] * 3])
    hits = np.full((3, 6, 3), np.nan)
    hits[:, :, 1:] = 0
    hits[0, :, 0] = [50, 60, 50, 70, 60, 0]  # the sixth is not shown
    hits[1, :3, 0] = [60, 50, np.nan]  # two are known
    apart = ciede2000(query[0], [60, 0, 0])
    expected = [apart, apart / 2, np.nan]
    assert colour_distances(query, hits) == pytest.approx(expected, nan_ok=True)
    assert np.isnan(colour_distances(query, hits[:, :0])).all()


def test_a_packshot_is_read_once_and_an_empty_place_never() -> None:
    read: list[int] = []

    def read_item(row: int) -> bytes:
        read.append(row)
        return draw_picture(ROWS[row])

    garments = GarmentColours(read_item)
    labs = garments.of_items([[0, 2, -1], [1, 0, -1]])
    assert labs.shape == (2, 3, 3)
    assert np.isnan(labs[:, 2]).all()
    assert ciede2000(labs[0, 0], labs[1, 0]) < 3  # two red shirts
    assert ciede2000(labs[0, 0], labs[0, 1]) > 30  # a red and a blue one
    assert garments.of_items([2, 1]).shape == (2, 3)
    assert garments.of_items([]).shape == (0, 3)
    assert sorted(read) == [0, 1, 2]


def test_a_photograph_is_asked_where_the_caller_says() -> None:
    photograph = Image.new("RGB", (64, 48), "brown")
    photograph.paste("teal", (16, 12, 48, 36))
    mask = np.zeros((4, 4), dtype=np.float32)
    mask[1:3, 1:3] = 0.9
    garments = GarmentColours(lambda row: b"")
    assert garments.of_photograph(photograph, mask) == pytest.approx(lab_of([0, 128, 128]))


@pytest.fixture
def drawn_catalog(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Garments in four colours, every third of them dev's."""
    rows = [row for row in ROWS if row[5] in ("Red", "Blue", "Green", "Pink")] * 6
    frame = pd.DataFrame([row[:1] + row[5:6] for row in rows], columns=["id", "baseColour"])
    frame.loc[0, "baseColour"] = None
    monkeypatch.setattr(
        evaluation,
        "split_names",
        lambda frame: np.where(np.arange(len(frame)) % 4 == 3, "dev", "train"),
    )
    return frame


def test_colours_that_fit_their_names_are_told_to_fit(drawn_catalog: pd.DataFrame) -> None:
    of_id = {row[0]: row for row in ROWS}
    ids = drawn_catalog["id"].tolist()
    report = check_on_catalog(drawn_catalog, lambda row: draw_picture(of_id[ids[row]]))
    dev = int((np.arange(len(ids)) % 4 == 3).sum())
    assert report["items"] == {"train": len(ids) - dev - 1, "dev": dev, "cannot be told": 0}
    assert report["AUROC"] == 1
    same, different = report["pairs"]["same"], report["pairs"]["different"]
    assert same["median"] < 3 < 20 < different["median"]
    assert same["pairs"] + different["pairs"] == evaluation._PAIRS
    told = report["nearest prototype"]
    assert (told["colours"], told["queries"], told["accuracy"]) == (4, dev, [1, 1, 1])
    json.dumps(report, allow_nan=False)


def test_neighbours_are_names_that_are_drawn_alike() -> None:
    names = np.array(["Navy Blue", "Black", "Yellow", "Unheard of"], dtype=object)
    labs = np.array([[20.0, 0, -10], [10, 0, 0], [90, 0, 80], [50, 0, 0]])
    pairs = evaluation._pairs(names, labs, np.random.default_rng(0))
    assert len(pairs["same"]) == 0
    assert np.unique(pairs["neighbouring"]) == pytest.approx([ciede2000(labs[0], labs[1])])


def test_the_script(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "colour.json"
    arguments = ["--data", str(store), "--sample", "5", "--json", str(out)]
    assert script.main(arguments) == 0
    told = json.loads(out.read_text())
    assert told["command"] == f"python -m scripts.colour {' '.join(arguments)}"
    assert told["items"]["train"] == 5
    assert json.loads(capsys.readouterr().out) == told
    assert script.main(["--data", str(tmp_path / "none")]) == 1
    assert "error: There is no catalog here yet" in capsys.readouterr().err
