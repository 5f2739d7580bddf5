"""Calibrate trained weights on the dev split: the heads' temperatures, what counts how much.

python -m scripts.calibrate --data data/kaggle --weights runs/fashion/weights.safetensors \
    --out recommender/weights/fashion.safetensors --json benchmarks/calibration.json
"""

import argparse
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from safetensors.torch import save_file
from tqdm.auto import tqdm

from recommender.catalog import catalog_frame, load_catalog, name_groups, split_names
from recommender.encoder import load_encoder, read_weights
from recommender.errors import RecommenderError
from recommender.evaluation.scores import RELEVANCE
from recommender.training.calibration import Weighing, agreements, fit_temperature, tempered
from recommender.training.examples import read_examples

LABELS = RELEVANCE["type+gender+colour"]
STEPS = (0.5, 1.0, 2.0)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the store's folder")
    parser.add_argument("--weights", type=Path, required=True, help="what scripts.train wrote")
    parser.add_argument("--out", type=Path, required=True, help="takes the calibrated weights")
    parser.add_argument("--json", type=Path, help="where what was tried goes, with the command")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    options = parser.parse_args(argv)
    try:
        report = calibrate(options.data, options.weights, options.out, options.device)
    except (RecommenderError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    report = {"command": "python -m scripts.calibrate " + " ".join(argv or sys.argv[1:]), **report}
    print(
        json.dumps({name: report[name] for name in ("temperatures", "agreement", "dev")}, indent=1)
    )
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


def calibrate(data: Path, weights: Path, out: Path, device: str) -> dict:
    """Write the weights with their heads divided by a temperature each, and their agreement."""
    encoder = load_encoder(str(weights), device=device, agreement={})
    items = load_catalog(data / "catalog")
    frame = catalog_frame(items)
    rows = np.arange(len(items))
    examples = read_examples(items, frame, encoder.labels, rows, encoder.config)
    looks, beliefs = [], {name: [] for name in encoder.labels}
    for start in tqdm(range(0, len(rows), 256), "Encoding"):
        seen, believed = encoder.see_prepared(examples.pictures[start : start + 256].numpy())
        looks.append(seen)
        for name, values in believed.items():
            beliefs[name].append(values)
    targets = {name: codes.numpy() for name, codes in examples.targets.items()}
    dev = np.flatnonzero(split_names(frame) == "dev")
    temperatures, calibrated = {}, {}
    for name, parts in beliefs.items():
        whole = np.concatenate(parts)
        temperatures[name] = fit_temperature(whole[dev], targets[name][dev])
        calibrated[name] = tempered(whole, temperatures[name])
    weighing = Weighing(
        np.concatenate(looks),
        {name: calibrated[name] for name in LABELS},
        targets,
        name_groups(frame),
        dev,
    )
    tried = [
        {
            "agreement": agreement,
            "P@5": weighing.precision(agreement, RELEVANCE, hybrid=False),
        }
        for agreement in tqdm([{"looks": 1.0}, *agreements(LABELS, STEPS)], "Weights")
    ]
    best = max(tried, key=lambda entry: sum(entry["P@5"].values()))
    hybrid = weighing.precision(best["agreement"], RELEVANCE, hybrid=True)
    state, config, labels = read_weights(weights)
    scaled = dict(state)
    for name, temperature in temperatures.items():
        for part in ("weight", "bias"):
            key = f"heads.{name}.{part}"
            scaled[key] = (state[key].float() / temperature).half()
    config = asdict(replace(config, agreement=best["agreement"]))
    building = out.with_suffix(".building")
    header = {"config": json.dumps(config), "labels": json.dumps(labels)}
    save_file(scaled, building, metadata=header)
    building.replace(out)
    return {
        "temperatures": temperatures,
        "agreement": best["agreement"],
        "dev": {"image": best["P@5"], "hybrid": hybrid},
        "tried": tried,
    }


if __name__ == "__main__":
    sys.exit(main())
