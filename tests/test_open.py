"""A store that is opened to be served: built where that is ours to do, followed as it changes."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROWS, build_store, open_store, write_archive
from weights import CONFIG, random_state

from recommender.encoding.config import EncoderConfig
from recommender.encoding.encoder import load_encoder
from recommender.encoding.weights import Weights, write_weights
from recommender.errors import IndexMismatchError, StoreError, WeightsError
from recommender.service import open as opening
from recommender.store.store import Store


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


def test_how_pictures_that_ask_are_seen_the_weights_of_today_say(
    archive: Path, tmp_path: Path
) -> None:
    """A store keeps what its gallery was seen with; of the rest its weights may know better."""
    path, before = tmp_path / "own.safetensors", EncoderConfig(**CONFIG, match=(1.0, 2.0, 3.0))
    state = random_state()
    write_weights(path, Weights(state, before, {}))
    build_store(tmp_path / "store", archive, encoder=load_encoder(str(path), device="cpu"))
    after = replace(before, match=(4.0, 5.0, 6.0), second_scale=1.5, photograph_odds=2.0)
    write_weights(path, Weights(state, after, {}))
    served = opening.encoder_of(Store.open(tmp_path / "store"), device="cpu").config
    assert served == replace(after, weights=str(path))


@pytest.mark.parametrize(
    "said",
    [
        {"weights": 5},
        {"weights": None},
        {"weights": "x" * 5000},
        {"device": "cuda:99"},
        {"agreement": 5},
        {"width_px": 10**30},
        {"mean": "x"},
    ],
)
def test_an_encoder_that_no_store_was_built_with(
    archive: Path, tmp_path: Path, said: dict[str, object]
) -> None:
    path = tmp_path / "own.safetensors"
    write_weights(path, Weights(random_state(), EncoderConfig(**CONFIG), {}))
    build_store(tmp_path / "store", archive, encoder=load_encoder(str(path), device="cpu"))
    store = Store.open(tmp_path / "store")
    encoder = store.manifest.encoder
    told = {**encoder, "config": {**encoder["config"], **said}}
    for opened in (opening.encoder_of, lambda one: opening.check_servable(one.manifest)):
        with pytest.raises((IndexMismatchError, WeightsError), match=r"\.$"):
            opened(Store(tmp_path / "store", replace(store.manifest, encoder=told)))
