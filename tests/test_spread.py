"""Corrections, and results of each likely type: what a query becomes, and what is then found."""

import numpy as np
import pytest
from conftest import ROWS, BelievingEncoder
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import QueryError
from recommender.search.corrections import check_corrections, with_corrections
from recommender.search.options import Options
from recommender.search.query import Query
from recommender.search.ranking import Candidates
from recommender.search.recommender import Recommender
from recommender.search.spread import MOST, SURE, in_turn, types_in_doubt

LABELS = BelievingEncoder.labels
TYPE_OF = {row[0]: row[4] for row in ROWS}


def query(recommender: Recommender, **shares: float) -> Query:
    """A red picture's looks of which a type is believed so far; the rest is spread evenly."""
    types = LABELS["articleType"]
    believed = np.full(len(types), (1 - sum(shares.values())) / (len(types) - len(shares)))
    for name, share in shares.items():
        believed[types.index(name)] = share
    agreement = recommender.encoder.agreement
    looks = agreement.looks(recommender.index.vectors[:1])
    beliefs = {
        "gender": np.full((1, 4), 0.25, np.float32),
        "articleType": believed.astype(np.float32)[None],
    }
    return Query(vectors=agreement.embed(looks, beliefs), beliefs=beliefs)


def types(ids: list[int]) -> list[str]:
    return [TYPE_OF[item_id] for item_id in ids]


def test_a_correction_wins_over_what_is_seen(believing: Recommender) -> None:
    asked = query(believing, Tshirts=0.97)
    [seen] = believing.search(asked, Options(k=3))
    assert set(types(seen.ids.tolist())) == {"Tshirts"}
    corrected = Options(k=3, corrected={"articleType": "Heels"})
    [hits] = believing.search(asked, corrected)
    assert types(hits.ids.tolist())[0] == "Heels"
    assert hits.beliefs["articleType"].max() == pytest.approx(0.97), "what is seen stays told"

    def women(**options: object) -> int:
        [hits] = believing.search(asked, Options(k=4, **options))
        return [ROWS[item_id - 1][1] for item_id in hits.ids].count("Women")

    assert women(corrected={"gender": "Women"}) > women()


def test_a_corrected_query_is_one_of_which_that_is_certain(believing: Recommender) -> None:
    agreement, vectors = believing.encoder.agreement, query(believing, Tshirts=0.5).vectors
    corrected = with_corrections(agreement, vectors, {"articleType": "Heels"})
    before, after = agreement.beliefs(vectors), agreement.beliefs(corrected)
    assert after["articleType"].tolist() == [[0, 1, 0, 0]]
    np.testing.assert_allclose(after["gender"], before["gender"], atol=1e-6)
    np.testing.assert_allclose(agreement.looks(corrected), agreement.looks(vectors), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(corrected, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ([], "an object such as"),
        ("Shirts", "an object such as"),
        ({"<b>": "Shirts"}, "gender, articleType are seen"),
        ({"season": "Fall"}, "gender, articleType are seen"),
        ({"gender": "<b>"}, "one of Boys, Girls, Men, Women"),
        ({"gender": ["Men"]}, "one of Boys"),
        ({"gender": None}, "one of Boys"),
        ({"gender": {}}, "one of Boys"),
    ],
)
def test_what_cannot_be_corrected_is_told(said: object, sentence: str) -> None:
    with pytest.raises(QueryError, match=sentence) as refused:
        check_corrections(said, LABELS)
    assert "<b>" not in str(refused.value)


def test_nothing_can_be_corrected_where_nothing_is_seen(recommender: Recommender) -> None:
    with pytest.raises(QueryError, match="sees no attributes"):
        recommender.by_id(1, Options(corrected={"articleType": "Heels"}))


def test_in_doubt_results_come_from_each_likely_type(believing: Recommender) -> None:
    doubtful = query(believing, Tshirts=0.6, Shirts=0.3)
    [usual] = believing.search(doubtful, Options(k=4))
    assert types(usual.ids.tolist())[:2] == ["Tshirts"] * 2
    [spread] = believing.search(doubtful, Options(k=4, spread=True))
    assert types(spread.ids.tolist())[:2] == ["Tshirts", "Shirts"]
    assert list(spread.types)[:2] == ["Tshirts", "Shirts"]
    assert spread.ids[0] == usual.ids[0]
    sure = query(believing, Tshirts=SURE + 0.05)
    [hits] = believing.search(sure, Options(k=4, spread=True))
    [usual] = believing.search(sure, Options(k=4))
    assert (hits.ids.tolist(), hits.types) == (usual.ids.tolist(), {})


@pytest.mark.parametrize(
    "options",
    [
        {"filters": {"articleType": ["Tshirts", "Heels"]}},
        {"corrected": {"articleType": "Shirts"}},
    ],
)
def test_who_names_the_type_leaves_no_doubt(believing: Recommender, options: dict) -> None:
    doubtful = query(believing, Tshirts=0.5, Shirts=0.4)
    [usual] = believing.search(doubtful, Options(k=5, **options))
    [spread] = believing.search(doubtful, Options(k=5, spread=True, **options))
    assert spread.ids.tolist() == usual.ids.tolist()
    assert spread.types == {}


@given(k=st.integers(1, 13), repeats=st.booleans(), gender=st.sampled_from(["Men", "Women", None]))
@settings(max_examples=20, deadline=None)
def test_as_many_are_found_as_without_and_none_twice(
    believing: Recommender, k: int, repeats: bool, gender: str | None
) -> None:
    doubtful = query(believing, Tshirts=0.4, Heels=0.35)
    options = {"k": k, "repeats": repeats, "filters": {"gender": [gender]} if gender else None}
    [usual] = believing.search(doubtful, Options(**options))
    [spread] = believing.search(doubtful, Options(**options, spread=True))
    ids = spread.ids.tolist()
    assert len(ids) == len(usual) == len(set(ids))
    if gender:
        assert {ROWS[item_id - 1][1] for item_id in ids} <= {gender}
    if not repeats:
        assert not {11, 12} <= set(ids)


def test_several_queries_are_spread_each_by_itself(believing: Recommender) -> None:
    one, other = query(believing, Tshirts=0.6, Shirts=0.3), query(believing, Heels=0.95)
    both = Query(
        vectors=np.concatenate([one.vectors, other.vectors]),
        beliefs={name: np.concatenate([one.beliefs[name], other.beliefs[name]]) for name in LABELS},
    )
    options = Options(k=4, spread=True)
    found = [hits.ids.tolist() for hits in believing.search(both, options)]
    assert found == [believing.search(each, options)[0].ids.tolist() for each in (one, other)]


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6))
def test_shares_of_types_in_doubt_are_whole(weights: list[float]) -> None:
    believed = np.array(weights, np.float32) / np.float32(sum(weights))
    names = [f"type {n}" for n in range(len(believed))]
    shares = types_in_doubt(believed, names, names)
    assert (believed.max() >= SURE) == (not shares)
    assert len(shares) <= MOST
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert not shares or sum(shares.values()) == pytest.approx(1, abs=1e-3)


def test_the_first_few_have_their_shares_however_few() -> None:
    scores = np.ones(20, np.float32)
    pools = [Candidates(np.arange(20) + at, scores) for at in (0, 100, 200)]
    rows = in_turn(pools, [0.5, 0.3, 0.2], Candidates(np.array([999]), scores[:1])).rows
    for count in (5, 10, 20):
        given = np.bincount(rows[:count] // 100, minlength=3)
        assert np.abs(given - count * np.array([0.5, 0.3, 0.2])).max() < 1
    assert rows[-1] == 999
