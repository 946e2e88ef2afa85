"""One thing on screen: a mobject of an element, or of the heading."""

from __future__ import annotations

from dataclasses import dataclass

from manim import Mobject

from ..layout.blocks import Block


@dataclass
class Shown:
    """Something on screen."""

    element: str | None
    """None for the heading, which stays."""
    mobject: Mobject
    block: Block | None
    undimmed: Mobject
    """The mobject at full opacity, for when it is dimmed no more."""
    key: str = ""
    lines: tuple[str, ...] = ()
    """What its submobjects show, when they are lines of a program."""
    complete: bool = True
    """Whether it has come, and is not coming still."""
