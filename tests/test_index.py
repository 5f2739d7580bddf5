"""Every backend against brute force, and a store that is whole or says what to do."""

import hashlib
import io
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import datasets
import faiss
import numpy as np
import numpy.typing as npt
import pytest
from conftest import ROWS, TinyEncoder, build_store, open_store, write_archive
from datasets.arrow_writer import ArrowWriter
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.catalog.features import FEATURES
from recommender.catalog.fingerprint import catalog_fingerprint
from recommender.errors import IndexMismatchError, StoreError
from recommender.index import faiss as module
from recommender.index.embeddings import Embeddings
from recommender.index.faiss import Index, IndexConfig, build_index
from recommender.store import build
from recommender.store.manifest import MANIFEST_FILE, check_encoder, load_manifest
from recommender.store.store import Store

Floats = npt.NDArray[np.float32]
N, DIM = 200, 32
BACKENDS = ["Flat", "PCA16,Flat", "HNSW16", "IVF4,Flat", "SQ8"]


def gallery(n: int = N, dim: int = DIM, seed: int = 0) -> Embeddings:
    vectors = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embeddings(np.arange(n, dtype=np.int64) * 7 + 3, vectors)


def tied(n: int, seed: int) -> Floats:
    """Unit rows whose products are exact, with many equal ones and equal rows."""
    random = np.random.default_rng(seed)
    vectors = np.zeros((n, 6), dtype=np.float32)
    for vector in vectors:
        vector[random.choice(6, 4, replace=False)] = random.choice([-0.5, 0.5], 4)
    return vectors


def brute_force(
    queries: Floats, vectors: Floats, k: int, allowed: npt.NDArray[np.bool_] | None = None
) -> tuple[Floats, npt.NDArray[np.int64]]:
    scores = queries.astype(np.float64) @ vectors.T.astype(np.float64)
    rows = np.arange(len(vectors)) if allowed is None else np.flatnonzero(allowed)
    best = [rows[np.lexsort((rows, -row[rows]))[:k]] for row in scores]
    return np.array([row[b] for row, b in zip(scores, best, strict=True)]), np.array(best)


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Index:
    return build_index(gallery(), IndexConfig(factory=request.param))[0]


@pytest.fixture(scope="module")
def flat() -> Index:
    return build_index(gallery(), IndexConfig())[0]


QUERIES = gallery(30, seed=1).vectors


def check_exact(index: Index, k: int, allowed: npt.NDArray[np.bool_] | None) -> None:
    scores, rows = index.search(QUERIES, k, allowed)
    want_scores, want_rows = brute_force(QUERIES, index.vectors, k, allowed)
    np.testing.assert_array_equal(rows, want_rows)
    np.testing.assert_allclose(scores, want_scores, atol=1e-6)
    assert rows.dtype == np.int64
    assert scores.dtype == np.float32


# --- search


@pytest.mark.parametrize("k", [1, 10, N, N + 1, 10 * N])
def test_flat_is_brute_force(flat: Index, k: int) -> None:
    assert flat.exact
    check_exact(flat, k, None)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_with_a_filter_every_backend_is_brute_force(backend: Index, data: st.DataObject) -> None:
    share = data.draw(st.sampled_from([0.0, 0.02, 0.5, 1.0]))
    seed = data.draw(st.integers(0, 10_000))
    k = data.draw(st.sampled_from([1, 3, 10, 100, N, 2 * N]))
    allowed = np.random.default_rng(seed).random(N) < share
    check_exact(backend, k, allowed)
    assert backend.search(QUERIES, k, allowed)[1].shape == (30, min(k, int(allowed.sum())))


def test_a_filter_of_one_row(backend: Index) -> None:
    for row in (0, 17, N - 1):
        allowed = np.zeros(N, dtype=bool)
        allowed[row] = True
        assert backend.search(QUERIES, 5, allowed)[1].tolist() == [[row]] * 30


def test_an_empty_filter(backend: Index) -> None:
    scores, rows = backend.search(QUERIES, 5, np.zeros(N, dtype=bool))
    assert scores.shape == rows.shape == (30, 0)


@pytest.mark.parametrize("k", [1, 10, 3 * N])
def test_without_a_filter_rows_are_there_once_and_scores_fall(backend: Index, k: int) -> None:
    scores, rows = backend.search(QUERIES, k)
    assert rows.shape == (30, min(k, N))
    assert np.all(scores[:, :-1] >= scores[:, 1:])
    for found, score in zip(rows, scores, strict=True):
        kept = found[found >= 0]
        assert len(set(kept)) == len(kept) > 0
        assert np.all(score[found < 0] == -np.inf)
        assert kept.max() < N


