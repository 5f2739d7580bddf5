"""Datasets of the Hub as people make them: splits, configs, classes, lists, other names."""

from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pytest
from conftest import ROWS, draw_picture

from recommender.catalog.sources import read_source
from recommender.errors import CatalogError
from scripts import build_catalog

THREE = ROWS[:3]
PICTURES = [{"bytes": draw_picture(row), "path": None} for row in THREE]
IDS = datasets.Value("int64")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that `load_dataset("owner/name")` takes for the Hub's repository."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "owner/name").mkdir(parents=True)
    return tmp_path / "owner/name"


def write(path: Path, features: dict[str, Any], columns: dict[str, list]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    features = {"id": IDS, "image": datasets.Image(), **features}
    columns = {"id": [row[0] for row in THREE], "image": PICTURES, **columns}
    names = [name for name in columns if columns[name]]
    items = datasets.Dataset.from_dict(
        {name: columns[name] for name in names},
        features=datasets.Features({name: features[name] for name in names}),
    )
    items.to_parquet(path)


def refused(**settings: str) -> str:
    with pytest.raises(CatalogError) as caught:
        read_source("hub:owner/name", **settings)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_another_split_is_named(hub: Path, tmp_path: Path) -> None:
    write(hub / "data/test-0.parquet", {}, {})
    assert "has no split 'train': name one of ['test'] by --split" in refused()
    assert len(read_source("hub:owner/name", split="test").rows) == 3
    options = ["--source", "hub:owner/name", "--split", "test", "--data", str(tmp_path / "store")]
    assert build_catalog.main(options) == 0


def test_one_of_several_configs_is_named(hub: Path) -> None:
    for config in ("shoes", "bags"):
        write(hub / f"{config}/train-0.parquet", {}, {})
    (hub / "README.md").write_text(
        "---\nconfigs:\n- config_name: shoes\n  data_files: shoes/*\n"
        "- config_name: bags\n  data_files: bags/*\n---\n"
    )
    assert "several configs: name one of ['bags', 'shoes'] by --config" in refused().replace(
        "['shoes', 'bags']", "['bags', 'shoes']"
    )
    assert "by --config" in refused(config="hats")
    assert len(read_source("hub:owner/name", config="bags").rows) == 3


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Dataset 'owner/name' is a gated dataset on the Hub.", "is gated: ask for access"),
        (
            "Dataset 'owner/name' doesn't exist on the Hub or cannot be accessed.",
            "if it is private",
        ),
    ],
)
def test_what_is_gated_or_private_is_said(
    monkeypatch: pytest.MonkeyPatch, said: str, reason: str
) -> None:
    def load_dataset(*_: object, **__: object) -> None:
        raise datasets.exceptions.DatasetNotFoundError(said)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    assert reason in refused()
    assert "HF_TOKEN" in refused()


def test_lists_and_fields_are_kept_as_text_and_said(hub: Path) -> None:
    features = {
        "tags": datasets.List(datasets.Value("string")),
        "colours": datasets.List(datasets.ClassLabel(names=["Red", "Blue"])),
        "details": {"collar": datasets.Value("string"), "pockets": datasets.Value("int64")},
        "gender": datasets.ClassLabel(names=["Men", "Women"]),
    }
    columns = {
        "tags": [["new", "sale"], [], None],
        "colours": [[0, 1], [1], []],
        "details": [{"collar": "spread", "pockets": 2}, {"collar": None, "pockets": 0}, None],
        "gender": [0, 1, -1],
    }
    write(hub / "data/train-0.parquet", features, columns)
    raw = read_source("hub:owner/name")
    assert raw.rows["tags"].tolist() == ["new, sale", None, None]
    assert raw.rows["colours"].tolist() == ["Red, Blue", "Blue", None]
    assert raw.rows["details"].tolist()[:2] == ["collar: spread; pockets: 2", "pockets: 0"]
    assert raw.rows["gender"].tolist() == ["Men", "Women", None]
    for column in ("tags", "colours", "details"):
        assert f"kept the lists or fields of {column!r} as text" in raw.notes


def test_pictures_under_another_name_and_beside_others(hub: Path) -> None:
    features = {"front": datasets.Image(), "back": datasets.List(datasets.Image())}
    columns = {"image": [], "front": PICTURES, "back": [[PICTURES[1]], [], None]}
    write(hub / "data/train-0.parquet", features, columns)
    raw = read_source("hub:owner/name")
    assert raw.read_picture(2) == draw_picture(THREE[2])
    assert "read the column 'front' as the picture" in raw.notes
    assert "read as further pictures: back" in raw.notes
    assert [[view.read() for view in raw.views(at)] for at in range(3)] == [
        [draw_picture(THREE[1])],
        [],
        [],
    ]
    assert "back" not in raw.rows


def test_lists_of_pictures_alone(hub: Path) -> None:
    features = {"images": datasets.List(datasets.Image()), "clip": datasets.Audio(decode=False)}
    columns = {"image": [], "images": [[None, *PICTURES[:2]], PICTURES[2:], []]}
    write(hub / "data/train-0.parquet", features, {**columns, "clip": []})
    raw = read_source("hub:owner/name")
    assert "read the column 'images' as the picture" in raw.notes
    assert [raw.read_picture(at) for at in range(3)] == [
        draw_picture(THREE[0]),
        draw_picture(THREE[2]),
        None,
    ]
    assert [view.read() for view in raw.views(0)] == [draw_picture(THREE[1])]


def test_a_dataset_may_name_addresses_alone(hub: Path) -> None:
    addresses = [f"https://shop.example/{row[0]}.jpg" for row in THREE]
    features = {"image_url": datasets.Value("string")}
    write(hub / "data/train-0.parquet", features, {"image": [], "image_url": addresses})
    raw = read_source("hub:owner/name")
    assert raw.rows["image"].tolist() == addresses
    assert raw.read_picture(0) is None


@pytest.mark.parametrize("declared", [True, False])
def test_a_file_of_a_dataset_has_its_pictures_within(declared: bool, tmp_path: Path) -> None:
    path = tmp_path / "shop/items.parquet"
    if declared:
        write(path, {"gender": datasets.ClassLabel(names=["Men"])}, {"gender": [0, 0, -1]})
    else:
        path.parent.mkdir()
        rows = [
            {"id": row[0], "gender": "Men", "image": one}
            for row, one in zip(THREE, PICTURES, strict=True)
        ]
        pd.DataFrame(rows).to_parquet(path)
    raw = read_source(str(path.parent))
    assert raw.rows["gender"].tolist()[:2] == ["Men", "Men"]
    assert [raw.read_picture(at) for at in range(3)] == [one["bytes"] for one in PICTURES]
    assert "image" not in raw.rows
