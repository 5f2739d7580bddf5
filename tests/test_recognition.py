"""Which picture a query shows: none where the next one is nearly as near."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recommender.encoding.agreement import LOOKS, Agreement
from recommender.index.embeddings import Embeddings
from recommender.index.faiss import Index, IndexConfig, build_index
from recommender.search.recognition import ALIKE, RATIO, Recognition

AGREEMENT = Agreement(looks_dim=8, weights={LOOKS: 0.5, "gender": 0.5}, classes={"gender": "mw"})


def embedded(looks: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Looks beside beliefs that are not to matter."""
    sure = random.random((len(looks), 1), dtype=np.float32)
    return AGREEMENT.embed(looks, {"gender": np.concatenate([sure, 1 - sure], axis=1)})


def gallery(vectors: np.ndarray) -> Index:
    return build_index(Embeddings(np.arange(len(vectors)), vectors), IndexConfig())[0]


def units(random: np.random.Generator, count: int, dim: int = 8) -> np.ndarray:
    rows = random.normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@given(st.integers(0, 10**6), st.integers(0, 40), st.floats(0, 0.5))
def test_the_nearest_where_it_is_much_nearer_than_the_next(
    seed: int, row: int, noise: float
) -> None:
    random = np.random.default_rng(seed)
    pictures = np.concatenate([np.arange(30), random.integers(0, 30, 11)])
    looks = units(random, 30)[pictures]
    query = looks[row] + noise * random.normal(size=8)
    query = (query / np.linalg.norm(query)).astype(np.float32)[None]

    distances = np.linalg.norm(looks.astype(np.float64) - query, axis=1)
    of_pictures = np.array([distances[pictures == picture].min() for picture in range(30)])
    nearest, next_one = np.argsort(of_pictures)[:2]
    share = of_pictures[nearest] / of_pictures[next_one]

    allowed = random.random(len(pictures)) < 0.5
    [recognised] = Recognition(AGREEMENT, gallery(embedded(looks, random)), pictures).recognise(
        embedded(query, random), allowed
    )
    cosine = 1 - of_pictures[nearest] ** 2 / 2
    if share < RATIO - 1e-3 and cosine > ALIKE + 1e-3:
        assert recognised is not None
        assert recognised.rows.tolist() == np.flatnonzero((pictures == nearest) & allowed).tolist()
        np.testing.assert_allclose(
            2 - 2 * recognised.cosine, of_pictures[nearest] ** 2, rtol=1e-3, atol=1e-5
        )
    if share > RATIO + 1e-3 or cosine < ALIKE - 1e-3:
        assert recognised is None


def test_a_gallery_too_small_to_compare_recognises_nothing() -> None:
    random = np.random.default_rng(0)
    own = embedded(units(random, 1), random)
    for count in (0, 1, 3):
        pictures = np.zeros(count, dtype=np.int64)
        few = Recognition(AGREEMENT, gallery(np.repeat(own, count, 0)), pictures)
        assert few.recognise(own) == [None]
