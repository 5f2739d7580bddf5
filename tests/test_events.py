"""The event log: nothing recorded is lost, nothing torn is read, and the counts add up."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROWS, ClocksOf
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.feedback import events
from recommender.feedback.events import NO_EVENTS, WINDOWS, EventLog, count_events
from recommender.trends.demand import looked_for

ITEMS = pd.DataFrame({"id": [row[0] for row in ROWS], "baseColour": [row[5] for row in ROWS]})
DAY = 86_400


def test_nothing_before_the_first_event(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events")
    assert log.read().empty
    assert list(log.read().columns) == list(NO_EVENTS.columns)
    assert not list(tmp_path.iterdir())


def test_an_event_holds_when_what_and_which(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    assert log.record("search", 7, at=1000.5)
    assert log.record("open", 8)
    (path,) = tmp_path.iterdir()
    lines = list(filter(None, path.read_text().splitlines()))
    assert json.loads(lines[0]) == {"at": 1000.5, "kind": "search", "item": 7}
    assert set(json.loads(lines[1])) == {"at", "kind", "item"}
    assert log.read()["item"].tolist() == [7, 8]
    assert log.read(since=2000)["kind"].tolist() == ["open"]
    with pytest.raises(ValueError, match="kind"):
        log.record("address", 1)


@pytest.mark.parametrize("torn", ['{"at": 1, "ki', '{"at": "x"}', "[]", "\x00\xff", "9" * 50])
def test_a_torn_line_spoils_no_other(tmp_path: Path, torn: str) -> None:
    log = EventLog(tmp_path)
    log.record("search", 1)
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write(torn)
    log.record("search", 2)
    assert log.read()["item"].tolist() == [1, 2]


def test_a_kill_loses_nothing_that_was_recorded(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from recommender.feedback.events import EventLog\n"
        "log = EventLog(Path(sys.argv[1]), max_bytes=2000, max_files=1000)\n"
        "for i in range(10**9):\n"
        "    log.record('search', i); print(i, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    ) as process:
        said = [int(process.stdout.readline()) for _ in range(300)]
        process.kill()
        said += [int(line) for line in process.stdout if line.strip().isdigit()]
    found = EventLog(tmp_path).read()["item"].tolist()
    assert found[: len(said)] == said
    assert len(found) - len(said) in (0, 1)  # one may have been recorded and not yet said
    assert len(list(tmp_path.iterdir())) > 3


def test_the_latest_stay_though_the_clock_was_set_back(tmp_path: Path, clocks_of: ClocksOf) -> None:
    log, clock = EventLog(tmp_path, max_bytes=500, max_files=3), time.time_ns()
    clocks = clocks_of(events)
    for item in range(100):
        jumped = clock + (10**17 if item < 50 else 0)  # by three years
        clocks.time_ns = lambda jumped=jumped: jumped
        assert log.record("search", item)
    kept = log.read()["item"].tolist()
    assert kept == list(range(100 - len(kept), 100))
    assert len(kept) > 15


def test_it_rotates_and_drops_the_oldest(tmp_path: Path) -> None:
    log = EventLog(tmp_path, max_bytes=500, max_files=3)
    for i in range(100):
        log.record("search", i)
    files = list(tmp_path.iterdir())
    assert len(files) <= 3
    assert all(path.stat().st_size < 600 for path in files)
    left = log.read()["item"].tolist()
    assert left == list(range(100 - len(left), 100))
    assert len(left) > 10


def test_where_it_cannot_be_written_searching_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    log = EventLog(tmp_path / "file" / "events")
    assert not log.record("search", 1)
    assert log.read().empty


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    EventLog(tmp_path).record("search", 1)
    assert (tmp_path / "events.jsonl").stat().st_mode & 0o077 == 0


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 40 * DAY), st.sampled_from(["search", "open"]), st.integers(1, 16)),
        max_size=40,
    )
)
def test_counts_are_those_of_plain_counting(events: list[tuple[float, str, int]]) -> None:
    now = 50 * DAY
    table = pd.DataFrame([(now - age, *rest) for age, *rest in events], columns=list(NO_EVENTS))
    counts = count_events(table.astype(NO_EVENTS.dtypes.to_dict()), ITEMS, "baseColour", now)
    colour = {row[0]: row[5] for row in ROWS}
    for row in counts.itertuples():
        for window, days in WINDOWS.items():
            expected = sum(
                1
                for age, kind, item in events
                if kind == row.kind and colour.get(item) == row.baseColour and age <= days * DAY
            )
            assert getattr(row, window) == expected
    recent = {
        (kind, colour[item]) for age, kind, item in events if item in colour and age <= 30 * DAY
    }
    assert set(zip(counts["kind"], counts["baseColour"], strict=True)) == recent


def test_a_clock_that_was_set_back(tmp_path: Path) -> None:
    """What was recorded before counts when its time comes, and hides nothing."""
    log, now = EventLog(tmp_path), 100 * DAY
    for at in (now + 300 * DAY, now - 1, now):
        log.record("search", 1, at=at)
    counts = count_events(log.read(), ITEMS, "baseColour", now)
    assert counts[list(WINDOWS)].to_numpy().tolist() == [[2, 2, 2]]


def test_the_chart_of_what_people_look_for(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    now = time.time()
    for item, age in ((1, 0), (1, 3 * DAY), (7, 20 * DAY), (5, 40 * DAY)):
        log.record("search", item, at=now - age)
    counts = count_events(log.read(), ITEMS, "baseColour", now)
    chart = looked_for(counts, "baseColour", "search", "searches", list(WINDOWS))
    assert chart.table.to_dict("records") == [
        {"baseColour": "Red", "day": 1, "week": 2, "month": 3}
    ]
    assert [list(bars.x) for bars in chart.figure.data] == [[1], [2], [3]]
    nothing = looked_for(counts, "baseColour", "open", "opened items", list(WINDOWS))
    assert "no opened items in the last month yet" in nothing.nothing
