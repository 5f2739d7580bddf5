"""Three doors, one corridor: what is answered, and what cannot be asked."""

import json
import math
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import (
    ROWS,
    TinyEncoder,
    build_store,
    draw_picture,
    open_store,
    styles_csv,
    write_archive,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from weights import CONFIG, random_state, random_weights, write_weights

from recommender.errors import (
    IndexMismatchError,
    QueryError,
    StoreError,
    UnknownItemError,
    WeightsError,
)
from recommender.index.faiss import IndexConfig
from recommender.pictures.decode import decode_image
from recommender.schema import COLUMNS, TYPE
from recommender.search.corrections import KIND
from recommender.search.hits import Hits
from recommender.search.options import MAX_K, Options, Ranking
from recommender.search.recommender import Recommender
from recommender.service.open import load_recommender
from recommender.service.sentences import message_of
from recommender.store.manifest import MANIFEST_FILE
from scripts import build_catalog, build_index

IDS = [row[0] for row in ROWS]
PICTURES = {
    row[0]: decode_image(draw_picture(row), at_least_px=TinyEncoder.input_px) for row in ROWS
}


def brute_force(
    recommender: Recommender, item_id: int, k: int, allowed: set[int], repeats: bool
) -> list[int]:
    """Ids by a full sort, the item's own picture left out."""
    vectors = recommender.index.vectors.astype(np.float64)
    own = IDS.index(item_id)
    scores = vectors @ vectors[own]
    picture = {i: 11 if i == 12 else i for i in IDS}
    found: list[int] = []
    seen = set() if repeats else {picture[item_id]}
    for row in np.lexsort((np.arange(len(IDS)), -scores.round(6))):
        candidate = IDS[row]
        if candidate != item_id and candidate in allowed and picture[candidate] not in seen:
            found.append(candidate)
            if not repeats:
                seen.add(picture[candidate])
    return found[:k]


def check(hits: Hits) -> list[int]:
    assert hits.rows.dtype == np.int64
    assert hits.ids.dtype == np.int64
    assert hits.scores.dtype == np.float32
    assert len(hits.ids) == len(hits.scores) == len(set(hits.ids.tolist()))
    assert np.all(np.diff(hits.scores) <= 0)
    assert np.all(np.abs(hits.scores) <= 1 + 1e-5)
    assert all(ms >= 0 for ms in hits.timings_ms.values())
    return hits.ids.tolist()


GENDERS = ["Men", "Women", "Boys", "Girls", "Unisex"]


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(IDS),
    st.integers(1, 20),
    st.one_of(st.none(), st.lists(st.sampled_from(GENDERS), min_size=1)),
    st.booleans(),
)
def test_by_id_is_brute_force(
    recommender: Recommender, item_id: int, k: int, genders: list[str] | None, repeats: bool
) -> None:
    filters = {"gender": genders} if genders else None
    hits = recommender.by_id(item_id, Options(k=k, filters=filters, repeats=repeats))
    allowed = {row[0] for row in ROWS if not genders or row[1] in genders}
    assert check(hits) == brute_force(recommender, item_id, k, allowed, repeats)
    assert set(hits.timings_ms) == {"search", "rank"}


@pytest.mark.parametrize("factory", ["PCA8,Flat", "HNSW4", "IVF4,Flat", "SQ8"])
def test_approximate_indexes_filter_exactly_and_return_k(
    archive: Path, tmp_path: Path, factory: str
) -> None:
    build_store(tmp_path, archive, IndexConfig(factory=factory))
    approximate = open_store(tmp_path)
    for item_id in IDS:
        for genders in (["Men"], GENDERS):
            allowed = {row[0] for row in ROWS if row[1] in genders}
            hits = approximate.by_id(item_id, Options(k=5, filters={"gender": genders}))
            assert check(hits) == brute_force(approximate, item_id, 5, allowed, False)
        hits = approximate.by_id(item_id, Options(k=10))
        assert len(check(hits)) == 10
        assert message_of(len(hits), Options(k=10)) == ""


def test_a_picture_finds_its_item_first(recommender: Recommender) -> None:
    for item_id, picture in PICTURES.items():
        hits = recommender.by_image(picture, Options(k=3))
        assert check(hits)[0] == (11 if item_id == 12 else item_id)
        assert hits.scores[0] == pytest.approx(1, abs=1e-5)
        assert set(hits.timings_ms) == {"encode", "search", "rank"}