def test_a_row_finds_itself(backend: Index) -> None:
    _, rows = backend.search(backend.vectors, 1)
    assert np.mean(rows[:, 0] == np.arange(N)) > 0.95


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 400), st.integers(1, 70), st.booleans())
def test_of_equal_scores_the_earlier_rows_win(seed: int, n: int, k: int, filtered: bool) -> None:
    vectors = tied(n, seed)
    embeddings = Embeddings(np.arange(n, dtype=np.int64), vectors)
    allowed = np.random.default_rng(seed + 1).random(n) < 0.6 if filtered else None
    queries = tied(25, seed + 2)  # FAISS takes another road for many queries than for few
    for factory in ("Flat", "HNSW4") if filtered else ("Flat",):
        index, _ = build_index(embeddings, IndexConfig(factory=factory))
        for some in (queries[:1], queries):
            scores, rows = index.search(some, k, allowed)
            want_scores, want_rows = brute_force(some, vectors, k, allowed)
            np.testing.assert_array_equal(rows, want_rows)
            np.testing.assert_array_equal(scores, want_scores)


def test_many_equal_rows_at_once() -> None:
    vectors = np.repeat(tied(3, 5), 150, axis=0)
    index, _ = build_index(Embeddings(np.arange(450), vectors), IndexConfig())
    assert index.search(vectors[200:201], 110)[1][0].tolist() == list(range(150, 260))


@pytest.mark.parametrize("factory", BACKENDS)
def test_euclidean_scores_are_minus_the_distance(factory: str) -> None:
    config = IndexConfig(factory=factory, metric="euclidean")
    index, _ = build_index(gallery(), config)
    allowed = np.arange(N) % 2 == 0
    scores, rows = index.search(QUERIES, 10, allowed)
    _, want = brute_force(QUERIES, index.vectors, 10, allowed)
    np.testing.assert_array_equal(rows, want)
    distances = np.linalg.norm(QUERIES[:, None] - index.vectors[rows], axis=2)
    np.testing.assert_allclose(scores, -distances, atol=1e-4)
    own = build_index(gallery(), IndexConfig(metric="euclidean"))[0].search(index.vectors, 1)
    np.testing.assert_allclose(own[0], 0, atol=2e-3)
    assert np.all(own[0] <= 0)


def test_an_unknown_metric_is_not_taken_for_another() -> None:
    with pytest.raises(ValueError, match="metric"):
        IndexConfig(metric="dot")


@pytest.mark.parametrize("factory", BACKENDS)
def test_recall_is_measured_against_brute_force(factory: str) -> None:
    index, recall = build_index(gallery(), IndexConfig(factory=factory))
    _, want = brute_force(index.vectors, index.vectors, 10)
    _, found = index.search(index.vectors, 10)
    shared = [len(set(a) & set(b)) / 10 for a, b in zip(want, found, strict=True)]
    assert recall == pytest.approx(np.mean(shared))
    assert recall == 1 if index.exact else 0.2 < recall <= 1


def test_recall_of_fewer_than_ten_rows() -> None:
    assert build_index(gallery(4), IndexConfig(factory="HNSW16"))[1] == 1


@pytest.mark.parametrize(
    "factory",
    [
        *("", "Fla", "IVF", "PCA64,Flat", "IVF500,Flat", "PQ7", "\0"),
        # Of these FAISS would end the process.
        *("HNSW0", "HNSW1", "IVF4_HNSW1,Flat", "IVF4(HNSW1),Flat", "PQ32x0", "OPQ8_0,PQ8"),
        *("PCAR0,Flat", "RR00,Flat", "RQ0x0", "IVF4,PQ8x4fs_0", "LSQ9999x8"),
    ],
)
def test_a_factory_string_that_cannot_be_built(factory: str) -> None:
    with pytest.raises(StoreError, match="cannot build the index"):
        build_index(gallery(), IndexConfig(factory=factory))


@pytest.mark.parametrize(
    "factory", ["IVF24,Flat", "OPQ4,IVF1k,PQ4", "IVF100000000,Flat", "IMI2x8,Flat", f"IVF{9**60}"]
)
def test_more_cells_than_vectors_are_refused_before_they_are_made(factory: str) -> None:
    with pytest.raises(StoreError, match=r"cannot build .* cells for 23 vectors; use Flat, or"):
        build_index(gallery(23), IndexConfig(factory=factory))


# --- a store on disk


@pytest.fixture
def copy(store: Path, tmp_path: Path) -> Path:
    return shutil.copytree(store, tmp_path / "store")


