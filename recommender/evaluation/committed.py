"""The committed results, as a page looks them up: which system, what counts as right, who asked."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from recommender.schema import ATTRIBUTES, COLUMNS, NOUNS

EVERYONE = "everyone"
"""The slice of all queries."""


_NOT_SLICED = ("subCategory", "usage")
"""One lies between two that are sliced by, the other is nearly always the same."""


SLICES = tuple(name for name in COLUMNS if name in ATTRIBUTES and name not in _NOT_SLICED)
"""Columns that queries are sliced by."""


SLICE_NOUNS = {name: NOUNS[name] for name in SLICES} | {"type's size": "how common the type is"}
"""What queries are sliced by -> what it is called."""


class Precision(NamedTuple):
    """Mean P@5 over queries with its 95% interval."""

    mean: float
    low: float
    high: float
    queries: int


@dataclass(frozen=True, kw_only=True)
class Results:
    """What `scripts.leaderboard` and `scripts.robustness` wrote; empty where a file is not there.

    Attributes:
        board: `systems`: name -> its report; `command`.
        robustness: name of a change -> severity -> figures; `command`.
    """

    board: dict[str, Any] = field(default_factory=dict)
    robustness: dict[str, Any] = field(default_factory=dict)

    @property
    def systems(self) -> dict[str, Any]:
        """Name -> report, in the board's order."""
        systems: dict[str, Any] = self.board.get("systems", {})
        return systems

    @property
    def relevances(self) -> list[str]:
        """What may count as right, the mildest first."""
        some: dict[str, Any] = next(iter(self.systems.values()), {"strict": {}})
        return [name for name, entry in some["strict"].items() if "P@5" in entry]

    def values(self, column: str) -> list[str]:
        """The slices of a column, most queries first."""
        asked = {
            value: entry["queries"]
            for report in self.systems.values()
            for value, entry in report["slices"].get(column, {}).items()
        }
        return sorted(asked, key=lambda value: -asked[value])

    def precision(
        self, system: str, relevance: str, column: str = EVERYONE, value: str = ""
    ) -> Precision | None:
        """Strict P@5 of a system, for all queries or a slice of them; None where none was asked."""
        report = self.systems[system]
        if column == EVERYONE:
            scores = report["strict"][relevance]
            entry = scores["P@5"]
            ends = entry["micro"], entry["low"], entry["high"]
            queries = scores["queries"]
        else:
            part = report["slices"].get(column, {}).get(value, {})
            ends, queries = part.get(relevance, (None, None, None)), part.get("queries", 0)
        return None if None in ends else Precision(*ends, queries)


def load_results(directory: Path) -> Results:
    """Read `leaderboard.json` and `robustness.json` of a folder, as far as they are there."""
    files = {"board": "leaderboard.json", "robustness": "robustness.json"}
    there = {name: directory / file for name, file in files.items()}
    return Results(
        **{
            name: json.loads(path.read_text(encoding="utf-8"))
            for name, path in there.items()
            if path.is_file()
        }
    )
