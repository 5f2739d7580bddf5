"""What makes the tree a Space: its front matter, what is uploaded, and where it falls back to."""

import re
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path

import huggingface_hub
import pytest
import yaml
from conftest import open_store
from hub_server import Hub, hub_server
from huggingface_hub import close_session, constants
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import app
from recommender.hub.hub import push_folder
from recommender.service.open import pull_or_last_copy
from scripts import deploy_space

ROOT = Path(app.__file__).parent
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    with hub_server() as served:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", served.address)
        yield served
        close_session()


def test_the_front_matter() -> None:
    head = yaml.safe_load((ROOT / "README.md").read_text(encoding="utf-8").split("---")[1])
    requirements = map(Requirement, _lines(ROOT / "requirements.txt"))
    gradio = next(r for r in requirements if r.name == "gradio")
    assert head["sdk"] == "gradio"
    assert gradio.specifier.contains(head["sdk_version"])
    assert version("gradio").startswith(head["sdk_version"].rpartition(".")[0])
    assert isinstance(head["python_version"], str)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = re.search('requires-python = "(.*)"', project)
    assert wanted is not None
    assert SpecifierSet(wanted[1]).contains(head["python_version"])
    assert (ROOT / head["app_file"]).is_file()
    assert len(head["short_description"]) <= 60
    # The weights are in the tree, and the store is a dataset of the owner's, pinned by a variable.
    assert "preload_from_hub" not in head


def _lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_a_space_is_made_updated_and_holds_what_it_serves(hub: Hub) -> None:
    trees = {"main": deploy_space.with_cpu_build(), "v2": nullcontext(ROOT)}
    first, paths = [], set[str]()
    for revision, made in trees.items():
        with made as tree:
            address = push_folder(
                tree,
                "shop/finder",
                repo_type="space",
                ignore=deploy_space.NOT_SERVED,
                variables={"FASHION_REPO": f"shop/catalog@{revision}"},
                token="hf_write",  # noqa: S106
                endpoint=hub.address,
            )
            before = tree / "pre-requirements.txt"
            first += before.read_text(encoding="utf-8").splitlines() if before.exists() else []
        earlier, paths = paths, set(hub.tree("spaces/shop/finder"))
    assert earlier - paths == {"pre-requirements.txt"}
    assert not paths - earlier
    wanted = [line for line in _lines(ROOT / "requirements.txt") if line.startswith("torch")]
    assert first == [f"--index-url {deploy_space.CPU_BUILD}", *wanted]
    assert address.endswith("spaces/shop/finder")
    assert hub.repos["spaces/shop/finder"].variables == {"FASHION_REPO": "shop/catalog@v2"}
    served = {"app.py", "README.md", "requirements.txt", "recommender/demo/fashion-demo.zip"}
    assert served <= paths
    results = {"leaderboard.json", "robustness.json"}  # what the page shows of how good it is
    assert {f"benchmarks/{name}" for name in results} <= paths
    assert not [p for p in paths if p.startswith(("tests/", "data/", ".git/")) or "cache" in p]
    assert not [p for p in paths if "draw" in p], "what draws the demo is not needed to serve it"


def test_without_the_hub_the_last_good_copy_is_served(
    store: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # The tests' own switch says offline, which is what a Hub that is away looks like.
    copy = shutil.copytree(store, tmp_path / "copy")
    assert pull_or_last_copy("shop/catalog@main", copy, otherwise=app.DEMO) == copy
    assert "Serving the last good copy" in caplog.text
    open_store(copy)
    assert pull_or_last_copy("shop/catalog@main", tmp_path / "none", otherwise=app.DEMO) == app.DEMO
    assert "serving the demo" in caplog.text


def test_a_repo_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("FASHION_REPO", "no repo")
    assert app.main(["--port", "7999"]) == 1
    assert "OWNER/NAME" in capsys.readouterr().err


def test_the_cpu_build_that_readme_names_is_of_the_same_versions() -> None:
    wanted = [line for line in _lines(ROOT / "requirements.txt") if line.startswith("torch")]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = " ".join(f'"{line}"' for line in wanted)
    assert f"pip install {named} --index-url {deploy_space.CPU_BUILD}" in readme
    assert SpecifierSet(wanted[0].removeprefix("torch")).contains("2.15.0+cpu")
