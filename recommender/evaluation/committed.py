"""The form of reports, and the committed ones as a page looks them up."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NotRequired, TypedDict

from recommender.schema import ATTRIBUTES, COLUMNS, NOUNS

EVERYONE = "everyone"
"""The slice of all queries."""
_NOT_SLICED = ("subCategory", "usage")
"""One lies between two that are sliced by, the other is nearly always the same."""
SLICES = tuple(name for name in COLUMNS if name in ATTRIBUTES and name not in _NOT_SLICED)
"""Columns that queries are sliced by."""
SLICE_NOUNS = {name: NOUNS[name] for name in SLICES} | {"type's size": "how common the type is"}
"""What queries are sliced by -> what it is called."""

Rounded = float | None
"""Four places; None where it is not defined."""
Interval = list[Rounded]
"""A mean and the ends of its 95% interval."""

Mean = TypedDict("Mean", {
    "micro": Rounded, "low": Rounded, "high": Rounded, "macro": Rounded,
    "macro low": NotRequired[Rounded], "macro high": NotRequired[Rounded],
})  # fmt: skip
"""Over queries and over article types, with the ends of their 95% intervals."""


def micro_of(mean: Mean) -> Interval:
    """Over queries."""
    return [mean["micro"], mean["low"], mean["high"]]


def macro_of(mean: Mean) -> Interval:
    """Over groups of them."""
    return [mean["macro"], mean.get("macro low"), mean.get("macro high")]


Summary = TypedDict("Summary", {
    "queries": int, "P@1": Mean, "P@5": Mean, "P@10": Mean, "mAP@10": Mean, "nDCG@10": Mean,
    "recall@10": Mean,
}, total=False)  # fmt: skip
"""The metrics of a relevance, and how many queries it is defined for."""

Slices = dict[str, dict[str, dict[str, Any]]]
"""Column -> value -> `queries`, how many, and relevance -> `Interval` of P@5."""
Shares = dict[str, dict[str, Rounded]]
"""Gender -> what share of its hits, or of all, is what."""

Spread = TypedDict("Spread", {"hubness": Rounded, "gini": Rounded, "never shown": Rounded})

Head = TypedDict("Head", {
    "queries": int, "classes": int, "unknown": int,
    "accuracy": Rounded, "macro F1": Rounded, "top-5": Rounded, "ECE": Rounded,
})  # fmt: skip
"""What a head is worth; `unknown` are values that it has no class for."""

Loss = TypedDict("Loss", {
    "strength": float, "P@5": Interval, "R@1": Interval, "P@5 lost": Interval, "R@1 lost": Interval,
})  # fmt: skip
"""What a corruption leaves, and what it costs against clean, paired."""


class Exposure(TypedDict):
    """How unevenly items are shown; each gender's share of the `catalog` and of the `hits`."""

    places: int
    hits: Spread
    chance: Spread
    gender: Shares


class Report(TypedDict):
    """Measured figures of one system: relevance -> metrics, column -> value -> P@5, and more."""

    queries: dict[str, Any]
    gallery: int
    strict: dict[str, Summary]
    relaxed: dict[str, Summary]
    slices: Slices
    exposure: Exposure
    leakage: Shares
    heads: NotRequired[dict[str, Head]]


class SystemReport(Report):
    """A report, and what the system is made of; `kept`: the earlier command that made it."""

    title: str
    encoder: dict[str, Any]
    dim: int
    index: str
    ranking: str
    kept: NotRequired[str]


class Board(TypedDict, total=False):
    """What `scripts.leaderboard` writes.

    `systems`: name -> its report; `differences`: baseline -> name -> relevance -> the paired
    difference of P@5; `left_out`: name -> why it could not be asked; `heads`: those of the store's
    encoder, if it has some.
    """

    command: str
    systems: dict[str, SystemReport]
    differences: dict[str, dict[str, dict[str, Interval]]]
    left_out: dict[str, str]
    heads: dict[str, Head]


class Label(TypedDict):
    """Who asks for a label of photographs, and how many of the gallery's pictures it fits."""

    photographs: int
    photographers: int
    pictures: int


class Sureness(TypedDict):
    """The mean belief in the likeliest type, and how far it is off."""

    confidence: Rounded
    ECE: Rounded


