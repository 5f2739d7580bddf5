"""What is known of photographs: their labels are coarse, so that several classes may be right."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from conftest import write_photographs

from recommender.catalog.photographs import GROUPS, load_photographs
from recommender.training.examples import TYPED, allowed_classes, read_photographs
from recommender.training.scenes import CANVAS_PX

FRAME = pd.DataFrame(
    [
        ("Tshirts", "Topwear", "Apparel"),
        ("Tops", "Topwear", "Apparel"),
        ("Innerwear Vests", "Innerwear", "Apparel"),
        ("Jeans", "Bottomwear", "Apparel"),
        ("Heels", "Shoes", "Footwear"),
        ("Caps", "Headwear", "Accessories"),
    ],
    columns=list(TYPED),
)
LABELS = {
    "articleType": ["Caps", "Heels", "Jeans", "Tops", "Tshirts"],  # no vests
    "subCategory": ["Bottomwear", "Headwear", "Innerwear", "Shoes", "Topwear"],
    "masterCategory": ["Accessories", "Apparel", "Footwear"],
    "gender": ["Boys", "Girls", "Men", "Unisex", "Women"],
}


def taken(*rows: tuple[str | None, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["label", "kids"])


def allowed(*rows: tuple[str | None, bool], labels: dict = LABELS) -> dict[str, list[set[str]]]:
    """Head -> the classes that may be right, photograph by photograph."""
    found = allowed_classes(taken(*rows), FRAME, labels)
    return {
        name: [{c for c, may in zip(labels[name], row, strict=True) if may} for row in rows]
        for name, rows in ((name, mask.tolist()) for name, mask in found.items())
    }


def test_a_label_allows_its_types_and_what_they_belong_to() -> None:
    found = allowed(("Undershirt", False), ("Pants", False), ("Hat", False))
    assert found["articleType"] == [{"Tops", "Tshirts"}, {"Jeans"}, {"Caps"}]
    assert found["subCategory"] == [{"Innerwear", "Topwear"}, {"Bottomwear"}, {"Headwear"}]
    assert found["masterCategory"] == [{"Apparel"}, {"Apparel"}, {"Accessories"}]


def test_a_child_s_garment_is_a_child_s() -> None:
    found = allowed(("T-Shirt", True), (None, False))
    assert found["gender"] == [{"Boys", "Girls"}, {"Men", "Women"}]


@pytest.mark.parametrize("label", [None, "Skirt", "Rucksack"])
def test_what_says_nothing_allows_everything(label: str | None) -> None:
    """No label, one of which the catalog has no type, one that nobody knows."""
    found = allowed((label, False))
    assert all(found[name] == [set(LABELS[name])] for name in TYPED)


def test_a_gender_that_no_class_is_of_allows_everything() -> None:
    found = allowed(("T-Shirt", True), labels=LABELS | {"gender": ["Men", "Women"]})
    assert found["gender"] == [{"Men", "Women"}]


@pytest.mark.parametrize("label", [*GROUPS, None])
def test_every_photograph_allows_some_class_of_each_head(label: str | None) -> None:
    for found in allowed((label, True), (label, False)).values():
        assert all(found)


def test_photographs_are_read(tmp_path: Path) -> None:
    rows = [("a-1", "T-Shirt", "1", "train"), ("b-7", "Shoes", "2", "train")]
    photographs = load_photographs(write_photographs(tmp_path / "photos.zip", rows), "train")
    read = read_photographs(photographs, FRAME, LABELS, torch.device("cpu"))
    assert read.canvases.shape == (2, 3, CANVAS_PX, CANVAS_PX)
    assert read.canvases.dtype == torch.uint8
    assert read.sizes.tolist() == [[192, 256]] * 2  # of 120 by 160
    assert (read.canvases[:, :, :, 192:] == 255).all()
    red, other = read.canvases[0, :, 128, 100].tolist(), read.canvases[0, :, 2, 2].tolist()
    assert red[0] > 200 > 60 > red[1]
    assert min(other) > 230
    assert {name: mask.shape for name, mask in read.allowed.items()} == {
        name: (2, len(classes)) for name, classes in LABELS.items()
    }
