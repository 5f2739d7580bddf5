"""Scores against tables worked out by hand; the script that writes them."""

import doctest
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROWS, TinyEncoder, build_store, open_store, write_archive
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.evaluation import queries as protocol
from recommender.evaluation import report as scores
from recommender.evaluation.protocol import DEPTH, answer
from recommender.evaluation.queries import split_queries
from recommender.evaluation.relevance import GRADED, RELEVANCE, judge
from recommender.evaluation.report import exposure, heads, leakage, report, slices, summarise, table
from recommender.search.recommender import Recommender
from scripts import evaluate

Capture = pytest.CaptureFixture[str]


def frame(*rows: tuple) -> pd.DataFrame:
    """Items by type, gender, colour, picture; the id is the row."""
    made = pd.DataFrame(rows, columns=["articleType", "gender", "baseColour", "image_hash"])
    made["id"] = np.arange(len(made))
    made["masterCategory"], made["season"] = "Apparel", None
    made["year"] = pd.array([2012] * len(made), dtype="Int32")
    return made


def places(*rows: int) -> np.ndarray:
    return np.array([[*rows, *[-1] * (DEPTH - len(rows))]])


GALLERY = frame(
    ("Tee", "Men", "Red", "a"),
    ("Tee", "Men", "Blue", "b"),
    ("Tee", "Women", "Red", "c"),
    ("Shirt", "Men", "Red", "d"),
    ("Tee", "Men", "Red", "e"),
    ("Tee", "Men", "Red", "e"),  # the same picture as the one before
    ("Tee", "Men", None, "f"),
)


def test_a_query_by_hand() -> None:
    # It is row 0. Tees beside it: b, c, e (twice, shown once), f.
    found = places(4, 3, 2, 1)
    values = judge(GALLERY, GALLERY.iloc[:1], found, [np.array([0])])
    of_type = {name: value[0] for name, value in values["type"].items()}
    assert of_type["P@1"] == 1
    assert of_type["P@5"] == pytest.approx(3 / 5)
    assert of_type["P@10"] == pytest.approx(3 / 10)
    assert of_type["recall@10"] == pytest.approx(3 / 4)
    assert of_type["mAP@10"] == pytest.approx((1 + 2 / 3 + 3 / 4) / 4)
    discounts = 1 / np.log2(np.arange(2, 6))
    assert of_type["nDCG@10"] == pytest.approx(discounts[[0, 2, 3]].sum() / discounts.sum())
    assert values["type+gender"]["recall@10"][0] == pytest.approx(2 / 3)  # b, e of b, e, f
    assert values["type+colour"]["recall@10"][0] == 1  # c, e
    assert values["type+gender+colour"]["mAP@10"][0] == 1  # e alone, first
    # Gains found: e 3, d 2, c 2, b 2; to be had: also f, whose type and gender agree.
    best = np.array([3, 2, 2, 2, 2]) @ (1 / np.log2(np.arange(2, 7)))
    assert values[GRADED]["nDCG@10"][0] == pytest.approx(np.array([3, 2, 2, 2]) @ discounts / best)


def test_what_is_out_of_the_gallery_cannot_be_found() -> None:
    out = [np.array([0, 1, 4])]  # the picture e still has row 5
    values = judge(GALLERY, GALLERY.iloc[:1], places(5, 2), out)
    assert values["type"]["recall@10"][0] == pytest.approx(2 / 3)  # of c, e, f
    gone = judge(GALLERY, GALLERY.iloc[:1], places(2), [np.array([0, 1, 4, 5])])
    assert gone["type"]["recall@10"][0] == pytest.approx(1 / 2)  # of c, f
    assert np.isnan(gone["type+gender+colour"]["recall@10"][0])