def test_an_item_never_finds_itself(recommender: Recommender) -> None:
    for item_id in IDS:
        for repeats in (False, True):
            assert item_id not in check(recommender.by_id(item_id, Options(k=100, repeats=repeats)))


def test_identical_pictures_are_shown_once_unless_asked(recommender: Recommender) -> None:
    assert check(recommender.by_image(PICTURES[12], Options(k=100))).count(12) == 0
    both = check(recommender.by_image(PICTURES[12], Options(k=100, repeats=True)))
    assert both[:2] == [11, 12]
    assert 12 not in check(recommender.by_id(11, Options(k=100)))
    assert check(recommender.by_id(11, Options(k=100, repeats=True)))[0] == 12


def test_a_crowd_of_identical_pictures_does_not_hide_the_others(tmp_path: Path) -> None:
    crowd = [(100 + i, *ROWS[10][1:]) for i in range(60)]
    others = ROWS[:6]
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("styles.csv", styles_csv([*crowd, *others]))
        for row in [*crowd, *others]:
            drawn = ROWS[10] if row in crowd else row
            archive.writestr(f"images/{row[0]}.jpg", draw_picture(drawn))
    build_store(tmp_path / "store", tmp_path / "b.zip")
    crowded = open_store(tmp_path / "store")
    hits = crowded.by_image(PICTURES[11], Options(k=5))
    assert check(hits)[0] == 100
    assert len(hits.ids) == 5
    assert set(check(crowded.by_id(130, Options(k=6)))) == {row[0] for row in others}
    assert check(crowded.by_id(130, Options(k=20, repeats=True))) == list(range(100, 120))


@pytest.mark.parametrize(
    "k", [0, -1, 101, 10**9, 10**400, "5", 5.5, True, None, math.nan, math.inf, [5]]
)
def test_k_that_cannot_be(recommender: Recommender, k: Any) -> None:
    with pytest.raises(QueryError, match="from 1 to 100"):
        recommender.by_id(1, Options(k=k))
    with pytest.raises(QueryError, match="from 1 to 100"):
        recommender.by_image(PICTURES[1], Options(k=k))


@pytest.mark.parametrize("k", [1, 5, 5.0, np.int64(5), MAX_K])
def test_k_that_can(recommender: Recommender, k: Any) -> None:
    assert len(check(recommender.by_id(1, Options(k=k)))) == min(k, len(IDS) - 2)


@pytest.mark.parametrize(
    "item_id", [99, -1, 2**70, "1", "x", True, None, 1.5, math.nan, 1e300, [1]]
)
def test_ids_that_are_not(recommender: Recommender, item_id: Any) -> None:
    for ask in (recommender.by_id, recommender.item, recommender.picture_bytes):
        with pytest.raises(UnknownItemError, match=r"id"):
            ask(item_id)


def test_ids_as_json_gives_them(recommender: Recommender) -> None:
    assert recommender.item(3.0) == recommender.item(np.int64(3)) == recommender.item(3)


def test_messages(recommender: Recommender) -> None:
    def message(options: Options, item_id: int | None = None) -> str:
        if item_id is not None:
            return message_of(len(recommender.by_id(item_id, options)), options)
        return message_of(len(recommender.by_image(PICTURES[1], options)), options)

    assert message(Options(k=3), 1) == ""
    assert message(Options(k=100), 1) == "The catalog has only 11 other items."
    few = Options(k=5, filters={"gender": ["Unisex", "Boys"]})
    assert message(few) == "Only 2 items pass these filters."
    one = Options(k=5, filters={"gender": ["Unisex"]})
    assert message(one) == "Only 1 item passes these filters."
    none = Options(filters={"gender": ["Unisex"], "season": [None]})
    assert message(none).startswith("No item passes these filters")
    assert check(recommender.by_image(PICTURES[1], none)) == []


def test_an_item_is_plain_json(recommender: Recommender) -> None:
    for row in ROWS:
        item = recommender.item(row[0])
        assert list(item) == list(COLUMNS)
        assert json.loads(json.dumps(item, allow_nan=False)) == item
        for name, value in zip(COLUMNS, row, strict=True):
            want = None if value in ("", "NA") else int(value) if name == "year" else value
            assert item[name] == want
        assert recommender.picture_bytes(row[0]) == draw_picture(row)
    assert len(recommender) == len(ROWS)


