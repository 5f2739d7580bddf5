"""Photographs that people took of their own clothes, for whoever has no picture at hand."""

from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "demo" / "photographs"

PHOTOGRAPHS = {path.name: path for path in sorted(_FOLDER.glob("*.jpg"))}
"""The name under which one is served -> its file, which is named by what it shows."""


def shown(name: str) -> str:
    """What a photograph shows, as a sentence.

    >>> shown("jeans-on-a-patterned-carpet.jpg")
    'Jeans on a patterned carpet.'
    """
    return f"{Path(name).stem.replace('-', ' ').capitalize()}."
