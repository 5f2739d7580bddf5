"""The tab *Use it from code*: its programs run as they stand, and find what the engine finds."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROWS

from recommender.search.options import Options
from recommender.search.recommender import Recommender
from recommender.ui.code import LANGUAGES, snippets

NAMES = {row[0]: row[-1] for row in ROWS}
ASKED = 3


@pytest.fixture
def expected(recommender: Recommender) -> list[str]:
    hits = recommender.by_id(ASKED, Options(k=5, filters={"year": {"min": 2000}}))
    return [NAMES[item_id] for item_id in hits.ids.tolist()]


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_python(live: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "ask.py").write_text(snippets(live, ASKED)["Python"])
    lines = run([sys.executable, "-W", "ignore", "ask.py"], tmp_path).splitlines()
    found = [line for line in lines if f"{live}/pictures/" in line]
    assert [re.sub(r"^\S+ | \S+$", "", line) for line in found] == expected
    assert lines[-1] == expected[0]  # its own picture, uploaded


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(live: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "ask.sh").write_text(snippets(live, ASKED)["curl"])
    text = run(["bash", "ask.sh"], tmp_path)
    assert re.findall(r'"productDisplayName": "([^"]+)", "image"', text)[-5:] == expected


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_javascript(live: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "ask.mjs").write_text(snippets(live, ASKED)["JavaScript"])
    lines = run(["node", "ask.mjs"], tmp_path).splitlines()
    assert [re.sub(r"^\S+ | \S+$", "", line) for line in lines] == expected


def test_there_is_a_snippet_for_each_language() -> None:
    made = snippets("https://a-b.hf.space", 7)
    assert list(made) == list(LANGUAGES)
    assert all("https://a-b.hf.space" in text and "7" in text for text in made.values())
