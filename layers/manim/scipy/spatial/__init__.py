"""The part of scipy.spatial that Manim uses."""

from typing import NoReturn

from .. import _missing


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(name)
    _missing(f"scipy.spatial.{name}")
