"""What stands on screen."""

from __future__ import annotations

from dataclasses import dataclass

from manim import Mobject

from ..layout.blocks import Block


@dataclass
class Standing:
    """Something on screen."""

    element: str | None
    """None for the heading, which stays."""
    mobject: Mobject
    block: Block | None
    bright: Mobject
    """The mobject at its full strength."""
    key: str = ""
