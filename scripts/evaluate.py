"""Score a store on queries that no training has seen, by the functions it serves.

python -m scripts.evaluate --data data/kaggle --split test --json benchmarks/retrieval.json
python -m scripts.evaluate --data data/kaggle --queries held-out.zip --ranking hybrid
python -m scripts.evaluate --data data/kaggle --split test --encoder imagenet --pooling max
"""

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

from recommender.encoding.config import EncoderConfig, choices
from recommender.errors import RecommenderError
from recommender.evaluation.baselines import load_any_encoder, open_with
from recommender.evaluation.protocol import answer
from recommender.evaluation.queries import choose_queries
from recommender.evaluation.report import heads, report, table
from recommender.files import write_json
from recommender.service.open import load_recommender


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument(
        "--queries", help="an archive or folder in Kaggle's layout whose pictures ask"
    )
    parser.add_argument(
        "--split",
        choices=["dev", "test"],
        help="the name groups that ask; default: dev, and with --queries all of it",
    )
    parser.add_argument("--sample", type=int, help="at most so many queries, the same each time")
    parser.add_argument("--ranking", choices=["image", "hybrid"], default="image")
    parser.add_argument(
        "--encoder",
        help="another than the store's: fashion | imagenet | timm:TAG | a safetensors file | "
        "pixels | histogram | random | transformers:NAME | open_clip:NAME",
    )
    parser.add_argument("--pooling", choices=choices("pooling"), help="of --encoder, a ResNet50")
    parser.add_argument("--width-px", type=int, help="of --encoder, a ResNet50")
    parser.add_argument("--height-px", type=int, help="of --encoder, a ResNet50")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument(
        "--cache", type=Path, help="keeps the embeddings of --encoder; default: DATA/encoders"
    )
    parser.add_argument("--json", type=Path, help="where the scores go, with the command")
    options = parser.parse_args(argv)
    settings = {
        name: value
        for name in ("pooling", "width_px", "height_px")
        if (value := getattr(options, name)) is not None
    }
    try:
        if options.encoder or settings:
            name = options.encoder or EncoderConfig.weights
            encoder = load_any_encoder(name, device=options.device, **settings)
            cache = options.cache or options.data / "encoders"
            recommender = open_with(options.data, encoder, cache)
        else:
            recommender = load_recommender(options.data, device=options.device)
        with tempfile.TemporaryDirectory() as scratch:
            queries = choose_queries(
                recommender,
                Path(scratch),
                archive=options.queries,
                split=options.split,
                sample=options.sample,
            )
            answers = answer(recommender, queries, ranking=options.ranking)
    except (RecommenderError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    scores = report(recommender.frame, queries, answers)
    if answers.beliefs:
        scores["heads"] = heads(queries.frame, recommender.encoder.labels, answers.beliefs)
    print(f"{len(queries):,} queries ({queries.source}), {len(recommender):,} items, strict:")
    print(table(scores).to_string())
    for what, count in queries.overlap.items():
        print(f"  in the catalog too, hence out of their galleries: {count:,} by {what}")
    if options.json:
        told = {
            "command": "python -m scripts.evaluate " + shlex.join(argv or sys.argv[1:]),
            "encoder": recommender.encoder.record(),
            "ranking": options.ranking,
            **scores,
        }
        write_json(options.json, told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
