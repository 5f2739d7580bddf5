"""The style map: neighbours stay neighbours, it is made once, and it goes with its items."""

from pathlib import Path

import numpy as np
import pytest
from conftest import build_store, open_store
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from recommender.errors import StoreError
from recommender.index.embeddings import Embeddings
from recommender.index.faiss import nearest_rows
from recommender.store.manifest import load_manifest
from recommender.store.style_map import (
    EXTENT,
    MAP,
    MapConfig,
    build_map,
    measure_map,
    write_map,
)

QUICK = MapConfig(early_steps=50, steps=100)


def groups(count: int, each: int) -> np.ndarray:
    """Unit rows around `count` far corners, `each` a corner."""
    random = np.random.default_rng(0)
    corners = np.repeat(np.eye(count, 24), each, axis=0)
    vectors = corners + random.normal(scale=0.05, size=corners.shape)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_what_is_alike_lies_together() -> None:
    vectors = groups(6, 40)
    places = build_map(vectors, QUICK)
    assert (places.dtype, places.shape) == (np.int16, (240, 2))
    assert np.abs(places.astype(int)).max() == EXTENT
    nearest, _ = nearest_rows(places.astype(np.float32), 10)
    assert (nearest // 40 == np.arange(240)[:, None] // 40).all()
    assert np.array_equal(places, build_map(vectors, QUICK)), "the same each time"


@pytest.mark.parametrize("count", [1, 2, 3, 5, 13])
def test_small_catalogs(count: int) -> None:
    vectors = groups(1, count)
    places = build_map(vectors, QUICK)
    assert places.shape == (count, 2)
    assert len(np.unique(places, axis=0)) == count
    share = measure_map(vectors, places).neighbour_share
    assert share is None if count == 1 else 0 <= share <= 1


def test_identical_items_are_no_trouble() -> None:
    places = build_map(np.repeat(groups(1, 1), 60, axis=0), QUICK)
    assert places.shape == (60, 2)


@pytest.mark.parametrize("count", [1, 2, 4, 60])
@pytest.mark.parametrize("rounding", [0, 1e-8])
def test_without_spread_a_map_is_one_point_and_claims_nothing(count: int, rounding: float) -> None:
    vectors = np.repeat(groups(1, 1), count, axis=0)
    vectors += np.float32(rounding) * np.arange(count, dtype=np.float32)[:, None] % 3
    places = build_map(vectors, QUICK)
    assert (places == places[0]).all()
    quality = measure_map(vectors, places)
    assert quality.trustworthiness is quality.neighbour_share is None
    assert quality.summary() == "style map: one point, as all embeddings are the same"


def test_quality_is_that_of_scikit_learn() -> None:
    vectors = groups(5, 40)
    for places in (
        build_map(vectors, QUICK),
        np.random.default_rng(1).integers(-EXTENT, EXTENT, (200, 2)).astype(np.int16),
    ):
        found = measure_map(vectors, places, k=8)
        expected = trustworthiness(vectors, places.astype(float), n_neighbors=8)
        assert found.trustworthiness == pytest.approx(expected, abs=1e-9)
        near = NearestNeighbors(n_neighbors=8).fit(vectors).kneighbors(return_distance=False)
        flat = NearestNeighbors(n_neighbors=8).fit(places.astype(float))
        on_map = flat.kneighbors(return_distance=False)
        share = np.mean([len(np.intersect1d(a, b)) / 8 for a, b in zip(near, on_map, strict=True)])
        assert found.neighbour_share == pytest.approx(share, abs=1e-9)


def test_nearest_rows_leave_the_row_itself_out() -> None:
    vectors = np.concatenate([groups(3, 20), np.repeat(groups(1, 1), 15, axis=0)])
    rows, distances = nearest_rows(vectors, 6)
    expected, _ = NearestNeighbors(n_neighbors=6).fit(vectors).kneighbors()
    assert distances == pytest.approx(expected, abs=1e-3)
    assert not (rows == np.arange(len(vectors))[:, None]).any()


def test_a_map_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = groups(3, 20)
    embeddings = Embeddings(np.arange(60), vectors)
    path, quality = write_map(embeddings, tmp_path, QUICK)
    with monkeypatch.context() as patch:
        patch.setattr("recommender.store.style_map.build_map", None)
        assert write_map(embeddings, tmp_path, QUICK) == (path, quality)
    path.write_bytes(path.read_bytes()[:-40])
    assert write_map(embeddings, tmp_path, QUICK) == (path, quality), "a damaged one is made again"
    others = Embeddings(np.arange(60), vectors[::-1].copy())
    assert write_map(others, tmp_path, QUICK)[0] != path
    assert not list(tmp_path.rglob("*.building"))


def test_it_goes_with_its_items(tmp_path: Path) -> None:
    ids = np.arange(60)
    path, _ = write_map(Embeddings(ids, groups(3, 20)), tmp_path, QUICK)
    names = ["index.faiss", f"{MAP.folder}/{path.name}"]
    assert np.array_equal(MAP.load(tmp_path, names, ids), build_map(groups(3, 20), QUICK))
    assert MAP.load(tmp_path, names[:1], ids) is None
    for others in (ids[::-1], ids[:-1]):
        with pytest.raises(StoreError, match="map is damaged: build the index again"):
            MAP.load(tmp_path, names, others)
    path.unlink()
    with pytest.raises(StoreError, match="map is damaged"):
        MAP.load(tmp_path, names, ids)


def test_it_is_a_file_of_the_store(archive: Path, tmp_path: Path) -> None:
    build_store(tmp_path, archive)
    assert open_store(tmp_path).places is None, "a store of before still loads"
    build_store(tmp_path, archive, with_map=True)
    (name,) = [name for name in load_manifest(tmp_path).files if name.startswith(MAP.folder)]
    recommender = open_store(tmp_path)
    assert recommender.places.shape == (len(recommender), 2)
    (tmp_path / MAP.folder / "of-another-build.safetensors").touch()
    build_store(tmp_path, archive, with_map=True)
    assert [path.name for path in (tmp_path / MAP.folder).iterdir()] == [Path(name).name]
    (tmp_path / name).write_bytes(b"changed")
    with pytest.raises(StoreError, match="was changed after the index was built"):
        load_manifest(tmp_path)
