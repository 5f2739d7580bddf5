"""Photographs are read as far as they can be; what cannot be is counted, or one sentence."""

import zipfile
from pathlib import Path

import pytest
from conftest import write_photographs

from recommender.catalog.photographs import GROUPS, load_photographs
from recommender.errors import CatalogError

ROWS = [
    ("a-1", "T-Shirt", "1", "dev"),
    ("b-5", "Shoes", "1", "dev"),
    ("c-8", "Rucksack", "2", "dev"),
    ("d-9", "Not sure", "2", "dev"),
    ("e-11", "Dress", "3", "dev"),
    ("f-2", "T-Shirt", "4", "train"),
]

HEAD = "image,label,photographer,kids,split"


def test_what_can_be_read_is_read(tmp_path: Path) -> None:
    archive = write_photographs(tmp_path / "photos.zip", ROWS, damaged=("b-5",))
    found = load_photographs(archive, "dev")
    assert found.frame["image"].tolist() == ["a-1", "c-8", "d-9", "e-11"]
    assert found.frame["label"].tolist() == ["T-Shirt", None, None, "Dress"]
    assert found.frame["photographer"].tolist() == ["1", "2", "2", "3"]
    assert not found.frame["kids"].any()
    assert all(data.startswith(b"\xff\xd8") for data in found.files)
    assert found.unknown == {"Rucksack": 1}
    assert list(found.skipped) == ["b-5"]
    assert found.source == "the dev split of photos.zip"
    labelled = found.labelled()
    assert labelled.frame["image"].tolist() == ["a-1", "e-11"]
    assert labelled.files == [found.files[0], found.files[3]]
    everything = load_photographs(archive)
    assert (len(everything), everything.source) == (5, "photos.zip")


def test_a_sample_is_the_same_each_time(tmp_path: Path) -> None:
    found = load_photographs(write_photographs(tmp_path / "photos.zip", ROWS))
    few = found.sample(3)
    assert few.frame.equals(found.sample(3).frame)
    assert few.frame["image"].is_monotonic_increasing
    assert few.source == "3 of photos.zip"
    assert few.files == [found.files[ord(name[0]) - ord("a")] for name in few.frame["image"]]
    assert found.sample(60) is found


def test_a_photograph_that_is_not_there_is_skipped(tmp_path: Path) -> None:
    archive = write_photographs(tmp_path / "photos.zip", ROWS[:1])
    with zipfile.ZipFile(archive) as file:
        picture = file.read("images/a-1.jpg")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
        file.writestr("images/a-1.jpg", picture)
        rows = [HEAD, "a-1,Shirt,1,True,dev", "gone,Shirt,1"]
        file.writestr("photos.csv", "\ufeff" + "\n".join(rows))
    found = load_photographs(tmp_path / "other.zip")
    assert found.frame["kids"].tolist() == [True]
    assert found.skipped == {"gone": "It is not in the archive, or damaged there."}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "has no photos.csv; it holds nothing."),
        ({"styles.csv": "id"}, "has no photos.csv; it holds styles.csv."),
        ({"photos.csv": ""}, "has no row"),
        ({"photos.csv": f"{HEAD}\n"}, "has no row"),
        ({"photos.csv": "image,label,kids\nx,Shirt,False\n"}, "the column photographer, split"),
        ({"photos.csv": f"{HEAD}\nx,Shirt,1,False,dev\n"}, "no photograph that can be read"),
        ({"photos.csv": f"image,label\n{'x' * 200_000},y\n"}, "cannot be read"),
    ],
)
def test_what_is_no_such_archive(tmp_path: Path, members: dict[str, str], said: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name, text in members.items():
            file.writestr(name, text)
    with pytest.raises(CatalogError, match=r"a\.zip") as caught:
        load_photographs(tmp_path / "a.zip")
    assert said in str(caught.value)


def test_what_is_no_zip(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK, but no more")
    for name in ("a.zip", "nowhere.zip", "."):
        with pytest.raises(CatalogError, match="is not a zip archive that can be read"):
            load_photographs(tmp_path / name)


def test_a_table_that_is_damaged_within_a_zip(tmp_path: Path) -> None:
    archive = write_photographs(tmp_path / "a.zip", ROWS)
    data = bytearray(archive.read_bytes())
    at = data.index(b"image,label")
    data[at : at + 5] = b"other"  # the checksum no longer fits
    archive.write_bytes(data)
    with pytest.raises(CatalogError, match="is not a zip archive that can be read"):
        load_photographs(archive)


def test_a_split_that_holds_none(tmp_path: Path) -> None:
    archive = write_photographs(tmp_path / "a.zip", ROWS[:2])
    with pytest.raises(CatalogError, match="no photograph of the split train that can be read"):
        load_photographs(archive, "train")


@pytest.mark.real_data
def test_the_real_photographs(real_photographs: Path) -> None:
    dev = load_photographs(real_photographs, "dev")
    assert (len(dev), len(dev.labelled())) == (732, 707)
    assert dev.frame["photographer"].nunique() == 53
    assert set(dev.frame["label"].dropna()) == set(GROUPS)
    assert (dev.unknown, dev.skipped) == ({}, {})
