"""The protocol against brute force: who asks, what is out of a gallery, what is then found."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROWS, TinyEncoder, build_store, open_store, write_archive
from PIL import Image

from recommender.catalog.splits import name_groups
from recommender.encoding.protocol import Encoded
from recommender.errors import CatalogError
from recommender.evaluation import protocol, queries
from recommender.evaluation.encoded import believe, encode_files
from recommender.evaluation.protocol import DEPTH, answer
from recommender.evaluation.queries import (
    Queries,
    archive_queries,
    split_queries,
)
from recommender.search.recommender import Recommender


@pytest.fixture
def everyone(recommender: Recommender, monkeypatch: pytest.MonkeyPatch) -> Queries:
    """All items as the test split."""
    monkeypatch.setattr(queries, "split_names", lambda frame: np.full(len(frame), "test"))
    return split_queries(recommender, "test")


def brute_force(recommender: Recommender, vector: np.ndarray, out: np.ndarray) -> list[int]:
    """Rows by a full sort of the gallery without `out`, identical pictures once."""
    rest = recommender.frame.drop(index=out).drop_duplicates("image_hash")
    scores = pd.Series(recommender.index.vectors[rest.index] @ vector, index=rest.index).round(6)
    return scores.sort_values(ascending=False, kind="stable").index[:DEPTH].tolist()


def check(recommender: Recommender, queries: Queries, vectors: np.ndarray) -> None:
    answers = answer(recommender, queries)
    for found, outs in ((answers.strict, queries.named), (answers.relaxed, queries.own)):
        for rows, out, vector in zip(found, outs, vectors, strict=True):
            expected = brute_force(recommender, vector, out)
            assert rows.tolist() == expected + [-1] * (DEPTH - len(expected))


def test_out_of_a_gallery_are_itself_its_picture_and_its_name(
    recommender: Recommender, everyone: Queries
) -> None:
    frame = recommender.frame
    names, pictures = name_groups(frame), frame["image_hash"]
    for row in range(len(frame)):
        own = set(np.flatnonzero(pictures == pictures[row]))
        assert set(everyone.own[row]) == own
        assert set(everyone.named[row]) == own | set(np.flatnonzero(names == names[row]))
    assert [len(rows) for rows in everyone.own].count(2) == 2  # 11 and 12 look the same
    assert [len(rows) for rows in everyone.named[:2]] == [2, 2]  # 1 and 2 have one name


def test_answers_are_those_of_brute_force(recommender: Recommender, everyone: Queries) -> None:
    check(recommender, everyone, recommender.index.vectors)


def test_what_a_dropped_item_stood_for_comes_back(tmp_path: Path) -> None:
    # 11 (shown, earlier) and 12 (hidden, later) have one picture; a query of 11's name drops 11
    # and must find 12.
    rows = [*ROWS, (14, *ROWS[0][1:9], "Hia Dress")]
    build_store(tmp_path, write_archive(tmp_path / "a.zip", rows))
    recommender = open_store(tmp_path)
    queries = archive_queries(recommender, str(tmp_path / "a.zip"), tmp_path / "queries")
    asks = next(i for i, item_id in enumerate(queries.frame["id"]) if item_id == 14)
    found = recommender.frame["id"].to_numpy()[answer(recommender, queries).strict[asks]]
    assert 12 in found
    assert 11 not in found


def test_a_crowd_of_one_name_does_not_empty_the_gallery(
    recommender: Recommender, everyone: Queries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "DEPTH", 3)
    crowd = tuple(np.arange(8) for _ in range(len(everyone)))
    queries = Queries(everyone.frame, everyone.own, crowd, everyone.picture_bytes, True, "crowd")
    strict = answer(recommender, queries).strict
    assert strict.min() >= 8


def test_a_gallery_of_nothing_but_the_query(tmp_path: Path) -> None:
    build_store(tmp_path, write_archive(tmp_path / "a.zip", ROWS[:2]))
    recommender = open_store(tmp_path)
    queries = archive_queries(recommender, str(tmp_path / "a.zip"), tmp_path / "queries")
    answers = answer(recommender, queries)
    assert (answers.strict == -1).all()
    assert answers.relaxed[:, 0].tolist() == [1, 0]


def test_a_split_without_items_says_so(recommender: Recommender) -> None:
    with pytest.raises(CatalogError, match="The split test holds none of the catalog's 13 items"):
        split_queries(recommender, "test")


def test_an_archive_that_overlaps_is_said_and_handled(
    recommender: Recommender, archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    queries = archive_queries(recommender, str(archive), tmp_path)
    assert queries.overlap == {"same id": 13, "identical picture": 13, "same name": 2}
    assert "13 by same id, 13 by identical picture, 2 by same name" in caplog.text
    check(recommender, queries, recommender.index.vectors)


def test_an_archive_of_strangers(recommender: Recommender, tmp_path: Path) -> None:
    rows = [(20 + row[0], *row[1:9], f"Stranger {row[0]}") for row in ROWS[:6]]
    source = write_archive(tmp_path / "strangers.zip", rows)
    queries = archive_queries(recommender, str(source), tmp_path / "queries")
    assert not any(queries.overlap.values())
    assert not sum(len(out) for out in queries.named)
    encoder = TinyEncoder()
    [(_, encoded)] = encode_files(encoder, queries.picture_bytes, 6)
    check(recommender, queries, encoded.vectors)
    assert len(queries.sample(4)) == 4
    assert queries.sample(4).frame.equals(queries.sample(4).frame)
    assert queries.sample(9) is queries
    chosen = queries.sample(2)
    at = queries.frame["id"].tolist().index(chosen.frame["id"][1])
    assert chosen.picture_bytes(1) == queries.picture_bytes(at)


def test_an_archive_without_the_split(recommender: Recommender, tmp_path: Path) -> None:
    source = write_archive(tmp_path / "one.zip", ROWS[:1])
    with pytest.raises(CatalogError, match="The split test holds none of the 1 items"):
        archive_queries(recommender, str(source), tmp_path / "queries", "test")


class Describer(TinyEncoder):
    """The small encoder with a head that believes in the first class by the picture's red."""

    labels = {"gender": ("Men", "Women")}  # noqa: RUF012

    def encode_queries(self, pictures: list[Image.Image], asked: object = None) -> Encoded:
        red = np.array([np.asarray(p)[..., 0].mean() / 255 for p in pictures], np.float32)
        return Encoded(self.encode_items(pictures).vectors, {"gender": np.stack([red, 1 - red], 1)})


def test_heads_are_asked_about_every_query(recommender: Recommender, everyone: Queries) -> None:
    assert believe(recommender.encoder, everyone.picture_bytes, 13) == {}
    assert answer(recommender, everyone).beliefs == {}
    heads = Recommender(recommender.gallery, Describer())
    beliefs = believe(heads.encoder, everyone.picture_bytes, 13)["gender"]
    np.testing.assert_array_equal(answer(heads, everyone).beliefs["gender"], beliefs)
    assert beliefs.shape == (13, 2)
    assert beliefs.sum(1) == pytest.approx(1)
