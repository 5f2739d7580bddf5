"""Details: how their heads are learnt and kept apart, and what visitors are told of them."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROWS, BelievingEncoder, build_store, draw_picture, open_store
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from serving import call, serve, upload
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from weights import random_net

from recommender.catalog.items import build_catalog
from recommender.catalog.sources import read_source
from recommender.encoding.config import EncoderConfig
from recommender.encoding.details import Detail, shown_details
from recommender.encoding.encoder import Encoder, load_encoder
from recommender.encoding.protocol import Encoded
from recommender.encoding.weights import Weights, read_weights, write_weights
from recommender.errors import WeightsError
from recommender.evaluation.report import heads
from recommender.schema import COLUMNS, TYPE
from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.service.answers import Service
from recommender.training.details import DetailConfig, Learnt, learn, worth
from recommender.training.linear import fit_heads
from recommender.ui.find.seen import seen_html
from recommender.ui.find.view import View
from scripts import train_details

LABELS = {TYPE: ["Heels", "Shirts", "Tops", "Tshirts"], "gender": ["Men", "Women"]}
PATTERN = Detail(classes=("Solid", "Striped"), types=("Shirts", "Tshirts"))
HEEL = Detail(classes=("Block", "Wedge", "Slim"), types=("Heels",))
CONFIG = EncoderConfig(
    width_px=40,
    height_px=48,
    dtype="float32",
    second_scale=1.5,
    agreement={"looks": 0.4, TYPE: 0.6},
)


# --- the network with and without them


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    return random_net({name: len(classes) for name, classes in LABELS.items()}).weights()


def with_details(state: dict[str, Tensor], **details: Detail) -> Weights:
    """The same weights with heads of random numbers."""
    random = torch.Generator().manual_seed(3)
    added = {}
    for name, detail in details.items():
        count = len(detail.classes)
        added[f"details.{name}.weight"] = torch.randn(count, 2048, generator=random).half()
        added[f"details.{name}.bias"] = torch.zeros(count).half()
    return Weights({**state, **added}, CONFIG, LABELS, details)


def test_what_was_known_stays_the_same_to_the_bit(state: dict[str, Tensor], tmp_path: Path) -> None:
    before = Encoder(CONFIG, state, labels=LABELS, device="cpu")
    path = tmp_path / "w.safetensors"
    write_weights(path, with_details(state, pattern=PATTERN, heelType=HEEL))
    encoder = load_encoder(str(path), device="cpu")
    assert (encoder.fingerprint, encoder.weights_hash) == (before.fingerprint, before.weights_hash)
    assert (encoder.dim, encoder.labels) == (before.dim, before.labels)
    assert encoder.details == {"pattern": PATTERN, "heelType": HEEL}
    assert [*encoder.classes] == [TYPE, "gender", "pattern", "heelType"]
    assert (before.details, [*before.classes]) == ({}, [TYPE, "gender"])
    random = np.random.default_rng(0)
    noise = [random.integers(0, 256, (60, 44, 3), dtype=np.uint8) for _ in range(5)]
    pictures = [Image.fromarray(pixels) for pixels in noise]
    for way in ("encode_items", "encode_queries"):
        was, now = getattr(before, way)(pictures), getattr(encoder, way)(pictures)
        np.testing.assert_array_equal(was.vectors, now.vectors)
        assert {*now.beliefs} - {*was.beliefs} == {"pattern", "heelType"}
        for name, believed in was.beliefs.items():
            np.testing.assert_array_equal(believed, now.beliefs[name])
        for name, detail in encoder.details.items():
            assert now.beliefs[name].shape == (5, len(detail.classes))
            np.testing.assert_allclose(now.beliefs[name].sum(axis=1), 1, atol=1e-4)


def test_heads_that_do_not_fit_are_refused(state: dict[str, Tensor]) -> None:
    fits = with_details(state, pattern=PATTERN)
    for details, change, why in (
        ({"pattern": HEEL}, {}, "other classes"),
        ({"neck": PATTERN}, {}, "not a linear map"),
        ({"pattern": PATTERN}, {"details.pattern.bias": torch.ones(5)}, "another length"),
        # Whose beliefs are part of an embedding would be others' then.
        ({"gender": PATTERN}, {}, "name of a label"),
    ):
        with pytest.raises(WeightsError, match=why):
            Encoder(CONFIG, {**fits.state, **change}, labels=LABELS, details=details, device="cpu")


@pytest.mark.parametrize(
    "told",
    [
        3,
        [1],
        {"pattern": 3},
        {"pattern": {}},
        {"pattern": {"classes": "ab", "types": []}},
        {"pattern": {"classes": [1], "types": []}},
        {"pattern": {"classes": [], "kinds": []}},
    ],
    ids=str,
)
def test_a_header_of_nonsense_is_no_weights_file(told: Any, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    write_weights(path, Weights({"a": torch.zeros(1)}, CONFIG, {}), details=told)
    with pytest.raises(WeightsError, match="not a safetensors file of an encoder"):
        read_weights(path)


shares = st.lists(st.integers(1, 100), min_size=4, max_size=4)


@given(shares, st.sampled_from([None, *LABELS[TYPE]]))
def test_a_detail_is_told_of_what_has_it(types: list[int], said: str | None) -> None:
    believed = np.array([types], np.float32) / np.float32(sum(types))
    beliefs = {TYPE: believed} | {name: np.ones((1, 1), np.float32) for name in ("pattern", "heel")}
    corrected = {TYPE: said} if said else {}
    details = {"pattern": PATTERN, "heel": HEEL}
    shown = shown_details(beliefs, details, LABELS[TYPE], corrected)
    assert shown[TYPE] is believed
    likely = dict(zip(LABELS[TYPE], believed[0].tolist(), strict=True))
    for name, detail in details.items():
        of_such = said in detail.types if said else sum(likely[t] for t in detail.types) >= 0.5
        assert (name in shown) == of_such
    assert "heel" in shown_details(beliefs, details, LABELS[TYPE], {"heel": "Block"})
    without_types = {name: its for name, its in beliefs.items() if name != TYPE}
    assert shown_details(without_types, details, (), {}) == {}


# --- how they are learnt


def cloud(count: int = 400, seed: int = 0) -> tuple[np.ndarray, pd.DataFrame]:
    """Features that tell the pattern of shirts and tops, and nothing of what they weigh."""
    random = np.random.default_rng(seed)
    seen = random.normal(2, 1, (count, 12))
    striped = seen[:, 0] + 0.3 * seen[:, 1] + random.normal(0, 0.2, count) > 2.6
    frame = pd.DataFrame(
        {
            "pattern": np.where(striped, "Striped", "Solid").astype(object),
            "weight": np.where(random.random(count) < 0.5, "Light", "Heavy").astype(object),
            "rare": pd.Series(["A", "B"] + [None] * (count - 2), dtype=object),
            TYPE: np.where(random.random(count) < 0.5, "Shirts", "Tops").astype(object),
            "split": np.where(np.arange(count) % 5, "train", "dev"),
            "own": True,
        }
    )
    seen[:, 11] = 3  # of which nothing can be learnt
    frame["type seen"] = frame[TYPE]
    frame.loc[::7, "pattern"] = None
    return seen.astype(np.float16), frame


def test_what_pictures_show_is_learnt_and_what_they_do_not_is_left_out() -> None:
    seen, frame = cloud()
    found = learn(frame, seen, DetailConfig(columns=("pattern", "weight", "rare"), least=20))
    pattern = found["pattern"]
    assert isinstance(pattern, Learnt)
    assert pattern.classes == ("Solid", "Striped")
    assert pattern.told["dev"]["accuracy"] > 0.9 > pattern.told["dev"]["by type seen"]["accuracy"]
    assert pattern.told["dev"]["ECE"] < 0.1
    assert (
        pattern.told["learnt from"]
        == ((frame["split"] == "train") & frame["pattern"].notna()).sum()
    )
    assert "by the type alone" in str(found["weight"])
    assert found["rare"] == "too few items have it"


def test_items_of_other_catalogs_are_learnt_from_but_say_nothing_of_values() -> None:
    seen, frame = cloud()
    others = frame[frame["split"] == "train"].assign(own=False)
    others["pattern"] = others["pattern"].replace("Solid", "Dotted")
    both = pd.concat([frame, others], ignore_index=True)
    features = np.concatenate([seen, seen[others.index]])
    found = learn(both, features, DetailConfig(columns=("pattern",), least=20))["pattern"]
    assert isinstance(found, Learnt)
    assert found.classes == ("Solid", "Striped")
    striped = int((others["pattern"] == "Striped").sum())
    own = ((frame["split"] == "train") & frame["pattern"].notna()).sum()
    assert found.told["learnt from"] == own + striped


def test_a_head_is_the_logistic_regression_of_others() -> None:
    seen, frame = cloud()
    targets = (frame["weight"] == "Light").to_numpy(np.int64) + (seen[:, 0] > 3)
    fitted = fit_heads(seen, targets, [0.01, 0.3])
    features = seen[:, :11].astype(np.float64)
    scaled = StandardScaler().fit_transform(features)
    assert [*fitted] == [0.3, 0.01]
    for decay, head in fitted.items():
        theirs = LogisticRegression(C=1 / (decay * len(seen)), tol=1e-8, max_iter=1000)
        want = theirs.fit(scaled, targets).predict_proba(scaled)
        np.testing.assert_allclose(head.beliefs(seen), want, atol=5e-3)


def test_worth_beside_who_knows_the_type_alone() -> None:
    train = pd.DataFrame(
        {TYPE: ["A", "A", "A", "B"], "pattern": ["Solid", "Solid", "Striped", "Striped"]}
    )
    asking = pd.DataFrame(
        {
            TYPE: ["A", "A", "B", "C", "A"],
            "pattern": ["Solid", "Striped", "Striped", "Dotted", None],
            "type seen": ["A", "B", "B", "C", "A"],
        }
    )
    beliefs = np.array([[0.9, 0.1], [0.3, 0.7], [0.1, 0.9], [0.85, 0.15], [0.9, 0.1]], np.float32)
    told = worth("pattern", ("Solid", "Striped"), beliefs, asking, train)
    assert (told["queries"], told["unknown"], told["accuracy"]) == (4, 1, 0.75)
    assert (told["by type"]["accuracy"], told["by type seen"]["accuracy"]) == (0.5, 0.75)
    # By type it says Solid, Solid, Striped and, of a type it never saw, Solid.
    assert told["by type"]["macro F1"] == pytest.approx((0.5 + 2 / 3 + 0) / 3, abs=1e-4)
    assert told["shown"] == {"share": 0.75, "accuracy": pytest.approx(0.6667)}


def test_heads_of_columns_that_queries_lack_are_left_out() -> None:
    beliefs = {name: np.ones((1, 1), np.float32) for name in ("gender", "pattern")}
    asking = pd.DataFrame({"gender": ["Men"]})
    assert [*heads(asking, {"gender": ["Men"], "pattern": ["Solid"]}, beliefs)] == ["gender"]


# --- the command


def striped(row: tuple, pattern: str) -> bytes:
    """An item's picture, with stripes all over it where it has such."""
    picture = Image.open(io.BytesIO(draw_picture((1, *row[1:]))))
    if pattern == "Striped":
        drawn = ImageDraw.Draw(picture)
        for y in range(0, 80, 8):
            drawn.rectangle((0, y, 60, y + 3), fill="black")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def patterned_archive(path: Path, count: int) -> Path:
    """Shirts and T-shirts of which half are striped, and shoes without such a column's value."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, "pattern"])
    with zipfile.ZipFile(path, "w") as archive:
        for n in range(1, count + 1):
            row = ROWS[(0, 3, 4)[n % 3]]
            pattern = "" if row[4] == "Casual Shoes" else ("Solid", "Striped")[n // 3 % 2]
            writer.writerow([n, *row[1:9], f"Item number {n}", pattern])
            archive.writestr(f"images/{n}.jpg", striped(row, pattern))
        archive.writestr("styles.csv", text.getvalue())
    return path


def test_the_command_adds_heads_and_nothing_else(
    state: dict[str, Tensor], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    data = tmp_path / "data"
    archive = patterned_archive(tmp_path / "shop.zip", 240)
    build_catalog(read_source(str(archive)), data / "catalog", source="test")
    weights, out = tmp_path / "w.safetensors", tmp_path / "out.safetensors"
    # Looks alone ask once: of a second look, these random weights make something else.
    config = replace(CONFIG, agreement={})
    write_weights(weights, Weights(state, config, LABELS))
    said = tmp_path / "details.json"
    more = ["--least", "20", "--asked", "3", "--device", "cpu", "--json", str(said)]
    argv = ["--data", str(data), "--weights", str(weights), "--out", str(out), *more]
    assert train_details.main(argv) == 0
    found = read_weights(out)
    assert (found.config, found.labels) == (config, LABELS)
    [(name, detail)] = found.details.items()
    assert (name, detail.classes) == ("pattern", ("Solid", "Striped"))
    assert detail.types == ("Shirts", "Tshirts")
    assert {*found.state} - {*state} == {"details.pattern.weight", "details.pattern.bias"}
    assert all(tensor.equal(found.state[name]) for name, tensor in state.items())
    told = json.loads(said.read_text())
    assert told["command"].startswith("python -m scripts.train_details --data")
    assert told["weights_hash"] == load_encoder(str(weights), device="cpu").weights_hash
    assert sum(told["items"].values()) == 160
    assert told["details"]["pattern"]["types"] == 2
    assert told["details"]["pattern"]["test"]["accuracy"] > 0.9
    assert told["left out"]["neck"] == "too few items of any type have it"
    assert {"by type", "by type seen", "shown"} < told["details"]["pattern"]["dev"].keys()

    # Once more, on what it wrote: the same file, and no picture is looked at again.
    kept = {path: path.stat().st_mtime_ns for path in (data / "pooled").iterdir()}
    argv[argv.index("--weights") + 1] = str(out)
    again = tmp_path / "again.safetensors"
    argv[argv.index("--out") + 1] = str(again)
    assert train_details.main(argv) == 0
    twice = read_weights(again)
    assert twice._replace(state={}) == found._replace(state={})
    assert all(tensor.equal(found.state[name]) for name, tensor in twice.state.items())
    assert {path: path.stat().st_mtime_ns for path in (data / "pooled").iterdir()} == kept

    capsys.readouterr()
    assert train_details.main([*argv, "--columns", "neck"]) == 1
    assert "No detail can be learnt of this catalog (neck: too few" in capsys.readouterr().err
    write_weights(weights, Weights(state, config, {"gender": LABELS["gender"]}))
    argv[argv.index("--weights") + 1] = str(weights)
    assert train_details.main(argv) == 1
    assert "see no article types" in capsys.readouterr().err
    assert train_details.main([*argv, "--columns", "gender"]) == 1
    assert "gender has a head already" in capsys.readouterr().err


# --- what is told of them


class DetailedEncoder(BelievingEncoder):
    """The same, and sees stripes where a picture's rows differ, and heels in everything."""

    details: ClassVar[dict] = {
        "pattern": PATTERN,
        "heelType": replace(HEEL, classes=("Block", "Wedge")),
    }

    def encode_prepared(self, prepared: Any) -> Encoded:
        seen = super().encode_prepared(prepared)
        uneven = prepared.mean((2, 3)).std(axis=1) / 255
        stripes = np.clip(uneven * 4, 0.02, 0.98).astype(np.float32)
        told = {"pattern": np.stack([1 - stripes, stripes], 1)}
        told["heelType"] = np.full((len(prepared), 2), (0.7, 0.3), np.float32)
        return seen._replace(beliefs={**seen.beliefs, **told})


