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

LEAST = 2.2
"""Least height of a chart, in frame units."""


class Chart(Piece):
    """A chart element."""

    is_figure = True

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
        low, high = min(0.0, *(v for _, v in self._bars)), max(0.0, *(v for _, v in self._bars))
        if high - low <= 0:
            high = 1.0
        step = 10.0 ** math.floor(math.log10((high - low) / 4))
        step *= next(s for s in (1, 2, 2.5, 5, 10) if (high - low) / (step * s) <= 6)
        low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
        return Axis(low, high, step)

    def _standing(self, width: float, height: float) -> Drawn:
        drawn = Drawn([], [])
        above, below, back = self._frame(drawn, width, height)
        slot = width / len(self._bars)
        # Too many for a label each: every second, third … has one. Wide slots have room for wrapped ones.
        widest, stride = max(self._label(text).width for text, _ in self._bars), 1
        if slot < 1.6:
            stride = max(1, math.ceil((widest + 0.12) / slot))
        names = [
            self._label(text, max(slot * stride - 0.1, 0.5)) if text and i % stride == 0 else None
            for i, (text, _) in enumerate(self._bars)
        ]
        foot = max((n.height for n in names if n), default=0.0) + 0.12
        values = [label(self._setter, Axis.number(v), theme.TICKS, self._look.text) for _, v in self._bars]
        shown = all(value.width <= slot - 0.06 for value in values)
        tall = values[0].height + 0.06 if shown else 0.0
        axis = self._scale()
        top = above + (tall if any(v >= 0 for _, v in self._bars) else 0.0)
        bottom = below + foot + (tall if any(v < 0 for _, v in self._bars) else 0.0)
        room = height - top - bottom

        def y(value: float) -> float:
            return -top - (axis.high - value) / (axis.high - axis.low) * room

        for tick in axis.ticks:
            back.add(Line([0, y(tick), 0], [width, y(tick), 0], stroke_width=1.5, color=self._look.grid))
        last = -math.inf
        for i, name in enumerate(names):
            if name:
                left = min(max((i + 0.5) * slot - name.width / 2, 0.0), width - name.width)
                if left < last + 0.1:
                    continue
                last = left + name.width
                self._put(back, drawn, name, left, -height + below + foot - 0.12, f"label {i + 1}")
        self._first(drawn, back, Line([0, y(0), 0], [width, y(0), 0], stroke_width=3, color=self._look.muted))
        thick = min(0.66 * slot, 1.5)
        for i, ((text, value), sheet) in enumerate(zip(self._bars, values, strict=True)):
            x = (i + 0.5) * slot
            bar = Rectangle(width=thick, height=max(abs(y(value) - y(0)), 0.02), stroke_width=0, fill_opacity=1.0)
            bar.set_fill(self._look.accent).move_to([x, (y(value) + y(0)) / 2, 0])
            edge = y(value) + sheet.height + 0.02 if value >= 0 else y(value) - 0.04
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
        slot = (height - above - below) / len(self._bars)

        def x(value: float) -> float:
            return start + (value - axis.low) / (axis.high - axis.low) * room

        for tick in axis.ticks:
            ends = [x(tick), -above, 0], [x(tick), -height + below, 0]
            back.add(Line(*ends, stroke_width=1.5, color=self._look.grid))
        for i, name in enumerate(names):
            if name:
                y = -above - (i + 0.5) * slot
                self._put(back, drawn, name, left - 0.2 - name.width, y + name.height / 2, f"label {i + 1}")
        zero = Line([x(0), -above, 0], [x(0), -height + below, 0], stroke_width=3, color=self._look.muted)
        self._first(drawn, back, zero)
        for i, ((text, value), sheet) in enumerate(zip(self._bars, values, strict=True)):
            y = -above - (i + 0.5) * slot
            bar = Rectangle(
                width=max(abs(x(value) - x(0)), 0.02), height=min(0.62 * slot, 0.7), stroke_width=0, fill_opacity=1.0
            )
            bar.set_fill(self._look.accent).move_to([(x(value) + x(0)) / 2, y, 0])
            edge = x(value) + 0.08 if value >= 0 else x(value) - 0.08 - sheet.width
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
