"""What a server counts of its work, as Prometheus reads it. Nothing of a visitor is in it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from prometheus_client import Counter, Gauge, Histogram

from recommender.errors import RecommenderError

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
    """Count what a method answers, how it ends, and the steps that the answer tells."""

    @wraps(method)
    def counting(*args: Any, **kwargs: Any) -> Any:
        ended = "failed"
        try:
            answer = method(*args, **kwargs)
            ended = "answered"
        except RecommenderError:
            ended = "refused"
            raise
        finally:
            ANSWERS.labels(method.__name__, ended).inc()
        timings: dict[str, Any] = answer.get("timings_ms", {}) if isinstance(answer, dict) else {}
        for step, milliseconds in timings.items():
            STEPS.labels(step).observe(milliseconds / 1000)
        return answer

    return cast(Method, counting)
