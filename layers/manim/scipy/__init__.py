"""Stands in for scipy in the Lambda layer: the one class that Manim uses of it, and a clear word for everything else.

scipy with its libraries takes 74 MB of the 262 that a function and its layers may have. The container image has
the whole of it.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NoReturn

HERE = ("scipy.spatial", "scipy.spatial.transform")


def _missing(name: str) -> NoReturn:
    raise ModuleNotFoundError(
        f"{name} is not part of the Lambda layer, which has of scipy only spatial.transform.Rotation; "
        "the container image (layers/Dockerfile) has all of it",
        name=name,
    )


class _Rest:
    """Answers for every module of scipy that nobody else finds."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name.startswith("scipy.") and name not in HERE:
            _missing(name)
        return None


sys.meta_path.insert(0, _Rest)


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(name)
    _missing(f"scipy.{name}")
