"""Photographs ask: figures worked out by hand, the corridor that serves, the script."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import BelievingEncoder, open_store, write_photographs
from PIL import Image
from weights import random_weights

from recommender.catalog.photographs import GROUPS, Photographs, load_photographs
from recommender.encoding.protocol import Encoded
from recommender.encoding.regions import Asked
from recommender.errors import CatalogError
from recommender.evaluation import photographs as evaluation
from recommender.evaluation.encoded import encode_photographs
from recommender.evaluation.leaderboard import known_systems
from recommender.evaluation.photographs import (
    SEEN,
    judge_beliefs,
    judge_photographs,
    markdown,
    measure_photographs,
    of_fewer,
    table,
)
from recommender.pictures.decode import decode_image
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from scripts import photographs as script

NAN = float("nan")
FEW = {name: known_systems()[name] for name in ("pixels", "ours", "ours-hybrid", "ours-256")}
ASKING = [
    ("a-1", "T-Shirt", "1", "dev"),
    ("b-3", "T-Shirt", "1", "dev"),
    ("c-10", "Polo", "2", "dev"),
    ("d-4", "Shirt", "2", "dev"),
    ("e-5", "Shoes", "3", "dev"),
    ("f-7", "Shoes", "1", "dev"),
    ("g-11", "Dress", "3", "dev"),
    ("h-13", "Hat", "3", "dev"),  # of which the catalog has none
    ("i-8", "Not sure", "3", "dev"),
    ("j-9", "Rucksack", "3", "dev"),
    ("k-6", "Shoes", "4", "train"),
]


@pytest.fixture(scope="module")
def archive_of_photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photographs") / "photos.zip"
    return write_photographs(path, [*ASKING, ("z-2", "Polo", "3", "dev")], damaged=("z-2",))


@pytest.fixture(scope="module")
def photographs(archive_of_photographs: Path) -> Photographs:
    return load_photographs(archive_of_photographs, "dev")


def board_of(
    base: Recommender, store: Path, photographs: Photographs, cache: Path, **more: int
) -> dict:
    return measure_photographs(base, store, photographs, FEW, cache, **more)


@pytest.fixture(scope="module")
def board(
    believing: Recommender,
    store: Path,
    photographs: Photographs,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict:
    return board_of(believing, store, photographs, tmp_path_factory.mktemp("cache"))


class Numbered(BelievingEncoder):
    """It puts its number where the first look is."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def encode_queries(
        self, pictures: Sequence[Image.Image], asked: Sequence[Asked] | None = None
    ) -> Encoded:
        encoded = super().encode_queries(pictures, asked)
        encoded.vectors[:, 0] = self.number
        return encoded


def test_each_is_seen_by_weights_that_its_photographer_did_not_teach(
    photographs: Photographs,
) -> None:
    told = encode_photographs([Numbered(0), Numbered(1), Numbered(2)], photographs)
    assert told.vectors[:, 0].tolist() == photographs.folds(3).tolist()
    plain = encode_photographs([BelievingEncoder()], photographs)
    np.testing.assert_array_equal(told.vectors[:, 1:], plain.vectors[:, 1:])
    assert len(set(photographs.folds(3))) > 1


def test_what_is_left_out_of_other_weights_is_said(
    believing: Recommender, store: Path, photographs: Photographs, tmp_path: Path
) -> None:
    others = [random_weights(tmp_path)]
    with pytest.raises(ValueError, match="are not the store's"):
        measure_photographs(believing, store, photographs, {}, tmp_path, left_out=others)


def test_hits_are_judged_by_their_label() -> None:
    gallery = pd.DataFrame(
        {
            "articleType": ["Tshirts", "Tshirts", "Tops", "Shirts", "Skirts", None],
            "image_hash": ["a", "a", "b", "c", "d", "e"],
        }
    )
    hits = np.full((4, 10), -1)
    hits[0, :4] = [0, 3, 2, 5]  # T-Shirt: right at 1 and 3, two pictures to be had
    hits[1, :4] = [0, 3, 2, 5]  # Polo: right at 1 alone, one picture
    hits[2, :2] = [0, 3]  # Blouse: right at 2, two pictures (Tops, Shirts)
    hits[3, :1] = [0]  # Hat: there is none
    values = judge_photographs(gallery, pd.Series(["T-Shirt", "Polo", "Blouse", "Hat"]), hits)
    assert values["P@1"].tolist() == [1, 1, 0, 0]
    assert values["P@5"] == pytest.approx([2 / 5, 1 / 5, 1 / 5, 0])
    assert values["one of 5"].tolist() == [1, 1, 1, 0]
    assert values["mAP@10"] == pytest.approx([(1 + 2 / 3) / 2, 1, 1 / 4, NAN], nan_ok=True)


