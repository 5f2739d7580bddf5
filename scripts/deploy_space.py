"""Create or update a Space that serves a store on the Hub, from this working tree.

python -m scripts.deploy_space --repo OWNER/NAME --store OWNER/DATASET@REVISION --cpu
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from fnmatch import fnmatch
from pathlib import Path

from recommender.hub.hub import Address, push_folder
from scripts.command import plain_errors

ROOT = Path(__file__).parents[1]
NOT_SERVED = [
    *("data/*", "runs/*", "tests/*", "benchmarks/tried/*", "deploy/*", ".ci/*", ".venv/*"),
    *("*.pyc", "*.pyi", "*_cache/*", ".hypothesis/*", "requirements-dev.txt"),
    *("scripts/draw_*.py", "recommender/demo/drawing/*"),
]
"""What of the tree a Space has no use for."""
CPU_BUILD = "https://download.pytorch.org/whl/cpu"


@contextmanager
def with_cpu_build() -> Iterator[Path]:
    """A copy of the tree that has PyTorch's CPU build installed, before what would bring CUDA.

    The Hub's pip installs `pre-requirements.txt` first and, as the versions are those that
    `requirements.txt` asks for, keeps what came by it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        tree = shutil.copytree(ROOT, Path(scratch, "tree"), ignore=_not_served)
        wanted = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
        lines = [f"--index-url {CPU_BUILD}", *(one for one in wanted if one.startswith("torch"))]
        (tree / "pre-requirements.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")
        yield tree


def _not_served(folder: str, names: Sequence[str]) -> list[str]:
    """Those of a folder's names that are not copied."""
    within = Path(folder).relative_to(ROOT)
    patterns = (".git", ".git/*", *NOT_SERVED)
    return [
        name
        for name in names
        for path in [(within / name).as_posix()]
        if any(fnmatch(path, each) or fnmatch(f"{path}/", each) for each in patterns)
    ]


@plain_errors()
def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repo", required=True, help="the Space, OWNER/NAME")
    parser.add_argument("--store", help="the dataset it serves, OWNER/DATASET[@REVISION]; or demo")
    parser.add_argument("--private", action="store_true", help="a Space that is made is private")
    parser.add_argument("--cpu", action="store_true", help="it has no GPU: PyTorch without CUDA")
    options = parser.parse_args(argv)
    served = {"FASHION_REPO": str(Address.parse(options.store))} if options.store else {}
    with with_cpu_build() if options.cpu else nullcontext(ROOT) as tree:
        address = push_folder(
            tree,
            options.repo,
            repo_type="space",
            private=options.private,
            ignore=NOT_SERVED,
            variables=served,
        )
    print(address)
    return 0


if __name__ == "__main__":
    sys.exit(main())
