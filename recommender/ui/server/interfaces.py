"""Gradio without the interfaces that it draws whenever it is imported.

For the class of each component it makes the text of a `.pyi` for editors, from a template and the
class's own source, and writes it beside the source where it is another: a third of what importing
it takes, for files that came with it.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

_DRAWS = "gradio.component_meta"


class _Loader(SourceFileLoader):
    """Loads what draws them, without its hand."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        module.create_or_modify_pyi = lambda *_: None  # type: ignore[attr-defined]


class _Finder(MetaPathFinder):
    """Finds that module alone."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _DRAWS:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def draw_no_interfaces() -> None:
    """Have Gradio draw none; to be called before it is imported."""
    sys.meta_path.insert(0, _Finder())