def test_beliefs_are_judged_by_what_a_visitor_is_told() -> None:
    types = ("Sweaters", "Tops", "Tshirts", "Jackets", "Bra")
    beliefs = np.array(
        [
            [0.5, 0.0, 0.2, 0.3, 0.0],
            [0.1, 0.4, 0.3, 0.1, 0.1],
            [0.1, 0.2, 0.6, 0.1, 0.0],
            [0.0, 0.0, 0.2, 0.0, 0.8],
        ],
        dtype=np.float32,
    )
    labels = pd.Series(["Longsleeve", "Shirt", "Undershirt", "Top"])
    right, sure = judge_beliefs(types, beliefs, labels)
    assert right.tolist() == [1, 0, 1, 0]
    assert sure["confidence"] == pytest.approx((0.5 + 0.4 + 0.6 + 0.8) / 4)
    # 15 bins, and no two of these share one.
    assert sure["ECE"] == pytest.approx((0.5 + 0.4 + 0.4 + 0.8) / 4)


def test_a_board_is_whole(
    believing: Recommender, store: Path, photographs: Photographs, board: dict, tmp_path: Path
) -> None:
    json.dumps(board, allow_nan=False)
    asked = board["photographs"]
    assert (asked["count"], asked["photographers"], asked["without a label"]) == (8, 3, 2)
    assert asked["from"] == "the dev split of photos.zip"
    assert asked["unknown labels"] == {"Rucksack": 1}
    assert list(asked["skipped"]) == ["z-2"]
    assert board["gallery"] == {"items": 13, "of": 13}
    assert list(board["labels"]) == ["T-Shirt", "Shoes", "Shirt", "Dress", "Hat", "Polo"]
    assert board["labels"]["Shoes"] == {"photographs": 2, "photographers": 2, "pictures": 3}
    assert board["labels"]["Dress"]["pictures"] == 1  # the catalog shows it twice
    assert list(board["systems"]) == ["pixels", "ours", "ours-hybrid"]
    assert board["left_out"] == {"ours-256": "The embedding has 46 dimensions already."}
    ours, pixels = (board["systems"][name] for name in ("ours", "pixels"))
    assert SEEN not in pixels["metrics"]
    assert "sureness" not in pixels
    assert ours["sureness"] == board["systems"]["ours-hybrid"]["sureness"]
    for metric, mean in ours["metrics"].items():
        over_labels = [entry[metric][0] for entry in ours["labels"].values()]
        defined = [value for value in over_labels if value is not None]
        assert mean["macro"] == pytest.approx(np.mean(defined), abs=1e-4)
        assert mean["low"] <= mean["micro"] <= mean["high"]
        assert mean["macro low"] <= mean["macro"] <= mean["macro high"]
    assert ours["labels"]["Hat"]["mAP@10"] == [None, None, None]
    assert list(board["differences"]) == ["pixels", "ours-hybrid"]
    parted = pixels["metrics"]["P@5"]["micro"] - ours["metrics"]["P@5"]["micro"]
    assert board["differences"]["pixels"]["micro"] == pytest.approx(parted, abs=2e-4)
    assert board_of(believing, store, photographs, tmp_path) == board


@pytest.mark.parametrize("name", ["ours", "ours-hybrid"])
def test_what_is_measured_is_what_is_served(
    believing: Recommender, photographs: Photographs, board: dict, name: str
) -> None:
    options = Options(k=5, ranking=FEW[name].ranking)
    right = []
    for label, data in zip(photographs.frame["label"], photographs.files, strict=True):
        if label:
            hits = believing.by_image(decode_image(data), options)
            types = believing.frame["articleType"].iloc[hits.rows]
            right.append(types.isin(GROUPS[label]).sum() / 5)
    assert board["systems"][name]["metrics"]["P@5"]["micro"] == pytest.approx(
        np.mean(right), abs=1e-4
    )


def test_an_encoder_looks_once_for_both_rankings(
    believing: Recommender, store: Path, photographs: Photographs, tmp_path: Path
) -> None:
    encoder = BelievingEncoder()
    base = Recommender(believing.gallery, encoder)
    board_of(base, store, photographs, tmp_path)
    assert encoder.encoded == 8


