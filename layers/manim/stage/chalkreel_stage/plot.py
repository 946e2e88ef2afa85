"""Axes with curves: a light grid, numbers outside of the plane, labels of curves where they cover nothing."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from manim import Line, VGroup, VMobject

from . import theme
from .audit import Box
from .expression import ExpressionError, evaluate, strokes
from .layout import Act, Block, Part, Piece
from .text import ink
from .typeset import Sheet, Typesetter, literal, mobject

SAMPLES = 400
"""Points of a curve: at 1080p, one for every three pixels of a plot."""

MOST_NUMBERS = 13
"""Numbers on one axis; with more, every second, fifth … is left out."""

SPACE = 0.14
"""Distance of labels from what they label, in frame units."""


class Plot(Piece):
    """An axes element."""

    beside = True

    def __init__(
        self, element: str, event: int, axes: dict[str, Any], setter: Typesetter, look: theme.Theme, warnings: list[str]
    ) -> None:
        """Raises ValueError, KeyError or TypeError when the axes are no axes."""
        self.element, self.event = element, event
        self._axes, self._setter, self._look, self._warnings = axes, setter, look, warnings
        self._x, self._y = _Axis(axes["x"]), _Axis(axes["y"])
        self._lines = [self._polylines(curve) for curve in axes["curves"]]

    def measure(self, level: float, width: float, height: float) -> Block:
        """See Piece."""
        block_height = min(height, max(5.5 * level, 3.4))
        block_width = min(width, block_height * 2.0)
        make = _Figure(self, block_width, block_height).make
        return Block(self.element, self.event, block_width, block_height, theme.GAP * level, make, centred=True)

    def _polylines(self, curve: dict[str, Any]) -> list[np.ndarray]:
        """The curve in the axes' own units, cut to the plane."""
        kind, value = next(iter(curve["kind"].items()))
        try:
            if kind == "function":

                def function(x: np.ndarray) -> np.ndarray:
                    return evaluate(value["postfix"], x)

                return strokes(function, self._x.low, self._x.high, self._y.low, self._y.high, SAMPLES)
            if kind == "parametric":
                t = np.linspace(float(value["from"]), float(value["to"]), SAMPLES)
                points = np.stack([evaluate(value["x"]["postfix"], t), evaluate(value["y"]["postfix"], t)], axis=1)
                return self._cut(points)
            if kind == "points":
                return self._cut(np.array([[float(p["x"]), float(p["y"])] for p in value]).reshape(-1, 2))
        except ExpressionError as error:
            self._warnings.append(f"a curve of {self.element} is left out: {error}")
            return []
        self._warnings.append(f"a curve of {self.element} is left out: the stage draws no {kind}")
        return []

    def _cut(self, points: np.ndarray) -> list[np.ndarray]:
        """Straight lines from point to point, cut to the plane (Liang and Barsky)."""
        lines: list[list[np.ndarray]] = []
        for a, b in pairwise(points):
            if not (np.isfinite(a).all() and np.isfinite(b).all()):
                continue
            start, end = 0.0, 1.0
            for axis, (low, high) in enumerate(((self._x.low, self._x.high), (self._y.low, self._y.high))):
                step = b[axis] - a[axis]
                if step == 0.0:
                    if not low <= a[axis] <= high:
                        start, end = 1.0, 0.0
                    continue
                enter, leave = sorted(((low - a[axis]) / step, (high - a[axis]) / step))
                start, end = max(start, enter), min(end, leave)
            if start >= end:
                continue
            p, q = a + start * (b - a), a + end * (b - a)
            if lines and np.allclose(lines[-1][-1], p):
                lines[-1].append(q)
            else:
                lines.append([p, q])
        return [np.array(line) for line in lines]


class _Axis:
    """One axis: range, ticks and their numbers."""

    def __init__(self, axis: dict[str, Any]) -> None:
        self.low, self.high, self.step = float(axis["min"]), float(axis["max"]), float(axis["step"])
        self.label = str(axis.get("label", ""))
        if not (self.low < self.high and self.step > 0 and math.isfinite(self.high - self.low)):
            raise ValueError("an axis needs min < max and step > 0")
        count = (self.high - self.low) / self.step
        stride = next(s * 10**k for k in range(12) for s in (1, 2, 5) if count / (s * 10**k) <= MOST_NUMBERS)
        step = self.step * stride
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        self.ticks = [k * step for k in range(first, last + 1)]
        if len(self.ticks) < 2:
            self.ticks = [self.low, self.high]

    @staticmethod
    def number(value: float) -> str:
        """As shown, with a real minus sign."""
        return f"{0.0 if abs(value) < 1e-12 else value:.6g}".replace("-", "\u2212")


