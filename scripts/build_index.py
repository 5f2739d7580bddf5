"""Embed a store's catalog and build its index; killed, it goes on where it was.

python -m scripts.build_index --data data/demo
python -m scripts.build_index --data data/kaggle --encoder imagenet --index PCA256,Flat
python -m scripts.build_index --data data/kaggle --encoder transformers:patrickjohncyh/fashion-clip
python -m scripts.build_index --data data/shop --engine ray --workers 8 --pictures s3://bucket/shop
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from recommender.encoding.config import EncoderConfig, choices
from recommender.encoding.named import load_worker_encoder
from recommender.index.faiss import IndexConfig
from recommender.store.build import build_store, former_store
from recommender.store.embed import Engine, embed_here
from recommender.store.store import writing
from scripts.command import plain_errors


@plain_errors(ValueError)
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data/demo"), help="the store's folder")
    parser.add_argument(
        "--encoder",
        default=EncoderConfig.weights,
        help="fashion | imagenet | timm:TAG | a safetensors file | transformers:NAME, a CLIP or "
        "SigLIP of the Hub or a folder | open_clip:NAME",
    )
    parser.add_argument("--pooling", choices=choices("pooling"), help="default: the weights' own")
    parser.add_argument("--fit", choices=choices("fit"), help="default: the weights' own")
    parser.add_argument("--dtype", choices=choices("dtype"), default=EncoderConfig.dtype)
    parser.add_argument("--width-px", type=int, help="default: the weights' own")
    parser.add_argument("--height-px", type=int, help="default: the weights' own")
    parser.add_argument(
        "--no-projection",
        dest="projection",
        action="store_false",
        default=None,
        help="keep all 2048 dimensions",
    )
    parser.add_argument("--index", default=IndexConfig.factory, help="a FAISS factory string")
    parser.add_argument("--metric", choices=["cosine", "euclidean"], default=IndexConfig.metric)
    parser.add_argument("--batch-size", type=int, default=64, help="a GPU takes more, say 512")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--workers", type=int, default=1, help="processes; one a GPU")
    parser.add_argument(
        "--engine",
        choices=["here", "ray"],
        default="here",
        help="who embeds: this machine, or a Ray cluster, at RAY_ADDRESS; each goes on from the "
        "other's work",
    )
    parser.add_argument(
        "--pictures",
        default="",
        help="for ray: a folder or an address (s3://, gs://, hf:// …) that all its machines reach, "
        "from which they read the pictures as Parquet; those that it lacks are put there",
    )
    options = parser.parse_args(argv)
    if options.pictures and options.engine != "ray":
        parser.error("--pictures is for --engine ray")
    settings = {
        name: value
        for name in ("pooling", "fit", "dtype", "width_px", "height_px", "projection")
        if (value := getattr(options, name)) is not None
    }
    config = IndexConfig(factory=options.index, metric=options.metric)
    load = partial(
        load_worker_encoder,
        name=options.encoder,
        device=options.device,
        workers=options.workers,
        settings=settings,
    )
    engine: Engine = embed_here
    if options.engine == "ray":
        from recommender.store.embed_ray import RayEngine

        engine = RayEngine(pictures=options.pictures, device=options.device)
    with writing(options.data):
        manifest, quality = build_store(
            options.data,
            load,
            config,
            former=former_store(options.data),
            batch_size=options.batch_size,
            workers=options.workers,
            engine=engine,
        )
    print(f"{manifest.count:,} items in {manifest.dim} dimensions, index {config.factory}")
    print(f"recall@10 against exact search: {manifest.recall_at_10:.4f}")
    print(quality.summary())
    for item_id, reason in manifest.skipped.items():
        print(f"  left out {item_id}: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
