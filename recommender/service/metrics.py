"""What a server counts and logs of its work. Nothing of a visitor is in it."""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from prometheus_client import Counter, Gauge, Histogram

from recommender.errors import RecommenderError

log = logging.getLogger(__name__)

ANSWERS = Counter(
    "fashion_answers",
    "Answers by what was asked and how it ended: answered, refused or failed.",
    ["asked", "ended"],
)
STEPS = Histogram(
    "fashion_step_seconds",
    "Seconds of each step of an answer; encoding holds the wait for the network.",
    ["step"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
BATCHES = Histogram(
    "fashion_batch_pictures",
    "Pictures that went through the network together.",
    buckets=(1, 2, 4, 8, 16),
)
ITEMS = Gauge("fashion_items", "Items of the catalog that is served.")
WAITING = Gauge("fashion_waiting", "Questions that wait for a place.")

Method = TypeVar("Method", bound=Callable[..., Any])


def counted(method: Method) -> Method:
    """Count and log what a method answers, how it ends, and the steps that the answer tells."""

    @wraps(method)
    def counting(*args: Any, **kwargs: Any) -> Any:
        ended, started = "failed", time.perf_counter()
        try:
            answer = method(*args, **kwargs)
            ended = "answered"
        except RecommenderError:
            ended = "refused"
            raise
        finally:
            asked, seconds = method.__name__, time.perf_counter() - started
            ANSWERS.labels(asked, ended).inc()
            fields = {"asked": asked, "ended": ended, "milliseconds": round(seconds * 1000, 1)}
            log.info("%s %s", asked, ended, extra={"fields": fields})
        timings: dict[str, Any] = answer.get("timings_ms", {}) if isinstance(answer, dict) else {}
        for step, milliseconds in timings.items():
            STEPS.labels(step).observe(milliseconds / 1000)
        return answer

    return cast(Method, counting)