class _Figure:
    """A plot drawn to a size."""

    def __init__(self, plot: Plot, width: float, height: float) -> None:
        self._plot, self._width, self._height = plot, width, height
        self._look, self._setter = plot._look, plot._setter

    def make(self) -> tuple[list[Part], list[Box]]:
        """Draws it, its top left corner at the origin."""
        plot, x, y = self._plot, self._plot._x, self._plot._y
        numbers_x = [self._text(x.number(v), theme.TICKS, self._look.muted) for v in x.ticks]
        numbers_y = [self._text(y.number(v), theme.TICKS, self._look.muted) for v in y.ticks]
        name_x = self._text(x.label, theme.LABELS, self._look.text) if x.label else None
        name_y = self._text(y.label, theme.LABELS, self._look.text) if y.label else None
        caption = str(plot._axes.get("caption", ""))
        below = self._text(caption, theme.LABELS, self._look.muted, self._width) if caption else None

        left = max((n.width for n in numbers_y), default=0.0) + SPACE
        right = max(name_x.width + SPACE if name_x and name_x.width < 1.6 else 0.0, numbers_x[-1].width / 2)
        top = name_y.height + 0.12 if name_y else numbers_y[-1].height / 2
        under = numbers_x[0].height + SPACE
        if name_x and name_x.width >= 1.6:
            under += name_x.height + 0.05
        bottom = under + (below.height + SPACE if below else 0.0)
        plane_width, plane_height = self._width - left - right, self._height - top - bottom

        def at(px: float, py: float) -> np.ndarray:
            return np.array(
                [
                    left + (px - x.low) / (x.high - x.low) * plane_width,
                    -top - (y.high - py) / (y.high - y.low) * plane_height,
                    0.0,
                ]
            )

        grid, boxes = VGroup(), []
        for v in x.ticks:
            grid.add(Line(at(v, y.low), at(v, y.high), stroke_width=1.5, color=self._look.grid))
        for v in y.ticks:
            grid.add(Line(at(x.low, v), at(x.high, v), stroke_width=1.5, color=self._look.grid))
        zero_x, zero_y = min(max(0.0, x.low), x.high), min(max(0.0, y.low), y.high)
        axes = VGroup(
            Line(at(x.low, zero_y), at(x.high, zero_y), stroke_width=3, color=self._look.muted),
            Line(at(zero_x, y.low), at(zero_x, y.high), stroke_width=3, color=self._look.muted),
        )
        labels = VGroup()

        def put(sheet: Sheet, px: float, py: float, name: str, font: float, colour_group: VGroup = labels) -> None:
            group = mobject(sheet).shift([px, py, 0])
            colour_group.add(group)
            boxes.extend(ink(f"{plot.element}: {name}", group, font))

        last_right = -math.inf
        for v, sheet in zip(x.ticks, numbers_x, strict=True):
            start = at(v, y.low)[0] - sheet.width / 2
            if start > last_right + 0.12 and start >= -0.01:
                put(sheet, start, -self._height + bottom - SPACE / 2, f"x = {x.number(v)}", theme.TICKS)
                last_right = start + sheet.width
        last_top = -math.inf
        for v, sheet in zip(y.ticks, numbers_y, strict=True):
            middle = at(x.low, v)[1]
            if middle - sheet.height / 2 > last_top - 0.05:
                put(sheet, left - SPACE - sheet.width, middle + sheet.height / 2, f"y = {y.number(v)}", theme.TICKS)
                last_top = middle + sheet.height / 2
        if name_x and name_x.width < 1.6:
            put(name_x, self._width - right + SPACE, at(x.high, zero_y)[1] + name_x.height / 2, "x label", theme.LABELS)
        elif name_x:
            put(
                name_x,
                left + (plane_width - name_x.width) / 2,
                -self._height + bottom - under + name_x.height,
                "x label",
                theme.LABELS,
            )
        if name_y:
            put(name_y, max(0.0, at(zero_x, y.high)[0] - name_y.width / 2), 0.0, "y label", theme.LABELS)
        if below:
            put(below, (self._width - below.width) / 2, -self._height + below.height, "caption", theme.LABELS)

        parts = [Part([Act("dissolve", VGroup(grid, axes, labels), 0.8)], 20)]
        lines = [[np.array([at(*p) for p in line]) for line in curve] for curve in plot._lines]
        plane = Box("plane", left + 0.05, -self._height + bottom + 0.05, left + plane_width - 0.05, -top - 0.05)
        taken: list[Box] = []
        for i, (curve, drawn) in enumerate(zip(plot._axes["curves"], lines, strict=True)):
            if not drawn:
                continue
            colour = self._look.curves[i % len(self._look.curves)]
            path = VMobject(stroke_color=colour, stroke_width=4.5, fill_opacity=0)
            path.points = np.concatenate([_beziers(line) for line in drawn])
            acts = [Act("create", path, 1.4)]
            text = str(curve.get("label", ""))
            if text:
                sheet = self._text(text, theme.LABELS, colour, plane_width * 0.6)
                spot = _free_spot(sheet, drawn, [line for other in lines for line in other], plane, taken)
                if spot is None:
                    plot._warnings.append(f"curve label {text!r} of {plot.element} found no free place")
                else:
                    taken.append(spot)
                    group = mobject(sheet).shift([spot.left, spot.top, 0])
                    boxes.extend(ink(f"{plot.element}: {text}", group, theme.LABELS))
                    acts.append(Act("dissolve", group, 0.4))
            parts.append(Part(acts, 30))
        return parts, boxes

    def _text(self, text: str, size: float, colour: str, width: float | None = None) -> Sheet:
        sheet = self._setter.sheet(f"#{literal(text)}", size, colour)
        if width is not None and sheet.width > width:
            sheet = self._setter.sheet(f"#align(center)[#{literal(text)}]", size, colour, width)
        return sheet


