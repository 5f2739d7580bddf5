"""What all commands share: how they fail, and the report that says how it was made."""

import io
import shlex
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from recommender.errors import RecommenderError
from recommender.files import write_json

T = TypeVar("T")
Main = Callable[[list[str] | None], int]


def plain_errors(*others: type[Exception]) -> Callable[[Main], Main]:
    """Let a `main` end with 1 and one line on stderr where an error that can happen stops it.

    Who interrupts it gets a line, too, and the shell's code for that.

    Args:
        others: what is said as a `RecommenderError` is.
    """

    def decorated(main: Main) -> Main:
        @wraps(main)
        def wrapped(argv: list[str] | None = None) -> int:
            for stream in (sys.stdout, sys.stderr):
                # What a console cannot show ends no build.
                if isinstance(stream, io.TextIOWrapper):
                    stream.reconfigure(errors="backslashreplace")
            try:
                return main(argv)
            except (RecommenderError, *others) as error:
                print(f"error: {error}", file=sys.stderr)
            except OSError as error:  # a report's folder, a disk that is full
                where = f"{error.filename}: " if error.filename else ""
                print(f"error: {where}{error.strerror or error}.", file=sys.stderr)
            except KeyboardInterrupt:
                print("stopped: what was whole stays so.", file=sys.stderr)
                return 130
            return 1

        return wrapped

    return decorated


def add_table_settings(parser: ArgumentParser) -> None:
    """How a source's table is to be read, where it does not tell by itself."""
    parser.add_argument(
        "--columns",
        nargs="+",
        default=[],
        metavar="OURS=THEIRS",
        help="what the table calls a column, such as name=title,id=sku; usual names are known",
    )
    parser.add_argument("--encoding", default="", help="of the table, where it is not told rightly")
    parser.add_argument(
        "--styles",
        default="",
        metavar="ARCHIVE.zip",
        help="the styles/ID.json of Kaggle's full-size data, for a source that lacks them",
    )
    parser.add_argument("--split", default="train", help="of a Hub dataset")
    parser.add_argument("--config", default="", help="of a Hub dataset that has several")
    parser.add_argument(
        "--no-fetch",
        action="store_true",
        help="ask the web for no picture that the table names by an address",
    )


def add_settings(parser: ArgumentParser, config: type[Any]) -> None:
    """An option for each number of a config, which is its default."""
    for field in _numbers_of(config):
        flag = "--" + field.name.replace("_", "-")
        parser.add_argument(flag, type=type(field.default), default=field.default)


def settings_of(config: type[T], options: Namespace, **others: Any) -> T:
    """The config that those options and others say."""
    numbers = {field.name: getattr(options, field.name) for field in _numbers_of(config)}
    return config(**numbers, **others)


def _numbers_of(config: type[Any]) -> list[Field[Any]]:
    return [field for field in fields(config) if isinstance(field.default, int | float)]


def command_line(script: str, argv: list[str] | None) -> str:
    """The command that runs a script again."""
    return f"python -m scripts.{script} {shlex.join(argv or sys.argv[1:])}"


def write_report(report: Mapping[str, Any], path: Path | None) -> None:
    """Write figures as JSON, where they are wanted."""
    if path is not None:
        write_json(path, report)
