"""Killed at any step, a catalog is the former one or the new one, and the next run ends well."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROWS, TinyEncoder, draw_picture, write_archive
from kills import build, survives, update

from recommender.catalog.items import catalog_frame, load_catalog
from recommender.errors import StoreError
from recommender.index.faiss import IndexConfig
from recommender.store.build import build_store
from recommender.store.store import Store

OTHERS = [(*ROWS[3][:-1], "Bil Blouse"), ROWS[4], (21, *ROWS[5][1:])]
Change = Callable[[Path, Path], None]


@pytest.fixture
def others(tmp_path: Path) -> Path:
    return write_archive(tmp_path / "others.zip", OTHERS)


def content(directory: Path) -> list[tuple]:
    """All of the items; raises where they are no whole catalog."""
    items = load_catalog(directory)
    pictures = [picture["bytes"] for picture in items["image"]]
    rows = catalog_frame(items).itertuples(index=False)
    return [(*map(str, row), picture) for row, picture in zip(rows, pictures, strict=True)]


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("change", [build, update])
def test_over_another_catalog(archive: Path, others: Path, tmp_path: Path, change: Change) -> None:
    former = tmp_path / "former" / "catalog"
    build(former, archive)
    (former / "stray").mkdir()
    whole = shutil.copytree(former, tmp_path / "whole" / "catalog")
    change(whole, others)
    old, new = content(former), content(whole)
    assert old != new
    seen = []
    for step in range(1, 100):
        directory = shutil.copytree(former, tmp_path / str(step) / "catalog")
        survived = survives(change, directory, others, step=step)
        seen.append(content(directory))
        assert seen[-1] in (old, new)
        change(directory, others)
        assert content(directory) == new
        assert names(directory.parent) == names(whole.parent)
        if survived:
            break
    assert survived, "there are so many steps"
    at = seen.index(new)
    assert seen == [old] * at + [new] * (len(seen) - at)
    assert at > 5, "its steps are seen"


def test_where_there_is_none(others: Path, tmp_path: Path) -> None:
    build(tmp_path / "whole" / "catalog", others)
    new = content(tmp_path / "whole" / "catalog")
    for step in range(1, 100):
        directory = tmp_path / str(step) / "catalog"
        survived = survives(build, directory, others, step=step)
        if not directory.exists():
            with pytest.raises(StoreError, match="There is no catalog here yet"):
                load_catalog(directory)
            build(directory, others)
        assert content(directory) == new
        if survived:
            break
    assert survived
    assert step > 3


@pytest.mark.parametrize("change", [build, update])
def test_what_a_kill_left_of_one_is_in_no_other_ones_way(
    archive: Path, others: Path, tmp_path: Path, change: Change
) -> None:
    directory = tmp_path / "store" / "catalog"
    build(directory, archive)
    for left in ("catalog.building", "catalog.new.building"):
        shutil.copytree(directory, directory.with_name(left))
        (directory.with_name(left) / "data-00001-of-00002.arrow").write_bytes(b"half")
    change(directory, others)
    assert [name for name in names(directory.parent) if "building" in name] == []
    assert content(directory)[-1][-1] == draw_picture(OTHERS[-1])


def test_the_same_catalog_keeps_its_files(archive: Path, others: Path, tmp_path: Path) -> None:
    """The index of a store fits a catalog that is built anew of the same content."""
    directory = tmp_path / "catalog"
    build(directory, archive)
    before = {path.name: path.read_bytes() for path in directory.glob("*.arrow")}
    build(directory, archive)
    assert {path.name: path.read_bytes() for path in directory.glob("*.arrow")} == before
    build(directory, others)
    assert not before.keys() & {path.name for path in directory.glob("*.arrow")}


def test_a_store_is_served_as_it_was_until_the_next_catalog_has_its_index(
    store: Path, others: Path, tmp_path: Path
) -> None:
    directory = shutil.copytree(store, tmp_path / "store")
    former = Store.open(directory).frame
    for _ in range(2):
        build(directory / "catalog", others)
        assert Store.open(directory).frame.equals(former)
        assert len(content(directory / "catalog")) == len(OTHERS)
    shards = set((directory / "catalog").glob("*.arrow"))
    assert len(shards) == 2
    build_store(directory, lambda rank: TinyEncoder(), IndexConfig(), style_map=None)
    assert len(Store.open(directory).frame) == len(OTHERS)
    assert len(set((directory / "catalog").glob("*.arrow"))) == 1


def test_a_catalog_that_lies_elsewhere_is_not_built_of(store: Path, tmp_path: Path) -> None:
    """What would be refused when it is read is not embedded first."""
    directory = shutil.copytree(store, tmp_path / "store")
    (directory / "catalog").rename(tmp_path / "elsewhere")
    (directory / "catalog").symlink_to(tmp_path / "elsewhere")
    said = r"^catalog/data-[\w-]+\.arrow lies elsewhere, by a link: copy it here, or build it again"
    with pytest.raises(StoreError, match=said):
        Store.open(directory)
    before = names(directory)
    with pytest.raises(StoreError, match=said):
        build_store(directory, lambda rank: TinyEncoder(), IndexConfig(), style_map=None)
    assert names(directory) == before
