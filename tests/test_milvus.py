"""Milvus, the real one in a file and behind a server, against FAISS and brute force."""

import importlib.util
import logging
import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import (
    ROWS,
    BelievingEncoder,
    TinyEncoder,
    build_store,
    draw_picture,
    open_store,
    write_archive,
)
from PIL import Image
from test_index import brute_force, gallery, tied

from recommender.errors import ClusterError, SettingError
from recommender.index import milvus_index
from recommender.index.embeddings import Embeddings
from recommender.index.exact import scan
from recommender.index.faiss import IndexConfig, build_index
from recommender.index.mapped import lay_on_disk
from recommender.index.milvus import Collection, Kind, MilvusConfig
from recommender.index.milvus_index import Held, MilvusIndex
from recommender.index.milvus_schema import FIELDS, KEY, Field
from recommender.index.protocol import Metric, VectorIndex
from recommender.schema import key_of
from recommender.search.filters import FilterTable
from recommender.search.hits import Hits
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.store import collection
from recommender.store.collection import Contents, collected_gallery, load_collection
from recommender.store.store import Store
from scripts import load_milvus

N = 300
HOSTILE = ['"', "\\", '\\"] or 1 == 1 or c_x in ["', "' or key > 0 or '", "a\nb", "%", "{x}", "é"]
"""Values of a column that end a text of an expression, if they are put into one as they are."""


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    """What needs it is skipped where it is not, but fails in CI."""
    if importlib.util.find_spec("pymilvus") is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs requirements-scale.txt")
        pytest.skip("requirements-scale.txt is not installed")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Columns of N rows, with missing values and such as no text should hold."""
    random = np.random.default_rng(0)
    choices = np.array([*HOSTILE, "Red", None], dtype=object)
    prices = np.round(random.normal(0, 100, N), 2)
    return pd.DataFrame(
        {
            "colour": random.choice(choices, N),
            "price": pd.array(np.where(random.random(N) < 0.1, None, prices), dtype="Float64"),
            "in stock?": pd.array(random.choice([True, False, None], N), dtype="boolean"),
            "id": np.arange(N) * 7 + 3,
        }
    )


def in_milvus(kind: Kind, frame: pd.DataFrame, folder: Path) -> MilvusIndex:
    """N vectors of which many are equal, among rows of another version."""
    embeddings = Embeddings(np.arange(N) * 7 + 3, tied(N, 0))
    fields = [Field.of(name, number=name == "price") for name in frame]
    config = MilvusConfig(uri=str(folder / "milvus.db"), kind=kind)
    held = Collection(config, "random", embeddings.vectors.shape[1], fields, key_of)
    held.make()
    keys = np.random.default_rng(1).permutation(N) * 10**16
    columns = frame.astype(object).where(frame.notna(), None)
    rows = [
        {KEY: int(keys[row]), **dict.fromkeys(FIELDS, embeddings.vectors[row])}
        | {one.name: held.value(one, columns[one.column][row]) for one in fields}
        for row in range(N)
    ]
    held.upsert(rows + [row | {KEY: row[KEY] + 1} for row in rows[::3]])
    held.flush()
    disk = lay_on_disk([embeddings.vectors], embeddings.vectors.shape, folder)
    version = Held(held, keys, int(keys[0]))
    version.check()
    return MilvusIndex(version, FIELDS[0], embeddings.ids, disk, "cosine")


@pytest.fixture(scope="module", params=["faiss", "milvus"])
def index(
    request: pytest.FixtureRequest, frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> VectorIndex:
    """The same N vectors in each implementation."""
    if request.param == "milvus":
        return in_milvus("FLAT", frame, tmp_path_factory.mktemp("milvus"))
    return build_index(Embeddings(np.arange(N) * 7 + 3, tied(N, 0)), IndexConfig())[0]


FILTERS: list[dict[str, Any] | None] = [
    None,
    {"colour": [HOSTILE[2]]},
    {"colour": HOSTILE, "price": {"min": -50}},
    {"colour": [None, "Red"], "in stock?": [True, None]},
    {"price": {"min": -20.5, "max": 1e300}},
    {"price": [None]},
    {"colour": {"contains": "or"}},
    {"in stock?": [False]},
    {"colour": []},
    {"id": [3, 10.0, 2096]},
    {"id": {"min": 700}},
    {"id": {"min": -1e300, "max": 1399.5}, "price": {"max": 0}},
    {"id": {"max": 10**30}},
]


@pytest.mark.parametrize("filters", FILTERS, ids=range(len(FILTERS)))
@pytest.mark.parametrize("k", [1, 10, 500])
def test_ids_and_scores_are_those_of_brute_force(
    index: VectorIndex, frame: pd.DataFrame, filters: dict[str, Any] | None, k: int
) -> None:
    table = FilterTable(frame)
    allowed, where = table.mask(filters), table.conditions(filters)
    queries = np.concatenate([tied(4, 1), gallery(2, 6, seed=2).vectors])
    scores, rows = index.search(queries, k, allowed, where)
    best, expected = brute_force(queries, np.array(index.vectors), k, allowed)
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_allclose(scores, best, atol=1e-6)
    assert scores.dtype == np.float32
    if where and isinstance(index, MilvusIndex):
        assert index._held._said == "", "Milvus was asked, and understood"
        asked = index._held.collection.expression(where)
        assert re.fullmatch(r"[a-z0-9_ ()\[\],.<>=+?-]+", asked), "no value is in an expression"


def test_masks_that_no_column_tells_are_met(index: VectorIndex) -> None:
    allowed = np.random.default_rng(3).random(N) < 0.2
    scores, rows = index.search(tied(3, 4), 20, allowed)
    best, expected = brute_force(tied(3, 4), np.array(index.vectors), 20, allowed)
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_allclose(scores, best, atol=1e-6)


@pytest.mark.parametrize("kind", ["HNSW", "IVF_SQ8"])
def test_an_index_that_is_not_exact_finds_k_of_true_scores(
    kind: Kind, frame: pd.DataFrame, tmp_path: Path
) -> None:
    index, table = in_milvus(kind, frame, tmp_path), FilterTable(frame)
    for filters in (None, {"price": {"max": 0}}, {"colour": HOSTILE[:1]}):
        allowed = table.mask(filters)
        scores, rows = index.search(tied(3, 1), 20, allowed, table.conditions(filters))
        best, _ = brute_force(tied(3, 1), np.array(index.vectors), 20, allowed)
        np.testing.assert_allclose(scores, (tied(3, 1) @ index.vectors.T)[[[0], [1], [2]], rows])
        assert np.mean(scores == best) > 0.9
        assert allowed is None or allowed[rows].all()
        assert index._held._said == ""


def test_a_scan_of_the_disk_is_exact() -> None:
    vectors, queries = np.tile(tied(500, 5), (40, 1)), tied(3, 6)
    scores, rows = scan(queries, vectors, 40, None)
    best, expected = brute_force(queries, vectors, 40)
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_array_equal(scores, best)


@pytest.fixture(scope="module")
def believing_store(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("believing")
    build_store(directory, archive, encoder=BelievingEncoder())
    return directory


def rebuild(directory: Path, archive: Path) -> None:
    """The next version of a store."""
    build_store(directory, archive, encoder=BelievingEncoder(), former=Store.open(directory))


def load(directory: Path, config: MilvusConfig | None = None, **settings: Any) -> Any:
    contents = Contents(Store.open(directory))
    config = config or MilvusConfig.read({}, directory)
    return load_collection(contents, BelievingEncoder.agreement, config, **settings)


def over_milvus(directory: Path, config: MilvusConfig | None = None) -> Recommender:
    config = config or MilvusConfig.read({}, directory)
    return Recommender(collected_gallery(Store.open(directory), config), BelievingEncoder())


def asked_all(recommender: Recommender) -> list[Hits]:
    """What doors and options there are, through both rankings."""
    picture = Image.effect_mandelbrot((60, 80), (-1, -1, 1, 1), 9).convert("RGB")
    hits = asked_few(recommender)
    for ranking in ("image", "hybrid"):
        for knobs in ({"liked": [1, 5], "disliked": [11]}, {"diversity": 0.7}, {"fold": True}):
            options = Options(k=4, ranking=ranking, **knobs)
            hits.append(recommender.by_image(picture, options))
            hits.append(recommender.by_id(12, options, text="in black"))
            hits.append(recommender.by_text("red tee for men", options))
    return hits


def asked_few(recommender: Recommender) -> list[Hits]:
    filters = {"season": [None, "Fall", "Summer"], "year": {"min": 2011.5}}
    knobs: list[dict[str, Any]] = [{"filters": filters}, {"repeats": True, "k": 100}]
    return [
        recommender.by_id(item_id, Options(ranking=ranking, **some))
        for item_id in (3, 12)
        for ranking in ("image", "hybrid")
        for some in knobs
    ]


def held_by(recommender: Recommender) -> Held:
    index = recommender.gallery.index
    assert isinstance(index, MilvusIndex)
    return index._held


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the index has told an owner."""
    return [r.getMessage() for r in caplog.records if r.name == milvus_index.__name__]


