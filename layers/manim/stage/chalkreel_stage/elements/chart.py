"""Bar charts: upright, or lying when the labels are long; values at the bars' ends."""

from __future__ import annotations

import json
import math

from manim import Group, Line, Rectangle

from .. import theme
from ..audit import ink, whole
from ..geometry.axis import Axis
from ..geometry.labels import SPACE, label
from ..layout.blocks import Act, Block, Drawn, Part, Piece
from ..storyboard import types
from ..storyboard.errors import StoryboardError
from ..typesetting.outlines import mobject
from ..typesetting.typesetter import Sheet, Typesetter

MOST_LYING = 12
"""Bars that have room above each other with a legible label each."""


MOST_BARS = 300
"""Bars that a frame of 1280 pixels can show with a gap between them."""

MOST_ALIKE = 200.0
"""Ratio of the largest value to the smallest above which bars on a linear scale show nothing of the small ones."""

LEAST = 2.2
"""Least height of a chart, in frame units."""


class Chart(Piece):
    """A chart element."""

    is_figure = True
    largest = theme.FIGURE_GROWS

    def __init__(
        self,
        element: str,
        event: int,
        value: types.Chart,
        setter: Typesetter,
        look: theme.Theme,
        warnings: list[str],
    ) -> None:
        """Raises StoryboardError."""
        self.element, self.event = element, event
        self._setter, self._look, self._warnings = setter, look, warnings
        self._bars = [(bar.label, bar.value) for bar in value.bars]
        if len(self._bars) > MOST_BARS:
            raise StoryboardError(f"more than {MOST_BARS} bars can't be told apart")
        if not self._bars or not all(math.isfinite(v) for _, v in self._bars):
            raise StoryboardError("a chart needs bars with finite values")
        self._name, self._caption = value.value_label, value.caption
        values = [v for _, v in self._bars]
        self._logarithmic = min(values) > 0 and max(values) > MOST_ALIKE * min(values)
        if self._logarithmic:
            self._name = f"{self._name} (log)" if self._name else "(log)"

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        block_height = max(min(height, max(5.5 * level, 3.2)), LEAST)
        # Lying bars need a line each.
        upright = self._upright(min(width, block_height * 2.2))
        if not upright:
            block_height = min(height, max(block_height, 0.42 * len(self._bars) + 1.0))
        block_width = min(width, block_height * 2.2)

        def make() -> Drawn:
            if self._upright(block_width) or len(self._bars) * 0.34 > block_height - 0.8:
                return self._standing(block_width, block_height)
            return self._lying(block_width, block_height)

        return Block(self.element, self.event, block_width, block_height, theme.GAP * level, make, centred=True)

    def _upright(self, width: float) -> bool:
        slot = width / len(self._bars)
        widest = max(self._label(text).width for text, _ in self._bars)
        return widest <= slot - 0.12 or len(self._bars) > MOST_LYING or (slot > 1.6 and widest < 2.2 * slot)

    def _label(self, text: str, width: float | None = None, colour: str | None = None) -> Sheet:
        return label(self._setter, text, theme.LABELS, colour or self._look.text, width)

    def _frame(self, drawn: Drawn, width: float, height: float) -> tuple[float, float, Group]:
        """Name of the values above and caption below; the room they take, and their mobjects."""
        group, above, below = Group(), 0.0, 0.0
        if self._name:
            sheet = self._label(self._name, width, self._look.muted)
            above = sheet.height + 0.1
            self._put(group, drawn, sheet, 0.0, 0.0, "value label")
        if self._caption:
            sheet = self._label(self._caption, width, self._look.muted)
            below = sheet.height + SPACE
            self._put(group, drawn, sheet, (width - sheet.width) / 2, -height + sheet.height, "caption")
        return above, below, group

    def _put(self, group: Group, drawn: Drawn, sheet: Sheet, x: float, y: float, name: str) -> None:
        item = mobject(sheet).shift([x, y, 0])
        group.add(item)
        drawn.boxes += ink(f"{self.element}: {name}", item, theme.LABELS)

    def _scale(self) -> Axis:
        if self._logarithmic:
            # In powers of ten; the smallest bar is still to be seen.
            low = math.floor(math.log10(min(v for _, v in self._bars)) - 0.15)
            high = math.ceil(math.log10(max(v for _, v in self._bars)) - 1e-9)
            return Axis(low, high, max(1, math.ceil((high - low) / 8)))
        low, high = min(0.0, *(v for _, v in self._bars)), max(0.0, *(v for _, v in self._bars))
        if high - low <= 0:
            high = 1.0
        step = 10.0 ** math.floor(math.log10((high - low) / 4))
        step *= next(s for s in (1, 2, 2.5, 5, 10) if (high - low) / (step * s) <= 6)
        low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
        return Axis(low, high, step)

    def _along(self, value: float, axis: Axis) -> float:
        """Where a value stands on the axis, from 0 to 1."""
        at = math.log10(value) if self._logarithmic else value
        return (at - axis.low) / (axis.high - axis.low)

    def _numbers(self, axis: Axis) -> list[tuple[float, Sheet]]:
        """Numbers of the axis, each with where it stands, from 0 to 1."""
        ticks = [(tick, 10.0**tick if self._logarithmic else tick) for tick in axis.ticks]
        return [
            (
                (tick - axis.low) / (axis.high - axis.low),
                label(self._setter, Axis.number(value), theme.TICKS, self._look.muted),
            )
            for tick, value in ticks
        ]

    def _standing(self, width: float, height: float) -> Drawn:
        drawn = Drawn([], [])
        above, below, back = self._frame(drawn, width, height)
        axis = self._scale()
        values = [label(self._setter, Axis.number(v), theme.TICKS, self._look.text) for _, v in self._bars]
        shown = all(value.width <= width / len(self._bars) - 0.06 for value in values)
        # Where the bars say their values, the axis need not; a logarithmic one has to.
        numbers = self._numbers(axis) if self._logarithmic or not shown else []
        start = max((sheet.width for _, sheet in numbers), default=0.0) + (SPACE if numbers else 0.0)
        slot = (width - start) / len(self._bars)
        shown = all(value.width <= slot - 0.06 for value in values)
        # Too many for a label each: every second, third … has one. Wide slots have room for wrapped ones.
        widest, stride = max(self._label(text).width for text, _ in self._bars), 1
        if slot < 1.6:
            stride = max(1, math.ceil((widest + 0.12) / slot))
        names = [
            self._label(text, max(slot * stride - 0.1, 0.5)) if text and i % stride == 0 else None
            for i, (text, _) in enumerate(self._bars)
        ]
        foot = max((n.height for n in names if n), default=0.0) + 0.12
        tall = values[0].height + 0.06 if shown else 0.0
        top = above + (tall if any(v >= 0 for _, v in self._bars) else 0.0)
        bottom = below + foot + (tall if any(v < 0 for _, v in self._bars) else 0.0)
        room = height - top - bottom

        def y(part: float) -> float:
            return -top - (1 - part) * room

        foot_y = y(0.0 if self._logarithmic else self._along(0.0, axis))
        for tick in axis.ticks:
            line = y((tick - axis.low) / (axis.high - axis.low))
            back.add(Line([start, line, 0], [width, line, 0], stroke_width=1.5, color=self._look.grid))
        lowest = -math.inf
        for part, sheet in numbers:
            middle = min(max(y(part) + sheet.height / 2, -height + below + sheet.height), -above)
            if middle - sheet.height > lowest:
                self._put(back, drawn, sheet, start - SPACE - sheet.width, middle, f"number at {part:.2f}")
                lowest = middle
        last = -math.inf
        for i, name in enumerate(names):
            if name:
                left = min(max(start + (i + 0.5) * slot - name.width / 2, 0.0), width - name.width)
                if left < last + 0.1:
                    continue
                last = left + name.width
                self._put(back, drawn, name, left, -height + below + foot - 0.12, f"label {i + 1}")
        zero = Line([start, foot_y, 0], [width, foot_y, 0], stroke_width=3, color=self._look.muted)
        self._first(drawn, back, zero)
        thick = min(0.66 * slot, 1.5)
        for i, ((text, value), sheet) in enumerate(zip(self._bars, values, strict=True)):
            x, tip = start + (i + 0.5) * slot, y(self._along(value, axis))
            bar = Rectangle(width=thick, height=max(abs(tip - foot_y), 0.02), stroke_width=0, fill_opacity=1.0)
            bar.set_fill(self._look.accent).move_to([x, (tip + foot_y) / 2, 0])
            edge = tip + sheet.height + 0.02 if value >= 0 else tip - 0.04
            self._bar(drawn, i, text, value, bar, sheet if shown else None, x - sheet.width / 2, edge)
        return drawn

    def _lying(self, width: float, height: float) -> Drawn:
        drawn = Drawn([], [])
        above, below, back = self._frame(drawn, width, height)
        names = [self._label(text, width * 0.38) if text else None for text, _ in self._bars]
        left = max((n.width for n in names if n), default=0.0) + 0.2
        values = [label(self._setter, Axis.number(v), theme.TICKS, self._look.text) for _, v in self._bars]
        side = max(v.width for v in values) + 0.1
        axis = self._scale()
        start = left + (side if any(v < 0 for _, v in self._bars) else 0.0)
        room = width - start - side
        numbers = self._numbers(axis) if self._logarithmic else []
        foot = max((sheet.height for _, sheet in numbers), default=0.0) + (0.08 if numbers else 0.0)
        bottom = -height + below + foot
        slot = (height - above - below - foot) / len(self._bars)

        def x(part: float) -> float:
            return start + part * room

        zero_x = x(0.0 if self._logarithmic else self._along(0.0, axis))
        for tick in axis.ticks:
            line = x((tick - axis.low) / (axis.high - axis.low))
            back.add(Line([line, -above, 0], [line, bottom, 0], stroke_width=1.5, color=self._look.grid))
        last = -math.inf
        for part, sheet in numbers:
            at = min(x(part) - sheet.width / 2, width - sheet.width)
            if at > last + 0.1:
                self._put(back, drawn, sheet, at, bottom - 0.06, f"number at {part:.2f}")
                last = at + sheet.width
        for i, name in enumerate(names):
            if name:
                y = -above - (i + 0.5) * slot
                self._put(back, drawn, name, left - 0.2 - name.width, y + name.height / 2, f"label {i + 1}")
        zero = Line([zero_x, -above, 0], [zero_x, bottom, 0], stroke_width=3, color=self._look.muted)
        self._first(drawn, back, zero)
        for i, ((text, value), sheet) in enumerate(zip(self._bars, values, strict=True)):
            y, tip = -above - (i + 0.5) * slot, x(self._along(value, axis))
            bar = Rectangle(
                width=max(abs(tip - zero_x), 0.02), height=min(0.62 * slot, 0.7), stroke_width=0, fill_opacity=1.0
            )
            bar.set_fill(self._look.accent).move_to([(tip + zero_x) / 2, y, 0])
            edge = tip + 0.08 if value >= 0 else tip - 0.08 - sheet.width
            self._bar(drawn, i, text, value, bar, sheet, edge, y + sheet.height / 2)
        return drawn

    def _first(self, drawn: Drawn, back: Group, zero: Line) -> None:
        key = json.dumps([self._bars, self._name, self._caption])
        drawn.parts.append(Part([Act("dissolve", Group(back, zero), 0.6)], 15, key))
        drawn.boxes += whole(self.element, "plane", Group(back, zero))

    def _bar(
        self, drawn: Drawn, i: int, text: str, value: float, bar: Rectangle, sheet: Sheet | None, x: float, y: float
    ) -> None:
        name = f"{self.element}: bar {i + 1}"
        group = Group(bar)
        drawn.boxes += ink(name, bar, None)
        drawn.regions.setdefault(text, ink(name, bar, None))
        if sheet:
            self._put(group, drawn, sheet, x, y, f"value {i + 1}")
        drawn.parts.append(Part([Act("uncover", group, 0.35)], 8, f"{i} {text} {value}"))
