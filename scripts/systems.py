"""The systems that a command compares: the options that choose them, and what they are."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from recommender.evaluation.leaderboard import System, known_systems, versions


def add_system_arguments(parser: argparse.ArgumentParser, default: Sequence[str] = ()) -> None:
    """Ask for systems, all that are known unless there is a default, and where figures go."""
    parser.add_argument(
        "--systems",
        nargs="+",
        choices=[*known_systems()],
        default=default or [*known_systems()],
        help=f"default: {' '.join(default) or 'all of them'}",
    )
    parser.add_argument(
        "--imagenet", default="imagenet", help="the Hub's, or a safetensors file of a ResNet50"
    )
    parser.add_argument(
        "--model",
        type=_named,
        action="append",
        default=[],
        metavar="SYSTEM=FOLDER",
        help="where the weights of dinov2, fashionclip or fashionsiglip are, instead of the Hub",
    )
    parser.add_argument(
        "--weights",
        type=_named,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="other weights of ours, before=old.safetensors say: two more systems, by image and "
        "hybrid",
    )
    parser.add_argument("--cache", type=Path, help="embeddings, answers; default: DATA/encoders")
    parser.add_argument("--json", type=Path, help="where the figures go, with the command")
    parser.add_argument("--markdown", type=Path, help="where a table for a README goes")


def chosen_systems(options: argparse.Namespace) -> dict[str, System]:
    """Name -> what is compared.

    Raises:
        ValueError: a model is given to a system that has none of others, or weights are named as
            another system is.
    """
    known = known_systems(options.imagenet, dict(options.model))
    systems = {name: known[name] for name in options.systems}
    for name, file in options.weights:
        if name in known:
            raise ValueError(f"{name} is a system already: give the weights another name")
        systems |= versions(name, file)
    return systems


def write_markdown(table: str, path: Path | None) -> None:
    """Write a table, where it is wanted."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(table, encoding="utf-8")


def _named(text: str) -> tuple[str, str]:
    name, _, place = text.partition("=")
    if not name or not place:
        raise argparse.ArgumentTypeError(f"{text} names no place: write NAME=PLACE")
    return name, place
