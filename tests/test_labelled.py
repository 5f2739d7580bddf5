"""What is known of items, looked up, against the embeddings that hold it."""

from functools import partial

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.encoding.agreement import LOOKS, Agreement
from recommender.index.embeddings import Embeddings
from recommender.index.exact import products, products_in
from recommender.index.faiss import IndexConfig, build_index
from recommender.search.labelled import Labelled, alike, alike_by_beliefs

TYPES, GENDERS = ["Bag", "Shirt", "Watch"], ["Men", "Women"]
AGREEMENT = Agreement(
    looks_dim=6,
    weights={LOOKS: 0.2, "type": 0.5, "gender": 0.3},
    classes={"type": TYPES, "gender": GENDERS},
)


def seen(random: np.random.Generator, count: int) -> np.ndarray:
    looks = random.normal(size=(count, 6)).astype(np.float32)
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    beliefs = {
        name: random.dirichlet(np.full(len(classes), 0.3), count).astype(np.float32)
        for name, classes in AGREEMENT.classes.items()
    }
    return AGREEMENT.embed(looks, beliefs)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 700),
    unknown=st.sampled_from([0.0, 0.1, 0.9, 1.0]),
)
def test_it_is_as_if_all_of_it_were_laid_down(seed: int, count: int, unknown: float) -> None:
    random = np.random.default_rng(seed)
    vectors = seen(random, count)
    labels = {
        name: [None if random.random() < unknown else str(random.choice(values)) for _ in vectors]
        for name, values in {"type": [*TYPES, "Nobody's"], "gender": GENDERS}.items()
    }
    whole = AGREEMENT.with_labels(vectors, labels)
    known = AGREEMENT.known(labels, count)
    made = Labelled(AGREEMENT, vectors, known)
    assert made.shape == whole.shape
    rows = random.integers(count, size=9)
    np.testing.assert_array_equal(made[rows], whole[rows])
    np.testing.assert_array_equal(made[:], whole)
    asked = random.normal(size=AGREEMENT.dim).astype(np.float32)
    for part in (slice(None), slice(6), slice(6, 9), slice(9, 11), slice(11, None), slice(0)):
        vector = np.zeros_like(asked)
        vector[part] = asked[part]
        np.testing.assert_allclose(products(vector, made), whole @ vector, atol=1e-5)
        np.testing.assert_allclose(products(vector, made, rows), whole[rows] @ vector, atol=1e-5)
        beliefs = products_in(made, range(6, 9), asked[6:9])
        np.testing.assert_allclose(beliefs, products_in(whole, range(6, 9), asked[6:9]), atol=1e-5)

    ids = np.arange(count)
    index, _ = build_index(Embeddings(ids, vectors), IndexConfig())
    hybrid = index.again("hybrid", lambda *_: made, alike(AGREEMENT, known))
    plain, _ = build_index(Embeddings(ids, whole), IndexConfig())
    queries = AGREEMENT.as_queries(seen(random, 3))
    for allowed in (None, random.random(count) < 0.5):
        ours, found = hybrid.search(queries, 20, allowed)
        theirs, expected = plain.search(queries, 20, allowed)
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
        # Of scores that differ by a rounding, either may come first.
        apart = np.abs(np.diff(theirs, append=-1)) > 1e-5
        apart[:, 1:] &= apart[:, :-1].copy()
        np.testing.assert_array_equal(found[apart], expected[apart])
    believed = index.grouped(partial(alike_by_beliefs, AGREEMENT))
    for allowed in (None, random.random(count) < 0.5):
        for ours, theirs in zip(
            believed.search(queries, 20, allowed), index.search(queries, 20, allowed), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_those_of_which_the_same_is_believed_are_one_group() -> None:
    """Of two that are most likely the same the surer is in another: its bounds are narrower."""
    beliefs = {
        "type": np.array([[0.1, 0.1, 0.8], [0.2, 0.0, 0.8], [0.3, 0.3, 0.4], [0.8, 0.2, 0.0]]),
        "gender": np.array([[1.0, 0.0], [1.0, 0.0], [0.6, 0.4], [1.0, 0.0]]),
    }
    looks = np.tile(np.eye(6, dtype=np.float32)[:1], (4, 1))
    told = alike_by_beliefs(AGREEMENT, AGREEMENT.embed(looks, beliefs))
    assert told is not None
    first, same, unsure, other = told.groups.tolist()
    assert first == same
    assert len({first, unsure, other}) == 3
    assert alike_by_beliefs(Agreement(looks_dim=6), looks) is None


def test_of_equal_labels_items_are_one_group() -> None:
    labels = {"type": ["Bag", "bag", None, "Watch", None], "gender": ["Men", "Men", *3 * [None]]}
    first, same, *others = alike(AGREEMENT, AGREEMENT.known(labels, 5)).groups.tolist()
    assert first == same
    assert others[0] == others[2] != others[1]
    assert first not in others
