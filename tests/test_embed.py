"""Ids and rows never part, and an embedding that was killed goes on where it was."""

from functools import partial
from pathlib import Path

import datasets
import numpy as np
import numpy.typing as npt
import pytest
from conftest import ROWS, TinyEncoder, draw_picture, write_archive
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import numpy as safetensors

from recommender.catalog.items import build_catalog, load_catalog
from recommender.catalog.sources import read_source
from recommender.encoding.protocol import Encoded
from recommender.errors import StoreError
from recommender.index.embeddings import Embeddings
from recommender.pictures.decode import decode_image
from recommender.store import embed as module
from recommender.store.embed import EmbeddedCatalog, embed_catalog, part_slices
from recommender.store.parts import load_parts

UNIT = np.eye(3, dtype=np.float32)
IDS = np.array([5, 3, 9])


class FailingEncoder(TinyEncoder):
    """Raises once it would encode more than `allowed` pictures, as a killed process stops."""

    def __init__(self, allowed: int) -> None:
        super().__init__()
        self.allowed = allowed

    def encode_prepared(self, prepared: npt.NDArray[np.uint8]) -> Encoded:
        if self.encoded + len(prepared) > self.allowed:
            raise KeyboardInterrupt
        return super().encode_prepared(prepared)


class OtherEncoder(TinyEncoder):
    fingerprint = "tiny-encoder-001"


def load_tiny(rank: int | None) -> TinyEncoder:
    """Top-level, so that a spawned worker finds it."""
    return TinyEncoder()


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_ITEMS", 4)


@pytest.fixture(scope="module")
def items(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> datasets.Dataset:
    directory = tmp_path_factory.mktemp("catalog") / "catalog"
    build_catalog(read_source(str(archive)), directory, source="test")
    return load_catalog(directory)


def embed(
    items: datasets.Dataset,
    directory: Path,
    encoder: TinyEncoder | None = None,
    batch_size: int = 3,
) -> EmbeddedCatalog:
    encoder = encoder or TinyEncoder()
    return embed_catalog(items, directory, lambda rank: encoder, batch_size=batch_size)


def sizes(embedded: EmbeddedCatalog) -> list[tuple[list[int], int]]:
    """The ids of each part, and how many they are."""
    held = [load_parts([part]).ids.tolist() for part in embedded.parts]
    return [(ids, len(ids)) for ids in held]


@pytest.fixture(scope="module")
def expected() -> npt.NDArray[np.float32]:
    """Each picture encoded by itself."""
    encoder = TinyEncoder()
    pictures = [decode_image(draw_picture(r), at_least_px=encoder.input_px) for r in ROWS]
    return np.concatenate([encoder.encode_items([picture]).vectors for picture in pictures])


# --- the value object


def test_ids_and_vectors_that_belong_together() -> None:
    embeddings = Embeddings(IDS, UNIT)
    assert len(embeddings.ids) == len(embeddings.vectors)
    assert len(Embeddings(IDS[:0], UNIT[:0]).ids) == 0


@pytest.mark.parametrize(
    ("ids", "vectors", "said"),
    [
        (IDS.astype(np.int32), UNIT, "ids are int32"),
        (IDS[None], UNIT, "2 axes"),
        (IDS, UNIT.astype(np.float64), "float32"),
        (IDS, UNIT[0], "shape"),
        (IDS[:2], UNIT, "2 ids do not go with 3 vectors"),
        (np.array([5, 3, 5]), UNIT, "repeat"),
        (IDS, UNIT * 2, "unit"),
        (IDS, UNIT * np.float32(1.01), "unit"),
        (IDS, UNIT * np.array([[1], [0], [1]], np.float32), "unit"),
        (IDS, UNIT * np.float32(np.nan), "unit"),
        (IDS, np.where(UNIT > 0, np.inf, UNIT).astype(np.float32), "unit"),
    ],
)
def test_what_does_not_is_refused(ids: np.ndarray, vectors: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Embeddings(ids, vectors)


# --- embedding


@pytest.mark.parametrize("batch_size", [1, 3, 4, 64])
def test_each_row_is_its_items_picture(
    items: datasets.Dataset, tmp_path: Path, expected: npt.NDArray[np.float32], batch_size: int
) -> None:
    embedded = embed(items, tmp_path, batch_size=batch_size)
    assert embedded.embeddings.ids.tolist() == [row[0] for row in ROWS]
    np.testing.assert_array_equal(embedded.embeddings.vectors, expected)
    assert len(embedded.parts) > 2
    assert embedded.skipped == {}


@settings(max_examples=14, deadline=None)
@given(kills=st.lists(st.integers(0, 13), max_size=3), batch_size=st.integers(1, 6))
def test_killed_anywhere_it_goes_on_to_the_same_bytes(
    items: datasets.Dataset,
    expected: npt.NDArray[np.float32],
    tmp_path_factory: pytest.TempPathFactory,
    kills: list[int],
    batch_size: int,
) -> None:
    directory = tmp_path_factory.mktemp("killed")
    done = 0
    for allowed in kills:
        encoder = FailingEncoder(allowed)
        if done + allowed < len(ROWS):
            with pytest.raises(KeyboardInterrupt):
                embed(items, directory, encoder, batch_size)
        else:
            continue
        assert encoder.encoded <= allowed
        kept = sum(len(load_parts([part]).ids) for part in directory.glob("*.safetensors"))
        assert kept - done >= encoder.encoded - 8  # at most one part is lost
        done = kept
    encoder = TinyEncoder()
    embedded = embed(items, directory, encoder, batch_size)
    assert encoder.encoded == len(ROWS) - done
    assert embedded.embeddings.vectors.tobytes() == expected.tobytes()
    again = TinyEncoder()
    assert embed(items, directory, again).embeddings.vectors.tobytes() == expected.tobytes()
    assert again.encoded == 0


def test_a_changed_picture_costs_only_its_part(
    items: datasets.Dataset, tmp_path: Path, expected: npt.NDArray[np.float32]
) -> None:
    first = embed(items, tmp_path / "parts")
    swapped = [row if row[0] != 6 else (6, *ROWS[0][1:]) for row in ROWS]
    source = write_archive(tmp_path / "b.zip", swapped)
    build_catalog(read_source(str(source)), tmp_path / "catalog", source="b")
    encoder = TinyEncoder()
    after = embed(load_catalog(tmp_path / "catalog"), tmp_path / "parts", encoder)
    assert encoder.encoded == next(size for ids, size in sizes(first) if 6 in ids) < len(ROWS)
    differs = np.any(after.embeddings.vectors != expected, axis=1)
    assert np.flatnonzero(differs).tolist() == [5]


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 3_000), near=st.booleans())
def test_parts_are_all_items_in_order_and_of_about_one_size(
    seed: int, count: int, near: bool
) -> None:
    keys = np.arange(count) if near else np.random.default_rng(seed).integers(2**62, size=count)
    slices = part_slices(keys + seed)
    assert [row for part in slices for row in range(part.start, part.stop)] == [*range(count)]
    lengths = [part.stop - part.start for part in slices]
    assert all(2 <= length <= 8 for length in lengths[:-1])
    assert all(1 <= length <= 8 for length in lengths[-1:])
    assert count < 1_000 or 2.5 < np.mean(lengths) < 4.5


