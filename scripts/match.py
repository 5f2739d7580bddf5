r"""Measure whether the encoder knows that a picture shows nothing that the catalog is of.

python -m scripts.match --data data/kaggle --photographs clothing-photos.zip --split dev \
    --others pictures/ --json benchmarks/match.json
"""

import argparse
import sys
from pathlib import Path

import pandas as pd
from PIL import Image

from recommender.catalog.items import PICTURE_LIMITS, load_catalog
from recommender.catalog.photographs import load_photographs
from recommender.encoding.encoder import load_encoder
from recommender.errors import ImageError
from recommender.evaluation.match import measure_match, pictures_without
from recommender.pictures.decode import decode_image, read_image
from recommender.training.calibration import dev_pictures
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
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    options = parser.parse_args(argv)
    encoder = load_encoder(options.encoder, device=options.device)
    photographs = load_photographs(options.photographs, options.split)
    files = photographs.labelled().files
    shown = {
        "photographs": [decode_image(data, limits=PICTURE_LIMITS) for data in files],
        "packshots": dev_pictures(load_catalog(options.data / "catalog")),
        **pictures_without(photographs, options.count),
    }
    if options.others:
        shown["others"] = read_folder(options.others)
    report = measure_match(encoder, shown, of=("photographs", "packshots"))
    print(pd.DataFrame(report).to_string())
    made_by = {"command": command_line("match", argv), "encoder": encoder.record()}
    write_report({**made_by, **report}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