class PhotographReport(TypedDict):
    """Measured figures of one system on photographs.

    `metrics`: P@1, P@5, `one of 5`, mAP@10 and, of an encoder with a head of article types,
    `seen right` and, where the store's encoder finds garments, `colour distance`, over photographs
    and over labels; `labels`: label -> the same of its photographs.
    """

    title: str
    encoder: dict[str, Any]
    dim: int
    index: str
    ranking: str
    spread: NotRequired[bool]
    metrics: dict[str, Mean]
    labels: dict[str, dict[str, Interval]]
    sureness: NotRequired[Sureness]


class PhotographBoard(TypedDict, total=False):
    """What `scripts.photographs` writes.

    `photographs`: who asks, and what was left out; `gallery`: how many items, and `of` how many;
    `labels`: label -> who asks for it; `systems`: name -> its report; `differences`: name -> the
    paired difference of its P@5 from ours; `left_out`: name -> why it could not be asked.
    """

    command: str
    photographs: dict[str, Any]
    gallery: dict[str, int]
    labels: dict[str, Label]
    systems: dict[str, PhotographReport]
    differences: dict[str, Mean]
    left_out: dict[str, str]


Robustness = dict[str, Any]
"""`queries`, `ranking`, P@5 and R@1 `clean`; kind of corruption -> `unit`, severity -> `Loss`."""


def losses(report: Robustness) -> Iterator[tuple[str, str, str, Loss]]:
    """Kind, severity, unit and loss of every corruption."""
    for kind, entry in report.items():
        if isinstance(entry, dict) and "unit" in entry:
            severities = [severity for severity in entry if severity != "unit"]
            yield from ((kind, severity, entry["unit"], entry[severity]) for severity in severities)


class Precision(NamedTuple):
    """Mean P@5 over queries with its 95% interval."""

    mean: float
    low: float
    high: float
    queries: int


def precision_of(interval: Interval, queries: int) -> Precision | None:
    """None where it is not defined."""
    mean, low, high = interval
    if mean is None or low is None or high is None:
        return None
    return Precision(mean, low, high, queries)


@dataclass(frozen=True, kw_only=True)
class Committed:
    """What `leaderboard`, `robustness`, `photographs` and `train_details` wrote, if it is there."""

    board: Board = field(default_factory=Board)
    robustness: Robustness = field(default_factory=dict)
    photographs: PhotographBoard = field(default_factory=PhotographBoard)
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def heads(self) -> dict[str, Head]:
        """What each head is worth on the test split, of labels and of details."""
        details = {name: told["test"] for name, told in self.details.get("details", {}).items()}
        return {**self.board.get("heads", {}), **details}

    @property
    def systems(self) -> dict[str, SystemReport]:
        """Name -> report, in the board's order."""
        return self.board.get("systems", {})

    @property
    def relevances(self) -> list[str]:
        """What may count as right, the mildest first."""
        reports = [*self.systems.values()][:1]
        return [name for report in reports for name, m in report["strict"].items() if "P@5" in m]

    def values(self, column: str) -> list[str]:
        """The slices of a column, most queries first."""
        queries = {
            value: part["queries"]
            for report in self.systems.values()
            for value, part in report["slices"].get(column, {}).items()
        }
        return sorted(queries, key=lambda value: -queries[value])

    def precision(
        self, system: str, relevance: str, column: str = EVERYONE, value: str = ""
    ) -> Precision | None:
        """Strict P@5 of a system, for all queries or a slice of them; None where none was asked."""
        report = self.systems[system]
        if column == EVERYONE:
            summary = report["strict"][relevance]
            return precision_of(micro_of(summary["P@5"]), summary["queries"])
        part = report["slices"].get(column, {}).get(value, {})
        return precision_of(part.get(relevance, [None] * 3), part.get("queries", 0))


def load_committed(directory: Path) -> Committed:
    """Read `leaderboard.json` and its neighbours, as far as they exist."""
    others = ("robustness", "photographs", "details")
    files = {"board": "leaderboard", **{name: name for name in others}}
    paths = {name: directory / f"{file}.json" for name, file in files.items()}
    there = {name: path for name, path in paths.items() if path.is_file()}
    return Committed(**{n: json.loads(p.read_text(encoding="utf-8")) for n, p in there.items()})
