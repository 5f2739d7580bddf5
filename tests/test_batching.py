"""Many ask at once: each is answered as if it were alone, in far fewer steps of the network."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from recommender.encoding.protocol import Encoded
from recommender.encoding.regions import Asked, Regions
from recommender.service.batching import LARGEST, Batches


class Slow:
    """Sees a picture's first value; each batch takes a while, and a black picture breaks it."""

    def __init__(self, seconds: float = 0.02, at_once: int = 1) -> None:
        self.seconds, self.at_once, self.batches, self.within = seconds, at_once, [], 0

    def __call__(
        self, pictures: Sequence[Image.Image], asked: Sequence[Asked] | None = None
    ) -> Encoded:
        assert asked is not None
        self.within += 1
        assert self.within <= self.at_once, "no more threads than batches that go at once"
        self.batches.append(len(pictures))
        time.sleep(self.seconds)
        self.within -= 1
        values = np.array([p.getpixel((0, 0)) for p in pictures], np.float32)
        if not values.all():
            raise ValueError("black")
        found = [
            Regions(boxes=(), sureness=(), used=None, mask=np.zeros((1, 1)), garment=value)
            for value in values
        ]
        shares = np.stack([values / 255, 1 - values / 255], axis=1)
        return Encoded(values[:, None], {"colour": shares}, found, values / 255)


def grey(value: int) -> Image.Image:
    return Image.new("L", (1, 1), value)


def check(encoded: Encoded, values: Sequence[int]) -> None:
    assert encoded.vectors[:, 0].tolist() == list(values)
    assert [found.garment for found in encoded.regions] == list(values)
    np.testing.assert_allclose(encoded.beliefs["colour"][:, 0], np.array(values) / 255, rtol=1e-6)
    np.testing.assert_allclose(encoded.matches, np.array(values) / 255, rtol=1e-6)


def test_who_is_alone_goes_at_once() -> None:
    slow = Slow(0)
    batches = Batches(slow)
    for value in (3, 4):
        check(batches([grey(value), grey(9)], [None, "auto"]), [value, 9])
    assert slow.batches == [2, 2]


@pytest.mark.parametrize("at_once", [1, 2])
def test_many_go_together_and_each_gets_its_own(at_once: int) -> None:
    slow = Slow(at_once=at_once)
    batches = Batches(slow, at_once=at_once)
    with ThreadPoolExecutor(50) as pool:
        told = list(pool.map(lambda value: batches([grey(value)]), range(1, 101)))
    for value, encoded in enumerate(told, 1):
        check(encoded, [value])
    assert sum(slow.batches) == 100
    assert max(slow.batches) <= LARGEST
    assert len(slow.batches) < 30


def test_two_batches_go_at_once() -> None:
    """Each waits for the other to have begun."""
    begun, both = threading.Event(), threading.Barrier(2, timeout=30)

    def seen(pictures: Sequence[Image.Image], asked: object = None) -> Encoded:
        begun.set()
        both.wait()
        return Encoded(np.array([[p.getpixel((0, 0))] for p in pictures], np.float32), {})

    batches = Batches(seen, at_once=2)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(batches, [grey(3)])
        assert begun.wait(30)
        second = pool.submit(batches, [grey(4)])
        assert [told.result().vectors.tolist() for told in (first, second)] == [[[3]], [[4]]]


def test_what_fails_fails_alone() -> None:
    slow = Slow()
    batches = Batches(slow)

    def ask(value: int) -> object:
        try:
            return batches([grey(value)])
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(ask, [0 if value == 7 else value for value in range(1, 21)]))
    assert told.pop(6) == "black"
    for value, encoded in zip([v for v in range(1, 21) if v != 7], told, strict=True):
        check(encoded, [value])
    check(batches([grey(5)]), [5])


def test_more_than_a_batch_holds_go_alone() -> None:
    slow = Slow()
    batches = Batches(slow)
    values = list(range(1, LARGEST + 6))
    with ThreadPoolExecutor(3) as pool:
        large = pool.submit(batches, [grey(value) for value in values])
        others = [pool.submit(batches, [grey(value)]) for value in (50, 60)]
        check(large.result(), values)
        for value, other in zip((50, 60), others, strict=True):
            check(other.result(), [value])
    assert LARGEST + 5 in slow.batches


def test_an_interrupt_leaves_nobody_waiting() -> None:
    """It ends the one who took the others along, and they are told."""
    begun = threading.Event()

    def interrupted(pictures: Sequence[Image.Image], asked: object = None) -> Encoded:
        begun.set()
        time.sleep(0.05)
        raise KeyboardInterrupt

    batches = Batches(interrupted)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(batches, [grey(1)])
        begun.wait()
        others = [pool.submit(batches, [grey(2)]) for _ in range(2)]
        for future in (first, *others):
            with pytest.raises(KeyboardInterrupt):
                future.result(timeout=10)
