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
    "errors": set(),
    "fetch": {"errors"},
    "images": {"errors", "fetch"},
    "catalog": {"errors", "images"},
    "changes": {"catalog", "errors"},
    "sources": {"catalog", "errors"},
    "attributes": set(),
    "backbone": {"errors"},
    "views": set(),
    "encoder_config": set(),
    "encoder": {"attributes", "backbone", "encoder_config", "errors", "views"},
    "embeddings": {"catalog", "errors", "images"},
    "exact": set(),
    "index": {"embeddings", "errors", "exact"},
    "ranking": set(),
    "recognition": {"attributes", "embeddings", "index"},
    "filters": {"errors"},
    "store": {"catalog", "embeddings", "errors", "index"},
    "stylemap": {"embeddings", "errors", "index"},
    "engine": {
        "attributes",
        "backbone",
        "catalog",
        "embeddings",
        "encoder",
        "errors",
        "filters",
        "index",
        "ranking",
        "recognition",
        "store",
        "stylemap",
    },
    "training.augmentation": set(),
    "training.checkpoint": set(),
    "training.examples": {"catalog", "encoder_config", "images"},
    "training.net": {"backbone"},
    "training.fashion": {
        "training.augmentation",
        "backbone",
        "catalog",
        "training.checkpoint",
        "encoder_config",
        "errors",
        "training.examples",
        "training.net",
    },
    "training.calibration": {
        "attributes",
        "backbone",
        "catalog",
        "encoder",
        "recognition",
        "training.examples",
    },
    "events": set(),
    "live": {"engine", "errors", "store"},
    "parcel": {"catalog", "changes", "embeddings", "errors", "store", "stylemap"},
    "hub": {"errors", "parcel", "store"},
    "card": {"catalog", "images", "store"},
    "trends": {"trends"},
    "evaluation.metrics": set(),
    "evaluation.classification": set(),
    "evaluation.beliefs": {"catalog", "encoder", "images"},
    "training.classifier": {
        "backbone",
        "catalog",
        "training.checkpoint",
        "evaluation.beliefs",
        "evaluation.classification",
        "encoder",
        "encoder_config",
        "errors",
        "images",
    },
    "evaluation.foreseen": {"attributes"},
    "evaluation.protocol": {
        "catalog",
        "engine",
        "errors",
        "evaluation.foreseen",
        "images",
        "sources",
    },
    "evaluation.scores": {"evaluation.classification", "evaluation.metrics", "evaluation.protocol"},
    "evaluation.corruptions": set(),
    "evaluation.robustness": {
        "evaluation.corruptions",
        "engine",
        "evaluation.metrics",
        "evaluation.protocol",
        "evaluation.scores",
    },
    "evaluation.pretrained": {"attributes", "backbone", "errors"},
    "evaluation.baselines": {
        "attributes",
        "backbone",
        "catalog",
        "embeddings",
        "encoder",
        "encoder_config",
        "engine",
        "index",
        "evaluation.pretrained",
    },
    "evaluation.leaderboard": {
        "backbone",
        "evaluation.baselines",
        "catalog",
        "embeddings",
        "engine",
        "errors",
        "evaluation.metrics",
        "index",
        "evaluation.protocol",
        "evaluation.scores",
    },
    "evaluation.year_parity": {
        "catalog",
        "encoder",
        "evaluation.beliefs",
        "evaluation.classification",
        "evaluation.metrics",
    },
    "evaluation.results": set(),
    "evaluation.figures": {"evaluation.results", "trends"},
    "evaluation.mistakes": {
        "catalog",
        "engine",
        "evaluation.metrics",
        "evaluation.protocol",
        "evaluation.scores",
    },
    "ui": {
        "attributes",
        "engine",
        "errors",
        "evaluation.figures",
        "evaluation.mistakes",
        "evaluation.results",
        "events",
        "images",
        "live",
        "trends",
        "ui",
    },
}
"""Module, or the folder `trends` or `ui`, -> what it may import of the package."""

OWNERS = {
    "faiss": {"exact", "index"},
    "timm": {"backbone"},
    "gradio": {"ui"},
    "plotly": {"trends"},
    "kagglehub": {"sources"},
    "pymilvus": {"milvus"},
    "huggingface_hub": {"hub"},
    "openTSNE": {"stylemap"},
    "transformers": {"evaluation.pretrained"},
}

MAX_LINES = 320
LONGER: dict[str, int] = {}
"""Modules that were longer when the limit came; a number here may only fall."""


def unit(module: str) -> str:
    folder = module.partition(".")[0]
    return folder if folder in ("trends", "ui") else module


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


@pytest.mark.parametrize("module", MODULES)
def test_each_imports_only_what_it_may(module: str) -> None:
    assert unit(module) in ALLOWED, "a new module states here what it may import"
    assert {unit(name) for name in own_imports(TREES[module])} <= ALLOWED[unit(module)]


def test_the_table_holds_no_module_that_is_gone() -> None:
    assert set(ALLOWED) == {unit(module) for module in MODULES}


def test_there_are_no_cycles() -> None:
    graph = {module: own_imports(tree) for module, tree in TREES.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("library", OWNERS)
def test_a_heavy_library_has_one_owner(library: str) -> None:
    users = {
        unit(module)
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
        ("recommender.trends.charts", ["torch", "timm", "faiss", "gradio", "datasets"]),
        ("recommender.ranking", ["torch", "faiss", "gradio", "datasets", "pandas"]),
        ("recommender.sources", ["timm", "faiss", "gradio", "kagglehub"]),
    ],
)
def test_importing_loads_no_more_than_it_needs(module: str, without: list[str]) -> None:
    code = f"import sys, {module}; print([n for n in {without} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
