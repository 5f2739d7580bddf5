"""Record what an app answers to a fixed list of calls; compare two such records.

python -m scripts.compare_answers record --url http://127.0.0.1:7860 --json before.json
python -m scripts.compare_answers compare before.json after.json

For whoever moves walls: two versions that serve one store answer alike, to the last digit. It asks
over the network alone, so that it runs beside any version of the app. The style map says which
items there are, hence the store has one.
"""

import argparse
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from gradio_client import Client, handle_file
from PIL import Image, ImageEnhance
from tqdm import tqdm

from recommender.files import write_json

Call = tuple[str, dict[str, Any]]
"""An endpoint and its arguments; a picture among them is the path of a file."""

FILTERS: list[dict[str, Any]] = [
    {"gender": ["Women"]},
    {"gender": ["Men", "Boys"], "year": {"min": 2012}},
    {"baseColour": ["Black"], "usage": ["Casual", None]},
    {"masterCategory": ["Footwear"], "year": {"min": 2011, "max": 2012}},
    {"articleType": ["Watches"]},
]
WRONG: list[Call] = [
    *(("recommend_by_id", {"k": k}) for k in (0, 101, -1, 2.5, "five", None, True)),
    *(("recommend_by_id", {"item_id": i}) for i in (-1, 999_999_999, 1.5, "shirt", None, [1])),
    *(("recommend_by_id", {"ranking": name}) for name in ("best", "", 3)),
    *(("recommend_by_id", {"filters": f}) for f in ([], "Men", {"size": ["M"]}, {"gender": "Men"})),
    *(("recommend_by_id", {"filters": {"gender": v}}) for v in (["<b>"], [1], {"min": 1}, [])),
    *(("recommend_by_id", {"filters": {"year": v}}) for v in ({"min": 9, "max": 1}, {"a": 1})),
    *(("recommend", {"image": None, "url": u}) for u in ("", "ftp://a", "http://10.0.0.1/a.jpg")),
    *(("item", {"item_id": i}) for i in (-1, "x", None)),
    ("describe", {"image": None}),
    *(("trends", {"tables": t}) for t in (["none"], "colours", [3])),
    *(("trends", {"before": b}) for b in ({"min": 2010, "max": 2011}, {"min": 1})),
    ("trends", {"attribute": "id"}),
    ("trends", {"filters": {"gender": ["Nobody"]}}),
]
_SHOWN = 160  # letters of an answer where it differs
TABLES = ["categories", "colours", "words", "items_by_year", "tree", "colour_clock", "usages"]


def fixed_calls(ids: list[int], pictures: list[Path]) -> Iterator[Call]:
    """The list, the same for the same catalog.

    Args:
        ids: at least 40 of its items.
        pictures: of some items, as they are and changed, four of each.
    """
    for n, item_id in enumerate(ids[:40]):
        filters = FILTERS[n % 5] if n % 3 == 1 else {}
        ranking = ("auto", "image", "hybrid")[n % 3]
        settings = {"filters": filters, "ranking": ranking, "repeats": n % 7 == 0}
        yield "recommend_by_id", {"item_id": item_id, "k": (5, 12, 60)[n % 3], **settings}
    for n, picture in enumerate(pictures):
        filters = FILTERS[n % 5] if n % 3 == 2 else {}
        ranking = ("image", "hybrid", "auto")[n % 3]
        settings = {"filters": filters, "ranking": ranking, "repeats": n % 7 == 0}
        yield "recommend", {"image": picture, "k": (5, 10, 40)[n % 3], **settings}
    for picture in pictures[::4]:
        yield "describe", {"image": picture}
    for item_id in ids[:8]:
        yield "item", {"item_id": item_id}
    for filters in ({}, *FILTERS):
        yield "trends", {"filters": filters}
    for name in TABLES:
        yield "trends", {"tables": [name], "filters": FILTERS[0]}
    yield "trends", {"before": {"min": 2010, "max": 2011}, "after": {"min": 2012, "max": 2013}}
    for name, wrong in WRONG:
        usual = {"recommend_by_id": {"item_id": ids[0]}}.get(name, {})
        yield name, {**usual, **wrong}