def edit_manifest(directory: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((directory / MANIFEST_FILE).read_text())
    change(manifest)
    (directory / MANIFEST_FILE).write_text(json.dumps(manifest))


def refused(directory: Path, kind: type[StoreError] = StoreError) -> str:
    with pytest.raises(kind) as caught:
        open_store(directory)
    message = str(caught.value)
    assert "build" in message
    assert "\n" not in message
    assert str(directory) not in message
    return message


@pytest.mark.parametrize("factory", [*BACKENDS[:1], "PCA8,Flat", "HNSW4", "IVF2,Flat", "SQ8"])
@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_a_store_answers_as_before_it_was_saved(
    archive: Path, tmp_path: Path, factory: str, metric: str
) -> None:
    built = build_store(tmp_path, archive, IndexConfig(factory=factory, metric=metric))
    loaded = Store.open(tmp_path).index
    np.testing.assert_array_equal(loaded.ids, built.ids)
    np.testing.assert_array_equal(loaded.vectors, built.vectors)
    assert loaded.metric == metric
    for allowed in (None, np.arange(len(ROWS)) % 2 == 0):
        for before, after in zip(
            built.search(built.vectors, 5, allowed),
            loaded.search(built.vectors, 5, allowed),
            strict=True,
        ):
            np.testing.assert_array_equal(before, after)


def test_the_manifest_says_what_the_store_was_made_of(store: Path) -> None:
    manifest = load_manifest(store)
    assert manifest.count == len(ROWS)
    assert manifest.dim == TinyEncoder.dim
    assert manifest.encoder["fingerprint"] == TinyEncoder.fingerprint
    assert manifest.index == {"factory": "Flat", "metric": "cosine"}
    assert manifest.recall_at_10 == 1
    assert {"faiss-cpu", "torch", "timm"} <= set(manifest.versions)
    on_disk = {p.relative_to(store).as_posix() for p in store.rglob("*") if p.is_file()}
    latest = {f"catalog/{name}.json" for name in ("dataset_info", "report", "state")}
    assert set(manifest.files) == on_disk - {MANIFEST_FILE} - latest


def files_of(directory: Path) -> list[Path]:
    return sorted(p for p in directory.rglob("*") if p.is_file() and p.name != MANIFEST_FILE)


@pytest.mark.parametrize("damage", ["missing", "flipped", "cut", "folder"])
@pytest.mark.parametrize("which", range(6))
def test_every_file_is_checked(copy: Path, which: int, damage: str) -> None:
    files = [path for path in files_of(copy) if path.suffix != ".json"]
    assert len(files) == 6  # index, ids, map, colours, one part and the catalog's shard
    path = files[which]
    data = bytearray(path.read_bytes())
    path.unlink()
    if damage == "flipped":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif damage == "cut":
        path.write_bytes(data[:-1])
    elif damage == "folder":
        path.mkdir()
    refused(copy)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "1", '"x"', "{}", '{"files": 1}', "\x00", "[" * 100_000, "NaN"],
)
def test_a_manifest_that_is_not_one(copy: Path, text: str) -> None:
    (copy / MANIFEST_FILE).write_text(text)
    assert "manifest" in refused(copy)


