"""DESIGN's rules on the package itself: who imports whom, who owns what, what nobody does."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from scripts.draw_house import GROUND, ROAD, draw, imported, imports_of_rooms

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "recommender"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "__init__.py"
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}

ROOMS = imports_of_rooms(PACKAGE)
README = (ROOT / "README.md").read_text(encoding="utf-8")

ALLOWED = {
    "demo": "",
    "pictures": "",
    "catalog": "pictures",
    "encoding": "",
    "index": "",
    "store": "pictures catalog encoding index",
    "search": "pictures encoding index store",
    "hub": "pictures catalog store",
    "feedback": "",
    "charts": "",
    "trends": "charts",
    "service": "pictures catalog encoding index store search hub feedback charts trends",
    "evaluation": "pictures catalog encoding index store search feedback charts",
    "training": "pictures catalog encoding search evaluation",
    "ui": "pictures search charts trends service evaluation",
}
"""A room -> what it imports besides itself and the ground; it stands on all that it names."""

OWNERS = {
    "faiss": {"index"},
    "timm": {"encoding"},
    "gradio": {"ui"},
    "plotly": {"charts"},
    "kagglehub": {"catalog"},
    "huggingface_hub": {"hub"},
    "openTSNE": {"store"},
    "openpyxl": {"catalog"},
    "transformers": {"encoding"},
    "pymilvus": {"index"},
    "ray": {"store"},
    "bm25s": {"search"},
    "rapidfuzz": {"search"},
    "skia": {"demo"},
    "cv2": {"training"},
}

MAX_LINES = 320
LONGER: dict[str, int] = {}
"""Modules that were longer when the limit came; a number here may only fall."""


def room(module: str) -> str:
    return module.partition(".")[0]


def own_imports(tree: ast.AST) -> set[str]:
    """Modules of the package, the longest that there is of each name."""
    found = set()
    for name in imported(tree):
        parts = name.split(".")
        if parts[0] == "recommender":
            at = [".".join(parts[1:end]) for end in range(len(parts), 1, -1)]
            found.add(next(module for module in at if module in MODULES))
    return found


@pytest.mark.parametrize("folder", ROOMS)
def test_each_room_imports_what_it_states(folder: str) -> None:
    assert ROOMS[folder] - GROUND == set(ALLOWED.get(folder, "").split())
    assert folder not in GROUND or ROOMS[folder] <= GROUND


def test_the_table_holds_no_room_that_is_gone() -> None:
    assert set(ALLOWED) | GROUND == set(ROOMS)


def test_imports_are_absolute() -> None:
    nodes = [node for tree in TREES.values() for node in ast.walk(tree)]
    assert not any(node.level for node in nodes if isinstance(node, ast.ImportFrom))


def test_the_table_is_in_the_order_of_imports() -> None:
    above: set[str] = set()
    for folder, allowed in ALLOWED.items():
        assert set(allowed.split()) <= above, f"{folder} imports what stands above it alone"
        above.add(folder)


def test_readme_shows_the_house_as_it_is() -> None:
    assert draw(ROOMS) in README, "python -m scripts.draw_house --readme README.md"
    order = list(ALLOWED)
    assert [room for room in order if room in ROAD] == list(ROAD)
    tree = README[README.index("recommender/\n") :]
    for module in MODULES:
        if not module.startswith("demo."):
            assert module.rpartition(".")[2] in tree, f"{module} is not in README's tree"


def test_there_are_no_cycles() -> None:
    graph = {module: own_imports(tree) for module, tree in TREES.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("library", OWNERS)
def test_a_heavy_library_has_one_owner(library: str) -> None:
    users = {
        room(module)
        for module, tree in TREES.items()
        if any(name.split(".")[0] == library for name in imported(tree))
    }
    assert users <= OWNERS[library]


@pytest.mark.parametrize("module", MODULES)
def test_what_nobody_does(module: str) -> None:
    for node in ast.walk(TREES[module]):
        at = f"{module}:{getattr(node, 'lineno', 0)}"
        assert not isinstance(node, ast.Assert), f"{at}: an assert is no check"
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), f"{at}: bare except"
        if isinstance(node, ast.Call):
            assert getattr(node.func, "id", "") not in ("print", "eval", "exec"), at
            for keyword in node.keywords:
                if keyword.arg == "allow_pickle":
                    assert getattr(keyword.value, "value", None) is False, f"{at}: pickle"
    libraries = {name.split(".")[0] for name in imported(TREES[module])}
    assert not libraries & {"pickle", "dill", "joblib", "shelve", "marshal"}


@pytest.mark.parametrize("module", MODULES)
def test_the_environment_is_read_by_the_app_alone(module: str) -> None:
    nodes = list(ast.walk(TREES[module]))
    statements = [ast.unparse(node) for node in nodes if isinstance(node, ast.Expr)]
    setting = [text for text in statements if text.startswith("os.environ.setdefault(")]
    used = [n.attr for n in nodes if isinstance(n, ast.Attribute) and "env" in n.attr]
    assert not {"getenv", "environb"} & set(used)
    assert used.count("environ") == len(setting), "a setting comes as an argument"


def test_the_package_itself_is_a_docstring() -> None:
    for path in PACKAGE.rglob("__init__.py"):
        (only,) = ast.parse(path.read_text(encoding="utf-8")).body
        assert isinstance(only, ast.Expr)


@pytest.mark.parametrize("module", MODULES)
def test_no_module_is_asking_to_be_two(module: str) -> None:
    lines = MODULES[module].read_text(encoding="utf-8").splitlines()
    filled = len([line for line in lines if line.strip()])
    assert filled <= LONGER.get(module, MAX_LINES)
    assert module not in LONGER or filled > MAX_LINES, "it is short enough to leave the list"


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("recommender.trends.sections", ["torch", "timm", "faiss", "gradio", "datasets"]),
        ("recommender.search.ranking", ["torch", "faiss", "gradio", "datasets", "pandas"]),
        ("recommender.service.open", ["pymilvus", "milvus_lite", "ray"]),
        ("recommender.store.embed_ray", ["ray", "torch", "timm"]),
        ("recommender.catalog.sources", ["timm", "faiss", "gradio", "kagglehub"]),
        (
            "recommender.service.open, recommender.service.answers",
            ["recommender.training", "recommender.evaluation", "plotly", "torch._dynamo", "sympy"],
        ),
    ],
)
def test_importing_loads_no_more_than_it_needs(module: str, without: list[str]) -> None:
    code = f"import sys, {module}; print([n for n in {without} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
