"""Score a store on queries that no training has seen, by the functions it serves.

python -m scripts.evaluate --data data/kaggle --split test --json benchmarks/retrieval.json
python -m scripts.evaluate --data data/kaggle --queries held-out.zip --ranking hybrid
python -m scripts.evaluate --data data/kaggle --split test --encoder imagenet --pooling max
"""

import argparse
import sys
from pathlib import Path

from recommender.encoding.config import EncoderConfig, choices
from recommender.evaluation.baselines import load_any_encoder, open_with
from recommender.evaluation.protocol import answer
from recommender.evaluation.report import heads, report, table
from recommender.service.open import load_recommender
from scripts.command import command_line, plain_errors, write_report
from scripts.queries import add_query_arguments, chosen_queries


@plain_errors(ValueError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_query_arguments(parser)
    parser.add_argument("--ranking", choices=["image", "hybrid"], default="image")
    parser.add_argument(
        "--encoder",
        help="another than the store's: fashion | imagenet | timm:TAG | a safetensors file | "
        "pixels | histogram | random | transformers:NAME | open_clip:NAME",
    )
    parser.add_argument("--pooling", choices=choices("pooling"), help="of --encoder, a ResNet50")
    parser.add_argument("--width-px", type=int, help="of --encoder, a ResNet50")
    parser.add_argument("--height-px", type=int, help="of --encoder, a ResNet50")
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
    if options.encoder or settings:
        name = options.encoder or EncoderConfig.weights
        encoder = load_any_encoder(name, device=options.device, **settings)
        cache = options.cache or options.data / "encoders"
        recommender = open_with(options.data, encoder, cache)
    else:
        recommender = load_recommender(options.data, device=options.device)
    with chosen_queries(recommender, options) as queries:
        answers = answer(recommender, queries, ranking=options.ranking)
    measured = report(recommender.frame, queries, answers)
    if answers.beliefs:
        measured["heads"] = heads(queries.frame, recommender.encoder.classes, answers.beliefs)
    print(f"{len(queries):,} queries ({queries.source}), {len(recommender):,} items, strict:")
    print(table(measured).to_string())
    for what, count in queries.overlap.items():
        print(f"  in the catalog too, hence out of their galleries: {count:,} by {what}")
    made_by = {
        "command": command_line("evaluate", argv),
        "encoder": recommender.encoder.record(),
        "ranking": options.ranking,
    }
    write_report({**made_by, **measured}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
