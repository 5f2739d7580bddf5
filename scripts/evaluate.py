"""Score a store on the queries of a split that no training has seen, by the function it serves.

python -m scripts.evaluate --data data/kaggle --split test --json benchmarks/retrieval.json

The strict protocol: a query is an item of the split; it, pictures identical to its own and items
of its name are taken out of its gallery, which is the rest of the whole catalog.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from recommender.catalog import name_groups, split_names
from recommender.engine import MAX_K, Recommender, load_recommender
from recommender.errors import RecommenderError
from recommender.evaluation import bootstrap_interval, macro_mean, precision_at_k, shares_labels

RELEVANCE = {
    "type": ["articleType"],
    "type+gender": ["articleType", "gender"],
    "type+colour": ["articleType", "baseColour"],
    "type+gender+colour": ["articleType", "gender", "baseColour"],
}
DEPTH = 10


def strict_hits(recommender: Recommender, rows: np.ndarray) -> np.ndarray:
    """Rows found for each query row, (q, DEPTH), -1 where the gallery gave fewer."""
    groups = name_groups(recommender.frame)
    row_of = pd.Series(np.arange(len(recommender)), index=recommender.frame["id"])
    found = np.full((len(rows), DEPTH), -1, dtype=np.int64)
    for i, row in enumerate(tqdm(rows, "Queries")):
        ids = recommender.by_id(int(recommender.frame["id"].iloc[row]), k=MAX_K).ids
        hits = row_of[ids].to_numpy()
        hits = hits[groups[hits] != groups[row]][:DEPTH]
        found[i, : len(hits)] = hits
    return found


def score(recommender: Recommender, split: str) -> dict:
    """Precision at 1, 5 and 10 of each relevance, micro with its interval and macro over types."""
    frame = recommender.frame
    rows = np.flatnonzero(split_names(frame) == split)
    found = strict_hits(recommender, rows)
    types = pd.factorize(frame["articleType"])[0][rows]
    scores: dict = {"queries": len(rows), "gallery": len(frame), "split": split}
    for relevance, columns in RELEVANCE.items():
        codes = np.stack([pd.factorize(frame[name])[0] for name in columns], axis=1)
        hits = np.where(found[..., None] >= 0, codes[found], -1)  # (q, k, labels)
        relevant = shares_labels(codes[rows], hits)
        scores[relevance] = {}
        for k in (1, 5, DEPTH):
            values = precision_at_k(relevant, k)
            scores[relevance][f"P@{k}"] = round(float(values.mean()), 4)
            if k == 5:
                interval = bootstrap_interval(values)
                scores[relevance]["P@5 95%"] = [round(end, 4) for end in interval]
                scores[relevance]["P@5 macro"] = round(macro_mean(values, types), 4)
    return scores


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--split", choices=["dev", "test"], default="dev")
    parser.add_argument("--json", type=Path, help="where the scores go, with the command")
    options = parser.parse_args(argv)
    try:
        recommender = load_recommender(options.data)
    except RecommenderError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    scores = score(recommender, options.split)
    print(pd.DataFrame({name: scores[name] for name in RELEVANCE}).T.to_string())
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        report = {
            "command": "python -m scripts.evaluate " + " ".join(argv or sys.argv[1:]),
            "encoder": recommender.encoder.record(),
            **scores,
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