def test_all_systems_find_the_same_fewer_items(
    believing: Recommender,
    store: Path,
    photographs: Photographs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = of_fewer(believing, 6)
    assert few.index.ids.tolist() == of_fewer(believing, 6).index.ids.tolist()
    assert len(few) == 6
    found: list[set[int]] = []

    def judge(gallery: pd.DataFrame, labels: pd.Series, hits: np.ndarray) -> dict:
        found.append(set(gallery["id"].iloc[hits[hits >= 0]]))
        return judge_photographs(gallery, labels, hits)

    monkeypatch.setattr(evaluation, "judge_photographs", judge)
    board = board_of(believing, store, photographs, tmp_path, items=6, sample=5)
    assert found == [set(few.index.ids.tolist())] * 3
    assert board["gallery"] == {"items": 6, "of": 13}
    assert board["photographs"]["count"] == 5
    assert board["photographs"]["without a label"] == 2
    said = markdown(board, "x")
    assert "5 photographs by" in said
    assert "(5 of the dev split of photos.zip), 6 of 13 items" in said


def test_photographs_without_a_label_do_not_ask(
    believing: Recommender, store: Path, photographs: Photographs, tmp_path: Path
) -> None:
    none = replace(photographs, frame=photographs.frame.assign(label=None))
    with pytest.raises(CatalogError, match="No photograph has a label that is known: T-Shirt"):
        board_of(believing, store, none, tmp_path)
    for number in ({"sample": 0}, {"items": -1}):
        with pytest.raises(ValueError, match="at least 1"):
            board_of(believing, store, photographs, tmp_path, **number)


def test_tables(board: dict) -> None:
    said = markdown(board, "python -m scripts.photographs")
    lines = said.splitlines()
    assert lines[2].startswith("| Raw pixels, 24×32 | 0.")
    assert len({line.count("|") for line in lines[:5]}) == 1
    assert "8 photographs by 3 people (the dev split of photos.zip), 13 items; 95%" in said
    assert "`python -m scripts.photographs`" in said
    assert "- left out: ours-256: The embedding" in said
    assert "- not asked: 2 without a label" in said
    assert "- not asked: of these, with a label that is not known: 'Rucksack' 1" in said
    assert "- not asked: 1 that cannot be read, the first z-2: " in said
    shown = table(board)
    assert shown.loc["Shoes", "pictures"] == 3
    assert [*shown.columns][3:] == ["pixels", "ours", "ours-hybrid"]


def test_the_script(
    store: Path,
    archive_of_photographs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(script, "load_recommender", lambda *_, **__: open_store(store))
    usual = ["--data", str(store), "--photographs", str(archive_of_photographs)]
    outputs = {name: tmp_path / "out" / name for name in ("json", "markdown")}
    arguments = [*usual, "--split", "dev", "--sample", "4", "--items", "9", "--device", "cpu"]
    arguments += ["--systems", "ours", "histogram", "--cache", str(tmp_path / "cache")]
    arguments += ["--weights", f"before={random_weights(tmp_path)}"]
    for name, path in outputs.items():
        arguments += [f"--{name}", str(path)]
    assert script.main(arguments) == 0
    told = json.loads(outputs["json"].read_text())
    assert told["command"].startswith(f"python -m scripts.photographs --data {store}")
    assert list(told["systems"]) == ["ours", "histogram", "before"]
    assert told["systems"]["before"]["title"] == "Ours, before, image only"
    assert "can be ranked by image only" in told["left_out"]["before-hybrid"]
    assert told["gallery"] == {"items": 9, "of": 13}
    out = capsys.readouterr().out
    assert outputs["markdown"].read_text() in out
    assert "photographers" in out
    assert not (store / "encoders").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--weights", "pixels=x"], "pixels is a system already"),
        (["--sample", "0"], "at least 1"),
        (["--photographs", "nowhere.zip"], "nowhere.zip is not a zip archive"),
    ],
)
def test_the_script_that_cannot(
    store: Path,
    archive_of_photographs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    said: str,
) -> None:
    monkeypatch.setattr(script, "load_recommender", lambda *_, **__: open_store(store))
    usual = ["--data", str(store), "--photographs", str(archive_of_photographs)]
    assert script.main([*usual, *more]) == 1
    assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        script.main([*usual, "--weights", "before"])
    assert "before names no place: write NAME=PLACE" in capsys.readouterr().err


def test_the_script_asks_one_alone(
    store: Path, archive_of_photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "load_recommender", lambda *_, **__: open_store(store))
    out = tmp_path / "out.json"
    usual = ["--data", str(store), "--photographs", str(archive_of_photographs), "--json", str(out)]
    alone = ["--encoder", "histogram", "--cache", str(tmp_path / "cache")]
    for more, title in (
        (alone, "histogram, auto"),
        (["--ranking", "image"], "Ours, image"),
    ):
        assert script.main([*usual, *more]) == 0
        [told] = json.loads(out.read_text())["systems"].values()
        assert told["title"] == title
