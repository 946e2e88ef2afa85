"""A number line: ticks with their numbers below, marks with their labels above."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np
from manim import Dot, Group, Line

from .. import theme
from ..audit import Box, Stroke, ink, whole
from ..geometry.arrows import arrow
from ..geometry.axis import Axis
from ..geometry.labels import label
from ..layout.blocks import Act, Block, Drawn, Part, Piece
from ..storyboard import types
from ..typesetting.outlines import mobject
from ..typesetting.typesetter import Sheet, Typesetter

_Placed = tuple[float, str, Sheet | None, float, int]
"""A mark: value, label, sheet, left edge and row."""


class NumberLine(Piece):
    """A number line element."""

    largest = theme.TEXT_GROWS
    largest_alone = theme.LONE_LIST_GROWS

    def __init__(
        self,
        element: str,
        event: int,
        value: types.NumberLine,
        setter: Typesetter,
        look: theme.Theme,
        warnings: list[str],
    ) -> None:
        """Raises StoryboardError."""
        self.element, self.event = element, event
        self._axis = Axis.of(value.axis)
        self._setter, self._look = setter, look
        self._marks = []
        for mark in value.marks:
            if self._axis.low <= mark.at <= self._axis.high:
                self._marks.append((mark.at, mark.label))
            else:
                warnings.append(f"a mark at {mark.at:g} of element {element} is left out: it lies outside of the line")

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        axis = self._axis
        size = max(theme.LABELS * max(level, 0.8), theme.TEXT_FLOOR)
        numbers = [label(self._setter, axis.number(v), size, self._look.muted) for v in axis.ticks]
        name = label(self._setter, axis.label, size, self._look.text, 2.5) if axis.label else None
        side = max(numbers[0].width, numbers[-1].width) / 2 + 0.3
        right = side + (name.width + 0.2 if name else 0.0)
        length = width - side - right

        def at(value: float) -> float:
            return side + (value - axis.low) / (axis.high - axis.low) * length

        placed = self._rows(at, size, width)
        rows = max((row for *_, row in placed), default=-1) + 1
        row_height = max((sheet.height for _, _, sheet, _, _ in placed if sheet), default=0.0) + 0.06
        above = 0.22 + rows * row_height
        block_height = max(above, (name.height / 2 if name else 0.0)) + 0.24 + max(n.height for n in numbers)

        def make() -> Drawn:
            y = -above if above > (name.height / 2 if name else 0.0) else -(name.height / 2 if name else 0.0)
            line = Group()
            start, end = np.array([side - 0.25, y, 0.0]), np.array([side + length + 0.3, y, 0.0])
            line.add(arrow(start, end, self._look.muted, 3.5))
            strokes = [Stroke(f"{self.element}: line", np.array([start[:2], end[:2]]))]
            boxes: list[Box] = []
            last = -math.inf
            for v, sheet in zip(axis.ticks, numbers, strict=True):
                line.add(Line([at(v), y - 0.09, 0], [at(v), y + 0.09, 0], stroke_width=2.5, color=self._look.muted))
                left = at(v) - sheet.width / 2
                if left > last + 0.1:
                    item = mobject(sheet).shift([left, y - 0.18, 0])
                    boxes += ink(f"{self.element}: {axis.number(v)}", item, size)
                    line.add(item)
                    last = left + sheet.width
            if name:
                item = mobject(name).shift([width - name.width, y + name.height / 2, 0])
                boxes += ink(f"{self.element}: label", item, size)
                line.add(item)
            parts = [Part([Act("uncover", line, 0.9)], 20, json.dumps([axis.low, axis.high, axis.step, axis.label]))]
            regions: dict[str, list[Box]] = {}
            for i, (value, text, sheet, left, row) in enumerate(placed):
                colour = self._look.curves[i % len(self._look.curves)]
                mark = Group(Dot([at(value), y, 0], radius=0.11, color=colour))
                if sheet:
                    bottom = y + 0.2 + row * row_height
                    item = mobject(sheet).shift([left, bottom + sheet.height, 0])
                    boxes += ink(f"{self.element}: mark {i + 1} {text}", item, size)
                    if self._stem(placed, at(value), row):
                        stem = np.array([[at(value), y + 0.15, 0], [at(value), bottom, 0]])
                        mark.add(Line(*stem, stroke_width=1.5, color=colour))
                        strokes.append(Stroke(f"{self.element}: stem of mark {i + 1}", stem[:, :2]))
                    mark.add(item)
                    regions[text] = ink(f"{self.element}: mark {i + 1} {text}", mark, None)
                parts.append(Part([Act("grow", mark, 0.5)], 14, f"{value} {text}"))
            everything = Group(*(act.mobject for part in parts for act in part.acts))
            boxes += whole(self.element, "all", everything)
            return Drawn(parts, boxes, regions, strokes=strokes)

        # Not so large that numbers are left out, or that labels stand far above their marks.
        crowded = level > 1.0 and (sum(n.width + 0.15 for n in numbers) > length or rows > 2)
        gap = theme.GAP * level
        return Block(self.element, self.event, width, block_height, gap, make, centred=True, crowded=crowded)

    def _rows(self, at: Callable[[float], float], size: float, width: float) -> list[_Placed]:
        """Value, label, sheet, left edge and row (0 is the lowest) of each mark, so that no two labels touch."""
        placed: list[_Placed] = []
        ends: list[list[tuple[float, float]]] = []
        marks = sorted(self._marks)
        for i, (value, text) in enumerate(marks):
            if not text:
                placed.append((value, text, None, 0.0, 0))
                continue
            colour = self._look.curves[i % len(self._look.curves)]
            sheet = label(self._setter, text, size, colour, 3.0 * size / theme.LABELS)
            left = at(value) - sheet.width / 2
            # Neighbours make room for each other, up to the middle between them.
            if i + 1 < len(marks) and marks[i + 1][1]:
                left = min(left, (at(value) + at(marks[i + 1][0])) / 2 - 0.08 - sheet.width)
            if i and marks[i - 1][1]:
                left = max(left, (at(value) + at(marks[i - 1][0])) / 2 + 0.08)
            left = min(max(left, 0.0), width - sheet.width)
            row = 0
            while row < len(ends) and any(left < b + 0.12 and a < left + sheet.width + 0.12 for a, b in ends[row]):
                row += 1
            while len(ends) <= row:
                ends.append([])
            ends[row].append((left, left + sheet.width))
            placed.append((value, text, sheet, left, row))
        return placed

    @staticmethod
    def _stem(placed: list[_Placed], x: float, row: int) -> bool:
        """Whether a line from a mark up to its label on that row goes through no other label."""
        return row > 0 and not any(
            sheet and lower < row and left - 0.05 < x < left + sheet.width + 0.05 for _, _, sheet, left, lower in placed
        )
