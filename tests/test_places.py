"""Who works while others wait: few at a time, and nobody for good."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from counting import AtOnce

from recommender.service import places
from recommender.service.places import Places


def test_few_work_at_a_time_and_who_waits_lets_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_PATIENCE_SECONDS", 60.0)
    here, working, waiting = Places(2), AtOnce(), AtOnce()

    def work() -> None:
        with working.one_more():
            time.sleep(0.002)

    def ask() -> None:
        with here.taken():
            work()
            with here.left(), waiting.one_more():
                time.sleep(0.05)
            work()

    with ThreadPoolExecutor(16) as threads:
        for done in [threads.submit(ask) for _ in range(32)]:
            done.result()
    assert working.most == 2
    assert waiting.most > 2


def test_who_has_waited_long_enough_works_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_PATIENCE_SECONDS", 0.01)
    here, go = Places(1), threading.Event()

    def ask(waits: bool) -> str:
        with here.taken():
            if waits:
                assert go.wait(60)
        return "done"

    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(ask, True)
        assert threads.submit(ask, False).result(60) == "done"
        go.set()
        assert slow.result(60) == "done"
    assert here._free == 1, "the one place, and no other"
    assert not here._waiting


def test_a_place_is_left_by_what_fails() -> None:
    here = Places(1)
    with pytest.raises(ZeroDivisionError), here.taken(), here.left():
        raise ZeroDivisionError
    assert here._free == 1


def test_who_has_none_leaves_none() -> None:
    here = Places(1)
    with here.left(), here.left():
        pass
    assert here._free == 1


def test_who_came_first_is_first_again_after_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_PATIENCE_SECONDS", 60.0)
    here = Places(1)
    away, seen, ends = (threading.Event() for _ in range(3))
    order: list[str] = []

    def first() -> None:
        with here.taken():
            with here.left():
                away.set()
                assert seen.wait(60)
            order.append("first")

    def other(name: str) -> None:
        with here.taken():
            assert ends.wait(60)
            order.append(name)

    def wait_for(count: int) -> None:
        while len(here._waiting) < count:
            time.sleep(0.001)

    with ThreadPoolExecutor(3) as threads:
        came = [threads.submit(first)]
        assert away.wait(60)
        came.append(threads.submit(other, "second"))
        while here._free:
            time.sleep(0.001)
        came.append(threads.submit(other, "third"))
        wait_for(1)
        seen.set()  # the first wants its place back, behind the third
        wait_for(2)
        ends.set()
        for done in came:
            done.result(60)
    assert order == ["second", "first", "third"]


def test_nobody_loses_patience_while_places_change_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_PATIENCE_SECONDS", 1.0)
    here, working = Places(1), AtOnce()

    def work() -> None:
        with here.taken(), working.one_more():
            time.sleep(0.05)

    with ThreadPoolExecutor(30) as threads:
        for done in [threads.submit(work) for _ in range(30)]:  # the last waits for 1.5 s
            done.result()
    assert working.most == 1


def test_who_waits_for_the_network_first_takes_a_place_after_that() -> None:
    here = Places(1)
    with here.taken(later=True):
        with here.left():  # for the picture's file
            assert here._free == 1
        assert here._free == 1
        with here.left(takes=True):
            assert here._free == 1
        assert here._free == 0
        with here.left():
            assert here._free == 1
        assert here._free == 0
    assert here._free == 1
    with here.taken(later=True):  # of what failed before it came so far
        pass
    assert here._free == 1