def _beziers(line: np.ndarray) -> np.ndarray:
    """A polyline as Manim's cubic points."""
    a, b = line[:-1], line[1:]
    return np.stack([a, a + (b - a) / 3, a + (b - a) * 2 / 3, b], axis=1).reshape(-1, 3)


def _free_spot(
    sheet: Sheet, own: list[np.ndarray], everything: list[np.ndarray], plane: Box, taken: list[Box]
) -> Box | None:
    """The first box beside the curve, from its right end on, that covers no curve and no label.

    When there is none beside it, the first anywhere in the plane, from the top right corner on.
    """
    points = np.concatenate([_dense(line) for line in everything])
    track = np.concatenate(own)
    width, height = sheet.width, sheet.height

    def box(left: float, bottom: float) -> Box:
        return Box("label", left, bottom, left + width, bottom + height)

    def free(b: Box) -> bool:
        if b.left < plane.left or b.right > plane.right or b.bottom < plane.bottom or b.top > plane.top:
            return False
        inside = (
            (points[:, 0] > b.left - 0.08)
            & (points[:, 0] < b.right + 0.08)
            & (points[:, 1] > b.bottom - 0.05)
            & (points[:, 1] < b.top + 0.05)
        )
        return not inside.any() and all(
            b.right <= t.left or b.left >= t.right or b.top <= t.bottom or b.bottom >= t.top for t in taken
        )

    for distance in (0.12, 0.3, 0.5):
        for k in range(len(track) - 1, -1, -max(1, len(track) // 40)):
            px, py = track[k][0], track[k][1]
            for left, bottom in (
                (px + distance, py - height / 2),
                (px - width - distance, py - height / 2),
                (px - width / 2, py + distance),
                (px - width / 2, py - distance - height),
                (px + distance, py + distance),
                (px - width - distance, py + distance),
                (px + distance, py - distance - height),
                (px - width - distance, py - distance - height),
            ):
                spot = box(left, bottom)
                if free(spot):
                    return spot
    for bottom in np.arange(plane.top - height, plane.bottom, -0.2):
        for left in np.arange(plane.right - width, plane.left, -0.2):
            spot = box(float(left), float(bottom))
            if free(spot):
                return spot
    return None


def _dense(line: np.ndarray) -> np.ndarray:
    """Points on the line no further apart than 0.05 units."""
    out = [line[:1]]
    for a, b in pairwise(line):
        count = max(1, math.ceil(float(np.hypot(*(b - a)[:2])) / 0.05))
        out.append(a + (b - a) * (np.arange(1, count + 1) / count)[:, None])
    return np.concatenate(out)
