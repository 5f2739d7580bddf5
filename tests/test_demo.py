"""The shipped demo and weights, by the commands that the app runs on its first start."""

import json
from pathlib import Path

import numpy as np

from recommender.encoding.encoder import load_encoder
from recommender.encoding.weights import FASHION_WEIGHTS, read_weights
from recommender.pictures.decode import decode_image
from recommender.search.options import Options
from recommender.service.open import load_recommender
from recommender.training.fashion import HEADS
from scripts import build_catalog, build_index, train_details


def test_the_demo_is_built_and_answers(tmp_path: Path) -> None:
    assert build_catalog.main(["--source", "demo", "--data", str(tmp_path)]) == 0
    assert build_index.main(["--data", str(tmp_path)]) == 0
    recommender = load_recommender(tmp_path)
    assert len(recommender) >= 800

    frame = recommender.frame
    random = np.random.default_rng(0)
    ids = random.choice(frame["id"], 60, replace=False).tolist()
    # Chance finds an item's own type or colour for one in ten; the weights must do far better.
    types = frame.set_index("id")[["articleType", "baseColour"]]
    shared = [
        (types.loc[recommender.by_id(item_id, Options(k=5)).ids] == types.loc[item_id])
        .any(axis=1)
        .mean()
        for item_id in ids
    ]
    assert np.mean(shared) > 0.5

    # A picture of the catalog finds itself, though the encoder may be surer of other items.
    for own in ids[:10]:
        picture = decode_image(recommender.picture_bytes(own))
        assert recommender.by_image(picture, Options(repeats=True)).ids[0] == own

    # What its own columns say and pictures show is learnt, and the store stays the encoder's.
    mine, said = tmp_path / "mine.safetensors", tmp_path / "details.json"
    argv = ["--data", str(tmp_path), "--weights", str(FASHION_WEIGHTS), "--out", str(mine)]
    argv += ["--columns", "pattern", "sleeveLength", "--least", "15", "--asked", "5"]
    assert train_details.main([*argv, "--json", str(said)]) == 0
    told = json.loads(said.read_text())["details"]
    for name in ("pattern", "sleeveLength"):
        assert told[name]["test"]["accuracy"] > told[name]["test"]["by type seen"]["accuracy"]
    encoder = load_encoder(str(mine))
    assert encoder.fingerprint == recommender.encoder.fingerprint
    knowing = load_recommender(tmp_path, reuse=encoder)
    shirts = frame[frame["articleType"] == "Shirts"]
    seen = {
        item_id: knowing.describe(decode_image(knowing.picture_bytes(item_id)))
        for item_id in shirts["id"][:10]
    }
    patterns, classes = shirts.set_index("id")["pattern"], encoder.classes["pattern"]
    right = [classes[believed["pattern"].argmax()] == patterns[i] for i, believed in seen.items()]
    assert np.mean(right) >= 0.8


def test_the_shipped_weights_are_small_and_carry_their_heads() -> None:
    assert FASHION_WEIGHTS.stat().st_size <= 50_000_000
    state, config, *_ = read_weights(FASHION_WEIGHTS)
    assert (config.width_px, config.height_px) == (72, 96)
    assert {name.split(".")[1] for name in state if name.startswith("heads.")} == set(HEADS)
    assert str(state["conv1.weight"].dtype) == "torch.float16"


def test_the_card_and_the_readme_show_the_committed_scores() -> None:
    root = Path(__file__).parent.parent
    board = json.loads((root / "benchmarks" / "leaderboard.json").read_text())
    for file in (root / "README.md", FASHION_WEIGHTS.parent / "README.md"):
        text = file.read_text(encoding="utf-8")
        for system in ("ours", "ours-hybrid"):
            for scores in board["systems"][system]["strict"].values():
                if "P@5" in scores:
                    micro, low, high = (scores["P@5"][name] for name in ("micro", "low", "high"))
                    assert f"{micro:.3f} [{low:.3f}, {high:.3f}]" in text, file


def test_the_card_shows_the_heads_and_what_a_bad_picture_costs() -> None:
    results = Path(__file__).parent.parent / "benchmarks"
    card = (FASHION_WEIGHTS.parent / "README.md").read_text(encoding="utf-8")
    heads = json.loads((results / "leaderboard.json").read_text())["heads"]
    assert set(HEADS) <= set(heads)  # of a store with styles details are scored beside them
    for scores in (heads[name] for name in HEADS):
        told = [f"{scores[name]:.3f}" for name in ("accuracy", "macro F1", "top-5", "ECE")]
        assert f"| {' | '.join(told)} |" in card
    details = json.loads((results / "details.json").read_text())["details"]
    assert {"pattern", "sleeveLength", "neck", "fit"} <= set(details)
    for detail in details.values():
        scores = detail["test"]
        told = [f"{scores[name]:.3f}" for name in ("accuracy", "macro F1", "top-5", "ECE")]
        told.append(f"{scores['by type seen']['accuracy']:.3f}")
        assert f"| {' | '.join(told)} |" in card
    changes = json.loads((results / "robustness.json").read_text())
    for name, change in changes.items():
        if isinstance(change, dict) and "mild" in change:
            ways = (change["mild"], change["severe"])
            lost = " | ".join(f"{way['P@5 lost'][0]:.3f}" for way in ways)
            own = ", ".join(f"{way['R@1'][0]:.3f}" for way in ways)
            row = next(line for line in card.splitlines() if line.startswith(f"| {name} ("))
            assert row.endswith(f"| {lost} | {own} |"), name


def test_what_was_scored_is_what_is_shipped() -> None:
    root = Path(__file__).parent.parent
    encoder = load_encoder(device="cpu")
    for name in ("leaderboard", "robustness"):
        told = json.loads((root / "benchmarks" / f"{name}.json").read_text())
        record = told["encoder"] if "encoder" in told else told["systems"]["ours"]["encoder"]
        assert record["weights_hash"] == encoder.record()["weights_hash"]
    told = json.loads((root / "benchmarks" / "details.json").read_text())
    assert told["weights_hash"] == encoder.weights_hash
