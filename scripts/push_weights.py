"""Push weights to a model repo that timm's hf-hub: loads, with their model card.

python -m scripts.push_weights --repo OWNER/NAME
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from recommender.encoding.backbone import save_for_timm
from recommender.encoding.weights import FASHION_WEIGHTS, read_weights
from recommender.hub.hub import push_folder
from scripts.command import plain_errors


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repo", required=True, help="OWNER/NAME")
    parser.add_argument("--weights", type=Path, default=FASHION_WEIGHTS, help="a safetensors file")
    parser.add_argument("--card", type=Path, default=FASHION_WEIGHTS.with_name("README.md"))
    parser.add_argument("--private", action="store_true", help="a repo that is made is private")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(options.weights, options.card, folder)
        address = push_folder(folder, options.repo, repo_type="model", private=options.private)
    print(address)
    return 0


def lay_out(weights: Path, card: Path, folder: Path) -> None:
    """timm's layout, the card and, for this recommender, the whole file with its heads."""
    state, config, *_ = read_weights(weights)
    settings = {
        "input_size": (3, config.height_px, config.width_px),
        "mean": config.mean,
        "std": config.std,
        "interpolation": "bicubic",
        "crop_pct": 1.0,
        "num_classes": 0,
    }
    save_for_timm(state, folder, settings)
    shutil.copyfile(card, folder / "README.md")
    for picture in card.parent.glob("*.svg"):  # which the card shows
        shutil.copyfile(picture, folder / picture.name)
    shutil.copyfile(weights, folder / weights.name)


if __name__ == "__main__":
    sys.exit(main())