@pytest.fixture(scope="module")
def detailed(tmp_path_factory: pytest.TempPathFactory) -> Recommender:
    """A catalog with a column of patterns, behind an encoder that sees them."""
    directory = tmp_path_factory.mktemp("detailed")
    archive = patterned_archive(directory / "shop.zip", 30)
    build_store(directory / "store", archive, encoder=DetailedEncoder())
    return open_store(directory / "store", DetailedEncoder())


def plain(colour: str) -> Image.Image:
    return Image.new("RGB", (60, 80), colour)


COLOURS = ("red", "green", "blue", "yellow", "white", "black", "purple", "orange")


def test_they_are_told_of_pictures_of_their_types(detailed: Recommender) -> None:
    shown = []
    for colour in COLOURS:
        believed = detailed.encoder.encode_queries([plain(colour)]).beliefs
        types = dict(zip(detailed.encoder.labels[TYPE], believed[TYPE][0], strict=True))
        described = detailed.describe(plain(colour))
        hits = detailed.by_image(plain(colour), Options(k=3))
        assert {*hits.beliefs} == {*described}
        assert ("pattern" in described) == (types["Shirts"] + types["Tshirts"] >= 0.5)
        assert ("heelType" in described) == (types["Heels"] >= 0.5)
        shown.append("pattern" in described)
    assert 0 < sum(shown) < len(COLOURS)
    said = {TYPE: "Heels"}  # by who sees it
    assert "heelType" in detailed.by_image(plain("red"), Options(k=3, corrected=said)).beliefs