def test_a_query_without_the_label_is_not_judged_by_it() -> None:
    values = judge(GALLERY, GALLERY.iloc[[6]], places(0, 1), [np.array([6])])
    assert values["type"]["P@1"][0] == 1
    assert all(np.isnan(value[0]) for value in values["type+colour"].values())
    summary = summarise(values, np.array([0]))
    assert summary["type+colour"]["queries"] == 0
    assert summary["type+colour"]["P@5"]["micro"] is None
    assert summary["type"]["P@1"] == {"micro": 1.0, "low": 1.0, "high": 1.0, "macro": 1.0}
    json.dumps(summary, allow_nan=False)


def test_a_stranger_s_labels_are_compared_by_value() -> None:
    stranger = frame(("Shirt", "Men", "Purple", "z"))
    values = judge(GALLERY, stranger, places(3), [np.empty(0, np.int64)])
    assert values["type+gender"]["P@1"][0] == 1
    assert values["type+colour"]["P@1"][0] == 0
    assert np.isnan(values["type+colour"]["mAP@10"][0])  # nothing purple is to be had


@settings(max_examples=30, deadline=None)
@given(st.lists(st.permutations(range(7)), min_size=1, max_size=3))
def test_whatever_is_found_metrics_stay_within_their_bounds(orders: list[list[int]]) -> None:
    asking = GALLERY.iloc[: len(orders)]
    shown = [r for r in range(7) if r != 5]
    found = np.concatenate(
        [places(*[r for r in o if r in shown and r != q]) for q, o in enumerate(orders)]
    )
    values = judge(GALLERY, asking, found, [np.array([q]) for q in range(len(orders))])
    for metrics in values.values():
        for value in metrics.values():
            known = value[~np.isnan(value)]
            assert ((known >= 0) & (known <= 1 + 1e-12)).all()
    assert values["type"]["recall@10"] == pytest.approx(1)  # all were found


def test_slices_by_hand() -> None:
    values = judge(
        GALLERY, GALLERY.iloc[[0, 3]], np.concatenate([places(1, 3), places(0)]), [[], []]
    )
    found = slices(GALLERY, GALLERY.iloc[[0, 3]].reset_index(drop=True), values)
    assert found["articleType"]["Tee"] == {
        "queries": 1,
        **{
            name: [pytest.approx(v)] * 3
            for name, v in zip(RELEVANCE, (0.2, 0.2, 0, 0), strict=True)
        },
    }
    assert found["articleType"]["Shirt"]["type"] == [0, 0, 0]
    assert found["season"] == {}
    assert found["year"]["2012"]["queries"] == 2
    assert list(found["type's size"]) == ["fewer than 50 items"]


def test_exposure_by_hand() -> None:
    shown = exposure(GALLERY, np.array([[0, 1], [0, -1]]))
    assert shown["places"] == 3
    assert shown["hits"]["never shown"] == pytest.approx(5 / 7, abs=1e-4)
    assert shown["gender"]["Women"] == {"catalog": pytest.approx(1 / 7, abs=1e-4), "hits": 0}


def test_leakage_by_hand() -> None:
    gallery = frame(
        ("Tee", "Men", "Red", "a"), ("Tee", "Women", "Red", "b"), ("Cap", "Unisex", "Red", "c")
    )
    asking = gallery.iloc[[0, 1, 2]]
    found = np.concatenate([places(0, 1, 2), places(0), places(0, 1)])
    shares = leakage(gallery, asking, found)
    assert shares["all"] == {"same": 0.25, "neutral": 0.25, "other": 0.5, "hits": 4}
    assert shares["Women"] == {"same": 0, "neutral": 0, "other": 1, "hits": 1}
    assert "Unisex" not in shares
    alone = leakage(gallery[:1], gallery[:1], places())
    assert alone["all"] == {"same": None, "neutral": None, "other": None, "hits": 0}


def test_heads_count_unknown_labels_as_mistakes() -> None:
    asking = frame(
        ("Tee", "Men", "Red", "a"), ("Cape", "Men", "Red", "b"), (None, "Men", "Red", "c")
    )
    beliefs = {"articleType": np.array([[0.9, 0.1]] * 3, np.float32)}
    found = heads(asking, {"articleType": ("Tee", "Shirt")}, beliefs)["articleType"]
    assert (found["queries"], found["classes"], found["unknown"]) == (2, 2, 1)
    assert found["accuracy"] == found["top-5"] == 0.5
    assert found["ECE"] == pytest.approx(0.4)


