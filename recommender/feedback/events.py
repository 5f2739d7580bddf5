"""What visitors look for: an append-only log of events, and their counts.

An event says when, what kind and which item, or what was said of which answer (see `judged`): no
picture, no address, nobody. It is one line of JSON, written by a single `write` to a file opened
with `O_APPEND`: once `record` returns, the kernel has it, so that killing the process at any moment
loses no event that was recorded. It is not synced to the disk, since a search would wait for that
longer than for its results; a machine that loses power may lose its last seconds. Each line begins
with a line break too, so that a line torn off by a full disk does not spoil the next.
"""

import contextlib
import json
import logging
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import pandas as pd

from recommender.errors import FeedbackError
from recommender.schema import Id

log = logging.getLogger(__name__)

KINDS = {"search": "searches", "open": "opened items", "like": "likes"}
"""A kind of event -> what several of them are called."""

WINDOWS = {"day": 1, "week": 7, "month": 30}
"""A window -> its days, up to now."""

_FILE = "events.jsonl"
_ASIDE = f"events-{'[0-9]' * 20}-*.jsonl"
_DTYPES: dict[str, Any] = {"at": "float64", "kind": "object", "item": "object"}
NO_EVENTS = pd.DataFrame(columns=list(_DTYPES)).astype(_DTYPES)
_DAY_SECONDS = 86_400


class EventLog:
    """Events in a folder: the file that grows, and earlier ones, each at most `max_bytes`.

    Several processes may share a folder.
    """

    def __init__(self, folder: Path, *, max_bytes: int = 4 * 2**20, max_files: int = 8) -> None:
        """Nothing is written before the first event.

        Args:
            folder: made where it is not there.
            max_bytes: of a file; then the next one is begun.
            max_files: how many are kept, the growing one among them.
        """
        self.folder = folder
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._lock = Lock()
        self._refused = False

    def record(self, kind: str, item_id: Id, at: float | None = None) -> bool:
        """Append an event of an item.

        Args:
            kind: of `KINDS`.
            item_id: which item is meant; of a search by picture, the one most like it.
            at: seconds since 1970, now if None.

        Returns:
            Whether it is in the log. Where the disk refuses, searching goes on without.
        """
        if kind not in KINDS:
            raise ValueError(f"an event's kind is one of {', '.join(KINDS)}")
        return self.write(kind, at, item=item_id)

    def write(self, kind: str, at: float | None = None, **told: object) -> bool:
        """Append an event of any kind, with what it tells as JSON can; see `record`."""
        when = round(time.time() if at is None else at, 3)
        line = json.dumps({"at": when, "kind": kind, **told})
        data = f"\n{line}\n".encode()
        try:
            with self._lock:
                self._append(data)
        except OSError as error:
            if not self._refused:
                log.warning("events cannot be recorded: %s", error)
            self._refused = True
            return False
        self._refused = False
        return True

    def _append(self, data: bytes) -> None:
        path = self.folder / _FILE
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        try:
            descriptor = os.open(path, flags, 0o600)
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, flags, 0o600)
        try:
            if os.write(descriptor, data) != len(data):
                raise OSError("the disk is full")
            size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        if size >= self._max_bytes:
            self._rotate(path)

    def _rotate(self, path: Path) -> None:
        """Put the full file aside under a name that sorts by time; drop the oldest ones.

        Were the clock set back, the latest would sort as the oldest: it comes after all that is
        there, whenever that says that it was.
        """
        latest = [int(one.name.split("-")[1]) for one in self.folder.glob(_ASIDE)]
        when = max([time.time_ns(), *(moment + 1 for moment in latest)])
        aside = self.folder / f"events-{when:020d}-{uuid.uuid4().hex[:8]}.jsonl"
        with contextlib.suppress(FileNotFoundError):  # another process was quicker
            path.rename(aside)
        for old in sorted(self.folder.glob("events-*.jsonl"))[: -self._max_files + 1 or None]:
            old.unlink(missing_ok=True)

    def read(self, since: float = 0.0) -> pd.DataFrame:
        """The events since a moment, in the order in which they were recorded.

        Lines that are no event, such as a torn last one, are passed over.

        Args:
            since: seconds since 1970.

        Returns:
            `at` float64, `kind` object, `item` object: ids.
        """
        events = [event for path in self.files(since) for event in _events_of(path)]
        table = pd.DataFrame(events, columns=list(_DTYPES)).astype(_DTYPES)
        return table[table["at"] >= since].reset_index(drop=True)

    def files(self, since: float = 0.0) -> list[Path]:
        """Those that may hold an event since then, oldest first."""
        paths = []
        for path in [*sorted(self.folder.glob("events-*.jsonl")), self.folder / _FILE]:
            with contextlib.suppress(OSError):  # not there yet, or rotated away meanwhile
                if path.stat().st_mtime >= since:
                    paths.append(path)
        return paths


def files_below(folder: Path) -> list[Path]:
    """The files of all logs in a folder and those below it, the oldest of each log first.

    Args:
        folder: that, or one of its files.

    Raises:
        FeedbackError: there is nothing of this name.
    """
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise FeedbackError(f"There is no log of events at {folder}.")
    return sorted(folder.rglob("events-*.jsonl")) + sorted(folder.rglob(_FILE))


def read_lines(path: Path) -> Iterator[dict[str, Any] | None]:
    """A file's events as they were written, in their order; None for a line that is none."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:  # rotated away meanwhile
        return
    for line in filter(None, lines):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        yield event if isinstance(event, dict) else None


def _events_of(path: Path) -> Iterator[tuple[float, str, Id]]:
    for event in filter(None, read_lines(path)):
        try:
            kind, at, item = event["kind"], float(event["at"]), event["item"]
            item = item if isinstance(item, str) else int(item)
            known = kind in KINDS
        except (ValueError, TypeError, KeyError, OverflowError):
            continue
        if known:
            yield at, kind, item


def count_events(
    events: pd.DataFrame, items: pd.DataFrame, column: str, now: float
) -> pd.DataFrame:
    """How often each value of an attribute was searched for and opened, by window.

    Args:
        events: as `EventLog.read` gives them.
        items: a catalog's columns, one row an item; events of other items count nowhere.
        column: the attribute.
        now: seconds since 1970; the windows end here, and later events count nowhere.

    Returns:
        `kind`, the column, and an int64 column for each of `WINDOWS`; most of the last month first.
    """
    values = items.set_index("id")[column].astype(object)
    # What comes from the future was recorded before the clock was set back.
    known = events[events["item"].isin(values.index) & (events["at"] <= now + 1)]
    known = known.assign(value=values.reindex(known["item"]).to_numpy()).dropna(subset=["value"])
    counts = {
        window: known[known["at"] >= now - days * _DAY_SECONDS].groupby(["kind", "value"]).size()
        for window, days in WINDOWS.items()
    }
    table = pd.DataFrame(counts).fillna(0).astype("int64")
    longest, order = list(WINDOWS)[-1], [False, True, True]
    table = table[table[longest] > 0].rename_axis(["kind", column]).reset_index()
    return table.sort_values([longest, "kind", column], ascending=order, ignore_index=True)
