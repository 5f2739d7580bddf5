"""The shipped demo and weights, by the commands that the app runs on its first start."""

import json
from pathlib import Path

import numpy as np

from recommender.encoder import FASHION_WEIGHTS, read_weights
from recommender.engine import load_recommender
from recommender.images import decode_image
from recommender.training.fashion import HEADS
from scripts import build_catalog, build_index


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
        (types.loc[recommender.by_id(item_id, k=5).ids] == types.loc[item_id]).any(axis=1).mean()
        for item_id in ids
    ]
    assert np.mean(shared) > 0.5

    own = ids[0]
    picture = decode_image(recommender.picture_bytes(own))
    hits = recommender.by_image(picture, k=1, repeats=True, ranking="image")
    assert hits.ids[0] == own


def test_the_shipped_weights_are_small_and_carry_their_heads() -> None:
    assert FASHION_WEIGHTS.stat().st_size <= 50_000_000
    state, config, _ = read_weights(FASHION_WEIGHTS)
    assert (config.width_px, config.height_px) == (72, 96)
    assert {name.split(".")[1] for name in state if name.startswith("heads.")} == set(HEADS)
    assert str(state["conv1.weight"].dtype) == "torch.float16"


def test_the_card_and_the_readme_show_the_committed_scores() -> None:
    root = Path(__file__).parent.parent
    scores = json.loads((root / "benchmarks" / "test-60x80.json").read_text())
    for file in (root / "README.md", FASHION_WEIGHTS.parent / "README.md"):
        assert f"{scores['type']['P@5']:.3f}" in file.read_text(encoding="utf-8")
