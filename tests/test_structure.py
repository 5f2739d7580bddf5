"""DESIGN's rules on the package itself: who imports whom, who owns what, what nobody does."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "recommender"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "__init__.py"
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}

ALLOWED = {
    "demo": "",
    "errors": "",
    "schema": "",
    "files": "errors",
    "pictures": "errors",
    "catalog": "errors schema files pictures",
    "encoding": "errors files",
    "index": "errors",
    "store": "errors files pictures catalog encoding index",
    "hub": "errors schema files pictures catalog store",
    "search": "errors schema catalog encoding index store",
    "feedback": "schema",
    "charts": "schema",
    "trends": "schema charts",
    "service": "errors schema pictures catalog encoding store hub search feedback charts trends",
    "evaluation": "errors schema files pictures catalog encoding index store search charts",
    "training": "errors schema files pictures catalog encoding search evaluation",
    "ui": "errors schema pictures encoding search feedback charts trends service evaluation",
}
"""A room -> what it may import besides itself. It stands below all that it names: the house has no
arrow back up, and no cycle."""

OWNERS = {
    "faiss": {"index"},
    "timm": {"encoding"},
    "gradio": {"ui"},
    "plotly": {"charts"},
    "kagglehub": {"catalog"},
    "huggingface_hub": {"hub"},
    "openTSNE": {"store"},
    "transformers": {"encoding", "evaluation"},
    "pymilvus": {"index"},
    "skia": {"demo"},
    "ray": {"store"},
}

MAX_LINES = 320
LONGER: dict[str, int] = {}
"""Modules that were longer when the limit came; a number here may only fall."""


def room(module: str) -> str:
    return module.partition(".")[0]


def imported(tree: ast.AST) -> set[str]:
    """Full names of modules, `from a import b` as `a.b`."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own_imports(tree: ast.AST) -> set[str]:
    """Modules of the package, the longest that there is of each name."""
    found = set()
    for name in imported(tree):
        parts = name.split(".")
        if parts[0] == "recommender":
            at = [".".join(parts[1:end]) for end in range(len(parts), 1, -1)]
            found.add(next(module for module in at if module in MODULES))
    return found


@pytest.mark.parametrize("folder", ALLOWED)
def test_each_room_imports_only_what_it_may(folder: str) -> None:
    modules = [module for module in MODULES if room(module) == folder]
    assert modules, "the table holds no room that is gone"
    used = {room(name) for module in modules for name in own_imports(TREES[module])}
    assert used <= {folder, *ALLOWED[folder].split()}


def test_every_room_states_what_it_may_import() -> None:
    assert {room(module) for module in MODULES} <= set(ALLOWED)


def test_the_table_is_in_the_order_of_imports() -> None:
    above: set[str] = set()
    for folder, allowed in ALLOWED.items():
        assert set(allowed.split()) <= above, f"{folder} imports what stands above it alone"
        above.add(folder)


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
        ("recommender.catalog.sources", ["timm", "faiss", "gradio", "kagglehub"]),
    ],
)
def test_importing_loads_no_more_than_it_needs(module: str, without: list[str]) -> None:
    code = f"import sys, {module}; print([n for n in {without} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
