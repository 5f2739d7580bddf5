"""What whoever keeps the server running can ask of it."""

import json
import logging

import httpx
import pytest
from conftest import ROWS, draw_picture
from prometheus_client.parser import text_string_to_metric_families
from serving import call, upload

from recommender.ui.server.logs import JsonLines


def counts(live: str) -> dict[str, float]:
    """Each sample of `/metrics`, by its name and labels."""
    answer = httpx.get(f"{live}/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_it_is_alive(live: str) -> None:
    told = httpx.get(f"{live}/healthz").json()
    assert (told["status"], told["items"]) == ("ok", len(ROWS))
    assert len(told["version"]) == 12
    assert told["found_by"] == "memory"
    assert told["memory_bytes"] is None or told["memory_bytes"] > 2**25


def test_what_was_asked_is_counted(live: str) -> None:
    before = counts(live)
    assert "error" not in call(live, "item", ROWS[0][0])
    assert "error" in call(live, "item", 999)
    shown = upload(live, draw_picture(ROWS[0]))
    assert call(live, "recommend", shown, 3, {}, "", False, "auto")["results"]
    call(live, "trends", {}, ["colours"], {}, {})
    after = counts(live)
    grown = {name: value - before.get(name, 0) for name, value in after.items()}
    assert grown["fashion_answers_total item answered"] == 1
    assert grown["fashion_answers_total item refused"] == 1
    assert grown["fashion_answers_total recommend answered"] == 1
    assert grown["fashion_answers_total tables answered"] == 1
    for step in ("decode", "encode", "search", "rank", "total"):
        assert grown[f"fashion_step_seconds_count {step}"] == 1
    assert after["fashion_items"] == len(ROWS)
    assert after["fashion_waiting"] == 0
    assert "process_resident_memory_bytes" in after


def test_each_answer_is_a_line_of_the_log(live: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "recommender")
    call(live, "item", ROWS[0][0])
    call(live, "recommend_by_id", 999, 5)
    lines = [JsonLines().format(record) for record in caplog.records if hasattr(record, "fields")]
    told = [json.loads(line) for line in lines]
    asked = [(line["asked"], line["ended"], line["message"]) for line in told]
    assert asked == [
        ("item", "answered", "item answered"),
        ("recommend_by_id", "refused", "recommend_by_id refused"),
    ]
    assert all(line["milliseconds"] >= 0 for line in told)
    assert not [line for line in lines if "999" in line.replace(told[1]["time"], "")]