@pytest.mark.parametrize("seed", range(10))
def test_items_that_come_and_go_leave_other_parts_alone(seed: int) -> None:
    """Wherever they were: what lies behind them is cut as it was."""
    random = np.random.default_rng(seed)
    before = random.choice(100_000, 5_000, replace=False)
    if seed % 2:
        before.sort()
    gone = random.choice(before, 20, replace=False)
    after = np.insert(before[~np.isin(before, gone)], 2_500, [100_001, 100_002])
    former, latter = ({tuple(keys[part]) for part in part_slices(keys)} for keys in (before, after))
    assert len(former - latter) < 4 * 21
    assert len(former & latter) > 1_000


def test_another_encoder_embeds_anew(items: datasets.Dataset, tmp_path: Path) -> None:
    first = embed(items, tmp_path)
    encoder = OtherEncoder()
    assert not set(embed(items, tmp_path, encoder).parts) & set(first.parts)
    assert encoder.encoded == len(ROWS)


@pytest.mark.parametrize("damage", ["empty", "cut", "garbage", "no reasons", "other ids", "long"])
def test_a_damaged_part_is_made_again(
    items: datasets.Dataset, tmp_path: Path, expected: npt.NDArray[np.float32], damage: str
) -> None:
    embedded = embed(items, tmp_path)
    part, (_, size) = embedded.parts[1], sizes(embedded)[1]
    whole = part.read_bytes()
    held = safetensors.load(whole)
    damaged = {
        "empty": b"",
        "cut": whole[:-8],
        "garbage": b"\xff" * 200,
        "no reasons": safetensors.save(held),
        "other ids": safetensors.save({**held, "ids": held["ids"] + 1}, {"skipped": "{}"}),
        "long": safetensors.save({**held, "vectors": held["vectors"] * 2}, {"skipped": "{}"}),
    }
    part.write_bytes(damaged[damage])
    encoder = TinyEncoder()
    again = embed(items, tmp_path, encoder)
    np.testing.assert_array_equal(again.embeddings.vectors, expected)
    assert encoder.encoded == size


def test_a_picture_that_cannot_be_read_is_listed(
    items: datasets.Dataset, tmp_path: Path, expected: npt.NDArray[np.float32]
) -> None:
    def spoil(item: dict) -> dict:
        return {"image": {"bytes": b"no picture", "path": None}} if item["id"] in (2, 7) else {}

    spoiled = items.map(spoil, features=items.features, load_from_cache_file=False)
    for _ in range(2):  # made, then found
        embedded = embed(spoiled, tmp_path)
        assert list(embedded.skipped) == [2, 7]
        assert all("not a picture" in reason for reason in embedded.skipped.values())
        kept = [i for i, row in enumerate(ROWS) if row[0] not in (2, 7)]
        assert embedded.embeddings.ids.tolist() == [ROWS[i][0] for i in kept]
        np.testing.assert_array_equal(embedded.embeddings.vectors, expected[kept])


def test_two_workers_give_what_one_gives(
    items: datasets.Dataset, tmp_path: Path, expected: npt.NDArray[np.float32]
) -> None:
    embedded = embed_catalog(items, tmp_path, partial(load_tiny), workers=2)
    assert embedded.embeddings.ids.tolist() == [row[0] for row in ROWS]
    np.testing.assert_array_equal(embedded.embeddings.vectors, expected)


def test_sizes_are_positive(items: datasets.Dataset, tmp_path: Path) -> None:
    for sizes in ({"batch_size": 0}, {"workers": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            embed_catalog(items, tmp_path, load_tiny, **sizes)


def test_a_place_that_cannot_be_written(
    items: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        embed(items, tmp_path / "file")
    monkeypatch.setattr(module.os, "getpid", lambda: "missing/folder")
    with pytest.raises(StoreError, match="cannot be written"):
        embed(items, tmp_path / "parts")


def test_parts_that_do_not_belong_together(items: datasets.Dataset, tmp_path: Path) -> None:
    first, *_ = embed(items, tmp_path).parts
    for parts in ([first, first], [tmp_path / "missing"], []):
        with pytest.raises(StoreError, match="damaged"):
            load_parts(parts)