@pytest.fixture(scope="module")
def address(detailed: Recommender, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with serve(detailed, tmp_path_factory.mktemp("uploads")) as address:
        yield address


def test_programs_are_told_under_the_columns_names(address: str, detailed: Recommender) -> None:
    told = {}
    for colour in COLOURS:
        file = io.BytesIO()
        plain(colour).save(file, "PNG")
        picture = upload(address, file.getvalue())
        described = call(address, "describe", picture, "")["beliefs"]
        assert [*described][:2] == ["gender", TYPE]
        told |= {name: ranked for name, ranked in described.items() if name == "pattern"}
        answer = call(address, "recommend", picture, 3)
        assert answer["query"]["beliefs"] == described
    assert [entry["value"] for entry in told["pattern"]] == ["Solid", "Striped"]
    assert told["pattern"][0]["probability"] == 0.98
    options = [picture, 5, {"pattern": ["Striped"]}]
    assert {item["pattern"] for item in call(address, "recommend", *options)["results"]} == {
        "Striped"
    }


def test_a_detail_is_corrected_as_any_label(detailed: Recommender, tmp_path: Path) -> None:
    path = tmp_path / "red.png"
    plain("red").save(path)
    service = Service(detailed)
    said = Options(k=3, corrected={"pattern": "Striped"})
    answer = service.recommend(str(path), "", said)
    assert answer["query"]["attributes"]["pattern"] == "Striped"
    assert "What is said of pattern does not change the order" in answer["message"]
    plainly = service.recommend(str(path), "", Options(k=3))
    assert [item["id"] for item in answer["results"]] == [item["id"] for item in plainly["results"]]


def test_the_page_shows_those_that_are_sure_and_filters_by_what_is_there() -> None:
    def ranked(value: str, share: float) -> list[dict[str, Any]]:
        return [{"value": value, "probability": share}]

    beliefs = {"gender": ranked("Men", 0.4), "pattern": ranked("Striped", 0.81)}
    beliefs["neck"] = ranked("V-Neck", 0.79)
    answer = {"query": {"beliefs": beliefs}, "match": {"good": True}, "results": [], "message": ""}
    view = View.of(answer, "it")
    assert [*view.seen] == ["gender", "pattern"]
    for values, there in ((["Solid", "Striped"], True), (["Solid"], False)):
        made = seen_html(view, {"pattern": values})
        assert ("&quot;there&quot;: true" in made) == there
        assert "<span>Pattern</span>" in made
