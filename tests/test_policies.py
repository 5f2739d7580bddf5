"""What a log of answers says of rankings: the best is found, and the intervals hold the truth."""

import json
from pathlib import Path

import numpy as np
import pytest

from recommender.errors import FeedbackError
from recommender.evaluation.metrics import bootstrap_intervals
from recommender.evaluation.opinions import PREFERENCES, coverage, simulate
from recommender.evaluation.policies import ESTIMATES, LEARNT, evaluate
from recommender.feedback.judged import Feedback, Judged, Ranked
from recommender.service.feedback import RANKINGS
from scripts import evaluate_feedback, simulate_feedback

WORTHS = {
    "Shirts": {"hybrid": 0.8, "image": 0.4, "diverse": 0.5},
    "Heels": {"hybrid": 0.3, "image": 0.75, "diverse": 0.4},
}


def test_visitors_prefer_each_of_the_rankings_somewhere() -> None:
    for liked in PREFERENCES.values():
        assert liked.keys() == RANKINGS.keys()
    assert {max(liked, key=liked.__getitem__) for liked in PREFERENCES.values()} == RANKINGS.keys()


def test_the_better_ranking_is_found_and_regret_flattens(tmp_path: Path) -> None:
    told = simulate(tmp_path / "log", visitors=2000, worths=WORTHS, resamples=400)
    assert told["best ranking found"] == 1
    first, *_, last = told["regret by tenths"]
    assert last < min(first / 3, told["regret of chance"] / 8)
    assert told["truth"][LEARNT] > max(told["truth"][name] for name in WORTHS["Shirts"]) + 0.1
    for estimate in ESTIMATES:
        mean, low, high = told["evaluation"]["policies"][LEARNT][estimate]
        assert low <= mean <= high
        assert low <= told["truth"][LEARNT] <= high
    served = told["evaluation"]["as served"]
    assert served[0] > 0.6
    assert served[1] < served[0] < served[2]
    assert {round(each["judged"], 1) for each in told["evaluation"]["judged"].values()} == {0.5}


def test_intervals_hold_the_truth_as_often_as_they_say(tmp_path: Path) -> None:
    told = coverage(tmp_path, logs=8, visitors=500, resamples=200)
    assert min(told["intervals that hold the truth"].values()) >= 0.8


def by_hand(ranking: str, chance: float, worth: float, context: str = "") -> Judged:
    shares = {ranking: chance, {"a": "b", "b": "a"}[ranking]: 1 - chance}
    return Judged(Ranked(context=context, ranking=ranking, propensities=shares), worth)


def test_estimates_by_hand() -> None:
    """Of a: weights 1 / .25 on 5 answers of 20, 3 of them good; of b 1 / .75 on 15, 9 good."""
    judged = [by_hand("a", 0.25, float(at < 3)) for at in range(5)]
    judged += [by_hand("b", 0.75, float(at < 9)) for at in range(15)]
    told = evaluate(Feedback(judged, [judged[0].ranked], 2), resamples=100)
    assert told["policies"]["a"]["IPS"][0] == 0.6  # 4 * 3 / 20
    assert told["policies"]["b"]["IPS"][0] == 0.6  # 4/3 * 9 / 20
    assert told["policies"]["a"]["SNIPS"][0] == 0.6
    assert told["policies"]["a"]["DR"][0] == pytest.approx(0.6, abs=0.05)
    assert told["policies"]["a"]["as many answers as"] == 5
    assert told["as served"][0] == 0.6
    assert told["judged"]["a"] == {"answers": 6, "judged": 0.8333}
    assert told["lines skipped"] == 2


def test_answers_that_others_could_not_have_given_are_left_out() -> None:
    judged = [by_hand("ab"[at % 2], 0.5, 1.0) for at in range(20)]
    asked = Judged(Ranked(context="", ranking="a", propensities={"a": 1.0}), 0.0)
    other = Judged(Ranked(context="", ranking="z", propensities={"z": 0.5, "a": 0.5}), 0.0)
    told = evaluate(Feedback([asked, *judged, other], [], 0), resamples=50)
    assert told["as served"] == [1, 1, 1]
    assert told["of other choices"] == 2
    with pytest.raises(FeedbackError, match="19 were judged, and it takes 20"):
        evaluate(Feedback(judged[:-1] + [asked] * 9, [], 0))


def test_weighted_intervals() -> None:
    values, weights = np.array([[0.0], [1.0], [1.0]]), np.array([[0.0], [2.0], [5.0]])
    assert bootstrap_intervals(values, weights=weights).tolist() == [[1.0, 1.0]]
    same = np.full((3, 1), 7.0)
    plain = bootstrap_intervals(values, resamples=200)
    assert bootstrap_intervals(values, weights=same, resamples=200).tolist() == plain.tolist()


@pytest.mark.parametrize(
    "text", [None, "", "\x00\xff torn", '{"kind": "up", "answer": "x"}\n[]\n9']
)
def test_a_log_that_tells_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "events.jsonl").write_text(text)
    assert evaluate_feedback.main(["--events", str(tmp_path)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "0 were judged, and it takes 20 to tell anything: serve with FASHION_BANDIT=1" in line


def test_a_log_is_named_by_its_folder_or_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    log = tmp_path / "events.jsonl"
    log.touch()
    for path, said in ((log, "0 were judged"), (tmp_path / "gone", "There is no log of events at")):
        assert evaluate_feedback.main(["--events", str(path)]) == 1
        assert said in capsys.readouterr().err


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    simulate(tmp_path / "space" / "log", visitors=300, worths=WORTHS, resamples=50)
    with (tmp_path / "space" / "log" / "events.jsonl").open("a") as file:
        file.write('{"kind": "up", "ans')
    report = tmp_path / "scores.json"
    argv = ["--events", str(tmp_path), "--json", str(report)]
    assert evaluate_feedback.main(argv) == 0
    written = json.loads(report.read_text())
    assert written["command"].startswith("python -m scripts.evaluate_feedback --events")
    assert set(written["policies"]) == {*WORTHS["Shirts"], LEARNT}
    assert written["lines skipped"] == 1
    assert "1 lines of the log say nothing" in capsys.readouterr().out
    argv = ["--visitors", "200", "--logs", "0", "--json", str(report)]
    assert simulate_feedback.main(argv) == 0
    assert json.loads(report.read_text())["visitors"] == 200