def test_a_report_of_a_whole_store(
    recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "split_names", lambda frame: np.full(len(frame), "test"))
    queries = split_queries(recommender, "test")
    made = report(recommender.frame, queries, answer(recommender, queries))
    json.dumps(made, allow_nan=False)
    assert made["queries"] == {"count": 13, "from": "the test split by name group", "overlap": {}}
    for name in RELEVANCE:
        for mode in ("strict", "relaxed"):
            entry = made[mode][name]["P@5"]
            assert entry["low"] <= entry["micro"] <= entry["high"]
    assert made["strict"]["type"]["P@1"]["micro"] <= made["relaxed"]["type"]["P@1"]["micro"]
    assert table(made).index.tolist() == list(RELEVANCE)
    assert set(made["slices"]["gender"]) == {"Boys", "Girls", "Men", "Unisex", "Women"}


def test_a_catalog_of_one_class_is_all_relevant(tmp_path: Path) -> None:
    rows = [(row[0], *ROWS[0][1:9], f"Tee {row[0]}") for row in ROWS[:6]]
    build_store(tmp_path, write_archive(tmp_path / "a.zip", rows))
    recommender = open_store(tmp_path)
    queries = protocol.archive_queries(recommender, str(tmp_path / "a.zip"), tmp_path / "queries")
    made = report(recommender.frame, queries, answer(recommender, queries))
    assert made["strict"]["type"]["P@5"]["micro"] == 1
    assert made["strict"]["type"]["P@10"]["micro"] == 0.5  # k above the gallery: empty places miss
    assert made["strict"]["type"]["recall@10"]["micro"] == 1
    assert made["leakage"]["all"]["other"] == 0


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(scores).failed == 0


def test_the_script_writes_what_it_measured(
    store: Path, archive: Path, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "new" / "scores.json"
    arguments = ["--data", str(store), "--queries", str(archive), "--json", str(file)]
    arguments += ["--encoder", "histogram", "--cache", str(tmp_path / "cache"), "--sample", "9"]
    assert evaluate.main(arguments) == 0
    told = json.loads(file.read_text())
    assert told["command"] == f"python -m scripts.evaluate {' '.join(arguments)}"
    assert told["encoder"]["config"] == {"weights": "histogram"}
    assert told["queries"]["count"] == 9
    assert told["gallery"] == 13
    out = capsys.readouterr().out
    assert "9 queries" in out
    assert "out of their galleries: 13 by same id" in out
    assert evaluate.main(arguments) == 0  # from the cache, to the same figures
    assert json.loads(file.read_text()) == told
    assert not (store / "encoders").exists()


def test_the_script_asks_the_store_itself(
    recommender: Recommender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "load_recommender", lambda *_, **__: recommender)
    monkeypatch.setattr(protocol, "split_names", lambda frame: np.full(len(frame), "dev"))
    file = tmp_path / "scores.json"
    assert evaluate.main(["--data", "x", "--json", str(file)]) == 0
    told = json.loads(file.read_text())
    assert told["queries"]["count"] == told["gallery"] == len(recommender)
    assert told["encoder"]["fingerprint"] == TinyEncoder.fingerprint
    assert "heads" not in told


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--queries", "nowhere.zip"], "There is no source"),
        (["--encoder", "nowhere"], "There are no weights"),
        (["--encoder", "histogram", "--pooling", "max"], "takes no setting"),
        (["--encoder", "histogram", "--split", "test"], "The split test holds none"),
    ],
)
def test_the_script_says_what_it_cannot(
    store: Path, tmp_path: Path, capsys: Capture, options: list[str], said: str
) -> None:
    usual = ["--data", str(store), "--encoder", "pixels", "--cache", str(tmp_path)]
    assert evaluate.main([*usual, *options]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert said in lines[0]
