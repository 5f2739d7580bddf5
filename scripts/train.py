r"""Train a ResNet50 on catalogs; killed, it goes on where it was.

python -m scripts.train --data data/kaggle data/demo --out runs/fashion
python -m scripts.train --data data/kaggle --out runs/classifier --recipe classifier --init imagenet
python -m scripts.train --data data/kaggle data/demo --out runs/photographs --recipe photographs \
    --init fashion --photographs clothing-photos.zip
"""

import argparse
import json
import logging
import sys
from dataclasses import replace
from pathlib import Path

from recommender.catalog.items import load_catalog
from recommender.catalog.photographs import load_photographs
from recommender.catalog.splits import SPLITS
from recommender.encoding.config import EncoderConfig
from recommender.encoding.encoder import load_encoder
from recommender.encoding.weights import find_weights
from recommender.training.augmentation import Augmentation
from recommender.training.classifier import ClassifierConfig, train_classifier
from recommender.training.fashion import TrainingConfig, train
from recommender.training.lesson import PhotographConfig
from recommender.training.photographs import train_on_photographs
from recommender.training.scenes import Scenes
from recommender.training.tutor import TutorConfig
from scripts.command import add_settings, plain_errors, settings_of
from scripts.plot_history import plot_history

RECIPES = {
    "fashion": (Augmentation, TrainingConfig),
    "photographs": (Augmentation, Scenes, TutorConfig, PhotographConfig),
    "classifier": (ClassifierConfig,),
}
"""A recipe -> its config, after the config's own parts."""
INPUT = {
    "height_px": "of the input",
    "width_px": "of the input",
    "second_scale": "a second look's sides against the input's; half of the batches have them",
}
"""Fields of `EncoderConfig` that a run of recipe fashion may set -> what they are."""


@plain_errors(ValueError)
def main(argv: list[str] | None = None) -> int:
    # The settings are those of the recipe, so the recipe is read first.
    first = argparse.ArgumentParser(add_help=False)
    first.add_argument("--recipe", choices=RECIPES, default="fashion")
    parts = RECIPES[first.parse_known_args(argv)[0].recipe]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], parents=[first])
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="stores; the first one is scored"
    )
    parser.add_argument("--out", type=Path, required=True, help="takes weights and history")
    parser.add_argument(
        "--init",
        default="random",
        help="random | fashion | imagenet | timm:TAG | a file of weights",
    )
    parser.add_argument(
        "--photographs", type=Path, help="an archive of them; recipe photographs' alone"
    )
    parser.add_argument(
        "--former",
        help="weights whose beliefs of packshots recipe photographs keeps, where not --init's",
    )
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    for part in parts:
        add_settings(parser, part)
    parser.add_argument(
        "--split", choices=SPLITS, default="names", help="of the catalog; recipe fashion's alone"
    )
    encoder = EncoderConfig()
    inputs = INPUT if parts == RECIPES["fashion"] else {}
    for name, description in inputs.items():
        default = getattr(encoder, name)
        flag = "--" + name.replace("_", "-")
        parser.add_argument(flag, type=type(default), default=default, help=description)
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    *views, config = (settings_of(part, options) for part in parts)
    if isinstance(config, TrainingConfig):
        config = replace(config, augmentation=views[0], split=options.split)
    elif isinstance(config, PhotographConfig):
        config = replace(config, augmentation=views[0], scenes=views[1], taught=views[2])
        if options.photographs is None or options.init == "random":
            parser.error("recipe photographs goes on from --init, with an archive of --photographs")
    encoder = replace(encoder, **{name: getattr(options, name) for name in inputs})
    init = None if options.init == "random" else find_weights(options.init)
    state = None if init is None else init.state
    catalogs = [load_catalog(data / "catalog") for data in options.data]
    if isinstance(config, TrainingConfig):
        last = train(
            catalogs, options.out, config, encoder=encoder, init=state, device=options.device
        )
    elif isinstance(config, PhotographConfig):
        archive = options.photographs
        photographs = {split: load_photographs(archive, split) for split in ("train", "dev")}
        last = train_on_photographs(
            catalogs,
            photographs,
            options.out,
            config,
            init=init,
            former=None if options.former is None else find_weights(options.former),
            device=options.device,
        )
    else:
        last = train_classifier(
            catalogs[0],
            options.out,
            config,
            init=state,
            beside=load_encoder("fashion", device=options.device),
            device=options.device,
        )
    plot_history([options.out / "history.json"], options.out / "plots")
    print(json.dumps(last, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