def test_answers_are_the_same_again_and_in_threads(recommender: Recommender) -> None:
    def ask(item_id: int) -> tuple[Any, ...]:
        image = recommender.by_image(PICTURES[item_id], Options(filters={"gender": ["Men"]}))
        by_id = recommender.by_id(item_id, Options(k=4))
        return (*image.ids, *image.scores, *by_id.ids, *by_id.scores, len(by_id))

    alone = [ask(item_id) for item_id in IDS]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, IDS * 5)) == alone * 5


def test_an_index_of_other_items(store: Path, tmp_path: Path) -> None:
    whole = open_store(store)
    build_store(tmp_path, write_archive(tmp_path / "b.zip", ROWS[:5]))
    few = open_store(tmp_path)
    with pytest.raises(IndexMismatchError, match="another catalog"):
        Recommender(replace(few.gallery, index=whole.index), whole.encoder)
    # A catalog may hold items that could not be embedded.
    wider = Recommender(replace(whole.gallery, index=few.index), few.encoder)
    assert wider.item(4) == whole.item(4)
    assert wider.picture_bytes(4) == whole.picture_bytes(4)
    with pytest.raises(UnknownItemError):
        wider.item(6)


# --- the real network


def test_a_real_store_end_to_end(
    archive: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data, weights = tmp_path / "store", tmp_path / "w.safetensors"
    weights.write_bytes(random_weights(tmp_path_factory.getbasetemp()).read_bytes())
    with pytest.raises(StoreError, match=r"scripts\.build_catalog"):
        load_recommender(data)
    assert build_catalog.main(["--source", str(archive), "--data", str(data)]) == 0
    with pytest.raises(StoreError, match=r"no index yet.*scripts\.build_index"):
        load_recommender(data)
    built = build_index.main(
        ["--data", str(data), "--encoder", str(weights), "--pooling", "gem", "--device", "cpu"]
    )
    assert built == 0
    recommender = load_recommender(data, device="cpu")
    assert recommender.encoder.config.pooling == "gem"
    assert recommender.encoder.input_px == (CONFIG["width_px"], CONFIG["height_px"])
    for item_id in (1, 11):
        picture = decode_image(draw_picture(ROWS[item_id - 1]))
        hits = recommender.by_image(picture, Options(k=3))
        assert check(hits)[0] == item_id
        assert hits.scores[0] > 0.999

    manifest = json.loads((data / MANIFEST_FILE).read_text())
    manifest["encoder"]["config"]["sharpness"] = 3
    whole = (data / MANIFEST_FILE).read_text()
    (data / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(IndexMismatchError, match=r"scripts\.build_index"):
        load_recommender(data, device="cpu")

    (data / MANIFEST_FILE).write_text(whole)
    state = random_state()
    write_weights(weights, state | {"bn1.bias": state["bn1.bias"] + 0.1})
    with pytest.raises(IndexMismatchError, match=r"scripts\.build_index"):
        load_recommender(data, device="cpu")
    weights.unlink()
    with pytest.raises(WeightsError, match="There are no weights"):
        load_recommender(data, device="cpu")


# --- rankings


def agreed(recommender: Recommender, row: int, *, hybrid: bool, own: bool) -> np.ndarray:
    """What an item is expected to agree in with each, by the definition, item by item."""
    agreement, frame = recommender.encoder.agreement, recommender.frame
    vectors, dim = recommender.index.vectors, agreement.looks_dim
    beliefs = agreement.beliefs(vectors)
    known = own and frame[TYPE].iloc[row] in agreement.classes[TYPE]
    counts = KIND if known else {}
    scores = vectors[:, :dim] @ vectors[row, :dim]
    for name in agreement.labels:
        classes = agreement.classes[name]
        for other in range(len(frame)):
            sides = []
            for side, knows in ((row, own), (other, hybrid)):
                known = frame[name].iloc[side]
                sure = np.array([float(value == known) for value in classes])
                sides.append(sure if knows and sure.any() else beliefs[name][side])
            share = agreement.weights[name] * counts.get(name, 1)
            scores[other] += share * float(sides[0] @ sides[1])
    return scores


@pytest.mark.parametrize("ranking", ["image", "hybrid", "auto"])
def test_items_are_ranked_by_expected_agreement(believing: Recommender, ranking: Ranking) -> None:
    ids = believing.frame["id"].to_numpy()
    hybrid = ranking != "image"
    for row, item_id in enumerate(ids):
        hits = believing.by_id(int(item_id), Options(k=12, repeats=True, ranking=ranking))
        expected = agreed(believing, row, hybrid=hybrid, own=hybrid)
        found = expected[np.searchsorted(ids, hits.ids)]
        assert len(hits.ids) == len(ids) - 1
        assert (np.diff(hits.scores) <= 0).all()
        assert (np.diff(found) <= 1e-5).all()
        # The query is a unit row: scores are agreements, scaled alike.
        scale = hits.scores / found
        np.testing.assert_allclose(scale, scale[0], rtol=1e-3)


def test_a_picture_is_asked_with_what_is_believed_of_it(believing: Recommender) -> None:
    row = 4
    ids = believing.frame["id"].to_numpy()
    hashes = believing.frame["image_hash"].to_numpy()
    picture = decode_image(believing.picture_bytes(int(ids[row])))
    rankings: list[Ranking] = ["image", "hybrid"]
    for ranking in rankings:
        shown = believing.by_image(picture, Options(k=13, ranking=ranking, repeats=True))
        found = np.searchsorted(ids, shown.ids)
        assert len(found) == len(ids)
        others = found[hashes[found] != hashes[row]]
        expected = agreed(believing, row, hybrid=ranking == "hybrid", own=False)
        assert (np.diff(expected[others]) <= 1e-5).all()
        assert set(shown.beliefs) == {"gender", "articleType"}
        for name, believed in believing.describe(picture).items():
            np.testing.assert_array_equal(shown.beliefs[name], believed)
            assert believed.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("ranking", ["image", "hybrid"])
def test_a_picture_of_the_catalog_finds_itself_first(
    believing: Recommender, ranking: Ranking, repeats: bool
) -> None:
    hashes = believing.frame.set_index("id")["image_hash"]
    for item_id in hashes.index:
        picture = decode_image(believing.picture_bytes(item_id))
        hits = believing.by_image(picture, Options(k=12, ranking=ranking, repeats=repeats))
        same = (hashes[hits.ids] == hashes[item_id]).to_numpy()
        wanted = int((hashes == hashes[item_id]).sum()) if repeats else 1
        assert same[:wanted].all()
        assert not same[wanted:].any()
        assert (np.diff(hits.scores) <= 0).all()


def test_a_recognised_picture_passes_the_filters_like_any_other(believing: Recommender) -> None:
    for item_id, gender in believing.frame[["id", "gender"]].itertuples(index=False):
        picture = decode_image(believing.picture_bytes(item_id))
        for asked in believing.frame["gender"].unique():
            hits = believing.by_image(picture, Options(k=12, filters={"gender": [asked]}))
            assert {believing.item(int(i))["gender"] for i in hits.ids} == {asked}
            if (
                asked == gender
                and believing.frame["image_hash"].value_counts()[
                    believing.frame.set_index("id")["image_hash"][item_id]
                ]
                == 1
            ):
                assert hits.ids[0] == item_id


@pytest.mark.parametrize("ranking", ["image", "hybrid"])
def test_filters_are_exact_in_every_ranking(believing: Recommender, ranking: Ranking) -> None:
    filters = {"masterCategory": ["Apparel"]}
    everything = believing.by_id(5, Options(k=12, repeats=True, ranking=ranking)).ids
    apparel = believing.frame.set_index("id")["masterCategory"] == "Apparel"
    found = believing.by_id(5, Options(k=12, repeats=True, ranking=ranking, filters=filters)).ids
    np.testing.assert_array_equal(found, [i for i in everything if apparel[i]])


def test_rankings_that_cannot_be(recommender: Recommender, believing: Recommender) -> None:
    assert recommender.rankings == ("image",)
    assert believing.rankings == ("image", "hybrid")
    with pytest.raises(QueryError, match="can be ranked by image only"):
        recommender.by_id(1, Options(ranking="hybrid"))
    with pytest.raises(QueryError, match="The ranking is one of auto, image, hybrid"):
        believing.by_id(1, Options(ranking="best"))  # type: ignore[arg-type]
    np.testing.assert_array_equal(
        recommender.by_id(1, Options(ranking="auto")).ids,
        recommender.by_id(1, Options(ranking="image")).ids,
    )
    assert recommender.describe(decode_image(recommender.picture_bytes(1))) == {}
