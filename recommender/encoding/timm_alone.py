"""timm, imported without PyTorch's compiler.

torchvision imports the compiler to ask it, once, what it supports, and one of timm's models to keep
away from it. With sympy, Triton and all that it brings along it takes a second of the start and
150 MB, for nothing where nothing is compiled; what does compile imports it then.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

import torch

_ASKED = "torch._dynamo.utils"


class _Later(ModuleType):
    """Stands for a module until somebody wants of it what was not foreseen."""

    @staticmethod
    def is_compile_supported(device: str) -> bool:
        supported: bool = _imported().is_compile_supported(device)
        return supported

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # `inspect` looks through all modules for their files
            raise AttributeError(name)
        return getattr(_imported(), name)


def _imported() -> Any:
    if isinstance(sys.modules.get(_ASKED), _Later):
        del sys.modules[_ASKED]
    return importlib.import_module(_ASKED)


@contextmanager
def _without_compiler() -> Iterator[None]:
    if _ASKED in sys.modules:
        yield
        return
    sys.modules[_ASKED] = _Later(_ASKED)
    try:
        # timm does without where a PyTorch has no such thing.
        with patch.object(torch.compiler, "disable", None):
            yield
    finally:
        if isinstance(sys.modules.get(_ASKED), _Later):
            del sys.modules[_ASKED]


with _without_compiler():
    import timm
    from timm.models.resnet import Bottleneck

__all__ = ["Bottleneck", "timm"]
