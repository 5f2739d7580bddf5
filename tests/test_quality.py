"""What is shown of how good it is: lookups, charts, live mistakes, the tab."""

import doctest
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from conftest import open_store
from serving import closing_loops

from recommender.evaluation import mistakes, quality
from recommender.evaluation.committed import EVERYONE, Committed, Precision, load_committed
from recommender.evaluation.mistakes import find_mistakes
from recommender.evaluation.quality import beside, heads, history, quality_charts
from recommender.search.recommender import Recommender
from recommender.service.answers import Service
from recommender.ui.quality import QualityTab


def report(title: str, mean: float) -> dict[str, Any]:
    entry = {"micro": mean, "low": mean - 0.1, "high": mean + 0.1, "macro": mean / 2}
    part = {"queries": 3, "type": [mean, 0.0, 1.0], "type+gender": [None, None, None]}
    return {
        "title": title,
        "strict": {
            "type": {"queries": 40, "P@5": entry},
            "type+gender": {"queries": 40, "P@5": entry},
            "graded": {"nDCG@10": entry},
        },
        "slices": {
            "gender": {"Men": part, "Women": {**part, "queries": 7}},
            "articleType": {"Shirts": part},
        },
        "leakage": {"all": {"same": 0.9, "neutral": 0.04, "other": 0.06}},
        "exposure": {"hits": {"never shown": 0.5}},
    }


HEAD = {"queries": 40, "classes": 4, "accuracy": 0.9, "macro F1": 0.8, "top-5": 1.0, "ECE": 0.021}
CHANGE = {"strength": 2, "P@5": [0.7, 0.6, 0.8], "R@1": [0.9, 0.8, 1.0]}
LOST = {"P@5 lost": [0.05, 0.01, 0.09], "R@1 lost": [0.1, 0.0, 0.2]}
BOARD = {
    "systems": {"pixels": report("Raw pixels", 0.4), "ours": report("Ours, image only", 0.8)},
    "heads": {"articleType": HEAD, "gender": HEAD | {"ECE": 0.034}},
}
ROBUSTNESS = {
    "command": "python -m scripts.robustness",
    "queries": {"count": 40},
    "clean": {"P@5": [0.75, 0.7, 0.8]},
    "blur": {"unit": "px", "mild": CHANGE | LOST, "severe": CHANGE | LOST},
}
PRECISION = {"micro": 0.5, "low": 0.3, "high": 0.6, "macro": 0.4, "macro low": 0.2}
PHOTOGRAPHED = {
    "title": "Ours, image only",
    "metrics": {"P@5": PRECISION | {"macro high": 0.5}},
    "labels": {"Hat": {"P@5": [0.2, 0.0, 0.4]}, "Shoes": {"P@5": [0.6, 0.4, 0.7]}},
}
ASKED = {"photographs": 30, "photographers": 2, "pictures": 9}
PHOTOGRAPHS = {
    "photographs": {"count": 60, "photographers": 3},
    "labels": {"Hat": ASKED, "Shoes": ASKED},
    "systems": {"ours": PHOTOGRAPHED, "before": PHOTOGRAPHED | {"title": "Ours, before"}},
}
RESULTS = Committed(board=BOARD, robustness=ROBUSTNESS, photographs=PHOTOGRAPHS)


@pytest.fixture(scope="module")
def tab(recommender: Recommender) -> Iterator[QualityTab]:
    with closing_loops(), gr.Blocks(analytics_enabled=False), gr.Tab("How good is it") as outer:
        made = QualityTab(Service(recommender), RESULTS)
        made.wire(outer)
        yield made


def test_results_are_read_as_far_as_they_are_there(tmp_path: Path) -> None:
    assert load_committed(tmp_path) == Committed()
    (tmp_path / "leaderboard.json").write_text(json.dumps(BOARD))
    assert load_committed(tmp_path) == Committed(board=BOARD)
    (tmp_path / "robustness.json").write_text(json.dumps(ROBUSTNESS))
    (tmp_path / "photographs.json").write_text(json.dumps(PHOTOGRAPHS))
    assert load_committed(tmp_path) == RESULTS


def test_lookups() -> None:
    assert RESULTS.relevances == ["type", "type+gender"]
    assert RESULTS.values("gender") == ["Women", "Men"]
    assert RESULTS.values("season") == []
    assert RESULTS.precision("ours", "type") == Precision(0.8, 0.8 - 0.1, 0.8 + 0.1, 40)
    assert RESULTS.precision("ours", "type", "gender", "Men") == Precision(0.8, 0.0, 1.0, 3)
    assert RESULTS.precision("ours", "type", "gender", "Boys") is None
    assert RESULTS.precision("ours", "type+gender", "gender", "Men") is None