def test_a_manifest_that_is_not_text(copy: Path) -> None:
    (copy / MANIFEST_FILE).write_bytes(b"\xff\xfe\x00")
    assert "manifest" in refused(copy)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.update(schema_version=2),
        lambda m: m.update(another="field"),
        lambda m: m.pop("dim"),
        lambda m: m.update(dim=m["dim"] + 1),
        lambda m: m.update(count=m["count"] - 1),
        lambda m: m.update(count="13"),
        lambda m: m.update(ids_sha256="0" * 64),
        lambda m: m.update(files=[]),
        lambda m: m.update(files={}),
        lambda m: m.update(parts=None),
        lambda m: m.update(parts=[*m["parts"], "embeddings/other.safetensors"]),
        lambda m: m.update(parts=[["x"]]),
        lambda m: m.update(index={"factory": "Flat", "metric": "dot"}),
        lambda m: m.update(index={"nlist": 4}),
        lambda m: m.update(index=None),
        lambda m: m.update(encoder=None),
        lambda m: m.update(encoder={}),
        lambda m: m["files"].update({"../outside": "0" * 64}),
        lambda m: m["files"].update({"/etc/hostname": "0" * 64}),
        lambda m: m["files"].update({"a\0b": "0" * 64}),
        lambda m: m["files"].update({m["index_file"]: None}),
        lambda m: m["files"].pop(m["ids_file"]),
    ],
)
def test_a_manifest_that_does_not_fit(copy: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    (copy.parent / "outside").write_text("x")
    edit_manifest(copy, change)
    refused(copy)


@pytest.mark.parametrize("value", [np.nan, np.inf, 2.0])
def test_an_index_of_other_than_unit_rows(copy: Path, value: float) -> None:
    path = copy / load_manifest(copy).index_file
    built = faiss.read_index(str(path))
    vectors = built.reconstruct_n(0, built.ntotal)
    vectors[1, 0] = value
    built.reset()
    built.add(vectors)
    faiss.write_index(built, str(path))
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    edit_manifest(copy, lambda manifest: manifest["files"].update({path.name: sha256}))
    refused(copy)


def rewrite(directory: Path, name: str, data: bytes, **said: Any) -> None:
    """Other bytes of a file of a store, with a manifest that says so."""
    (directory / name).write_bytes(data)
    edit_manifest(
        directory,
        lambda manifest: manifest.update(
            said, files=manifest["files"] | {name: hashlib.sha256(data).hexdigest()}
        ),
    )


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("shape", [(10**13,), (10**30,), (-1,), (2, 2), (), (len(ROWS) - 1,)])
def test_ids_that_are_not_as_many_as_they_claim(copy: Path, shape: tuple[int, ...]) -> None:
    """The first is a header of 72 TiB."""
    name = load_manifest(copy).ids_file
    values = np.load(copy / name).tobytes()
    file = io.BytesIO()
    header = {"descr": "<i8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    rewrite(copy, name, file.getvalue() + values)
    refused(copy)


@pytest.mark.parametrize("kind", ["repeated", "int32", "float", "object", "two"])
def test_ids_that_are_none(copy: Path, kind: str) -> None:
    manifest = load_manifest(copy)
    ids = np.load(copy / manifest.ids_file)
    if kind == "repeated":
        ids[1] = ids[0]
    ids = {"int32": ids.astype(np.int32), "float": ids.astype(float), "two": ids[:, None]}.get(
        kind, ids.astype(object) if kind == "object" else ids
    )
    said = hashlib.sha256(ids.tobytes()).hexdigest()
    rewrite(copy, manifest.ids_file, npy(ids), ids_sha256=said)
    refused(copy)


@pytest.mark.parametrize("kind", ["repeated id", "no picture", "a path"])
def test_items_that_are_none(copy: Path, kind: str) -> None:
    """A catalog whose manifest fits it; a path that it names is never opened."""
    manifest = load_manifest(copy)
    [shard] = manifest.shards
    items = datasets.Dataset.from_file(str(copy / shard))
    items = items.cast_column("image", datasets.Image(decode=False)).to_dict()
    if kind == "repeated id":
        items["id"][1] = items["id"][0]
    elif kind == "no picture":
        items["image"][1] = None
    else:
        items["image"][1] = {"bytes": None, "path": "/etc/hostname"}
    made = datasets.Dataset.from_dict(items, features=FEATURES)
    with ArrowWriter(features=FEATURES, path=str(copy.parent / "made.arrow")) as writer:
        writer.write_table(made.data.table)
        writer.finalize()
    data = (copy.parent / "made.arrow").read_bytes()
    rewrite(copy, shard, data, catalog_fingerprint=catalog_fingerprint(made))
    assert "items without" in refused(copy)


@pytest.mark.parametrize("seed", range(40))
def test_a_flat_index_of_other_bytes_is_refused(copy: Path, seed: int) -> None:
    """Whatever they are, and though the manifest fits: FAISS is not asked to read them."""
    name = load_manifest(copy).index_file
    data, random = bytearray((copy / name).read_bytes()), np.random.default_rng(seed)
    kind = seed % 4
    if kind == 0:  # its head
        data[random.integers(45)] ^= 1 << random.integers(8)
    elif kind == 1:  # its length
        data = data[: random.integers(len(data))] if seed % 8 == 1 else data + b"\0" * (seed + 1)
    elif kind == 2:  # a number that is none, or far too large
        at = 45 + 4 * int(random.integers((len(data) - 45) // 4))
        data[at : at + 4] = struct.pack("<f", [np.nan, np.inf, 1e20][seed % 3])
    else:  # another kind of index
        data[:4] = [b"IHNf", b"IwFl", b"IxF2", b"IxPT"][seed // 4 % 4]
    rewrite(copy, name, bytes(data))
    with patch.object(faiss, "read_index", side_effect=AssertionError("read by FAISS")):
        refused(copy)


@pytest.fixture
def approximate(archive: Path, tmp_path: Path) -> Path:
    build_store(tmp_path / "made", archive, IndexConfig(factory="HNSW4"))
    return tmp_path / "made"


def test_an_index_that_was_built_here_is_read(approximate: Path) -> None:
    with patch.object(module, "build_index", side_effect=AssertionError("built again")):
        assert Store.open(approximate).index.exact is False


@pytest.mark.parametrize("place", [200, -40, None])
def test_one_from_elsewhere_is_built_of_its_vectors(approximate: Path, place: int | None) -> None:
    """Whatever it holds: FAISS is not asked to read it."""
    expected = Store.open(approximate).index
    name = load_manifest(approximate).index_file
    data = bytearray((approximate / name).read_bytes())
    if place is None:
        data = bytearray(b"nothing")
    else:
        data[place] ^= 0xFF
    rewrite(approximate, name, bytes(data))
    with patch.object(faiss, "read_index", side_effect=AssertionError("read by FAISS")):
        found = Store.open(approximate).index
    assert found.exact is False
    np.testing.assert_array_equal(found.vectors, expected.vectors)
    allowed = np.arange(len(ROWS)) % 2 == 0
    for before, after in zip(
        expected.search(expected.vectors, 3, allowed),
        found.search(expected.vectors, 3, allowed),
        strict=True,
    ):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    "factory", ["LSQ4x8", "HNSW10000", "IVF65,Flat", "IVF100000000,Flat", "(", "RQ9x9", 5]
)
def test_one_from_elsewhere_that_would_take_for_ever(approximate: Path, factory: object) -> None:
    manifest = load_manifest(approximate)
    rewrite(approximate, manifest.index_file, b"x", index=manifest.index | {"factory": factory})
    refused(approximate)


def test_a_link_out_of_the_store_is_not_followed(copy: Path) -> None:
    outside = copy.parent / "outside"
    ids_file = copy / load_manifest(copy).ids_file
    ids_file.rename(outside)
    ids_file.symlink_to(outside)
    refused(copy)


def test_a_half_built_store_names_the_command(store: Path, tmp_path: Path) -> None:
    for missing in ("catalog and no index", "index"):
        message = refused(tmp_path)
        assert f"no {missing} yet" in message
        assert "python -m scripts.build_index" in message
        if not (tmp_path / "catalog").exists():
            shutil.copytree(store / "catalog", tmp_path / "catalog")


def test_another_encoder_is_a_mismatch(store: Path) -> None:
    manifest = load_manifest(store)
    check_encoder(manifest, TinyEncoder.fingerprint)
    with pytest.raises(IndexMismatchError, match=r"scripts\.build_index"):
        check_encoder(manifest, "another")


def test_another_catalog_is_refused(copy: Path, tmp_path: Path) -> None:
    build_store(tmp_path / "other", write_archive(tmp_path / "b.zip", ROWS[:5]))
    shutil.rmtree(copy / "catalog")
    shutil.copytree(tmp_path / "other" / "catalog", copy / "catalog")
    refused(copy)


def test_building_anew_replaces_and_removes_what_is_stale(copy: Path, tmp_path: Path) -> None:
    before = set(files_of(copy / "embeddings"))
    (copy / "embeddings" / "killed.building").write_bytes(b"half")
    build_store(copy, write_archive(tmp_path / "b.zip", ROWS[:5]))
    assert len(open_store(copy)) == 5
    after = set(files_of(copy / "embeddings"))
    assert len(after) == 1
    assert not after & before


@pytest.mark.parametrize("step", ["write index", "replace index", "save ids", "replace manifest"])
@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()])
def test_killed_at_any_step_the_store_is_the_former_one(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        wanted = "index-" if step == "replace index" else MANIFEST_FILE
        return fail() if Path(target).name.startswith(wanted) else real(self, target)

    with monkeypatch.context() as patch:
        if step == "write index":
            patch.setattr(build, "flat_blocks", fail)
        elif step == "save ids":
            patch.setattr(np, "save", fail)
        else:
            patch.setattr(Path, "replace", replace)
        with pytest.raises((StoreError, KeyboardInterrupt)):
            build_store(copy, write_archive(tmp_path / "b.zip"), IndexConfig(metric="euclidean"))
    # The catalog was written anew, of the same content: the former index still fits it.
    assert load_manifest(copy).index["metric"] == "cosine"
    assert len(open_store(copy)) == len(ROWS)
    build_store(copy, tmp_path / "b.zip")
    assert len(open_store(copy)) == len(ROWS)
    assert not list(copy.rglob("*.building"))


def test_a_store_that_cannot_be_written(archive: Path, tmp_path: Path) -> None:
    (tmp_path / f"{MANIFEST_FILE}.building").mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        build_store(tmp_path, archive)
