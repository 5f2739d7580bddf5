"""For whoever has no picture at hand: photographs of people's own clothes, and some items."""

from pathlib import Path

import pandas as pd

from recommender.schema import TYPE, Id

_FOLDER = Path(__file__).parents[1] / "demo" / "photographs"

PHOTOGRAPHS = {path.name: path for path in sorted(_FOLDER.glob("*.jpg"))}
"""The name under which one is served -> its file, which is named by what it shows."""


def shown(name: str) -> str:
    """What a photograph shows, as a sentence.

    >>> shown("jeans-on-a-patterned-carpet.jpg")
    'Jeans on a patterned carpet.'
    """
    return f"{Path(name).stem.replace('-', ' ').capitalize()}."


def first_of_types(frame: pd.DataFrame, count: int) -> list[Id]:
    """Ids of the first item of each of the most frequent article types: a look at the breadth."""
    types = frame[TYPE].value_counts().head(count).index
    firsts: list[Id] = frame.drop_duplicates(TYPE).set_index(TYPE)["id"][types].tolist()
    return firsts
