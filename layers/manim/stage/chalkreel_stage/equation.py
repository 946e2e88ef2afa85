"""Displayed formulas: centred, written stroke by stroke."""

from __future__ import annotations

from manim import VGroup

from . import theme
from .layout import Act, Block, Drawn, Part, Piece
from .text import formula, ink
from .typeset import Sheet, TypesetError, Typesetter, mobject


class Equation(Piece):
    """A displayed formula: centred, written stroke by stroke."""

    def __init__(
        self, element: str, event: int, typst: str, setter: Typesetter, look: theme.Theme, warnings: list[str]
    ) -> None:
        self.element, self.event = element, event
        self._typst, self._setter, self._look, self._warnings = typst, setter, look, warnings

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece: shrinks to the width, then breaks into lines, then shrinks below the floor with a warning."""
        size = max(theme.EQUATION * level, theme.TEXT_FLOOR)
        sheet = self._sheet(size)
        if sheet.width > width:
            size = max(size * width / sheet.width * 0.999, theme.TEXT_FLOOR)
            sheet = self._sheet(size)
        if sheet.width > width:
            sheet = self._broken(size, width)
            if float(mobject(sheet).width) > width:
                natural = self._sheet(size)
                size *= width / natural.width * 0.99
                sheet = self._sheet(size)
                message = f"equation {self.element} is too wide for the frame at a legible size"
                if message not in self._warnings:
                    self._warnings.append(message)

        def make() -> Drawn:
            group = mobject(sheet, each_glyph=True)
            count = len(group)
            # Drawing by strokes costs time with every glyph, and past this many nobody follows the strokes.
            kind = "write" if count <= 90 and isinstance(group, VGroup) else "uncover"
            parts = [Part([Act(kind, group, min(0.7 + 0.035 * count, 2.2))], 14 + count)]
            return Drawn(parts, ink(self.element, group, size), sheets=[(sheet, 0.0, 0.0)])

        return Block(self.element, self.event, sheet.width, sheet.height, theme.GAP * level * 1.1, make, centred=True)

    def _sheet(self, size: float) -> Sheet:
        # `bounds` so that the sheet is as high as the formula's ink: fractions and sums reach beyond the line.
        return self._setter.sheet(
            formula(self._typst, block=True),
            size,
            self._look.text,
            preamble='#show math.equation: set text(top-edge: "bounds", bottom-edge: "bounds")',
        )

    def _broken(self, size: float, width: float) -> Sheet:
        body = f"#align(center)[{formula(f'display({self._typst})')}]"
        try:
            return self._setter.sheet(body, size, self._look.text, width)
        except TypesetError:
            return self._sheet(size)
