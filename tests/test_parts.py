"""Embeddings in parts are those of the parts, wherever they are asked for."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from recommender.errors import StoreError
from recommender.store.known import ByPicture
from recommender.store.parts import InParts, load_parts
from recommender.store.style_map import MAP, MapConfig, grow_map, write_map


def write(folder: Path, counts: list[int], dim: int = 3) -> list[Path]:
    """Parts of so many unit rows each, ids from 0 on."""
    drawn = np.random.default_rng(0).normal(size=(sum(counts), dim)).astype(np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    parts, start = [], 0
    for number, count in enumerate(counts):
        here = slice(start, start := start + count)
        parts.append(folder / f"{number}.safetensors")
        save_file({"ids": np.arange(start - count, start), "vectors": drawn[here]}, parts[-1])
    return parts


@settings(max_examples=30, deadline=None)
@given(counts=st.lists(st.integers(0, 5), min_size=1, max_size=70), data=st.data())
def test_they_are_those_of_the_parts(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], data: st.DataObject
) -> None:
    parts = write(tmp_path_factory.mktemp("parts"), counts)
    held, whole = InParts(parts, 3), load_parts(parts)
    assert held.shape == whole.vectors.shape
    assert len(held) == sum(counts)
    np.testing.assert_array_equal(held.ids, whole.ids)
    np.testing.assert_array_equal(np.concatenate([*held.blocks()]), whole.vectors)
    at = st.integers(0, len(held) - 1) if len(held) else st.nothing()
    rows = np.array(data.draw(st.lists(at, max_size=9) if len(held) else st.just([])), np.int64)
    np.testing.assert_array_equal(held[rows], whole.vectors[rows])
    for row in rows.tolist():
        np.testing.assert_array_equal(held[row], whole.vectors[row])


def test_pictures_are_known_from_parts(tmp_path: Path) -> None:
    parts = write(tmp_path, [2, 3])
    known, vectors = (
        ByPicture(["a", "b", "c", "d", "b"], InParts(parts, 3)),
        load_parts(parts).vectors,
    )
    np.testing.assert_array_equal(known["d"], vectors[3])
    np.testing.assert_array_equal(known["b"], vectors[1], "of equal ones the first counts")
    assert "e" not in known
    few = known.among(["d", "b", "e"])
    assert dict(few).keys() == {"b", "d"}
    for one in few:
        np.testing.assert_array_equal(few[one], known[one])
    for one in (known, few):
        filled = np.zeros((4, 3), np.float32)
        unknown = one.fill(pa.array(["b", "e", "d", "b"]), filled)
        assert unknown.tolist() == [1]
        np.testing.assert_array_equal(filled, [vectors[1], np.zeros(3), vectors[3], vectors[1]])


@pytest.mark.parametrize("how", ["missing", "cut", "wide", "double", "ids", "few"])
def test_parts_that_are_damaged(tmp_path: Path, how: str) -> None:
    first, second = write(tmp_path, [4, 4])
    ids, vectors = np.arange(4), np.eye(4, 3, dtype=np.float32)
    match how:
        case "missing":
            second.unlink()
        case "cut":
            second.write_bytes(second.read_bytes()[:-4])
        case "wide":
            save_file({"ids": ids, "vectors": np.eye(4, dtype=np.float32)}, second)
        case "double":
            save_file({"ids": ids, "vectors": vectors.astype(np.float64)}, second)
        case "ids":
            save_file({"ids": ids.astype(np.float32), "vectors": vectors}, second)
        case "few":
            save_file({"ids": ids[:3], "vectors": vectors}, second)
    with pytest.raises(StoreError, match="embeddings are damaged"):
        InParts([first, second], 3)
    held = InParts([first], 3)
    first.unlink()
    with pytest.raises(StoreError, match="embeddings are damaged"):
        held[0]


def test_a_map_grows_by_those_most_alike(tmp_path: Path) -> None:
    parts = write(tmp_path, [20, 20, 2])
    former, quality = write_map(load_parts(parts[:2]), tmp_path, MapConfig(early_steps=1, steps=1))
    _, places = MAP.read(former)
    grown = grow_map(InParts(parts, 3), former)
    assert grown is not None
    np.testing.assert_array_equal(grown.places[:40], places)
    vectors = load_parts(parts).vectors
    nearest = (vectors[40:] @ vectors[:40].T).argmax(axis=1)
    np.testing.assert_array_equal(grown.places[40:], places[nearest])
    path, told = write_map(load_parts(parts), tmp_path, MapConfig(), grown=grown)
    assert told == quality, "as it was when it was laid out"
    np.testing.assert_array_equal(MAP.read(path)[1], grown.places)
    assert grow_map(InParts(parts, 3), tmp_path / "none.safetensors") is None
    few, _ = write_map(load_parts(parts[:1]), tmp_path, MapConfig(early_steps=1, steps=1))
    assert grow_map(InParts(parts, 3), few) is None, "most of it would be new"
