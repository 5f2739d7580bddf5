"""A store that is opened to be served: built where that is ours to do, followed as it changes."""

import time
from pathlib import Path

import pytest
from conftest import ROWS, build_store, open_store, write_archive

from recommender.errors import StoreError
from recommender.service import open as opening


@pytest.fixture(autouse=True)
def small_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "load_recommender", open_store)


def test_a_store_that_is_not_ours_to_make_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="build_catalog"):
        opening.open_live(tmp_path / "none")


def test_what_is_missing_is_built_once_and_its_successor_served(
    archive: Path, tmp_path: Path
) -> None:
    store, built = tmp_path / "store", []

    def build(directory: Path) -> None:
        built.append(directory)
        build_store(directory, archive)

    live = opening.open_live(store, build=build)
    live.stop()
    live = opening.open_live(store, build=build)
    try:
        assert built == [store]
        assert len(live.now) == len(ROWS)
        build_store(store, write_archive(tmp_path / "fewer.zip", ROWS[:4]))
        deadline = time.monotonic() + 30
        while len(live.now) != 4 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(live.now) == 4
    finally:
        live.stop()
