"""Displayed formulas: centred, written stroke by stroke; cut between their lines when too long for a page."""

from __future__ import annotations

import numpy as np
from manim import VGroup

from .. import theme
from ..audit import Box, ink
from ..layout.blocks import Act, Block, Drawn, Part, Piece, shares
from ..storyboard.types import Span
from ..typesetting.formulas import is_drawable, joined, latex_lines, named_parts, unaligned
from ..typesetting.native import FormulaError
from ..typesetting.outlines import mobject
from ..typesetting.rich_text import FormulaCheck
from ..typesetting.typesetter import Sheet, Typesetter
from .text import Paragraph

OVERSHOOT = 0.03
"""How far strokes of rules and letters reach beyond the box that a formula is set in, in font sizes."""


class Equation(Piece):
    """A displayed formula, or some of its lines."""

    largest = theme.EQUATION_GROWS
    largest_alone = theme.LONE_EQUATION_GROWS

    def __init__(
        self,
        element: str,
        event: int,
        latex: str,
        setter: Typesetter,
        look: theme.Theme,
        warnings: list[str],
    ) -> None:
        self.element, self.event = element, event
        self._latex = latex
        self._setter, self._look, self._warnings = setter, look, warnings
        self._lines = latex_lines(latex)

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece: shrinks to the width, then breaks, never below the floor. Too large when that isn't enough."""
        size = max(theme.EQUATION * level, theme.TEXT_FLOOR)
        sheet = self._sheet(size)
        # What can be divided between its lines is, rather than made small.
        fit = width / sheet.width
        if len(self._lines) == 1:
            fit = min(fit, height / (sheet.height + 2 * OVERSHOOT * size))
        crowded = fit < 1.0
        if fit < 1.0:
            size = max(size * fit * 0.999, theme.TEXT_FLOOR)
            sheet = self._sheet(size)
        if sheet.width > width:
            sheet, size = self._broken(max(theme.EQUATION * level, theme.TEXT_FLOOR), width, height)

        rim = OVERSHOOT * size

        def make() -> Drawn:
            group = mobject(sheet, each_glyph=True).shift([0, -rim, 0])
            # Glyphs reach beyond the line that they are broken into.
            right = max(-float(group.get_left()[0]), 0.0)
            group.shift([right, 0, 0])
            count = len(group)
            # Drawing by strokes costs time with every glyph, and past this many nobody follows the strokes.
            kind = "write" if count <= 90 and isinstance(group, VGroup) else "uncover"
            parts = [Part([Act(kind, group, min(0.7 + 0.035 * count, 2.2))], 14 + count)]
            regions = {
                name: [box.shifted(right, -rim) for box in boxes]
                for name, boxes in _regions(self.element, sheet).items()
            }
            return Drawn(parts, ink(self.element, group, size), regions, sheets=[(sheet, right, -rim)])

        gap = theme.GAP * level * 1.1
        return Block(
            self.element,
            self.event,
            sheet.width,
            sheet.height + 2 * rim,
            gap,
            make,
            centred=True,
            crowded=crowded,
            anchor=_equals(sheet) if len(self._lines) == 1 else None,
        )

    def divided(self, count: int) -> list[Piece]:
        """See Piece: cut between lines; a single line is shown as its author wrote it, which can be wrapped."""
        parts = self._parts(count) if len(self._lines) > 1 else []
        if parts and all(is_drawable(part._latex) for part in parts):
            return [*parts]
        warning = f"equation {self.element} is too large for the frame at a legible size and is shown as written"
        self._warnings += [warning] if warning not in self._warnings else []
        spans = [Span(code=self._latex)]
        checked = FormulaCheck(self._setter, self._warnings)
        return [Paragraph(self.element, self.event, spans, self._setter, self._look, checked)]

    def _parts(self, count: int) -> list[Equation]:
        return [
            Equation(self.element, self.event, joined(list(part)), self._setter, self._look, self._warnings)
            for part in shares(self._lines, count)
        ]

    def _sheet(self, size: float) -> Sheet:
        return self._setter.formula(self._latex, size, self._look.text)

    def _broken(self, size: float, width: float, height: float) -> tuple[Sheet, float]:
        """Broken where it can be, in the largest size up to `size` in which it fits; as it is when in none."""
        try:
            body = " \\ ".join(self._setter.inline(unaligned(line), display=True) for line in self._lines)
        except FormulaError:
            return self._sheet(theme.TEXT_FLOOR), theme.TEXT_FLOOR
        body = f"#align(center)[{body}]"
        while True:
            sheet = self._setter.sheet(body, size, self._look.text, width, preamble="#set par(leading: 0.55em)")
            within = float(mobject(sheet).width) <= width
            if within and sheet.height + 2 * OVERSHOOT * size <= height:
                return sheet, size
            if size <= theme.TEXT_FLOOR:
                return sheet if within else self._sheet(size), size
            size = max(size * 0.88, theme.TEXT_FLOOR)


def _regions(element: str, sheet: Sheet) -> dict[str, list[Box]]:
    """Where the formula's parts stand, by their names."""
    regions: dict[str, list[Box]] = {}
    for placed in sheet.placed:
        edges = [_edges(item.points) for item in placed.stretch.formula.items]
        for name, items in named_parts(placed.stretch.formula):
            within = np.array([edges[item] for item in items if edges[item] is not None])
            if len(within):
                left, bottom = within[:, :2].min(axis=0) * placed.em + (placed.x, -placed.y)
                right, top = within[:, 2:].max(axis=0) * placed.em + (placed.x, -placed.y)
                box = Box(f"{element}: {name}", float(left), float(bottom), float(right), float(top))
                regions.setdefault(name, [box])
    return regions


def _equals(sheet: Sheet) -> float | None:
    """Where the first equals sign of a formula in one line stands; none when it has none of its own."""
    for placed in sheet.placed:
        for item in placed.stretch.formula.items[placed.stretch.first : placed.stretch.last]:
            if item.code == ord("=") and item.curves is None and abs(item.y) < 1e-6 and item.scale > 0.9:
                return placed.x + item.x * placed.em
    return None


def _edges(points: np.ndarray) -> tuple[float, ...] | None:
    return (*points.min(axis=0), *points.max(axis=0)) if len(points) else None
