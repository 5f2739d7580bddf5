"""Pictures without a garment, and how well they are told from those with one, by hand."""

from pathlib import Path

import numpy as np
import pytest
from conftest import TinyEncoder, write_photographs
from PIL import Image

from recommender.catalog.photographs import Photographs, load_photographs
from recommender.encoding.protocol import Encoded
from recommender.encoding.regions import Asked
from recommender.evaluation import match
from recommender.evaluation.match import matches, measure_match, pictures_without

KINDS = ["ground", "noise", "drawing", "text", "screenshot"]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Photographs:
    rows = [(f"p-{i}", "T-Shirt", "1" if i < 6 else "2", "dev") for i in range(1, 8)]
    return load_photographs(write_photographs(tmp_path_factory.mktemp("a") / "photos.zip", rows))


class Sure(TinyEncoder):
    """Takes a grey picture for a garment as surely as it is bright."""

    batches: list[int]

    def __init__(self) -> None:
        super().__init__()
        self.batches = []

    def encode_queries(
        self, pictures: list[Image.Image], asked: list[Asked] | None = None
    ) -> Encoded:
        self.batches.append(len(pictures))
        sure = [np.asarray(picture).mean() / 100 for picture in pictures]
        return self.encode_items(pictures)._replace(matches=np.array(sure, np.float32))


def greys(*percents: int) -> list[Image.Image]:
    return [Image.new("RGB", (24, 32), (percent,) * 3) for percent in percents]


def bytes_of(pictures: dict[str, list[Image.Image]]) -> dict[str, list[bytes]]:
    return {kind: [picture.tobytes() for picture in own] for kind, own in pictures.items()}


# --- pictures without a garment


def test_there_are_as_many_of_each_kind_and_all_are_different(photographs: Photographs) -> None:
    shown = pictures_without(photographs, 30)
    assert list(shown) == KINDS
    every = [picture for own in shown.values() for picture in own]
    assert len(every) == 5 * 30
    assert {(picture.mode, picture.size) for picture in every} == {("RGB", (192, 256))}
    assert len({picture.tobytes() for picture in every}) > 0.95 * len(every)
    assert all(len(picture.getcolors(256**2) or "more") > 1 for picture in shown["drawing"])


def test_they_are_the_same_ones_each_time(photographs: Photographs) -> None:
    few, more = (bytes_of(pictures_without(photographs, count)) for count in (2, 4))
    assert {kind: own[:2] for kind, own in more.items()} == few
    assert pictures_without(photographs, 0) == {kind: [] for kind in KINDS}


# --- what is made of them


def test_a_match_is_measured_by_hand() -> None:
    shown = {
        "shirts": greys(90, 80, 60, 40),
        "shoes": greys(50, 70),
        "noise": greys(10, 70),
        "text": greys(20, 30),
    }
    found = measure_match(Sure(), shown, of=("shirts", "shoes"))
    assert found["pictures"] == {"shirts": 4, "shoes": 2, "noise": 2, "text": 2}
    mean, low, high = found["refused"]["shirts"]
    assert mean == 0.25
    assert low <= mean <= high
    assert found["refused"]["shoes"] == [0, 0, 0]  # .5 is sure enough
    assert found["taken"] == {"noise": 0.5, "text": 0.0}
    # All six are above the one noise, two above the other, which a third ties with.
    assert found["AUROC"] == {
        "noise": round(8.5 / 12, 4),
        "text": 1.0,
        "all of these": round(20.5 / 24, 4),
    }


def test_garments_alone_are_measured_too() -> None:
    found = measure_match(Sure(), {"shirts": greys(90, 10)}, of=("shirts",))
    assert found["refused"]["shirts"][0] == 0.5
    assert (found["taken"], found["AUROC"]) == ({}, {})


def test_many_are_seen_in_batches_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "_AT_ONCE", 2)
    encoder = Sure()
    np.testing.assert_allclose(
        matches(encoder, greys(1, 2, 3, 4, 5)), [0.01, 0.02, 0.03, 0.04, 0.05]
    )
    assert encoder.batches == [2, 2, 1]


def test_one_who_does_not_know_is_not_measured() -> None:
    with pytest.raises(ValueError, match="does not know what it does not know"):
        matches(TinyEncoder(), greys(1))


def test_a_photograph_s_corner_is_drawn_of_any_photographer(tmp_path: Path) -> None:
    """One who took a single picture shows as often as one who took six."""
    rows = [(f"p-{i}", "T-Shirt", "1", "dev") for i in range(1, 7)] + [("q-8", "Hat", "2", "dev")]
    photographs = load_photographs(write_photographs(tmp_path / "photos.zip", rows))
    asked: list[bytes] = []
    with pytest.MonkeyPatch.context() as patch:
        real = match.decode_image
        patch.setattr(
            match, "decode_image", lambda data, **o: asked.append(data) or real(data, **o)
        )
        pictures_without(photographs, 60)
    assert 15 < asked.count(photographs.files[-1]) < 45