def check_same(found: list[Hits], expected: list[Hits]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.ids.tolist() == theirs.ids.tolist()
        np.testing.assert_array_equal(ours.scores, theirs.scores)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_every_door_answers_as_it_does_in_memory(
    archive: Path, tmp_path: Path, metric: Metric
) -> None:
    build_store(tmp_path, archive, IndexConfig(metric=metric), BelievingEncoder())
    loaded = load(tmp_path)
    assert (loaded.count, loaded.added, loaded.removed) == (13, 13, 0)
    ours, theirs = over_milvus(tmp_path), open_store(tmp_path, BelievingEncoder())
    check_same(asked_all(ours), asked_all(theirs))
    # A picture of the catalog, in one of its copies, is recognised by looks that Milvus has.
    path = tmp_path / "shown.jpg"
    path.write_bytes(draw_picture(ROWS[11]))
    with Image.open(path) as file:
        shown = file.convert("RGB")
    ours_seen, theirs_seen = (r._recognition for r in (ours, theirs))
    assert ours_seen is not None
    assert theirs_seen is not None
    for query in (ours.see([shown]).vectors, ours.see([Image.new("RGB", (60, 80))]).vectors):
        [one], [other] = ours_seen.recognise(query), theirs_seen.recognise(query)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.rows.tolist() == other.rows.tolist()
            assert one.cosine == other.cosine


def test_a_load_that_was_stopped_goes_on(
    believing_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = MilvusConfig(uri=str(tmp_path / "other.db"))
    sent, upsert = count(), Collection.upsert

    def breaks(self: Collection, rows: list[dict[str, Any]]) -> None:
        if next(sent) == 2:
            raise ClusterError("Milvus takes no more.")
        upsert(self, rows)

    monkeypatch.setattr(collection, "_AT_ONCE", 4)
    with monkeypatch.context() as patch:
        patch.setattr(Collection, "upsert", breaks)
        with pytest.raises(ClusterError, match="8 of 13 items were sent: run `python -m scripts"):
            load(believing_store, config)
    loaded = load(believing_store, config)
    assert (loaded.added, loaded.removed) == (5, 0)
    assert load(believing_store, config).added == 0


def test_readers_see_the_old_or_the_new(
    believing_store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = tmp_path / "store"
    shutil.copytree(believing_store, directory)
    load(directory)
    old = over_milvus(directory)
    before = asked_few(old)
    former = Contents(Store.open(directory)).row_names
    changed = [row if row[0] != 5 else (*row[:5], "Green", *row[6:]) for row in ROWS[:-1]]
    changed.append((14, *ROWS[0][1:]))
    rebuild(directory, write_archive(tmp_path / "b.zip", changed))
    expected = asked_few(open_store(directory, BelievingEncoder()))
    # The store is new, Milvus not yet: what it does not hold is found on disk, and that is said.
    caplog.set_level(logging.INFO)
    early = over_milvus(directory)
    check_same(asked_few(early), expected)
    [told] = said(caplog)
    assert "does not hold this store as it is now: run `python -m scripts.load_milvus`" in told
    assert "Meanwhile the store's own file is searched" in told
    loaded = load(directory, former=former, prune=True)
    assert (loaded.added, loaded.removed) == (2, 0), "one changed and one new; none of both removed"
    caplog.clear()
    check_same(asked_few(over_milvus(directory)), expected)
    check_same(asked_few(old), before)
    assert said(caplog) == [], "both find theirs in Milvus"
    held_by(early).check()
    check_same(asked_few(early), expected)
    assert said(caplog) == ["Milvus answers again."]
    # At the next update, whoever read the version before the last has long read another.
    assert load(directory, prune=True).removed == 3, "one changed, one removed, and the marker"
    check_same(asked_few(old), before)
    # Who reads it nevertheless notices, and reads the store's file.
    held_by(old)._asked_again = 0.0
    until = time.monotonic() + 30
    while old.index.found_by == "milvus" and time.monotonic() < until:
        old.by_id(3)
        time.sleep(0.05)
    assert old.index.found_by == "disk"
    check_same(asked_few(old), before)


def test_two_stores_of_one_server_leave_each_other_alone(
    believing_store: Path, tmp_path: Path
) -> None:
    """Of one encoder, with the same columns and mostly the same items; copies of one are one."""
    stores, config = [tmp_path / "one", tmp_path / "other"], MilvusConfig(uri="http://localhost:1")
    shutil.copytree(believing_store, stores[0])
    build_store(stores[1], write_archive(tmp_path / "b.zip", ROWS[:-1]), encoder=BelievingEncoder())
    names = [Contents(Store.open(one)).collection(config).name for one in stores]
    assert names[0] != names[1]
    assert Contents(Store.open(believing_store)).collection(config).name == names[0]
    # An update stays where the store was, wherever its catalog comes to.
    rebuild(stores[0], write_archive(tmp_path / "c.zip", ROWS[:-1]))
    assert Contents(Store.open(stores[0])).collection(config).name == names[0]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
    """Milvus' protocol on a port of this machine: its address, what starts it and what stops it."""
    from milvus_lite.adapter.grpc.server import start_server_in_thread

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    running: list[Any] = []

    def start() -> None:
        running.extend(start_server_in_thread(str(tmp_path / "s.db"), "127.0.0.1", port)[:2])

    def stop() -> None:
        if running:
            running[0].stop(grace=0).wait()
            running[1].close()
            running.clear()

    yield f"http://127.0.0.1:{port}", start, stop
    stop()


def test_a_server_that_is_away_is_not_missed(
    server: tuple[str, Callable[[], None], Callable[[], None]],
    believing_store: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address, start, stop = server
    config = MilvusConfig(uri=address, timeout_seconds=1.0)
    plain = open_store(believing_store, BelievingEncoder())
    expected = asked_few(plain)
    with pytest.raises(ClusterError, match=r"does not answer. 0 of 13 items"):
        load(believing_store, config)
    caplog.set_level(logging.INFO)
    recommender = over_milvus(believing_store, config)  # away at the start
    check_same(asked_few(recommender), expected)
    assert recommender.index.found_by == "disk", "which /healthz says"
    told = f"Milvus at {config.place} does not answer. Meanwhile the store's own file is searched"
    assert [told in one for one in said(caplog)] == [True], "said once"
    start()
    assert load(believing_store, config).added == 13
    monkeypatch.setattr(milvus_index, "_PAUSE_SECONDS", 0.0)
    held_by(recommender).check()
    assert said(caplog)[-1] == "Milvus answers again."
    check_same(asked_few(recommender), expected)
    assert recommender.index.found_by == "milvus"
    stop()  # and between two searches
    check_same([recommender.by_id(3)], [plain.by_id(3)])
    assert told in said(caplog)[-1]
    start()
    until = time.monotonic() + 30
    while said(caplog)[-1] != "Milvus answers again." and time.monotonic() < until:
        recommender.by_id(3)  # answers, while another thread sees whether Milvus is back
        time.sleep(0.05)
    assert said(caplog)[-1] == "Milvus answers again."
    check_same([recommender.by_id(3)], [plain.by_id(3)])
    assert load(believing_store, replace(config, timeout_seconds=30.0)).added == 0, "nothing lost"


def test_a_file_that_another_process_has_is_told(
    server: tuple[str, Callable[[], None], Callable[[], None]],
    believing_store: Path,
    tmp_path: Path,
) -> None:
    server[1]()
    with pytest.raises(ClusterError, match="one process at a time"):
        load(believing_store, MilvusConfig(uri=str(tmp_path / "s.db")))


@pytest.mark.parametrize("found", ["folder", "file", "nothing"])
def test_what_is_no_folder_of_milvus_lite_is_told(tmp_path: Path, found: str) -> None:
    """Which it says of itself in one way, whatever it is."""
    uri = tmp_path / ("nowhere/milvus.db" if found == "nothing" else "milvus.db")
    if found == "file":
        uri.write_bytes(b"SQLite format 3")
    elif found == "folder":
        (uri / "databases").mkdir(parents=True)
        (uri / "LOCK").mkdir()
    said = {"folder": "it is damaged", "file": "nothing that Milvus Lite 3", "nothing": "no folder"}
    with pytest.raises(ClusterError, match=said[found]):
        Collection(MilvusConfig(uri=str(uri)), "e", 2, [], key_of).make()


def test_a_collection_that_was_half_made_is_made_whole(
    server: tuple[str, Callable[[], None], Callable[[], None]],
) -> None:
    """Whoever made it was killed between its fields and its indexes."""
    server[1]()
    config = MilvusConfig(uri=server[0], timeout_seconds=5.0)
    half = Collection(config, "e", 2, [Field.of("x", number=True)], key_of)
    half._ask(half._create)
    assert not half.holds(7)
    half.make()
    half.upsert([{KEY: 7, "c_x": 1.5, **dict.fromkeys(FIELDS, np.ones(2, np.float32))}])
    assert half.holds(7)
    assert half.nearest(FIELDS[1], np.ones((1, 2), np.float32), 5, "c_x > 1") == [[(7, 2.0)]]
    # What somebody else has made under such a name stays theirs.
    other = Collection(config, "e", 3, [Field.of("x", number=True)], key_of)
    other.name = half.name
    for ask in (other.make, lambda: other.holds(7)):
        with pytest.raises(ClusterError, match="of another schema: drop that, or name ours"):
            ask()
    half.close()
    other.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate")
def test_a_server_asks_for_a_token_over_tls(believing_store: Path, tmp_path: Path) -> None:
    """Who may not write is told so, and can read; who shows another token, or is shown a
    certificate of nobody that is known, is told that."""
    from guarded_milvus import READER, WRITER, guarded_milvus

    with guarded_milvus(tmp_path) as (uri, certificate):
        known = MilvusConfig(uri=uri, timeout_seconds=5.0, certificate=str(certificate))
        told = {
            replace(known, certificate=""): "a certificate that does not fit",
            known: "refuses the token: see FASHION_MILVUS_TOKEN",
            replace(known, token=READER * 2): "refuses the token: see FASHION_MILVUS_TOKEN",
            replace(known, token=READER): "the token may not do that with fashion_",
        }
        for config, sentence in told.items():
            with pytest.raises(ClusterError, match=f"{sentence}.*0 of 13 items were sent"):
                load(believing_store, config)
        assert load(believing_store, replace(known, token=WRITER)).added == 13
        reader = over_milvus(believing_store, replace(known, token=READER))
        check_same(asked_few(reader), asked_few(open_store(believing_store, BelievingEncoder())))
        assert held_by(reader)._said == ""
        held_by(reader).collection.close()


def test_other_encoders_and_columns_are_other_collections() -> None:
    config = MilvusConfig(uri="http://localhost:1")
    names = {
        Collection(config, encoder, dim, [Field.of(column, number=number)], key_of).name
        for encoder, dim, column, number in (
            ("a", 8, "x", True),
            ("b", 8, "x", True),
            ("a", 9, "x", True),
            ("a", 8, "y", True),
            ("a", 8, "x", False),
        )
    }
    assert len(names) == 5
    assert all(re.fullmatch(r"fashion_[0-9a-f]{12}", name) for name in names)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("PrivilegeUpsert: permission deny to bob", "the token may not do that with fashion_"),
        ("auth check failure, please check api key is correct", "see FASHION_MILVUS_TOKEN"),
        ("quota exceeded[reason=disk quota exceeded]: deny to write", "quota is full"),
        ("Fail connecting to server on localhost:1, server unavailable", "does not answer"),
        ("something\nelse", "refuses: something else"),
    ],
)
def test_what_milvus_says_is_one_sentence(words: str, sentence: str) -> None:
    from pymilvus import MilvusException

    def refuse(_: Any) -> None:
        raise MilvusException(message=words)

    config = MilvusConfig(uri="https://bob:secret@localhost:1/db")
    asked = Collection(config, "e", 2, [], key_of)
    asked._client = type("Client", (), {"close": lambda self: None})()
    with pytest.raises(ClusterError, match=re.escape(sentence)) as error:
        asked._ask(refuse)
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "variables",
    [
        {"FASHION_MILVUS_URI": "milvus.example:19530"},
        {"FASHION_MILVUS_URI": "ftp://milvus.example"},
        {"FASHION_MILVUS_URI": "http://"},
        {"FASHION_MILVUS_URI": "http://milvus.example:99999"},
        {"FASHION_MILVUS_URI": "http://[::1"},
        {"FASHION_MILVUS_URI": "https://milvus.example/shop.db"},
        {"FASHION_MILVUS_CERTIFICATE": "nowhere.pem"},
        {"FASHION_MILVUS_COLLECTION": "shop-1"},
    ],
)
def test_settings_that_cannot_be_are_told(variables: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="FASHION_MILVUS_"):
        MilvusConfig.read(variables, tmp_path)


def test_settings_are_read(tmp_path: Path) -> None:
    (tmp_path / "c").touch()
    variables = {"URI": "https://m.example", "TOKEN": "t\n", "COLLECTION": "shop"}
    variables["CERTIFICATE"] = str(tmp_path / "c")
    config = MilvusConfig.read({f"FASHION_MILVUS_{k}": v for k, v in variables.items()}, tmp_path)
    assert (config.token, config.collection) == ("t", "shop")
    assert config.certificate == variables["CERTIFICATE"]
    assert config.is_server
    assert config.place == "m.example"
    assert "token" not in repr(config)
    assert MilvusConfig.found({}, tmp_path) is None
    (tmp_path / "milvus.db").mkdir()
    assert MilvusConfig.found({}, tmp_path) == MilvusConfig(uri=str(tmp_path / "milvus.db"))


def test_without_its_packages_it_is_said_what_to_install(
    believing_store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    with pytest.raises(ClusterError, match=r"pip install -r requirements-scale.txt"):
        load(believing_store)
    # The script says it as any other error.
    monkeypatch.setattr(load_milvus, "encoder_of", lambda store, device: TinyEncoder())
    assert load_milvus.main(["--data", str(believing_store)]) == 1
    assert capsys.readouterr().err.startswith("error: Milvus takes more packages")
