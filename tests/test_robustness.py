"""What changed pictures cost, over a store whose encoder sees colours and places."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import ROWS, build_store, draw_picture, open_store, write_archive

from recommender.evaluation import queries as protocol
from recommender.evaluation import robustness
from recommender.evaluation.committed import losses
from recommender.evaluation.corruptions import CORRUPTIONS, Severities
from recommender.evaluation.queries import archive_queries, split_queries
from recommender.evaluation.robustness import measure_robustness, robustness_table
from recommender.search.recommender import Recommender
from scripts import robustness as script


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "split_names", lambda frame: np.full(len(frame), "dev"))


def test_every_change_is_measured_against_clean(recommender: Recommender) -> None:
    report = measure_robustness(recommender, split_queries(recommender, "dev"))
    assert report["clean"]["R@1"] == [1, 1, 1]  # the gallery holds the very picture
    for kind in CORRUPTIONS:
        for severity in Severities:
            entry = report[kind][severity]
            for name in ("P@5", "R@1"):
                lost = report["clean"][name][0] - entry[name][0]
                assert entry[f"{name} lost"][0] == pytest.approx(lost, abs=2e-4)
    assert report["jpeg"]["mild"]["strength"] == 30
    assert len(robustness_table(report)) == 15
    again = measure_robustness(recommender, split_queries(recommender, "dev"))
    assert again == report


def test_nothing_is_lost_where_nothing_changes(
    recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robustness, "corrupt", lambda picture, *_: picture)
    report = measure_robustness(recommender, split_queries(recommender, "dev"))
    assert report["crop"]["severe"]["P@5 lost"] == [0, 0, 0]
    assert report["blur"]["mild"]["R@1 lost"] == [0, 0, 0]


def test_a_stranger_cannot_retrieve_itself(tmp_path: Path) -> None:
    build_store(tmp_path / "store", write_archive(tmp_path / "a.zip", ROWS[:5]))
    recommender = open_store(tmp_path / "store")
    source = write_archive(tmp_path / "b.zip", ROWS[3:8])
    queries = archive_queries(recommender, str(source), tmp_path / "queries")
    values = robustness._measure(recommender, queries, "image", "auto", lambda _, p: p, "clean")
    assert values["R@1"].tolist()[:2] == [1, 1]
    assert np.isnan(values["R@1"][2:]).all()


def test_the_script(
    recommender: Recommender,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(script, "load_recommender", lambda *_, **__: recommender)
    file = tmp_path / "robust.json"
    assert script.main(["--data", "x", "--sample", "4", "--json", str(file)]) == 0
    told = json.loads(file.read_text())
    assert told["queries"] == {"count": 4, "from": "4 of the dev split by name group"}
    assert told["command"].endswith(f"--sample 4 --json {file}")
    assert "background, mild (0.9 of the size" in capsys.readouterr().out
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as photographs:
        photographs.writestr(
            "photos.csv", "image,label,photographer,kids,split\na,Hat,1,False,dev\n"
        )
        photographs.writestr("images/a.jpg", draw_picture(ROWS[4]))
    laid = ["--sample", "4", "--photographs", str(tmp_path / "photos.zip"), "--json", str(file)]
    assert script.main(["--data", "x", *laid]) == 0
    more = json.loads(file.read_text())
    assert {kind: more[kind] for kind in CORRUPTIONS} == {kind: told[kind] for kind in CORRUPTIONS}
    assert set(more) - set(told) == {
        "photograph",
        "photograph, any size",
        "photograph, from afar",
    }
    assert len([*losses(more)]) == len([*losses(told)]) + 6
    shown = capsys.readouterr().out
    assert "photograph, any size, severe (0.35 to 0.9 of the size, on" in shown
    assert script.main(["--data", "x", "--photographs", str(tmp_path / "none.zip")]) == 1
    assert "error: none.zip is not" in capsys.readouterr().err
    assert script.main(["--data", "x", "--split", "test"]) == 1
    assert "error: The split test holds none" in capsys.readouterr().err
