"""The author's logo, small in the upper corner in which no line begins."""

from __future__ import annotations

from pathlib import Path

from manim import Mobject

from .. import theme
from ..audit import Box
from ..elements.image import Image, ImageError
from ..storyboard.types import Span
from ..typesetting.rich_text import leftwards
from ..typesetting.typesetter import Typesetter

NAME = "the logo"
WIDEST = 3.0
"""How many times wider than high it may be; a wider one is lower."""


def logo(
    path: str | None,
    heading: str,
    frame: tuple[float, float],
    setter: Typesetter,
    look: theme.Theme,
    warnings: list[str],
) -> tuple[list[Mobject], list[Box], tuple[float, float] | None]:
    """Its mobjects where they stand, its boxes, and its size; nothing where there is none, or none that can be read."""
    if path is None:
        return [], [], None
    try:
        block = Image(NAME, -1, Path(path), "", setter, look).measure(1.0, WIDEST * theme.LOGO, theme.LOGO)
    except (ImageError, OSError) as error:
        warnings.append(f"{NAME} can't be shown: {error}")
        return [], [], None
    width, height = (side * (0.5 - theme.MARGIN) for side in frame)
    block.x = -width if leftwards([Span(plain=heading)]) else width - block.width
    block.y = height
    drawn = block.placed()
    return [act.mobject for part in drawn.parts for act in part.acts], drawn.boxes, (block.width, block.height)