def write_pictures(url: str, ids: list[int], folder: Path) -> list[Path]:
    """Items' pictures: as they are, turned on brown, cut, and dark; PNG, which loses nothing."""
    paths = []
    for item_id in ids:
        data = httpx.get(f"{url}/pictures/{item_id}").raise_for_status().content
        whole = Image.open(io.BytesIO(data)).convert("RGB")
        width, height = whole.size
        changed = {
            "whole": whole,
            "turned": whole.rotate(25, Image.Resampling.BICUBIC, True, fillcolor="saddlebrown"),
            "cut": whole.crop((width // 4, height // 5, width, height)),
            "dark": ImageEnhance.Brightness(whole).enhance(0.4),
        }
        for name, picture in changed.items():
            paths.append(folder / f"{item_id}-{name}.png")
            picture.save(paths[-1])
    return paths


def record(url: str) -> list[dict[str, Any]]:
    """Each call and its answer, without what differs between two runs of one version."""
    client = Client(url, verbose=False)
    table = client.predict(tables=["style_map"], api_name="/trends")["tables"]["style_map"]
    known = sorted(row["id"] for row in table)
    ids = [known[n * len(known) // 40] for n in range(40)]
    answers = []
    with tempfile.TemporaryDirectory() as folder:
        calls = [*fixed_calls(ids, write_pictures(url, ids[:20], Path(folder)))]
        for name, arguments in tqdm(calls, "Asking"):
            sent = {
                key: handle_file(str(value)) if isinstance(value, Path) else value
                for key, value in arguments.items()
            }
            try:
                answer = client.predict(**sent, api_name=f"/{name}")
            except Exception as error:  # the sentence is what a program reads
                answer = {"error": str(error)}
            named = {key: getattr(value, "name", value) for key, value in arguments.items()}
            answers.append({"call": f"{name} {json.dumps(named)}", "answer": _lasting(answer, url)})
    return answers


def _lasting(answer: Any, url: str) -> Any:
    """The answer without its timings, its id and the app's own address."""
    if isinstance(answer, dict):
        passing = ("timings_ms", "answer_id")
        answer = {key: value for key, value in answer.items() if key not in passing}
    text = json.dumps(answer).replace(url.rstrip("/"), "")
    return json.loads(re.sub(r"http://(127\.0\.0\.1|localhost):\d+", "", text))


def differences(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
    """The calls that are answered otherwise, with both answers where they part."""
    if [one["call"] for one in before] != [one["call"] for one in after]:
        return ["the records are of other calls: record both with one version of this script"]
    found = []
    for old, new in zip(before, after, strict=True):
        texts = [json.dumps(one["answer"]) for one in (old, new)]
        if texts[0] != texts[1]:
            pairs = enumerate(zip(*texts, strict=False))
            start = max(0, next((i for i, (a, b) in pairs if a != b), 0) - _SHOWN // 2)
            was, now = (text[start : start + _SHOWN] for text in texts)
            found.append(f"{old['call']}\n  before: …{was}…\n  after:  …{now}…")
    return found


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    steps = parser.add_subparsers(dest="step", required=True)
    recording = steps.add_parser("record", help="ask an app that runs")
    recording.add_argument("--url", default="http://127.0.0.1:7860")
    recording.add_argument("--json", type=Path, required=True, help="takes calls and answers")
    comparing = steps.add_parser("compare", help="two records")
    comparing.add_argument("records", type=Path, nargs=2)
    options = parser.parse_args(argv)
    if options.step == "record":
        answers = record(options.url)
        write_json(options.json, answers)
        print(f"{len(answers)} calls, {sum('error' in a['answer'] for a in answers)} refused")
        return 0
    before, after = (json.loads(path.read_text(encoding="utf-8")) for path in options.records)
    changed = differences(before, after)
    print("\n".join([*changed, f"{len(changed)} of {len(before)} calls are answered otherwise"]))
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
