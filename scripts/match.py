r"""Measure whether the encoder knows that a picture shows nothing that the catalog is of.

python -m scripts.match --data data/kaggle --photographs clothing-photos.zip --split dev \
    --others pictures/ --unseen runs/unseen/calibrated.safetensors --json benchmarks/match.json
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from recommender.catalog.items import PICTURE_LIMITS, catalog_frame, load_catalog
from recommender.catalog.photographs import load_photographs
from recommender.catalog.splits import split_types
from recommender.encoding.encoder import load_encoder
from recommender.errors import ImageError
from recommender.evaluation.match import measure_match, measure_unseen, pictures_without
from recommender.pictures.decode import decode_image, read_image
from recommender.training.calibration import dev_pictures, pictures_of
from scripts.command import command_line, plain_errors, write_report


def read_folder(folder: Path) -> list[Image.Image]:
    """The pictures of a folder, in the order of their names; what is none is passed over."""
    pictures = []
    for path in sorted(folder.iterdir()):
        try:
            pictures.append(read_image(path))
        except ImageError:
            continue
    return pictures


@plain_errors(ValueError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a store: its dev packshots ask")
    parser.add_argument("--photographs", type=Path, required=True, help="an archive of them")
    parser.add_argument("--split", choices=["train", "dev"], help="of the photographs")
    parser.add_argument("--others", type=Path, help="a folder of pictures that show no garment")
    parser.add_argument("--count", type=int, default=200, help="pictures of each drawn kind")
    parser.add_argument("--encoder", default="fashion", help="fashion | a safetensors file")
    parser.add_argument(
        "--unseen",
        help="weights of a training with --split types: whether they know what they never saw",
    )
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    options = parser.parse_args(argv)
    encoder = load_encoder(options.encoder, device=options.device)
    photographs = load_photographs(options.photographs, options.split)
    files = photographs.labelled().files
    items = load_catalog(options.data / "catalog")
    shown = {
        "photographs": [decode_image(data, limits=PICTURE_LIMITS) for data in files],
        "packshots": dev_pictures(items),
        **pictures_without(photographs, options.count),
    }
    if options.others:
        shown["others"] = read_folder(options.others)
    report = measure_match(encoder, shown, of=("photographs", "packshots"))
    if options.unseen:
        taught = load_encoder(options.unseen, device=options.device)
        split = split_types(catalog_frame(items))
        asked = [pictures_of(items, np.flatnonzero(split == name)) for name in ("dev", "unseen")]
        report["types that were not taught"] = measure_unseen(taught, *asked)
    print(pd.DataFrame(report).to_string())
    made_by = {"command": command_line("match", argv), "encoder": encoder.record()}
    write_report({**made_by, **report}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
