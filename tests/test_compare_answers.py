"""What an app answers is recorded, and a record is compared with another."""

import json
from pathlib import Path

import pytest

from scripts import compare_answers, draw_house


def test_a_record_is_of_every_endpoint_and_equal_to_itself(
    live: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    assert compare_answers.main(["record", "--url", live, "--json", str(before)]) == 0
    answers = json.loads(before.read_text())
    asked = {answer["call"].partition(" ")[0] for answer in answers}
    assert asked == {"recommend", "recommend_by_id", "describe", "item", "trends"}
    assert len(answers) >= 200
    refused = [answer for answer in answers if "error" in answer["answer"]]
    assert len(compare_answers.WRONG) // 2 < len(refused) < len(answers) / 2
    assert live not in before.read_text()
    assert "timings_ms" not in before.read_text()

    assert compare_answers.main(["compare", str(before), str(before)]) == 0
    answers[0]["answer"]["results"][0]["score"] = 0.123
    after.write_text(json.dumps(answers))
    capsys.readouterr()
    assert compare_answers.main(["compare", str(before), str(after)]) == 1
    shown = capsys.readouterr().out
    assert "0.123" in shown
    assert f"1 of {len(answers)} calls are answered otherwise" in shown
    after.write_text(json.dumps(answers[1:]))
    assert compare_answers.main(["compare", str(before), str(after)]) == 1


def test_the_house_is_drawn_into_a_readme(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("above\n<!-- house -->\nold\n<!-- /house -->\nbelow\n")
    assert draw_house.main(["--readme", str(readme)]) == 0
    assert draw_house.main([]) == 0
    diagram = capsys.readouterr().out
    assert readme.read_text() == f"above\n<!-- house -->\n{diagram}<!-- /house -->\nbelow\n"


def test_what_follows_from_other_arrows_is_left_out() -> None:
    rooms = {"a": set(), "b": {"a"}, "c": {"a", "b", "errors"}, "errors": set()}
    assert draw_house.arrows(rooms) == [("a", "b"), ("b", "c")]
