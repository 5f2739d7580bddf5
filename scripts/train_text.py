r"""Train the text tower on a store's names, texts and attributes; killed, it goes on where it was.

python -m scripts.train_text --data data/kaggle --out runs/words
"""

import argparse
import json
import logging
import sys
from pathlib import Path

from recommender.service.open import load_recommender
from recommender.training.text import TextTraining, train_text
from scripts.command import add_settings, plain_errors, settings_of


@plain_errors(ValueError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--out", type=Path, required=True, help="takes weights and history")
    add_settings(parser, TextTraining)
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = settings_of(TextTraining, options)
    store = load_recommender(options.data)
    pictures = store.index.vectors[:], store.encoder.fingerprint
    last = train_text(store.frame, store.columns, *pictures, options.out, config)
    print(json.dumps(last, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