def test_systems_stand_beside_each_other() -> None:
    chart = beside(RESULTS, "ours", "type")
    assert chart.table["P@5"].tolist() == [0.4, 0.8]
    (bars,) = chart.spec["data"]
    assert bars["x"] == [0.4, 0.8]
    assert len(set(bars["marker"]["color"])) == 2
    assert beside(RESULTS, "ours", "type", "gender", "Boys").nothing


def test_charts_say_what_was_measured() -> None:
    charts = quality_charts(RESULTS)
    for name, chart in charts.items():
        assert not chart.nothing, name
        assert chart.figure.data, name  # Plotly knows every property
    assert charts["changes"].table["lost"].tolist() == [0.05, 0.05]
    assert charts["headline"].table["system"].unique().tolist() == ["Ours, image only"]
    assert charts["types"].table["articleType"].tolist() == ["Shirts"]
    assert "3.4%" in heads(RESULTS).note
    told = heads(replace(RESULTS, details={"details": {"sleeveLength": {"test": HEAD}}}))
    assert told.table["attribute"].tolist() == ["Article type", "Gender", "Sleeve length"]
    shown = charts["photographs"]
    assert shown.counts == "60 photographs of their own clothes, by 3 photographers"
    assert shown.table["P@5"].tolist() == [0.5, 0.4, 0.5, 0.4]
    assert [bars["name"] for bars in shown.spec["data"]] == [
        "Mean over photographs",
        "Mean over labels",
    ]
    assert shown.spec["data"][1]["y"] == ["Ours, image only", "Ours, before"]
    assert charts["photograph-labels"].table["label"].tolist() == ["Shoes", "Hat"]
    for name, chart in quality_charts(Committed()).items():
        assert chart.nothing, name


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(quality).failed == 0


def test_a_history_is_drawn() -> None:
    epochs = [
        {"epoch": 0, "dev": {"accuracy": 0.1, "loss": 3.0}},
        {"epoch": 1, "loss": 2.0, "dev": {"accuracy": 0.5, "loss": 1.0}},
    ]
    chart = history(epochs)
    accuracy, loss = chart.figure.data
    assert list(accuracy.y) == [0.1, 0.5]
    assert list(loss.y) == [None, 2.0]
    assert not chart.figure.layout.shapes
    assert history([]).nothing
    runs = history([{**epochs[1], "epoch": n} for n in (1, 2, 1, 2, 3)])
    assert runs.counts == "5 epochs in 2 runs"
    assert [line.x0 for line in runs.figure.layout.shapes] == [2.5]


def test_mistakes_are_of_another_type(recommender: Recommender) -> None:
    found = find_mistakes(recommender, 3, 0)
    types = recommender.frame.set_index("id")["articleType"]
    names = recommender.frame.set_index("id")["productDisplayName"]
    assert 0 <= found.right <= 1
    assert found.asked >= 1
    for asked, shown in found.examples.items():
        assert asked not in shown
        assert (types.loc[shown] == types.loc[asked]).sum() <= 1
        assert (names.loc[shown] != names.loc[asked]).all()


def test_what_training_saw_does_not_ask_where_the_rest_can(
    recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = recommender.frame
    split = np.where(frame["id"] == 1, "test", "train")
    monkeypatch.setattr(mistakes, "split_names", lambda _: split)
    assert find_mistakes(recommender, 3, 0).asked == 1


def test_the_calculator(tab: QualityTab) -> None:
    said, plot, table = tab.calculate("ours", "type", EVERYONE, "All")
    assert "<b>4.0</b> agree on article type: 80.0%, between 70.0% and 90.0%" in said
    assert "over 40 pictures." in said
    assert [t["type"] for t in json.loads(plot.plot)["data"]] == ["bar"]
    assert "Raw pixels" in table
    assert "trends/" not in table
    value = tab.offer("gender").value
    assert value == "Women"
    assert "asked by gender “Women”" in tab.calculate("ours", "type", "gender", value)[0]
    assert "No picture was asked" in tab.calculate("ours", "type", "gender", "<b>")[0]
    assert "&lt;b&gt;" in tab.calculate("ours", "type", "gender", "<b>")[0]


def test_the_tab_draws(tab: QualityTab) -> None:
    drawn = tab.draw()
    assert len(drawn) == 2 * len(quality_charts(RESULTS))
    shown = tab.show_mistakes()
    assert "of the catalog on show, drawn at random" in shown
    assert shown.count('class="asked"') == shown.count('class="mistake"')


def test_a_tab_without_results_says_so(store: Path) -> None:
    with closing_loops(), gr.Blocks(analytics_enabled=False), gr.Tab("x"):
        tab = QualityTab(Service(open_store(store)), Committed())
    assert "scripts.leaderboard makes them" in tab.calculate(None, None, EVERYONE, "All")[0]
