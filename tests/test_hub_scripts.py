"""The commands that speak to the Hub, as an owner runs them: by `HF_ENDPOINT` and `HF_TOKEN`."""

import os
import re
import subprocess
import sys
from pathlib import Path

from hub_server import hub_server
from weights import random_weights

from recommender.store.manifest import MANIFEST_FILE
from scripts import build_catalog, build_index

ROOT = Path(__file__).parents[1]

# One process for all of them: what takes long is importing torch.
COMMANDS = """
import os, sys
from pathlib import Path
import timm, torch
from safetensors.torch import load_file
from recommender.service.open import load_recommender
from scripts import build_index, deploy_space, pull_from_hub, push_to_hub, push_weights

store, back, weights = sys.argv[1:]
for command in (
    lambda: push_to_hub.main(["--data", store, "--repo", "shop/catalog", "--private"]),
    lambda: push_weights.main(["--repo", "shop/weights", "--weights", weights]),
    lambda: deploy_space.main(["--repo", "shop/finder", "--store", "shop/catalog"]),
):
    assert command() == 0
# On a machine that lacks the owner's weights they come along, and stay when the store is changed.
os.rename(weights, weights + ".elsewhere")
assert pull_from_hub.main(["--repo", "shop/catalog", "--data", back]) == 0
served = load_recommender(Path(back), device="cpu")
[carried] = Path(back, "weights").iterdir()
assert build_index.main(["--data", back, "--encoder", str(carried)]) == 0
assert load_recommender(Path(back), device="cpu").encoder.fingerprint == served.encoder.fingerprint
assert push_to_hub.main(["--data", back, "--repo", "shop/again"]) == 0
os.rename(weights + ".elsewhere", weights)
assert pull_from_hub.main(["--repo", "shop/nothing", "--data", back]) == 1

model = timm.create_model("hf-hub:shop/weights", pretrained=True, num_classes=0)
expected = load_file(weights)
state = model.state_dict()
for name in state.keys() - expected.keys():
    assert name.endswith("num_batches_tracked"), name
for name, tensor in expected.items():
    assert torch.equal(state[name], tensor), name
"""


def test_there_and_back_by_the_commands(archive: Path, tmp_path: Path) -> None:
    store, weights = tmp_path / "store", random_weights(tmp_path)
    assert build_catalog.main(["--source", str(archive), "--data", str(store)]) == 0
    assert build_index.main(["--data", str(store), "--encoder", str(weights)]) == 0
    with hub_server() as hub:
        environment = {name: v for name, v in os.environ.items() if not name.startswith("HF_")} | {
            "HF_ENDPOINT": hub.address,
            "HF_TOKEN": "hf_write",
            "HF_HOME": str(tmp_path / "hub"),
            "HF_HUB_DISABLE_XET": "1",
        }
        done = subprocess.run(
            [sys.executable, "-c", COMMANDS, str(store), str(tmp_path / "back"), str(weights)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "back" / MANIFEST_FILE).is_file()
    assert "shop/nothing" in done.stderr
    card = hub.tree("models/shop/weights")["README.md"].decode()
    shown = re.findall(r"!\[.*?\]\((.+?)\)", card)
    assert shown
    assert set(shown) <= set(hub.tree("models/shop/weights"))
    assert set(hub.repos) == {
        *("datasets/shop/catalog", "datasets/shop/again"),
        *("models/shop/weights", "spaces/shop/finder"),
    }
    for repo in hub.repos.values():
        for tree in repo.commits.values():
            assert not [path for path, data in tree.items() if str(tmp_path).encode() in data]
    assert hub.repos["datasets/shop/catalog"].private
    assert hub.repos["spaces/shop/finder"].variables == {"FASHION_REPO": "shop/catalog@main"}
    commit, _ = [line for line in done.stdout.splitlines() if "FASHION_REPO=" in line]
    assert hub.repos["datasets/shop/catalog"].head in commit
